{{- /*
A collector's configuration, but for the entry's extraConfig. Files are read from their beginning, without a gap
between what is noted as read and what is in the queue on disk (the feature gate stanza.synchronousLogEmitter); what
cannot be queued or sent is retried without end.
Takes: call; exporters; ports
Prints: the configuration, as YAML
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.collectorConfig" -}}
{{- $call := .call -}}
{{- $exporters := .exporters -}}
{{- $ports := .ports -}}
{{- $config := $call.config -}}
{{- $otlp := dig "receive" "otlp" false $config -}}
{{- $logs := list -}}
{{- if $config.files -}}{{- $logs = append $logs "file_log" -}}{{- end -}}
{{- if $otlp -}}{{- $logs = append $logs "otlp" -}}{{- end -}}
{{- $metrics := list -}}
{{- if $otlp -}}{{- $metrics = append $metrics "otlp" -}}{{- end -}}
{{- if $config.scrape -}}{{- $metrics = append $metrics "prometheus" -}}{{- end -}}
{{- $changes := include "outrigger-0.2.0.patterns.logshippers.collectorChanges" $config | fromYaml -}}
{{- $changing := list -}}
{{- range list "filter" "transform/redact" "transform" "probabilistic_sampler" "transform/sampled" -}}
  {{- if hasKey $changes . -}}{{- $changing = append $changing . -}}{{- end -}}
{{- end -}}
{{- /* What is not logs is redacted too. */ -}}
{{- $others := list "memory_limiter" -}}
{{- if hasKey $changes "transform/redact" -}}{{- $others = append $others "transform/redact" -}}{{- end -}}
{{- $others = append $others "resource" -}}
{{- $names := keys $exporters | sortAlpha -}}
extensions:
  file_storage:
    directory: /run/outrigger
    {{- /* A database that a crash of the node has left broken is set aside: the files are read anew. */}}
    recreate: true
    compaction: {on_rebound: true, directory: /run/outrigger}
  health_check:
    endpoint: 127.0.0.1:{{ $ports.health }}
receivers:
  {{- if $config.files }}
  file_log:
    {{- include "outrigger-0.2.0.patterns.logshippers.fileReceiver" $config | nindent 4 }}
  {{- end }}
  {{- if $otlp }}
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:{{ $ports.grpc }}"}
      http: {endpoint: "127.0.0.1:{{ $ports.http }}"}
  {{- end }}
  {{- if $config.scrape }}
  prometheus:
    config:
      scrape_configs:
        {{- range $index, $scrape := $config.scrape }}
        - job_name: {{ $scrape.name | default (printf "app-%d" (int $scrape.port)) | quote }}
          scrape_interval: {{ $scrape.interval | default "30s" }}
          metrics_path: {{ $scrape.path | default "/metrics" | quote }}
          static_configs: [{targets: ["127.0.0.1:{{ $scrape.port }}"]}]
        {{- end }}
  {{- end }}
processors:
  memory_limiter: {check_interval: 1s, limit_percentage: 85, spike_limit_percentage: 15}
  resource:
    attributes:
      {{- range $name, $value := include "outrigger-0.2.0.patterns.logshippers.resourceAttributes" $config | fromYaml }}
      - {{ dict "key" $name "value" $value "action" "insert" | toJson }}
      {{- end }}
  {{- with $changes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
exporters:
  {{- toYaml $exporters | nindent 2 }}
service:
  extensions: [file_storage, health_check]
  telemetry:
    metrics:
      readers:
        - pull: {exporter: {prometheus: {host: {{ or (dig "metrics" "annotations" false $config) (dig "metrics" "podMonitor" false $config) | ternary "0.0.0.0" "127.0.0.1" }}, port: {{ $ports.metrics }}}}}
  pipelines:
    {{- with $logs }}
    logs:
      receivers: {{ toJson . }}
      processors: {{ concat (list "memory_limiter") $changing (list "resource") | toJson }}
      exporters: {{ toJson $names }}
    {{- end }}
    {{- with $metrics }}
    metrics: {receivers: {{ toJson . }}, processors: {{ toJson $others }}, exporters: {{ toJson $names }}}
    {{- end }}
    {{- if $otlp }}
    traces: {receivers: [otlp], processors: {{ toJson $others }}, exporters: {{ toJson $names }}}
    {{- end }}
{{- end -}}

{{- /*
The receiver of files.
Takes: the entry's config
Prints: its configuration, as YAML
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.fileReceiver" -}}
include: {{ include "outrigger-0.2.0.patterns.logshippers.shippedGlobs" . | fromYamlArray | toJson }}
{{- /* The supervisor says which matches are no regular files: a pipe without a writer would stop all reading. */}}
exclude: {{ append (include "outrigger-0.2.0.patterns.logshippers.excludedGlobs" . | fromYamlArray) "/${env:NOT_REGULAR:-}" | toJson }}
start_at: beginning
storage: file_storage
on_truncate: read_whole_file
{{- /* Half of them are open at a time, and by that the supervisor sees what is read. */}}
max_concurrent_files: 4096
retry_on_failure: {enabled: {{ ne (dig "queue" "whenFull" "block" .) "drop" }}, max_elapsed_time: 0}
{{- with .multiline }}
multiline:
  {{- if .startPattern }}
  line_start_pattern: {{ include "outrigger-0.2.0.patterns.logshippers.collectorText" .startPattern | quote }}
  {{- else }}
  line_end_pattern: {{ include "outrigger-0.2.0.patterns.logshippers.collectorText" .endPattern | quote }}
  {{- end }}
{{- end }}
{{- with .attributes }}
attributes:
  {{- range $name, $value := . }}
  {{ $name }}: {{ include "outrigger-0.2.0.patterns.logshippers.collectorText" (toString $value) | quote }}
  {{- end }}
{{- end }}
{{- if .parse }}
operators:
  {{- with include "outrigger-0.2.0.patterns.logshippers.redactOperators" . | fromYamlArray }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- include "outrigger-0.2.0.patterns.logshippers.parsers" . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /*
The operators that parse a line. A line that does not parse is shipped as it is.
Takes: the entry's config
Prints: the operators, as a YAML list
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.parsers" -}}
{{- $parser := dict "on_error" "send_quiet" -}}
{{- with .parse -}}
{{- if .regex -}}
  {{- $_ := set $parser "type" "regex_parser" -}}
  {{- $_ := set $parser "regex" (include "outrigger-0.2.0.patterns.logshippers.collectorText" .regex) -}}
{{- else if hasKey . "logfmt" -}}
  {{- $_ := set $parser "type" "key_value_parser" -}}
{{- else if hasKey . "cri" -}}
  {{- $_ := set $parser "type" "container" -}}
  {{- $_ := set $parser "format" "containerd" -}}
  {{- $_ := set $parser "add_metadata_from_filepath" false -}}
{{- else -}}
  {{- $_ := set $parser "type" "json_parser" -}}
{{- end -}}
{{- with .timestamp -}}
  {{- $timestamp := dict "parse_from" (printf "attributes[%q]" .field) "layout_type" (.layoutType | default "strptime") "layout" .layout -}}
  {{- if .location -}}{{- $_ := set $timestamp "location" .location -}}{{- end -}}
  {{- $_ := set $parser "timestamp" $timestamp -}}
{{- end -}}
{{- with .severity -}}
  {{- $severity := dict "parse_from" (printf "attributes[%q]" .field) -}}
  {{- if .mapping -}}{{- $_ := set $severity "mapping" .mapping -}}{{- end -}}
  {{- $_ := set $parser "severity" $severity -}}
{{- end -}}
{{- end -}}
{{- list $parser | toYaml }}
{{- with include "outrigger-0.2.0.patterns.logshippers.redactUnparsed" . }}
{{ . }}
{{- end }}
{{- with .parse.message }}
- type: move
  from: attributes[{{ quote . }}]
  to: body
  if: 'attributes[{{ quote . }}] != nil'
{{- end }}
{{- end -}}

{{- /*
The processors by which log records are left out or changed, by name.
Takes: the entry's config
Prints: the processors, as YAML
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.collectorChanges" -}}
{{- $drops := list -}}
{{- with .filter -}}
  {{- if .minSeverity -}}
    {{- $drops = append $drops (printf "severity_number != SEVERITY_NUMBER_UNSPECIFIED and severity_number < SEVERITY_NUMBER_%s" .minSeverity) -}}
  {{- end -}}
  {{- range .drop -}}{{- $drops = append $drops (printf "IsMatch(body, %s)" (include "outrigger-0.2.0.patterns.logshippers.collectorText" . | quote)) -}}{{- end -}}
{{- end -}}
{{- $statements := list -}}
{{- $sample := dig "filter" "sample" dict . -}}
{{- if $sample -}}
  {{- /* A record has nothing by which it could be drawn, so it gets a random text for a moment. */ -}}
  {{- $statements = concat $statements (list
        "set(log.attributes[\"outrigger.sample\"], UUID())"
        (printf "set(log.attributes[\"outrigger.sample.priority\"], 100) where log.severity_number >= SEVERITY_NUMBER_%s" ($sample.all | default "WARN"))) }}
probabilistic_sampler:
  sampling_percentage: {{ $sample.percentage }}
  attribute_source: record
  from_attribute: outrigger.sample
  sampling_priority: outrigger.sample.priority
transform/sampled: {error_mode: ignore, log_statements: ['delete_matching_keys(log.attributes, "^outrigger[.]sample")']}
{{- end }}
{{- if .redact }}
transform/redact:
  {{- include "outrigger-0.2.0.patterns.logshippers.redactProcessor" . | nindent 2 }}
{{- end }}
{{- if $drops }}
filter: {error_mode: ignore, logs: {log_record: {{ toJson $drops }}}}
{{- end }}
{{- if $statements }}
transform: {error_mode: ignore, log_statements: {{ toJson $statements }}}
{{- end }}
{{- end -}}

{{- /*
The resource attributes of what is shipped, by OpenTelemetry's semantic conventions; an app's own, received by OTLP,
stay.
Takes: the entry's config
Prints: the attributes, as YAML
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.resourceAttributes" -}}
{{- $attributes := dict
      "k8s.pod.name" "${env:K8S_POD_NAME}" "k8s.pod.uid" "${env:K8S_POD_UID}" "k8s.namespace.name" "${env:K8S_NAMESPACE_NAME}"
      "k8s.node.name" "${env:K8S_NODE_NAME}" "k8s.container.name" "${env:K8S_CONTAINER_NAME}" "service.name" "${env:SERVICE_NAME}" -}}
{{- range $name, $value := .resource -}}{{- $_ := set $attributes $name (include "outrigger-0.2.0.patterns.logshippers.collectorText" (toString $value)) -}}{{- end -}}
{{- toYaml $attributes -}}
{{- end -}}

{{- /*
The OpenTelemetry Collector, and its configuration.
Takes: call; container
Sets: the container, and the contribution
Reports: what the collector lacks, or has that means nothing
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.collector" -}}
{{- $call := .call -}}
{{- $container := .container -}}
{{- $config := $call.config -}}
{{- $ports := include "outrigger-0.2.0.patterns.logshippers.collectorPorts" $call | fromYaml -}}
{{- $made := dict "environment" list "volumes" list "mounts" list "problems" list -}}
{{- $exporters := dict -}}
{{- $targets := $config.to | default dict -}}
{{- range $name, $settings := omit $targets "stdout" -}}
  {{- $exporter := include "outrigger-0.2.0.patterns.logshippers.exporter" (dict "call" $call "target" $name "settings" $settings "made" $made) -}}
  {{- $_ := set $exporters (include "outrigger-0.2.0.patterns.logshippers.exporterName" $name) ($exporter | fromYaml) -}}
{{- end -}}
{{- if hasKey $targets "stdout" -}}
  {{- $_ := set $made "problems" (append $made.problems "to.stdout stands alone; for a copy on the sidecar's output use to.debug, or a second logshipper with to.stdout") -}}
{{- end -}}
{{- $collector := include "outrigger-0.2.0.patterns.logshippers.collectorConfig" (dict "call" $call "exporters" $exporters "ports" $ports) | fromYaml -}}
{{- with $config.extraConfig -}}{{- $collector = mustMergeOverwrite $collector . -}}{{- end -}}
{{- range list "receivers" "exporters" "service" -}}
  {{- if empty (get $collector .) -}}
    {{- $_ := set $made "problems" (append $made.problems (printf "extraConfig.%s takes away what no collector can be without; leave it out, or name in it what is to go" .)) -}}
  {{- end -}}
{{- end -}}
{{- range $call.contribution.volumes -}}
  {{- $queues := include "outrigger-0.2.0.patterns.logshippers.collectorQueues" (dict "call" $call "collector" $collector) | fromJsonArray -}}
  {{- $_ := set .emptyDir "sizeLimit" (include "outrigger-0.2.0.patterns.logshippers.stateLimit" $queues) -}}
{{- end -}}
{{- $_ := set $container "env" (concat $container.env
      (include "outrigger-0.2.0.patterns.logshippers.collectorLosses" (dict "config" $config "collector" $collector) | fromYamlArray)
      (include "outrigger-0.2.0.patterns.logshippers.collectorQuiet" (dict "call" $call "collector" $collector) | fromYamlArray)) -}}
{{- $file := include "outrigger-0.2.0.patterns.logshippers.agentFile" $call.name -}}
{{- $_ := set $call.contribution "texts" (dict $file (toYaml $collector)) -}}
{{- $_ := set $call.contribution "problems" (concat $call.contribution.problems $made.problems) -}}
{{- $_ := set $call.contribution "volumes" (concat $call.contribution.volumes $made.volumes) -}}
{{- include "outrigger-0.2.0.kit.findMetrics" (dict "call" $call "metrics" ($config.metrics | default dict) "port" $ports.metrics) -}}
{{- $image := $config.image | default $call.values.images.collector -}}
{{- $_ := set $container "image" $image -}}
{{- $_ := set $container "args" (concat (include "outrigger-0.2.0.patterns.logshippers.collectorCommand" (dict "call" $call "image" $image) | fromJsonArray)
      (list (printf "--config=/outrigger/%s" $file) "--feature-gates=stanza.synchronousLogEmitter")) -}}
{{- $_ := set $container "volumeMounts" (concat $container.volumeMounts $made.mounts) -}}
{{- $environment := dict "call" $call "ports" $ports "exporters" (keys $exporters) -}}
{{- $_ := set $container "env" (concat $container.env $made.environment (include "outrigger-0.2.0.patterns.logshippers.collectorEnvironment" $environment | fromYamlArray)) -}}
{{- $_ := set $container "startupProbe" (dict
      "exec" (dict "command" (list "/outrigger-tools/busybox" "sh" "/outrigger/supervise.sh" "--await-start"))
      "timeoutSeconds" 30 "periodSeconds" 1 "failureThreshold" 4) -}}
{{- if $config.liveness -}}
  {{- $_ := set $container "livenessProbe" (dict
        "exec" (dict "command" (list "/outrigger-tools/busybox" "wget" "-Y" "off" "-q" "-T" "2" "-O" "/dev/null" (printf "http://127.0.0.1:%d/" (int $ports.health))))
        "timeoutSeconds" 3 "periodSeconds" 20 "failureThreshold" 3) -}}
{{- end -}}
{{- $listens := list -}}
{{- range $name, $port := $ports -}}
  {{- $listen := dict "containerPort" $port -}}
  {{- if eq $name "metrics" -}}{{- $_ := set $listen "name" (printf "metrics-%d" (int $port)) -}}{{- end -}}
  {{- $listens = append $listens $listen -}}
{{- end -}}
{{- $_ := set $container "ports" $listens -}}
{{- end -}}

{{- /*
The command of the collector in its image: the entry's, or where upstream's images have it, by the name of the
distribution.
Takes: call; image
Prints: the command, as JSON
Reports: an image that is none of upstream's
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.collectorCommand" -}}
{{- $call := .call -}}
{{- $name := regexReplaceAll "[:@].*$" (last (splitList "/" (.image | default ""))) "" -}}
{{- $distribution := regexReplaceAll "^(opentelemetry-collector|otelcol)" $name "" -}}
{{- if $call.config.command -}}
  {{- toJson $call.config.command -}}
{{- else if and (ne $distribution $name) (has $distribution (list "" "-contrib" "-ebpf-profiler" "-k8s" "-otlp")) -}}
  {{- list (printf "/otelcol%s" $distribution) | toJson -}}
{{- else -}}
  {{- if .image -}}{{- /* that there is none is told of each container */ -}}
    {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $call
          "message" (printf "image %q is none of upstream's by its name, so the collector's program in it is not known; set command to it, as in [/otelcol-k8s]" .image)) -}}
  {{- end -}}
  {{- list | toJson -}}
{{- end -}}
{{- end -}}

{{- /*
The ports that a collector listens on, by use.
Takes: the Call
Prints: the ports, as YAML
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.collectorPorts" -}}
{{- $own := include "outrigger-0.2.0.patterns.logshippers.collectorNumber" . | int -}}
health: {{ add 13133 $own }}
metrics: {{ dig "metrics" "port" (add 8888 $own) .config }}
{{- with dig "receive" "otlp" false .config }}
{{- $ports := kindIs "map" . | ternary . dict }}
grpc: {{ $ports.grpcPort | default 4317 }}
http: {{ $ports.httpPort | default 4318 }}
{{- end }}
{{- end -}}

{{- /*
The number of a collector among those that may share a pod with it: the first that none of them has whose name comes
before its own. What is off, or no collector, has none. An entry has one number in all of its pods, as it has one
configuration.
Takes: the Call
Prints: the number, from 0
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.collectorNumber" -}}
{{- $before := list -}}
{{- range $name, $config := .values.logshippers -}}
  {{- if and (kindIs "map" $config) (le $name $.name) (ne (toString $config.enabled) "false") -}}
    {{- if eq (include "outrigger-0.2.0.patterns.logshippers.program" $config) "collector" -}}
      {{- $workloads := list -}}
      {{- range $config.workloads -}}
        {{- $workloads = append $workloads (include "outrigger-0.2.0.kit.workload" (dict "context" $.context "name" .)) -}}
      {{- end -}}
      {{- $taken := list -}}
      {{- range $other := $before -}}
        {{- $meet := or (empty $workloads) (empty $other.workloads) -}}
        {{- range $workloads -}}{{- if has . $other.workloads -}}{{- $meet = true -}}{{- end -}}{{- end -}}
        {{- if $meet -}}{{- $taken = append $taken $other.number -}}{{- end -}}
      {{- end -}}
      {{- $number := 0 -}}
      {{- range len $taken | add1 | int | until | reverse -}}{{- if not (has . $taken) -}}{{- $number = . -}}{{- end -}}{{- end -}}
      {{- $before = append $before (dict "workloads" $workloads "number" $number) -}}
      {{- if eq $name $.name -}}{{- $number -}}{{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The environment of a collector's container: who the pod is, in the names that the configuration refers to, and what
the supervisor reads.
Takes: call; ports; exporters, their names
Prints: the variables, as a YAML list
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.collectorEnvironment" -}}
{{- $call := .call -}}
{{- $ports := .ports -}}
{{- $exporters := .exporters -}}
{{- $pod := $call.podTemplate | default dict -}}
{{- $containers := dig "spec" "containers" list $pod -}}
{{- $labels := ($pod.metadata | default dict).labels | default dict -}}
{{- range $name, $path := dict "K8S_POD_NAME" "metadata.name" "K8S_POD_UID" "metadata.uid" "K8S_NAMESPACE_NAME" "metadata.namespace" "K8S_NODE_NAME" "spec.nodeName" }}
- name: {{ $name }}
  valueFrom: {fieldRef: {fieldPath: {{ $path }}}}
{{- end }}
- name: K8S_CONTAINER_NAME
  value: {{ (first ($containers | default (list dict))).name | default $call.context.Chart.Name | quote }}
- name: SERVICE_NAME
  value: {{ get $labels "app.kubernetes.io/name" | default $call.context.Chart.Name | quote }}
- name: READY_URL
  value: http://127.0.0.1:{{ $ports.health }}/
- name: METRICS_URL
  value: http://127.0.0.1:{{ $ports.metrics }}/metrics
- name: LEAVES_OUT
  value: "yes"
- name: LEFT_METRICS
  value: otelcol_exporter_queue_size
- name: IN_METRICS
  {{- /* What leaves the last processor goes to every exporter. */}}
  value: {{ repeat (len $exporters) "otelcol_processor_outgoing_items{otel_signal=\"logs\",processor=\"resource\"\n" | trim | quote }}
- name: OUT_METRICS
  value: {{ list "otelcol_exporter_sent_log_records" "otelcol_exporter_send_failed_log_records" "otelcol_exporter_enqueue_failed_log_records" | join "\n" | quote }}
{{- end -}}

{{- /*
The bytes of each queue that a collector has on disk: each exporter has one for each kind of signal.
Takes: call; collector, its configuration
Prints: the bytes, as a JSON list
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.collectorQueues" -}}
{{- $call := .call -}}
{{- $collector := .collector -}}
{{- $queues := dict -}}
{{- range $name, $pipeline := ($collector.service | default dict).pipelines -}}
  {{- range ($pipeline | default dict).exporters -}}
    {{- $queue := (get ($collector.exporters | default dict) . | default dict).sending_queue | default dict -}}
    {{- if $queue.storage -}}
      {{- /* Of one that is measured in requests or records nobody knows how large it is. */ -}}
      {{- $bytes := eq ($queue.sizer | default "") "bytes" | ternary $queue.queue_size (include "outrigger-0.2.0.patterns.logshippers.queueBytes" $call) -}}
      {{- $_ := set $queues (printf "%s %s" (splitList "/" $name | first) .) ($bytes | int64) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- values $queues | toJson -}}
{{- end -}}

{{- /*
The environment by which the supervisor knows what nobody will send again. What a full queue refuses is lost only
where nobody waits for it.
Takes: config, the entry's; collector, its configuration
Prints: the variables, as a YAML list
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.collectorLosses" -}}
{{- $config := .config -}}
{{- $kinds := dict "logs" "log_records" "metrics" "metric_points" "traces" "spans" -}}
{{- $lines := list -}}
{{- range $signal := keys ((.collector.service | default dict).pipelines | default dict) | sortAlpha -}}
  {{- $kind := get $kinds (splitList "/" $signal | first) -}}
  {{- if $kind -}}
    {{- $words := replace "_" " " $kind -}}
    {{- $lines = append $lines (printf "otelcol_exporter_send_failed_%s %s that the backend refused" $kind $words) -}}
    {{- if eq (dig "queue" "whenFull" "block" $config) "drop" -}}
      {{- $lines = append $lines (printf "otelcol_exporter_enqueue_failed_%s %s that the full queue dropped" $kind $words) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
- name: LOST_METRICS
  value: {{ $lines | uniq | join "\n" | quote }}
{{- end -}}

{{- /*
The environment by which the supervisor knows for how long the collector holds back a last line.
Takes: call; collector, its configuration
Prints: the variables, as a YAML list, or nothing
Sets: the conditions of `grace` of the contribution
Reports: that it is for longer than the end may take
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.collectorQuiet" -}}
{{- $call := .call -}}
{{- $period := (.collector.receivers | default dict).file_log | default dict -}}
{{- $period = hasKey $period "force_flush_period" | ternary (toString $period.force_flush_period) "500ms" -}}
{{- $units := dict "ns" 0.000001 "us" 0.001 "µs" 0.001 "ms" 1.0 "s" 1000.0 "m" 60000.0 "h" 3600000.0 -}}
{{- $milliseconds := 0.0 -}}
{{- range regexFindAll "[0-9.]+[a-zµ]+" $period -1 -}}
  {{- $milliseconds = addf $milliseconds (mulf (regexFind "^[0-9.]+" . | float64) (get $units (regexFind "[a-zµ]+$" .) | default 0.0)) -}}
{{- end -}}
{{- $quiet := eq $call.form "classic" | ternary 2 1 -}}
{{- if gt $milliseconds 500.0 -}}
  {{- $quiet = divf $milliseconds 1000.0 | ceil | int | add 1 | max $quiet -}}
{{- end -}}
{{- if eq $milliseconds 0.0 -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $call
        "message" (printf "extraConfig.receivers.file_log.force_flush_period: %s holds back a last line without its newline for ever; set it to a time such as 500ms" $period)) -}}
{{- else if gt $milliseconds 500.0 -}}
  {{- $problem := printf "extraConfig.receivers.file_log.force_flush_period: %s holds back a last line for longer than the end may take; set shutdownSeconds to %d" $period (add $quiet 4) -}}
  {{- if eq $call.form "classic" -}}
    {{- range $call.contribution.grace -}}{{- include "outrigger-0.2.0.kit.overlay" (dict "into" . "from" (dict "moreThan" $quiet "problem" $problem)) -}}{{- end -}}
  {{- else if ge (int $quiet) (include "outrigger-0.2.0.patterns.logshippers.drainSeconds" $call | int) -}}
    {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $call "message" $problem) -}}
  {{- end -}}
{{- end -}}
{{- if ne (int $quiet) 1 }}
- name: QUIET_SECONDS
  value: {{ $quiet | quote }}
{{- end -}}
{{- end -}}

{{- /*
One exporter: the entry's settings, which pass through, with a queue on disk and retries without end where the
exporter has them and the settings do not say otherwise.
Takes: call; target, its name; settings, of the target; made, a dict of lists: environment, volumes, mounts and
  problems
Prints: its configuration, as YAML
Sets: environment, volumes and mounts of made
Reports: what the settings lack, in problems of made
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.exporter" -}}
{{- $call := .call -}}
{{- $name := .target -}}
{{- $settings := .settings -}}
{{- $made := .made -}}
{{- $type := include "outrigger-0.2.0.patterns.logshippers.exporterName" $name | splitList "/" | first -}}
{{- $shutdown := include "outrigger-0.2.0.kit.shutdownSeconds" (dict "values" $call.values "pattern" "logshippers" "config" $call.config) | int -}}
{{- if and (has $type (list "otlp_grpc" "otlp_http")) (not (or $settings.endpoint $settings.logs_endpoint)) -}}
  {{- $_ := set $made "problems" (append $made.problems (printf "to.%s.endpoint is missing; set it to the backend's address, such as http://loki:3100/otlp" $name)) -}}
{{- end -}}
{{- $exporter := omit $settings "headers" "tls" -}}
{{- if and (eq $type "otlp_http") (not (hasKey $exporter "compression")) -}}
  {{- /* Every backend takes gzip; its usual level costs more processor time than all the rest of the shipping. */ -}}
  {{- $_ := set $exporter "compression" "gzip" -}}
  {{- $_ := set $exporter "compression_params" (dict "level" 1) -}}
{{- end -}}
{{- if and (eq $type "otlp_grpc") (hasPrefix "http://" (toString $settings.endpoint)) (not $settings.tls) -}}
  {{- /* The exporter takes http:// and speaks TLS all the same. */ -}}
  {{- $_ := set $exporter "tls" (dict "insecure" true) -}}
{{- end -}}
{{- if not (has $type (list "debug" "file" "nop")) -}}
  {{- if not (hasKey $exporter "retry_on_failure") -}}
    {{- /* The longest wait is short enough for one more attempt while the pod ends. */ -}}
    {{- $_ := set $exporter "retry_on_failure" (dict "enabled" true "initial_interval" "1s" "max_interval" (printf "%ds" (min 5 (div $shutdown 2 | max 1))) "max_elapsed_time" 0) -}}
  {{- end -}}
  {{- if not (hasKey $exporter "sending_queue") -}}
    {{- $_ := set $exporter "sending_queue" (include "outrigger-0.2.0.patterns.logshippers.exporterQueue" $call | fromYaml) -}}
  {{- end -}}
{{- end -}}
{{- with $settings.headers -}}
  {{- $_ := set $exporter "headers" (include "outrigger-0.2.0.patterns.logshippers.exporterHeaders" (dict "target" $name "headers" . "made" $made) | fromYaml) -}}
{{- end -}}
{{- with $settings.tls -}}
  {{- $_ := set $exporter "tls" (include "outrigger-0.2.0.patterns.logshippers.exporterTLS" (dict "call" $call "target" $name "settings" . "made" $made) | fromYaml) -}}
{{- end -}}
{{- toYaml $exporter -}}
{{- end -}}

{{- /*
An exporter's queue: bytes on disk, in batches that backends take (OTLP servers take 4 MiB).
Takes: the Call
Prints: its configuration, as YAML
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.exporterQueue" -}}
{{- $bytes := include "outrigger-0.2.0.patterns.logshippers.queueBytes" . | int64 -}}
storage: file_storage
sizer: bytes
queue_size: {{ $bytes }}
block_on_overflow: {{ ne (dig "queue" "whenFull" "block" .config) "drop" }}
num_consumers: 4
batch: {flush_timeout: 200ms, sizer: bytes, min_size: {{ min 1048576 (div $bytes 4) }}, max_size: {{ min 3145728 (div $bytes 2) }}}
{{- end -}}

{{- /*
An exporter's headers. A value is plain text, with ${env:NAME} for a variable of the entry's env, or {valueFrom: …} as
in a container's env. What looks like a credential must not be plain: it would stand in the ConfigMap.
Takes: target, its name; headers; made, as patterns.logshippers.exporter takes it
Prints: the headers, as YAML
Sets: environment of made
Reports: a credential, in problems of made
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.exporterHeaders" -}}
{{- $target := .target -}}
{{- $made := .made -}}
{{- $headers := dict -}}
{{- range $name, $value := .headers -}}
  {{- if kindIs "map" $value -}}
    {{- $variable := regexReplaceAll "[^A-Z0-9]" (printf "HEADER_%s_%s" $target $name | upper) "_" -}}
    {{- $_ := set $made "environment" (append $made.environment (dict "name" $variable "valueFrom" $value.valueFrom)) -}}
    {{- $_ := set $headers $name (printf "${env:%s}" $variable) -}}
  {{- else -}}
    {{- if and (regexMatch "(?i)auth|token|secret|password|cookie|key$" $name) (not (contains "${env:" (toString $value))) -}}
      {{- $_ := set $made "problems" (append $made.problems (printf "to.%s.headers.%s would stand in a ConfigMap in plain text; use {valueFrom: {secretKeyRef: {name: …, key: …}}}" $target $name)) -}}
    {{- end -}}
    {{- $_ := set $headers $name (toString $value) -}}
  {{- end -}}
{{- end -}}
{{- toYaml $headers -}}
{{- end -}}

{{- /*
An exporter's TLS settings: the collector's own pass through; `ca` is {configMapKeyRef: …} or {secretKeyRef: …}, and
`secretName` names a Secret of type kubernetes.io/tls with the client's certificate.
Takes: call; target, its name; settings, of its TLS; made, as patterns.logshippers.exporter takes it
Prints: the settings, as YAML
Sets: volumes and mounts of made
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.exporterTLS" -}}
{{- $call := .call -}}
{{- $target := .target | replace "/" "-" | replace "_" "-" | lower -}}
{{- $settings := .settings -}}
{{- $made := .made -}}
{{- $tls := omit $settings "ca" "secretName" -}}
{{- $sources := list -}}
{{- with $settings.ca -}}
  {{- $reference := .configMapKeyRef | default .secretKeyRef | default dict -}}
  {{- $source := dict "name" $reference.name "items" (list (dict "key" ($reference.key | default "ca.crt") "path" "ca.crt")) -}}
  {{- $sources = append $sources (hasKey . "configMapKeyRef" | ternary (dict "configMap" $source) (dict "secret" $source)) -}}
  {{- $_ := set $tls "ca_file" (printf "/run/outrigger-tls/%s/ca.crt" $target) -}}
{{- end -}}
{{- with $settings.secretName -}}
  {{- $sources = append $sources (dict "secret" (dict "name" . "items" (list (dict "key" "tls.crt" "path" "tls.crt") (dict "key" "tls.key" "path" "tls.key")))) -}}
  {{- $_ := set $tls "cert_file" (printf "/run/outrigger-tls/%s/tls.crt" $target) -}}
  {{- $_ := set $tls "key_file" (printf "/run/outrigger-tls/%s/tls.key" $target) -}}
{{- end -}}
{{- if $sources -}}
  {{- $volume := include "outrigger-0.2.0.kit.shorten" (printf "outrigger-%s-tls-%s" $call.name $target) -}}
  {{- $_ := set $made "volumes" (append $made.volumes (dict "name" $volume "projected" (dict "sources" $sources))) -}}
  {{- $_ := set $made "mounts" (append $made.mounts (dict "name" $volume "mountPath" (printf "/run/outrigger-tls/%s" $target) "readOnly" true)) -}}
{{- end -}}
{{- toYaml $tls -}}
{{- end -}}

{{- /*
Completes the container of the OpenTelemetry Collector and adds its configuration. Takes a list: what a pattern takes, the
container.
*/ -}}
{{- define "outrigger-0.1.0.collector" -}}
{{- $call := index . 0 -}}
{{- $container := index . 1 -}}
{{- $config := $call.config -}}
{{- $ports := include "outrigger-0.1.0.collectorPorts" $call | fromYaml -}}
{{- $made := dict "environment" list "volumes" list "mounts" list "problems" list -}}
{{- $exporters := dict -}}
{{- $targets := include "outrigger-0.1.0.targets" $config | fromJson -}}
{{- range $name, $settings := omit $targets "stdout" -}}
  {{- $_ := set $exporters (include "outrigger-0.1.0.exporterName" $name) (include "outrigger-0.1.0.exporter" (list $call $name $settings $made) | fromYaml) -}}
{{- end -}}
{{- if hasKey $targets "stdout" -}}
  {{- $_ := set $made "problems" (append $made.problems "to.stdout stands alone; for a copy on the sidecar's output use to.debug, or a second logshipper with to.stdout") -}}
{{- end -}}
{{- $collector := include "outrigger-0.1.0.collectorConfig" (list $call $exporters $ports) | fromYaml -}}
{{- with $config.extraConfig -}}{{- $collector = mustMergeOverwrite $collector . -}}{{- end -}}
{{- $file := include "outrigger-0.1.0.agentFile" $call.name -}}
{{- $_ := set $call.contribution "texts" (dict $file (toYaml $collector)) -}}
{{- $_ := set $call.contribution "problems" (concat $call.contribution.problems $made.problems) -}}
{{- $_ := set $call.contribution "volumes" (concat $call.contribution.volumes $made.volumes) -}}
{{- if dig "metrics" "annotations" false $config -}}
  {{- $_ := set $call.contribution "podAnnotations" (dict "prometheus.io/scrape" "true" "prometheus.io/port" (toString $ports.metrics)) -}}
{{- end -}}
{{- if dig "metrics" "podMonitor" false $config -}}
  {{- $label := include "outrigger-0.1.0.shorten" (printf "%s-%s" (include "outrigger-0.1.0.owner" $call) $call.name) -}}
  {{- $_ := set $call.contribution "podLabels" (dict (printf "outrigger/%s" $call.name) $label) -}}
  {{- $_ := set $call.contribution "objects" (list (dict
        "apiVersion" "monitoring.coreos.com/v1" "kind" "PodMonitor" "metadata" (dict "name" $call.name)
        "spec" (dict
          "selector" (dict "matchLabels" (dict (printf "outrigger/%s" $call.name) $label))
          "podMetricsEndpoints" (list (dict "port" (printf "metrics-%d" (int $ports.metrics))))))) -}}
{{- end -}}
{{- $image := $config.image | default $call.values.images.collector -}}
{{- $_ := set $container "image" $image -}}
{{- $_ := set $container "args" (list (include "outrigger-0.1.0.collectorProgram" $image) (printf "--config=/outrigger/%s" $file)
      (printf "--feature-gates=%s" "stanza.synchronousLogEmitter")) -}}
{{- $_ := set $container "volumeMounts" (concat $container.volumeMounts $made.mounts) -}}
{{- $_ := set $container "env" (concat $container.env $made.environment (include "outrigger-0.1.0.collectorEnvironment" (list $call $ports (keys $exporters)) | fromYamlArray)) -}}
{{- $_ := set $container "startupProbe" (dict
      "exec" (dict "command" (list "/outrigger-tools/busybox" "sh" "/outrigger/supervise.sh" "--await-start"))
      "timeoutSeconds" 30 "periodSeconds" 1 "failureThreshold" 4) -}}
{{- if $config.liveness -}}
  {{- $_ := set $container "livenessProbe" (dict
        "exec" (dict "command" (list "/outrigger-tools/busybox" "wget" "-q" "-T" "2" "-O" "/dev/null" (printf "http://127.0.0.1:%d/" (int $ports.health))))
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
Prints the collector's program in an image: upstream's images have it at the root, by the name of the distribution.
*/ -}}
{{- define "outrigger-0.1.0.collectorProgram" -}}
{{- $distribution := regexFind "opentelemetry-collector-[a-z0-9]+" (. | default "") | trimPrefix "opentelemetry-collector-" | default "k8s" -}}
{{- printf "/otelcol-%s" $distribution -}}
{{- end -}}

{{- /*
Prints, as YAML, the ports that a collector listens on, by use. Those of its own health and metrics are the first free
ones for each entry, so that several collectors share a pod. Takes what a pattern takes.
*/ -}}
{{- define "outrigger-0.1.0.collectorPorts" -}}
{{- $index := 0 -}}
{{- $own := 0 -}}
{{- range keys .values.logshippers | sortAlpha -}}
  {{- if eq . $.name -}}{{- $own = $index -}}{{- end -}}
  {{- $index = add $index 1 -}}
{{- end -}}
health: {{ add 13133 $own }}
metrics: {{ dig "metrics" "port" (add 8888 $own) .config }}
{{- with dig "receive" "otlp" false .config }}
{{- $ports := kindIs "map" . | ternary . dict }}
grpc: {{ $ports.grpcPort | default 4317 }}
http: {{ $ports.httpPort | default 4318 }}
{{- end }}
{{- end -}}

{{- /*
Prints, as a YAML list, the environment of a collector's container: who the pod is, in the names that the configuration
refers to, and what the supervisor reads. Takes a list: what a pattern takes, the ports, the exporters' names.
*/ -}}
{{- define "outrigger-0.1.0.collectorEnvironment" -}}
{{- $call := index . 0 -}}
{{- $ports := index . 1 -}}
{{- $exporters := index . 2 -}}
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
- name: LEFT_METRICS
  value: otelcol_exporter_queue_size
- name: IN_METRICS
  {{- /* What leaves the last processor goes to every exporter. */}}
  value: {{ repeat (len $exporters) "otelcol_processor_outgoing_items{otel_signal=\"logs\",processor=\"resource\"\n" | trim | quote }}
- name: OUT_METRICS
  value: {{ list "otelcol_exporter_sent_log_records" "otelcol_exporter_send_failed_log_records" "otelcol_exporter_enqueue_failed_log_records" | join "\n" | quote }}
{{- end -}}

{{- /*
Prints the collector's name of an exporter: `otlp` and `otlphttp` are old names of two, which it still knows.
*/ -}}
{{- define "outrigger-0.1.0.exporterName" -}}
{{- $type := splitList "/" . | first -}}
{{- $new := dict "otlp" "otlp_grpc" "otlphttp" "otlp_http" -}}
{{- printf "%s%s" (get $new $type | default $type) (trimPrefix $type .) -}}
{{- end -}}

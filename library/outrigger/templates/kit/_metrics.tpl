{{- /*
Lets Prometheus find an entry's metrics: by the pod's annotations, or by a PodMonitor of the Prometheus operator's, whose
port is the container's that is named metrics-PORT.
Takes: call; metrics, of the entry: annotations, podMonitor; port, a number
Sets: podAnnotations, podLabels and objects of the contribution
*/ -}}
{{- define "outrigger-0.2.0.kit.findMetrics" -}}
{{- $call := .call -}}
{{- $contribution := $call.contribution -}}
{{- if .metrics.annotations -}}
  {{- $_ := set $contribution "podAnnotations" (dict "prometheus.io/scrape" "true" "prometheus.io/port" (toString .port)) -}}
{{- end -}}
{{- if .metrics.podMonitor -}}
  {{- $label := include "outrigger-0.2.0.kit.shorten" (printf "%s-%s" (include "outrigger-0.2.0.kit.owner" $call) $call.name) -}}
  {{- $_ := set $contribution "podLabels" (dict (printf "outrigger/%s" $call.name) $label) -}}
  {{- $_ := set $contribution "objects" (append ($contribution.objects | default list) (dict
        "apiVersion" "monitoring.coreos.com/v1" "kind" "PodMonitor" "metadata" (dict "name" $call.name)
        "spec" (dict
          "selector" (dict "matchLabels" (dict (printf "outrigger/%s" $call.name) $label))
          "podMetricsEndpoints" (list (dict "port" (printf "metrics-%d" (int .port))))))) -}}
{{- end -}}
{{- end -}}

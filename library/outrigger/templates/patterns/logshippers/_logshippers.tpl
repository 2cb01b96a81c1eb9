{{- /*
logshippers.<name>: ships an app's log files. With `to.stdout` they are streamed to the sidecar's own output, by a
script on busybox; with any other target, or `agent: custom`, an agent ships them under a supervisor that lets it end
only when everything is delivered.
Takes: the Call
Sets: its contribution
Reports: what the entry lacks, or has that means nothing
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.contribution" -}}
{{- $problems := list -}}
{{- if and (not .config.files) (not .config.receive) (not .config.scrape) -}}
  {{- $problems = append $problems "files is missing; set it to a list of absolute paths, with * and ? as in a shell" -}}
{{- end -}}
{{- if and (not .config.to) (ne (.config.agent | default "") "custom") -}}
  {{- $problems = append $problems "to is missing; set it to {stdout: {}}, or to {otlphttp: {endpoint: \"http://…\"}}" -}}
{{- end -}}
{{- range $name, $_ := .config.to -}}
  {{- if not (regexMatch "^[a-z0-9_]+(/[A-Za-z0-9_.-]+)?$" $name) -}}
    {{- $problems = append $problems (printf "to.%s is no exporter's name; write it as the collector does, such as otlphttp, or otlphttp/second beside another one" $name) -}}
  {{- end -}}
{{- end -}}
{{- range $index, $rule := .config.redact -}}
  {{- if and $rule.field $.config.files (not (dig "parse" "message" "" $.config)) -}}
    {{- $problems = append $problems (printf "redact[%d].field leaves the field in the record's body, which is the whole line; set parse.message to the field that is to be the body, or redact by pattern" $index) -}}
  {{- end -}}
{{- end -}}
{{- $parse := .config.parse | default dict -}}
{{- if and $parse.regex $parse.message (not (contains (printf "<%s>" $parse.message) $parse.regex)) -}}
  {{- $problems = append $problems (printf "parse.message: parse.regex has no group %s; name it so, as in (?P<%s>.*)" $parse.message $parse.message) -}}
{{- end -}}
{{- $reads := list -}}
{{- range $index, $path := .config.files -}}
  {{- $reads = append $reads (dict "path" $path "key" (printf "files[%d]" $index) "writes" (not (empty $.config.rotate)) "changedBy" (empty $.config.rotate | ternary "" "rotate")) -}}
{{- end -}}
{{- $_ := set .contribution "order" 100 -}}
{{- $_ := set .contribution "reads" $reads -}}
{{- $_ := set .contribution "problems" $problems -}}
{{- if eq (include "outrigger-0.2.0.patterns.logshippers.program" .config) "script" -}}
  {{- include "outrigger-0.2.0.patterns.logshippers.logsToOutput" . -}}
{{- else -}}
  {{- include "outrigger-0.2.0.patterns.logshippers.supervisedAgent" . -}}
{{- end -}}
{{- end -}}

{{- /*
A logshipper to the sidecar's own output.
Takes: the Call
Sets: the contribution
Reports: what means nothing there
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.logsToOutput" -}}
{{- $state := include "outrigger-0.2.0.kit.shorten" (printf "outrigger-%s-state" .name) -}}
{{- $problems := .contribution.problems -}}
{{- range $key := list "exclude" "multiline" "parse" "attributes" "resource" "redact" "filter" "queue" "metrics" "liveness" "rotate" "extraConfig" "command" "custom" -}}
  {{- if hasKey $.config $key -}}
    {{- $problems = append $problems (printf "%s means nothing beside to.stdout, which ships lines as they are; leave it out, or add a target such as otlphttp" $key) -}}
  {{- end -}}
{{- end -}}
{{- $env := list (dict "name" "STATE_DIR" "value" "/run/outrigger") -}}
{{- if eq .form "classic" -}}
  {{- /* A classic sidecar hears SIGTERM when the app does: it ships on, but ends before the kubelet kills it. */ -}}
  {{- $env = append $env (dict "name" "LINGER_SECONDS" "value" "") -}}
  {{- $_ := set .contribution "grace" (list (dict "name" "LINGER_SECONDS" "less" 2)) -}}
{{- end -}}
{{- $_ := set .contribution "problems" $problems -}}
{{- $_ := set .contribution "files" (list "logshipper.sh") -}}
{{- $_ := set .contribution "volumes" (list (dict "name" $state "emptyDir" (dict "sizeLimit" "16Mi"))) -}}
{{- $_ := set .contribution "sidecars" (list (dict
      "name" .name "image" .values.images.busybox "command" (list "/bin/sh" "/outrigger/logshipper.sh") "args" (include "outrigger-0.2.0.kit.allAsWritten" .config.files | fromJsonArray) "env" $env
      "volumeMounts" (list (dict "name" $state "mountPath" "/run/outrigger")))) -}}
{{- end -}}

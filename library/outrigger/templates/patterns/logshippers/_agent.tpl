{{- /*
A logshipper that is an agent under the supervisor (files/supervise.sh): the OpenTelemetry Collector, or the user's
own.
Takes: the Call
Sets: the contribution
Reports: what the agent lacks, or has that means nothing
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.supervisedAgent" -}}
{{- $custom := eq (.config.agent | default "") "custom" -}}
{{- $drain := include "outrigger-0.2.0.patterns.logshippers.drainSeconds" . | int -}}
{{- $queue := .config.queue | default dict -}}
{{- $state := include "outrigger-0.2.0.kit.shorten" (printf "outrigger-%s-state" .name) -}}
{{- $stateMount := dict "name" $state "mountPath" "/run/outrigger" -}}
{{- $volumes := list -}}
{{- if $queue.volume -}}
  {{- $stateMount = dict "name" $queue.volume "mountPath" "/run/outrigger" "subPath" (printf "outrigger-%s" .name) -}}
{{- else -}}
  {{- $volumes = append $volumes (dict "name" $state "emptyDir" (dict "sizeLimit" (include "outrigger-0.2.0.patterns.logshippers.stateLimit" (list (include "outrigger-0.2.0.patterns.logshippers.queueBytes" .))))) -}}
{{- end -}}
{{- $env := list
      (dict "name" "FILES" "value" (include "outrigger-0.2.0.patterns.logshippers.shippedGlobs" .config | fromYamlArray | join "\n" | include "outrigger-0.2.0.kit.asWritten"))
      (dict "name" "EXCLUDE" "value" (include "outrigger-0.2.0.patterns.logshippers.excludedGlobs" .config | fromYamlArray | join "\n" | include "outrigger-0.2.0.kit.asWritten"))
      (dict "name" "DRAIN_SECONDS" "value" (toString $drain))
      (dict "name" "MEMORY_BYTES" "valueFrom" (dict "resourceFieldRef" (dict "resource" "limits.memory"))) -}}
{{- if eq .form "classic" -}}
  {{- /* It hears SIGTERM when the app does, and has to see by the files that it has ended. */ -}}
  {{- $_ := set .contribution "grace" (list (dict "name" "DRAIN_SECONDS" "less" 4 "atLeast" 1)) -}}
  {{- if $custom -}}{{- $env = append $env (dict "name" "QUIET_SECONDS" "value" "2") -}}{{- end -}}
{{- end -}}
{{- with $queue.volume -}}{{- $env = append $env (dict "name" "KEPT" "value" (printf "kept on the volume %s, and sent by the next pod that has it" . | include "outrigger-0.2.0.kit.asWritten")) -}}{{- end -}}
{{- with include "outrigger-0.2.0.patterns.logshippers.watchedVolumes" . -}}{{- $env = append $env (dict "name" "VOLUMES" "value" (include "outrigger-0.2.0.kit.asWritten" .)) -}}{{- end -}}
{{- $container := dict "name" .name "command" (list "/outrigger-tools/busybox" "sh" "/outrigger/supervise.sh") "volumeMounts" (list $stateMount) -}}
{{- $_ := set .contribution "files" (list "supervise.sh") -}}
{{- if .config.rotate -}}
  {{- $_ := set .contribution "files" (list "supervise.sh" "rotate.sh") -}}
  {{- $env = concat $env (include "outrigger-0.2.0.patterns.logshippers.rotation" . | fromYamlArray) -}}
{{- end -}}
{{- $_ := set .contribution "tools" true -}}
{{- $_ := set .contribution "volumes" $volumes -}}
{{- $_ := set .contribution "sidecars" (list $container) -}}
{{- $_ := set $container "env" $env -}}
{{- $_ := set $container "resources" (dict "requests" dict "limits" dict) -}}
{{- range $kind := list "requests" "limits" -}}
  {{- include "outrigger-0.2.0.kit.overlay" (dict "into" (get $container.resources $kind) "from" (get ($.values.defaults.agentResources | default dict) $kind | default dict)) -}}
{{- end -}}
{{- if $custom -}}
  {{- include "outrigger-0.2.0.patterns.logshippers.customAgent" (dict "call" . "container" $container) -}}
{{- else -}}
  {{- include "outrigger-0.2.0.patterns.logshippers.collector" (dict "call" . "container" $container) -}}
{{- end -}}
{{- end -}}

{{- /*
The environment of a supervisor that rotates files.
Takes: the Call
Prints: the variables, as a YAML list
Reports: globs that would find the copies too
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.rotation" -}}
{{- range $index, $path := .config.files -}}
  {{- if hasSuffix "*" $path -}}
    {{- $_ := set $.contribution "problems" (append $.contribution.problems
          (printf "files[%d] ends in *, so that the copies of a rotation would be rotated too; let it end in the files' own suffix" $index)) -}}
  {{- end -}}
{{- end -}}
- name: ROTATE_FILES
  value: {{ .config.files | default list | join "\n" | include "outrigger-0.2.0.kit.asWritten" | quote }}
- name: ROTATE_BYTES
  value: {{ include "outrigger-0.2.0.kit.quantity" .config.rotate.maxSize | float64 | int64 | quote }}
- name: ROTATE_KEEP
  value: {{ .config.rotate.keep | default 1 | quote }}
{{- end -}}

{{- /*
An agent of the user's own.
Takes: call; container
Sets: the container, and texts of the contribution
Reports: what the agent lacks, or has that means nothing
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.customAgent" -}}
{{- $call := .call -}}
{{- $container := .container -}}
{{- $custom := $call.config.custom | default dict -}}
{{- if not (and $call.config.image $custom.command) -}}
  {{- $_ := set $call.contribution "problems" (append $call.contribution.problems "agent: custom needs image and custom.command, the agent's program and its arguments") -}}
{{- end -}}
{{- if $call.config.command -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $call
        "message" "command means nothing beside agent: custom; move it to custom.command") -}}
{{- end -}}
{{- $_ := set $container "args" (include "outrigger-0.2.0.kit.allAsWritten" $custom.command | fromJsonArray) -}}
{{- $left := $custom.left | default dict -}}
{{- if $left.url -}}
  {{- $_ := set $container "env" (concat $container.env (list
        (dict "name" "METRICS_URL" "value" (include "outrigger-0.2.0.kit.asWritten" $left.url))
        (dict "name" "LEFT_METRICS" "value" ($left.metrics | default list | join "\n" | include "outrigger-0.2.0.kit.asWritten")))) -}}
{{- else if $left.command -}}
  {{- $words := list -}}
  {{- range $left.command -}}{{- $words = append $words (printf "'%s'" (replace "'" "'\\''" .)) -}}{{- end -}}
  {{- $_ := set $container "env" (append $container.env (dict "name" "LEFT_COMMAND" "value" (join " " $words | include "outrigger-0.2.0.kit.asWritten"))) -}}
{{- end -}}
{{- with $custom.config -}}
  {{- $_ := set $call.contribution "texts" (dict (include "outrigger-0.2.0.patterns.logshippers.agentFile" $call.name) .) -}}
{{- end -}}
{{- end -}}

{{- /*
Fills the contribution of a logshipper that is an agent under the supervisor (files/supervise.sh): the OpenTelemetry
Collector, or the user's own. Takes what a pattern takes.
*/ -}}
{{- define "outrigger-0.1.0.supervisedAgent" -}}
{{- $custom := eq (.config.agent | default "") "custom" -}}
{{- $drain := include "outrigger-0.1.0.drainSeconds" . | int -}}
{{- $queue := .config.queue | default dict -}}
{{- $state := include "outrigger-0.1.0.shorten" (printf "outrigger-%s-state" .name) -}}
{{- $stateMount := dict "name" $state "mountPath" "/run/outrigger" -}}
{{- $volumes := list -}}
{{- if $queue.volume -}}
  {{- $stateMount = dict "name" $queue.volume "mountPath" "/run/outrigger" "subPath" (printf "outrigger-%s" .name) -}}
{{- else -}}
  {{- $volumes = append $volumes (dict "name" $state "emptyDir" (dict "sizeLimit" (include "outrigger-0.1.0.stateLimit" (list (include "outrigger-0.1.0.queueBytes" .))))) -}}
{{- end -}}
{{- $env := list
      (dict "name" "FILES" "value" (include "outrigger-0.1.0.shippedGlobs" .config | fromYamlArray | join "\n" | include "outrigger-0.1.0.asWritten"))
      (dict "name" "EXCLUDE" "value" (include "outrigger-0.1.0.excludedGlobs" .config | fromYamlArray | join "\n" | include "outrigger-0.1.0.asWritten"))
      (dict "name" "DRAIN_SECONDS" "value" (toString $drain))
      (dict "name" "MEMORY_BYTES" "valueFrom" (dict "resourceFieldRef" (dict "resource" "limits.memory"))) -}}
{{- /* A classic sidecar hears SIGTERM when the app does, and has to see by the files that it has ended. */ -}}
{{- if and $custom (eq .form "classic") -}}{{- $env = append $env (dict "name" "QUIET_SECONDS" "value" "2") -}}{{- end -}}
{{- with $queue.volume -}}{{- $env = append $env (dict "name" "KEPT" "value" (printf "kept on the volume %s, and sent by the next pod that has it" . | include "outrigger-0.1.0.asWritten")) -}}{{- end -}}
{{- with include "outrigger-0.1.0.watchedVolumes" . -}}{{- $env = append $env (dict "name" "VOLUMES" "value" (include "outrigger-0.1.0.asWritten" .)) -}}{{- end -}}
{{- $container := dict "name" .name "command" (list "/outrigger-tools/busybox" "sh" "/outrigger/supervise.sh") "volumeMounts" (list $stateMount) -}}
{{- $_ := set .contribution "files" (list "supervise.sh") -}}
{{- if .config.rotate -}}
  {{- $_ := set .contribution "files" (list "supervise.sh" "rotate.sh") -}}
  {{- $env = concat $env (include "outrigger-0.1.0.rotation" . | fromYamlArray) -}}
{{- end -}}
{{- $_ := set .contribution "tools" true -}}
{{- $_ := set .contribution "volumes" $volumes -}}
{{- $_ := set .contribution "sidecars" (list $container) -}}
{{- $_ := set $container "env" $env -}}
{{- $_ := set $container "resources" (dict "requests" dict "limits" dict) -}}
{{- range $kind := list "requests" "limits" -}}
  {{- include "outrigger-0.1.0.overlay" (list (get $container.resources $kind) (get ($.values.defaults.agentResources | default dict) $kind | default dict)) -}}
{{- end -}}
{{- if $custom -}}
  {{- include "outrigger-0.1.0.customAgent" (list . $container) -}}
{{- else -}}
  {{- include "outrigger-0.1.0.collector" (list . $container) -}}
{{- end -}}
{{- end -}}

{{- /*
Prints, as a YAML list, the environment of a supervisor that rotates files. Takes what a pattern takes.
*/ -}}
{{- define "outrigger-0.1.0.rotation" -}}
{{- range $index, $path := .config.files -}}
  {{- if hasSuffix "*" $path -}}
    {{- $_ := set $.contribution "problems" (append $.contribution.problems
          (printf "files[%d] ends in *, so that the copies of a rotation would be rotated too; let it end in the files' own suffix" $index)) -}}
  {{- end -}}
{{- end -}}
- name: ROTATE_FILES
  value: {{ .config.files | default list | join "\n" | include "outrigger-0.1.0.asWritten" | quote }}
- name: ROTATE_BYTES
  value: {{ include "outrigger-0.1.0.quantity" .config.rotate.maxSize | float64 | int64 | quote }}
- name: ROTATE_KEEP
  value: {{ .config.rotate.keep | default 1 | quote }}
{{- end -}}

{{- /*
Completes the container of an agent of the user's own. Takes a list: what a pattern takes, the container.
*/ -}}
{{- define "outrigger-0.1.0.customAgent" -}}
{{- $call := index . 0 -}}
{{- $container := index . 1 -}}
{{- $custom := $call.config.custom | default dict -}}
{{- if not (and $call.config.image $custom.command) -}}
  {{- $_ := set $call.contribution "problems" (append $call.contribution.problems "agent: custom needs image and custom.command, the agent's program and its arguments") -}}
{{- end -}}
{{- if $call.config.command -}}
  {{- include "outrigger-0.1.0.addProblem" (list $call "command means nothing beside agent: custom; move it to custom.command") -}}
{{- end -}}
{{- $_ := set $container "args" (include "outrigger-0.1.0.literals" $custom.command | fromJsonArray) -}}
{{- $left := $custom.left | default dict -}}
{{- if $left.url -}}
  {{- $_ := set $container "env" (concat $container.env (list
        (dict "name" "METRICS_URL" "value" (include "outrigger-0.1.0.asWritten" $left.url))
        (dict "name" "LEFT_METRICS" "value" ($left.metrics | default list | join "\n" | include "outrigger-0.1.0.asWritten")))) -}}
{{- else if $left.command -}}
  {{- $words := list -}}
  {{- range $left.command -}}{{- $words = append $words (printf "'%s'" (replace "'" "'\\''" .)) -}}{{- end -}}
  {{- $_ := set $container "env" (append $container.env (dict "name" "LEFT_COMMAND" "value" (join " " $words | include "outrigger-0.1.0.asWritten"))) -}}
{{- end -}}
{{- with $custom.config -}}
  {{- $_ := set $call.contribution "texts" (dict (include "outrigger-0.1.0.agentFile" $call.name) .) -}}
{{- end -}}
{{- end -}}

{{- /*
Prints the name of an agent's configuration file in /outrigger. Takes the entry's name.
*/ -}}
{{- define "outrigger-0.1.0.agentFile" -}}
{{- printf "%s.conf.yaml" . -}}
{{- end -}}

{{- /*
Prints the seconds from SIGTERM until the agent is stopped: what the entry may take, less 2 for the agent's own end.
Takes what a pattern takes.
*/ -}}
{{- define "outrigger-0.1.0.drainSeconds" -}}
{{- if eq .form "classic" -}}
{{- sub .gracePeriodSeconds 4 | max 1 -}}
{{- else -}}
{{- sub (hasKey .config "shutdownSeconds" | ternary .config.shutdownSeconds .values.defaults.shutdownSeconds.logshippers | int) 2 | max 1 -}}
{{- end -}}
{{- end -}}

{{- /*
Prints the bytes that the queue may hold. Takes what a pattern takes.
*/ -}}
{{- define "outrigger-0.1.0.queueBytes" -}}
{{- include "outrigger-0.1.0.quantity" (dig "queue" "size" "256Mi" .config) | float64 | int64 -}}
{{- end -}}

{{- /*
Prints the size of a volume that holds queues on disk, and the copy that the supervisor makes of them when it starts (keep_state).
A queue that is read again after a crash has holes until it is compacted: full ones were measured at 1.1 times their size, and
at 2.7 times in all when they start again; a database grows by 16 MiB at a time, and so does its copy. Takes the sizes, in bytes.
*/ -}}
{{- define "outrigger-0.1.0.stateLimit" -}}
{{- $bytes := 0 -}}
{{- range . -}}{{- $bytes = add $bytes (int64 .) -}}{{- end -}}
{{- printf "%dMi" (add (div (add (mul $bytes 3) 1048575) 1048576) (mul 32 (add (len .) 1))) -}}
{{- end -}}

{{- /*
Prints, as a YAML list, the globs of the files that are shipped, those to which a rotation renames them among them. Takes
the entry's config.
*/ -}}
{{- define "outrigger-0.1.0.shippedGlobs" -}}
{{- $globs := list -}}
{{- range .files -}}
  {{- $globs = append $globs . -}}
  {{- if not (hasSuffix "*" .) -}}
    {{- $globs = concat $globs (list (printf "%s.[0-9]*" .) (printf "%s-[0-9]*" .) (printf "%s.old" .) (printf "%s.bak" .)) -}}
  {{- end -}}
{{- end -}}
{{- $globs | uniq | toYaml -}}
{{- end -}}

{{- /*
Prints, as a YAML list, the globs of the files that are left out: the entry's own, and compressed ones. Takes the entry's
config.
*/ -}}
{{- define "outrigger-0.1.0.excludedGlobs" -}}
{{- $globs := .exclude | default list -}}
{{- range $files := .files -}}
  {{- range $suffix := list "gz" "bz2" "xz" "zst" "lz4" "zip" "Z" -}}
    {{- if not (hasSuffix (printf ".%s" $suffix) $files) -}}
      {{- $globs = append $globs (hasSuffix "*" $files | ternary (printf "%s.%s" $files $suffix) (printf "%s*.%s" $files $suffix)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $globs | uniq | toYaml -}}
{{- end -}}

{{- /*
Prints "BYTES FOLDER", one a line, of the shared volumes on the node's disk that hold what the entry ships: the kubelet
evicts a pod whose emptyDir has outgrown its size. Takes what a pattern takes.
*/ -}}
{{- define "outrigger-0.1.0.watchedVolumes" -}}
{{- $lines := list -}}
{{- range $name, $volume := .values.volumes -}}
  {{- if and (kindIs "map" $volume) $volume.size (ne ($volume.medium | default "") "Memory") $volume.mountPath -}}
    {{- range $path := $.config.files -}}
      {{- if include "outrigger-0.1.0.holds" (list $volume.mountPath $path) -}}
        {{- $lines = append $lines (printf "%d %s" (include "outrigger-0.1.0.quantity" $volume.size | float64 | int64) $volume.mountPath) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $lines | uniq | join "\n" -}}
{{- end -}}

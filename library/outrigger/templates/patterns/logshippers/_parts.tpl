{{- /*
Prints what ships an entry's logs: script (to its own output), custom (an agent of the user's) or collector. Takes the
entry's config.
*/ -}}
{{- define "outrigger-0.1.0.patterns.logshippers.program" -}}
{{- if eq (.agent | default "") "custom" -}}
custom
{{- else if or (omit (.to | default dict) "stdout") .receive .scrape -}}
collector
{{- else -}}
script
{{- end -}}
{{- end -}}

{{- /*
Prints the name of an agent's configuration file in /outrigger. Takes the entry's name.
*/ -}}
{{- define "outrigger-0.1.0.patterns.logshippers.agentFile" -}}
{{- printf "%s.conf.yaml" . -}}
{{- end -}}

{{- /*
Prints the seconds from SIGTERM until the agent of a native sidecar is stopped: what the entry may take, less 2 for the
agent's own end. Takes what a pattern takes.
*/ -}}
{{- define "outrigger-0.1.0.patterns.logshippers.drainSeconds" -}}
{{- sub (include "outrigger-0.1.0.kit.shutdownSeconds" (dict "values" .values "pattern" "logshippers" "config" .config) | int) 2 | max 1 -}}
{{- end -}}

{{- /*
Prints the bytes that the queue may hold. Takes what a pattern takes.
*/ -}}
{{- define "outrigger-0.1.0.patterns.logshippers.queueBytes" -}}
{{- include "outrigger-0.1.0.kit.quantity" (dig "queue" "size" "256Mi" .config) | float64 | int64 -}}
{{- end -}}

{{- /*
Prints the size of a volume that holds queues on disk, and the copy that the supervisor makes of them when it starts
(keep_state). A queue that is read again after a crash has holes until it is compacted: full ones were measured at 1.1
times their size, and at 2.7 times in all when they start again; a database grows by 16 MiB at a time, and so does its
copy. Takes the sizes, in bytes.
*/ -}}
{{- define "outrigger-0.1.0.patterns.logshippers.stateLimit" -}}
{{- $bytes := 0 -}}
{{- range . -}}{{- $bytes = add $bytes (int64 .) -}}{{- end -}}
{{- printf "%dMi" (add (div (add (mul $bytes 3) 1048575) 1048576) (mul 32 (add (len .) 1))) -}}
{{- end -}}

{{- /*
Prints, as a YAML list, the globs of the files that are shipped, those to which a rotation renames them among them.
Takes the entry's config.
*/ -}}
{{- define "outrigger-0.1.0.patterns.logshippers.shippedGlobs" -}}
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
Prints, as a YAML list, the globs of the files that are left out: the entry's own, and compressed ones. Takes the
entry's config.
*/ -}}
{{- define "outrigger-0.1.0.patterns.logshippers.excludedGlobs" -}}
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
{{- define "outrigger-0.1.0.patterns.logshippers.watchedVolumes" -}}
{{- $lines := list -}}
{{- range $name, $volume := .values.volumes -}}
  {{- if and (kindIs "map" $volume) $volume.size (ne ($volume.medium | default "") "Memory") $volume.mountPath -}}
    {{- range $path := $.config.files -}}
      {{- if include "outrigger-0.1.0.kit.holds" (dict "mountPath" $volume.mountPath "path" $path) -}}
        {{- $lines = append $lines (printf "%d %s" (include "outrigger-0.1.0.kit.quantity" $volume.size | float64 | int64) $volume.mountPath) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $lines | uniq | join "\n" -}}
{{- end -}}

{{- /*
Prints the collector's name of an exporter: `otlp` and `otlphttp` are old names of two, which it still knows.
*/ -}}
{{- define "outrigger-0.1.0.patterns.logshippers.exporterName" -}}
{{- $type := splitList "/" . | first -}}
{{- $new := dict "otlp" "otlp_grpc" "otlphttp" "otlp_http" -}}
{{- printf "%s%s" (get $new $type | default $type) (trimPrefix $type .) -}}
{{- end -}}

{{- /*
Prints a text as the collector's configuration takes it: $ begins a reference there.
*/ -}}
{{- define "outrigger-0.1.0.patterns.logshippers.collectorText" -}}
{{- replace "$" "$$" . -}}
{{- end -}}

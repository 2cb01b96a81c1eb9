{{- /*
What ships an entry's logs.
Takes: the entry's config
Prints: script (to its own output), custom (an agent of the user's) or collector
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.program" -}}
{{- if eq (.agent | default "") "custom" -}}
custom
{{- else if or (omit (.to | default dict) "stdout") .receive .scrape -}}
collector
{{- else -}}
script
{{- end -}}
{{- end -}}

{{- /*
The name of an agent's configuration file in /outrigger.
Takes: the entry's name
Prints: the name
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.agentFile" -}}
{{- printf "%s.conf.yaml" . -}}
{{- end -}}

{{- /*
The seconds from SIGTERM until the agent of a native sidecar is stopped: what the entry may take, less 2 for the
agent's own end.
Takes: the Call
Prints: the seconds
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.drainSeconds" -}}
{{- sub (include "outrigger-0.2.0.kit.shutdownSeconds" (dict "values" .values "pattern" "logshippers" "config" .config) | int) 2 | max 1 -}}
{{- end -}}

{{- /*
The bytes that the queue may hold.
Takes: the Call
Prints: the bytes
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.queueBytes" -}}
{{- include "outrigger-0.2.0.kit.quantity" (dig "queue" "size" "256Mi" .config) | float64 | int64 -}}
{{- end -}}

{{- /*
The size of a volume that holds queues on disk, and the copy that the supervisor makes of them when it starts
(keep_state). A queue that is read again after a crash has holes until it is compacted: full ones were measured at 1.1
times their size, and at 2.7 times in all when they start again; a database grows by 16 MiB at a time, and so does its
copy.
Takes: the sizes of the queues, in bytes
Prints: the size
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.stateLimit" -}}
{{- $bytes := 0 -}}
{{- range . -}}{{- $bytes = add $bytes (int64 .) -}}{{- end -}}
{{- printf "%dMi" (add (div (add (mul $bytes 3) 1048575) 1048576) (mul 32 (add (len .) 1))) -}}
{{- end -}}

{{- /*
The globs of the files that are shipped, those to which a rotation renames them among them.
Takes: the entry's config
Prints: the globs, as a YAML list
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.shippedGlobs" -}}
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
The globs of the files that are left out: the entry's own, and compressed ones.
Takes: the entry's config
Prints: the globs, as a YAML list
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.excludedGlobs" -}}
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
The shared volumes on the node's disk that hold what the entry ships: the kubelet evicts a pod whose emptyDir has
outgrown its size.
Takes: the Call
Prints: "BYTES FOLDER", one a line
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.watchedVolumes" -}}
{{- $lines := list -}}
{{- range $name := include "outrigger-0.2.0.kit.entryNames" (dict "call" . "pattern" "volumes") | fromJsonArray -}}
  {{- $entry := dict "call" $ "pattern" "volumes" "name" $name -}}
  {{- include "outrigger-0.2.0.kit.entry" $entry -}}
  {{- $volume := pick $entry.config "size" "medium" "mountPath" -}}
  {{- include "outrigger-0.2.0.kit.dropNone" (dict "fields" $volume) -}}
  {{- if and $volume.size (ne ($volume.medium | default "") "Memory") $volume.mountPath -}}
    {{- range $path := $.config.files -}}
      {{- if include "outrigger-0.2.0.kit.holds" (dict "mountPath" $volume.mountPath "path" $path) -}}
        {{- $lines = append $lines (printf "%d %s" (include "outrigger-0.2.0.kit.quantity" $volume.size | float64 | int64) $volume.mountPath) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $lines | uniq | join "\n" -}}
{{- end -}}

{{- /*
The collector's name of an exporter: `otlp` and `otlphttp` are old names of two, which it still knows.
Takes: the target's name
Prints: the name
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.exporterName" -}}
{{- $type := splitList "/" . | first -}}
{{- $new := dict "otlp" "otlp_grpc" "otlphttp" "otlp_http" -}}
{{- printf "%s%s" (get $new $type | default $type) (trimPrefix $type .) -}}
{{- end -}}

{{- /*
A text as the collector's configuration takes it: $ begins a reference there.
Takes: the text
Prints: the text
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.collectorText" -}}
{{- replace "$" "$$" . -}}
{{- end -}}

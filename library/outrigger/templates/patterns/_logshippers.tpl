{{- /*
logshippers.<name>: ships an app's log files. With `to.stdout` they are streamed to the sidecar's own output, by a
script on busybox.
*/ -}}
{{- define "outrigger-0.1.0.pattern.logshippers" -}}
{{- $state := include "outrigger-0.1.0.shorten" (printf "outrigger-%s-state" .name) -}}
order: 100
problems:
  {{- if not .config.files }}
  - "files is missing; set it to a list of absolute paths, with * and ? as in a shell"
  {{- end }}
  {{- if not .config.to }}
  - "to is missing; set it to {stdout: {}}"
  {{- end }}
files: [logshipper.sh]
reads:
  {{- range $index, $path := .config.files }}
  - {{ dict "path" $path "key" (printf "files[%d]" $index) | toJson }}
  {{- end }}
volumes:
  - name: {{ $state }}
    emptyDir: {sizeLimit: 16Mi}
sidecars:
  - name: {{ .name | quote }}
    image: {{ .values.images.busybox | quote }}
    command: [/bin/sh, /outrigger/logshipper.sh]
    args:
      {{- /* $( begins a reference to a variable in Kubernetes; $$( is the escape. */}}
      {{- range .config.files }}
      - {{ . | replace "$(" "$$(" | quote }}
      {{- end }}
    env:
      - name: STATE_DIR
        value: /run/outrigger
      {{- if eq .form "classic" }}
      {{- /* A classic sidecar hears SIGTERM when the app does: it ships on, but ends before the kubelet kills it. */}}
      - name: LINGER_SECONDS
        value: {{ sub .gracePeriodSeconds 2 | max 0 | quote }}
      {{- end }}
    volumeMounts:
      - name: {{ $state }}
        mountPath: /run/outrigger
{{- end -}}

{{- /*
Documents that are too long: the kernel takes 128 KiB for one variable, and kubectl apply copies the whole object into an
annotation of at most 256 KiB.
Takes: the State, composed
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.documents" -}}
{{- $state := . -}}
{{- $all := 0 -}}
{{- range $container := concat (.podTemplate.spec.initContainers | default list) .podTemplate.spec.containers -}}
  {{- range $container.env -}}
    {{- if and (eq .name "OUTRIGGER_CONFIG") (hasKey $state.origins $container.name) -}}
      {{- $size := len (.value | default "") -}}
      {{- $all = add $all $size -}}
      {{- if gt $size 32768 -}}
        {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (get $state.origins $container.name | first)
              "message" (printf "makes a document of %d bytes for its program, and 32768 are the most; shorten its texts" $size)) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if gt (int64 $all) 98304 -}}
  {{- include "outrigger-0.2.0.kit.problem" (dict "state" . "path" .key
        "message" (printf "the documents of this pod's programs have %d bytes together, and 98304 are the most; shorten the texts of its entries" (int64 $all))) -}}
{{- end -}}
{{- end -}}

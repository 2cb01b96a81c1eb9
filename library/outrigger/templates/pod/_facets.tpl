{{- /*
One facet of what the contributions make of a pod whose author's template is not at hand. A container stands in for
the app's.
Takes: what the facets' public names take; facet
Prints: the facet as YAML, or nothing
Reports: fails with every problem found
*/ -}}
{{- define "outrigger-0.2.0.pod.facet" -}}
{{- $state := dict -}}
{{- $app := dict "name" (.container | default "app") "image" "app:0" -}}
{{- include "outrigger-0.2.0.pod.composed" (dict "state" $state
      "arguments" (set (omit . "facet" "template") "podTemplate" (dict "spec" (dict "containers" (list $app))))) -}}
{{- $spec := $state.podTemplate.spec -}}
{{- $value := get $spec .facet -}}
{{- if eq .facet "containers" -}}
  {{- $value = rest $spec.containers -}}
{{- else if eq .facet "volumeMounts" -}}
  {{- $value = (first $spec.containers).volumeMounts -}}
{{- else if eq .facet "env" -}}
  {{- $value = (first $spec.containers).env -}}
{{- else if eq .facet "podAnnotations" -}}
  {{- $value = ($state.podTemplate.metadata | default dict).annotations -}}
{{- end -}}
{{- if $value -}}{{- toYaml $value -}}{{- end -}}
{{- end -}}

{{- /*
The public names. Named templates are global in Helm: where two charts of one release carry different versions of
this library, the file loaded last wins. So this file only dispatches to names that carry the version, and is the
same to the byte in every version.
*/ -}}

{{- /*
outrigger.podTemplate prints a pod template together with its sidecars.

Takes a dict:
  context      the chart's root context ($)
  template     the name of a named template that prints a pod template (metadata, spec), or
  podTemplate  the pod template as an object
  workload     optional: the name that entries with a `workloads` list select
Prints the pod template as YAML, not indented.
Fails with every problem found, each with its values path and the mend.
*/ -}}
{{- define "outrigger.podTemplate" -}}
{{- include (printf "outrigger-%s.podTemplate" (include "outrigger.version" .context)) . -}}
{{- end -}}

{{- /*
outrigger.objects prints what the sidecars need outside the pod (a ConfigMap of scripts, …), once per chart.

Takes the chart's root context. Prints YAML documents, or nothing where nothing is needed.
*/ -}}
{{- define "outrigger.objects" -}}
{{- include (printf "outrigger-%s.objects" (include "outrigger.version" .)) . -}}
{{- end -}}

{{- /*
outrigger.version prints the version of the library that the calling chart depends on.

Takes the chart's root context. Fails where the chart has no such dependency.
*/ -}}
{{- define "outrigger.version" -}}
{{- (index .Subcharts (include "outrigger.key" .)).Chart.Version -}}
{{- end -}}

{{- /*
outrigger.key prints the key of the library's values: `outrigger`, or the alias that Chart.yaml gives the dependency.

Takes the chart's root context. Fails where the chart has no such dependency.
*/ -}}
{{- define "outrigger.key" -}}
{{- if not (and (kindIs "map" .) (hasKey . "Subcharts")) -}}
  {{- fail "outrigger: the chart's root context is missing; write (dict \"context\" $ \"template\" \"NAME\"), and $ rather than . inside range and with" -}}
{{- end -}}
{{- $found := "" -}}
{{- range $key, $subchart := .Subcharts -}}
  {{- if eq (index $subchart.Chart.Annotations "outrigger") "library" -}}
    {{- $found = $key -}}
  {{- end -}}
{{- end -}}
{{- if not $found -}}
  {{- fail (printf "outrigger: chart %q uses the library but does not depend on it; add outrigger to the dependencies in its Chart.yaml" .Chart.Name) -}}
{{- end -}}
{{- $found -}}
{{- end -}}

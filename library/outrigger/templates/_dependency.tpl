{{- /*
Which library a chart depends on. The public names ask for it, and what they dispatch to; it has no version either.
*/ -}}

{{- /*
outrigger.version prints the version of the library that the calling chart depends on, as its templates' names carry it: that
of a copy under a version of somebody's own is the library's.

Takes the chart's root context. Fails where the chart has no such dependency.
*/ -}}
{{- define "outrigger.version" -}}
{{- $library := (index .Subcharts (include "outrigger.key" .)).Chart -}}
{{- index $library.Annotations "outrigger/templates" | default $library.Version -}}
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

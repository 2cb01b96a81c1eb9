{{- /*
Which library a chart depends on. The public names ask for it, and what they dispatch to; it has no version either.
*/ -}}

{{- /*
outrigger.version prints the version of the library that the calling chart depends on, as its templates' names carry it:
that of a copy under a version of somebody's own is the library's.

Takes: the chart's root context
Prints: the version
Reports: fails where the chart has no such dependency
*/ -}}
{{- define "outrigger.version" -}}
{{- $found := dict "context" . -}}
{{- include "outrigger.find" $found -}}
{{- $found.version -}}
{{- end -}}

{{- /*
outrigger.key prints where in the chart's values the library's are: `outrigger`, or the alias that Chart.yaml gives the
dependency, after the name of the library chart that brings it, if one does: `common.outrigger`.

Takes: the chart's root context
Prints: the key
Reports: fails where the chart has no such dependency
*/ -}}
{{- define "outrigger.key" -}}
{{- $found := dict "context" . -}}
{{- include "outrigger.find" $found -}}
{{- $found.key -}}
{{- end -}}

{{- /*
outrigger.find finds the library among the dependencies of a chart, or else among those of its library charts: a
company's own may bring it.

Takes: a dict:
  context  the chart's root context
  given    optional: values that a call brings
Sets: in it:
  key      what outrigger.key prints, or `values` where they are given
  library  the library's subchart, empty where there is none
  values   those of the library, or the given
  version  what outrigger.version prints, or any that is there
Reports: fails where there is neither such a dependency nor given values
*/ -}}
{{- define "outrigger.find" -}}
{{- if not (and (kindIs "map" .context) (hasKey .context "Subcharts")) -}}
  {{- fail "outrigger: the chart's root context is missing; write (dict \"context\" $ \"template\" \"NAME\"), and $ rather than . inside range and with" -}}
{{- end -}}
{{- $found := . -}}
{{- $level := list (dict "key" "" "charts" .context.Subcharts "values" .context.Values) -}}
{{- range until 5 -}}{{- /* levels: no library chart is brought by that many others */ -}}
  {{- $below := list -}}
  {{- range $at := $level -}}
    {{- range $name, $chart := ternary dict $at.charts (hasKey $found "library") -}}
      {{- $here := dict "key" (printf "%s%s" $at.key $name) "library" $chart "values" (index $at.values $name) -}}
      {{- if eq (index $chart.Chart.Annotations "outrigger") "library" -}}
        {{- range $key, $value := $here -}}{{- $_ := set $found $key $value -}}{{- end -}}
      {{- else if eq $chart.Chart.Type "library" -}}
        {{- $below = append $below (dict "key" (printf "%s." $here.key) "charts" $chart.Subcharts "values" ($here.values | default dict)) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- $level = $below -}}
{{- end -}}
{{- if hasKey $found "library" -}}
  {{- $chart := $found.library.Chart -}}
  {{- $_ := set $found "version" (index $chart.Annotations "outrigger/templates" | default $chart.Version) -}}
{{- else if kindIs "map" .given -}}
  {{- $_ := set (set $found "library" dict) "version" (include "outrigger.someVersion" .) -}}
{{- else -}}
  {{- fail (printf "outrigger: chart %q uses the library but does not depend on it; add outrigger to the dependencies in its Chart.yaml" .context.Chart.Name) -}}
{{- end -}}
{{- if kindIs "map" .given -}}{{- $_ := set (set $found "values" .given) "key" "values" -}}{{- end -}}
{{- end -}}

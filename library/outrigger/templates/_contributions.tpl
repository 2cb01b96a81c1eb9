{{- /*
Sets .contributions of the work dict: one contribution for each enabled entry that this workload has, in start-up order.

A pattern is a named template "….pattern.<values key>". It is called with a dict:
  name          the entry's name                         config   the entry's values, read only
  path          its values path, for problems            values   the library's values, read only
  context       the chart's root context                 form     native, classic, or "" where objects are collected
  gracePeriodSeconds  the pod's                          contribution  the dict to fill, where no YAML is printed
and prints its contribution as YAML (or fills the dict, which saves the parsing):
  order            where it starts among the sidecars, lowest first; the entry's own `order` wins
  sidecars         containers that run beside the app; defaults and the entry's overrides are applied by the composer
  volumes          the pod's volumes
  appVolumeMounts  mounts for the author's containers, each with an optional list `containers` of names
  reads            paths that the sidecars read: {path, key}; the composer mounts the volume that holds each
  files            names of the library's files that the sidecars find in /outrigger
  problems         messages of the pattern's own checks
*/ -}}
{{- define "outrigger-0.1.0.contributions" -}}
{{- $work := . -}}
{{- $sorted := dict -}}
{{- range $pattern, $entries := omit .values "mode" "images" "defaults" "global" -}}
  {{- range $name, $config := $entries -}}
    {{- if include "outrigger-0.1.0.applies" (list $work $config) -}}
      {{- $contribution := dict -}}
      {{- $call := dict
            "name" $name "config" $config "path" (printf "%s.%s.%s" $work.key $pattern $name)
            "values" $work.values "context" $work.context "form" ($work.form | default "")
            "gracePeriodSeconds" (dig "podTemplate" "spec" "terminationGracePeriodSeconds" 30 $work | int)
            "contribution" $contribution -}}
      {{- $printed := include (printf "outrigger-0.1.0.pattern.%s" $pattern) $call -}}
      {{- if trim $printed -}}
        {{- $contribution = fromYaml $printed -}}
        {{- if hasKey $contribution "Error" -}}
          {{- fail (printf "outrigger: pattern %s does not print YAML for %s: %s" $pattern $call.path $contribution.Error) -}}
        {{- end -}}
      {{- end -}}
      {{- $_ := set $contribution "name" $name -}}
      {{- $_ := set $contribution "path" $call.path -}}
      {{- $_ := set $contribution "config" $config -}}
      {{- $order := (hasKey $config "order") | ternary $config.order ($contribution.order | default 0) | int -}}
      {{- $_ := set $sorted (printf "%07d %s" (add $order 1000000) $call.path) $contribution -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $contributions := list -}}
{{- range keys $sorted | sortAlpha -}}
  {{- $contributions = append $contributions (get $sorted .) -}}
{{- end -}}
{{- $_ := set $work "contributions" $contributions -}}
{{- end -}}

{{- /*
Prints true where an entry is on and belongs to the workload at hand. Takes a list: the work dict, the entry's values.
Where objects are collected (no pod template), the entries of every workload count.
*/ -}}
{{- define "outrigger-0.1.0.applies" -}}
{{- $work := index . 0 -}}
{{- $config := index . 1 -}}
{{- if and (kindIs "map" $config) (ne (get $config "enabled" | toString) "false") -}}
  {{- if or (not $config.workloads) (not (hasKey $work "podTemplate")) (has $work.workload $config.workloads) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Prints true where an entry of the values is on, and in the pods that are at hand. Takes a list: the state, or what a
pattern takes; the entry.
*/ -}}
{{- define "outrigger-0.1.0.kit.isHere" -}}
{{- $state := index . 0 -}}
{{- $config := index . 1 -}}
{{- if and (kindIs "map" $config) (ne (get $config "enabled" | toString) "false") -}}
  {{- if or (not $config.workloads) (has $state.workload $config.workloads) (has $state.object $config.workloads) (not (or $state.workload $state.podTemplate)) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Prints the seconds that the sidecars of an entry may take to end: its shutdownSeconds, else its pattern's. Takes a list: the
library's values, the pattern, the entry's config.
*/ -}}
{{- define "outrigger-0.1.0.kit.shutdownSeconds" -}}
{{- $config := index . 2 -}}
{{- hasKey $config "shutdownSeconds" | ternary $config.shutdownSeconds (get (index . 0).defaults.shutdownSeconds (index . 1)) | int -}}
{{- end -}}

{{- /*
Prints the config of an entry as YAML, with what its texts say as templates. Takes a list: what has context, the config.
*/ -}}
{{- define "outrigger-0.1.0.kit.evaluated" -}}
{{- $entry := dict "value" (index . 1) -}}
{{- include "outrigger-0.1.0.kit.evaluateEntry" (list (index . 0).context $entry) -}}
{{- toYaml $entry.value -}}
{{- end -}}

{{- /*
Sets .value of a dict, the config of an entry, to the same with what its texts say as templates: a chart's values name its own
Service and Secret so. Each text is a template by itself and stays a text, whatever it prints. Files of other programs stay as
they are written, as some have templates of their own: extraConfig, custom.config, file.template. Takes a list: the chart's
root context, the dict.
*/ -}}
{{- define "outrigger-0.1.0.kit.evaluateEntry" -}}
{{- $holder := index . 1 -}}
{{- $config := $holder.value -}}
{{- if contains "{{" (toJson $config) -}}
  {{- $written := dict -}}
  {{- range $key, $file := dict "custom" "config" "file" "template" -}}
    {{- $part := get $config $key -}}
    {{- if and (kindIs "map" $part) (hasKey $part $file) -}}
      {{- $_ := set $written $key (pick $part $file) -}}
      {{- $config = set (omit $config $key) $key (omit $part $file) -}}
    {{- end -}}
  {{- end -}}
  {{- $evaluated := dict "value" (omit $config "extraConfig") -}}
  {{- include "outrigger-0.1.0.kit.evaluate" (list (index . 0) $evaluated) -}}
  {{- if hasKey $config "extraConfig" -}}{{- $_ := set $evaluated.value "extraConfig" $config.extraConfig -}}{{- end -}}
  {{- range $key, $files := $written -}}
    {{- range $file, $text := $files -}}{{- $_ := set (get $evaluated.value $key) $file $text -}}{{- end -}}
  {{- end -}}
  {{- $_ := set $holder "value" $evaluated.value -}}
{{- end -}}
{{- end -}}

{{- /*
Sets .value of a dict to the same with its texts, at any depth, evaluated. Takes a list: the chart's root context, the dict.
*/ -}}
{{- define "outrigger-0.1.0.kit.evaluate" -}}
{{- $context := index . 0 -}}
{{- $holder := index . 1 -}}
{{- $value := $holder.value -}}
{{- if kindIs "string" $value -}}
  {{- if contains "{{" $value -}}{{- $_ := set $holder "value" (tpl $value $context) -}}{{- end -}}
{{- else if kindIs "map" $value -}}
  {{- $evaluated := dict -}}
  {{- range $key, $each := $value -}}
    {{- $one := dict "value" $each -}}
    {{- include "outrigger-0.1.0.kit.evaluate" (list $context $one) -}}
    {{- $_ := set $evaluated $key $one.value -}}
  {{- end -}}
  {{- $_ := set $holder "value" $evaluated -}}
{{- else if kindIs "slice" $value -}}
  {{- $evaluated := list -}}
  {{- range $value -}}
    {{- $one := dict "value" . -}}
    {{- include "outrigger-0.1.0.kit.evaluate" (list $context $one) -}}
    {{- $evaluated = append $evaluated $one.value -}}
  {{- end -}}
  {{- $_ := set $holder "value" $evaluated -}}
{{- end -}}
{{- end -}}

{{- /*
Prints the one of some keys that is set. Takes a list: what a pattern takes, what is chosen, the dict, the keys.
*/ -}}
{{- define "outrigger-0.1.0.kit.choice" -}}
{{- $found := list -}}
{{- range index . 3 -}}
  {{- if kindIs "map" (get (index $ 2) .) -}}{{- $found = append $found . -}}{{- end -}}
{{- end -}}
{{- if eq (len $found) 1 -}}
{{- first $found -}}
{{- else -}}
{{- include "outrigger-0.1.0.kit.addProblem" (list (index . 0) (printf "needs one %s and has %s; set one of %s" (index . 1) (empty $found | ternary "none" (join " and " $found)) (join ", " (index . 3)))) -}}
{{- end -}}
{{- end -}}

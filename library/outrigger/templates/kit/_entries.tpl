{{- /*
Tells whether an entry of the values is on, and in the pods that are at hand: those of a workload, or all of the chart.
Takes: state, or a Call, of which context, view, workload and object are read; config, the entry's
Prints: true, or nothing
*/ -}}
{{- define "outrigger-0.2.0.kit.isHere" -}}
{{- $state := .state -}}
{{- $config := .config -}}
{{- if and (kindIs "map" $config) (ne (get $config "enabled" | toString) "false") -}}
  {{- $wanted := list -}}
  {{- if $config.workloads -}}{{- $wanted = include "outrigger-0.2.0.kit.workloads" (dict "context" $state.context "config" $config) | fromJsonArray -}}{{- end -}}
  {{- if or (not $wanted) (has $state.workload $wanted) (has $state.object $wanted) (and (eq $state.view "objects") (not $state.workload)) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The workloads that an entry is for, with what their texts say as templates.
Takes: context, the chart's root; config, the entry's, which names some
Prints: their names, as a JSON list
*/ -}}
{{- define "outrigger-0.2.0.kit.workloads" -}}
{{- $names := dict "context" .context "value" .config.workloads -}}
{{- include "outrigger-0.2.0.kit.evaluate" $names -}}
{{- toJson $names.value -}}
{{- end -}}

{{- /*
Reads an entry of any pattern's, for a pattern that is called with another. It is kept, as what its texts say as
templates is the same for all that ask.
Takes: call; pattern, its values key; name, the entry's
Sets: .config, the entry's, read only: empty where there is no such entry, and as it is written where it is off;
  .isHere, what kit.isHere prints of it
*/ -}}
{{- define "outrigger-0.2.0.kit.entry" -}}
{{- $key := printf "%s.%s" .pattern .name -}}
{{- if not (hasKey .call.evaluated $key) -}}
  {{- $entry := dict "context" .call.context "value" (get (get .call.values .pattern | default dict) .name) -}}
  {{- $isHere := include "outrigger-0.2.0.kit.isHere" (dict "state" .call "config" $entry.value) -}}
  {{- if and (kindIs "map" $entry.value) (ne (get $entry.value "enabled" | toString) "false") -}}
    {{- include "outrigger-0.2.0.kit.evaluateEntry" $entry -}}
  {{- end -}}
  {{- $_ := set .call.evaluated $key (dict "config" (kindIs "map" $entry.value | ternary $entry.value dict) "isHere" $isHere) -}}
{{- end -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" . "from" (get .call.evaluated $key)) -}}
{{- end -}}

{{- /*
The names of a pattern's entries, for a pattern that asks kit.entry for those of another.
Takes: call; pattern, its values key
Prints: the names in their order, as JSON
*/ -}}
{{- define "outrigger-0.2.0.kit.entryNames" -}}
{{- get .call.values .pattern | default dict | keys | sortAlpha | toJson -}}
{{- end -}}

{{- /*
The seconds that the sidecars of an entry may take to end: its shutdownSeconds, else its pattern's.
Takes: values, the library's; pattern, its values key; config, the entry's
Prints: the seconds
*/ -}}
{{- define "outrigger-0.2.0.kit.shutdownSeconds" -}}
{{- $config := .config -}}
{{- hasKey $config "shutdownSeconds" | ternary $config.shutdownSeconds (get .values.defaults.shutdownSeconds .pattern) | int -}}
{{- end -}}

{{- /*
Takes each text of an entry for a template: a chart's values name its own Service and Secret so. Each is one by itself
and stays a text, whatever it prints. Files of other programs stay as they are written, as some have templates of their
own: extraConfig, custom.config, file.template.
Takes: context, the chart's root; value, the entry's config
Sets: .value
*/ -}}
{{- define "outrigger-0.2.0.kit.evaluateEntry" -}}
{{- $config := .value -}}
{{- if contains "{{" (toJson $config) -}}
  {{- $written := dict -}}
  {{- range $key, $file := dict "custom" "config" "file" "template" -}}
    {{- $part := get $config $key -}}
    {{- if and (kindIs "map" $part) (hasKey $part $file) -}}
      {{- $_ := set $written $key (pick $part $file) -}}
      {{- $config = set (omit $config $key) $key (omit $part $file) -}}
    {{- end -}}
  {{- end -}}
  {{- $evaluated := dict "context" .context "value" (omit $config "extraConfig") -}}
  {{- include "outrigger-0.2.0.kit.evaluate" $evaluated -}}
  {{- if hasKey $config "extraConfig" -}}{{- $_ := set $evaluated.value "extraConfig" $config.extraConfig -}}{{- end -}}
  {{- range $key, $files := $written -}}
    {{- range $file, $text := $files -}}{{- $_ := set (get $evaluated.value $key) $file $text -}}{{- end -}}
  {{- end -}}
  {{- $_ := set . "value" $evaluated.value -}}
{{- end -}}
{{- end -}}

{{- /*
Takes each text in a value, at any depth, for a template.
Takes: context, the chart's root; value
Sets: .value
*/ -}}
{{- define "outrigger-0.2.0.kit.evaluate" -}}
{{- $context := .context -}}
{{- $value := .value -}}
{{- if kindIs "string" $value -}}
  {{- if contains "{{" $value -}}{{- $_ := set . "value" (tpl $value $context) -}}{{- end -}}
{{- else if kindIs "map" $value -}}
  {{- $evaluated := dict -}}
  {{- range $key, $each := $value -}}
    {{- $one := dict "context" $context "value" $each -}}
    {{- include "outrigger-0.2.0.kit.evaluate" $one -}}
    {{- $_ := set $evaluated $key $one.value -}}
  {{- end -}}
  {{- $_ := set . "value" $evaluated -}}
{{- else if kindIs "slice" $value -}}
  {{- $evaluated := list -}}
  {{- range $value -}}
    {{- $one := dict "context" $context "value" . -}}
    {{- include "outrigger-0.2.0.kit.evaluate" $one -}}
    {{- $evaluated = append $evaluated $one.value -}}
  {{- end -}}
  {{- $_ := set . "value" $evaluated -}}
{{- end -}}
{{- end -}}

{{- /*
Finds the one of some keys that is set.
Takes: call; what, that is chosen, for the message; config, that has the keys; keys
Prints: the key, or nothing
Reports: that there is none, or more than one
*/ -}}
{{- define "outrigger-0.2.0.kit.choice" -}}
{{- $found := list -}}
{{- range .keys -}}
  {{- if kindIs "map" (get $.config .) -}}{{- $found = append $found . -}}{{- end -}}
{{- end -}}
{{- if eq (len $found) 1 -}}
{{- first $found -}}
{{- else -}}
{{- include "outrigger-0.2.0.kit.addProblem" (dict "call" .call
      "message" (printf "needs one %s and has %s; set one of %s" .what (empty $found | ternary "none" (join " and " $found)) (join ", " .keys))) -}}
{{- end -}}
{{- end -}}

{{- /*
Sets every key of one dict in another, in place. Unlike sprig's merge it keeps false, 0 and empty values. Takes a list:
the dict to change, the dict to read (or nothing).
*/ -}}
{{- define "outrigger-0.1.0.kit.overlay" -}}
{{- $target := index . 0 -}}
{{- range $key, $value := index . 1 -}}
  {{- $_ := set $target $key $value -}}
{{- end -}}
{{- end -}}

{{- /*
Prints, as JSON, the list of Kubernetes' own shape that a map keyed by name stands for: {http: 8080} or {http:
{containerPort: 8080}}. Those that refer to others by $(NAME) come last, as Kubernetes resolves only what comes before.
Takes a list: the map (or a list, which stays), the field that a plain value stands for.
*/ -}}
{{- define "outrigger-0.1.0.kit.namedItems" -}}
{{- $items := list -}}
{{- if kindIs "map" (index . 0) -}}
  {{- $field := index . 1 -}}
  {{- $referring := list -}}
  {{- range $name, $item := index . 0 -}}
    {{- if kindIs "map" $item -}}
      {{- $item = set (omit $item "name") "name" $name -}}
    {{- else -}}
      {{- $item = dict "name" $name $field (eq $field "value" | ternary (kindIs "string" $item | ternary (toString $item) (toJson $item)) $item) -}}
    {{- end -}}
    {{- if contains "$(" (get $item $field | toString) -}}
      {{- $referring = append $referring $item -}}
    {{- else -}}
      {{- $items = append $items $item -}}
    {{- end -}}
  {{- end -}}
  {{- $items = concat $items $referring -}}
{{- else -}}
  {{- $items = index . 0 | default list -}}
{{- end -}}
{{- toJson $items -}}
{{- end -}}

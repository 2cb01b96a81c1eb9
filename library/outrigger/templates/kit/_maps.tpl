{{- /*
Sets every key of one dict in another. Unlike sprig's merge it keeps false, 0 and empty values.
Takes: into, the dict to change; from, the one to read, or nothing
Sets: the keys of into
*/ -}}
{{- define "outrigger-0.2.0.kit.overlay" -}}
{{- $target := .into -}}
{{- range $key, $value := .from -}}
  {{- $_ := set $target $key $value -}}
{{- end -}}
{{- end -}}

{{- /*
The list of Kubernetes' own shape that a map keyed by name stands for: {http: 8080} or {http: {containerPort: 8080}}.
Those that refer to others by $(NAME) come last, as Kubernetes resolves only what comes before.
Takes: items, the map, or a list, which stays; field, that a plain value stands for
Prints: the list, as JSON
*/ -}}
{{- define "outrigger-0.2.0.kit.namedItems" -}}
{{- $items := list -}}
{{- if kindIs "map" .items -}}
  {{- $field := .field -}}
  {{- $referring := list -}}
  {{- range $name, $item := .items -}}
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
  {{- $items = .items | default list -}}
{{- end -}}
{{- toJson $items -}}
{{- end -}}

{{- /*
Prints the variables of a list, as JSON: name to value, where a dict of the value's is taken as it is. Empty ones are
left out. A text reaches the program as it is written. Takes the dict of names and values.
*/ -}}
{{- define "outrigger-0.1.0.kit.variables" -}}
{{- $env := list -}}
{{- range $name, $value := . -}}
  {{- if kindIs "map" $value -}}
    {{- $env = append $env (dict "name" $name "valueFrom" $value) -}}
  {{- else if $value -}}
    {{- $env = append $env (dict "name" $name "value" (include "outrigger-0.1.0.kit.asWritten" $value)) -}}
  {{- end -}}
{{- end -}}
{{- toJson $env -}}
{{- end -}}

{{- /*
Prints a reference to a key of a Secret, as the fields of a variable. Takes a list: the Secret's name, or a dict of name
and key; the key that is meant where none is said.
*/ -}}
{{- define "outrigger-0.1.0.kit.secretKey" -}}
{{- $secret := index . 0 -}}
{{- if kindIs "string" $secret -}}{{- $secret = dict "name" $secret -}}{{- end -}}
{{- dict "secretKeyRef" (dict "name" $secret.name "key" ($secret.key | default (index . 1))) | toJson -}}
{{- end -}}

{{- /*
Prints, as JSON, texts of a command that reach the program as they are written.
*/ -}}
{{- define "outrigger-0.1.0.kit.allAsWritten" -}}
{{- $texts := list -}}
{{- range . -}}{{- $texts = append $texts (include "outrigger-0.1.0.kit.asWritten" .) -}}{{- end -}}
{{- toJson $texts -}}
{{- end -}}

{{- /*
Prints a text so that it reaches the program as it is written, by its environment or its command: there Kubernetes
takes $(NAME) for the variable's value, and $$ for $.
*/ -}}
{{- define "outrigger-0.1.0.kit.asWritten" -}}
{{- toString . | replace "$" "$$" -}}
{{- end -}}

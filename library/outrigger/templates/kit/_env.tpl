{{- /*
The variables of a container. A text reaches the program as it is written, a dict is a variable's valueFrom, and what
is empty is left out.
Takes: a dict of names and values
Prints: the list, as JSON
*/ -}}
{{- define "outrigger-0.2.0.kit.variables" -}}
{{- $env := list -}}
{{- range $name, $value := . -}}
  {{- if kindIs "map" $value -}}
    {{- $env = append $env (dict "name" $name "valueFrom" $value) -}}
  {{- else if $value -}}
    {{- $env = append $env (dict "name" $name "value" (include "outrigger-0.2.0.kit.asWritten" $value)) -}}
  {{- end -}}
{{- end -}}
{{- toJson $env -}}
{{- end -}}

{{- /*
A reference to a key of a Secret, as a variable's valueFrom has it.
Takes: secret, its name, or a dict of name and key; key, that is meant where none is said
Prints: the reference, as JSON
*/ -}}
{{- define "outrigger-0.2.0.kit.secretKey" -}}
{{- $secret := .secret -}}
{{- if kindIs "string" $secret -}}{{- $secret = dict "name" $secret -}}{{- end -}}
{{- dict "secretKeyRef" (dict "name" $secret.name "key" ($secret.key | default .key)) | toJson -}}
{{- end -}}

{{- /*
Texts of a command, which reach the program as they are written.
Takes: the texts
Prints: the list, as JSON
*/ -}}
{{- define "outrigger-0.2.0.kit.allAsWritten" -}}
{{- $texts := list -}}
{{- range . -}}{{- $texts = append $texts (include "outrigger-0.2.0.kit.asWritten" .) -}}{{- end -}}
{{- toJson $texts -}}
{{- end -}}

{{- /*
A text that reaches the program as it is written, by its environment or its command: there Kubernetes takes $(NAME)
for the variable's value, and $$ for $.
Takes: the text
Prints: the text
*/ -}}
{{- define "outrigger-0.2.0.kit.asWritten" -}}
{{- toString . | replace "$" "$$" -}}
{{- end -}}

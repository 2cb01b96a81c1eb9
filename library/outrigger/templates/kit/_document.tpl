{{- /*
The variable that tells a container of the library's program what to do: a document, as package document of the
library's module has it. Nothing in it expands.
Takes: verb, the program's; content, the verb's part, of which what is empty is left out
Prints: the variable, as JSON
*/ -}}
{{- define "outrigger-0.2.0.kit.document" -}}
{{- $filled := dict "value" .content -}}
{{- include "outrigger-0.2.0.kit.dropEmpty" $filled -}}
{{- $document := dict "version" (regexFind "[0-9]+[.][0-9]+" "outrigger-0.2.0.") .verb $filled.value -}}
{{- dict "name" "OUTRIGGER_CONFIG" "value" (include "outrigger-0.2.0.kit.asWritten" (toPrettyJson $document)) | toJson -}}
{{- end -}}

{{- /*
Leaves out of a dict, and of those in it, the keys without a value: null, an empty text, list or dict. 0 and false are
values.
Takes: value, the dict
Sets: .value, another dict
*/ -}}
{{- define "outrigger-0.2.0.kit.dropEmpty" -}}
{{- $kept := dict -}}
{{- range $key, $value := .value -}}
  {{- if kindIs "map" $value -}}
    {{- $inner := dict "value" $value -}}
    {{- include "outrigger-0.2.0.kit.dropEmpty" $inner -}}
    {{- if $inner.value -}}{{- $_ := set $kept $key $inner.value -}}{{- end -}}
  {{- else if or $value (kindIs "bool" $value) (kindIs "int" $value) (kindIs "int64" $value) (kindIs "float64" $value) -}}
    {{- $_ := set $kept $key $value -}}
  {{- end -}}
{{- end -}}
{{- $_ := set . "value" $kept -}}
{{- end -}}

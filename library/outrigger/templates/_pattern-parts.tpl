{{- /*
Prints a dict as YAML, with what its texts say as templates: a chart's values name its own Service and Secret so. Takes a
list: what a pattern takes, the dict.
*/ -}}
{{- define "outrigger-0.1.0.evaluated" -}}
{{- $text := toYaml (index . 1) -}}
{{- if contains "{{" $text -}}{{- $text = tpl $text (index . 0).context -}}{{- end -}}
{{- $text -}}
{{- end -}}

{{- /*
Adds a problem to a contribution. Takes a list: what a pattern takes, the message.
*/ -}}
{{- define "outrigger-0.1.0.addProblem" -}}
{{- $contribution := (index . 0).contribution -}}
{{- $_ := set $contribution "problems" (append ($contribution.problems | default list) (index . 1)) -}}
{{- end -}}

{{- /*
Prints the one of some keys that is set. Takes a list: what a pattern takes, what is chosen, the dict, the keys.
*/ -}}
{{- define "outrigger-0.1.0.choice" -}}
{{- $found := list -}}
{{- range index . 3 -}}
  {{- if kindIs "map" (get (index $ 2) .) -}}{{- $found = append $found . -}}{{- end -}}
{{- end -}}
{{- if eq (len $found) 1 -}}
{{- first $found -}}
{{- else -}}
{{- include "outrigger-0.1.0.addProblem" (list (index . 0) (printf "needs one %s and has %s; set one of %s" (index . 1) (empty $found | ternary "none" (join " and " $found)) (join ", " (index . 3)))) -}}
{{- end -}}
{{- end -}}

{{- /*
Prints the variables of a list, as JSON: name to value, where a dict of the value's is taken as it is. Empty ones are left
out. A text reaches the program as it is written. Takes the dict of names and values.
*/ -}}
{{- define "outrigger-0.1.0.variables" -}}
{{- $env := list -}}
{{- range $name, $value := . -}}
  {{- if kindIs "map" $value -}}
    {{- $env = append $env (dict "name" $name "valueFrom" $value) -}}
  {{- else if $value -}}
    {{- $env = append $env (dict "name" $name "value" (include "outrigger-0.1.0.asWritten" $value)) -}}
  {{- end -}}
{{- end -}}
{{- toJson $env -}}
{{- end -}}

{{- /*
Prints a reference to a key of a Secret, as the fields of a variable. Takes a list: the Secret's name, or a dict of name
and key; the key that is meant where none is said.
*/ -}}
{{- define "outrigger-0.1.0.secretKey" -}}
{{- $secret := index . 0 -}}
{{- if kindIs "string" $secret -}}{{- $secret = dict "name" $secret -}}{{- end -}}
{{- dict "secretKeyRef" (dict "name" $secret.name "key" ($secret.key | default (index . 1))) | toJson -}}
{{- end -}}

{{- /*
Prints the seconds of a duration as Prometheus writes it: 1d2h30m. Takes the text.
*/ -}}
{{- define "outrigger-0.1.0.seconds" -}}
{{- $units := dict "w" 604800 "d" 86400 "h" 3600 "m" 60 "s" 1 -}}
{{- $seconds := 0 -}}
{{- range regexFindAll "[0-9]+[wdhms]" . -1 -}}
  {{- $seconds = add $seconds (mul (regexFind "[0-9]+" . | atoi) (get $units (regexFind "[a-z]" .))) -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}

{{- /*
Prints the seconds of a duration, or nothing. Takes the text.
*/ -}}
{{- define "outrigger-0.1.0.secondsOrNone" -}}
{{- if . -}}{{- include "outrigger-0.1.0.seconds" . -}}{{- end -}}
{{- end -}}

{{- /*
Prints, as JSON, texts of a command that reach the program as they are written.
*/ -}}
{{- define "outrigger-0.1.0.literals" -}}
{{- $texts := list -}}
{{- range . -}}{{- $texts = append $texts (include "outrigger-0.1.0.asWritten" .) -}}{{- end -}}
{{- toJson $texts -}}
{{- end -}}

{{- /*
Prints a text so that it reaches the program as it is written, by its environment or its command: there Kubernetes takes $(NAME)
for the variable's value, and $$ for $.
*/ -}}
{{- define "outrigger-0.1.0.asWritten" -}}
{{- toString . | replace "$" "$$" -}}
{{- end -}}

{{- /*
That Kubernetes takes the name of an object.
Takes: state; name
Reports: fails where it does not
*/ -}}
{{- define "outrigger-0.2.0.objects.checkName" -}}
{{- $state := .state -}}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$" .name) -}}
  {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (printf "the object %q" .name)
        "message" "Kubernetes takes no such name; write lower case letters, digits, - and . in what it is made of: fullnameOverride or nameOverride of the chart's values, the call's name, its workload") -}}
  {{- include "outrigger-0.2.0.kit.failWithProblems" $state -}}
{{- end -}}
{{- end -}}

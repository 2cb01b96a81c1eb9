{{- /*
The name of the CronJob that outrigger.objects makes of an entry.
Takes: what outrigger.objectName takes
Prints: the name, or nothing where it makes none
Reports: fails where pattern or entry is missing
*/ -}}
{{- define "outrigger-0.2.0.objects.name" -}}
{{- $state := dict -}}
{{- include "outrigger-0.2.0.pod.state" (dict "state" $state "arguments" .) -}}
{{- if not (and .pattern .entry) -}}
  {{- fail "outrigger.objectName: the pattern or the entry is missing; write (dict \"context\" $ \"pattern\" \"backups\" \"entry\" \"NAME\")" -}}
{{- end -}}
{{- $wanted := compact (list .entry .task) | join "-" -}}
{{- include "outrigger-0.2.0.pod.entries" $state -}}
{{- range $entry := $state.entries -}}
  {{- if and (eq $entry.pattern $.pattern) (eq $entry.name $.entry) -}}
    {{- $_ := set $state "entries" (list $entry) -}}
    {{- include "outrigger-0.2.0.pod.contributions" $state -}}
  {{- end -}}
{{- end -}}
{{- range $state.contributions -}}
  {{- range .cronJobs -}}
    {{- if eq .name $wanted -}}{{- include "outrigger-0.2.0.objects.ownCronJobName" (dict "state" $state "cronJob" .) -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

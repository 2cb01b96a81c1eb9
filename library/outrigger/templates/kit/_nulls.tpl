{{- /*
Leaves out what is null, at any depth: so a user takes away what the chart's author wrote. Some keep what they have, as
null means more there: a securityContext, limits and requests, and the fields of a Job or CronJob, where it takes away the
library's default too; and extraConfig, where it takes away the collector's.
Takes: value; claim, optional, true for what is a volume claim's, which has no defaults
Sets: .value
*/ -}}
{{- define "outrigger-0.2.0.kit.dropNulls" -}}
{{- $holder := . -}}
{{- /* It is quick to see that there is none, and mostly there is none. */ -}}
{{- if and (or (kindIs "map" .value) (kindIs "slice" .value)) (contains ":null" (toJson .value)) -}}
  {{- if kindIs "map" .value -}}
    {{- $kept := dict -}}
    {{- $jobFields := list "activeDeadlineSeconds" "backoffLimit" "concurrencyPolicy" "failedJobsHistoryLimit" "startingDeadlineSeconds"
          "successfulJobsHistoryLimit" "ttlSecondsAfterFinished" -}}
    {{- range $key, $value := .value -}}
      {{- $one := dict "value" $value "claim" (or $holder.claim (eq $key "ephemeral")) -}}
      {{- $whole := or (has $key (list "extraConfig" "securityContext")) (and (has $key (list "limits" "requests")) (not $holder.claim)) -}}
      {{- if not $whole -}}{{- include "outrigger-0.2.0.kit.dropNulls" $one -}}{{- end -}}
      {{- if or (not (kindIs "invalid" $value)) (has $key $jobFields) -}}{{- $_ := set $kept $key $one.value -}}{{- end -}}
    {{- end -}}
    {{- $_ := set $holder "value" $kept -}}
  {{- else -}}
    {{- $kept := list -}}
    {{- range .value -}}
      {{- $one := dict "value" . "claim" $holder.claim -}}
      {{- include "outrigger-0.2.0.kit.dropNulls" $one -}}
      {{- $kept = append $kept $one.value -}}
    {{- end -}}
    {{- $_ := set $holder "value" $kept -}}
  {{- end -}}
{{- end -}}
{{- end -}}

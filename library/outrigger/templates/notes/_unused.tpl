{{- /*
Which entries and settings are for no workload of the release, and which pods of Helm hooks are as they were.
Takes: the arguments of outrigger.notes
Prints: the sections, or nothing
*/ -}}
{{- define "outrigger-0.2.0.notes.unused" -}}
{{- $state := dict -}}
{{- include "outrigger-0.2.0.pod.state" (dict "state" $state "arguments" (pick . "context")) -}}
{{- include "outrigger-0.2.0.pod.entries" $state -}}
{{- $seen := $state.library.seen | default dict -}}
{{- $workloads := keys ($seen.workloads | default dict) | sortAlpha -}}
{{- $lines := list -}}
{{- range $entry := $state.entries -}}
  {{- $wanted := $entry.config.workloads -}}
  {{- $found := list -}}
  {{- range $wanted -}}{{- if has . $workloads -}}{{- $found = append $found . -}}{{- end -}}{{- end -}}
  {{- if and $wanted (not $found) -}}
    {{- $lines = append $lines (printf "%s is for the workloads %s" $entry.path (include "outrigger-0.2.0.kit.quoteAll" $wanted)) -}}
  {{- end -}}
{{- end -}}
{{- range $name, $_ := $state.values.workloads -}}
  {{- if not (has $name $workloads) -}}{{- $lines = append $lines (printf "%s.workloads.%s" $state.key $name) -}}{{- end -}}
{{- end -}}
{{- if $lines -}}
  {{- printf "FOR NO POD of this release, whose workloads are %s" (include "outrigger-0.2.0.kit.quoteAll" $workloads | default "without names") -}}
  {{- range $lines }}{{ printf "\n  %s" . }}{{ end -}}
  {{- print "\nNot counted are pods of files whose names begin with a digit or a capital letter:\nHelm renders these after the notes" -}}
{{- end -}}
{{- with $seen.hooks -}}
  {{- if $lines }}{{ "\n\n" }}{{ end -}}
  {{- print "AS THEY WERE, since they are pods of Helm hooks; \"hook\" true on the call of\noutrigger.manifest gives them sidecars too" -}}
  {{- range . }}{{ printf "\n  %s" .title }}{{ end -}}
{{- end -}}
{{- end -}}

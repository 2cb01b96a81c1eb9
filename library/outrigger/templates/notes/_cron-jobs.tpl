{{- /*
The CronJobs that the library has printed, by the entry that they are of, for NOTES.txt.
Takes: context, the chart's root; now, in seconds since 1970
Prints: the sections, or nothing
*/ -}}
{{- define "outrigger-0.2.0.notes.cronJobs" -}}
{{- $now := int64 .now -}}
{{- $entries := dict -}}
{{- $found := dict "context" .context -}}
{{- include "outrigger.find" $found -}}
{{- range ($found.library.seen | default dict).scheduled -}}
  {{- $_ := set $entries .path (append (get $entries .path | default list) .) -}}
{{- end -}}
{{- $sections := list -}}
{{- range $path, $cronJobs := $entries -}}
  {{- $sections = append $sections (include "outrigger-0.2.0.notes.cronJobsOfEntry" (dict "path" $path "cronJobs" $cronJobs "now" $now)) -}}
{{- end -}}
{{- join "\n\n" $sections -}}
{{- end -}}

{{- /*
The CronJobs of one entry: when each runs, and what a person does with them.
Takes: path, the entry's, or "" for those of the chart's own files; cronJobs, as kit.remember describes them; now
Prints: the section
*/ -}}
{{- define "outrigger-0.2.0.notes.cronJobsOfEntry" -}}
{{- printf "CRONJOBS of %s" (.path | default "the chart's own files") -}}
{{- range .cronJobs -}}
  {{- if not .byHand -}}
    {{- $zone := empty .timeZone | ternary "in the control plane's time zone, mostly UTC" (printf "in %s" .timeZone) -}}
    {{- printf "\n  %s\n    %s, %s" .name .schedule $zone -}}
    {{- with include "outrigger-0.2.0.notes.runs" (dict "cronJob" . "now" $.now) -}}{{- printf "\n    %s" . -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- with first .cronJobs -}}
  {{- if .selector -}}{{- printf "\n  See them, their Jobs and pods:\n    kubectl --namespace %s get cronjob,job,pod --selector %s" .namespace .selector -}}{{- end -}}
{{- end -}}
{{- range .cronJobs -}}
  {{- if .byHand -}}{{- printf "\n  %s:\n    %s" .byHand.title (include "outrigger-0.2.0.notes.byHand" . | replace "\n" "\n      ") -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
When a CronJob runs next.
Takes: cronJob, as kit.remember describes it; now
Prints: the text, or nothing where Helm cannot know
*/ -}}
{{- define "outrigger-0.2.0.notes.runs" -}}
{{- $zone := .cronJob.timeZone | default "UTC" -}}
{{- $schedule := .cronJob.schedule -}}
{{- if .cronJob.suspend -}}
  never by itself, as it is suspended
{{- else if not (or (include "outrigger-0.2.0.kit.scheduleProblem" $schedule) (contains "@every" $schedule) (not (include "outrigger-0.2.0.notes.knowsZone" $zone))) -}}
  {{- $texts := list -}}
  {{- range include "outrigger-0.2.0.notes.nextRuns" (dict "schedule" $schedule "zone" $zone "after" .now) | splitList " " | compact -}}
    {{- $texts = append $texts (dateInZone "Mon 2 Jan 2006 15:04 MST" (int64 .) $zone) -}}
  {{- end -}}
  {{- empty $texts | ternary "never, as there is no such date" (printf "next %s" (join ", then " $texts)) -}}
{{- end -}}
{{- end -}}

{{- /*
The command by which a person runs a CronJob, or has a container of the app's pod do the same. Its variables are empty, so
that it may be run as it is.
Takes: the CronJob, as kit.remember describes it, with byHand
Prints: the command
*/ -}}
{{- define "outrigger-0.2.0.notes.byHand" -}}
{{- $kubectl := printf "kubectl --namespace %s" .namespace -}}
{{- $variables := printf "%s=" (join "= " .byHand.variables) -}}
{{- if .byHand.command -}}
{{ $kubectl }} exec POD --container {{ .byHand.container }} -- \
/outrigger-tools/busybox env {{ $variables }} {{ join " " .byHand.command }}
{{- else -}}
{{ $kubectl }} create job {{ .byHand.job }} --from=cronjob/{{ .name }} --dry-run=client --output=yaml |
kubectl set env --local --filename=- --output=yaml {{ $variables }} |
{{ $kubectl }} create --filename=-
{{- end -}}
{{- end -}}

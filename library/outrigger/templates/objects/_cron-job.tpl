{{- /*
Prints a CronJob from a pod template. Takes what outrigger.cronJob takes. Its name leaves the 11 characters that the
controller adds to those of its Jobs.
*/ -}}
{{- define "outrigger-0.1.0.objects.cronJob" -}}
{{- $state := dict -}}
{{- include "outrigger-0.1.0.objects.composedJob" (list $state . "cronJobs") -}}
{{- $metadata := include "outrigger-0.1.0.objects.metadata" (list $state . 52 "") | fromYaml -}}
{{- include "outrigger-0.1.0.kit.remember" (dict "context" $state.context "kind" "cronJobs" "key" $metadata.name "value" $state.jobPath) -}}
{{- with get $state.library.seen.patternCronJobs $metadata.name -}}
  {{- include "outrigger-0.1.0.objects.sameName" (list $state $state.jobPath . $metadata.name) -}}
  {{- include "outrigger-0.1.0.kit.failWithProblems" $state -}}
{{- end -}}
{{- include "outrigger-0.1.0.objects.printCronJob" (list $state $metadata) -}}
{{- end -}}

{{- /*
Prints the CronJob of a completed Job. Takes a list: the state, with jobConfig, jobPath and jobSpec; the CronJob's metadata,
whose labels its Jobs have too.
*/ -}}
{{- define "outrigger-0.1.0.objects.printCronJob" -}}
{{- $state := index . 0 -}}
{{- $metadata := index . 1 -}}
{{- $spec := dict -}}
{{- include "outrigger-0.1.0.kit.overlay" (dict "into" $spec "from" $state.values.defaults.cronJob) -}}
{{- include "outrigger-0.1.0.kit.overlay" (dict "into" $spec "from" (pick $state.jobConfig "schedule" "timeZone" "concurrencyPolicy" "startingDeadlineSeconds" "suspend" "successfulJobsHistoryLimit" "failedJobsHistoryLimit")) -}}
{{- with include "outrigger-0.1.0.kit.scheduleProblem" $spec.schedule -}}
  {{- include "outrigger-0.1.0.kit.problem" (dict "state" $state "path" $state.jobPath "message" (printf "schedule %s" .)) -}}
  {{- include "outrigger-0.1.0.kit.failWithProblems" $state -}}
{{- end -}}
{{- $_ := set $spec "jobTemplate" (dict "metadata" (dict "labels" $metadata.labels) "spec" $state.jobSpec) -}}
---
{{ include "outrigger-0.1.0.pod.print" (dict "apiVersion" "batch/v1" "kind" "CronJob" "metadata" $metadata "spec" $spec) }}
{{ end -}}

{{- /*
Adds a problem for each CronJob of a pattern's whose name another one has: a pattern's too, or one that outrigger.cronJob
has printed by now. Remembers the names for those that it prints later. Takes the state, with contributions.
*/ -}}
{{- define "outrigger-0.1.0.objects.checkOwnCronJobNames" -}}
{{- $state := . -}}
{{- $names := dict -}}
{{- range $contribution := .contributions -}}
  {{- range .cronJobs -}}
    {{- $name := include "outrigger-0.1.0.objects.ownCronJobName" (list $state .) -}}
    {{- range compact (list (get (($state.library.seen | default dict).cronJobs | default dict) $name) (get $names $name)) -}}
      {{- include "outrigger-0.1.0.objects.sameName" (list $state . $contribution.path $name) -}}
    {{- end -}}
    {{- $_ := set $names $name $contribution.path -}}
    {{- include "outrigger-0.1.0.kit.remember" (dict "context" $state.context "kind" "patternCronJobs" "key" $name "value" $contribution.path) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Adds the problem of two CronJobs of one name. Takes a list: the state, the values paths of both, the name.
*/ -}}
{{- define "outrigger-0.1.0.objects.sameName" -}}
{{- include "outrigger-0.1.0.kit.problem" (dict "state" (index . 0) "path" (printf "%s and %s" (index . 1) (index . 2))
      "message" (printf "both make a CronJob %q; rename one of them" (index . 3))) -}}
{{- end -}}

{{- /*
Prints the name of a CronJob of a pattern's own. Takes a list: the state, and the dict that outrigger-….objects.ownCronJob
takes.
*/ -}}
{{- define "outrigger-0.1.0.objects.ownCronJobName" -}}
{{- include "outrigger-0.1.0.kit.fit" (dict "name" (printf "%s-%s" (include "outrigger-0.1.0.kit.fullname" (index . 0)) (index . 1).name) "length" 52) -}}
{{- end -}}

{{- /*
Prints a CronJob of a pattern's own. Its pod is composed as an author's is, so that it has the library's defaults.
Takes a list: the state, the contribution, and a dict:
  name      what follows the full name in its name     schedule, timeZone  those of the CronJob
  suspend, backoffLimit  optional: those of the CronJob and its Jobs, whatever the config says
  parts     a dict: container, initContainers, sidecars, volumes, fsGroup
All other fields of the CronJob, its Jobs and their pods are taken from the contribution's config, as cronJobs.<name> has
them.
*/ -}}
{{- define "outrigger-0.1.0.objects.ownCronJob" -}}
{{- $contribution := index . 1 -}}
{{- $cronJob := index . 2 -}}
{{- $name := include "outrigger-0.1.0.objects.ownCronJobName" (list (index . 0) $cronJob) -}}
{{- $state := dict -}}
{{- include "outrigger-0.1.0.objects.ownPod" (list $state (index . 0) $contribution $cronJob $name) -}}
{{- $config := omit $contribution.config "schedule" "timeZone" -}}
{{- range $field, $value := pick $cronJob "schedule" "timeZone" "suspend" "backoffLimit" -}}
  {{- if not (kindIs "invalid" $value) -}}{{- $_ := set $config $field $value -}}{{- end -}}
{{- end -}}
{{- /* All runs have one hostname, by which one takes the locks of another for a killed one's. */ -}}
{{- $_ := set $config "concurrencyPolicy" "Forbid" -}}
{{- $_ := set $state "jobConfig" $config -}}
{{- $_ := set $state "jobPath" $contribution.path -}}
{{- include "outrigger-0.1.0.objects.completeJob" (list $state "cronJobs") -}}
{{- $metadata := include "outrigger-0.1.0.objects.metadata" (list $state (dict "name" $name) 52 "") | fromYaml -}}
{{- "\n" }}{{ include "outrigger-0.1.0.objects.printCronJob" (list $state $metadata) | trimSuffix "\n" -}}
{{- end -}}

{{- /*
Fills a state for the pod of a pattern's own CronJob, of which nobody is the author. Takes a list: the dict to fill, the state
that the contribution is of, the contribution, the dict that outrigger-….objects.ownCronJob takes, and the CronJob's name.
*/ -}}
{{- define "outrigger-0.1.0.objects.ownPod" -}}
{{- $state := index . 0 -}}
{{- $collected := index . 1 -}}
{{- $contribution := index . 2 -}}
{{- $cronJob := index . 3 -}}
{{- $name := index . 4 -}}
{{- $parts := $cronJob.parts -}}
{{- /* One hostname for all runs, and none of another release's: what a killed one has locked by it, the next one knows for its own. */ -}}
{{- $whose := compact (list $collected.values.cluster $collected.namespace $name) | join "/" -}}
{{- $hostname := include "outrigger-0.1.0.kit.fit" (dict "name" (printf "%s-%s" $collected.namespace $name) "length" 63 "checksum" (sha256sum $whose | trunc 8)) | replace "." "-" -}}
{{- $spec := dict "hostname" $hostname "automountServiceAccountToken" false "securityContext" (dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault")) -}}
{{- with $parts.fsGroup -}}{{- $_ := set $spec.securityContext "fsGroup" (int64 .) -}}{{- end -}}
{{- include "outrigger-0.1.0.pod.state" (dict "state" $state
      "arguments" (dict "context" $collected.context "workload" $cronJob.name "namespace" $collected.namespace)) -}}
{{- /* Settings are those of the app's pods. */ -}}
{{- $_ := set $state "settings" dict -}}
{{- $_ := set $state "view" "pod" -}}
{{- $_ := set $state "podTemplate" (dict "spec" $spec) -}}
{{- $_ := set $state "author" (dict "containers" list "initContainers" list "volumes" list "gracePeriod" false) -}}
{{- include "outrigger-0.1.0.pod.chooseForm" $state -}}
{{- $mine := dict "tools" true "containers" (list $parts.container) -}}
{{- include "outrigger-0.1.0.kit.overlay" (dict "into" $mine "from" (pick $contribution "name" "config" "path" "pattern" "template" "files")) -}}
{{- include "outrigger-0.1.0.kit.overlay" (dict "into" $mine "from" (pick $parts "volumes" "initContainers" "sidecars")) -}}
{{- $_ := set $state "contributions" (list $mine) -}}
{{- end -}}

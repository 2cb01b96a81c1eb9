{{- /*
A CronJob from a pod template. Its name leaves the 11 characters that the controller adds to those of its Jobs.
Takes: what outrigger.cronJob takes
Prints: a YAML document
Sets: what is remembered of CronJobs
Reports: fails with every problem found
*/ -}}
{{- define "outrigger-0.2.0.objects.cronJob" -}}
{{- $state := dict -}}
{{- include "outrigger-0.2.0.objects.composedJob" (dict "state" $state "arguments" . "kind" "cronJobs") -}}
{{- $metadata := include "outrigger-0.2.0.objects.metadata" (dict "state" $state "name" .name "length" 52) | fromYaml -}}
{{- include "outrigger-0.2.0.objects.rememberCronJob" (dict "state" $state "metadata" $metadata "path" $state.jobPath) -}}
{{- include "outrigger-0.2.0.objects.printCronJob" (dict "state" $state "metadata" $metadata) -}}
{{- end -}}

{{- /*
The CronJob of a completed Job.
Takes: state, with jobConfig, jobPath and jobSpec; metadata, the CronJob's, whose labels its Jobs have too; byHand
  (optional), as objects.ownCronJob describes it
Prints: a YAML document
Sets: what is remembered of CronJobs
Reports: fails where its schedule is none
*/ -}}
{{- define "outrigger-0.2.0.objects.printCronJob" -}}
{{- $state := .state -}}
{{- $metadata := .metadata -}}
{{- $spec := dict -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $spec "from" $state.values.defaults.cronJob) -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $spec "from" (pick $state.jobConfig "schedule" "timeZone" "concurrencyPolicy" "startingDeadlineSeconds" "suspend" "successfulJobsHistoryLimit" "failedJobsHistoryLimit")) -}}
{{- include "outrigger-0.2.0.kit.dropNone" (dict "fields" $spec) -}}
{{- with include "outrigger-0.2.0.kit.scheduleProblem" $spec.schedule -}}
  {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" $state.jobPath "message" (printf "schedule %s" .)) -}}
  {{- include "outrigger-0.2.0.kit.failWithProblems" $state -}}
{{- end -}}
{{- $_ := set $spec "jobTemplate" (dict "metadata" (dict "labels" $metadata.labels) "spec" $state.jobSpec) -}}
{{- $seen := pick $spec "schedule" "timeZone" "suspend" -}}
{{- $labels := include "outrigger-0.2.0.kit.jobLabels" $state | fromYaml -}}
{{- $selector := printf "app.kubernetes.io/instance=%s,app.kubernetes.io/name=%s" (get $labels "app.kubernetes.io/instance") (get $labels "app.kubernetes.io/name") -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $seen "from" (dict
      "name" $metadata.name "namespace" $metadata.namespace "path" $state.jobPath "selector" $selector "byHand" .byHand)) -}}
{{- include "outrigger-0.2.0.kit.remember" (dict "library" $state.library "kind" "scheduled" "key" (printf "%s/%s" $metadata.namespace $metadata.name) "value" $seen) -}}
---
{{ include "outrigger-0.2.0.pod.print" (dict "apiVersion" "batch/v1" "kind" "CronJob" "metadata" $metadata "spec" $spec) }}
{{ end -}}

{{- /*
Remembers a CronJob that no pattern makes, so that those of patterns have other names.
Takes: state, of which context, library and problems; metadata, of which name and namespace; path, of what makes it
Sets: what is remembered of CronJobs
Reports: fails where a pattern makes one of its name
*/ -}}
{{- define "outrigger-0.2.0.objects.rememberCronJob" -}}
{{- $key := printf "%s/%s" .metadata.namespace .metadata.name -}}
{{- include "outrigger-0.2.0.kit.remember" (dict "library" .state.library "kind" "cronJobs" "key" $key "value" .path) -}}
{{- with get .state.library.seen.patternCronJobs $key -}}
  {{- include "outrigger-0.2.0.objects.sameName" (dict "state" $.state "paths" (list $.path .) "name" $.metadata.name) -}}
  {{- include "outrigger-0.2.0.kit.failWithProblems" $.state -}}
{{- end -}}
{{- end -}}

{{- /*
CronJobs of patterns whose name another one has: a pattern's too, or one that has been remembered by now. Their names are
remembered for those that come later.
Takes: the State, with contributions
Sets: what is remembered of CronJobs
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.objects.checkOwnCronJobNames" -}}
{{- $state := . -}}
{{- $names := dict -}}
{{- range $contribution := .contributions -}}
  {{- range .cronJobs -}}
    {{- $name := include "outrigger-0.2.0.objects.ownCronJobName" (dict "state" $state "cronJob" .) -}}
    {{- $key := printf "%s/%s" $state.namespace $name -}}
    {{- range compact (list (get (($state.library.seen | default dict).cronJobs | default dict) $key) (get $names $key)) -}}
      {{- include "outrigger-0.2.0.objects.sameName" (dict "state" $state "paths" (list . $contribution.path) "name" $name) -}}
    {{- end -}}
    {{- $_ := set $names $key $contribution.path -}}
    {{- include "outrigger-0.2.0.kit.remember" (dict "library" $state.library "kind" "patternCronJobs" "key" $key "value" $contribution.path) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Two CronJobs of one name.
Takes: state; paths, the values paths of both; name
Reports: the problem
*/ -}}
{{- define "outrigger-0.2.0.objects.sameName" -}}
{{- include "outrigger-0.2.0.kit.problem" (dict "state" .state "path" (join " and " .paths)
      "message" (printf "both make a CronJob %q; rename one of them" .name)) -}}
{{- end -}}

{{- /*
The name of a CronJob of a pattern's own.
Takes: state; cronJob, as objects.ownCronJob describes it
Prints: the name
*/ -}}
{{- define "outrigger-0.2.0.objects.ownCronJobName" -}}
{{- include "outrigger-0.2.0.kit.fit" (dict "name" (printf "%s-%s" (include "outrigger-0.2.0.kit.fullname" .state) .cronJob.name) "length" 52) -}}
{{- end -}}

{{- /*
A CronJob of a pattern's own. Its pod is composed as an author's is, so that it has the library's defaults. What the
pattern says of it is a dict:
  name      what follows the full name in its name     schedule, timeZone  those of the CronJob
  suspend, backoffLimit  optional: those of the CronJob and its Jobs, whatever the config says
  parts     a dict: container, initContainers, sidecars, volumes, fsGroup
  byHand    optional, where a person runs it: a dict of title, for the notes; job (a name for its Job); variables (names of what is
            given to it); and container and command, where that container of the app's pod does it in a Job's place
All other fields of the CronJob, its Jobs and their pods are taken from the contribution's config, as cronJobs.<name>
has them.
Takes: state; contribution; cronJob, that dict
Prints: a YAML document
Sets: what is remembered of CronJobs
Reports: fails with every problem found
*/ -}}
{{- define "outrigger-0.2.0.objects.ownCronJob" -}}
{{- $contribution := .contribution -}}
{{- $cronJob := .cronJob -}}
{{- $name := include "outrigger-0.2.0.objects.ownCronJobName" (dict "state" .state "cronJob" $cronJob) -}}
{{- $state := dict -}}
{{- include "outrigger-0.2.0.objects.ownPod" (dict "state" $state "collected" .state "contribution" $contribution "cronJob" $cronJob "name" $name) -}}
{{- $config := omit $contribution.config "schedule" "timeZone" -}}
{{- range $field, $value := pick $cronJob "schedule" "timeZone" "suspend" "backoffLimit" -}}
  {{- if not (kindIs "invalid" $value) -}}{{- $_ := set $config $field $value -}}{{- end -}}
{{- end -}}
{{- /* All runs have one hostname, by which one takes the locks of another for a killed one's. */ -}}
{{- $_ := set $config "concurrencyPolicy" "Forbid" -}}
{{- $_ := set $state "jobConfig" $config -}}
{{- $_ := set $state "jobPath" $contribution.path -}}
{{- include "outrigger-0.2.0.objects.completeJob" (dict "state" $state "kind" "cronJobs") -}}
{{- $metadata := include "outrigger-0.2.0.objects.metadata" (dict "state" $state "name" $name "length" 52) | fromYaml -}}
{{- "\n" }}{{ include "outrigger-0.2.0.objects.printCronJob" (dict "state" $state "metadata" $metadata "byHand" $cronJob.byHand) | trimSuffix "\n" -}}
{{- end -}}

{{- /*
The State of the pod of a pattern's own CronJob, of which nobody is the author.
Takes: state, a dict that becomes the State; collected, the State that the contribution is of; contribution; cronJob,
  as objects.ownCronJob describes it; name, the CronJob's
Sets: the State, with the one contribution
*/ -}}
{{- define "outrigger-0.2.0.objects.ownPod" -}}
{{- $state := .state -}}
{{- $collected := .collected -}}
{{- $contribution := .contribution -}}
{{- $cronJob := .cronJob -}}
{{- $name := .name -}}
{{- $parts := $cronJob.parts -}}
{{- /* One hostname for all runs, and none of another release's: what a killed one has locked by it, the next one knows for its own. */ -}}
{{- $whose := compact (list $collected.values.cluster $collected.namespace $name) | join "/" -}}
{{- $hostname := include "outrigger-0.2.0.kit.fit" (dict "name" (printf "%s-%s" $collected.namespace $name) "length" 63 "checksum" (sha256sum $whose | trunc 8)) | replace "." "-" -}}
{{- $spec := dict "hostname" $hostname "automountServiceAccountToken" false "securityContext" (dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault")) -}}
{{- with $parts.fsGroup -}}{{- $_ := set $spec.securityContext "fsGroup" (int64 .) -}}{{- end -}}
{{- include "outrigger-0.2.0.pod.state" (dict "state" $state
      "arguments" (dict "context" $collected.context "workload" $cronJob.name "namespace" $collected.namespace)) -}}
{{- /* Settings are those of the app's pods. */ -}}
{{- $_ := set $state "settings" dict -}}
{{- $_ := set $state "view" "pod" -}}
{{- $_ := set $state "podTemplate" (dict "spec" $spec) -}}
{{- $_ := set $state "author" (dict "containers" list "initContainers" list "volumes" list "gracePeriod" false) -}}
{{- include "outrigger-0.2.0.pod.chooseForm" $state -}}
{{- $mine := dict "tools" true "containers" (list $parts.container) -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $mine "from" (pick $contribution "name" "config" "path" "pattern" "template" "files" "imageKeys")) -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $mine "from" (pick $parts "volumes" "initContainers" "sidecars")) -}}
{{- $_ := set $state "contributions" (list $mine) -}}
{{- end -}}

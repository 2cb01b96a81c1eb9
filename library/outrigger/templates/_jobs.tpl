{{- /*
Prints a Job from a pod template. Takes what outrigger.job takes. What a Job runs cannot be changed: its name ends with a
checksum of its spec, so that an upgrade that changes the spec runs another one, and one that does not runs none.
*/ -}}
{{- define "outrigger-0.1.0.job" -}}
{{- $work := dict -}}
{{- include "outrigger-0.1.0.composedJob" (list $work . "jobs") -}}
{{- $checksum := or .hook .name | empty | ternary (toJson $work.jobSpec | sha256sum | trunc 8) "" -}}
{{- $metadata := include "outrigger-0.1.0.jobMetadata" (list $work . 63 $checksum) | fromYaml -}}
{{- with .hook -}}
  {{- $_ := set $metadata "annotations" (set ($metadata.annotations | default dict) "helm.sh/hook" .) -}}
  {{- $_ := set $metadata.annotations "helm.sh/hook-weight" ($.hookWeight | default 0 | toString) -}}
  {{- if not (hasKey $metadata.annotations "helm.sh/hook-delete-policy") -}}
    {{- $_ := set $metadata.annotations "helm.sh/hook-delete-policy" "before-hook-creation" -}}
  {{- end -}}
{{- end -}}
---
{{ toYaml (dict "apiVersion" "batch/v1" "kind" "Job" "metadata" $metadata "spec" $work.jobSpec) }}
{{- if .hook }}
{{ include "outrigger-0.1.0.configMap" (list $work .) }}
{{- end }}
{{ end -}}

{{- /*
Prints a CronJob from a pod template. Takes what outrigger.cronJob takes. Its name leaves the 11 characters that the
controller adds to those of its Jobs.
*/ -}}
{{- define "outrigger-0.1.0.cronJob" -}}
{{- $work := dict -}}
{{- include "outrigger-0.1.0.composedJob" (list $work . "cronJobs") -}}
{{- $spec := dict -}}
{{- include "outrigger-0.1.0.overlay" (list $spec $work.values.defaults.cronJob) -}}
{{- include "outrigger-0.1.0.overlay" (list $spec (pick $work.jobConfig "schedule" "timeZone" "concurrencyPolicy" "startingDeadlineSeconds" "suspend" "successfulJobsHistoryLimit" "failedJobsHistoryLimit")) -}}
{{- if not $spec.schedule -}}
  {{- fail (printf "outrigger: %s.schedule is missing; set it to a cron expression such as \"17 * * * *\"" $work.jobPath) -}}
{{- end -}}
{{- $metadata := include "outrigger-0.1.0.jobMetadata" (list $work . 52 "") | fromYaml -}}
{{- $jobTemplate := dict "spec" $work.jobSpec -}}
{{- with $metadata.labels -}}{{- $_ := set $jobTemplate "metadata" (dict "labels" .) -}}{{- end -}}
{{- $_ := set $spec "jobTemplate" $jobTemplate -}}
---
{{ toYaml (dict "apiVersion" "batch/v1" "kind" "CronJob" "metadata" $metadata "spec" $spec) }}
{{ end -}}

{{- /*
Composes the pod of a Job. Sets in the work dict: jobSpec, jobConfig (the values of this job) and jobPath. Takes a list:
an empty dict, the call's arguments, `jobs` or `cronJobs`.
*/ -}}
{{- define "outrigger-0.1.0.composedJob" -}}
{{- $work := index . 0 -}}
{{- $call := index . 1 -}}
{{- if not $call.workload -}}
  {{- fail (printf "outrigger: the workload is missing; write (dict \"context\" $ \"template\" \"NAME\" \"workload\" \"NAME\"), which finds its values under %s.NAME" (index . 2)) -}}
{{- end -}}
{{- include "outrigger-0.1.0.begin" . -}}
{{- $config := get (get $work.values (index . 2) | default dict) $call.workload | default dict -}}
{{- $_ := set $work "jobConfig" $config -}}
{{- $_ := set $work "jobPath" (printf "%s.%s.%s" $work.key (index . 2) $call.workload) -}}
{{- include "outrigger-0.1.0.jobPod" $work -}}
{{- include "outrigger-0.1.0.compose" $work -}}
{{- include "outrigger-0.1.0.checkJob" $work -}}
{{- include "outrigger-0.1.0.check" $work -}}
{{- $spec := dict -}}
{{- if or $call.hook (eq (index . 2) "cronJobs") -}}{{- $_ := set $spec "ttlSecondsAfterFinished" (include "outrigger-0.1.0.finishedSeconds" . | int) -}}{{- end -}}
{{- include "outrigger-0.1.0.overlay" (list $spec $work.values.defaults.job) -}}
{{- include "outrigger-0.1.0.overlay" (list $spec (pick $config "backoffLimit" "ttlSecondsAfterFinished" "activeDeadlineSeconds" "completions" "parallelism" "completionMode" "podFailurePolicy" "backoffLimitPerIndex" "maxFailedIndexes" "podReplacementPolicy" "successPolicy")) -}}
{{- if eq (index . 2) "jobs" -}}{{- include "outrigger-0.1.0.overlay" (list $spec (pick $config "suspend")) -}}{{- end -}}
{{- $_ := set $spec "template" $work.podTemplate -}}
{{- $_ := set $work "jobSpec" $spec -}}
{{- end -}}

{{- /*
Prints the seconds for which a finished Job is kept that nobody else misses: a CronJob's, a hook's. A Job of the release has
none by itself: Helm would create it again with the next upgrade, and what it runs would run again.
*/ -}}
{{- define "outrigger-0.1.0.finishedSeconds" -}}86400{{- end -}}

{{- /*
Gives the pod of a Job what its values say, over the author's template, and restartPolicy Never where that says nothing.
Takes the work dict.
*/ -}}
{{- define "outrigger-0.1.0.jobPod" -}}
{{- $spec := .podTemplate.spec -}}
{{- if not $spec.restartPolicy -}}{{- $_ := set $spec "restartPolicy" "Never" -}}{{- end -}}
{{- include "outrigger-0.1.0.overlay" (list $spec (pick .jobConfig "serviceAccountName" "automountServiceAccountToken" "imagePullSecrets" "tolerations" "nodeSelector" "affinity" "priorityClassName" "restartPolicy")) -}}
{{- $metadata := .podTemplate.metadata | default dict -}}
{{- $labels := include "outrigger-0.1.0.keptLabels" . | fromYaml -}}
{{- include "outrigger-0.1.0.overlay" (list $labels (include "outrigger-0.1.0.jobLabels" . | fromYaml)) -}}
{{- include "outrigger-0.1.0.overlay" (list $labels .jobConfig.podLabels) -}}
{{- $annotations := dict -}}
{{- include "outrigger-0.1.0.overlay" (list $annotations $metadata.annotations) -}}
{{- include "outrigger-0.1.0.overlay" (list $annotations .jobConfig.podAnnotations) -}}
{{- $_ := set $metadata "labels" $labels -}}
{{- if $annotations -}}{{- $_ := set $metadata "annotations" $annotations -}}{{- end -}}
{{- $_ := set .podTemplate "metadata" $metadata -}}
{{- end -}}

{{- /*
Prints, as YAML, the labels of the author's template that a Job's pods keep: those that keepLabels names. All others may be
what a Service of the chart selects. Takes the work dict.
*/ -}}
{{- define "outrigger-0.1.0.keptLabels" -}}
{{- $work := . -}}
{{- $given := (.podTemplate.metadata | default dict).labels | default dict -}}
{{- $own := include "outrigger-0.1.0.jobLabels" . | fromYaml -}}
{{- $kept := dict -}}
{{- range $index, $name := .jobConfig.keepLabels -}}
  {{- $path := printf "%s.keepLabels[%d]" $work.jobPath $index -}}
  {{- if not (hasKey $given $name) -}}
    {{- include "outrigger-0.1.0.problem" (list $work $path (printf "the pod template has no label %q; name one of %s, or set %s.podLabels" $name (include "outrigger-0.1.0.quoteAll" (keys $given | sortAlpha) | default "those that it gets") $work.jobPath)) -}}
  {{- else if and (hasKey $own $name) (ne (get $own $name) (toString (get $given $name))) -}}
    {{- include "outrigger-0.1.0.problem" (list $work $path (printf "%q is one by which a Job's pods are told from the app's, and a Service may select; leave it out, or set %s.podLabels to have it all the same" $name $work.jobPath)) -}}
  {{- else -}}
    {{- $_ := set $kept $name (get $given $name) -}}
  {{- end -}}
{{- end -}}
{{- toYaml $kept -}}
{{- end -}}

{{- /*
A podFailurePolicy that would take a sidecar's exit code for the job's, or that Kubernetes refuses. Takes the work dict.
*/ -}}
{{- define "outrigger-0.1.0.checkJob" -}}
{{- $work := . -}}
{{- with .jobConfig.podFailurePolicy -}}
  {{- if ne $work.podTemplate.spec.restartPolicy "Never" -}}
    {{- include "outrigger-0.1.0.problem" (list $work (printf "%s.podFailurePolicy" $work.jobPath) (printf "needs restartPolicy Never and the pod's is %s; change one of them" $work.podTemplate.spec.restartPolicy)) -}}
  {{- end -}}
  {{- range $index, $rule := .rules -}}
    {{- if and $work.sidecars $rule.onExitCodes (not $rule.onExitCodes.containerName) -}}
      {{- include "outrigger-0.1.0.problem" (list $work (printf "%s.podFailurePolicy.rules[%d].onExitCodes" $work.jobPath $index) (printf "has no containerName, so that the exit code of a sidecar (%s) matches too; set it to %q" (include "outrigger-0.1.0.quoteAll" $work.sidecars) (first $work.author.containers).name)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Prints the labels of a Job and its pods. Their name is not the chart's, so that no selector of the chart's matches them
and no Service sends them requests. Takes the work dict.
*/ -}}
{{- define "outrigger-0.1.0.jobLabels" -}}
app.kubernetes.io/name: {{ include "outrigger-0.1.0.shorten" (printf "%s-%s" .context.Chart.Name .workload) }}
app.kubernetes.io/instance: {{ .context.Release.Name }}
app.kubernetes.io/component: {{ include "outrigger-0.1.0.shorten" .workload }}
{{- end -}}

{{- /*
Prints the metadata of a Job or CronJob as YAML. Takes a list: the work dict, the call's arguments, the length that its
name may have, and a checksum to end it ("" for none).
*/ -}}
{{- define "outrigger-0.1.0.jobMetadata" -}}
{{- $work := index . 0 -}}
{{- $name := (index . 1).name | default (printf "%s-%s" (include "outrigger-0.1.0.owner" $work) $work.workload) -}}
{{- $name = include "outrigger-0.1.0.fit" (list $name (index . 2) (index . 3)) -}}
{{- $labels := include "outrigger-0.1.0.jobLabels" $work | fromYaml -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" $work.context.Release.Service -}}
{{- include "outrigger-0.1.0.overlay" (list $labels (include "outrigger-0.1.0.chartLabel" $work | fromYaml)) -}}
{{- include "outrigger-0.1.0.overlay" (list $labels $work.jobConfig.labels) -}}
{{- $metadata := dict "name" $name "namespace" $work.context.Release.Namespace "labels" $labels -}}
{{- with $work.jobConfig.annotations -}}{{- $_ := set $metadata "annotations" (deepCopy .) -}}{{- end -}}
{{- toYaml $metadata -}}
{{- end -}}

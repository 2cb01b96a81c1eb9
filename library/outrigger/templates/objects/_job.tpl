{{- /*
Prints a Job from a pod template. Takes what outrigger.job takes. What a Job runs cannot be changed: its name ends with
a checksum of its spec, so that an upgrade that changes the spec runs another one, and one that does not runs none.
*/ -}}
{{- define "outrigger-0.1.0.objects.job" -}}
{{- $state := dict -}}
{{- include "outrigger-0.1.0.objects.composedJob" (list $state . "jobs") -}}
{{- $checksum := or .hook .name | empty | ternary (toJson $state.jobSpec | sha256sum | trunc 8) "" -}}
{{- $metadata := include "outrigger-0.1.0.objects.metadata" (list $state . 63 $checksum) | fromYaml -}}
{{- with .hook -}}
  {{- $_ := set $metadata "annotations" (set ($metadata.annotations | default dict) "helm.sh/hook" .) -}}
  {{- $_ := set $metadata.annotations "helm.sh/hook-weight" ($.hookWeight | default 0 | toString) -}}
  {{- if not (hasKey $metadata.annotations "helm.sh/hook-delete-policy") -}}
    {{- $_ := set $metadata.annotations "helm.sh/hook-delete-policy" "before-hook-creation" -}}
  {{- end -}}
{{- end -}}
---
{{ include "outrigger-0.1.0.pod.print" (dict "apiVersion" "batch/v1" "kind" "Job" "metadata" $metadata "spec" $state.jobSpec) }}
{{- if .hook }}
{{ include "outrigger-0.1.0.objects.configMap" (list $state .) }}
{{- end }}
{{ end -}}

{{- /*
Composes the pod of a Job. Sets in the state: jobSpec, jobConfig (the values of this job) and jobPath. Takes a list:
an empty dict, the call's arguments, `jobs` or `cronJobs`.
*/ -}}
{{- define "outrigger-0.1.0.objects.composedJob" -}}
{{- $state := index . 0 -}}
{{- $call := index . 1 -}}
{{- if not $call.workload -}}
  {{- fail (printf "outrigger: the workload is missing; write (dict \"context\" $ \"template\" \"NAME\" \"workload\" \"NAME\"), which finds its values under %s.NAME" (index . 2)) -}}
{{- end -}}
{{- include "outrigger-0.1.0.pod.readAndCollect" . -}}
{{- $entry := dict "context" $state.context "value" (get (get $state.values (index . 2) | default dict) $call.workload | default dict) -}}
{{- include "outrigger-0.1.0.kit.evaluateEntry" $entry -}}
{{- $_ := set $state "jobConfig" $entry.value -}}
{{- $_ := set $state "jobPath" (printf "%s.%s.%s" $state.key (index . 2) $call.workload) -}}
{{- include "outrigger-0.1.0.objects.completeJob" (list $state (index . 2)) -}}
{{- end -}}

{{- /*
Completes a Job: its pod by what its values say, and with its sidecars, then its spec. Sets .jobSpec of the state. Takes a
list: the state, with jobConfig, jobPath and contributions; `jobs` or `cronJobs`. Fails with every problem found.
*/ -}}
{{- define "outrigger-0.1.0.objects.completeJob" -}}
{{- $state := index . 0 -}}
{{- $config := $state.jobConfig -}}
{{- include "outrigger-0.1.0.objects.jobPod" $state -}}
{{- include "outrigger-0.1.0.pod.compose" $state -}}
{{- $spec := dict -}}
{{- if or $state.hook (eq (index . 1) "cronJobs") -}}{{- $_ := set $spec "ttlSecondsAfterFinished" (include "outrigger-0.1.0.objects.finishedSeconds" . | int) -}}{{- end -}}
{{- include "outrigger-0.1.0.kit.overlay" (dict "into" $spec "from" $state.values.defaults.job) -}}
{{- include "outrigger-0.1.0.kit.overlay" (dict "into" $spec "from" (pick $config "backoffLimit" "ttlSecondsAfterFinished" "activeDeadlineSeconds" "completions" "parallelism" "completionMode" "podFailurePolicy" "backoffLimitPerIndex" "maxFailedIndexes" "podReplacementPolicy" "successPolicy")) -}}
{{- if eq (index . 1) "jobs" -}}{{- include "outrigger-0.1.0.kit.overlay" (dict "into" $spec "from" (pick $config "suspend")) -}}{{- end -}}
{{- $_ := set $spec "template" $state.podTemplate -}}
{{- $_ := set $state "jobSpec" $spec -}}
{{- include "outrigger-0.1.0.check.job" $state -}}
{{- include "outrigger-0.1.0.check.pod" $state -}}
{{- end -}}

{{- /*
Prints the seconds for which a finished Job is kept that nobody else misses: a CronJob's, a hook's. A Job of the
release has none by itself: Helm would create it again with the next upgrade, and what it runs would run again.
*/ -}}
{{- define "outrigger-0.1.0.objects.finishedSeconds" -}}86400{{- end -}}

{{- /*
Gives the pod of a Job what its values say, over its template, and restartPolicy Never where that says nothing.
Takes the state.
*/ -}}
{{- define "outrigger-0.1.0.objects.jobPod" -}}
{{- $spec := .podTemplate.spec -}}
{{- if not $spec.restartPolicy -}}{{- $_ := set $spec "restartPolicy" "Never" -}}{{- end -}}
{{- include "outrigger-0.1.0.kit.overlay" (dict "into" $spec "from" (pick .jobConfig "serviceAccountName" "automountServiceAccountToken" "imagePullSecrets" "tolerations" "nodeSelector" "affinity" "priorityClassName" "restartPolicy")) -}}
{{- $metadata := .podTemplate.metadata | default dict -}}
{{- $labels := include "outrigger-0.1.0.objects.keptLabels" . | fromYaml -}}
{{- include "outrigger-0.1.0.kit.overlay" (dict "into" $labels "from" (include "outrigger-0.1.0.kit.jobLabels" . | fromYaml)) -}}
{{- include "outrigger-0.1.0.kit.overlay" (dict "into" $labels "from" .jobConfig.podLabels) -}}
{{- $annotations := dict -}}
{{- include "outrigger-0.1.0.kit.overlay" (dict "into" $annotations "from" $metadata.annotations) -}}
{{- include "outrigger-0.1.0.kit.overlay" (dict "into" $annotations "from" .jobConfig.podAnnotations) -}}
{{- $_ := set $metadata "labels" $labels -}}
{{- if $annotations -}}{{- $_ := set $metadata "annotations" $annotations -}}{{- end -}}
{{- $_ := set .podTemplate "metadata" $metadata -}}
{{- end -}}

{{- /*
Prints, as YAML, the labels of the author's template that a Job's pods keep: those that keepLabels names. All others
may be what a Service of the chart selects. Takes the state.
*/ -}}
{{- define "outrigger-0.1.0.objects.keptLabels" -}}
{{- $state := . -}}
{{- $given := (.podTemplate.metadata | default dict).labels | default dict -}}
{{- $own := include "outrigger-0.1.0.kit.jobLabels" . | fromYaml -}}
{{- $kept := dict -}}
{{- range $index, $name := .jobConfig.keepLabels -}}
  {{- $path := printf "%s.keepLabels[%d]" $state.jobPath $index -}}
  {{- if not (hasKey $given $name) -}}
    {{- include "outrigger-0.1.0.kit.problem" (dict "state" $state "path" $path
          "message" (printf "the pod template has no label %q; name one of %s, or set %s.podLabels" $name (include "outrigger-0.1.0.kit.quoteAll" (keys $given | sortAlpha) | default "those that it gets") $state.jobPath)) -}}
  {{- else if and (hasKey $own $name) (ne (get $own $name) (toString (get $given $name))) -}}
    {{- include "outrigger-0.1.0.kit.problem" (dict "state" $state "path" $path
          "message" (printf "%q is one by which a Job's pods are told from the app's, and a Service may select; leave it out, or set %s.podLabels to have it all the same" $name $state.jobPath)) -}}
  {{- else -}}
    {{- $_ := set $kept $name (get $given $name) -}}
  {{- end -}}
{{- end -}}
{{- toYaml $kept -}}
{{- end -}}

{{- /*
Prints the metadata of a Job or CronJob as YAML. Takes a list: the state, the call's arguments, the length that its
name may have, and a checksum to end it ("" for none).
*/ -}}
{{- define "outrigger-0.1.0.objects.metadata" -}}
{{- $state := index . 0 -}}
{{- $name := (index . 1).name | default (printf "%s-%s" (include "outrigger-0.1.0.kit.fullname" $state) $state.workload) -}}
{{- $name = include "outrigger-0.1.0.kit.fit" (dict "name" $name "length" (index . 2) "checksum" (index . 3)) -}}
{{- $labels := include "outrigger-0.1.0.kit.jobLabels" $state | fromYaml -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" $state.context.Release.Service -}}
{{- include "outrigger-0.1.0.kit.overlay" (dict "into" $labels "from" (include "outrigger-0.1.0.kit.chartLabel" $state | fromYaml)) -}}
{{- include "outrigger-0.1.0.kit.overlay" (dict "into" $labels "from" $state.jobConfig.labels) -}}
{{- $metadata := dict "name" $name "namespace" $state.namespace "labels" $labels -}}
{{- with $state.jobConfig.annotations -}}{{- $_ := set $metadata "annotations" (deepCopy .) -}}{{- end -}}
{{- toYaml $metadata -}}
{{- end -}}

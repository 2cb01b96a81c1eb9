{{- /*
A Job from a pod template. What a Job runs cannot be changed: its name ends with a checksum of its spec, so that an
upgrade that changes the spec runs another one, and one that does not runs none.
Takes: what outrigger.job takes
Prints: a YAML document, and for a hook a second one: its ConfigMap
Reports: fails with every problem found
*/ -}}
{{- define "outrigger-0.2.0.objects.job" -}}
{{- $state := dict -}}
{{- include "outrigger-0.2.0.objects.composedJob" (dict "state" $state "arguments" . "kind" "jobs") -}}
{{- $checksum := or .hook .name | empty | ternary (toJson $state.jobSpec | sha256sum | trunc 8) "" -}}
{{- $metadata := include "outrigger-0.2.0.objects.metadata" (dict "state" $state "name" .name "length" 63 "checksum" $checksum) | fromYaml -}}
{{- with .hook -}}
  {{- $_ := set $metadata "annotations" (set ($metadata.annotations | default dict) "helm.sh/hook" .) -}}
  {{- $_ := set $metadata.annotations "helm.sh/hook-weight" ($.hookWeight | default 0 | toString) -}}
  {{- if not (hasKey $metadata.annotations "helm.sh/hook-delete-policy") -}}
    {{- $_ := set $metadata.annotations "helm.sh/hook-delete-policy" "before-hook-creation" -}}
  {{- end -}}
{{- end -}}
---
{{ include "outrigger-0.2.0.pod.print" (dict "apiVersion" "batch/v1" "kind" "Job" "metadata" $metadata "spec" $state.jobSpec) }}
{{- if .hook }}
{{ include "outrigger-0.2.0.objects.configMap" (dict "state" $state "hookWeight" .hookWeight) }}
{{- end }}
{{ end -}}

{{- /*
Composes the pod of a Job, and completes the Job by what the values say of it.
Takes: state, a dict that becomes the State; arguments, of the call; kind, its values key: jobs or cronJobs
Sets: the State, with jobSpec, jobConfig and jobPath
Reports: fails with every problem found, or where the workload is missing
*/ -}}
{{- define "outrigger-0.2.0.objects.composedJob" -}}
{{- $state := .state -}}
{{- $arguments := .arguments -}}
{{- if not $arguments.workload -}}
  {{- fail (printf "outrigger: the workload is missing; write (dict \"context\" $ \"template\" \"NAME\" \"workload\" \"NAME\"), which finds its values under %s.NAME" .kind) -}}
{{- end -}}
{{- include "outrigger-0.2.0.pod.readAndCollect" . -}}
{{- $entry := dict "context" $state.context "value" (get (get $state.values .kind | default dict) $arguments.workload | default dict) -}}
{{- include "outrigger-0.2.0.kit.evaluateEntry" $entry -}}
{{- $_ := set $state "jobConfig" $entry.value -}}
{{- $_ := set $state "jobPath" (printf "%s.%s.%s" $state.key .kind $arguments.workload) -}}
{{- include "outrigger-0.2.0.objects.completeJob" (dict "state" $state "kind" .kind) -}}
{{- end -}}

{{- /*
Completes a Job: its pod by what its values say, and with its sidecars, then its spec.
Takes: state, with jobConfig, jobPath and contributions; kind, its values key: jobs or cronJobs
Sets: .podTemplate and .jobSpec of the state
Reports: fails with every problem found
*/ -}}
{{- define "outrigger-0.2.0.objects.completeJob" -}}
{{- $state := .state -}}
{{- $config := $state.jobConfig -}}
{{- include "outrigger-0.2.0.objects.jobPod" $state -}}
{{- include "outrigger-0.2.0.pod.compose" $state -}}
{{- $spec := dict -}}
{{- if or $state.hook (eq .kind "cronJobs") -}}{{- $_ := set $spec "ttlSecondsAfterFinished" (include "outrigger-0.2.0.objects.finishedSeconds" . | int) -}}{{- end -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $spec "from" $state.values.defaults.job) -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $spec "from" (pick $config "backoffLimit" "ttlSecondsAfterFinished" "activeDeadlineSeconds" "completions" "parallelism" "completionMode" "podFailurePolicy" "backoffLimitPerIndex" "maxFailedIndexes" "podReplacementPolicy" "successPolicy")) -}}
{{- if eq .kind "jobs" -}}{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $spec "from" (pick $config "suspend")) -}}{{- end -}}
{{- include "outrigger-0.2.0.kit.dropNone" (dict "fields" $spec) -}}
{{- $_ := set $spec "template" $state.podTemplate -}}
{{- $_ := set $state "jobSpec" $spec -}}
{{- include "outrigger-0.2.0.check.job" $state -}}
{{- include "outrigger-0.2.0.check.pod" $state -}}
{{- end -}}

{{- /*
The seconds for which a finished Job is kept that nobody else misses: a CronJob's, a hook's. A Job of the release has
none by itself: Helm would create it again with the next upgrade, and what it runs would run again.
Takes: nothing
Prints: the seconds
*/ -}}
{{- define "outrigger-0.2.0.objects.finishedSeconds" -}}86400{{- end -}}

{{- /*
Gives the pod of a Job what its values say, over its template, and restartPolicy Never where that says nothing.
Takes: the State, with jobConfig and jobPath
Sets: .podTemplate
Reports: what objects.keptLabels reports
*/ -}}
{{- define "outrigger-0.2.0.objects.jobPod" -}}
{{- $spec := .podTemplate.spec -}}
{{- if not $spec.restartPolicy -}}{{- $_ := set $spec "restartPolicy" "Never" -}}{{- end -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $spec "from" (pick .jobConfig "serviceAccountName" "automountServiceAccountToken" "imagePullSecrets" "tolerations" "nodeSelector" "affinity" "priorityClassName" "restartPolicy")) -}}
{{- $metadata := .podTemplate.metadata | default dict -}}
{{- $labels := include "outrigger-0.2.0.objects.keptLabels" . | fromYaml -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $labels "from" (include "outrigger-0.2.0.kit.jobLabels" . | fromYaml)) -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $labels "from" .jobConfig.podLabels) -}}
{{- $annotations := dict -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $annotations "from" $metadata.annotations) -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $annotations "from" .jobConfig.podAnnotations) -}}
{{- $_ := set $metadata "labels" $labels -}}
{{- if $annotations -}}{{- $_ := set $metadata "annotations" $annotations -}}{{- end -}}
{{- $_ := set .podTemplate "metadata" $metadata -}}
{{- end -}}

{{- /*
The labels of the author's template that a Job's pods keep: those that keepLabels names. All others may be what a
Service of the chart selects.
Takes: the State, with jobConfig and jobPath
Prints: the labels, as YAML
Reports: labels that the template does not have, or that a Job may not
*/ -}}
{{- define "outrigger-0.2.0.objects.keptLabels" -}}
{{- $state := . -}}
{{- $given := (.podTemplate.metadata | default dict).labels | default dict -}}
{{- $own := include "outrigger-0.2.0.kit.jobLabels" . | fromYaml -}}
{{- $kept := dict -}}
{{- range $index, $name := .jobConfig.keepLabels -}}
  {{- $path := printf "%s.keepLabels[%d]" $state.jobPath $index -}}
  {{- if not (hasKey $given $name) -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" $path
          "message" (printf "the pod template has no label %q; name one of %s, or set %s.podLabels" $name (include "outrigger-0.2.0.kit.quoteAll" (keys $given | sortAlpha) | default "those that it gets") $state.jobPath)) -}}
  {{- else if and (hasKey $own $name) (ne (get $own $name) (toString (get $given $name))) -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" $path
          "message" (printf "%q is one by which a Job's pods are told from the app's, and a Service may select; leave it out, or set %s.podLabels to have it all the same" $name $state.jobPath)) -}}
  {{- else -}}
    {{- $_ := set $kept $name (get $given $name) -}}
  {{- end -}}
{{- end -}}
{{- toYaml $kept -}}
{{- end -}}

{{- /*
The metadata of a Job or CronJob.
Takes: state, with jobConfig; name, or nothing where it is made of full name and workload; length, that it may have;
  checksum, optional, to end it in any case
Prints: the metadata, as YAML
Reports: what objects.checkName reports
*/ -}}
{{- define "outrigger-0.2.0.objects.metadata" -}}
{{- $state := .state -}}
{{- $name := .name | default (printf "%s-%s" (include "outrigger-0.2.0.kit.fullname" $state) $state.workload) -}}
{{- $name = include "outrigger-0.2.0.kit.fit" (dict "name" $name "length" .length "checksum" .checksum) -}}
{{- include "outrigger-0.2.0.objects.checkName" (dict "state" $state "name" $name) -}}
{{- $labels := include "outrigger-0.2.0.kit.objectLabels" $state | fromYaml -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $labels "from" $state.jobConfig.labels) -}}
{{- $metadata := dict "name" $name "namespace" $state.namespace "labels" $labels -}}
{{- with $state.jobConfig.annotations -}}{{- $_ := set $metadata "annotations" (deepCopy .) -}}{{- end -}}
{{- toYaml $metadata -}}
{{- end -}}

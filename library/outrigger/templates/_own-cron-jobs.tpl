{{- /*
Prints a CronJob of a pattern's own. Its pod is composed as an author's is, so that it has the library's defaults. Takes a
list: the work dict, the contribution, and a dict:
  name      what follows release and chart in its name     schedule, timeZone, suspend  those of the CronJob
  backoffLimit  that of its Jobs, whatever the config says
  parts     a dict: container, initContainers, sidecars, volumes, fsGroup
Fields of the CronJob, its Jobs and their pods are taken from the contribution's config, as cronJobs.<name> has them.
*/ -}}
{{- define "outrigger-0.1.0.ownCronJob" -}}
{{- $work := index . 0 -}}
{{- $contribution := index . 1 -}}
{{- $cronJob := index . 2 -}}
{{- $config := $contribution.config -}}
{{- $name := include "outrigger-0.1.0.fit" (list (printf "%s-%s" (include "outrigger-0.1.0.owner" $work) $cronJob.name) 52 "") -}}
{{- $pod := include "outrigger-0.1.0.ownPod" (append . $name) | fromJson -}}
{{- $jobSpec := dict "ttlSecondsAfterFinished" (include "outrigger-0.1.0.finishedSeconds" . | int) -}}
{{- include "outrigger-0.1.0.overlay" (list $jobSpec $work.values.defaults.job) -}}
{{- include "outrigger-0.1.0.overlay" (list $jobSpec (pick $config "backoffLimit" "ttlSecondsAfterFinished" "activeDeadlineSeconds")) -}}
{{- if hasKey $cronJob "backoffLimit" -}}{{- $_ := set $jobSpec "backoffLimit" ($cronJob.backoffLimit | int) -}}{{- end -}}
{{- $_ := set $jobSpec "template" $pod -}}
{{- $spec := dict -}}
{{- include "outrigger-0.1.0.overlay" (list $spec $work.values.defaults.cronJob) -}}
{{- include "outrigger-0.1.0.overlay" (list $spec (pick $config "startingDeadlineSeconds" "successfulJobsHistoryLimit" "failedJobsHistoryLimit" "suspend")) -}}
{{- $_ := set $spec "schedule" ($cronJob.schedule | default "") -}}
{{- with $cronJob.timeZone -}}{{- $_ := set $spec "timeZone" . -}}{{- end -}}
{{- if $cronJob.suspend -}}{{- $_ := set $spec "suspend" true -}}{{- end -}}
{{- $_ := set $spec "jobTemplate" (dict "metadata" (dict "labels" $pod.metadata.labels) "spec" $jobSpec) }}
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ $name }}
  namespace: {{ $work.context.Release.Namespace }}
  labels:
    {{- include "outrigger-0.1.0.objectLabels" $work | nindent 4 }}
    app.kubernetes.io/component: {{ include "outrigger-0.1.0.shorten" $cronJob.name }}
spec:
  {{- toYaml $spec | nindent 2 }}
{{- end -}}

{{- /*
Prints, as JSON, the pod template of a pattern's own CronJob. Takes what outrigger-….ownCronJob takes, and the CronJob's
name.
*/ -}}
{{- define "outrigger-0.1.0.ownPod" -}}
{{- $collected := index . 0 -}}
{{- $contribution := index . 1 -}}
{{- $cronJob := index . 2 -}}
{{- $parts := $cronJob.parts -}}
{{- $container := $parts.container -}}
{{- /* One hostname for all runs: what a killed one has locked by it, the next one knows for its own. */ -}}
{{- $spec := dict "hostname" (replace "." "-" (index . 3)) "restartPolicy" "Never" "automountServiceAccountToken" false "containers" (list $container) "securityContext" (dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault")) -}}
{{- with $parts.fsGroup -}}{{- $_ := set $spec.securityContext "fsGroup" (int64 .) -}}{{- end -}}
{{- include "outrigger-0.1.0.overlay" (list $spec (pick $contribution.config "serviceAccountName" "automountServiceAccountToken" "imagePullSecrets" "tolerations" "nodeSelector" "affinity" "priorityClassName")) -}}
{{- $labels := dict -}}
{{- include "outrigger-0.1.0.overlay" (list $labels (include "outrigger-0.1.0.jobLabels" (dict "context" $collected.context "workload" $cronJob.name) | fromYaml)) -}}
{{- include "outrigger-0.1.0.overlay" (list $labels $contribution.config.podLabels) -}}
{{- $metadata := dict "labels" $labels -}}
{{- with $contribution.config.podAnnotations -}}{{- $_ := set $metadata "annotations" (deepCopy .) -}}{{- end -}}
{{- $work := pick $collected "context" "key" "library" "values" "workload" "hook" -}}
{{- $_ := set $work "settings" dict -}}
{{- $_ := set $work "problems" list -}}
{{- $_ := set $work "podTemplate" (dict "metadata" $metadata "spec" $spec) -}}
{{- $_ := set $work "author" (dict "containers" (list $container) "initContainers" list "volumes" list "gracePeriod" false) -}}
{{- include "outrigger-0.1.0.form" $work -}}
{{- $mine := dict "config" $contribution.config "path" $contribution.path "pattern" $contribution.pattern "template" $contribution.template "files" $contribution.files "tools" true "volumes" $parts.volumes "initContainers" $parts.initContainers "sidecars" $parts.sidecars -}}
{{- $_ := set $work "contributions" (list $mine) -}}
{{- $_ := set $work "origins" dict -}}
{{- include "outrigger-0.1.0.podDefaults" $work -}}
{{- include "outrigger-0.1.0.container" (dict "work" $work "contribution" $mine "container" $container) -}}
{{- include "outrigger-0.1.0.compose" $work -}}
{{- include "outrigger-0.1.0.check" $work -}}
{{- toJson $work.podTemplate -}}
{{- end -}}

{{- /*
What of a Job's spec Kubernetes refuses for what else is in it, and a podFailurePolicy that would take a sidecar's
exit code for the job's.
Takes: the State, with jobSpec and jobPath; its pod is composed
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.job" -}}
{{- $state := . -}}
{{- $spec := .jobSpec -}}
{{- $indexed := eq ($spec.completionMode | default "") "Indexed" -}}
{{- $perIndex := and (hasKey $spec "backoffLimitPerIndex") (not (kindIs "invalid" $spec.backoffLimitPerIndex)) -}}
{{- $atMost := $spec.completions | default 0 | int64 -}}
{{- range list
      (dict "field" "completions" "found" (and $indexed (kindIs "invalid" $spec.completions))
        "message" "is missing, and completionMode is Indexed; set it to the number of indexes")
      (dict "field" "backoffLimitPerIndex" "found" (and $perIndex (not $indexed))
        "message" "means nothing without indexes; set completionMode to Indexed, or leave it out")
      (dict "field" "maxFailedIndexes" "found" (and (hasKey $spec "maxFailedIndexes") (not $perIndex))
        "message" "needs backoffLimitPerIndex; set it, or leave this out")
      (dict "field" "maxFailedIndexes" "found" (and $perIndex $indexed (gt ($spec.maxFailedIndexes | default 0 | int64) $atMost))
        "message" (printf "is more than there are indexes, completions: %d; lower it" $atMost))
      (dict "field" "successPolicy" "found" (and $spec.successPolicy (not $indexed))
        "message" "means nothing without indexes; set completionMode to Indexed, or leave it out")
      (dict "field" "podReplacementPolicy" "found" (and $spec.podFailurePolicy (ne ($spec.podReplacementPolicy | default "Failed") "Failed"))
        "message" "has to be Failed beside a podFailurePolicy; change it, or leave it out") -}}
  {{- if .found -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (printf "%s.%s" $state.jobPath .field) "message" .message) -}}
  {{- end -}}
{{- end -}}
{{- include "outrigger-0.2.0.check.fieldsOfNewer" (dict "state" . "type" "JobSpec" "value" $spec "path" .jobPath) -}}
{{- include "outrigger-0.2.0.check.fieldsOfNewer" (dict "state" . "type" "PodSpec" "value" (.jobConfig | default dict) "path" .jobPath) -}}
{{- with $spec.podFailurePolicy -}}
  {{- if ne $state.podTemplate.spec.restartPolicy "Never" -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (printf "%s.podFailurePolicy" $state.jobPath)
          "message" (printf "needs restartPolicy Never and the pod's is %s; change one of them" $state.podTemplate.spec.restartPolicy)) -}}
  {{- end -}}
  {{- range $index, $rule := .rules -}}
    {{- include "outrigger-0.2.0.check.podFailureRule" (dict "state" $state "rule" $rule "path" (printf "%s.podFailurePolicy.rules[%d]" $state.jobPath $index) "perIndex" $perIndex) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
One rule of a podFailurePolicy.
Takes: state; rule; path, its values path; perIndex, whether the Job has a backoffLimitPerIndex
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.podFailureRule" -}}
{{- $state := .state -}}
{{- $path := .path -}}
{{- if and (eq (.rule.action | default "") "FailIndex") (not .perIndex) -}}
  {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (printf "%s.action" $path)
        "message" "is FailIndex, which needs backoffLimitPerIndex; set that, or choose another action") -}}
{{- end -}}
{{- with .rule.onExitCodes -}}
  {{- $names := list -}}
  {{- range concat $state.podTemplate.spec.containers ($state.podTemplate.spec.initContainers | default list) -}}{{- $names = append $names .name -}}{{- end -}}
  {{- if and .containerName (not (has .containerName $names)) -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (printf "%s.onExitCodes.containerName" $path)
          "message" (printf "is %q, and the pod's containers are %s; choose one of them" .containerName (include "outrigger-0.2.0.kit.quoteAll" $names))) -}}
  {{- else if and $state.sidecars (not .containerName) -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (printf "%s.onExitCodes" $path)
          "message" (printf "has no containerName, so that the exit code of a sidecar (%s) matches too; set it to %q" (include "outrigger-0.2.0.kit.quoteAll" $state.sidecars) (first $state.appContainers).name)) -}}
  {{- end -}}
  {{- if eq (.operator | default "") "In" -}}
    {{- range .values -}}
      {{- if eq (int64 .) 0 -}}
        {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (printf "%s.onExitCodes.values" $path)
              "message" "has a 0, with which a container does not fail; leave it out") -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
A podFailurePolicy that would take a sidecar's exit code for the job's, or that Kubernetes refuses. Takes the state.
*/ -}}
{{- define "outrigger-0.1.0.check.job" -}}
{{- $state := . -}}
{{- with .jobConfig.podFailurePolicy -}}
  {{- if ne $state.podTemplate.spec.restartPolicy "Never" -}}
    {{- include "outrigger-0.1.0.kit.problem" (list $state (printf "%s.podFailurePolicy" $state.jobPath) (printf "needs restartPolicy Never and the pod's is %s; change one of them" $state.podTemplate.spec.restartPolicy)) -}}
  {{- end -}}
  {{- range $index, $rule := .rules -}}
    {{- if and $state.sidecars $rule.onExitCodes (not $rule.onExitCodes.containerName) -}}
      {{- include "outrigger-0.1.0.kit.problem" (list $state (printf "%s.podFailurePolicy.rules[%d].onExitCodes" $state.jobPath $index) (printf "has no containerName, so that the exit code of a sidecar (%s) matches too; set it to %q" (include "outrigger-0.1.0.kit.quoteAll" $state.sidecars) (first $state.author.containers).name)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Gives a pod without a terminationGracePeriodSeconds of its author's what the app and its sidecars declare, added up,
as one grace period is for all of them (KEP-753), and 2 seconds; an author's own is kept, and must hold what is
declared.
Takes: the State, with contributions
Sets: terminationGracePeriodSeconds of the pod, and the variables of sidecars that depend on it (`grace` of a
  Contribution)
Reports: an author's own that is too short, and what the variables' own conditions say
*/ -}}
{{- define "outrigger-0.2.0.pod.gracePeriod" -}}
{{- $state := . -}}
{{- $declared := list -}}
{{- $needed := 2 -}}
{{- $drains := 0 -}}
{{- with .settings.shutdownSeconds -}}
  {{- $declared = append $declared (printf "%s.shutdownSeconds %d" $state.key (int .)) -}}
  {{- $needed = add $needed (int .) -}}
{{- end -}}
{{- range .contributions -}}
  {{- if .sidecars -}}
    {{- $drains = add $drains (include "outrigger-0.2.0.kit.shutdownSeconds" (dict "values" $state.values "pattern" .pattern "config" .config) | int) -}}
    {{- if .config.shutdownSeconds -}}
      {{- $declared = append $declared (printf "%s.shutdownSeconds %d" .path (int .config.shutdownSeconds)) -}}
      {{- $needed = add $needed (int .config.shutdownSeconds) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $spec := .podTemplate.spec -}}
{{- if and .author.gracePeriod $declared (lt (int $spec.terminationGracePeriodSeconds) (int $needed)) -}}
  {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" "the pod template's terminationGracePeriodSeconds"
        "message" (printf "is %d, and %d are needed: %s, and 2 to spare; raise it to %d, or leave it to the library" (int $spec.terminationGracePeriodSeconds) $needed (join " + " $declared) $needed)) -}}
{{- else if and (not .author.gracePeriod) (or $drains $declared) -}}
  {{- $_ := set $spec "terminationGracePeriodSeconds" (add (hasKey .settings "shutdownSeconds" | ternary .settings.shutdownSeconds 30) $drains 2) -}}
{{- end -}}
{{- $seconds := kindIs "invalid" $spec.terminationGracePeriodSeconds | ternary 30 $spec.terminationGracePeriodSeconds | int -}}
{{- range $contribution := .contributions -}}
  {{- range .grace -}}
    {{- include "outrigger-0.2.0.pod.graceVariable" (dict "state" $state "contribution" $contribution "variable" . "seconds" $seconds) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Gives the sidecars of a contribution a variable that depends on the grace period.
Takes: state; contribution; variable, one of its `grace`; seconds, the pod's
Sets: the value in the sidecars' env
Reports: the variable's problem
*/ -}}
{{- define "outrigger-0.2.0.pod.graceVariable" -}}
{{- $variable := .variable -}}
{{- $seconds := sub .seconds $variable.less | max ($variable.atLeast | default 0) -}}
{{- range .contribution.sidecars -}}
  {{- range .env -}}
    {{- if eq .name $variable.name -}}{{- $_ := set . "value" (toString $seconds) -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- if and $variable.problem (le $seconds (int64 $variable.moreThan)) -}}
  {{- include "outrigger-0.2.0.kit.problem" (dict "state" .state "path" .contribution.path "message" $variable.problem) -}}
{{- end -}}
{{- end -}}

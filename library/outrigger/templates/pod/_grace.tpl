{{- /*
Gives a pod without a terminationGracePeriodSeconds of its author's what the app and its sidecars declare, added up, as
one grace period is for all of them (KEP-753), and 2 seconds; an author's own is kept, and must hold what is declared.
Sets .gracePeriodSeconds of the state.
*/ -}}
{{- define "outrigger-0.1.0.pod.gracePeriod" -}}
{{- $state := . -}}
{{- $declared := list -}}
{{- $needed := 2 -}}
{{- $drains := 0 -}}
{{- with .settings.shutdownSeconds -}}
  {{- $declared = append $declared (printf "%s.shutdownSeconds %d" $state.key (int .)) -}}
  {{- $needed = add $needed (int .) -}}
{{- end -}}
{{- range .entries -}}
  {{- $drains = add $drains (hasKey .config "shutdownSeconds" | ternary .config.shutdownSeconds (get $state.values.defaults.shutdownSeconds .pattern) | int) -}}
  {{- if .config.shutdownSeconds -}}
    {{- $declared = append $declared (printf "%s.shutdownSeconds %d" .path (int .config.shutdownSeconds)) -}}
    {{- $needed = add $needed (int .config.shutdownSeconds) -}}
  {{- end -}}
{{- end -}}
{{- $spec := .podTemplate.spec -}}
{{- if and .author.gracePeriod $declared (lt (int $spec.terminationGracePeriodSeconds) (int $needed)) -}}
  {{- include "outrigger-0.1.0.kit.problem" (list $state "the pod template's terminationGracePeriodSeconds" (printf "is %d, and %d are needed: %s, and 2 to spare; raise it to %d, or leave it to the library" (int $spec.terminationGracePeriodSeconds) $needed (join " + " $declared) $needed)) -}}
{{- else if and (not .author.gracePeriod) (or $drains $declared) -}}
  {{- $_ := set $spec "terminationGracePeriodSeconds" (add (hasKey .settings "shutdownSeconds" | ternary .settings.shutdownSeconds 30) $drains 2) -}}
{{- end -}}
{{- $_ := set $state "gracePeriodSeconds" (kindIs "invalid" $spec.terminationGracePeriodSeconds | ternary 30 $spec.terminationGracePeriodSeconds | int) -}}
{{- end -}}

{{- /*
Requests of the pod's containers that are together more than the pod's own (spec.resources), and a limit that is more
than the pod's: the API server refuses both when the pod is made (validatePodResourceConsistency), where a request that
is left out is the limit (SetDefaults_Pod). Of the author's containers alone it tells that itself.
Takes: the State, composed
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.podResources" -}}
{{- $state := . -}}
{{- $spec := .podTemplate.spec -}}
{{- $limits := $spec.resources.limits | default dict -}}
{{- $requests := $spec.resources.requests | default dict -}}
{{- range $resource, $_ := merge dict $requests $limits -}}
  {{- $kind := hasKey $requests $resource | ternary "requests" "limits" -}}
  {{- $bound := get (get $spec.resources $kind) $resource -}}
  {{- $needed := include "outrigger-0.2.0.check.requestedTogether" (dict "state" $state "resource" $resource) | fromJson -}}
  {{- if and $needed.contributed (gt (int64 $needed.amount) (include "outrigger-0.2.0.check.thousandths" $bound | int64)) -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (printf "the pod template's resources.%s.%s" $kind $resource)
          "message" (printf "is %v, and containers that run together request %s: %s; raise it, or lower what they request" $bound $needed.text (join ", " $needed.shares))) -}}
  {{- end -}}
{{- end -}}
{{- range $container := $spec.containers -}}
  {{- range $resource, $limit := ($container.resources | default dict).limits -}}
    {{- $bound := get $limits $resource -}}
    {{- if and $bound (hasKey $state.origins $container.name) (gt (include "outrigger-0.2.0.check.thousandths" $limit | int64) (include "outrigger-0.2.0.check.thousandths" $bound | int64)) -}}
      {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $container.name "field" (printf "resources.limits.%s" $resource)
            "message" (printf "is %v, more than the limit of the pod, %v (resources in the pod template's spec); lower it, or raise that" $limit $bound)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
What the containers of a pod that run at one time request at most: those that stay, or an init container and the
sidecars that have started before it (KEP-753).
Takes: state; resource, its name
Prints: as JSON: amount, in thousandths; text, as a quantity; shares, what each of them requests; contributed, whether
  one of them is the library's
*/ -}}
{{- define "outrigger-0.2.0.check.requestedTogether" -}}
{{- $state := .state -}}
{{- $resource := .resource -}}
{{- $spec := $state.podTemplate.spec -}}
{{- $most := dict "amount" 0 "shares" list "contributed" false -}}
{{- $staying := deepCopy $most -}}
{{- range concat ($spec.initContainers | default list) $spec.containers -}}
  {{- $resources := .resources | default dict -}}
  {{- $requests := pick ($resources.requests | default dict) $resource -}}
  {{- $request := get (empty $requests | ternary (pick ($resources.limits | default dict) $resource) $requests) $resource | toString -}}
  {{- if $request -}}
    {{- $together := dict
          "amount" (add $staying.amount (include "outrigger-0.2.0.check.thousandths" $request | int64))
          "shares" (append $staying.shares (printf "%s %s" (include "outrigger-0.2.0.kit.origin" (dict "state" $state "name" .name)) $request))
          "contributed" (or $staying.contributed (hasKey $state.origins .name)) -}}
    {{- if gt $together.amount $most.amount -}}{{- $most = $together -}}{{- end -}}
    {{- if or (eq (.restartPolicy | default "") "Always") (has . $spec.containers) -}}{{- $staying = $together -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- $_ := set $most "text" (printf "%dm" $most.amount) -}}
{{- if ne $resource "cpu" -}}
  {{- $bytes := div $most.amount 1000 -}}
  {{- $_ := set $most "text" (eq (mod $bytes 1048576) 0 | ternary (printf "%dMi" (div $bytes 1048576)) (toString $bytes)) -}}
{{- end -}}
{{- toJson $most -}}
{{- end -}}

{{- /*
A quantity in thousandths, which add up without an error. Less than one is one, as for the API server
(SetDefaults_ResourceList).
Takes: the quantity
Prints: the number
*/ -}}
{{- define "outrigger-0.2.0.check.thousandths" -}}
{{- round (mulf (include "outrigger-0.2.0.kit.quantity" . | float64) 1000.0) 3 | ceil | int64 -}}
{{- end -}}

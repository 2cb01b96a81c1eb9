{{- /*
Gives a sidecar its resources: the entry's values over the library's defaults; in a pod that its author made
Guaranteed, with requests equal to limits, so that it stays so. A default never contradicts what the entry says: a
default request is lowered to the entry's limit, a default limit raised to the entry's request. What is `none` or null at
last is left out. In a pod that has
resources of its own (KEP-2837) there are no defaults: what its containers request may not be more than the pod does.
Containers without any of their own share one dict, which nobody may change.
Takes: state; contribution; container
Sets: resources of the container, and .plainResources and .ownResources of the state
*/ -}}
{{- define "outrigger-0.2.0.container.resources" -}}
{{- if .state.sharesResources -}}
  {{- $_ := unset .container "resources" -}}
  {{- if .contribution.config.resources -}}
    {{- include "outrigger-0.2.0.container.ownResources" . -}}
    {{- range $kind, $quantities := pick .container.resources "requests" "limits" -}}
      {{- include "outrigger-0.2.0.kit.dropNone" (dict "fields" $quantities) -}}
      {{- if not $quantities -}}{{- $_ := unset $.container.resources $kind -}}{{- end -}}
    {{- end -}}
    {{- $_ := set .state.ownResources .container.name true -}}
  {{- end -}}
{{- else -}}
  {{- include "outrigger-0.2.0.container.resourcesByDefault" . -}}
{{- end -}}
{{- end -}}

{{- /*
Gives a sidecar its own resources over the defaults.
Takes: state; contribution; container
Sets: resources of the container, and .plainResources and .ownResources of the state
*/ -}}
{{- define "outrigger-0.2.0.container.resourcesByDefault" -}}
{{- $own := .container.resources | default dict -}}
{{- $ownRequests := $own.requests | default dict -}}
{{- $ownLimits := $own.limits | default dict -}}
{{- if and .state.guaranteed (ne (.contribution.pattern | default "") "containers") -}}
  {{- /* What a pattern requests is a default too. */ -}}
  {{- $ownRequests = (.contribution.config.resources | default dict).requests | default dict -}}
{{- end -}}
{{- $defaults := .state.values.defaults.resources | default dict -}}
{{- $limits := dict -}}
{{- $requests := dict -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $limits "from" $defaults.limits) -}}
{{- if .state.guaranteed -}}
  {{- include "outrigger-0.2.0.kit.overlay" (dict "into" $limits "from" .state.values.defaults.guaranteedLimits) -}}
{{- end -}}
{{- include "outrigger-0.2.0.kit.dropNone" (dict "fields" $limits) -}}
{{- include "outrigger-0.2.0.container.bound" (dict "quantities" $limits "bounds" $ownRequests "kind" "atLeast") -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $limits "from" $ownLimits) -}}
{{- include "outrigger-0.2.0.kit.dropNone" (dict "fields" $limits) -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $requests "from" (empty .state.guaranteed | ternary $defaults.requests $limits)) -}}
{{- if not .state.guaranteed -}}
  {{- include "outrigger-0.2.0.container.bound" (dict "quantities" $requests "bounds" $limits "kind" "atMost") -}}
{{- end -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $requests "from" $ownRequests) -}}
{{- include "outrigger-0.2.0.kit.dropNone" (dict "fields" $requests) -}}
{{- $resources := omit $own "requests" "limits" -}}
{{- if $requests -}}{{- $_ := set $resources "requests" $requests -}}{{- end -}}
{{- if $limits -}}{{- $_ := set $resources "limits" $limits -}}{{- end -}}
{{- if $own -}}{{- $_ := set .state.ownResources .container.name true -}}{{- else -}}{{- $_ := set .state "plainResources" $resources -}}{{- end -}}
{{- if $resources -}}{{- $_ := set .container "resources" $resources -}}{{- else -}}{{- $_ := unset .container "resources" -}}{{- end -}}
{{- end -}}

{{- /*
Lays the entry's resources over those that the pattern gives its container.
Takes: contribution; container
Sets: resources of the container
*/ -}}
{{- define "outrigger-0.2.0.container.ownResources" -}}
{{- $container := .container -}}
{{- $given := $container.resources | default dict -}}
{{- $resources := omit .contribution.config.resources "requests" "limits" -}}
{{- range $kind := list "requests" "limits" -}}
  {{- $quantities := dict -}}
  {{- include "outrigger-0.2.0.kit.overlay" (dict "into" $quantities "from" (get $given $kind | default dict)) -}}
  {{- include "outrigger-0.2.0.kit.overlay" (dict "into" $quantities "from" (get $.contribution.config.resources $kind | default dict)) -}}
  {{- if $quantities -}}{{- $_ := set $resources $kind $quantities -}}{{- end -}}
{{- end -}}
{{- $_ := set $container "resources" $resources -}}
{{- end -}}

{{- /*
Bounds quantities: changes those that are beyond a bound to it.
Takes: quantities, by resource; bounds, by resource; kind, of bounds: atLeast or atMost
Sets: what is in quantities
*/ -}}
{{- define "outrigger-0.2.0.container.bound" -}}
{{- $quantities := .quantities -}}
{{- $sign := eq .kind "atLeast" | ternary 1.0 -1.0 -}}
{{- range $resource, $bound := .bounds -}}
  {{- if hasKey $quantities $resource -}}
    {{- $excess := subf (include "outrigger-0.2.0.kit.quantity" $bound | float64) (include "outrigger-0.2.0.kit.quantity" (get $quantities $resource) | float64) -}}
    {{- if gt (mulf $excess $sign) 0.0 -}}
      {{- $_ := set $quantities $resource $bound -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Tells whether the pod is Guaranteed without its sidecars: every app container and init container of the author's has
limits of cpu and memory, and requests, where given, that equal them (Kubernetes' ComputePodQOS).
Takes: the State, with appContainers
Prints: true, or nothing
*/ -}}
{{- define "outrigger-0.2.0.container.guaranteed" -}}
{{- $guaranteed := true -}}
{{- range $container := concat .appContainers .author.initContainers -}}
  {{- $limits := ($container.resources | default dict).limits | default dict -}}
  {{- $requests := ($container.resources | default dict).requests | default dict -}}
  {{- range $resource := list "cpu" "memory" -}}
    {{- if not (hasKey $limits $resource) -}}
      {{- $guaranteed = false -}}
    {{- else if hasKey $requests $resource -}}
      {{- if ne (include "outrigger-0.2.0.kit.quantity" (get $limits $resource)) (include "outrigger-0.2.0.kit.quantity" (get $requests $resource)) -}}
        {{- $guaranteed = false -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if $guaranteed -}}true{{- end -}}
{{- end -}}

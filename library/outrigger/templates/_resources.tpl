{{- /*
Gives a sidecar its resources: the entry's values over the library's defaults; in a pod that its author made
Guaranteed, with requests equal to limits, so that it stays so. A default never contradicts what the entry says: a
default request is lowered to the entry's limit, a default limit raised to the entry's request. Containers without any
of their own share one dict, which nobody may change (plainResources of the work dict). Takes what outrigger-….container
takes.
*/ -}}
{{- define "outrigger-0.1.0.resources" -}}
{{- $own := .container.resources | default dict -}}
{{- $ownRequests := $own.requests | default dict -}}
{{- $ownLimits := $own.limits | default dict -}}
{{- if and .work.guaranteed (ne (.contribution.pattern | default "") "containers") -}}
  {{- /* What a pattern requests is a default too. */ -}}
  {{- $ownRequests = (.contribution.config.resources | default dict).requests | default dict -}}
{{- end -}}
{{- $defaults := .work.values.defaults.resources | default dict -}}
{{- $limits := dict -}}
{{- $requests := dict -}}
{{- include "outrigger-0.1.0.overlay" (list $limits $defaults.limits) -}}
{{- if .work.guaranteed -}}
  {{- include "outrigger-0.1.0.overlay" (list $limits .work.values.defaults.guaranteedLimits) -}}
  {{- include "outrigger-0.1.0.bound" (list $limits $ownRequests "atLeast") -}}
  {{- include "outrigger-0.1.0.overlay" (list $limits $ownLimits) -}}
  {{- include "outrigger-0.1.0.overlay" (list $requests $limits) -}}
{{- else -}}
  {{- include "outrigger-0.1.0.bound" (list $limits $ownRequests "atLeast") -}}
  {{- include "outrigger-0.1.0.overlay" (list $limits $ownLimits) -}}
  {{- include "outrigger-0.1.0.overlay" (list $requests $defaults.requests) -}}
  {{- include "outrigger-0.1.0.bound" (list $requests $limits "atMost") -}}
{{- end -}}
{{- include "outrigger-0.1.0.overlay" (list $requests $ownRequests) -}}
{{- $resources := omit $own "requests" "limits" -}}
{{- if $requests -}}{{- $_ := set $resources "requests" $requests -}}{{- end -}}
{{- if $limits -}}{{- $_ := set $resources "limits" $limits -}}{{- end -}}
{{- if $own -}}{{- $_ := set .work.ownResources .container.name true -}}{{- else -}}{{- $_ := set .work "plainResources" $resources -}}{{- end -}}
{{- if $resources -}}{{- $_ := set .container "resources" $resources -}}{{- end -}}
{{- end -}}

{{- /*
Sets the entry's resources over those that the pattern gives its container. Takes what outrigger-….container takes.
*/ -}}
{{- define "outrigger-0.1.0.ownResources" -}}
{{- $container := .container -}}
{{- $given := $container.resources | default dict -}}
{{- $resources := omit .contribution.config.resources "requests" "limits" -}}
{{- range $kind := list "requests" "limits" -}}
  {{- $quantities := dict -}}
  {{- include "outrigger-0.1.0.overlay" (list $quantities (get $given $kind | default dict)) -}}
  {{- include "outrigger-0.1.0.overlay" (list $quantities (get $.contribution.config.resources $kind | default dict)) -}}
  {{- if $quantities -}}{{- $_ := set $resources $kind $quantities -}}{{- end -}}
{{- end -}}
{{- $_ := set $container "resources" $resources -}}
{{- end -}}

{{- /*
Bounds quantities in place. Takes a list: the dict to change, the bounds, `atLeast` or `atMost`.
*/ -}}
{{- define "outrigger-0.1.0.bound" -}}
{{- $quantities := index . 0 -}}
{{- $sign := eq (index . 2) "atLeast" | ternary 1.0 -1.0 -}}
{{- range $resource, $bound := index . 1 -}}
  {{- if hasKey $quantities $resource -}}
    {{- $excess := subf (include "outrigger-0.1.0.quantity" $bound | float64) (include "outrigger-0.1.0.quantity" (get $quantities $resource) | float64) -}}
    {{- if gt (mulf $excess $sign) 0.0 -}}
      {{- $_ := set $quantities $resource $bound -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Prints true where the author's part of the pod is Guaranteed: every container has limits of cpu and memory, and
requests, where given, that equal them (Kubernetes' ComputePodQOS). Takes the work dict.
*/ -}}
{{- define "outrigger-0.1.0.guaranteed" -}}
{{- $guaranteed := true -}}
{{- range $container := concat .author.containers .author.initContainers -}}
  {{- $limits := ($container.resources | default dict).limits | default dict -}}
  {{- $requests := ($container.resources | default dict).requests | default dict -}}
  {{- range $resource := list "cpu" "memory" -}}
    {{- if not (hasKey $limits $resource) -}}
      {{- $guaranteed = false -}}
    {{- else if hasKey $requests $resource -}}
      {{- if ne (include "outrigger-0.1.0.quantity" (get $limits $resource)) (include "outrigger-0.1.0.quantity" (get $requests $resource)) -}}
        {{- $guaranteed = false -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if $guaranteed -}}true{{- end -}}
{{- end -}}

{{- /*
Prints a Kubernetes quantity (100m, 64Mi, 1e3, 2) as a plain number.
*/ -}}
{{- define "outrigger-0.1.0.quantity" -}}
{{- $text := toString . -}}
{{- $suffix := regexFind "[a-zA-Z]+$" $text -}}
{{- $factors := dict "n" 1e-9 "u" 1e-6 "m" 1e-3 "" 1.0 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18
      "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0 -}}
{{- printf "%.9f" (mulf (trimSuffix $suffix $text | float64) (get $factors $suffix | default 1.0)) -}}
{{- end -}}

{{- /*
The effective resources of the composed pod. Its problems are told where it is printed.
Takes: what outrigger.podTemplate takes
Prints: what notes.bookedResources prints
*/ -}}
{{- define "outrigger-0.2.0.notes.effectiveResources" -}}
{{- $state := dict -}}
{{- include "outrigger-0.2.0.pod.readAndCollect" (dict "state" $state "arguments" .) -}}
{{- include "outrigger-0.2.0.pod.compose" $state -}}
{{- include "outrigger-0.2.0.notes.bookedResources" $state.podTemplate.spec -}}
{{- end -}}

{{- /*
What a pod is booked with: requests and limits by resource, and its QoS class.

The arithmetic is Kubernetes' own (KEP-753; PodRequests and PodLimits of k8s.io/component-helpers/resource), after the
API server's defaults: a container's missing request is its limit, and every quantity is rounded up to thousandths.
All containers and sidecars together, or as much as one run-once init container takes with the sidecars before it,
whichever is more; then the pod's own resources, where it has such; then its overhead.

A limit of cpu or memory is `unlimited` where one container has none, or 0, which means none; run-once init containers
count, as they are unlimited while they run. The kubelet sets no limit on such a pod either, unless the pod has one of
its own. Every other resource has the limit that PodLimits gives: a container that does not name it gets nothing of it
(hugepages, extended resources), or the kubelet evicts the pod by the sum (ephemeral-storage).

Quantities are exact up to 2^63-1, where they stop, and with at most 18 digits after the point of a binary one
(1.5Gi). Amounts are quantities in one exact form, which text comparison orders: 19 digits, a point, 3 digits. They
are held by resource in dicts.

The Sums:
  requests, limits  each .total of apps and sidecars, .sidecars so far, .peak of the run-once init containers
  unlimited         cpu, memory: whether one container has no limit
  counted           requests and limits of every container, or of the pod alone where it has its own: what QoS goes by
  amounts           quantities that were read, to their amounts
  zero, powers, units  what quantities are read with
Takes: the pod's spec
Prints: requests, limits and qosClass, as YAML
Reports: fails where a quantity is none
*/ -}}
{{- define "outrigger-0.2.0.notes.bookedResources" -}}
{{- $sums := dict "counted" list "unlimited" dict "amounts" dict "zero" (printf "%019d.%03d" 0 0)
      "requests" (dict "total" dict "sidecars" dict "peak" dict)
      "limits" (dict "total" dict "sidecars" dict "peak" dict)
      "powers" (dict "n" -9 "u" -6 "m" -3 "" 0 "k" 3 "M" 6 "G" 9 "T" 12 "P" 15 "E" 18)
      "units" (dict "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976) -}}
{{- $initContainers := .initContainers | default list -}}
{{- range $index, $container := concat $initContainers (.containers | default list) -}}
  {{- $role := "app" -}}
  {{- if lt $index (len $initContainers) -}}
    {{- $role = eq ($container.restartPolicy | default "") "Always" | ternary "sidecar" "init" -}}
  {{- end -}}
  {{- include "outrigger-0.2.0.notes.countContainer" (dict "sums" $sums "resources" ($container.resources | default dict) "role" $role) -}}
{{- end -}}
{{- include "outrigger-0.2.0.notes.raiseAmounts" (dict "into" $sums.requests.total "amounts" $sums.requests.peak) -}}
{{- include "outrigger-0.2.0.notes.raiseAmounts" (dict "into" $sums.limits.total "amounts" $sums.limits.peak) -}}
{{- if .resources -}}{{- include "outrigger-0.2.0.notes.podLevel" (dict "sums" $sums "resources" .resources) -}}{{- end -}}
{{- if .overhead -}}{{- include "outrigger-0.2.0.notes.overhead" (dict "sums" $sums "overhead" .overhead) -}}{{- end -}}
{{- $requests := dict -}}
{{- range $resource, $amount := $sums.requests.total -}}
  {{- $_ := set $requests $resource (include "outrigger-0.2.0.notes.amountText" (dict "resource" $resource "amount" $amount)) -}}
{{- end -}}
{{- $limits := dict -}}
{{- range $resource, $amount := $sums.limits.total -}}
  {{- $_ := set $limits $resource (include "outrigger-0.2.0.notes.amountText" (dict "resource" $resource "amount" $amount)) -}}
{{- end -}}
{{- range $resource, $unlimited := $sums.unlimited -}}
  {{- if $unlimited -}}{{- $_ := set $limits $resource "unlimited" -}}{{- end -}}
{{- end -}}
{{- $class := include "outrigger-0.2.0.notes.qosClass" $sums -}}
{{- printf "%s\n%s\nqosClass: %s" (dict "requests" $requests | toYaml) (dict "limits" $limits | toYaml) $class -}}
{{- end -}}

{{- /*
Counts one container.
Takes: sums; resources, of the container; role: app, sidecar (restartable init container) or init
Sets: the sums
Reports: fails where a quantity is none
*/ -}}
{{- define "outrigger-0.2.0.notes.countContainer" -}}
{{- $sums := .sums -}}
{{- $resources := .resources -}}
{{- $role := .role -}}
{{- $own := dict "requests" dict "limits" dict -}}
{{- if $resources.limits -}}
  {{- include "outrigger-0.2.0.notes.readAmounts" (dict "sums" $sums "into" $own.limits "quantities" $resources.limits) -}}
  {{- range $resource, $amount := $own.limits -}}{{- $_ := set $own.requests $resource $amount -}}{{- end -}}
{{- end -}}
{{- if $resources.requests -}}
  {{- include "outrigger-0.2.0.notes.readAmounts" (dict "sums" $sums "into" $own.requests "quantities" $resources.requests) -}}
{{- end -}}
{{- range $kind := list "requests" "limits" -}}
  {{- $sum := get $sums $kind -}}
  {{- $amounts := get $own $kind -}}
  {{- if not $amounts -}}
  {{- else if eq $role "init" -}}
    {{- $together := merge dict $amounts -}}
    {{- include "outrigger-0.2.0.notes.addAmounts" (dict "into" $together "amounts" $sum.sidecars) -}}
    {{- include "outrigger-0.2.0.notes.raiseAmounts" (dict "into" $sum.peak "amounts" $together) -}}
  {{- else -}}
    {{- include "outrigger-0.2.0.notes.addAmounts" (dict "into" $sum.total "amounts" $amounts) -}}
    {{- if eq $role "sidecar" -}}{{- include "outrigger-0.2.0.notes.addAmounts" (dict "into" $sum.sidecars "amounts" $amounts) -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- range $resource := list "cpu" "memory" -}}
  {{- if eq (get $own.limits $resource | default $sums.zero) $sums.zero -}}
    {{- $_ := set $sums.unlimited $resource true -}}
  {{- end -}}
{{- end -}}
{{- $_ := set $sums "counted" (append $sums.counted $own) -}}
{{- end -}}

{{- /*
Lets the pod's own resources (spec.resources: cpu, memory, hugepages) replace what its containers add up to, after the
API server's defaults for them.
Takes: sums; resources, the pod's
Sets: the sums
Reports: fails where a quantity is none
*/ -}}
{{- define "outrigger-0.2.0.notes.podLevel" -}}
{{- $sums := .sums -}}
{{- $requests := dict -}}
{{- $limits := dict -}}
{{- include "outrigger-0.2.0.notes.readAmounts" (dict "sums" $sums "into" $requests "quantities" .resources.requests) -}}
{{- include "outrigger-0.2.0.notes.readAmounts" (dict "sums" $sums "into" $limits "quantities" .resources.limits) -}}
{{- range $resource := concat (keys $requests) (keys $limits) -}}
  {{- if not (or (eq $resource "cpu" "memory") (hasPrefix "hugepages-" $resource)) -}}
    {{- $_ := unset $requests $resource -}}
    {{- $_ := unset $limits $resource -}}
  {{- end -}}
{{- end -}}
{{- if or $requests $limits -}}
  {{- range $resource, $amount := $sums.limits.total -}}
    {{- if and (hasPrefix "hugepages-" $resource) (not (hasKey $requests $resource)) (not (hasKey $limits $resource)) -}}
      {{- $_ := set $limits $resource $amount -}}
    {{- end -}}
  {{- end -}}
  {{- if $limits -}}
    {{- $defaults := merge (pick $sums.requests.total "cpu" "memory") $limits -}}
    {{- $_ := merge $requests $defaults -}}
  {{- end -}}
  {{- include "outrigger-0.2.0.kit.overlay" (dict "into" $sums.requests.total "from" $requests) -}}
  {{- include "outrigger-0.2.0.kit.overlay" (dict "into" $sums.limits.total "from" $limits) -}}
  {{- range $resource, $amount := pick $limits "cpu" "memory" -}}
    {{- $_ := set $sums.unlimited $resource (eq $amount $sums.zero) -}}
  {{- end -}}
  {{- $_ := set $sums "counted" (list (dict "requests" $requests "limits" $limits)) -}}
{{- end -}}
{{- end -}}

{{- /*
Adds what running the pod takes (spec.overhead) to all requests, and to the limits that there are.
Takes: sums; overhead
Sets: the sums
Reports: fails where a quantity is none
*/ -}}
{{- define "outrigger-0.2.0.notes.overhead" -}}
{{- $sums := .sums -}}
{{- $overhead := dict -}}
{{- include "outrigger-0.2.0.notes.readAmounts" (dict "sums" $sums "into" $overhead "quantities" .overhead) -}}
{{- include "outrigger-0.2.0.notes.addAmounts" (dict "into" $sums.requests.total "amounts" $overhead) -}}
{{- range $resource := keys $overhead -}}
  {{- if eq (get $sums.limits.total $resource | default $sums.zero) $sums.zero -}}
    {{- $_ := unset $overhead $resource -}}
  {{- end -}}
{{- end -}}
{{- include "outrigger-0.2.0.notes.addAmounts" (dict "into" $sums.limits.total "amounts" $overhead) -}}
{{- end -}}

{{- /*
The QoS class, as Kubernetes' ComputePodQOS has it: Guaranteed where requests equal limits and neither is 0, of cpu
and memory, in all containers; BestEffort where all are 0; Burstable otherwise.
Takes: the Sums
Prints: the class
*/ -}}
{{- define "outrigger-0.2.0.notes.qosClass" -}}
{{- $zero := .zero -}}
{{- $classes := list -}}
{{- range $own := .counted -}}
  {{- range $resource := list "cpu" "memory" -}}
    {{- $request := get $own.requests $resource | default $zero -}}
    {{- if ne $request (get $own.limits $resource | default $zero) -}}
      {{- $classes = append $classes "Burstable" -}}
    {{- else -}}
      {{- $classes = append $classes (eq $request $zero | ternary "BestEffort" "Guaranteed") -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $classes = uniq $classes -}}
{{- eq (len $classes) 1 | ternary (first $classes) "Burstable" -}}
{{- end -}}

{{- /*
Reads quantities (100m, 1.5Gi, 1e3, .5, 2).
Takes: sums; into, a dict of amounts; quantities, by resource
Sets: the amounts in into, and .amounts of the sums
Reports: fails where a quantity is none
*/ -}}
{{- define "outrigger-0.2.0.notes.readAmounts" -}}
{{- $sums := .sums -}}
{{- $into := .into -}}
{{- range $resource, $quantity := .quantities -}}
  {{- $text := toString ($quantity | default 0) -}}
  {{- if not (hasKey $sums.amounts $text) -}}
    {{- $_ := set $sums.amounts $text (include "outrigger-0.2.0.notes.amount" (dict "sums" $sums "text" $text)) -}}
  {{- end -}}
  {{- $_ := set $into $resource (get $sums.amounts $text) -}}
{{- end -}}
{{- end -}}

{{- /*
The amount of a quantity, rounded up to thousandths as the API server does.
Takes: sums; text, the quantity: numbers in YAML may arrive as 1e+06
Prints: the amount
Reports: fails where it is no quantity
*/ -}}
{{- define "outrigger-0.2.0.notes.amount" -}}
{{- $sums := .sums -}}
{{- $text := .text -}}
{{- $suffix := trimAll "+-.0123456789" $text -}}
{{- $number := trimPrefix "+" $text -}}
{{- $exponent := "" -}}
{{- if $suffix -}}
  {{- $halves := splitList $suffix $number -}}
  {{- $number = first $halves -}}
  {{- $exponent = rest $halves | join "?" -}}
{{- end -}}
{{- $parts := splitList "." $number -}}
{{- $whole := first $parts -}}
{{- $fraction := rest $parts | join "?" -}}
{{- $digits := printf "%s%s" $whole $fraction -}}
{{- if or (eq $digits "") (trimAll "0123456789" $digits) -}}
  {{- $suffix = "?" -}}
{{- else if and $exponent (eq $suffix "e" "E") (regexMatch "^[+-]?[0-9]+$" $exponent) -}}
  {{- include "outrigger-0.2.0.notes.decimalAmount" (dict "whole" $whole "fraction" $fraction "power" (atoi $exponent)) -}}
{{- else if $exponent -}}
  {{- $suffix = "?" -}}
{{- else if hasKey $sums.powers $suffix -}}
  {{- include "outrigger-0.2.0.notes.decimalAmount" (dict "whole" $whole "fraction" $fraction "power" (get $sums.powers $suffix)) -}}
{{- else if hasKey $sums.units $suffix -}}
  {{- include "outrigger-0.2.0.notes.binaryAmount" (dict "whole" $whole "fraction" $fraction "unit" (get $sums.units $suffix)) -}}
{{- else -}}
  {{- $suffix = "?" -}}
{{- end -}}
{{- if eq $suffix "?" -}}
  {{- fail (printf "outrigger: %q is no quantity of a resource; write one as 100m, 0.5, 64Mi or 1e3" $text) -}}
{{- end -}}
{{- end -}}

{{- /*
The amount of a decimal number times a power of ten: moves the point in the text.
Takes: whole, the digits before the point; fraction, those after it; power, of ten
Prints: the amount
*/ -}}
{{- define "outrigger-0.2.0.notes.decimalAmount" -}}
{{- $zeros := "0000000000000000000000000000000000000000" -}}
{{- $digits := printf "%s%s%s%s" $zeros .whole .fraction $zeros -}}
{{- $point := add 40 (len .whole) (.power | min 37 | max -40) | int -}}
{{- $next := add $point 3 | int -}}
{{- $milli := substr $point $next $digits | atoi -}}
{{- if trimAll "0" (substr $next -1 $digits) -}}{{- $milli = add1 $milli -}}{{- end -}}
{{- $whole := substr 0 $point $digits | atoi -}}
{{- if $milli -}}{{- $whole = max $whole (add $whole (div $milli 1000)) -}}{{- end -}}
{{- printf "%019d.%03d" $whole (mod $milli 1000) -}}
{{- end -}}

{{- /*
The amount of a decimal number times a binary unit. A fraction is doubled twice at a time and carries, so that every
step fits into 64 bits.
Takes: whole, the digits before the point; fraction, those after it; unit
Prints: the amount
*/ -}}
{{- define "outrigger-0.2.0.notes.binaryAmount" -}}
{{- $whole := .whole | atoi -}}
{{- $unit := .unit -}}
{{- $carried := 0 -}}
{{- $milli := 0 -}}
{{- if .fraction -}}
  {{- $one := 1000000000000000000 -}}
  {{- $fraction := substr 0 18 (printf "%s000000000000000000" .fraction) | atoi -}}
  {{- range until (sub (len (printf "%b" $unit)) 1 | int) -}}
    {{- if mod . 2 -}}
      {{- $fraction = mul $fraction 4 -}}
      {{- $carried = add (mul $carried 4) (div $fraction $one) -}}
      {{- $fraction = mod $fraction $one -}}
    {{- end -}}
  {{- end -}}
  {{- $milli = div (add $fraction 999999999999999) 1000000000000000 -}}
  {{- $carried = add $carried (div $milli 1000) -}}
{{- end -}}
{{- if gt $whole (div 9223372036854775807 $unit) -}}
  {{- $whole = 9223372036854775807 -}}
{{- else -}}
  {{- $whole = add (mul $whole $unit) $carried -}}
{{- end -}}
{{- printf "%019d.%03d" $whole (mod $milli 1000) -}}
{{- end -}}

{{- /*
Adds amounts to others, up to 2^63-1.
Takes: into, the others; amounts
Sets: what is in into
*/ -}}
{{- define "outrigger-0.2.0.notes.addAmounts" -}}
{{- $sum := .into -}}
{{- range $resource, $amount := .amounts -}}
  {{- with get $sum $resource -}}
    {{- $milli := add (substr 20 23 . | atoi) (substr 20 23 $amount | atoi) -}}
    {{- $whole := add (substr 0 19 . | atoi) (substr 0 19 $amount | atoi) (div $milli 1000) -}}
    {{- if lt $whole 0 -}}{{- $whole = 9223372036854775807 -}}{{- end -}}
    {{- $amount = printf "%019d.%03d" $whole (mod $milli 1000) -}}
  {{- end -}}
  {{- $_ := set $sum $resource $amount -}}
{{- end -}}
{{- end -}}

{{- /*
Raises amounts to others that are greater.
Takes: into, what is raised; amounts, the others
Sets: what is in into
*/ -}}
{{- define "outrigger-0.2.0.notes.raiseAmounts" -}}
{{- $greatest := .into -}}
{{- range $resource, $amount := .amounts -}}
  {{- if gt $amount (get $greatest $resource) -}}{{- $_ := set $greatest $resource $amount -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
An amount as a quantity: plain or in thousandths (m), bytes in the largest binary unit that divides them.
Takes: resource; amount
Prints: the quantity
*/ -}}
{{- define "outrigger-0.2.0.notes.amountText" -}}
{{- $resource := .resource -}}
{{- $whole := substr 0 19 .amount | atoi -}}
{{- $milli := substr 20 23 .amount | atoi -}}
{{- $unit := "" -}}
{{- if $milli -}}
  {{- if $whole -}}{{- printf "%d%03dm" $whole $milli -}}{{- else -}}{{- printf "%dm" $milli -}}{{- end -}}
{{- else -}}
  {{- if and $whole (or (eq $resource "memory" "ephemeral-storage") (hasPrefix "hugepages-" $resource)) -}}
    {{- range list "Ki" "Mi" "Gi" "Ti" "Pi" "Ei" -}}
      {{- if eq (mod $whole 1024) 0 -}}
        {{- $whole = div $whole 1024 -}}
        {{- $unit = . -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- printf "%d%s" $whole $unit -}}
{{- end -}}
{{- end -}}

{{- /*
The effective resources of the composed pod, as YAML. Takes what outrigger.podTemplate takes, which is where problems
are told.
*/ -}}
{{- define "outrigger-0.1.0.notes.effectiveResources" -}}
{{- $state := dict -}}
{{- include "outrigger-0.1.0.pod.readAndCollect" (dict "state" $state "arguments" .) -}}
{{- include "outrigger-0.1.0.pod.compose" $state -}}
{{- include "outrigger-0.1.0.notes.bookedResources" $state.podTemplate.spec -}}
{{- end -}}

{{- /*
What a pod is booked with, as YAML: requests and limits by resource, and qosClass. Takes a pod spec.

The arithmetic is Kubernetes' own (KEP-753; PodRequests and PodLimits of k8s.io/component-helpers/resource), after the
API server's defaults: a container's missing request is its limit, and every quantity is rounded up to thousandths. All
containers and sidecars together, or as much as one run-once init container takes with the sidecars before it, whichever
is more; then the pod's own resources, where it has such; then its overhead.

A limit of cpu or memory is `unlimited` where one container has none, or 0, which means none; run-once init containers
count, as they are unlimited while they run. The kubelet sets no limit on such a pod either, unless the pod has one of
its own. Every other resource has the limit that PodLimits gives: a container that does not name it gets nothing of it
(hugepages, extended resources), or the kubelet evicts the pod by the sum (ephemeral-storage).

Quantities are exact up to 2^63-1, where they stop, and with at most 18 digits after the point of a binary one (1.5Gi).
*/ -}}
{{- define "outrigger-0.1.0.notes.bookedResources" -}}
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
  {{- include "outrigger-0.1.0.notes.countContainer" (list $sums ($container.resources | default dict) $role) -}}
{{- end -}}
{{- include "outrigger-0.1.0.notes.raiseAmounts" (list $sums.requests.total $sums.requests.peak) -}}
{{- include "outrigger-0.1.0.notes.raiseAmounts" (list $sums.limits.total $sums.limits.peak) -}}
{{- if .resources -}}{{- include "outrigger-0.1.0.notes.podLevel" (list $sums .resources) -}}{{- end -}}
{{- if .overhead -}}{{- include "outrigger-0.1.0.notes.overhead" (list $sums .overhead) -}}{{- end -}}
{{- $requests := dict -}}
{{- range $resource, $amount := $sums.requests.total -}}
  {{- $_ := set $requests $resource (include "outrigger-0.1.0.notes.amountText" (list $resource $amount)) -}}
{{- end -}}
{{- $limits := dict -}}
{{- range $resource, $amount := $sums.limits.total -}}
  {{- $_ := set $limits $resource (include "outrigger-0.1.0.notes.amountText" (list $resource $amount)) -}}
{{- end -}}
{{- range $resource, $unlimited := $sums.unlimited -}}
  {{- if $unlimited -}}{{- $_ := set $limits $resource "unlimited" -}}{{- end -}}
{{- end -}}
{{- $class := include "outrigger-0.1.0.notes.qosClass" $sums -}}
{{- printf "%s\n%s\nqosClass: %s" (dict "requests" $requests | toYaml) (dict "limits" $limits | toYaml) $class -}}
{{- end -}}

{{- /*
Counts one container into the sums. Takes a list: the sums, the container's resources, its role: `app`, `sidecar`
(restartable init container) or `init`. The sums are a dict:

  requests, limits  each .total of apps and sidecars, .sidecars so far, .peak of the run-once init containers
  unlimited         cpu, memory: whether one container has no limit
  counted           requests and limits of every container, or of the pod alone where it has its own: what QoS goes by
  amounts, zero, powers, units  what quantities are read with
*/ -}}
{{- define "outrigger-0.1.0.notes.countContainer" -}}
{{- $sums := index . 0 -}}
{{- $resources := index . 1 -}}
{{- $role := index . 2 -}}
{{- $own := dict "requests" dict "limits" dict -}}
{{- if $resources.limits -}}
  {{- include "outrigger-0.1.0.notes.readAmounts" (list $sums $own.limits $resources.limits) -}}
  {{- range $resource, $amount := $own.limits -}}{{- $_ := set $own.requests $resource $amount -}}{{- end -}}
{{- end -}}
{{- if $resources.requests -}}
  {{- include "outrigger-0.1.0.notes.readAmounts" (list $sums $own.requests $resources.requests) -}}
{{- end -}}
{{- range $kind := list "requests" "limits" -}}
  {{- $sum := get $sums $kind -}}
  {{- $amounts := get $own $kind -}}
  {{- if not $amounts -}}
  {{- else if eq $role "init" -}}
    {{- $together := merge dict $amounts -}}
    {{- include "outrigger-0.1.0.notes.addAmounts" (list $together $sum.sidecars) -}}
    {{- include "outrigger-0.1.0.notes.raiseAmounts" (list $sum.peak $together) -}}
  {{- else -}}
    {{- include "outrigger-0.1.0.notes.addAmounts" (list $sum.total $amounts) -}}
    {{- if eq $role "sidecar" -}}{{- include "outrigger-0.1.0.notes.addAmounts" (list $sum.sidecars $amounts) -}}{{- end -}}
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
API server's defaults for them. Takes a list: the sums, the pod's resources.
*/ -}}
{{- define "outrigger-0.1.0.notes.podLevel" -}}
{{- $sums := index . 0 -}}
{{- $requests := dict -}}
{{- $limits := dict -}}
{{- include "outrigger-0.1.0.notes.readAmounts" (list $sums $requests (index . 1).requests) -}}
{{- include "outrigger-0.1.0.notes.readAmounts" (list $sums $limits (index . 1).limits) -}}
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
  {{- include "outrigger-0.1.0.kit.overlay" (dict "into" $sums.requests.total "from" $requests) -}}
  {{- include "outrigger-0.1.0.kit.overlay" (dict "into" $sums.limits.total "from" $limits) -}}
  {{- range $resource, $amount := pick $limits "cpu" "memory" -}}
    {{- $_ := set $sums.unlimited $resource (eq $amount $sums.zero) -}}
  {{- end -}}
  {{- $_ := set $sums "counted" (list (dict "requests" $requests "limits" $limits)) -}}
{{- end -}}
{{- end -}}

{{- /*
Adds what running the pod takes (spec.overhead) to all requests, and to the limits that there are. Takes a list: the
sums, the overhead.
*/ -}}
{{- define "outrigger-0.1.0.notes.overhead" -}}
{{- $sums := index . 0 -}}
{{- $overhead := dict -}}
{{- include "outrigger-0.1.0.notes.readAmounts" (list $sums $overhead (index . 1)) -}}
{{- include "outrigger-0.1.0.notes.addAmounts" (list $sums.requests.total $overhead) -}}
{{- range $resource := keys $overhead -}}
  {{- if eq (get $sums.limits.total $resource | default $sums.zero) $sums.zero -}}
    {{- $_ := unset $overhead $resource -}}
  {{- end -}}
{{- end -}}
{{- include "outrigger-0.1.0.notes.addAmounts" (list $sums.limits.total $overhead) -}}
{{- end -}}

{{- /*
Prints the QoS class, as Kubernetes' ComputePodQOS has it: Guaranteed where requests equal limits and neither is 0, of
cpu and memory, in all containers; BestEffort where all are 0; Burstable otherwise. Takes the sums.
*/ -}}
{{- define "outrigger-0.1.0.notes.qosClass" -}}
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
Amounts are quantities in one exact form, which text comparison orders: 19 digits, a point, 3 digits. They are held by
resource in dicts.

Reads quantities (100m, 1.5Gi, 1e3, .5, 2) into a dict of amounts. Takes a list: the sums, whose .amounts remember what
was read; the dict to fill; the quantities by resource.
*/ -}}
{{- define "outrigger-0.1.0.notes.readAmounts" -}}
{{- $sums := index . 0 -}}
{{- $into := index . 1 -}}
{{- range $resource, $quantity := index . 2 -}}
  {{- $text := toString ($quantity | default 0) -}}
  {{- if not (hasKey $sums.amounts $text) -}}
    {{- $_ := set $sums.amounts $text (include "outrigger-0.1.0.notes.amount" (list $sums $text)) -}}
  {{- end -}}
  {{- $_ := set $into $resource (get $sums.amounts $text) -}}
{{- end -}}
{{- end -}}

{{- /*
Prints the amount of a quantity, rounded up to thousandths as the API server does. Takes a list: the sums; the quantity
as text, where numbers in YAML may arrive as 1e+06.
*/ -}}
{{- define "outrigger-0.1.0.notes.amount" -}}
{{- $sums := index . 0 -}}
{{- $text := index . 1 -}}
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
  {{- include "outrigger-0.1.0.notes.decimalAmount" (list $whole $fraction (atoi $exponent)) -}}
{{- else if $exponent -}}
  {{- $suffix = "?" -}}
{{- else if hasKey $sums.powers $suffix -}}
  {{- include "outrigger-0.1.0.notes.decimalAmount" (list $whole $fraction (get $sums.powers $suffix)) -}}
{{- else if hasKey $sums.units $suffix -}}
  {{- include "outrigger-0.1.0.notes.binaryAmount" (list $whole $fraction (get $sums.units $suffix)) -}}
{{- else -}}
  {{- $suffix = "?" -}}
{{- end -}}
{{- if eq $suffix "?" -}}
  {{- fail (printf "outrigger: %q is no quantity of a resource; write one as 100m, 0.5, 64Mi or 1e3" $text) -}}
{{- end -}}
{{- end -}}

{{- /*
Prints the amount of digits before the point, digits after it, times a power of ten: moves the point in the text. Takes
them as a list.
*/ -}}
{{- define "outrigger-0.1.0.notes.decimalAmount" -}}
{{- $zeros := "0000000000000000000000000000000000000000" -}}
{{- $digits := printf "%s%s%s%s" $zeros (index . 0) (index . 1) $zeros -}}
{{- $point := add 40 (len (index . 0)) (index . 2 | min 37 | max -40) | int -}}
{{- $next := add $point 3 | int -}}
{{- $milli := substr $point $next $digits | atoi -}}
{{- if trimAll "0" (substr $next -1 $digits) -}}{{- $milli = add1 $milli -}}{{- end -}}
{{- $whole := substr 0 $point $digits | atoi -}}
{{- if $milli -}}{{- $whole = max $whole (add $whole (div $milli 1000)) -}}{{- end -}}
{{- printf "%019d.%03d" $whole (mod $milli 1000) -}}
{{- end -}}

{{- /*
Prints the amount of digits before the point, digits after it, times a binary unit. Takes them as a list. A fraction is
doubled twice at a time and carries, so that every step fits into 64 bits.
*/ -}}
{{- define "outrigger-0.1.0.notes.binaryAmount" -}}
{{- $whole := index . 0 | atoi -}}
{{- $unit := index . 2 -}}
{{- $carried := 0 -}}
{{- $milli := 0 -}}
{{- if index . 1 -}}
  {{- $one := 1000000000000000000 -}}
  {{- $fraction := substr 0 18 (printf "%s000000000000000000" (index . 1)) | atoi -}}
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
Adds amounts in place, up to 2^63-1. Takes a list: the sums, what to add.
*/ -}}
{{- define "outrigger-0.1.0.notes.addAmounts" -}}
{{- $sum := index . 0 -}}
{{- range $resource, $amount := index . 1 -}}
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
Raises amounts in place to others that are greater. Takes a list: the dict to change, the others.
*/ -}}
{{- define "outrigger-0.1.0.notes.raiseAmounts" -}}
{{- $greatest := index . 0 -}}
{{- range $resource, $amount := index . 1 -}}
  {{- if gt $amount (get $greatest $resource) -}}{{- $_ := set $greatest $resource $amount -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Prints an amount as a quantity: plain or in thousandths (m), bytes in the largest binary unit that divides them. Takes
a list: the resource, the amount.
*/ -}}
{{- define "outrigger-0.1.0.notes.amountText" -}}
{{- $resource := index . 0 -}}
{{- $whole := substr 0 19 (index . 1) | atoi -}}
{{- $milli := substr 20 23 (index . 1) | atoi -}}
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

{{- /*
What the API server refuses of a container that is contributed, for what else is in it or in the pod.
Takes: state; container
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.contributed" -}}
{{- $state := .state -}}
{{- $container := .container -}}
{{- $call := dict "state" $state "name" $container.name -}}
{{- range $field := list "startupProbe" "readinessProbe" "livenessProbe" -}}
  {{- $probe := get $container $field -}}
  {{- if kindIs "map" $probe -}}
    {{- include "outrigger-0.2.0.check.handlers" (set (set $call "field" $field) "handlers" (pick $probe "exec" "grpc" "httpGet" "tcpSocket")) -}}
  {{- end -}}
{{- end -}}
{{- if not (kindIs "invalid" ($container.readinessProbe | default dict).terminationGracePeriodSeconds) -}}
  {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $container.name
        "field" "readinessProbe.terminationGracePeriodSeconds" "message" "means nothing to Kubernetes, as this probe ends no container; leave it out") -}}
{{- end -}}
{{- range $hook := list "postStart" "preStop" -}}
  {{- $handler := get ($container.lifecycle | default dict) $hook -}}
  {{- if kindIs "map" $handler -}}
    {{- include "outrigger-0.2.0.check.handlers" (set (set $call "field" (printf "lifecycle.%s" $hook))
          "handlers" (pick $handler "exec" "httpGet" "sleep" "tcpSocket")) -}}
  {{- end -}}
{{- end -}}
{{- if and ($container.lifecycle | default dict).stopSignal (not ($state.podTemplate.spec.os | default dict).name) -}}
  {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $container.name "field" "lifecycle.stopSignal"
        "message" "needs a pod that says its operating system; set os: {name: linux} in the pod template's spec, or leave this out") -}}
{{- end -}}
{{- if and $container.restartPolicyRules (not $container.restartPolicy) -}}
  {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $container.name "field" "restartPolicyRules"
        "message" "needs a container with a restartPolicy of its own, which of the library's only native sidecars are; leave it out") -}}
{{- end -}}
{{- $security := $container.securityContext | default dict -}}
{{- $added := ($security.capabilities | default dict).add | default list -}}
{{- if and (eq (toString $security.allowPrivilegeEscalation) "false") (or $security.privileged (has "SYS_ADMIN" $added) (has "CAP_SYS_ADMIN" $added)) -}}
  {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $container.name "field" "securityContext.allowPrivilegeEscalation"
        "message" "is false, which Kubernetes refuses beside privileged and the capability SYS_ADMIN; leave one of them out") -}}
{{- end -}}
{{- with ($container.resources | default dict).claims -}}
  {{- $claims := list -}}
  {{- range $state.podTemplate.spec.resourceClaims -}}{{- $claims = append $claims .name -}}{{- end -}}
  {{- range $index, $claim := . -}}
    {{- if not (has $claim.name $claims) -}}
      {{- $mend := empty $claims | ternary "add it there" (printf "name one of %s" (include "outrigger-0.2.0.kit.quoteAll" $claims)) -}}
      {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $container.name "field" (printf "resources.claims[%d]" $index)
            "message" (printf "the pod template has no resourceClaims %q; %s" $claim.name $mend)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
A probe or lifecycle hook that has not one handler.
Takes: state; name, the container's; field, where it is in the container; handlers, what it has of them, by kind
Reports: the problem
*/ -}}
{{- define "outrigger-0.2.0.check.handlers" -}}
{{- $kinds := list -}}
{{- range $kind, $handler := .handlers -}}{{- if not (kindIs "invalid" $handler) -}}{{- $kinds = append $kinds $kind -}}{{- end -}}{{- end -}}
{{- if ne (len $kinds) 1 -}}
  {{- $message := "has no handler; add one, such as httpGet or exec" -}}
  {{- if $kinds -}}
    {{- $message = printf "has %d handlers, %s, and Kubernetes takes one; keep one, and set what you leave out to null (%s: null)" (len $kinds) (join " and " $kinds) (first $kinds) -}}
  {{- end -}}
  {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" .state "name" .name "field" .field "message" $message) -}}
{{- end -}}
{{- end -}}

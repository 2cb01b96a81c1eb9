{{- /*
Whether one container is one that Kubernetes takes, and does what it is there for.
Takes: state, with volumeNames, ports and portNames; container; stays, true where it runs beside the others: it is no
  run-once init container
Sets: .ports and .portNames of the state
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.container" -}}
{{- $state := .state -}}
{{- $container := .container -}}
{{- $name := $container.name | default "" -}}
{{- $ours := hasKey $state.origins $name -}}
{{- if not $container.image -}}
  {{- include "outrigger-0.2.0.check.imageProblem" (dict "state" $state "name" $name
        "message" "is missing; set it to an image with a tag or digest") -}}
{{- else if and $ours (not (contains ":" (last (splitList "/" $container.image)))) -}}
  {{- include "outrigger-0.2.0.check.imageProblem" (dict "state" $state "name" $name
        "message" (printf "%q has neither tag nor digest, so that another one may run after a restart; add one, as in %s:1.2.3" $container.image $container.image)) -}}
{{- end -}}
{{- if $container.env -}}
  {{- $seen := dict -}}
  {{- range $container.env -}}
    {{- if hasKey $seen .name -}}
      {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $name "field" "env"
            "message" (printf "%q is given twice; remove one" .name)) -}}
    {{- end -}}
    {{- $_ := set $seen .name true -}}
  {{- end -}}
{{- end -}}
{{- if $container.volumeMounts -}}{{- include "outrigger-0.2.0.check.mounts" (dict "state" $state "container" $container "contributed" $ours) -}}{{- end -}}
{{- if and $ours $container.ports -}}{{- include "outrigger-0.2.0.check.portNames" (dict "state" $state "container" $container) -}}{{- end -}}
{{- if and .stays $container.ports -}}{{- include "outrigger-0.2.0.check.ports" (dict "state" $state "container" $container "contributed" $ours) -}}{{- end -}}
{{- range $field := list "startupProbe" "readinessProbe" "livenessProbe" -}}
  {{- if hasKey $container $field -}}{{- include "outrigger-0.2.0.check.handler" (dict "state" $state "container" $container "contributed" $ours "field" $field "handler" (get $container $field)) -}}{{- end -}}
{{- end -}}
{{- if $ours -}}{{- include "outrigger-0.2.0.check.contributed" (dict "state" $state "container" $container) -}}{{- end -}}
{{- if $container.lifecycle -}}{{- include "outrigger-0.2.0.check.lifecycle" (dict "state" $state "container" $container "contributed" $ours) -}}{{- end -}}
{{- if and $container.resources (or (not $ours) (hasKey $state.ownResources $name)) -}}{{- include "outrigger-0.2.0.check.resources" (dict "state" $state "container" $container) -}}{{- end -}}
{{- if not .stays -}}
  {{- range $field := list "startupProbe" "readinessProbe" "livenessProbe" "lifecycle" -}}
    {{- if not (kindIs "invalid" (index $container $field)) -}}
      {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $name "field" $field
            "message" "is for containers that stay, and this one runs to its end; remove it") -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
What is wrong with a container's image, told at the key that says the image: the entry's, or one of `images`.
Takes: state; name, the container's; message
Reports: the problem
*/ -}}
{{- define "outrigger-0.2.0.check.imageProblem" -}}
{{- $state := .state -}}
{{- $path := printf "%s.image" (include "outrigger-0.2.0.kit.origin" (dict "state" $state "name" .name)) -}}
{{- with get $state.images .name -}}
  {{- $image := .image -}}
  {{- $key := get (.contribution.imageKeys | default dict) $.name -}}
  {{- if .contribution.config.image -}}
    {{- /* The entry's own image wins over all others. */ -}}
  {{- else if $key -}}
    {{- $path = printf "%s.%s" .contribution.path $key -}}
  {{- else -}}
    {{- range $name, $each := $state.values.images -}}
      {{- if eq (toString $each) (toString $image) -}}{{- $path = printf "%s.images.%s" $state.key $name -}}{{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" $path "message" .message) -}}
{{- end -}}

{{- /*
A request that is more than its limit, or of what nobody may take more than requested is not the same.
Takes: state; container
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.resources" -}}
{{- $container := .container -}}
{{- range $resource, $request := $container.resources.requests -}}
  {{- $limit := get ($container.resources.limits | default dict) $resource -}}
  {{- $equal := or (hasPrefix "hugepages-" $resource) (and (contains "/" $resource) (not (contains "kubernetes.io/" $resource))) -}}
  {{- $message := "" -}}
  {{- if $limit -}}
    {{- $requested := include "outrigger-0.2.0.kit.quantity" $request | float64 -}}
    {{- $limited := include "outrigger-0.2.0.kit.quantity" $limit | float64 -}}
    {{- if gt $requested $limited -}}
      {{- $message = printf "is %v, more than the limit of %v; lower it or raise the limit" $request $limit -}}
    {{- else if and $equal (lt $requested $limited) -}}
      {{- $message = printf "is %v, and the limit %v; Kubernetes asks that they are the same, as nobody may take more of it than is requested" $request $limit -}}
    {{- end -}}
  {{- else if $equal -}}
    {{- $message = printf "has no limit, and Kubernetes asks for the same, as nobody may take more of it than is requested; set resources.limits.%s to %v" $resource $request -}}
  {{- end -}}
  {{- if $message -}}
    {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $.state "name" $container.name "field" (printf "resources.requests.%s" $resource) "message" $message) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Two mounts at one path, of which the later hides the earlier; a mount of an unknown volume. Two of the author's own
are a fault only where they are written alike, as the API server compares texts.
Takes: state; container; contributed, whether it is
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.mounts" -}}
{{- $state := .state -}}
{{- $container := .container -}}
{{- $ours := .contributed -}}
{{- $paths := dict -}}
{{- range $mount := $container.volumeMounts -}}
  {{- $path := clean (toString $mount.mountPath) -}}
  {{- with get $paths $path -}}
    {{- $contributed := list -}}
    {{- range $state.contributions -}}{{- range .appVolumeMounts -}}{{- $contributed = append $contributed .name -}}{{- end -}}{{- end -}}
    {{- if or $ours (eq (toString .mountPath) (toString $mount.mountPath)) (has .name $contributed) (has $mount.name $contributed) -}}
      {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $container.name "field" "volumeMounts"
            "message" (printf "%s is the mountPath of volume %q and of volume %q; change or remove one" $path .name $mount.name)) -}}
    {{- end -}}
  {{- end -}}
  {{- $_ := set $paths $path $mount -}}
  {{- if and $ours (not (hasKey $state.volumeNames $mount.name)) -}}
    {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $container.name "field" "volumeMounts"
          "message" (printf "there is no volume %q; add %s.volumes.%s, or name one of %s" $mount.name $state.key $mount.name (include "outrigger-0.2.0.kit.quoteAll" (keys $state.volumeNames | sortAlpha)))) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Two ports with one number and protocol, or one name: in one container, or in two of which one is the library's, as a
pod's containers share a network; two host ports that clash on a node.
Takes: state; container; contributed, whether it is
Sets: .ports and .portNames of the state
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.ports" -}}
{{- $state := .state -}}
{{- $container := .container -}}
{{- $ours := .contributed -}}
{{- range $port := $container.ports -}}
  {{- $protocol := $port.protocol | default "TCP" -}}
  {{- $number := printf "%v/%s" $port.containerPort $protocol -}}
  {{- with get $state.ports $number -}}
    {{- if or $ours (eq . $container.name) (hasKey $state.origins .) -}}
      {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $container.name "field" "ports"
            "message" (printf "port %s is also declared by %s, and a pod's containers share one network; change one of them" $number (include "outrigger-0.2.0.kit.origin" (dict "state" $state "name" .)))) -}}
    {{- end -}}
  {{- end -}}
  {{- $_ := set $state.ports $number $container.name -}}
  {{- if $port.name -}}
    {{- with get $state.portNames $port.name -}}
      {{- if or $ours (eq . $container.name) (hasKey $state.origins .) -}}
        {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $container.name "field" "ports"
              "message" (printf "port name %q is also used by %s; rename one of them" $port.name (include "outrigger-0.2.0.kit.origin" (dict "state" $state "name" .)))) -}}
      {{- end -}}
    {{- end -}}
    {{- $_ := set $state.portNames $port.name $container.name -}}
  {{- end -}}
  {{- if $port.hostPort -}}
    {{- $onHost := printf "hostPort %v/%s %s" $port.hostPort $protocol ($port.hostIP | default "") -}}
    {{- if hasKey $state.ports $onHost -}}
      {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $container.name "field" "ports"
            "message" (printf "%s is also claimed by %s; change or remove one of them" (trim $onHost) (include "outrigger-0.2.0.kit.origin" (dict "state" $state "name" (get $state.ports $onHost))))) -}}
    {{- end -}}
    {{- $_ := set $state.ports $onHost $container.name -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Port names that Kubernetes refuses (RFC 6335).
Takes: state; container
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.portNames" -}}
{{- $container := .container -}}
{{- range $container.ports -}}
  {{- if and .name (not (and (le (len .name) 15) (regexMatch "^([0-9]+-)*[0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*$" .name))) -}}
    {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $.state "name" $container.name "field" (printf "ports.%s" .name)
          "message" "is no name of a port; rename it with at most 15 lower case letters, digits and single -, a letter among them, a letter or digit at both ends") -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
A probe or a lifecycle handler that names a port which its own container does not declare, where the library makes that,
or that no port has.
Takes: state; container; contributed, whether it is; field, of it; handler, what is there
Reports: the problem
*/ -}}
{{- define "outrigger-0.2.0.check.handler" -}}
{{- $container := .container -}}
{{- $handler := .handler | default dict -}}
{{- $port := ($handler.httpGet | default $handler.tcpSocket | default dict).port -}}
{{- if kindIs "string" $port -}}
  {{- $names := list -}}
  {{- range $container.ports -}}{{- $names = append $names .name -}}{{- end -}}
  {{- if regexMatch "^[0-9]+$" $port -}}
    {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" .state "name" $container.name "field" .field
          "message" (printf "the port %q is a text, which names a port; write the number without quotes" $port)) -}}
  {{- else if and .contributed (not (has $port $names)) -}}
    {{- $names = compact $names -}}
    {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" .state "name" $container.name "field" .field
          "message" (printf "the container has no port %q; %s" $port (empty $names | ternary (printf "give one of its ports that name, or use the number") (printf "name one of %s, or use the number" (include "outrigger-0.2.0.kit.quoteAll" $names))))) -}}
  {{- end -}}
{{- else if and (not (kindIs "invalid" $port)) (or (lt (int $port) 1) (gt (int $port) 65535)) -}}
  {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" .state "name" $container.name "field" .field
        "message" (printf "there is no port %d; ports are 1 to 65535" (int $port))) -}}
{{- end -}}
{{- end -}}

{{- /*
A lifecycle handler at fault as a probe may be, or too new for the cluster; a native sidecar's preStop that ends it:
that hook runs when the pod begins to end, while the app still needs its sidecars (KEP-753).
Takes: state; container; contributed, whether it is
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.lifecycle" -}}
{{- $state := .state -}}
{{- $container := .container -}}
{{- range $hook := list "postStart" "preStop" -}}
  {{- with get $container.lifecycle $hook -}}
    {{- include "outrigger-0.2.0.check.handler" (dict "state" $state "container" $container "contributed" $.contributed "field" (printf "lifecycle.%s" $hook) "handler" .) -}}
    {{- if and (not (kindIs "invalid" .sleep)) (semverCompare "<1.30.0-0" $state.kubeVersion) -}}
      {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $container.name "field" (printf "lifecycle.%s.sleep" $hook)
            "message" (printf "needs Kubernetes 1.30 or later and this is rendered for %s; use exec, or set %s.kubeVersion if that version is not the cluster's" $state.kubeVersion $state.key)) -}}
    {{- else if and (kindIs "map" .sleep) (eq (int64 (.sleep.seconds | default 0)) 0) (semverCompare "<1.33.0-0" $state.kubeVersion) -}}
      {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $container.name "field" (printf "lifecycle.%s.sleep.seconds" $hook)
            "message" (printf "is 0, which needs Kubernetes 1.33 or later and this is rendered for %s; set 1 or more, or set %s.kubeVersion if that version is not the cluster's" $state.kubeVersion $state.key)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if and .contributed (eq $state.form "native") $container.lifecycle.preStop (eq ($container.restartPolicy | default "") "Always") -}}
  {{- $preStop := $container.lifecycle.preStop -}}
  {{- /* What a file is called or told, and a signal that ends nothing, are taken out first. */ -}}
  {{- $script := join " " ($preStop.exec | default dict).command -}}
  {{- $script = regexReplaceAll `\b(touch|rm|mkdir|echo|printf)[ \t][^;&|\n]*(;|&|\|\||\n|$)` $script "$2" -}}
  {{- $script = regexReplaceAll `\bp?kill(all)? +(-s +|-)(SIG)?(HUP|USR1|USR2|WINCH|CONT|0|1|10|12|18|28)\b` $script "" -}}
  {{- $command := `(^|[\s;&|("'])(/(usr/)?s?bin/)?(p?kill(all)?|quit(quitquit)?|shutdown|halt|poweroff|stop|terminate)([\s;&|)"']|$)` -}}
  {{- $url := `/(quit(quitquit)?|shutdown|halt|poweroff|terminate|exit)([\s;&|)"'/?#]|$)` -}}
  {{- $ends := or (regexMatch $command $script) (regexMatch (printf `\b(curl|wget)\b[^;&|\n]*%s` $url) $script)
        (regexMatch $url (($preStop.httpGet | default dict).path | default "")) -}}
  {{- if and $ends (not (has $container.name $state.preStopEnds)) -}}
    {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" $container.name "field" "lifecycle.preStop"
          "message" "ends the sidecar when the pod begins to end, while the app still runs; remove it (SIGTERM comes when the app has ended), or set preStopEnds: true on the entry if that is wanted") -}}
  {{- end -}}
{{- end -}}
{{- end -}}

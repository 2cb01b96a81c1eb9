{{- /*
Completes one contributed container in place: its form, the entry's fields, its mounts, the library's defaults.
Takes: state; contribution; container; stays, optional, true for a sidecar: else it runs to its end
Sets: the fields of the container, and .origins and .preStopEnds of the state
Reports: what keeps it from being completed
*/ -}}
{{- define "outrigger-0.2.0.container.complete" -}}
{{- $container := .container -}}
{{- $config := .contribution.config -}}
{{- $_ := set .state.origins $container.name (append (get .state.origins $container.name | default list) .contribution.path) -}}
{{- if and .stays (eq .state.form "native") -}}
  {{- $_ := set $container "restartPolicy" "Always" -}}
{{- else if hasKey $container "restartPolicy" -}}
  {{- $_ := unset $container "restartPolicy" -}}
{{- end -}}
{{- if $config.preStopEnds -}}{{- $_ := set .state "preStopEnds" (append .state.preStopEnds $container.name) -}}{{- end -}}
{{- if ne (.contribution.pattern | default "") "containers" -}}{{- /* there the container is the entry */ -}}
  {{- range $field := list "image" "imagePullPolicy" "securityContext" -}}
    {{- if not (kindIs "invalid" (index $config $field)) -}}{{- $_ := set $container $field (get $config $field) -}}{{- end -}}
  {{- end -}}
  {{- if $config.resources -}}{{- include "outrigger-0.2.0.container.ownResources" . -}}{{- end -}}
  {{- if and .state.podTemplate.spec.hostNetwork $container.ports (not $config.hostNetwork) -}}{{- include "outrigger-0.2.0.container.listensOnNode" . -}}{{- end -}}
{{- end -}}
{{- $_ := set .state.images $container.name (dict "contribution" .contribution "image" $container.image) -}}
{{- with .state.registry -}}
  {{- if and $container.image (not $.contribution.appImages) -}}{{- $_ := set $container "image" (include "outrigger-0.2.0.container.registry" (dict "registry" . "image" $container.image)) -}}{{- end -}}
{{- end -}}
{{- if or $config.env $config.downwardAPI .state.values.defaults.downwardAPI .state.env.sidecars -}}{{- include "outrigger-0.2.0.container.environment" . -}}{{- end -}}
{{- if .contribution.files -}}
  {{- $_ := set $container "volumeMounts" (append ($container.volumeMounts | default list) (dict "name" "outrigger-files" "mountPath" "/outrigger" "readOnly" true)) -}}
{{- end -}}
{{- if .contribution.tools -}}
  {{- $_ := set $container "volumeMounts" (append ($container.volumeMounts | default list) (dict "name" "outrigger-tools" "mountPath" "/outrigger-tools" "readOnly" true)) -}}
{{- end -}}
{{- if .contribution.program -}}
  {{- $_ := set $container "volumeMounts" (append ($container.volumeMounts | default list) (dict "name" "outrigger-program" "mountPath" "/outrigger-program" "readOnly" true)) -}}
{{- end -}}
{{- if .contribution.reads -}}{{- include "outrigger-0.2.0.container.mountReads" . -}}{{- end -}}
{{- if $container.volumeMounts -}}{{- include "outrigger-0.2.0.container.completeMounts" . -}}{{- end -}}
{{- include "outrigger-0.2.0.container.securityContext" . -}}
{{- if .contribution.reads -}}{{- include "outrigger-0.2.0.container.checkChanges" . -}}{{- end -}}
{{- if and (not $container.resources) (hasKey .state "plainResources") -}}
  {{- if .state.plainResources -}}{{- $_ := set $container "resources" .state.plainResources -}}{{- end -}}
{{- else -}}
  {{- include "outrigger-0.2.0.container.resources" . -}}
{{- end -}}
{{- end -}}

{{- /*
A container of a pattern's that listens in a pod of the node's network, where neither loopback nor port is the pod's
own.
Takes: state; contribution; container
Reports: the problem
*/ -}}
{{- define "outrigger-0.2.0.container.listensOnNode" -}}
{{- $ports := list -}}
{{- range .container.ports -}}{{- $ports = append $ports (toString .containerPort) -}}{{- end -}}
{{- include "outrigger-0.2.0.kit.problem" (dict "state" .state "path" .contribution.path
      "message" (printf "listens on %s, and in a pod with hostNetwork: true its ports are the node's: every process of the node, and every other such pod, gets in without a password, and no second pod fits on the node; leave it out of this pod (workloads, enabled: false), or set %s.hostNetwork: true if that is wanted" (join ", " $ports) .contribution.path)) -}}
{{- end -}}

{{- /*
Works out once for a pod what all its sidecars have in common.
Takes: the State
Sets: .guaranteed, .sharesResources, .registry, .plainContexts, .preStopEnds and .ownResources
*/ -}}
{{- define "outrigger-0.2.0.container.podDefaults" -}}
{{- $_ := set . "guaranteed" (include "outrigger-0.2.0.container.guaranteed" .) -}}
{{- $resources := .podTemplate.spec.resources | default dict -}}
{{- $_ := set . "sharesResources" (or $resources.requests $resources.limits | empty | not) -}}
{{- $_ := set . "registry" ((.values.global | default dict).imageRegistry | default "" | trimSuffix "/") -}}
{{- $_ := set . "plainContexts" dict -}}
{{- $_ := set . "preStopEnds" list -}}
{{- $_ := set . "ownResources" dict -}}
{{- end -}}

{{- /*
An image with another registry. The registry is what stands before the first slash, if it has a dot, a colon or is
localhost (as in the reference grammar of container images).
Takes: registry; image
Prints: the image
*/ -}}
{{- define "outrigger-0.2.0.container.registry" -}}
{{- $registry := .registry -}}
{{- $image := .image -}}
{{- if hasPrefix (printf "%s/" $registry) $image -}}
{{- $image -}}
{{- else -}}
{{- printf "%s/%s" $registry (regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $image "") -}}
{{- end -}}
{{- end -}}

{{- /*
Gives a container the entry's env, that of all sidecars (env.sidecars), and, where the entry or the defaults ask for
it (downwardAPI), the pod's name, namespace, node and IP; a variable of the entry's own wins.
Takes: state; contribution; container
Sets: env of the container
*/ -}}
{{- define "outrigger-0.2.0.container.environment" -}}
{{- $own := list -}}
{{- if and .contribution.config.env (ne .contribution.pattern "containers") -}}{{- $own = include "outrigger-0.2.0.kit.namedItems" (dict "items" .contribution.config.env "field" "value") | fromJsonArray -}}{{- end -}}
{{- $env := .container.env | default list -}}
{{- $wanted := hasKey .contribution.config "downwardAPI" | ternary .contribution.config.downwardAPI .state.values.defaults.downwardAPI -}}
{{- if or $own $wanted .state.env.sidecars -}}
  {{- $given := dict -}}
  {{- range concat $env $own -}}{{- $_ := set $given .name true -}}{{- end -}}
  {{- $pod := list -}}
  {{- range .state.env.sidecars -}}
    {{- if not (hasKey $given .name) -}}{{- $pod = append $pod . -}}{{- $_ := set $given .name true -}}{{- end -}}
  {{- end -}}
  {{- if $wanted -}}
    {{- range $name, $path := dict "NODE_NAME" "spec.nodeName" "POD_IP" "status.podIP" "POD_NAME" "metadata.name" "POD_NAMESPACE" "metadata.namespace" -}}
      {{- if not (hasKey $given $name) -}}
        {{- $pod = append $pod (dict "name" $name "valueFrom" (dict "fieldRef" (dict "fieldPath" $path))) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- $_ := set .container "env" (concat $pod $env $own) -}}
{{- end -}}
{{- end -}}

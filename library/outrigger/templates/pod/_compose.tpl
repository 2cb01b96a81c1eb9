{{- /*
Merges the state's contributions into its pod template. The author's lists keep their order and come first, except
that native sidecars and contributed init containers start before the author's init containers, unless their entry
says `afterInit`.
Takes: the State, with contributions
Sets: .podTemplate, .origins, .sidecars
Reports: what cannot be merged, and what the patterns have found
*/ -}}
{{- define "outrigger-0.2.0.pod.compose" -}}
{{- $state := . -}}
{{- $spec := .podTemplate.spec -}}
{{- include "outrigger-0.2.0.pod.gracePeriod" . -}}
{{- include "outrigger-0.2.0.pod.mountIntoApp" . -}}
{{- include "outrigger-0.2.0.pod.appEnv" . -}}
{{- include "outrigger-0.2.0.pod.appContainers" . -}}
{{- $volumes := .author.volumes -}}
{{- include "outrigger-0.2.0.pod.tools" . -}}
{{- include "outrigger-0.2.0.pod.program" . -}}
{{- $first := concat .tools .program.initContainers -}}
{{- $last := list -}}
{{- $beside := list -}}
{{- range $contribution := .contributions -}}
  {{- range $contribution.problems -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" $contribution.path "message" .) -}}
  {{- end -}}
  {{- if $contribution.volumes -}}{{- $volumes = concat $volumes $contribution.volumes -}}{{- end -}}
  {{- range $annotation, $value := $contribution.podAnnotations -}}
    {{- include "outrigger-0.2.0.pod.annotate" (dict "state" $state "kind" "annotations" "key" $annotation "value" $value) -}}
  {{- end -}}
  {{- range $label, $value := $contribution.podLabels -}}
    {{- include "outrigger-0.2.0.pod.annotate" (dict "state" $state "kind" "labels" "key" $label "value" $value) -}}
  {{- end -}}
  {{- $starts := $contribution.initContainers | default list -}}
  {{- range $starts -}}
    {{- include "outrigger-0.2.0.container.complete" (dict "state" $state "contribution" $contribution "container" .) -}}
  {{- end -}}
  {{- range $contribution.sidecars -}}
    {{- include "outrigger-0.2.0.container.complete" (dict "state" $state "contribution" $contribution "container" . "stays" true) -}}
    {{- $_ := set $state "sidecars" (append $state.sidecars .name) -}}
    {{- if eq $state.form "native" -}}{{- $starts = append $starts . -}}{{- else -}}{{- $beside = append $beside . -}}{{- end -}}
  {{- end -}}
  {{- if $contribution.config.afterInit -}}{{- $last = concat $last $starts -}}{{- else if eq (len $starts) 1 -}}{{- $first = append $first (first $starts) -}}{{- else -}}{{- $first = concat $first $starts -}}{{- end -}}
{{- end -}}
{{- with include "outrigger-0.2.0.kit.files" . -}}
  {{- $volumes = append $volumes (dict "name" "outrigger-files" "configMap" (dict "name" (include "outrigger-0.2.0.kit.objectName" $state))) -}}
  {{- include "outrigger-0.2.0.pod.annotate" (dict "state" $state "kind" "annotations" "key" "checksum/outrigger" "value" (sha256sum .)) -}}
{{- end -}}
{{- if .tools -}}{{- $volumes = append $volumes (dict "name" "outrigger-tools" "emptyDir" (dict "sizeLimit" "16Mi")) -}}{{- end -}}
{{- $volumes = concat $volumes .program.volumes -}}
{{- $initContainers := concat $first .author.initContainers $last -}}
{{- if $initContainers -}}{{- $_ := set $spec "initContainers" $initContainers -}}{{- else -}}{{- $_ := unset $spec "initContainers" -}}{{- end -}}
{{- $_ := set $spec "containers" (concat .appContainers $beside) -}}
{{- if $volumes -}}{{- $_ := set $spec "volumes" $volumes -}}{{- end -}}
{{- include "outrigger-0.2.0.pod.podSettings" . -}}
{{- end -}}

{{- /*
The containers that the sidecars serve: the author's, or in a pod of a pattern's own the pattern's, completed.
Takes: the State, with contributions
Sets: .appContainers, and what container.podDefaults sets
*/ -}}
{{- define "outrigger-0.2.0.pod.appContainers" -}}
{{- $state := . -}}
{{- $own := list -}}
{{- range .contributions -}}{{- $own = concat $own (.containers | default list) -}}{{- end -}}
{{- $_ := set . "appContainers" (concat .author.containers $own) -}}
{{- include "outrigger-0.2.0.container.podDefaults" . -}}
{{- range $contribution := .contributions -}}
  {{- range .containers -}}
    {{- include "outrigger-0.2.0.container.complete" (dict "state" $state "contribution" $contribution "container" .) -}}
  {{- end -}}
{{- end -}}
{{- if $own -}}
  {{- /* What the entry says of their resources shows only now. */ -}}
  {{- $_ := set . "guaranteed" (include "outrigger-0.2.0.container.guaranteed" .) -}}
{{- end -}}
{{- end -}}

{{- /*
What the values say of the pod as a whole: a shared process namespace, pull secrets of all charts
(global.imagePullSecrets) beside the author's, where the pod has a container of the library's.
Takes: the State
Sets: the fields of the pod's spec
*/ -}}
{{- define "outrigger-0.2.0.pod.podSettings" -}}
{{- $spec := .podTemplate.spec -}}
{{- if .settings.shareProcessNamespace -}}{{- $_ := set $spec "shareProcessNamespace" true -}}{{- end -}}
{{- if .origins -}}
  {{- $secrets := $spec.imagePullSecrets | default list -}}
  {{- range (.values.global | default dict).imagePullSecrets -}}
    {{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) | uniq -}}
  {{- end -}}
  {{- if $secrets -}}{{- $_ := set $spec "imagePullSecrets" $secrets -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The init container that puts a static busybox, and links by the names of its applets, where containers without a shell
of their own find them, if a contribution asks for tools. A busybox that needs libraries would start in its own image
alone: in its memory is a linker's file besides its own.
Takes: the State, with contributions
Sets: .tools, a list of the container, or an empty one
*/ -}}
{{- define "outrigger-0.2.0.pod.tools" -}}
{{- $wanted := false -}}
{{- range .contributions -}}{{- if .tools -}}{{- $wanted = true -}}{{- end -}}{{- end -}}
{{- $_ := set . "tools" list -}}
{{- if $wanted -}}
{{- $refusal := printf "%s.images.busybox: the busybox of %s is linked dynamically, so that it starts in no other image; set an image with a static one: of upstream's, a tag that ends in -musl" .key .values.images.busybox -}}
{{- $copy := "if /bin/busybox grep -q '[.]so[.0-9]*$' /proc/self/maps; then echo \"$0\" >&2; exit 1; fi; /bin/busybox cp /bin/busybox /outrigger-tools/ && exec /outrigger-tools/busybox --install -s /outrigger-tools" -}}
{{- $container := dict
      "name" "outrigger-tools" "image" .values.images.busybox "command" (list "/bin/busybox" "sh" "-c" $copy $refusal)
      "terminationMessagePolicy" "FallbackToLogsOnError"
      "volumeMounts" (list (dict "name" "outrigger-tools" "mountPath" "/outrigger-tools")) -}}
{{- $contribution := dict "path" (printf "%s (its own outrigger-tools)" .key) "config" dict -}}
{{- include "outrigger-0.2.0.container.complete" (dict "state" . "contribution" $contribution "container" $container) -}}
{{- $_ := set . "tools" (list $container) -}}
{{- end -}}
{{- end -}}

{{- /*
Mounts what the contributions want into the author's containers and init containers: into all of them, or those of
`containers`, which may be empty. A map of containers gives each its own mount fields.
Takes: the State, with contributions
Sets: the volumeMounts of the author's containers
Reports: containers that the pod template does not have
*/ -}}
{{- define "outrigger-0.2.0.pod.mountIntoApp" -}}
{{- $state := . -}}
{{- range $contribution := .contributions -}}
  {{- range $mount := $contribution.appVolumeMounts -}}
    {{- $only := $mount.containers | default list -}}
    {{- $own := kindIs "map" $only | ternary $only dict -}}
    {{- if kindIs "map" $only -}}{{- $only = keys $only | sortAlpha -}}{{- end -}}
    {{- $missing := $only -}}
    {{- $all := kindIs "invalid" $mount.containers -}}
    {{- range $container := concat $state.author.containers $state.author.initContainers -}}
      {{- if or $all (has $container.name $only) -}}
        {{- $ownMount := omit $mount "containers" -}}
        {{- include "outrigger-0.2.0.kit.overlay" (dict "into" $ownMount "from" (get $own $container.name | default dict)) -}}
        {{- $_ := set $container "volumeMounts" (append ($container.volumeMounts | default list) $ownMount) -}}
        {{- $missing = without $missing $container.name -}}
      {{- end -}}
    {{- end -}}
    {{- if $missing -}}
      {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (printf "%s.containers" $contribution.path)
            "message" (printf "the pod template has no container %s; name one of its containers, or leave the list out" (include "outrigger-0.2.0.kit.quoteAll" $missing))) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Gives the pod an annotation or a label.
Takes: state; kind, annotations or labels; key; value
Sets: .podTemplate.metadata of the state
*/ -}}
{{- define "outrigger-0.2.0.pod.annotate" -}}
{{- $podTemplate := .state.podTemplate -}}
{{- $metadata := $podTemplate.metadata | default dict -}}
{{- $values := get $metadata .kind | default dict -}}
{{- $_ := set $values .key .value -}}
{{- $_ := set $metadata .kind $values -}}
{{- $_ := set $podTemplate "metadata" $metadata -}}
{{- end -}}

{{- /*
Merges the work dict's contributions into its pod template. The author's lists keep their order and come first, except
that native sidecars start before the author's init containers. What cannot be merged is added to .problems.
*/ -}}
{{- define "outrigger-0.1.0.compose" -}}
{{- $work := . -}}
{{- $spec := .podTemplate.spec -}}
{{- include "outrigger-0.1.0.mountIntoApp" . -}}
{{- $volumes := .author.volumes -}}
{{- $sidecars := list -}}
{{- $_ := set $work "origins" dict -}}
{{- $_ := set $work "guaranteed" (include "outrigger-0.1.0.guaranteed" .) -}}
{{- range $contribution := .contributions -}}
  {{- range $contribution.problems -}}
    {{- include "outrigger-0.1.0.problem" (list $work $contribution.path .) -}}
  {{- end -}}
  {{- $volumes = concat $volumes ($contribution.volumes | default list) -}}
  {{- range $sidecar := $contribution.sidecars -}}
    {{- include "outrigger-0.1.0.sidecar" (dict "work" $work "contribution" $contribution "sidecar" $sidecar) -}}
    {{- $sidecars = append $sidecars $sidecar -}}
  {{- end -}}
{{- end -}}
{{- with include "outrigger-0.1.0.files" . -}}
  {{- $volumes = append $volumes (dict "name" "outrigger-files" "configMap" (dict "name" (include "outrigger-0.1.0.objectName" $work))) -}}
  {{- include "outrigger-0.1.0.annotate" (list $work "checksum/outrigger" (sha256sum .)) -}}
{{- end -}}
{{- if eq .form "native" -}}
  {{- $_ := set $spec "initContainers" (concat $sidecars .author.initContainers) -}}
{{- else -}}
  {{- $_ := set $spec "containers" (concat .author.containers $sidecars) -}}
{{- end -}}
{{- if $volumes -}}{{- $_ := set $spec "volumes" $volumes -}}{{- end -}}
{{- if not $spec.initContainers -}}{{- $_ := unset $spec "initContainers" -}}{{- end -}}
{{- end -}}

{{- /*
Adds the contributions' appVolumeMounts to the author's containers and init containers.
*/ -}}
{{- define "outrigger-0.1.0.mountIntoApp" -}}
{{- $work := . -}}
{{- range $contribution := .contributions -}}
  {{- range $mount := $contribution.appVolumeMounts -}}
    {{- $only := $mount.containers | default list -}}
    {{- $missing := $only -}}
    {{- range $container := concat $work.author.containers $work.author.initContainers -}}
      {{- if or (not $only) (has $container.name $only) -}}
        {{- $_ := set $container "volumeMounts" (append ($container.volumeMounts | default list) (omit $mount "containers")) -}}
        {{- $missing = without $missing $container.name -}}
      {{- end -}}
    {{- end -}}
    {{- if $missing -}}
      {{- include "outrigger-0.1.0.problem" (list $work (printf "%s.containers" $contribution.path)
            (printf "the pod template has no container %s; name one of its containers, or leave the list out" (include "outrigger-0.1.0.quoteAll" $missing))) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Completes one contributed sidecar in place: its form, its mounts, the entry's overrides, the library's defaults.
Takes a dict: work, contribution, sidecar.
*/ -}}
{{- define "outrigger-0.1.0.sidecar" -}}
{{- $sidecar := .sidecar -}}
{{- $_ := set .work.origins $sidecar.name (append (get .work.origins $sidecar.name | default list) .contribution.path) -}}
{{- if eq .work.form "native" -}}
  {{- $_ := set $sidecar "restartPolicy" "Always" -}}
{{- else -}}
  {{- $_ := unset $sidecar "restartPolicy" -}}
{{- end -}}
{{- range $field := list "image" "imagePullPolicy" "resources" "securityContext" -}}
  {{- if hasKey $.contribution.config $field -}}
    {{- $_ := set $sidecar $field (get $.contribution.config $field) -}}
  {{- end -}}
{{- end -}}
{{- if .contribution.files -}}
  {{- $_ := set $sidecar "volumeMounts" (append ($sidecar.volumeMounts | default list) (dict "name" "outrigger-files" "mountPath" "/outrigger" "readOnly" true)) -}}
{{- end -}}
{{- include "outrigger-0.1.0.mountReads" . -}}
{{- include "outrigger-0.1.0.completeMounts" . -}}
{{- include "outrigger-0.1.0.securityContext" . -}}
{{- include "outrigger-0.1.0.resources" . -}}
{{- end -}}

{{- /*
Sets an annotation of the pod. Takes a list: the work dict, the annotation, its value.
*/ -}}
{{- define "outrigger-0.1.0.annotate" -}}
{{- $podTemplate := (index . 0).podTemplate -}}
{{- $metadata := $podTemplate.metadata | default dict -}}
{{- $annotations := $metadata.annotations | default dict -}}
{{- $_ := set $annotations (index . 1) (index . 2) -}}
{{- $_ := set $metadata "annotations" $annotations -}}
{{- $_ := set $podTemplate "metadata" $metadata -}}
{{- end -}}

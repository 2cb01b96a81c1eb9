{{- /*
volumes.<name>: a volume that the app's containers and their sidecars share. It is an emptyDir with a size limit
unless the entry names another of Kubernetes' volume sources; in memory where it is mounted at /dev/shm. With `seed`
what the app's image has at the mountPath is copied into it first.
Takes: the Call
Sets: its contribution
Reports: what the entry lacks, or has that means nothing
*/ -}}
{{- define "outrigger-0.2.0.patterns.volumes.contribution" -}}
{{- $mountFields := list "mountPath" "subPath" "subPathExpr" "readOnly" "mountPropagation" -}}
{{- $problems := list -}}
{{- $config := .config -}}
{{- $sized := pick $config "size" "medium" -}}
{{- include "outrigger-0.2.0.kit.dropNone" (dict "fields" $sized) -}}
{{- $volume := omit $config "enabled" "workloads" "size" "medium" "containers" "order" "seed" -}}
{{- range $mountFields -}}{{- $volume = omit $volume . -}}{{- end -}}
{{- $sources := keys $volume | sortAlpha -}}
{{- if gt (len $sources) 1 -}}
  {{- $problems = append $problems (printf "%s and set what you leave out to null (%s: null)" (include "outrigger-0.2.0.kit.sourcesProblem" $volume) (has "emptyDir" $sources | ternary "emptyDir" (first $sources))) -}}
{{- else if or (not $volume) (hasKey $volume "emptyDir") -}}
  {{- $emptyDir := dict "sizeLimit" ($config.size | default "1Gi") -}}
  {{- with $config.medium | default (eq ($config.mountPath | default "") "/dev/shm" | ternary "Memory" "") -}}{{- $_ := set $emptyDir "medium" . -}}{{- end -}}
  {{- if and $emptyDir.medium (not $config.size) -}}{{- $_ := set $emptyDir "sizeLimit" "64Mi" -}}{{- end -}}
  {{- include "outrigger-0.2.0.kit.overlay" (dict "into" $emptyDir "from" $volume.emptyDir) -}}
  {{- include "outrigger-0.2.0.kit.dropNone" (dict "fields" $emptyDir) -}}
  {{- $volume = dict "emptyDir" $emptyDir -}}
{{- else -}}
  {{- range $field := list "size" "medium" -}}
    {{- if get $sized $field -}}
      {{- $problems = append $problems (printf "%s is of an emptyDir, and the volume is a %s; set %s: null, or %s: null" $field (first $sources) $field (first $sources)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $mount := dict "name" .name -}}
{{- range $field := append $mountFields "containers" -}}
  {{- if hasKey $config $field -}}{{- $_ := set $mount $field (get $config $field) -}}{{- end -}}
{{- end -}}
{{- $ofNobody := and (hasKey $config "containers") (empty $config.containers) -}}
{{- if not (or $config.mountPath (kindIs "map" $config.containers) $ofNobody) -}}
  {{- $problems = append $problems "mountPath is missing; set it to the path at which the app has the volume" -}}
{{- else if and $config.seed $ofNobody -}}
  {{- $problems = append $problems "seed copies what the image of the first container that has the volume has there, and containers is empty; name a container, or remove seed" -}}
{{- else if $config.seed -}}
  {{- if eq .view "pod" -}}{{- include "outrigger-0.2.0.patterns.volumes.seed" (dict "call" . "mount" $mount) -}}{{- end -}}
{{- end -}}
{{- $_ := set .contribution "order" -1000 -}}
{{- $_ := set .contribution "problems" $problems -}}
{{- $_ := set .contribution "volumes" (list (set $volume "name" .name)) -}}
{{- $_ := set .contribution "appVolumeMounts" (list $mount) -}}
{{- end -}}

{{- /*
The init container that copies what the image of the first container that mounts the volume has at its mountPath.
Takes: call; mount, of the volume
Sets: initContainers of the contribution, and what they need
*/ -}}
{{- define "outrigger-0.2.0.patterns.volumes.seed" -}}
{{- $only := .mount.containers | default list -}}
{{- $own := kindIs "map" $only | ternary $only dict -}}
{{- if $own -}}{{- $only = keys $own -}}{{- end -}}
{{- $app := dict -}}
{{- range .call.podTemplate.spec.containers -}}
  {{- if and (not $app) (or (not $only) (has .name $only)) -}}{{- $app = . -}}{{- end -}}
{{- end -}}
{{- if $app -}}
  {{- $mount := omit .mount "containers" -}}
  {{- include "outrigger-0.2.0.kit.overlay" (dict "into" $mount "from" (get $own $app.name | default dict)) -}}
  {{- $context := dict -}}
  {{- range $field, $value := $app.securityContext -}}{{- if not (kindIs "invalid" $value) -}}{{- $_ := set $context $field (deepCopy $value) -}}{{- end -}}{{- end -}}
  {{- $container := dict
        "name" (include "outrigger-0.2.0.kit.shorten" (printf "%s-seed" .call.name))
        "image" $app.image
        "command" (include "outrigger-0.2.0.kit.allAsWritten" (list "/outrigger-program/outrigger" "seed" $mount.mountPath "/outrigger-seed") | fromJsonArray)
        "securityContext" $context
        "volumeMounts" (list (set (omit $mount "readOnly") "mountPath" "/outrigger-seed")) -}}
  {{- with $app.imagePullPolicy -}}{{- $_ := set $container "imagePullPolicy" . -}}{{- end -}}
  {{- $_ := set .call.contribution "program" true -}}
  {{- $_ := set .call.contribution "appImages" true -}}
  {{- $_ := set .call.contribution "initContainers" (list $container) -}}
{{- end -}}
{{- end -}}

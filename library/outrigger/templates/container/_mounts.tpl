{{- /*
Mounts the volume that holds each path that a sidecar reads, read-only unless it writes there too. The volume is found
by the mounts of the author's containers, shared volumes among them: the longest mountPath wins.
Takes: state; contribution; container
Sets: volumeMounts of the container
Reports: a path that lies in no volume
*/ -}}
{{- define "outrigger-0.2.0.container.mountReads" -}}
{{- $container := .container -}}
{{- $mounts := $container.volumeMounts | default list -}}
{{- range $read := .contribution.reads -}}
  {{- $found := dict -}}
  {{- range $app := concat $.state.appContainers $.state.author.initContainers -}}
    {{- range $mount := $app.volumeMounts -}}
      {{- if and $mount.mountPath (include "outrigger-0.2.0.kit.holds" (dict "mountPath" $mount.mountPath "path" $read.path)) (gt (len $mount.mountPath) (len ($found.mountPath | default ""))) -}}
        {{- $found = $mount -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- if $found -}}
    {{- $mounts = append $mounts (set (pick $found "name" "mountPath" "subPath" "subPathExpr") "readOnly" (not $read.writes)) | uniq -}}
  {{- else -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $.state "path" (printf "%s.%s" $.contribution.path $read.key)
          "message" (printf "%q lies in no volume that the app mounts; add %s.volumes.NAME.mountPath: %s" $read.path $.state.key (dir $read.path))) -}}
  {{- end -}}
{{- end -}}
{{- if $mounts -}}{{- $_ := set $container "volumeMounts" $mounts -}}{{- end -}}
{{- end -}}

{{- /*
A sidecar that changes the app's files as a user who is not known to be allowed to.
Takes: state; contribution; container, with its security context
Reports: the problem
*/ -}}
{{- define "outrigger-0.2.0.container.checkChanges" -}}
{{- $pod := .state.podTemplate.spec.securityContext | default dict -}}
{{- $own := include "outrigger-0.2.0.container.effectiveUser" (dict "podSecurityContext" $pod "container" .container) | fromJson -}}
{{- $chosen := hasKey (.contribution.config.securityContext | default dict) "runAsUser" -}}
{{- range $read := .contribution.reads -}}
  {{- $writers := list -}}
  {{- $allowed := not $read.changedBy -}}
  {{- range $app := $.state.appContainers -}}
    {{- range $app.volumeMounts -}}
      {{- if and (not $allowed) (not .readOnly) .mountPath (include "outrigger-0.2.0.kit.holds" (dict "mountPath" .mountPath "path" $read.path)) -}}
        {{- $user := include "outrigger-0.2.0.container.effectiveUser" (dict "podSecurityContext" $pod "container" $app) | fromJson -}}
        {{- if hasKey $user "runAsUser" -}}
          {{- $allowed = or (eq ($user.runAsUser | int64) ($own.runAsUser | int64)) (and $chosen (or (hasKey $pod "fsGroup") (and (hasKey $own "runAsGroup") (eq (toString $user.runAsGroup) (toString $own.runAsGroup))))) -}}
        {{- else -}}
          {{- /* With no user said for either, both have the namespace's. */ -}}
          {{- $allowed = or $chosen (not (hasKey $own "runAsUser")) -}}
        {{- end -}}
        {{- $writers = append $writers (printf "container %q runs as %s" $app.name (hasKey $user "runAsUser" | ternary (printf "user %d" ($user.runAsUser | int64)) "the user of its image, which is not known here")) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- if and $writers (not $allowed) -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $.state "path" (printf "%s.%s" $.contribution.path $read.changedBy)
          "message" (printf "%s, and the sidecar as user %d, which may not truncate the other's files; give both one user: securityContext.runAsUser of the pod, or of this entry" (join " and " $writers) ($own.runAsUser | int64))) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The user and group that a container runs as, where they are known.
Takes: podSecurityContext, of the pod; container
Prints: runAsUser and runAsGroup, as JSON
*/ -}}
{{- define "outrigger-0.2.0.container.effectiveUser" -}}
{{- $user := pick .podSecurityContext "runAsUser" "runAsGroup" -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $user "from" (pick (.container.securityContext | default dict) "runAsUser" "runAsGroup")) -}}
{{- toJson $user -}}
{{- end -}}

{{- /*
Gives a sidecar's mounts of shared volumes that have no mountPath the path at which the app has the volume.
Takes: state; contribution; container
Sets: volumeMounts of the container
Reports: a mount for which no path is known
*/ -}}
{{- define "outrigger-0.2.0.container.completeMounts" -}}
{{- $mounts := list -}}
{{- range $mount := .container.volumeMounts -}}
  {{- if $mount.mountPath -}}
    {{- $mounts = append $mounts $mount -}}
  {{- else -}}
    {{- $path := "" -}}
    {{- range $app := $.state.appContainers -}}
      {{- range $app.volumeMounts -}}
        {{- if and (eq .name $mount.name) (not $path) -}}{{- $path = .mountPath -}}{{- end -}}
      {{- end -}}
    {{- end -}}
    {{- if $path -}}
      {{- $mounts = append $mounts (set (omit $mount "mountPath") "mountPath" $path) -}}
    {{- else -}}
      {{- include "outrigger-0.2.0.kit.problem" (dict "state" $.state "path" (printf "%s.volumeMounts" $.contribution.path)
            "message" (printf "volume %q has no mountPath here and the app mounts no volume of that name; add %s.volumes.%s.mountPath, or give a mountPath" $mount.name $.state.key $mount.name)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if $mounts -}}{{- $_ := set .container "volumeMounts" $mounts -}}{{- end -}}
{{- end -}}

{{- /*
Prints, as JSON, the uid and gid of containers for which nobody says a user, by defaults.user; nothing in the dict where they
inherit what the namespace gives: OpenShift refuses a user outside of a namespace's range. Takes what has context and
values: the state, or what a pattern takes.
*/ -}}
{{- define "outrigger-0.1.0.kit.userOfItsOwn" -}}
{{- $user := .values.defaults.user | default "auto" -}}
{{- if kindIs "map" $user -}}
  {{- dict "uid" (int64 $user.uid) "gid" (kindIs "invalid" $user.gid | ternary $user.uid $user.gid | int64) | toJson -}}
{{- else if or (eq $user "inherit") (.context.Capabilities.APIVersions.Has "security.openshift.io/v1") -}}
  {{- dict | toJson -}}
{{- else -}}
  {{- dict "uid" 65532 "gid" 65532 | toJson -}}
{{- end -}}
{{- end -}}

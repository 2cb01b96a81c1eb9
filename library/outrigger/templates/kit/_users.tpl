{{- /*
The user of containers for which nobody says one, by defaults.user. Where they inherit what the namespace gives there
is none: OpenShift refuses a user outside of a namespace's range.
Takes: context and values, as the State and a Call have them
Prints: uid and gid, as JSON, or an empty dict
*/ -}}
{{- define "outrigger-0.2.0.kit.userOfItsOwn" -}}
{{- $user := .values.defaults.user | default "auto" -}}
{{- if kindIs "map" $user -}}
  {{- dict "uid" (int64 $user.uid) "gid" (kindIs "invalid" $user.gid | ternary $user.uid $user.gid | int64) | toJson -}}
{{- else if or (eq $user "inherit") (.context.Capabilities.APIVersions.Has "security.openshift.io/v1") -}}
  {{- dict | toJson -}}
{{- else -}}
  {{- dict "uid" 65532 "gid" 65532 | toJson -}}
{{- end -}}
{{- end -}}

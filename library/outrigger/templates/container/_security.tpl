{{- /*
Gives a contributed container its security context: the library's defaults (Pod Security Standard `restricted`), a
user, and over them the entry's fields. Containers without any of their own that serve one app container share one
dict, which nobody may change.
Takes: state; container
Sets: securityContext of the container, and .plainContexts of the state
*/ -}}
{{- define "outrigger-0.2.0.container.securityContext" -}}
{{- $own := .container.securityContext | default dict -}}
{{- $context := dict -}}
{{- $served := include "outrigger-0.2.0.container.servedContainer" . -}}
{{- if and (not $own) (hasKey .state.plainContexts $served) -}}
{{- $context = get .state.plainContexts $served -}}
{{- else -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $context "from" .state.values.defaults.securityContext) -}}
{{- if not (hasKey $own "runAsUser") -}}
  {{- $user := include "outrigger-0.2.0.container.user" (dict "state" .state "served" $served) | fromJson -}}
  {{- $chosen := dict -}}
  {{- range $field, $id := pick (.state.values.defaults.securityContext | default dict) "runAsUser" "runAsGroup" -}}
    {{- if not (kindIs "invalid" $id) -}}{{- $_ := set $chosen $field $id -}}{{- end -}}
  {{- end -}}
  {{- include "outrigger-0.2.0.kit.overlay" (dict "into" $context "from" $user) -}}
  {{- include "outrigger-0.2.0.kit.overlay" (dict "into" $context "from" $chosen) -}}
{{- end -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $context "from" $own) -}}
{{- if and (not (hasKey $own "runAsNonRoot")) (not (kindIs "invalid" $context.runAsUser)) (eq ($context.runAsUser | int64) 0) -}}
  {{- $_ := set $context "runAsNonRoot" false -}}
{{- end -}}
{{- $added := ($context.capabilities | default dict).add | default list -}}
{{- if and (not (hasKey $own "allowPrivilegeEscalation")) (or $context.privileged (has "SYS_ADMIN" $added) (has "CAP_SYS_ADMIN" $added)) -}}
  {{- /* Kubernetes refuses the default beside these. */ -}}
  {{- $_ := unset $context "allowPrivilegeEscalation" -}}
{{- end -}}
{{- if not $own -}}{{- $_ := set .state.plainContexts $served $context -}}{{- end -}}
{{- end -}}
{{- if $context -}}{{- $_ := set .container "securityContext" $context -}}{{- end -}}
{{- end -}}

{{- /*
The runAsUser and runAsGroup that a container needs beside what it inherits from the pod: the app's, so that it can
read the app's files. Beside a root app it keeps a user of its own and takes the app's group. Where nobody says a user
it is defaults.user, which may be none.
Takes: state; served, the name of the app container that it serves
Prints: the fields, as JSON
*/ -}}
{{- define "outrigger-0.2.0.container.user" -}}
{{- $state := .state -}}
{{- $app := dict -}}
{{- range $state.appContainers -}}
  {{- if eq .name $.served -}}{{- $app = pick (.securityContext | default dict) "runAsUser" "runAsGroup" -}}{{- end -}}
{{- end -}}
{{- $effective := dict -}}
{{- range $context := list $state.podTemplate.spec.securityContext $app -}}
  {{- range $field, $id := pick ($context | default dict) "runAsUser" "runAsGroup" -}}
    {{- if not (kindIs "invalid" $id) -}}{{- $_ := set $effective $field $id -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- $other := include "outrigger-0.2.0.kit.userOfItsOwn" $state | fromJson -}}
{{- if and $other (not (hasKey $effective "runAsUser")) -}}
  {{- $app = dict "runAsUser" (int64 $other.uid) "runAsGroup" (hasKey $effective "runAsGroup" | ternary $effective.runAsGroup $other.gid | int64) -}}
{{- else if and (hasKey $effective "runAsUser") (eq ($effective.runAsUser | int64) 0) -}}
  {{- $app = dict "runAsUser" ($other.uid | default 65532 | int64) "runAsGroup" ($effective.runAsGroup | default 0 | int64) -}}
{{- end -}}
{{- toJson $app -}}
{{- end -}}

{{- /*
The app container that a contributed one serves: the first that shares a volume with it, else the first.
Takes: state; container
Prints: its name
*/ -}}
{{- define "outrigger-0.2.0.container.servedContainer" -}}
{{- $app := (first .state.appContainers).name -}}
{{- $mounts := .container.volumeMounts -}}
{{- if and $mounts (gt (len .state.appContainers) 1) -}}
  {{- $shared := dict -}}
  {{- range $mounts -}}{{- $_ := set $shared .name true -}}{{- end -}}
  {{- range $container := reverse .state.appContainers -}}
    {{- range $container.volumeMounts -}}
      {{- if hasKey $shared .name -}}{{- $app = $container.name -}}{{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $app -}}
{{- end -}}

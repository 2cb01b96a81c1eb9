{{- /*
Gives a sidecar its security context: the library's defaults (Pod Security Standard `restricted`), a user, and over
them the entry's fields. Takes what outrigger-….sidecar takes.
*/ -}}
{{- define "outrigger-0.1.0.securityContext" -}}
{{- $own := .sidecar.securityContext | default dict -}}
{{- $context := dict -}}
{{- include "outrigger-0.1.0.overlay" (list $context .work.values.defaults.securityContext) -}}
{{- if not (hasKey $own "runAsUser") -}}
  {{- include "outrigger-0.1.0.overlay" (list $context (include "outrigger-0.1.0.user" . | fromYaml)) -}}
{{- else if eq ($own.runAsUser | int64) 0 -}}
  {{- $_ := set $context "runAsNonRoot" false -}}
{{- end -}}
{{- include "outrigger-0.1.0.overlay" (list $context $own) -}}
{{- if $context -}}{{- $_ := set .sidecar "securityContext" $context -}}{{- end -}}
{{- end -}}

{{- /*
Prints the runAsUser and runAsGroup that a sidecar needs beside what it inherits from the pod, as YAML: the app's, so
that it can read the app's files. Beside a root app it keeps a user of its own and takes the app's group. Takes what
outrigger-….sidecar takes.
*/ -}}
{{- define "outrigger-0.1.0.user" -}}
{{- $app := pick (include "outrigger-0.1.0.appSecurityContext" . | fromYaml) "runAsUser" "runAsGroup" -}}
{{- $effective := pick (.work.podTemplate.spec.securityContext | default dict) "runAsUser" "runAsGroup" -}}
{{- include "outrigger-0.1.0.overlay" (list $effective $app) -}}
{{- if not (hasKey $effective "runAsUser") -}}
runAsUser: 65532
runAsGroup: {{ hasKey $effective "runAsGroup" | ternary $effective.runAsGroup 65532 | int64 }}
{{- else if eq ($effective.runAsUser | int64) 0 -}}
runAsUser: 65532
runAsGroup: {{ $effective.runAsGroup | default 0 | int64 }}
{{- else if $app -}}
{{ toYaml $app }}
{{- end -}}
{{- end -}}

{{- /*
Prints, as YAML, the securityContext of the author's container that a sidecar serves: the first that shares a volume
with it, else the first. Takes what outrigger-….sidecar takes.
*/ -}}
{{- define "outrigger-0.1.0.appSecurityContext" -}}
{{- $shared := list -}}
{{- range .sidecar.volumeMounts -}}{{- $shared = append $shared .name -}}{{- end -}}
{{- $app := dict -}}
{{- range $container := .work.author.containers -}}
  {{- range $container.volumeMounts -}}
    {{- if and (not $app) (has .name $shared) -}}{{- $app = $container -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- ($app | default (first .work.author.containers)).securityContext | default dict | toYaml -}}
{{- end -}}

{{- /*
The keys of AWS that a Secret has, as files, which may change.
Takes: refresher; secret, its name, or nothing
Sets: .provider.credentialsDirectory, .volumes and .volumeMounts of the Refresher
*/ -}}
{{- define "outrigger-0.2.0.patterns.tokenRefreshers.awsKeys" -}}
{{- $refresher := .refresher -}}
{{- with .secret -}}
  {{- $volume := include "outrigger-0.2.0.kit.shorten" (printf "outrigger-%s-aws" $refresher.call.name) -}}
  {{- $_ := set $refresher.provider "credentialsDirectory" "/outrigger-credentials" -}}
  {{- $_ := set $refresher "volumes" (append $refresher.volumes (dict "name" $volume "secret" (dict "secretName" .))) -}}
  {{- $_ := set $refresher "volumeMounts" (append $refresher.volumeMounts (dict "name" $volume "mountPath" "/outrigger-credentials" "readOnly" true)) -}}
{{- end -}}
{{- end -}}

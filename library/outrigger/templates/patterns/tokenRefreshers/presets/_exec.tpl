{{- /*
A command that the values say: its fields as they are.
Takes: refresher; settings, of the preset
Sets: .exec of the refresher
*/ -}}
{{- define "outrigger-0.1.0.patterns.tokenRefreshers.presets.exec" -}}
{{- $refresher := .refresher -}}
{{- $_ := set $refresher "exec" .settings -}}
{{- end -}}

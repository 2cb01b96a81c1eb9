{{- /*
Fills in the exec of a refresher whose command the values say: its fields as they are. Takes a list: the refresher, the
settings.
*/ -}}
{{- define "outrigger-0.1.0.patterns.tokenRefreshers.presets.exec" -}}
{{- $refresher := index . 0 -}}
{{- $_ := set $refresher "exec" (index . 1) -}}
{{- end -}}

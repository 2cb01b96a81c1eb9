{{- /*
ambassadors.<name>: a proxy on the pod's loopback, by which the app reaches a server without knowing where it is or
with what credential. What proxy it is says the entry's one key besides those of every entry: a named template
"….patterns.ambassadors.<key>", which is called with a dict: call (what a pattern takes), settings (the key's value),
and adds to the contribution.
*/ -}}
{{- define "outrigger-0.1.0.patterns.ambassadors.contribution" -}}
{{- $_ := set .contribution "order" 400 -}}
{{- $_ := set .contribution "tools" true -}}
{{- if kindIs "map" .config.pgbouncer -}}
  {{- include "outrigger-0.1.0.patterns.ambassadors.pgbouncer" (dict "call" . "settings" (.config.pgbouncer | toYaml | fromYaml)) -}}
{{- else -}}
  {{- $_ := set .contribution "problems" (list "says no kind of proxy; set pgbouncer") -}}
{{- end -}}
{{- end -}}

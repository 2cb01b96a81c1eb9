{{- /*
ambassadors.<name>: a proxy on the pod's loopback, by which the app reaches a server without knowing where it is or
with what credential. What proxy it is says the entry's one key besides those of every entry: a named template
"….patterns.ambassadors.<key>", which takes an Ambassador and sets the contribution.

An Ambassador, of which its own template adds all but the first two:
  call       the Call
  settings   the key's value, a copy
  server     host and port of the server that the password is for
  document   what its program is to do
  own        what the library sets of pgbouncer's settings
  mounts     of its container
  volumes    of the pod
  problems   messages
Takes: the Call
Sets: its contribution
Reports: what the entry lacks, or has that means nothing
*/ -}}
{{- define "outrigger-0.2.0.patterns.ambassadors.contribution" -}}
{{- $_ := set .contribution "order" 400 -}}
{{- $_ := set .contribution "program" true -}}
{{- if kindIs "map" .config.pgbouncer -}}
  {{- include "outrigger-0.2.0.patterns.ambassadors.pgbouncer" (dict "call" . "settings" (.config.pgbouncer | toYaml | fromYaml)) -}}
{{- else -}}
  {{- $_ := set .contribution "problems" (list "says no kind of proxy; set pgbouncer") -}}
{{- end -}}
{{- end -}}

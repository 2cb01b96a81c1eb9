{{- /*
Adds a problem. Takes a list: the state, the values path (or other place) at fault, what is wrong and the mend.
*/ -}}
{{- define "outrigger-0.1.0.kit.problem" -}}
{{- $state := index . 0 -}}
{{- $_ := set $state "problems" (append $state.problems (printf "%s: %s" (index . 1) (index . 2))) -}}
{{- end -}}

{{- /*
Adds a problem of a container. Takes a list: the state, the container's name, its field (or ""), what is wrong and
the mend.
*/ -}}
{{- define "outrigger-0.1.0.kit.containerProblem" -}}
{{- $origin := include "outrigger-0.1.0.kit.origin" (list (index . 0) (index . 1)) -}}
{{- include "outrigger-0.1.0.kit.problem" (list (index . 0) (list $origin (index . 2) | compact | join ".") (index . 3)) -}}
{{- end -}}

{{- /*
Prints where a container comes from: the values path of the entry that made it, or its place in the pod template.
Takes a list: the state, the container's name.
*/ -}}
{{- define "outrigger-0.1.0.kit.origin" -}}
{{- $paths := get (index . 0).origins (index . 1) | default list -}}
{{- first $paths | default (printf "container %q of the pod template" (index . 1)) -}}
{{- end -}}

{{- /*
Adds a problem to a contribution. Takes a list: what a pattern takes, the message.
*/ -}}
{{- define "outrigger-0.1.0.kit.addProblem" -}}
{{- $contribution := (index . 0).contribution -}}
{{- $_ := set $contribution "problems" (append ($contribution.problems | default list) (index . 1)) -}}
{{- end -}}

{{- /*
Fails with the problems of the state in one message, if it has any.
*/ -}}
{{- define "outrigger-0.1.0.kit.failWithProblems" -}}
{{- if .problems -}}
  {{- fail (printf "outrigger: %d problem(s) in %schart %q:\n- %s" (len .problems) (empty .title | ternary "" (printf "%s of " .title)) .context.Chart.Name (join "\n- " (.problems | uniq))) -}}
{{- end -}}
{{- end -}}

{{- /*
Prints a list of names for a message: "a", "b".
*/ -}}
{{- define "outrigger-0.1.0.kit.quoteAll" -}}
{{- $quoted := list -}}
{{- range . -}}{{- $quoted = append $quoted (quote .) -}}{{- end -}}
{{- join ", " $quoted -}}
{{- end -}}

{{- /*
Keeps a problem for the one message that ends the render.
Takes: state; path, the values path or other place at fault; message, what is wrong and the mend
Reports: the problem
*/ -}}
{{- define "outrigger-0.2.0.kit.problem" -}}
{{- $state := .state -}}
{{- $_ := set $state "problems" (append $state.problems (printf "%s: %s" .path .message)) -}}
{{- end -}}

{{- /*
Keeps a problem of a container.
Takes: state; name, the container's; field, of it, or ""; message, what is wrong and the mend
Reports: the problem
*/ -}}
{{- define "outrigger-0.2.0.kit.containerProblem" -}}
{{- $origin := include "outrigger-0.2.0.kit.origin" (dict "state" .state "name" .name) -}}
{{- include "outrigger-0.2.0.kit.problem" (dict "state" .state "path" (list $origin .field | compact | join ".") "message" .message) -}}
{{- end -}}

{{- /*
Where a container comes from: the values path of the entry that made it, or its place in the pod template.
Takes: state; name, the container's
Prints: the place
*/ -}}
{{- define "outrigger-0.2.0.kit.origin" -}}
{{- $paths := get .state.origins .name | default list -}}
{{- first $paths | default (printf "container %q of the pod template" .name) -}}
{{- end -}}

{{- /*
Keeps a problem that a pattern finds in its entry.
Takes: call; message, what is wrong and the mend
Reports: the problem, in .problems of the contribution
*/ -}}
{{- define "outrigger-0.2.0.kit.addProblem" -}}
{{- $contribution := .call.contribution -}}
{{- $_ := set $contribution "problems" (append ($contribution.problems | default list) .message) -}}
{{- end -}}

{{- /*
Ends the render where there are problems.
Takes: the State
Reports: fails with all of its problems in one message
*/ -}}
{{- define "outrigger-0.2.0.kit.failWithProblems" -}}
{{- if .problems -}}
  {{- fail (printf "outrigger: %d problem(s) in %schart %q:\n- %s" (len .problems) (empty .title | ternary "" (printf "%s of " .title)) .context.Chart.Name (join "\n- " (.problems | uniq))) -}}
{{- end -}}
{{- end -}}

{{- /*
Names as a message has them: "a", "b".
Takes: the names
Prints: the text
*/ -}}
{{- define "outrigger-0.2.0.kit.quoteAll" -}}
{{- $quoted := list -}}
{{- range . -}}{{- $quoted = append $quoted (quote .) -}}{{- end -}}
{{- join ", " $quoted -}}
{{- end -}}

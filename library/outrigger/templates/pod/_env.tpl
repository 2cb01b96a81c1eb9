{{- /*
What the values say under `env`, and over it under `workloads.<name>.env`.
Takes: the State
Sets: .env
*/ -}}
{{- define "outrigger-0.2.0.pod.env" -}}
{{- $state := . -}}
{{- $given := dict -}}
{{- with .values.env -}}{{- $_ := set $given "env" . -}}{{- end -}}
{{- range compact (list .workload .object) -}}
  {{- $path := printf "workloads.%s.env" . -}}
  {{- with (get ($state.values.workloads | default dict) . | default dict).env -}}{{- $_ := set $given $path . -}}{{- end -}}
{{- end -}}
{{- $env := dict "app" list "sidecars" list "paths" dict -}}
{{- if $given -}}
{{- $named := dict "app" dict "sidecars" dict -}}
{{- $paths := $env.paths -}}
{{- range $path, $variables := $given -}}{{- /* "env" sorts before "workloads…". */ -}}
  {{- range $for, $values := dict "app" (omit $variables "sidecars") "sidecars" $variables.sidecars -}}
    {{- range $name, $value := $values -}}
      {{- $_ := set (get $named $for) $name $value -}}
      {{- $_ := set $paths (printf "%s.%s" $for $name) (printf "%s.%s.%s%s" $state.key $path (eq $for "app" | ternary "" "sidecars.") $name) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- range $for, $values := $named -}}
  {{- $items := dict "context" $state.context
        "value" (include "outrigger-0.2.0.kit.namedItems" (dict "items" $values "field" "value") | fromJsonArray) -}}
  {{- include "outrigger-0.2.0.kit.evaluate" $items -}}
  {{- $_ := set $env $for $items.value -}}
{{- end -}}
{{- end -}}
{{- $_ := set . "env" $env -}}
{{- end -}}

{{- /*
Puts the values' variables, and those of contributions, before the author's own in the author's containers and init
containers, where $(NAME) finds them.
Takes: the State, with contributions
Sets: env of the author's containers
Reports: a variable that is there already, and one that is called as the library's own are
*/ -}}
{{- define "outrigger-0.2.0.pod.appEnv" -}}
{{- $state := . -}}
{{- range $name, $path := .env.paths -}}
  {{- if contains ".OUTRIGGER_" $name -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" $path
          "message" "variables that begin with OUTRIGGER_ are the library's own; give it another name") -}}
  {{- end -}}
{{- end -}}
{{- $added := .env.app -}}
{{- $paths := dict -}}
{{- range .env.app -}}{{- $_ := set $paths .name (get $state.env.paths (printf "app.%s" .name)) -}}{{- end -}}
{{- range $contribution := .contributions -}}{{- if .env -}}
  {{- range include "outrigger-0.2.0.kit.namedItems" (dict "items" $contribution.env "field" "value") | fromJsonArray -}}
    {{- if hasPrefix "OUTRIGGER_" .name -}}
      {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" $contribution.path
            "message" (printf "gives the app the variable %s, and those that begin with OUTRIGGER_ are the library's own" .name)) -}}
    {{- else if hasKey $paths .name -}}
      {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" $contribution.path
            "message" (printf "gives the app the variable %s, which %s gives too; take one of them away" .name (get $paths .name))) -}}
    {{- else -}}
      {{- $_ := set $paths .name $contribution.path -}}
      {{- $added = append $added . -}}
    {{- end -}}
  {{- end -}}
{{- end -}}{{- end -}}
{{- if $added -}}
  {{- range $container := concat .author.containers .author.initContainers -}}
    {{- $authors := dict -}}
    {{- range .env -}}{{- $_ := set $authors (.name | default "") true -}}{{- end -}}
    {{- $fresh := list -}}
    {{- range $added -}}
      {{- if hasKey $authors .name -}}
        {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (get $paths .name)
              "message" (printf "container %q of the pod template has a variable %s already; take one of them away" $container.name .name)) -}}
      {{- else -}}
        {{- $fresh = append $fresh . -}}
      {{- end -}}
    {{- end -}}
    {{- $_ := set . "env" (concat $fresh (.env | default list)) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

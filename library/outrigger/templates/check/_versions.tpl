{{- /*
Fields that the cluster is too old for, in what values and entries write and patterns print: it would refuse them, or
leave them out unasked. The versions are Kubernetes' own (files/first-versions.json, generated).
Takes: the State
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.versions" -}}
{{- $state := . -}}
{{- include "outrigger-0.2.0.check.versionsOfEnv" . -}}
{{- range $contribution := .contributions -}}
  {{- range concat (.containers | default list) (.sidecars | default list) (.initContainers | default list) -}}
    {{- $container := . -}}
    {{- range $state.env.sidecars -}}{{- /* told where they are written */ -}}
      {{- if $container.env -}}{{- $container = set (omit $container "env") "env" (without $container.env .) -}}{{- end -}}
    {{- end -}}
    {{- include "outrigger-0.2.0.check.fieldsOfNewer" (dict "state" $state "type" "Container" "value" $container "path" $contribution.path) -}}
  {{- end -}}
  {{- with .env -}}
    {{- $variables := include "outrigger-0.2.0.kit.namedItems" (dict "items" . "field" "value") | fromJsonArray -}}
    {{- include "outrigger-0.2.0.check.fieldsOfNewer" (dict "state" $state "type" "Container" "value" (dict "env" $variables) "path" $contribution.path) -}}
  {{- end -}}
  {{- range .volumes -}}
    {{- $path := eq ($contribution.pattern | default "") "volumes" | ternary $contribution.path (printf "%s (volume %q)" $contribution.path .name) -}}
    {{- include "outrigger-0.2.0.check.fieldsOfNewer" (dict "state" $state "type" "Volume" "value" . "path" $path) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The same of the variables that the values give: those of the sidecars, and those of the author's containers, where there
are some.
Takes: the State
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.versionsOfEnv" -}}
{{- $state := . -}}
{{- range $for, $variables := dict "app" (empty .author.containers | ternary list .env.app) "sidecars" .env.sidecars -}}
  {{- range $variables -}}
    {{- include "outrigger-0.2.0.check.fieldsOfNewer" (dict "state" $state "type" "Container" "field" "env" "value" .
          "path" (get $state.env.paths (printf "%s.%s" $for .name))) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Fields of an object that the cluster is too old for.
Takes: state; type, one of those of files/first-versions.json; field, optional, of it, that the object is; value, the
  object; path, where it is in the values
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.fieldsOfNewer" -}}
{{- include "outrigger-0.2.0.kit.parse" (dict "library" .state.library "file" "files/first-versions.json") -}}
{{- $versions := get .state.library.parsed "files/first-versions.json" -}}
{{- if and $versions (lt .state.minor (int64 $versions.newest)) -}}
  {{- $tree := get $versions .type -}}
  {{- with .field -}}{{- $tree = get $tree . -}}{{- end -}}
  {{- include "outrigger-0.2.0.check.newer" (dict "state" .state "tree" $tree "value" .value "path" .path) -}}
{{- end -}}
{{- end -}}

{{- /*
The same of one object, and what it holds.
Takes: state; tree, the versions of the object's fields; value, which may be a list of such objects; path, where it is in the values
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.newer" -}}
{{- $tree := .tree -}}
{{- range $item := kindIs "slice" .value | ternary .value (list .value) -}}
  {{- range $field, $value := kindIs "map" $item | ternary $item dict -}}
    {{- $since := get $tree $field -}}
    {{- if kindIs "map" $since -}}
      {{- include "outrigger-0.2.0.check.newer" (dict "state" $.state "tree" $since "value" $value "path" (printf "%s.%s" $.path $field)) -}}
    {{- else if and $since (not (kindIs "invalid" $value)) (lt $.state.minor (int64 $since)) -}}
      {{- include "outrigger-0.2.0.kit.problem" (dict "state" $.state "path" (printf "%s.%s" $.path $field)
            "message" (printf "Kubernetes knows this field from 1.%d on and this is rendered for %s; leave it out, or set %s.kubeVersion if that version is not the cluster's"
              (int64 $since) $.state.kubeVersion $.state.key)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
What a named template prints, each pod in it with its sidecars. It is split where Helm splits it. What is on a
separator's line belongs to the document below it.
Takes: what outrigger.manifest takes
Prints: YAML documents
Sets: what is remembered of pods
Reports: fails with every problem found, or where there is no template
*/ -}}
{{- define "outrigger-0.2.0.manifest.print" -}}
{{- if not .template -}}
  {{- fail "outrigger.manifest: the template is missing; write (dict \"context\" $ \"template\" \"NAME\")" -}}
{{- end -}}
{{- $arguments := . -}}
{{- $found := dict "context" .context -}}
{{- include "outrigger.find" $found -}}
{{- /* As Helm does it with what a file prints. */ -}}
{{- $text := include .template .context | replace "<no value>" "" -}}
{{- $separator := "(?m)^---[ \\t]*" -}}
{{- $separators := prepend (regexFindAll $separator $text -1) "" -}}
{{- $texts := regexSplit $separator $text -1 -}}
{{- range $index, $text := $texts -}}
  {{- $document := dict "arguments" $arguments "library" $found.library "text" $text "texts" $texts "index" $index -}}
  {{- include "outrigger-0.2.0.manifest.compose" $document -}}
  {{- if $document.pods }}{{ index $separators $index | trim }}
{{ include "outrigger-0.2.0.manifest.printDocument" $document }}
{{ else }}{{ index $separators $index }}{{ $text }}{{ end -}}
{{- end -}}
{{- end -}}

{{- /*
Reads a document that may hold pods, and composes these.

A Document:
  arguments  of outrigger.manifest
  library    the library's subchart
  texts      of all documents
  index      its own among them
  text       its own
  object     what it holds, as it is to be printed
  pods       the States of its pods
  integer    what stands before one of its long integers
  marked     whether it has any
Takes: the Document, with arguments, texts, index and text
Sets: .object, .pods, .integer and .marked, where it may hold pods
Reports: fails where it is no YAML, or with every problem of a pod
*/ -}}
{{- define "outrigger-0.2.0.manifest.compose" -}}
{{- $document := . -}}
{{- if contains "containers" .text -}}
  {{- /* A block scalar that ends the document keeps its last newline. */ -}}
  {{- $text := printf "%s\n" (trimSuffix "\n" .text) -}}
  {{- /* As a number, an integer of more than 2^53 would lose digits: outside of pods it is a text until it is printed. */ -}}
  {{- $_ := set . "integer" "outrigger.integer." -}}
  {{- $marked := regexReplaceAll "([:,\\[{-][ \\t]+|[\\[,])(-?[0-9]{16,})\\b" $text (printf "${1}%s${2}" .integer) -}}
  {{- $object := fromYaml $marked -}}
  {{- $_ := set . "marked" (ne $marked $text) -}}
  {{- if and (hasKey $object "Error") (not $object.kind) -}}
    {{- include "outrigger-0.2.0.manifest.failUnreadable" (dict "document" . "error" (fromYaml $text).Error) -}}
  {{- end -}}
  {{- $_ := set . "object" $object -}}
  {{- $_ := set . "pods" list -}}
  {{- include "outrigger-0.2.0.manifest.composeObject" (dict "document" . "object" $object) -}}
{{- end -}}
{{- end -}}

{{- /*
Ends the render with a document that is no YAML.
Takes: document; error, what fromYaml says of it
Reports: fails with its number, its template, and the line at fault as it is printed
*/ -}}
{{- define "outrigger-0.2.0.manifest.failUnreadable" -}}
{{- $document := .document -}}
{{- $before := slice $document.texts 0 $document.index -}}
{{- $number := 1 -}}
{{- range $before -}}{{- if trim . -}}{{- $number = add1 $number -}}{{- end -}}{{- end -}}
{{- $where := "" -}}
{{- with regexFind "line [0-9]+" .error | trimPrefix "line " | int -}}
  {{- $lines := splitList "\n" $document.text -}}
  {{- $from := max 0 (sub . 2) | int -}}
  {{- $shown := slice $lines $from (min (len $lines) (add $from 3)) -}}
  {{- $first := sub (len (splitList "\n" (join "" $before))) 1 | add $from 1 -}}
  {{- range $index, $line := $shown -}}{{- $where = printf "%s\n  %4d  %s" $where (add $first $index) $line -}}{{- end -}}
  {{- $where = printf "; about there it prints (lines are counted in all that it prints):%s" $where -}}
{{- end -}}
{{- fail (printf "outrigger.manifest: document %d of template %q is no YAML: %s%s" $number $document.arguments.template .error $where) -}}
{{- end -}}

{{- /*
Composes the pods of an object, or of the items of a list of objects.
Takes: document; object
Sets: .pods of the document, and the pods in the object
Reports: fails with every problem of a pod
*/ -}}
{{- define "outrigger-0.2.0.manifest.composeObject" -}}
{{- $document := .document -}}
{{- $object := .object -}}
{{- $spec := kindIs "map" $object.spec | ternary $object.spec dict -}}
{{- $jobTemplate := kindIs "map" $spec.jobTemplate | ternary $spec.jobTemplate dict -}}
{{- $jobSpec := kindIs "map" $jobTemplate.spec | ternary $jobTemplate.spec dict -}}
{{- if and (hasSuffix "List" (toString $object.kind)) (kindIs "slice" $object.items) -}}
  {{- range $object.items -}}
    {{- if kindIs "map" . -}}{{- include "outrigger-0.2.0.manifest.composeObject" (dict "document" $document "object" .) -}}{{- end -}}
  {{- end -}}
{{- else if eq (toString $object.kind) "Pod" -}}
  {{- include "outrigger-0.2.0.manifest.composePod" (dict "document" $document "object" $object "podTemplate" $object) -}}
{{- else -}}
  {{- range $podTemplate := list $spec.template $jobSpec.template -}}
    {{- include "outrigger-0.2.0.manifest.composePod" (dict "document" $document "object" $object "podTemplate" $podTemplate) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Composes one pod, if there is one. In the place of its spec is its number then, as it is printed by itself. A Helm
hook's stays as it is, unless the call has `hook`: what it would mount may not be there yet.
Takes: document; object; podTemplate, what may be its pod template
Sets: .pods of the document, the pod in the object, and what is remembered of pods and CronJobs
Reports: fails with every problem found, or where a pattern makes a CronJob of its name
*/ -}}
{{- define "outrigger-0.2.0.manifest.composePod" -}}
{{- $document := .document -}}
{{- $object := .object -}}
{{- $podTemplate := kindIs "map" .podTemplate | ternary .podTemplate dict -}}
{{- $spec := kindIs "map" $podTemplate.spec | ternary $podTemplate.spec dict -}}
{{- if and (kindIs "slice" $spec.containers) $spec.containers -}}
  {{- $arguments := $document.arguments -}}
  {{- $metadata := kindIs "map" $object.metadata | ternary $object.metadata dict -}}
  {{- $annotations := kindIs "map" $metadata.annotations | ternary $metadata.annotations dict -}}
  {{- $name := $metadata.name | default $metadata.generateName | toString | trimSuffix "-" -}}
  {{- $hook := get $annotations "helm.sh/hook" | toString -}}
  {{- $state := dict "object" $name "title" (printf "%s %s" $object.kind $name) "hookWeight" (get $annotations "helm.sh/hook-weight") -}}
  {{- if or (not $hook) $arguments.hook -}}
    {{- $given := pick $podTemplate "metadata" "spec" -}}
    {{- if $document.marked -}}{{- $given = toYaml $given | replace $document.integer "" | fromYaml -}}{{- end -}}
    {{- $workload := $arguments.workload | default (include "outrigger-0.2.0.kit.workload" (dict "context" $arguments.context "name" $name)) -}}
    {{- include "outrigger-0.2.0.pod.composed" (dict "state" $state "arguments" (dict
          "context" $arguments.context "podTemplate" $given "workload" $workload "hook" $hook
          "namespace" ($metadata.namespace | default $arguments.namespace))) -}}
    {{- with $state.podTemplate.metadata -}}{{- $_ := set $podTemplate "metadata" . -}}{{- end -}}
    {{- $_ := set $podTemplate "spec" (printf "outrigger.spec.%d." (len $document.pods)) -}}
    {{- $_ := set $document "pods" (append $document.pods $state) -}}
  {{- end -}}
  {{- if eq (toString $object.kind) "CronJob" -}}
    {{- $seen := pick $object.spec "timeZone" "suspend" -}}
    {{- include "outrigger-0.2.0.kit.overlay" (dict "into" $seen "from" (dict "name" $name "path" "" "schedule" ($object.spec.schedule | default "" | toString))) -}}
    {{- if $metadata.name -}}
      {{- include "outrigger-0.2.0.objects.rememberCronJob" (dict
            "state" (dict "context" $arguments.context "library" $document.library "problems" list "title" $state.title)
            "metadata" (dict "name" $name "namespace" ($metadata.namespace | default $arguments.context.Release.Namespace))
            "path" (printf "template %q" $arguments.template)) -}}
    {{- end -}}
    {{- include "outrigger-0.2.0.kit.remember" (dict "library" $document.library "kind" "scheduled" "key" (printf "%s/%s" ($metadata.namespace | default "") $name) "value" $seen) -}}
  {{- end -}}
  {{- include "outrigger-0.2.0.kit.remember" (dict "library" $document.library "kind" (empty $state.podTemplate | ternary "hooks" "pods") "key" (printf "%s %s" $state.title $metadata.namespace) "value" $state) -}}
{{- end -}}
{{- end -}}

{{- /*
A document with its composed pods; the ConfigMap of a hook's pod is one more.
Takes: the Document
Prints: YAML documents
*/ -}}
{{- define "outrigger-0.2.0.manifest.printDocument" -}}
{{- $yaml := "" -}}
{{- if eq .object.kind "CronJob" -}}{{- $yaml = include "outrigger-0.2.0.pod.print" .object -}}{{- else -}}{{- $yaml = toYaml .object -}}{{- end -}}
{{- $yaml = replace .integer "" $yaml -}}
{{- range $index, $state := .pods -}}
  {{- $line := regexFind (printf "(?m)^ *spec: outrigger[.]spec[.]%d[.]$" $index) $yaml -}}
  {{- $spec := include "outrigger-0.2.0.pod.print" (pick $state.podTemplate "spec") -}}
  {{- $yaml = replace $line (indent (sub (len $line) (len (trim $line)) | int) $spec) $yaml -}}
{{- end -}}
{{- $yaml -}}
{{- range .pods -}}
  {{- if .hook }}
{{ include "outrigger-0.2.0.objects.configMap" (dict "state" . "hookWeight" .hookWeight) }}
  {{- end -}}
{{- end -}}
{{- end -}}

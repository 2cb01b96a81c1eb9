{{- /*
What each of the state's entries contributes, in start-up order. A pattern is a named template "….patterns.<values
key>.contribution", a custom one "outrigger.pattern.<pattern>". It is called once for a pod, and once where objects
are collected: with a Call, and prints its Contribution as YAML, or fills the dict, which saves the parsing.

A Call:
  view          pod: what a pod gets; objects: what is beside the pods, and the files that are the same for all of them
  name          the entry's name                         config   the entry's values, read only
  path          its values path, for problems            values   the library's values, read only
  context       the chart's root context                 form     native, classic, or "" in the view of objects
  podTemplate   the author's, read only; none in the view of objects
  workload      the workload's name, or ""               settings  the values of this workload
  contribution  the dict to fill, where no YAML is printed
  object        the name of the pod's object, or ""      namespace  that of the objects which are collected
  evaluated     the state's: what kit.entry keeps
A Contribution:
  containers       ordinary containers of a pod that the pattern makes itself, which has none of an author's
  order            where it starts among the sidecars, lowest first; the entry's own `order` wins
  sidecars         containers that run beside the app; defaults and the entry's overrides are applied by the composer
  grace            variables of the sidecars' env that are the pod's grace period less some seconds: a list of {name,
                   less, atLeast}. With moreThan and problem that is a problem where they are not more
  initContainers   containers that run to their end before what comes after them
  volumes          the pod's volumes
  appVolumeMounts  mounts for the author's containers, each with an optional `containers`: a list of names, or a map
                   of names to mount fields; none where it is empty
  env              variables of the author's containers and init containers, as a list or a map by name
  podAnnotations   annotations of the pod
  podLabels        labels of the pod, whose keys nobody else uses
  objects          objects beside the pod, which outrigger.objects prints; their metadata.name is completed
  cronJobs         CronJobs beside the pod, as objects.ownCronJob takes them, which outrigger.objects prints
  reads            paths that the sidecars read: {path, key, writes, changedBy}; the composer mounts the volume that
                   holds each. key is where the entry names the path (files[0]), changedBy the entry's key by which the
                   app's own files are changed
  files            names of the library's files that the containers find in /outrigger
  texts            further files there, name to text; the same for every pod of the entry
  tools            true: the containers find a static busybox at /outrigger-tools/busybox
  program          true: they find the library's program at /outrigger-program/outrigger, and outrigger-probe beside it
  imageKeys        names of containers, to the entry's key that says their image, where that is another one than `image`
  appImages        true: the containers' images are the app's own, and stay as they are (global.imageRegistry)
  problems         messages of the pattern's own checks
What is of its Entry is added to it.
Takes: the State, with entries
Sets: .contributions
Reports: fails where a pattern prints no YAML
*/ -}}
{{- define "outrigger-0.2.0.pod.contributions" -}}
{{- $state := . -}}
{{- $sorted := dict -}}
{{- range $entry := .entries -}}
  {{- $contribution := dict -}}
  {{- $printed := include $entry.template (dict
        "view" $state.view "name" $entry.name "config" $entry.config "path" $entry.path "contribution" $contribution
        "values" $state.values "context" $state.context "evaluated" $state.evaluated "settings" $state.settings
        "form" ($state.form | default "") "podTemplate" $state.podTemplate
        "workload" $state.workload "object" ($state.object | default "") "namespace" $state.namespace) -}}
  {{- if trim $printed -}}
    {{- $contribution = fromYaml $printed -}}
    {{- if hasKey $contribution "Error" -}}
      {{- fail (printf "outrigger: the pattern of %s does not print YAML: %s" $entry.path $contribution.Error) -}}
    {{- end -}}
  {{- end -}}
  {{- range $key, $value := $entry -}}{{- $_ := set $contribution $key $value -}}{{- end -}}
  {{- $order := $contribution.order | default 0 -}}
  {{- if not (kindIs "invalid" $entry.config.order) -}}{{- $order = $entry.config.order -}}{{- end -}}
  {{- $_ := set $sorted (printf "%07d %s" (add (int $order) 1000000) $entry.path) $contribution -}}
{{- end -}}
{{- $contributions := list -}}
{{- range keys $sorted | sortAlpha -}}
  {{- $contributions = append $contributions (get $sorted .) -}}
{{- end -}}
{{- $_ := set $state "contributions" $contributions -}}
{{- end -}}

{{- /*
The entries that are on and belong to the state's workload.

An Entry:
  name     in the values                    path      its values path, for problems
  pattern  its pattern's values key         template  the pattern's named template
  config   its values, with what their texts say as templates: those of a custom pattern are its own matter, but for
           workloads
Takes: the State
Sets: .entries
*/ -}}
{{- define "outrigger-0.2.0.pod.entries" -}}
{{- $_ := set . "entries" list -}}
{{- $settings := list "cluster" "custom" "defaults" "env" "global" "images" "kubeVersion" "mode" "jobs" "cronJobs" "shareProcessNamespace" "shutdownSeconds" "workloads" -}}
{{- range $pattern, $entries := .values -}}
  {{- if and $entries (not (has $pattern $settings)) -}}
    {{- include "outrigger-0.2.0.pod.addEntries" (dict "state" $ "entries" $entries "pattern" $pattern "templated" true
          "template" (printf "outrigger-0.2.0.patterns.%s.contribution" $pattern) "path" (printf "%s.%s" $.key $pattern)) -}}
  {{- end -}}
{{- end -}}
{{- range $pattern, $entries := .values.custom -}}
  {{- include "outrigger-0.2.0.pod.addEntries" (dict "state" $ "entries" $entries "pattern" $pattern "templated" false
        "template" (printf "outrigger.pattern.%s" $pattern) "path" (printf "%s.custom.%s" $.key $pattern)) -}}
{{- end -}}
{{- end -}}

{{- /*
The entries of one pattern. Where objects are collected for the whole chart (no workload), those of every workload
count.
Takes: state; entries, of the pattern in the values; pattern; template, its named template; path, the entries' values
  path; templated, whether texts are templates
Sets: .entries of the state, and what kit.entry keeps
*/ -}}
{{- define "outrigger-0.2.0.pod.addEntries" -}}
{{- $state := .state -}}
{{- range $name, $config := .entries -}}
  {{- if include "outrigger-0.2.0.kit.isHere" (dict "state" $state "config" $config) -}}
    {{- $entry := dict "context" $state.context "value" $config -}}
    {{- if $.templated -}}
      {{- include "outrigger-0.2.0.kit.evaluateEntry" $entry -}}
      {{- $_ := set $state.evaluated (printf "%s.%s" $.pattern $name) (dict "config" $entry.value "isHere" "true") -}}
    {{- else if $config.workloads -}}
      {{- $workloads := include "outrigger-0.2.0.kit.workloads" (dict "context" $state.context "config" $config) | fromJsonArray -}}
      {{- $_ := set $entry "value" (set (omit $config "workloads") "workloads" $workloads) -}}
    {{- end -}}
    {{- $_ := set $state "entries" (append $state.entries (dict
          "name" $name "config" $entry.value "pattern" $.pattern "template" $.template "path" (printf "%s.%s" $.path $name))) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The lives of pods, for NOTES.txt; and there, where all is known, once what runs by the clock and what is in no pod.
Takes: what outrigger.notes takes
Prints: the text
Sets: what is remembered of what the notes have told
Reports: fails with every problem found, where it is given a pod template
*/ -}}
{{- define "outrigger-0.2.0.notes.notes" -}}
{{- $found := dict "context" .context -}}
{{- include "outrigger.find" $found -}}
{{- $seen := $found.library.seen | default dict -}}
{{- $pods := dict -}}
{{- if or .template .podTemplate -}}
  {{- $_ := set $pods "this" dict -}}
  {{- include "outrigger-0.2.0.pod.composed" (dict "state" $pods.this "arguments" .) -}}
{{- else -}}
  {{- $pods = $seen.pods -}}
{{- end -}}
{{- $sections := list -}}
{{- range $pods -}}{{- $sections = append $sections (include "outrigger-0.2.0.notes.pod" .) -}}{{- end -}}
{{- $unused := "" -}}
{{- if and (hasSuffix "/NOTES.txt" (toString (.context.Template | default dict).Name)) (not $seen.told) -}}
  {{- include "outrigger-0.2.0.kit.remember" (dict "library" $found.library "kind" "told" "key" "once" "value" true) -}}
  {{- $sections = append $sections (include "outrigger-0.2.0.notes.cronJobs" (dict "context" .context "now" (now | unixEpoch))) | compact -}}
  {{- $unused = include "outrigger-0.2.0.notes.unused" . -}}
{{- end -}}
{{- if not $sections -}}{{- $sections = list "NO POD of this release has been printed by outrigger.manifest" -}}{{- end -}}
{{- append $sections $unused | compact | join "\n\n" -}}
{{- end -}}

{{- /*
The life of a composed pod.
Takes: the State, composed
Prints: the text
*/ -}}
{{- define "outrigger-0.2.0.notes.pod" -}}
{{- $state := . -}}
{{- $facts := dict "title" .title "workload" $state.workload "spec" $state.podTemplate.spec "ours" (keys $state.origins) "classic" false "hook" $state.hook -}}
{{- include "outrigger-0.2.0.notes.facts" $facts -}}
{{- $sections := list
      (include "outrigger-0.2.0.notes.start" $facts)
      (include "outrigger-0.2.0.notes.together" $facts)
      (include "outrigger-0.2.0.notes.stop" $facts)
      (include "outrigger-0.2.0.notes.resources" $facts)
      (include "outrigger-0.2.0.notes.job" $facts) -}}
{{- compact $sections | join "\n\n" -}}
{{- end -}}

{{- /*
That a Job of the chart's own cannot be upgraded where an entry of its pod changes.
Takes: the Facts
Prints: the text, or nothing
*/ -}}
{{- define "outrigger-0.2.0.notes.job" -}}
{{- if and .ours (not .hook) (hasPrefix "Job " (.title | default "")) -}}
UPGRADES of {{ .title }}: Kubernetes changes no Job's pod. When an entry of
  it changes, the upgrade fails until it is deleted (kubectl delete {{ .title | replace "Job " "job/" }}).
  A Job of outrigger.job has another name then, and needs nothing.
{{- end -}}
{{- end -}}

{{- /*
What the sections of the notes read of a pod: the Facts.
  title       kind and name of the pod's object, or nothing   workload  the name that entries select it by
  spec        the pod's                                       ours      names of the containers that the library added
  containers  dicts in start-up order: name, kind (init, sidecar, app), native (a sidecar of that form), and the hooks
              and probes that matter: postStart, preStop, startup, readiness
  hook        the Helm hooks that the pod belongs to, or ""
  apps        names of what stops together       sidecars  names of native sidecars, in start-up order
  hooks       names of what has a preStop hook   width     columns for a name
  classic     whether one of ours is an ordinary container
Takes: the Facts, with title, workload, spec, ours, hook and classic (false)
Sets: .containers, .apps, .sidecars, .hooks, .width and .classic
*/ -}}
{{- define "outrigger-0.2.0.notes.facts" -}}
{{- $facts := . -}}
{{- $containers := list -}}
{{- range $list := list "initContainers" "containers" -}}
  {{- range $container := get $facts.spec $list | default list -}}
    {{- $kind := "app" -}}
    {{- if eq $list "initContainers" -}}
      {{- $kind = eq ($container.restartPolicy | default "") "Always" | ternary "sidecar" "init" -}}
    {{- else if has $container.name $facts.ours -}}
      {{- $kind = "sidecar" -}}
      {{- $_ := set $facts "classic" true -}}
    {{- end -}}
    {{- $containers = append $containers (dict
          "name" $container.name "kind" $kind
          "native" (and (eq $list "initContainers") (eq $kind "sidecar"))
          "startup" (not (empty $container.startupProbe)) "readiness" (not (empty $container.readinessProbe))
          "postStart" (not (empty ($container.lifecycle | default dict).postStart))
          "preStop" (not (empty ($container.lifecycle | default dict).preStop))) -}}
  {{- end -}}
{{- end -}}
{{- $names := dict "apps" list "sidecars" list "hooks" list -}}
{{- $width := 0 -}}
{{- range $containers -}}
  {{- $width = max $width (len .name) -}}
  {{- if ne .kind "init" -}}
    {{- $stops := .native | ternary "sidecars" "apps" -}}
    {{- $_ := set $names $stops (append (get $names $stops) .name) -}}
    {{- if .preStop -}}{{- $_ := set $names "hooks" (append $names.hooks .name) -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- $_ := set $facts "containers" $containers -}}
{{- $_ := set $facts "width" (min $width 20) -}}
{{- range $key, $list := $names -}}{{- $_ := set $facts $key $list -}}{{- end -}}
{{- end -}}

{{- /*
One line of the notes, wrapped at 78 columns.
Takes: label; text
Prints: the line
*/ -}}
{{- define "outrigger-0.2.0.notes.line" -}}
{{- printf "\n  %-10s%s" .label (.text | wrap 66 | replace "\n" (printf "\n%12s" "")) -}}
{{- end -}}

{{- /*
The order of start-up, and what the next container waits for.
Takes: the Facts
Prints: the section
*/ -}}
{{- define "outrigger-0.2.0.notes.start" -}}
{{- $facts := . -}}
{{- $whose := empty .workload | ternary "" (printf " of %s" .workload) -}}
{{- with .title -}}{{- $whose = printf "%s (%s)" $whose . -}}{{- end -}}
{{- printf "START-UP%s, in this order; on the right, when the next one starts" $whose -}}
{{- range $index, $container := .containers -}}
  {{- $kind := get (dict "init" "init, ends" "sidecar" "sidecar, stays" "app" "app") .kind -}}
  {{- $next := "at once" -}}
  {{- if eq .kind "init" -}}
    {{- $next = "once it has run to its end" -}}
  {{- else if and .native .startup -}}
    {{- $next = .postStart | ternary "after postStart and startup probe" "once its startup probe has passed" -}}
  {{- else if .postStart -}}
    {{- $next = "once its postStart hook has ended" -}}
  {{- else if .native -}}
    {{- $next = "once it has started" -}}
  {{- end -}}
  {{- if eq (add1 $index) (len $facts.containers) -}}{{- $next = "" -}}{{- end -}}
  {{- $line := printf "%-4s%-*s  %-14s  %s" (printf "%d." (add1 $index)) $facts.width .name $kind $next -}}
  {{- printf "\n  %s" (trim $line) -}}
{{- end -}}
{{- end -}}

{{- /*
Life lines: what runs beside what, and what makes the pod ready. A container that starts a step later is drawn so many
columns further to the right, and so is one that stops later.
Takes: the Facts
Prints: the section
*/ -}}
{{- define "outrigger-0.2.0.notes.together" -}}
{{- $facts := . -}}
{{- $inits := sub (len .containers) (len .apps) -}}
{{- $step := gt $inits 10 | ternary 1 (gt $inits 6 | ternary 2 3) -}}
{{- $stop := add (mul $inits $step) 12 -}}
{{- $later := mul (len .sidecars) $step -}}
{{- $ready := list -}}
{{- $also := "" -}}
RUNNING TOGETHER: -- ends, == stays until the shut-down
{{- range $index, $container := .containers -}}
  {{- $from := mul (min $index $inits) $step -}}
  {{- $to := $stop -}}
  {{- if eq .kind "init" -}}
    {{- $to = add $from $step -}}
  {{- else if .native -}}
    {{- $to = add $stop $later -}}
    {{- $later = sub $later $step -}}
  {{- end -}}
  {{- $line := repeat (sub $to (add1 $from) | int) (eq .kind "init" | ternary "-" "=") -}}
  {{- printf "\n  %-*s  %s|%s|" $facts.width .name (repeat (int $from) " ") $line -}}
  {{- if and .readiness (ne .kind "init") -}}
    {{- $ready = append $ready .name -}}
    {{- $also = eq .kind "sidecar" | ternary "; sidecars count too" $also -}}
  {{- end -}}
{{- end -}}
{{- $when := "when all of them have started; none has a readiness probe" -}}
{{- if $ready -}}{{- $when = printf "while the readiness probes pass of %s%s" (join ", " $ready) $also -}}{{- end -}}
{{- include "outrigger-0.2.0.notes.line" (dict "label" "ready" "text" $when) -}}
{{- end -}}

{{- /*
The order of shut-down: preStop hooks all at once, SIGTERM to all ordinary containers, then to one native sidecar
after the other, SIGKILL.
Takes: the Facts
Prints: the section
*/ -}}
{{- define "outrigger-0.2.0.notes.stop" -}}
{{- $isUnset := kindIs "invalid" .spec.terminationGracePeriodSeconds -}}
{{- $seconds := $isUnset | ternary 30 .spec.terminationGracePeriodSeconds | int -}}
{{- printf "SHUT-DOWN within %d s (terminationGracePeriodSeconds%s)" $seconds ($isUnset | ternary " is unset: 30" "") -}}
{{- if ne (.spec.restartPolicy | default "Always") "Always" -}}
  {{- include "outrigger-0.2.0.notes.completes" . -}}
{{- end -}}
{{- $term := printf "SIGTERM to %s" (join ", " .apps) -}}
{{- if gt (len .apps) 1 -}}{{- $term = printf "%s, together" $term -}}{{- end -}}
{{- if .classic -}}{{- $term = printf "%s: classic sidecars do not outlive the app" $term -}}{{- end -}}
{{- if .hooks -}}
  {{- $hooks := printf "preStop hooks of %s" (join ", " .hooks) -}}
  {{- if gt (len .hooks) 1 -}}{{- $hooks = printf "%s, all at once" $hooks -}}{{- end -}}
  {{- include "outrigger-0.2.0.notes.line" (dict "label" "t=0" "text" $hooks) -}}
  {{- $term = printf "%s; a preStop hook comes first" $term -}}
{{- end -}}
{{- include "outrigger-0.2.0.notes.line" (dict "label" "t=0" "text" $term) -}}
{{- $before := gt (len .apps) 1 | ternary "all of these have" (printf "%s has" (first .apps)) -}}
{{- range reverse .sidecars -}}
  {{- include "outrigger-0.2.0.notes.line" (dict "label" "then" "text" (printf "SIGTERM to %s, once %s ended" . $before)) -}}
  {{- $before = printf "%s has" . -}}
{{- end -}}
{{- $kill := "SIGKILL to what still runs" -}}
{{- if .sidecars -}}{{- $kill = printf "%s; a sidecar that still waits has 2 s after SIGTERM" $kill -}}{{- end -}}
{{- include "outrigger-0.2.0.notes.line" (dict "label" (printf "t=%d s" $seconds) "text" $kill) -}}
{{- end -}}

{{- /*
When a pod that is to end does.
Takes: the Facts
Prints: a line
*/ -}}
{{- define "outrigger-0.2.0.notes.completes" -}}
{{- $have := gt (len .apps) 1 | ternary "have" "has" -}}
{{- $ended := eq .spec.restartPolicy "Never" | ternary "ended" "succeeded" -}}
{{- $when := printf "when %s %s %s (restartPolicy %s)" (join ", " .apps) $have $ended .spec.restartPolicy -}}
{{- if .sidecars -}}
  {{- $when = printf "%s; its sidecars do not keep it, and are then stopped in the same order" $when -}}
{{- end -}}
{{- include "outrigger-0.2.0.notes.line" (dict "label" "completes" "text" $when) -}}
{{- end -}}

{{- /*
The effective resources.
Takes: the Facts
Prints: the section
*/ -}}
{{- define "outrigger-0.2.0.notes.resources" -}}
{{- $effective := include "outrigger-0.2.0.notes.bookedResources" .spec | fromYaml -}}
RESOURCES that the scheduler books for the whole pod
{{- range $kind := list "requests" "limits" -}}
  {{- $texts := list -}}
  {{- range $resource, $quantity := get $effective $kind -}}
    {{- $texts = append $texts (printf "%s %s" $resource $quantity) -}}
  {{- end -}}
  {{- include "outrigger-0.2.0.notes.line" (dict "label" $kind "text" (join ", " $texts | default "none")) -}}
{{- end -}}
{{- include "outrigger-0.2.0.notes.line" (dict "label" "QoS class" "text" $effective.qosClass) -}}
{{- end -}}

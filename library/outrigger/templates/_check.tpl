{{- /*
Fails with every problem of the composed pod in one message: those that were found on the way, and those that show
only now. Takes the work dict.
*/ -}}
{{- define "outrigger-0.1.0.check" -}}
{{- include "outrigger-0.1.0.checkNames" . -}}
{{- include "outrigger-0.1.0.checkForm" . -}}
{{- include "outrigger-0.1.0.checkVolumes" . -}}
{{- include "outrigger-0.1.0.checkPorts" . -}}
{{- range $container := concat .podTemplate.spec.containers (.podTemplate.spec.initContainers | default list) -}}
  {{- include "outrigger-0.1.0.checkContainer" (list $ $container) -}}
{{- end -}}
{{- if .problems -}}
  {{- fail (printf "outrigger: %d problem(s) in chart %q:\n- %s" (len .problems) .context.Chart.Name (join "\n- " .problems)) -}}
{{- end -}}
{{- end -}}

{{- /*
Adds a problem. Takes a list: the work dict, the values path (or other place) at fault, what is wrong and the mend.
*/ -}}
{{- define "outrigger-0.1.0.problem" -}}
{{- $work := index . 0 -}}
{{- $_ := set $work "problems" (append $work.problems (printf "%s: %s" (index . 1) (index . 2))) -}}
{{- end -}}

{{- /*
Prints where a container comes from: the values path of the entry that made it, or its place in the pod template.
Takes a list: the work dict, the container's name.
*/ -}}
{{- define "outrigger-0.1.0.origin" -}}
{{- $paths := get (index . 0).origins (index . 1) | default list -}}
{{- first $paths | default (printf "container %q of the pod template" (index . 1)) -}}
{{- end -}}

{{- /*
Two containers with one name; a name that is no DNS label (RFC 1123), which Kubernetes asks of container names.
*/ -}}
{{- define "outrigger-0.1.0.checkNames" -}}
{{- $work := . -}}
{{- $authors := list -}}
{{- range concat .author.containers .author.initContainers -}}{{- $authors = append $authors .name -}}{{- end -}}
{{- range $name, $paths := .origins -}}
  {{- if has $name $authors -}}
    {{- include "outrigger-0.1.0.problem" (list $work (first $paths) (printf "the pod template already has a container %q; rename the entry" $name)) -}}
  {{- else if gt (len $paths) 1 -}}
    {{- include "outrigger-0.1.0.problem" (list $work (join " and " $paths) (printf "both make a container %q; rename one of them" $name)) -}}
  {{- end -}}
{{- end -}}
{{- range $contribution := .contributions -}}
  {{- if not (and (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" $contribution.name) (le (len $contribution.name) 63)) -}}
    {{- include "outrigger-0.1.0.problem" (list $work $contribution.path (printf "%q is no DNS label; rename the entry with lower case letters, digits and -, at most 63 characters, a letter or digit at both ends" $contribution.name)) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
A classic sidecar in a pod that is to end (restartPolicy Never or OnFailure, as in Jobs): it would run on for ever.
*/ -}}
{{- define "outrigger-0.1.0.checkForm" -}}
{{- $restartPolicy := .podTemplate.spec.restartPolicy | default "Always" -}}
{{- if and (eq .form "classic") (ne $restartPolicy "Always") -}}
  {{- range $name, $paths := .origins -}}
    {{- include "outrigger-0.1.0.problem" (list $ (first $paths)
          (printf "a classic sidecar keeps a Job (restartPolicy %s) from ever completing; native sidecars need Kubernetes 1.29 or later and this is rendered for %s: upgrade, set %s.mode: native if that version is not the cluster's, or set %s.enabled: false"
            $restartPolicy $.context.Capabilities.KubeVersion.Version $.key (first $paths))) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Two volumes with one name. Sets .volumeNames of the work dict, which the checks of containers read.
*/ -}}
{{- define "outrigger-0.1.0.checkVolumes" -}}
{{- $work := . -}}
{{- $seen := dict -}}
{{- $_ := set $work "volumeNames" $seen -}}
{{- range .podTemplate.spec.volumes -}}
  {{- if hasKey $seen .name -}}
    {{- include "outrigger-0.1.0.problem" (list $work (printf "%s.volumes.%s" $work.key .name) (printf "the pod template already has a volume %q; rename the entry" .name)) -}}
  {{- end -}}
  {{- $_ := set $seen .name true -}}
{{- end -}}
{{- end -}}

{{- /*
Two ports with one number and protocol, across the pod, as its containers share a network; or with one name.
*/ -}}
{{- define "outrigger-0.1.0.checkPorts" -}}
{{- $work := . -}}
{{- $numbers := dict -}}
{{- $names := dict -}}
{{- range $container := concat .podTemplate.spec.containers (.podTemplate.spec.initContainers | default list) -}}
  {{- if and $container.ports (include "outrigger-0.1.0.runsOn" (list $work $container)) -}}
    {{- $origin := include "outrigger-0.1.0.origin" (list $work $container.name) -}}
    {{- range $port := $container.ports -}}
      {{- $number := printf "%v/%s" $port.containerPort ($port.protocol | default "TCP") -}}
      {{- with get $numbers $number -}}
        {{- include "outrigger-0.1.0.problem" (list $work (printf "%s.ports" $origin) (printf "port %s is also declared by %s, and a pod's containers share one network; change one of them" $number .)) -}}
      {{- end -}}
      {{- $_ := set $numbers $number $origin -}}
      {{- if $port.name -}}
        {{- with get $names $port.name -}}
          {{- include "outrigger-0.1.0.problem" (list $work (printf "%s.ports" $origin) (printf "port name %q is also used by %s; rename one of them" $port.name .)) -}}
        {{- end -}}
        {{- $_ := set $names $port.name $origin -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Prints true for a container that runs beside the others: not a run-once init container. Takes a list: the work dict,
the container.
*/ -}}
{{- define "outrigger-0.1.0.runsOn" -}}
{{- $container := index . 1 -}}
{{- $runOnce := false -}}
{{- range (index . 0).podTemplate.spec.initContainers -}}
  {{- if and (eq .name $container.name) (ne (.restartPolicy | default "") "Always") -}}{{- $runOnce = true -}}{{- end -}}
{{- end -}}
{{- if not $runOnce -}}true{{- end -}}
{{- end -}}

{{- /*
Within one container: no image, two env entries with one name, two mounts at one path, a mount of an unknown volume.
Takes a list: the work dict, the container.
*/ -}}
{{- define "outrigger-0.1.0.checkContainer" -}}
{{- $work := index . 0 -}}
{{- $container := index . 1 -}}
{{- $origin := include "outrigger-0.1.0.origin" (list $work $container.name) -}}
{{- if not $container.image -}}
  {{- include "outrigger-0.1.0.problem" (list $work (printf "%s.image" $origin) "is missing; set it to an image with a tag or digest") -}}
{{- end -}}
{{- $seen := dict -}}
{{- range $container.env -}}
  {{- if hasKey $seen .name -}}
    {{- include "outrigger-0.1.0.problem" (list $work (printf "%s.env" $origin) (printf "%q is given twice; remove one" .name)) -}}
  {{- end -}}
  {{- $_ := set $seen .name true -}}
{{- end -}}
{{- $volumes := $work.volumeNames -}}
{{- $paths := dict -}}
{{- range $mount := $container.volumeMounts -}}
  {{- $path := toString $mount.mountPath -}}
  {{- with get $paths $path -}}
    {{- include "outrigger-0.1.0.problem" (list $work (printf "%s.volumeMounts" $origin) (printf "%s is the mountPath of volume %q and of volume %q; change or remove one" $path . $mount.name)) -}}
  {{- end -}}
  {{- $_ := set $paths $path $mount.name -}}
  {{- if and (hasKey $work.origins $container.name) (not (hasKey $volumes $mount.name)) -}}
    {{- include "outrigger-0.1.0.problem" (list $work (printf "%s.volumeMounts" $origin) (printf "there is no volume %q; add %s.volumes.%s, or name one of %s" $mount.name $work.key $mount.name (include "outrigger-0.1.0.quoteAll" (keys $volumes | sortAlpha)))) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

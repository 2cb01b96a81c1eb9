{{- /*
tokenRefreshers.<name>: obtains a short-lived credential, writes it to a file that the app or its proxy reads, and
renews it in time. Where it comes from is a command, `exec`, or a preset: a named template
"….patterns.tokenRefreshers.presets.<preset>" that fills in what the program and its container need.

A Refresher, of which the preset's template sets what the last lines say:
  call          the Call
  config        the entry's, a copy
  file          of the config
  preset        its key
  provider      the preset's part of the program's document
  image         another image than the program's own, in which the program is run
  host, port, user   what the credential is for, where the preset knows it
  volumes       of the pod                volumeMounts  of the container
Takes: the Call
Sets: its contribution
Reports: what the entry lacks, or has that means nothing
*/ -}}
{{- define "outrigger-0.2.0.patterns.tokenRefreshers.contribution" -}}
{{- $config := .config | toYaml | fromYaml -}}
{{- $refresher := dict "call" . "config" $config "file" ($config.file | default dict) "volumes" list "volumeMounts" list -}}
{{- $preset := include "outrigger-0.2.0.kit.choice" (dict "call" . "what" "provider" "config" $config "keys" (include "outrigger-0.2.0.kit.tokenPresets" . | fromJsonArray)) -}}
{{- if $preset -}}
  {{- $_ := set $refresher "preset" $preset -}}
  {{- include (printf "outrigger-0.2.0.patterns.tokenRefreshers.presets.%s" $preset) (dict "refresher" $refresher "settings" (get $config $preset)) -}}
  {{- include "outrigger-0.2.0.patterns.tokenRefreshers.trust" $refresher -}}
  {{- include "outrigger-0.2.0.patterns.tokenRefreshers.problems" $refresher -}}
  {{- $_ := set .contribution "order" 300 -}}
  {{- if eq $preset "exec" -}}
    {{- $_ := set .contribution "program" true -}}
    {{- $_ := set .contribution "imageKeys" (dict .name "exec.image") -}}
  {{- end -}}
  {{- if and $refresher.file.path (not (include "outrigger-0.2.0.patterns.tokenRefreshers.clash" $refresher)) -}}{{- include "outrigger-0.2.0.patterns.tokenRefreshers.sidecar" $refresher -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The sidecar of a refresher, its volumes and the app's mount of the file. The sidecar starts what comes after it once
there is a credential, and is not ready from shortly before the one in use expires.
Takes: the Refresher
Sets: the contribution
*/ -}}
{{- define "outrigger-0.2.0.patterns.tokenRefreshers.sidecar" -}}
{{- $call := .call -}}
{{- $programs := eq .preset "exec" | ternary "/outrigger-program" "" -}}
{{- $probe := printf "%s/outrigger-probe" $programs -}}
{{- $state := include "outrigger-0.2.0.kit.shorten" (printf "outrigger-%s-state" $call.name) -}}
{{- $container := dict
      "name" $call.name "image" (.image | default $call.values.images.outrigger) "command" (list (printf "%s/outrigger" $programs) "token")
      "env" (list (include "outrigger-0.2.0.patterns.tokenRefreshers.document" . | fromJson))
      "volumeMounts" (concat (list (dict "name" $state "mountPath" "/run/outrigger")) .volumeMounts (.config.volumeMounts | default list))
      "startupProbe" (dict "exec" (dict "command" (list $probe "started")) "periodSeconds" 1 "timeoutSeconds" 5 "failureThreshold" 1800)
      "readinessProbe" (dict "exec" (dict "command" (list $probe "ready")) "periodSeconds" 5 "timeoutSeconds" 5 "failureThreshold" 1)
      "resources" (deepCopy ($call.values.defaults.tokenRefresherResources | default dict)) -}}
{{- range $probe := list "startupProbe" "readinessProbe" -}}
  {{- include "outrigger-0.2.0.kit.overlay" (dict "into" (get $container $probe) "from" (omit (get $.config $probe | default dict) "enabled")) -}}
{{- end -}}
{{- if eq (dig "readinessProbe" "enabled" true .config | toString) "false" -}}{{- $_ := unset $container "readinessProbe" -}}{{- end -}}
{{- with .config.metrics -}}
  {{- $_ := set $container "ports" (list (dict "name" (printf "metrics-%d" (int .port)) "containerPort" (int .port))) -}}
  {{- include "outrigger-0.2.0.kit.findMetrics" (dict "call" $call "metrics" . "port" .port) -}}
  {{- if .alerts -}}{{- include "outrigger-0.2.0.patterns.tokenRefreshers.alerts" $call -}}{{- end -}}
{{- end -}}
{{- $volumes := concat (list (dict "name" $state "emptyDir" (dict "medium" "Memory" "sizeLimit" "16Mi"))) .volumes (.config.volumes | default list) -}}
{{- $token := include "outrigger-0.2.0.kit.tokenVolume" (dict "call" $call "name" $call.name "path" .file.path) -}}
{{- if $token -}}
  {{- $directory := dir .file.path -}}
  {{- $_ := set $container "volumeMounts" (append $container.volumeMounts (dict "name" $token "mountPath" $directory)) -}}
  {{- $volumes = append $volumes (dict "name" $token "emptyDir" (dict "medium" "Memory" "sizeLimit" "1Mi")) -}}
  {{- include "outrigger-0.2.0.patterns.tokenRefreshers.appMount" (dict "refresher" . "mount" (dict "name" $token "mountPath" $directory "readOnly" true)) -}}
{{- else -}}
  {{- $_ := set $call.contribution "reads" (list (dict "path" .file.path "key" "file.path" "writes" true)) -}}
{{- end -}}
{{- $_ := set $call.contribution "volumes" $volumes -}}
{{- $_ := set $call.contribution "sidecars" (list $container) -}}
{{- end -}}

{{- /*
Certificates of authorities that a refresher trusts besides the public ones, as a file.
Takes: the Refresher
Sets: .trust, the file's path, and .volumes and .volumeMounts of the Refresher
Reports: none, or two
*/ -}}
{{- define "outrigger-0.2.0.patterns.tokenRefreshers.trust" -}}
{{- $trust := .config.trust | default dict -}}
{{- if $trust -}}
  {{- $source := $trust.secret | default $trust.configMap | default dict -}}
  {{- if and $trust.secret $trust.configMap -}}
    {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" .call "message" "trust has a secret and a configMap; leave one of them out") -}}
  {{- end -}}
  {{- $name := include "outrigger-0.2.0.kit.shorten" (printf "outrigger-%s-trust" .call.name) -}}
  {{- $items := list (dict "key" ($source.key | default "ca.crt") "path" "ca.crt") -}}
  {{- $volume := empty $trust.secret | not | ternary (dict "secret" (dict "secretName" $source.name "items" $items)) (dict "configMap" (dict "name" $source.name "items" $items)) -}}
  {{- $_ := set . "volumes" (append .volumes (set $volume "name" $name)) -}}
  {{- $_ := set . "volumeMounts" (append .volumeMounts (dict "name" $name "mountPath" "/outrigger-trust" "readOnly" true)) -}}
  {{- $_ := set . "trust" "/outrigger-trust/ca.crt" -}}
{{- end -}}
{{- end -}}

{{- /*
Tells whether a refresher before this one in the pod has the same file, or another in a folder that would be a volume
of each.
Takes: the Refresher
Prints: true, or nothing
Reports: which
*/ -}}
{{- define "outrigger-0.2.0.patterns.tokenRefreshers.clash" -}}
{{- $call := .call -}}
{{- $path := toString .file.path -}}
{{- range $name, $_ := eq $call.view "pod" | ternary $call.values.tokenRefreshers dict -}}
  {{- $other := dict "call" $call "pattern" "tokenRefreshers" "name" $name -}}
  {{- if lt $name $call.name -}}{{- include "outrigger-0.2.0.kit.entry" $other -}}{{- end -}}
  {{- if $other.isHere -}}
    {{- $theirs := dig "file" "path" "" $other.config | toString -}}
    {{- $folder := dir $path -}}
    {{- if eq $theirs $path -}}
      {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $call
            "message" (printf "file.path is also that of tokenRefreshers.%s; change one of them" $name)) -}}true
    {{- else if and $theirs (eq (dir $theirs) $folder) (include "outrigger-0.2.0.kit.tokenVolume" (dict "call" $call "name" $call.name "path" $path)) -}}
      {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $call
            "message" (printf "file.path is in %s, as is that of tokenRefreshers.%s, and each would mount a volume of its own there; choose another folder, or add volumes.NAME.mountPath: %s for both" $folder $name $folder)) -}}true
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Mounts the folder of the file into the app's containers: those of file.containers, by default all. What pgbouncer
reads is none of the app's business: by default none of them gets it.
Takes: refresher; mount
Sets: appVolumeMounts of the contribution
*/ -}}
{{- define "outrigger-0.2.0.patterns.tokenRefreshers.appMount" -}}
{{- $refresher := .refresher -}}
{{- $mount := .mount -}}
{{- $wanted := hasKey $refresher.file "containers" | ternary $refresher.file.containers (eq $refresher.file.format "pgbouncer" | ternary (list) nil) -}}
{{- if or $wanted (kindIs "invalid" $wanted) -}}
  {{- with $wanted -}}{{- $_ := set $mount "containers" . -}}{{- end -}}
  {{- $_ := set $refresher.call.contribution "appVolumeMounts" (list $mount) -}}
{{- end -}}
{{- end -}}

{{- /*
What a refresher's program is to do.
Takes: the Refresher
Prints: the variable with its document, as JSON
*/ -}}
{{- define "outrigger-0.2.0.patterns.tokenRefreshers.document" -}}
{{- $file := .file -}}
{{- $retry := .config.retry | default dict -}}
{{- $notify := dict -}}
{{- range $way, $how := .config.notify -}}
  {{- if and (eq $way "exec") (kindIs "string" $how.command) -}}{{- $how = dict "command" (list "sh" "-c" $how.command) -}}{{- end -}}
  {{- $_ := set $notify $way $how -}}
{{- end -}}
{{- $metrics := pick (.config.metrics | default dict) "port" -}}
{{- if $metrics -}}{{- $_ := set $metrics "owner" (include "outrigger-0.2.0.kit.owner" .call) -}}{{- end -}}
{{- include "outrigger-0.2.0.kit.document" (dict "verb" "token" "content" (dict
      "name" .call.name
      "file" (dict
        "path" $file.path "format" $file.format "mode" (toString ($file.mode | default (eq $file.format "pgpass" | ternary "0600" "0640")))
        "template" $file.template "user" ($file.user | default .user) "host" ($file.host | default .host)
        "port" (toString ($file.port | default .port | default "")) "database" $file.database)
      "ttlSeconds" (include "outrigger-0.2.0.kit.secondsOrNone" .config.ttl | int64 | default nil)
      "retry" (dict
        "delaySeconds" (include "outrigger-0.2.0.kit.secondsOrNone" $retry.delay | int64 | default nil)
        "maxDelaySeconds" (include "outrigger-0.2.0.kit.secondsOrNone" $retry.maxDelay | int64 | default nil))
      "provers" (include "outrigger-0.2.0.patterns.tokenRefreshers.provers" .call | fromJsonArray)
      "notify" $notify
      "metrics" $metrics
      "trust" .trust
      .preset .provider)) -}}
{{- end -}}

{{- /*
The ambassadors that use a refresher's file in the same pod, which prove each credential.
Takes: the Call
Prints: their names, as JSON
*/ -}}
{{- define "outrigger-0.2.0.patterns.tokenRefreshers.provers" -}}
{{- $names := list -}}
{{- range $name := include "outrigger-0.2.0.kit.entryNames" (dict "call" . "pattern" "ambassadors") | fromJsonArray -}}
  {{- $ambassador := dict "call" $ "pattern" "ambassadors" "name" $name -}}
  {{- include "outrigger-0.2.0.kit.entry" $ambassador -}}
  {{- if $ambassador.isHere -}}
    {{- range $settings := $ambassador.config -}}
      {{- if kindIs "map" $settings -}}
        {{- if eq ($settings.tokenRefresher | default "") $.name -}}{{- $names = append $names $name -}}{{- end -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{- /*
What is wrong with a refresher.
Takes: the Refresher
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.patterns.tokenRefreshers.problems" -}}
{{- $call := .call -}}
{{- $notify := .config.notify | default dict -}}
{{- $path := .file.path | default "" | toString -}}
{{- $ttl := include "outrigger-0.2.0.kit.secondsOrNone" .config.ttl -}}
{{- $shared := or $call.settings.shareProcessNamespace (dig "spec" "shareProcessNamespace" false ($call.podTemplate | default dict)) -}}
{{- range $problem := list
      (list (not .file.path) "file.path is missing; set it to the absolute path at which the credential is read")
      (list (and $path (or (ne (clean $path) $path) (not (isAbs $path)) (eq (dir $path) "/"))) (printf "file.path is %q; set it to an absolute path without . and .., in a folder that is not /" $path))
      (list (eq $ttl "0") "ttl is 0; set it to how long a credential lives (15m)")
      (list (not .file.format) "file.format is missing; set it to one of pgbouncer, pgpass, env, json, raw, template")
      (list (and (eq (.file.format | default "") "template") (not .file.template)) "file.template is missing; set it to the file's text, with ${username} and ${password}")
      (list (and .file.template (ne (.file.format | default "") "template")) (printf "file.template means nothing beside format %s; leave it out, or set format: template" .file.format))
      (list (and (has (.file.format | default "") (list "pgbouncer" "pgpass")) (not (or .file.user .user .namesUser))) (printf "file.user is missing, which the format %s needs; set it to the user of the database" .file.format))
      (list (and $notify.exec (ne .preset "exec")) "notify.exec runs in the refresher's container, whose image has no other program; set notify.http or notify.signal")
      (list (and $notify.signal (eq $call.view "pod") (not $shared)) "notify.signal reaches a process of another container only in a shared process namespace; set shareProcessNamespace: true")
    -}}
  {{- if first $problem -}}{{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $call "message" (last $problem)) -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
tokenRefreshers.<name>: obtains a short-lived credential, writes it to a file that the app or its proxy reads, and
renews it in time. Where it comes from is a command, `exec`, or a preset: a named template
"….patterns.tokenRefreshers.presets.<preset>" that fills in an exec.

A Refresher:
  call    the Call
  config  the entry's, a copy
  file    of the config
  exec    what the preset fills in: image, command, output, and what else says where the credential is, what it is for and
          what its container needs
Takes: the Call
Sets: its contribution
Reports: what the entry lacks, or has that means nothing
*/ -}}
{{- define "outrigger-0.1.0.patterns.tokenRefreshers.contribution" -}}
{{- $config := .config | toYaml | fromYaml -}}
{{- $refresher := dict "call" . "config" $config "file" ($config.file | default dict) "exec" dict -}}
{{- $preset := include "outrigger-0.1.0.kit.choice" (dict "call" . "what" "provider" "config" $config "keys" (include "outrigger-0.1.0.kit.tokenPresets" . | fromJsonArray)) -}}
{{- if $preset -}}
  {{- include (printf "outrigger-0.1.0.patterns.tokenRefreshers.presets.%s" $preset) (dict "refresher" $refresher "settings" (get $config $preset)) -}}
  {{- include "outrigger-0.1.0.patterns.tokenRefreshers.problems" $refresher -}}
  {{- $_ := set .contribution "order" 300 -}}
  {{- $_ := set .contribution "tools" true -}}
  {{- if eq $preset "exec" -}}{{- $_ := set .contribution "imageKeys" (dict .name "exec.image") -}}{{- end -}}
  {{- $_ := set .contribution "files" (concat (list "refresh-token.sh" "token-bytes.awk" "token-format.awk" "token-json.awk" "token-obtain.sh" "token-tell.sh" "token-time.awk") ($refresher.exec.files | default list)) -}}
  {{- if and $refresher.file.path (not (include "outrigger-0.1.0.patterns.tokenRefreshers.clash" $refresher)) -}}{{- include "outrigger-0.1.0.patterns.tokenRefreshers.sidecar" $refresher -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The sidecar of a refresher, its volumes and the app's mount of the file. The sidecar starts what comes after it once
there is a credential, and is not ready from shortly before the one in use expires.
Takes: the Refresher
Sets: the contribution
*/ -}}
{{- define "outrigger-0.1.0.patterns.tokenRefreshers.sidecar" -}}
{{- $call := .call -}}
{{- $script := list "/outrigger-tools/busybox" "sh" "/outrigger/refresh-token.sh" -}}
{{- $state := include "outrigger-0.1.0.kit.shorten" (printf "outrigger-%s-state" $call.name) -}}
{{- $container := dict
      "name" $call.name "image" .exec.image
      "command" (concat $script (list "run" "--") (include "outrigger-0.1.0.kit.allAsWritten" .exec.command | fromJsonArray))
      "env" (concat (include "outrigger-0.1.0.patterns.tokenRefreshers.environment" . | fromJsonArray) (.exec.env | default list))
      "volumeMounts" (concat (list (dict "name" $state "mountPath" "/run/outrigger")) (.exec.volumeMounts | default list) (.config.volumeMounts | default list))
      "startupProbe" (dict "exec" (dict "command" (append $script "started")) "periodSeconds" 1 "timeoutSeconds" 5 "failureThreshold" 1800)
      "readinessProbe" (dict "exec" (dict "command" (append $script "ready")) "periodSeconds" 5 "timeoutSeconds" 5 "failureThreshold" 1)
      "resources" (deepCopy ($call.values.defaults.tokenRefresherResources | default dict)) -}}
{{- range $probe := list "startupProbe" "readinessProbe" -}}
  {{- include "outrigger-0.1.0.kit.overlay" (dict "into" (get $container $probe) "from" (get $.config $probe | default dict)) -}}
{{- end -}}
{{- $volumes := concat (list (dict "name" $state "emptyDir" (dict "medium" "Memory" "sizeLimit" "16Mi"))) (.exec.volumes | default list) (.config.volumes | default list) -}}
{{- $token := include "outrigger-0.1.0.kit.tokenVolume" (dict "call" $call "name" $call.name "path" .file.path) -}}
{{- if $token -}}
  {{- $directory := dir .file.path -}}
  {{- $_ := set $container "volumeMounts" (append $container.volumeMounts (dict "name" $token "mountPath" $directory)) -}}
  {{- $volumes = append $volumes (dict "name" $token "emptyDir" (dict "medium" "Memory" "sizeLimit" "1Mi")) -}}
  {{- include "outrigger-0.1.0.patterns.tokenRefreshers.appMount" (dict "refresher" . "mount" (dict "name" $token "mountPath" $directory "readOnly" true)) -}}
{{- else -}}
  {{- $_ := set $call.contribution "reads" (list (dict "path" .file.path "key" "file.path" "writes" true)) -}}
{{- end -}}
{{- $_ := set $call.contribution "volumes" $volumes -}}
{{- $_ := set $call.contribution "sidecars" (list $container) -}}
{{- end -}}

{{- /*
Tells whether a refresher before this one in the pod has the same file, or another in a folder that would be a volume
of each.
Takes: the Refresher
Prints: true, or nothing
Reports: which
*/ -}}
{{- define "outrigger-0.1.0.patterns.tokenRefreshers.clash" -}}
{{- $call := .call -}}
{{- $path := toString .file.path -}}
{{- range $name, $_ := eq $call.view "pod" | ternary $call.values.tokenRefreshers dict -}}
  {{- $other := dict "call" $call "pattern" "tokenRefreshers" "name" $name -}}
  {{- if lt $name $call.name -}}{{- include "outrigger-0.1.0.kit.entry" $other -}}{{- end -}}
  {{- if $other.isHere -}}
    {{- $theirs := dig "file" "path" "" $other.config | toString -}}
    {{- $folder := dir $path -}}
    {{- if eq $theirs $path -}}
      {{- include "outrigger-0.1.0.kit.addProblem" (dict "call" $call
            "message" (printf "file.path is also that of tokenRefreshers.%s; change one of them" $name)) -}}true
    {{- else if and $theirs (eq (dir $theirs) $folder) (include "outrigger-0.1.0.kit.tokenVolume" (dict "call" $call "name" $call.name "path" $path)) -}}
      {{- include "outrigger-0.1.0.kit.addProblem" (dict "call" $call
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
{{- define "outrigger-0.1.0.patterns.tokenRefreshers.appMount" -}}
{{- $refresher := .refresher -}}
{{- $mount := .mount -}}
{{- $wanted := hasKey $refresher.file "containers" | ternary $refresher.file.containers (eq $refresher.file.format "pgbouncer" | ternary (list) nil) -}}
{{- if or $wanted (kindIs "invalid" $wanted) -}}
  {{- with $wanted -}}{{- $_ := set $mount "containers" . -}}{{- end -}}
  {{- $_ := set $refresher.call.contribution "appVolumeMounts" (list $mount) -}}
{{- end -}}
{{- end -}}

{{- /*
The environment of refresh-token.sh. Its names have a prefix, as the command inherits them.
Takes: the Refresher
Prints: the variables, as JSON
*/ -}}
{{- define "outrigger-0.1.0.patterns.tokenRefreshers.environment" -}}
{{- $exec := .exec -}}
{{- $file := .file -}}
{{- $retry := .config.retry | default dict -}}
{{- $notify := .config.notify | default dict -}}
{{- $pointers := $exec.pointers | default dict -}}
{{- $mode := toString ($file.mode | default (eq $file.format "pgpass" | ternary "0600" "0640")) -}}
{{- $env := dict
      "REFRESHER" .call.name "FILE" $file.path "FORMAT" $file.format "MODE" $mode "TEMPLATE" $file.template
      "USERNAME" ($file.user | default $exec.user) "HOST" ($file.host | default $exec.host) "PORT" ($file.port | default $exec.port) "DATABASE" $file.database
      "OUTPUT" ($exec.output | default "raw") "COMMAND_SECONDS" (include "outrigger-0.1.0.kit.secondsOrNone" $exec.timeout)
      "TTL" (include "outrigger-0.1.0.kit.secondsOrNone" (.config.ttl | default $exec.ttl))
      "POINTER_PASSWORD" $pointers.password "POINTER_USERNAME" (empty $file.user | ternary $pointers.username "") "POINTER_EXPIRES_AT" $pointers.expiresAt
      "POINTER_TTL" $pointers.ttl "POINTER_SIGNED_UNTIL" $pointers.signedUntil
      "RETRY_SECONDS" (include "outrigger-0.1.0.kit.secondsOrNone" $retry.delay) "RETRY_MAX_SECONDS" (include "outrigger-0.1.0.kit.secondsOrNone" $retry.maxDelay)
      "EXPLAIN" $exec.explain "PROVERS" (include "outrigger-0.1.0.patterns.tokenRefreshers.provers" .call)
      "NOTIFY_COMMAND" (dig "exec" "command" "" $notify) "NOTIFY_URL" (dig "http" "url" "" $notify) "NOTIFY_METHOD" (dig "http" "method" "" $notify)
      "NOTIFY_PROCESS" (dig "signal" "process" "" $notify) "NOTIFY_SIGNAL" (dig "signal" "signal" "" $notify) -}}
{{- $prefixed := dict -}}
{{- range $name, $value := $env -}}{{- $_ := set $prefixed (printf "OUTRIGGER_%s" $name) $value -}}{{- end -}}
{{- include "outrigger-0.1.0.kit.variables" $prefixed -}}
{{- end -}}

{{- /*
The ambassadors that use a refresher's file in the same pod, which prove each credential.
Takes: the Call
Prints: their names, with a space between
*/ -}}
{{- define "outrigger-0.1.0.patterns.tokenRefreshers.provers" -}}
{{- $names := list -}}
{{- range $name, $_ := .values.ambassadors -}}
  {{- $ambassador := dict "call" $ "pattern" "ambassadors" "name" $name -}}
  {{- include "outrigger-0.1.0.kit.entry" $ambassador -}}
  {{- if $ambassador.isHere -}}
    {{- range $settings := $ambassador.config -}}
      {{- if kindIs "map" $settings -}}
        {{- if eq ($settings.tokenRefresher | default "") $.name -}}{{- $names = append $names $name -}}{{- end -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- join " " $names -}}
{{- end -}}

{{- /*
What is wrong with a refresher.
Takes: the Refresher
Reports: the problems
*/ -}}
{{- define "outrigger-0.1.0.patterns.tokenRefreshers.problems" -}}
{{- $call := .call -}}
{{- $notify := .config.notify | default dict -}}
{{- $path := .file.path | default "" | toString -}}
{{- $ttl := include "outrigger-0.1.0.kit.secondsOrNone" .config.ttl -}}
{{- $shared := or $call.settings.shareProcessNamespace (dig "spec" "shareProcessNamespace" false ($call.podTemplate | default dict)) -}}
{{- range $problem := list
      (list (not .file.path) "file.path is missing; set it to the absolute path at which the credential is read")
      (list (and $path (or (ne (clean $path) $path) (not (isAbs $path)) (eq (dir $path) "/"))) (printf "file.path is %q; set it to an absolute path without . and .., in a folder that is not /" $path))
      (list (eq $ttl "0") "ttl is 0; set it to how long a credential lives (15m)")
      (list (not .file.format) "file.format is missing; set it to one of pgbouncer, pgpass, env, json, raw, template")
      (list (and (eq (.file.format | default "") "template") (not .file.template)) "file.template is missing; set it to the file's text, with ${username} and ${password}")
      (list (and .file.template (ne (.file.format | default "") "template")) (printf "file.template means nothing beside format %s; leave it out, or set format: template" .file.format))
      (list (not .exec.image) "exec.image is missing; set it to the image that the command is in")
      (list (not .exec.command) "exec.command is missing; set it to the command, as a list, that prints the credential")
      (list (and .exec.command (eq (.exec.output | default "raw") "raw") (not (or .config.ttl .exec.ttl))) "ttl is missing: a credential that is printed alone does not say how long it lives; set ttl (15m), or exec.output: json")
      (list (and .exec.pointers (ne (.exec.output | default "raw") "json")) "exec.pointers means nothing beside output: raw; set exec.output: json")
      (list (and (has (.file.format | default "") (list "pgbouncer" "pgpass")) .exec.command (not (or .file.user .exec.user (dig "pointers" "username" "" .exec)))) (printf "file.user is missing, which the format %s needs; set it to the user of the database" .file.format))
      (list (and $notify.signal (eq $call.view "pod") (not $shared)) "notify.signal reaches a process of another container only in a shared process namespace; set shareProcessNamespace: true")
    -}}
  {{- if first $problem -}}{{- include "outrigger-0.1.0.kit.addProblem" (dict "call" $call "message" (last $problem)) -}}{{- end -}}
{{- end -}}
{{- end -}}

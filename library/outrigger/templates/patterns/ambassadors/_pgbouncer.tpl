{{- /*
ambassadors.<name>.pgbouncer: pgbouncer on the pod's loopback, or a Unix socket, whose password is a refresher's or a
Secret's; the library's program runs it and takes up each new one.
Takes: the Ambassador, with call and settings
Sets: the contribution
Reports: what the settings lack, or have that means nothing
*/ -}}
{{- define "outrigger-0.2.0.patterns.ambassadors.pgbouncer" -}}
{{- $call := .call -}}
{{- $seconds := include "outrigger-0.2.0.kit.shutdownSeconds" (dict "values" $call.values "pattern" "ambassadors" "config" $call.config) | int -}}
{{- $port := .settings.listenPort | default 6432 | int -}}
{{- $_ := set . "problems" list -}}
{{- $_ := set . "mounts" list -}}
{{- $_ := set . "volumes" list -}}
{{- $_ := set . "server" (pick .settings "host" "port") -}}
{{- $_ := set . "document" (dict
      "name" $call.name "listen" (dict "port" $port) "stopSeconds" (sub $seconds 2 | max 1)) -}}
{{- include "outrigger-0.2.0.patterns.ambassadors.pgbouncerPassword" . -}}
{{- include "outrigger-0.2.0.patterns.ambassadors.pgbouncerDatabases" . -}}
{{- include "outrigger-0.2.0.patterns.ambassadors.pgbouncerPools" . -}}
{{- include "outrigger-0.2.0.patterns.ambassadors.pgbouncerSettings" . -}}
{{- $ports := list -}}
{{- if eq (.settings.listen | default "tcp") "socket" -}}
  {{- include "outrigger-0.2.0.patterns.ambassadors.pgbouncerSocket" . -}}
{{- else -}}
  {{- $ports = append $ports (dict "containerPort" $port) -}}
{{- end -}}
{{- with .settings.metrics -}}
  {{- $_ := set $.document "metrics" (pick . "port") -}}
  {{- $ports = append $ports (dict "name" (printf "metrics-%d" (int .port)) "containerPort" (int .port)) -}}
  {{- include "outrigger-0.2.0.kit.findMetrics" (dict "call" $call "metrics" . "port" .port) -}}
{{- end -}}
{{- $env := list (include "outrigger-0.2.0.kit.document" (dict "verb" "pgbouncer" "content" .document) | fromJson) -}}
{{- if eq $call.form "classic" -}}
  {{- /* A classic sidecar hears SIGTERM when the app does, which has connections to make until it has ended. */ -}}
  {{- $env = append $env (dict "name" "LINGER_SECONDS" "value" "0") -}}
  {{- $_ := set $call.contribution "grace" (list (dict "name" "LINGER_SECONDS" "less" (add $seconds 2) "atLeast" 1)) -}}
{{- end -}}
{{- $state := include "outrigger-0.2.0.kit.shorten" (printf "outrigger-%s-pgbouncer" $call.name) -}}
{{- $probe := "/outrigger-program/outrigger-probe" -}}
{{- $_ := set $call.contribution "problems" .problems -}}
{{- $_ := set $call.contribution "volumes" (append .volumes (dict "name" $state "emptyDir" (dict "medium" "Memory" "sizeLimit" "4Mi"))) -}}
{{- $container := dict
      "name" $call.name "image" $call.values.images.pgbouncer "command" (list "/outrigger-program/outrigger" "pgbouncer")
      "env" $env
      "volumeMounts" (append .mounts (dict "name" $state "mountPath" "/run/outrigger"))
      "startupProbe" (dict "exec" (dict "command" (list $probe "started")) "periodSeconds" 1 "timeoutSeconds" 5 "failureThreshold" 1800)
      "readinessProbe" (dict "exec" (dict "command" (list $probe "ready")) "periodSeconds" 5 "timeoutSeconds" 5 "failureThreshold" 2)
      "resources" (deepCopy ($call.values.defaults.ambassadorResources | default dict)) -}}
{{- if $ports -}}{{- $_ := set $container "ports" $ports -}}{{- end -}}
{{- $_ := set $call.contribution "sidecars" (list $container) -}}
{{- end -}}

{{- /*
The folder of pgbouncer's Unix socket: a volume that the app's containers have at the same path.
Takes: the Ambassador
Sets: what is in .document, .mounts and .volumes, and appVolumeMounts of the contribution
*/ -}}
{{- define "outrigger-0.2.0.patterns.ambassadors.pgbouncerSocket" -}}
{{- $volume := include "outrigger-0.2.0.kit.shorten" (printf "outrigger-%s-socket" .call.name) -}}
{{- $directory := printf "/run/outrigger-%s" .call.name -}}
{{- $_ := set .document.listen "directory" $directory -}}
{{- $_ := set . "volumes" (append .volumes (dict "name" $volume "emptyDir" (dict "medium" "Memory" "sizeLimit" "1Mi"))) -}}
{{- $_ := set . "mounts" (append .mounts (dict "name" $volume "mountPath" $directory)) -}}
{{- $_ := set .call.contribution "appVolumeMounts" (list (dict "name" $volume "mountPath" $directory)) -}}
{{- end -}}

{{- /*
What an ambassador reads its password from, and of a refresher the server that its tokens are for.
Takes: the Ambassador
Sets: what is in .document and .server, and .mounts and .volumes
Reports: a password that there is not, in .problems
*/ -}}
{{- define "outrigger-0.2.0.patterns.ambassadors.pgbouncerPassword" -}}
{{- $settings := .settings -}}
{{- if and $settings.tokenRefresher $settings.secret -}}
  {{- $_ := set . "problems" (append .problems "pgbouncer has a tokenRefresher and a secret; leave one of them out") -}}
{{- else if $settings.tokenRefresher -}}
  {{- include "outrigger-0.2.0.patterns.ambassadors.pgbouncerToken" . -}}
{{- else if $settings.secret -}}
  {{- $key := (include "outrigger-0.2.0.kit.secretKey" (dict "secret" $settings.secret "key" "password") | fromJson).secretKeyRef -}}
  {{- $name := include "outrigger-0.2.0.kit.shorten" (printf "outrigger-%s-password" .call.name) -}}
  {{- $_ := set . "volumes" (append .volumes (dict "name" $name "secret" (dict "secretName" $key.name "items" (list (dict "key" $key.key "path" "password"))))) -}}
  {{- $_ := set . "mounts" (append .mounts (dict "name" $name "mountPath" "/outrigger-password" "readOnly" true)) -}}
  {{- $_ := set .document "passwordFile" "/outrigger-password/password" -}}
  {{- $_ := set .document "user" $settings.user -}}
  {{- if not $settings.user -}}
    {{- $_ := set . "problems" (append .problems "pgbouncer.user is missing; set it to the user whose password the secret has") -}}
  {{- end -}}
{{- else -}}
  {{- $_ := set . "problems" (append .problems "pgbouncer has no password; set tokenRefresher to the name of a refresher, or secret to that of a Secret") -}}
{{- end -}}
{{- end -}}

{{- /*
The file of an ambassador's refresher. How each password was proven it writes beside the file.
Takes: the Ambassador
Sets: what is in .document and .server, .mounts, and reads of the contribution
Reports: a refresher that cannot serve it, in .problems
*/ -}}
{{- define "outrigger-0.2.0.patterns.ambassadors.pgbouncerToken" -}}
{{- $call := .call -}}
{{- $name := .settings.tokenRefresher -}}
{{- $entry := dict "call" $call "pattern" "tokenRefreshers" "name" $name -}}
{{- include "outrigger-0.2.0.kit.entry" $entry -}}
{{- $refresher := $entry.config -}}
{{- $file := $refresher.file | default dict -}}
{{- $problem := "" -}}
{{- if not $refresher -}}
  {{- $known := include "outrigger-0.2.0.kit.entryNames" (dict "call" $call "pattern" "tokenRefreshers") | fromJsonArray | join ", " -}}
  {{- $problem = printf "there is no tokenRefreshers.%s; %s" $name (empty $known | ternary "add it" (printf "set one of %s" $known)) -}}
{{- else if eq (toString $refresher.enabled) "false" -}}
  {{- $problem = printf "tokenRefreshers.%s is off (enabled: false), and so pgbouncer would never have a password; turn it on, or this ambassador off" $name -}}
{{- else if not $entry.isHere -}}
  {{- $problem = printf "tokenRefreshers.%s is only in the workloads %s; give this ambassador the same, or change its" $name (join ", " $refresher.workloads) -}}
{{- else if and (eq $call.form "native") (include "outrigger-0.2.0.patterns.ambassadors.pgbouncerIsEarly" (dict "config" $call.config "refresher" $refresher)) -}}
  {{- $problem = printf "tokenRefreshers.%s would start after this ambassador, which waits for its credential before anything else starts; change order or afterInit of one of them" $name -}}
{{- else if and $file.format (ne $file.format "pgbouncer") -}}
  {{- $problem = printf "the file of tokenRefreshers.%s has the format %s; set its file.format to pgbouncer" $name $file.format -}}
{{- else if and $refresher.vault (not $file.user) -}}
  {{- $problem = printf "each credential of tokenRefreshers.%s has a user of its own, whom the app cannot name to pgbouncer; give the app the file itself (format env, json or pgpass)" $name -}}
{{- end -}}
{{- if .settings.user -}}
  {{- $_ := set . "problems" (append .problems "pgbouncer.user means nothing beside tokenRefresher, whose file names the user; leave it out") -}}
{{- end -}}
{{- if $problem -}}
  {{- $_ := set . "problems" (append .problems (printf "pgbouncer.tokenRefresher: %s" $problem)) -}}
{{- else if $file.path -}}
  {{- $_ := set .document "authFile" $file.path -}}
  {{- $volume := include "outrigger-0.2.0.kit.tokenVolume" (dict "call" $call "name" $name "path" $file.path) -}}
  {{- if $volume -}}
    {{- $_ := set . "mounts" (append .mounts (dict "name" $volume "mountPath" (dir $file.path))) -}}
  {{- else -}}
    {{- $_ := set $call.contribution "reads" (list (dict "path" $file.path "key" "pgbouncer.tokenRefresher" "writes" true)) -}}
  {{- end -}}
{{- end -}}
{{- range $key := include "outrigger-0.2.0.kit.tokenPresets" . | fromJsonArray -}}
  {{- $preset := get $refresher $key | default dict -}}
  {{- if kindIs "map" $preset -}}
    {{- range $field := list "host" "port" -}}
      {{- if and (get $preset $field) (not (get $.server $field)) -}}{{- $_ := set $.server $field (get $preset $field) -}}{{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Tells whether an ambassador starts before its refresher: the same order is the ambassador's turn.
Takes: config, of the ambassador; refresher, the config of its refresher
Prints: true, or nothing
*/ -}}
{{- define "outrigger-0.2.0.patterns.ambassadors.pgbouncerIsEarly" -}}
{{- $own := .config -}}
{{- $refresher := .refresher -}}
{{- if ne (empty $own.afterInit) (empty $refresher.afterInit) -}}
  {{- if $refresher.afterInit -}}true{{- end -}}
{{- else if le (hasKey $own "order" | ternary $own.order 400 | int) (hasKey $refresher "order" | ternary $refresher.order 300 | int) -}}
true
{{- end -}}
{{- end -}}

{{- /*
The databases of an ambassador, and the one by which a password is proven: the first that is on the server that the
password is for.
Takes: the Ambassador
Sets: what is in .document
Reports: what they lack, in .problems
*/ -}}
{{- define "outrigger-0.2.0.patterns.ambassadors.pgbouncerDatabases" -}}
{{- $settings := .settings -}}
{{- $databases := dict -}}
{{- with $settings.database -}}{{- $_ := set $databases . dict -}}{{- end -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $databases "from" $settings.databases) -}}
{{- $_ := set .document "databases" dict -}}
{{- $proof := $settings.database | default "" -}}
{{- range $alias := keys $databases | sortAlpha -}}
  {{- $database := get $databases $alias -}}
  {{- if and (not $proof) (not $database.host) -}}{{- $proof = $alias -}}{{- end -}}
  {{- $_ := set $.document.databases $alias (dict
        "host" ($database.host | default $.server.host) "port" ($database.port | default $.server.port | default 5432 | int)
        "database" ($database.database | default $alias) "poolMode" $database.poolMode "poolSize" $database.poolSize) -}}
  {{- if not (or $database.host $.server.host) -}}
    {{- $_ := set $ "problems" (append $.problems (printf "the server of the database %s is missing; set pgbouncer.host" $alias)) -}}
  {{- end -}}
  {{- if not (regexMatch "^[A-Za-z0-9_.-]+$" $alias) -}}
    {{- $key := hasKey ($settings.databases | default dict) $alias | ternary (printf "databases.%s" $alias) "database" -}}
    {{- $_ := set $ "problems" (append $.problems (printf "pgbouncer.%s: %q is no name that pgbouncer's configuration can hold; give it one of letters, digits, _, . and -, as in pgbouncer.databases: {shop: {database: %q}}" $key $alias $alias)) -}}
  {{- end -}}
{{- end -}}
{{- $_ := set .document "proofDatabase" ($proof | default (keys $databases | sortAlpha | join "\n" | splitList "\n" | first)) -}}
{{- if hasKey $databases "pgbouncer" -}}
  {{- $_ := set . "problems" (append .problems "a database is named pgbouncer, which is pgbouncer's own console; give it another name, as in pgbouncer.databases: {shop: {database: pgbouncer}}") -}}
{{- end -}}
{{- if not $databases -}}
  {{- $_ := set . "problems" (append .problems "pgbouncer has no database; set pgbouncer.database") -}}
{{- end -}}
{{- end -}}

{{- /*
The sizes of pgbouncer's pools beside maxDbConnections, which counts the connections of a database's pool and those of
its reserve. pgbouncer's own default is no size that anybody has asked for.
Takes: the Ambassador
Reports: connections that no pool ever has, in .problems
*/ -}}
{{- define "outrigger-0.2.0.patterns.ambassadors.pgbouncerPools" -}}
{{- $most := int .settings.maxDbConnections -}}
{{- $reserve := int .settings.reservePoolSize -}}
{{- $sizes := pick .settings "defaultPoolSize" -}}
{{- range $alias, $database := .settings.databases -}}
  {{- if and $database (int $database.poolSize) -}}{{- $_ := set $sizes (printf "databases.%s.poolSize" $alias) $database.poolSize -}}{{- end -}}
{{- end -}}
{{- if and $most (not $sizes) (gt $reserve $most) -}}
  {{- $_ := set . "problems" (append .problems (printf "pgbouncer.reservePoolSize: %d is more than maxDbConnections (%d), which no pool goes beyond; lower it, or raise maxDbConnections" $reserve $most)) -}}
{{- end -}}
{{- range $key, $size := $sizes -}}
  {{- if and $most (gt (add (int $size) $reserve | int) $most) -}}
    {{- $more := empty $reserve | ternary "" (printf ", with reservePoolSize (%d)," $reserve) -}}
    {{- $_ := set $ "problems" (append $.problems (printf "pgbouncer.%s: %d%s is more than maxDbConnections (%d), which no pool goes beyond; lower it, or raise maxDbConnections" $key (int $size) $more $most)) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
pgbouncer's settings: what the library sets, and over it the values'.
Takes: the Ambassador
Sets: what is in .document, and .mounts and .volumes
Reports: settings that are not the user's, in .problems
*/ -}}
{{- define "outrigger-0.2.0.patterns.ambassadors.pgbouncerSettings" -}}
{{- include "outrigger-0.2.0.patterns.ambassadors.pgbouncerOwnSettings" . -}}
{{- $own := dict -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $own "from" .own) -}}
{{- $keys := include "outrigger-0.2.0.patterns.ambassadors.pgbouncerKeys" . | fromJson -}}
{{- $owned := list "conffile" "listen_addr" "logfile" "pidfile" "service_name" "unix_socket_dir" "unix_socket_group" "unix_socket_mode" "user" -}}
{{- range $key, $value := .settings.settings -}}
  {{- if or (has $key $owned) (hasPrefix "auth_" $key) -}}
    {{- $_ := set $ "problems" (append $.problems (printf "pgbouncer.settings.%s is the library's: pgbouncer listens to the pod alone, and its passwords are proven; leave it out" $key)) -}}
  {{- else if hasKey $keys $key -}}
    {{- $_ := set $ "problems" (append $.problems (printf "pgbouncer.settings.%s has a key of its own; set pgbouncer.%s" $key (get $keys $key))) -}}
  {{- else if not (regexMatch "^[a-z0-9_]+$" $key) -}}
    {{- $_ := set $ "problems" (append $.problems (printf "pgbouncer.settings.%s is no setting's name; write it as pgbouncer does, in small letters, digits and _" $key)) -}}
  {{- else -}}
    {{- $_ := set $own $key $value -}}
  {{- end -}}
{{- end -}}
{{- $written := dict -}}
{{- range $key, $value := $own -}}
  {{- if kindIs "bool" $value -}}{{- $value = ternary 1 0 $value -}}{{- end -}}
  {{- if kindIs "float64" $value -}}{{- if eq $value (floor $value) -}}{{- $value = int64 $value -}}{{- end -}}{{- end -}}
  {{- $_ := set $written $key (toString $value) -}}
{{- end -}}
{{- $_ := set .document "settings" $written -}}
{{- $lines := dict -}}
{{- range $key, $text := $written -}}{{- $_ := set $lines (printf "settings.%s" $key) $text -}}{{- end -}}
{{- range $alias, $database := .document.databases -}}
  {{- range $field, $text := pick $database "host" "database" -}}{{- $_ := set $lines (printf "databases.%s.%s" $alias $field) (toString $text) -}}{{- end -}}
{{- end -}}
{{- range $path, $text := $lines -}}
  {{- if regexMatch "[\\r\\n]" $text -}}
    {{- $_ := set $ "problems" (append $.problems (printf "pgbouncer.%s: %q has a line break, which its configuration cannot hold; remove it" $path $text)) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The settings of pgbouncer's that have a key of the library's.
Takes: nothing
Prints: the settings and their keys, as JSON
*/ -}}
{{- define "outrigger-0.2.0.patterns.ambassadors.pgbouncerKeys" -}}
{{- dict "default_pool_size" "defaultPoolSize" "listen_port" "listenPort" "max_client_conn" "maxClientConn" "max_db_connections" "maxDbConnections"
      "min_pool_size" "minPoolSize" "pool_mode" "poolMode" "reserve_pool_size" "reservePoolSize"
      "server_tls_ca_file" "tls.ca" "server_tls_sslmode" "tls.mode" | toJson -}}
{{- end -}}

{{- /*
What the library sets of pgbouncer's settings.
Takes: the Ambassador
Sets: .own, .mounts and .volumes
Reports: a certificate authority that there is not, in .problems
*/ -}}
{{- define "outrigger-0.2.0.patterns.ambassadors.pgbouncerOwnSettings" -}}
{{- $settings := .settings -}}
{{- $tls := $settings.tls | default dict -}}
{{- $own := dict
      "pool_mode" "transaction"
      "max_client_conn" 1000 -}}{{- /* clients wait for their turn, and are not refused */ -}}
{{- $_ := set $own "server_login_retry" 1 -}}{{- /* after a failure a new password may come at any time */ -}}
{{- $_ := set $own "log_connections" 0 -}}{{- /* an app without a pool of its own connects for each request */ -}}
{{- $_ := set $own "log_disconnections" 0 -}}
{{- $_ := set $own "ignore_startup_parameters" "extra_float_digits" -}}{{- /* JDBC sends it always */ -}}
{{- range $setting, $key := include "outrigger-0.2.0.patterns.ambassadors.pgbouncerKeys" . | fromJson -}}
  {{- if and (hasKey $settings $key) (ne $key "listenPort") -}}{{- $_ := set $own $setting (get $settings $key) -}}{{- end -}}
{{- end -}}
{{- $mode := $tls.mode | default "verify-full" -}}
{{- $_ := set $own "server_tls_sslmode" $mode -}}
{{- if kindIs "map" $tls.ca -}}
  {{- $volume := include "outrigger-0.2.0.kit.shorten" (printf "outrigger-%s-ca" .call.name) -}}
  {{- $source := $tls.ca.secret | default $tls.ca.configMap | default dict -}}
  {{- $items := list (dict "key" ($source.key | default "ca.crt") "path" "ca.crt") -}}
  {{- if $tls.ca.secret -}}
    {{- $_ := set . "volumes" (append .volumes (dict "name" $volume "secret" (dict "secretName" $source.name "items" $items))) -}}
  {{- else -}}
    {{- $_ := set . "volumes" (append .volumes (dict "name" $volume "configMap" (dict "name" $source.name "items" $items))) -}}
  {{- end -}}
  {{- if and $tls.ca.secret $tls.ca.configMap -}}
    {{- $_ := set . "problems" (append .problems "pgbouncer.tls.ca has a secret and a configMap; leave one of them out") -}}
  {{- end -}}
  {{- if not $source.name -}}
    {{- $_ := set . "problems" (append .problems "pgbouncer.tls.ca names no object; set secret or configMap to {name, key}") -}}
  {{- end -}}
  {{- $_ := set . "mounts" (append .mounts (dict "name" $volume "mountPath" "/outrigger-ca" "readOnly" true)) -}}
  {{- $_ := set $own "server_tls_ca_file" "/outrigger-ca/ca.crt" -}}
{{- end -}}
{{- $_ := set . "own" $own -}}
{{- end -}}

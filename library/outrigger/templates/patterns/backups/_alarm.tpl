{{- /*
A PrometheusRule that alarms where the last success of a backup is older than maxAge, or there is none, and where the
last run of one of its tasks failed.
Takes: the Backup
Sets: objects of the contribution
Reports: a maxAge that can alarm of nothing
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.alarm" -}}
{{- $config := .call.config -}}
{{- if not (or (dig "metrics" "pushgateway" "" $config) (dig "metrics" "textfile" "" $config)) -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" .call
        "message" "maxAge alarms by a metric that is not written; set metrics.pushgateway or metrics.textfile") -}}
{{- end -}}
{{- $seconds := include "outrigger-0.2.0.kit.seconds" $config.maxAge | int -}}
{{- if not $seconds -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" .call
        "message" "maxAge is no time at all; set it to how old the last success may be, such as 26h") -}}
{{- end -}}
{{- $selector := printf "{backup=%q}" .identity -}}
{{- $labels := dict "namespace" .call.namespace -}}
{{- with .call.values.cluster -}}{{- $_ := set $labels "cluster" . -}}{{- end -}}
{{- $success := printf "outrigger_backup_last_success_timestamp_seconds%s" $selector -}}
{{- $rules := list (dict
      "alert" "OutriggerBackupTooOld"
      "expr" (printf "time() - max by (backup) (%s) > %d or absent(%s)" $success $seconds $success)
      "for" "15m" "labels" (merge (dict "severity" "critical") $labels)
      "annotations" (dict "summary" (printf "The backup %s has not succeeded for %s, or has never" .identity $config.maxAge))) -}}
{{- $tasks := list "backup" -}}
{{- range list "drill" "prune" -}}
  {{- if get $config . -}}{{- $tasks = append $tasks . -}}{{- end -}}
{{- end -}}
{{- range $tasks -}}
  {{- $rules = append $rules (dict
        "alert" "OutriggerBackupFailed"
        "expr" (printf "max by (backup) (outrigger_%s_last_run_success%s) == 0" . $selector)
        "labels" (merge (dict "severity" "warning" "task" .) $labels)
        "annotations" (dict "summary" (printf "The last %s of %s failed" . $.identity))) -}}
{{- end -}}
{{- $_ := set .call.contribution "objects" (list (dict
      "apiVersion" "monitoring.coreos.com/v1" "kind" "PrometheusRule"
      "metadata" (dict "name" .call.name "labels" ($config.ruleLabels | default dict))
      "spec" (dict "groups" (list (dict "name" .name "rules" $rules))))) -}}
{{- end -}}

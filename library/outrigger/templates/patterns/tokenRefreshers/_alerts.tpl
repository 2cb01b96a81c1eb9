{{- /*
A PrometheusRule that alarms where the credential in use is about to expire, and where renewing it has failed for a while.
A figure is compared with the time at which it was scraped, as a credential may live for less time than is between two.
Takes: the Call
Sets: objects of the contribution
*/ -}}
{{- define "outrigger-0.2.0.patterns.tokenRefreshers.alerts" -}}
{{- $selector := printf "{namespace=%q,owner=%q,refresher=%q}" .namespace (include "outrigger-0.2.0.kit.owner" .) .name -}}
{{- $readyUntil := printf "outrigger_credential_ready_until_timestamp_seconds%s" $selector -}}
{{- $labels := dict "namespace" .namespace -}}
{{- with .values.cluster -}}{{- $_ := set $labels "cluster" . -}}{{- end -}}
{{- $rules := list
      (dict
        "alert" "OutriggerCredentialExpires"
        "expr" (printf "%s < timestamp(%s)" $readyUntil $readyUntil)
        "for" "30s" "labels" (merge (dict "severity" "critical") $labels)
        "annotations" (dict "summary" (printf "The credential of %s in the pod {{ $labels.pod }} expires, and there is no new one" .name)))
      (dict
        "alert" "OutriggerCredentialNotRenewed"
        "expr" (printf "outrigger_credential_consecutive_failures%s > 0" $selector)
        "for" "10m" "labels" (merge (dict "severity" "warning") $labels)
        "annotations" (dict "summary" (printf "Renewing the credential of %s in the pod {{ $labels.pod }} fails; its log says why" .name))) -}}
{{- $_ := set .contribution "objects" (append (.contribution.objects | default list) (dict
      "apiVersion" "monitoring.coreos.com/v1" "kind" "PrometheusRule"
      "metadata" (dict "name" .name "labels" (.config.metrics.ruleLabels | default dict))
      "spec" (dict "groups" (list (dict "name" .name "rules" $rules))))) -}}
{{- end -}}

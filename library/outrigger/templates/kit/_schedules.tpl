{{- /*
What is wrong with a cron expression. What Kubernetes' CronJobs take is right: five fields, of which each is a list of
*, ? or numbers (or names of months and days) with their ranges and steps; or @daily and its like. A range that ends
before it begins is left to the API server.
Takes: the expression
Prints: the message, or nothing
*/ -}}
{{- define "outrigger-0.2.0.kit.scheduleProblem" -}}
{{- $text := toString . -}}
{{- if empty . -}}
  is missing; set it to a cron expression such as "17 3 * * *"
{{- else if regexMatch "^(CRON_)?TZ=" $text -}}
  {{- printf "is %q; set timeZone to the time zone, and leave it out here" $text -}}
{{- else -}}
  {{- $fields := list -}}
  {{- range list "[0-5]?[0-9]" "([01]?[0-9]|2[0-3])" "(0?[1-9]|[12][0-9]|3[01])"
        "(0?[1-9]|1[0-2]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)" "([0-6]|sun|mon|tue|wed|thu|fri|sat)" -}}
    {{- $one := printf "([*?]|%s(-%s)?)(/[1-9][0-9]*)?" . . -}}
    {{- $fields = append $fields (printf "%s(,%s)*" $one $one) -}}
  {{- end -}}
  {{- $short := "@(yearly|annually|monthly|weekly|daily|midnight|hourly)|@every ([0-9.]+(ns|us|ms|s|m|h))+" -}}
  {{- if not (regexMatch (printf "(?i)^ *(%s|%s) *$" (join " +" $fields) $short) $text) -}}
    {{- printf "is %q, which is no cron expression; write five fields, such as \"17 3 * * *\" (minute 0-59, hour 0-23, day 1-31, month 1-12, day of the week 0-6), or @daily" $text -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The next two runs of a CronJob: the minutes at which the zone's clock shows what the schedule asks for. A time that the
clock skips has no run, and one that it repeats has two. Where a clock changes at midnight or by half an hour, the cluster
may make a run of that day more or less.
Takes: schedule, with which kit.scheduleProblem finds nothing wrong, and not @every, which keeps to no clock; zone, which
  notes.knowsZone knows; after, the time after which they come, in seconds since 1970
Prints: seconds since 1970, with a space between; nothing where there is none within six years, as of a 30 February
*/ -}}
{{- define "outrigger-0.2.0.notes.nextRuns" -}}
{{- $short := dict "@yearly" "0 0 1 1 *" "@annually" "0 0 1 1 *" "@monthly" "0 0 1 * *" "@weekly" "0 0 * * 0"
      "@daily" "0 0 * * *" "@midnight" "0 0 * * *" "@hourly" "0 * * * *" -}}
{{- $schedule := lower .schedule | trim -}}
{{- $texts := regexSplit " +" (get $short $schedule | default $schedule) -1 -}}
{{- $fields := dict -}}
{{- range $index, $field := list
      (dict "name" "minutes" "from" 0 "to" 59)
      (dict "name" "hours" "from" 0 "to" 23)
      (dict "name" "days" "from" 1 "to" 31)
      (dict "name" "months" "from" 1 "to" 12 "names" (list "jan" "feb" "mar" "apr" "may" "jun" "jul" "aug" "sep" "oct" "nov" "dec"))
      (dict "name" "weekdays" "from" 0 "to" 6 "names" (list "sun" "mon" "tue" "wed" "thu" "fri" "sat")) -}}
  {{- include "outrigger-0.2.0.notes.cronField" (set $field "text" (index $texts $index)) -}}
  {{- $_ := set $fields $field.name $field -}}
{{- end -}}
{{- $runs := list -}}
{{- $after := int64 .after -}}
{{- range until 2 -}}
  {{- with include "outrigger-0.2.0.notes.nextRun" (dict "fields" $fields "zone" $.zone "after" $after) -}}
    {{- $runs = append $runs . -}}
    {{- $after = int64 . -}}
  {{- end -}}
{{- end -}}
{{- join " " $runs -}}
{{- end -}}

{{- /*
Reads a field of a cron expression.
Takes: text; from and to, what numbers the field may have; names (optional), those of the numbers
Sets: .values, the numbers that the text stands for, in order; .every, whether it has a * or ?, which leaves the day to the
  other of the two fields of days
*/ -}}
{{- define "outrigger-0.2.0.notes.cronField" -}}
{{- $field := . -}}
{{- $text := replace "?" "*" .text -}}
{{- range $index, $name := .names -}}{{- $text = replace $name (add $field.from $index | toString) $text -}}{{- end -}}
{{- $given := list -}}
{{- $every := false -}}
{{- range splitList "," $text -}}
  {{- $parts := splitList "/" . -}}
  {{- $step := gt (len $parts) 1 | ternary (last $parts) "1" | atoi -}}
  {{- $ends := first $parts | replace "*" (printf "%d-%d" $field.from $field.to) | splitList "-" -}}
  {{- $last := and (eq (len $ends) 1) (gt (len $parts) 1) | ternary $field.to (last $ends | atoi) -}}
  {{- $given = concat $given (untilStep (first $ends | atoi) (add1 $last | int) $step) -}}
  {{- if and (eq (first $parts) "*") (eq $step 1) -}}{{- $every = true -}}{{- end -}}
{{- end -}}
{{- $values := list -}}
{{- range untilStep .from (add1 .to | int) 1 -}}{{- if has . $given -}}{{- $values = append $values . -}}{{- end -}}{{- end -}}
{{- $_ := set . "values" $values -}}
{{- $_ := set . "every" $every -}}
{{- end -}}

{{- /*
The first run after a time.
Takes: fields, which are minutes, hours, days, months and weekdays as notes.cronField sets them; zone; after
Prints: seconds since 1970, or nothing
*/ -}}
{{- define "outrigger-0.2.0.notes.nextRun" -}}
{{- $clock := include "outrigger-0.2.0.notes.clock" (dict "zone" .zone "at" .after) | int64 -}}
{{- $today := sub $clock (mod $clock 86400) -}}
{{- $months := add (dateInZone "2006" $today "UTC" | atoi | mul 12) (dateInZone "1" $today "UTC" | atoi) -1 -}}
{{- $run := int64 0 -}}
{{- range $later := until 72 -}}
  {{- $year := div (add $months $later) 12 -}}
  {{- $month := mod (add $months $later) 12 | add1 | int -}}
  {{- if and (not $run) (has $month $.fields.months.values) -}}
    {{- $first := toDate "2006-1-2 -0700" (printf "%d-%d-1 +0000" $year $month) | unixEpoch | int64 -}}
    {{- range $day := until 31 -}}
      {{- $midnight := mul $day 86400 | add $first -}}
      {{- if and (not $run) (ge $midnight $today) -}}
        {{- if include "outrigger-0.2.0.notes.isDay" (dict "fields" $.fields "month" $month "day" (add1 $day | int) "midnight" $midnight) -}}
          {{- $run = include "outrigger-0.2.0.notes.runOfDay" (dict "fields" $.fields "zone" $.zone "after" $.after "midnight" $midnight) | int64 -}}
        {{- end -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if $run -}}{{- $run -}}{{- end -}}
{{- end -}}

{{- /*
Whether a month has a day, and it is one of the schedule's: where both fields of days say something, one of them is enough.
Takes: fields; month; day; midnight, the day's, as notes.clock prints times
Prints: true, or nothing
*/ -}}
{{- define "outrigger-0.2.0.notes.isDay" -}}
{{- $isDay := has .day .fields.days.values -}}
{{- /* 1 January 1970 was a Thursday. */ -}}
{{- $isWeekday := has (mod (add (div .midnight 86400) 4) 7 | int) .fields.weekdays.values -}}
{{- if or .fields.days.every .fields.weekdays.every | ternary (and $isDay $isWeekday) (or $isDay $isWeekday) -}}
  {{- if eq (dateInZone "1" .midnight "UTC") (toString .month) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The first run of a day after a time. On a day on which the clock changes it is looked at by what it was before and by what
it is afterwards.
Takes: fields; zone; after; midnight
Prints: seconds since 1970, or 0
*/ -}}
{{- define "outrigger-0.2.0.notes.runOfDay" -}}
{{- $call := . -}}
{{- $offsets := list -}}
{{- range list (sub .midnight 86400) (add .midnight 172800) -}}
  {{- $offsets = append $offsets (sub (include "outrigger-0.2.0.notes.clock" (dict "zone" $call.zone "at" .) | int64) .) | uniq -}}
{{- end -}}
{{- $changes := gt (len $offsets) 1 -}}
{{- $run := int64 0 -}}
{{- range $hour := .fields.hours.values -}}
  {{- $begins := mul $hour 3600 | add $call.midnight -}}
  {{- $isOver := le (sub (add $begins 3600) (min (first $offsets) (last $offsets))) $call.after -}}
  {{- range $minute := $isOver | ternary list $call.fields.minutes.values -}}
    {{- if or (not $run) $changes -}}
      {{- $shown := mul $minute 60 | add $begins -}}
      {{- range $offset := $offsets -}}
        {{- $at := sub $shown $offset -}}
        {{- if and (gt $at $call.after) (or (not $run) (lt $at $run)) -}}
          {{- if eq (include "outrigger-0.2.0.notes.clock" (dict "zone" $call.zone "at" $at)) (toString $shown) -}}{{- $run = $at -}}{{- end -}}
        {{- end -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $run -}}
{{- end -}}

{{- /*
What the clock of a zone shows.
Takes: zone; at, in seconds since 1970
Prints: the seconds since 1970 at which the clock of UTC shows the same
*/ -}}
{{- define "outrigger-0.2.0.notes.clock" -}}
{{- $shown := dateInZone "2006-01-02 15:04:05" .at .zone -}}
{{- toDate "2006-01-02 15:04:05 -0700" (printf "%s +0000" $shown) | unixEpoch -}}
{{- end -}}

{{- /*
Whether Helm knows a time zone: to its functions any other is UTC. Local is none to Kubernetes.
Takes: the zone
Prints: true, or nothing
*/ -}}
{{- define "outrigger-0.2.0.notes.knowsZone" -}}
{{- $isUTC := regexMatch "^(Etc/)?(UTC|UCT|Universal|Zulu)$" . -}}
{{- if or $isUTC (and (ne (dateInZone "MST" (int64 0) .) "UTC") (ne (lower .) "local")) -}}true{{- end -}}
{{- end -}}

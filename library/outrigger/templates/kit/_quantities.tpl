{{- /*
A Kubernetes quantity (100m, 64Mi, 1e3, 2) as a plain number.
Takes: the quantity
Prints: the number
*/ -}}
{{- define "outrigger-0.2.0.kit.quantity" -}}
{{- $text := toString . -}}
{{- $suffix := regexFind "[a-zA-Z]+$" $text -}}
{{- $factors := dict "n" 1e-9 "u" 1e-6 "m" 1e-3 "" 1.0 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18
      "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0 -}}
{{- printf "%.9f" (mulf (trimSuffix $suffix $text | float64) (get $factors $suffix | default 1.0)) -}}
{{- end -}}

{{- /*
The seconds of a duration as Prometheus writes it: 1d2h30m.
Takes: the text
Prints: the seconds
*/ -}}
{{- define "outrigger-0.2.0.kit.seconds" -}}
{{- $units := dict "w" 604800 "d" 86400 "h" 3600 "m" 60 "s" 1 -}}
{{- $seconds := 0 -}}
{{- range regexFindAll "[0-9]+[wdhms]" . -1 -}}
  {{- $seconds = add $seconds (mul (regexFind "[0-9]+" . | atoi) (get $units (regexFind "[a-z]" .))) -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}

{{- /*
The seconds of a duration that may be missing.
Takes: the text, or nothing
Prints: the seconds, or nothing
*/ -}}
{{- define "outrigger-0.2.0.kit.secondsOrNone" -}}
{{- if . -}}{{- include "outrigger-0.2.0.kit.seconds" . -}}{{- end -}}
{{- end -}}

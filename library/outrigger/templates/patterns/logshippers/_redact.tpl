{{- /*
The operators that redact a line before it is parsed: so that what they do to its text is done at any depth of it, and
to a line that does not parse too. A line of the CRI's is but a part until it is parsed, and one that is not parsed at
all is redacted by redactProcessor.
Takes: the entry's config
Prints: the operators, as a YAML list
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.redactOperators" -}}
{{- $parse := .parse | default dict -}}
{{- $operators := list -}}
{{- if and $parse (not (hasKey $parse "cri")) -}}
  {{- range $rule := .redact -}}
    {{- range include "outrigger-0.2.0.patterns.logshippers.redactLine" (dict "rule" $rule "parse" $parse) | fromJsonArray -}}
      {{- $operator := dict "type" "regex_replace" "field" "body" "on_error" "send_quiet"
            "regex" (include "outrigger-0.2.0.patterns.logshippers.collectorText" .find) "replace_with" (include "outrigger-0.2.0.patterns.logshippers.collectorText" .put) -}}
      {{- if and $rule.field (eq (quote $rule.field) (printf "%+q" $rule.field)) -}}
        {{- /* It is cheap, other than the regular expressions. */ -}}
        {{- $_ := set $operator "if" (printf "body contains %s" (quote $rule.field) | include "outrigger-0.2.0.patterns.logshippers.collectorText") -}}
      {{- end -}}
      {{- $operators = append $operators $operator -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- toYaml $operators -}}
{{- end -}}

{{- /*
The operators after the parser: where a line does not match parse.regex, nobody knows where in it the field is.
Takes: the entry's config
Prints: the operators, as a YAML list, or nothing
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.redactUnparsed" -}}
{{- $field := "" -}}
{{- range .redact -}}{{- $field = .field | default $field -}}{{- end -}}
{{- if and $field (dig "parse" "regex" "" .) .parse.message -}}
- type: add
  field: body
  value: 'EXPR("outrigger: a line of " + string(len(body)) + " bytes that parse.regex does not match is left out, as redact.field cannot be found in it")'
  if: 'attributes[{{ quote .parse.message }}] == nil'
{{- end -}}
{{- end -}}

{{- /*
Regular expressions and what takes their matches' place in a line: what one rule of `redact` is before the line is
parsed.
Takes: rule; parse, of the entry
Prints: a list of {find, put}, as JSON
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.redactLine" -}}
{{- $rule := .rule -}}
{{- $parse := .parse -}}
{{- $replaced := hasKey $rule "replacement" -}}
{{- if $rule.pattern -}}
  {{- $put := $replaced | ternary $rule.replacement "***" -}}
  {{- if and (hasKey $parse "json") (not (contains "\"" (regexReplaceAll "\\[[^\\]]*\\]" $rule.pattern ""))) -}}
    {{- /* It is put into a text of the JSON's; a pattern that names the quotes has them in what it puts too. */ -}}
    {{- $put = $put | replace "\\" "\\\\" | replace "\"" "\\\"" -}}
  {{- end -}}
  {{- list (dict "find" $rule.pattern "put" $put) | toJson -}}
{{- else -}}
  {{- $parts := include "outrigger-0.2.0.patterns.logshippers.redactParts" $rule.field | fromJson -}}
  {{- $put := $rule.replacement | default "" | toJson | replace "$" "$$" -}}
  {{- if and (hasKey $parse "json") $replaced -}}
    {{- list (dict "find" (printf "(?s)(%s\\s*:\\s*)%s" $parts.key $parts.value) "put" (printf "${1}%s" $put)) | toJson -}}
  {{- else if hasKey $parse "json" -}}
    {{- list
          (dict "find" (printf "(?s),\\s*%s\\s*:\\s*%s" $parts.key $parts.value) "put" "")
          (dict "find" (printf "(?s)%s\\s*:\\s*%s\\s*,?" $parts.key $parts.value) "put" "") | toJson -}}
  {{- else if hasKey $parse "logfmt" -}}
    {{- list (dict "find" (printf "(?s)(^|\\s)%s=%s" $parts.name $parts.word) "put" ($replaced | ternary (printf "${1}%s=%s" ($rule.field | replace "$" "$$") $put) "${1}")) | toJson -}}
  {{- else -}}
    {{- list | toJson -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The parts of the regular expressions that find a field in a text. A value that does not end, as its line was cut, or
that is nested more deeply than they can tell, is all of the rest.
Takes: the field's name
Prints: a dict, as JSON:
  name   the field
  key    the field as a key of JSON, in quotes, by its escapes too
  value  what stands after such a key and a colon
  word   what stands after name=
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.redactParts" -}}
{{- $name := regexQuoteMeta . -}}
{{- $key := printf "\"%s\"" (include "outrigger-0.2.0.patterns.logshippers.redactNames" .) -}}
{{- $text := "\"(?:[^\"\\\\]|\\\\.)*" -}}
{{- $nested := printf "[\\[{](?:[^\\[\\]{}\"]|%s\")*[\\]}]" $text -}}
{{- $nested = printf "[\\[{](?:[^\\[\\]{}\"]|%s\"|%s)*[\\]}]" $text $nested -}}
{{- $nested = printf "[\\[{](?:[^\\[\\]{}\"]|%s\"|%s)*[\\]}]" $text $nested -}}
{{- $value := printf "(?:%s(?:\"|\\\\?$)|'(?:[^'\\\\]|\\\\.)*(?:'|\\\\?$)|%s|[\\[{].*|[^\\s,:{}\\[\\]\"']+)" $text $nested -}}
{{- $word := printf "(?:%s(?:\"|\\\\?$)|'[^']*(?:'|$)|(?:[^\\s\"\\\\]|\\\\.|\"[^\\s\",:}\\]])*)" $text -}}
{{- dict "name" $name "key" $key "value" $value "word" $word | toJson -}}
{{- end -}}

{{- /*
The regular expression of a field's name as it may be written in JSON: some escape what is not ASCII, or what HTML has
a use for, in small letters or capital ones.
Takes: the name
Prints: the regular expression
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.redactNames" -}}
{{- $names := list (regexQuoteMeta .) -}}
{{- range list (printf "%+q" . | trimAll "\"") (toJson . | trimAll "\"") -}}
  {{- if ne . $ -}}{{- $names = append $names (printf "(?i:%s)" (regexQuoteMeta .)) -}}{{- end -}}
{{- end -}}
{{- $names = uniq $names -}}
{{- eq (len $names) 1 | ternary (first $names) (printf "(?:%s)" (join "|" $names)) -}}
{{- end -}}

{{- /*
OTTL arguments, a regular expression and what takes its matches' place: what one rule of `redact` is in any text, such
as a body or an attribute. Fields are looked for in the texts of logs alone.
Takes: rule; ottlContext, its name
Prints: a list of arguments, as JSON
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.redactText" -}}
{{- $rule := .rule -}}
{{- $replacement := hasKey $rule "replacement" | ternary ($rule.replacement | default "") "***" -}}
{{- $found := list -}}
{{- if $rule.pattern -}}
  {{- $found = list (list $rule.pattern $replacement) -}}
{{- else if eq .ottlContext "log" -}}
  {{- $parts := include "outrigger-0.2.0.patterns.logshippers.redactParts" $rule.field | fromJson -}}
  {{- $quoted := toJson $replacement | replace "$" "$$" -}}
  {{- $inText := $quoted | replace "\\" "\\\\" | replace "\"" "\\\"" -}}
  {{- $found = list
        (list (printf "(?s)((?:%s|'%s')\\s*(?::|=>?)\\s*)%s" $parts.key $parts.name $parts.value) (printf "${1}%s" $quoted))
        (list (printf "(?s)(\\\\+\"%s\\\\+\"\\s*:\\s*)(?:\\\\\"(?:[^\"\\\\]|\\\\\\\\(?:\\\\[\"\\\\]|[^\"\\\\]))*(?:\\\\\"|\\\\*$)|[\\[{].*|[^\\s,:{}\\[\\]\"\\\\]+)" $parts.name) (printf "${1}%s" $inText))
        (list (printf "(?s)(^|[^\\w.-])(%s\\s*=\\s*)%s" $parts.name $parts.word) (printf "${1}${2}%s" ($replacement | replace "$" "$$"))) -}}
{{- end -}}
{{- $arguments := list -}}
{{- range $found -}}
  {{- $arguments = append $arguments (printf "%s, %s"
        (first . | include "outrigger-0.2.0.patterns.logshippers.collectorText" | quote)
        (last . | include "outrigger-0.2.0.patterns.logshippers.collectorText" | quote)) -}}
{{- end -}}
{{- toJson $arguments -}}
{{- end -}}

{{- /*
The processor that redacts whatever comes: logs, also those that were redacted as lines, spans and metrics.
Takes: the entry's config
Prints: its configuration, as YAML
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.redactProcessor" -}}
{{- $otlp := dig "receive" "otlp" false . -}}
{{- $of := dict "log_statements" (dict "resource" list "scope" list "log" (list "log.body")) -}}
{{- if or $otlp .scrape -}}{{- $_ := set $of "metric_statements" (dict "resource" list "scope" list "datapoint" list) -}}{{- end -}}
{{- if $otlp -}}{{- $_ := set $of "trace_statements" (dict "resource" list "scope" list "span" (list "span.name" "span.status.message") "spanevent" (list "spanevent.name")) -}}{{- end -}}
error_mode: ignore
{{- range $kind, $contexts := $of }}
{{ $kind }}:
  {{- range $context, $texts := $contexts }}
  - statements: {{ include "outrigger-0.2.0.patterns.logshippers.redactStatements" (dict "rules" $.redact "ottlContext" $context "paths" $texts) }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /*
The OTTL statements that redact what is of one context. Attributes are redacted as they are, and flattened: these take
their place where that found more, which is deeper in them. Each rule is applied once, as what it puts may be found by
it again.
Takes: rules; ottlContext, its name; paths, of its texts
Prints: the statements, as JSON
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.redactStatements" -}}
{{- $rules := .rules -}}
{{- $context := .ottlContext -}}
{{- $attributes := printf "%s.attributes" $context -}}
{{- $cache := dict -}}
{{- range list "top" "flat" "plain" "text" "body" "before" -}}{{- $_ := set $cache . (printf "%s.cache[%q]" $context .) -}}{{- end -}}
{{- $statements := list
      (printf "set(%s, %s)" $cache.top $attributes)
      (printf "set(%s, %s)" $cache.flat $attributes)
      (printf "flatten(%s)" $cache.flat)
      (printf "set(%s, String(%s))" $cache.text $cache.flat) -}}
{{- range $rules -}}
  {{- $where := "" -}}
  {{- with .field -}}{{- $where = printf " where %s" (include "outrigger-0.2.0.patterns.logshippers.redactHas" (dict "text" $cache.text "name" .)) -}}{{- end -}}
  {{- range concat
        (include "outrigger-0.2.0.patterns.logshippers.redactMap" (dict "rule" . "ottlContext" $context "map" $cache.top "flat" false) | fromJsonArray)
        (include "outrigger-0.2.0.patterns.logshippers.redactMap" (dict "rule" . "ottlContext" $context "map" $cache.flat "flat" true) | fromJsonArray) -}}
    {{- $statements = append $statements (printf "%s%s" . $where) -}}
  {{- end -}}
{{- end -}}
{{- $statements = concat $statements (list
      (printf "set(%s, %s)" $cache.plain $cache.top)
      (printf "flatten(%s)" $cache.plain)
      (printf "set(%s, %s)" $attributes $cache.top)
      (printf "set(%s, %s) where String(%s) != String(%s)" $attributes $cache.flat $cache.flat $cache.plain)) -}}
{{- range $path := .paths -}}
  {{- range $rule := $rules -}}
    {{- $where := printf "IsString(%s)" $path -}}
    {{- with .field -}}{{- $where = printf "%s and %s" $where (include "outrigger-0.2.0.patterns.logshippers.redactHas" (dict "text" $path "name" .)) -}}{{- end -}}
    {{- range include "outrigger-0.2.0.patterns.logshippers.redactText" (dict "rule" . "ottlContext" $context) | fromJsonArray -}}
      {{- $statements = append $statements (printf "replace_pattern(%s, %s) where %s" $path . $where) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if eq $context "log" -}}
  {{- /* A body that is a map or a list. */ -}}
  {{- $statements = concat $statements (list
        (printf "set(%s, {}) where IsMap(log.body) or IsList(log.body)" $cache.body)
        (printf "set(%s[\"body\"], log.body) where %s != nil" $cache.body $cache.body)
        (printf "flatten(%s) where %s != nil" $cache.body $cache.body)
        (printf "replace_all_patterns(%s, \"key\", \"^body[.]\", \"\") where %s != nil" $cache.body $cache.body)
        (printf "set(%s, String(%s)) where %s != nil" $cache.before $cache.body $cache.body)) -}}
  {{- range $rules -}}
    {{- range include "outrigger-0.2.0.patterns.logshippers.redactMap" (dict "rule" . "ottlContext" $context "map" $cache.body "flat" true) | fromJsonArray -}}
      {{- $statements = append $statements (printf "%s where %s != nil" . $cache.body) -}}
    {{- end -}}
  {{- end -}}
  {{- $statements = append $statements (printf "set(log.body, %s) where %s != nil and String(%s) != %s" $cache.body $cache.body $cache.body $cache.before) -}}
{{- end -}}
{{- toJson $statements -}}
{{- end -}}

{{- /*
The condition by which a text may hold a field: it is cheap, other than what finds it.
Takes: text, its path; name, the field's
Prints: the condition
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.redactHas" -}}
{{- $name := .name -}}
{{- printf "IsMatch(%s, %s)" .text (include "outrigger-0.2.0.patterns.logshippers.redactNames" $name | include "outrigger-0.2.0.patterns.logshippers.collectorText" | quote) -}}
{{- end -}}

{{- /*
The OTTL statements that apply a rule to a map: to its keys and to what stands in its texts.
Takes: rule; ottlContext, its name; map, its path; flat, whether it is flattened, so that the field may be any part of
  a key
Prints: the statements, as JSON
*/ -}}
{{- define "outrigger-0.2.0.patterns.logshippers.redactMap" -}}
{{- $rule := .rule -}}
{{- $map := .map -}}
{{- $statements := list -}}
{{- if $rule.field -}}
  {{- $name := regexQuoteMeta $rule.field -}}
  {{- if .flat -}}
    {{- $statements = append $statements (printf "delete_matching_keys(%s, %s)" $map (printf "(^|[.])%s[.]|[.]%s$" $name $name | include "outrigger-0.2.0.patterns.logshippers.collectorText" | quote)) -}}
  {{- end -}}
  {{- $key := include "outrigger-0.2.0.patterns.logshippers.collectorText" $rule.field | quote -}}
  {{- $statements = append $statements (hasKey $rule "replacement" | ternary
        (printf "merge_maps(%s, {%s: %s}, \"update\")" $map $key ($rule.replacement | default "" | include "outrigger-0.2.0.patterns.logshippers.collectorText" | quote))
        (printf "delete_key(%s, %s)" $map $key)) -}}
{{- end -}}
{{- range include "outrigger-0.2.0.patterns.logshippers.redactText" (dict "rule" $rule "ottlContext" .ottlContext) | fromJsonArray -}}
  {{- $statements = append $statements (printf "replace_all_patterns(%s, \"value\", %s)" $map .) -}}
{{- end -}}
{{- toJson $statements -}}
{{- end -}}

{{- /*
A name that has at most 63 characters.
Takes: the name
Prints: it as it is, or cut and ended by a checksum that keeps it unique
*/ -}}
{{- define "outrigger-0.2.0.kit.shorten" -}}
{{- include "outrigger-0.2.0.kit.fit" (dict "name" . "length" 63) -}}
{{- end -}}

{{- /*
A name that has at most so many characters.
Takes: name; length, that it may have; checksum, optional, to end it in any case
Prints: it as it is, or cut and ended by a checksum
*/ -}}
{{- define "outrigger-0.2.0.kit.fit" -}}
{{- $name := .name -}}
{{- $checksum := .checksum -}}
{{- if and (not $checksum) (gt (len $name) .length) -}}{{- $checksum = sha256sum $name | trunc 8 -}}{{- end -}}
{{- if $checksum -}}
  {{- $name = printf "%s-%s" (trunc (sub .length 9 | int) $name | trimSuffix "-") $checksum -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- /*
What the names of a chart's generated objects begin with, as `helm create` makes it: fullnameOverride of the chart's
values, else the release and the chart's name or nameOverride, or the release alone where that contains the name.
Takes: context, as the State and a Call have it
Prints: the name
*/ -}}
{{- define "outrigger-0.2.0.kit.fullname" -}}
{{- $release := .context.Release.Name -}}
{{- $name := include "outrigger-0.2.0.kit.chartText" (dict "context" .context "key" "nameOverride") | default .context.Chart.Name -}}
{{- $full := contains $name $release | ternary $release (printf "%s-%s" $release $name) -}}
{{- include "outrigger-0.2.0.kit.chartText" (dict "context" .context "key" "fullnameOverride") | default $full | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /*
The namespace of generated objects: the call's, else namespaceOverride of the chart's values, else the release's.
Takes: context; namespace, optional
Prints: the namespace
*/ -}}
{{- define "outrigger-0.2.0.kit.namespace" -}}
{{- .namespace | default (include "outrigger-0.2.0.kit.chartText" (dict "context" .context "key" "namespaceOverride")) | default .context.Release.Namespace -}}
{{- end -}}

{{- /*
A text of the chart's own values, and what it says as a template.
Takes: context; key, of the chart's values
Prints: the text
*/ -}}
{{- define "outrigger-0.2.0.kit.chartText" -}}
{{- $text := get .context.Values .key | default "" | toString -}}
{{- if contains "{{" $text -}}{{- $text = tpl $text .context -}}{{- end -}}
{{- $text -}}
{{- end -}}

{{- /*
Release and chart: what tells an entry from others of its name that are not in the chart. It is no matter what the
chart's objects are called, so that what is stored by it is found again when they are renamed.
Takes: context, as the State and a Call have it
Prints: the name
*/ -}}
{{- define "outrigger-0.2.0.kit.owner" -}}
{{- $release := .context.Release.Name -}}
{{- eq $release .context.Chart.Name | ternary $release (printf "%s-%s" $release .context.Chart.Name) -}}
{{- end -}}

{{- /*
What tells the release from others of its name: the cluster, where the values name it, and the namespace.
Takes: context and values, as the State and a Call have them
Prints: cluster/namespace
*/ -}}
{{- define "outrigger-0.2.0.kit.whereabouts" -}}
{{- compact (list .values.cluster .context.Release.Namespace) | join "/" -}}
{{- end -}}

{{- /*
The name of the chart's generated objects: one for each chart of a release, and for each workload of a hook.
Takes: the State
Prints: the name
*/ -}}
{{- define "outrigger-0.2.0.kit.objectName" -}}
{{- $suffix := empty .hook | ternary "outrigger" (printf "outrigger-%s" (.workload | default "hook")) -}}
{{- include "outrigger-0.2.0.kit.shorten" (printf "%s-%s" (include "outrigger-0.2.0.kit.fullname" .) $suffix) -}}
{{- end -}}

{{- /*
The name by which entries select the pod of an object: the object's, without the release's full name before it, or the
chart's where there is no more to it.
Takes: context; name
Prints: the name
*/ -}}
{{- define "outrigger-0.2.0.kit.workload" -}}
{{- $release := .context.Release.Name -}}
{{- $full := include "outrigger-0.2.0.kit.fullname" . -}}
{{- if has .name (list $full $release) -}}
  {{- .context.Chart.Name -}}
{{- else if hasPrefix (printf "%s-" $full) .name -}}
  {{- trimPrefix (printf "%s-" $full) .name -}}
{{- else -}}
  {{- trimPrefix (printf "%s-" $release) .name -}}
{{- end -}}
{{- end -}}

{{- /*
The labels of a generated object: its entry's, and those that say whose it is.
Takes: the State; one without a jobPath is of all entries
Prints: the labels, as YAML
*/ -}}
{{- define "outrigger-0.2.0.kit.objectLabels" -}}
{{- if .jobPath }}{{ include "outrigger-0.2.0.kit.jobLabels" . }}{{ else -}}
app.kubernetes.io/name: outrigger
app.kubernetes.io/instance: {{ .context.Release.Name }}
{{- end }}
app.kubernetes.io/part-of: {{ .context.Chart.Name }}
app.kubernetes.io/managed-by: {{ .context.Release.Service }}
{{ include "outrigger-0.2.0.kit.chartLabel" . }}
{{- end -}}

{{- /*
The label that names the chart and its version.
Takes: the State
Prints: the label, as YAML
*/ -}}
{{- define "outrigger-0.2.0.kit.chartLabel" -}}
helm.sh/chart: {{ printf "%s-%s" .context.Chart.Name .context.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- /*
The labels of all that is made of an entry: of CronJobs, Jobs, their pods and other objects. Instance and name are one for
all of them and for nothing else; no selector of the chart's matches them, so that no Service sends the pods requests.
Takes: the State, or of it: context; key; jobPath, the entry's; workload, what the object is for
Prints: the labels, as YAML
*/ -}}
{{- define "outrigger-0.2.0.kit.jobLabels" -}}
{{- $entry := .jobPath | trimPrefix (printf "%s." .key) | replace "." "-" -}}
app.kubernetes.io/name: {{ include "outrigger-0.2.0.kit.shorten" (printf "%s-%s" .context.Chart.Name $entry) }}
app.kubernetes.io/instance: {{ .context.Release.Name }}
app.kubernetes.io/component: {{ include "outrigger-0.2.0.kit.shorten" .workload }}
{{- end -}}

{{- /*
What is wrong with an entry's name that becomes an object's, a container's or a volume's. Kubernetes asks for a DNS
label (RFC 1123).
Takes: the name
Prints: the message, or nothing
*/ -}}
{{- define "outrigger-0.2.0.kit.labelProblem" -}}
{{- if or (gt (len .) 63) (not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" .)) -}}
  {{- printf "%q is no DNS label; rename the entry with lower case letters, digits and -, at most 63 characters, a letter or digit at both ends" . -}}
{{- end -}}
{{- end -}}

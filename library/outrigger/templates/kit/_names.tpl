{{- /*
Prints a name as it is, or, where it has more than 63 characters, cut and ended by a checksum that keeps it unique.
*/ -}}
{{- define "outrigger-0.1.0.kit.shorten" -}}
{{- include "outrigger-0.1.0.kit.fit" (list . 63 "") -}}
{{- end -}}

{{- /*
Prints a name, cut where it is too long and then ended by a checksum. Takes a list: the name, the length that it may
have, and a checksum to end it in any case ("" for none).
*/ -}}
{{- define "outrigger-0.1.0.kit.fit" -}}
{{- $name := index . 0 -}}
{{- $checksum := index . 2 -}}
{{- if and (not $checksum) (gt (len $name) (index . 1)) -}}{{- $checksum = sha256sum $name | trunc 8 -}}{{- end -}}
{{- if $checksum -}}
  {{- $name = printf "%s-%s" (trunc (sub (index . 1) 9 | int) $name | trimSuffix "-") $checksum -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- /*
Prints what the names of a chart's generated objects begin with, as `helm create` makes it: fullnameOverride of the chart's
values, else the release and the chart's name or nameOverride, or the release alone where that contains the name. Takes what
has context.
*/ -}}
{{- define "outrigger-0.1.0.kit.fullname" -}}
{{- $release := .context.Release.Name -}}
{{- $name := include "outrigger-0.1.0.kit.chartText" (list .context "nameOverride") | default .context.Chart.Name -}}
{{- $full := contains $name $release | ternary $release (printf "%s-%s" $release $name) -}}
{{- include "outrigger-0.1.0.kit.chartText" (list .context "fullnameOverride") | default $full | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /*
Prints the namespace of generated objects: that of the call, else namespaceOverride of the chart's values, else the
release's. Takes the arguments of a call: context, namespace.
*/ -}}
{{- define "outrigger-0.1.0.kit.namespace" -}}
{{- .namespace | default (include "outrigger-0.1.0.kit.chartText" (list .context "namespaceOverride")) | default .context.Release.Namespace -}}
{{- end -}}

{{- /*
Prints a text of the chart's own values, and what it says as a template. Takes a list: the chart's root context, the key.
*/ -}}
{{- define "outrigger-0.1.0.kit.chartText" -}}
{{- $text := get (index . 0).Values (index . 1) | default "" | toString -}}
{{- if contains "{{" $text -}}{{- $text = tpl $text (index . 0) -}}{{- end -}}
{{- $text -}}
{{- end -}}

{{- /*
Prints release and chart: what tells an entry from others of its name that are not in the chart. It is no matter what the
chart's objects are called, so that what is stored by it is found again when they are renamed.
*/ -}}
{{- define "outrigger-0.1.0.kit.owner" -}}
{{- $release := .context.Release.Name -}}
{{- eq $release .context.Chart.Name | ternary $release (printf "%s-%s" $release .context.Chart.Name) -}}
{{- end -}}

{{- /*
Prints what tells the release from others of its name: the cluster, where the values name it, and the namespace. Takes
what has context and values.
*/ -}}
{{- define "outrigger-0.1.0.kit.whereabouts" -}}
{{- compact (list .values.cluster .context.Release.Namespace) | join "/" -}}
{{- end -}}

{{- /*
Prints the name of the chart's generated objects: one for each chart of a release, and for each workload of a hook.
*/ -}}
{{- define "outrigger-0.1.0.kit.objectName" -}}
{{- $suffix := empty .hook | ternary "outrigger" (printf "outrigger-%s" (.workload | default "hook")) -}}
{{- include "outrigger-0.1.0.kit.shorten" (printf "%s-%s" (include "outrigger-0.1.0.kit.fullname" .) $suffix) -}}
{{- end -}}

{{- /*
Prints the labels of the chart's generated objects.
*/ -}}
{{- define "outrigger-0.1.0.kit.objectLabels" -}}
app.kubernetes.io/name: outrigger
app.kubernetes.io/instance: {{ .context.Release.Name }}
app.kubernetes.io/part-of: {{ .context.Chart.Name }}
app.kubernetes.io/managed-by: {{ .context.Release.Service }}
{{ include "outrigger-0.1.0.kit.chartLabel" . }}
{{- end -}}

{{- /*
Prints the label that names the chart and its version. Takes the state.
*/ -}}
{{- define "outrigger-0.1.0.kit.chartLabel" -}}
helm.sh/chart: {{ printf "%s-%s" .context.Chart.Name .context.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- /*
Prints the labels of a Job and its pods. Their name is not the chart's, so that no selector of the chart's matches them
and no Service sends them requests. Takes the state.
*/ -}}
{{- define "outrigger-0.1.0.kit.jobLabels" -}}
app.kubernetes.io/name: {{ include "outrigger-0.1.0.kit.shorten" (printf "%s-%s" .context.Chart.Name .workload) }}
app.kubernetes.io/instance: {{ .context.Release.Name }}
app.kubernetes.io/component: {{ include "outrigger-0.1.0.kit.shorten" .workload }}
{{- end -}}

{{- /*
Prints what is wrong with an entry's name that becomes an object's, a container's or a volume's, or nothing. Takes the
name. Kubernetes asks for a DNS label (RFC 1123).
*/ -}}
{{- define "outrigger-0.1.0.kit.labelProblem" -}}
{{- if or (gt (len .) 63) (not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" .)) -}}
  {{- printf "%q is no DNS label; rename the entry with lower case letters, digits and -, at most 63 characters, a letter or digit at both ends" . -}}
{{- end -}}
{{- end -}}

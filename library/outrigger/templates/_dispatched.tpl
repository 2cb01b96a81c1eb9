{{- /*
What the public names dispatch to, which is the same in every version but for the version: the public names may be those
of another one.
*/ -}}

{{- /* What outrigger.podTemplate prints, of what it takes. */ -}}
{{- define "outrigger-0.1.0.podTemplate" -}}
{{- include "outrigger-0.1.0.pod.podTemplate" . -}}
{{- end -}}

{{- /* What outrigger.containers and its like print, of what they take and the facet's name. */ -}}
{{- define "outrigger-0.1.0.facet" -}}
{{- include "outrigger-0.1.0.pod.facet" . -}}
{{- end -}}

{{- /* What outrigger.manifest prints, of what it takes. */ -}}
{{- define "outrigger-0.1.0.manifest" -}}
{{- include "outrigger-0.1.0.manifest.print" . -}}
{{- end -}}

{{- /* What outrigger.job prints, of what it takes. */ -}}
{{- define "outrigger-0.1.0.job" -}}
{{- include "outrigger-0.1.0.objects.job" . -}}
{{- end -}}

{{- /* What outrigger.cronJob prints, of what it takes. */ -}}
{{- define "outrigger-0.1.0.cronJob" -}}
{{- include "outrigger-0.1.0.objects.cronJob" . -}}
{{- end -}}

{{- /* What outrigger.objects prints, of what it takes. */ -}}
{{- define "outrigger-0.1.0.objects" -}}
{{- include "outrigger-0.1.0.objects.objects" . -}}
{{- end -}}

{{- /* What outrigger.objectName prints, of what it takes. */ -}}
{{- define "outrigger-0.1.0.objectName" -}}
{{- include "outrigger-0.1.0.objects.name" . -}}
{{- end -}}

{{- /* What outrigger.effectiveResources prints, of what it takes. */ -}}
{{- define "outrigger-0.1.0.effectiveResources" -}}
{{- include "outrigger-0.1.0.notes.effectiveResources" . -}}
{{- end -}}

{{- /* What outrigger.notes prints, of what it takes. */ -}}
{{- define "outrigger-0.1.0.notes" -}}
{{- include "outrigger-0.1.0.notes.notes" . -}}
{{- end -}}

{{- /* A version of the library's templates that is there: that of the file which is loaded last. */ -}}
{{- define "outrigger.someVersion" -}}
{{- "outrigger-0.1.0." | trimPrefix "outrigger-" | trimSuffix "." -}}
{{- end -}}

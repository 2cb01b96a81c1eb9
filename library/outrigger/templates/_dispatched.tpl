{{- /*
What the public names dispatch to, which is the same in every version but for the version: the public names may be those
of another one.
*/ -}}

{{- /*
What outrigger.podTemplate dispatches to.
Takes: what that takes
Prints: what that prints
*/ -}}
{{- define "outrigger-0.2.0.podTemplate" -}}
{{- include "outrigger-0.2.0.pod.podTemplate" . -}}
{{- end -}}

{{- /*
What outrigger.containers and its like dispatch to.
Takes: what those take; facet, its name
Prints: what those print
*/ -}}
{{- define "outrigger-0.2.0.facet" -}}
{{- include "outrigger-0.2.0.pod.facet" . -}}
{{- end -}}

{{- /*
What outrigger.manifest dispatches to.
Takes: what that takes
Prints: what that prints
*/ -}}
{{- define "outrigger-0.2.0.manifest" -}}
{{- include "outrigger-0.2.0.manifest.print" . -}}
{{- end -}}

{{- /*
What outrigger.job dispatches to.
Takes: what that takes
Prints: what that prints
*/ -}}
{{- define "outrigger-0.2.0.job" -}}
{{- include "outrigger-0.2.0.objects.job" . -}}
{{- end -}}

{{- /*
What outrigger.cronJob dispatches to.
Takes: what that takes
Prints: what that prints
*/ -}}
{{- define "outrigger-0.2.0.cronJob" -}}
{{- include "outrigger-0.2.0.objects.cronJob" . -}}
{{- end -}}

{{- /*
What outrigger.objects dispatches to.
Takes: what that takes
Prints: what that prints
*/ -}}
{{- define "outrigger-0.2.0.objects" -}}
{{- include "outrigger-0.2.0.objects.objects" . -}}
{{- end -}}

{{- /*
What outrigger.objectName dispatches to.
Takes: what that takes
Prints: what that prints
*/ -}}
{{- define "outrigger-0.2.0.objectName" -}}
{{- include "outrigger-0.2.0.objects.name" . -}}
{{- end -}}

{{- /*
What outrigger.effectiveResources dispatches to.
Takes: what that takes
Prints: what that prints
*/ -}}
{{- define "outrigger-0.2.0.effectiveResources" -}}
{{- include "outrigger-0.2.0.notes.effectiveResources" . -}}
{{- end -}}

{{- /*
What outrigger.notes dispatches to.
Takes: what that takes
Prints: what that prints
*/ -}}
{{- define "outrigger-0.2.0.notes" -}}
{{- include "outrigger-0.2.0.notes.notes" . -}}
{{- end -}}

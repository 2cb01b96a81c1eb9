{{- /*
outrigger.someVersion prints a version of the library's templates that is there, for what does not depend on one: that of the
file which is loaded last.

Takes: nothing
Prints: the version
*/ -}}
{{- define "outrigger.someVersion" -}}
{{- "outrigger-0.2.0." | trimPrefix "outrigger-" | trimSuffix "." -}}
{{- end -}}

{{- /*
The public names. Named templates are global in Helm: where two charts of one release carry different versions of
this library, the file loaded last wins. So this file only dispatches to names that carry the version: a later version has
more names, and what one dispatches to stays.
*/ -}}

{{- /*
outrigger.manifest prints what a named template prints, each pod in it together with its sidecars: that of a Deployment, a
StatefulSet, a Job or whatever else has spec.template.spec.containers, of a CronJob, of a Pod, of the items of a List. Every
other document is printed byte for byte, and all are in their order.

Takes: a dict:
  context   the chart's root context ($)
  template  the name of a named template that prints YAML documents: a whole file, between a define and an end
  workload  optional: the name that entries with a `workloads` list select. By default each pod's is the name of its
            object without the release's full name and the - after it, or the chart's name where that is all
            of it; the object's whole name selects the pod too
  hook      optional: true for sidecars in the pods of Helm hooks too, which are else printed as they are. What such a pod mounts is
            printed as a hook of lower weight
  namespace  optional: that of hooks of the file which name none; by default the namespaceOverride of the chart's values,
            else the release's
Prints: YAML documents
Reports: fails with every problem found, each with its values path and the mend; and where a document is no YAML, with
  its line
*/ -}}
{{- define "outrigger.manifest" -}}
{{- include (printf "outrigger-%s.manifest" (include "outrigger.version" .context)) . -}}
{{- end -}}

{{- /*
outrigger.podTemplate prints a pod template together with its sidecars.

Takes: a dict:
  context      the chart's root context ($)
  template     the name of a named template that prints a pod template (metadata, spec), or
  podTemplate  the pod template as an object
  workload     optional: the name that entries with a `workloads` list select
  hook         optional: the Helm hooks that the pod belongs to (pre-install,pre-upgrade); outrigger.objects, called
               with the same hook and workload, then prints what the pod mounts as a hook of lower weight
Prints: the pod template as YAML, not indented
Reports: fails with every problem found, each with its values path and the mend
*/ -}}
{{- define "outrigger.podTemplate" -}}
{{- include (printf "outrigger-%s.podTemplate" (include "outrigger.version" .context)) . -}}
{{- end -}}

{{- /*
outrigger.job prints a Job made from a pod template, with its sidecars and with safe defaults (defaults.job) for what the
values under jobs.<workload> leave out.

Takes: what outrigger.podTemplate takes, with a workload, and
  name        optional: the Job's name; by default the full name that the chart's own objects have, workload and a checksum
              of the Job's spec (none with hook), so that an upgrade that changes the spec runs another Job, as a Job cannot
              be changed
  namespace   optional: its namespace; by default the namespaceOverride of the chart's values, else the release's
  hookWeight  optional, with hook: the Job's helm.sh/hook-weight
Prints: a YAML document; with hook, the ConfigMap that the pod mounts as well
Reports: what outrigger.podTemplate reports
*/ -}}
{{- define "outrigger.job" -}}
{{- include (printf "outrigger-%s.job" (include "outrigger.version" .context)) . -}}
{{- end -}}

{{- /*
outrigger.cronJob prints a CronJob made from a pod template, with its sidecars and with safe defaults (defaults.cronJob,
and defaults.job for its Jobs) for what the values under cronJobs.<workload> leave out.

Takes: what outrigger.podTemplate takes, with a workload, and
  name       optional: the CronJob's name; by default the full name that the chart's own objects have, and workload
  namespace  optional: its namespace, as outrigger.job takes it
Prints: a YAML document
Reports: what outrigger.podTemplate reports
*/ -}}
{{- define "outrigger.cronJob" -}}
{{- include (printf "outrigger-%s.cronJob" (include "outrigger.version" .context)) . -}}
{{- end -}}

{{- /*
outrigger.objects prints what the sidecars need outside the pod (a ConfigMap of scripts, …), once per chart.

Takes: the chart's root context, or a dict: context; namespace (optional, as outrigger.job takes it); and for the pods of
  a Helm hook: hook, workload, hookWeight (the weight of the hook's Job)
Prints: YAML documents, or nothing where nothing is needed
Reports: fails with every problem found, each with its values path and the mend
*/ -}}
{{- define "outrigger.objects" -}}
{{- include (printf "outrigger-%s.objects" (include "outrigger.version" (hasKey . "context" | ternary .context .))) . -}}
{{- end -}}

{{- /*
outrigger.objectName prints, for NOTES.txt, the name of the CronJob that outrigger.objects makes of an entry.

Takes: a dict:
  context  the chart's root context ($)
  pattern  the pattern's key in the values: backups
  entry    the entry's name there: nightly
  task     optional: a task of the entry's that has a CronJob of its own: restore, drill, prune
Prints: the name, or nothing where there is no such CronJob: the entry is off, or a sidecar
*/ -}}
{{- define "outrigger.objectName" -}}
{{- include (printf "outrigger-%s.objectName" (include "outrigger.version" .context)) . -}}
{{- end -}}

{{- /*
outrigger.containers prints the classic sidecars. For authors who cannot wrap their pod template.

Takes: a dict:
  context    the root context of the chart whose pod it is
  values     optional: the library's values, instead of those of the chart's dependency. A chart that cannot have one, as it is
             somebody else's, needs them; the library's scripts it cannot read, so there are volumes and containers in it
  workload   optional: the name that entries with a `workloads` list select
  container  optional: the name of the app's container
  hook       optional: the Helm hooks that the pod belongs to
Prints: items of the pod's containers, as YAML that is not indented, or nothing
Reports: what outrigger.podTemplate reports
*/ -}}
{{- define "outrigger.containers" -}}
{{- include "outrigger.facet" (set (omit . "facet") "facet" "containers") -}}
{{- end -}}

{{- /*
outrigger.initContainers prints the native sidecars and the contributed init containers.

Takes: what outrigger.containers takes
Prints: items of the pod's initContainers, as YAML that is not indented, or nothing
Reports: what outrigger.podTemplate reports
*/ -}}
{{- define "outrigger.initContainers" -}}
{{- include "outrigger.facet" (set (omit . "facet") "facet" "initContainers") -}}
{{- end -}}

{{- /*
outrigger.volumes prints the volumes of the sidecars and those they share with the app.

Takes: what outrigger.containers takes
Prints: items of the pod's volumes, as YAML that is not indented, or nothing
Reports: what outrigger.podTemplate reports
*/ -}}
{{- define "outrigger.volumes" -}}
{{- include "outrigger.facet" (set (omit . "facet") "facet" "volumes") -}}
{{- end -}}

{{- /*
outrigger.volumeMounts prints the mounts of shared volumes.

Takes: what outrigger.containers takes
Prints: items of the volumeMounts of the app's containers, as YAML that is not indented, or nothing
Reports: what outrigger.podTemplate reports
*/ -}}
{{- define "outrigger.volumeMounts" -}}
{{- include "outrigger.facet" (set (omit . "facet") "facet" "volumeMounts") -}}
{{- end -}}

{{- /*
outrigger.env prints the variables that the values and the sidecars give the app.

Takes: what outrigger.containers takes
Prints: items of the env of the app's containers, as YAML that is not indented, or nothing
Reports: what outrigger.podTemplate reports
*/ -}}
{{- define "outrigger.env" -}}
{{- include "outrigger.facet" (set (omit . "facet") "facet" "env") -}}
{{- end -}}

{{- /*
outrigger.podAnnotations prints the annotations that the pod needs.

Takes: what outrigger.containers takes
Prints: a map, as YAML that is not indented, or nothing
Reports: what outrigger.podTemplate reports
*/ -}}
{{- define "outrigger.podAnnotations" -}}
{{- include "outrigger.facet" (set (omit . "facet") "facet" "podAnnotations") -}}
{{- end -}}

{{- /*
outrigger.facet prints one facet, which the names above ask for.

Takes: what outrigger.containers takes; facet, its name
Prints: the facet, as YAML that is not indented, or nothing
Reports: what outrigger.podTemplate reports
*/ -}}
{{- define "outrigger.facet" -}}
{{- $found := dict "context" .context "given" .values -}}
{{- include "outrigger.find" $found -}}
{{- include (printf "outrigger-%s.facet" $found.version) . -}}
{{- end -}}

{{- /*
outrigger.effectiveResources prints what the scheduler books for the composed pod, and its QoS class.

Takes: what outrigger.podTemplate takes
Prints: requests, limits (a quantity, or `unlimited` where any container lacks the limit) and qosClass, as YAML
*/ -}}
{{- define "outrigger.effectiveResources" -}}
{{- include (printf "outrigger-%s.effectiveResources" (include "outrigger.version" .context)) . -}}
{{- end -}}

{{- /*
outrigger.notes prints, for NOTES.txt, the life of the composed pod in plain text: what starts in which order and what
waits for what, what runs together, what stops in which order, and the pod's effective resources. It also tells when CronJobs run
next, by what command a backup is restored, and which entries of the values are in no pod.

Takes: what outrigger.podTemplate takes; with no pod template it draws every pod that outrigger.manifest has printed by
  then. Helm renders NOTES.txt after the files whose names begin with a small letter
Prints: the text
Reports: what outrigger.podTemplate reports, where it is given a pod template
*/ -}}
{{- define "outrigger.notes" -}}
{{- include (printf "outrigger-%s.notes" (include "outrigger.version" .context)) . -}}
{{- end -}}

{{- /*
Remembers something of this render for templates that come later in it: with the library among .Subcharts, in one dict
for each chart of one render, which all its templates have in common, and which holds no values. They find it as .seen
there, if there is anything.
Takes: library, as the State has it; key and value, what is to be remembered; kind, of what:
  pods       by kind, name and namespace, the states of those that outrigger.manifest has composed
  hooks      likewise those that it has left as they are, as pods of Helm hooks
  workloads  by name, true: what entries select pods by
  cronJobs   by namespace and name, where those come from that no pattern makes: values paths, and templates' names
  patternCronJobs  likewise the values paths of those that entries of patterns make
  scheduled  by namespace and name, the CronJobs that have been printed: dicts of name, namespace, path (of the entry, or ""),
             schedule, timeZone, suspend, selector (of all that is made of the entry), and byHand as
             outrigger-….objects.ownCronJob takes it
  told       by subject, true: what the notes have told already
Sets: .seen of the library
*/ -}}
{{- define "outrigger-0.2.0.kit.remember" -}}
{{- $seen := .library.seen | default (dict "pods" dict "hooks" dict "workloads" dict "cronJobs" dict "patternCronJobs" dict "scheduled" dict "told" dict) -}}
{{- $_ := set (get $seen .kind) .key .value -}}
{{- $_ := set .library "seen" $seen -}}
{{- end -}}

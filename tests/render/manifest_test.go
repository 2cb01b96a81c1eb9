package render

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chartutil"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2/util"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

const (
	oneSidecar = `outrigger: {containers: {helper: {image: "helper:1"}}}`

	aDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: "app:1"}]}
`
)

// wrappedFile returns a chart with one template file, which outrigger.manifest prints.
func wrappedFile(t testing.TB, file string, arguments ...string) harness.Chart {
	t.Helper()
	return shapes(t, map[string]string{
		"templates/file.yaml":      harness.Wrapped("shop.file", file, arguments...),
		"templates/outrigger.yaml": `{{ include "outrigger.objects" . }}`,
	})
}

// shapes returns a chart of files that no cluster has to take.
func shapes(t testing.TB, files map[string]string) harness.Chart {
	t.Helper()
	return harness.NewChart(t, files).OfShapes()
}

// printedFile returns what that file prints.
func printedFile(t testing.TB, values, file string, arguments ...string) string {
	t.Helper()
	return wrappedFile(t, file, arguments...).RenderTexts(t, values)["shop/templates/file.yaml"]
}

func TestAWrappedFileGivesThePodOfEachKindItsSidecars(t *testing.T) {
	t.Parallel()
	const pod = `{containers: [{name: app, image: "app:1"}]}`
	for kind, spec := range map[string]string{
		"Deployment": `{template: {spec: ` + pod + `}}`, "StatefulSet": `{template: {spec: ` + pod + `}}`, "DaemonSet": `{template: {spec: ` + pod + `}}`,
		"ReplicaSet": `{template: {spec: ` + pod + `}}`, "Job": `{template: {spec: ` + pod + `}}`, "Rollout": `{template: {spec: ` + pod + `}}`,
		"CronJob": `{jobTemplate: {spec: {template: {spec: ` + pod + `}}}}`, "Pod": pod,
	} {
		object := fmt.Sprintf(`{apiVersion: v1, kind: %s, metadata: {name: web}, spec: %s}`, kind, spec)
		for form, file := range map[string]string{
			"alone":     object,
			"in a List": "apiVersion: v1\nkind: List\nitems:\n  - {apiVersion: v1, kind: ConfigMap, metadata: {name: first}}\n  - " + object,
		} {
			t.Run(kind+" "+form, func(t *testing.T) {
				plain := shapes(t, map[string]string{"templates/file.yaml": file}).RenderMaps(t, "")
				wrapped := wrappedFile(t, file).RenderMaps(t, oneSidecar)

				helpers := takeContainers(wrapped, "helper")

				assert.Equal(t, 1, helpers)
				assert.Equal(t, plain, wrapped, "nothing else has changed")
			})
		}
	}
}

// takeContainers takes all containers of a name out of lists in an object, and empty lists of init containers, and returns how many
// they were.
func takeContainers(object any, name string) (taken int) {
	switch object := object.(type) {
	case []map[string]any:
		for _, item := range object {
			taken += takeContainers(item, name)
		}
	case []any:
		for _, item := range object {
			taken += takeContainers(item, name)
		}
	case map[string]any:
		if containers, ok := object["initContainers"].([]any); ok {
			kept := slices.DeleteFunc(slices.Clone(containers), func(container any) bool { return container.(map[string]any)["name"] == name })
			taken += len(containers) - len(kept)
			if object["initContainers"] = kept; len(kept) == 0 {
				delete(object, "initContainers")
			}
		}
		for _, value := range object {
			taken += takeContainers(value, name)
		}
	}
	return taken
}

func TestADocumentWithoutAPodIsPrintedByteForByte(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"comments, and separators with comments":          "# containers: none\n---   # the first\napiVersion: v1\nkind: ConfigMap # containers\nmetadata: {name: a}\n\n\n---\n# nothing\n---\n",
		"an object on the separator's line":               `--- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {containers: ""}}`,
		"lines that end as on Windows":                    "apiVersion: v1\r\nkind: ConfigMap\r\nmetadata: {name: containers}\r\n---\r\napiVersion: v1\r\nkind: ConfigMap\r\nmetadata: {name: b}\r\n",
		"a separator in a block scalar":                   "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  pod.yaml: |\n    spec: {template: {spec: {containers: [{name: a}]}}}\n    ---\n    kind: Pod\n",
		"a CustomResourceDefinition":                      "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.example.com}\nspec:\n  x:\n    template: {spec: {containers: [{minimum: -9223372036854775808, maximum: 9223372036854775807}]}}\n",
		"a Prometheus, whose spec.containers is no pod's": "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: a}\nspec:\n    containers: [ {name: config-reloader} ]\n",
		"a template that is a text":                       "apiVersion: example.com/v1\nkind: Page\nmetadata: {name: a}\nspec: {template:   containers}\n",
		"a template of no pod":                            "apiVersion: example.com/v1\nkind: Page\nmetadata: {name: a}\nspec: {template:   {spec: {containers: few}}}\n",
		"a pod without containers":                        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [ ]}\n",
		"lists, nulls and texts instead of maps":          "apiVersion: example.com/v1\nkind: Page\nmetadata: null\nspec: [containers]\n---\nkind: Page\nspec: {jobTemplate: {spec: containers}}\n---\nkind: PageList\nitems: {containers: 1}\n",
		"nothing":                                         "",
	} {
		t.Run(name, func(t *testing.T) {
			file := strings.ReplaceAll(harness.Wrapped("shop.file", "{{ .Values.text }}"), "shop.file\" }}\n", "shop.file\" }}")
			chart := shapes(t, map[string]string{"templates/file.yaml": strings.ReplaceAll(file, "\n{{- end }}\n", "{{ end }}")})

			printed := chart.RenderTexts(t, fmt.Sprintf("%s\ntext: %q", oneSidecar, text))["shop/templates/file.yaml"]

			assert.Equal(t, text+"\n", printed)
		})
	}
}

func TestDocumentsStayInTheirOrderAroundAPod(t *testing.T) {
	t.Parallel()
	const first, last = "# license\n---\nkind: ConfigMap # 1\n--- # a comment\n", "--- # another\nkind: ConfigMap # 3\n# the end"

	printed := printedFile(t, oneSidecar, first+"---"+aDeployment+last)

	assert.True(t, strings.HasPrefix(printed, "\n\n"+first+"---\napiVersion: apps/v1\n"), printed)
	assert.True(t, strings.HasSuffix(printed, "\n"+last+"\n"), printed)
	assert.Equal(t, 1, strings.Count(printed, "name: helper"))
}

func TestAPodOnTheSeparatorsLineAndAPodInLinesOfWindowsHaveTheirSidecars(t *testing.T) {
	t.Parallel()
	for _, file := range []string{
		`--- {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: app, image: "app:1"}]}}`,
		"---\r\napiVersion: v1\r\nkind: Pod\r\nmetadata:\r\n  name: a\r\nspec:\r\n  containers:\r\n    - name: app\r\n      image: app:1\r\n      args: [\"{{ .Release.Name }}\"]\r\n",
	} {
		pod := harness.Find[*corev1.Pod](t, wrappedFile(t, file).Render(t, oneSidecar))

		assert.Equal(t, []string{"helper"}, containerNames(pod.Spec.InitContainers), file)
		assert.Equal(t, "app:1", pod.Spec.Containers[0].Image)
	}
}

func TestIntegersKeepTheirDigitsBesideAPod(t *testing.T) {
	t.Parallel()
	printed := printedFile(t, oneSidecar, `
apiVersion: v1
kind: List
items:
  - apiVersion: example.com/v1
    kind: Limits
    spec: {maximum: 9223372036854775807, minimum: -9223372036854775808}
    flow: [9007199254740993, -9007199254740993,9007199254740995]
    block:
      - 9007199254740993   # one more than a float can tell
    texts: ["9007199254740993", "-9007199254740993", "a: 9007199254740993"]
    scalar: |
      a: 9007199254740993
  - apiVersion: argoproj.io/v1alpha1
    kind: Rollout
    metadata: {name: web, annotations: {note: "9007199254740993"}}
    spec: {generation: 9007199254740993, template: {metadata: {annotations: {at: "9007199254740993"}}, spec: {activeDeadlineSeconds: 1234567890123456, containers: [{name: app, image: "app:1"}]}}}
`)

	for _, expected := range []string{
		"maximum: 9223372036854775807\n", "minimum: -9223372036854775808\n",
		"flow:\n  - 9007199254740993\n  - -9007199254740993\n  - 9007199254740995\n", "block:\n  - 9007199254740993\n",
		"texts:\n  - \"9007199254740993\"\n  - \"-9007199254740993\"\n  - 'a: 9007199254740993'\n", "scalar: |\n    a: 9007199254740993\n",
		"note: \"9007199254740993\"\n", "generation: 9007199254740993\n", "at: \"9007199254740993\"\n", "activeDeadlineSeconds: 1234567890123456\n", "name: helper\n",
	} {
		assert.Contains(t, printed, expected)
	}
}

// What is not there prints <no value>, of which Helm makes nothing in a file, but not in what include returns.
func TestAPodIsReadAsHelmReadsAFile(t *testing.T) {
	t.Parallel()
	const pod = `
spec:
  containers:
    - name: app
      image: &image app:1
      env: [{name: PORT, value: "{{ .Values.nothing }}"}, {name: IMAGE, value: *image}]
      args:
        - |
          the last line ends`
	for form, chart := range map[string]harness.Chart{
		"manifest": wrappedFile(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: a}"+pod),
		"podTemplate": shapes(t, map[string]string{"templates/file.yaml": "{{- define \"shop.pod\" }}" + pod + "\n{{- end }}\n" +
			"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n" + `{{ include "outrigger.podTemplate" (dict "context" . "template" "shop.pod") }}`}),
	} {
		t.Run(form, func(t *testing.T) {
			pod := chart.RenderMaps(t, oneSidecar)[0]["spec"].(map[string]any)

			app := pod["containers"].([]any)[0].(map[string]any)
			assert.Equal(t, []any{map[string]any{"name": "PORT", "value": ""}, map[string]any{"name": "IMAGE", "value": "app:1"}}, app["env"])
			assert.Equal(t, []any{"the last line ends\n"}, app["args"])
		})
	}
	t.Run("a block scalar that has a separator in it and keeps all of its newlines", func(t *testing.T) {
		const file = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - name: app\n      image: app:1\n      args:\n        - |+\n          ---\n          kept\n\n---\n"

		app := harness.Find[*corev1.Pod](t, wrappedFile(t, file).Render(t, oneSidecar)).Spec.Containers[0]

		assert.Equal(t, []string{"---\nkept\n\n"}, app.Args)
	})
}

func TestADocumentThatIsNoYAMLIsToldWithItsNumberAndLine(t *testing.T) {
	t.Parallel()
	message := wrappedFile(t, "# a license\n---\nkind: ConfigMap\n---\nkind: Pod\nspec:\n  containers:\n    - name: app\n      image: app: 1\n    - name: b").RenderError(t, "")

	assert.Contains(t, message, `outrigger.manifest: document 3 of template "shop.file" is no YAML: error converting YAML to JSON: yaml: line 6: mapping values are not allowed in this context`)
	assert.Contains(t, message, "\n    10        image: app: 1\n")

	message = shapes(t, map[string]string{
		"templates/file.yaml": `{{ include "outrigger.podTemplate" (dict "context" . "podTemplate" (fromYaml "a: b: c")) }}`,
	}).RenderError(t, "")
	assert.Contains(t, message, "outrigger.podTemplate: the pod template does not print YAML: error converting YAML to JSON")
}

func TestACallOfTheManifestThatLacksSomethingSaysWhatToWrite(t *testing.T) {
	t.Parallel()
	for call, expected := range map[string]string{
		`(dict "context" .)`:            `outrigger.manifest: the template is missing; write (dict "context" $ "template" "NAME")`,
		`(dict "template" "shop.file")`: `outrigger: the chart's root context is missing; write (dict "context" $ "template" "NAME")`,
	} {
		chart := shapes(t, map[string]string{"templates/file.yaml": `{{ include "outrigger.manifest" ` + call + ` }}`})

		assert.Contains(t, chart.RenderError(t, ""), expected)
	}
}

func TestEntriesSelectPodsByTheirObjectsNames(t *testing.T) {
	t.Parallel()
	pod := func(name string) string {
		return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec: {containers: [{name: app, image: \"app:1\"}]}\n"
	}
	for name, test := range map[string]struct {
		object, values, arguments, release, selects string
	}{
		"release, chart and what is left":      {object: "demo-shop-worker", selects: "worker"},
		"release and what is left":             {object: "demo-worker", selects: "worker"},
		"the whole name":                       {object: "demo-shop-worker", selects: "demo-shop-worker"},
		"a name of its own":                    {object: "worker", selects: "worker"},
		"the chart's, where there is no more":  {object: "demo-shop", selects: "shop"},
		"a release that has the chart's name":  {object: "my-shop-worker", release: "my-shop", selects: "worker"},
		"a chart's name that is no part of it": {object: "my-shop-shop-api", release: "my-shop", selects: "shop-api"},
		"a nameOverride":                       {object: "demo-store-worker", values: "nameOverride: store", selects: "worker"},
		"a nameOverride and no more":           {object: "demo-store", values: "nameOverride: store", selects: "shop"},
		"a fullnameOverride":                   {object: "store-worker", values: "fullnameOverride: store", selects: "worker"},
		"the call's workload":                  {object: "demo-shop-worker", arguments: `"workload" "jobs"`, selects: "jobs"},
		"the whole name beside the call's":     {object: "demo-shop-worker", arguments: `"workload" "jobs"`, selects: "demo-shop-worker"},
	} {
		t.Run(name, func(t *testing.T) {
			file := pod(test.object)
			if test.arguments == "" {
				file += pod("demo-shop-other")
			}
			values := fmt.Sprintf("%s\noutrigger: {containers: {helper: {image: \"helper:1\", workloads: [%s]}}, workloads: {%[2]s: {shutdownSeconds: 77}}}", test.values, test.selects)

			objects := wrappedFile(t, file, test.arguments).Render(t, values, harness.Settings{Release: test.release})

			for _, object := range objects {
				pod := object.(*corev1.Pod)
				isSelected := pod.Name == test.object
				assert.Equal(t, isSelected, len(pod.Spec.InitContainers) == 1, pod.Name)
				assert.Equal(t, isSelected, pod.Spec.TerminationGracePeriodSeconds != nil, "workloads.%s is of that pod", test.selects)
			}
		})
	}
}

func TestEntriesWithoutWorkloadsAreInEachPodOfAFile(t *testing.T) {
	t.Parallel()
	printed := printedFile(t, oneSidecar, aDeployment+"---"+strings.ReplaceAll(aDeployment, "web", "worker"))

	assert.Equal(t, 2, strings.Count(printed, "name: helper"))
}

func TestAPodOfAHelmHookStaysAsItIsUnlessTheCallSaysHook(t *testing.T) {
	t.Parallel()
	const migration = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: demo-shop-migrate # before the app\n  annotations: {helm.sh/hook: \"pre-install,pre-upgrade\", helm.sh/hook-weight: \"-3\"}\n" +
		"spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: \"app:1\"}]}}}"
	const values = `outrigger: {volumes: {logs: {mountPath: /logs}}, logshippers: {shipper: {files: [/logs/x], to: {stdout: {}}}}}`

	assert.Equal(t, "\n\n"+migration+"\n", printedFile(t, values, migration))

	printed := printedFile(t, values, migration, `"hook" true`)
	for _, expected := range []string{
		"name: shipper\n", "helm.sh/hook: pre-install,pre-upgrade\n", "helm.sh/hook-weight: \"-3\"\n",
		"\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: demo-shop-outrigger-migrate\n", "helm.sh/hook-weight: \"-4\"\n",
		"configMap:\n            name: demo-shop-outrigger-migrate\n",
	} {
		assert.Contains(t, printed, expected)
	}
}

func TestTheProblemsOfAPodNameItsObject(t *testing.T) {
	t.Parallel()
	message := wrappedFile(t, aDeployment).RenderError(t, `outrigger: {containers: {app: {image: "helper:1"}}}`)

	assert.Contains(t, message, `outrigger: 1 problem(s) in Deployment web of chart "shop":`)
}

func TestTheNotesDrawEveryPodThatTheManifestHasPrinted(t *testing.T) {
	t.Parallel()
	chart := wrappedFile(t, aDeployment+"---"+strings.ReplaceAll(aDeployment, "web", "demo-shop-worker")).With(map[string]string{
		"templates/again.yaml": `{{ include (print .Template.BasePath "/file.yaml") . | sha256sum | printf "# %s" }}`,
		"templates/NOTES.txt":  `{{ include "outrigger.notes" (dict "context" .) }}`,
	})

	notes := chart.RenderTexts(t, oneSidecar)["shop/templates/NOTES.txt"]

	assert.Equal(t, 2, strings.Count(notes, "START-UP"), notes)
	assert.Contains(t, notes, "START-UP of worker (Deployment demo-shop-worker), in this order; on the right, when the next one starts\n  1.  helper  sidecar, stays  once it has started\n")
	assert.Contains(t, notes, "START-UP of web (Deployment web), in")
	assert.NotContains(t, notes, "FOR NO POD")
}

func TestTheNotesSayThatAJobOfTheChartsOwnCannotBeChanged(t *testing.T) {
	t.Parallel()
	const job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: import}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: \"app:1\"}]}}}\n"
	notes := func(file, values string) string {
		return wrappedFile(t, file).With(map[string]string{"templates/NOTES.txt": `{{ include "outrigger.notes" (dict "context" .) }}`}).
			RenderTexts(t, values)["shop/templates/NOTES.txt"]
	}

	assert.Contains(t, notes(job, oneSidecar), `
UPGRADES of Job import: Kubernetes changes no Job's pod. When an entry of
  it changes, the upgrade fails until it is deleted (kubectl delete job/import).
  A Job of outrigger.job has another name then, and needs nothing.`)
	assert.NotContains(t, notes(job, "outrigger: {}"), "UPGRADES", "no entry of its pod can change")
	assert.NotContains(t, notes(aDeployment, oneSidecar), "UPGRADES")
}

func TestTheNotesTellWhichEntriesAreInNoPod(t *testing.T) {
	t.Parallel()
	chart := wrappedFile(t, aDeployment).With(map[string]string{
		"templates/hook.yaml":    harness.Wrapped("shop.hook", "kind: Job\nmetadata: {name: migrate, annotations: {helm.sh/hook: pre-install}}\nspec: {template: {spec: {containers: [{name: app}]}}}"),
		"templates/job.yaml":     `{{ include "outrigger.job" (dict "context" . "workload" "report" "podTemplate" .Values.pod) }}`,
		"templates/_greeter.tpl": `{{ define "outrigger.pattern.greeter" }}{{ end }}`,
		"templates/NOTES.txt":    `{{ include "outrigger.notes" (dict "context" .) }}{{ include "outrigger.notes" (dict "context" . "podTemplate" .Values.pod) }}`,
	})

	texts := chart.With(map[string]string{"templates/a.yaml": `{{ include "outrigger.notes" (dict "context" .) }}`}).RenderTexts(t, `
pod: {spec: {containers: [{name: app, image: "app:1"}]}}
outrigger:
  workloads: {wrb: {shutdownSeconds: 5}, web: {shutdownSeconds: 5}}
  containers:
    mistyped: {image: "helper:1", workloads: [wrb, wbe]}
    of-a-hook: {image: "helper:1", workloads: [migrate]}
    here: {image: "helper:1", workloads: [wrb, web]}
    of-a-job: {image: "helper:1", workloads: [report]}
    "off": {image: "helper:1", workloads: [wrb], enabled: false}
    templated: {image: "helper:1", workloads: ["{{ .Chart.Name }}"]}
    templated-here: {image: "helper:1", workloads: ["{{ .Values.deployed }}"]}
  custom: {greeter: {hello: {workloads: ["{{ .Chart.Name }}"]}}}
deployed: web
`)

	notes := texts["shop/templates/NOTES.txt"]
	assert.NotContains(t, texts["shop/templates/a.yaml"], "FOR NO POD", "more pods may come")

	assert.Equal(t, 1, strings.Count(notes, `
FOR NO POD of this release, whose workloads are "report", "web"
  outrigger.containers.mistyped is for the workloads "wrb", "wbe"
  outrigger.containers.of-a-hook is for the workloads "migrate"
  outrigger.containers.templated is for the workloads "shop"
  outrigger.custom.greeter.hello is for the workloads "shop"
  outrigger.workloads.wrb
Not counted are pods of files whose names begin with a digit or a capital letter:
Helm renders these after the notes

AS THEY WERE, since they are pods of Helm hooks; "hook" true on the call of
outrigger.manifest gives them sidecars too
  Job migrate`), notes)
}

func TestTheNotesTellOfAnEntryForAWorkloadThatNoCallNames(t *testing.T) {
	t.Parallel()
	chart := harness.NewChart(t, map[string]string{
		"templates/pod.yaml": `
apiVersion: v1
kind: Pod
metadata: {name: web}
{{ include "outrigger.podTemplate" (dict "context" . "podTemplate" .Values.pod) }}`,
		"templates/NOTES.txt": `{{ include "outrigger.notes" (dict "context" .) }}`,
	})

	notes := chart.RenderTexts(t, `
pod: {spec: {containers: [{name: app, image: "app:1"}]}}
outrigger: {containers: {helper: {image: "h:1", workloads: [shop]}}}
`)["shop/templates/NOTES.txt"]

	assert.Contains(t, notes, "FOR NO POD of this release, whose workloads are without names\n  outrigger.containers.helper is for the workloads \"shop\"")
}

func TestTheNotesSayWhichPodsTheyCannotHaveSeenWhereTheyTellOfAnEntryForNoPod(t *testing.T) {
	t.Parallel()
	chart := harness.NewChart(t, map[string]string{
		"templates/01-web.yaml": `
apiVersion: v1
kind: Pod
metadata: {name: web}
{{ include "outrigger.podTemplate" (dict "context" . "podTemplate" .Values.pod "workload" "web") }}`,
		"templates/NOTES.txt": `{{ include "outrigger.notes" (dict "context" .) }}`,
	})

	texts := chart.RenderTexts(t, `
pod: {spec: {containers: [{name: app, image: "app:1"}]}}
outrigger: {containers: {helper: {image: "h:1", workloads: [web]}}}
`)

	require.Contains(t, texts["shop/templates/01-web.yaml"], "name: helper", "Helm renders it after the notes")
	assert.Contains(t, texts["shop/templates/NOTES.txt"], `outrigger.containers.helper is for the workloads "web"
Not counted are pods of files whose names begin with a digit or a capital letter:
Helm renders these after the notes`)
}

func TestTheNotesOfAChartWithoutPodsSaySo(t *testing.T) {
	t.Parallel()
	chart := wrappedFile(t, "{{ if .Values.enabled }}"+aDeployment+"{{ end }}").With(map[string]string{
		"templates/NOTES.txt": `{{ include "outrigger.notes" (dict "context" .) }}`,
	})

	assert.Equal(t, "NO POD of this release has been printed by outrigger.manifest", chart.RenderTexts(t, "")["shop/templates/NOTES.txt"])
}

// What the manifest remembers for the notes is not for others: where Helm renders the objects is a matter of files' names.
func TestTheObjectsAreTheSameBeforeAndAfterThePods(t *testing.T) {
	t.Parallel()
	const values = `outrigger: {volumes: {logs: {mountPath: /logs}}, logshippers: {shipper: {files: [/logs/x], to: {stdout: {}}, workloads: [web]}}}`
	const objects = `{{ include "outrigger.objects" . }}`
	chart := wrappedFile(t, aDeployment).With(map[string]string{"templates/a.yaml": objects, "templates/z.yaml": objects})

	texts := chart.RenderTexts(t, values)

	assert.NotEmpty(t, texts["shop/templates/a.yaml"])
	assert.Equal(t, texts["shop/templates/a.yaml"], texts["shop/templates/z.yaml"])
}

func TestAChartOfHelmCreateIsTheSameInTwoLines(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]func(name, folder string) (string, error){"Helm 3": chartutil.Create, "Helm 4": chartv2.Create} {
		t.Run(name, func(t *testing.T) {
			folder, err := create("shop", t.TempDir())
			require.NoError(t, err)
			chart := harness.LoadChart(t, folder)
			wrapped, files, refused := chart.WrapWorkloads()
			const values = `{autoscaling: {enabled: true}, podAnnotations: {a: b}, volumes: [{name: x, emptyDir: {}}], nodeSelector: {a: b}}`

			assert.ElementsMatch(t, []string{"templates/deployment.yaml", "templates/hpa.yaml", "templates/tests/test-connection.yaml"}, files)
			assert.Empty(t, refused)
			assert.ElementsMatch(t, chart.RenderMaps(t, values), wrapped.RenderMaps(t, values))
			objects := wrapped.Render(t, oneSidecar)
			assert.Equal(t, []string{"helper"}, containerNames(harness.Find[*appsv1.Deployment](t, objects).Spec.Template.Spec.InitContainers))
			assert.Empty(t, harness.Find[*corev1.Pod](t, objects).Spec.InitContainers, "a hook's")
		})
	}
}

// Each of these shapes is one of many charts, and none of them can have a define inside of the file.
func TestAFileOfAnyShapeCanBeWrapped(t *testing.T) {
	t.Parallel()
	const values = `{enabled: true, workers: [{name: one}, {name: two}], image: "{{ .Chart.Name }}:1", extra: [{name: EXTRA, value: "{{ 1 }}"}]}`
	const pod = "spec: {containers: [{name: app, image: \"app:1\"}]}\n"
	for name, test := range map[string]struct {
		file string
		pods int
	}{
		"a file in an if": {file: "{{- if .Values.enabled }}\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n" + pod + "{{- end }}", pods: 1},
		"a range":         {file: "{{- range .Values.workers }}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: {{ .name }}, labels: {in: {{ $.Release.Name }}}}\n" + pod + "{{- end }}", pods: 2},
		"variables of the file": {file: "{{- $name := \"a\" }}\n{{- $root := . }}\n{{- with .Values }}\napiVersion: v1\nkind: Pod\n" +
			"metadata: {name: {{ $name }}, labels: {in: {{ $root.Release.Name }}}}\n" + pod + "{{- end }}", pods: 1},
		"two documents": {file: "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n" + pod, pods: 1},
		"texts that are templates": {file: "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - name: app\n      image: {{ tpl .Values.image . }}\n" +
			"      env: {{- tpl (toYaml .Values.extra) . | nindent 8 }}", pods: 1},
		"CustomResourceDefinitions beside": {file: "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\n" +
			"spec: {properties: {containers: {maximum: 9223372036854775807}}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n" + pod, pods: 1},
		"a key with nothing below it": {file: "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n" + strings.TrimSuffix(pod, "}\n") + ", volumes: }\n", pods: 1},
		"anchors":                     {file: "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: &l {a: b}}\nspec:\n  nodeSelector: {<<: *l, c: d}\n  containers: [{name: app, image: \"app:1\"}]\n", pods: 1},
	} {
		t.Run(name, func(t *testing.T) {
			plain := shapes(t, map[string]string{"templates/file.yaml": test.file}).RenderMaps(t, values)
			wrapped := wrappedFile(t, test.file).RenderMaps(t, values+"\n")
			entries := wrappedFile(t, test.file).RenderMaps(t, strings.TrimSuffix(values, "}")+", "+oneSidecar+"}")

			assert.Equal(t, plain, wrapped)
			assert.Equal(t, test.pods, takeContainers(entries, "helper"))
			assert.Equal(t, plain, entries)
		})
	}
}

func TestTheReadmesDiffGivesTheDeploymentOfHelmCreateASidecar(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(harness.Root(), "README.md"))
	require.NoError(t, err)
	diff := regexp.MustCompile("(?s)```diff\n(.*?)```").FindStringSubmatch(string(readme))
	folder := t.TempDir()
	_, err = chartutil.Create("shop", folder)
	require.NoError(t, err)
	before := harness.LoadChart(t, filepath.Join(folder, "shop")).RenderMaps(t, "")
	apply := exec.Command("git", "apply", "-p0", "-")
	apply.Dir, apply.Stdin = folder, strings.NewReader(diff[1])
	output, err := apply.CombinedOutput()
	require.NoError(t, err, string(output))
	chart := harness.LoadChart(t, filepath.Join(folder, "shop"))

	pod := harness.Find[*appsv1.Deployment](t, chart.Render(t, "")).Spec.Template.Spec

	assert.Equal(t, []string{"access-log"}, containerNames(pod.InitContainers))
	assert.ElementsMatch(t, before, chart.RenderMaps(t, `outrigger: {volumes: {logs: {enabled: false}}, logshippers: {access-log: {enabled: false}}}`))
}

package render

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// objectsOfEveryKind are values for helmCreate of which the library generates each kind of object.
const objectsOfEveryKind = jobsOfEveryForm + `
      metrics: {pushgateway: "http://push:9091"}
      maxAge: 26h
  volumes: {logs: {mountPath: /logs}}
  logshippers: {ship: {files: [/logs/a], to: {otlphttp: {endpoint: "http://b:4318"}}, metrics: {podMonitor: true}}}
`

// generated returns what the library generates in the chart that `helm create shop` makes: namespaces by kind and name, FULL for
// the name that the chart's own template gives its Deployment, HASH for a checksum of a Job's; and that name.
func generated(t *testing.T, values string, settings ...harness.Settings) (namespaces map[string]any, full string) {
	t.Helper()
	namespaces = map[string]any{}
	objects := helmCreate(t).RenderMaps(t, objectsOfEveryKind+values, settings...)
	for _, object := range objects {
		if object["kind"] == "Deployment" {
			full = at(t, object, "metadata", "name").(string)
		}
	}
	for _, object := range objects {
		kind := object["kind"].(string)
		switch kind {
		case "ConfigMap", "Job", "CronJob", "PodMonitor", "PrometheusRule":
			metadata := object["metadata"].(map[string]any)
			name := regexp.MustCompile(`-[0-9a-f]{8}$`).ReplaceAllString(metadata["name"].(string), "-HASH")
			namespaces[kind+" "+strings.Replace(name, full, "FULL", 1)] = metadata["namespace"]
		}
		if kind == "Deployment" {
			assert.Contains(t, fmt.Sprint(object), "configMap:map[name:"+full+"-outrigger]", "the one that the pod mounts")
		}
	}
	return namespaces, full
}

// everyName are the names of what the library generates of objectsOfEveryKind.
var everyName = []string{
	"ConfigMap FULL-outrigger", "ConfigMap FULL-outrigger-migrate", "Job FULL-process-HASH", "Job FULL-migrate", "CronJob FULL-report",
	"CronJob FULL-nightly", "CronJob FULL-nightly-restore", "CronJob FULL-nightly-drill", "CronJob FULL-nightly-prune",
	"PodMonitor FULL-outrigger-logshippers-ship", "PrometheusRule FULL-outrigger-backups-nightly",
}

func TestNamesOfWhichNoObjectCanBeMadeAreTold(t *testing.T) {
	t.Parallel()
	for begin, override := range map[string]string{"Shop_1-": "fullnameOverride: Shop_1", "demo-Shop.-": "nameOverride: Shop."} {
		message := helmCreate(t).RenderError(t, objectsOfEveryKind+"\n"+override+"\n")

		assert.Contains(t, message, `the object "`+begin)
		assert.Contains(t, message, "Kubernetes takes no such name; write lower case letters, digits, - and . in what it is made of: fullnameOverride or nameOverride")
	}
}

func TestGeneratedObjectsAreNamedAsTheChartNamesItsOwn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ values, release, full string }{
		"release and chart":                    {full: "demo-shop"},
		"a release that is named as the chart": {release: "shop", full: "shop"},
		"a release that has the chart's name":  {release: "my-shop", full: "my-shop"},
		"nameOverride":                         {values: "nameOverride: store", full: "demo-store"},
		"nameOverride that the release has":    {values: "nameOverride: em", full: "demo"},
		"fullnameOverride":                     {values: "fullnameOverride: store", full: "store"},
		"both":                                 {values: "nameOverride: a\nfullnameOverride: store", full: "store"},
	} {
		t.Run(name, func(t *testing.T) {
			namespaces, full := generated(t, test.values, harness.Settings{Release: test.release})

			require.Equal(t, test.full, full, "what the chart's own template makes of it")
			assert.ElementsMatch(t, everyName, slices.Collect(maps.Keys(namespaces)))
		})
	}
}

func TestAFullNameThatIsATemplateIsEvaluated(t *testing.T) {
	t.Parallel()
	for _, values := range []string{
		`fullnameOverride: "{{ .Release.Name }}-web"`,
		`nameOverride: "{{ .Values.tier }}"`,
	} {
		objects := jobsChart(t).Render(t, values+"\ntier: web")

		assert.Equal(t, "demo-web-report", harness.Find[*batchv1.CronJob](t, objects).Name, values)
	}
}

func TestAFullNameIsCutAsTheChartCutsItsOwn(t *testing.T) {
	t.Parallel()
	cut := strings.Repeat("a", 62)
	reportOf := func(fullname string) string {
		return harness.Find[*batchv1.CronJob](t, jobsChart(t).Render(t, "fullnameOverride: "+fullname)).Name
	}

	report := reportOf(cut + "-bcd")

	assert.Equal(t, reportOf(cut), report)
	assert.Regexp(t, "^a{43}-[0-9a-f]{8}$", report, "the Jobs of a CronJob are named by it")
}

func TestANameOnTheCallIsTheObjects(t *testing.T) {
	t.Parallel()
	chart := jobsChart(t).With(map[string]string{
		"templates/cronjob.yaml": `{{ include "outrigger.cronJob" (dict "context" . "podTemplate" .Values.pod "workload" "report" "name" "mine") }}`,
	})

	assert.Equal(t, "mine", harness.Find[*batchv1.CronJob](t, chart.Render(t, "fullnameOverride: store")).Name)
}

// What is stored outside of the cluster is found again whatever the objects are called.
func TestABackupKeepsItsIdentityWhenTheChartsObjectsAreRenamed(t *testing.T) {
	t.Parallel()
	want := variables(task(t, cronJobs(t, nightly)["demo-shop-nightly"]))

	renamed := cronJobs(t, nightly+"fullnameOverride: store\nnamespaceOverride: edge\n")["store-nightly"]

	assert.Equal(t, want, variables(task(t, renamed)))
}

func TestGeneratedObjectsAreInTheNamespaceThatTheChartsValuesSay(t *testing.T) {
	t.Parallel()
	for values, want := range map[string]string{
		"": "there", "namespaceOverride: ''": "there", "namespaceOverride: null": "there",
		"namespaceOverride: edge": "edge", `namespaceOverride: "{{ .Release.Name }}-edge"`: "demo-edge",
	} {
		namespaces, _ := generated(t, values, harness.Settings{Namespace: "there"})

		assert.ElementsMatch(t, everyName, slices.Collect(maps.Keys(namespaces)))
		for name, namespace := range namespaces {
			assert.Equal(t, want, namespace, "%s: %s", values, name)
		}
	}
}

func TestANamespaceOnTheCallWins(t *testing.T) {
	t.Parallel()
	objects := harness.NewChart(t, map[string]string{
		"templates/all.yaml": `
{{ $job := dict "context" . "podTemplate" .Values.pod "namespace" "mine" }}
{{ include "outrigger.job" (merge (dict "workload" "process") $job) }}
{{ include "outrigger.job" (merge (dict "workload" "migrate" "hook" "pre-install") $job) }}
{{ include "outrigger.cronJob" (merge (dict "workload" "report") $job) }}
{{ include "outrigger.objects" (dict "context" . "namespace" "mine") }}`,
	}).RenderMaps(t, objectsOfEveryKind+"namespaceOverride: edge\npod: {spec: {containers: [{name: app, image: \"app:1\"}]}}\n")

	require.Len(t, objects, len(everyName))
	for _, object := range objects {
		assert.Equal(t, "mine", at(t, object, "metadata", "namespace"), "%s %s", object["kind"], at(t, object, "metadata", "name"))
	}
}

// A pod finds a ConfigMap in its own namespace alone.
func TestWhatAHooksPodMountsIsInTheNamespaceOfItsPod(t *testing.T) {
	t.Parallel()
	hook := func(namespace string) string {
		return "apiVersion: v1\nkind: Pod\nmetadata: {name: first, " + namespace + "annotations: {helm.sh/hook: pre-install}}\n" +
			"spec: {containers: [{name: app, image: \"app:1\"}]}\n"
	}
	shipped := `outrigger: {volumes: {logs: {mountPath: /logs}}, logshippers: {ship: {files: [/logs/a], to: {stdout: {}}}}}`
	for name, test := range map[string]struct{ namespace, values, arguments, want string }{
		"its own":                 {namespace: "namespace: own, ", values: "namespaceOverride: edge", arguments: `"namespace" "mine"`, want: "own"},
		"the call's":              {values: "namespaceOverride: edge", arguments: `"namespace" "mine"`, want: "mine"},
		"namespaceOverride":       {values: "namespaceOverride: edge", want: "edge"},
		"none that anybody names": {want: "default"},
	} {
		t.Run(name, func(t *testing.T) {
			chart := harness.NewChart(t, map[string]string{
				"templates/file.yaml": harness.Wrapped("shop.file", hook(test.namespace), `"hook" true`, test.arguments),
			})

			found := harness.Find[*corev1.ConfigMap](t, chart.Render(t, test.values+"\n"+shipped))

			assert.Equal(t, test.want, found.Namespace)
		})
	}
}

func TestASubchartsNamesAreByItsOwnValuesAndName(t *testing.T) {
	t.Parallel()
	texts := harness.Umbrella(t, harness.Part{Name: "one", Version: "0.1.0"}, harness.Part{Name: "two", Version: "0.2.0"}).RenderTexts(t,
		"{fullnameOverride: all, namespaceOverride: all, one: {fullnameOverride: first, namespaceOverride: edge}}", harness.Settings{Release: "my-two"})

	assert.Contains(t, texts["all/charts/one/templates/deployment.yaml"], "\n  name: first-outrigger\n  namespace: edge\n")
	assert.Contains(t, texts["all/charts/two/templates/deployment.yaml"], "\n  name: my-two-outrigger\n  namespace: default\n")
}

package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestEveryKindThatHoldsAPodTemplateTakesSidecars(t *testing.T) {
	harness.Facts(t)
	const include = `{{- include "outrigger.podTemplate" (dict "context" . "template" "shop.%s") | nindent %d }}`
	pod := func(restartPolicy string) string {
		return `{metadata: {name: web, labels: {app: web}}, spec: {restartPolicy: ` + restartPolicy + `, containers: [{name: app, image: "app:1"}]}}`
	}
	workload := func(kind, more string) string {
		return "apiVersion: apps/v1\nkind: " + kind + "\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n" + more + "  template:\n    " + fmt.Sprintf(include, "stays", 4)
	}
	templates := map[string]string{
		"Deployment":            workload("Deployment", ""),
		"StatefulSet":           workload("StatefulSet", "  serviceName: web\n"),
		"DaemonSet":             workload("DaemonSet", ""),
		"ReplicaSet":            workload("ReplicaSet", ""),
		"ReplicationController": "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: web}\nspec:\n  selector: {app: web}\n  template:\n    " + fmt.Sprintf(include, "stays", 4),
		"PodTemplate":           "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: web}\ntemplate:\n  " + fmt.Sprintf(include, "stays", 2),
		"Pod":                   "apiVersion: v1\nkind: Pod\n" + fmt.Sprintf(include, "stays", 0),
		"Job":                   "apiVersion: batch/v1\nkind: Job\nmetadata: {name: web}\nspec:\n  template:\n    " + fmt.Sprintf(include, "ends", 4),
		"CronJob":               "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: web}\nspec:\n  schedule: '0 * * * *'\n  jobTemplate:\n    spec:\n      template:\n        " + fmt.Sprintf(include, "ends", 8),
	}
	files := map[string]string{"templates/_helpers.tpl": `{{- define "shop.stays" }}` + pod("Always") + `{{ end }}{{- define "shop.ends" }}` + pod("Never") + `{{ end }}`}
	for kind, text := range templates {
		files["templates/"+kind+".yaml"] = text
	}

	objects := harness.NewChart(t, files).RenderMaps(t, `outrigger: {containers: {helper: {image: "h:1"}}}`)

	namespace := harness.NewNamespace(t, harness.Baseline)
	require.Len(t, objects, len(templates))
	for _, object := range objects {
		text, err := yaml.Marshal(object)
		require.NoError(t, err)
		assert.Contains(t, string(text), "name: helper")
		assertAccepted(t, namespace, object)
	}
}

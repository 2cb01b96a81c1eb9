package render

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// versioned returns the library's files as `make version` leaves them, under a folder. So that it shows which version
// rendered, each has a default of its own.
func versioned(t testing.TB, folder, version string) map[string]string {
	t.Helper()
	root := filepath.Join(harness.Root(), "library", "outrigger")
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		text := strings.ReplaceAll(string(data), "outrigger-0.1.0.", "outrigger-"+version+".")
		switch name {
		case "Chart.yaml":
			text = strings.Replace(text, "\nversion: 0.1.0\n", "\nversion: "+version+"\n", 1)
		case "templates/_security.tpl":
			text = strings.ReplaceAll(text, "65532", "1"+strings.ReplaceAll(version, ".", ""))
		}
		files[filepath.Join(folder, name)] = text
		return err
	}))
	return files
}

// subchart returns the files of a chart that depends on one version of the library.
func subchart(t testing.TB, folder, name, version, alias string) map[string]string {
	t.Helper()
	files := versioned(t, filepath.Join(folder, "charts", "outrigger"), version)
	key := "outrigger"
	dependency := "{name: outrigger, version: " + version + "}"
	if alias != "" {
		key, dependency = alias, "{name: outrigger, version: "+version+", alias: "+alias+"}"
	}
	files[filepath.Join(folder, "Chart.yaml")] = fmt.Sprintf("{apiVersion: v2, name: %s, version: 1.0.0, dependencies: [%s]}", name, dependency)
	files[filepath.Join(folder, "values.yaml")] = key + `: {volumes: {logs: {mountPath: /logs}}, logshippers: {ship: {files: [/logs/a], to: {stdout: {}}}}}`
	files[filepath.Join(folder, "templates", "pod.yaml")] = fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    {{- include "outrigger.podTemplate" (dict "context" . "podTemplate" (dict "metadata" (dict "labels" (dict "app" %[1]q)) "spec" (dict "containers" (list (dict "name" "app" "image" "app:1"))))) | nindent 4 }}
---
{{ include "outrigger.objects" . }}`, name)
	return files
}

func TestChartsOfAnUmbrellaEachRenderWithTheirOwnVersionOfTheLibrary(t *testing.T) {
	umbrella := map[string]string{"Chart.yaml": "{apiVersion: v2, name: all, version: 1.0.0, dependencies: [{name: one, version: 1.0.0}, {name: two, version: 1.0.0}, {name: three, version: 1.0.0}]}"}
	type part struct{ name, version, alias string }
	parts := []part{{"one", "0.1.0", ""}, {"two", "0.2.0", "sidecars"}, {"three", "1.0.0", ""}}
	for _, each := range parts {
		for name, text := range subchart(t, "charts/"+each.name, each.name, each.version, each.alias) {
			umbrella[name] = text
		}
	}

	together := harness.NewBareChart(t, umbrella).RenderTexts(t, "")

	names := map[string]bool{}
	for _, each := range parts {
		alone := harness.NewBareChart(t, subchart(t, ".", each.name, each.version, each.alias)).RenderTexts(t, "")
		text := together["all/charts/"+each.name+"/templates/pod.yaml"]
		assert.Equal(t, alone[each.name+"/templates/pod.yaml"], text, "%s renders as it does by itself", each.name)
		assert.Contains(t, text, "runAsUser: 1"+strings.ReplaceAll(each.version, ".", ""))
		names["demo-"+each.name+"-outrigger"] = strings.Contains(text, "name: demo-"+each.name+"-outrigger\n")
	}
	assert.Equal(t, map[string]bool{"demo-one-outrigger": true, "demo-two-outrigger": true, "demo-three-outrigger": true}, names, "no two objects have one name")
}

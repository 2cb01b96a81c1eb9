package harness

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Part is a subchart of an umbrella: a Deployment with a logshipper, and its own version of the library.
type Part struct {
	Name, Version string
	Alias         string // that it gives the library, or empty
	Package       []byte // of that version as it was released; without it, it is this version under the other's number
}

// UserOf returns the user that a version of the library, as Umbrella makes it, gives its sidecars by default: so that it
// shows which version rendered.
func UserOf(version string) string { return "1" + strings.ReplaceAll(version, ".", "") }

// Umbrella returns a chart whose subcharts each depend on their own version of the library.
func Umbrella(t testing.TB, parts ...Part) Chart {
	t.Helper()
	var dependencies []string
	files := map[string]string{}
	for _, part := range parts {
		dependencies = append(dependencies, fmt.Sprintf("{name: %s, version: 1.0.0}", part.Name))
		maps.Copy(files, part.files(t, "charts/"+part.Name))
	}
	files["Chart.yaml"] = "{apiVersion: v2, name: all, version: 1.0.0, dependencies: [" + strings.Join(dependencies, ", ") + "]}"
	return newBareChart(files)
}

// BroughtBy returns a chart of the given files that does not depend on the library, but on a company's own library chart, which does.
func BroughtBy(t testing.TB, company string, files map[string]string) Chart {
	t.Helper()
	all := maps.Clone(files)
	all["Chart.yaml"] = fmt.Sprintf("{apiVersion: v2, name: shop, version: 1.0.0, dependencies: [{name: %s, version: 1.0.0}]}", company)
	folder := filepath.Join("charts", company)
	all[filepath.Join(folder, "Chart.yaml")] = fmt.Sprintf("{apiVersion: v2, name: %s, version: 1.0.0, type: library, dependencies: [{name: outrigger, version: 0.x}]}", company)
	chart := newBareChart(all)
	addLibrary(t, chart.files, filepath.Join(folder, "charts", "outrigger"))
	return chart
}

// And returns the chart with the files of another, over which its own win.
func (c Chart) And(other Chart) Chart {
	all := maps.Clone(other.files)
	maps.Copy(all, c.files)
	return Chart{all, c.shapes}
}

// Chart returns the part as a chart of its own.
func (p Part) Chart(t testing.TB) Chart {
	t.Helper()
	return newBareChart(p.files(t, "."))
}

func newBareChart(files map[string]string) Chart {
	all := map[string][]byte{}
	for name, text := range files {
		all[filepath.Clean(name)] = []byte(text)
	}
	return Chart{files: all}
}

func (p Part) files(t testing.TB, folder string) map[string]string {
	t.Helper()
	files := map[string]string{filepath.Join(folder, "charts", "outrigger-"+p.Version+".tgz"): string(p.Package)}
	if p.Package == nil {
		files = versioned(t, filepath.Join(folder, "charts", "outrigger"), p.Version)
	}
	key, dependency := "outrigger", "{name: outrigger, version: "+p.Version+"}"
	if p.Alias != "" {
		key, dependency = p.Alias, "{name: outrigger, version: "+p.Version+", alias: "+p.Alias+"}"
	}
	files[filepath.Join(folder, "Chart.yaml")] = fmt.Sprintf("{apiVersion: v2, name: %s, version: 1.0.0, dependencies: [%s]}", p.Name, dependency)
	files[filepath.Join(folder, "values.yaml")] = key + `: {volumes: {logs: {mountPath: /logs}}, logshippers: {ship: {files: [/logs/a], to: {stdout: {}}}}}`
	files[filepath.Join(folder, "templates", "deployment.yaml")] = fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    {{- define "%[1]s.pod" }}
    metadata: {labels: {app: %[1]s}}
    spec:
      containers:
        - name: app
          image: docker.io/library/busybox:1.37.0-musl
          command: [sh, -c, "echo %[1]s > /logs/a; trap 'exit 0' TERM; while true; do sleep 1 & wait $!; done"]
    {{- end }}
    {{- include "outrigger.podTemplate" (dict "context" . "template" "%[1]s.pod") | nindent 4 }}
---
{{ include "outrigger.objects" . }}`, p.Name)
	return files
}

// versioned returns the library's files as `make version` leaves them, in a folder.
func versioned(t testing.TB, folder, version string) map[string]string {
	t.Helper()
	root := filepath.Join(Root(), "library", "outrigger")
	files := map[string]string{}
	chart, err := os.ReadFile(filepath.Join(root, "Chart.yaml"))
	require.NoError(t, err)
	present := regexp.MustCompile(`(?m)^version: (.*)$`).FindStringSubmatch(string(chart))[1]
	require.NoError(t, filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		text := strings.ReplaceAll(string(data), "outrigger-"+present+".", "outrigger-"+version+".")
		switch name {
		case "Chart.yaml":
			text = strings.Replace(text, "\nversion: "+present+"\n", "\nversion: "+version+"\n", 1)
			text = strings.Replace(text, `outrigger/templates: "`+present+`"`, `outrigger/templates: "`+version+`"`, 1)
		case "templates/kit/_users.tpl":
			text = strings.ReplaceAll(text, "65532", UserOf(version))
		}
		files[filepath.Join(folder, name)] = text
		return err
	}))
	return files
}

// OfVersion returns the chart with the library as another version of it would be.
func (c Chart) OfVersion(t testing.TB, version string) Chart {
	t.Helper()
	return c.With(versioned(t, "charts/outrigger", version))
}

package render

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestChartsOfAnUmbrellaEachRenderWithTheirOwnVersionOfTheLibrary(t *testing.T) {
	t.Parallel()
	parts := []harness.Part{{Name: "one", Version: "0.1.0"}, {Name: "two", Version: "0.2.0", Alias: "sidecars"}, {Name: "three", Version: "1.0.0"}}

	together := harness.Umbrella(t, parts...).RenderTexts(t, "")

	for _, part := range parts {
		alone := part.Chart(t).RenderTexts(t, "")
		text := together["all/charts/"+part.Name+"/templates/deployment.yaml"]
		assert.Equal(t, alone[part.Name+"/templates/deployment.yaml"], text, "%s renders as it does by itself", part.Name)
		assert.Contains(t, text, "runAsUser: "+harness.UserOf(part.Version))
		assert.Equal(t, 1, strings.Count(text, "\n  name: demo-"+part.Name+"-outrigger\n"), "its objects have names of their own")
	}
}

// publicNames is a file of a chart NAME that calls what 0.1.0 has public names for, beside those that each part calls.
const publicNames = `
{{- define "NAME.app" }}
spec: {containers: [{name: app, image: "app:1"}]}
{{- end }}
{{- $app := dict "context" . "template" "NAME.app" }}
apiVersion: v1
kind: Pod
metadata:
  name: NAME-facets
  annotations:
    {{- include "outrigger.podAnnotations" $app | nindent 4 }}
spec:
  initContainers:
    {{- include "outrigger.initContainers" $app | nindent 4 }}
  containers:
    - name: app
      image: app:1
      volumeMounts:
        {{- include "outrigger.volumeMounts" $app | nindent 8 }}
    {{- include "outrigger.containers" $app | nindent 4 }}
  volumes:
    {{- include "outrigger.volumes" $app | nindent 4 }}
{{ include "outrigger.job" (dict "context" . "template" "NAME.app" "workload" "process") }}
{{ include "outrigger.cronJob" (dict "context" . "template" "NAME.app" "workload" "report") }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME-notes}
data:
  version: {{ include "outrigger.version" . }}
  key: {{ include "outrigger.key" . }}
  resources: |
    {{- include "outrigger.effectiveResources" $app | nindent 4 }}
  notes: |
    {{- include "outrigger.notes" $app | nindent 4 }}
`

// laterNames is one of what this version has public names for beside these.
const laterNames = `
{{- define "NAME.file" }}
apiVersion: v1
kind: Pod
metadata: {name: NAME-wrapped}
spec: {containers: [{name: app, image: "app:1"}]}
{{- end }}
{{ include "outrigger.manifest" (dict "context" . "template" "NAME.file") }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME-later}
data:
  name: {{ include "outrigger.objectName" (dict "context" . "pattern" "backups" "entry" "nightly") | quote }}
  env: {{ include "outrigger.env" (dict "context" .) | quote }}
`

func TestTheReleased010AndThisVersionEachRenderUnderOneUmbrellaAsByThemselves(t *testing.T) {
	t.Parallel()
	released, err := os.ReadFile("testdata/outrigger-0.1.0.tgz")
	require.NoError(t, err)
	const values = `outrigger: {env: {}, containers: {helper: {image: "helper:1"}}, cronJobs: {report: {schedule: "@daily"}}}`
	valuesOf010 := strings.Replace(values, "env: {}, ", "", 1)
	// Helm loads the chart whose name comes last first: the public names are those of the other.
	for last, names := range map[string][2]string{"0.1.0": {"one", "two"}, "this version": {"two", "one"}} {
		t.Run(last+" is loaded last", func(t *testing.T) {
			t.Parallel()
			of010 := harness.Part{Name: names[0], Version: "0.1.0", Package: released}
			ofThis := harness.Part{Name: names[1], Version: libraryVersion(t)}
			file := func(part harness.Part, folder, text string) map[string]string {
				return map[string]string{folder + "templates/more.yaml": strings.ReplaceAll(text, "NAME", part.Name)}
			}

			together := harness.Umbrella(t, of010, ofThis).
				With(file(of010, "charts/"+of010.Name+"/", publicNames)).With(file(ofThis, "charts/"+ofThis.Name+"/", publicNames+"---"+laterNames)).
				RenderTexts(t, fmt.Sprintf("%s: {%s}\n%s: {%s}", of010.Name, valuesOf010, ofThis.Name, values))

			alone := of010.Chart(t).With(file(of010, "", publicNames)).RenderTexts(t, valuesOf010)
			maps.Copy(alone, ofThis.Chart(t).With(file(ofThis, "", publicNames+"---"+laterNames)).RenderTexts(t, values))
			for _, part := range []harness.Part{of010, ofThis} {
				assert.Contains(t, alone[part.Name+"/templates/more.yaml"], "\n  version: "+part.Version+"\n")
				for _, name := range []string{"deployment.yaml", "more.yaml"} {
					want := alone[part.Name+"/templates/"+name]
					require.NotEmpty(t, want)
					assert.Equal(t, want, together["all/charts/"+part.Name+"/templates/"+name], "%s of %s", name, part.Version)
				}
			}
		})
	}
}

func TestACopyOfTheLibraryUnderAVersionOfSomebodysOwnRendersAsTheLibrary(t *testing.T) {
	t.Parallel()
	const values = appPod + "outrigger: {containers: {proxy: {image: 'proxy:1'}}}\n"
	want := harness.Consumer(t).RenderTexts(t, values)

	for _, version := range []string{"0.1.0-acme.1", "0.1.0+build.7", "2026.11.28"} {
		chart, err := os.ReadFile(filepath.Join(harness.Root(), "library", "outrigger", "Chart.yaml"))
		require.NoError(t, err)
		// As helm package --version writes it.
		copied := regexp.MustCompile(`(?m)^version: .*$`).ReplaceAllString(string(chart), "version: "+version)
		require.NotEqual(t, string(chart), copied)

		got := harness.Consumer(t).With(map[string]string{"charts/outrigger/Chart.yaml": copied}).RenderTexts(t, values)

		assert.Equal(t, want, got, version)
	}
}

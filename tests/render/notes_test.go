package render

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// renderNotes renders what outrigger.notes prints for the pod in values.
func renderNotes(t testing.TB, values string) string {
	t.Helper()
	chart := harness.NewChart(t, map[string]string{"templates/notes.yaml": `
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data:
  notes: |
    {{- include "outrigger.notes" (dict "context" $ "podTemplate" .Values.pod "workload" "web") | nindent 4 }}
`})
	return harness.Find[*corev1.ConfigMap](t, chart.Render(t, values)).Data["notes"]
}

const notedPod = `
pod:
  spec:
    initContainers: [{name: migrate, image: app:1, resources: {requests: {cpu: 500m}}}]
    containers:
      - {name: app, image: app:1, readinessProbe: {httpGet: {port: 80}}, lifecycle: {preStop: {sleep: {seconds: 5}}}, resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 64Mi}}}
      - {name: worker, image: app:1, resources: {limits: {cpu: 1, memory: 64Mi}}}
`

const notedSidecars = `
  containers:
    proxy:
      image: proxy:1
      startupProbe: {httpGet: {port: 9000}}
      readinessProbe: {httpGet: {port: 9000}}
      lifecycle: {preStop: {sleep: {seconds: 9}}}
    tail: {image: "tail:1"}
`

func TestTheNotesDrawTheLifeOfAPodWithNativeSidecars(t *testing.T) {
	t.Parallel()
	assert.Equal(t, strings.TrimPrefix(`
START-UP of web, in this order; on the right, when the next one starts
  1.  proxy    sidecar, stays  once its startup probe has passed
  2.  tail     sidecar, stays  once it has started
  3.  migrate  init, ends      once it has run to its end
  4.  app      app             at once
  5.  worker   app

RUNNING TOGETHER: -- ends, == stays until the shut-down
  proxy    |==========================|
  tail        |====================|
  migrate        |--|
  app               |===========|
  worker            |===========|
  ready     while the readiness probes pass of proxy, app; sidecars count too

SHUT-DOWN within 30 s (terminationGracePeriodSeconds is unset: 30)
  t=0       preStop hooks of proxy, app, all at once
  t=0       SIGTERM to app, worker, together; a preStop hook comes first
  then      SIGTERM to tail, once all of these have ended
  then      SIGTERM to proxy, once tail has ended
  t=30 s    SIGKILL to what still runs; a sidecar that still waits has 2 s
            after SIGTERM

RESOURCES that the scheduler books for the whole pod
  requests  cpu 1120m, memory 160Mi
  limits    cpu unlimited, memory unlimited
  QoS class Burstable
`, "\n"), renderNotes(t, notedPod+"outrigger:\n  mode: native"+notedSidecars))
}

func TestTheNotesSayThatClassicSidecarsStopWithTheApp(t *testing.T) {
	t.Parallel()
	assert.Equal(t, strings.TrimPrefix(`
START-UP of web, in this order; on the right, when the next one starts
  1.  migrate  init, ends      once it has run to its end
  2.  app      app             at once
  3.  worker   app             at once
  4.  proxy    sidecar, stays  at once
  5.  tail     sidecar, stays

RUNNING TOGETHER: -- ends, == stays until the shut-down
  migrate  |--|
  app         |===========|
  worker      |===========|
  proxy       |===========|
  tail        |===========|
  ready     while the readiness probes pass of app, proxy; sidecars count too

SHUT-DOWN within 45 s (terminationGracePeriodSeconds)
  t=0       preStop hooks of app, proxy, all at once
  t=0       SIGTERM to app, worker, proxy, tail, together: classic sidecars do
            not outlive the app; a preStop hook comes first
  t=45 s    SIGKILL to what still runs

RESOURCES that the scheduler books for the whole pod
  requests  cpu 1120m, memory 160Mi
  limits    cpu unlimited, memory unlimited
  QoS class Burstable
`, "\n"), renderNotes(t, notedPod+"    terminationGracePeriodSeconds: 45\noutrigger:\n  mode: classic"+notedSidecars))
}

func TestTheNotesSayWhenAPodThatIsToEndCompletes(t *testing.T) {
	t.Parallel()
	assert.Equal(t, strings.TrimPrefix(`
START-UP of web, in this order; on the right, when the next one starts
  1.  tail    sidecar, stays  once its postStart hook has ended
  2.  import  app

RUNNING TOGETHER: -- ends, == stays until the shut-down
  tail    |=================|
  import     |===========|
  ready     when all of them have started; none has a readiness probe

SHUT-DOWN within 5 s (terminationGracePeriodSeconds)
  completes when import has succeeded (restartPolicy OnFailure); its sidecars
            do not keep it, and are then stopped in the same order
  t=0       SIGTERM to import
  then      SIGTERM to tail, once import has ended
  t=5 s     SIGKILL to what still runs; a sidecar that still waits has 2 s
            after SIGTERM

RESOURCES that the scheduler books for the whole pod
  requests  cpu 10m, memory 16Mi
  limits    cpu unlimited, memory unlimited
  QoS class Burstable
`, "\n"), renderNotes(t, `
pod: {spec: {restartPolicy: OnFailure, terminationGracePeriodSeconds: 5, containers: [{name: import, image: "i:1"}]}}
outrigger: {containers: {tail: {image: "t:1", lifecycle: {postStart: {exec: {command: [x]}}}}}}
`))

	assert.Contains(t, renderNotes(t, `{pod: {spec: {restartPolicy: Never, containers: [{name: a, image: "i:1"}, {name: b, image: "i:1"}]}}}`),
		"completes when a, b have ended (restartPolicy Never)\n")
}

func TestTheNotesAreAtMost78ColumnsWideButForLongNames(t *testing.T) {
	t.Parallel()
	const long = "a-name-that-is-much-longer-than-those-of-the-other-containers"
	for _, sidecars := range []int{0, 1, 4, 5, 8, 9, 18} {
		var values strings.Builder
		values.WriteString(strings.ReplaceAll(notedPod, "worker", "worker-of-20-letters") + "outrigger:\n  containers:\n    " + long + ": {image: \"i:1\"}\n")
		for index := range sidecars {
			values.WriteString("    a-sidecar-with-20-l" + string(rune('a'+index)) + ": {image: \"i:1\", startupProbe: {exec: {command: [x]}}, readinessProbe: {exec: {command: [x]}}, lifecycle: {postStart: {exec: {command: [x]}}, preStop: {exec: {command: [x]}}}}\n")
		}

		for line := range strings.Lines(renderNotes(t, values.String())) {
			if strings.Contains(line, long) {
				continue
			}
			assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), 78, line)
			assert.Equal(t, strings.TrimRight(line, " \n"), strings.TrimSuffix(line, "\n"), "no space at the end")
		}
	}
}

func TestTheNotesOfEachExampleChartDrawAllOfItsPods(t *testing.T) {
	t.Parallel()
	for name, pods := range map[string][]string{
		"logging-app":  {"logging-app (Deployment demo-logging-app)", "job (Job demo-logging-app-1)"},
		"batch-app":    {"data-processing", "report"},
		"django-app":   {"django-app (Deployment demo-django-app)"},
		"static-site":  {"static-site (Deployment demo-static-site)"},
		"postgres-app": {"postgres-app (StatefulSet demo-postgres-app)"},
	} {
		t.Run(name, func(t *testing.T) {
			notes := harness.LoadChart(t, filepath.Join(harness.Root(), "charts", name)).RenderTexts(t, "")[name+"/templates/NOTES.txt"]

			var drawn []string
			for _, match := range regexp.MustCompile(`(?m)^START-UP of (.*), in this order`).FindAllStringSubmatch(notes, -1) {
				drawn = append(drawn, match[1])
			}
			assert.ElementsMatch(t, pods, drawn)
		})
	}
}

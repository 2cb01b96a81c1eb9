package render

import (
	"testing"

	"github.com/stretchr/testify/assert"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// migratingPod is an author's pod whose init container needs the app's variables too.
const migratingPod = `
pod:
  metadata: {labels: {app: web}}
  spec:
    initContainers: [{name: migrate, image: "app:1"}]
    containers: [{name: app, image: "app:1", env: [{name: URL, value: "postgres://$(HOST)/shop"}]}]
`

// variablesOf returns the names of a container's variables, in their order, each with its value.
func variablesOf(container corev1.Container) []string {
	var written []string
	for _, variable := range container.Env {
		written = append(written, variable.Name+"="+variable.Value)
	}
	return written
}

func TestVariablesOfTheValuesComeBeforeTheAuthorsInTheAppAndItsInitContainersAlone(t *testing.T) {
	t.Parallel()

	pod := renderPod(t, migratingPod+`
outrigger:
  env:
    HOST: '{{ .Release.Name }}-db'
    PORT: 5432
    DEBUG: false
    KEY: {valueFrom: {secretKeyRef: {name: shop, key: key}}}
    DSN: $(HOST):$(PORT)
  containers: {helper: {image: "h:1"}}
`)

	given := []string{"DEBUG=false", "HOST=demo-db", "KEY=", "PORT=5432", "DSN=$(HOST):$(PORT)"}
	assert.Equal(t, append(given, "URL=postgres://$(HOST)/shop"), variablesOf(container(t, pod, "app")), "theirs may refer to what is given")
	assert.Equal(t, given, variablesOf(container(t, pod, "migrate")))
	assert.Equal(t, "shop", container(t, pod, "app").Env[2].ValueFrom.SecretKeyRef.Name)
	assert.Empty(t, container(t, pod, "helper").Env, "a proxy of the app's, say, is not the sidecars'")
}

func TestVariablesUnderSidecarsAreThoseOfAllTheLibrarysContainersAndOfNoOther(t *testing.T) {
	t.Parallel()

	objects := harness.Consumer(t).Render(t, migratingPod+`
outrigger:
  env: {sidecars: {TZ: Europe/Paris, LEVEL: info}}
  defaults: {downwardAPI: true}
  volumes: {logs: {mountPath: /logs}}
  logshippers: {ship: {files: [/logs/a], to: {stdout: {}}}}
  containers: {helper: {image: "h:1", env: {LEVEL: debug}}}
  backups: {nightly: {schedule: "17 3 * * *", `+postgres+`, store: {files: {remote: ":s3:bucket"}}}}
`)

	pod := harness.Find[*appsv1.Deployment](t, objects).Spec.Template
	assert.Subset(t, variablesOf(container(t, pod, "ship")), []string{"TZ=Europe/Paris", "LEVEL=info"})
	assert.Subset(t, variablesOf(container(t, pod, "helper")), []string{"TZ=Europe/Paris", "LEVEL=debug"}, "an entry's own wins")
	assert.NotContains(t, variablesOf(container(t, pod, "helper")), "LEVEL=info")
	assert.Empty(t, variablesOf(container(t, pod, "migrate")))
	backup := cronJobsIn(objects)["demo-shop-nightly"].Spec.JobTemplate.Spec.Template
	for _, each := range append(backup.Spec.InitContainers, backup.Spec.Containers...) {
		assert.Contains(t, variablesOf(each), "TZ=Europe/Paris", each.Name)
	}
}

func TestVariablesOfAWorkloadAreOverThoseOfAllByTheirNames(t *testing.T) {
	t.Parallel()
	const values = appPod + `
outrigger:
  env: {LEVEL: info, TZ: UTC}
  workloads:
    web: {env: {LEVEL: debug, sidecars: {A: b}}}
    worker: {env: {TZ: Europe/Paris}}
  containers: {helper: {image: "h:1"}}
`

	pod := renderPod(t, values)

	assert.Equal(t, []string{"LEVEL=debug", "TZ=UTC"}, variablesOf(container(t, pod, "app")))
	assert.Equal(t, []string{"A=b"}, variablesOf(container(t, pod, "helper")))
}

func TestAVariableThatTheUserTakesAwayWithNullIsNotGiven(t *testing.T) {
	t.Parallel()

	pod := renderPod(t, appPod+`outrigger: {env: {LEVEL: null, TZ: UTC, sidecars: null}}`)

	assert.Equal(t, []string{"TZ=UTC"}, variablesOf(container(t, pod, "app")))
}

func TestAPatternGivesVariablesToTheAuthorsContainers(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t).With(map[string]string{
		"templates/_door.tpl": `{{- define "outrigger.pattern.door" }}
env: {DATABASE_HOST: 127.0.0.1}
sidecars: [{name: {{ .name }}, image: "d:1"}]
{{- end }}`,
	})

	pod := harness.Find[*appsv1.Deployment](t, chart.Render(t, migratingPod+`outrigger: {custom: {door: {back: {}}}}`)).Spec.Template

	assert.Equal(t, []string{"DATABASE_HOST=127.0.0.1", "URL=postgres://$(HOST)/shop"}, variablesOf(container(t, pod, "app")))
	assert.Equal(t, []string{"DATABASE_HOST=127.0.0.1"}, variablesOf(container(t, pod, "migrate")))
	assert.Empty(t, container(t, pod, "back").Env)
}

func TestAVariableThatIsThereAlreadyIsToldWithBothPlaces(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t).With(map[string]string{
		"templates/_door.tpl": `{{- define "outrigger.pattern.door" }}
env: [{name: HOST, value: here}, {name: OUTRIGGER_HOST, value: here}]
sidecars: [{name: {{ .name }}, image: "d:1"}]
{{- end }}`,
	})

	message := chart.RenderError(t, migratingPod+`
outrigger:
  env: {URL: "x", HOST: "y", OUTRIGGER_FORM: native, sidecars: {OUTRIGGER_ENTRY: z}}
  custom: {door: {back: {}}}
`)

	assert.Contains(t, message, `outrigger.env.URL: container "app" of the pod template has a variable URL already; take one of them away`)
	assert.Contains(t, message, `outrigger.custom.door.back: gives the app the variable HOST, which outrigger.env.HOST gives too; take one of them away`)
	assert.Contains(t, message, `outrigger.custom.door.back: gives the app the variable OUTRIGGER_HOST, and those that begin with OUTRIGGER_ are the library's own`)
	assert.Contains(t, message, `outrigger.env.OUTRIGGER_FORM: variables that begin with OUTRIGGER_ are the library's own; give it another name`)
	assert.Contains(t, message, `outrigger.env.sidecars.OUTRIGGER_ENTRY: variables that begin with OUTRIGGER_ are the library's own`)
}

func TestAVariableOfTheWrongShapeIsToldWithItsPath(t *testing.T) {
	t.Parallel()

	message := harness.Consumer(t).RenderError(t, appPod+`outrigger: {env: {HOST: [a]}}`)

	assert.Contains(t, message, "at '/env/HOST': got array")
}

package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// databases are entries named db of every pattern that makes an object of its own, in pods of their own where they make containers.
const databases = `
pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "a:1"}]}}
outrigger:
  volumes: {logs: {mountPath: /logs}}
  backups: {db: {schedule: "17 3 * * *", redis: {host: redis, image: "redis:8"}, store: {files: {remote: ":s3:bucket"}}, maxAge: 26h, metrics: {pushgateway: "http://push:9091"}}}
  logshippers: {db: {workloads: [shipping], files: [/logs/a], to: {otlphttp: {endpoint: "http://loki:3100/otlp"}}, metrics: {podMonitor: true}}}
  tokenRefreshers: {db: {azureDatabase: {user: shop}, file: {path: /tokens/a, format: raw}, metrics: {podMonitor: true, alerts: true, port: 9999}}}
  ambassadors: {db: {workloads: [pooling], pgbouncer: {secret: db, user: shop, host: postgres, database: shop, metrics: {podMonitor: true, port: 9998}}}}
`

func TestEntriesOfOneNameOfSeveralPatternsMakeObjectsOfNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	var made []string
	for _, object := range harness.Consumer(t).RenderMaps(t, databases) {
		if kind := object["kind"].(string); kind == "PodMonitor" || kind == "PrometheusRule" {
			made = append(made, kind+" "+at(t, object, "metadata", "name").(string))
		}
	}

	assert.ElementsMatch(t, []string{
		"PodMonitor demo-shop-outrigger-logshippers-db", "PodMonitor demo-shop-outrigger-token-refreshers-db", "PodMonitor demo-shop-outrigger-ambassadors-db",
		"PrometheusRule demo-shop-outrigger-backups-db", "PrometheusRule demo-shop-outrigger-token-refreshers-db",
	}, made)
}

func TestTwoObjectsOfOneNameOfACustomPatternAreRefusedWithThePathsOfBoth(t *testing.T) {
	t.Parallel()
	chart := func(name string) harness.Chart {
		return harness.Consumer(t).With(map[string]string{"templates/_watched.tpl": `{{ define "outrigger.pattern.watched" }}
objects: [{apiVersion: v1, kind: Secret, metadata: {name: ` + name + `}}]
{{ end }}`})
	}
	const values = appPod + "outrigger: {custom: {watched: {one: {}, two: {}}}}"

	message := chart("rules").RenderError(t, values)

	assert.Contains(t, message, `outrigger.custom.watched.one and outrigger.custom.watched.two: both make a Secret "demo-shop-outrigger-custom-watched-rules"; `+
		`rename one of them, or have the pattern name its objects after their entries`)
	chart("{{ .name }}").Render(t, values)
}

func TestACronJobOfAFileThatHasABackupsNameIsRefusedWhicheverIsRenderedFirst(t *testing.T) {
	t.Parallel()
	const file = `{{ define "shop.file" }}
apiVersion: batch/v1
kind: CronJob
metadata: METADATA
spec: {schedule: "@daily", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: "app:1"}]}}}}}
{{ end }}{{ include "outrigger.manifest" (dict "context" . "template" "shop.file") }}`
	const backup = `outrigger: {backups: {nightly: {schedule: "17 3 * * *", ` + postgres + `, store: {files: {remote: ":s3:bucket"}}}}}`
	const told = `template "shop.file" and outrigger.backups.nightly: both make a CronJob "demo-shop-nightly"; rename one of them`
	chart := func(name, metadata string) harness.Chart {
		return harness.NewChart(t, map[string]string{name: strings.Replace(file, "METADATA", metadata, 1), "templates/m.yaml": `{{ include "outrigger.objects" . }}`})
	}

	// Helm renders files from the last name to the first.
	before := chart("templates/z.yaml", "{name: demo-shop-nightly}").RenderError(t, backup)
	after := chart("templates/a.yaml", "{name: demo-shop-nightly}").RenderError(t, backup)
	ofAHook := chart("templates/a.yaml", `{name: demo-shop-nightly, annotations: {helm.sh/hook: post-install}}`).RenderError(t, backup)

	assert.Contains(t, before, told)
	assert.Contains(t, after, told)
	assert.Contains(t, ofAHook, told)
	chart("templates/a.yaml", "{name: demo-shop-weekly}").Render(t, backup)
	chart("templates/a.yaml", "{name: demo-shop-nightly, namespace: elsewhere}").Render(t, backup)
	chart("templates/z.yaml", "{name: demo-shop-nightly, namespace: elsewhere}").Render(t, backup)
	chart("templates/z.yaml", "{generateName: demo-shop-nightly-}").Render(t, backup)
}

func TestACronJobInANamespaceOfItsOwnMayHaveABackupsName(t *testing.T) {
	t.Parallel()
	const backup = `outrigger: {backups: {report: {schedule: "17 3 * * *", ` + postgres + `, store: {files: {remote: ":s3:bucket"}}}}}`
	for _, name := range []string{"templates/a.yaml", "templates/z.yaml"} {
		chart := jobsChart(t).With(map[string]string{"templates/cronjob.yaml": "",
			name: `{{ include "outrigger.cronJob" (dict "context" . "podTemplate" .Values.pod "workload" "report" "namespace" "elsewhere") }}`})

		made := chart.Render(t, backup)

		assert.Contains(t, cronJobsIn(made), "demo-shop-report")
	}
}

package render

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// scheduledChart makes CronJobs in every way that there is: by outrigger.cronJob, by an entry of backups, and in a file of the
// chart's own. Its notes are those of noon on 28 November 2026.
func scheduledChart(t *testing.T) harness.Chart {
	t.Helper()
	return jobsChart(t).With(map[string]string{
		"templates/own.yaml": harness.Wrapped("shop.own", `
apiVersion: batch/v1
kind: CronJob
metadata: {name: own}
spec:
  schedule: "30 12 * * 6"
  timeZone: America/New_York
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: "app:1"}]}}}}`),
		"templates/NOTES.txt": `{{ include (printf "outrigger-%s.notes.cronJobs" (include "outrigger.version" .)) (dict "context" . "now" 1795867200) }}`,
	})
}

func notesOf(t *testing.T, chart harness.Chart, values string, settings ...harness.Settings) string {
	t.Helper()
	return chart.RenderTexts(t, values, settings...)["shop/templates/NOTES.txt"]
}

func TestTheNotesSayWhenEachCronJobRunsNextAndHowABackupIsRestored(t *testing.T) {
	t.Parallel()
	notes := notesOf(t, scheduledChart(t), nightly+`
      timeZone: Europe/Berlin
      drill: {schedule: "17 5 * * 0"}
      prune: {schedule: "17 6 1 * *", timeZone: Asia/Tokyo}
`, harness.Settings{Namespace: "prod"})

	assert.Equal(t, strings.TrimPrefix(`
CRONJOBS of the chart's own files
  own
    30 12 * * 6, in America/New_York
    next Sat 28 Nov 2026 12:30 EST, then Sat 5 Dec 2026 12:30 EST

CRONJOBS of outrigger.backups.nightly
  demo-shop-nightly
    17 3 * * *, in Europe/Berlin
    next Sun 29 Nov 2026 03:17 CET, then Mon 30 Nov 2026 03:17 CET
  demo-shop-nightly-drill
    17 5 * * 0, in Europe/Berlin
    next Sun 29 Nov 2026 05:17 CET, then Sun 6 Dec 2026 05:17 CET
  demo-shop-nightly-prune
    17 6 1 * *, in Asia/Tokyo
    next Tue 1 Dec 2026 06:17 JST, then Fri 1 Jan 2027 06:17 JST
  See them, their Jobs and pods:
    kubectl --namespace prod get cronjob,job,pod --selector app.kubernetes.io/instance=demo,app.kubernetes.io/name=shop-backups-nightly
  A restore of the newest snapshot (OVERWRITE=yes: in the place of what is there):
    kubectl --namespace prod create job restore-1 --from=cronjob/demo-shop-nightly-restore --dry-run=client --output=yaml |
      kubectl set env --local --filename=- --output=yaml TARGET= SNAPSHOT= TIME= FILE= OVERWRITE= |
      kubectl --namespace prod create --filename=-

CRONJOBS of outrigger.cronJobs.report
  demo-shop-report
    0 * * * *, in the control plane's time zone, mostly UTC
    next Sat 28 Nov 2026 13:00 UTC, then Sat 28 Nov 2026 14:00 UTC
  See them, their Jobs and pods:
    kubectl --namespace prod get cronjob,job,pod --selector app.kubernetes.io/instance=demo,app.kubernetes.io/name=shop-cronJobs-report`, "\n"), notes)
}

func TestTheNotesSayThatACronJobNeverRunsOrOnlyItsScheduleWhereNobodyCanKnow(t *testing.T) {
	t.Parallel()
	for cronJob, want := range map[string]string{
		`schedule: "0 0 30 2 *"`:                           "0 0 30 2 *, in the control plane's time zone, mostly UTC\n    never, as there is no such date",
		`schedule: "@daily", suspend: true`:                "@daily, in the control plane's time zone, mostly UTC\n    never by itself, as it is suspended",
		`schedule: "@every 1h30m", timeZone: Etc/UTC`:      "@every 1h30m, in Etc/UTC",
		`schedule: "17 3 * * *", timeZone: "Mars/Olympus"`: "17 3 * * *, in Mars/Olympus",
	} {
		notes := notesOf(t, scheduledChart(t).OfShapes(), `outrigger: {cronJobs: {report: {`+cronJob+`}}}`)

		_, report, _ := strings.Cut(notes, "\n  demo-shop-report\n    ")
		report, _, _ = strings.Cut(report, "\n  See them")
		assert.Equal(t, want, report, cronJob)
	}
}

func TestTheNotesRestoreInTheAppsPodWhatOnlyThatReaches(t *testing.T) {
	t.Parallel()
	const inThePod = `
    kubectl --namespace default exec POD --container nightly -- \
      /outrigger-tools/busybox env TARGET= SNAPSHOT= TIME= FILE= OVERWRITE= /outrigger-tools/busybox sh /outrigger/backup.sh restore`
	const byAJob = "create job restore-1 --from=cronjob/demo-shop-nightly-restore"
	const store = `, store: {files: {remote: ":s3:bucket"}}}}}`
	const volume = `volume: {persistentVolumeClaim: {claimName: data}}`
	for backup, want := range map[string]string{
		`as: sidecar, path: {paths: [/data/x]}`:                 inThePod,
		`as: sidecar, postgres: {image: "postgres:15"}`:         inThePod,
		`as: sidecar, postgres: {image: "p:15", host: db}`:      byAJob,
		`as: sidecar, path: {paths: [/data/x], ` + volume + `}`: byAJob,
		`path: {paths: [/data/x], ` + volume + `}`:              byAJob,
	} {
		notes := notesOf(t, scheduledChart(t), `outrigger: {backups: {nightly: {schedule: "@daily", workloads: [web], `+backup+store)

		assert.Contains(t, notes, want, backup)
		assert.Equal(t, 1, strings.Count(notes, "A restore of"), backup)
	}
}

func TestTheNotesTellOfCronJobsOnceAndByTheTimeOfTheRender(t *testing.T) {
	t.Parallel()
	const call = `{{ include "outrigger.notes" (dict "context" .) }}{{ include "outrigger.notes" (dict "context" . "podTemplate" .Values.pod) }}`
	texts := scheduledChart(t).With(map[string]string{"templates/NOTES.txt": call, "templates/a.yaml": call}).OfShapes().
		RenderTexts(t, `outrigger: {cronJobs: {report: {schedule: "@yearly"}}}`)

	found := regexp.MustCompile(`\nCRONJOBS of outrigger.cronJobs.report\n  demo-shop-report\n    @yearly, .*\n    next \w+ 1 Jan (\d+) 00:00 UTC, then `).
		FindAllStringSubmatch(texts["shop/templates/NOTES.txt"], -1)
	if assert.Len(t, found, 1, texts["shop/templates/NOTES.txt"]) {
		assert.Equal(t, time.Now().UTC().AddDate(1, 0, 0).Format("2006"), found[0][1])
	}
	assert.NotContains(t, texts["shop/templates/a.yaml"], "CRONJOBS", "more may come")
}

package render

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// everyDefault are values of a chart that shows each of the library's defaults: a pod, one that is Guaranteed, a CronJob, a Job of
// a hook, and an entry of each pattern.
const everyDefault = `
pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "app:1"}]}}
job: {spec: {restartPolicy: Never, containers: [{name: app, image: "app:1", resources: {limits: {cpu: 1, memory: 1Gi}}}]}}
outrigger:
  volumes: {logs: {mountPath: /logs}, shared: {mountPath: /dev/shm}}
  containers: {helper: {image: "h:1"}}
  logshippers: {ship: {files: [/logs/a.log], to: {otlphttp: {endpoint: "http://b:4318"}}}}
  tokenRefreshers: {token: {file: {path: /token/users.txt, format: pgbouncer}, ttl: 15m, exec: {image: "t:1", command: [print-token], host: db, user: shop}}}
  ambassadors: {db: {pgbouncer: {tokenRefresher: token, database: shop}}}
  cronJobs: {report: {schedule: "0 * * * *"}}
  backups:
    nightly:
      schedule: "17 3 * * *"
      postgres: {image: "docker.io/library/postgres:15", host: db, secret: db, database: shop}
      store: {restic: {repository: /repository, secret: restic}}
      drill: {schedule: "17 5 * * 0"}
`

// Where in what is rendered of everyDefault the defaults show.
const (
	thePod    = "Deployment/web/spec/template/spec/"
	theHelper = thePod + "initContainers/helper/"
	theReport = "CronJob/demo-shop-report/spec/"
	theHook   = "Job/demo-shop-migrate/spec/"
	theBackup = "CronJob/demo-shop-nightly/spec/jobTemplate/spec/template/spec/"
	theDrill  = "CronJob/demo-shop-nightly-drill/spec/jobTemplate/spec/template/spec/"
)

// chartOfDefaults returns a chart of everyDefault; own are values of its own over them.
func chartOfDefaults(t *testing.T, own map[string]any) harness.Chart {
	t.Helper()
	var values map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(everyDefault), &values))
	text, err := yaml.Marshal(merged(values, own))
	require.NoError(t, err)
	return harness.Consumer(t).With(map[string]string{
		"values.yaml":           string(text),
		"templates/report.yaml": `{{ include "outrigger.cronJob" (dict "context" . "podTemplate" .Values.pod "workload" "report") }}`,
		"templates/hook.yaml":   `{{ include "outrigger.job" (dict "context" . "podTemplate" .Values.pod "workload" "migrate" "hook" "pre-install") }}`,
	})
}

// shown returns what is rendered of it, by kind and name; user are the values of its user.
func shown(t *testing.T, own map[string]any, user string) map[string]any {
	t.Helper()
	found := map[string]any{}
	for _, object := range chartOfDefaults(t, own).RenderMaps(t, user) {
		kind := object["kind"].(string)
		named, is := found[kind].(map[string]any)
		if !is {
			named = map[string]any{}
		}
		named[object["metadata"].(map[string]any)["name"].(string)] = object
		found[kind] = named
	}
	return found
}

// fieldAt returns what is at a path, or nil where nothing is. An item of a list is a step by its name.
func fieldAt(value any, path string) any {
	for step := range strings.SplitSeq(path, "/") {
		switch holder := value.(type) {
		case map[string]any:
			value = holder[step]
		case []any:
			value = nil
			for _, item := range holder {
				if item.(map[string]any)["name"] == step {
					value = item
				}
			}
		default:
			return nil
		}
	}
	return value
}

// given returns values with one under `outrigger`, at a path.
func given(t *testing.T, path, value string) map[string]any {
	t.Helper()
	var at any
	require.NoError(t, yaml.Unmarshal([]byte(value), &at))
	keys := strings.Split("outrigger."+path, ".")
	for index := len(keys) - 1; index >= 0; index-- {
		at = map[string]any{keys[index]: at}
	}
	return at.(map[string]any)
}

// turnedOff is how a default is turned off: by a word, which leaves something, mostly nothing, where the default is shown.
type turnedOff struct {
	by, at string
	left   any
}

// wordsThatTurnOff returns, for each default, by its path in the values, how it is turned off.
func wordsThatTurnOff() map[string]turnedOff {
	offs := map[string]turnedOff{
		"defaults.user":                        {"inherit", theHelper + "securityContext/runAsUser", nil},
		"defaults.tools":                       {"image", thePod + "initContainers/outrigger-install", nil},
		"defaults.downwardAPI":                 {"false", theHelper + "env/POD_NAME", nil},
		"defaults.guaranteedLimits.cpu":        {"none", "Job/once/spec/template/spec/initContainers/helper/resources/limits/cpu", nil},
		"defaults.shutdownSeconds.ambassadors": {"0", thePod + "terminationGracePeriodSeconds", nil},
		"defaults.shutdownSeconds.logshippers": {"0", thePod + "terminationGracePeriodSeconds", nil},

		"defaults.job.backoffLimit":                   {"none", theReport + "jobTemplate/spec/backoffLimit", nil},
		"defaults.job.ttlSecondsAfterFinished":        {"none", theHook + "ttlSecondsAfterFinished", nil},
		"defaults.cronJob.concurrencyPolicy":          {"none", theReport + "concurrencyPolicy", nil},
		"defaults.cronJob.startingDeadlineSeconds":    {"none", theReport + "startingDeadlineSeconds", nil},
		"defaults.cronJob.successfulJobsHistoryLimit": {"none", theReport + "successfulJobsHistoryLimit", nil},
		"defaults.cronJob.failedJobsHistoryLimit":     {"none", theReport + "failedJobsHistoryLimit", nil},
		"cronJobs.report.ttlSecondsAfterFinished":     {"none", theReport + "jobTemplate/spec/ttlSecondsAfterFinished", nil},
		"jobs.migrate.ttlSecondsAfterFinished":        {"none", theHook + "ttlSecondsAfterFinished", nil},

		"volumes.logs.size":            {"none", thePod + "volumes/logs/emptyDir/sizeLimit", nil},
		"volumes.shared.size":          {"none", thePod + "volumes/shared/emptyDir/sizeLimit", nil},
		"backups.nightly.workSize":     {"none", theBackup + "volumes/outrigger-nightly-work/emptyDir/sizeLimit", nil},
		"backups.nightly.drill.size":   {"none", theDrill + "volumes/data/emptyDir/sizeLimit", nil},
		"backups.nightly.drill.memory": {"none", theDrill + "initContainers/database/resources/limits/memory", nil},

		// These are Kubernetes' own words.
		"defaults.securityContext.allowPrivilegeEscalation": {"true", theHelper + "securityContext/allowPrivilegeEscalation", true},
		"defaults.securityContext.capabilities.drop":        {"[]", theHelper + "securityContext/capabilities/drop", []any{}},
		"defaults.securityContext.readOnlyRootFilesystem":   {"false", theHelper + "securityContext/readOnlyRootFilesystem", false},
		"defaults.securityContext.runAsNonRoot":             {"false", theHelper + "securityContext/runAsNonRoot", false},
		"defaults.securityContext.seccompProfile.type":      {"Unconfined", theHelper + "securityContext/seccompProfile/type", "Unconfined"},
	}
	for key, container := range map[string]string{
		"resources": theHelper, "agentResources": thePod + "initContainers/ship/", "ambassadorResources": thePod + "initContainers/db/",
		"tokenRefresherResources": thePod + "initContainers/token/", "backupResources": theBackup + "containers/backup/",
	} {
		for _, quantity := range []string{"requests.cpu", "requests.memory", "limits.memory"} {
			offs["defaults."+key+"."+quantity] = turnedOff{"none", container + "resources/" + strings.ReplaceAll(quantity, ".", "/"), nil}
		}
	}
	return offs
}

// A null in a chart's own values.yaml would not do: see TestANullOfTheAuthorsIsNotThereForHelm4UntilTheUserGivesANeighbour.
func TestEachDefaultIsTurnedOffByAWordInTheChartsOwnValues(t *testing.T) {
	t.Parallel()
	offs := wordsThatTurnOff()
	for path := range defaultsOfTheLibrary(t) {
		assert.Contains(t, offs, path, "a default without a word that turns it off")
	}
	plain, own := shown(t, nil, ""), map[string]any{}
	for path, off := range offs {
		if path != "defaults.downwardAPI" { // which is off
			assert.NotEqual(t, off.left, fieldAt(plain, off.at), "%s shows nothing of %s", off.at, path)
		}
		own = merged(own, given(t, path, off.by))
	}

	for _, user := range []string{"", "outrigger: {mode: auto}"} {
		off := shown(t, own, user)

		for path, word := range offs {
			assert.Equal(t, word.left, fieldAt(off, word.at), "%s: %s, the user's values: %s", path, word.by, user)
		}
	}
}

// defaultsOfTheLibrary returns the paths of all values under `defaults` in the library's values.yaml.
func defaultsOfTheLibrary(t *testing.T) map[string]any {
	t.Helper()
	found := map[string]any{}
	eachKey(valuesOfTheLibrary(t)["defaults"], "defaults", func(path, key string, in map[string]any) {
		if _, deeper := in[key].(map[string]any); !deeper {
			found[path] = in[key]
		}
	})
	return found
}

func TestAUserTurnsADefaultOffByAWordOrByNull(t *testing.T) {
	t.Parallel()
	authors := map[string]any{}
	offs := map[string]string{
		"containers.helper.resources.limits.memory":    theHelper + "resources/limits/memory",
		"containers.helper.resources.requests.cpu":     theHelper + "resources/requests/cpu",
		"logshippers.ship.resources.limits.memory":     thePod + "initContainers/ship/resources/limits/memory",
		"ambassadors.db.resources.requests.memory":     thePod + "initContainers/db/resources/requests/memory",
		"tokenRefreshers.token.resources.requests.cpu": thePod + "initContainers/token/resources/requests/cpu",
		"backups.nightly.resources.limits.memory":      theBackup + "containers/backup/resources/limits/memory",
		"backups.nightly.startingDeadlineSeconds":      "CronJob/demo-shop-nightly/spec/startingDeadlineSeconds",
		"cronJobs.report.startingDeadlineSeconds":      theReport + "startingDeadlineSeconds",
		"cronJobs.report.ttlSecondsAfterFinished":      theReport + "jobTemplate/spec/ttlSecondsAfterFinished",
		"cronJobs.report.backoffLimit":                 theReport + "jobTemplate/spec/backoffLimit",
		"jobs.migrate.ttlSecondsAfterFinished":         theHook + "ttlSecondsAfterFinished",
	}
	for path := range offs {
		value := "5"
		switch {
		case strings.HasSuffix(path, "limits.memory"):
			value = "1Gi"
		case strings.HasSuffix(path, "requests.memory"):
			value = "100Mi"
		}
		authors = merged(authors, given(t, path, value))
	}
	plain := shown(t, authors, "")
	for _, off := range []string{"none", "null"} {
		user := map[string]any{}
		for path := range offs {
			user = merged(user, given(t, path, off))
		}
		text, err := yaml.Marshal(user)
		require.NoError(t, err)

		left := shown(t, authors, string(text))

		for path, at := range offs {
			assert.NotNil(t, fieldAt(plain, at), "%s shows nothing of %s", at, path)
			assert.Nil(t, fieldAt(left, at), "%s: %s", path, off)
		}
	}
}

func TestAWordTurnsOffWhatTheEntryOfAPodWithResourcesOfItsOwnSays(t *testing.T) {
	t.Parallel()
	pod := map[string]any{}
	require.NoError(t, yaml.Unmarshal([]byte(`pod: {spec: {resources: {limits: {memory: 1Gi}}}}`), &pod))
	authors := merged(pod, given(t, "containers.helper.resources.requests.memory", "8Mi"))
	require.NotNil(t, fieldAt(shown(t, authors, ""), theHelper+"resources/requests/memory"))

	off := shown(t, merged(maps.Clone(authors), given(t, "containers.helper.resources.requests.memory", "none")), "")

	assert.Nil(t, fieldAt(off, theHelper+"resources/requests"))
}

func TestAVolumeWithoutALimitIsNotWatchedForOne(t *testing.T) {
	t.Parallel()

	pod := fieldAt(shown(t, given(t, "volumes.logs.size", "none"), ""), thePod+"initContainers/ship/env/VOLUMES")

	assert.Nil(t, pod)
}

func TestAClaimIsNoProblemBesideASizeThatIsOff(t *testing.T) {
	t.Parallel()

	claimed := shown(t, given(t, "volumes.logs.size", "none"), `outrigger: {volumes: {logs: {persistentVolumeClaim: {claimName: shop}}}}`)

	assert.Equal(t, "shop", fieldAt(claimed, thePod+"volumes/logs/persistentVolumeClaim/claimName"))
}

func TestOnlyTheWordTurnsANumberOfAJobOff(t *testing.T) {
	t.Parallel()

	message := harness.Consumer(t).RenderError(t, `outrigger: {cronJobs: {report: {startingDeadlineSeconds: never}}}`)

	assert.Contains(t, message, "at '/cronJobs/report/startingDeadlineSeconds': 'never' does not match pattern '^none$'")
}

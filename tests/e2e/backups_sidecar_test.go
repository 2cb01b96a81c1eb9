package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// besideApp returns values for harness.Consumer: a pod whose sidecar backs the namespace's PostgreSQL up each minute.
func besideApp(repository string, more ...string) string {
	return restrictedApp("trap 'exit 0' TERM"+serving) + strings.Replace(
		strings.TrimPrefix(backupValues(repository, append([]string{"as: sidecar"}, more...)...), "\noutrigger:\n"),
		seldom, "* * * * *", 1)
}

// dueTimes returns when the runs of a sidecar were due, as its log says, the next one included.
func dueTimes(t testing.TB, log string) (times []time.Time) {
	t.Helper()
	for _, said := range regexp.MustCompile(`the next backup is due at (\S+)`).FindAllStringSubmatch(log, -1) {
		due, err := time.Parse(time.RFC3339, said[1])
		require.NoError(t, err)
		times = append(times, due)
	}
	require.NotEmpty(t, times, log)
	return times
}

func TestASidecarBacksUpOnTheMinuteThroughRestartsOfItsPod(t *testing.T) {
	harness.Facts(t)
	runs := harness.Number(t, "OUTRIGGER_SIDECAR_RUNS", 2)
	namespace := harness.NewNamespace(t, harness.Restricted)
	_, repository := newShop(namespace), namespace.S3()
	namespace.Install("demo", harness.Consumer(t).Write(t), besideApp(repository))

	for run := range runs {
		pod := namespace.ReadyPods(web, 1)[0]
		var log string
		var first outcome
		namespace.Eventually(harness.PodStart, "a run has ended", func() bool {
			log = namespace.Logs(pod.Name, "nightly")
			all := outcomes(namespace.T(), log)
			if len(all) > 0 {
				first = all[0]
			}
			return len(all) > 0
		})
		assert.Equal(t, "success", first.Result, log)
		due := dueTimes(t, log)[0]
		assert.Zero(t, due.Second(), "run %d is due on the minute", run+1)
		assert.False(t, first.begun(t).Before(due.Add(-time.Second)), "run %d began when it was due, and no sooner; the end of a run has no fractions of a second:\n%s", run+1, log)
		namespace.DeletePod(pod.Name)
		namespace.Eventually(harness.PodEnd, "the pod is gone", func() bool {
			for _, present := range namespace.Pods(web) {
				if present.Name == pod.Name {
					return false
				}
			}
			return true
		})
	}
}

func TestOfThreeReplicasExactlyOneBacksUp(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	_, repository := newShop(namespace), namespace.S3()
	namespace.Install("demo", harness.Consumer(t).Write(t), besideApp(repository))
	namespace.Scale("web", 3)
	pods := namespace.ReadyPods(web, 3)

	results := map[string]int{}
	namespace.Eventually(harness.PodStart, "each of them has come to its turn in the same minute", func() bool {
		byMinute := map[time.Time]map[string]int{}
		for _, pod := range pods {
			for _, run := range outcomes(namespace.T(), namespace.Logs(pod.Name, "nightly")) {
				minute := run.begun(namespace.T()).Add(time.Second).Truncate(time.Minute)
				if byMinute[minute] == nil {
					byMinute[minute] = map[string]int{}
				}
				byMinute[minute][run.Result]++
			}
		}
		for _, found := range byMinute {
			if results = found; found["success"]+found["skipped"]+found["failure"] == len(pods) {
				return true
			}
		}
		return false
	})

	assert.Equal(t, map[string]int{"success": 1, "skipped": 2}, results)
}

func TestASidecarsDumpBeginsOnTheMinuteAndDoesNotHoldUpTheEndOfItsOwnDatabase(t *testing.T) {
	harness.Seconds(t)
	// A dump may begin within 2 s, and the database must end within 5.
	harness.InTime(t, 5*time.Second, "from the pod's deletion to its database's end, and from the minute to the dump's begin, which has 3 s less", func() time.Duration {
		namespace := harness.NewNamespace(t, harness.Restricted)
		namespace.Apply("{apiVersion: v1, kind: Secret, metadata: {name: db}, stringData: {password: secret}}")
		namespace.Install("demo", harness.Consumer(t).Write(t), besideItsDatabase(namespace.S3()))
		pod := namespace.ReadyPods(web, 1)[0]
		ask := func(sql string) string {
			return namespace.Exec(pod.Name, "db", "psql", "-XqAt", "-h", "/var/run/postgresql", "-U", "postgres", "-d", "shop", "-c", sql)
		}
		ask("create table noise as select md5(random()::text) || md5(random()::text) as text from generate_series(1, 1000000)")
		began := ""
		namespace.Eventually(harness.PodStart, "a dump is under way", func() bool {
			began = ask("select min(backend_start) from pg_stat_activity where application_name = 'outrigger' having bool_or(query ilike 'copy%noise%')")
			return began != ""
		})
		stream := namespace.Follow(pod.Name, "nightly")

		deleted := time.Now()
		ended, _ := deletePod(t, namespace, pod, "db")

		stream.WaitEnd(t, harness.PodEnd)
		log := strings.Join(stream.Texts(), "\n")
		assert.Contains(t, log, "what ran was cancelled")
		begun, err := time.Parse("2006-01-02 15:04:05.999999-07", began)
		require.NoError(t, err)
		due := dueTimes(t, log)
		late := begun.Sub(due[len(due)-1])
		t.Logf("the dump began %.1f s after the minute; the database ended %.1f s after the pod's deletion; the sidecar's log:\n%s", late.Seconds(), ended.Sub(deleted).Seconds(), log)
		return max(ended.Sub(deleted), late+3*time.Second)
	})
}

// besideItsDatabase returns values for harness.Consumer: a pod of a PostgreSQL server, whose sidecar backs it up each minute. SIGTERM
// is PostgreSQL's smart shutdown, which waits for sessions. Uploading takes minutes at this pace.
func besideItsDatabase(repository string) string {
	return fmt.Sprintf(`
pod:
  metadata: {labels: {app: web}}
  spec:
    securityContext: {runAsNonRoot: true, runAsUser: 999, runAsGroup: 999, fsGroup: 999, seccompProfile: {type: RuntimeDefault}}
    containers:
      - name: db
        image: %q
        command: [sh, -c, 'docker-entrypoint.sh postgres -c fsync=off & trap "kill -TERM $!; wait $!" TERM INT; wait $!']
        env:
          - {name: POSTGRES_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}
          - {name: PGDATA, value: /var/lib/postgresql/data/pgdata}
          - {name: POSTGRES_DB, value: shop}
        startupProbe: {exec: {command: [pg_isready, -h, 127.0.0.1, -U, postgres]}, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 600}
        readinessProbe: {tcpSocket: {port: 5432}, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 10}
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
        volumeMounts:
          - {name: data, mountPath: /var/lib/postgresql/data}
          - {name: run, mountPath: /var/run/postgresql}
          - {name: tmp, mountPath: /tmp}
    volumes: [{name: data, emptyDir: {}}, {name: run, emptyDir: {}}, {name: tmp, emptyDir: {}}]
outrigger:
  backups:
    nightly:
      as: sidecar
      schedule: "* * * * *"
      postgres: {image: %q, secret: db, database: shop}
      store: {restic: {repository: %q, secret: restic, credentials: s3, limitUpload: 100}}
`, testimages.PostgresRef, testimages.PostgresRef, repository)
}

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// besideApp returns values for harness.Consumer: a pod whose sidecar backs the namespace's PostgreSQL up each minute.
func besideApp(repository string, more ...string) string {
	return restrictedApp("trap 'exit 0' TERM"+serving) + strings.Replace(
		strings.TrimPrefix(backupValues(repository, append([]string{"as: sidecar"}, more...)...), "\noutrigger:\n"),
		seldom, "* * * * *", 1)
}

func TestASidecarBacksUpOnTheMinuteThroughRestartsOfItsPod(t *testing.T) {
	t.Parallel()
	runs := harness.Number(t, "OUTRIGGER_SIDECAR_RUNS", 2)
	namespace := harness.NewNamespace(t, harness.Restricted)
	database, repository := newShop(namespace), namespace.S3()
	namespace.Install("demo", harness.Consumer(t).Write(t), besideApp(repository))

	for run := range runs {
		pod := namespace.ReadyPods(web, 1)[0]
		var begun time.Time
		namespace.Eventually(harness.PodStart, "a dump begins", func() bool {
			began := database.Ask("postgres", "select coalesce(min(backend_start)::text, '') from pg_stat_activity where application_name = 'outrigger'")
			if began == "" {
				return false
			}
			var err error
			begun, err = time.Parse("2006-01-02 15:04:05.999999-07", began)
			require.NoError(t, err)
			return true
		})
		assert.Less(t, begun.Sub(begun.Truncate(time.Minute)), 2*time.Second, "seconds after the minute at which run %d began", run+1)
		namespace.Eventually(harness.LogLine, "it succeeds", func() bool {
			all := outcomes(t, namespace.Logs(pod.Name, "nightly"))
			return len(all) == 1 && all[0].Result == "success"
		})
		require.NoError(t, namespace.Client.CoreV1().Pods(namespace.Name).Delete(context.Background(), pod.Name, metav1.DeleteOptions{}))
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
	t.Parallel()
	namespace := harness.NewNamespace(t, harness.Restricted)
	_, repository := newShop(namespace), namespace.S3()
	namespace.Install("demo", harness.Consumer(t).Write(t), besideApp(repository))
	namespace.Kubectl("scale", "deployment/web", "--replicas=3")
	pods := namespace.ReadyPods(web, 3)

	results := map[string]int{}
	namespace.Eventually(harness.PodStart, "each of them has come to its turn in the same minute", func() bool {
		byMinute := map[string]map[string]int{}
		for _, pod := range pods {
			for _, run := range outcomes(t, namespace.Logs(pod.Name, "nightly")) {
				minute := run.Time[:len("2006-01-02T15:04")]
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

func TestADumpDoesNotHoldUpTheEndOfItsOwnDatabase(t *testing.T) {
	t.Parallel()
	namespace := harness.NewNamespace(t, harness.Restricted)
	repository := namespace.S3()
	namespace.Apply("{apiVersion: v1, kind: Secret, metadata: {name: db}, stringData: {password: secret}}")
	// SIGTERM is PostgreSQL's smart shutdown, which waits for sessions. Uploading takes minutes at this pace.
	values := fmt.Sprintf(`
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
        readinessProbe: {exec: {command: [pg_isready, -h, 127.0.0.1, -U, postgres]}, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 10}
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
	namespace.Install("demo", harness.Consumer(t).Write(t), values)
	pod := namespace.ReadyPods(web, 1)[0]
	ask := func(sql string) string {
		return namespace.Kubectl("exec", pod.Name, "-c", "db", "--", "psql", "-XqAt", "-h", "/var/run/postgresql", "-U", "postgres", "-d", "shop", "-c", sql)
	}
	ask("create table noise as select md5(random()::text) || md5(random()::text) as text from generate_series(1, 1000000)")
	namespace.Eventually(harness.PodStart, "a dump is under way", func() bool {
		return ask("select count(*) from pg_stat_activity where application_name = 'outrigger' and query ilike 'copy%noise%'") == "1"
	})
	stream := namespace.Follow(pod.Name, "nightly")

	begun := time.Now()
	ended, _ := deletePod(t, namespace, pod, "db")

	stream.WaitEnd(t, harness.PodEnd)
	assert.Less(t, ended.Sub(begun), 5*time.Second, "from the pod's deletion to the database's end; the sidecar's log:\n%s", strings.Join(stream.Texts(), "\n"))
	assert.Contains(t, strings.Join(stream.Texts(), "\n"), "what ran was cancelled")
}

// Package backups measures a backup of a PostgreSQL server in the cluster, beside what it is made of and what one might do
// instead. `make bench-backup` runs it.
package backups

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

const rounds = 3

// sampler leaves the most anonymous memory that the container's processes had together, in kB, in /run/outrigger/peak.
const sampler = `(peak=0; while :; do
now=$(awk '/^RssAnon/ {sum += $2} END {print sum + 0}' /proc/[0-9]*/status 2>/dev/null)
[ "$now" -le "$peak" ] || { peak=$now; echo "$peak" > /run/outrigger/peak; }
sleep 0.1; done) >/dev/null 2>&1 &`

func BenchmarkBackup(b *testing.B) {
	namespace := harness.NewNamespace(b, harness.Restricted)
	database, repository := namespace.Postgres(), namespace.S3()
	rows := harness.Number(b, "OUTRIGGER_BENCH_ROWS", 4_500_000)
	database.Ask("postgres", "create database shop")
	database.Ask("shop", fmt.Sprintf(`create table orders as select n as number, md5(n::text) as a, md5((n * 7)::text) as b,
		'customer ' || n %% 5000 || ' ordered what they always do, and will have it by the end of the week at the latest: ' || n as text
		from generate_series(1, %d) n; alter table orders add primary key (number)`, rows))
	database.Ask("shop", "vacuum analyze orders")
	size, err := strconv.ParseFloat(database.Ask("shop", "select pg_database_size('shop')"), 64)
	require.NoError(b, err)
	client(namespace)
	namespace.Install("demo", harness.Consumer(b).Write(b), fmt.Sprintf(`
outrigger:
  backups:
    nightly:
      schedule: "17 3 29 2 *"
      postgres: {image: %q, host: db, secret: db, database: shop}
      store: {restic: {repository: %q, secret: restic, credentials: s3}}
      keep: {last: 3}
      before: %s
      after: 'echo "peak $(cat /run/outrigger/peak)" >&2'
`, testimages.PostgresRef, repository, quoted(sampler)))

	var limits, seeds, plain []float64
	for range rounds {
		limits = append(limits, timed(namespace, "pg_dump -Fc -Z0 shop > /dev/null"))
	}
	seeds = append(seeds, timed(namespace, "pg_dump shop | gzip > /scratch/seed.gz"))
	seedBytes := shell(namespace, "stat -c %s /scratch/seed.gz; rm /scratch/seed.gz")
	shell(namespace, "pg_dump -Fc -Z0 shop > /scratch/plain.dump")
	first := run(b, namespace, "demo-shop-nightly", "first")
	var seconds []float64
	for round := range rounds {
		second := run(b, namespace, "demo-shop-nightly", fmt.Sprintf("second-%d", round))
		seconds = append(seconds, second.Seconds)
		first.Peak = max(first.Peak, second.Peak)
	}
	for round := range rounds {
		shell(namespace, fmt.Sprintf("createdb plain_%d", round))
		plain = append(plain, timed(namespace, fmt.Sprintf("pg_restore --exit-on-error -d plain_%d /scratch/plain.dump", round)))
		shell(namespace, fmt.Sprintf("dropdb plain_%d", round))
	}
	var restores []float64
	for round := range rounds {
		restored := run(b, namespace, "demo-shop-nightly-restore", fmt.Sprintf("restore-%d", round), fmt.Sprintf("TARGET=copy_%d", round))
		restores = append(restores, restored.Seconds)
		shell(namespace, fmt.Sprintf("dropdb copy_%d", round))
	}

	require.Positive(b, first.Peak, "the memory was measured")

	limit, seed, second, restore, local := harness.Median(limits), harness.Median(seeds), harness.Median(seconds), harness.Median(restores), harness.Median(plain)
	fmt.Printf(`
| A database of %.0f MB | s | times the limit | MB stored |
|---|---:|---:|---:|
| the limit: pg_dump -Fc -Z0 > /dev/null | %.1f | 1 | |
| the seed's: pg_dump \| gzip > file | %.1f | %.1f | %s |
| a backup, the first | %.1f | %.1f | %.0f |
| a backup, of the same once more | %.1f | %.1f | %.0f |
| pg_restore of a plain dump on disk | %.1f | | |
| a restore | %.1f | | |

bench: backup/first-vs-limit %.2f ratio
bench: backup/second-vs-limit %.2f ratio
bench: backup/seed-vs-first %.2f ratio
bench: backup/restore-vs-pg-restore %.2f ratio
bench: backup/peak-memory-mb %.0f MB
end of the report
`, size/1e6, limit, seed, seed/limit, megabytes(seedBytes), first.Seconds, first.Seconds/limit, first.BytesAdded/1e6,
		second, second/limit, 0.0, local, restore,
		first.Seconds/limit, second/limit, seed/first.Seconds, restore/local, first.Peak*1024/1e6)
}

func megabytes(bytes string) string {
	count, _ := strconv.ParseFloat(bytes, 64)
	return fmt.Sprintf("%.0f", count/1e6)
}

func quoted(text string) string {
	encoded, _ := json.Marshal(text)
	return string(encoded)
}

// client is a pod with the database's tools, for what the backup is compared to.
func client(namespace *harness.Namespace) {
	namespace.Apply(`
apiVersion: v1
kind: Pod
metadata: {name: client, labels: {app: client}}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 999, runAsGroup: 999, fsGroup: 999, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: client
      image: ` + testimages.PostgresRef + `
      command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"]
      env:
        - {name: PGHOST, value: db}
        - {name: PGUSER, value: postgres}
        - {name: PGPASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: scratch, mountPath: /scratch}]
  volumes: [{name: scratch, emptyDir: {}}]
`)
	namespace.ReadyPods("app=client", 1)
}

func shell(namespace *harness.Namespace, script string) string {
	return namespace.Exec("client", "client", "sh", "-ec", script)
}

// timed returns the seconds that a script takes in the client.
func timed(namespace *harness.Namespace, script string) float64 {
	fields := strings.Fields(shell(namespace, "read -r begin _ </proc/uptime; "+script+"; read -r end _ </proc/uptime; echo $begin $end"))
	begin, _ := strconv.ParseFloat(fields[0], 64)
	end, _ := strconv.ParseFloat(fields[1], 64)
	return end - begin
}

// result is what a run reports of itself; Peak is in kB.
type result struct {
	Result, Message     string
	Seconds, BytesAdded float64
	Peak                float64
}

// run makes a Job of a CronJob, waits for its end, and returns what it reports.
func run(b *testing.B, namespace *harness.Namespace, cronJob, job string, settings ...string) result {
	b.Helper()
	namespace.StartTask(cronJob, job, settings...)
	var reported result
	namespace.Eventually(10*time.Minute, job+" ends", func() bool {
		found, err := namespace.Client.BatchV1().Jobs(namespace.Name).Get(context.Background(), job, metav1.GetOptions{})
		require.NoError(b, err)
		return found.Status.Succeeded+found.Status.Failed > 0
	})
	log := namespace.Logs(namespace.Pods("job-name=" + job)[0].Name, "backup")
	for line := range strings.Lines(log) {
		if strings.HasPrefix(line, "{") {
			require.NoError(b, json.Unmarshal([]byte(line), &reported), log)
		}
		if kilobytes, is := strings.CutPrefix(strings.TrimSpace(line), "peak "); is {
			reported.Peak, _ = strconv.ParseFloat(kilobytes, 64)
		}
	}
	require.Equal(b, "success", reported.Result, log)
	return reported
}

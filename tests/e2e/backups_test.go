package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// seldom is a schedule that makes no run beside those that a test starts, but on one day in four years.
const seldom = "17 3 29 2 *"

// backupValues returns values for harness.Consumer: the backup `nightly` of the namespace's PostgreSQL to its S3 server.
// More are further keys of the entry, a line each.
func backupValues(repository string, more ...string) string {
	return fmt.Sprintf(`
outrigger:
  backups:
    nightly:
      schedule: %q
      postgres: {image: %q, host: db, secret: db, database: shop}
      store: {restic: {repository: %q, secret: restic, credentials: s3}}
`, seldom, testimages.PostgresRef, repository) + indented(more)
}

func indented(lines []string) string {
	text := ""
	for _, line := range lines {
		text += "      " + line + "\n"
	}
	return text
}

// outcome is the line of JSON with which a run ends.
type outcome struct {
	Time, Task, Result, Message string
	Snapshots                   []string
	Bytes, BytesAdded           int
	Seconds                     float64
}

// begun returns when a run began, or up to a second before: the time of its end has no fractions.
func (o outcome) begun(t testing.TB) time.Time {
	t.Helper()
	ended, err := time.Parse(time.RFC3339, o.Time)
	require.NoError(t, err)
	return ended.Add(-time.Duration(o.Seconds * float64(time.Second)))
}

// outcomes returns what the runs in a log reported, oldest first.
func outcomes(t testing.TB, log string) []outcome {
	t.Helper()
	var all []outcome
	for line := range strings.Lines(log) {
		if strings.HasPrefix(line, "{") {
			var reported outcome
			require.NoError(t, json.Unmarshal([]byte(line), &reported), log)
			all = append(all, reported)
		}
	}
	return all
}

// runTask makes a Job of a backup's CronJob as the README says, waits for its end, and returns what it reported, its log,
// and the exit code of its container. Settings are variables: TARGET=shop_copy.
func runTask(t testing.TB, namespace *harness.Namespace, cronJob, job string, settings ...string) (outcome, string, int32) {
	t.Helper()
	namespace.StartTask(cronJob, job, settings...)
	return endedTask(t, namespace, job)
}

func endedTask(t testing.TB, namespace *harness.Namespace, job string) (outcome, string, int32) {
	t.Helper()
	return endedTaskWithin(t, harness.PodStart, namespace, job)
}

func endedTaskWithin(t testing.TB, limit time.Duration, namespace *harness.Namespace, job string) (outcome, string, int32) {
	t.Helper()
	var pod corev1.Pod
	namespace.Eventually(limit, "the Job "+job+" ends", func() bool {
		pods := namespace.Pods("job-name=" + job)
		if len(pods) == 1 && (pods[0].Status.Phase == corev1.PodSucceeded || pods[0].Status.Phase == corev1.PodFailed) {
			pod = pods[0]
			return true
		}
		return false
	})
	log := namespace.Logs(pod.Name, "backup")
	var reported outcome
	if all := outcomes(t, log); len(all) > 0 {
		reported = all[len(all)-1]
	}
	return reported, log, harness.Status(t, pod, "backup").State.Terminated.ExitCode
}

// newShop creates a database shop with orders.
func newShop(namespace *harness.Namespace) *harness.Postgres {
	return shopIn(namespace.Postgres())
}

// shopIn creates it on a server of the test's own.
func shopIn(database *harness.Postgres) *harness.Postgres {
	database.Ask("postgres", "create role clerk")
	database.Ask("postgres", "create database shop")
	database.Ask("shop", "create table orders (number bigint primary key, customer text); insert into orders select n, md5(n::text) from generate_series(1, 20000) n; grant select on orders to clerk")
	return database
}

// withUnreadableTable adds a role `backup` to a shop, and a table that it may not read: its dump fails when half of it is
// written.
func withUnreadableTable(namespace *harness.Namespace, database *harness.Postgres) {
	password := strings.ReplaceAll(namespace.DatabasePassword(), "'", "''")
	database.Ask("shop", "create role backup login password '"+password+"'; grant select on orders to backup; create table zz_secret (a int); insert into zz_secret values (1)")
}

const checksum = "select count(*), md5(string_agg(orders::text, ',' order by number)) from orders"

func TestABackupIsRestoredIntoAnotherDatabaseAsItWas(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	database, repository := newShop(namespace), namespace.S3()
	namespace.Install("demo", harness.Consumer(t).Write(t), backupValues(repository))
	before := database.Ask("shop", checksum)

	made, log, code := runTask(t, namespace, "demo-shop-nightly", "now")
	require.Zero(t, code, log)
	database.Ask("shop", "delete from orders where number % 2 = 0")
	restored, log, code := runTask(t, namespace, "demo-shop-nightly-restore", "restore", "TARGET=shop_copy")

	require.Zero(t, code, log)
	assert.Equal(t, "success", made.Result)
	assert.Len(t, made.Snapshots, 1)
	assert.Greater(t, made.Bytes, 500_000)
	assert.Equal(t, "success", restored.Result)
	assert.Equal(t, before, database.Ask("shop_copy", checksum))
	assert.NotEqual(t, before, database.Ask("shop", checksum), "the database itself is as it was")
	assert.Equal(t, "t", database.Ask("shop_copy", "select has_table_privilege('clerk', 'orders', 'select')"), "privileges are restored")
}

func TestARestoreRefusesADatabaseThatIsNotEmptyUnlessTold(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	database, repository := newShop(namespace), namespace.S3()
	namespace.Install("demo", harness.Consumer(t).Write(t), backupValues(repository))
	database.Ask("postgres", "alter database shop owner to clerk; alter database shop set work_mem to '8MB'")
	before := database.Ask("shop", checksum)
	_, log, code := runTask(t, namespace, "demo-shop-nightly", "now")
	require.Zero(t, code, log)
	database.Ask("shop", "delete from orders where number % 2 = 0")
	after := database.Ask("shop", checksum)

	_, log, code = runTask(t, namespace, "demo-shop-nightly-restore", "refused")
	assert.EqualValues(t, 4, code, log)
	assert.Contains(t, log, "the database shop is not empty; set OVERWRITE=yes")
	assert.Equal(t, after, database.Ask("shop", checksum))

	_, log, code = runTask(t, namespace, "demo-shop-nightly-restore", "told", "OVERWRITE=yes")
	assert.Zero(t, code, log)
	assert.Equal(t, before, database.Ask("shop", checksum))
	assert.Equal(t, "clerk 8MB", database.Ask("shop", "select pg_get_userbyid(datdba) || ' ' || current_setting('work_mem') from pg_database where datname = 'shop'"), "what is the database's own")
	assert.Equal(t, "0", database.Ask("postgres", "select count(*) from pg_database where datname like '%outrigger%'"), "no half-restored database stays")
}

func TestADumpThatFailsLeavesNoSnapshotAndTheNextOneSucceeds(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	database, repository := newShop(namespace), namespace.S3()
	withUnreadableTable(namespace, database)
	namespace.Install("demo", harness.Consumer(t).Write(t), strings.Replace(backupValues(repository), "secret: db,", "secret: db, user: backup,", 1))

	failed, log, code := runTask(t, namespace, "demo-shop-nightly", "fails")
	require.EqualValues(t, 1, code, log)
	assert.Equal(t, "failure", failed.Result)
	assert.Contains(t, failed.Message, "permission denied for table zz_secret")
	database.Ask("shop", "grant select on zz_secret to backup")
	made, log, code := runTask(t, namespace, "demo-shop-nightly", "succeeds")

	require.Zero(t, code, log)
	assert.Len(t, made.Snapshots, 1)
	_, log, code = runTask(t, namespace, "demo-shop-nightly-restore", "none", "TIME=2020-01-01T00:00:00Z", "TARGET=copy")
	assert.EqualValues(t, 2, code, log)
	assert.Contains(t, log, "no snapshot of shop.dump that is not later than 2020-01-01T00:00:00Z")
}

func TestAWrongPasswordOrAMissingBucketIsSaidInOneLine(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	_, repository := newShop(namespace), namespace.S3()
	chart := harness.Consumer(t).Write(t)
	namespace.Install("demo", chart, backupValues(repository))
	_, log, code := runTask(t, namespace, "demo-shop-nightly", "first")
	require.Zero(t, code, log)
	namespace.Apply("{apiVersion: v1, kind: Secret, metadata: {name: wrong}, stringData: {password: wrong}}")

	for name, test := range map[string]struct {
		values string
		code   int32
		said   string
	}{
		"repository-password": {strings.Replace(backupValues(repository), "secret: restic", "secret: wrong", 1), 3, "the password of store.restic.secret is not that of the repository"},
		"database-password":   {strings.Replace(backupValues(repository), "secret: db", "secret: wrong", 1), 1, "password authentication failed"},
		"bucket":              {strings.Replace(backupValues(repository), "/"+namespace.Bucket()+"/", "/no-such-bucket/", 1), 3, "bucket does not exist"},
	} {
		namespace.Upgrade("demo", chart, test.values)
		reported, log, code := runTask(t, namespace, "demo-shop-nightly", name)
		assert.Equal(t, test.code, code, "%s: %s", name, log)
		assert.Contains(t, reported.Message, test.said, "%s: %s", name, log)
		assert.Equal(t, "failure", reported.Result, name)
	}
}

func TestOfTwoRunsAtOnceOneBacksUpAndTheOtherSaysWhyNot(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	database, repository := newShop(namespace), namespace.S3()
	// A dump waits for the lock of a table for as long as somebody else has it.
	namespace.Install("demo", harness.Consumer(t).Write(t), backupValues(repository))
	database.Begin("shop", "lock table orders in access exclusive mode; select pg_sleep(3600)")
	namespace.Eventually(harness.LogLine, "the table is locked", func() bool {
		return database.Ask("shop", "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and relation = 'orders'::regclass") == "1"
	})

	namespace.StartTask("demo-shop-nightly", "first")
	namespace.Eventually(harness.PodStart, "the first dump waits for the table", func() bool {
		return database.Ask("shop", "select count(*) from pg_stat_activity where query ilike 'lock table%' and wait_event_type = 'Lock'") == "1"
	})
	second, log, code := runTask(t, namespace, "demo-shop-nightly", "second")
	database.Ask("shop", "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(3600)%' and pid <> pg_backend_pid()")
	first, firstLog, firstCode := endedTask(t, namespace, "first")

	assert.Zero(t, code, log)
	assert.Equal(t, "skipped", second.Result)
	assert.Contains(t, second.Message, "another run of this backup is under way")
	assert.Zero(t, firstCode, firstLog)
	assert.Equal(t, "success", first.Result)
}

func TestADrillRestoresTheNewestSnapshotAndFailsWhereACheckDoesNotHold(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	_, repository := newShop(namespace), namespace.S3()
	chart := harness.Consumer(t).Write(t)
	drill := `drill: {schedule: "17 5 * * 0", check: ["select count(*) = %d from orders"]}`
	namespace.Install("demo", chart, backupValues(repository, fmt.Sprintf(drill, 20000)))
	_, log, code := runTask(t, namespace, "demo-shop-nightly", "now")
	require.Zero(t, code, log)

	held, log, code := runTask(t, namespace, "demo-shop-nightly-drill", "holds")
	require.Zero(t, code, log)
	assert.Contains(t, held.Message, "20000 rows; the checks hold")
	namespace.Upgrade("demo", chart, backupValues(repository, fmt.Sprintf(drill, 1)))
	failed, log, code := runTask(t, namespace, "demo-shop-nightly-drill", "fails")

	assert.EqualValues(t, 1, code, log)
	assert.Contains(t, failed.Message, "the check does not hold: select count(*) = 1 from orders: the answer is f")
}

func TestADrillOfACorruptedRepositoryFailsAndSaysSo(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	_, repository := newShop(namespace), namespace.S3()
	namespace.Install("demo", harness.Consumer(t).Write(t), backupValues(repository, `drill: {schedule: "17 5 * * 0", check: ["select count(*) from orders"]}`))
	_, log, code := runTask(t, namespace, "demo-shop-nightly", "now")
	require.Zero(t, code, log)
	namespace.S3Shell(`find $BUCKET/repository/data -type f | while read -r pack; do printf corrupted | dd of=$pack bs=1 seek=100 conv=notrunc; done`)

	failed, log, code := runTask(t, namespace, "demo-shop-nightly-drill", "drill")

	assert.NotZero(t, code, log)
	assert.Equal(t, "failure", failed.Result)
}

func TestAScheduledBackupRunsAsTheCronJobSays(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	_, repository := newShop(namespace), namespace.S3()
	namespace.Install("demo", harness.Consumer(t).Write(t), strings.Replace(backupValues(repository), seldom, "* * * * *", 1))

	namespace.Eventually(harness.PodStart+time.Minute, "a run by the clock has succeeded", func() bool {
		cronJob, err := namespace.Client.BatchV1().CronJobs(namespace.Name).Get(context.Background(), "demo-shop-nightly", metav1.GetOptions{})
		return err == nil && cronJob.Status.LastSuccessfulTime != nil
	})
}

func TestAllDatabasesOfAServerAndItsRolesAreBackedUpAndRestored(t *testing.T) {
	harness.Soak(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	database, repository := newShop(namespace), namespace.S3()
	database.Ask("postgres", "create role visitor login connection limit 7")
	database.Ask("postgres", `create database "a ""quoted"" = name"`)
	database.Ask(`dbname='a "quoted" = name'`, "create table things as select 1 as thing")
	namespace.Install("demo", harness.Consumer(t).Write(t), strings.Replace(backupValues(repository,
		`drill: {schedule: "17 5 * * 0", check: ["select count(*) = 1 from things"]}`), ", database: shop", "", 1))

	made, log, code := runTask(t, namespace, "demo-shop-nightly", "now")
	require.Zero(t, code, log)
	assert.Equal(t, `backed up globals.sql a%20%22quoted%22%20%3D%20name.dump postgres.dump shop.dump`, made.Message)
	database.Ask("postgres", "drop role visitor")
	_, log, code = runTask(t, namespace, "demo-shop-nightly-restore", "roles", "FILE=globals.sql")
	require.Zero(t, code, log)
	_, log, code = runTask(t, namespace, "demo-shop-nightly-restore", "quoted", "FILE=a%20%22quoted%22%20%3D%20name.dump", "TARGET=plain")
	require.Zero(t, code, log)
	drilled, log, code := runTask(t, namespace, "demo-shop-nightly-drill", "drill")
	require.Zero(t, code, log)

	assert.Equal(t, "7", database.Ask("postgres", "select rolconnlimit from pg_roles where rolname = 'visitor'"))
	assert.Equal(t, "1", database.Ask("plain", "select thing from things"))
	assert.Regexp(t, `of a%20%22quoted%22%20%3D%20name\.dump, snapshot \w+ of shop\.dump, snapshot \w+ of postgres\.dump restored: 20001 rows; the checks hold`, drilled.Message)
}

func TestThePostgresAppIsRestoredByTheCommandsOfItsReadme(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	repository := namespace.S3()
	namespace.Apply("{apiVersion: v1, kind: Secret, metadata: {name: postgres}, stringData: {password: secret}}")
	chart := harness.LoadChart(t, filepath.Join(harness.Root(), "charts/postgres-app")).Write(t)
	namespace.Install("demo", chart, fmt.Sprintf("outrigger: {backups: {nightly: {schedule: %q, store: {restic: {repository: %q}}}}}", seldom, repository))
	namespace.ReadyPods("app.kubernetes.io/name=postgres-app", 1)
	ask := func(database, sql string) string {
		return namespace.Exec("demo-postgres-app-0", "postgres", "psql", "-XqAt", "-U", "postgres", "-d", database, "-c", sql)
	}
	ask("shop", "create table orders as select n as number from generate_series(1, 1000) n")
	_, log, code := runTask(t, namespace, "demo-postgres-app-nightly", "backup-1")
	require.Zero(t, code, log)
	ask("shop", "delete from orders")

	job, changed := filepath.Join(t.TempDir(), "job.yaml"), filepath.Join(t.TempDir(), "changed.yaml")
	require.NoError(t, os.WriteFile(job, []byte(namespace.Kubectl("create", "job", "restore-1", "--from=cronjob/demo-postgres-app-nightly-restore", "--dry-run=client", "-o", "yaml")), 0o644))
	require.NoError(t, os.WriteFile(changed, []byte(namespace.Kubectl("set", "env", "--local", "-f", job, "TARGET=shop_copy", "-o", "yaml")), 0o644))
	namespace.Kubectl("create", "-f", changed)
	_, log, code = endedTask(t, namespace, "restore-1")

	require.Zero(t, code, log)
	assert.Equal(t, "1000", ask("shop_copy", "select count(*) from orders"))
	drilled, log, code := runTask(t, namespace, "demo-postgres-app-nightly-drill", "drill-1")
	require.Zero(t, code, log)
	assert.Contains(t, drilled.Message, "1000 rows")
}

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestAPruneOfItsOwnRemovesWhatABackupOnlyForgot(t *testing.T) {
	harness.Soak(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	database, repository := newShop(namespace), namespace.S3()
	namespace.Install("demo", harness.Consumer(t).Write(t), backupValues(repository, "keep: {last: 1}", `prune: {schedule: "17 6 * * 0"}`))
	packs := func() (kilobytes int) {
		_, err := fmt.Sscan(namespace.S3Shell("du -sk $BUCKET/repository/data"), &kilobytes)
		require.NoError(t, err)
		return kilobytes
	}
	_, log, code := runTask(t, namespace, "demo-shop-nightly", "first")
	require.Zero(t, code, log)
	first := packs()
	database.Ask("shop", "update orders set customer = md5(customer)")
	_, log, code = runTask(t, namespace, "demo-shop-nightly", "second")
	require.Zero(t, code, log)
	require.Greater(t, packs(), first*3/2, "the first snapshot's data is there until it is pruned")
	database.Stop() // a prune asks no database

	pruned, log, code := runTask(t, namespace, "demo-shop-nightly-prune", "prune")

	require.Zero(t, code, log)
	assert.Equal(t, "prune", pruned.Task)
	assert.Equal(t, "success", pruned.Result)
	assert.Less(t, packs(), first*3/2)
	assert.Contains(t, restic(t, namespace, repository, "check", "--no-lock", "--read-data"), "no errors were found")
	assert.Equal(t, 1, strings.Count(restic(t, namespace, repository, "snapshots", "--no-lock", "--compact"), "demo-shop-nightly"))
}

// inParallel returns values whose dumps are made by three processes.
func inParallel(values string) string {
	return strings.Replace(values, "database: shop", "database: shop, jobs: 3", 1)
}

func TestADumpByThreeProcessesIsRestoredAndDrilled(t *testing.T) {
	harness.Soak(t)
	for store, values := range map[string]func(namespace *harness.Namespace, repository string) string{
		"restic": func(_ *harness.Namespace, repository string) string {
			return backupValues(repository, `drill: {schedule: "17 5 * * 0", check: ["select count(*) = 20000 from orders"]}`)
		},
		"files": func(namespace *harness.Namespace, _ string) string {
			return plainFiles(namespace, `drill: {schedule: "17 5 * * 0", check: ["select count(*) = 20000 from orders"]}`)
		},
	} {
		t.Run(store, func(t *testing.T) {
			harness.Facts(t)
			namespace := harness.NewNamespace(t, harness.Restricted)
			database, repository := newShop(namespace), namespace.S3()
			database.Ask("shop", "create table empty (a int); select lo_from_bytea(4711, 'a large object')")
			namespace.Install("demo", harness.Consumer(t).Write(t), inParallel(values(namespace, repository)))
			before := database.Ask("shop", checksum)

			made, log, code := runTask(t, namespace, "demo-shop-nightly", "now")
			require.Zero(t, code, log)
			assert.Equal(t, "backed up shop.tar", made.Message)
			_, log, code = runTask(t, namespace, "demo-shop-nightly-restore", "restore", "TARGET=shop_copy")
			require.Zero(t, code, log)
			drilled, log, code := runTask(t, namespace, "demo-shop-nightly-drill", "drill")
			require.Zero(t, code, log)

			assert.Equal(t, before, database.Ask("shop_copy", checksum))
			assert.Equal(t, "a large object", database.Ask("shop_copy", "select convert_from(lo_get(4711), 'UTF8')"))
			assert.Equal(t, "t", database.Ask("shop_copy", "select has_table_privilege('clerk', 'orders', 'select')"), "privileges are restored")
			assert.Contains(t, drilled.Message, "20000 rows; the checks hold")
		})
	}
}

func TestADumpByThreeProcessesThatFailsLeavesNoSnapshotAndSaysWhyInThePodsStatus(t *testing.T) {
	harness.Soak(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	database, repository := newShop(namespace), namespace.S3()
	withUnreadableTable(namespace, database)
	namespace.Install("demo", harness.Consumer(t).Write(t), strings.Replace(inParallel(backupValues(repository)), "secret: db,", "secret: db, user: backup,", 1))

	failed, log, code := runTask(t, namespace, "demo-shop-nightly", "fails")
	require.EqualValues(t, 1, code, log)

	assert.Contains(t, failed.Message, "permission denied for table zz_secret")
	pod := namespace.Pods("job-name=fails")[0]
	assert.Contains(t, harness.Status(t, pod, "backup").State.Terminated.Message, "permission denied for table zz_secret", "what kubectl describe pod shows")
	assert.NotContains(t, restic(t, namespace, repository, "snapshots", "--no-lock", "--compact"), "demo-shop-nightly")
	namespace.Eventually(harness.PodEnd, "the Job has failed", func() bool {
		job, err := namespace.Client.BatchV1().Jobs(namespace.Name).Get(context.Background(), "fails", metav1.GetOptions{})
		require.NoError(namespace.T(), err)
		return slices.ContainsFunc(job.Status.Conditions, func(condition batchv1.JobCondition) bool {
			return condition.Type == batchv1.JobFailed && condition.Status == corev1.ConditionTrue
		})
	})
	namespace.Eventually(harness.LogLine, "an event says so", func() bool {
		said, err := namespace.Client.CoreV1().Events(namespace.Name).List(context.Background(), metav1.ListOptions{FieldSelector: "involvedObject.kind=Job,involvedObject.name=fails"})
		require.NoError(namespace.T(), err)
		return slices.ContainsFunc(said.Items, func(said corev1.Event) bool { return said.Reason == "BackoffLimitExceeded" })
	})
}

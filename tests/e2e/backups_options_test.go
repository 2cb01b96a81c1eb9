package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestAPruneOfItsOwnRemovesWhatABackupOnlyForgot(t *testing.T) {
	t.Parallel()
	namespace := harness.NewNamespace(t, harness.Restricted)
	database, repository := newShop(namespace), namespace.S3()
	namespace.Install("demo", harness.Consumer(t).Write(t), backupValues(repository, "keep: {last: 1}", `prune: {schedule: "17 6 * * 0"}`))
	packs := func() (kilobytes int) {
		_, err := fmt.Sscan(namespace.Kubectl("exec", "s3", "-c", "shell", "--", "du", "-sk", "/data/backups/repository/data"), &kilobytes)
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
	require.NoError(t, namespace.Client.CoreV1().Pods(namespace.Name).Delete(context.Background(), "db", metav1.DeleteOptions{}), "a prune asks no database")

	pruned, log, code := runTask(t, namespace, "demo-shop-nightly-prune", "prune")

	require.Zero(t, code, log)
	assert.Equal(t, "prune", pruned.Task)
	assert.Equal(t, "success", pruned.Result)
	assert.Less(t, packs(), first*3/2)
	assert.Contains(t, restic(t, namespace, repository, "check", "--no-lock", "--read-data"), "no errors were found")
	assert.Equal(t, 1, strings.Count(restic(t, namespace, repository, "snapshots", "--no-lock", "--compact"), "demo-shop-nightly"))
}

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
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

// restic runs restic in a pod of its own with the namespace's repository, and returns what it prints. It fails the test
// where restic fails.
func restic(t *testing.T, namespace *harness.Namespace, repository string, args ...string) string {
	t.Helper()
	name := fmt.Sprintf("restic-%d", time.Now().UnixNano())
	namespace.Apply(fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: restic
      image: %s
      command: [restic, --no-cache, "%s"]
      env:
        - {name: RESTIC_REPOSITORY, value: "%s"}
        - {name: RESTIC_PASSWORD, valueFrom: {secretKeyRef: {name: restic, key: password}}}
      envFrom: [{secretRef: {name: s3}}]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: tmp, mountPath: /tmp}]
  volumes: [{name: tmp, emptyDir: {}}]
`, name, testimages.ResticRef, strings.Join(args, `", "`), repository))
	var phase corev1.PodPhase
	namespace.Eventually(harness.PodStart, "restic ends", func() bool {
		pod, err := namespace.Client.CoreV1().Pods(namespace.Name).Get(context.Background(), name, metav1.GetOptions{})
		require.NoError(t, err)
		phase = pod.Status.Phase
		return phase == corev1.PodSucceeded || phase == corev1.PodFailed
	})
	log := namespace.Logs(name, "restic")
	require.Equal(t, corev1.PodSucceeded, phase, "restic %v:\n%s", args, log)
	return log
}

func TestABackupThatIsKilledAtRandomMomentsLeavesAWholeRepository(t *testing.T) {
	t.Parallel()
	kills := 3
	if given := os.Getenv("OUTRIGGER_BACKUP_KILLS"); given != "" {
		var err error
		kills, err = strconv.Atoi(given)
		require.NoError(t, err)
	}
	namespace := harness.NewNamespace(t, harness.Restricted)
	database, repository := newShop(namespace), namespace.S3()
	namespace.Install("demo", harness.Consumer(t).Write(t), backupValues(repository, "keep: {last: 3}"))
	_, log, code := runTask(t, namespace, "demo-shop-nightly", "first")
	require.Zero(t, code, log)

	for kill := range kills {
		database.Ask("shop", "insert into orders select n, repeat(md5(random()::text), 100) from generate_series((select max(number) + 1 from orders), (select max(number) + 2000 from orders)) n")
		job := fmt.Sprintf("killed-%d", kill)
		namespace.StartTask("demo-shop-nightly", job)
		namespace.Eventually(harness.PodStart, "the backup runs", func() bool {
			pods := namespace.Pods("job-name=" + job)
			return len(pods) == 1 && pods[0].Status.Phase != corev1.PodPending
		})
		// The moment is random; it is no condition that could be watched.
		time.Sleep(time.Duration(rand.IntN(4000)) * time.Millisecond)
		namespace.Kubectl("delete", "pod", "-l", "job-name="+job, "--grace-period=0", "--force")
	}
	before := database.Ask("shop", checksum)
	var last outcome
	namespace.Eventually(harness.PodStart, "the lock of the last run that was killed is gone, and a backup succeeds", func() bool {
		last, log, code = runTask(t, namespace, "demo-shop-nightly", fmt.Sprintf("last-%d", time.Now().UnixNano()))
		return last.Result == "success"
	})

	assert.Contains(t, restic(t, namespace, repository, "check", "--no-lock", "--read-data"), "no errors were found")
	snapshots := strings.Fields(restic(t, namespace, repository, "snapshots", "--no-lock", "--compact", "--quiet"))
	t.Logf("after %d kills: %v", kills, snapshots)
	_, log, code = runTask(t, namespace, "demo-shop-nightly-restore", "restore", "TARGET=shop_copy")
	require.Zero(t, code, log)
	assert.Equal(t, before, database.Ask("shop_copy", checksum))
}

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
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
func restic(t testing.TB, namespace *harness.Namespace, repository string, args ...string) string {
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
		require.NoError(namespace.T(), err)
		phase = pod.Status.Phase
		return phase == corev1.PodSucceeded || phase == corev1.PodFailed
	})
	log := namespace.Logs(name, "restic")
	require.Equal(t, corev1.PodSucceeded, phase, "restic %v:\n%s", args, log)
	return log
}

func TestABackupThatIsKilledAtRandomMomentsLeavesAWholeRepository(t *testing.T) {
	harness.Soak(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	database, repository := newShop(namespace), namespace.S3()
	namespace.Install("demo", harness.Consumer(t).Write(t), backupValues(repository, "keep: {last: 3}"))
	_, log, code := runTask(t, namespace, "demo-shop-nightly", "first")
	require.Zero(t, code, log)

	for kill := range 20 {
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
	namespace.Eventually(2*harness.PodStart, "the lock of the last run that was killed is gone, and a backup succeeds", func() bool {
		job := fmt.Sprintf("last-%d", time.Now().UnixNano())
		namespace.StartTask("demo-shop-nightly", job)
		last, log, code = endedTaskWithin(namespace.T(), 2*harness.PodStart, namespace, job)
		return last.Result == "success"
	})

	assert.Contains(t, restic(t, namespace, repository, "check", "--no-lock", "--read-data"), "no errors were found")
	var snapshots []struct {
		ID string `json:"short_id"`
	}
	listed := restic(t, namespace, repository, "snapshots", "--no-lock", "--json", "--quiet")
	require.NoError(t, json.Unmarshal([]byte(listed), &snapshots), listed)
	require.NotEmpty(t, snapshots)
	for _, snapshot := range snapshots {
		_, log, code := runTask(t, namespace, "demo-shop-nightly-restore", "restore-"+snapshot.ID, "SNAPSHOT="+snapshot.ID, "TARGET=shop_"+snapshot.ID)
		require.Zero(t, code, log)
		assert.Equal(t, "t", database.Ask("shop_"+snapshot.ID, "select count(*) >= 20000 from orders"), "the first orders are in %s", snapshot.ID)
	}
	_, log, code = runTask(t, namespace, "demo-shop-nightly-restore", "restore", "TARGET=shop_copy")
	require.Zero(t, code, log)
	assert.Equal(t, before, database.Ask("shop_copy", checksum))
}

// plainFiles returns values as backupValues does, with a store of plain files.
func plainFiles(namespace *harness.Namespace, more ...string) string {
	values := backupValues("", more...)
	begin := strings.Index(values, "store: ")
	end := begin + strings.Index(values[begin:], "\n")
	remote := fmt.Sprintf(":s3,provider=Other,env_auth=true,endpoint='http://s3.%s.svc:7070':%s/plain", namespace.Name, namespace.Bucket())
	return values[:begin] + fmt.Sprintf("store: {files: {remote: %q, credentials: s3}}", remote) + values[end:]
}

func TestAPlainFileIsRestoredAndOneThatWasCutOffOrChangedIsNot(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	database := newShop(namespace)
	namespace.S3()
	namespace.Install("demo", harness.Consumer(t).Write(t), plainFiles(namespace, "keep: {last: 1}"))
	before := database.Ask("shop", checksum)
	stored := func() []string {
		return strings.Fields(namespace.S3Shell("find $BUCKET/plain -type f -path '*shop.dump*'"))
	}
	for _, job := range []string{"first", "second"} {
		_, log, code := runTask(t, namespace, "demo-shop-nightly", job)
		require.Zero(t, code, log)
	}
	require.Len(t, stored(), 2, "the newest dump and its manifest: %v", stored())

	_, log, code := runTask(t, namespace, "demo-shop-nightly-restore", "whole", "TARGET=shop_copy")
	require.Zero(t, code, log)
	assert.Equal(t, before, database.Ask("shop_copy", checksum))
	for fault, script := range map[string]string{
		"changed": `printf corrupted | dd of="$1" bs=1 seek=200000 conv=notrunc`,
		"cut-off": `truncate -s 500000 "$1"`,
	} {
		namespace.S3Shell(strings.ReplaceAll(script, `"$1"`, strings.TrimSuffix(stored()[0], ".manifest.json")))
		_, log, code = runTask(t, namespace, "demo-shop-nightly-restore", fault, "TARGET="+fault)
		assert.EqualValues(t, 1, code, log)
		assert.Contains(t, log, "is not that of its manifest", fault)
		assert.Equal(t, "0", database.Ask("postgres", "select count(*) from pg_database where datname like '"+fault+"%' or datname like 'outrigger%'"), "nothing is left of it")
	}
}

func TestADumpThatFailsLeavesNoPlainFile(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	database := newShop(namespace)
	namespace.S3()
	withUnreadableTable(namespace, database)
	namespace.Install("demo", harness.Consumer(t).Write(t), strings.Replace(plainFiles(namespace), "secret: db,", "secret: db, user: backup,", 1))

	failed, log, code := runTask(t, namespace, "demo-shop-nightly", "fails")

	require.EqualValues(t, 1, code, log)
	assert.Contains(t, failed.Message, "permission denied for table zz_secret")
	assert.Empty(t, namespace.S3Shell("find $BUCKET -type f"))
}

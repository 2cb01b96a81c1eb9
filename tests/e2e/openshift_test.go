package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// ofNoUser are values of an example chart that leave the user of its pods to the namespace, as on OpenShift. There the library
// sees what the cluster serves, which this one does not.
const ofNoUser = `
podSecurityContext: {runAsUser: null, runAsGroup: null, fsGroup: null}
outrigger:
  defaults: {user: inherit}
`

// runsAsTheNamespacesUser checks who a container of a running pod is.
func runsAsTheNamespacesUser(t *testing.T, namespace *harness.Namespace, pod corev1.Pod, container string) {
	t.Helper()
	user := harness.Status(t, pod, container).User
	require.NotNil(t, user, "the kubelet tells of %s", container)
	assert.EqualValues(t, harness.OpenShiftUser, user.Linux.UID, container)
	assert.Zero(t, user.Linux.GID, container)
}

func TestTheExamplesWorkUnderAUserOfTheNamespacesAsOpenShiftHasIt(t *testing.T) {
	harness.Facts(t)
	for example, works := range map[string]func(*testing.T, *harness.Namespace, string){
		"logging-app": func(t *testing.T, namespace *harness.Namespace, chart string) {
			namespace.Install("demo", chart, "app: {interval: 0.1}\n"+ofNoUser)
			pod := namespace.ReadyPods("app.kubernetes.io/component=app", 2)[0]
			stream := namespace.Follow(pod.Name, "logshipper")
			namespace.Eventually(harness.LogLine, "lines are shipped", func() bool { return len(stream.Lines()) > 3 })
			runsAsTheNamespacesUser(t, namespace, pod, "logshipper")
		},
		"batch-app": func(t *testing.T, namespace *harness.Namespace, chart string) {
			namespace.Install("demo", chart, `app: {orders: "anna,1\n", secondsPerOrder: 3600}`+ofNoUser)
			pod := runningPod(t, namespace, dataProcessing, "data-processor")
			runsAsTheNamespacesUser(t, namespace, pod, "metrics")
			wake(namespace, pod)
			_, ended := endedJob(t, namespace, dataProcessing)
			assert.Equal(t, batchv1.JobComplete, ended.Type, ended.Message)
			assert.Equal(t, "processed order 1 of 1: anna 1\nprocessed 1 orders\n", namespace.Logs(pod.Name, "logshipper"))
		},
		"static-site": func(t *testing.T, namespace *harness.Namespace, chart string) {
			namespace.Install("demo", chart, "replicaCount: 1\n"+ofNoUser)
			pod := namespace.ReadyPods(staticSite, 1)[0]
			namespace.Eventually(harness.PodStart, "the site answers", func() bool { return sitePage.MatchString(fetch(namespace, pod, "/", 1)[0]) })
			runsAsTheNamespacesUser(t, namespace, pod, "page-writer")
		},
		"postgres-app": func(t *testing.T, namespace *harness.Namespace, chart string) {
			repository := namespace.S3()
			namespace.Apply("{apiVersion: v1, kind: Secret, metadata: {name: postgres}, stringData: {password: secret}}")
			namespace.Install("demo", chart, ofNoUser+fmt.Sprintf("  backups: {nightly: {schedule: %q, store: {restic: {repository: %q}}}}", seldom, repository))
			runsAsTheNamespacesUser(t, namespace, namespace.ReadyPods("app.kubernetes.io/name=postgres-app", 1)[0], "postgres")
			_, log, code := runTask(t, namespace, "demo-postgres-app-nightly", "backup")
			require.Zero(t, code, log)
			_, log, code = runTask(t, namespace, "demo-postgres-app-nightly-drill", "drill")
			require.Zero(t, code, log)
		},
		"django-app": func(t *testing.T, namespace *harness.Namespace, chart string) {
			rds := namespace.TokenServer()
			namespace.Apply(djangoSecret)
			namespace.Install("demo", chart, strings.Replace(djangoBesideRDS(rds, 60), "\noutrigger:\n", ofNoUser, 1))
			pod := namespace.ReadyPods("app.kubernetes.io/name=django-app", 2)[0]
			for _, container := range []string{"app", "nginx", "db", "log"} {
				runsAsTheNamespacesUser(t, namespace, pod, container)
			}
			assert.Contains(t, namespace.Exec(pod.Name, "app", "python3", "-c", visiting, "5"), `"failed": []`)
		},
	} {
		t.Run(example, func(t *testing.T) {
			harness.Facts(t)
			namespace := harness.NewNamespace(t, harness.Restricted)
			namespace.AsOnOpenShift()

			works(t, namespace, harness.LoadChart(t, filepath.Join(harness.Root(), "charts", example)).Write(t))
		})
	}
}

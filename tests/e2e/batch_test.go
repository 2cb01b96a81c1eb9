package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

const (
	dataProcessing = "app.kubernetes.io/component=data-processing"
	// jobEnd is how long a Job may take that has to wait for its pods' back-off: 10 s, 20 s, …
	jobEnd = 3 * time.Minute
)

// installBatchApp installs charts/batch-app in a namespace of its own.
func installBatchApp(t testing.TB, values string) *harness.Namespace {
	t.Helper()
	namespace := harness.NewNamespace(t, harness.Restricted)
	namespace.Install("demo", harness.LoadChart(t, filepath.Join(harness.Root(), "charts/batch-app")).Write(t), values)
	return namespace
}

// endedJob waits until the one Job that a selector selects is Complete or Failed, and returns the condition.
func endedJob(t testing.TB, namespace *harness.Namespace, selector string) (batchv1.Job, batchv1.JobCondition) {
	t.Helper()
	var (
		job   batchv1.Job
		ended batchv1.JobCondition
	)
	namespace.Eventually(jobEnd, "the Job "+selector+" ends", func() bool {
		jobs, err := namespace.Client.BatchV1().Jobs(namespace.Name).List(context.Background(), metav1.ListOptions{LabelSelector: selector})
		require.NoError(namespace.T(), err)
		if len(jobs.Items) != 1 {
			return false
		}
		job = jobs.Items[0]
		for _, condition := range job.Status.Conditions {
			if condition.Status == corev1.ConditionTrue && (condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed) {
				ended = condition
				return true
			}
		}
		return false
	})
	return job, ended
}

// runningPod waits for the one pod that a selector selects, and for one of its containers to run.
func runningPod(t testing.TB, namespace *harness.Namespace, selector, container string) corev1.Pod {
	t.Helper()
	var found corev1.Pod
	namespace.Eventually(harness.PodStart, container+" runs in the pod "+selector, func() bool {
		pods := namespace.Pods(selector)
		if len(pods) != 1 || len(pods[0].Status.ContainerStatuses) == 0 {
			return false
		}
		found = pods[0]
		return namespace.Status(found, container).State.Running != nil
	})
	return found
}

func TestDataProcessingIsScrapedWhileItRunsAndCompletesWithItsLinesShipped(t *testing.T) {
	harness.Facts(t)
	// Each order takes as long as the test likes: it ends the sleeps of the app.
	namespace := installBatchApp(t, `app: {orders: "anna,1\nboris,2\n", secondsPerOrder: 3600}`)
	pod := runningPod(t, namespace, dataProcessing, "data-processor")
	metrics := func() string {
		return namespace.Kubectl("get", "--raw", fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:%d/proxy%s", namespace.Name, pod.Name, 9100, pod.Annotations["prometheus.io/path"]))
	}

	for processed := range 2 {
		line := fmt.Sprintf("batch_orders_processed %d", processed)
		namespace.Eventually(harness.LogLine, line, func() bool { return strings.Contains(metrics(), line+"\n") })
		header := namespace.Exec(pod.Name, "data-processor", "wget", "-S", "-q", "-O", "/dev/null", "http://localhost:9100/metrics.txt")
		assert.Contains(t, header, "Content-type: text/plain", "Prometheus reads it")
		wake(namespace, pod)
	}
	job, ended := endedJob(t, namespace, dataProcessing)

	assert.Equal(t, batchv1.JobComplete, ended.Type, ended.Message)
	assert.EqualValues(t, 3, *job.Spec.BackoffLimit)
	assert.Equal(t, "processed order 1 of 2: anna 1\nprocessed order 2 of 2: boris 2\nprocessed 2 orders\n", namespace.Logs(pod.Name, "logshipper"))
	requireSidecarsEnded(t, theOnlyPod(t, namespace, dataProcessing), "data-processor")
}

// requireSidecarsEnded checks that both sidecars ended by themselves after the app.
func requireSidecarsEnded(t testing.TB, pod corev1.Pod, app string) {
	t.Helper()
	end := harness.Status(t, pod, app).State.Terminated.FinishedAt.Time
	for _, sidecar := range []string{"logshipper", "metrics"} {
		terminated := harness.Status(t, pod, sidecar).State.Terminated
		require.NotNil(t, terminated, sidecar)
		assert.Zero(t, terminated.ExitCode, "%s was not killed at the end of its grace period", sidecar)
		assert.False(t, terminated.FinishedAt.Time.Before(end), "%s outlived the app", sidecar)
	}
}

func TestAReportOfTheCronJobCompletesWithItsLinesShipped(t *testing.T) {
	harness.Facts(t)
	namespace := installBatchApp(t, "")

	namespace.Kubectl("create", "job", "now", "--from=cronjob/demo-batch-app-report")
	pod := theOnlyPod(t, namespace, "job-name=now")
	namespace.Kubectl("wait", "--for=condition=Complete", "job/now", "--timeout=90s")

	job, err := namespace.Client.BatchV1().Jobs(namespace.Name).Get(context.Background(), "now", metav1.GetOptions{})
	require.NoError(t, err)
	assert.EqualValues(t, 100, *job.Spec.TTLSecondsAfterFinished)
	assert.Equal(t, "report: anna 1235\nreport: boris 80\nreport: carla 415\n", namespace.Logs(pod.Name, "logshipper"))
	requireSidecarsEnded(t, theOnlyPod(t, namespace, "job-name=now"), "report-generator")
	cronJob, err := namespace.Client.BatchV1().CronJobs(namespace.Name).Get(context.Background(), "demo-batch-app-report", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "0 * * * *", cronJob.Spec.Schedule)
}

// theOnlyPod waits for the one pod that a selector selects, running or not.
func theOnlyPod(t testing.TB, namespace *harness.Namespace, selector string) corev1.Pod {
	t.Helper()
	var pods []corev1.Pod
	namespace.Eventually(harness.PodStart, "the pod "+selector, func() bool {
		pods = namespace.Pods(selector)
		return len(pods) == 1
	})
	return pods[0]
}

func TestDataThatCannotBeProcessedIsTriedAgainUpToTheBackoffLimit(t *testing.T) {
	harness.Facts(t)
	namespace := installBatchApp(t, `
app: {orders: "anna,1\nboris,many\n", secondsPerOrder: 0}
outrigger: {jobs: {data-processing: {backoffLimit: 1}}}
`)

	_, ended := endedJob(t, namespace, dataProcessing)

	assert.Equal(t, batchv1.JobFailed, ended.Type)
	assert.Equal(t, batchv1.JobReasonBackoffLimitExceeded, ended.Reason)
	pods := namespace.Pods(dataProcessing)
	require.Len(t, pods, 2, "the first and one more")
	for _, pod := range pods {
		assert.Equal(t, corev1.PodFailed, pod.Status.Phase)
		assert.EqualValues(t, 1, harness.Status(t, pod, "data-processor").State.Terminated.ExitCode)
		assert.Equal(t, "processed order 1 of 2: anna 1\nno order: boris,many\n", namespace.Logs(pod.Name, "logshipper"), "why it failed is shipped")
		requireSidecarsEnded(t, pod, "data-processor")
	}
}

// wake ends the sleep of the app of charts/batch-app, which it may yet have to begin: so it goes on with the next order.
func wake(namespace *harness.Namespace, pod corev1.Pod) {
	// The end of the last sleep is the end of the container: by then this has returned.
	namespace.Exec(pod.Name, "data-processor", "sh", "-c", "until pidof sleep; do sleep 0.1; done; (sleep 0.3; killall sleep) >/dev/null 2>&1 &")
}

// Under OnFailure the Job controller counts the restarts of all containers, sidecars included, whatever their exit code;
// under Never it counts failed pods, and a sidecar does not fail one.
func TestASidecarThatCrashesFailsAJobUnderOnFailureAndNotUnderNever(t *testing.T) {
	harness.Facts(t)
	for _, exit := range []string{"1", "0"} {
		for _, policy := range []string{"OnFailure", "Never"} {
			t.Run("it exits with "+exit+" under "+policy, func(t *testing.T) {
				harness.Facts(t)
				namespace := installBatchApp(t, fmt.Sprintf(`
app: {orders: "anna,1\n", secondsPerOrder: 3600}
outrigger:
  jobs: {data-processing: {backoffLimit: 1, restartPolicy: %s}}
  containers:
    crashing:
      image: docker.io/library/busybox:1.37.0-musl
      command: [sh, -c, "until [ -e /metrics/metrics.txt ]; do sleep 0.1; done; exit %s"]
      volumeMounts: {metrics: {}}
`, policy, exit))
				pod := runningPod(t, namespace, dataProcessing, "data-processor")
				app := namespace.Follow(pod.Name, "logshipper")

				// The sidecar crashes as soon as the app is at work.
				if policy == "Never" {
					namespace.Eventually(jobEnd, "the sidecar has restarted more often than the Job may", func() bool {
						return namespace.Status(theOnlyPod(namespace.T(), namespace, dataProcessing), "crashing").RestartCount > 1
					})
					wake(namespace, pod)
				}
				_, ended := endedJob(t, namespace, dataProcessing)

				app.WaitEnd(t, harness.PodEnd)
				if policy == "OnFailure" {
					assert.Equal(t, batchv1.JobFailed, ended.Type)
					assert.Equal(t, batchv1.JobReasonBackoffLimitExceeded, ended.Reason)
					assert.Equal(t, []string{"told to stop after 0 of 1 orders"}, app.Texts(), "the app had been fine")
				} else {
					assert.Equal(t, batchv1.JobComplete, ended.Type, ended.Message)
					assert.Equal(t, []string{"processed order 1 of 1: anna 1", "processed 1 orders"}, app.Texts())
				}
			})
		}
	}
}

func TestAFinishedJobIsRemovedAfterItsTimeToLive(t *testing.T) {
	harness.Facts(t)
	namespace := installBatchApp(t, `
app: {orders: "anna,1\n", secondsPerOrder: 3600}
outrigger: {jobs: {data-processing: {ttlSecondsAfterFinished: 1}}}
`)
	pod := runningPod(t, namespace, dataProcessing, "data-processor")
	ctx, cancel := context.WithTimeout(context.Background(), harness.PodEnd)
	defer cancel()
	jobs := namespace.Client.BatchV1().Jobs(namespace.Name)
	present, err := jobs.List(ctx, metav1.ListOptions{LabelSelector: dataProcessing})
	require.NoError(t, err)
	require.Len(t, present.Items, 1)
	events := namespace.Watch(ctx, jobs.Watch, "metadata.name="+present.Items[0].Name, present.ResourceVersion)

	wake(namespace, pod)

	var job *batchv1.Job
	for event := range events {
		seen, isJob := event.Object.(*batchv1.Job)
		require.True(t, isJob, "watching: %v", event.Object)
		job = seen
		if event.Type == "DELETED" {
			break
		}
	}
	require.NoError(t, ctx.Err(), "the Job is gone")
	require.EqualValues(t, 1, job.Status.Succeeded, "it had completed")
	namespace.Eventually(harness.PodEnd, "its pod is gone too", func() bool { return len(namespace.Pods(dataProcessing)) == 0 })
}

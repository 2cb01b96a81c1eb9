package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestFiveJobsCompleteInTimeWithTheirLineShipped(t *testing.T) {
	harness.Seconds(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	chart := harness.LoadChart(t, filepath.Join(harness.Root(), "charts/logging-app"))
	rendered := harness.Find[*batchv1.Job](t, chart.Render(t, ""))
	namespace.Install("demo", chart.Write(t), "{replicaCount: 0, job: {enabled: false}}")

	var times []time.Duration
	for range 5 {
		harness.InTime(t, 6*time.Second, "from a Job's creation to Complete", func() time.Duration {
			job := rendered.DeepCopy()
			job.Name, job.Namespace = fmt.Sprintf("job-%d", len(times)+1), namespace.Name
			took, err := runJob(namespace, job)
			require.NoError(t, err, job.Name)
			pod := namespace.Pods("job-name=" + job.Name)[0]
			assert.Equal(t, "logging\n", namespace.Logs(pod.Name, "logshipper"), job.Name)
			assert.Zero(t, harness.Status(t, pod, "logshipper").State.Terminated.ExitCode, "%s: the sidecar's exit code", job.Name)
			times = append(times, took)
			return took
		})
	}
	t.Logf("from creation to Complete: %v", times)
}

// runJob creates a Job and returns the time until it is seen to be Complete.
func runJob(namespace *harness.Namespace, job *batchv1.Job) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), harness.PodStart)
	defer cancel()
	jobs := namespace.Client.BatchV1().Jobs(namespace.Name)
	present, err := jobs.List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, err
	}
	events := namespace.Watch(ctx, jobs.Watch, "metadata.name="+job.Name, present.ResourceVersion)
	begin := time.Now()
	if _, err := jobs.Create(ctx, job, metav1.CreateOptions{FieldValidation: "Strict"}); err != nil {
		return 0, err
	}
	for event := range events {
		seen, isJob := event.Object.(*batchv1.Job)
		if !isJob {
			continue
		}
		for _, condition := range seen.Status.Conditions {
			switch {
			case condition.Status != corev1.ConditionTrue:
			case condition.Type == batchv1.JobComplete:
				return time.Since(begin), nil
			case condition.Type == batchv1.JobFailed:
				return 0, fmt.Errorf("failed: %s: %s", condition.Reason, condition.Message)
			}
		}
	}
	return 0, fmt.Errorf("not complete within %s", harness.PodStart)
}

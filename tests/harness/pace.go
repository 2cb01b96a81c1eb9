package harness

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/ci/busybox"
)

// plainPod is how long a pod of one container that does nothing takes here, from its creation until it is seen to have
// succeeded, where two cores have nothing else to do.
const plainPod = 2800 * time.Millisecond

// InTime fails the test unless what an attempt measures is within a limit. The machines that run these tests lend their
// cores to others for seconds at a time. So an attempt that takes longer is held to a limit as much longer as a plain pod
// takes at that moment, and what misses that too is tried twice more: what is slow by itself is slow each time.
func InTime(t testing.TB, limit time.Duration, what string, attempt func() time.Duration) {
	t.Helper()
	var misses []string
	for range 3 {
		took := attempt()
		if took <= limit {
			return
		}
		plain := timePlainPod(t)
		allowed := max(limit, time.Duration(float64(limit)*float64(plain)/float64(plainPod)))
		misses = append(misses, fmt.Sprintf("%.1f s of %.1f s (a plain pod took %.1f s instead of %s)", took.Seconds(), limit.Seconds(), plain.Seconds(), plainPod))
		if took <= allowed {
			t.Logf("%s: %s", what, misses[len(misses)-1])
			return
		}
	}
	require.Fail(t, "too slow, three times", "%s: %s", what, strings.Join(misses, "; "))
}

// timePlainPod returns how long a pod that does nothing takes now, from its creation until it is seen to have succeeded.
func timePlainPod(t testing.TB) time.Duration {
	t.Helper()
	namespace := NewNamespace(t, Baseline)
	ctx, cancel := context.WithTimeout(context.Background(), PodStart)
	defer cancel()
	pods := namespace.Client.CoreV1().Pods(namespace.Name)
	watch, err := pods.Watch(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	defer watch.Stop()

	begin := time.Now()
	_, err = pods.Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "plain"},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever,
			Containers:    []corev1.Container{{Name: "plain", Image: "docker.io/library/busybox:" + busybox.Tag, Command: []string{"true"}}},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	for event := range watch.ResultChan() {
		if pod, isPod := event.Object.(*corev1.Pod); isPod && pod.Status.Phase == corev1.PodSucceeded {
			return time.Since(begin)
		}
	}
	require.Fail(t, "a pod that does nothing did not succeed", "within %s", PodStart)
	return 0
}

// Median returns the middle one of some numbers, of an even count the greater of both.
func Median(numbers []float64) float64 {
	sorted := slices.Sorted(slices.Values(numbers))
	return sorted[len(sorted)/2]
}

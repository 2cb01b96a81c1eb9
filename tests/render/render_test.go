// Package render holds the tests that need no cluster: what the library's templates make of values.
package render

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// appPod is a pod template as an author writes it, to be given as values.
const appPod = `
pod:
  metadata: {labels: {app: web}}
  spec:
    containers: [{name: app, image: app:1}]
`

// renderPod renders the consumer's Deployment and returns its pod template.
func renderPod(t testing.TB, values string, settings ...harness.Settings) corev1.PodTemplateSpec {
	t.Helper()
	return harness.Find[*appsv1.Deployment](t, harness.Consumer(t).Render(t, values, settings...)).Spec.Template
}

// renderJob renders the consumer's Job and returns its pod template.
func renderJob(t testing.TB, values string, settings ...harness.Settings) corev1.PodTemplateSpec {
	t.Helper()
	return harness.Find[*batchv1.Job](t, harness.Consumer(t).Render(t, values, settings...)).Spec.Template
}

func containerNames(containers []corev1.Container) []string {
	var names []string
	for _, container := range containers {
		names = append(names, container.Name)
	}
	return names
}

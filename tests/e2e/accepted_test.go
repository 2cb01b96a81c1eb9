package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// Every example chart says that it satisfies Pod Security `restricted`.
func TestWhatTheExampleChartsRenderIsAcceptedStrictlyAndByPodSecurity(t *testing.T) {
	harness.Facts(t)
	charts, err := os.ReadDir(filepath.Join(harness.Root(), "charts"))
	require.NoError(t, err)
	namespace := harness.NewNamespace(t, harness.Restricted)
	dryRun := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict}
	pods := 0
	for _, chart := range charts {
		for _, object := range harness.LoadChart(t, filepath.Join(harness.Root(), "charts", chart.Name())).RenderMaps(t, "") {
			name := fmt.Sprint(chart.Name(), ": ", object["kind"], " ", object["metadata"].(map[string]any)["name"])
			object["metadata"].(map[string]any)["namespace"] = namespace.Name
			assertAccepted(t, namespace, object)

			if template := podTemplateOf(object); template != nil {
				pod := decodePod(t, template)
				pod.GenerateName = "p-"
				pod.Spec.ServiceAccountName = "" // the chart's own is not there in a dry run
				addClaims(&pod, object)
				_, err := namespace.Client.CoreV1().Pods(namespace.Name).Create(context.Background(), &pod, dryRun)
				assert.NoError(t, err, "%s: its pod", name)
				pods++
			}
		}
	}
	assert.GreaterOrEqual(t, pods, 4)
}

// assertAccepted asserts that the API server would create an object, and knows all of its fields.
func assertAccepted(t testing.TB, namespace *harness.Namespace, object map[string]any) {
	t.Helper()
	text, err := yaml.Marshal(object)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "object.yaml")
	require.NoError(t, os.WriteFile(file, text, 0o644))
	assert.Contains(t, namespace.Kubectl("create", "--dry-run=server", "--validate=strict", "-f", file), "created (server dry run)", string(text))
}

// podTemplateOf returns the pod template somewhere under an object's spec, or nil.
func podTemplateOf(object map[string]any) map[string]any {
	spec, _ := object["spec"].(map[string]any)
	for _, key := range []string{"template", "jobTemplate"} {
		if inner, ok := spec[key].(map[string]any); ok {
			if key == "template" {
				return inner
			}
			return podTemplateOf(inner)
		}
	}
	return nil
}

// addClaims gives a pod the volumes of a StatefulSet's claims, as its controller does.
func addClaims(pod *corev1.Pod, object map[string]any) {
	claims, _ := object["spec"].(map[string]any)["volumeClaimTemplates"].([]any)
	for _, claim := range claims {
		name := claim.(map[string]any)["metadata"].(map[string]any)["name"].(string)
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name},
		}})
	}
}

func decodePod(t testing.TB, template map[string]any) corev1.Pod {
	t.Helper()
	text, err := json.Marshal(template)
	require.NoError(t, err)
	var pod corev1.Pod
	require.NoError(t, json.Unmarshal(text, &pod))
	return pod
}

func TestAnUmbrellaOfThreeVersionsOfTheLibraryInstalls(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Baseline)
	parts := []harness.Part{{Name: "one", Version: "0.1.0"}, {Name: "two", Version: "0.2.0", Alias: "sidecars"}, {Name: "three", Version: "1.0.0"}}

	namespace.Install("demo", harness.Umbrella(t, parts...).Write(t), "")

	for _, part := range parts {
		pod := namespace.ReadyPods("app="+part.Name, 1)[0]
		namespace.Eventually(harness.LogLine, "the line of "+part.Name+" to be shipped", func() bool {
			return strings.Contains(namespace.Logs(pod.Name, "ship"), part.Name)
		})
		assert.Equal(t, harness.UserOf(part.Version), fmt.Sprint(*pod.Spec.InitContainers[0].SecurityContext.RunAsUser), "rendered by its own version")
	}
}

package fuzz

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// Of a pod and not of its template: a request that is left out is the limit only there.
func TestSidecarsThatAreTooMuchForTheResourcesOfTheirPodAreRefusedAsTheAPIServerRefusesThePod(t *testing.T) {
	t.Parallel()
	apiServer := newOracle(t, "validate")
	chart := harness.Consumer(t)
	random := rand.New(rand.NewPCG(1, 2))
	refused := 0
	const tries = 80
	for range tries {
		pod, values := podWithResources(random)
		var said struct{ Error string }
		apiServer.ask(t, pod, &said)

		_, err := chart.TryRender(t, values)

		if said.Error != "" {
			refused++
			require.Regexp(t, "aggregate container requests|pod limits|must be less than or equal to", said.Error, "%s", values)
		}
		if assert.Equal(t, said.Error != "", err != nil, "the API server: %v\nthe library: %v\n%s", said.Error, err, values) && err != nil {
			assert.Regexp(t, `the pod template's resources\.|more than the limit of the pod`, err.Error())
		}
	}
	assert.Greater(t, refused, tries/8)
	assert.Less(t, refused, tries*7/8)
}

// podWithResources returns a pod that the library has composed, as it has it, and the values of which it is.
func podWithResources(random *rand.Rand) (corev1.Pod, string) {
	some := func(quantities ...string) string { return quantities[random.IntN(len(quantities))] }
	list := func(cpu, memory string) corev1.ResourceList {
		all := corev1.ResourceList{}
		for name, quantity := range map[corev1.ResourceName]string{corev1.ResourceCPU: cpu, corev1.ResourceMemory: memory} {
			if quantity != "" {
				all[name] = resource.MustParse(quantity)
			}
		}
		return all
	}
	ofContainer := func(limits ...string) corev1.ResourceRequirements {
		return corev1.ResourceRequirements{
			Requests: list(some("", "1m", "5m", "10m"), some("", "8Mi", "16Mi")),
			Limits:   list("", some(limits...)),
		}
	}
	sidecar := corev1.Container{Name: "helper", Image: "h:1", Resources: ofContainer("", "", "16Mi", "32Mi")}
	app := corev1.Container{Name: "app", Image: "a:1", Resources: ofContainer("", "16Mi")} // never too much alone
	resources := &corev1.ResourceRequirements{Requests: list(some("", "10m", "15m"), some("20Mi", "24Mi")), Limits: list("", some("", "24Mi", "40Mi"))}
	spec := corev1.PodSpec{Resources: resources, Containers: []corev1.Container{app}}
	given, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]string{"app": "web"}}, "spec": spec})
	if err != nil {
		panic(err)
	}
	entry, err := json.Marshal(sidecar.Resources)
	if err != nil {
		panic(err)
	}
	kind, mode := some("sidecar", "init"), some("native", "classic")
	switch {
	case kind == "init":
		spec.InitContainers = []corev1.Container{sidecar}
	case mode == "native":
		always := corev1.ContainerRestartPolicyAlways
		sidecar.RestartPolicy = &always
		spec.InitContainers = []corev1.Container{sidecar}
	default:
		spec.Containers = append(spec.Containers, sidecar)
	}
	values := fmt.Sprintf("pod: %s\noutrigger: {mode: %s, containers: {helper: {image: \"h:1\", kind: %s, resources: %s}}}", given, mode, kind, entry)
	return corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default"}, Spec: spec,
	}, values
}

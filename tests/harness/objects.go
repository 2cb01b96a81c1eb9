package harness

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Apply creates objects from a YAML text, or changes them, as kubectl apply --server-side does.
func (n *Namespace) Apply(text string) {
	n.t.Helper()
	client, err := kube()
	require.NoError(n.t, err)
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(n.t, err)
		var object unstructured.Unstructured
		require.NoError(n.t, yaml.Unmarshal(document, &object.Object), "%s", document)
		if len(object.Object) == 0 {
			continue
		}
		resource, err := client.resource(&object, n.Name)
		require.NoError(n.t, err, "%s", document)
		_, err = resource.Apply(context.Background(), object.GetName(), &object, metav1.ApplyOptions{FieldManager: "tests", Force: true})
		require.NoError(n.t, err, "%s", document)
	}
}

// DeletePod deletes a pod, with a grace period in seconds where it is not to have its own, and does not wait for its end.
func (n *Namespace) DeletePod(name string, grace ...int64) {
	n.t.Helper()
	var options metav1.DeleteOptions
	if len(grace) > 0 {
		options.GracePeriodSeconds = &grace[0]
	}
	require.NoError(n.t, n.Client.CoreV1().Pods(n.Name).Delete(context.Background(), name, options))
}

// Scale gives a Deployment another number of pods, and does not wait for them.
func (n *Namespace) Scale(deployment string, replicas int) {
	n.t.Helper()
	patch := fmt.Appendf(nil, `{"spec": {"replicas": %d}}`, replicas)
	_, err := n.Client.AppsV1().Deployments(n.Name).Patch(context.Background(), deployment, types.MergePatchType, patch, metav1.PatchOptions{})
	require.NoError(n.t, err)
}

// StartTask makes a Job of a CronJob, as the library's README says it is done for a restore, and does not wait for its end.
// Settings are variables: TARGET=shop_copy. It is tried once, as a failure is what some tests are about.
func (n *Namespace) StartTask(cronJob, job string, settings ...string) {
	n.t.Helper()
	ctx, yes := context.Background(), true
	from, err := n.Client.BatchV1().CronJobs(n.Name).Get(ctx, cronJob, metav1.GetOptions{})
	require.NoError(n.t, err)
	template := from.Spec.JobTemplate.DeepCopy()
	object := batchv1.Job{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	object.Name = job
	object.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: from.Name, UID: from.UID, Controller: &yes}}
	container := &object.Spec.Template.Spec.Containers[0]
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		index := slices.IndexFunc(container.Env, func(variable corev1.EnvVar) bool { return variable.Name == name })
		require.GreaterOrEqual(n.t, index, 0, "%s has no variable %s", cronJob, name)
		container.Env[index].Value = value
	}
	object.Spec.BackoffLimit = new(int32)
	_, err = n.Client.BatchV1().Jobs(n.Name).Create(ctx, &object, metav1.CreateOptions{FieldValidation: "Strict"})
	require.NoError(n.t, err)
}

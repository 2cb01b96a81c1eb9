package harness

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// DryRun asks the API server about objects of any kind that it serves.
type DryRun struct {
	namespace string
	client    *client
}

// DryRun returns a DryRun that puts objects into the namespace, whichever they name. It may be used by several
// goroutines, and does not spare the API server.
func (n *Namespace) DryRun(t testing.TB) *DryRun {
	t.Helper()
	client, err := kube()
	require.NoError(t, err)
	return &DryRun{n.Name, client}
}

// Serves tells whether the cluster knows an object's kind.
func (d *DryRun) Serves(object map[string]any) bool {
	_, err := d.client.resource(&unstructured.Unstructured{Object: object}, d.namespace)
	return !meta.IsNoMatchError(err)
}

// Create returns an error if the API server would not create the object, or does not know all of its fields.
func (d *DryRun) Create(object map[string]any) error {
	created := &unstructured.Unstructured{Object: object}
	resource, err := d.client.resource(created, d.namespace)
	if err != nil {
		return err
	}
	_, err = resource.Create(context.Background(), created, metav1.CreateOptions{
		DryRun:          []string{metav1.DryRunAll},
		FieldValidation: metav1.FieldValidationStrict,
	})
	return err
}

// resource returns what creates objects of an object's kind, and puts the object into a namespace where its kind has them.
func (c *client) resource(object *unstructured.Unstructured, namespace string) (dynamic.ResourceInterface, error) {
	kinds, err := c.kinds()
	if err != nil {
		return nil, err
	}
	kind := object.GroupVersionKind()
	mapping, err := kinds.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		return c.objects.Resource(mapping.Resource), nil
	}
	object.SetNamespace(namespace)
	return c.objects.Resource(mapping.Resource).Namespace(namespace), nil
}

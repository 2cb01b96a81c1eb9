package harness

import (
	"context"
	"testing"

	"github.com/gruntwork-io/terratest/modules/k8s"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// DryRun asks the API server about objects of any kind that it serves.
type DryRun struct {
	namespace string
	client    dynamic.Interface
	mapper    meta.RESTMapper
}

// DryRun returns a DryRun that puts objects into the namespace, whichever they name. It may be used by several
// goroutines, and does not spare the API server.
func (n *Namespace) DryRun(t testing.TB) *DryRun {
	t.Helper()
	config, err := k8s.LoadAPIClientConfigE(cluster.Kubeconfig, cluster.Context)
	require.NoError(t, err)
	config.QPS, config.WarningHandler = -1, rest.NoWarnings{}
	client, err := dynamic.NewForConfig(config)
	require.NoError(t, err)
	discoverer, err := discovery.NewDiscoveryClientForConfig(config)
	require.NoError(t, err)
	groups, err := restmapper.GetAPIGroupResources(discoverer)
	require.NoError(t, err)
	return &DryRun{n.Name, client, restmapper.NewDiscoveryRESTMapper(groups)}
}

// Serves tells whether the cluster knows an object's kind.
func (d *DryRun) Serves(object map[string]any) bool {
	_, err := d.mapping(&unstructured.Unstructured{Object: object})
	return !meta.IsNoMatchError(err)
}

// Create returns an error if the API server would not create the object, or does not know all of its fields.
func (d *DryRun) Create(object map[string]any) error {
	created := &unstructured.Unstructured{Object: object}
	mapping, err := d.mapping(created)
	if err != nil {
		return err
	}
	var resource dynamic.ResourceInterface = d.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		created.SetNamespace(d.namespace)
		resource = d.client.Resource(mapping.Resource).Namespace(d.namespace)
	}
	_, err = resource.Create(context.Background(), created, metav1.CreateOptions{
		DryRun:          []string{metav1.DryRunAll},
		FieldValidation: metav1.FieldValidationStrict,
	})
	return err
}

func (d *DryRun) mapping(object *unstructured.Unstructured) (*meta.RESTMapping, error) {
	kind := object.GroupVersionKind()
	return d.mapper.RESTMapping(kind.GroupKind(), kind.Version)
}

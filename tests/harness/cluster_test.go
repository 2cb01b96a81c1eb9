package harness

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestNamespacesOfAProcessThatHasEndedAreDeletedAndNoOthers(t *testing.T) {
	t.Parallel()
	ended := exec.Command("true")
	require.NoError(t, ended.Run())
	client := fake.NewClientset()
	for name, labels := range map[string]map[string]string{
		"of-a-run-that-was-killed": {processLabel: strconv.Itoa(ended.Process.Pid)},
		"of-this-run":              {processLabel: strconv.Itoa(os.Getpid())},
		"kept-to-look-around-in":   {processLabel: "kept"},
		"somebodys":                nil,
	} {
		_, err := client.CoreV1().Namespaces().Create(context.Background(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}, metav1.CreateOptions{})
		require.NoError(t, err)
	}

	require.NoError(t, removeLeftOver(context.Background(), client))

	left, err := client.CoreV1().Namespaces().List(context.Background(), metav1.ListOptions{})
	require.NoError(t, err)
	var names []string
	for _, namespace := range left.Items {
		names = append(names, namespace.Name)
	}
	assert.ElementsMatch(t, []string{"of-this-run", "kept-to-look-around-in", "somebodys"}, names)
}

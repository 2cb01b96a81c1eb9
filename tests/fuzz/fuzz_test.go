package fuzz

import (
	"context"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// An error of the checker's names a place and a mend, one of the schema a place; any other is a fault of the templates.
var deliberate = regexp.MustCompile(`(?s)outrigger: \d+ problem\(s\) in chart|values don't meet the specifications of the schema`)

// Whatever the values: either a message of the checker's, or objects that the API server accepts.
func FuzzValuesAreRefusedWithAMessageOrMakeObjectsThatTheAPIServerAccepts(f *testing.F) {
	for _, seed := range []string{"", "\x00\x01\x02\x03", "sidecars in any order, of any kind", "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"} {
		f.Add([]byte(seed))
	}
	chart := harness.Consumer(f)
	namespace := harness.DefaultNamespace(f)
	dryRun := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict}

	f.Fuzz(func(t *testing.T, bytes []byte) {
		text, err := yaml.Marshal(values(&choices{bytes}))
		require.NoError(t, err)

		objects, err := chart.TryRender(t, string(text))

		if err != nil {
			assert.Regexp(t, deliberate, err.Error(), "values:\n%s", text)
			return
		}
		for _, object := range objects {
			switch object := object.(type) {
			case *appsv1.Deployment:
				_, err = namespace.Client.AppsV1().Deployments(namespace.Name).Create(context.Background(), object, dryRun)
			case *batchv1.Job:
				_, err = namespace.Client.BatchV1().Jobs(namespace.Name).Create(context.Background(), object, dryRun)
			case *corev1.ConfigMap:
				object.Namespace = namespace.Name // the release's
				_, err = namespace.Client.CoreV1().ConfigMaps(namespace.Name).Create(context.Background(), object, dryRun)
			default:
				require.Failf(t, "an object of an unknown kind", "%T", object)
			}
			require.NoError(t, err, "values:\n%s", text)
		}
	})
}

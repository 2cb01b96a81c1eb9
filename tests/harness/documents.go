package harness

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
)

// requireDocuments is RequireDocuments for an object.
func requireDocuments(t testing.TB, object runtime.Object) {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	require.NoError(t, err)
	RequireDocuments(t, content)
}

// RequireDocuments fails unless the program would read each document in an object's content as the kubelet hands it over.
func RequireDocuments(t testing.TB, content map[string]any) {
	t.Helper()
	walk(content, func(fields map[string]any) {
		text, isText := fields["value"].(string)
		if fields["name"] != document.Variable || !isText {
			return
		}
		// The kubelet's own rule, of which the templates write nothing but this.
		RequireDocument(t, strings.ReplaceAll(text, "$$", "$"))
	})
}

// RequireDocument fails unless the program would read a document.
func RequireDocument(t testing.TB, text string) {
	t.Helper()
	require.NoError(t, document.Check([]byte(text)), "%s", text)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err, "%s", text)
	schema, err := documentSchema()
	require.NoError(t, err)
	require.NoError(t, schema.Validate(value), "%s", text)
}

// documentSchema is the schema that is made of the program's types.
var documentSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	return jsonschema.NewCompiler().Compile(filepath.Join(Root(), "library", "schema", "document.json"))
})

// walk calls a function for each object in a tree.
func walk(value any, see func(map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		see(value)
		for _, inner := range value {
			walk(inner, see)
		}
	case []any:
		for _, inner := range value {
			walk(inner, see)
		}
	}
}

package fuzz

import (
	"encoding/json"
	"fmt"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// An error of the checker's names a place and a mend, one of the schema a place. Whether a pattern of another library exists,
// Helm alone can say. Any other error is a fault of the templates.
var deliberate = regexp.MustCompile(`(?s)outrigger: \d+ problem\(s\) in chart|values don't meet the specifications of the schema|` +
	`no template "outrigger\.pattern\.missing"`)

// served are the groups that every API server serves; other objects, such as a PodMonitor, are their operators' to check.
var served = regexp.MustCompile(`^(v1|apps/v1|batch/v1)$`)

// Whatever the values: either a message of the checker's, or objects that an API server accepts. These values are the same in
// each run, so that a run without a change says what the last one said.
func TestValuesAtRandomAreRefusedWithAMessageOrMakeObjectsThatTheAPIServerAccepts(t *testing.T) {
	t.Parallel()
	chart := consumer(t)
	apiServer := newOracle(t)
	for number := range 300 {
		try(t, chart, apiServer, fmt.Append(nil, number))
	}
}

// The fuzzer's values are others in each run.
func FuzzValuesAreRefusedWithAMessageOrMakeObjectsThatTheAPIServerAccepts(f *testing.F) {
	f.Add([]byte(nil))
	chart := consumer(f)
	apiServer := newOracle(f)
	f.Fuzz(func(t *testing.T, bytes []byte) { try(t, chart, apiServer, bytes) })
}

// try renders the values that the bytes stand for.
func try(t *testing.T, chart harness.Chart, apiServer *oracle, bytes []byte) {
	t.Helper()
	text, err := yaml.Marshal(values(newChoices(bytes)))
	require.NoError(t, err)

	documents, err := chart.TryRenderDocuments(t, string(text))

	if err != nil {
		assert.Regexp(t, deliberate, err.Error(), "values:\n%s", text)
		return
	}
	for _, document := range documents {
		object, err := yaml.YAMLToJSONStrict(document)
		require.NoError(t, err, "%s\nvalues:\n%s", document, text)
		var content map[string]any
		require.NoError(t, json.Unmarshal(object, &content))
		harness.RequireDocuments(t, content)
		if version, _ := content["apiVersion"].(string); served.MatchString(version) {
			require.NoError(t, apiServer.create(t, object), "%s\nvalues:\n%s", document, text)
		}
	}
}

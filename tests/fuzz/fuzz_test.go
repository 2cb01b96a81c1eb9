package fuzz

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// An error of the checker's names a place and a mend, one of the schema a place. Whether a pattern of another library exists,
// Helm alone can say. Any other error is a fault of the templates.
var deliberate = regexp.MustCompile(`(?s)outrigger: \d+ problem\(s\) in chart|values don't meet the specifications of the schema|` +
	`no template "outrigger\.pattern\.missing"`)

// served are the groups that every API server serves; other objects, such as a PodMonitor, are their operators' to check.
var served = regexp.MustCompile(`^(v1|apps/v1|batch/v1)$`)

// Whatever the values: either a message of the checker's, or objects that an API server accepts.
func FuzzValuesAreRefusedWithAMessageOrMakeObjectsThatTheAPIServerAccepts(f *testing.F) {
	for _, seed := range []string{"", "\x00\x01\x02\x03", "sidecars in any order, of any kind", "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"} {
		f.Add([]byte(seed))
	}
	chart := consumer(f)
	apiServer := newOracle(f)

	f.Fuzz(func(t *testing.T, bytes []byte) {
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
			var kind struct{ APIVersion string }
			require.NoError(t, json.Unmarshal(object, &kind))
			if served.MatchString(kind.APIVersion) {
				require.NoError(t, apiServer.create(t, object), "%s\nvalues:\n%s", document, text)
			}
		}
	})
}

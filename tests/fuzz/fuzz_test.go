package fuzz

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// deliberate is an error that somebody wrote. One of the checker's names a place and a mend, one of the manifest's a document,
// one of the schema a place. Whether a pattern of another library exists, Helm alone can say. Any other error is a fault of the templates.
var deliberate = regexp.MustCompile(`(?s)^execution error at \([^)]*\): outrigger(: \d+ problem\(s\) in (.+ of )?chart "|\.manifest: document \d+ of template ".+" is no YAML: )|` +
	`values don't meet the specifications of the schema|no template "outrigger\.pattern\.missing"`)

// Whatever the values: either a message of the checker's, or objects that an API server accepts, and whose texts reach programs
// as they are written. These values are the same in each run, so that a run without a change says what the last one said.
func TestValuesAtRandomAreRefusedWithAMessageOrMakeObjectsThatTheAPIServerAccepts(t *testing.T) {
	t.Parallel()
	chart, kubernetes := consumer(t), newOracles(t)
	for number := range 300 {
		try(t, chart, kubernetes, fmt.Append(nil, number))
	}
}

// The fuzzer's values are others in each run.
func FuzzValuesAreRefusedWithAMessageOrMakeObjectsThatTheAPIServerAccepts(f *testing.F) {
	f.Add([]byte(nil))
	chart, kubernetes := consumer(f), newOracles(f)
	f.Fuzz(func(t *testing.T, bytes []byte) { try(t, chart, kubernetes, bytes) })
}

// try renders the values that the bytes stand for.
func try(t *testing.T, chart harness.Chart, kubernetes oracles, bytes []byte) {
	t.Helper()
	in := newInput(newChoices(bytes))
	text, err := yaml.Marshal(in.values)
	require.NoError(t, err)

	documents, err := chart.TryRenderDocuments(t, string(text), in.settings)

	about := fmt.Sprintf("bytes: %q\nsettings: %+v\nvalues:\n%s", bytes, in.settings, text)
	if err != nil {
		assert.Regexp(t, deliberate, err.Error(), about)
		return
	}
	if !in.broken {
		kubernetes.requireWhole(t, in.settings, documents, about)
	}
}

package render

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestWhatHelm3AndHelm4RenderDifferentlyFailsTheTest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		template string
		message  []string
	}{
		"a text": {
			template: `Helm {{ .Capabilities.HelmVersion.Version }}`,
			message:  []string{"different texts", "Helm v3.22", "Helm v4.3"},
		},
		"a message": {
			template: `{{ fail (printf "outrigger: I am %s" .Capabilities.HelmVersion.Version) }}`,
			message:  []string{"different messages", "outrigger: I am v3.22", "outrigger: I am v4.3"},
		},
		"an error of Helm 3 alone": {
			template: `{{ if hasPrefix "v3." .Capabilities.HelmVersion.Version }}{{ fail "outrigger: no" }}{{ end }}`,
			message:  []string{"Only one of Helm 3 and Helm 4 fails", "Helm 4: <nil>"},
		},
		"an error of Helm 4 alone": {
			template: `{{ if hasPrefix "v4." .Capabilities.HelmVersion.Version }}{{ fail "outrigger: no" }}{{ end }}`,
			message:  []string{"Only one of Helm 3 and Helm 4 fails", "Helm 3: <nil>"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			chart := harness.NewChart(t, map[string]string{"templates/NOTES.txt": test.template})

			for call, render := range map[string]func(testing.TB){
				"Render":      func(t testing.TB) { chart.Render(t, "") },
				"RenderError": func(t testing.TB) { chart.RenderError(t, "") },
			} {
				said := failureOf(t, render)

				for _, part := range test.message {
					assert.Contains(t, said, part, call)
				}
			}
		})
	}
}

func TestWhatHelmPutsBeforeAMessageMayDiffer(t *testing.T) {
	t.Parallel()
	chart := harness.NewChart(t, map[string]string{
		"templates/NOTES.txt": `{{ include "outrigger.podTemplate" (dict "context" .) }}`,
	})

	assert.Contains(t, chart.RenderError(t, ""), "outrigger.podTemplate: the pod template is missing")
	assert.Contains(t, harness.Consumer(t).RenderError(t, `outrigger: {mode: 1}`), "outrigger:\n- at '/mode'")
}

// failureOf runs a part of a test, which must fail, and returns what it says.
func failureOf(t testing.TB, run func(testing.TB)) string {
	t.Helper()
	fake := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(fake)
	}()
	<-done
	assert.True(t, fake.failed, "the test passes: %s", &fake.said)
	return fake.said.String()
}

// failing is a test that may fail without failing the one that it is part of.
type failing struct {
	testing.TB
	failed bool
	said   strings.Builder
}

func (f *failing) Errorf(format string, args ...any) {
	f.failed = true
	fmt.Fprintf(&f.said, format, args...)
}

func (f *failing) FailNow() {
	f.failed = true
	runtime.Goexit()
}

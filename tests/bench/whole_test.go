package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// workloads is how many files with a Deployment the charts have that are compared with and without outrigger.manifest.
const workloads = 10

// created are charts of `helm create shop`: as it makes it; with the library, which has nothing to do; and with more
// Deployments, by themselves and each wrapped.
func created(t testing.TB) map[string][]*loader.BufferedFile {
	t.Helper()
	folder, err := chartutil.Create("shop", t.TempDir())
	require.NoError(t, err)
	alone := filesIn(t, folder)
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		return string(text)
	}
	with := map[string]string{
		"Chart.yaml":               read("Chart.yaml") + "dependencies: [{name: outrigger, version: 0.x}]\n",
		"templates/outrigger.yaml": `{{ include "outrigger.objects" . }}`,
	}
	library := harness.LoadChart(t, folder).With(with)
	plain, wrapped := map[string]string{}, map[string]string{}
	for number := range workloads {
		name := fmt.Sprintf("templates/deployment-%d.yaml", number)
		plain[name] = read("templates/deployment.yaml")
		wrapped[name] = harness.Wrapped(fmt.Sprintf("shop.deployment-%d", number), plain[name], fmt.Sprintf(`"workload" "web-%d"`, number))
	}
	return map[string][]*loader.BufferedFile{
		"create":   alone,
		"library":  filesIn(t, library.Write(t)),
		"plain":    filesIn(t, library.With(plain).Write(t)),
		"manifest": filesIn(t, library.With(wrapped).Write(t)),
	}
}

// templated does what `helm template` does with a chart's files: it loads the chart, validates the values, and renders.
func templated(t testing.TB, files []*loader.BufferedFile) map[string]string {
	t.Helper()
	texts, err := engine.Render(input(t, files, "", true))
	require.NoError(t, err)
	return texts
}

// BenchmarkWhole measures the whole of `helm template`, but for the start of a process and the reading of files.
func BenchmarkWhole(b *testing.B) {
	for name, files := range created(b) {
		b.Run(name, func(b *testing.B) {
			measured(b, func() func() { return func() { templated(b, files) } })
		})
	}
}

// BenchmarkSchema measures what Helm does with the library's schema for each render: it compiles it, and validates the values.
func BenchmarkSchema(b *testing.B) {
	folder := filepath.Join(harness.Root(), "library", "outrigger")
	schema, err := os.ReadFile(filepath.Join(folder, "values.schema.json"))
	require.NoError(b, err)
	values, err := chartutil.ReadValuesFile(filepath.Join(folder, "values.yaml"))
	require.NoError(b, err)

	measured(b, func() func() {
		return func() { require.NoError(b, chartutil.ValidateAgainstSingleSchema(values, schema)) }
	})
}

func TestTheChartsThatAreMeasuredAreRenderedAlike(t *testing.T) {
	charts := created(t)
	const file = "shop/templates/deployment-3.yaml"

	create, library := templated(t, charts["create"]), templated(t, charts["library"])
	plain, manifest := templated(t, charts["plain"]), templated(t, charts["manifest"])

	require.Equal(t, create["shop/templates/deployment.yaml"], library["shop/templates/deployment.yaml"])
	require.NotEmpty(t, plain[file])
	require.YAMLEq(t, plain[file], manifest[file])
	require.Len(t, manifest, len(plain))
}

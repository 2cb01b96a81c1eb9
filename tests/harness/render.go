// Package harness is what the tests share: it renders charts in process with Helm's SDK, and deploys them into the
// cluster.
package harness

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/outrigger-charts/outrigger/ci/rig"
)

// KubeVersion is the version that charts are rendered for unless a test says otherwise: that of the cluster built here.
const KubeVersion = "v1.36.3"

// Root is the repository's folder.
var Root = sync.OnceValue(func() string {
	folder, err := rig.Root()
	if err != nil {
		panic(err)
	}
	return folder
})

// Chart is a chart that depends on the library, kept as files so that every render starts afresh: rendering changes a
// loaded chart.
type Chart struct {
	files map[string][]byte
}

// NewChart returns a chart made of the given files. A Chart.yaml (named shop, depending on the library) is added where
// there is none.
func NewChart(t testing.TB, files map[string]string) Chart {
	t.Helper()
	all := map[string][]byte{
		"Chart.yaml": []byte("apiVersion: v2\nname: shop\nversion: 1.0.0\nappVersion: 1.16.0\ndependencies: [{name: outrigger, version: 0.x}]\n"),
	}
	for name, text := range files {
		all[name] = []byte(text)
	}
	addLibrary(t, all)
	return Chart{all}
}

// LoadChart returns the chart in a folder, with the library as it is in this repository and not as it was last packed.
func LoadChart(t testing.TB, folder string) Chart {
	t.Helper()
	all := map[string][]byte{}
	for name, data := range chartFiles(t, folder) {
		if !strings.HasPrefix(name, "charts/") {
			all[name] = data
		}
	}
	addLibrary(t, all)
	return Chart{all}
}

// With returns the chart with some of its files replaced or added.
func (c Chart) With(files map[string]string) Chart {
	all := maps.Clone(c.files)
	for name, text := range files {
		all[name] = []byte(text)
	}
	return Chart{all}
}

// Write writes the chart into a new folder that the test removes, and returns it. The library is unpacked in its
// charts/, so that no dependency needs to be built.
func (c Chart) Write(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	for name, data := range c.files {
		file := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, data, 0o644))
	}
	return folder
}

// Settings are what a render depends on besides the chart. Zero values stand for KubeVersion and a release `demo` in
// the namespace `default`.
type Settings struct {
	KubeVersion string
	Release     string
}

// Render renders the chart with values given as YAML and returns its objects, decoded strictly by Kubernetes' own
// types: an unknown or repeated field fails the test.
func (c Chart) Render(t testing.TB, values string, settings ...Settings) Objects {
	t.Helper()
	texts, err := c.render(t, values, settings...)
	require.NoError(t, err, "values:\n%s", values)
	return decode(t, texts)
}

// RenderError renders the chart with values given as YAML, which must fail, and returns the message.
func (c Chart) RenderError(t testing.TB, values string, settings ...Settings) string {
	t.Helper()
	_, err := c.render(t, values, settings...)
	require.Error(t, err, "values:\n%s", values)
	return err.Error()
}

func (c Chart) render(t testing.TB, values string, settings ...Settings) (map[string]string, error) {
	t.Helper()
	var given Settings
	if len(settings) > 0 {
		given = settings[0]
	}
	version, err := chartutil.ParseKubeVersion(orElse(given.KubeVersion, KubeVersion))
	require.NoError(t, err)
	parsed, err := chartutil.ReadValues([]byte(values))
	require.NoError(t, err, "values:\n%s", values)

	loaded, err := c.load()
	require.NoError(t, err)
	if err := chartutil.ProcessDependenciesWithMerge(loaded, parsed); err != nil {
		return nil, err
	}
	release := chartutil.ReleaseOptions{Name: orElse(given.Release, "demo"), Namespace: "default", Revision: 1, IsInstall: true}
	capabilities := *chartutil.DefaultCapabilities
	capabilities.KubeVersion = *version
	renderValues, err := chartutil.ToRenderValues(loaded, parsed, release, &capabilities)
	if err != nil {
		return nil, err
	}
	return engine.Render(loaded, renderValues)
}

func (c Chart) load() (*chart.Chart, error) {
	var files []*loader.BufferedFile
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		files = append(files, &loader.BufferedFile{Name: name, Data: c.files[name]})
	}
	return loader.LoadFiles(files)
}

// Objects are the rendered objects, in no order that a test may count on.
type Objects []runtime.Object

// Find returns the one object of a type; more than one, or none, fails the test.
func Find[T runtime.Object](t testing.TB, objects Objects) T {
	t.Helper()
	var found []T
	for _, object := range objects {
		if match, ok := object.(T); ok {
			found = append(found, match)
		}
	}
	require.Len(t, found, 1, "objects of type %T", *new(T))
	return found[0]
}

// decode reads every document of rendered templates. An empty document is none.
func decode(t testing.TB, texts map[string]string) Objects {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects Objects
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if strings.HasSuffix(name, "NOTES.txt") {
			continue
		}
		reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(texts[name])))
		for {
			document, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			if len(bytes.TrimSpace(bytes.ReplaceAll(document, []byte("---"), nil))) == 0 {
				continue
			}
			object, _, err := decoder.Decode(document, nil, nil)
			require.NoError(t, err, "%s:\n%s", name, document)
			objects = append(objects, object)
		}
	}
	return objects
}

// addLibrary puts the library's files into a chart's charts/ folder.
func addLibrary(t testing.TB, files map[string][]byte) {
	t.Helper()
	for name, data := range chartFiles(t, filepath.Join(Root(), "library", "outrigger")) {
		files["charts/outrigger/"+name] = data
	}
}

// chartFiles returns a chart's files by name, without those that its .helmignore leaves out.
func chartFiles(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	loaded, err := loader.LoadDir(folder)
	require.NoError(t, err)
	files := map[string][]byte{}
	for _, file := range loaded.Raw {
		files[file.Name] = file.Data
	}
	return files
}

func orElse(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

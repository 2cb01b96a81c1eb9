// Package harness is what the tests share: it renders charts in process with the SDKs of Helm 3 and Helm 4, and deploys
// them into the cluster.
package harness

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	goruntime "runtime"
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
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/ci/rig"
)

// The profile of memory that nobody asks for takes an eighth of the time of tests that render.
func init() { goruntime.MemProfileRate = 0 }

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
	files  map[string][]byte
	shapes bool
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
	addLibrary(t, all, "charts/outrigger")
	return Chart{files: all}
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
	addLibrary(t, all, "charts/outrigger")
	return Chart{files: all}
}

// With returns the chart with some of its files replaced or added.
func (c Chart) With(files map[string]string) Chart {
	all := maps.Clone(c.files)
	for name, text := range files {
		all[name] = []byte(text)
	}
	return Chart{all, c.shapes}
}

// OfShapes returns the chart as one whose files show shapes of YAML, and not objects that a cluster would take: what it renders
// is not put to the API server.
func (c Chart) OfShapes() Chart { return Chart{c.files, true} }

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
	Namespace   string
	APIVersions []string // what the cluster serves beside Kubernetes' own
}

// complete returns the settings without zero values.
func (s Settings) complete() Settings {
	s.KubeVersion = orElse(s.KubeVersion, KubeVersion)
	s.Release = orElse(s.Release, "demo")
	s.Namespace = orElse(s.Namespace, "default")
	return s
}

// Render renders the chart with values given as YAML and returns its objects, decoded strictly by Kubernetes' own
// types: an unknown or repeated field fails the test, and so does a byte that Helm 3 and Helm 4 render differently.
func (c Chart) Render(t testing.TB, values string, settings ...Settings) Objects {
	t.Helper()
	texts, err := c.render(t, values, settings...)
	require.NoError(t, err, "values:\n%s", values)
	return decode(t, texts)
}

// RenderMaps is Render with the objects as they are written, not decoded by the types of one version of Kubernetes.
func (c Chart) RenderMaps(t testing.TB, values string, settings ...Settings) []map[string]any {
	t.Helper()
	texts, err := c.render(t, values, settings...)
	require.NoError(t, err, "values:\n%s", values)
	var objects []map[string]any
	for _, document := range documents(texts) {
		var object map[string]any
		require.NoError(t, yaml.UnmarshalStrict(document, &object), "%s", document)
		objects = append(objects, object)
	}
	return objects
}

// RenderTexts is Render with the text of each template, by its path.
func (c Chart) RenderTexts(t testing.TB, values string, settings ...Settings) map[string]string {
	t.Helper()
	texts, err := c.render(t, values, settings...)
	require.NoError(t, err, "values:\n%s", values)
	return texts
}

// RenderEach is RenderTexts by Helm 3 and by Helm 4, which may differ.
func (c Chart) RenderEach(t testing.TB, values string) (by3, by4 map[string]string) {
	t.Helper()
	settings := Settings{}.complete()
	by3, err := c.render3(t, values, settings)
	require.NoError(t, err, "values:\n%s", values)
	by4, err = c.render4(values, settings)
	require.NoError(t, err, "values:\n%s", values)
	return by3, by4
}

// TryRender is Render by Helm 3 alone, where an error is no failure of the test; an object that Kubernetes' own types
// refuse is one.
func (c Chart) TryRender(t testing.TB, values string) (Objects, error) {
	t.Helper()
	texts, err := c.tryRender(t, values)
	if err != nil {
		return nil, err
	}
	return decode(t, texts), nil
}

// TryRenderDocuments is TryRender with the objects as they are written, each a YAML document.
func (c Chart) TryRenderDocuments(t testing.TB, values string, settings Settings) ([][]byte, error) {
	t.Helper()
	texts, err := c.render3(t, values, settings.complete())
	if err != nil {
		return nil, err
	}
	return documents(texts), nil
}

func (c Chart) tryRender(t testing.TB, values string) (map[string]string, error) {
	t.Helper()
	return c.render3(t, values, Settings{}.complete())
}

// RenderError renders the chart with values given as YAML, which must fail, and returns the message. Helm 3 and Helm 4
// must give the same one, except for what they put before it.
func (c Chart) RenderError(t testing.TB, values string, settings ...Settings) string {
	t.Helper()
	_, err := c.render(t, values, settings...)
	require.Error(t, err, "values:\n%s", values)
	return err.Error()
}

// render renders the chart with both Helm 3 and Helm 4, which must agree.
func (c Chart) render(t testing.TB, values string, settings ...Settings) (map[string]string, error) {
	t.Helper()
	var given Settings
	if len(settings) > 0 {
		given = settings[0]
	}
	given = given.complete()
	texts, err := c.render3(t, values, given)
	texts4, err4 := c.render4(values, given)
	compare(t, texts, texts4, err, err4)
	return texts, err
}

func (c Chart) render3(t testing.TB, values string, settings Settings) (map[string]string, error) {
	t.Helper()
	version, err := chartutil.ParseKubeVersion(settings.KubeVersion)
	require.NoError(t, err)
	version.Version = settings.KubeVersion // as a cluster says it: parsing, which `helm template` does, drops vendors' suffixes
	parsed, err := chartutil.ReadValues([]byte(values))
	require.NoError(t, err, "values:\n%s", values)

	loaded, err := c.load()
	require.NoError(t, err)
	if err := chartutil.ProcessDependenciesWithMerge(loaded, parsed); err != nil {
		return nil, err
	}
	release := chartutil.ReleaseOptions{Name: settings.Release, Namespace: settings.Namespace, Revision: 1, IsInstall: true}
	capabilities := *chartutil.DefaultCapabilities
	capabilities.KubeVersion = *version
	capabilities.APIVersions = append(slices.Clone(capabilities.APIVersions), settings.APIVersions...)
	renderValues, err := chartutil.ToRenderValuesWithSchemaValidation(loaded, parsed, release, &capabilities, true)
	if err != nil {
		return nil, err
	}
	if !schemasHold(loaded, renderValues["Values"].(chartutil.Values), (*chart.Chart).Name, schemaOf3, (*chart.Chart).Dependencies) {
		if _, err := chartutil.ToRenderValues(loaded, parsed, release, &capabilities); err != nil {
			return nil, err
		}
	}
	texts, err := engine.Render(loaded, renderValues)
	if err == nil && !c.shapes {
		keepRendered(t, settings.KubeVersion, texts)
	}
	return texts, err
}

func schemaOf3(c *chart.Chart) []byte { return c.Schema }

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

// decode reads every document of rendered templates by Kubernetes' own types.
func decode(t testing.TB, texts map[string]string) Objects {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects Objects
	for _, document := range documents(texts) {
		object, _, err := decoder.Decode(document, nil, nil)
		require.NoError(t, err, "%s", document)
		requireDocuments(t, object)
		objects = append(objects, object)
	}
	return objects
}

// separator is what Helm splits files at (pkg/releaseutil), without the space before it, which may be a text's.
var separator = regexp.MustCompile(`(?m)^---[ \t]*`)

// documents returns every document of rendered templates, by the templates' names. What stands on a separator's line belongs
// to the document below it. An empty document is none.
func documents(texts map[string]string) [][]byte {
	var all [][]byte
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if strings.HasSuffix(name, "NOTES.txt") {
			continue
		}
		for _, document := range separator.Split(texts[name], -1) {
			if strings.TrimSpace(document) != "" {
				all = append(all, []byte(strings.TrimSuffix(document, "\n")+"\n"))
			}
		}
	}
	return all
}

// addLibrary puts the library's files into a folder of a chart's.
func addLibrary(t testing.TB, files map[string][]byte, folder string) {
	t.Helper()
	for name, data := range chartFiles(t, filepath.Join(Root(), "library", "outrigger")) {
		files[folder+"/"+name] = data
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

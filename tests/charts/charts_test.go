// Package charts puts other people's charts through outrigger.manifest. `make test-charts CHARTS=DIR` runs it.
package charts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// Folder is the environment variable that names the folder with the charts, at any depth; by default those of this repository.
const Folder = "OUTRIGGER_CHARTS"

// sidecar is what the one entry of the values makes, which every pod of a wrapped file is to have.
const sidecar = "outrigger-seen"

// Each file with a workload is wrapped as a whole. Its chart is rendered with and without, for its default values and for each
// of its ci/*-values.yaml, by Helm 3 and Helm 4: without entries nothing may differ, and with one there may be no more
// than its sidecar in each pod.
func TestEveryChartRendersTheSameThroughTheManifest(t *testing.T) {
	folders := chartFolders(t)
	table := &strings.Builder{}
	columns := tabwriter.NewWriter(table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "chart\tversion\trenders\tfiles\tpods\tdifferences\trefused\t")
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		t.Run(name, func(t *testing.T) {
			metadata, outcome := try(t, folders[name])
			row := fmt.Sprintf("%s\t%s\t%d of %d\t%d\t%d\t%d\t%s\t", name, metadata.Version, outcome.rendered, outcome.renders,
				len(outcome.files), len(outcome.pods), len(outcome.differences), strings.Join(outcome.refused, "; "))
			fmt.Fprintln(columns, row)
			t.Log(row)
			for _, difference := range outcome.differences {
				t.Error(difference)
			}
		})
	}
	require.NoError(t, columns.Flush())
	fmt.Println(table)
}

// outcome is what wrapping made of one chart.
type outcome struct {
	renders     int // by Helm 3 and Helm 4, with each file of values
	rendered    int // those that the chart itself allows
	files       []string
	pods        map[string]bool // those that have got the sidecar
	differences []string
	refused     []string // files with a define of their own, and what the library refuses
}

func try(t *testing.T, folder string) (*chart.Metadata, outcome) {
	t.Helper()
	loaded, err := loader.LoadDir(folder)
	require.NoError(t, err)
	plain := harness.LoadChart(t, folder).With(dependencies(t, folder, loaded))
	wrapped, files, refused := plain.WrapWorkloads()
	found := outcome{files: files, pods: map[string]bool{}}
	for _, file := range refused {
		found.refused = append(found.refused, "a define in "+file)
	}
	if len(files) == 0 {
		return loaded.Metadata, found
	}
	for name, values := range valuesFiles(t, folder) {
		for _, helm := range []int{3, 4} {
			found.renders++
			at := fmt.Sprintf("%s, Helm %d", name, helm)
			if _, err := plain.Try(t, helm, values); err != nil {
				t.Logf("%s: the chart itself does not render: %v", at, err)
				continue
			}
			found.rendered++
			for kind, given := range map[string]string{"without entries": values, "with an entry": withEntry(t, values)} {
				found.compare(t, plain, wrapped, helm, given, loaded.Name(), at+", "+kind)
			}
		}
	}
	slices.Sort(found.refused)
	found.refused = slices.Compact(found.refused)
	return loaded.Metadata, found
}

// compare adds what differs between the renders of a chart and of its wrapped twin.
func (o *outcome) compare(t *testing.T, plain, wrapped harness.Chart, helm int, values, chart, at string) {
	t.Helper()
	before, err := plain.Try(t, helm, values)
	require.NoError(t, err)
	with, err := wrapped.Try(t, helm, values)
	if err != nil {
		o.refused = append(o.refused, ownPart(err))
		t.Errorf("%s: %v", at, err)
		return
	}
	after, err := plain.Try(t, helm, values)
	require.NoError(t, err)
	expected, actual := objects(t, before), objects(t, with)
	if strings.Contains(values, sidecar) {
		o.takeSidecars(at, chart, actual)
	}
	changing := maps.Collect(differences("", expected, objects(t, after))) // random, or a time
	for path, difference := range differences("", expected, actual) {
		if _, changes := changing[path]; !changes {
			o.differences = append(o.differences, fmt.Sprintf("%s: %s: %s", at, path, difference))
		}
	}
}

// takeSidecars takes the sidecar out of each pod. Those of the wrapped files have to have it, but for those of hooks.
func (o *outcome) takeSidecars(at, chart string, objects map[string]any) {
	for file, documents := range objects {
		isWrapped := slices.Contains(o.files, strings.TrimPrefix(file, chart+"/"))
		eachPod(documents, func(object, spec map[string]any) {
			name := fmt.Sprint(object["kind"], " ", field(object, "metadata", "name"))
			starts, _ := spec["initContainers"].([]any)
			kept := slices.DeleteFunc(starts, func(container any) bool { return field(container, "name") == sidecar })
			switch {
			case len(kept) < len(starts):
				o.pods[name] = true
			case isWrapped && field(object, "metadata", "annotations", "helm.sh/hook") == nil:
				o.differences = append(o.differences, fmt.Sprintf("%s: %s: %s has no sidecar", at, file, name))
			}
			spec["initContainers"] = kept
			if len(kept) == 0 {
				delete(spec, "initContainers")
			}
		})
	}
}

// eachPod visits the specs of the pods in an object, in a list of objects, or in its items.
func eachPod(object any, visit func(object, spec map[string]any)) {
	items, isList := object.([]any)
	if !isList {
		items, isList = field(object, "items").([]any)
	}
	if isList {
		for _, item := range items {
			eachPod(item, visit)
		}
		return
	}
	paths := [][]string{{"spec", "template", "spec"}, {"spec", "jobTemplate", "spec", "template", "spec"}}
	if field(object, "kind") == "Pod" {
		paths = [][]string{{"spec"}}
	}
	for _, path := range paths {
		if containers, _ := field(object, append(path, "containers")...).([]any); len(containers) > 0 {
			visit(object.(map[string]any), field(object, path...).(map[string]any))
		}
	}
}

func field(object any, path ...string) any {
	for _, key := range path {
		fields, _ := object.(map[string]any)
		object = fields[key]
	}
	return object
}

// objects returns what each template has printed, by its path: its documents in order. Numbers keep their digits. That a pod
// has no init containers can be said in several ways, of which all are the same to Kubernetes.
func objects(t *testing.T, texts map[string]string) map[string]any {
	t.Helper()
	all := map[string]any{}
	for name, text := range texts {
		if strings.HasSuffix(name, "NOTES.txt") {
			continue
		}
		split := releaseutil.SplitManifests(text)
		documents := []any{}
		for number := range len(split) {
			data, err := yaml.YAMLToJSON([]byte(split[fmt.Sprintf("manifest-%d", number)] + "\n"))
			require.NoError(t, err, "%s: %s", name, text)
			decoder := json.NewDecoder(bytes.NewReader(data))
			decoder.UseNumber()
			var document any
			require.NoError(t, decoder.Decode(&document))
			eachPod(document, func(_, spec map[string]any) {
				if starts, _ := spec["initContainers"].([]any); len(starts) == 0 {
					delete(spec, "initContainers")
				}
			})
			if document != nil {
				documents = append(documents, document)
			}
		}
		all[name] = documents
	}
	return all
}

// differences yields the paths at which two values differ, and how.
func differences(path string, expected, actual any) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		if ours, ok := actual.([]any); ok {
			actual = byIndex(ours)
		}
		if theirs, ok := expected.([]any); ok {
			expected = byIndex(theirs)
		}
		theirs, areMaps := expected.(map[string]any)
		ours, ok := actual.(map[string]any)
		if !areMaps || !ok {
			if !reflect.DeepEqual(expected, actual) {
				yield(path, fmt.Sprintf("%v became %v", expected, actual))
			}
			return
		}
		both := maps.Clone(theirs)
		maps.Copy(both, ours)
		for _, key := range slices.Sorted(maps.Keys(both)) {
			for path, difference := range differences(path+"/"+key, theirs[key], ours[key]) {
				if !yield(path, difference) {
					return
				}
			}
		}
	}
}

func byIndex(items []any) map[string]any {
	all := map[string]any{}
	for index, item := range items {
		all[strconv.Itoa(index)] = item
	}
	return all
}

// withEntry returns the values with the one entry.
func withEntry(t *testing.T, values string) string {
	t.Helper()
	parsed := map[string]any{}
	require.NoError(t, yaml.Unmarshal([]byte(values), &parsed))
	parsed["outrigger"] = map[string]any{"containers": map[string]any{sidecar: map[string]any{"image": "seen:1"}}}
	text, err := yaml.Marshal(parsed)
	require.NoError(t, err)
	return string(text)
}

// valuesFiles returns the values that a chart is rendered with: its own, and those that it has for its tests.
func valuesFiles(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "ci", "*-values.yaml"))
	require.NoError(t, err)
	values := map[string]string{"values.yaml": "{}"}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		values[filepath.Base(file)] = string(text)
	}
	return values
}

// dependencies returns the files of a chart's dependencies: those in its charts/, and those whose charts lie beside it. Others are
// left out. Its schema is left out too, as it may allow no further key of the values.
func dependencies(t *testing.T, folder string, loaded *chart.Chart) map[string]string {
	t.Helper()
	files := map[string]string{"values.schema.json": "{}"}
	there := map[string]bool{}
	add := func(folder string) {
		dependency, err := loader.LoadDir(folder)
		require.NoError(t, err)
		there[dependency.Name()] = true
		for _, file := range dependency.Raw {
			files["charts/"+dependency.Name()+"/"+file.Name] = string(file.Data)
		}
	}
	bundled, err := filepath.Glob(filepath.Join(folder, "charts", "*", "Chart.yaml"))
	require.NoError(t, err)
	for _, file := range bundled {
		add(filepath.Dir(file))
	}
	for _, dependency := range loaded.Metadata.Dependencies {
		beside := filepath.Join(filepath.Dir(folder), dependency.Name)
		if _, err := os.Stat(filepath.Join(beside, "Chart.yaml")); err == nil && !there[dependency.Name] {
			add(beside)
		}
	}
	return files
}

// ownPart returns the library's part of a message, on one line.
func ownPart(err error) string {
	message := err.Error()
	if begin := strings.Index(message, "outrigger: "); begin >= 0 {
		message = message[begin:]
	}
	return strings.Join(strings.Fields(message), " ")
}

// chartFolders returns the folders of all charts that are applications, by their paths; those in the charts/ of others are theirs.
func chartFolders(t *testing.T) map[string]string {
	t.Helper()
	root := os.Getenv(Folder)
	if root == "" {
		root = filepath.Join(harness.Root(), "charts")
	}
	folders := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != "Chart.yaml" {
			return err
		}
		name, err := filepath.Rel(root, filepath.Dir(path))
		require.NoError(t, err)
		metadata, err := chartutil.LoadChartfile(path)
		if err == nil && metadata.Type != "library" && !strings.Contains("/"+filepath.ToSlash(name)+"/", "/charts/") {
			folders[name] = filepath.Dir(path)
		}
		return err
	}))
	require.NotEmpty(t, folders, "%s has no charts", root)
	return folders
}

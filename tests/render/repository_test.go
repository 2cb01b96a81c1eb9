package render

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestTheScriptReachesThePodsThroughAConfigMap(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile(filepath.Join(harness.Root(), "library/outrigger/files/logshipper.sh"))
	require.NoError(t, err)

	objects := harness.Consumer(t).Render(t, appPod+`
outrigger:
  volumes: {logs: {mountPath: /logs}}
  logshippers: {shipper: {files: [/logs/x], to: {stdout: {}}}}
`)

	config := harness.Find[*corev1.ConfigMap](t, objects)
	pod := harness.Find[*appsv1.Deployment](t, objects).Spec.Template
	assert.Equal(t, string(script), config.Data["logshipper.sh"])
	assert.Equal(t, "demo-shop-outrigger", config.Name)
	assert.NotEmpty(t, pod.Annotations["checksum/outrigger"], "a changed script rolls the pods")
	var mounted []string
	for _, volume := range pod.Spec.Volumes {
		if volume.ConfigMap != nil {
			mounted = append(mounted, volume.ConfigMap.Name)
		}
	}
	assert.Equal(t, []string{config.Name}, mounted)
}

func TestNothingIsGeneratedWhereNothingIsNeeded(t *testing.T) {
	t.Parallel()
	objects := harness.Consumer(t).Render(t, appPod+`outrigger: {containers: {helper: {image: "h:1"}}}`)

	require.Len(t, objects, 1)
	assert.Empty(t, harness.Find[*appsv1.Deployment](t, objects).Spec.Template.Annotations)
}

func TestEveryExampleChartRendersStrictly(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob(filepath.Join(harness.Root(), "charts", "*", "Chart.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	for _, folder := range folders {
		t.Run(filepath.Base(filepath.Dir(folder)), func(t *testing.T) {
			objects := harness.LoadChart(t, filepath.Dir(folder)).Render(t, "")

			assert.NotEmpty(t, objects)
		})
	}
}

// A chart of helm create has 1.16.0 to this day, whose branch ended in 2020.
func TestNoExampleRunsTheNginxOfHelmCreate(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob(filepath.Join(harness.Root(), "charts", "*", "Chart.yaml"))
	require.NoError(t, err)
	var all strings.Builder
	for _, folder := range folders {
		for _, object := range harness.LoadChart(t, filepath.Dir(folder)).Render(t, "") {
			text, err := yaml.Marshal(object)
			require.NoError(t, err)
			all.Write(text)
		}
	}
	require.Contains(t, all.String(), "image: docker.io/library/nginx:", "examples run nginx")
	assert.NotContains(t, all.String(), "nginx:1.16.")
}

func TestTheChartNamesTheImagesThatItPins(t *testing.T) {
	t.Parallel()
	var metadata struct{ Annotations map[string]string }
	var values struct{ Images map[string]string }
	for file, into := range map[string]any{"Chart.yaml": &metadata, "values.yaml": &values} {
		text, err := os.ReadFile(filepath.Join(harness.Root(), "library/outrigger", file))
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(text, into))
	}
	var named []struct{ Image string }
	require.NoError(t, yaml.Unmarshal([]byte(metadata.Annotations["artifacthub.io/images"]), &named))

	var images []string
	for _, each := range named {
		images = append(images, each.Image)
	}

	assert.ElementsMatch(t, slices.Collect(maps.Values(values.Images)), images)
	assert.Equal(t, testimages.BusyBoxRef, values.Images["busybox"], "what the tests' pods run")
}

// unversioned are the files whose names carry no version.
var unversioned = map[string]bool{"_outrigger.tpl": true, "_dependency.tpl": true, "_version.tpl": true}

// Named templates are global in Helm: the library's own carry its version, so that two versions live side by side.
func TestEveryNameCarriesTheVersionExceptThePublicOnes(t *testing.T) {
	t.Parallel()
	version := libraryVersion(t)
	versioned := "outrigger-" + version + "."
	defined := map[string]int{}
	eachTemplate(t, filepath.Join(harness.Root(), "library/outrigger"), func(file, text string) {
		names := regexp.MustCompile(`(define|include) (?:\(printf )?"([^"]+)"`).FindAllStringSubmatch(text, -1)
		for _, match := range names {
			if match[1] == "define" {
				defined[match[2]]++
			}
			switch name := match[2]; {
			case unversioned[file]:
				assert.Regexp(t, `^outrigger(\.|-%s\.)`, name, "%s has public names alone", file)
			case match[1] == "define" || !strings.HasPrefix(name, "outrigger."):
				assert.True(t, strings.HasPrefix(name, versioned), "%s: %s: run: make version VERSION=%s", file, name, version)
			}
		}
	})
	assert.NotEmpty(t, defined)
	for name, times := range defined {
		assert.Equal(t, 1, times, "%s is defined more than once: the last one loaded would win", name)
	}
}

func libraryVersion(t *testing.T) string {
	t.Helper()
	var metadata struct {
		Version     string
		Annotations map[string]string
	}
	text, err := os.ReadFile(filepath.Join(harness.Root(), "library/outrigger/Chart.yaml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &metadata))
	require.Equal(t, metadata.Version, metadata.Annotations["outrigger/templates"], "run: make version VERSION=%s", metadata.Version)
	return metadata.Version
}

// eachTemplate visits the library's template files, each by its path below templates.
func eachTemplate(t *testing.T, library string, visit func(file, text string)) {
	t.Helper()
	visited := 0
	templates := os.DirFS(filepath.Join(library, "templates"))
	require.NoError(t, fs.WalkDir(templates, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(templates, file)
		visit(file, string(text))
		visited++
		return err
	}))
	require.NotZero(t, visited)
}

// So that nobody has to know a list of names to tell which tests may run beside others.
func TestEachTestInTheClusterSaysFirstWhetherItAssertsFactsOrSeconds(t *testing.T) {
	t.Parallel()
	says := map[string]int{}
	eachNodeOfTheTests(t, []string{"e2e", "restart", "soak"}, func(node ast.Node, at token.Position) {
		switch node := node.(type) {
		case *ast.FuncDecl:
			if strings.HasPrefix(node.Name.Name, "Test") && node.Name.Name != "TestMain" {
				said := saidFirst(node)
				says[said]++
				assert.Contains(t, []string{"harness.Facts(t)", "harness.Seconds(t)", "harness.Soak(t)"}, said, "%s: the first statement of %s", at, node.Name.Name)
			}
		case *ast.CallExpr:
			assert.NotEqual(t, "t.Parallel()", types.ExprString(node), "%s: harness.Facts lets a test run beside others", at)
		}
	})
	assert.Greater(t, says["harness.Facts(t)"], 80)
	assert.NotZero(t, says["harness.Seconds(t)"])
}

// The others, which run beside each other, assert facts: a wait in them only bounds what never comes. So that nothing runs beside
// one of seconds, it is not parallel either.
func TestEachTestOfScriptsThatAssertsHowSoonSomethingHappensSaysSoFirstAndRunsAlone(t *testing.T) {
	t.Parallel()
	soon := regexp.MustCompile(`^(assert|require)\.(Less|Lessf|LessOrEqual|LessOrEqualf)\(.*\b(time|patience)\b|^inTime\(`)
	tests, ofSeconds := 0, 0
	eachNodeOfTheTests(t, []string{"scripts"}, func(node ast.Node, at token.Position) {
		function, ok := node.(*ast.FuncDecl)
		if !ok {
			return
		}
		tests++
		seconds := saidFirst(function) == "harness.Seconds(t)"
		if seconds {
			ofSeconds++
		}
		ast.Inspect(function.Body, func(node ast.Node) bool {
			if call, ok := node.(*ast.CallExpr); ok {
				said := types.ExprString(call)
				assert.False(t, !seconds && soon.MatchString(said), "%s: %s has to begin with harness.Seconds(t), or to assert a fact instead of %s", at, function.Name.Name, said)
				assert.False(t, seconds && said == "t.Parallel()", "%s: %s asserts seconds, and runs beside others", at, function.Name.Name)
			}
			return true
		})
	})
	assert.Greater(t, tests, 200)
	assert.NotZero(t, ofSeconds)
}

// saidFirst is a function's first statement, where it is a call.
func saidFirst(function *ast.FuncDecl) string {
	if len(function.Body.List) == 0 {
		return ""
	}
	first, ok := function.Body.List[0].(*ast.ExprStmt)
	if !ok {
		return ""
	}
	return types.ExprString(first.X)
}

// A condition that requires something of the test itself would end it where the API server hiccups.
func TestNoConditionInTheClusterRequiresAnythingOfTheTestItself(t *testing.T) {
	t.Parallel()
	conditions := 0
	eachNodeOfTheTests(t, []string{"e2e", "restart", "soak"}, func(node ast.Node, at token.Position) {
		call, ok := node.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return
		}
		method, isMethod := call.Fun.(*ast.SelectorExpr)
		condition, isFunction := call.Args[len(call.Args)-1].(*ast.FuncLit)
		if !isMethod || !isFunction || method.Sel.Name != "Eventually" && method.Sel.Name != "until" {
			return
		}
		conditions++
		ast.Inspect(condition, func(node ast.Node) bool {
			name, isName := node.(*ast.Ident)
			assert.False(t, isName && name.Name == "t", "%s: a condition's own test is namespace.T()", at)
			return true
		})
	})
	assert.Greater(t, conditions, 80)
}

// eachNodeOfTheTests visits what is in the test files of folders of tests.
func eachNodeOfTheTests(t *testing.T, folders []string, visit func(ast.Node, token.Position)) {
	t.Helper()
	parsed := token.NewFileSet()
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(harness.Root(), "tests", folder, "*_test.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files, folder)
		for _, name := range files {
			file, err := parser.ParseFile(parsed, name, nil, 0)
			require.NoError(t, err)
			ast.Inspect(file, func(node ast.Node) bool {
				if node != nil {
					visit(node, parsed.Position(node.Pos()))
				}
				return true
			})
		}
	}
}

// chart-testing checks this with yamale, which cannot be had from Go's module proxy.
func TestEveryChartYAMLHasOnlyKeysThatHelmKnows(t *testing.T) {
	t.Parallel()
	// Not in every folder: go test takes what lies there for a part of what the test has found, of git's and what is built too.
	var files []string
	for _, folder := range []string{"charts", "library"} {
		found, err := filepath.Glob(filepath.Join(harness.Root(), folder, "*", "Chart.yaml"))
		require.NoError(t, err)
		files = append(files, found...)
	}
	require.GreaterOrEqual(t, len(files), 2)
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			var metadata chart.Metadata

			require.NoError(t, yaml.UnmarshalStrict(text, &metadata))

			assert.NoError(t, metadata.Validate())
			assert.NotEmpty(t, metadata.Description)
			assert.NotEmpty(t, metadata.Home)
			assert.NotEmpty(t, metadata.Maintainers)
			assert.Contains(t, metadata.Annotations, "artifacthub.io/license")
		})
	}
}

func TestTheSchemaIsTheOneThatItsPartsMake(t *testing.T) {
	t.Parallel()
	command := exec.Command("go", "run", "./ci/schema", "--check")
	command.Dir = harness.Root()

	output, err := command.CombinedOutput()

	assert.NoError(t, err, string(output))
}

// Every snippet of the library's page is rendered, so that none of them can be wrong: the values by themselves, and the
// templates (`# templates/NAME`) of a section together with its values, in a chart that defines the pod template shop.pod.
func TestEverySnippetOfTheLibrarysPageRenders(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(harness.Root(), "library/outrigger/README.md"))
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	count := 0
	for _, section := range regexp.MustCompile(`(?m)^##+ `).Split(string(page), -1) {
		title, _, _ := strings.Cut(section, "\n")
		templates, values := map[string]string{}, []string{}
		for _, snippet := range block.FindAllStringSubmatch(section, -1) {
			if name, text, found := strings.Cut(strings.TrimPrefix(snippet[1], "# "), "\n"); found && strings.HasPrefix(snippet[1], "# templates/") {
				templates[name] = text
			} else if strings.HasPrefix(snippet[1], "outrigger:") {
				values = append(values, snippet[1])
			}
		}
		count += len(templates) + len(values)
		for number, snippet := range values {
			t.Run(fmt.Sprint(title, " ", number+1), func(t *testing.T) {
				chart := harness.Consumer(t)
				if helpers := templates["templates/_greeter.tpl"]; helpers != "" {
					chart = chart.With(map[string]string{"templates/_greeter.tpl": helpers})
				}
				assert.NotEmpty(t, chart.Render(t, appPod+snippet))
			})
		}
		if len(templates) > 0 && templates["templates/_greeter.tpl"] == "" {
			t.Run(title+", templates", func(t *testing.T) {
				templates["templates/_helpers.tpl"] = `{{- define "shop.pod" }}{metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "app:1"}]}}{{ end }}`
				assert.NotEmpty(t, harness.NewChart(t, templates).RenderTexts(t, strings.Join(values, "")))
			})
		}
	}
	assert.GreaterOrEqual(t, count, 20)
}

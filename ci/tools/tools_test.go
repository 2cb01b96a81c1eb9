package tools

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRequired(t *testing.T) {
	path := filepath.Join(t.TempDir(), "go.mod")
	content := `module example.test/m

require example.test/one v1.2.3

require (
	example.test/two/v2 v2.0.0-20260101000000-abcdef // indirect
)

replace example.test/three => example.test/three v0.1.0
`
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	for dependency, want := range map[string]string{
		"example.test/one": "v1.2.3", "example.test/two/v2": "v2.0.0-20260101000000-abcdef", "example.test/three": "", "example.test/two": "",
	} {
		got, err := Required(path, dependency)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v; want %q", dependency, got, err, want)
		}
	}
}

func TestMakeHasTheFlagsOfTheTools(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"export CGO_ENABLED := 0\n", "export GOFLAGS := $(strip $(GOFLAGS) " + goFlags + ")\n"} {
		if !strings.Contains(string(makefile), line) {
			t.Errorf("the Makefile lacks %q: what it shares with the tools would be compiled twice", line)
		}
	}
}

func TestGoEnvKeepsTheCallersFlags(t *testing.T) {
	for given, want := range map[string]string{
		"": goFlags, "-modcacherw": "-modcacherw " + goFlags, "-modcacherw " + goFlags: "-modcacherw " + goFlags,
	} {
		t.Setenv("GOFLAGS", given)
		if got := GoEnv(); !slices.Equal(got, []string{"CGO_ENABLED=0", "GOFLAGS=" + want}) {
			t.Errorf("GOFLAGS=%s: %q", given, got)
		}
	}
}

func TestDefaultName(t *testing.T) {
	for pkg, want := range map[string]string{
		"k8s.io/kubernetes/cmd/kubelet": "kubelet", "go.etcd.io/etcd/server/v3": "server", "github.com/helm/chart-testing/v3/ct": "ct",
	} {
		if got := defaultName(pkg); got != want {
			t.Errorf("%s: %s, want %s", pkg, got, want)
		}
	}
}

func TestAProgramInAFolderIsBuiltAgainWhenItChangesAndItsModuleIsNot(t *testing.T) {
	modules := t.TempDir()
	if err := os.MkdirAll(filepath.Join(modules, "kubernetes", "expand"), 0o755); err != nil {
		t.Fatal(err)
	}
	all := Module{Name: "kubernetes", Programs: map[string]string{"kubelet": "k8s.io/kubernetes/cmd/kubelet"}}
	keys := func(source string) (program, module string) {
		for name, text := range map[string]string{"go.mod": "", "go.sum": "", "expand/main.go": source} {
			if err := os.WriteFile(filepath.Join(modules, "kubernetes", name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		key := func(m Module) string {
			built, err := Builder{Modules: modules}.Key(m)
			if err != nil {
				t.Fatal(err)
			}
			return built.String()
		}
		return key(Expand()), key(all)
	}
	program, module := keys("package main")
	changedProgram, changedModule := keys("package main // changed")
	if program == changedProgram || module != changedModule {
		t.Errorf("the program: %s, then %s; the module: %s, then %s", program, changedProgram, module, changedModule)
	}
}

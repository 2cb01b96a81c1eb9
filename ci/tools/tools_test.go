package tools

import (
	"os"
	"path/filepath"
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

func TestDefaultName(t *testing.T) {
	for pkg, want := range map[string]string{
		"k8s.io/kubernetes/cmd/kubelet": "kubelet", "go.etcd.io/etcd/server/v3": "server", "github.com/helm/chart-testing/v3/ct": "ct",
	} {
		if got := defaultName(pkg); got != want {
			t.Errorf("%s: %s, want %s", pkg, got, want)
		}
	}
}

package testimages

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheBackendIsBuiltAgainWhenWhatItIsCompiledFromChanges(t *testing.T) {
	names := []string{
		"go.mod", "go.sum", "tests/backend/store.go", "tests/backend/cmd/backend/main.go", "tests/backend/backend_test.go",
	}
	root := t.TempDir()
	key := func(changed string) string {
		for _, name := range names {
			content := []byte("a")
			if name == changed {
				content = []byte("b")
			}
			file := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		key, err := backend.StandInKey(root)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	for _, name := range names {
		built, want := key(name) != key(""), name != "tests/backend/backend_test.go"
		if built != want {
			t.Errorf("%s: built again: %v, want %v", name, built, want)
		}
	}
}

func TestOnlyTheBackendIsInNoRegistry(t *testing.T) {
	found := 0
	for _, image := range All {
		if !image.Upstream() {
			found++
		}
	}
	if found != 1 || backend.Upstream() {
		t.Errorf("%d images of which no registry has any", found)
	}
}

package testimages

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestTheBackendIsBuiltAgainWhenWhatItIsCompiledFromChanges(t *testing.T) {
	names := []string{
		"go.mod", "go.sum", "tests/backend/store.go", "tests/backend/cmd/backend/main.go", "tests/backend/backend_test.go", "tests/tenants/tenants.go",
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

func TestOnlyWhatIsCompiledHereIsInNoRegistry(t *testing.T) {
	var found []string
	for _, image := range All {
		if !image.Upstream() {
			found = append(found, image.MadeOf)
		}
		if image.Upstream() != (len(image.Sources) == 0 && !image.Shipped) {
			t.Errorf("%s: in a registry: %v, compiled from %v", image.Ref, image.Upstream(), image.Sources)
		}
	}
	if want := []string{"tests/backend", "library", "tests/tokenserver"}; !slices.Equal(found, want) {
		t.Errorf("in no registry are %v, want %v", found, want)
	}
}

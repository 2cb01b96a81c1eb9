package nodeimage

import (
	"context"
	"strings"
	"testing"

	"github.com/outrigger-charts/outrigger/ci/tools"
)

var repository = Builder{Root: "../..", Name: "outrigger", Tools: tools.Builder{Modules: "../modules"}}

// What is taken from kind's sources has to be found there: a new version of kind may move it.
func TestKindSaysWhatItsNodesHaveForStorage(t *testing.T) {
	kind, err := repository.kindDir(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := storageManifest(kind)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"storageProvisionerImage", "storageHelperImage"} {
		image, err := storageConstant(kind, name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(manifest, image) {
			t.Errorf("the manifest does not name %s", image)
		}
	}
}

func TestTheReferenceIsTheSameForTheSameInputs(t *testing.T) {
	first, err := repository.Ref()
	if err != nil {
		t.Fatal(err)
	}
	second, err := repository.Ref()
	if err != nil || first != second || !strings.HasPrefix(first, "outrigger/node:") {
		t.Errorf("%s, then %s, %v", first, second, err)
	}
}

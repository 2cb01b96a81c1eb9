package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestChartsOfAnUmbrellaEachRenderWithTheirOwnVersionOfTheLibrary(t *testing.T) {
	t.Parallel()
	parts := []harness.Part{{Name: "one", Version: "0.1.0"}, {Name: "two", Version: "0.2.0", Alias: "sidecars"}, {Name: "three", Version: "1.0.0"}}

	together := harness.Umbrella(t, parts...).RenderTexts(t, "")

	for _, part := range parts {
		alone := part.Chart(t).RenderTexts(t, "")
		text := together["all/charts/"+part.Name+"/templates/deployment.yaml"]
		assert.Equal(t, alone[part.Name+"/templates/deployment.yaml"], text, "%s renders as it does by itself", part.Name)
		assert.Contains(t, text, "runAsUser: "+harness.UserOf(part.Version))
		assert.Equal(t, 1, strings.Count(text, "\n  name: demo-"+part.Name+"-outrigger\n"), "its objects have names of their own")
	}
}

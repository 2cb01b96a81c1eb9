package render

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

func TestACopyOfTheLibraryUnderAVersionOfSomebodysOwnRendersAsTheLibrary(t *testing.T) {
	t.Parallel()
	const values = appPod + "outrigger: {containers: {proxy: {image: 'proxy:1'}}}\n"
	want := harness.Consumer(t).RenderTexts(t, values)

	for _, version := range []string{"0.1.0-acme.1", "0.1.0+build.7", "2026.11.28"} {
		chart, err := os.ReadFile(filepath.Join(harness.Root(), "library", "outrigger", "Chart.yaml"))
		require.NoError(t, err)
		// As helm package --version writes it.
		copied := regexp.MustCompile(`(?m)^version: .*$`).ReplaceAllString(string(chart), "version: "+version)
		require.NotEqual(t, string(chart), copied)

		got := harness.Consumer(t).With(map[string]string{"charts/outrigger/Chart.yaml": copied}).RenderTexts(t, values)

		assert.Equal(t, want, got, version)
	}
}

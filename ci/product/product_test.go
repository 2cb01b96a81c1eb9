package product

import (
	"bytes"
	"debug/elf"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/library/sidecar/version"
)

const root = "../.."

func builder(t *testing.T) Builder {
	t.Helper()
	dir, err := cache.Dir()
	require.NoError(t, err)
	absolute, err := filepath.Abs(root)
	require.NoError(t, err)
	return Builder{Root: absolute, Cache: dir, Log: t.Output()}
}

func TestTheProgramsNeedNeitherALinkerNorALibrary(t *testing.T) {
	for _, architecture := range Architectures {
		dir, err := builder(t).Programs(t.Context(), architecture)
		require.NoError(t, err)
		for name := range Programs {
			program, err := elf.Open(filepath.Join(dir, name))
			require.NoError(t, err)
			defer program.Close()
			for _, segment := range program.Progs {
				assert.NotEqual(t, elf.PT_INTERP, segment.Type, "%s asks for an interpreter", name)
			}
			libraries, err := program.DynString(elf.DT_NEEDED)
			assert.NoError(t, err)
			assert.Empty(t, libraries, name)
		}
	}
}

func TestTheProbeIsSmallAsItStartsEveryFewSeconds(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "-f", "{{if .Module}}{{.ImportPath}}{{end}}", "./cmd/outrigger-probe")
	list.Dir = filepath.Join(root, "library")
	output, err := list.Output()
	require.NoError(t, err)
	for imported := range strings.Lines(string(output)) {
		assert.Contains(t, imported, "github.com/outrigger-charts/outrigger/library/", "it imports the standard library only")
	}
	dir, err := builder(t).Programs(t.Context(), "amd64")
	require.NoError(t, err)
	info, err := os.Stat(filepath.Join(dir, "outrigger-probe"))
	require.NoError(t, err)
	assert.LessOrEqual(t, info.Size(), int64(2_500_000))
}

func TestTheImageHasTheProgramsTheLicenceAndWhatTheyAreMadeOf(t *testing.T) {
	spec, err := builder(t).Spec(t.Context(), "outrigger:1", "amd64")
	require.NoError(t, err)

	assert.ElementsMatch(t, []string{"LICENSE", "outrigger", "outrigger-probe", "sbom.cdx.json"}, spec.Files.Select(func(string) bool { return true }))
	assert.Equal(t, "65532:65532", spec.Config.User, "a number: runAsNonRoot knows no names")
	assert.Equal(t, version.Version, spec.Config.Labels["org.opencontainers.image.version"])
	assert.Equal(t, "Apache-2.0", spec.Config.Labels["org.opencontainers.image.licenses"])
	assert.Equal(t, "https://github.com/outrigger-charts/outrigger", spec.Config.Labels["org.opencontainers.image.source"])
	text, err := spec.Files.Read("sbom.cdx.json")
	require.NoError(t, err)
	var materials cyclonedx.BOM
	require.NoError(t, cyclonedx.NewBOMDecoder(strings.NewReader(text), cyclonedx.BOMFileFormatJSON).Decode(&materials))
	var names []string
	for _, component := range *materials.Components {
		assert.NotEmpty(t, component.Version, component.Name)
		names = append(names, component.Name)
	}
	assert.Subset(t, names, []string{"std", "github.com/spf13/cobra", "golang.org/x/sys"})
	assert.NotContains(t, names, "github.com/stretchr/testify", "what tests need is not in it")
}

func TestTheSameSourcesMakeTheSameImage(t *testing.T) {
	b := builder(t)
	content := func() string {
		spec, err := b.Spec(t.Context(), "outrigger:1", "amd64")
		require.NoError(t, err)
		var tar bytes.Buffer
		require.NoError(t, spec.Files.WriteTar(io.Writer(&tar)))
		return tar.String()
	}

	first, second := content(), content()
	assert.True(t, first == second)
}

func TestTheVersionIsOneEverywhere(t *testing.T) {
	chart, err := builder(t).Chart()
	require.NoError(t, err)
	assert.Equal(t, chart.Version, version.Version, "make version sets both")
	for _, file := range []string{"library/outrigger/values.yaml", "library/outrigger/Chart.yaml", "ci/testimages/outrigger.go"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		assert.Contains(t, string(text), "ghcr.io/outrigger-charts/outrigger:"+chart.Version, file)
	}
	for _, file := range []string{"library/outrigger/README.md", "charts/django-app/README.md"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		named := regexp.MustCompile(`registry[.]example/\S*outrigger:([^"\s]+)`).FindAllStringSubmatch(string(text), -1)
		require.NotEmpty(t, named, file)
		for _, each := range named {
			assert.Equal(t, chart.Version, each[1], file)
		}
	}
}

package harness

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
)

// render4 is render3 with Helm 4.
func (c Chart) render4(values string, settings Settings) (map[string]string, error) {
	version, err := common.ParseKubeVersion(settings.KubeVersion)
	if err != nil {
		return nil, err
	}
	parsed, err := common.ReadValues([]byte(values))
	if err != nil {
		return nil, err
	}
	var files []*archive.BufferedFile
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		files = append(files, &archive.BufferedFile{Name: name, Data: c.files[name]})
	}
	loaded, err := loader.LoadFiles(files)
	if err != nil {
		return nil, err
	}
	if err := chartv2.ProcessDependencies(loaded, parsed); err != nil {
		return nil, err
	}
	release := common.ReleaseOptions{Name: settings.Release, Namespace: settings.Namespace, Revision: 1, IsInstall: true}
	capabilities := *common.DefaultCapabilities
	capabilities.KubeVersion = *version
	capabilities.APIVersions = append(slices.Clone(capabilities.APIVersions), settings.APIVersions...)
	renderValues, err := util.ToRenderValuesWithSchemaValidation(loaded, parsed, release, &capabilities, true)
	if err != nil {
		return nil, err
	}
	if !schemasHold(loaded, renderValues["Values"].(common.Values), (*chart.Chart).Name, schemaOf4, (*chart.Chart).Dependencies) {
		if _, err := util.ToRenderValues(loaded, parsed, release, &capabilities); err != nil {
			return nil, err
		}
	}
	return engine.Render(loaded, renderValues)
}

func schemaOf4(c *chart.Chart) []byte { return c.Schema }

// compare fails the test if what Helm 3 and Helm 4 make of one chart differs: a text, to the byte, or the library's
// own part of an error.
func compare(t testing.TB, texts3, texts4 map[string]string, err3, err4 error) {
	t.Helper()
	if (err3 == nil) != (err4 == nil) {
		require.Fail(t, "Only one of Helm 3 and Helm 4 fails", "Helm 3: %v\nHelm 4: %v", err3, err4)
	}
	if err3 != nil {
		require.Equal(t, ownPart(err3), ownPart(err4), "Helm 3 (expected) and Helm 4 (actual) fail with different messages")
	} else {
		require.Equal(t, texts3, texts4, "Helm 3 (expected) and Helm 4 (actual) render different texts")
	}
}

// own begins an error message of the library's, and the schema's problems: outrigger: …, outrigger.podTemplate: …
var own = regexp.MustCompile(`(?s)\boutrigger(\.\w+)?:\s.*`)

// ownPart returns an error's message without what Helm puts before it, or nothing if all of it is Helm's.
func ownPart(err error) string { return own.FindString(fmt.Sprint(err)) }

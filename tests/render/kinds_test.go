package render

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// names returns the names of the files that a pattern of the repository's matches, without what all of them begin and end with.
func names(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(harness.Root(), "library", pattern))
	require.NoError(t, err)
	before, after, _ := strings.Cut(filepath.Base(pattern), "*")
	var all []string
	for _, file := range files {
		all = append(all, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), before), after))
	}
	return all
}

func TestEachSourceOfBackupsIsARowATemplateAScriptAndASchemaFile(t *testing.T) {
	t.Parallel()
	printed := harness.NewChart(t, map[string]string{"templates/rows.yaml": fmt.Sprintf(`{{ include "outrigger-%s.patterns.backups.kinds" . }}`, libraryVersion(t))}).
		OfShapes().RenderTexts(t, "")["shop/templates/rows.yaml"]
	var rows map[string]struct{ Source string }
	require.NoError(t, yaml.Unmarshal([]byte(printed), &rows))

	assert.ElementsMatch(t, names(t, "schema/patterns/backups/*.json"), slices.Collect(maps.Keys(rows)))
	sources := map[string]bool{}
	for name, row := range rows {
		sources[cmp.Or(row.Source, name)] = true
	}
	assert.ElementsMatch(t, names(t, "outrigger/templates/patterns/backups/sources/_*.tpl"), slices.Collect(maps.Keys(sources)))
	assert.Subset(t, names(t, "outrigger/files/backup-*.sh"), slices.Collect(maps.Keys(sources)))
}

func TestEachPresetOfTokenRefreshersIsARowATemplateAndASchemaFile(t *testing.T) {
	t.Parallel()
	printed := harness.NewChart(t, map[string]string{"templates/rows.yaml": fmt.Sprintf(`rows: {{ include "outrigger-%s.kit.tokenPresets" . }}`, libraryVersion(t))}).
		OfShapes().RenderTexts(t, "")["shop/templates/rows.yaml"]
	var rows struct{ Rows []string }
	require.NoError(t, yaml.Unmarshal([]byte(printed), &rows))

	assert.ElementsMatch(t, names(t, "schema/patterns/tokenRefreshers/*.json"), rows.Rows)
	assert.ElementsMatch(t, names(t, "outrigger/templates/patterns/tokenRefreshers/presets/_*.tpl"), rows.Rows)
}

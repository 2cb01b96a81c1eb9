package render

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// objectName returns what the public template prints in a chart's notes.
func objectName(t *testing.T, values, arguments string) string {
	t.Helper()
	chart := harness.Consumer(t).With(map[string]string{
		"templates/NOTES.txt": `{{ include "outrigger.objectName" (dict "context" . ` + arguments + `) }}`,
	})
	return chart.RenderTexts(t, appPod+values)["shop/templates/NOTES.txt"]
}

func TestTheNameOfAnEntrysObjectIsThatOfTheCronJobWhichIsMadeOfIt(t *testing.T) {
	t.Parallel()
	values := nightly + "      drill: {schedule: \"1 2 * * 0\"}\n      prune: {schedule: \"17 6 * * 0\"}\n"
	made := slices.Collect(maps.Keys(cronJobs(t, values)))

	var named []string
	for _, task := range []string{"", `"task" "restore"`, `"task" "drill"`, `"task" "prune"`} {
		named = append(named, objectName(t, values, `"pattern" "backups" "entry" "nightly" `+task))
	}

	assert.ElementsMatch(t, made, named)
}

func TestAnEntryOfWhichNoObjectIsMadeHasNoName(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ values, arguments string }{
		"a sidecar":                {values: nightly + "      as: sidecar\n", arguments: `"pattern" "backups" "entry" "nightly"`},
		"one that is off":          {values: nightly + "      enabled: false\n", arguments: `"pattern" "backups" "entry" "nightly"`},
		"no such task":             {values: nightly, arguments: `"pattern" "backups" "entry" "nightly" "task" "drill"`},
		"no such entry":            {values: nightly, arguments: `"pattern" "backups" "entry" "weekly"`},
		"a pattern without any":    {values: `outrigger: {containers: {nightly: {image: "a:1"}}}`, arguments: `"pattern" "containers" "entry" "nightly"`},
		"no such pattern":          {values: nightly, arguments: `"pattern" "copies" "entry" "nightly"`},
		"another pattern's entry":  {values: nightly, arguments: `"pattern" "containers" "entry" "nightly"`},
		"nothing in the values":    {arguments: `"pattern" "backups" "entry" "nightly"`},
		"one of another's as task": {values: nightly, arguments: `"pattern" "backups" "entry" "nightly-restore"`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Empty(t, objectName(t, test.values, test.arguments))
		})
	}
}

func TestAnObjectsNameWithoutAnEntryIsRefused(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t).With(map[string]string{"templates/NOTES.txt": `{{ include "outrigger.objectName" (dict "context" . "pattern" "backups") }}`})

	assert.Contains(t, chart.RenderError(t, appPod), `outrigger.objectName: the pattern or the entry is missing; write (dict "context" $ "pattern" "backups" "entry" "NAME")`)
}

func TestTheNotesOfTheDatabasesChartNameTheCronJobsThatThereAre(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(harness.Root(), "charts/postgres-app")
	sidecar, err := os.ReadFile(filepath.Join(folder, "values-sidecar.yaml"))
	require.NoError(t, err)
	for name, test := range map[string]struct {
		values, release string
		named           []string
	}{
		"a CronJob":                 {release: "demo", named: []string{"demo-postgres-app-nightly", "demo-postgres-app-nightly-drill", "demo-postgres-app-nightly-restore"}},
		"a release named as it":     {release: "postgres-app", named: []string{"postgres-app-nightly", "postgres-app-nightly-drill", "postgres-app-nightly-restore"}},
		"a sidecar":                 {values: string(sidecar), release: "demo", named: []string{"demo-postgres-app-nightly-drill", "demo-postgres-app-nightly-restore"}},
		"none":                      {values: "outrigger: {backups: {nightly: {enabled: false}}}", release: "demo"},
		"another name of the chart": {values: "fullnameOverride: db", release: "demo", named: []string{"db-nightly", "db-nightly-drill", "db-nightly-restore"}},
	} {
		t.Run(name, func(t *testing.T) {
			chart, settings := harness.LoadChart(t, folder), harness.Settings{Release: test.release}
			made := cronJobsIn(chart.Render(t, test.values, settings))

			notes := chart.RenderTexts(t, test.values, settings)["postgres-app/templates/NOTES.txt"]

			var named []string
			for _, match := range regexp.MustCompile(`cronjob/(\S+)`).FindAllStringSubmatch(notes, -1) {
				named = append(named, match[1])
				assert.Contains(t, made, match[1], "it is rendered")
			}
			assert.Equal(t, test.named, named)
		})
	}
}

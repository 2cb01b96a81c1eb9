package render

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// question is one that the notes ask of a schedule: when it runs after a time, which is in the zone.
type question struct{ zone, schedule, after string }

// nextRuns returns what the notes' template answers to each question: times in the zone.
func nextRuns(t *testing.T, questions []question) [][]string {
	t.Helper()
	var asked []map[string]any
	for _, q := range questions {
		asked = append(asked, map[string]any{"zone": q.zone, "schedule": q.schedule, "after": q.time(t).Unix()})
	}
	values, err := json.Marshal(map[string]any{"asked": asked})
	require.NoError(t, err)
	text := harness.NewChart(t, map[string]string{"templates/NOTES.txt": `{{ range .Values.asked }}` +
		`{{ include (printf "outrigger-%s.notes.nextRuns" (include "outrigger.version" $)) . }}{{ "\n" }}{{ end }}`,
	}).RenderTexts(t, string(values))["shop/templates/NOTES.txt"]

	var answers [][]string
	for number, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		answer := []string{}
		for _, seconds := range strings.Fields(line) {
			at, err := strconv.ParseInt(seconds, 10, 64)
			require.NoError(t, err, line)
			answer = append(answer, time.Unix(at, 0).In(questions[number].time(t).Location()).Format(time.RFC3339))
		}
		answers = append(answers, answer)
	}
	require.Len(t, answers, len(questions))
	return answers
}

func (q question) time(t *testing.T) time.Time {
	t.Helper()
	location, err := time.LoadLocation(q.zone)
	require.NoError(t, err)
	at, err := time.Parse(time.RFC3339, q.after)
	require.NoError(t, err)
	return at.In(location)
}

func TestTheNextRunsInTheNotesAreThoseOfKubernetesCron(t *testing.T) {
	t.Parallel()
	var questions []question
	for _, schedule := range []string{
		"* * * * *", "17 3 * * *", "0 0 * * *", "30 2 * * *", "15 23 * * *", "*/15 * * * *", "0 */6 * * *", "45,5 2,1 * * *", "59 23 31 12 *",
		"0 4 * * 0", "0 3 * * SUN", "0 22 * * mon-Fri", "5/20 1,2,3 * * *", "10-40/7,50 0-3 1-7 Jan,jul *", "08 09 * * *",
		"0 0 1 * *", "30 1 31 * *", "0 0 29 2 *", "0 0 29 FEB ?", "0 0 30 2 *", "0 0 31 2,4,6,9,11 *",
		// Of the two fields of days one is enough, unless one of them begins with a star.
		"0 0 13 * 5", "0 0 13 * FRI-SAT", "0 0 */2 * 1", "0 0 */1 * 1", "0 0 1-31 * 1", "0 0 ? * 1", "0 0 *,3 * 1", "0 0 */2,* * 1", "0 12 29 2 1",
		"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually",
	} {
		for _, at := range []question{
			{zone: "UTC", after: "2027-12-31T23:59:30Z"},
			{zone: "UTC", after: "2028-02-28T12:00:00Z"},
			{zone: "Europe/Berlin", after: "2027-03-28T00:30:00+01:00"},
			{zone: "Europe/Berlin", after: "2026-10-25T02:10:00+02:00"},
			{zone: "America/New_York", after: "2026-11-01T01:30:00-04:00"},
			{zone: "Asia/Kathmandu", after: "2026-11-28T01:00:00+05:45"},
			{zone: "Africa/Casablanca", after: "2027-02-06T12:00:00+01:00"},
		} {
			questions = append(questions, question{at.zone, schedule, at.after})
		}
	}

	for number, answer := range nextRuns(t, questions) {
		q := questions[number]
		schedule, err := cron.ParseStandard(q.schedule)
		require.NoError(t, err, q.schedule)
		expected := []string{}
		for next := schedule.Next(q.time(t)); !next.IsZero() && len(expected) < 2; next = schedule.Next(next) {
			expected = append(expected, next.Format(time.RFC3339))
		}
		assert.Equal(t, expected, answer, fmt.Sprint(q))
	}
}

// What that means where clocks change, or where a date is rare.
func TestARunInTheNotesIsSkippedOrRepeatedWhereItIsInKubernetes(t *testing.T) {
	t.Parallel()
	questions := []question{
		{"Europe/Berlin", "30 2 * * *", "2027-03-27T12:00:00+01:00"},
		{"Europe/Berlin", "30 2 * * *", "2026-10-24T12:00:00+02:00"},
		{"UTC", "0 0 29 2 *", "2027-01-01T00:00:00Z"},
		{"UTC", "0 0 29 2 *", "2097-01-01T00:00:00Z"},
		{"UTC", "0 0 30 2 *", "2027-01-01T00:00:00Z"},
	}

	answers := nextRuns(t, questions)

	assert.Equal(t, [][]string{
		{"2027-03-29T02:30:00+02:00", "2027-03-30T02:30:00+02:00"},
		{"2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"},
		{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"},
		{},
		{},
	}, answers)
}

func TestTheNotesKnowTheZonesThatHelmKnows(t *testing.T) {
	t.Parallel()
	chart := harness.NewChart(t, map[string]string{"templates/NOTES.txt": `{{ range .Values.zones }}` +
		`{{ include (printf "outrigger-%s.notes.knowsZone" (include "outrigger.version" $)) . | default "false" }} {{ end }}`})
	ask := func(zones ...string) []string {
		values, err := json.Marshal(map[string]any{"zones": zones})
		require.NoError(t, err)
		return strings.Fields(chart.RenderTexts(t, string(values))["shop/templates/NOTES.txt"])
	}

	for _, known := range ask("UTC", "Etc/UTC", "Zulu", "GMT", "Etc/GMT+3", "Europe/Berlin", "Africa/Abidjan", "Antarctica/Troll", "EST5EDT") {
		assert.Equal(t, "true", known)
	}
	for _, unknown := range ask("Mars/Olympus", "Local", "local", "", "../UTC") {
		assert.Equal(t, "false", unknown)
	}
}

package render

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestAScheduleThatNoCronJobCanHaveIsRefusedWhereverItStands(t *testing.T) {
	t.Parallel()
	for schedule, message := range map[string]string{
		"61 * * * *":            `schedule is "61 * * * *", which is no cron expression; write five fields`,
		"0 3 * * 7":             `which is no cron expression; write five fields, such as "17 3 * * *"`,
		"17 3 * *":              `which is no cron expression`,
		"0 17 3 * * *":          `which is no cron expression`,
		"weekly":                `schedule is "weekly", which is no cron expression`,
		"*/0 * * * *":           `which is no cron expression`,
		"TZ=UTC 17 3 * * *":     `schedule is "TZ=UTC 17 3 * * *"; set timeZone to the time zone, and leave it out here`,
		"CRON_TZ=UTC 1 2 * * *": `set timeZone to the time zone`,
	} {
		for place, render := range placesOfSchedules(t) {
			message := message
			if _, key, deeper := strings.Cut(place, "/"); deeper {
				message = strings.Replace(message, "schedule is", key+".schedule is", 1)
			}
			assert.Contains(t, render(schedule), message, "%s: %s", place, schedule)
		}
	}
}

func TestEveryScheduleThatACronJobCanHaveIsTaken(t *testing.T) {
	t.Parallel()
	chart := jobsChart(t)
	for _, schedule := range []string{
		"17 3 * * *", "*/5 * * * *", "0-30/10,45 1,13 1-15,L * *", "0 0 1 jan,JUL mon-FRI", "? ? ? ? ?", "05 08 01 01 0", "59 23 31 12 6",
		"@daily", "@yearly", "@annually", "@monthly", "@weekly", "@midnight", "@hourly", "@every 1h30m", " 17  3 * * * ", "1-5,*/2 * * * SUN,tue-6/2",
	} {
		values := fmt.Sprintf("outrigger: {cronJobs: {report: {schedule: %q}}}", schedule)
		if strings.Contains(schedule, "L") && !strings.Contains(schedule, "JUL") {
			assert.Contains(t, chart.RenderError(t, values), "no cron expression", "the last day is another cron's")
			continue
		}
		chart.Render(t, values)
	}
}

// placesOfSchedules are the renders of charts by where their one schedule stands; each returns the message. What follows a
// slash is the key before schedule.
func placesOfSchedules(t *testing.T) map[string]func(schedule string) string {
	inBackup := func(old, format string) func(string) string {
		return func(schedule string) string {
			return harness.Consumer(t).RenderError(t, appPod+strings.Replace(nightly, old, fmt.Sprintf(format, schedule), 1))
		}
	}
	return map[string]func(string) string{
		"a CronJob": func(schedule string) string {
			return jobsChart(t).RenderError(t, fmt.Sprintf("outrigger: {cronJobs: {report: {schedule: %q}}}", schedule))
		},
		"a backup":      inBackup(`schedule: "17 3 * * *"`, "schedule: %q"),
		"a drill/drill": inBackup(`store:`, "drill: {schedule: %q, check: [select 1]}\n      store:"),
		"a prune/prune": inBackup(`store:`, "prune: {schedule: %q}\n      store:"),
	}
}

func TestABackupsNameIsOneThatItsCronJobsCanHave(t *testing.T) {
	t.Parallel()

	message := harness.Consumer(t).RenderError(t, strings.Replace(nightly, "nightly:", "Nightly:", 1)) // with no pod of the chart's

	assert.Contains(t, message, `outrigger.backups.Nightly: "Nightly" is no DNS label; rename the entry with lower case letters`)
}

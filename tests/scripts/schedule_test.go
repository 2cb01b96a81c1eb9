package scripts

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nextRun asks schedule.awk, in the zone, for the first match after a time.
func nextRun(t *testing.T, zone, expression string, after int64) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(appletDir, "busybox"), "awk", "-v", "expression="+expression,
		"-v", fmt.Sprint("after=", after), "-f", "../../library/outrigger/files/schedule.awk")
	command.Env = []string{"TZ=" + zone}
	var errorText strings.Builder
	command.Stderr = &errorText
	output, err := command.Output()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) && !assert.NoError(t, err) {
		return "", "", -1
	}
	return string(output), errorText.String(), command.ProcessState.ExitCode()
}

// Zones, and the years in which their clocks do what is hard: New York's and Berlin's change at night, São Paulo's and
// Cairo's at midnight, Lord Howe's by half an hour, Casablanca's for Ramadan; and Apia had no 30 December 2011.
var zones = []struct {
	name        string
	first, last int
}{
	{"UTC", 2015, 2035},
	{"Europe/Berlin", 2015, 2035},
	{"America/New_York", 2015, 2035},
	{"America/Sao_Paulo", 2017, 2019},
	{"Africa/Cairo", 2023, 2035},
	{"Australia/Lord_Howe", 2015, 2035},
	{"Asia/Kolkata", 2015, 2035},
	{"Asia/Kathmandu", 2015, 2035},
	{"Africa/Casablanca", 2018, 2035},
	{"Pacific/Apia", 2010, 2013},
}

// What people write, and what the parser takes although nobody would.
var expressions = []string{
	"* * * * *", "17 3 * * *", "0 0 * * *", "30 0 * * *", "0 1 * * *", "30 2 * * *", "15 23 * * *", "*/15 * * * *",
	"0 */6 * * *", "0 4 * * 0", "0 3 * * SUN", "0 22 * * mon-Fri", "0 0 1 * *", "30 1 31 * *", "0 0 29 2 *", "0 0 29 FEB ?",
	"0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 13 * 5", "0 0 13 * FRI-SAT", "0 0 */2 * 1", "0 0 */1 * 1", "0 0 1-31 * 1",
	"0 0 ? * 1", "0 0 *,3 * 1", "0 0 */2,* * 1", "0 12 29 2 1", "5/20 1,2,3 * * *", "10-40/7,50 0-3 1-7 Jan,jul *",
	"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually",
	"  08\t010  *-x\v1, ,1,,3\r", "+5 */99 * * *", "0 , * * *", "0 0 * , *", "0 0 , * 3", "0 0 , * ,", "59 23 31 12 *",
}

func TestNextRunsAreThoseOfRobfigCron(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewSource(1))
	questions := make(chan func())
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for question := range questions {
				question()
			}
		})
	}
	ask := func(zone int, expression string) {
		location, err := time.LoadLocation(zones[zone].name)
		require.NoError(t, err)
		schedule, err := cron.ParseStandard(expression)
		require.NoError(t, err, expression)
		after := startTime(random, location, zones[zone].first, zones[zone].last)
		if location.String() == "Pacific/Apia" && !everyDay(schedule) && after.Before(apiaSkips) {
			after = apiaSkips.Add(time.Duration(random.Intn(5e6)) * time.Second).In(location) // Next would never return
		}
		questions <- func() { compare(t, schedule, expression, after) }
	}
	for _, expression := range expressions {
		for zone := range zones {
			ask(zone, expression)
		}
	}
	for i := range 500 {
		expression := randomExpression(random)
		for j := range 2 {
			ask((i+j*5+i/5)%len(zones), expression)
		}
	}
	close(questions)
	workers.Wait()
}

func compare(t *testing.T, schedule cron.Schedule, expression string, after time.Time) {
	t.Helper()
	stdout, stderr, code := nextRun(t, after.Location().String(), expression, after.Unix())
	question := fmt.Sprintf("%q after %s, %d in %s", expression, after, after.Unix(), after.Location())
	next := schedule.Next(after)
	if next.IsZero() {
		assert.Equal(t, 3, code, question)
		assert.Empty(t, stdout, question)
		assert.Contains(t, stderr, fmt.Sprintf("schedule \"%s\": matches at no time in five years", expression), question)
		return
	}
	assert.Equalf(t, fmt.Sprintln(next.Unix()), stdout, "%s: expected %s", question, next)
	assert.Equal(t, 0, code, question)
	assert.Empty(t, stderr, question)
}

// What that means where clocks change, or where a match is rare.
func TestARunIsSkippedOrRepeatedWhereItIsInKubernetes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, expression, after, expected string }{
		// At a match it is the one after it that comes next.
		{"Europe/Berlin", "17 3 * * *", "2024-01-01T03:17:00+01:00", "2024-01-02T03:17:00+01:00"},
		{"Europe/Berlin", "17 3 * * *", "2024-01-01T03:16:59+01:00", "2024-01-01T03:17:00+01:00"},
		// A time that does not come is left out, and one that comes twice is taken twice.
		{"Europe/Berlin", "30 2 * * *", "2024-03-30T12:00:00+01:00", "2024-04-01T02:30:00+02:00"},
		{"Europe/Berlin", "30 2 * * *", "2024-10-27T02:30:00+02:00", "2024-10-27T02:30:00+01:00"},
		{"Australia/Lord_Howe", "0 2 * * *", "2024-10-05T12:00:00+10:30", "2024-10-07T02:00:00+11:00"},
		{"Australia/Lord_Howe", "45 1 * * *", "2024-04-07T01:45:00+11:00", "2024-04-07T01:45:00+10:30"},
		// Where midnight does not come, robfig/cron takes the day's times for those of the day before,
		{"America/Sao_Paulo", "0 0 * * *", "2018-11-03T12:00:00-03:00", "2018-11-05T00:00:00-02:00"},
		{"America/Sao_Paulo", "0 1 3 11 *", "2018-11-03T12:00:00-03:00", "2018-11-04T01:00:00-02:00"},
		// and east of Greenwich it leaves out the day, unless every day matches.
		{"Africa/Cairo", "0 3 * * 5", "2024-04-24T12:00:00+02:00", "2024-05-03T03:00:00+03:00"},
		{"Africa/Cairo", "0 3 * * *", "2024-04-25T12:00:00+02:00", "2024-04-26T03:00:00+03:00"},
		{"Pacific/Apia", "0 12 * * *", "2011-12-29T12:00:00-10:00", "2011-12-31T12:00:00+14:00"},
		// It looks five years ahead, and to the end of the fifth.
		{"UTC", "0 0 29 2 *", "2099-01-01T00:00:00Z", "2104-02-29T00:00:00Z"},
		{"UTC", "0 0 29 2 *", "2098-12-31T23:59:58Z", ""},
	} {
		location, err := time.LoadLocation(c.zone)
		require.NoError(t, err)
		after, err := time.Parse(time.RFC3339, c.after)
		require.NoError(t, err)
		schedule, err := cron.ParseStandard(c.expression)
		require.NoError(t, err)

		expected := ""
		if next := schedule.Next(after.In(location)); !next.IsZero() {
			expected = next.Format(time.RFC3339)
		}
		assert.Equal(t, c.expected, expected, "%q: robfig/cron", c.expression)

		stdout, stderr, _ := nextRun(t, c.zone, c.expression, after.Unix())
		answer := ""
		if seconds, err := strconv.ParseInt(strings.TrimSpace(stdout), 10, 64); err == nil {
			answer = time.Unix(seconds, 0).In(location).Format(time.RFC3339)
		}
		assert.Equal(t, c.expected, answer, "%q: %s", c.expression, stderr)
	}
}

// Where a zone crosses the date line it has no midnight that a day may be counted to: robfig/cron's Next never returns.
func TestADayThatAZoneSkippedDoesNotHoldTheSearchUp(t *testing.T) {
	t.Parallel()
	after := apiaSkips.Add(-36 * time.Hour)
	for expression, expected := range map[string]string{
		"0 0 31 12 *": "2011-12-31T00:00:00+14:00",
		"0 3 30 * *":  "2012-01-30T03:00:00+14:00",
		"5 4 * * 5":   "2012-01-06T04:05:00+14:00", // the day that is missing was a Friday
	} {
		next, err := time.Parse(time.RFC3339, expected)
		require.NoError(t, err)
		stdout, _, _ := nextRun(t, "Pacific/Apia", expression, after.Unix())
		assert.Equal(t, fmt.Sprintln(next.Unix()), stdout, expression)
	}
}

func TestAScheduleThatCannotBeTakenIsRefusedWithItsMend(t *testing.T) {
	t.Parallel()
	const fields = "five, which are minute, hour, day of month, month and day of week"
	for expression, expected := range map[string]string{
		"":                             `it has 0 fields: write ` + fields,
		"0 3 * *":                      `it has 4 fields: write ` + fields,
		"0 0 3 * * *":                  `it has 6 fields: write ` + fields,
		" @daily":                      `it has 1 fields: write ` + fields,
		"@Daily":                       `there is no such name: write @hourly, @daily, @weekly, @monthly, @yearly, or five fields`,
		"@reboot":                      `there is no such name: write @hourly, @daily, @weekly, @monthly, @yearly, or five fields`,
		"60 3 * * *":                   `the minute "60" is above 59: write 0 to 59`,
		"0 0-24 * * *":                 `the hour "0-24" is above 23: write 0 to 23`,
		"0 3 0 * *":                    `the day of month "0" is below 1: write 1 to 31`,
		"0 3 * 5,13 *":                 `the month "13" is above 12: write 1 to 12 or JAN to DEC`,
		"0 3 * * 7":                    `the day of week "7" is above 6: write 0 to 6 or SUN to SAT, Sunday is 0`,
		"0 3 * * 8":                    `the day of week "8" is above 6: write 0 to 6 or SUN to SAT`,
		"0 3 * * MONDAY":               `the day of week "MONDAY" is no number: write 0 to 6 or SUN to SAT`,
		"0 3 * MON *":                  `the month "MON" is no number: write 1 to 12 or JAN to DEC`,
		"-5 3 * * *":                   `the minute "-5" is no number: write 0 to 59`,
		"1.5 3 * * *":                  `the minute "1.5" is no number: write 0 to 59`,
		"0 22-4 * * *":                 `the hour "22-4" goes backwards: write 22-23,0-4`,
		"0 3 * * FRI-SUN":              `the day of week "FRI-SUN" goes backwards: write 5-6,0-0`,
		"1-2-3 3 * * *":                `the minute "1-2-3" has more than one hyphen: write a range as 1-5`,
		"*/5/2 3 * * *":                `the minute "*/5/2" has more than one slash: write a step as */5 or 1-20/5`,
		"*/0 3 * * *":                  `the minute "*/0" has a step of 0: write a step of 1 or more`,
		"0 3 * */JAN *":                `the month "*/JAN" has a step that is no number: write */5, say`,
		"0 3 * * 1-5/":                 `the day of week "1-5/" has a step that is no number: write */5, say`,
		"L 3 * * *":                    `the minute "L" is no number: write 0 to 59`,
		"0 3 99999999999999999999 * *": `the day of month "99999999999999999999" is above 31: write 1 to 31`,
	} {
		_, err := cron.ParseStandard(expression)
		require.Error(t, err, expression)
		refused(t, expression, expected)
	}
	// The parser takes these, but Kubernetes has a field for the one, and the other has no time of its own.
	for expression, expected := range map[string]string{
		"TZ=UTC 0 3 * * *":                "a time zone has no place in it: set timeZone, and write the five fields alone",
		"CRON_TZ=Europe/Berlin 0 3 * * *": "a time zone has no place in it: set timeZone, and write the five fields alone",
		"@every 1h":                       "@every counts from the start and keeps to no clock: write @hourly, or five fields such as 0 */6 * * *",
	} {
		_, err := cron.ParseStandard(expression)
		require.NoError(t, err, expression)
		refused(t, expression, expected)
	}
}

func refused(t *testing.T, expression, message string) {
	t.Helper()
	stdout, stderr, code := nextRun(t, "UTC", expression, 1700000000)
	assert.Equal(t, fmt.Sprintf("schedule \"%s\": %s\n", expression, message), stderr)
	assert.Empty(t, stdout, expression)
	assert.Equal(t, 2, code, expression)
}

func TestWhatIsRefusedIsWhatRobfigCronRefuses(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewSource(2))
	const characters = "*/-,?0137 +xj"
	refusals := 0
	for range 300 {
		text := []byte(randomExpression(random))
		text[random.Intn(len(text))] = characters[random.Intn(len(characters))]
		_, err := cron.ParseStandard(string(text))
		_, stderr, code := nextRun(t, "UTC", string(text), 1700000000)
		assert.Equalf(t, err != nil, code == 2, "%q: %v; %s", text, err, stderr)
		if err != nil {
			refusals++
		}
	}
	assert.Greater(t, refusals, 50)
	assert.Less(t, refusals, 250, "too few expressions are taken")
}

// Apia went from the end of 29 December 2011 to the start of the 31st.
var apiaSkips = time.Date(2011, 12, 30, 10, 0, 0, 0, time.UTC)

func everyDay(schedule cron.Schedule) bool {
	const month, week = 1<<32 - 1<<1, 1<<7 - 1
	s := schedule.(*cron.SpecSchedule)
	return s.Dom&month == month && s.Dow&week == week
}

// startTime is any time in the years, and more often than not one within two days of a clock change.
func startTime(random *rand.Rand, location *time.Location, first, last int) time.Time {
	from, to := time.Date(first, 1, 1, 0, 0, 0, 0, location), time.Date(last+1, 1, 1, 0, 0, 0, 0, location)
	start := from.Add(time.Duration(random.Int63n(int64(to.Sub(from))))).Truncate(time.Second)
	_, change := start.ZoneBounds()
	if change.IsZero() || random.Intn(3) == 0 {
		return start
	}
	near := []time.Duration{48 * time.Hour, 3 * time.Hour, time.Minute}[random.Intn(3)]
	return change.Add(-near + time.Duration(random.Int63n(int64(2*near)))).Truncate(time.Second)
}

var fieldsOfExpressions = []struct {
	low, high int
	names     []string
}{
	{0, 59, nil},
	{0, 23, nil},
	{1, 31, nil},
	{1, 12, strings.Fields("jan Feb MAR apr may jun jul aug sep oct nov DEC")},
	{0, 6, strings.Fields("sun MON Tue wed thu fri sat")},
}

func randomExpression(random *rand.Rand) string {
	var fields []string
	for i := range fieldsOfExpressions {
		if random.Intn(3) == 0 {
			fields = append(fields, "*")
			continue
		}
		var ranges []string
		for range 1 + max(0, random.Intn(5)-2) {
			ranges = append(ranges, randomRange(random, i))
		}
		fields = append(fields, strings.Join(ranges, ","))
	}
	return strings.Join(fields, " ")
}

func randomRange(random *rand.Rand, field int) string {
	f := fieldsOfExpressions[field]
	write := func(value int) string {
		if f.names != nil && random.Intn(2) == 0 {
			return f.names[value-f.low]
		}
		return fmt.Sprint(value)
	}
	from := f.low + random.Intn(f.high-f.low+1)
	to := from + random.Intn(f.high-from+1)
	step := 1 + random.Intn(f.high/2)
	switch random.Intn(7) {
	case 0:
		return fmt.Sprint("*/", step)
	case 1:
		return "?"
	case 2:
		return write(from) + "-" + write(to)
	case 3:
		return fmt.Sprint(write(from), "-", write(to), "/", step)
	case 4:
		return fmt.Sprint(write(from), "/", step)
	default:
		return write(from)
	}
}

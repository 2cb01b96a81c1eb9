package scripts

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// forgotten returns which of the snapshots, named by their times, backup-keep.awk says need not be kept.
func forgotten(t *testing.T, keep string, times []time.Time) []string {
	t.Helper()
	var list strings.Builder
	for _, each := range times {
		fmt.Fprintf(&list, "%d %s\n", each.Unix(), each.Format("2006-01-02T15"))
	}
	command := exec.Command(filepath.Join(appletDir, "busybox"), "awk", "-v", "keep="+keep, "-f", "../../library/outrigger/files/backup-keep.awk")
	command.Env = []string{"TZ=UTC"}
	command.Stdin = strings.NewReader(list.String())
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return strings.Fields(string(output))
}

// kept returns the snapshots that are left.
func kept(t *testing.T, keep string, times []time.Time) []string {
	t.Helper()
	gone := map[string]bool{}
	for _, name := range forgotten(t, keep, times) {
		gone[name] = true
	}
	var left []string
	for _, each := range times {
		if name := each.Format("2006-01-02T15"); !gone[name] {
			left = append(left, name)
		}
	}
	return left
}

func TestOfSixtyDaysExactlyTheRightSnapshotsRemain(t *testing.T) {
	t.Parallel()
	var days []time.Time
	for day := range 60 {
		days = append(days, time.Date(2026, 1, 1+day, 3, 0, 0, 0, time.UTC)) // to 1 March, a Sunday
	}
	for keep, want := range map[string]string{
		"--keep-last 1":                   "2026-03-01T03",
		"--keep-last 3":                   "2026-02-27T03 2026-02-28T03 2026-03-01T03",
		"--keep-daily 2":                  "2026-02-28T03 2026-03-01T03",
		"--keep-weekly 3":                 "2026-02-15T03 2026-02-22T03 2026-03-01T03",
		"--keep-monthly 2":                "2026-02-28T03 2026-03-01T03",
		"--keep-monthly 9":                "2026-01-01T03 2026-01-31T03 2026-02-28T03 2026-03-01T03",
		"--keep-yearly 4":                 "2026-01-01T03 2026-03-01T03",
		"--keep-last 1 --keep-weekly 2":   "2026-02-22T03 2026-03-01T03",
		"--keep-daily 3 --keep-monthly 2": "2026-02-27T03 2026-02-28T03 2026-03-01T03",
	} {
		assert.Equal(t, strings.Fields(want), kept(t, keep, days), keep)
	}
}

func TestOfOneDayTheNewestSnapshotIsKept(t *testing.T) {
	t.Parallel()
	var hours []time.Time
	for hour := range 30 {
		hours = append(hours, time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC))
	}

	assert.Equal(t, []string{"2026-01-01T23", "2026-01-02T05"}, kept(t, "--keep-daily 2", hours))
	assert.Equal(t, []string{"2026-01-01T00", "2026-01-01T23", "2026-01-02T05"}, kept(t, "--keep-daily 7", hours), "the oldest, as there are no seven days")
	assert.Equal(t, []string{"2026-01-02T04", "2026-01-02T05"}, kept(t, "--keep-hourly 2", hours))
	assert.Empty(t, kept(t, "--keep-daily 7", nil))
}

func TestOfSixtyDaysByEachPolicyTheSnapshotsThatItsRuleSaysAreKept(t *testing.T) {
	t.Parallel()
	var days []time.Time
	for _, at := range sixtyDays() {
		if at.Minute() != 47 { // two of one hour would have one name
			days = append(days, at)
		}
	}
	for _, policy := range policies {
		var want []string
		for _, at := range policy.keeps(days) {
			want = append(want, at.Format("2006-01-02T15"))
		}

		assert.Equal(t, want, kept(t, policy.options(t), days), "%v", policy)
	}
}

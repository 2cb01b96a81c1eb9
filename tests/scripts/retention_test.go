package scripts

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// storePrograms returns the folder of the programs that keep backups, as the tests' images have them.
var storePrograms = sync.OnceValues(func() (string, error) {
	return rig.Tools(context.Background(), os.Stderr, "restic", "rclone")
})

// archive is a store of backups on this machine, in a folder of its own, into which the real program of the store puts them.
type archive struct {
	t            *testing.T
	kind, folder string
}

// newArchive makes an empty store. The key of the repository is one that restic's own tests would make (`restic init
// --insecure-kdf` of its debug build): to derive any other takes half a second at each call.
func newArchive(t *testing.T, kind string) *archive {
	t.Helper()
	a := &archive{t, kind, t.TempDir()}
	if kind != "restic" {
		return a
	}
	for _, folder := range []string{"data", "index", "keys", "locks", "snapshots"} {
		require.NoError(t, os.Mkdir(filepath.Join(a.folder, folder), 0o755))
	}
	for file, name := range map[string]func(content []byte) string{
		"config":   func([]byte) string { return "config" },
		"key.json": func(content []byte) string { return fmt.Sprintf("keys/%x", sha256.Sum256(content)) },
	} {
		content, err := os.ReadFile(filepath.Join("testdata/repository", file))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(a.folder, name(content)), content, 0o644))
	}
	return a
}

// copied returns another store with the same content.
func (a *archive) copied(t *testing.T) *archive {
	t.Helper()
	other := &archive{t, a.kind, filepath.Join(t.TempDir(), "store")}
	require.NoError(t, os.CopyFS(other.folder, os.DirFS(a.folder)))
	return other
}

// instance is what an instance of an app's backs up into an archive.
type instance struct {
	*backup
	archive *archive
}

// instance returns a backup into the archive by its name there. Its databases are one a line.
func (a *archive) instance(name string, env ...string) *instance {
	a.t.Helper()
	programs, err := storePrograms()
	require.NoError(a.t, err)
	b := newBackup(a.t, append([]string{
		"BACKUP=" + name, "STORE=" + a.kind, "REMOTE=" + a.folder,
		"RESTIC_REPOSITORY=" + a.folder, "RESTIC_PASSWORD=password",
	}, env...)...)
	busybox := filepath.Join(appletDir, "busybox")
	for tool, script := range map[string]string{
		// The clock is what CLOCK says it is, in seconds.
		"busybox": `case "$# $1 ${2%%[!+]*}" in '2 date +') set -- date -d "@$CLOCK" "$2" ;; esac
exec ` + busybox + ` "$@"`,
		"restic": `echo "restic $*" >>"$CALLS"
case " $* " in *' backup '*) set -- --time="$(` + busybox + ` date -d "@$CLOCK" '+%Y-%m-%d %H:%M:%S')" "$@" ;; esac
exec ` + filepath.Join(programs, "restic") + ` "$@"`,
		"rclone": `exec ` + filepath.Join(programs, "rclone") + ` "$@"`,
		"pg_dump": `case $* in
--version) echo "pg_dump (PostgreSQL) 15.20" ;;
*"dbname='${DUMP_FAILS:-none}'"*) echo PGDMP, half of one; exit 1 ;;
*) echo "PGDMP of $*" ;;
esac`,
		"pg_restore": `cat >/dev/null; exit "${VERIFY_EXIT:-0}"`,
	} {
		path := filepath.Join(b.dir, "tools", tool)
		require.NoError(a.t, os.RemoveAll(path)) // busybox is a link
		require.NoError(a.t, os.WriteFile(path, []byte("#!"+filepath.Join(appletDir, "sh")+"\n"+script+"\n"), 0o755))
	}
	return &instance{b, a}
}

// backUp runs the backup at a time with what else its environment is then, and returns what it reported.
func (i *instance) backUp(at time.Time, env ...string) (reported map[string]any, code int) {
	i.t.Helper()
	then := *i.backup
	then.env = append(append(slices.Clone(i.env), fmt.Sprintf("CLOCK=%d", at.Unix())), env...)
	return then.run("run")
}

// snapshots returns the times of the snapshots that the archive has of each "BACKUP FILE", as the store itself tells them.
func (a *archive) snapshots() map[string][]string {
	a.t.Helper()
	found := map[string][]string{}
	if a.kind == "restic" {
		a.resticSnapshots(found)
	} else {
		a.plainFiles(found)
	}
	for _, times := range found {
		slices.Sort(times)
	}
	return found
}

func (a *archive) resticSnapshots(found map[string][]string) {
	a.t.Helper()
	programs, err := storePrograms()
	require.NoError(a.t, err)
	command := exec.Command(filepath.Join(programs, "restic"), "-r", a.folder, "--no-cache", "--no-lock", "snapshots", "--json")
	command.Env = []string{"RESTIC_PASSWORD=password"}
	output, err := command.Output()
	require.NoError(a.t, err, "%s", output)
	var all []struct {
		Time     time.Time
		Hostname string
		Paths    []string
	}
	require.NoError(a.t, json.Unmarshal(output, &all), "%s", output)
	for _, snapshot := range all {
		key := snapshot.Hostname + " " + strings.TrimPrefix(strings.Join(snapshot.Paths, " "), "/")
		found[key] = append(found[key], minute(snapshot.Time))
	}
}

// plainFiles finds the dumps: there must be nothing but dumps and their manifests.
func (a *archive) plainFiles(found map[string][]string) {
	a.t.Helper()
	require.NoError(a.t, filepath.WalkDir(a.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		dump, isManifest := strings.CutSuffix(path, ".manifest.json")
		if !isManifest {
			assert.FileExists(a.t, path+".manifest.json")
			return nil
		}
		assert.FileExists(a.t, dump)
		name, err := filepath.Rel(a.folder, dump)
		if err != nil {
			return err
		}
		parts := strings.Split(name, "/")
		require.Len(a.t, parts, 3, name)
		at, err := time.Parse("20060102T150405Z", parts[2][:16])
		found[parts[0]+" "+parts[1]] = append(found[parts[0]+" "+parts[1]], minute(at))
		return err
	}))
}

func minute(at time.Time) string { return at.UTC().Format("2006-01-02T15:04") }

func minutes(times []time.Time) []string {
	var texts []string
	for _, at := range times {
		texts = append(texts, minute(at))
	}
	return texts
}

// sixtyDays are the times of backups: one in each night, three on each seventh day and so on the last one, and none in a week
// that nobody could back up in. A year ends in them, in the middle of a week.
func sixtyDays() []time.Time {
	var times []time.Time
	for day := range 60 {
		at := time.Date(2025, 12, 12+day, 3, 17, 0, 0, time.UTC)
		switch {
		case day >= 30 && day < 37:
		case day%7 == 3:
			times = append(times, at, at.Add(30*time.Minute), at.Add(12*time.Hour))
		default:
			times = append(times, at)
		}
	}
	return times
}

// policy is what the values have at keep.
type policy map[string]int

var policies = []policy{
	{"last": 1},
	{"last": 5, "minimum": 9},
	{"minimum": 4, "daily": 2},
	{"hourly": 5},
	{"daily": 7},
	{"weekly": 8},
	{"monthly": 2},
	{"monthly": 12},
	{"yearly": 2},
	{"yearly": 3},
	{"last": 3, "daily": 7, "weekly": 5, "monthly": 12},
	{"hourly": 4, "daily": 30, "yearly": 1},
}

// options returns what the library makes of a policy for the store.
func (p policy) options(t *testing.T) string {
	t.Helper()
	values, err := json.Marshal(p)
	require.NoError(t, err)
	for _, object := range harness.Consumer(t).RenderMaps(t, fmt.Sprintf(`
outrigger:
  backups:
    nightly:
      schedule: "17 3 * * *"
      postgres: {image: "postgres:15", host: db, secret: db, database: app}
      store: {restic: {repository: /repository, secret: restic}}
      keep: %s
`, values)) {
		if text, _ := json.Marshal(object); strings.Contains(string(text), `"KEEP"`) {
			_, after, _ := strings.Cut(string(text), `{"name":"KEEP","value":"`)
			options, _, _ := strings.Cut(after, `"`)
			return options
		}
	}
	require.Fail(t, "no variable KEEP", "%s", values)
	return ""
}

// keeps is the rule as restic's manual has it, and says which of some snapshots are kept, oldest first: of each of the last
// so many hours, days, weeks, … that have a snapshot, the newest; and where there are not that many, the oldest
// snapshot too. What any of the options keeps is kept.
func (p policy) keeps(times []time.Time) []time.Time {
	periods := map[string]func(time.Time) time.Time{
		"last":   func(at time.Time) time.Time { return at },
		"hourly": func(at time.Time) time.Time { return at.Truncate(time.Hour) },
		"daily":  midnight,
		"weekly": func(at time.Time) time.Time {
			return midnight(at).AddDate(0, 0, -(int(at.Weekday())+6)%7) // its Monday
		},
		"monthly": func(at time.Time) time.Time { return time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC) },
		"yearly":  func(at time.Time) time.Time { return time.Date(at.Year(), 1, 1, 0, 0, 0, 0, time.UTC) },
	}
	counts := policy{"last": max(1, p["minimum"], p["last"])}
	for option, count := range p {
		if option != "last" && option != "minimum" {
			counts[option] = count
		}
	}
	kept := map[time.Time]bool{}
	for option, count := range counts {
		newest := map[time.Time]time.Time{}
		for _, at := range times {
			period := periods[option](at)
			if at.After(newest[period]) {
				newest[period] = at
			}
		}
		var each []time.Time
		for _, at := range newest {
			each = append(each, at)
		}
		slices.SortFunc(each, func(a, b time.Time) int { return b.Compare(a) })
		if len(each) < count && len(times) > 0 {
			kept[times[0]] = true
		}
		for _, at := range each[:min(count, len(each))] {
			kept[at] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(times), func(at time.Time) bool { return !kept[at] })
}

func midnight(at time.Time) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
}

// The neighbours share the archive, and their names begin as others do. demo-app keeps everything so far.
const (
	bothDatabases = "DATABASES=app\napp_prod"
	app           = "demo-app app.dump"
	appProd       = "demo-app app_prod.dump"
	neighbour     = "demo-app-prod app.dump"
)

// neighbourKeeps is the policy by which the neighbour's are removed after each of its backups.
var neighbourKeeps = policy{"last": 2, "daily": 3, "weekly": 2}

// filled returns an archive after sixty days, but for demo-app's last backup, with the times at which each file was backed
// up. app is backed up at all of the times, app_prod and the neighbour at every fourth.
func filled(t *testing.T, kind string) (a *archive, times map[string][]time.Time) {
	t.Helper()
	a = newArchive(t, kind)
	demo, prod := a.instance("demo-app"), a.instance("demo-app-prod", "DATABASES=app", "KEEP="+neighbourKeeps.options(t))
	times = map[string][]time.Time{}
	all := sixtyDays()
	for number, at := range all[:len(all)-1] {
		databases := "DATABASES=app"
		times[app] = append(times[app], at)
		if number%4 == 0 {
			databases = bothDatabases
			times[appProd] = append(times[appProd], at)
			times[neighbour] = append(times[neighbour], at)
			_, code := prod.backUp(at)
			require.Zero(t, code)
		}
		_, code := demo.backUp(at, databases)
		require.Zero(t, code)
	}
	return a, times
}

func TestOfSixtyDaysInARepositoryExactlyTheRightSnapshotsRemainAndNobodyElsesAreTouched(t *testing.T) {
	t.Parallel()
	requireOfSixtyDaysWhatIsKept(t, "restic", policies)
}

func TestOfSixtyDaysInAFolderExactlyTheRightFilesRemainAndNobodyElsesAreTouched(t *testing.T) {
	t.Parallel()
	requireOfSixtyDaysWhatIsKept(t, "files", []policy{policies[2], policies[10]}) // of all of them, backup-keep.awk has a test of its own
}

// requireOfSixtyDaysWhatIsKept requires of each policy that the sixtieth day's backup removes what it is to, and no more.
func requireOfSixtyDaysWhatIsKept(t *testing.T, kind string, chosen []policy) {
	t.Helper()
	archive, times := filled(t, kind)
	last := sixtyDays()[len(sixtyDays())-1]
	require.Equal(t, map[string][]string{
		app:       minutes(times[app]),
		appProd:   minutes(times[appProd]),
		neighbour: minutes(neighbourKeeps.keeps(times[neighbour])),
	}, archive.snapshots(), "before anything of demo-app is removed")

	for _, policy := range chosen {
		t.Run(fmt.Sprint(policy), func(t *testing.T) {
			t.Parallel()
			archive := archive.copied(t)

			_, code := archive.instance("demo-app", bothDatabases, "KEEP="+policy.options(t)).backUp(last)

			assert.Zero(t, code)
			assert.Equal(t, map[string][]string{
				app:       minutes(policy.keeps(append(slices.Clone(times[app]), last))),
				appProd:   minutes(policy.keeps(append(slices.Clone(times[appProd]), last))),
				neighbour: minutes(neighbourKeeps.keeps(times[neighbour])),
			}, archive.snapshots())
		})
	}
}

func TestNothingIsRemovedFromAStoreUnlessEveryFileIsSavedAndVerified(t *testing.T) {
	t.Parallel()
	for kind, faults := range map[string]map[string]string{
		"restic": {"the first dump fails": "DUMP_FAILS=app", "the last dump fails": "DUMP_FAILS=app_prod"},
		"files":  {"the first dump fails": "DUMP_FAILS=app", "the last dump fails": "DUMP_FAILS=app_prod", "a dump is not whole": "VERIFY_EXIT=1"},
	} {
		archive := newArchive(t, kind)
		demo := archive.instance("demo-app", bothDatabases)
		for _, at := range sixtyDays()[:4] {
			_, code := demo.backUp(at)
			require.Zero(t, code)
		}
		before := archive.snapshots()
		require.Len(t, before[app], 4)

		for fault, setting := range faults {
			t.Run(kind+", "+fault, func(t *testing.T) {
				archive := archive.copied(t)

				reported, code := archive.instance("demo-app", bothDatabases, "KEEP=--keep-last 1").backUp(sixtyDays()[4], setting)

				assert.NotZero(t, code)
				assert.Equal(t, "failure", reported["result"])
				after := archive.snapshots()
				assert.Subset(t, after[app], before[app])
				assert.Equal(t, before[appProd], after[appProd])
			})
		}
	}
}

func TestABackupIntoPlainFilesThatSucceedsSaysNothingButItsLine(t *testing.T) {
	t.Parallel()
	command := newArchive(t, "files").instance("demo-app", bothDatabases, "KEEP=--keep-last 1", fmt.Sprintf("CLOCK=%d", sixtyDays()[0].Unix())).command("run")

	output, err := command.CombinedOutput()

	require.NoError(t, err, "%s", output)
	assert.Len(t, splitLines(string(output)), 1, "%s", output)
}

func TestWhatAPlainFilesRunThatWasCutOffHasLeftIsRemovedADayLater(t *testing.T) {
	t.Parallel()
	archive := newArchive(t, "files")
	at := sixtyDays()[3]
	leave := func(folder, name string) string {
		path := filepath.Join(archive.folder, folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte("half of a dump"), 0o644))
		return path
	}
	yesterday, today := at.Add(-25*time.Hour).Format("20060102T150405Z")+"-x7k2p", at.Add(-time.Hour).Format("20060102T150405Z")+"-x7k2p"
	old := []string{leave("demo-app/.staging/app.dump", yesterday), leave("demo-app/app.dump", yesterday)}
	others := []string{leave("demo-app/.staging/app.dump", today), leave("demo-app-prod/.staging/app.dump", yesterday), leave("demo-app/notes", "1.txt")}

	_, code := archive.instance("demo-app", "DATABASES=app", "KEEP=--keep-last 1").backUp(at)

	assert.Zero(t, code)
	for _, path := range old {
		assert.NoFileExists(t, path)
	}
	for _, path := range others {
		assert.FileExists(t, path, "it may belong to somebody")
	}
	assert.Len(t, glob(t, archive.folder, "demo-app/app.dump/*"), 2, "the dump and its manifest")
}

func glob(t *testing.T, folder, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, pattern))
	require.NoError(t, err)
	return found
}

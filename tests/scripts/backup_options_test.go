package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// standIn puts a script in the place of one of the backup's tools.
func (b *backup) standIn(name, script string) {
	b.t.Helper()
	require.NoError(b.t, os.WriteFile(filepath.Join(b.dir, "tools", name), []byte("#!"+filepath.Join(appletDir, "sh")+"\n"+script+"\n"), 0o755))
}

// The repository is locked, for good or until somebody waits for it.
const lockedRestic = `cd "$(dirname "$CALLS")"
waits=; case $1 in --retry-lock=*) waits=' waits'; shift ;; esac
echo "$1$waits" >>"$CALLS"
[ "$waits" != " ${UNLOCKED_BY-}" ] || : >unlocked
case $1 in unlock | list) exit ;; esac
[ -e unlocked ] || { echo 'unable to create lock in backend: repository is already locked exclusively by PID 7 on other by root (UID 0, GID 0)'; echo "lock was created at 2026-11-21 21:35:03 (${AGE:-1s} ago)"; exit 11; } >&2
case $1 in
backup) while [ "$1" != -- ]; do shift; done; shift; "$@" >/dev/null; echo '{"snapshot_id":"0123456789abcdef","total_bytes_processed":60,"data_added_packed":7}' ;;
esac`

func TestAPruneOfItsOwnAsksNoDatabase(t *testing.T) {
	t.Parallel()
	b := newBackup(t, "PRUNE_APART=yes")
	b.standIn("psql", `echo psql >>"$CALLS"; exit 1`)
	b.standIn("restic", `echo "$*" >>"$CALLS"`)

	reported, code := b.run("prune")

	assert.Zero(t, code)
	assert.Equal(t, "prune", reported["task"])
	assert.Equal(t, "success", reported["result"])
	assert.Equal(t, "prune --quiet", b.calls())
}

func TestABackupOnlyForgetsWhereAPruneOfItsOwnFollows(t *testing.T) {
	t.Parallel()
	for apart, options := range map[string]string{
		"yes": "forget --quiet --host default/demo-shop-nightly --tag outrigger --group-by host,paths --keep-last 3",
		"":    "forget --quiet --prune --host default/demo-shop-nightly --tag outrigger --group-by host,paths --keep-last 3",
	} {
		b := newBackup(t, "KEEP=--keep-last 3", "PRUNE_APART="+apart)
		b.standIn("restic", `case $1 in backup) echo '{"snapshot_id":"0123456789abcdef","total_bytes_processed":60,"data_added_packed":7}' ;; *) echo "$*" >>"$CALLS" ;; esac`)

		_, code := b.run("run")

		assert.Zero(t, code)
		assert.Equal(t, options, b.calls())
	}
}

func TestARepositoryThatIsLockedIsWaitedForAndAnOldLockRemoved(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ task, age, calls string }{
		"a backup":                        {"run", "51.337526ms", "backup, backup waits, dump"},
		"a backup, for more than a while": {"run", "29m59.5s", "backup, backup waits, dump"},
		"a backup after a killed prune":   {"run", "30m0.5s", "backup, list, unlock, backup waits, dump"},
		"a prune":                         {"prune", "35ms", "prune, prune waits"},
		"a prune after a killed backup":   {"prune", "2h0m1.2s", "prune, list, unlock, prune waits"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackup(t, "AGE="+test.age, "UNLOCKED_BY=waits")
			b.standIn("restic", lockedRestic)

			reported, code := b.run(test.task)

			assert.Zero(t, code)
			assert.Equal(t, "success", reported["result"])
			assert.Equal(t, test.calls, b.calls(), "the dump does not begin before")
		})
	}
}

func TestWhereLocksComeAndGoTheRunTriesAgain(t *testing.T) {
	t.Parallel()
	for _, said := range []string{"The specified key does not exist.", "open /repository/locks/0a: no such file or directory", "file 0a not found"} {
		b := newBackup(t)
		b.standIn("restic", `echo "$1" >>"$CALLS"
[ "$(cat "$CALLS")" != backup ] || { echo '{"message_type":"exit_error","code":1,"message":"unable to create lock in backend: `+said+`"}' >&2; exit 1; }
while [ "$1" != -- ]; do shift; done; shift; "$@" >/dev/null; echo '{"snapshot_id":"0123456789abcdef","total_bytes_processed":60,"data_added_packed":7}'`)

		reported, code := b.run("run")

		assert.Zero(t, code, said)
		assert.Equal(t, "success", reported["result"])
		assert.Equal(t, "backup, backup, dump", b.calls())
	}
}

func TestARepositoryThatStaysLockedIsTheStoresFailure(t *testing.T) {
	t.Parallel()
	for task, message := range map[string]string{
		"run":   "shop.dump was not backed up: repository is already locked exclusively by PID 7 on other by root ",
		"prune": "the repository was not pruned: repository is already locked exclusively by PID 7 on other by root ",
	} {
		b := newBackup(t)
		b.standIn("restic", lockedRestic)

		reported, code := b.run(task)

		assert.Equal(t, 3, code, task)
		assert.Equal(t, message, reported["message"])
		assert.NotContains(t, b.calls(), "dump")
	}
}

func TestFurtherTagsAreThoseOfTheSnapshotAndNotOfTheSearch(t *testing.T) {
	t.Parallel()
	for tags, saved := range map[string]string{"": "--tag outrigger", "shop,of two words": "--tag outrigger,shop,of two words"} {
		b := newBackup(t, "KEEP=--keep-last 3", "TAGS="+tags)
		b.standIn("restic", `echo "$1 $*" | sed 's/ .*\( --tag .*\) --\(stdin-filename\|group-by\) .*/\1/' >>"$CALLS"
case $1 in backup) echo '{"snapshot_id":"0123456789abcdef","total_bytes_processed":60,"data_added_packed":7}' ;; esac`)

		_, code := b.run("run")

		assert.Zero(t, code)
		assert.Equal(t, "backup "+saved+", forget --tag outrigger", b.calls())
	}
}

// A pg_dump that writes a folder, and then fails where DUMP_EXIT says so; a restic that keeps what it is given as stored;
// a pg_restore that says what is in the folder it is given, of a database that has nothing of its own.
var parallel = map[string]string{
	"pg_dump": `case $1 in --version) echo "pg_dump (PostgreSQL) 15.20"; exit ;; esac
for option; do case $option in --file=*) folder=${option#--file=} ;; --jobs=* | --format=*) echo "$option" >>"$CALLS" ;; esac; done
mkdir "$folder" && echo contents >"$folder/toc.dat" && echo rows >"$folder/1.dat"; exit "${DUMP_EXIT:-0}"`,
	"restic": `cd "$(dirname "$CALLS")"
case $1 in
backup) echo "$*" | sed 's/.*--stdin-filename \([^ ]*\) .*/\1/' >>"$CALLS"
  while [ "$1" != -- ]; do shift; done; shift
  "$@" >stored || { echo "Fatal: command failed: exit status 1" >&2; exit 1; }
  echo '{"snapshot_id":"0123456789abcdef","total_bytes_processed":60,"data_added_packed":7}' ;;
snapshots) printf '[%s]' "$SNAPSHOTS" ;;
dump) cat stored ;;
esac`,
	"pg_restore": `for last; do case $last in --create) echo "CREATE DATABASE shop WITH TEMPLATE = template0;"; exit ;; --list) exit ;; --jobs=*) echo "$last" >>"$CALLS" ;; esac; done
[ -d "$last" ] || { cat >/dev/null; echo "one file" >>"$CALLS"; exit; }
cat "$last/toc.dat" "$last/1.dat" >>"$CALLS"`,
}

func newParallelBackup(t *testing.T, env ...string) *backup {
	t.Helper()
	b := newBackup(t, env...)
	for name, script := range parallel {
		b.standIn(name, script)
	}
	return b
}

// unpacked returns the folders of dumps that are left in the work volume.
func (b *backup) unpacked() []string {
	b.t.Helper()
	folders, err := filepath.Glob(filepath.Join(b.dir, "work", "unpacked*"))
	require.NoError(b.t, err)
	return folders
}

// snapshot is one as restic lists it.
func snapshot(id, file string) string {
	return `{"time":"2026-11-21T03:17:00.5Z","paths":["/` + file + `"],"short_id":"` + id + `"}`
}

func TestADumpByManyProcessesIsStoredAsATarAndRestoredByAsMany(t *testing.T) {
	t.Parallel()
	b := newParallelBackup(t, "JOBS=3", "SNAPSHOTS="+snapshot("0a", "shop.tar"))

	made, code := b.run("run")
	require.Zero(t, code)
	assert.Equal(t, "backed up shop.tar", made["message"])
	assert.Equal(t, "/shop.tar, --format=directory, --jobs=3", b.calls())
	assert.Empty(t, b.unpacked(), "the work volume is free again")

	restored, code := b.run("restore")
	require.Zero(t, code)
	assert.Equal(t, "snapshot 0a of shop.tar restored into shop", restored["message"])
	assert.Equal(t, "/shop.tar, --format=directory, --jobs=3, --jobs=3, contents, rows", b.calls())
	assert.Empty(t, b.unpacked())
}

func TestADumpByManyProcessesThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	b := newParallelBackup(t, "JOBS=3", "DUMP_EXIT=1")

	reported, code := b.run("run")

	assert.Equal(t, 1, code)
	assert.Equal(t, "failure", reported["result"])
	stored, err := os.ReadFile(filepath.Join(b.dir, "stored"))
	require.NoError(t, err)
	assert.Empty(t, string(stored), "the store was given nothing")
	assert.Empty(t, b.unpacked())
}

func TestADumpIsRestoredAlsoWhereTheNumberOfProcessesWasAnotherThen(t *testing.T) {
	t.Parallel()
	both := snapshot("0a", "shop.dump") + "," + snapshot("0b", "shop.tar")
	for name, test := range map[string]struct {
		env  []string
		file string
	}{
		"many now, one then":          {[]string{"JOBS=3", "SNAPSHOTS=" + snapshot("0a", "shop.dump")}, "shop.dump"},
		"one now, many then":          {[]string{"SNAPSHOTS=" + snapshot("0a", "shop.tar")}, "shop.tar"},
		"one is the usual":            {[]string{"JOBS=1", "SNAPSHOTS=" + both}, "shop.dump"},
		"many":                        {[]string{"JOBS=2", "SNAPSHOTS=" + both}, "shop.tar"},
		"another database's":          {[]string{"JOBS=2", "SNAPSHOTS=" + snapshot("0c", "art.tar") + "," + both}, "shop.tar"},
		"a database whose name has .": {[]string{"DATABASES=a.tar", "SNAPSHOTS=" + snapshot("0c", "a.tar.dump") + "," + snapshot("0d", "a.tar")}, "a.tar.dump"},
		"all of the server":           {[]string{"DATABASES=", "JOBS=2", "SNAPSHOTS=" + snapshot("0c", "globals.sql") + "," + both}, "shop.tar"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newParallelBackup(t, test.env...)
			folder := filepath.Join(b.dir, "dumped")
			require.NoError(t, os.Mkdir(folder, 0o755))
			for _, file := range []string{"toc.dat", "1.dat"} {
				require.NoError(t, os.WriteFile(filepath.Join(folder, file), nil, 0o644))
			}
			require.NoError(t, exec.Command(filepath.Join(appletDir, "busybox"), "tar", "-c", "-f", filepath.Join(b.dir, "stored"), "-C", folder, ".").Run())

			restored, code := b.run("restore")

			assert.Zero(t, code)
			assert.Contains(t, restored["message"], " of "+test.file+" restored into ")
			assert.Equal(t, strings.HasSuffix(test.file, ".dump"), strings.Contains(b.calls(), "one file"))
		})
	}
}

func TestADrillRestoresAllThatIsBackedUpAndAsksTheFirst(t *testing.T) {
	t.Parallel()
	for source, what := range map[string]string{"path": "PATHS", "sqlite": "FILES"} {
		t.Run(source, func(t *testing.T) {
			b := newParallelBackup(t, "SOURCE="+source, what+"=/data/one\n/data/two", `CHECKS=pwd | sed 's#.*/##' | tee -a "$CALLS"`,
				"SNAPSHOTS="+snapshot("0a", "%2Fdata%2Fone")+","+snapshot("0b", "%2Fdata%2Ftwo"))
			b.standIn("sqlite3", `for argument; do database=${last-} last=$argument; done
case $last in *integrity*) echo ok ;; pwd*) echo "${database##*/}" | tee -a "$CALLS" ;; *) echo 1 ;; esac`)
			folder := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(folder, "name"), []byte("one"), 0o644))
			require.NoError(t, exec.Command(filepath.Join(appletDir, "busybox"), "tar", "-c", "-f", filepath.Join(b.dir, "stored"), "-C", folder, ".").Run())

			drilled, code := b.run("drill")

			assert.Zero(t, code)
			assert.Equal(t, "snapshot 0a of %2Fdata%2Fone, snapshot 0b of %2Fdata%2Ftwo restored: 2 rows; the checks hold", drilled["message"])
			assert.Equal(t, "drill-%2Fdata%2Fone", b.calls(), "what was asked, and how often")
		})
	}
}

func TestADrillFailsWhereOneOfSeveralHasNoSnapshot(t *testing.T) {
	t.Parallel()
	b := newParallelBackup(t, "SOURCE=path", "PATHS=/data/one\n/data/two", "SNAPSHOTS="+snapshot("0a", "%2Fdata%2Fone"))
	require.NoError(t, exec.Command(filepath.Join(appletDir, "busybox"), "tar", "-c", "-f", filepath.Join(b.dir, "stored"), "-C", t.TempDir(), ".").Run())

	drilled, code := b.run("drill")

	assert.Equal(t, 2, code)
	assert.Equal(t, "the store has nothing of %2Fdata%2Ftwo", drilled["message"])
}

func TestWhyARunFailedIsTheMessageOfItsContainer(t *testing.T) {
	t.Parallel()
	const broken = `echo 'Fatal: unable to open the repository' >&2; exit 1`
	for name, test := range map[string]struct {
		env     []string
		tool    string
		task    string
		code    int
		message string
	}{
		"a source that fails":      {[]string{"DUMP_EXIT=1"}, "", "run", 1, "shop.dump was not backed up: "},
		"a source that is too new": {[]string{"SERVER_VERSION=160002"}, "", "run", 2, "pg_dump is of version 15 and the server of 16"},
		"a store that fails":       {nil, broken, "prune", 3, "the repository was not pruned: Fatal: unable to open the repository"},
		"nothing to restore":       {nil, `printf '[]'`, "restore", 2, "the store has nothing of "},
		"a run that succeeds":      {nil, "", "run", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackup(t, test.env...)
			if test.tool != "" {
				b.standIn("restic", test.tool)
			}

			reported, code := b.run(test.task)

			assert.Equal(t, test.code, code)
			message, err := os.ReadFile(filepath.Join(b.dir, "message"))
			if test.code == 0 {
				assert.ErrorIs(t, err, os.ErrNotExist)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, reported["message"], strings.TrimSuffix(string(message), "\n"))
			assert.True(t, strings.HasPrefix(string(message), test.message), "%s", message)
		})
	}
}

// A restic whose repository is not there until somebody makes it. Then SPOILED says why it cannot be read, and KEYS how many
// keys it has.
const missingRestic = `cd "$(dirname "$CALLS")"
echo "$1" >>"$CALLS"
case $1 in init) : >made; exit ;; esac
[ -e made ] || exit 10
[ -z "$SPOILED" ] || { echo "$SPOILED" >&2; exit 1; }
case $1 in
list) seq "${KEYS:-1}" ;;
backup) while [ "$1" != -- ]; do shift; done; shift; "$@" >/dev/null; echo '{"snapshot_id":"0123456789abcdef","total_bytes_processed":60,"data_added_packed":7}' ;;
esac`

func TestTheOneBackupThatMakesARepositoryReadsItBackBeforeAndAfterItsFirstSnapshot(t *testing.T) {
	t.Parallel()
	b := newBackup(t, "INIT=yes")
	b.standIn("restic", missingRestic)

	reported, code := b.run("run")

	assert.Zero(t, code)
	assert.Equal(t, "success", reported["result"])
	assert.Equal(t, "backup, init, list, backup, dump, list", b.calls())
}

func TestARepositoryThatTwoHaveSpoiledIsSaidBeforeAnythingIsStored(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ spoiled, said string }{
		"a config of another's key": {"SPOILED=Fatal: config or key 0ae5 is damaged: ciphertext verification failed", "Fatal: config or key 0ae5 is damaged"},
		"two keys":                  {"KEYS=2", "it has 2 keys"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackup(t, "INIT=yes", test.spoiled)
			b.standIn("restic", missingRestic)

			reported, code := b.run("run")

			assert.Equal(t, 3, code)
			assert.Contains(t, reported["message"], "the repository is spoiled just after it was made, as where somebody runs restic init at the same time: remove it, and run one backup first: "+test.said)
			assert.Equal(t, "backup, init, list", b.calls())
		})
	}
}

package scripts

import (
	"os"
	"path/filepath"
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
case $1 in unlock) exit ;; esac
[ -e unlocked ] || { echo 'unable to create lock in backend: repository is already locked exclusively by PID 7 on other by root (UID 0, GID 0)'; echo "lock was created at 2026-11-21 21:35:03 (${AGE:-1s} ago)"; exit 11; } >&2
case $1 in
backup) while [ "$1" != -- ]; do shift; done; shift; "$@" >/dev/null; echo '{"snapshot_id":"0123456789abcdef","total_bytes_processed":60,"data_added_packed":7}' ;;
esac`

func TestAPruneOfItsOwnAsksNoDatabase(t *testing.T) {
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
	for apart, options := range map[string]string{
		"yes": "forget --quiet --retry-lock 15s --host demo-shop-nightly --tag outrigger --group-by host,paths --keep-last 3",
		"":    "forget --quiet --prune --retry-lock 15s --host demo-shop-nightly --tag outrigger --group-by host,paths --keep-last 3",
	} {
		b := newBackup(t, "KEEP=--keep-last 3", "PRUNE_APART="+apart)
		b.standIn("restic", `case $1 in backup) echo '{"snapshot_id":"0123456789abcdef","total_bytes_processed":60,"data_added_packed":7}' ;; *) echo "$*" >>"$CALLS" ;; esac`)

		_, code := b.run("run")

		assert.Zero(t, code)
		assert.Equal(t, options, b.calls())
	}
}

func TestARepositoryThatIsLockedIsWaitedForAndAnOldLockRemoved(t *testing.T) {
	for name, test := range map[string]struct{ task, age, calls string }{
		"a backup":                        {"run", "51.337526ms", "backup, backup waits, dump"},
		"a backup, for more than a while": {"run", "29m59.5s", "backup, backup waits, dump"},
		"a backup after a killed prune":   {"run", "30m0.5s", "backup, unlock, backup waits, dump"},
		"a prune":                         {"prune", "35ms", "prune, prune waits"},
		"a prune after a killed backup":   {"prune", "2h0m1.2s", "prune, unlock, prune waits"},
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

func TestARepositoryThatStaysLockedIsTheStoresFailure(t *testing.T) {
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
	for tags, saved := range map[string]string{"": "--tag outrigger", "shop,of two words": "--tag outrigger,shop,of two words"} {
		b := newBackup(t, "KEEP=--keep-last 3", "TAGS="+tags)
		b.standIn("restic", `echo "$1 $*" | sed 's/ .*\( --tag .*\) --\(stdin-filename\|group-by\) .*/\1/' >>"$CALLS"
case $1 in backup) echo '{"snapshot_id":"0123456789abcdef","total_bytes_processed":60,"data_added_packed":7}' ;; esac`)

		_, code := b.run("run")

		assert.Zero(t, code)
		assert.Equal(t, "backup "+saved+", forget --tag outrigger", b.calls())
	}
}

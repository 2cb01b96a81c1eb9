package scripts

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// identity returns the name by which the library's backup of a release `demo` is known that is in a namespace, and its tags.
func identity(t *testing.T, namespace, cluster string) (name, tags string) {
	t.Helper()
	for _, object := range harness.Consumer(t).RenderMaps(t, fmt.Sprintf(`
outrigger:
  cluster: %q
  backups:
    nightly:
      schedule: "17 3 * * *"
      exec: {image: "a:1", command: [a]}
      store: {restic: {repository: /repository, secret: restic}}
`, cluster), harness.Settings{Namespace: namespace}) {
		text, err := json.Marshal(object)
		require.NoError(t, err)
		value := func(variable string) string {
			_, after, _ := strings.Cut(string(text), `{"name":"`+variable+`","value":"`)
			found, _, _ := strings.Cut(after, `"`)
			return found
		}
		if name := value("BACKUP"); name != "" {
			return name, value("TAGS")
		}
	}
	require.Fail(t, "no variable BACKUP")
	return "", ""
}

// release returns what backs up a release's text into the archive, as the library names it, and keeps two snapshots.
func (a *archive) release(namespace, cluster, text string) *instance {
	a.t.Helper()
	name, tags := identity(a.t, namespace, cluster)
	return a.instance(name, "TAGS="+tags, "SOURCE=exec", "COMMAND=echo '"+text+"'", "RESTORE_COMMAND=cat", "KEEP=--keep-last 2")
}

func TestReleasesOfOneNameInTwoNamespacesOrClustersKeepAndRestoreTheirOwnSnapshots(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"restic", "files"} {
		archive := newArchive(t, kind)
		releases := map[string]*instance{
			"of prod":           archive.release("prod", "", "of prod"),
			"of staging":        archive.release("staging", "", "of staging"),
			"of prod in eu":     archive.release("prod", "eu", "of prod in eu"),
			"of prod elsewhere": archive.release("prod", "us", "of prod elsewhere"),
		}
		for number, at := range sixtyDays()[:3] {
			for text, release := range releases {
				if text == "of prod" && number > 0 {
					continue // the others' backups would remove its only one
				}
				_, code := release.backUp(at)
				require.Zero(t, code)
			}
		}

		for text, release := range releases {
			restoring := *release.backup
			restoring.env = append(restoring.env, "CLOCK="+unix(sixtyDays()[4]))
			output, err := restoring.command("restore").CombinedOutput()

			require.NoError(t, err, "%s", output)
			assert.Contains(t, string(output), text+"\n", kind)
		}
		counts := map[string]int{}
		if kind == "restic" {
			for name, times := range archive.snapshots() {
				counts[name] = len(times)
			}
			assert.Equal(t, map[string]int{
				"prod/demo-shop-nightly output": 1, "staging/demo-shop-nightly output": 2,
				"eu/prod/demo-shop-nightly output": 2, "us/prod/demo-shop-nightly output": 2,
			}, counts)
		}
	}
}

func TestWhoOverridesTheNameRestoresAnothers(t *testing.T) {
	t.Parallel()
	archive := newArchive(t, "restic")
	_, code := archive.release("prod", "", "of prod").backUp(sixtyDays()[0])
	require.Zero(t, code)
	staging := archive.release("staging", "", "of staging")
	staging.env = append(staging.env, "CLOCK="+unix(sixtyDays()[1]))

	_, code = staging.run("restore")
	require.Equal(t, 2, code, "there is nothing of its own")
	staging.env = append(staging.env, "BACKUP=prod/demo-shop-nightly")
	output, err := staging.command("restore").CombinedOutput()

	require.NoError(t, err, "%s", output)
	assert.Contains(t, string(output), "of prod\n")
}

// A pod of another namespace may have this one's name. Its process, which is in a container of its own, is nobody here.
func TestTheLockOfANamesakeIsNotRemovedWithOneThatIsLeft(t *testing.T) {
	t.Parallel()
	archive := newArchive(t, "restic")
	left, err := os.ReadFile("testdata/repository/lock")
	require.NoError(t, err)
	old := filepath.Join(archive.folder, "locks", fmt.Sprintf("%x", sha256.Sum256(left)))
	require.NoError(t, os.WriteFile(old, left, 0o644))
	namesakes := archive.backsUpForEver()
	demo := archive.command()

	waited := make(chan bool)
	go func() {
		defer close(waited)
		assert.Eventually(t, func() bool { return strings.Contains(demo.calls(), "restic --retry-lock") }, patience, 10*time.Millisecond, "the backup waits")
		assert.FileExists(t, namesakes)
		assert.FileExists(t, old)
		assert.NoError(t, os.Remove(namesakes)) // as its owner does, in the end
		assert.NoError(t, os.Remove(old))
	}()
	reported, code := demo.backUp(sixtyDays()[0])
	<-waited

	assert.Zero(t, code)
	assert.Equal(t, "success", reported["result"])
	assert.Empty(t, archive.locks())
}

// backsUpForEver returns the lock of a backup that a process of this host makes which nobody here sees: it was killed.
func (a *archive) backsUpForEver() (lock string) {
	a.t.Helper()
	programs, err := storePrograms()
	require.NoError(a.t, err)
	before := a.locks()
	restic := exec.Command(filepath.Join(programs, "restic"), "-r", a.folder, "--no-cache", "--retry-lock=1m", "backup", "--stdin-from-command", "--", filepath.Join(appletDir, "sleep"), "600")
	restic.Env, restic.SysProcAttr = []string{"RESTIC_PASSWORD=password"}, &syscall.SysProcAttr{Setpgid: true}
	for _, path := range before {
		require.NoError(a.t, os.Rename(path, path+".away"))
	}
	require.NoError(a.t, restic.Start())
	require.Eventually(a.t, func() bool { return len(a.locks()) == 1 }, patience, time.Millisecond, "it has its lock")
	require.NoError(a.t, syscall.Kill(-restic.Process.Pid, syscall.SIGKILL))
	_ = restic.Wait()
	lock = a.locks()[0]
	for _, path := range before {
		require.NoError(a.t, os.Rename(path+".away", path))
	}
	return lock
}

package scripts

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// The scripts of charts/static-site, and the applets that they get.
const siteScripts = "../../charts/static-site/files"

var siteApplets = []string{
	"sh", "chmod", "cp", "cut", "date", "id", "ln", "mktemp", "mv", "readlink", "rm", "sha256sum", "sleep", "tar",
}

// site is where a script of charts/static-site runs: source and target are directories of the user that it runs as,
// who is not root where the test can help it.
type site struct {
	t              *testing.T
	root           string
	source, target string
	appeared       bool // whether the link has been there: from then on it always is
}

func newSite(t *testing.T) *site {
	t.Helper()
	root := t.TempDir()
	s := &site{t: t, root: root, source: filepath.Join(root, "source"), target: filepath.Join(root, "target")}
	for _, dir := range []string{s.target, filepath.Join(root, "bin")} {
		require.NoError(t, os.Mkdir(dir, 0o755))
	}
	for _, applet := range siteApplets {
		require.NoError(t, os.Symlink(filepath.Join(appletDir, "busybox"), filepath.Join(root, "bin", applet)))
	}
	s.give(s.target)
	require.NoError(t, os.Chmod(filepath.Dir(root), 0o755))
	return s
}

// run starts a script with variables besides SOURCE and TARGET.
func (s *site) run(script string, env ...string) *shipper {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(siteScripts, script))
	require.NoError(s.t, err)
	path := filepath.Join(s.root, script)
	require.NoError(s.t, os.WriteFile(path, text, 0o644))
	command := exec.Command(filepath.Join(s.root, "bin", "sh"), path)
	command.Env = append([]string{"PATH=" + filepath.Join(s.root, "bin"), "SOURCE=" + s.source, "TARGET=" + s.target}, env...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 {
		command.SysProcAttr.Credential = &syscall.Credential{Uid: otherUser, Gid: otherUser}
	}
	return run(s.t, command)
}

// files is how many files a tree has.
const files = 20

// publish puts a version in place as the kubelet does with a ConfigMap: a new directory, and ..data pointed at it.
func (s *site) publish(version int) {
	s.t.Helper()
	name := fmt.Sprintf("..version-%d", version)
	tree := filepath.Join(s.source, name)
	require.NoError(s.t, os.MkdirAll(filepath.Join(tree, "below"), 0o755))
	for number := range files {
		s.write(tree, number, version)
	}
	next := filepath.Join(s.source, "..next")
	require.NoError(s.t, os.Symlink(name, next))
	old, _ := os.Readlink(filepath.Join(s.source, "..data"))
	require.NoError(s.t, os.Rename(next, filepath.Join(s.source, "..data")))
	if old != "" {
		require.NoError(s.t, os.RemoveAll(filepath.Join(s.source, old)))
	}
}

func (s *site) write(tree string, number, version int) {
	s.t.Helper()
	file := filepath.Join(tree, fileName(number))
	require.NoError(s.t, os.WriteFile(file+".new", fmt.Appendf(nil, "version %d\n", version), 0o644))
	require.NoError(s.t, os.Rename(file+".new", file))
}

func fileName(number int) string {
	if number%2 == 1 {
		return fmt.Sprintf("below/file-%02d", number)
	}
	return fmt.Sprintf("file-%02d", number)
}

// read resolves the link once and returns the version of each file in the tree, or none where the tree has been replaced
// so often since that it is gone.
func (s *site) read() (versions []int) {
	link, err := os.Readlink(filepath.Join(s.target, "current"))
	if err != nil {
		require.False(s.t, s.appeared, "the link was there and is not: %v", err)
		return nil
	}
	s.appeared = true
	tree := filepath.Join(s.target, link)
	for number := range files {
		text, err := os.ReadFile(filepath.Join(tree, fileName(number)))
		if err != nil && !exists(tree) {
			return nil
		}
		require.NoError(s.t, err, "a tree lacks a file")
		var version int
		_, err = fmt.Sscanf(string(text), "version %d\n", &version)
		require.NoError(s.t, err, "a file is half-written: %q", text)
		versions = append(versions, version)
	}
	return versions
}

// reads reads again and again until it sees a version in all files, and checks each tree that it sees.
func (s *site) reads(run *shipper, version int, check func(versions []int)) {
	s.t.Helper()
	run.await(fmt.Sprintf("version %d", version), func() bool {
		for range 20 {
			versions := s.read()
			if versions == nil {
				continue
			}
			check(versions)
			if versions[0] == version && versions[files-1] == version {
				return true
			}
		}
		return false
	})
}

func (s *site) allTheSame(versions []int) {
	for _, version := range versions {
		require.Equal(s.t, versions[0], version, "a tree is mixed: %v", versions)
	}
}

func TestAReaderNeverSeesAMixedTreeWhileTheSourceChanges(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.publish(0)
	run := s.run("synchronise.sh", "INTERVAL_SECONDS=0.01")

	for version := 1; version <= 100; version++ {
		s.publish(version)
		if version%2 == 0 { // every other one may be replaced while it is copied
			s.reads(run, version, s.allTheSame)
		}
	}
	assert.False(t, exists(filepath.Join(s.target, "current", "..data")), "what the kubelet keeps beside the files is no file of the tree")
}

func TestACopyIsWhatTheSourceWasAtOneMoment(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	require.NoError(t, os.MkdirAll(filepath.Join(s.source, "below"), 0o755))
	for number := range files {
		s.write(s.source, number, 0)
	}
	run := s.run("synchronise.sh", "INTERVAL_SECONDS=0.001")

	last := 0
	for range 20 {
		for range 10 { // file after file, in their order, so that no file is ever newer than the one before it
			last++
			for number := range files {
				s.write(s.source, number, last)
				time.Sleep(time.Millisecond)
			}
		}
		s.reads(run, last, func(versions []int) {
			for number := 1; number < files; number++ {
				require.LessOrEqual(t, versions[number], versions[number-1], "the source never was like this: %v", versions)
			}
			require.LessOrEqual(t, versions[0]-versions[files-1], 1, "the source never was like this: %v", versions)
		})
	}
}

func TestARunThatIsKilledAnywhereIsMendedByTheNext(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.publish(0)
	first := s.run("synchronise.sh", "INTERVAL_SECONDS=0.01")
	s.reads(first, 0, s.allTheSame)
	first.kill()

	for version := 1; version <= 60; version++ {
		s.publish(version)
		run := s.run("synchronise.sh", "INTERVAL_SECONDS=0.01")
		time.Sleep(rand.N(40 * time.Millisecond))
		run.kill()
		versions := s.read()
		require.NotNil(t, versions, "the link still leads to a tree")
		s.allTheSame(versions)
	}
	s.publish(61)
	run := s.run("synchronise.sh", "INTERVAL_SECONDS=0.01")
	s.reads(run, 61, s.allTheSame)

	run.await("nothing is left behind", func() bool { return s.leftovers() == "" })
}

func TestWhatAKilledRunHasLeftIsRemoved(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.publish(1)
	for _, name := range []string{"new.half", "gone.tree.half", "tree.unused.one"} {
		closed := filepath.Join(s.target, name, "closed")
		require.NoError(t, os.MkdirAll(filepath.Join(closed, "deep"), 0o755))
		for _, dir := range []string{filepath.Dir(closed), closed, filepath.Join(closed, "deep")} {
			s.give(dir)
		}
		require.NoError(t, os.Chmod(closed, 0o555))
	}
	require.NoError(t, os.Symlink("tree.unused.one", filepath.Join(s.target, "next")))

	run := s.run("synchronise.sh", "INTERVAL_SECONDS=0.01")

	s.reads(run, 1, s.allTheSame)
	assert.Empty(t, s.leftovers())
	assert.False(t, exists(filepath.Join(s.target, "tree.unused.one")))
}

// give makes the user that the scripts run as the owner of a directory.
func (s *site) give(dir string) {
	s.t.Helper()
	if os.Getuid() == 0 {
		require.NoError(s.t, os.Chown(dir, otherUser, otherUser))
	}
}

// leftovers names what is in the target besides the link, its tree and the tree before it.
func (s *site) leftovers() string {
	entries, err := os.ReadDir(s.target)
	require.NoError(s.t, err)
	var others []string
	trees := 0
	for _, entry := range entries {
		switch {
		case entry.Name() == "current":
		case strings.HasPrefix(entry.Name(), "tree."):
			trees++
		default:
			others = append(others, entry.Name())
		}
	}
	if trees > 2 {
		others = append(others, fmt.Sprintf("%d trees", trees))
	}
	return strings.Join(others, ", ")
}

func TestTheLastCopyStaysWhileTheSourceIsGone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.publish(1)
	run := s.run("synchronise.sh", "INTERVAL_SECONDS=0.01")
	s.reads(run, 1, s.allTheSame)

	require.NoError(t, os.Rename(s.source, s.source+".away"))
	run.awaitError(s.source + " is no directory; the last copy stays")
	s.awaitLooks(run, 3)
	require.Equal(t, 1, s.read()[0])

	require.NoError(t, os.Rename(s.source+".away", s.source))
	s.publish(2)
	s.reads(run, 2, s.allTheSame)
	assert.Equal(t, 1, strings.Count(run.errors.String(), "is no directory"), "it is said once")
}

func TestASourceThatCannotBeReadIsNamedAndTheLastCopyStays(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("the user who runs the tests can read what they write")
	}
	s := newSite(t)
	s.publish(1)
	run := s.run("synchronise.sh", "INTERVAL_SECONDS=0.01")
	s.reads(run, 1, s.allTheSame)

	secret := filepath.Join(s.source, "..data", "secret")
	require.NoError(t, os.WriteFile(secret, nil, 0o600))
	run.awaitError(fmt.Sprintf("cannot copy %s as uid %d; the last copy stays", s.source, otherUser))
	require.Equal(t, 1, s.read()[0])

	require.NoError(t, os.Chmod(secret, 0o644))
	run.await("the file arrives", func() bool { return exists(filepath.Join(s.target, "current", "secret")) })
}

func TestLinksAndClosedDirectoriesAreCopiedAndOldTreesAreRemoved(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	closed := filepath.Join(s.source, "closed")
	require.NoError(t, os.MkdirAll(closed, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(closed, "file"), nil, 0o444))
	require.NoError(t, os.Chmod(closed, 0o555))
	require.NoError(t, os.Symlink("/nowhere", filepath.Join(s.source, "link")))
	run := s.run("synchronise.sh", "INTERVAL_SECONDS=0.01")

	for number := range 5 {
		name := fmt.Sprintf("file-%d", number)
		require.NoError(t, os.WriteFile(filepath.Join(s.source, name), nil, 0o644))
		run.await(name, func() bool { return exists(filepath.Join(s.target, "current", name)) })
		assert.Empty(t, s.leftovers())
	}

	target, err := os.Readlink(filepath.Join(s.target, "current", "link"))
	require.NoError(t, err)
	assert.Equal(t, "/nowhere", target, "a link is copied and not followed")
	assert.True(t, exists(filepath.Join(s.target, "current", "closed", "file")))
}

func TestAnUnchangedSourceIsCopiedOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.publish(1)
	run := s.run("synchronise.sh", "INTERVAL_SECONDS=0.01")
	s.reads(run, 1, s.allTheSame)
	first, err := os.Readlink(filepath.Join(s.target, "current"))
	require.NoError(t, err)
	run.kill()

	again := s.run("synchronise.sh", "INTERVAL_SECONDS=0.01")
	s.awaitLooks(again, 2)

	second, err := os.Readlink(filepath.Join(s.target, "current"))
	require.NoError(t, err)
	assert.Equal(t, first, second, "also by the next run")
}

// awaitLooks waits until the script has begun another sleep, so many times.
func (s *site) awaitLooks(run *shipper, times int) {
	s.t.Helper()
	known := sleepOf(run)
	for range times {
		run.await("a sleep after a look", func() bool {
			sleep := sleepOf(run)
			if sleep == "" || sleep == known {
				return false
			}
			known = sleep
			return true
		})
	}
}

// sleepOf returns the process that a script sleeps with, if it does.
func sleepOf(run *shipper) string {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", run.command.Process.Pid))
	for _, child := range strings.Fields(string(children)) {
		line, _ := os.ReadFile("/proc/" + child + "/cmdline")
		if strings.HasPrefix(string(line), "sleep\x00") {
			return child
		}
	}
	return ""
}

func TestTheScriptsOfTheSiteEndAtOnceOnSIGTERM(t *testing.T) {
	harness.Seconds(t)
	for _, script := range []string{"synchronise.sh", "write-page.sh"} {
		t.Run(script, func(t *testing.T) {
			inTime(t, time.Second, func() time.Duration {
				s := newSite(t)
				s.publish(1)
				run := s.run(script, "INTERVAL_SECONDS=3600", "PAGE="+filepath.Join(s.target, "index.html"))
				run.await("its sleep", func() bool { return sleepOf(run) != "" })

				asked := time.Now()
				run.signal(syscall.SIGTERM)

				require.NoError(t, run.wait())
				return time.Since(asked)
			})
		})
	}
}

func TestAPageIsNeverHalfWritten(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := filepath.Join(s.target, "index.html")
	run := s.run("write-page.sh", "INTERVAL_SECONDS=0", "PAGE="+page)
	run.await("the page", func() bool { return exists(page) })

	seen := map[string]bool{}
	run.await("300 pages", func() bool {
		for range 20 {
			text, err := os.ReadFile(page)
			require.NoError(t, err)
			require.Regexp(t, wholePage, string(text))
			seen[string(text)] = true
		}
		return len(seen) >= 300
	})
}

var wholePage = regexp.MustCompile(`(?s)\A<!DOCTYPE html>\n.*Page \d+, written .*</html>\n\z`)

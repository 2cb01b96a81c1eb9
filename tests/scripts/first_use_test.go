package scripts

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// unmade is where a repository is to be that nobody has made.
type unmade struct {
	t          *testing.T
	repository string
	folder     string // in which its files are
	env        []string
}

// s3Program returns the path of the S3 server that the tests' image of it has.
var s3Program = sync.OnceValues(func() (string, error) {
	dir, err := rig.Tools(context.Background(), os.Stderr, "versitygw")
	return filepath.Join(dir, "versitygw"), err
})

// inABucket starts an S3 server with a bucket of its own.
func inABucket(t *testing.T) *unmade {
	t.Helper()
	program, err := s3Program()
	require.NoError(t, err)
	folder := t.TempDir()
	for _, name := range []string{"data/backups", "attributes", "users"} {
		require.NoError(t, os.MkdirAll(filepath.Join(folder, name), 0o755))
	}
	port := strconv.Itoa(harness.FreePort(t))
	address := "127.0.0.1:" + port
	server := exec.Command(program, "--port", address, "--iam-dir", filepath.Join(folder, "users"), "posix", "--sidecar", filepath.Join(folder, "attributes"), filepath.Join(folder, "data"))
	server.Env = []string{"ROOT_ACCESS_KEY=user", "ROOT_SECRET_KEY=the-key-of-the-store"}
	serveUntil(t, syscall.SIGKILL, port, server)
	return &unmade{t, "s3:http://" + address + "/backups/shared/repository", filepath.Join(folder, "data/backups/shared/repository"),
		[]string{"AWS_ACCESS_KEY_ID=user", "AWS_SECRET_ACCESS_KEY=the-key-of-the-store"}}
}

func inAFolder(t *testing.T) *unmade {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "repository")
	return &unmade{t, folder, folder, nil}
}

// backup returns one whose source is a command that prints its name, by the real programs of the store.
func (u *unmade) backup(name string, env ...string) *backup {
	u.t.Helper()
	programs, err := storePrograms()
	require.NoError(u.t, err)
	b := newBackup(u.t, append(append([]string{
		"BACKUP=" + name, "SOURCE=exec", "COMMAND=echo 'what " + name + " has'", "RESTIC_REPOSITORY=" + u.repository, "RESTIC_PASSWORD=password",
	}, u.env...), env...)...)
	for _, program := range []string{"restic", "rclone"} {
		b.standIn(program, `exec `+filepath.Join(programs, program)+` "$@"`)
	}
	return b
}

// begin starts a backup, and returns what ends it.
func begin(b *backup) (ended func() (log string, code int)) {
	b.t.Helper()
	return b.begins(b.command("run"))
}

// beginsOn starts it on a host of a name that no other has, as a CronJob's pods are.
func beginsOn(host string, b *backup) (ended func() (log string, code int)) {
	b.t.Helper()
	b.env = append(b.env, "OWN_HOST=yes")
	command := b.command("run")
	command.Args = slices.Concat(command.Args[:1], []string{"sh", "-c", `"$0" hostname "$1" && shift && exec "$0" "$@"`, command.Path, host}, command.Args[1:])
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS}
	return b.begins(command)
}

func (b *backup) begins(command *exec.Cmd) (ended func() (log string, code int)) {
	b.t.Helper()
	var log bytes.Buffer
	command.Stdout, command.Stderr = &log, &log
	require.NoError(b.t, command.Start())
	wait := sync.OnceFunc(func() { _ = command.Wait() })
	b.t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM) // it ends all that it has started
		wait()
	})
	return func() (string, int) {
		wait()
		return log.String(), command.ProcessState.ExitCode()
	}
}

// restic runs it on the repository, and returns what it prints.
func (u *unmade) restic(arguments ...string) string {
	u.t.Helper()
	programs, err := storePrograms()
	require.NoError(u.t, err)
	command := exec.Command(filepath.Join(programs, "restic"), append([]string{"-r", u.repository, "--no-cache"}, arguments...)...)
	command.Env = append([]string{"RESTIC_PASSWORD=password"}, u.env...)
	output, err := command.CombinedOutput()
	require.NoError(u.t, err, "restic %s: %s", strings.Join(arguments, " "), output)
	return string(output)
}

// requireReadable fails the test unless the repository is whole, has one key, and what each of some backups had.
func (u *unmade) requireReadable(backups ...string) {
	u.t.Helper()
	var snapshots []struct{ Hostname string }
	require.NoError(u.t, json.Unmarshal([]byte(u.restic("snapshots", "--json")), &snapshots))
	var stored []string
	for _, snapshot := range snapshots {
		stored = append(stored, snapshot.Hostname)
	}
	slices.Sort(stored)
	slices.Sort(backups)
	assert.Equal(u.t, backups, stored)
	u.restic("check", "--read-data")
	assert.Len(u.t, glob(u.t, u.folder, "keys/*"), 1)
}

// requireWhole fails the test also where anything is left of how the repository was made.
func (u *unmade) requireWhole(backups ...string) {
	u.t.Helper()
	u.requireReadable(backups...)
	assert.Empty(u.t, glob(u.t, u.folder, "key-of-*"))
	assert.Empty(u.t, glob(u.t, u.folder, "outrigger-*"))
}

// firstRuns is how many find no repository at the same time: OUTRIGGER_FIRST_RUNS says of more.
func firstRuns(t *testing.T) int {
	t.Helper()
	if text := os.Getenv("OUTRIGGER_FIRST_RUNS"); text != "" {
		number, err := strconv.Atoi(text)
		require.NoError(t, err)
		return number
	}
	return 12
}

// Their sources are commands. That is the stricter case: of those that back one database up only one goes on, by a lock of the database's.
func TestFirstRunsOfTwoReleasesAtOnceMakeOneRepositoryAndNoneIsSpoiled(t *testing.T) {
	require.Zero(t, os.Getuid(), "root can give each of them a host name")
	for kind, place := range map[string]func(*testing.T) *unmade{"a bucket": inABucket, "a folder": inAFolder} {
		t.Run(kind, func(t *testing.T) {
			shared, number := place(t), firstRuns(t)
			gate := filepath.Join(t.TempDir(), "gate") // a pipe, at which they wait for who opens it
			require.NoError(t, syscall.Mkfifo(gate, 0o600))
			var names []string
			var ends []func() (string, int)
			var backups []*backup
			for i := range number {
				names = append(names, fmt.Sprintf("%s-shop-%d", []string{"red", "blue"}[i%2], i))
				backups = append(backups, shared.backup(names[i]))
				backups[i].doesAt("restic", "init*", `echo init >>"$CALLS"; : <`+gate)
			}

			for i, b := range backups {
				ends = append(ends, beginsOn("host-of-"+names[i], b))
			}
			for i, b := range backups {
				require.Eventually(t, func() bool { return b.calls() == "init" }, patience, 10*time.Millisecond, "%s finds no repository", names[i])
			}
			opened, err := os.OpenFile(gate, os.O_RDWR, 0)
			require.NoError(t, err)
			defer opened.Close()

			var logs, makers []string
			for i, ended := range ends {
				log, code := ended()
				assert.Zero(t, code, "%s: %s", names[i], log)
				assert.Contains(t, log, `"result":"success"`, names[i])
				logs = append(logs, log)
				if strings.Contains(log, "a repository was made, on first use") {
					makers = append(makers, names[i])
				}
			}
			require.Len(t, makers, 1, "those that say that they have made it")
			for i, log := range logs {
				if names[i] != makers[0] {
					assert.Contains(t, log, "the repository was made on host-of-"+makers[0]+", which came first", names[i])
				}
			}
			shared.requireWhole(names...)
			assert.Equal(t, "what red-shop-0 has\n", shared.restic("dump", "--host", "red-shop-0", "latest", "/output"))
		})
	}
}

// doesAt lets a tool do something before it does what it is called for, where its arguments match a pattern of sh.
func (b *backup) doesAt(tool, pattern, what string) {
	b.t.Helper()
	path := filepath.Join(b.dir, "tools", tool)
	require.NoError(b.t, os.Rename(path, path+".original"))
	b.standIn(tool, `case "$*" in `+pattern+`) `+what+` ;; esac
exec `+path+`.original "$@"`)
}

// standsStillAt lets a tool wait, where its arguments match, until the run is told to go on.
func (b *backup) standsStillAt(tool, pattern string) (awaited, goesOn func()) {
	b.t.Helper()
	reached, told := filepath.Join(b.dir, "reached"), filepath.Join(b.dir, "told")
	b.doesAt(tool, pattern, `: >`+reached+`; until [ -e `+told+` ]; do `+filepath.Join(appletDir, "busybox")+` usleep 10000; done`)
	return func() {
			b.t.Helper()
			require.Eventually(b.t, func() bool { return exists(reached) }, patience, 10*time.Millisecond, "%s is called with %s", tool, pattern)
		}, func() {
			b.t.Helper()
			require.NoError(b.t, os.WriteFile(told, nil, 0o644))
		}
}

func TestAMakerThatStandsStillOrIsKilledKeepsNobodyWaitingAndSpoilsNothingLater(t *testing.T) {
	for kind, store := range map[string]struct {
		make                func(*testing.T) *unmade
		tool, config, itKey string
	}{
		"a bucket": {inABucket, "rclone", "*rcat*/repository/config", "*rcat*/repository/keys/*"},
		"a folder": {inAFolder, "busybox", "ln*/repository/config", "ln*/repository/keys/*"},
	} {
		for step, pattern := range map[string]string{"before the config": store.config, "before the key": store.itKey} {
			t.Run(kind+", stands still "+step, func(t *testing.T) {
				t.Parallel()
				shared := store.make(t)
				first := shared.backup("red-shop")
				awaited, goesOn := first.standsStillAt(store.tool, pattern)
				ended := begin(first)
				awaited()

				log, code := begin(shared.backup("blue-shop"))()
				require.Zero(t, code, log)
				shared.requireReadable("blue-shop")
				goesOn()
				log, code = ended()

				require.Zero(t, code, log)
				shared.requireWhole("blue-shop", "red-shop")
			})
			t.Run(kind+", is killed "+step, func(t *testing.T) {
				t.Parallel()
				shared := store.make(t)
				first := shared.backup("red-shop")
				first.doesAt(store.tool, pattern, `kill -KILL 0`)
				log, code := begin(first)()
				require.Equal(t, 137, code, log)

				log, code = begin(shared.backup("blue-shop"))()

				require.Zero(t, code, log)
				shared.requireReadable("blue-shop")
			})
		}
	}
}

func TestWhatAStoreCannotTellIsSaidWithWhoShallMakeTheRepository(t *testing.T) {
	t.Parallel()
	const mend = "; run restic init, or set store.restic.init to true in the one backup that is to make it"
	for name, test := range map[string]struct {
		env     []string
		rclone  string
		message string
	}{
		"a store that does not know the condition": {nil, `for argument; do shift; case $argument in --header-upload | If-None-Match*) ;; *) set -- "$@" "$argument" ;; esac; done; `,
			"the repository cannot be made: its store does not know If-None-Match, and cannot tell who comes first" + mend},
		"a store that is no S3 nor folder": {[]string{"RESTIC_REPOSITORY=rclone::memory:repository"}, ``, "the repository cannot be made: its store cannot tell who comes first" + mend},
		"nobody may make it":               {[]string{"INIT=no"}, ``, "there is no repository at store.restic.repository, and store.restic.init is false: run restic init, or leave init out"},
		"another makes it, and does not":   {[]string{"MAKER=backups.nightly", "PATIENCE=0"}, ``, "there is no repository after 0 s: backups.nightly has to make it; run that backup, or restic init"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shared := inABucket(t)
			b := shared.backup("shop", test.env...)
			programs, err := storePrograms()
			require.NoError(t, err)
			b.standIn("rclone", test.rclone+`exec `+filepath.Join(programs, "rclone")+` "$@"`)
			if strings.HasPrefix(name, "a store that is no S3") {
				b.standIn("restic", `exit 10`)
			}

			reported, code := b.run("run")

			assert.Equal(t, 3, code)
			assert.Equal(t, test.message, reported["message"])
			assert.Empty(t, glob(t, shared.folder, "*"), "nothing is left")
		})
	}
}

func TestTheOneBackupThatIsToMakeTheRepositoryMakesItAndAnotherOfTheChartWaits(t *testing.T) {
	t.Parallel()
	shared := inABucket(t)
	waiting := shared.backup("hourly", "MAKER=backups.nightly")
	waits := begin(waiting)
	maker := shared.backup("nightly", "INIT=yes")
	maker.standIn("rclone", `echo "rclone $*" >>"$CALLS"; exit 1`)

	made, code := begin(maker)()
	waited, waitedCode := waits()

	require.Zero(t, code, made)
	require.Zero(t, waitedCode, waited)
	assert.Contains(t, made, "a repository was made, on first use")
	assert.Empty(t, maker.calls(), "it needs no rclone")
	assert.Contains(t, waited, "there is no repository yet: backups.nightly makes it, and is waited for")
	shared.requireWhole("hourly", "nightly")
}

func TestARepositoryThatSomebodyMakesByHandAtTheSameTimeIsSaidToBeSpoiledAndNoBackupCounts(t *testing.T) {
	t.Parallel()
	shared := inABucket(t)
	b := shared.backup("shop")
	awaited, goesOn := b.standsStillAt("restic", "list*keys*")
	ended := begin(b)
	awaited()
	// What restic init does that looked before.
	other := filepath.Join(t.TempDir(), "other")
	(&unmade{t, other, other, nil}).restic("init")
	for _, key := range glob(t, other, "keys/*") {
		shared.upload(key, "keys/"+filepath.Base(key))
	}
	shared.upload(filepath.Join(other, "config"), "config")
	goesOn()

	log, code := ended()

	assert.Equal(t, 3, code, log)
	assert.Contains(t, log, "the repository is spoiled just after it was made, as where somebody runs restic init at the same time: remove it, and run one backup first")
	assert.Empty(t, glob(t, shared.folder, "snapshots/*"))
}

// upload puts a file into the repository, whatever is there.
func (u *unmade) upload(from, name string) {
	u.t.Helper()
	programs, err := storePrograms()
	require.NoError(u.t, err)
	file, err := os.Open(from)
	require.NoError(u.t, err)
	defer file.Close()
	address, _, _ := strings.Cut(strings.TrimPrefix(u.repository, "s3:http://"), "/")
	command := exec.Command(filepath.Join(programs, "rclone"), "--config=/notfound", "--s3-no-check-bucket", "rcat",
		`:s3,provider=Other,env_auth=true,endpoint="http://`+address+`":backups/shared/repository/`+name)
	command.Env, command.Stdin = u.env, io.Reader(file)
	output, err := command.CombinedOutput()
	require.NoError(u.t, err, "%s", output)
}

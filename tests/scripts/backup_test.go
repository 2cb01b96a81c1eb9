package scripts

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// backup is backup.sh in a folder of its own, beside stand-ins for the tools of a database and of a store. What the tools
// themselves do is tested in the cluster.
type backup struct {
	t   *testing.T
	dir string
	env []string
}

// The stand-ins say what they are called for in the file calls. psql holds a lock for as long as its input is open.
var standIns = map[string]string{
	"psql": `case "$*" in
*server_version_num*) echo "${SERVER_VERSION:-150020}" ;;
*) while read -r question; do case $question in '\q') exit ;; *lock*) echo "${LOCK:-t}" ;; esac; done ;;
esac`,
	"pg_dump": `case $1 in --version) echo "pg_dump (PostgreSQL) 15.20"; exit ;; esac
echo dump >>"$CALLS"; printf 'PGDMP'; [ -z "$DUMP_SLEEPS" ] || sleep "$DUMP_SLEEPS"; [ -z "$DUMP_SAYS" ] || echo "$DUMP_SAYS" >&2; exit "${DUMP_EXIT:-0}"`,
	"restic": `case $1 in
backup)
  while [ "$1" != -- ]; do shift; done; shift
  "$@" >/dev/null
  dumped=$?
  [ -z "$STORE_SAYS" ] || echo "$STORE_SAYS" >&2
  [ "$dumped" = 0 ] || { echo '{"message_type":"exit_error","code":1,"message":"Fatal: command failed: exit status 1"}' >&2; exit 1; }
  [ -z "$STORE_SLEEPS" ] || exec sleep "$STORE_SLEEPS"
  echo '{"message_type":"summary","data_added_packed":7,"total_bytes_processed":60,"snapshot_id":"0123456789abcdef"}' ;;
forget) echo "forget $*" | sed 's/.*paths/keep/' >>"$CALLS" ;;
snapshots) cat "$SNAPSHOTS" ;;
esac`,
}

func newBackup(t *testing.T, env ...string) *backup {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{"tools", "work"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, folder), 0o755))
	}
	for name, script := range standIns {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "tools", name), []byte("#!"+filepath.Join(appletDir, "sh")+"\n"+script+"\n"), 0o755))
	}
	require.NoError(t, os.Symlink(filepath.Join(appletDir, "busybox"), filepath.Join(dir, "tools", "busybox")))
	scripts, err := filepath.Abs("../../library/outrigger/files")
	require.NoError(t, err)
	return &backup{t: t, dir: dir, env: append([]string{
		"PATH=" + filepath.Join(dir, "tools") + ":/usr/bin:/bin", "TOOLS=" + filepath.Join(dir, "tools"), "STORE_TOOLS=" + filepath.Join(dir, "tools"),
		"SCRIPTS=" + scripts, "WORK=" + filepath.Join(dir, "work"), "MESSAGE_FILE=" + filepath.Join(dir, "message"), "CALLS=" + filepath.Join(dir, "calls"),
		"BACKUP=default/demo-shop-nightly", "SOURCE=postgres", "STORE=restic", "DATABASES=shop", "PGHOST=db",
	}, env...)}
}

func (b *backup) command(task string) *exec.Cmd {
	command := exec.Command(filepath.Join(b.dir, "tools", "busybox"), "sh", filepath.Join("../../library/outrigger/files", "backup.sh"), task)
	command.Env = b.env
	return command
}

// run runs a task, and returns what it reported and its exit code.
func (b *backup) run(task string) (reported map[string]any, code int) {
	b.t.Helper()
	command := b.command(task)
	var output, errorOutput bytes.Buffer
	command.Stdout, command.Stderr = &output, &errorOutput
	err := command.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(b.t, err)
	}
	b.t.Logf("%s%s", &errorOutput, &output)
	require.NoError(b.t, json.Unmarshal(output.Bytes(), &reported), "one line of JSON: %q", &output)
	return reported, command.ProcessState.ExitCode()
}

// calls returns what the stand-ins and hooks were called for, in order.
func (b *backup) calls() string {
	text, err := os.ReadFile(filepath.Join(b.dir, "calls"))
	if !errors.Is(err, os.ErrNotExist) {
		require.NoError(b.t, err)
	}
	return strings.Join(strings.Split(strings.TrimSpace(string(text)), "\n"), ", ")
}

func TestARunReportsWhatItStoredInOneLine(t *testing.T) {
	t.Parallel()
	b := newBackup(t, "KEEP=--keep-last 3")

	reported, code := b.run("run")

	assert.Zero(t, code)
	assert.Equal(t, "success", reported["result"])
	assert.Equal(t, "default/demo-shop-nightly", reported["backup"])
	assert.Equal(t, []any{"01234567"}, reported["snapshots"])
	assert.Equal(t, "backed up shop.dump", reported["message"])
	assert.EqualValues(t, 60, reported["bytes"])
	assert.EqualValues(t, 7, reported["bytesAdded"])
	assert.Equal(t, "dump, keep --keep-last 3", b.calls(), "what is kept is decided after the dump")
}

func TestALineForShHasTheToolsThatTheDatabasesImageLacks(t *testing.T) {
	t.Parallel()
	b := newBackup(t, "TOOLS="+toolDir)
	marker := filepath.Join(b.dir, "marker")
	// A program other than busybox's shell, which in some builds knows its applets without a path.
	b.env = append(b.env, "PATH="+filepath.Join(b.dir, "tools"), "BEFORE=/usr/bin/env touch "+marker)

	_, code := b.run("run")

	assert.Zero(t, code)
	assert.FileExists(t, marker)
}

func TestAPgDumpThatIsOlderThanTheServerIsRefusedBeforeItStarts(t *testing.T) {
	t.Parallel()
	b := newBackup(t, "SERVER_VERSION=160002", "KEEP=--keep-last 3")

	reported, code := b.run("run")

	assert.Equal(t, 2, code)
	assert.Equal(t, "pg_dump is of version 15 and the server of 16; set postgres.image to the server's image", reported["message"])
	assert.Empty(t, b.calls())
	message, err := os.ReadFile(filepath.Join(b.dir, "message"))
	require.NoError(t, err)
	assert.Equal(t, reported["message"], strings.TrimSpace(string(message)), "for kubectl describe pod")
}

func TestNothingIsRemovedAfterADumpThatFailed(t *testing.T) {
	t.Parallel()
	b := newBackup(t, "DUMP_EXIT=1", "KEEP=--keep-last 3")

	reported, code := b.run("run")

	assert.Equal(t, 1, code)
	assert.Equal(t, "failure", reported["result"])
	assert.Equal(t, "dump", b.calls())
}

func TestAFailureIsTheDumpsOrTheStoresWhicheverItWas(t *testing.T) {
	t.Parallel()
	const trouble = "Save(<data/0123456789>) returned error, retrying after 1.5s: client.PutObject: "
	for name, test := range map[string]struct {
		env  []string
		code int
		said string
	}{
		"a dump that fails after trouble with the store that passed": {
			[]string{"STORE_SAYS=" + trouble + "connection reset", "DUMP_SAYS=pg_dump: warning: circular\npg_dump: error: gone\n\tfor good", "DUMP_EXIT=1"}, 1, "shop.dump was not backed up: pg_dump: error: gone for good ",
		},
		"a dump that fails for want of space at the server": {
			[]string{"DUMP_SAYS=pg_dump: error: No space left on device", "DUMP_EXIT=1"}, 1, "shop.dump was not backed up: pg_dump: error: No space left on device ",
		},
		"a store that is full": {
			[]string{"STORE_SAYS=" + trouble + "No space left on device.", "STORE_SLEEPS=600"}, 3, "the repository cannot be used: client.PutObject: No space left on device.",
		},
		"a store that is gone for longer than there is patience": {
			[]string{"STORE_SAYS=" + trouble + "connection refused", "STORE_SLEEPS=600", "PATIENCE=1"}, 3, "shop.dump was not backed up: client.PutObject: connection refused",
		},
		"a clock that is wrong": {
			[]string{"STORE_SAYS=" + trouble + "The difference between the request time and the server's time is too large.", "STORE_SLEEPS=600"}, 3, "the repository cannot be used: client.PutObject: The difference between the request time and the server's time is too large.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			reported, code := newBackup(t, test.env...).run("run")

			assert.Equal(t, test.code, code)
			assert.Equal(t, test.said, reported["message"])
		})
	}
}

func TestTheCommandsBeforeAndAfterStandAroundTheDump(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env   []string
		calls string
		code  int
	}{
		"a dump that succeeds":    {nil, "before, dump, after", 0},
		"a dump that fails":       {[]string{"DUMP_EXIT=1"}, "before, dump, after", 1},
		"a command that stays":    {[]string{`BEFORE=echo before >>"$CALLS"; sleep 20 >/dev/null 2>&1 &`}, "before, dump, after", 0},
		"a store that refuses":    {[]string{"STORE_SAYS=Access Denied", "STORE_SLEEPS=600"}, "before, dump, after", 3},
		"an after that fails too": {[]string{"DUMP_EXIT=1", `AFTER=echo after >>"$CALLS"; exit 7`}, "before, dump, after", 1},
		"a command before failed": {[]string{"BEFORE=false"}, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackup(t, append([]string{`BEFORE=echo before >>"$CALLS"`, `AFTER=echo after >>"$CALLS"`}, test.env...)...)

			_, code := b.run("run")

			assert.Equal(t, test.code, code)
			assert.Equal(t, test.calls, b.calls())
		})
	}
}

func TestARunThatFindsTheLockTakenIsSkippedWithoutADump(t *testing.T) {
	t.Parallel()
	b := newBackup(t, "LOCK=f")

	reported, code := b.run("run")

	assert.Zero(t, code)
	assert.Equal(t, "skipped", reported["result"])
	assert.Empty(t, b.calls())
}

// requests is a server that keeps what it is sent: "PATH BODY".
func requests(t *testing.T) (url string, all func() []string) {
	t.Helper()
	var mutex sync.Mutex
	var kept []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		mutex.Lock()
		defer mutex.Unlock()
		kept = append(kept, request.URL.Path+" "+string(body))
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		mutex.Lock()
		defer mutex.Unlock()
		return append([]string(nil), kept...)
	}
}

func TestTheOutcomeIsToldToWhomItConcerns(t *testing.T) {
	t.Parallel()
	for exit, path := range map[string]string{"0": "/good", "1": "/bad"} {
		url, all := requests(t)
		b := newBackup(t, "DUMP_EXIT="+exit, "ON_SUCCESS="+url+"/good", "ON_FAILURE="+url+"/bad")

		reported, _ := b.run("run")

		require.Len(t, all(), 1)
		told, body, _ := strings.Cut(all()[0], " ")
		assert.Equal(t, path, told)
		var line map[string]any
		require.NoError(t, json.Unmarshal([]byte(body), &line), body)
		assert.Equal(t, reported, line)
	}
}

func TestTheLastSuccessIsAMetricThatAFailureLeavesAlone(t *testing.T) {
	t.Parallel()
	url, all := requests(t)
	file := filepath.Join(t.TempDir(), "backup.prom")

	_, _ = newBackup(t, "PUSHGATEWAY="+url, "TEXTFILE="+file).run("run")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	_, _ = newBackup(t, "PUSHGATEWAY="+url, "TEXTFILE="+file, "DUMP_EXIT=1").run("run")
	textAfter, err := os.ReadFile(file)
	require.NoError(t, err)

	require.Len(t, all(), 2)
	for _, request := range all() {
		path, _, _ := strings.Cut(request, " ")
		group, isBackup := strings.CutPrefix(path, "/metrics/job/outrigger/backup@base64/")
		assert.True(t, isBackup, request)
		name, err := base64.URLEncoding.DecodeString(group)
		assert.NoError(t, err, request)
		assert.Equal(t, "default/demo-shop-nightly", string(name), "a slash would end a label")
	}
	const succeeded, label = `outrigger_backup_last_run_success{backup="default/demo-shop-nightly"} `, `{backup="default/demo-shop-nightly"} `
	assert.Contains(t, all()[0], succeeded+"1\n")
	assert.Regexp(t, `outrigger_backup_last_success_timestamp_seconds`+label+`\d{10}\n`, all()[0])
	assert.Contains(t, all()[1], succeeded+"0\n")
	assert.NotContains(t, all()[1], "last_success")
	assert.Contains(t, string(text), succeeded+"1\n")
	assert.Contains(t, string(textAfter), succeeded+"0\n")
	assert.NotContains(t, string(textAfter), succeeded+"1\n")
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o644), info.Mode().Perm(), "the collector is another user")
	assert.Regexp(t, `(?m)^outrigger_backup_last_success_timestamp_seconds`+label+`\d{10}$`, string(textAfter))
}

func TestSIGTERMEndsTheDumpToo(t *testing.T) {
	t.Parallel()
	b := newBackup(t, "DUMP_SLEEPS=600")
	lives := filepath.Join(b.dir, "lives") // a pipe that has a writer for as long as the dump lives
	require.NoError(t, syscall.Mkfifo(lives, 0o600))
	reads, err := os.OpenFile(lives, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	defer reads.Close()
	b.doesAt("pg_dump", "*shop*", `exec 9>`+lives+`; echo lives >&9`)
	command := b.command("run")
	require.NoError(t, command.Start())
	require.Eventually(t, func() bool { return b.calls() == "dump" }, patience, 10*time.Millisecond, "the dump runs")
	require.NoError(t, reads.SetReadDeadline(time.Now().Add(patience)))
	_, err = reads.Read(make([]byte, len("lives\n")))
	require.NoError(t, err)

	require.NoError(t, command.Process.Signal(syscall.SIGTERM))

	require.NoError(t, reads.SetReadDeadline(time.Now().Add(patience)))
	_, err = reads.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "the dump, which would sleep on, ends")
	_ = command.Wait()
	assert.Equal(t, 143, command.ProcessState.ExitCode())
}

// As where a machine has so many processes that a number is soon another's.
func TestTheExitCodeIsTheRunsThoughItsNumberIsAnotherProcesss(t *testing.T) {
	t.Parallel()
	b := newBackup(t, "SOURCE=exec", "COMMAND=echo whole")
	asked := filepath.Join(b.dir, "asked")
	b.doesAt("busybox", "'kill -0 '*", `[ -e `+asked+` ] || { : >`+asked+`; exit 0; }`)

	reported, code := b.run("run")

	assert.Equal(t, "success", reported["result"])
	assert.Zero(t, code)
}

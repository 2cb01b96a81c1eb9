package scripts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const tokenScripts = "../../library/outrigger/files"

// refresher is what one refresher runs on: the file that it keeps, its state, and the provider that it asks.
type refresher struct {
	t    *testing.T
	dir  string
	file string
	env  []string
}

func newRefresher(t *testing.T, env ...string) *refresher {
	t.Helper()
	r := &refresher{t: t, dir: t.TempDir(), env: env}
	require.NoError(t, os.Mkdir(filepath.Join(r.dir, "shared"), 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(r.dir, "state"), 0o755))
	r.file = filepath.Join(r.dir, "shared", "credential")
	return r
}

// provides makes the provider a script, also while a refresher runs.
func (r *refresher) provides(script string) {
	r.t.Helper()
	path := filepath.Join(r.dir, "provider.sh")
	require.NoError(r.t, os.WriteFile(path+".new", []byte(script+"\n"), 0o644))
	require.NoError(r.t, os.Rename(path+".new", path))
}

// asked tells how often a provider that begins with countsCalls has been asked.
func (r *refresher) asked() int {
	data, _ := os.ReadFile(filepath.Join(r.dir, "calls"))
	return len(data)
}

const countsCalls = `printf x >>"$CALLS"; calls=$("$OUTRIGGER_TOOLS/busybox" stat -c %s "$CALLS"); `

func (r *refresher) command(arguments ...string) *exec.Cmd {
	scripts, err := filepath.Abs(tokenScripts)
	require.NoError(r.t, err)
	command := exec.Command(filepath.Join(appletDir, "busybox"), append([]string{"sh", filepath.Join(scripts, "refresh-token.sh")}, arguments...)...)
	command.Env = append([]string{
		"PATH=" + appletDir, "OUTRIGGER_TOOLS=" + toolDir, "OUTRIGGER_SCRIPTS=" + scripts, "OUTRIGGER_STATE_DIR=" + filepath.Join(r.dir, "state"), "CALLS=" + filepath.Join(r.dir, "calls"),
		"OUTRIGGER_REFRESHER=db", "OUTRIGGER_FILE=" + r.file, "OUTRIGGER_FORMAT=raw", "OUTRIGGER_RETRY_SECONDS=0.05", "OUTRIGGER_RETRY_MAX_SECONDS=0.2",
	}, r.env...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return command
}

func (r *refresher) start() *shipper {
	r.t.Helper()
	return run(r.t, r.command("run", "--", filepath.Join(appletDir, "busybox"), "sh", filepath.Join(r.dir, "provider.sh")))
}

// probe tells whether a probe succeeds.
func (r *refresher) probe(name string) bool {
	r.t.Helper()
	output, err := r.command(name).CombinedOutput()
	require.LessOrEqual(r.t, exitCode(err), 1, "%s: %s", name, output)
	return err == nil
}

func (r *refresher) content() string {
	data, _ := os.ReadFile(r.file)
	return string(data)
}

func (r *refresher) awaitContent(s *shipper, content string) {
	r.t.Helper()
	s.await(fmt.Sprintf("the file to be %q", content), func() bool { return r.content() == content })
}

// answer is what an ambassador says of the file as it is now.
func (r *refresher) answer(ambassador, verdict string) {
	r.t.Helper()
	path := filepath.Join(filepath.Dir(r.file), ".outrigger-"+ambassador)
	sum, err := exec.Command("sha256sum", r.file).Output()
	require.NoError(r.t, err)
	require.NoError(r.t, os.WriteFile(path+".answer", []byte(string(sum[:64])+" "+verdict+"\n"), 0o644))
	require.NoError(r.t, os.Rename(path+".answer", path))
}

// event is one line of the log.
type event struct {
	Time              time.Time
	Level             string
	Message           string
	Refresher         string
	ExpiresAt         time.Time
	RefreshAt         time.Time
	InUseExpiresAt    time.Time
	Failures          int
	RetryAfterSeconds float64
	Explanation       string
}

// events returns the log, all of which must be lines of JSON.
func events(t *testing.T, s *shipper) []event {
	t.Helper()
	require.Empty(t, s.errors.String(), "all is told on standard output")
	output := s.output.String()
	var list []event
	for _, line := range splitLines(output[:strings.LastIndex(output, "\n")+1]) {
		var e event
		require.NoError(t, json.Unmarshal([]byte(line), &e), line)
		require.NotZero(t, e.Time, line)
		require.Equal(t, "db", e.Refresher, line)
		list = append(list, e)
	}
	return list
}

func ofLevel(list []event, level string) []event {
	var some []event
	for _, e := range list {
		if e.Level == level {
			some = append(some, e)
		}
	}
	return some
}

func (r *refresher) awaitEvent(s *shipper, text string) event {
	r.t.Helper()
	var found event
	s.await(fmt.Sprintf("the event %q", text), func() bool {
		for _, e := range events(r.t, s) {
			if strings.Contains(e.Message, text) {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

const refreshed = "the credential is refreshed"

func TestAFileHasItsCredentialAndItsModeBeforeTheAppStarts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		format, mode, want string
		bits               os.FileMode
	}{
		{"pgbouncer", "", `"shop" "se""cret"` + "\n", 0o640},
		{"pgpass", "", `db:5432:*:shop:se"cret` + "\n", 0o600},
		{"raw", "0444", `se"cret`, 0o444},
		{"env", "0600", "PGHOST='db'\nPGPORT='5432'\nPGUSER='shop'\nPGPASSWORD='se\"cret'\n", 0o600},
	} {
		t.Run(c.format, func(t *testing.T) {
			t.Parallel()
			r := newRefresher(t, "OUTRIGGER_TTL=900", "OUTRIGGER_FORMAT="+c.format, "OUTRIGGER_USERNAME=shop", "OUTRIGGER_HOST=db", "OUTRIGGER_PORT=5432")
			if c.mode != "" {
				r.env = append(r.env, "OUTRIGGER_MODE="+c.mode)
			}
			r.provides(`echo 'se"cret'`)
			require.False(t, r.probe("started"))
			require.False(t, r.probe("ready"))
			s := r.start()
			r.awaitContent(s, c.want)
			r.awaitEvent(s, refreshed)
			info, err := os.Stat(r.file)
			require.NoError(t, err)
			require.Equal(t, c.bits, info.Mode().Perm())
			require.True(t, r.probe("started"))
			require.True(t, r.probe("ready"))
			s.stop()
		})
	}
}

func TestAnOutputIsReadAsItsToolPrintsIt(t *testing.T) {
	t.Parallel()
	soon := time.Now().Add(time.Hour).Truncate(time.Second)
	utc, epoch := soon.UTC().Format(time.RFC3339), fmt.Sprint(soon.Unix())
	for _, c := range []struct {
		name, output string
		env          []string
		want         string
		expires      time.Time
	}{
		{"kubectl", `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"a/b","expirationTimestamp":"` + utc + `"}}`, nil, "*:*:*:shop:a/b\n", soon},
		{"aws", `{"Version":1,"AccessKeyId":"AK","SecretAccessKey":"s","Expiration":"` + soon.In(time.FixedZone("", 3600)).Format(time.RFC3339) + `"}`, nil, "*:*:*:shop:s\n", soon},
		{"az", `{"accessToken":"t","expiresOn":"` + soon.UTC().Format("2006-01-02 15:04:05.000000") + `"}`, []string{"OUTRIGGER_POINTER_PASSWORD=/accessToken", "OUTRIGGER_POINTER_EXPIRES_AT=/expiresOn"}, "*:*:*:shop:t\n", soon},
		{"epoch", `{"token":"t","expires_on":` + epoch + `}`, []string{"OUTRIGGER_POINTER_PASSWORD=/token", "OUTRIGGER_POINTER_EXPIRES_AT=/expires_on"}, "*:*:*:shop:t\n", soon},
		{"vault", `{"lease_duration":3600,"data":{"username":"v-1","password":"p"}}`, []string{"OUTRIGGER_POINTER_PASSWORD=/data/password", "OUTRIGGER_POINTER_USERNAME=/data/username", "OUTRIGGER_POINTER_TTL=/lease_duration"}, "*:*:*:v-1:p\n", soon},
		{"signed", `{"password":"p","expiresAt":` + fmt.Sprint(soon.Unix()+900) + `,"signedUntil":"` + utc + `"}`, nil, "*:*:*:shop:p\n", soon},
		{"raw", "p\n", []string{"OUTRIGGER_OUTPUT=raw", "OUTRIGGER_TTL=3600"}, "*:*:*:shop:p\n", soon},
		{"a line of raw with n at its end", "pn", []string{"OUTRIGGER_OUTPUT=raw", "OUTRIGGER_TTL=3600"}, "*:*:*:shop:pn\n", soon},
		{"a TTL counts more", `{"password":"p","expiresAt":1}`, []string{"OUTRIGGER_TTL=3600"}, "*:*:*:shop:p\n", soon},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRefresher(t, append([]string{"OUTRIGGER_FORMAT=pgpass", "OUTRIGGER_OUTPUT=json", "OUTRIGGER_USERNAME=shop"}, c.env...)...)
			r.provides("printf '%s' '" + c.output + "'")
			s := r.start()
			r.awaitContent(s, c.want)
			require.WithinDuration(t, c.expires, r.awaitEvent(s, refreshed).ExpiresAt, 5*time.Minute)
			s.stop()
		})
	}
}

func TestACredentialThatCannotBeTakenIsRefusedAndTheFileKept(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 2048)
	for _, c := range []struct {
		name, output, reason string
		env                  []string
	}{
		{"empty", ``, "the credential is empty", nil},
		{"an empty line", `\n`, "the credential is empty", nil},
		{"NUL", `a\0b`, "has a NUL byte", nil},
		{"too long for pgbouncer", long, "the format pgbouncer cannot hold it: the password has 2048 bytes", []string{"OUTRIGGER_FORMAT=pgbouncer"}},
		{"a hash", "md50123456789abcdef0123456789abcdef", "pgbouncer would take the password for a hash", []string{"OUTRIGGER_FORMAT=pgbouncer"}},
		{"two lines", `a\nb`, "the format pgpass cannot hold it: the password has a newline", []string{"OUTRIGGER_FORMAT=pgpass"}},
		{"two lines for sh", `a\nb`, "the format env cannot hold it: the password has a newline", []string{"OUTRIGGER_FORMAT=env"}},
		{"no UTF-8", `a\377`, "the format json cannot hold it: the password is no UTF-8", []string{"OUTRIGGER_FORMAT=json"}},
		{"no JSON", `{"password":`, "the output is no JSON: no value at byte 13", []string{"OUTRIGGER_OUTPUT=json"}},
		{"no token", `{}`, "the output has no /password, /status/token or /SecretAccessKey", []string{"OUTRIGGER_OUTPUT=json"}},
		{"not at its pointer", `{"password":"a"}`, "the output has no /x/y, where the credential", []string{"OUTRIGGER_OUTPUT=json", "OUTRIGGER_POINTER_PASSWORD=/x/y"}},
		{"a number", `{"password":1}`, "the value at /password is no string", []string{"OUTRIGGER_OUTPUT=json"}},
		{"a NUL in JSON", `{"password":"a\\u0000"}`, "the value at /password has a NUL byte", []string{"OUTRIGGER_OUTPUT=json"}},
		{"no expiry", `{"password":"a"}`, "the output has no /expiresAt, /status/expirationTimestamp or /Expiration", []string{"OUTRIGGER_OUTPUT=json", "OUTRIGGER_TTL="}},
		{"an expiry that is none", `{"password":"a","expiresAt":"soon"}`, "expires-at is no time", []string{"OUTRIGGER_OUTPUT=json", "OUTRIGGER_TTL="}},
		{"an expiry in milliseconds", `{"password":"a","expiresAt":4000000000000}`, "expires-at is no time: write it as 2026-01-31T12:00:00Z, or in seconds since 1970", []string{"OUTRIGGER_OUTPUT=json", "OUTRIGGER_TTL="}},
		{"expired", `{"password":"a","expiresAt":"2020-01-01T00:00:00Z"}`, "had expired when it was obtained: at 2020-01-01T00:00:00Z, and this pod's clock says 20", []string{"OUTRIGGER_OUTPUT=json", "OUTRIGGER_TTL="}},
		{"signed by what has expired", `{"password":"a","expiresAt":4000000000,"signedUntil":"20200101T000000Z"}`, "had expired when it was obtained: at 2020-01-01T00:00:00Z", []string{"OUTRIGGER_OUTPUT=json", "OUTRIGGER_TTL="}},
		{"an unknown place in a template", `a`, "the template has ${passwd}", []string{"OUTRIGGER_FORMAT=template", "OUTRIGGER_TEMPLATE=a ${passwd}"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRefresher(t, append([]string{"OUTRIGGER_TTL=900", "OUTRIGGER_USERNAME=shop"}, c.env...)...)
			require.NoError(t, os.WriteFile(r.file, []byte("live"), 0o640))
			before, err := os.Stat(r.file)
			require.NoError(t, err)
			r.provides("printf '" + c.output + "'")
			s := r.start()
			s.await("two failures", func() bool { return len(ofLevel(events(t, s), "error")) > 1 })
			for _, e := range events(t, s) {
				assert.Contains(t, e.Message, c.reason)
			}
			after, err := os.Stat(r.file)
			require.NoError(t, err)
			require.True(t, os.SameFile(before, after))
			require.Equal(t, "live", r.content())
			require.Equal(t, []string{"credential"}, names(t, filepath.Dir(r.file)))
			s.stop()
		})
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var list []string
	for _, entry := range entries {
		list = append(list, entry.Name())
	}
	return list
}

func TestACredentialIsRenewedBeforeItOrWhatSignedItExpires(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		life, signed int
		from, to     float64 // of the wait, in seconds
	}{
		{"by its own life", 900, 0, 0.66 * 900 * 0.95, 0.66 * 900},
		{"signed for longer", 900, 3600, 0.66 * 900 * 0.95, 0.66 * 900},
		{"signed for less", 900, 300, 0.8 * 300 * 0.95, 0.8 * 300},
		{"signed for so long that neither is far from the other", 900, 740, 0.8 * 740 * 0.95, 0.8 * 740},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRefresher(t, "OUTRIGGER_OUTPUT=json")
			signed := ""
			if c.signed > 0 {
				signed = fmt.Sprintf(`,"signedUntil":%d`, time.Now().Unix()+int64(c.signed))
			}
			r.provides(fmt.Sprintf(`echo '{"password":"p","expiresAt":%d%s}'`, time.Now().Unix()+int64(c.life), signed))
			asked := time.Now()
			s := r.start()
			e := r.awaitEvent(s, refreshed)
			took := time.Since(asked).Seconds()
			wait := e.RefreshAt.Sub(asked).Seconds()
			assert.GreaterOrEqual(t, wait, c.from-took-2)
			assert.LessOrEqual(t, wait, c.to+took+1)
			s.stop()
		})
	}
}

func TestACredentialIsRenewedAgainAndAgain(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=3")
	r.provides(countsCalls + `echo "token $calls"`)
	s := r.start()
	for i := 1; i <= 4; i++ {
		r.awaitContent(s, fmt.Sprint("token ", i))
	}
	s.stop()
	require.Empty(t, ofLevel(events(t, s), "error"))
}

func TestAFailureIsOneLineAndIsRetriedLessAndLessOften(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=900", "OUTRIGGER_RETRY_SECONDS=0.1", "OUTRIGGER_RETRY_MAX_SECONDS=0.4")
	r.provides(countsCalls + `echo "no route" >&2; echo "to \"host\"" >&2; [ "$calls" -gt 5 ] || exit 3; echo token`)
	s := r.start()
	r.awaitContent(s, "token")
	r.awaitEvent(s, refreshed)
	s.stop()
	failures := ofLevel(events(t, s), "error")
	require.Len(t, failures, 5)
	for i, e := range failures {
		assert.Equal(t, `the command failed with exit code 3: no route to "host" `, e.Message)
		assert.Equal(t, i+1, e.Failures)
		most := min(0.1*float64(int(1)<<i), 0.4)
		assert.LessOrEqual(t, e.RetryAfterSeconds, most)
		assert.GreaterOrEqual(t, e.RetryAfterSeconds, most*0.74-0.01)
	}
	require.Equal(t, 6, r.asked())
}

func TestAProviderThatHangsIsEndedWithAllThatItStarted(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=900", "OUTRIGGER_COMMAND_SECONDS=1")
	marker := fmt.Sprint(1e6 + os.Getpid())
	r.provides(countsCalls + `[ "$calls" = 1 ] || { echo token; exit; }; trap : TERM; "$OUTRIGGER_TOOLS/busybox" sleep ` + marker + ` & "$OUTRIGGER_TOOLS/busybox" sleep ` + marker + `; wait`)
	s := r.start()
	r.awaitContent(s, "token")
	require.Contains(t, ofLevel(events(t, s), "error")[0].Message, "the command did not end within 1 s")
	for _, p := range processes(t) {
		require.NotContains(t, p.arguments, "sleep\x00"+marker)
	}
	s.stop()
}

type process struct{ arguments, environment string }

func processes(t *testing.T) []process {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	var list []process
	for _, dir := range dirs {
		arguments, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		environment, _ := os.ReadFile(filepath.Join(dir, "environ"))
		list = append(list, process{string(arguments), string(environment)})
	}
	return list
}

func TestAnOutageLongerThanTheCredentialIsSeenBeforeItExpiresAndEndsByItself(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=12", "OUTRIGGER_MARGIN_SECONDS=2")
	r.provides(`echo token`)
	s := r.start()
	first := r.awaitEvent(s, refreshed)
	require.True(t, r.probe("ready"))
	r.provides(`echo "the provider is down" >&2; exit 1`)
	r.awaitEvent(s, "the provider is down")
	require.True(t, r.probe("ready"), "there is time left")
	s.await("readiness to end", func() bool { return !r.probe("ready") })
	require.True(t, time.Now().Before(first.ExpiresAt), "readiness ended before the credential expired")
	require.Equal(t, "token", r.content())
	for _, e := range ofLevel(events(t, s), "error") {
		require.Equal(t, first.ExpiresAt, e.InUseExpiresAt)
	}
	r.provides(`echo another`)
	r.awaitContent(s, "another")
	s.await("readiness to return", func() bool { return r.probe("ready") })
	s.stop()
}

func TestAReaderSeesWholeFilesOnlyAndNeverAWiderMode(t *testing.T) {
	t.Parallel()
	rotations := 200
	if value, err := strconv.Atoi(os.Getenv("OUTRIGGER_ROTATIONS")); err == nil {
		rotations = value
	}
	r := newRefresher(t, "OUTRIGGER_TTL=1", "OUTRIGGER_MODE=0440", "OUTRIGGER_FORMAT=pgbouncer", "OUTRIGGER_USERNAME=shop")
	// The script with a loop of its own, which does nothing but write.
	script, err := os.ReadFile(tokenScripts + "/refresh-token.sh")
	require.NoError(t, err)
	functions, _, found := strings.Cut(string(script), "\ncase ${1-}:")
	require.True(t, found)
	driver := filepath.Join(r.dir, "driver.sh")
	require.NoError(t, os.WriteFile(driver, []byte(functions+fmt.Sprintf(`
. "$OUTRIGGER_SCRIPTS/token-obtain.sh"
configure
busybox mkdir "$OUTRIGGER_WORK_DIR/obtained"
expires=4000000000 due=4000000000 ready_until=4000000000 number=0
while [ "$number" -lt %d ]; do
  number=$((number + 1))
  printf '%%0100d.%%s' 0 "$number" >"$OUTRIGGER_WORK_DIR/obtained/password"
  write || { echo "$reason"; exit 1; }
done
pause 1000
`, rotations)), 0o644))
	command := r.command()
	command.Args[2] = driver
	whole := regexp.MustCompile(`^"shop" "` + strings.Repeat("0", 100) + `\.(\d+)"\n$`)
	s := run(t, command)
	s.await("the first file", func() bool { return exists(r.file) })
	last, seen := 0, 0
	for last < rotations {
		dir, err := os.ReadDir(filepath.Dir(r.file))
		require.NoError(t, err)
		for _, entry := range dir {
			if info, err := entry.Info(); err == nil {
				mode := info.Mode().Perm()
				require.Zero(t, mode&^0o640, "%s has mode %o", entry.Name(), mode)
				require.False(t, info.Size() > 0 && mode != 0o440, "%s has contents under mode %o", entry.Name(), mode)
			}
		}
		data, err := os.ReadFile(r.file)
		require.NoError(t, err)
		match := whole.FindSubmatch(data)
		require.NotNil(t, match, "%q", data)
		number, err := strconv.Atoi(string(match[1]))
		require.NoError(t, err)
		require.GreaterOrEqual(t, number, last)
		if number > last {
			last = number
			seen++
		}
		select {
		case <-s.ended:
			require.Fail(t, "the refresher ended", s.output.String())
		default:
		}
	}
	require.Greater(t, seen, rotations/2, "the reader was not fast enough to see most of them")
	s.kill()
	require.Empty(t, s.output.String()+s.errors.String())
}

func TestACredentialIsInNoArgumentNoEnvironmentNoLogAndNoTrace(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=1", "OUTRIGGER_LEAST_SECONDS=0", "OUTRIGGER_FORMAT=template", "OUTRIGGER_TEMPLATE=${username} ${password:url} ${password:json}", "OUTRIGGER_OUTPUT=json", "OUTRIGGER_USERNAME=shop", "OUTRIGGER_PROVERS=")
	secret := filepath.Join(r.dir, "secret")
	require.NoError(t, os.WriteFile(secret, []byte(`{"password":"hush-hush-`+fmt.Sprint(os.Getpid())+`"}`), 0o600))
	token := "hush-hush-" + fmt.Sprint(os.Getpid())
	r.provides(countsCalls + `[ $((calls % 5)) != 0 ] || { "$OUTRIGGER_TOOLS/busybox" cat "` + secret + `"; exit 1; }; "$OUTRIGGER_TOOLS/busybox" cat "` + secret + `"`)
	command := r.command("run", "--", filepath.Join(appletDir, "busybox"), "sh", filepath.Join(r.dir, "provider.sh"))
	command.Args = append([]string{command.Args[0], "sh", "-x"}, command.Args[2:]...)
	s := run(t, command)
	looks := 0
	s.await("40 refreshes", func() bool {
		for _, p := range processes(t) {
			require.NotContains(t, p.arguments, token)
			require.NotContains(t, p.environment, token)
		}
		looks++
		return strings.Count(s.output.String(), refreshed) >= 40
	})
	require.Greater(t, looks, 40)
	require.Contains(t, r.content(), token)
	s.kill()
	require.NotContains(t, s.output.String(), token)
	require.NotContains(t, s.errors.String(), token)
	require.Contains(t, s.errors.String(), "+ ", "there was a trace to look at")
	require.NoError(t, filepath.Walk(filepath.Join(r.dir, "state"), func(path string, info os.FileInfo, err error) error {
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077&^map[bool]os.FileMode{true: 0o055}[path == filepath.Join(r.dir, "state")], path)
		return nil
	}))
}

func TestACredentialIsInUseOnlyWhenAllProversAcceptIt(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=900", "OUTRIGGER_PROVERS=pool replica")
	r.provides(countsCalls + `echo "token $calls"`)
	s := r.start()
	r.awaitContent(s, "token 1")
	require.True(t, r.probe("started"), "the ambassadors start after it")
	r.answer("pool", "accepted")
	for range 10 { // which is several looks at the answers
		time.Sleep(100 * time.Millisecond)
		require.False(t, r.probe("ready"))
	}
	r.answer("replica", "accepted")
	r.awaitEvent(s, refreshed)
	require.True(t, r.probe("ready"))
	require.Equal(t, 1, r.asked())
	s.stop()
}

func TestARefusedCredentialIsObtainedAnewAndTheRefusalExplained(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=900", "OUTRIGGER_PROVERS=pool", `OUTRIGGER_EXPLAIN=printf 'the clock is "wrong"\nmore\n'`)
	r.provides(countsCalls + `echo "token $calls"`)
	s := r.start()
	r.awaitContent(s, "token 1")
	r.answer("pool", `refused FATAL: PAM authentication failed for user "shop"`)
	failure := r.awaitEvent(s, `the credential was refused, says pool: FATAL: PAM authentication failed for user "shop"`)
	require.Equal(t, `the clock is "wrong"`, failure.Explanation)
	require.Equal(t, 1, failure.Failures)
	r.awaitContent(s, "token 2")
	require.False(t, r.probe("ready"))
	r.answer("pool", "accepted")
	r.awaitEvent(s, refreshed)
	require.True(t, r.probe("ready"))
	s.stop()
}

func TestACredentialOfWhichAProverIsSilentIsRenewedWhenItIsDue(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=2", "OUTRIGGER_PROVERS=pool")
	r.provides(countsCalls + `echo "token $calls"`)
	s := r.start()
	r.awaitEvent(s, "was not proven: pool has not said whether the server takes the credential")
	s.await("another credential", func() bool { return r.asked() > 1 })
	s.stop()
}

func TestAServerThatIsDownIsToldOfAndCostsNoOtherCredential(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=900", "OUTRIGGER_PROVERS=pool")
	r.provides(countsCalls + `echo "token $calls"`)
	s := r.start()
	r.awaitContent(s, "token 1")
	r.answer("pool", "unanswered db.example:5432: connect failed")
	r.awaitEvent(s, "pool could not ask the server whether it takes the credential: db.example:5432: connect failed")
	require.False(t, r.probe("ready"))

	r.answer("pool", "accepted")
	r.awaitEvent(s, refreshed)

	require.True(t, r.probe("ready"))
	require.Equal(t, 1, r.asked())
	require.Len(t, ofLevel(events(t, s), "error"), 1)
	s.stop()
}

func TestSIGTERMEndsItWithinASecond(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		provider string
		env      []string
		await    string
	}{
		"while it sleeps":                {`echo token`, []string{"OUTRIGGER_TTL=900"}, refreshed},
		"while the provider hangs":       {`echo >"$CALLS"; trap : TERM; "$OUTRIGGER_TOOLS/busybox" sleep 1000; "$OUTRIGGER_TOOLS/busybox" sleep 1000`, []string{"OUTRIGGER_TTL=900"}, ""},
		"while it waits for an answer":   {`echo token; echo >"$CALLS"`, []string{"OUTRIGGER_TTL=900", "OUTRIGGER_PROVERS=pool"}, ""},
		"while it waits after a failure": {`exit 1`, []string{"OUTRIGGER_TTL=900", "OUTRIGGER_RETRY_SECONDS=50"}, "exit code 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inTime(t, time.Second, func() time.Duration {
				r := newRefresher(t, c.env...)
				r.provides(c.provider)
				s := r.start()
				if c.await != "" {
					r.awaitEvent(s, c.await)
				} else {
					s.await("the provider to run", func() bool { return r.asked() > 0 })
				}
				began := time.Now()
				s.stop()
				return time.Since(began)
			})
		})
	}
}

func TestARestartKeepsWhatIsNotDueAndAsksNobody(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=900")
	r.provides(countsCalls + `echo "token $calls"`)
	first := r.start()
	r.awaitEvent(first, refreshed)
	first.kill()
	r.provides("exit 1")
	second := r.start()
	r.awaitEvent(second, "the credential of before is taken on")
	r.awaitEvent(second, refreshed)
	require.True(t, r.probe("started"))
	require.True(t, r.probe("ready"))
	require.Equal(t, "token 1", r.content())
	second.stop()
	require.Equal(t, 1, r.asked())

	// A file that is not the one of before is nobody's.
	require.NoError(t, os.WriteFile(r.file, []byte("torn"), 0o640))
	r.provides(`echo mended`)
	third := r.start()
	r.awaitContent(third, "mended")
	third.stop()
}

func TestARestartWhileTheProviderIsDownKeepsTheOldFile(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=4")
	r.provides(`echo token`)
	first := r.start()
	r.awaitEvent(first, refreshed)
	first.kill()
	r.provides("exit 1")
	second := r.start()
	r.awaitEvent(second, "exit code 1")
	require.Equal(t, "token", r.content())
	s := second
	s.await("readiness to end", func() bool { return !r.probe("ready") })
	require.Equal(t, "token", r.content())
	r.provides("echo again")
	r.awaitContent(second, "again")
	s.await("readiness to return", func() bool { return r.probe("ready") })
	second.stop()
}

func TestAFileThatIsReplacedIsToldToAllUntilTheyHaveHeard(t *testing.T) {
	t.Parallel()
	var calls, told atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		assert.Equal(t, http.MethodPost, request.Method)
		assert.Equal(t, "/-/reload", request.URL.Path)
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		told.Add(1)
	}))
	defer server.Close()
	name := fmt.Sprintf("app%d", os.Getpid())
	app := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(app, []byte("#!"+filepath.Join(appletDir, "sh")+"\ntrap 'echo heard' USR1\necho begun\nwhile :; do sleep 0.05; done\n"), 0o755))
	process := exec.Command(app)
	process.Env = []string{"PATH=" + appletDir}
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	a := run(t, process)
	a.awaitOutput("begun")

	r := newRefresher(t, "OUTRIGGER_TTL=3", "OUTRIGGER_NOTIFY_PROCESS="+name, "OUTRIGGER_NOTIFY_SIGNAL=USR1", "OUTRIGGER_NOTIFY_URL="+server.URL+"/-/reload")
	heard := filepath.Join(r.dir, "heard")
	r.env = append(r.env, `OUTRIGGER_NOTIFY_COMMAND="$OUTRIGGER_TOOLS/busybox" cp "$OUTRIGGER_FILE" `+heard)
	r.provides(countsCalls + `echo "token $calls"`)
	s := r.start()
	r.awaitEvent(s, refreshed)
	require.Zero(t, calls.Load(), "the first file is there before the app")
	r.awaitContent(s, "token 2")
	a.awaitOutput("heard")
	s.await("the URL to be told again", func() bool { return told.Load() > 0 })
	s.await("the command", func() bool { return exists(heard) })
	r.awaitEvent(s, "could not be told of the new credential")
	s.stop()
}

func TestALineForShHasTheToolsThatTheImageLacks(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=900")
	heard := filepath.Join(r.dir, "heard")
	// A program other than busybox's shell, which in some builds knows its applets without a path.
	r.env = append(r.env, `OUTRIGGER_NOTIFY_COMMAND=/usr/bin/env cp "$OUTRIGGER_FILE" `+heard)
	require.NoError(t, os.WriteFile(r.file, []byte("before"), 0o640))
	r.provides("echo token")

	s := r.start()

	s.await("the command", func() bool { return exists(heard) })
	s.stop()
}

func TestNoRefreshWaitsForTheDisksOfTheNode(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=900")
	tools, called := t.TempDir(), filepath.Join(r.dir, "called")
	busybox := filepath.Join(appletDir, "busybox")
	require.NoError(t, os.WriteFile(filepath.Join(tools, "busybox"), []byte("#!"+appletDir+"/sh\necho \"$1\" >>"+called+"\nexec "+busybox+" \"$@\"\n"), 0o755))
	r.env = append(r.env, "OUTRIGGER_TOOLS="+tools)
	r.provides("echo token")

	s := r.start()
	r.awaitEvent(s, refreshed)
	s.stop()

	applets, err := os.ReadFile(called)
	require.NoError(t, err)
	require.Contains(t, string(applets), "mv\n")
	require.NotContains(t, string(applets), "sync\n", "upstream's busybox takes no file: it is sync(2)")
}

func TestAFileThatIsGoneIsWrittenAnew(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=900", "OUTRIGGER_LOOK_SECONDS=1")
	r.provides(countsCalls + `echo "token $calls"`)
	s := r.start()
	r.awaitEvent(s, refreshed)
	require.NoError(t, os.Remove(r.file))
	r.awaitContent(s, "token 2")
	s.stop()
}

func TestACredentialThatIsRefusedLaterIsObtainedAnew(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=900", "OUTRIGGER_LOOK_SECONDS=1", "OUTRIGGER_PROVERS=pool")
	r.provides(countsCalls + `echo "token $calls"`)
	s := r.start()
	r.awaitContent(s, "token 1")
	r.answer("pool", "accepted")
	r.awaitEvent(s, refreshed)
	r.answer("pool", "refused the role is gone")
	r.awaitEvent(s, "the credential was refused, says pool: the role is gone")
	r.awaitContent(s, "token 2")
	s.stop()
}

func TestACommandHasItsOwnVariablesWhateverTheirNames(t *testing.T) {
	t.Parallel()
	names := []string{"HOST", "PORT", "FILE", "FORMAT", "MODE", "OUTPUT", "TTL", "DATABASE", "USERNAME", "TEMPLATE", "REFRESHER", "TOOLS", "STATE_DIR", "DIRECTORY", "IN_USE"}
	r := newRefresher(t, "OUTRIGGER_TTL=900", "OUTRIGGER_HOST=db", "OUTRIGGER_PORT=5432")
	var echoed, want []string
	for _, name := range names {
		r.env = append(r.env, name+"=own "+name)
		echoed, want = append(echoed, "$"+name), append(want, "own "+name)
	}
	r.provides(`echo "` + strings.Join(echoed, ",") + `"`)
	s := r.start()

	r.awaitContent(s, strings.Join(want, ","))

	s.stop()
}

func TestAConfigurationThatCannotWorkEndsIt(t *testing.T) {
	t.Parallel()
	for message, env := range map[string][]string{
		"FILE is no absolute path":                         {"OUTRIGGER_FILE=x", "OUTRIGGER_TTL=1"},
		"there is no OUTRIGGER_FORMAT ini":                 {"OUTRIGGER_FORMAT=ini", "OUTRIGGER_TTL=1"},
		"there is no OUTRIGGER_OUTPUT yaml":                {"OUTRIGGER_OUTPUT=yaml", "OUTRIGGER_TTL=1"},
		"an output that is raw has no expiry":              {},
		"there is no OUTRIGGER_NOTIFY_METHOD PUT: write G": {"OUTRIGGER_NOTIFY_METHOD=PUT", "OUTRIGGER_TTL=1"},
	} {
		t.Run(message, func(t *testing.T) {
			t.Parallel()
			r := newRefresher(t, env...)
			r.provides("echo token")
			s := r.start()
			require.Equal(t, 2, exitCode(s.wait()))
			require.Contains(t, events(t, s)[0].Message, message)
		})
	}
}

func TestBetweenRefreshesItIsSmallAndSleeps(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=900", "OUTRIGGER_LOOK_SECONDS=600")
	r.provides("echo token")
	s := r.start()
	r.awaitEvent(s, refreshed)
	proc := fmt.Sprintf("/proc/%d/", s.command.Process.Pid)
	s.await("it to sleep, with no other process", func() bool {
		children, err := os.ReadFile(fmt.Sprintf("%stask/%d/children", proc, s.command.Process.Pid))
		require.NoError(t, err)
		state, err := os.ReadFile(proc + "wchan")
		require.NoError(t, err)
		return len(children) == 0 && bytes.Contains(state, []byte("poll"))
	})
	status, err := os.ReadFile(proc + "status")
	require.NoError(t, err)
	resident, err := strconv.Atoi(string(regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)[1]))
	require.NoError(t, err)
	require.Less(t, resident, 3<<10)
	waits := func() string {
		status, _ := os.ReadFile(proc + "status")
		return regexp.MustCompile(`\nvoluntary_ctxt_switches:\s+\d+`).FindString(string(status))
	}
	before := waits()
	s.await("it to look whether a signal came just before it slept", func() bool { return waits() != before })
	s.stop()
}

func TestWhatACommandSaysIsLoggedWithoutTheCredential(t *testing.T) {
	t.Parallel()
	for _, output := range []string{"raw", "json"} {
		t.Run(output, func(t *testing.T) {
			t.Parallel()
			r := newRefresher(t, "OUTRIGGER_TTL=2", "OUTRIGGER_OUTPUT="+output)
			token := "hush " + strings.Repeat("x", 3000) + " hush"
			printed := token
			if output == "json" {
				printed = `{"password":"` + token + `"}`
			}
			r.provides(countsCalls + `echo "+ send ` + token + ` now" >&2; [ "$calls" = 1 ] || exit 1; echo '` + printed + `'`)
			s := r.start()
			r.awaitEvent(s, "the command printed a credential and said: + send *** now")
			r.awaitEvent(s, "the command failed with exit code 1: + send *** now")
			s.await("a further failure", func() bool { return r.asked() > 3 })
			s.kill()
			require.NotContains(t, s.output.String(), "xx")
		})
	}
}

func TestACredentialThatIsTheSameAgainIsProvenAgain(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=900", "OUTRIGGER_PROVERS=pool")
	r.provides(countsCalls + `echo token`)
	s := r.start()
	r.awaitContent(s, "token")
	first, err := os.Stat(r.file)
	require.NoError(t, err)
	r.answer("pool", "refused for now")
	s.await("the file to be another", func() bool {
		second, err := os.Stat(r.file)
		return err == nil && !os.SameFile(first, second)
	})
	r.answer("pool", "accepted")
	r.awaitEvent(s, refreshed)
	require.Len(t, ofLevel(events(t, s), "error"), 1, "what was said of the file before does not count")
	require.Equal(t, 2, r.asked())
	s.stop()
}

func TestAClockThatIsSetBackMakesACredentialDue(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=900", "OUTRIGGER_LOOK_SECONDS=1")
	tools, clock := t.TempDir(), filepath.Join(r.dir, "clock")
	busybox := filepath.Join(appletDir, "busybox")
	require.NoError(t, os.WriteFile(filepath.Join(tools, "busybox"),
		[]byte("#!"+appletDir+"/sh\n[ \"$*\" != 'date +%s' ] || exec "+busybox+" cat "+clock+"\nexec "+busybox+" \"$@\"\n"), 0o755))
	require.NoError(t, os.WriteFile(clock, []byte("2000003600\n"), 0o644))
	r.env = append(r.env, "OUTRIGGER_TOOLS="+tools)
	r.provides(countsCalls + `echo "token $calls"`)
	s := r.start()
	require.Equal(t, time.Unix(2000004500, 0).UTC(), r.awaitEvent(s, refreshed).ExpiresAt.UTC())
	require.NoError(t, os.WriteFile(clock+".new", []byte("2000000000\n"), 0o644))
	require.NoError(t, os.Rename(clock+".new", clock))
	r.awaitEvent(s, "the clock was set back")
	r.awaitContent(s, "token 2")
	s.stop()
}

func TestAListenerThatCannotBeToldIsOneLineAMinute(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, "OUTRIGGER_TTL=900", "OUTRIGGER_LOOK_SECONDS=1", `OUTRIGGER_NOTIFY_COMMAND=printf x >>"$CALLS.told"; echo no >&2; exit 3`)
	require.NoError(t, os.WriteFile(r.file, []byte("before"), 0o640))
	r.provides(`echo token`)
	s := r.start()
	s.await("it to be told three times", func() bool {
		told, _ := os.ReadFile(filepath.Join(r.dir, "calls.told"))
		return len(told) > 2
	})
	s.stop()
	require.Len(t, ofLevel(events(t, s), "error"), 1)
}

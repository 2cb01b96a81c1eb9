package scripts

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
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

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// part is one of a document.
type part map[string]any

// with returns a part that has another's values too.
func (p part) with(other part) part {
	whole := maps.Clone(p)
	for key, value := range other {
		inner, is := value.(part)
		before, was := whole[key].(part)
		if is && was {
			whole[key] = before.with(inner)
		} else {
			whole[key] = value
		}
	}
	return whole
}

// refresher is what one refresher runs on: its document, the file that it keeps, its state, and the provider that it asks.
type refresher struct {
	t        *testing.T
	dir      string
	file     string
	document part
	env      []string
	flags    []string
}

// newRefresher is one whose document has some values besides those that each needs.
func newRefresher(t *testing.T, values ...part) *refresher {
	t.Helper()
	// Not t.TempDir(), whose path is longer than a socket's may be.
	dir, err := os.MkdirTemp("", "token")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r := &refresher{t: t, dir: dir, file: filepath.Join(dir, "shared", "credential")}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "shared"), 0o755))
	r.document = part{
		"name":  "db",
		"file":  part{"path": r.file, "format": "raw", "mode": "0640"},
		"retry": part{"delaySeconds": 0.05, "maxDelaySeconds": 0.2},
		"exec":  part{"command": []string{filepath.Join(appletDir, "busybox"), "sh", filepath.Join(dir, "provider.sh")}, "output": "raw"},
	}
	for _, more := range values {
		r.document = r.document.with(more)
	}
	return r
}

// looksOften makes it look between refreshes once a second.
func (r *refresher) looksOften() *refresher {
	r.flags = append(r.flags, "--look=1s")
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

func (r *refresher) start() *shipper {
	r.t.Helper()
	document, err := json.MarshalIndent(part{"version": documentVersion(r.t), "token": r.document}, "", "  ")
	require.NoError(r.t, err)
	command := exec.Command(programPath, append([]string{"token"}, r.flags...)...)
	command.Env = append([]string{
		"PATH=" + appletDir, "TZ=UTC", "OUTRIGGER_TOOLS=" + toolDir, "OUTRIGGER_STATE_DIR=" + filepath.Join(r.dir, "state"), "CALLS=" + filepath.Join(r.dir, "calls"),
		"OUTRIGGER_CONFIG=" + string(document),
	}, r.env...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return run(r.t, command)
}

// documentVersion is the minor version of the chart, which documents carry.
func documentVersion(t testing.TB) string {
	t.Helper()
	chart, err := os.ReadFile("../../library/outrigger/Chart.yaml")
	require.NoError(t, err)
	return string(regexp.MustCompile(`(?m)^version: (\d+\.\d+)\.`).FindSubmatch(chart)[1])
}

func (r *refresher) socket() string { return filepath.Join(r.dir, "state", "health.sock") }

// probe tells whether a probe succeeds.
func (r *refresher) probe(name string) bool {
	r.t.Helper()
	output, err := exec.Command(probePath, "-socket", r.socket(), name).CombinedOutput()
	require.LessOrEqual(r.t, exitCode(err), 1, "%s: %s", name, output)
	require.Equal(r.t, err != nil, len(output) > 0, "it says why not, and nothing else")
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
func (r *refresher) answer(ambassador, outcome, reason string) {
	r.t.Helper()
	path := filepath.Join(filepath.Dir(r.file), ".outrigger-"+ambassador)
	sum := sha256.Sum256([]byte(r.content()))
	verdict, err := json.Marshal(part{"sha256": hex.EncodeToString(sum[:]), "outcome": outcome, "reason": reason})
	require.NoError(r.t, err)
	require.NoError(r.t, os.WriteFile(path+".answer", verdict, 0o644))
	require.NoError(r.t, os.Rename(path+".answer", path))
}

// event is one line of the log.
type event struct {
	Time              time.Time
	Level             string
	Message           string
	Event             string
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
		require.NotEmpty(t, e.Event, line)
		list = append(list, e)
	}
	return list
}

// failure is why a program ended, of the event that it said last.
func failure(t *testing.T, output string) string {
	t.Helper()
	lines := splitLines(output)
	require.NotEmpty(t, lines)
	var e event
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &e), output)
	require.Equal(t, "program.failed", e.Event)
	return e.Message
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
		{"pgbouncer", "0640", `"shop" "se""cret"` + "\n", 0o640},
		{"pgpass", "0600", `db:5432:*:shop:se"cret` + "\n", 0o600},
		{"raw", "0444", `se"cret`, 0o444},
		{"env", "0600", "PGHOST='db'\nPGPORT='5432'\nPGUSER='shop'\nPGPASSWORD='se\"cret'\n", 0o600},
	} {
		t.Run(c.format, func(t *testing.T) {
			t.Parallel()
			r := newRefresher(t, part{"ttlSeconds": 900, "file": part{"format": c.format, "mode": c.mode, "user": "shop", "host": "db", "port": "5432"}})
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
	at := func(pointers part) part { return part{"exec": part{"pointers": pointers}} }
	user := part{"file": part{"user": "shop"}}
	raw := part{"ttlSeconds": 3600, "exec": part{"output": "raw"}}
	for _, c := range []struct {
		name, output string
		values       []part
		want         string
	}{
		{"kubectl", `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"a/b","expirationTimestamp":"` + utc + `"}}`, []part{user}, "*:*:*:shop:a/b\n"},
		{"aws", `{"Version":1,"AccessKeyId":"AK","SecretAccessKey":"s","Expiration":"` + soon.In(time.FixedZone("", 3600)).Format(time.RFC3339) + `"}`, nil, "*:*:*:AK:s\n"},
		{"az", `{"accessToken":"t","expiresOn":"` + soon.UTC().Format("2006-01-02 15:04:05.000000") + `"}`, []part{user, at(part{"password": "/accessToken", "expiresAt": "/expiresOn"})}, "*:*:*:shop:t\n"},
		{"epoch", `{"token":"t","expires_on":` + epoch + `}`, []part{user, at(part{"password": "/token", "expiresAt": "/expires_on"})}, "*:*:*:shop:t\n"},
		{"vault", `{"lease_duration":3600,"data":{"username":"v-1","password":"p"}}`, []part{at(part{"password": "/data/password", "username": "/data/username", "ttl": "/lease_duration"})}, "*:*:*:v-1:p\n"},
		{"signed", `{"password":"p","expiresAt":` + fmt.Sprint(soon.Unix()+900) + `,"signedUntil":"` + utc + `"}`, []part{user}, "*:*:*:shop:p\n"},
		{"raw", "p\n", []part{user, raw}, "*:*:*:shop:p\n"},
		{"a line of raw with n at its end", "pn", []part{user, raw}, "*:*:*:shop:pn\n"},
		{"a TTL that is longer than what it says", `{"password":"p","expiresAt":` + epoch + `}`, []part{user, {"ttlSeconds": 24 * 3600}}, "*:*:*:shop:p\n"},
		{"a TTL that is shorter than what it says", `{"password":"p","expiresAt":4000000000}`, []part{user, {"ttlSeconds": 3600}}, "*:*:*:shop:p\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRefresher(t, append([]part{{"file": part{"format": "pgpass"}, "exec": part{"output": "json"}}}, c.values...)...)
			r.provides("printf '%s' '" + c.output + "'")

			s := r.start()

			r.awaitContent(s, c.want)
			require.WithinDuration(t, soon, r.awaitEvent(s, refreshed).ExpiresAt, 5*time.Minute)
			s.stop()
		})
	}
}

func TestACredentialThatCannotBeTakenIsRefusedAndTheFileKept(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 2048)
	in := func(format string) part { return part{"file": part{"format": format}} }
	jsonOutput := part{"exec": part{"output": "json"}}
	noTTL := jsonOutput.with(part{"ttlSeconds": 0})
	for _, c := range []struct {
		name, output, reason string
		values               part
	}{
		{"empty", ``, "the credential is empty", nil},
		{"an empty line", `\n`, "the credential is empty", nil},
		{"NUL", `a\0b`, "has a NUL byte", nil},
		{"too long for pgbouncer", long, "the format pgbouncer cannot hold it: the password has 2048 bytes", in("pgbouncer")},
		{"a hash", "md50123456789abcdef0123456789abcdef", "pgbouncer would take the password for a hash", in("pgbouncer")},
		{"two lines", `a\nb`, "the format pgpass cannot hold it: the password has a newline", in("pgpass")},
		{"two lines for sh", `a\nb`, "the format env cannot hold it: the password has a newline", in("env")},
		{"a single quote for env", `a\047b`, "the format env cannot hold it: the password has a single quote", in("env")},
		{"no UTF-8", `a\377`, "the format json cannot hold it: the password is no UTF-8", in("json")},
		{"no JSON", `{"password":`, "the output is no JSON: it ends too soon, after 12 bytes", jsonOutput},
		{"no token", `{}`, "the output has no /password, /status/token or /SecretAccessKey", jsonOutput},
		{"not at its pointer", `{"password":"a"}`, "the output has no /x/y, where the credential", jsonOutput.with(part{"exec": part{"pointers": part{"password": "/x/y"}}})},
		{"a number", `{"password":1}`, "the value at /password is no string", jsonOutput},
		{"a NUL in JSON", `{"password":"a\\u0000"}`, "the value at /password has a NUL byte", jsonOutput},
		{"no expiry", `{"password":"a"}`, "the output has no /expiresAt, /status/expirationTimestamp or /Expiration", noTTL},
		{"an expiry that is none", `{"password":"a","expiresAt":"soon"}`, "expires-at is no time", noTTL},
		{"an expiry in milliseconds", `{"password":"a","expiresAt":4000000000000}`, "expires-at is no time: write it as 2026-01-31T12:00:00Z, or in seconds since 1970", noTTL},
		{"expired", `{"password":"a","expiresAt":"2020-01-01T00:00:00Z"}`, "had expired when it was obtained: at 2020-01-01T00:00:00Z, and this pod's clock says 20", jsonOutput},
		{"signed by what has expired", `{"password":"a","expiresAt":4000000000,"signedUntil":"20200101T000000Z"}`, "had expired when it was obtained: at 2020-01-01T00:00:00Z", noTTL},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRefresher(t, part{"ttlSeconds": 900, "file": part{"user": "shop"}}, c.values)
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
			r := newRefresher(t, part{"exec": part{"output": "json"}})
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
	r := newRefresher(t, part{"ttlSeconds": 3})
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
	r := newRefresher(t, part{"ttlSeconds": 900, "retry": part{"delaySeconds": 0.1, "maxDelaySeconds": 0.4}})
	r.provides(countsCalls + `echo "no route" >&2; echo "to \"host\"" >&2; [ "$calls" -gt 5 ] || exit 3; echo token`)
	s := r.start()
	r.awaitContent(s, "token")
	r.awaitEvent(s, refreshed)
	s.stop()
	failures := ofLevel(events(t, s), "error")
	require.Len(t, failures, 5)
	for i, e := range failures {
		assert.Equal(t, `the command failed with exit code 3: no route to "host"`, e.Message)
		assert.Equal(t, i+1, e.Failures)
		most := min(0.1*float64(int(1)<<i), 0.4)
		assert.LessOrEqual(t, e.RetryAfterSeconds, most)
		assert.GreaterOrEqual(t, e.RetryAfterSeconds, most*0.74-0.01)
	}
	require.Equal(t, 6, r.asked())
}

func TestAProviderThatHangsIsEndedWithAllThatItStarted(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, part{"ttlSeconds": 900, "exec": part{"timeoutSeconds": 1}})
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
	r := newRefresher(t, part{"ttlSeconds": 12})
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

func TestACredentialIsInNoArgumentNoEnvironmentAndNoLog(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, part{"ttlSeconds": 1, "exec": part{"output": "json"}, "file": part{"format": "template", "template": "${username} ${password:url} ${password|json}", "user": "shop"}})
	secret, token := filepath.Join(r.dir, "secret"), "hush-hush-"+fmt.Sprint(os.Getpid())
	require.NoError(t, os.WriteFile(secret, []byte(`{"password":"`+token+`"}`), 0o600))
	r.provides(countsCalls + `"$OUTRIGGER_TOOLS/busybox" cat "` + secret + `"; [ $((calls % 3)) != 0 ] || { "$OUTRIGGER_TOOLS/busybox" cat "` + secret + `" >&2; exit 1; }`)

	s := r.start()

	s.await("6 refreshes", func() bool {
		for _, p := range processes(t) {
			require.NotContains(t, p.arguments, token)
			require.NotContains(t, p.environment, token)
		}
		return strings.Count(s.output.String(), refreshed) >= 6
	})
	require.Contains(t, r.content(), token)
	require.NotEmpty(t, ofLevel(events(t, s), "error"))
	require.NoError(t, filepath.Walk(filepath.Join(r.dir, "state", "db"), func(path string, info os.FileInfo, err error) error {
		require.True(t, err == nil && info.Mode().Perm()&0o077 == 0, path)
		return nil
	}))
	s.kill()
	require.NotContains(t, s.output.String(), token)
	require.NotContains(t, s.errors.String(), token)
}

func TestACredentialIsInUseOnlyWhenAllProversAcceptIt(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, part{"ttlSeconds": 900, "provers": []string{"pool", "replica"}})
	r.provides(countsCalls + `echo "token $calls"`)
	s := r.start()
	r.awaitContent(s, "token 1")
	require.True(t, r.probe("started"), "the ambassadors start after it")
	r.answer("pool", "accepted", "")
	for range 10 { // which is several looks at the answers
		time.Sleep(100 * time.Millisecond)
		require.False(t, r.probe("ready"))
	}
	r.answer("replica", "accepted", "")
	r.awaitEvent(s, refreshed)
	require.True(t, r.probe("ready"))
	require.Equal(t, 1, r.asked())
	s.stop()
}

func TestARefusedCredentialIsObtainedAnewAndTheRefusalExplained(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, part{"ttlSeconds": 900, "provers": []string{"pool"}, "exec": part{"explain": []string{"sh", "-c", `printf 'the clock is "wrong" for %s\nmore\n' "$OUTRIGGER_FILE"`}}})
	r.provides(countsCalls + `echo "token $calls"`)
	s := r.start()
	r.awaitContent(s, "token 1")
	r.answer("pool", "refused", `FATAL: PAM authentication failed for user "shop"`)
	failure := r.awaitEvent(s, `the credential was refused, says pool: FATAL: PAM authentication failed for user "shop"`)
	require.Equal(t, `the clock is "wrong" for `+r.file, failure.Explanation)
	require.Equal(t, 1, failure.Failures)
	r.awaitContent(s, "token 2")
	require.False(t, r.probe("ready"))
	r.answer("pool", "accepted", "")
	r.awaitEvent(s, refreshed)
	require.True(t, r.probe("ready"))
	s.stop()
}

func TestACredentialOfWhichAProverIsSilentIsRenewedWhenItIsDue(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, part{"ttlSeconds": 2, "provers": []string{"pool"}})
	r.provides(countsCalls + `echo "token $calls"`)
	s := r.start()
	r.awaitEvent(s, "was not proven: pool has not said whether the server takes the credential")
	s.await("another credential", func() bool { return r.asked() > 1 })
	s.stop()
}

func TestAServerThatIsDownIsToldOfAndCostsNoOtherCredential(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, part{"ttlSeconds": 900, "provers": []string{"pool"}})
	r.provides(countsCalls + `echo "token $calls"`)
	s := r.start()
	r.awaitContent(s, "token 1")
	r.answer("pool", "unanswered", "db.example:5432: connect failed")
	r.awaitEvent(s, "pool could not ask the server whether it takes the credential: db.example:5432: connect failed")
	require.False(t, r.probe("ready"))

	r.answer("pool", "accepted", "")
	r.awaitEvent(s, refreshed)

	require.True(t, r.probe("ready"))
	require.Equal(t, 1, r.asked())
	require.Len(t, ofLevel(events(t, s), "error"), 1)
	s.stop()
}

func TestSIGTERMEndsItWithinASecond(t *testing.T) {
	harness.Seconds(t)
	for name, c := range map[string]struct {
		provider string
		values   part
		await    string
	}{
		"while it sleeps":                {`echo token`, nil, refreshed},
		"while the provider hangs":       {`echo >"$CALLS"; trap : TERM; "$OUTRIGGER_TOOLS/busybox" sleep 1000; "$OUTRIGGER_TOOLS/busybox" sleep 1000`, nil, ""},
		"while it waits for an answer":   {`echo token; echo >"$CALLS"`, part{"provers": []string{"pool"}}, ""},
		"while it waits after a failure": {`exit 1`, part{"retry": part{"delaySeconds": 50, "maxDelaySeconds": 60}}, "exit code 1"},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, time.Second, func() time.Duration {
				r := newRefresher(t, part{"ttlSeconds": 900}, c.values)
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
	r := newRefresher(t, part{"ttlSeconds": 900})
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
	r := newRefresher(t, part{"ttlSeconds": 4})
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

	heard := filepath.Join(t.TempDir(), "heard")
	r := newRefresher(t, part{"ttlSeconds": 3, "notify": part{
		"signal": part{"process": name, "signal": "USR1"},
		"http":   part{"url": server.URL + "/-/reload"},
		"exec":   part{"command": []string{"sh", "-c", `"$OUTRIGGER_TOOLS/busybox" cp "$OUTRIGGER_FILE" ` + heard}},
	}})
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

func TestAFileThatIsGoneIsWrittenAnew(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, part{"ttlSeconds": 900}).looksOften()
	r.provides(countsCalls + `echo "token $calls"`)
	s := r.start()
	r.awaitEvent(s, refreshed)
	require.NoError(t, os.Remove(r.file))
	r.awaitContent(s, "token 1")
	s.stop()
	require.Equal(t, 1, r.asked(), "what is known is not asked for")
}

func TestACredentialThatIsRefusedLaterIsObtainedAnew(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, part{"ttlSeconds": 900, "provers": []string{"pool"}}).looksOften()
	r.provides(countsCalls + `echo "token $calls"`)
	s := r.start()
	r.awaitContent(s, "token 1")
	r.answer("pool", "accepted", "")
	r.awaitEvent(s, refreshed)
	r.answer("pool", "refused", "the role is gone")
	r.awaitEvent(s, "the credential was refused, says pool: the role is gone")
	r.awaitContent(s, "token 2")
	s.stop()
}

func TestACommandHasItsOwnVariablesWhateverTheirNames(t *testing.T) {
	t.Parallel()
	names := []string{"HOST", "PORT", "FILE", "FORMAT", "MODE", "OUTPUT", "TTL", "DATABASE", "USERNAME", "TEMPLATE", "REFRESHER", "TOOLS", "STATE_DIR", "DIRECTORY", "IN_USE"}
	r := newRefresher(t, part{"ttlSeconds": 900, "file": part{"host": "db", "port": "5432"}})
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
	for message, values := range map[string]part{
		`/token/file/path: "x" is no absolute path`:                            {"file": part{"path": "x"}},
		"/token/file/format: there is no format ini":                           {"file": part{"format": "ini"}},
		"/token/file/format: the template has ${passwd}":                       {"file": part{"format": "template", "template": "a ${passwd}"}},
		"/token/exec/output: there is no output yaml":                          {"exec": part{"output": "yaml"}},
		"/token/exec/output: an output that is raw has no expiry":              {"ttlSeconds": 0},
		"/token/notify/http/method: there is no method PUT: write GET or POST": {"notify": part{"http": part{"url": "http://x", "method": "PUT"}}},
		"/token/nmae: there is no such key":                                    {"nmae": "x"},
		"probes cannot be answered: the socket's path has":                     {"name": strings.Repeat("x", 100)},
	} {
		t.Run(message, func(t *testing.T) {
			t.Parallel()
			r := newRefresher(t, part{"ttlSeconds": 1}, values)
			r.provides("echo token")
			if strings.Contains(message, "socket") {
				r.env = append(r.env, "OUTRIGGER_STATE_DIR="+filepath.Join(r.dir, strings.Repeat("x", 100)))
			}

			s := r.start()

			require.Equal(t, 2, exitCode(s.wait()))
			require.Contains(t, failure(t, s.output.String()), message)
			require.Len(t, splitLines(s.output.String()), 1)
			require.Empty(t, s.errors.String())
		})
	}
}

func TestBetweenRefreshesItIsSmallAndSleeps(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, part{"ttlSeconds": 900})
	r.provides("echo token")
	s := r.start()
	r.awaitEvent(s, refreshed)
	proc := fmt.Sprintf("/proc/%d", s.command.Process.Pid)
	wakes := func() (sum int) {
		tasks, err := filepath.Glob(proc + "/task/*/status")
		require.NoError(t, err)
		for _, task := range tasks {
			status, err := os.ReadFile(task)
			require.NoError(t, err)
			count, err := strconv.Atoi(string(regexp.MustCompile(`\nvoluntary_ctxt_switches:\s+(\d+)`).FindSubmatch(status)[1]))
			require.NoError(t, err)
			sum += count
		}
		return sum
	}
	// The runtime takes a while to come to rest after a start.
	s.await("five seconds with five wakes at most, as it looks every 30 seconds", func() bool {
		before := wakes()
		time.Sleep(5 * time.Second)
		return wakes()-before <= 5
	})
	children, err := filepath.Glob(proc + "/task/*/children")
	require.NoError(t, err)
	for _, list := range children {
		text, err := os.ReadFile(list)
		require.NoError(t, err)
		require.Empty(t, text)
	}
	s.stop()
}

// BenchmarkARefresherThatSleeps says how much memory one takes between refreshes.
func BenchmarkARefresherThatSleeps(b *testing.B) {
	dir, err := os.MkdirTemp("", "token")
	require.NoError(b, err)
	defer os.RemoveAll(dir)
	document, err := json.Marshal(part{"version": documentVersion(b), "token": part{
		"name": "db", "ttlSeconds": 900, "file": part{"path": dir + "/credential", "format": "raw", "mode": "0600"},
		"exec": part{"command": []string{"echo", "token"}, "output": "raw"},
	}})
	require.NoError(b, err)
	command := exec.Command(programPath, "token")
	command.Env = append(os.Environ(), "OUTRIGGER_STATE_DIR="+dir, "OUTRIGGER_CONFIG="+string(document))
	require.NoError(b, command.Start())
	defer func() { _ = command.Process.Kill(); _ = command.Wait() }()
	time.Sleep(5 * time.Second)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", command.Process.Pid))
	require.NoError(b, err)
	for name, unit := range map[string]string{"VmRSS": "resident-kB", "RssAnon": "own-kB"} {
		kB, err := strconv.Atoi(string(regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)[1]))
		require.NoError(b, err)
		b.ReportMetric(float64(kB), unit)
	}
}

func TestWhatACommandSaysIsLoggedWithoutTheCredential(t *testing.T) {
	t.Parallel()
	for _, output := range []string{"raw", "json"} {
		t.Run(output, func(t *testing.T) {
			t.Parallel()
			r := newRefresher(t, part{"ttlSeconds": 2, "exec": part{"output": output}})
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

func TestACommandThatFailsLeaksNothingThatItHasPrinted(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, part{"ttlSeconds": 900})
	r.provides(`echo eyJTOKEN-of-many-bytes; echo "debug: got eyJTOKEN-of-many-bytes" >&2; exit 1`)

	s := r.start()

	r.awaitEvent(s, "the command failed with exit code 1: debug: got ***")
	s.stop()
	require.NotContains(t, s.output.String(), "eyJTOKEN")
}

func TestACredentialThatIsTheSameAgainIsProvenAgain(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, part{"ttlSeconds": 900, "provers": []string{"pool"}})
	r.provides(countsCalls + `echo token`)
	s := r.start()
	r.awaitContent(s, "token")
	first, err := os.Stat(r.file)
	require.NoError(t, err)
	r.answer("pool", "refused", "for now")
	s.await("the file to be another", func() bool {
		second, err := os.Stat(r.file)
		return err == nil && !os.SameFile(first, second)
	})
	r.answer("pool", "accepted", "")
	r.awaitEvent(s, refreshed)
	require.Len(t, ofLevel(events(t, s), "error"), 1, "what was said of the file before does not count")
	require.Equal(t, 2, r.asked())
	s.stop()
}

func TestAListenerThatCannotBeToldIsOneLineAMinute(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, part{"ttlSeconds": 900, "notify": part{"exec": part{"command": []string{"sh", "-c", `printf x >>"$CALLS.told"; echo no >&2; exit 3`}}}})
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

func TestANotificationThatWasNotDeliveredBeforeAKillIsDeliveredAfterIt(t *testing.T) {
	t.Parallel()
	heard := filepath.Join(t.TempDir(), "heard")
	listens := filepath.Join(t.TempDir(), "listens")
	r := newRefresher(t, part{"ttlSeconds": 900, "notify": part{"exec": part{"command": []string{"sh", "-c",
		`"$OUTRIGGER_TOOLS/busybox" test -e ` + listens + ` && "$OUTRIGGER_TOOLS/busybox" cp "$OUTRIGGER_FILE" ` + heard}}}})
	require.NoError(t, os.WriteFile(r.file, []byte("before"), 0o640))
	r.provides("echo token")
	first := r.start()
	r.awaitEvent(first, "the command that tells of the new credential failed with exit code 1")
	first.kill()
	require.NoError(t, os.WriteFile(listens, nil, 0o600))
	r.provides("exit 1")

	second := r.start()

	second.await("the listener to hear", func() bool { data, _ := os.ReadFile(heard); return string(data) == "token" })
	second.stop()
}

// TestAKillAtAnyMomentTearsNoFileAndLosesNoNotification kills the program 200 times, each time while it renews again and again. Each
// time whoever is to be told of a file hears of the one that is in place when the program runs again, though the provider is down.
func TestAKillAtAnyMomentTearsNoFileAndLosesNoNotification(t *testing.T) {
	t.Parallel()
	const kills = 200
	random := seeded(t)
	heard := filepath.Join(t.TempDir(), "heard")
	r := newRefresher(t, part{"ttlSeconds": 1, "file": part{"format": "pgbouncer", "user": "shop"}})
	r.document = r.document.with(part{"notify": part{"exec": part{"command": []string{filepath.Join(appletDir, "busybox"), "cp", r.file, heard}}}})
	whole := regexp.MustCompile(`^"shop" "token [0-9]+"\n$`)
	hears := func() bool { data, _ := os.ReadFile(heard); return string(data) == r.content() }
	first, untold := "", 0
	for range kills {
		r.provides(countsCalls + `echo "token $calls"`)
		s := r.start()
		// Most of a run is spent asleep: half of the kills are where it has just begun, or just obtained another.
		if random.Intn(2) == 0 {
			asked := r.asked()
			s.await("the provider to be asked", func() bool { return r.asked() > asked })
		}
		time.Sleep(time.Duration(random.Intn(40)) * time.Millisecond)
		s.kill()
		if r.content() == "" {
			continue
		}
		require.Regexp(t, whole, r.content())
		if first == "" {
			first = r.content()
		}
		if r.content() == first || hears() {
			continue
		}
		untold++
		r.provides("exit 1")
		s = r.start()
		s.await("the file that is in place to be told", hears)
		s.kill()
	}
	t.Logf("%d of %d kills were before somebody was told", untold, kills)
	require.Greater(t, r.asked(), kills/4)
	r.provides("exit 1")
	s := r.start()
	r.awaitEvent(s, "exit code 1")
	s.stop()
	for _, name := range names(t, filepath.Dir(r.file)) {
		require.NotContains(t, name, ".new", "what a killed writer left")
	}
}

func TestMetricsAreServedWhereTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	r := newRefresher(t, part{"ttlSeconds": 900, "metrics": part{"port": port}})
	r.provides("echo token")
	s := r.start()
	r.awaitEvent(s, refreshed)

	response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", port))

	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Contains(t, string(text), `outrigger_credential_obtained_total{refresher="db"} 1`)
	require.Contains(t, string(text), `outrigger_credential_expiry_timestamp_seconds{refresher="db"}`)
	s.stop()
}

func TestNoCoreOfARefresherAndOfWhatItRunsHasACredential(t *testing.T) {
	t.Parallel()
	unlimited := syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_CORE, &unlimited), "for this process and what it starts")
	r := newRefresher(t, part{"ttlSeconds": 900})
	r.provides("cat /proc/$PPID/limits; ulimit -c")
	s := r.start()

	r.awaitEvent(s, refreshed)

	require.Regexp(t, `Max core file size +0 +0 `, r.content(), "its own")
	require.Regexp(t, `\n0$`, r.content(), "its command's")
	s.stop()
}

func TestAPersonIsToldHowItIs(t *testing.T) {
	t.Parallel()
	r := newRefresher(t, part{"ttlSeconds": 900})
	r.provides("echo token")
	s := r.start()
	r.awaitEvent(s, refreshed)

	ask := func(program, what string) string {
		command := exec.Command(program, what)
		command.Env = []string{"OUTRIGGER_STATE_DIR=" + filepath.Dir(r.socket())}
		output, err := command.CombinedOutput()
		require.NoError(t, err, string(output))
		return string(output)
	}
	status := ask(programPath, "status")

	require.Regexp(t, `(?s)^refresher +db\n.*\nstate +in use\nin use +until .*\nnext renewal +20.*\n$`, status)
	require.Empty(t, ask(probePath, "ready"))
	s.stop()
}

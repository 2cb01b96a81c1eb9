package token

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/files"
	"github.com/outrigger-charts/outrigger/library/sidecar/notify"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/format"
)

// noon is when each test's world begins.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// world is what a refresher runs in: directories, a provider, a listener, and clocks that stand still while anybody works, and
// go on at once when somebody waits. All of it is one goroutine's.
type world struct {
	t        *testing.T
	token    document.Token
	dir      string
	clock    *testClock
	log      bytes.Buffer
	replace  replace
	provider testProvider
	// tell is told of the file; nil where nobody is to be.
	tell func() error
	r    *refresher
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: memoryDirectory(t), clock: &testClock{wall: noon}, replace: files.Replace}
	require.NoError(t, os.Mkdir(filepath.Join(w.dir, "shared"), 0o755))
	w.token = document.Token{
		Name:  "db",
		File:  document.TokenFile{Path: filepath.Join(w.dir, "shared", "credential"), Format: "raw", Mode: "0640"},
		Retry: document.Retry{Delay: 1, MaxDelay: 60},
		Exec:  &document.TokenExec{Command: []string{"none"}, Output: "json"},
	}
	w.provider = testProvider{world: w, life: 15 * time.Minute}
	return w
}

// memoryDirectory is a directory in memory where the machine has that, as a pod's are.
func memoryDirectory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "token")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// start makes a refresher, as a container's start does.
func (w *world) start() {
	w.t.Helper()
	r, err := newRefresher(w.token, filepath.Join(w.dir, "state"), &w.log, machine{w.clock, func() float64 { return 0 }, w.replace})
	require.NoError(w.t, err)
	r.provider = &w.provider
	if w.tell != nil {
		r.listeners = []notify.Listener{{Name: "test", Tell: func(context.Context) error { return w.tell() }}}
	}
	w.r = r
}

// run runs a refresher from its start to its end after a time.
func (w *world) run(span time.Duration) {
	w.t.Helper()
	w.start()
	w.goOn(span)
}

func (w *world) goOn(span time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w.clock.after(span, cancel)
	w.r.run(ctx)
}

func (w *world) content() string {
	content, _ := os.ReadFile(w.token.File.Path)
	return string(content)
}

// verdict is what a prover says of the file as it is.
func (w *world) verdict(prover string, outcome proof.Outcome, reason string) {
	w.t.Helper()
	verdict := proof.Verdict{Sum: proof.Sum([]byte(w.content())), Outcome: outcome, Reason: reason, SQLState: "28P01"}
	require.NoError(w.t, proof.Write(proof.VerdictPath(w.token.File.Path, prover), verdict, 0o600))
}

// metrics are what Prometheus reads.
func (w *world) metrics() string {
	w.t.Helper()
	recorder := httptest.NewRecorder()
	promhttp.HandlerFor(w.r.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(w.t, http.StatusOK, recorder.Code)
	return recorder.Body.String()
}

// readyUntil is the metric by which the expiry alarms.
func (w *world) readyUntil() float64 {
	w.t.Helper()
	match := regexp.MustCompile(`(?m)^outrigger_credential_ready_until_timestamp_seconds{.*} (.*)$`).FindStringSubmatch(w.metrics())
	require.NotNil(w.t, match)
	value, err := strconv.ParseFloat(match[1], 64)
	require.NoError(w.t, err)
	return value
}

// line is one of the log.
type line struct {
	Time, Level, Message, Event, Refresher, Explanation string
	ExpiresAt, RefreshAt, InUseExpiresAt                time.Time
	RetryAfterSeconds                                   float64
	Failures                                            int
}

// lines are those of an event, or all.
func (w *world) lines(event string) []line {
	w.t.Helper()
	var list []line
	for text := range strings.Lines(w.log.String()) {
		var l line
		require.NoError(w.t, json.Unmarshal([]byte(text), &l), text)
		require.Equal(w.t, "db", l.Refresher)
		require.NotEmpty(w.t, l.Event, text)
		if event == "" || l.Event == event {
			list = append(list, l)
		}
	}
	return list
}

func (w *world) messages(event string) []string {
	w.t.Helper()
	list := []string{}
	for _, l := range w.lines(event) {
		list = append(list, l.Message)
	}
	return list
}

// testClock goes on only when somebody sleeps.
type testClock struct {
	wall    time.Time
	elapsed time.Duration
	events  []happening
}

type happening struct {
	at   time.Duration
	what func()
}

func (c *testClock) Now() time.Time         { return c.wall }
func (c *testClock) Elapsed() time.Duration { return c.elapsed }

// after lets something happen so long after now, while somebody sleeps.
func (c *testClock) after(span time.Duration, what func()) {
	c.events = append(c.events, happening{c.elapsed + span, what})
	slices.SortStableFunc(c.events, func(a, b happening) int { return int(a.at - b.at) })
}

func (c *testClock) Sleep(ctx context.Context, span time.Duration) bool {
	for end := c.elapsed + span; ctx.Err() == nil; {
		if len(c.events) == 0 || c.events[0].at > end {
			c.pass(end - c.elapsed)
			return true
		}
		next := c.events[0]
		c.events = c.events[1:]
		c.pass(max(next.at-c.elapsed, 0))
		next.what()
	}
	return false
}

func (c *testClock) pass(span time.Duration) {
	c.elapsed += span
	c.wall = c.wall.Add(span)
}

// testProvider gives credentials "password 1", "password 2" and so on.
type testProvider struct {
	world  *world
	life   time.Duration
	signed time.Duration // what is left of what signed them, where it is not 0
	until  time.Time     // when what signs them expires, where that is not renewed
	leases bool
	down   bool
	asked  []time.Duration // after noon
	lease  []*testLease
	// renewed is how long a lease lives after it is renewed.
	renewed time.Duration
	explain string
}

var errDown = errors.New("the provider is down")

func (p *testProvider) Obtain(context.Context) (credential.Credential, error) {
	p.asked = append(p.asked, p.world.clock.elapsed)
	if p.down {
		return credential.Credential{}, errDown
	}
	now := p.world.clock.wall
	c := credential.Credential{Username: "shop", Password: fmt.Sprint("password ", len(p.asked))}
	if p.life > 0 {
		c.ExpiresAt = now.Add(p.life)
	}
	if p.signed > 0 {
		c.SignedUntil = now.Add(p.signed)
	}
	if !p.until.IsZero() {
		c.SignedUntil, c.Note = p.until, "nobody renews what signs it"
	}
	if p.leases {
		lease := &testLease{provider: p}
		p.lease = append(p.lease, lease)
		c.Lease = lease
	}
	return c, nil
}

func (p *testProvider) Explain(_ context.Context, refused credential.Credential) string {
	return strings.ReplaceAll(p.explain, "PASSWORD", refused.Password)
}

// testLease knows when it was renewed and revoked.
type testLease struct {
	provider         *testProvider
	renewed, revoked []time.Duration
	stubborn         bool
}

func (l *testLease) Renew(context.Context) (time.Time, error) {
	l.renewed = append(l.renewed, l.provider.world.clock.elapsed)
	if l.provider.renewed == 0 {
		return time.Time{}, errDown
	}
	return l.provider.world.clock.wall.Add(l.provider.renewed), nil
}

func (l *testLease) Revoke(context.Context) error {
	l.revoked = append(l.revoked, l.provider.world.clock.elapsed)
	if l.stubborn {
		return errDown
	}
	return nil
}

type formatTexts = format.Texts

func removeFile(w *world) error { return os.Remove(w.token.File.Path) }

// listeners are one of a name.
func listeners(name string, tell func() error) []notify.Listener {
	return []notify.Listener{{Name: name, Tell: func(context.Context) error { return tell() }}}
}

package pgbouncer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/outrigger-charts/outrigger/library/sidecar/health"
	"github.com/outrigger-charts/outrigger/library/sidecar/postgres"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
	"github.com/outrigger-charts/outrigger/library/sidecar/version"
)

// answerTime is how long pgbouncer may take to answer what a probe or a person asks.
const answerTime = time.Second

// view is what probes and people see, at any time.
type view struct {
	console  console
	listener postgres.Target

	mutex     sync.Mutex
	isLive    bool // there is a pgbouncer that clients connect to
	started   bool // a query has gone through it
	verdict   proof.Verdict
	failure   failure
	nextProof time.Time // zero where none is to come
	restarts  int
}

// failure is the last error, of an event, and when it was over.
type failure struct {
	name, text string
	at, overAt time.Time
}

func (v *view) setLive()                      { v.set(func() { v.isLive = true }) }
func (v *view) setStarted()                   { v.set(func() { v.started = true }) }
func (v *view) setVerdict(said proof.Verdict) { v.set(func() { v.verdict = said }) }
func (v *view) setNextProof(at time.Time)     { v.set(func() { v.nextProof = at }) }
func (v *view) addRestart()                   { v.set(func() { v.restarts++ }) }

func (v *view) setError(name, text string) {
	v.set(func() { v.failure = failure{name: name, text: text, at: time.Now()} })
}

// setOver says that there is no error of an event any more.
func (v *view) setOver(name string) {
	v.set(func() {
		if v.failure.name == name && v.failure.overAt.IsZero() {
			v.failure.overAt = time.Now()
		}
	})
}

func (v *view) set(change func()) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	change()
}

func (v *view) hasStarted() bool {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	return v.started
}

func (v *view) answers() health.Answers {
	return health.Answers{
		Questions: map[string]health.Question{
			"started": func() error {
				if !v.hasStarted() {
					return errors.New(v.notYet())
				}
				return v.accepts()
			},
			"ready": v.ready,
			// What hangs is pgbouncer, which the program starts anew by itself.
			"live": func() error { return nil },
		},
		Status: v.status,
	}
}

// notYet says what the start waits for.
func (v *view) notYet() string {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if v.failure.text != "" && v.failure.overAt.IsZero() {
		return v.failure.text
	}
	return "no query has gone through pgbouncer yet"
}

func (v *view) ready() error {
	v.mutex.Lock()
	isLive := v.isLive
	v.mutex.Unlock()
	if !isLive {
		return errors.New(v.notYet())
	}
	if err := v.accepts(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	if err := v.console.answers(ctx); err != nil {
		return fmt.Errorf("pgbouncer does not answer: %w", err)
	}
	return nil
}

// accepts tells whether it takes connections. One that hangs does: the kernel takes them in its place.
func (v *view) accepts() error {
	network, address := pgconn.NetworkAddress(v.listener.Host, uint16(v.listener.Port))
	connection, err := net.DialTimeout(network, address, answerTime)
	if err != nil {
		return fmt.Errorf("pgbouncer takes no connections: %w", err)
	}
	return connection.Close()
}

// status is what `outrigger status` shows.
func (v *view) status() string {
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	var text strings.Builder
	fmt.Fprintf(&text, "outrigger %s\n", version.Version)
	if of, err := v.console.version(ctx); err != nil {
		fmt.Fprintf(&text, "pgbouncer does not answer: %v\n", err)
	} else {
		fmt.Fprintln(&text, of)
	}
	pools, _ := v.console.ofDatabases(ctx, "POOLS")
	for _, pool := range pools {
		fmt.Fprintf(&text, "pool %s of %s: clients %s active, %s waiting; servers %s active, %s idle\n", pool["database"],
			pool["user"], pool["cl_active"], pool["cl_waiting"], pool["sv_active"], pool["sv_idle"])
	}
	v.mutex.Lock()
	defer v.mutex.Unlock()
	fmt.Fprintf(&text, "last proof: %s\n", strings.Join([]string{
		string(v.verdict.Outcome), v.verdict.SQLState, v.verdict.Reason,
	}, " "))
	if now := time.Now(); !v.nextProof.IsZero() {
		fmt.Fprintf(&text, "next proof: %s\n", health.When(v.nextProof, now))
	}
	fmt.Fprintf(&text, "restarts of one that hung: %d\n", v.restarts)
	v.failure.write(&text, time.Now())
	return text.String()
}

func (f failure) write(text *strings.Builder, now time.Time) {
	if f.text == "" {
		return
	}
	over := "it lasts"
	if !f.overAt.IsZero() {
		over = "over since " + health.When(f.overAt, now)
	}
	fmt.Fprintf(text, "last error: %s, %s: %s\n", health.When(f.at, now), over, f.text)
}

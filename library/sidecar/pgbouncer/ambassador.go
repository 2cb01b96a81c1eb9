package pgbouncer

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/clocks"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/event"
	"github.com/outrigger-charts/outrigger/library/sidecar/files"
	"github.com/outrigger-charts/outrigger/library/sidecar/postgres"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

// lookInterval is how often the file is looked at.
const lookInterval = 200 * time.Millisecond

// ambassador runs a pgbouncer with a password that changes. All but its view belongs to its loop, run.
type ambassador struct {
	config     document.PgBouncer
	settings   map[string]string
	place      place
	issuedPath string // where its writer says until when the file's credential lives
	log        *slog.Logger
	complaints complaints
	source     *source
	prover     prover
	console    console
	view       *view

	candidate *credential // what the file has, until the server has taken it
	refused   bool        // the candidate, by its last proof
	proving   bool
	retry     retry
	inUse     inUse
	live      *live // nil before there is a password to start it with
	ending    ending
	countAt   time.Time // when to count the clients that the end waits for
	// queriesSeen is how many clients' queries there were when they were counted last.
	queriesSeen int

	proofs  chan proof.Verdict
	queries chan proof.Verdict
}

func newAmbassador(config document.PgBouncer, at place, linger time.Duration, log *slog.Logger) (*ambassador, error) {
	config.Proof = cmp.Or(config.Proof, 10)
	config.RetryMax = cmp.Or(config.RetryMax, 15)
	config.Quiet = cmp.Or(config.Quiet, 10)
	config.Stop = cmp.Or(config.Stop, 5)
	config.Patience = cmp.Or(config.Patience, 5)
	settings := withDefaults(config.Settings)
	if needsAuthorities(settings) {
		settings["server_tls_ca_file"] = at.authorities()
		if err := files.Replace(at.authorities(), authorities(), 0o600); err != nil {
			return nil, err
		}
	}
	a := &ambassador{
		config: config, settings: settings, place: at, log: log,
		issuedPath: proof.IssuedPath(cmp.Or(config.AuthFile, config.PasswordFile)),
		complaints: complaints{log: log, last: map[string]complaint{}},
		source:     newSource(config),
		prover:     prover{config: config, settings: settings, place: at},
		console:    console{folder: cmp.Or(config.Listen.Directory, string(at)), port: config.Listen.Port},
		retry:      retry{most: config.RetryMax.Duration()},
		ending:     ending{linger: linger, quiet: config.Quiet.Duration()},
		proofs:     make(chan proof.Verdict, 1),
		queries:    make(chan proof.Verdict),
	}
	a.view = &view{console: a.console, listener: a.listener()}
	if at.hasUsers() {
		a.inUse.recall(at.inUse(), clocks.Now())
	}
	return a, nil
}

// needsAuthorities tells whether servers are known by certificates of public authorities.
func needsAuthorities(settings map[string]string) bool {
	return strings.HasPrefix(settings["server_tls_sslmode"], "verify-") && settings["server_tls_ca_file"] == ""
}

// listener is where clients connect.
func (a *ambassador) listener() postgres.Target {
	return postgres.Target{Host: cmp.Or(a.config.Listen.Directory, "127.0.0.1"), Port: a.config.Listen.Port, Dial: dialUntil}
}

// run runs until stop, or until pgbouncer ends by itself, which is an error with its exit code.
func (a *ambassador) run(ctx context.Context, stop <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	looks := time.NewTicker(lookInterval)
	defer looks.Stop()
	if _, err := os.Stat(a.source.path); err != nil {
		a.log.Info("waiting for "+a.source.path, event.Is(eventWaiting))
	}
	for {
		var ended, hung <-chan struct{}
		if a.live != nil {
			ended, hung = a.live.ended, a.live.hung
		}
		var err error
		select {
		case <-stop:
			a.ending.begin(time.Now())
		case <-looks.C:
			a.look(ctx)
		case verdict := <-a.proofs:
			err = a.judge(verdict)
		case verdict := <-a.queries:
			a.queried(verdict)
		case <-ended:
			err = a.endedByItself()
		case <-hung:
			err = a.replace()
		}
		if err != nil {
			cancel()
			a.finish()
			return err
		}
		if a.ending.hasBegun() && (a.live == nil || a.ending.isOver(time.Now())) {
			cancel()
			a.finish()
			return nil
		}
	}
}

// look sees what is new, and begins what is due.
func (a *ambassador) look(ctx context.Context) {
	now := time.Now()
	if a.inUse.remember(a.issuedPath, clocks.Now()) {
		a.saveInUse()
	}
	if left, ends := a.inUse.left(clocks.Now()); ends && left > 0 {
		// From then on a candidate is taken up that could not be proven.
		a.retry.by(now.Add(left))
	}
	if a.ending.hasBegun() {
		a.countClients(ctx, now)
	}
	if a.proving {
		a.replaceExpired()
		return
	}
	switch found, err := a.source.next(); {
	case err != nil:
		a.complain(eventUnreadable, err.Error())
	case found != nil:
		a.candidate, a.refused = found, false
		a.retry.reset()
		a.over(eventNotTaken)
		a.over(eventUnreadable)
	}
	if a.candidate != nil && a.retry.isDue(now) {
		a.proving = true
		candidate := a.candidate
		go func() { a.proofs <- a.prover.prove(ctx, candidate) }()
	}
	a.view.setNextProof(a.nextProof())
}

// nextProof is when a proof is due, where one is to come.
func (a *ambassador) nextProof() (at time.Time) {
	if a.candidate != nil && !a.proving {
		at = a.retry.at
	}
	return at
}

// countClients looks once a second whether there are clients, for which the end waits. Where that cannot be told there
// may be.
func (a *ambassador) countClients(ctx context.Context, now time.Time) {
	if now.Before(a.countAt) {
		return
	}
	a.countAt = now.Add(time.Second)
	asking, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	count, err := a.console.clients(asking)
	queries, failed := a.console.queries(asking)
	// Who comes and goes between two looks has asked something.
	if err != nil || failed != nil || count > 0 || queries != a.queriesSeen {
		a.ending.sawClients(now)
	}
	a.queriesSeen = queries
}

// start starts the pgbouncer that clients connect to, with the credential that is in use.
func (a *ambassador) start() error {
	own := map[string]string{"listen_addr": "127.0.0.1", "unix_socket_dir": string(a.place), "unix_socket_mode": "0700"}
	if a.config.Listen.Directory != "" {
		own = map[string]string{"unix_socket_dir": a.config.Listen.Directory, "unix_socket_mode": "0777"}
	}
	text := configuration(a.config.Databases, a.settings, own, map[string]string{
		"listen_port": strconv.Itoa(a.config.Listen.Port), "auth_type": "trust", "auth_file": a.place.users(),
	})
	if err := files.Replace(a.place.config(), []byte(text), 0o600); err != nil {
		return err
	}
	started, err := startLive(a.config.Program, a.place.config(), a.console, a.config.Patience.Duration())
	if err != nil {
		return err
	}
	a.live = started
	a.view.setLive()
	if a.view.hasStarted() {
		return nil
	}
	users, err := os.ReadFile(a.place.users())
	if err != nil {
		return err
	}
	target := a.listener()
	target.Database = a.config.ProofDatabase
	if target.User, err = firstUser(users); err != nil {
		return err
	}
	go started.firstQuery(target, a.config.Proof.Duration(), a.queries)
	return nil
}

func (a *ambassador) queried(verdict proof.Verdict) {
	if verdict.Outcome == proof.Accepted {
		a.view.setStarted()
		a.over(eventNoQuery)
	} else if !a.ending.hasBegun() {
		a.complain(eventNoQuery, "no query goes through pgbouncer: "+verdict.Reason)
	}
}

// replace starts pgbouncer anew, which hangs.
func (a *ambassador) replace() error {
	a.view.addRestart()
	a.log.Error("pgbouncer has not answered for a while and is started anew", event.Is(eventHung))
	a.live.kill()
	return a.start()
}

func (a *ambassador) endedByItself() error {
	err := endedError{code: a.live.exitCode()}
	a.live = nil
	a.log.Error(err.Error(), event.Is(eventEnded))
	return err
}

// finish ends pgbouncer, whose clients may stay for a while, and what proves a password, which has no client.
func (a *ambassador) finish() {
	if a.live != nil {
		a.live.signal(syscall.SIGTERM)
		select {
		case <-a.live.ended:
		case <-time.After(a.config.Stop.Duration()):
		}
		a.live.kill()
	}
	if a.proving {
		<-a.proofs
	}
}

func (a *ambassador) complain(name, text string) {
	a.view.setError(name, text)
	a.complaints.say(name, text)
}

// over says that there is nothing to complain about of an event any more.
func (a *ambassador) over(name string) {
	a.view.setOver(name)
	a.complaints.forget(name)
}

package token

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/health"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

// answersOf are what probes and people may ask a refresher.
func answersOf(r *refresher) health.Answers {
	return health.Answers{
		Questions: map[string]health.Question{"started": r.started, "ready": r.ready},
		Status:    r.status,
	}
}

// started tells whether the file is there, is this refresher's, and has not expired.
func (r *refresher) started() error {
	known, ours := r.memory.get().of(r.sumOfFile())
	switch {
	case !ours:
		return errors.New("no credential has been written yet")
	case !r.clock.Now().Before(known.ExpiresAt):
		return fmt.Errorf("the credential that is written has expired at %s", utc(known.ExpiresAt))
	}
	return nil
}

// ready tells whether the credential in use does not expire soon. One after it that provers have taken up, or of which the server
// could not be asked, is as good: they take that up when the one in use expires.
func (r *refresher) ready() error {
	inUse := r.memory.get().InUse
	switch {
	case inUse.Sum == "":
		return errors.New("no credential is in use yet")
	case !r.clock.Now().Before(r.readyUntil()):
		return fmt.Errorf("the credential in use expires at %s", utc(inUse.ExpiresAt))
	}
	return nil
}

// readyUntil is until when the pod is ready by what is known; zero where no credential is in use.
func (r *refresher) readyUntil() time.Time {
	known := r.memory.get()
	until := known.InUse.ReadyUntil
	next, ours := known.of(r.sumOfFile())
	if known.InUse.Sum != "" && ours && next.ReadyUntil.After(until) && r.isNotRefused(next.Sum) {
		return next.ReadyUntil
	}
	return until
}

// isNotRefused tells whether there are provers, of which none refuses a credential or has said nothing of it for long.
func (r *refresher) isNotRefused(sum string) bool {
	excused := r.clock.Elapsed() < time.Duration(r.silenceExcused.Load())
	for _, prover := range r.token.Provers {
		var verdict proof.Verdict
		said := proof.Read(proof.VerdictPath(r.token.File.Path, prover), &verdict) && verdict.Sum == sum
		if said && verdict.Outcome == proof.Refused || !said && !excused {
			return false
		}
	}
	return len(r.token.Provers) > 0
}

// verdictPatience is how long a proof may take: pgbouncer's ends within 10 s.
const verdictPatience = 15 * time.Second

// excuseSilence lets a pod that is ready stay so while a new file is written and proven. One that is not becomes ready by a proof
// only, as the server may refuse one file after the other.
func (r *refresher) excuseSilence() {
	var until time.Duration
	if r.ready() == nil {
		until = r.clock.Elapsed() + verdictPatience
	}
	r.silenceExcused.Store(int64(until))
}

// report is what a person is shown besides what is remembered.
type report struct {
	mutex         sync.Mutex
	doing         string
	failure       string
	failedAt      time.Time
	nextAt        time.Time
	hasLease      bool
	replacedCount int
}

// set says what a refresher does now.
func (s *report) set(doing string, r *refresher) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.doing = doing
	s.nextAt, s.hasLease, s.replacedCount = time.Time{}, false, len(r.replaced)
	if r.held != nil {
		s.nextAt, s.hasLease = r.held.DueAt, r.held.credential.Lease != nil
	}
}

// setError says what went wrong last, and when.
func (s *report) setError(message string, now time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.failure, s.failedAt = message, now
}

func (r *refresher) status() string {
	inUse, now := r.memory.get().InUse, r.clock.Now()
	s := &r.report
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var text strings.Builder
	line := func(name, format string, arguments ...any) {
		fmt.Fprintf(&text, "%-14s "+format+"\n", append([]any{name}, arguments...)...)
	}
	line("refresher", "%s", r.token.Name)
	line("file", "%s", r.token.File.Path)
	line("state", "%s", s.doing)
	if inUse.Sum == "" {
		line("in use", "none yet")
	} else {
		line("in use", "until %s", health.When(inUse.ExpiresAt, now))
	}
	if !s.nextAt.IsZero() {
		line("next renewal", "%s", health.When(s.nextAt, now))
	}
	if s.hasLease || s.replacedCount > 0 {
		held := map[bool]string{true: "1 held", false: "none held"}[s.hasLease]
		line("leases", "%s, %d to be revoked", held, s.replacedCount)
	}
	if s.failure != "" {
		line("last error", "%s, %s", health.When(s.failedAt, now), s.failure)
	}
	return text.String()
}

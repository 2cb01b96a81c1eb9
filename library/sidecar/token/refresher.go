package token

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/clocks"
	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/event"
	"github.com/outrigger-charts/outrigger/library/sidecar/files"
	"github.com/outrigger-charts/outrigger/library/sidecar/notify"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
	"github.com/outrigger-charts/outrigger/library/sidecar/redact"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/format"
)

// replace is files.Replace, or what a test has in its place.
type replace func(path string, content []byte, mode fs.FileMode) error

// refresher keeps a short-lived credential in a file. Its loop is one goroutine's; what others may ask is in its memory and its
// report.
type refresher struct {
	token       document.Token
	mode        fs.FileMode
	format      format.Format
	provider    credential.Provider
	obtainLimit time.Duration
	listeners   []notify.Listener
	look        time.Duration

	machine
	log     *slog.Logger
	metrics *metrics
	memory  *memory
	report  report

	// silenceExcused is until when, by the monotonic clock, no verdict on the file in place takes no readiness away.
	silenceExcused atomic.Int64

	held     *held           // what the file has or is to have; nil: one is to be obtained
	replaced []replacedLease // leases of credentials that are in use no more once another is
	reckoned clocks.Moment   // when it was reckoned until when what is held lives
	failures int             // in a row
	renewing bool            // the credential in use is as it was, and only due

	inPlace    string               // the sum of the file, where it is this refresher's
	tellAgain  time.Duration        // by the monotonic clock, not before
	complaints map[string]complaint // about listeners, by their names
	heard      map[string]heard     // what provers said last of what is held, by their names
}

// held is a credential that this refresher obtained, or whose file it found.
type held struct {
	record
	credential credential.Credential // empty where the file was found; the record's times count
	written    bool
	found      bool
	announced  bool // that it is in use
}

// run refreshes until the context ends.
func (r *refresher) run(ctx context.Context) {
	r.adopt()
	for ctx.Err() == nil {
		err := r.turn(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			r.fail(ctx, err)
		}
	}
}

// adopt takes on the credential that a refresher before this one has written, if it is not due. Its lease is not in the state:
// it is neither renewed nor revoked, and ends at its expiry.
func (r *refresher) adopt() {
	r.reckoned = momentOf(r.clock)
	files.Sweep(r.token.File.Path)
	files.Sweep(proof.IssuedPath(r.token.File.Path))
	known, ours := r.memory.get().of(r.sumOfFile())
	if !ours {
		return
	}
	r.inPlace = known.Sum
	// Where it cannot be written is told when the next is.
	_ = r.memory.update(func(s *state) { s.Written, s.Next = known, record{} })
	now := r.reckoned.Wall
	if !now.Before(known.DueAt) || known.ObtainedAt.Sub(now) > clockTolerance {
		return
	}
	r.held = &held{record: known, written: true, found: true}
	r.log.Info("the credential of before is taken on", event.Is("credential.adopted"), "expiresAt", known.ExpiresAt, "refreshAt", known.DueAt)
}

// turn has a credential in use, and keeps it for as long as it may.
func (r *refresher) turn(ctx context.Context) error {
	if r.held != nil && r.due() && !r.prolong(ctx) {
		inUse := r.held.announced
		r.drop()
		r.renewing = inUse
	}
	if r.held == nil {
		r.report.set("obtaining a credential", r)
		if err := r.obtain(ctx); err != nil {
			return err
		}
	}
	if !r.held.written {
		if err := r.write(); err != nil {
			return err
		}
	}
	r.report.set("waiting for proof", r)
	if inUse, err := r.prove(ctx); err != nil || !inUse {
		return err
	}
	r.report.set("in use", r)
	if r.failures > 0 {
		r.log.Info(fmt.Sprintf("the credential was refreshed after %d failures", r.failures), event.Is("credential.recovered"), "failures", r.failures)
		r.countFailures(0)
	}
	return r.keep(ctx)
}

// clockTolerance is how far a clock may be set back in all, as clocks are that were a little ahead.
const clockTolerance = 5 * time.Second

// wasSetBack gives up what is held where the wall clock was set back since it was obtained, and tells whether it was: by a clock
// that was ahead, it may have been reckoned to live for longer than it does.
func (r *refresher) wasSetBack() bool {
	if clocks.SetBack(r.reckoned, momentOf(r.clock)) <= clockTolerance {
		return false
	}
	r.log.Info("the clock was set back: the credential is obtained anew", event.Is("clock.setBack"))
	r.drop()
	return true
}

// keep waits until the credential in use is due, gone or no longer to be trusted. Its error says that it is refused.
func (r *refresher) keep(ctx context.Context) error {
	for ctx.Err() == nil && !r.due() {
		if r.wasSetBack() || r.lost() {
			return nil
		}
		if err := r.stillAccepted(ctx); err != nil {
			return err
		}
		r.revokeReplaced(ctx)
		r.pause(ctx, min(r.look, r.held.DueAt.Sub(r.clock.Now())))
	}
	return nil
}

// lost tells whether the file is no longer what was written, which then is written again, if its texts are known.
func (r *refresher) lost() bool {
	if r.sumOfFile() == r.held.Sum {
		return false
	}
	r.trouble(slog.LevelError, r.token.File.Path+" is gone or was changed: it is written anew", event.Is("file.gone"))
	if r.held.written = false; r.held.found {
		r.drop()
	}
	return true
}

func (r *refresher) due() bool { return !r.clock.Now().Before(r.held.DueAt) }

// drop gives up the credential: another is to be obtained.
func (r *refresher) drop() {
	r.retire(r.held.credential, r.held.record)
	r.held, r.renewing = nil, false
}

// fail tells of a failure in one line, and waits before the next attempt.
func (r *refresher) fail(ctx context.Context, err error) {
	r.countFailures(r.failures + 1)
	inUse := r.memory.get().InUse
	first, most := r.token.Retry.Delay.Duration(), r.token.Retry.MaxDelay.Duration()
	delay := retryDelay(first, most, r.failures, inUse.ReadyUntil.Sub(r.clock.Now()), r.random()).Round(time.Millisecond)
	name, attributes := "credential.failed", []any{"failures", r.failures, "retryAfterSeconds", delay.Seconds()}
	failed := failure{}
	if errors.As(err, &failed); failed.reason == reasonRefused {
		name = "credential.refused"
		if failed.explanation != "" {
			attributes = append(attributes, "explanation", failed.explanation)
		}
	}
	if inUse.Sum != "" {
		attributes = append(attributes, "inUseExpiresAt", inUse.ExpiresAt)
	}
	r.report.set("failing", r)
	r.trouble(slog.LevelError, err.Error(), append(attributes, event.Is(name))...)
	r.metrics.failures.WithLabelValues(string(failed.reason)).Inc()
	r.pause(ctx, delay)
}

func (r *refresher) countFailures(count int) {
	r.failures = count
	r.metrics.inARow.Set(float64(count))
}

// trouble tells of what goes wrong, in the log and to who asks for the status.
func (r *refresher) trouble(level slog.Level, message string, attributes ...any) {
	r.log.Log(context.Background(), level, message, attributes...)
	r.report.setError(message, r.clock.Now())
}

// pause waits. Who has not heard of the file that is in place is told meanwhile.
func (r *refresher) pause(ctx context.Context, span time.Duration) {
	for end := r.clock.Elapsed() + span; ; {
		r.tell(ctx)
		left := end - r.clock.Elapsed()
		if len(r.untold()) > 0 {
			left = min(left, max(r.tellAgain-r.clock.Elapsed(), 0))
		}
		if !r.clock.Sleep(ctx, max(left, 0)) || r.clock.Elapsed() >= end {
			return
		}
	}
}

// hide takes the credentials of now and before, and more secrets, out of a text.
func (r *refresher) hide(text string, more ...string) string {
	for _, secret := range r.memory.get().Secrets {
		more = append(more, string(secret))
	}
	return redact.Hide(text, more...)
}

// sumOfFile is that of the file as it is, or nothing where it cannot be read.
func (r *refresher) sumOfFile() string {
	content, err := os.ReadFile(r.token.File.Path)
	if err != nil {
		return ""
	}
	return proof.Sum(content)
}

package token

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/event"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

const (
	// proveLook is how often provers are asked that have yet to say something.
	proveLook = 200 * time.Millisecond
	// silencePatience is how long one may say nothing, as one that starts has nothing to say.
	silencePatience = time.Minute
	explainLimit    = 30 * time.Second
)

// answer is what all of the provers say of a credential: that it is in use, that it is refused, or neither, and why.
type answer struct {
	inUse   bool
	refused *refusal
	silence string
	waiting bool // for one that has said nothing
}

// refusal is a verdict, and whose it is.
type refusal struct {
	prover string
	proof.Verdict
}

// answers reads what provers say, and tells what is new of it and wrong.
func (r *refresher) answers() answer {
	of := answer{inUse: true}
	for _, prover := range r.token.Provers {
		var verdict proof.Verdict
		if !proof.Read(proof.VerdictPath(r.token.File.Path, prover), &verdict) || verdict.Sum != r.held.Sum {
			of.inUse, of.waiting = false, true
			of.silence = prover + " has not said whether the server takes the credential"
			continue
		}
		verdict = r.hear(prover, verdict)
		switch {
		case verdict.Outcome.InUse():
		case verdict.Outcome == proof.Refused:
			return answer{refused: &refusal{prover, verdict}}
		default:
			of.inUse = false
			of.silence = unanswered(prover, verdict)
		}
	}
	return of
}

func unanswered(prover string, verdict proof.Verdict) string {
	return fmt.Sprintf("%s could not ask the server whether it takes the credential: %s", prover, verdict.Reason)
}

// heard is a verdict as it was read, and as it may be shown.
type heard struct{ read, shown proof.Verdict }

// hear tells of a verdict that is new and not as it should be, and returns it as it may be shown.
func (r *refresher) hear(prover string, verdict proof.Verdict) proof.Verdict {
	if before := r.heard[prover]; before.read == verdict {
		return before.shown
	}
	read := verdict
	verdict.Reason = r.hide(verdict.Reason)
	r.heard[prover] = heard{read, verdict}
	switch verdict.Outcome {
	case proof.Unanswered:
		r.trouble(slog.LevelError, unanswered(prover, verdict), event.Is("credential.unanswered"))
	case proof.Misconfigured:
		r.trouble(slog.LevelError, fmt.Sprintf("the server takes the credential and refuses what comes after it, says %s: %s", prover, verdict.Reason), event.Is("credential.misconfigured"))
	case proof.Unproven:
		r.trouble(slog.LevelError, fmt.Sprintf("the credential is in use unproven, as the one before has expired, says %s: %s", prover, verdict.Reason), event.Is("credential.unproven"))
	}
	return verdict
}

// prove waits until all provers have taken the credential up, and tells whether they have; without provers it is in use at once.
func (r *refresher) prove(ctx context.Context) (inUse bool, err error) {
	asked := r.clock.Elapsed()
	told := false
	for ctx.Err() == nil {
		if r.wasSetBack() || r.lost() {
			return false, nil
		}
		of := r.answers()
		switch {
		case of.refused != nil:
			return false, r.refuse(ctx, *of.refused)
		case of.inUse:
			return true, r.takeUp()
		case r.due():
			err := fmt.Errorf("the credential, which expires at %s, was not proven: %s", utc(r.held.ExpiresAt), of.silence)
			return false, failure{error: err, reason: reasonUnproven}
		}
		if of.waiting && !told && r.clock.Elapsed()-asked >= silencePatience {
			told = true
			r.trouble(slog.LevelError, of.silence, event.Is("credential.unanswered"))
		}
		r.pause(ctx, proveLook)
	}
	return false, nil
}

// takeUp makes what is held the credential in use.
func (r *refresher) takeUp() error {
	if err := r.record(func(s *state) { s.InUse = r.held.record }); err != nil {
		return err
	}
	if !r.held.announced {
		r.held.announced = true
		r.log.Info("the credential is refreshed", event.Is("credential.refreshed"), "expiresAt", r.held.ExpiresAt, "refreshAt", r.held.DueAt)
	}
	return nil
}

// stillAccepted fails where a prover has come to refuse the credential in use.
func (r *refresher) stillAccepted(ctx context.Context) error {
	if of := r.answers(); of.refused != nil {
		return r.refuse(ctx, *of.refused)
	}
	return nil
}

// refuse gives up a credential that the server does not take.
func (r *refresher) refuse(ctx context.Context, of refusal) error {
	ctx, cancel := context.WithTimeout(ctx, explainLimit)
	defer cancel()
	explanation := r.hide(r.provider.Explain(ctx, r.held.credential))
	r.metrics.refusedFor(of.SQLState)
	r.drop()
	return failure{fmt.Errorf("the credential was refused, says %s: %s", of.prover, of.Reason), reasonRefused, explanation}
}

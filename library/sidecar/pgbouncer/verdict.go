package pgbouncer

import (
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/clocks"
	"github.com/outrigger-charts/outrigger/library/sidecar/event"
	"github.com/outrigger-charts/outrigger/library/sidecar/files"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

// judge does what the verdict on the candidate asks for. An error is that pgbouncer cannot be started.
func (a *ambassador) judge(verdict proof.Verdict) error {
	a.proving, a.refused = false, verdict.Outcome == proof.Refused
	isInUse := a.inUse.Sum == verdict.Sum
	if verdict.Outcome == proof.Unanswered && !isInUse && a.inUse.isWorthless(clocks.Now()) {
		// It cannot be worse than one that the server takes no more.
		verdict.Outcome = proof.Unproven
	}
	switch {
	case isInUse && verdict.Outcome != proof.Unanswered:
		a.inUse.Outcome = verdict.Outcome
		a.saveInUse()
	case !isInUse && verdict.Outcome.InUse():
		verdict = a.takeUp(verdict)
	}
	if err := a.bringUp(); err != nil {
		return err
	}
	a.announce(verdict, isInUse)
	if verdict.Outcome == proof.Accepted || verdict.Outcome == proof.Misconfigured {
		a.candidate = nil
	} else {
		a.retry.failed(time.Now())
	}
	return nil
}

// replaceExpired takes a candidate up while it is being proven, where the credential in use has expired: whoever logs in before
// the proof ends would be refused with that one.
func (a *ambassador) replaceExpired() {
	left, ends := a.inUse.left(clocks.Now())
	if a.live == nil || a.refused || !ends || left > 0 || a.candidate.sum == a.inUse.Sum {
		return
	}
	a.announce(a.takeUp(proof.Verdict{Sum: a.candidate.sum, Outcome: proof.Unproven, Reason: "its proof has not ended"}), false)
}

// takeUp makes the candidate the credential of new connections to the server. The verdict is another one where that
// fails.
func (a *ambassador) takeUp(verdict proof.Verdict) proof.Verdict {
	if err := files.Replace(a.place.users(), a.candidate.users, 0o600); err != nil {
		return proof.Verdict{Sum: verdict.Sum, Outcome: proof.Unanswered, Reason: "it cannot be kept: " + err.Error()}
	}
	a.inUse = inUse{Issued: proof.Issued{Sum: verdict.Sum}, Outcome: verdict.Outcome}
	a.inUse.remember(a.issuedPath, clocks.Now())
	a.saveInUse()
	if a.live != nil {
		a.live.reload()
	}
	return verdict
}

// bringUp starts the pgbouncer that clients connect to, where none runs and there is a credential for it: a container
// that was started anew has the last one that was taken up.
func (a *ambassador) bringUp() error {
	if a.live != nil || !a.place.hasUsers() {
		return nil
	}
	return a.start()
}

func (a *ambassador) saveInUse() {
	if err := proof.Write(a.place.inUse(), a.inUse, 0o600); err != nil {
		a.complain(eventState, "what is in use cannot be kept for a restart: "+err.Error())
		return
	}
	a.over(eventState)
}

// announce says the verdict to all who ask, to who wrote the file, and to people.
func (a *ambassador) announce(verdict proof.Verdict, isInUse bool) {
	a.view.setVerdict(verdict)
	a.report(verdict, isInUse)
	a.tell(verdict, isInUse)
}

// report says the verdict to who wrote the file: who may read that may read this. That a credential which is in use
// could not be proven once more takes nothing from it.
func (a *ambassador) report(verdict proof.Verdict, isInUse bool) {
	if a.config.AuthFile == "" || isInUse && verdict.Outcome == proof.Unanswered {
		return
	}
	if err := proof.Write(proof.VerdictPath(a.config.AuthFile, a.config.Name), verdict, a.candidate.mode); err != nil {
		a.complain(eventUnheard, "the folder of "+a.config.AuthFile+
			" cannot be written to, so that its writer does not hear how the proof ended: "+err.Error())
		return
	}
	a.over(eventUnheard)
}

// tell says the verdict to people.
func (a *ambassador) tell(verdict proof.Verdict, isInUse bool) {
	if verdict.Outcome.InUse() {
		a.over(eventNotTaken)
	}
	switch {
	case verdict.Outcome == proof.Accepted:
		a.over(eventMisconfigured)
		a.log.Info("the password is accepted by the server and in use", event.Is(eventAccepted))
	case verdict.Outcome == proof.Misconfigured:
		a.complain(eventMisconfigured, "the password is in use, but the server refuses what comes after it: "+verdict.Reason)
	case verdict.Outcome == proof.Unproven:
		a.log.Warn("the password before is of no use any more, and this one is in use unproven: "+verdict.Reason,
			event.Is(eventUnproven))
	case isInUse && verdict.Outcome == proof.Refused:
		a.complain(eventNotTaken, "the password in use is refused: "+verdict.Reason)
	case isInUse:
		a.complain(eventNotTaken, "the password in use cannot be proven: "+verdict.Reason)
	case a.live == nil:
		a.complain(eventNotTaken, "the password is not taken up: "+verdict.Reason)
	default:
		a.complain(eventNotTaken, "the password is not taken up, and the one before stays in use: "+verdict.Reason)
	}
}

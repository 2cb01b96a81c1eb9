package pgbouncer

import (
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/clocks"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

// inUse is the credential that connections to the server are made with. It is kept in a file, as it outlives the
// process.
type inUse struct {
	proof.Issued
	// Outcome is how its proof ended: one that was taken up unproven may be accepted or refused later.
	Outcome proof.Outcome `json:"outcome"`
	// end is ExpiresAt by the monotonic clock, as it was reckoned when ExpiresAt was read.
	end time.Duration
}

// recall reads what a process before this one has kept.
func (u *inUse) recall(path string, now clocks.Moment) {
	proof.Read(path, u)
	u.reckon(now)
}

// isWorthless tells whether any other credential would do as well: it has expired, or was refused.
func (u inUse) isWorthless(now clocks.Moment) bool {
	left, ends := u.left(now)
	return u.Outcome == proof.Refused || ends && left <= 0
}

// left is how long it lives, by the clock that says less: one that was set back says too much. It may have no end that
// is known.
func (u inUse) left(now clocks.Moment) (left time.Duration, ends bool) {
	return min(u.ExpiresAt.Sub(now.Wall), u.end-now.Elapsed), !u.ExpiresAt.IsZero()
}

// remember takes over until when it lives, where that is said of this very one, and tells whether there was news. A
// refresher says it of the next one in the same place.
func (u *inUse) remember(path string, now clocks.Moment) bool {
	var issued proof.Issued
	if u.Sum == "" || !proof.Read(path, &issued) || issued.Sum != u.Sum || issued.ExpiresAt.Equal(u.ExpiresAt) {
		return false
	}
	u.ExpiresAt = issued.ExpiresAt
	u.reckon(now)
	return true
}

func (u *inUse) reckon(now clocks.Moment) { u.end = now.Elapsed + u.ExpiresAt.Sub(now.Wall) }

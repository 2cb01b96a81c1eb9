package pgbouncer

import (
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

// inUse is the credential that connections to the server are made with. It is kept in a file, as it outlives the
// process.
type inUse struct {
	proof.Issued
	// Outcome is how its proof ended: one that was taken up unproven may be accepted or refused later.
	Outcome proof.Outcome `json:"outcome"`
}

// isWorthless tells whether any other credential would do as well: it has expired, or was refused.
func (u inUse) isWorthless(now time.Time) bool {
	return u.Outcome == proof.Refused || !u.ExpiresAt.IsZero() && !now.Before(u.ExpiresAt)
}

// remember takes over until when it lives, where that is said of this very one, and tells whether there was news. A
// refresher says it of the next one in the same place.
func (u *inUse) remember(path string) bool {
	var issued proof.Issued
	if u.Sum == "" || !proof.Read(path, &issued) || issued.Sum != u.Sum || issued.ExpiresAt.Equal(u.ExpiresAt) {
		return false
	}
	u.ExpiresAt = issued.ExpiresAt
	return true
}

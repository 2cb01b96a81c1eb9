package token

import (
	"fmt"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
)

const (
	// A credential is renewed after so much of its life, or of what is left of what signed it, and up to a part of that before,
	// as not all pods should ask at once.
	ofLife, ofSigner, ofWait = 0.66, 0.8, 0.05
	// leastWait is how long a credential is kept at least, however soon it expires.
	leastWait = time.Second
	// A credential is none to be ready with for so much of its life before it expires, and mostMargin at most.
	ofMargin   = 0.1
	mostMargin = time.Minute
)

// record is what is known of a credential besides its texts.
type record struct {
	Sum        string    `json:"sha256"` // of its file
	ObtainedAt time.Time `json:"obtainedAt"`
	ExpiresAt  time.Time `json:"expiresAt"`
	DueAt      time.Time `json:"dueAt"`      // when it is to be renewed
	ReadyUntil time.Time `json:"readyUntil"` // until when it is one to be ready with
}

// schedule says when a credential expires and is due that lives on from now. It was obtained at some time, and lives for a time
// to live after that at most, if that is not 0. The random number is from 0 to 1.
func schedule(c credential.Credential, obtained, now time.Time, ttl time.Duration, random float64) (record, error) {
	expires := c.ExpiresAt
	if limit := obtained.Add(ttl); ttl > 0 && (expires.IsZero() || limit.Before(expires)) {
		expires = limit
	}
	if expires.IsZero() {
		return record{}, fmt.Errorf("nothing says when the credential expires: set ttl")
	}
	wait := part(expires.Sub(now), ofLife)
	if !c.SignedUntil.IsZero() {
		wait = min(wait, part(c.SignedUntil.Sub(now), ofSigner))
		expires = earlier(expires, c.SignedUntil)
	}
	if !expires.After(now) {
		return record{}, fmt.Errorf("the credential, or what signed it, had expired when it was obtained: at %s, and this pod's clock says %s", utc(expires), utc(now))
	}
	wait = max(leastWait, wait-part(wait, ofWait*random))
	margin := min(mostMargin, part(expires.Sub(now), ofMargin))
	return record{ObtainedAt: obtained, ExpiresAt: expires.Round(0), DueAt: now.Add(wait), ReadyUntil: expires.Add(-margin).Round(0)}, nil
}

// retryDelay is how long is waited after so many failures: twice as long each time, and the sooner the less is left of the
// credential in use, as a provider that is back in time should not be missed.
func retryDelay(first, most time.Duration, failures int, left time.Duration, random float64) time.Duration {
	delay := first
	for n := 1; n < failures && delay < most; n++ {
		delay *= 2
	}
	delay = min(delay, most)
	if left > 0 {
		delay = max(min(delay, left/8), first)
	}
	return delay - part(delay, random/4)
}

func part(of time.Duration, fraction float64) time.Duration {
	return time.Duration(float64(of) * fraction)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

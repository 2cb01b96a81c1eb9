package token

import (
	"context"
	"time"
)

// clock is where the time comes from.
type clock interface {
	// Now is the wall clock's, which may be set.
	Now() time.Time
	// Elapsed is since some moment, and never goes back.
	Elapsed() time.Duration
	// Sleep waits, and tells whether it was not cut short by the context's end.
	Sleep(ctx context.Context, span time.Duration) bool
}

// systemClock is the machine's.
type systemClock struct{ began time.Time }

// Now has no monotonic part: what is reckoned with it is the wall clock's alone.
func (systemClock) Now() time.Time           { return time.Now().Round(0) }
func (c systemClock) Elapsed() time.Duration { return time.Since(c.began) }

func (systemClock) Sleep(ctx context.Context, span time.Duration) bool {
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// moment is one by both clocks.
type moment struct {
	wall    time.Time
	elapsed time.Duration
}

func momentOf(c clock) moment { return moment{c.Now(), c.Elapsed()} }

// setBack is how far the wall clock was set back between two moments.
func setBack(from, to moment) time.Duration {
	return (to.elapsed - from.elapsed) - to.wall.Sub(from.wall)
}

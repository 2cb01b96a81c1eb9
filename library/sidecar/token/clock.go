package token

import (
	"context"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/clocks"
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
type systemClock struct{}

func (systemClock) Now() time.Time         { return clocks.Now().Wall }
func (systemClock) Elapsed() time.Duration { return clocks.Now().Elapsed }

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

func momentOf(c clock) clocks.Moment { return clocks.Moment{Wall: c.Now(), Elapsed: c.Elapsed()} }

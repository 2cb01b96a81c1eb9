// Package clocks tells the time by two clocks: what is reckoned with one alone goes wrong where the other says something else.
package clocks

import "time"

// Moment is one by the wall clock, which may be set, and by the monotonic one, which never goes back.
type Moment struct {
	// Wall has no monotonic part: what is reckoned with it is the wall clock's alone.
	Wall time.Time
	// Elapsed is since the program began.
	Elapsed time.Duration
}

var began = time.Now()

// Now is the present moment.
func Now() Moment {
	now := time.Now()
	return Moment{Wall: now.Round(0), Elapsed: now.Sub(began)}
}

// SetBack is how far the wall clock was set back between two moments.
func SetBack(from, to Moment) time.Duration {
	return (to.Elapsed - from.Elapsed) - to.Wall.Sub(from.Wall)
}

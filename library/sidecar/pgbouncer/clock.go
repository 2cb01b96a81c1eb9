package pgbouncer

import "time"

// moment is one by the wall clock, which may be set, and by the monotonic one, which never goes back.
type moment struct {
	wall    time.Time
	elapsed time.Duration
}

// began is what moments' elapsed time is since.
var began = time.Now()

func momentNow() moment {
	now := time.Now()
	return moment{wall: now.Round(0), elapsed: now.Sub(began)}
}

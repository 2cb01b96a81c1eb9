package pgbouncer

import "time"

// retry is when to try again: after a second, twice that after the next failure, up to most.
type retry struct {
	most time.Duration
	wait time.Duration
	at   time.Time
}

func (r *retry) reset() { r.wait, r.at = time.Second, time.Time{} }

func (r *retry) failed(now time.Time) {
	r.at = now.Add(r.wait)
	r.wait = min(2*r.wait, r.most)
}

// by lets it be tried at a time, where that is sooner.
func (r *retry) by(at time.Time) {
	if at.Before(r.at) {
		r.at = at
	}
}

func (r *retry) isDue(now time.Time) bool { return !now.Before(r.at) }

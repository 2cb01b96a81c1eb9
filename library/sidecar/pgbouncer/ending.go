package pgbouncer

import "time"

// ending is how long pgbouncer goes on after SIGTERM. Beside an app that hears SIGTERM at the same time, that is as
// long as the app has connections, which it may make until it ends; for linger at most.
type ending struct {
	linger, quiet   time.Duration
	stopAt, quietAt time.Time
}

func (e *ending) begin(now time.Time) {
	if !e.hasBegun() {
		e.stopAt, e.quietAt = now.Add(e.linger), now.Add(e.quiet)
	}
}

func (e *ending) hasBegun() bool { return !e.stopAt.IsZero() }

// sawClients starts the quiet anew.
func (e *ending) sawClients(now time.Time) { e.quietAt = now.Add(e.quiet) }

func (e *ending) isOver(now time.Time) bool {
	return e.hasBegun() && !(now.Before(e.stopAt) && now.Before(e.quietAt))
}

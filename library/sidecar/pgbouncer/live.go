package pgbouncer

import (
	"context"
	"os"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/postgres"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

// live is the pgbouncer that clients connect to.
type live struct {
	*child
	ctx  context.Context // until it has ended
	hung chan struct{}   // closed when it does not answer any more
}

// startLive starts one, whose log is the container's, and watches it until it has ended.
func startLive(program, configuration string, at console, patience time.Duration) (*live, error) {
	running, err := start(program, configuration, os.Stderr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &live{child: running, ctx: ctx, hung: make(chan struct{})}
	go func() {
		<-running.ended
		cancel()
	}()
	go func() {
		if at.awaitHang(ctx, patience) {
			close(l.hung)
		}
	}()
	return l, nil
}

// firstQuery asks for a row through it until there is one, and sends how each attempt ended.
func (l *live) firstQuery(target postgres.Target, patience time.Duration, verdicts chan<- proof.Verdict) {
	for {
		asking, cancel := context.WithTimeout(l.ctx, patience)
		verdict := postgres.Ask(asking, target)
		cancel()
		select {
		case verdicts <- verdict:
		case <-l.ctx.Done():
			return
		}
		if verdict.Outcome == proof.Accepted {
			return
		}
		select {
		case <-time.After(time.Second):
		case <-l.ctx.Done():
			return
		}
	}
}

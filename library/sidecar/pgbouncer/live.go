package pgbouncer

import (
	"context"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/postgres"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

// live is the pgbouncer that clients connect to.
type live struct {
	*child
	ctx      context.Context // until it has ended
	answered chan struct{}   // closed when it has answered once
	hung     chan struct{}   // closed when it does not answer any more
}

// startLive starts one, whose log is the container's, and watches it until it has ended.
func startLive(program, configuration string, at console, patience time.Duration) (*live, error) {
	running, err := start(program, configuration, os.Stderr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &live{child: running, ctx: ctx, answered: make(chan struct{}), hung: make(chan struct{})}
	go func() {
		<-running.ended
		cancel()
	}()
	go l.watch(at, patience)
	return l, nil
}

// watch asks the console whether it answers, until it has failed to three times in a row, each time for its patience. An
// answer is followed by a pause as long as that.
func (l *live) watch(at console, patience time.Duration) {
	var first sync.Once
	for failures := 0; failures < 3; {
		asking, cancel := context.WithTimeout(l.ctx, patience)
		if at.answers(asking) == nil {
			failures = 0
			first.Do(func() { close(l.answered) })
		} else {
			failures++
		}
		// Also a question that fails at once has its whole time.
		<-asking.Done()
		cancel()
	}
	if l.ctx.Err() == nil {
		close(l.hung)
	}
}

// reload makes it read its files again: once it has answered, as SIGHUP would end it before it listens to that.
func (l *live) reload() {
	go func() {
		select {
		case <-l.answered:
			l.signal(syscall.SIGHUP)
		case <-l.ctx.Done():
		}
	}()
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

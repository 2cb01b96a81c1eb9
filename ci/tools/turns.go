package tools

import (
	"context"
	"sync"
)

// compiling is whose turn it is to compile: two at a time would both compile what they share, and one go command keeps all
// cores busy.
var compiling turns

// turns are taken one at a time: first by those in a hurry, then by the others, each in the order in which they came.
type turns struct {
	mu      sync.Mutex
	taken   bool
	hurried []chan struct{}
	waiting []chan struct{}
}

// take waits for a turn. The caller calls done at its end.
func (t *turns) take(ctx context.Context, inAHurry bool) (done func(), err error) {
	t.mu.Lock()
	if !t.taken {
		t.taken = true
		t.mu.Unlock()
		return t.pass, nil
	}
	mine := make(chan struct{})
	queue := &t.waiting
	if inAHurry {
		queue = &t.hurried
	}
	*queue = append(*queue, mine)
	t.mu.Unlock()
	select {
	case <-mine:
		return t.pass, nil
	case <-ctx.Done():
		go func() { <-mine; t.pass() }()
		return nil, ctx.Err()
	}
}

// pass gives the turn to the next.
func (t *turns) pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, queue := range []*[]chan struct{}{&t.hurried, &t.waiting} {
		if len(*queue) > 0 {
			close((*queue)[0])
			*queue = (*queue)[1:]
			return
		}
	}
	t.taken = false
}

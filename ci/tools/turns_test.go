package tools

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestTurnsAreTakenOneAtATimeByThoseInAHurryFirst(t *testing.T) {
	var all turns
	done, err := all.take(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	var order []string // written in turns
	ended := make(chan error)
	queue := func(ctx context.Context, name string, inAHurry bool) {
		before := len(all.hurried) + len(all.waiting)
		go func() {
			done, err := all.take(ctx, inAHurry)
			if err == nil {
				order = append(order, name)
				done()
			}
			ended <- err
		}()
		for waits := before; waits == before; {
			all.mu.Lock()
			waits = len(all.hurried) + len(all.waiting)
			all.mu.Unlock()
		}
	}
	gaveUp, giveUp := context.WithCancel(context.Background())
	queue(context.Background(), "first", false)
	queue(gaveUp, "gave up", false)
	queue(context.Background(), "second", false)
	queue(context.Background(), "in a hurry", true)
	giveUp()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}

	done()

	for range 3 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if want := []string{"in a hurry", "first", "second"}; !slices.Equal(order, want) {
		t.Errorf("%q, want %q", order, want)
	}
	if done, err := all.take(context.Background(), false); err != nil {
		t.Error(err)
	} else {
		done()
	}
}

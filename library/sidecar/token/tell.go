package token

import (
	"context"
	"log/slog"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/event"
	"github.com/outrigger-charts/outrigger/library/sidecar/notify"
)

const (
	// tellEvery is how often a listener is told that could not be.
	tellEvery = 5 * time.Second
	// complainEvery is how often the same is said of one.
	complainEvery = time.Minute
)

// complaint is what was said of a listener that could not be told.
type complaint struct {
	text  string
	again time.Duration // by the monotonic clock
}

// untold are the listeners that have not heard of the file that is in place.
func (r *refresher) untold() []notify.Listener {
	if r.inPlace == "" {
		return nil
	}
	told := r.memory.get().Told
	var list []notify.Listener
	for _, listener := range r.listeners {
		if told[listener.Name] != r.inPlace {
			list = append(list, listener)
		}
	}
	return list
}

// tell tells all who have not heard of the file that is in place. Who could not be told is told again, by a later refresher too.
func (r *refresher) tell(ctx context.Context) {
	if r.clock.Elapsed() < r.tellAgain {
		return
	}
	for _, listener := range r.untold() {
		err := listener.Tell(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			r.complain(listener.Name, err.Error())
			r.tellAgain = r.clock.Elapsed() + tellEvery
			continue
		}
		delete(r.complaints, listener.Name)
		// Where it cannot be written, a refresher after this one tells it again.
		_ = r.memory.update(func(s *state) { s.Told[listener.Name] = r.inPlace })
	}
}

func (r *refresher) complain(listener, text string) {
	now := r.clock.Elapsed()
	if before, said := r.complaints[listener]; said && before.text == text && now < before.again {
		return
	}
	r.complaints[listener] = complaint{text, now + complainEvery}
	r.trouble(slog.LevelError, text, event.Is("notify.failed"))
}

package pgbouncer

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/event"
)

// complaints says errors, and one that is the same as the last of its event once a minute at most.
type complaints struct {
	log  *slog.Logger
	last map[string]complaint
}

type complaint struct {
	text    string
	again   time.Time
	repeats int
}

func (c *complaints) say(name, text string) {
	now := time.Now()
	last := c.last[name]
	message := text
	if last.text == text {
		last.repeats++
		if now.Before(last.again) {
			c.last[name] = last
			return
		}
		message = fmt.Sprintf("%s (%d times more since this was said)", text, last.repeats)
	}
	c.log.Error(message, event.Is(name))
	c.last[name] = complaint{text: text, again: now.Add(time.Minute)}
}

// forget makes the next complaint of an event one that was not heard before.
func (c *complaints) forget(name string) { delete(c.last, name) }

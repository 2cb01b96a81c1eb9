package pgbouncer

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/library/sidecar/event"
)

func TestEachFailureIsFollowedByALongerWaitUpToTheLongest(t *testing.T) {
	now := time.Now()
	r := retry{most: 5 * time.Second}
	r.reset()
	assert.True(t, r.isDue(now))

	for _, wait := range []time.Duration{1, 2, 4, 5, 5} {
		r.failed(now)
		assert.False(t, r.isDue(now.Add(wait*time.Second-1)))
		now = now.Add(wait * time.Second)
		assert.True(t, r.isDue(now))
	}
}

func TestTheNextAttemptMayBeMadeSoonerAndNotLater(t *testing.T) {
	now := time.Now()
	r := retry{most: 15 * time.Second, wait: 8 * time.Second}
	r.failed(now)

	r.by(now.Add(10 * time.Second))
	assert.False(t, r.isDue(now.Add(8*time.Second-1)))
	assert.True(t, r.isDue(now.Add(8*time.Second)))

	r.by(now.Add(3 * time.Second))
	assert.True(t, r.isDue(now.Add(3*time.Second)))
}

func TestTheEndWaitsUntilClientsHaveGoneForAWhileButNotForEver(t *testing.T) {
	begun := time.Now()
	e := ending{linger: time.Minute, quiet: 10 * time.Second}
	assert.False(t, e.isOver(begun), "it has not begun")
	e.begin(begun)
	assert.True(t, e.isOver(begun.Add(10*time.Second)), "no client came")

	e.sawClients(begun.Add(9 * time.Second))
	e.begin(begun.Add(12 * time.Second)) // another signal changes nothing
	assert.False(t, e.isOver(begun.Add(18*time.Second)))
	assert.True(t, e.isOver(begun.Add(19*time.Second)))
	e.sawClients(begun.Add(59 * time.Second))
	assert.True(t, e.isOver(begun.Add(time.Minute)))
}

func TestTheSameComplaintIsSaidOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		c := complaints{log: event.New(&text), last: map[string]complaint{}}

		for range 61 {
			c.say("a", "the same")
			c.say("b", "of another event")
			time.Sleep(time.Second)
		}

		assert.Equal(t, 1, strings.Count(text.String(), `"message":"the same"`))
		assert.Contains(t, text.String(), `"message":"the same (60 times more since this was said)"`)
		assert.Equal(t, 2, strings.Count(text.String(), "of another event"))
		c.say("a", "something else")
		assert.Contains(t, text.String(), `"message":"something else","event":"a"`)
		c.forget("a")
		c.say("a", "something else")
		assert.Equal(t, 2, strings.Count(text.String(), `"message":"something else"`))
	})
}

package token

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listen makes a world tell somebody, who is away at times, and returns what was heard.
func (w *world) listen(away *bool) (heard *[]string) {
	heard = new([]string)
	w.tell = func() error {
		if *away {
			return errors.New("the app is away")
		}
		*heard = append(*heard, w.content())
		return nil
	}
	return heard
}

func TestTheFirstFileIsThereBeforeTheAppAndIsToldToNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	heard := w.listen(new(bool))

	w.run(renewal - time.Second)

	assert.Empty(t, *heard)
}

func TestAFileThatIsReplacedIsToldAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	heard := w.listen(new(bool))

	w.run(renewal + time.Millisecond)

	assert.Equal(t, []string{"password 2"}, *heard)
}

func TestAFileThatWasThereBeforeIsAReplacedOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, os.WriteFile(w.token.File.Path, []byte("before"), 0o640))
	heard := w.listen(new(bool))

	w.run(time.Minute)

	assert.Equal(t, []string{"password 1"}, *heard)
}

func TestWhoCannotBeToldIsToldAgainEveryFiveSecondsAndThatIsOneLineAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	away := true
	heard := w.listen(&away)
	attempts, tell := 0, w.tell
	w.tell = func() error { attempts++; return tell() }
	w.clock.after(renewal+2*time.Minute+time.Second, func() {
		assert.Equal(t, 25, attempts)
		away = false
	})

	w.run(renewal + 5*time.Minute)

	assert.Equal(t, []string{"password 2"}, *heard, "once it has heard it is left alone")
	assert.Equal(t, []string{"the app is away", "the app is away", "the app is away"}, w.messages("notify.failed"))
}

func TestANotificationThatWasNotDeliveredBeforeARestartIsDeliveredAfterIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	away := true
	heard := w.listen(&away)
	w.run(renewal + time.Minute)
	require.Empty(t, *heard)
	away = false

	w.run(time.Second)

	assert.Equal(t, []string{"password 2"}, *heard)
	assert.Len(t, w.provider.asked, 2)

	w.run(time.Minute)

	assert.Equal(t, []string{"password 2"}, *heard, "a further restart tells nobody again")
}

func TestANotificationIsDeliveredAlsoWhileTheProviderIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	away := true
	heard := w.listen(&away)
	w.run(renewal + time.Minute)
	away, w.provider.down = false, true
	w.clock.pass(renewal)

	w.run(time.Second)

	assert.Equal(t, []string{"password 2"}, *heard)
}

func TestEachListenerIsToldUntilItHasHeardAndNotAgainBecauseOfAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	one, other := 0, 0
	w.r.listeners = append(listeners("one", func() error { one++; return nil }), listeners("other", func() error { other++; return errors.New("away") })...)

	w.goOn(renewal + time.Minute)

	assert.Equal(t, 1, one)
	assert.Greater(t, other, 10)
}

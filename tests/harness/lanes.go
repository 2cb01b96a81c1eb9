package harness

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Facts says that a test asserts facts, which hold however slow the machine is. It runs in the pool: beside others, as many
// as -parallel of go test says, when the tests that assert seconds have ended. A wait in it only bounds what never comes.
func Facts(t *testing.T) {
	t.Helper()
	t.Parallel()
	require.NoError(t, running.enter(t.Name(), facts))
	t.Cleanup(func() { running.leave(t.Name(), facts) })
}

// Soak says that a test asserts facts as Facts does, and runs in `make test-soak` alone: it takes long, and what it promises is held
// by quicker tests too, of scripts or of the program.
func Soak(t *testing.T) {
	t.Helper()
	Facts(t)
}

// Seconds says that a test asserts how long something takes. It runs in the lane: alone, one test after the other, before
// the pool begins. The test fails where something runs beside it.
func Seconds(t *testing.T) {
	t.Helper()
	require.NoError(t, running.enter(t.Name(), seconds))
	t.Cleanup(func() { running.leave(t.Name(), seconds) })
}

// Beside says that a subtest asserts seconds by such a margin, and waits so much, that it may run beside the others of its test
// that say so too. The test itself asserts seconds: nothing else runs beside it.
func Beside(t *testing.T) {
	t.Helper()
	t.Parallel()
	require.NoError(t, running.enter(t.Name(), company))
	t.Cleanup(func() { running.leave(t.Name(), company) })
}

// running are the tests of this process that run, subtests included.
var running = newLanes()

// lanes sees to it that nothing runs beside a test that asserts seconds.
type lanes struct {
	mutex sync.Mutex
	names map[assertion]map[string]bool // of the tests that run
}

// assertion is what a test asserts.
type assertion string

const (
	facts   assertion = "facts"
	seconds assertion = "seconds"
	company assertion = "seconds by a margin"
)

func newLanes() *lanes {
	return &lanes{names: map[assertion]map[string]bool{facts: {}, seconds: {}, company: {}}}
}

// enter returns an error where a test may not run beside those that do.
func (l *lanes) enter(name string, asserts assertion) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	beside := slices.AppendSeq(slices.Collect(maps.Keys(l.names[seconds])), maps.Keys(l.names[company]))
	if asserts != facts {
		beside = slices.AppendSeq(beside, maps.Keys(l.names[facts]))
		beside = slices.DeleteFunc(beside, func(other string) bool {
			waits := l.names[seconds][other] && strings.HasPrefix(name, other+"/") // a test, while its subtest runs
			return waits || asserts == company && l.names[company][other] && path.Dir(other) == path.Dir(name)
		})
	}
	if len(beside) > 0 {
		slices.Sort(beside)
		return fmt.Errorf("%s asserts %s, and does not run alone: beside it runs %s", name, asserts, strings.Join(beside, ", "))
	}
	l.names[asserts][name] = true
	return nil
}

func (l *lanes) leave(name string, asserts assertion) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	delete(l.names[asserts], name)
}

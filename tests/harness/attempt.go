package harness

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Eventually waits until a condition holds, and fails the test where it does not in time. What the condition requires of the
// namespace, its servers and T, and does not get, ends that try of it and not the test: the API server may hiccup.
func (n *Namespace) Eventually(limit time.Duration, what string, condition func() bool) {
	n.t.Helper()
	missed, begun := "", time.Now()
	for pause := pollTime; ; pause = min(pause*5/4, longestPoll) {
		holds, failures := n.t.try(condition)
		if holds && len(failures) == 0 {
			return
		}
		if len(failures) > 0 {
			missed = fmt.Sprintf("\nthe last try that failed, at %s:\n%s", time.Now().Format(time.TimeOnly), strings.Join(failures, "\n"))
		}
		if time.Since(begun) > limit {
			require.Fail(n.t, what, "not within %s%s", limit, missed)
		}
		time.Sleep(pause)
	}
}

// T is the test as conditions of Eventually are to know it: what fails by it in a condition is tried again.
func (n *Namespace) T() testing.TB { return n.t }

// tester is a test whose conditions may fail without it.
type tester struct {
	testing.TB
	mutex sync.Mutex
	tries map[string][]*try // by goroutine; a condition may wait for another
}

// try is one evaluation of a condition.
type try struct{ failures []string }

// failed is what unwinds a try.
type failed struct{ *try }

func newTester(t testing.TB) *tester {
	if known, ok := t.(*tester); ok {
		return known
	}
	return &tester{TB: t, tries: map[string][]*try{}}
}

// try evaluates a condition, and returns what failed in it besides.
func (t *tester) try(condition func() bool) (holds bool, failures []string) {
	current, here := &try{}, goroutine()
	t.mutex.Lock()
	t.tries[here] = append(t.tries[here], current)
	t.mutex.Unlock()
	defer func() {
		t.mutex.Lock()
		defer t.mutex.Unlock()
		t.tries[here] = t.tries[here][:len(t.tries[here])-1]
		failures = current.failures
		switch ended := recover().(type) {
		case nil:
		case failed:
			if ended.try != current {
				panic(ended)
			}
		case runtime.Error: // such as the first of no pods
			failures = append(failures, ended.Error())
		default:
			panic(ended)
		}
	}()
	return condition(), nil
}

// current returns the try that this goroutine is in, or nil.
func (t *tester) current() *try {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if tries := t.tries[goroutine()]; len(tries) > 0 {
		return tries[len(tries)-1]
	}
	return nil
}

// goroutine returns the name of this goroutine: a test's other goroutines are in no condition.
func goroutine() string {
	var trace [64]byte
	return string(bytes.Fields(trace[:runtime.Stack(trace[:], false)])[1])
}

func (t *tester) Errorf(format string, args ...any) {
	t.TB.Helper()
	if current := t.current(); current != nil {
		current.failures = append(current.failures, fmt.Sprintf(format, args...))
		return
	}
	t.TB.Errorf(format, args...)
}

func (t *tester) FailNow() {
	t.TB.Helper()
	if current := t.current(); current != nil {
		panic(failed{current})
	}
	t.TB.FailNow()
}

func (t *tester) Error(args ...any) {
	t.TB.Helper()
	t.Errorf("%s", fmt.Sprintln(args...))
}

func (t *tester) Fatalf(format string, args ...any) {
	t.TB.Helper()
	t.Errorf(format, args...)
	t.FailNow()
}

func (t *tester) Fatal(args ...any) {
	t.TB.Helper()
	t.Error(args...)
	t.FailNow()
}

func (t *tester) Fail() {
	t.TB.Helper()
	t.Errorf("failed")
}

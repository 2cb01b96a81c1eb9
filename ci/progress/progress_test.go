package progress

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// failure is an error of a command that printed something.
type failure struct{}

func (failure) Error() string  { return "exit status 1" }
func (failure) Output() string { return "all it said\n" }

var times = regexp.MustCompile(`\d+\.\d+s`)

// said returns what a Reporter wrote, with T in place of the times.
func said(run func(r *Reporter)) string {
	var out bytes.Buffer
	r := New(&out, "")
	run(r)
	r.Close()
	return times.ReplaceAllString(out.String(), "T")
}

func TestStepsAreNumberedAndTellHowTheyEnded(t *testing.T) {
	got := said(func(r *Reporter) {
		r.Plan(3)
		_ = r.Step(context.Background(), "one", func(context.Context, *Step) error { return nil })
		_ = r.Step(context.Background(), "two", func(_ context.Context, s *Step) error { s.Reused(); return nil })
		err := r.Step(context.Background(), "three", func(context.Context, *Step) error { return failure{} })
		if !errors.Is(err, failure{}) {
			t.Errorf("Step returned %v, not the step's own error", err)
		}
	})
	want := `[1/3] one ...
[1/3] one: done (T, T in all)
[2/3] two ...
[2/3] two: reused (T, T in all)
[3/3] three ...
--- what it printed
all it said
---
[3/3] three: FAILED (T, T in all)
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestAnInterruptedStepIsNoFailureAndStopsWhatFollows(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	got := said(func(r *Reporter) {
		_ = r.Step(ctx, "one", func(ctx context.Context, _ *Step) error { cancel(); return ctx.Err() })
		if err := r.Step(ctx, "two", func(context.Context, *Step) error { t.Error("step two ran"); return nil }); err == nil {
			t.Error("no error of a step that did not run")
		}
	})
	if !strings.Contains(got, "[1/1] one: interrupted") || strings.Contains(got, "two") {
		t.Error(got)
	}
}

func TestStepsThatRunAtTheSameTimeEachTellTheirEnd(t *testing.T) {
	got := said(func(r *Reporter) {
		r.Plan(20)
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				_ = r.Step(context.Background(), "x", func(_ context.Context, s *Step) error { s.Is("busy"); return nil })
			})
		}
		wait.Wait()
	})
	if n := strings.Count(got, "x: done"); n != 20 {
		t.Errorf("%d of 20 steps told their end:\n%s", n, got)
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		1234 * time.Millisecond: "1.2s", 59 * time.Second: "59s", 60 * time.Second: "1m00s", 245 * time.Second: "4m05s",
	} {
		if got := Short(d); got != want {
			t.Errorf("Short(%v) = %s, want %s", d, got, want)
		}
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/outrigger-charts/outrigger/ci/judge"
	"github.com/outrigger-charts/outrigger/ci/progress"
)

// timing is how a phase went: how long it took, and after how many seconds each of its test functions ended.
type timing struct {
	Seconds float64
	Ends    []float64
}

// estimate knows how the phases went the last time, and so how long a run takes yet. A nil one knows nothing.
type estimate struct {
	file string
	last map[string]timing // by phase
	plan []string          // phases that have not ended
	now  map[string]timing
}

// newEstimate reads how phases went from a file in a folder.
func newEstimate(folder string, phases []*phase) *estimate {
	e := &estimate{file: filepath.Join(folder, "timings.json"), now: map[string]timing{}}
	for _, p := range phases {
		e.plan = append(e.plan, p.name)
	}
	if content, err := os.ReadFile(e.file); err == nil {
		_ = json.Unmarshal(content, &e.last) // a file that cannot be read tells nothing
	}
	return e
}

// ended notes how the phase went that was the next.
func (e *estimate) ended(name string, p *pace) {
	if e == nil {
		return
	}
	e.plan = e.plan[1:]
	e.now[name] = timing{time.Since(p.begin).Seconds(), p.ends}
}

// save keeps how the phases went, and what is known of others.
func (e *estimate) save() error {
	if e == nil {
		return nil
	}
	for name, was := range e.last {
		if _, known := e.now[name]; !known {
			e.now[name] = was
		}
	}
	content, err := json.Marshal(e.now)
	if err != nil {
		return err
	}
	return os.WriteFile(e.file, content, 0o644)
}

// pace tells how far a phase is.
type pace struct {
	mu                  sync.Mutex
	begin               time.Time
	total, done, failed int
	ends                []float64
	last                timing
	later               float64 // seconds that the phases after this one took
	known               bool
}

func newPace(p *phase, e *estimate) *pace {
	pace := &pace{begin: time.Now()}
	for _, names := range p.tests {
		pace.total += len(names)
	}
	if e == nil {
		return pace
	}
	pace.last, pace.known = e.last[p.name], len(e.last[p.name].Ends) > 0
	for _, name := range e.plan[1:] {
		pace.later += e.last[name].Seconds
	}
	return pace
}

// see counts the test functions that end.
func (p *pace) see(e judge.Event) {
	if e.Test == "" || e.Test != e.Top() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Action {
	case "fail", "skip":
		p.failed++
	case "pass":
	default:
		return
	}
	p.done++
	p.ends = append(p.ends, time.Since(p.begin).Seconds())
}

func (p *pace) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	told := fmt.Sprintf("%d of %d tests", p.done, p.total)
	if p.failed > 0 {
		told += fmt.Sprintf(", %d failed", p.failed)
	}
	if p.known {
		told += ", " + progress.Short(time.Duration(p.left(time.Since(p.begin).Seconds()))*time.Second) + " left"
	}
	return told
}

// left is how many seconds the last run had before it, from where as large a part of its tests had ended.
func (p *pace) left(now float64) float64 {
	reached, next, since := 0.0, p.last.Seconds, now
	ended := p.done * len(p.last.Ends) / max(p.total, 1)
	if ended > 0 {
		reached, since = p.last.Ends[ended-1], now-p.ends[len(p.ends)-1]
	}
	if ended < len(p.last.Ends) {
		next = p.last.Ends[ended]
	}
	return p.last.Seconds - min(reached+since, next) + p.later
}

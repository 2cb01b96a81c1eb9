// Package judge decides whether all tests ran and passed, by what `go test -json` printed and how it ended. It takes silence
// for a failure: what was to run and left no trace is as red as what failed.
package judge

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// Event is a line of `go test -json` (go doc test2json).
type Event struct {
	Time        time.Time
	Action      string
	Package     string
	Test        string
	Output      string
	Elapsed     float64
	ImportPath  string // of build-output and build-fail, in place of Package
	FailedBuild string // the ImportPath because of which a package failed
}

// Top is the name of the test function that the event belongs to, or "" if it is the package's.
func (e Event) Top() string { return top(e.Test) }

func top(test string) string {
	name, _, _ := strings.Cut(test, "/")
	return name
}

// Want is what has to run: the names of test functions by the import path of their package.
type Want map[string][]string

// Record takes what one `go test -json` prints. Make it with NewRecord, and judge it when the command has ended.
type Record struct {
	want     Want
	on       func(Event)
	packages map[string]*packageRecord
	builds   map[string]*strings.Builder
	rest     []byte   // of a line that has not ended
	strange  []string // lines that are no events
}

type packageRecord struct {
	tests       map[string]*Test
	order       []*Test
	outputs     map[string]*strings.Builder // by test function; "" is the package's own
	ends        []string                    // actions
	failedBuild string
	reachedEnd  bool // package testing said FAIL, so no panic and no exit came between
}

// NewRecord returns a Record of a run of the tests in want. Each event is handed to on too, unless that is nil.
func NewRecord(want Want, on func(Event)) *Record {
	r := &Record{want: want, on: on, packages: map[string]*packageRecord{}, builds: map[string]*strings.Builder{}}
	for name := range want {
		r.of(name)
	}
	return r
}

func (r *Record) of(name string) *packageRecord {
	if r.packages[name] == nil {
		r.packages[name] = &packageRecord{tests: map[string]*Test{}, outputs: map[string]*strings.Builder{}}
	}
	return r.packages[name]
}

// Write takes a piece of the command's standard output.
func (r *Record) Write(p []byte) (int, error) {
	r.rest = append(r.rest, p...)
	for {
		line, rest, whole := bytes.Cut(r.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		r.rest = rest
		r.line(line)
	}
}

func (r *Record) line(line []byte) {
	var e Event
	if err := json.Unmarshal(line, &e); err != nil || e.Package+e.ImportPath == "" {
		r.strange = append(r.strange, string(line))
		return
	}
	if e.Package == "" {
		grow(r.builds, e.ImportPath, e.Output)
	} else {
		r.of(e.Package).add(e)
	}
	if r.on != nil {
		r.on(e)
	}
}

// Output is what a test function and its subtests have printed so far.
func (r *Record) Output(pkg, top string) string { return text(r.of(pkg).outputs[top]) }

func (p *packageRecord) add(e Event) {
	grow(p.outputs, e.Top(), e.Output)
	ended := e.Action == "pass" || e.Action == "fail" || e.Action == "skip"
	switch {
	case e.Test == "" && ended:
		p.ends, p.failedBuild = append(p.ends, e.Action), e.FailedBuild
	case e.Test == "":
		p.reachedEnd = p.reachedEnd || e.Output == "FAIL\n"
	default:
		test := p.tests[e.Test]
		if test == nil {
			test = &Test{Package: e.Package, Name: e.Test}
			p.tests[e.Test], p.order = test, append(p.order, test)
		}
		test.waits = e.Action == "pause" || test.waits && e.Action == "output"
		if ended {
			test.Elapsed, test.ends = e.Elapsed, append(test.ends, e.Action)
		}
	}
}

func grow(texts map[string]*strings.Builder, key, more string) {
	if texts[key] == nil {
		texts[key] = new(strings.Builder)
	}
	texts[key].WriteString(more)
}

func text(b *strings.Builder) string {
	if b == nil {
		return ""
	}
	return b.String()
}

package backend

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

const (
	ringSize    = 2_000       // records that are kept
	maxNumber   = 100_000_000 // of a line; each costs a byte
	maxExamples = 10
)

// sentMark stands before the time, in nanoseconds since 1970, at which a line was written.
const sentMark = " ts="

// Report tells which of the lines "PREFIX 1" to "PREFIX COUNT" arrived. Whatever follows a line's number after a blank does
// not matter. A line that arrived more often than 255 times counts as 255.
type Report struct {
	Received int      `json:"received"` // repetitions included
	Lost     int      `json:"lost"`
	Repeated int      `json:"repeated"` // arrivals after a line's first
	Examples []string `json:"examples"` // "lost P 17", "3 times P 20"; at most 10
}

// Record is a log record as it arrived.
type Record struct {
	Body              any            `json:"body"` // a string, or what JSON makes of a structure
	Attributes        map[string]any `json:"attributes"`
	Resource          map[string]any `json:"resource"` // its attributes
	SeverityText      string         `json:"severityText"`
	SeverityNumber    int            `json:"severityNumber"`
	Timestamp         time.Time      `json:"timestamp,omitzero"` // zero where the record has none
	ObservedTimestamp time.Time      `json:"observedTimestamp,omitzero"`
}

// Counts is what arrived since the start, or since everything was forgotten.
type Counts struct {
	Logs         int               `json:"logs"`
	Spans        int               `json:"spans"`
	MetricPoints int               `json:"metricPoints"`
	Requests     int               `json:"requests"` // the refused ones included
	Refused      int               `json:"refused"`  // those that left no records: told to fail, or not understood
	Bytes        int64             `json:"bytes"`    // of all requests' bodies as they were sent, compressed or not
	Metrics      []string          `json:"metrics"`  // the names, in order
	Path         string            `json:"path"`     // of the last request: "/v1/logs", or gRPC's "/package.Service/Method"
	Headers      map[string]string `json:"headers"`  // of the last request, by names in lower case
}

// Latency is how much later than the time in it a line arrived, over all lines that hold " ts=NANOSECONDS", the time since
// 1970. The percentiles are at most 1/32 too high.
type Latency struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50ms"`
	P99   float64 `json:"p99ms"`
	Max   float64 `json:"maxms"`
}

// store is what a backend remembers. It is locked once or twice for each request, never for each record.
type store struct {
	mutex sync.Mutex
	remembered
}

type remembered struct {
	counts  Counts
	headers map[string][]string
	metrics map[string]struct{}
	lines   map[string]*arrivals // by prefix
	last    string               // the last line's prefix
	current *arrivals            // and its arrivals
	ring    []kept
	next    int // in ring, where the oldest is once it is full
	latency histogram
}

// arrivals is how often each line of a prefix arrived, by its number less 1.
type arrivals struct{ times []uint8 }

// kept is a record, and the resource it is of. Both share the memory of their request.
type kept struct {
	resource pcommon.Resource
	record   plog.LogRecord
}

func (s *store) forget() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.remembered = remembered{metrics: map[string]struct{}{}, lines: map[string]*arrivals{}}
}

func (s *store) request(path string, headers map[string][]string, bytes int, refused bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.counts.Requests++
	s.counts.Bytes += int64(bytes)
	s.counts.Path, s.headers = path, headers
	if refused {
		s.counts.Refused++
	}
}

func (s *store) refused() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.counts.Refused++
}

func (s *store) addLogs(logs plog.Logs, arrived time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, ofResource := range logs.ResourceLogs().All() {
		resource := ofResource.Resource()
		for _, ofScope := range ofResource.ScopeLogs().All() {
			for _, record := range ofScope.LogRecords().All() {
				s.counts.Logs++
				s.keep(kept{resource, record})
				if body := record.Body(); body.Type() == pcommon.ValueTypeStr {
					s.line(body.Str(), arrived)
				}
			}
		}
	}
}

func (s *store) addTraces(traces ptrace.Traces) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.counts.Spans += traces.SpanCount()
}

func (s *store) addMetrics(metrics pmetric.Metrics) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.counts.MetricPoints += metrics.DataPointCount()
	for _, ofResource := range metrics.ResourceMetrics().All() {
		for _, ofScope := range ofResource.ScopeMetrics().All() {
			for _, metric := range ofScope.Metrics().All() {
				s.metrics[metric.Name()] = struct{}{}
			}
		}
	}
}

func (s *store) keep(k kept) {
	if len(s.ring) < ringSize {
		s.ring = append(s.ring, k)
		return
	}
	s.ring[s.next] = k
	s.next = (s.next + 1) % ringSize
}

// line counts a line, if it is a numbered one, and how long it took, if it says when it was written.
func (s *store) line(line string, arrived time.Time) {
	if at := strings.Index(line, sentMark); at >= 0 {
		if written, ok := number(line[at+len(sentMark):]); ok {
			s.latency.add(arrived.UnixNano() - int64(written))
		}
	}
	prefix, rest, _ := strings.Cut(line, " ")
	n, ok := number(rest)
	if !ok || prefix == "" || n < 1 || n > maxNumber {
		return
	}
	if s.current == nil || s.last != prefix {
		s.last = strings.Clone(prefix) // not to keep the line
		if s.current = s.lines[prefix]; s.current == nil {
			s.current = &arrivals{}
			s.lines[s.last] = s.current
		}
	}
	s.current.add(n)
}

func (a *arrivals) add(number int) {
	if more := number - len(a.times); more > 0 {
		a.times = slices.Grow(a.times, more)[:number] // what grows is zero
	}
	if times := &a.times[number-1]; *times < 255 {
		*times++
	}
}

// number returns the whole number of at most 19 digits that a text begins with, if a blank or nothing follows.
func number(text string) (n int, ok bool) {
	for i := range len(text) {
		c := text[i]
		if c == ' ' {
			return n, i > 0
		}
		if c < '0' || c > '9' || i == 19 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, text != ""
}

// Report returns what arrived of the lines "PREFIX 1" to "PREFIX COUNT". A prefix has no blanks.
func (b *Backend) Report(prefix string, count int) Report {
	s := &b.store
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var times []uint8
	if a := s.lines[prefix]; a != nil {
		times = a.times
	}
	report := Report{Examples: []string{}}
	for n := 1; n <= count; n++ {
		arrived, example := 0, ""
		if n <= len(times) {
			arrived = int(times[n-1])
		}
		switch {
		case arrived == 0:
			report.Lost++
			example = "lost"
		case arrived > 1:
			report.Repeated += arrived - 1
			example = strconv.Itoa(arrived) + " times"
		}
		report.Received += arrived
		if example != "" && len(report.Examples) < maxExamples {
			report.Examples = append(report.Examples, fmt.Sprintf("%s %s %d", example, prefix, n))
		}
	}
	return report
}

// Records returns the last records whose body contains a text, the oldest first: at most last of them, and of the last 2,000
// records at all. A structured body is searched as JSON.
func (b *Backend) Records(contains string, last int) []Record {
	s := &b.store
	s.mutex.Lock()
	ring := append(slices.Clone(s.ring[s.next:]), s.ring[:s.next]...)
	s.mutex.Unlock()
	records := []Record{}
	for _, k := range slices.Backward(ring) {
		if len(records) >= last {
			break
		}
		if strings.Contains(k.record.Body().AsString(), contains) {
			records = append(records, k.Record())
		}
	}
	slices.Reverse(records)
	return records
}

// Record returns a copy for others.
func (k kept) Record() Record {
	r := Record{
		Body:           k.record.Body().AsRaw(),
		Attributes:     k.record.Attributes().AsRaw(),
		Resource:       k.resource.Attributes().AsRaw(),
		SeverityText:   k.record.SeverityText(),
		SeverityNumber: int(k.record.SeverityNumber()),
	}
	if t := k.record.Timestamp(); t != 0 {
		r.Timestamp = t.AsTime()
	}
	if t := k.record.ObservedTimestamp(); t != 0 {
		r.ObservedTimestamp = t.AsTime()
	}
	return r
}

// Text returns the body: a string as it is, a structure as JSON.
func (r Record) Text() string {
	if text, ok := r.Body.(string); ok {
		return text
	}
	text, _ := json.Marshal(r.Body)
	return string(text)
}

// Counts returns what arrived so far.
func (b *Backend) Counts() Counts {
	s := &b.store
	s.mutex.Lock()
	defer s.mutex.Unlock()
	counts := s.counts
	counts.Metrics = slices.AppendSeq([]string{}, maps.Keys(s.metrics))
	slices.Sort(counts.Metrics)
	counts.Headers = map[string]string{}
	for name, values := range s.headers {
		counts.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return counts
}

// Latency returns how long lines took so far.
func (b *Backend) Latency() Latency {
	s := &b.store
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return Latency{
		Count: s.latency.count,
		P50:   milliseconds(s.latency.quantile(0.5)),
		P99:   milliseconds(s.latency.quantile(0.99)),
		Max:   milliseconds(s.latency.max),
	}
}

// Forget forgets everything that arrived. The behaviour stays.
func (b *Backend) Forget() { b.store.forget() }

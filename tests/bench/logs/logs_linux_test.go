// Package logs measures what shipping log files costs: with the library's sidecar as it is configured, and with what else
// one might take. It needs no cluster. `make bench-logs` makes a table of it.
package logs

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	rounds = 3 // how often each file is shipped by each agent, in turns; the medians count

	settle    = 15 * time.Second // from an agent's start until it counts as idle
	idle      = 20 * time.Second
	live      = 15 * time.Second // how long lines are written at each rate
	lowRate   = 1_000            // lines a second
	highRate  = 50_000
	stillness = 20 * time.Second // without an arrival, after which lines count as lost
)

// sizes are the files that are shipped.
var sizes = []struct {
	name  string
	bytes int // of a line, its newline included
	lines int
}{
	{"100B", 100, 2_000_000},
	{"1kB", 1_000, 400_000},
}

// BenchmarkLogs/ship=SIZE/AGENT/round=N ships a file that was written before. BenchmarkLogs/live/AGENT has the agent idle, and
// then ship lines as they are written. It wants -benchtime 1x.
func BenchmarkLogs(b *testing.B) {
	if testing.Short() {
		b.Skip("takes minutes")
	}
	made := tools(b)
	folder := b.TempDir()
	for _, size := range sizes {
		file := filepath.Join(folder, size.name)
		writeLines(b, file, size.lines, size.bytes)
	}
	for round := range rounds {
		for _, size := range sizes {
			for _, a := range agents {
				b.Run(fmt.Sprintf("ship=%s/%s/round=%d", size.name, a.name, round+1), func(b *testing.B) {
					ship(b, a, made, filepath.Join(folder, size.name), size.lines, size.bytes)
				})
			}
		}
	}
	for _, a := range agents {
		if a.live {
			b.Run("live/"+a.name, func(b *testing.B) { follow(b, a, made) })
		}
	}
}

// ship measures how fast a file reaches the counter, from the moment at which it is there.
func ship(b *testing.B, a agent, with programs, file string, lines, bytes int) {
	counter := newCounter(b)
	runtime.GC()
	s := subject{folder: b.TempDir(), counter: counter, programs: with}
	if a.beforehand { // it ends at the end of the file, or does not look for another
		require.NoError(b, os.Link(file, s.file()))
	}
	began := time.Now()
	p := a.start(b, s)
	var before usage
	if !a.beforehand {
		before = p.usage()
		began = time.Now()
		require.NoError(b, os.Link(file, s.file()))
	}
	arrived := counter.wait(lines)
	took := counter.last().Sub(began)
	if !a.live && a.beforehand {
		<-p.ended
	} else {
		time.Sleep(500 * time.Millisecond) // for what it does about lines that have arrived
	}
	after := p.usage()
	p.stop()

	b.ReportMetric(float64(arrived)/took.Seconds(), "lines/s")
	b.ReportMetric(float64(arrived)*float64(bytes)/1e6/took.Seconds(), "MB/s")
	b.ReportMetric((after.processor-before.processor).Seconds()/float64(arrived)*1e6, "cpu-s/Mline")
	b.ReportMetric(after.peak/1e6, "peak-MB")
	b.ReportMetric(float64(lines-arrived), "lost")
}

// follow measures an agent that has nothing to do, and one whose file grows.
func follow(b *testing.B, a agent, with programs) {
	counter := newCounter(b)
	s := subject{folder: b.TempDir(), counter: counter, programs: with}
	file, err := os.Create(s.file())
	require.NoError(b, err)
	defer file.Close()
	p := a.start(b, s)
	time.Sleep(settle)
	b.ReportMetric(p.usage().resident/1e6, "idle-MB")
	b.ReportMetric(p.usage().anonymous/1e6, "idle-anon-MB")
	before := p.usage()
	time.Sleep(idle)
	b.ReportMetric(100*(p.usage().processor-before.processor).Seconds()/idle.Seconds(), "idle-cpu-%")

	lines := 0
	for _, at := range []struct {
		name string
		rate int
	}{{"low", lowRate}, {"high", highRate}} {
		counter.forgetLatencies()
		before := p.usage()
		highest := p.watch()
		lines += appendLines(b, file, at.rate, live)
		b.ReportMetric(100*(p.usage().processor-before.processor).Seconds()/live.Seconds(), at.name+"-cpu-%")
		m := highest()
		b.ReportMetric(m.resident/1e6, at.name+"-MB")
		b.ReportMetric(m.anonymous/1e6, at.name+"-anon-MB")
		arrived := counter.wait(lines)
		b.ReportMetric(float64(lines-arrived), at.name+"-lost")
		p50, p99 := counter.latencies()
		b.ReportMetric(milliseconds(p50), at.name+"-p50-ms")
		b.ReportMetric(milliseconds(p99), at.name+"-p99-ms")
	}
	b.ReportMetric(p.usage().peak/1e6, "peak-MB")
	p.stop()
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// writeLines writes lines as a web service does, of 100 bytes of which gzip makes a sixth. What that costs the
// sidecar depends much on the text.
func writeLines(b *testing.B, path string, lines, bytes int) {
	random := rand.New(rand.NewPCG(1, 2))
	file, err := os.Create(path)
	require.NoError(b, err)
	defer file.Close()
	buffered := bufio.NewWriterSize(file, 1<<20)
	var line []byte
	for number := range lines {
		line = fmt.Appendf(line[:0], "2026-11-21T15:%02d:%02d.%03dZ INFO", number/60_000%60, number/1000%60, number%1000)
		for len(line) < bytes-1 {
			line = fmt.Appendf(line, ` GET /api/v1/orders/%d 200 bytes=%d ms=%d client=10.0.%d.%d agent="Mozilla/5.0 (X11; Linux x86_64)"`,
				random.IntN(100_000), random.IntN(5_000), random.IntN(1_000), random.IntN(256), random.IntN(256))
		}
		_, err := buffered.Write(append(line[:bytes-1], '\n'))
		require.NoError(b, err)
	}
	require.NoError(b, buffered.Flush())
}

// appendLines appends lines of 100 bytes at a rate, and returns how many. Each says when it was written.
func appendLines(b *testing.B, file *os.File, rate int, during time.Duration) (lines int) {
	began := time.Now()
	for all := int(float64(rate) * during.Seconds()); lines < all; {
		due := min(all, int(float64(rate)*time.Since(began).Seconds()))
		var text []byte
		for ; lines < due; lines++ {
			from := len(text)
			text = fmt.Appendf(text, "INFO n=%d order=%d%s%d ", lines, lines*7919%10_000, sentMark, time.Now().UnixNano())
			for len(text)-from < 99 {
				text = append(text, "shipment stock price "[(len(text)-from)%21])
			}
			text = append(text, '\n')
		}
		if _, err := file.Write(text); err != nil {
			b.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	return lines
}

package scripts

import (
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// model is one log, what its application has written to it, and how it is rotated.
type model struct {
	name    string
	lines   int
	copying bool   // rotated by copytruncate
	half    string // the first half of a line whose second half is still to come
}

func (m *model) line() string {
	m.lines++
	return numbered(m.name, m.lines-1, m.lines)[0]
}

// OUTRIGGER_FUZZ_SEED repeats one run; OUTRIGGER_FUZZ_RUNS runs more of them.
func TestRandomWritesRotationsAndDeletionsLoseAndRepeatNothing(t *testing.T) {
	t.Parallel()
	runs := 4
	if value, err := strconv.Atoi(os.Getenv("OUTRIGGER_FUZZ_RUNS")); err == nil {
		runs = value
	}
	for run := range runs {
		seed := time.Now().UnixNano() + int64(run)
		if value, err := strconv.ParseInt(os.Getenv("OUTRIGGER_FUZZ_SEED"), 10, 64); err == nil {
			seed = value
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			fuzz(t, seed)
		})
	}
}

func fuzz(t *testing.T, seed int64) {
	random := rand.New(rand.NewSource(seed))
	p := newPlace(t, "POLL_SECONDS=0.01")
	logs := []*model{{name: "a"}, {name: "b"}, {name: "c", copying: true}, {name: "d", copying: true}}
	var history []string
	for _, m := range logs {
		p.write(m.name+".log", m.line()+"\n")
	}
	s := p.start("[ab].log", "c.log", "d.*")
	for _, m := range logs {
		s.awaitOutput(m.name + " 0000000")
	}
	frozen := false
	defer func() {
		if t.Failed() {
			t.Logf("seed %d; the last operations:\n%s", seed, strings.Join(history[max(0, len(history)-600):], "\n"))
		}
	}()
	for range 500 {
		m := logs[random.Intn(len(logs))]
		file := m.name + ".log"
		operation := random.Intn(100)
		done := ""
		switch {
		case operation < 50: // lines, at times enough for several chunks
			count := 1 + random.Intn(30)
			if random.Intn(25) == 0 {
				count = 6000 + random.Intn(6000)
			}
			var lines []string
			rest := m.half
			for range count {
				if rest == "" {
					lines = append(lines, m.line())
				} else {
					lines = append(lines, rest)
					rest = ""
				}
			}
			p.write(file, text(lines))
			m.half = ""
			done = fmt.Sprintf("%s: %d lines up to %d", file, count, m.lines)
		case operation < 58 && m.half == "":
			line := m.line()
			cut := 1 + random.Intn(len(line)-1)
			p.write(file, line[:cut])
			m.half = line[cut:]
			done = fmt.Sprintf("%s: half of line %d", file, m.lines-1)
		case operation < 72 && m.half == "" && exists(p.path(file)):
			if m.copying {
				p.copyTruncate(file)
			} else {
				p.rotate(file)
			}
			done = file + ": rotated"
		case operation < 76 && exists(p.path(file)) && m.copying && !exists(p.path(file+".bak")) && !frozen:
			// Somebody's copy of a file that is known, in nobody's way.
			if m.half == "" {
				known := func() {
					line := m.line()
					p.write(file, line+"\n")
					s.awaitOutput(line + "\n")
				}
				known()
				known()
				p.copyFile(file, file+".bak")
				s.await(file+".bak to be opened", func() bool { return s.holds(p.path(file + ".bak")) })
				known()
				known()
				p.remove(file + ".bak")
			}
			done = file + ": copied and the copy deleted"
		case operation < 84:
			// The oldest rotated file goes, open or not yet read, if it is open.
			last := 0
			for exists(p.path(fmt.Sprintf("%s.%d", file, last+1))) {
				last++
			}
			oldest := fmt.Sprintf("%s.%d", file, last)
			if last > 0 && s.holds(p.path(oldest)) {
				p.remove(oldest)
				done = oldest + ": deleted"
			}
		case operation < 92:
			if frozen {
				s.thaw()
			} else {
				s.freeze()
			}
			frozen = !frozen
			done = fmt.Sprint("frozen: ", frozen)
		default:
			time.Sleep(time.Duration(random.Intn(20)) * time.Millisecond)
		}
		if done != "" {
			history = append(history, done)
		}
	}
	s.thaw()
	for _, m := range logs {
		p.write(m.name+".log", m.half+"\n")
	}

	written := map[string][]string{}
	for _, line := range s.stop() {
		if line != "" {
			name, _, _ := strings.Cut(line, " ")
			written[name] = append(written[name], line)
		}
	}
	for _, m := range logs {
		if err := compareLines(numbered(m.name, 0, m.lines), written[m.name]); err != nil {
			require.Failf(t, "log "+m.name, "%v\n%s", err, describe([]*shipper{s}))
		}
		delete(written, m.name)
	}
	require.Empty(t, written)
}

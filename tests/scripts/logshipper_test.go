package scripts

import (
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// ---- Which files

func TestShipsFilesThatAreThereAndFilesAndDirectoriesThatAppearLater(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write("first.log", "from first\n")
	p.write("literal.txt", "from literal\n")
	p.write("with  two blanks and one at the end .log", "from blanks\n")
	p.write("other.txt", "from other\n")

	s := p.start("*.log", "literal.txt", "*/deep/*.log")
	for _, name := range []string{"first", "literal", "blanks"} {
		s.awaitOutput("from " + name + "\n")
	}
	p.write("second.log", "from second\n")
	s.awaitOutput("from second\n")
	require.NoError(t, os.MkdirAll(p.path("new/deep"), 0o755))
	p.write("new/deep/third.log", "from third\n")
	s.awaitOutput("from third\n")

	got := s.stop()
	slices.Sort(got)
	requireLines(t, []string{"from blanks", "from first", "from literal", "from second", "from third"}, got, s)
	require.Empty(t, s.errors.String())
}

func TestAFileMatchedByTwoPatternsOrTwoNamesIsShippedOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write("a.log", "once\n")
	require.NoError(t, os.Symlink("a.log", p.path("b.log")))
	require.NoError(t, os.Link(p.path("a.log"), p.path("c.log")))

	s := p.start("*.log", "a.log", "a.*")
	s.awaitOutput("once\n")
	s.awaitLooks(p)

	requireLines(t, []string{"once"}, withoutLooks(s.stop()), s)
}

func TestIgnoresNamesWithNewlinesAndSaysSoOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write("bad\nname.log", "lost\n")
	p.write("worse\nname.log", "lost too\n")
	p.write("good.log", "good\n")

	s := p.start("*.log")
	s.awaitOutput("good\n")
	s.awaitLooks(p)

	requireLines(t, []string{"good"}, withoutLooks(s.stop()), s)
	require.Equal(t, 1, strings.Count(s.errors.String(), "newline in their name"), s.errors.String())
}

func TestFirstStartShipsRotatedFilesFromTheirBeginningOldestFirstAndCompressedOnesNever(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for name, line := range map[string]string{
		"n.log": "n 4", "n.log.1": "n 3", "n.log.2": "n 2", "n.log.10": "n 1", "n.log.100": "n 0",
		"n.log.3.gz": "x", "n.log.4.zst": "x", "n.log.5.bz2": "x", "n.log.6.xz": "x", "n.log.7.lz4": "x", "n.log.8.zip": "x",
		"d.log": "d 3", "d.log-20300102": "d 1", "d.log-20300103": "d 2", "d.log-20300101.gz": "x",
		"e.log": "e 1", "e.log.2030-01-01": "e 0",
		"o.log": "o 1", "o.log.old": "o 0", "b.log": "b 1", "b.log.bak": "b 0",
		"n.logs": "x", "n.log.d": "x",
	} {
		p.write(name, line+"\n")
	}

	s := p.start("*.log")
	for _, line := range []string{"n 4", "d 3", "e 1", "o 1", "b 1"} {
		s.awaitOutput(line)
	}
	s.awaitLooks(p)

	got := withoutLooks(s.stop())
	slices.SortStableFunc(got, func(a, b string) int { return strings.Compare(a[:1], b[:1]) })
	requireLines(t, []string{"b 0", "b 1", "d 1", "d 2", "d 3", "e 0", "e 1", "n 0", "n 1", "n 2", "n 3", "n 4", "o 0", "o 1"}, got, s)
}

func TestShipsHundredsOfFiles(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	const files, rounds = 400, 3
	var want []string

	s := p.start("*.log")
	for round := range rounds {
		for file := range files {
			name := fmt.Sprintf("file-%03d", file)
			p.write(name+".log", text(numbered(name, round, round+1)))
			want = append(want, numbered(name, round, round+1)...)
		}
		s.awaitOutput(text(numbered("file-399", round, round+1)))
	}

	got := s.stop()
	slices.Sort(got)
	slices.Sort(want)
	requireLines(t, want, got, s)
}

// ---- Whole lines

func TestLinesOfSeveralFilesNeverMixThoughTheyAreWrittenInHalves(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	const files, lines = 4, 400
	want := map[string][]string{}

	s := p.start("*.log")
	var writers sync.WaitGroup
	for i := range files {
		name := fmt.Sprintf("w%d", i)
		want[name] = numbered(name, 0, lines)
		writers.Add(1)
		go func() {
			defer writers.Done()
			for _, line := range want[name] {
				p.write(name+".log", line[:len(line)/2])
				p.write(name+".log", line[len(line)/2:]+"\n")
			}
		}()
	}
	writers.Wait()

	got := map[string][]string{}
	for _, line := range s.stop() {
		name, _, _ := strings.Cut(line, " ")
		got[name] = append(got[name], line)
	}
	for name := range got {
		require.Contains(t, want, name, "a line that nobody wrote: %q", got[name])
	}
	for name := range want {
		requireLines(t, want[name], got[name], s)
	}
}

func TestAPartialLastLineWaitsForItsNewline(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write("a.log", "whole\nhal")

	s := p.start("*.log")
	s.awaitOutput("whole\n")
	s.awaitLooks(p)
	require.NotContains(t, s.output.String(), "hal")
	p.write("a.log", "f\n")
	s.awaitOutput("half\n")

	requireLines(t, []string{"whole", "half"}, withoutLooks(s.stop()), s)
}

func TestPartialLastLinesAreWrittenWithANewlineAtTheEnd(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write("a.log", "a whole\na partial")
	p.write("b.log", "b partial")
	p.write("c.log", "")

	s := p.start("*.log")
	s.awaitOutput("a whole\n")

	got := s.stop()
	slices.Sort(got)
	requireLines(t, []string{"a partial", "a whole", "b partial"}, got, s)
}

func TestThePartialLastLineOfADeletedFileIsWrittenWithANewline(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write("a.log", "whole\npartial")

	s := p.start("*.log")
	s.awaitOutput("whole\n")
	p.remove("a.log")
	s.awaitOutput("partial\n")

	requireLines(t, []string{"whole", "partial"}, s.stop(), s)
}

func TestALineLongerThanAChunkIsCutIntoPiecesWithNothingLost(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	long := strings.Repeat("0123456789abcde.", (2*chunkBytes+1000)/16)
	p.write("a.log", "before\n"+long+"\nafter\n")

	s := p.start("*.log")
	s.awaitOutput("after\n")

	got := s.stop()
	require.Equal(t, "before"+long+"after", strings.Join(got, ""))
	require.Equal(t, "before", got[0])
	require.Equal(t, "after", got[len(got)-1])
	require.LessOrEqual(t, len(got), 5)
}

func TestBytesThatAreNotTextPassUnchanged(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	random := rand.New(rand.NewSource(1))
	noise := make([]byte, 3*chunkBytes)
	_, _ = random.Read(noise)
	noise = append(noise, '\n')
	p.write("a.log", string(noise))

	s := p.start("*.log")
	s.await("all bytes", func() bool { return s.output.Len() >= len(noise) })
	s.stop()

	require.Equal(t, string(noise), s.output.String())
}

// ---- Rotation by rename

func TestRenameRotationAtFullSpeedLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	const lines, rotations = 100_000, 5
	want := numbered("app", 0, lines)

	s := p.start("app.log")
	for i, part := range slices.Collect(slices.Chunk(want, 20)) {
		if i > 0 && i%(lines/20/(rotations+1)) == 0 {
			p.rotate("app.log")
		}
		p.write("app.log", text(part))
	}

	requireLines(t, want, s.stop(), s)
}

func TestSeveralRotationsBetweenTwoLooksLoseNothingAndKeepTheOrder(t *testing.T) {
	t.Parallel()
	dates := []string{"-20300101", "-20300102", "-20300103", "-20300104"}
	for _, test := range []struct {
		name   string
		rotate func(p *place, count int)
	}{
		{"numbers", func(p *place, _ int) { p.rotate("app.log") }},
		{"dates", func(p *place, count int) { p.rename("app.log", "app.log"+dates[count]) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			want := numbered("app", 0, 50)
			p.write("app.log", text(want[:10]))

			s := p.start("*.log")
			s.awaitOutput(text(want[9:10]))
			s.freeze()
			for count := range 4 {
				p.write("app.log", text(want[10*count+10:10*count+15]))
				test.rotate(p, count)
				p.write("app.log", text(want[10*count+15:10*count+20]))
			}
			s.thaw()
			s.awaitOutput(text(want[49:]))

			requireLines(t, want, s.stop(), s)
		})
	}
}

func TestRotationsAtOnceOfAFileWhoseLinesAreAllTheSameLoseAndRepeatNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	const rounds, perFile = 15, 100
	same := strings.Repeat("the same line, again and again\n", perFile)
	want := strings.Repeat(same, 1+rounds*2)

	s := p.start("*.log")
	p.write("app.log", same)
	for range rounds {
		s.await("a line", func() bool { return s.output.Len() > 0 })
		s.freeze()
		for range 2 {
			p.rotate("app.log")
			p.write("app.log", same)
		}
		s.thaw()
	}
	s.await("all lines", func() bool { return s.output.Len() >= len(want) })

	requireLines(t, splitLines(want), s.stop(), s)
}

func TestAFileDeletedAfterItsRotationIsStillReadToItsEnd(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	want := numbered("app", 0, 30_000)
	p.write("app.log", text(want[:10]))

	s := p.start("*.log")
	s.awaitOutput(text(want[9:10]))
	s.freeze()
	p.write("app.log", text(want[10:20_000]))
	p.rename("app.log", "app.log.1")
	p.write("app.log", text(want[20_000:]))
	p.remove("app.log.1")
	s.thaw()
	s.awaitOutput(want[len(want)-1])

	requireLines(t, want, s.stop(), s)
}

func TestADescriptorOfADeletedFileIsClosedWhenAllIsRead(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write("a.log", "one\n")

	s := p.start("*.log")
	s.awaitOutput("one\n")
	held, err := os.Open(p.path("a.log"))
	require.NoError(t, err)
	defer held.Close()
	self := fmt.Sprintf("/proc/self/fd/%d", held.Fd())
	require.True(t, s.holds(self))
	p.remove("a.log")
	s.await("the descriptor to be closed", func() bool { return !s.holds(self) })

	states, err := filepath.Glob(filepath.Join(p.state, "*_*"))
	require.NoError(t, err)
	require.Empty(t, states)
	requireLines(t, []string{"one"}, s.stop(), s)
}

func TestANewFileWithAnInodeUsedBeforeIsReadFromItsHead(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"disk": t.TempDir(), "tmpfs": "/dev/shm"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, err := os.MkdirTemp(dir, "logshipper")
			require.NoError(t, err)
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			p := newPlaceIn(t, dir, "POLL_SECONDS=0.01")
			// The same head and a greater length: only that it is another file tells them apart.
			head := strings.Repeat("the same head\n", 100)
			var want strings.Builder

			s := p.start("*.log")
			for i := range 12 {
				p.write("app.log", head+strings.Repeat("more\n", i))
				want.WriteString(head + strings.Repeat("more\n", i))
				s.await("its lines", func() bool { return s.output.Len() >= want.Len() })
				path := p.path("app.log")
				p.remove("app.log")
				if i%2 == 0 {
					s.await("the descriptor to be closed", func() bool { return countFiles(t, p.state, "*_*.head") == 0 })
				}
				require.False(t, exists(path))
			}

			requireLines(t, splitLines(want.String()), s.stop(), s)
		})
	}
}

func countFiles(t *testing.T, dir, pattern string) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	return len(found)
}

// ---- Rotation by copying and truncating

func TestCopytruncateBetweenTwoWritesLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	const lines, rotations = 100_000, 5
	want := numbered("app", 0, lines)

	s := p.start("*.log")
	for i, part := range slices.Collect(slices.Chunk(want, 20)) {
		if i > 0 && i%(lines/20/(rotations+1)) == 0 {
			p.copyTruncate("app.log")
		}
		p.write("app.log", text(part))
	}

	requireLines(t, want, s.stop(), s)
}

func TestCopytruncateAtFullSpeedLosesOnlyWhatTheRotatorItselfLost(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	const lines, rotations = 100_000, 5
	written := numbered("app", 0, lines)
	p.write("app.log", text(written[:1]))

	s := p.start("*.log")
	var half, done = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i, part := range slices.Collect(slices.Chunk(written[1:], 20)) {
			if i == 100 {
				close(half)
			}
			p.write("app.log", text(part))
		}
	}()
	<-half
	for range rotations {
		size := s.output.Len()
		s.await("more output", func() bool {
			select {
			case <-done:
				return true
			default:
				return s.output.Len() > size
			}
		})
		p.copyTruncate("app.log")
	}
	<-done
	got := s.stop()

	// What is on disk: the copies, oldest first, and the file. A copy's end may be within a line.
	var kept []string
	var cut []string
	for number := rotations; number >= 0; number-- {
		name := "app.log"
		if number > 0 {
			name = fmt.Sprintf("app.log.%d", number)
		}
		data, err := os.ReadFile(p.path(name))
		require.NoError(t, err)
		end := strings.LastIndexByte(string(data), '\n') + 1
		kept = append(kept, splitLines(string(data[:end]))...)
		if end < len(data) {
			cut = append(cut, string(data[end:]))
		}
	}
	known := map[string]int{}
	for i, line := range written {
		known[line] = i
	}
	previous := -1
	shipped := map[string]bool{}
	for _, line := range got {
		number, ok := known[line]
		if !ok {
			require.True(t, slices.ContainsFunc(cut, func(piece string) bool { return strings.HasSuffix(piece, line) }) ||
				slices.ContainsFunc(written, func(whole string) bool { return strings.HasSuffix(whole, line) }),
				"a line that nobody wrote: %q\n%s", line, s.errors.String())
			continue
		}
		require.Greaterf(t, number, previous, "repeated or out of order: %q after line %d\n%s", line, previous, s.errors.String())
		previous = number
		shipped[line] = true
	}
	var missing []string
	for _, line := range kept {
		if _, whole := known[line]; whole && !shipped[line] {
			missing = append(missing, line)
		}
	}
	t.Logf("written %d, kept by the rotator %d, shipped %d", len(written), len(kept), len(shipped))
	require.Emptyf(t, missing, "kept by the rotator and not shipped: %s\n%s", sample(missing), s.errors.String())
}

func TestACopyIsShippedOnlyFromWhereTheOriginalHadBeenReadTo(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	want := numbered("app", 0, 300)
	p.write("app.log", text(want[:100]))

	s := p.start("*.log")
	s.awaitOutput(want[99])
	s.freeze()
	p.write("app.log", text(want[100:200])) // seen only in the copy
	p.copyTruncate("app.log")
	p.write("app.log", text(want[200:]))
	s.thaw()
	s.awaitOutput(want[299])

	requireLines(t, want, s.stop(), s)
}

func TestATruncatedFileThatHasOutgrownItsOldPositionIsReadFromItsBeginning(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	want := numbered("app", 0, 100)
	p.write("app.log", text(want[:10]))

	s := p.start("*.log")
	s.awaitOutput(want[9])
	s.freeze()
	p.write("app.log", text(want[10:20]))
	p.copyTruncate("app.log")
	p.write("app.log", text(want[20:]))
	s.thaw()
	s.awaitOutput(want[99])

	requireLines(t, want, s.stop(), s)
}

func TestATruncatedFileThatHasItsOldSizeAgainIsReadFromItsBeginning(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	want := numbered("app", 0, 20)
	p.write("app.log", text(want[:10]))

	s := p.start("*.log")
	s.awaitOutput(want[9])
	s.freeze()
	p.truncate("app.log")
	p.write("app.log", text(want[10:]))
	s.thaw()
	s.awaitOutput(want[19])

	requireLines(t, want, s.stop(), s)
}

func TestTwoCopytruncatesBetweenTwoLooksLoseAndRepeatNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	const rounds = 10
	want := numbered("app", 0, 50+rounds*40)
	p.write("app.log", text(want[:50]))

	s := p.start("*.log")
	s.awaitOutput(want[49])
	for round := range rounds {
		part := want[50+round*40:]
		s.freeze()
		p.write("app.log", text(part[:10]))
		p.copyTruncate("app.log")
		p.write("app.log", text(part[10:20]))
		p.copyTruncate("app.log")
		p.write("app.log", text(part[20:40]))
		s.thaw()
		s.awaitOutput(part[39])
	}

	requireLines(t, want, s.stop(), s)
}

func TestACopyIsHeldBackUntilTheTruncation(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	want := numbered("app", 0, 40)
	p.write("app.log", text(want[:10]))

	s := p.start("*.log")
	s.awaitOutput(want[9])
	p.copyFile("app.log", "app.log.1")
	s.awaitLooks(p)
	p.write("app.log", text(want[10:20]))
	s.awaitOutput(want[19])
	p.copyFile("app.log", "app.log.1") // the copying goes on
	s.awaitLooks(p)
	p.truncate("app.log")
	p.write("app.log", text(want[20:40]))
	s.awaitOutput(want[39])
	s.awaitLooks(p)

	requireLines(t, want, withoutLooks(s.stop()), s)
}

func TestACopyOfAFileThatIsNeverTruncatedIsNotShipped(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	want := numbered("app", 0, 30)
	p.write("app.log", text(want[:10]))

	s := p.start("*.log")
	s.awaitOutput(want[9])
	p.copyFile("app.log", "app.log.bak")
	s.awaitLooks(p)
	p.write("app.log", text(want[10:20]))
	s.awaitOutput(want[19])
	p.rotate("app.log")
	p.write("app.log", text(want[20:]))
	s.awaitOutput(want[29])
	s.awaitLooks(p)
	p.remove("app.log.1")
	s.awaitLooks(p)

	requireLines(t, want, withoutLooks(s.stop()), s)
}

func TestOnlyTheLastOfTwoCopiesMadeBeforeATruncationIsShippedFrom(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	want := numbered("app", 0, 40)
	p.write("app.log", text(want[:10]))

	s := p.start("*.log")
	s.awaitOutput(want[9])
	p.copyFile("app.log", "app.log.bak")
	s.awaitLooks(p)
	s.freeze()
	p.write("app.log", text(want[10:20]))
	p.copyTruncate("app.log")
	p.write("app.log", text(want[20:]))
	s.thaw()
	s.awaitOutput(want[39])
	s.awaitLooks(p)

	requireLines(t, want, withoutLooks(s.stop()), s)
}

// ---- The end

func TestAThousandLinesWrittenRightBeforeSIGTERMAreShipped(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, "POLL_SECONDS=0.25")
			want := numbered("app", 0, 1020)
			p.write("app.log", text(want[:10]))

			s := p.start("*.log")
			s.awaitOutput(want[9])
			s.awaitLooks(p)
			p.write("app.log", text(want[10:1000]))
			p.rotate("app.log")
			p.write("app.log", text(want[1000:1010]))
			p.write("late.log", text(want[1010:])) // a file never seen before
			s.signal(signal)
			require.NoError(t, s.wait(), s.errors.String())

			requireLines(t, want, withoutLooks(splitLines(s.output.String())), s)
		})
	}
}

func TestWithLingerGoesOnUntilTheFilesAreQuiet(t *testing.T) {
	harness.Seconds(t)
	p := newPlace(t, "LINGER_SECONDS=100", "QUIET_SECONDS=5")
	want := numbered("app", 0, 60)
	p.write("app.log", text(want[:1]))

	s := p.start("*.log")
	s.awaitOutput(want[0])
	s.signal(syscall.SIGTERM)
	for _, line := range want[1:] { // each well within the quiet time
		p.write("app.log", line+"\n")
		s.awaitOutput(line)
		time.Sleep(100 * time.Millisecond)
	}
	last := time.Now()
	require.NoError(t, s.wait(), s.errors.String())

	require.GreaterOrEqual(t, time.Since(last), 4*time.Second)
	require.Less(t, time.Since(last), 30*time.Second)
	requireLines(t, want, splitLines(s.output.String()), s)
}

func TestWithLingerEndsAfterThatTimeThoughTheFilesAreNotQuiet(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "LINGER_SECONDS=3", "QUIET_SECONDS=100") // which the files never are
	p.write("app.log", "first\n")

	s := p.start("*.log")
	s.awaitOutput("first\n")
	s.signal(syscall.SIGTERM)
	began := time.Now()
	for i := 0; time.Since(began) < patience; i++ {
		p.write("app.log", strconv.Itoa(i)+"\n")
		select {
		case <-s.ended:
			require.NoError(t, s.wait(), s.errors.String())
			require.GreaterOrEqual(t, time.Since(began), 1900*time.Millisecond)
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
	require.Fail(t, "the script did not end", s.errors.String())
}

func TestWhenItsOutputIsGoneItEndsWithAnErrorAndShipsTheSameLinesAgain(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	want := numbered("app", 0, 20)
	p.write("app.log", text(want[:10]))
	read, write, err := os.Pipe()
	require.NoError(t, err)

	command := p.command("*.log")
	var errors lockedBuffer
	command.Stdout, command.Stderr = write, &errors
	require.NoError(t, command.Start())
	require.NoError(t, write.Close())
	first := make([]byte, len(text(want[:10])))
	_, err = io.ReadFull(read, first)
	require.NoError(t, err)
	require.NoError(t, read.Close())
	p.write("app.log", text(want[10:]))
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case err = <-ended:
	case <-time.After(patience):
		_ = command.Process.Kill()
		require.Fail(t, "the script goes on without an output", errors.String())
	}

	require.NotZero(t, exitCode(err))
	require.Contains(t, errors.String(), "cannot write to standard output")
	s := p.start("*.log")
	s.awaitOutput(want[19])
	requireLines(t, want, append(splitLines(string(first)), s.stop()...), s)
}

// ---- A new start

func TestAfterSIGKILLInMidStreamNothingIsLostAndAtMostOneChunkIsRepeated(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	const kills = 20
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewSource(seed))
	written := make(chan int, 1)
	stop := make(chan struct{})
	go func() { // a writer at full speed that rotates by renaming
		lines := 0
		for {
			select {
			case <-stop:
				written <- lines
				return
			default:
			}
			if lines%20_000 == 19_800 {
				p.rotate("app.log")
			}
			p.write("app.log", text(numbered("app", lines, lines+200)))
			lines += 200
			time.Sleep(2 * time.Millisecond)
		}
	}()

	next := 0 // the number of the next line that has not been shipped
	check := func(run int, got []string, s *shipper) {
		for i, line := range got {
			fields := strings.Fields(line)
			number, err := strconv.Atoi(fields[1])
			require.NoError(t, err, "%q\n%s", line, s.errors.String())
			require.Equal(t, numbered("app", number, number+1)[0], line)
			if i == 0 {
				require.LessOrEqualf(t, number, next, "run %d lost %d lines\n%s", run, number-next, s.errors.String())
				require.LessOrEqualf(t, (next-number)*(len(line)+1), chunkBytes, "run %d repeats %d lines\n%s", run, next-number, s.errors.String())
			} else {
				require.Equalf(t, next, number, "run %d\n%s", run, s.errors.String())
			}
			next = number + 1
		}
	}
	for run := range kills {
		s := p.start("*.log")
		if run%2 == 0 {
			s.await("output", func() bool { return s.output.Len() > 0 })
		}
		time.Sleep(time.Duration(random.Intn(60)) * time.Millisecond)
		check(run, s.kill(), s)
	}
	close(stop)
	lines := <-written
	s := p.start("*.log")
	s.awaitOutput(numbered("app", lines-1, lines)[0])
	check(kills, s.stop(), s)

	require.Equal(t, lines, next)
}

func TestARestartFindsFilesThatWereRotatedMeanwhile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	want := numbered("app", 0, 50)
	p.write("app.log", text(want[:10]))
	first := p.start("*.log")
	first.awaitOutput(want[9])
	first.awaitLooks(p)
	got := withoutLooks(first.kill())

	for count := range 4 {
		p.write("app.log", text(want[10*count+10:10*count+15]))
		p.rotate("app.log")
		p.write("app.log", text(want[10*count+15:10*count+20]))
	}
	second := p.start("*.log")
	second.awaitOutput(want[49])

	requireLines(t, want, append(got, second.stop()...), first, second)
}

func TestARestartFindsACopytruncateThatWasMadeMeanwhile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	want := numbered("app", 0, 50)
	p.write("app.log", text(want[:10]))
	first := p.start("*.log")
	first.awaitOutput(want[9])
	first.awaitLooks(p)
	got := withoutLooks(first.kill())

	p.write("app.log", text(want[10:20]))
	p.copyTruncate("app.log")
	p.write("app.log", text(want[20:30]))
	p.copyTruncate("app.log")
	p.write("app.log", text(want[30:]))
	second := p.start("*.log")
	second.awaitOutput(want[49])

	requireLines(t, want, append(got, second.stop()...), first, second)
}

func TestARestartRepeatsRatherThanLosesWhenAFileIsNotTheOneItKnew(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write("app.log", text(numbered("old", 0, 10)))
	first := p.start("*.log")
	first.awaitOutput("old 0000009")
	first.kill()

	// The same inode with another content.
	require.NoError(t, os.WriteFile(p.path("app.log"), []byte(text(numbered("new", 0, 20))), 0o644))
	second := p.start("*.log")
	second.awaitOutput("new 0000019")

	requireLines(t, numbered("new", 0, 20), second.stop(), first, second)
}

func TestAFileThatComesAfterARestartIsNotTakenForAGoneOneWithItsInode(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	want := numbered("app", 0, 20)
	p.write("app.log", text(want[:10]))
	info, err := os.Stat(p.path("app.log"))
	require.NoError(t, err)
	inode := info.Sys().(*syscall.Stat_t).Ino
	first := p.start("*.log")
	first.awaitOutput(want[9])
	first.awaitLooks(p)
	first.kill()

	// The file stays, out of sight, until the second run has looked: its inode is then used on.
	aside := filepath.Join(p.state, "aside")
	require.NoError(t, os.Rename(p.path("app.log"), aside))
	second := p.start("*.log")
	second.awaitLooks(p)
	require.NoError(t, os.Rename(aside, p.path("app.log")))
	p.write("app.log", text(want[10:]))
	second.awaitOutput(want[19])

	info, err = os.Stat(p.path("app.log"))
	require.NoError(t, err)
	require.Equal(t, inode, info.Sys().(*syscall.Stat_t).Ino)
	requireLines(t, want, withoutLooks(second.stop()), first, second)
}

func TestARestartToleratesAStateThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	want := numbered("app", 0, 10)
	p.write("app.log", text(want))
	info, err := os.Stat(p.path("app.log"))
	require.NoError(t, err)
	identity := fmt.Sprintf("%d_%d", info.Sys().(*syscall.Stat_t).Dev, info.Sys().(*syscall.Stat_t).Ino)
	for name, content := range map[string]string{
		identity + ".position": "12 monkeys\n", identity + ".head": text(want), "1_2.position": "", "1_3.position": "7\n", "x.position": "7\n", "chunk": "rubbish", "1_4.head": "",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(p.state, name), []byte(content), 0o644))
	}

	s := p.start("*.log")
	s.awaitOutput(want[9])

	requireLines(t, want, s.stop(), s)
	require.Empty(t, s.errors.String())
}

func TestAnOrderlyEndAndANewStartRepeatNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	want := numbered("app", 0, 20)
	p.write("app.log", text(want[:10]))
	first := p.start("*.log")
	first.awaitOutput(want[9])
	got := first.stop()

	p.write("app.log", text(want[10:]))
	second := p.start("*.log")
	second.awaitOutput(want[19])

	requireLines(t, want, append(got, second.stop()...), first, second)
}

// ---- What it may not read

func TestAFileItMayNotReadIsNamedOnceAndShippedWhenItBecomesReadable(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.asOtherUser()
	p.write("secret.log", "secret\n")
	require.NoError(t, os.Chmod(p.path("secret.log"), 0))
	p.write("open.log", "open\n")

	s := p.start("*.log")
	s.awaitOutput("open\n")
	s.awaitError("cannot read " + p.path("secret.log"))
	s.awaitLooks(p)
	// From here on nothing but the mode changes.
	s.await("the other files to be forgotten", func() bool { return countFiles(t, p.state, "*_*.head") == 1 })
	time.Sleep(500 * time.Millisecond)
	require.NoError(t, os.Chmod(p.path("secret.log"), 0o644))
	s.awaitOutput("secret\n")

	requireLines(t, []string{"open", "secret"}, withoutLooks(s.stop()), s)
	require.Equal(t, 1, strings.Count(s.errors.String(), "\n"), s.errors.String())
	uid := os.Getuid()
	if uid == 0 {
		uid = otherUser
	}
	require.Contains(t, s.errors.String(), fmt.Sprintf("as uid %d: run the sidecar as the app's user", uid))
}

func TestAFileThatCannotBeReadForAWhileIsContinuedWhereItWasLeft(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.asOtherUser()
	want := numbered("app", 0, 30)
	p.write("app.log", text(want[:10]))

	s := p.start("*.log")
	s.awaitOutput(want[9])
	require.NoError(t, os.Chmod(p.path("app.log"), 0o200))
	require.NoError(t, os.Chtimes(p.path("app.log"), time.Now(), time.Now().Add(time.Second)))
	s.awaitLooks(p)
	p.write("app.log", text(want[10:20]))
	s.awaitError("cannot read " + p.path("app.log"))
	s.awaitLooks(p)
	require.NoError(t, os.Chmod(p.path("app.log"), 0o644))
	s.awaitOutput(want[19])
	p.write("app.log", text(want[20:]))
	s.awaitOutput(want[29])

	requireLines(t, want, withoutLooks(s.stop()), s)
	require.Equal(t, 1, strings.Count(s.errors.String(), "\n"), s.errors.String())
}

func TestADirectoryItMayNotListIsNamedOnceAndItsFilesAreShippedWhenItBecomesListable(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.asOtherUser()
	require.NoError(t, os.Mkdir(p.path("closed"), 0o755))
	p.write("closed/a.log", "in closed\n")
	p.write("open.log", "open\n")
	require.NoError(t, os.Chmod(p.path("closed"), 0))
	t.Cleanup(func() { _ = os.Chmod(p.path("closed"), 0o755) })

	s := p.start("*.log", "closed/*.log")
	s.awaitOutput("open\n")
	s.awaitError("cannot list " + p.path("closed"))
	s.awaitLooks(p)
	require.NoError(t, os.Chmod(p.path("closed"), 0o755))
	s.awaitOutput("in closed\n")

	requireLines(t, []string{"open", "in closed"}, withoutLooks(s.stop()), s)
	require.Equal(t, 1, strings.Count(s.errors.String(), "\n"), s.errors.String())
}

func TestAStateDirectoryItCannotWriteToIsNamed(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.state = filepath.Join(p.logs, "nowhere")

	s := p.start("*.log")

	require.Equal(t, 1, exitCode(s.wait()))
	require.Contains(t, s.errors.String(), "STATE_DIR ("+p.state+") is not a writable directory")
}

// ---- Cost

func TestBulkIsShippedWithLittleMemory(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	lines := numbered("bulk", 0, 600_000)
	content := text(lines)
	p.write("bulk.log", content)

	began := time.Now()
	s := p.start("*.log")
	s.await("all of it", func() bool { return s.output.Len() >= len(content) })
	took := time.Since(began)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.command.Process.Pid))
	require.NoError(t, err)

	_, rest, found := strings.Cut(string(status), "VmHWM:")
	require.True(t, found)
	kibibytes, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(t, err)
	t.Logf("%.0f MB/s, %d KiB at most", float64(len(content))/1e6/took.Seconds(), kibibytes)
	require.Less(t, kibibytes, 16<<10)
	requireLines(t, lines, s.stop(), s)
}

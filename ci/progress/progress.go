// Package progress tells a person what a long run is at: numbered steps with the time each took, a
// sign of life while one is running, and a log file for what the commands printed.
package progress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/outrigger-charts/outrigger/ci/cache"
)

// heartbeat is the longest silence during a step where output is no terminal: a hosted CI ends runs
// that say nothing for minutes, and a person wonders much sooner.
const heartbeat = 15 * time.Second

// Reporter writes steps to one output. Steps may run at the same time.
type Reporter struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	start    time.Time
	begun    int
	planned  int
	running  []*Step
	painted  bool // the terminal's last line is the in-place one
	log      *os.File
	done     chan struct{}
	once     sync.Once
}

// Step is a step that is running.
type Step struct {
	r      *Reporter
	number int
	title  string
	detail string
	result string
	start  time.Time
}

// New returns a Reporter that writes to out, and logs to a new file below dir, or nowhere if dir is
// empty. Close it.
func New(out io.Writer, dir string) *Reporter {
	r := &Reporter{out: out, terminal: isTerminal(out), start: time.Now(), done: make(chan struct{})}
	if dir != "" {
		r.openLog(filepath.Join(dir, "logs"))
	}
	go r.beat()
	return r
}

func (r *Reporter) openLog(dir string) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return
	}
	cache.Prune(dir, "*.log", 30)
	name := fmt.Sprintf("%s-%d.log", r.start.Format("20060102-150405"), os.Getpid())
	// Without a log file the run goes on: nobody needs it where all goes well.
	r.log, _ = os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
}

// Log is where a command's output goes when it need not be shown.
func (r *Reporter) Log() io.Writer {
	if r.log == nil {
		return io.Discard
	}
	return r.log
}

// LogPath is the log file's path, or "" if there is none.
func (r *Reporter) LogPath() string {
	if r.log == nil {
		return ""
	}
	return r.log.Name()
}

// Out is a writer for lines that stand between the steps.
func (r *Reporter) Out() io.Writer { return lines{r} }

type lines struct{ r *Reporter }

func (l lines) Write(p []byte) (int, error) {
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	l.r.unpaint()
	return l.r.out.Write(p)
}

// Say writes a line between the steps.
func (r *Reporter) Say(format string, args ...any) { fmt.Fprintf(r.Out(), format+"\n", args...) }

// Plan says that n more steps are coming.
func (r *Reporter) Plan(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.planned += n
}

// Elapsed is the time since New.
func (r *Reporter) Elapsed() time.Duration { return time.Since(r.start) }

// Close ends the heartbeat and closes the log.
func (r *Reporter) Close() {
	r.once.Do(func() {
		close(r.done)
		if r.log != nil {
			r.log.Close()
		}
	})
}

// Step runs one step and tells how it ended. The output of a command that failed is shown whole.
func (r *Reporter) Step(ctx context.Context, title string, run func(context.Context, *Step) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s := r.begin(title)
	err := run(ctx, s)
	r.end(s, err)
	return err
}

// Is tells what the step is doing just now; the heartbeat shows it.
func (s *Step) Is(format string, args ...any) {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.detail = fmt.Sprintf(format, args...)
	if s.r.terminal {
		s.r.paint()
	}
}

// Result sets what is said of the step when it ends well; "done" if it is never called.
func (s *Step) Result(format string, args ...any) {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.result = fmt.Sprintf(format, args...)
}

// Reused says of the step that an earlier run had done it.
func (s *Step) Reused() { s.Result("reused") }

// Log is the Reporter's.
func (s *Step) Log() io.Writer { return s.r.Log() }

func (r *Reporter) begin(title string) *Step {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun++
	r.planned = max(r.planned, r.begun)
	s := &Step{r: r, number: r.begun, title: title, result: "done", start: time.Now()}
	r.running = append(r.running, s)
	if r.log != nil {
		fmt.Fprintf(r.log, "\n== [%d/%d] %s\n", s.number, r.planned, title)
	}
	if r.terminal {
		r.paint()
	} else {
		fmt.Fprintf(r.out, "[%d/%d] %s ...\n", s.number, r.planned, title)
	}
	return s
}

func (r *Reporter) end(s *Step, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, other := range r.running {
		if other == s {
			r.running = append(r.running[:i], r.running[i+1:]...)
		}
	}
	r.unpaint()
	result := s.result
	switch {
	case errors.Is(err, context.Canceled):
		result = "interrupted"
	case err != nil:
		result = "FAILED"
		r.showOutput(err)
	}
	fmt.Fprintf(r.out, "[%d/%d] %s: %s (%s, %s in all)\n",
		s.number, r.planned, s.title, result, Short(time.Since(s.start)), Short(time.Since(r.start)))
}

func (r *Reporter) showOutput(err error) {
	var failed interface{ Output() string }
	if !errors.As(err, &failed) || failed.Output() == "" {
		return
	}
	fmt.Fprintf(r.out, "--- what it printed\n%s\n---\n", strings.TrimRight(failed.Output(), "\n"))
}

func (r *Reporter) beat() {
	every := heartbeat
	if r.terminal {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-r.done:
			return
		case <-tick.C:
			r.mu.Lock()
			if r.terminal {
				r.paint()
			} else if line := r.line(); line != "" {
				fmt.Fprintln(r.out, line)
			}
			r.mu.Unlock()
		}
	}
}

// line says what is running now, or nothing if nothing is.
func (r *Reporter) line() string {
	if len(r.running) == 0 {
		return ""
	}
	now := make([]string, len(r.running))
	for i, s := range r.running {
		now[i] = fmt.Sprintf("[%d/%d] %s", s.number, r.planned, s.title)
		if s.detail != "" {
			now[i] += ": " + s.detail
		}
		now[i] += " (" + Short(time.Since(s.start)) + ")"
	}
	return "  … " + strings.Join(now, "; ")
}

func (r *Reporter) paint() {
	line := r.line()
	if line == "" {
		return
	}
	if w := []rune(line); len(w) > 118 {
		line = string(w[:117]) + "…"
	}
	fmt.Fprintf(r.out, "\r\033[K%s", line)
	r.painted = true
}

func (r *Reporter) unpaint() {
	if r.painted {
		fmt.Fprint(r.out, "\r\033[K")
		r.painted = false
	}
}

// Short formats a duration for people: 7s, 4m05s.
func Short(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	s := int(d.Round(time.Second) / time.Second)
	if s < 60 {
		return fmt.Sprintf("%ds", s)
	}
	return fmt.Sprintf("%dm%02ds", s/60, s%60)
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

package logs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tick is the unit of /proc's processor times.
const tick = 10 * time.Millisecond

// process is an agent that runs, with the processes that it started.
type process struct {
	t       testing.TB
	command *exec.Cmd
	printed *bytes.Buffer
	ended   chan struct{}
}

// usage is what a process and those that it started use: memory in bytes, the peak being the sum of each one's; and the
// processor's time so far, that of those which have ended included.
type usage struct {
	processor                 time.Duration
	resident, anonymous, peak float64
}

// run starts a command, which is killed when the benchmark ends. It is of this program's process group, so that an interrupt
// ends it too.
func run(t testing.TB, command *exec.Cmd) *process {
	p := &process{t: t, command: command, printed: new(bytes.Buffer), ended: make(chan struct{})}
	if command.Stdout == nil {
		command.Stdout = p.printed
	}
	command.Stderr = p.printed
	command.WaitDelay = time.Second // a child that outlives it by a moment
	require.NoError(t, command.Start())
	go func() {
		_ = command.Wait() // an agent is killed, or has shipped what it was to
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("%s printed:\n%s", command.Path, p.printed)
		}
	})
	return p
}

func (p *process) stop() {
	select {
	case <-p.ended: // nothing may be killed by a number that is another's by now
		return
	default:
	}
	for _, pid := range tree(p.command.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-p.ended
}

func (p *process) usage() (u usage) {
	select {
	case <-p.ended:
		return usage{processor: p.command.ProcessState.UserTime() + p.command.ProcessState.SystemTime()}
	default:
	}
	for _, pid := range tree(p.command.Process.Pid) {
		stat := statFields(pid)
		if stat == nil {
			continue
		}
		for _, field := range stat[11:15] { // utime, stime, cutime, cstime
			ticks, err := strconv.Atoi(field)
			require.NoError(p.t, err)
			u.processor += time.Duration(ticks) * tick
		}
		status, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
		u.resident += kilobytes(string(status), "VmRSS:")
		u.anonymous += kilobytes(string(status), "RssAnon:")
		u.peak += kilobytes(string(status), "VmHWM:")
	}
	return u
}

// watch looks at the memory twice a second until what it returns is called, which returns the most that was seen.
func (p *process) watch() func() usage {
	stop, done := make(chan struct{}), make(chan usage)
	go func() {
		var most usage
		for {
			now := p.usage()
			most.resident, most.anonymous = max(most.resident, now.resident), max(most.anonymous, now.anonymous)
			select {
			case <-stop:
				done <- most
				return
			case <-time.After(500 * time.Millisecond):
			}
		}
	}()
	return func() usage { close(stop); return <-done }
}

// tree returns a process and all that descend from it.
func tree(root int) []int {
	children := map[int][]int{}
	paths, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range paths {
		pid, err := strconv.Atoi(filepath.Base(path))
		if stat := statFields(pid); err == nil && stat != nil {
			parent, _ := strconv.Atoi(stat[1])
			children[parent] = append(children[parent], pid)
		}
	}
	all := []int{root}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// statFields returns the fields of /proc/PID/stat from the third on, which is behind the program's name; nil where the
// process has ended.
func statFields(pid int) []string {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return nil
	}
	return strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
}

// kilobytes returns the bytes that a line of /proc/PID/status says in kB.
func kilobytes(status, name string) float64 {
	_, rest, found := strings.Cut(status, "\n"+name)
	if !found {
		return 0
	}
	number, _ := strconv.Atoi(strings.Fields(rest)[0])
	return float64(number) * 1024
}

package scripts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// The applets that the script needs, and all that it gets.
var applets = []string{"sh", "cmp", "dd", "id", "mv", "rm", "sleep", "stat", "tail"}

const (
	chunkBytes = 256 << 10
	otherUser  = 65532
)

// patience is how long to wait for what should happen at once. A shorter one helps when the script
// is broken on purpose, to see its tests fail.
var patience = func() time.Duration {
	if value, err := time.ParseDuration(os.Getenv("OUTRIGGER_PATIENCE")); err == nil {
		return value
	}
	return time.Minute
}()

// Where the busybox, its applets and the script are, readable by every user. In toolDir is what a pod's outrigger-tools makes:
// busybox and links by the names of all its applets. programPath and probePath are outrigger and outrigger-probe, as the image has
// them.
var (
	appletDir   string
	toolDir     string
	scriptPath  string
	programPath string
	probePath   string
)

func TestMain(m *testing.M) {
	dir, err := install()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func install() (dir string, err error) {
	busybox, err := rig.BusyBox(context.Background(), os.Stderr)
	if err != nil {
		return "", fmt.Errorf("no busybox to run the script with: %w", err)
	}
	if dir, err = os.MkdirTemp("", "logshipper"); err != nil {
		return "", err
	}
	if err = os.Chmod(dir, 0o755); err != nil {
		return dir, err
	}
	appletDir = filepath.Join(dir, "bin")
	toolDir = filepath.Join(dir, "tools")
	scriptPath = filepath.Join(dir, "logshipper.sh")
	binary, err := os.ReadFile(busybox)
	if err != nil {
		return dir, err
	}
	for _, folder := range []string{appletDir, toolDir} {
		if err = os.Mkdir(folder, 0o755); err != nil {
			return dir, err
		}
		if err = os.WriteFile(filepath.Join(folder, "busybox"), binary, 0o755); err != nil {
			return dir, err
		}
	}
	if err = exec.Command(filepath.Join(toolDir, "busybox"), "--install", "-s", toolDir).Run(); err != nil {
		return dir, err
	}
	for _, applet := range applets {
		if err = os.Symlink("busybox", filepath.Join(appletDir, applet)); err != nil {
			return dir, err
		}
	}
	// All of them: what a test has read tells go test whether what it found last time still holds, and what a program reads that
	// the test runs does not.
	scripts, err := filepath.Glob("../../library/outrigger/files/*")
	if err != nil {
		return dir, err
	}
	for _, file := range scripts {
		content, err := os.ReadFile(file)
		if err != nil {
			return dir, err
		}
		if filepath.Base(file) == filepath.Base(scriptPath) {
			err = os.WriteFile(scriptPath, content, 0o644)
		}
		if err != nil {
			return dir, err
		}
	}
	programPath, probePath = filepath.Join(dir, "outrigger"), filepath.Join(dir, "outrigger-probe")
	return dir, buildPrograms(dir)
}

// buildPrograms builds the programs of the image into a directory.
func buildPrograms(dir string) error {
	const library = "../../library"
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", dir+"/", "./cmd/outrigger", "./cmd/outrigger-probe")
	build.Dir = library
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("the programs cannot be built: %w\n%s", err, output)
	}
	// What they are made of is read too, for the reason above.
	return filepath.WalkDir(library, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		_, err = os.ReadFile(path)
		return err
	})
}

// lockedBuffer collects what a process writes while the test reads it.
type lockedBuffer struct {
	mutex sync.Mutex
	bytes bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.bytes.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.bytes.String()
}

func (b *lockedBuffer) Len() int {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.bytes.Len()
}

// shipper is one run of the script in a process group of its own.
type shipper struct {
	t       *testing.T
	command *exec.Cmd
	output  lockedBuffer
	errors  lockedBuffer
	ended   chan struct{}
	err     error
}

// place is where one test has its logs and the script its state.
type place struct {
	t     *testing.T
	logs  string
	state string
	env   []string
	user  uint32
}

func newPlace(t *testing.T, env ...string) *place {
	t.Helper()
	return newPlaceIn(t, t.TempDir(), env...)
}

func newPlaceIn(t *testing.T, dir string, env ...string) *place {
	t.Helper()
	p := &place{t: t, logs: filepath.Join(dir, "logs"), state: filepath.Join(dir, "state"), env: env}
	require.NoError(t, os.Mkdir(p.logs, 0o755))
	require.NoError(t, os.Mkdir(p.state, 0o755))
	return p
}

func (p *place) path(name string) string { return filepath.Join(p.logs, name) }

// write appends the text in one write, as an application that logs does.
func (p *place) write(name, text string) {
	p.t.Helper()
	file, err := os.OpenFile(p.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	require.NoError(p.t, err)
	_, err = file.WriteString(text)
	require.NoError(p.t, err)
	require.NoError(p.t, file.Close())
}

func (p *place) rename(from, to string) {
	p.t.Helper()
	require.NoError(p.t, os.Rename(p.path(from), p.path(to)))
}

func (p *place) remove(name string) {
	p.t.Helper()
	require.NoError(p.t, os.Remove(p.path(name)))
}

func (p *place) copyFile(from, to string) {
	p.t.Helper()
	data, err := os.ReadFile(p.path(from))
	require.NoError(p.t, err)
	require.NoError(p.t, os.WriteFile(p.path(to), data, 0o644))
}

func (p *place) truncate(name string) {
	p.t.Helper()
	require.NoError(p.t, os.Truncate(p.path(name), 0))
}

// shift renames name.N to name.N+1 for every N there is, and so makes room for name.1.
func (p *place) shift(name string) {
	p.t.Helper()
	last := 0
	for exists(p.path(fmt.Sprintf("%s.%d", name, last+1))) {
		last++
	}
	for ; last > 0; last-- {
		p.rename(fmt.Sprintf("%s.%d", name, last), fmt.Sprintf("%s.%d", name, last+1))
	}
}

func (p *place) rotate(name string) {
	p.t.Helper()
	p.shift(name)
	p.rename(name, name+".1")
}

func (p *place) copyTruncate(name string) {
	p.t.Helper()
	p.shift(name)
	p.copyFile(name, name+".1")
	p.truncate(name)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// start runs the script for the patterns, which are relative to the directory of the logs.
func (p *place) start(patterns ...string) *shipper {
	p.t.Helper()
	return run(p.t, p.command(patterns...))
}

// inTime fails the test unless what an attempt measures is below a limit. What misses it is tried twice more, as the machine's
// cores may be lent to others for a while: what is slow by itself is slow each time.
func inTime(t *testing.T, limit time.Duration, attempt func() time.Duration) {
	t.Helper()
	var took time.Duration
	for range 3 {
		if took = attempt(); took < limit {
			return
		}
	}
	require.Less(t, took, limit, "the last of three attempts")
}

// run starts a command, which must have a process group of its own. What it leaves of that when it ends is killed, as at
// the end of a container.
func run(t *testing.T, command *exec.Cmd) *shipper {
	t.Helper()
	s := &shipper{t: t, command: command, ended: make(chan struct{})}
	var copies sync.WaitGroup
	capture := func(buffer *lockedBuffer) *os.File {
		reader, writer, err := os.Pipe()
		require.NoError(t, err)
		copies.Go(func() {
			_, _ = io.Copy(buffer, reader)
			reader.Close()
		})
		return writer
	}
	stdout, stderr := capture(&s.output), capture(&s.errors)
	command.Stdout, command.Stderr = stdout, stderr
	err := command.Start()
	stdout.Close()
	stderr.Close()
	require.NoError(t, err)
	go func() {
		s.err = command.Wait()
		s.signalAll(syscall.SIGKILL)
		copies.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		s.signalAll(syscall.SIGKILL)
		<-s.ended
	})
	return s
}

func (p *place) command(patterns ...string) *exec.Cmd {
	arguments := []string{scriptPath}
	for _, pattern := range patterns {
		arguments = append(arguments, filepath.Join(p.logs, pattern))
	}
	command := exec.Command(filepath.Join(appletDir, "sh"), arguments...)
	command.Env = append([]string{"PATH=" + appletDir, "STATE_DIR=" + p.state, "POLL_SECONDS=0.05"}, p.env...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if p.user != 0 {
		command.SysProcAttr.Credential = &syscall.Credential{Uid: p.user, Gid: p.user}
	}
	return command
}

// asOtherUser makes the script run as a user who owns none of the logs.
func (p *place) asOtherUser() {
	p.t.Helper()
	if os.Getuid() == 0 {
		p.user = otherUser
		require.NoError(p.t, os.Chown(p.state, otherUser, otherUser))
		for dir := p.logs; dir != "/"; dir = filepath.Dir(dir) {
			info, err := os.Stat(dir)
			require.NoError(p.t, err)
			if info.Mode().Perm()&0o001 == 0 {
				require.NoErrorf(p.t, os.Chmod(dir, info.Mode().Perm()|0o055), "%s must be open to uid %d", dir, otherUser)
			}
		}
	}
	// Any other user is refused by mode 000 too: it is the owner who may not read.
}

// signal goes to the script alone, as the kubelet's does; signalAll to its children as well, as
// the end of a container does.
func (s *shipper) signal(signal syscall.Signal) {
	s.t.Helper()
	if err := s.command.Process.Signal(signal); err != nil {
		<-s.ended
		require.NoError(s.t, err, "the script had ended: %v\n%s", s.err, s.errors.String())
	}
}

func (s *shipper) signalAll(signal syscall.Signal) {
	_ = syscall.Kill(-s.command.Process.Pid, signal)
}

// freeze stops the script wherever it is, so that what the test does until thaw falls between
// two of its looks.
func (s *shipper) freeze() { s.signalAll(syscall.SIGSTOP) }
func (s *shipper) thaw()   { s.signalAll(syscall.SIGCONT) }

func (s *shipper) wait() error {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		require.Failf(s.t, "the script did not end", "output: %s\nerrors:\n%s", abridged(s.output.String()), s.errors.String())
	}
	return s.err
}

// stop ends the script with SIGTERM and returns every line it has written.
func (s *shipper) stop() []string {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	require.NoError(s.t, s.wait(), "errors:\n%s", s.errors.String())
	output := s.output.String()
	require.Truef(s.t, output == "" || strings.HasSuffix(output, "\n"), "the output ends within a line: %q", output[max(0, len(output)-200):])
	return splitLines(output)
}

// kill ends the script and all its children at once and returns the whole lines it has written.
func (s *shipper) kill() []string {
	s.t.Helper()
	s.signalAll(syscall.SIGKILL)
	_ = s.wait()
	output := s.output.String()
	return splitLines(output[:strings.LastIndex(output, "\n")+1])
}

// awaitOutput waits until the script has written the text.
func (s *shipper) awaitOutput(text string) {
	s.t.Helper()
	s.await(fmt.Sprintf("%q in the output", text), func() bool { return strings.Contains(s.output.String(), text) })
}

func (s *shipper) awaitError(text string) {
	s.t.Helper()
	s.await(fmt.Sprintf("%q among the errors", text), func() bool { return strings.Contains(s.errors.String(), text) })
}

func (s *shipper) await(what string, condition func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			require.Failf(s.t, "waited in vain for "+what, "output: %s\nerrors:\n%s", abridged(s.output.String()), s.errors.String())
		}
		select {
		case <-s.ended:
			if condition() {
				return
			}
			require.Failf(s.t, "the script ended while the test waited for "+what, "%v\noutput: %s\nerrors:\n%s", s.err, abridged(s.output.String()), s.errors.String())
		case <-time.After(3 * time.Millisecond):
		}
	}
}

// awaitLooks waits until the script has certainly looked at the files again, twice: what it
// had not written until then, it held back.
func (s *shipper) awaitLooks(p *place) {
	s.t.Helper()
	for range 2 {
		name := fmt.Sprintf("look-%d.log", time.Now().UnixNano())
		p.write(name, name+"\n")
		s.awaitOutput(name)
		p.remove(name)
	}
}

func withoutLooks(lines []string) []string {
	var others []string
	for _, line := range lines {
		if !strings.HasPrefix(line, "look-") {
			others = append(others, line)
		}
	}
	return others
}

// holds tells whether the script has the file open.
func (s *shipper) holds(path string) bool {
	want, err := os.Stat(path)
	if err != nil {
		return false
	}
	dir := fmt.Sprintf("/proc/%d/fd", s.command.Process.Pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, entry := range entries {
		if len(entry.Name()) < 3 {
			continue
		}
		if got, err := os.Stat(filepath.Join(dir, entry.Name())); err == nil && os.SameFile(want, got) {
			return true
		}
	}
	return false
}

// requireLines fails with what is missing, repeated, unasked for or out of order.
func requireLines(t *testing.T, want, got []string, runs ...*shipper) {
	t.Helper()
	if err := compareLines(want, got); err != nil {
		require.Fail(t, err.Error(), describe(runs))
	}
}

func describe(runs []*shipper) string {
	var text strings.Builder
	for i, run := range runs {
		fmt.Fprintf(&text, "run %d, errors:\n%s\n", i+1, run.errors.String())
	}
	return text.String()
}

func compareLines(want, got []string) error {
	left := map[string]int{}
	for _, line := range want {
		left[line]++
	}
	var missing, repeated, unknown []string
	for _, line := range got {
		count, known := left[line]
		switch {
		case !known:
			unknown = append(unknown, line)
		case count == 0:
			repeated = append(repeated, line)
		default:
			left[line]--
		}
	}
	for _, line := range want {
		if left[line] > 0 {
			missing = append(missing, line)
			left[line]--
		}
	}
	if len(missing)+len(repeated)+len(unknown) > 0 {
		return fmt.Errorf("of %d lines, %d written: missing %s; repeated %s; unknown %s",
			len(want), len(got), sample(missing), sample(repeated), sample(unknown))
	}
	for i := range want {
		if want[i] != got[i] {
			return fmt.Errorf("out of order at line %d: want %s, got %s", i, sample(want[i:]), sample(got[i:]))
		}
	}
	return nil
}

func sample(lines []string) string {
	shown := lines[:min(len(lines), 8)]
	return fmt.Sprintf("%d %s", len(lines), abridged(fmt.Sprintf("%q", shown)))
}

func abridged(text string) string {
	if len(text) <= 1200 {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprintf("%q … %q", text[:600], text[len(text)-600:])
}

func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// numbered returns the lines "name 0000007 …" for from <= number < to.
func numbered(name string, from, to int) []string {
	lines := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		lines = append(lines, fmt.Sprintf("%s %07d the quick brown fox jumps over the lazy dog", name, i))
	}
	return lines
}

func text(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// seeded returns random numbers, which OUTRIGGER_FUZZ_SEED repeats.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := harness.Number(t, "OUTRIGGER_FUZZ_SEED", int(time.Now().UnixNano()))
	t.Logf("OUTRIGGER_FUZZ_SEED=%d", seed)
	return rand.New(rand.NewSource(int64(seed)))
}

// Package process runs other programs, also where this one is PID 1 of its container or stands in for it: what they leave
// behind is buried, and no exit code is lost.
//
// As PID 1 a program inherits every orphan of the container. A plain wait for any child would also take the exit codes that
// os/exec waits for; so every child of this program's own is started here, and Reap leaves those alone.
package process

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// own are the processes that this program has started and waits for itself.
var own = struct {
	sync.Mutex
	pids map[int]struct{}
}{pids: map[int]struct{}{}}

// Start starts a command as the leader of a process group of its own. Its environment is the command's or that of
// Environment. Whoever starts it calls Wait.
func Start(command *exec.Cmd) error {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Setpgid = true
	if command.Env == nil {
		command.Env = Environment()
	}
	// Under the lock of Reap: between its start and its entry here a process must not be taken for an orphan.
	own.Lock()
	defer own.Unlock()
	if err := command.Start(); err != nil {
		return err
	}
	own.pids[command.Process.Pid] = struct{}{}
	return nil
}

// Wait waits for a command that Start has started, and ends what is left of its process group: before the command's pipes are
// waited for, which that may hold open, and while the group's number cannot be another's yet.
func Wait(command *exec.Cmd) error {
	awaitEnd(command.Process.Pid)
	_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	err := command.Wait()
	own.Lock()
	delete(own.pids, command.Process.Pid)
	own.Unlock()
	return err
}

// secretVariables are those whose values are secrets, by their documentation, that clients of this program's read: of AWS, Azure,
// Vault, OpenBao and PostgreSQL.
var secretVariables = []string{
	"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
	"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD", "IDENTITY_HEADER", "MSI_SECRET",
	"VAULT_TOKEN", "BAO_TOKEN", "PGPASSWORD",
}

// Environment is this program's without what is none of a child's business: the document, and secrets.
func Environment() []string {
	return slices.DeleteFunc(EnvironmentWithSecrets(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(secretVariables, name)
	})
}

// EnvironmentWithSecrets is this program's without the document: for a child that is given secrets to obtain credentials by.
func EnvironmentWithSecrets() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "OUTRIGGER_CONFIG=") })
}

// Output is what a command printed.
type Output struct {
	Stdout, Stderr []byte
}

// ErrTooLong says that a command printed more than was asked for.
var ErrTooLong = errors.New("it printed too much")

// Run runs a command to its end, or until the context ends: its group gets SIGTERM then, and SIGKILL two seconds after a time
// that is up, half a second after all else, as this program is ending itself. It keeps up to `most` bytes of standard output and
// the last 64 kB of standard error.
func Run(ctx context.Context, most int, command ...string) (Output, error) {
	return RunIn(ctx, nil, most, command...)
}

// RunIn is Run in an environment; in that of Environment where it is nil.
func RunIn(ctx context.Context, environment []string, most int, command ...string) (Output, error) {
	stdout, stderr := &head{most: most}, &tail{most: 64 << 10}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = environment
	err := run(ctx, cmd, stdout, stderr)
	output := Output{Stdout: stdout.kept, Stderr: stderr.kept}
	if err == nil && stdout.over {
		err = ErrTooLong
	}
	return output, err
}

func run(ctx context.Context, cmd *exec.Cmd, stdout, stderr io.Writer) error {
	cmd.Stdout, cmd.Stderr = stdout, stderr
	// What a grandchild keeps open is not waited for.
	cmd.WaitDelay = time.Second
	if err := Start(cmd); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- Wait(cmd) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	patience := 500 * time.Millisecond
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		patience = 2 * time.Second
	}
	select {
	case <-ended:
	case <-time.After(patience):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
	}
	return ctx.Err()
}

// head keeps the beginning of what is written to it.
type head struct {
	most int
	kept []byte
	over bool
}

func (h *head) Write(p []byte) (int, error) {
	room := h.most - len(h.kept)
	if len(p) > room {
		h.over = true
		h.kept = append(h.kept, p[:max(room, 0)]...)
		return len(p), nil
	}
	h.kept = append(h.kept, p...)
	return len(p), nil
}

// tail keeps the end of what is written to it.
type tail struct {
	most int
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.most; over > 0 {
		t.kept = append([]byte(nil), t.kept[over:]...)
	}
	return len(p), nil
}

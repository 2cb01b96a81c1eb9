// Package proc runs commands so that an interrupt ends them with everything they started, and so
// that what they print is kept: in a log file always, and in the error when they fail.
package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// grace is how long a command has to clean up after SIGTERM, before it is killed. mmdebstrap needs
// some seconds to unmount and remove what it was writing.
const grace = 15 * time.Second

// Cmd says what to run.
type Cmd struct {
	Args  []string // program and arguments
	Dir   string   // working directory; empty: the caller's
	Env   []string // added to the caller's environment
	Stdin io.Reader
	Log   io.Writer // gets the command line and everything printed; nil: nobody
	// Stdout and Stderr, if set, get that output as it comes, which then is neither logged nor returned.
	Stdout, Stderr io.Writer
}

// Error is the failure of a command, with all that it printed.
type Error struct {
	Args    []string
	Printed string
	Err     error
}

// Error names the command and how it ended, on one line.
func (e *Error) Error() string { return fmt.Sprintf("%s: %v", shorten(e.Args), e.Err) }

// Unwrap gives the exec error or the context's.
func (e *Error) Unwrap() error { return e.Err }

// Output gives everything the command printed.
func (e *Error) Output() string { return e.Printed }

// Run runs a command to its end and returns its standard output without the last newline. A
// cancelled context ends the command and its children, and is then the error.
func Run(ctx context.Context, c Cmd) (string, error) {
	log := c.Log
	if log == nil {
		log = io.Discard
	}
	start := time.Now()
	fmt.Fprintf(log, "\n%s $ %s\n", start.Format(time.TimeOnly), strings.Join(c.Args, " "))
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Stdin = c.Dir, c.Stdin
	cmd.Env = append(os.Environ(), c.Env...)
	var stdout, all bytes.Buffer
	both := &shared{to: io.MultiWriter(&all, log)}
	cmd.Stderr = both
	cmd.Stdout = io.MultiWriter(&stdout, both)
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
	if c.Stderr != nil {
		cmd.Stderr = c.Stderr
	}
	// A group of its own: a Ctrl-C at the terminal reaches the command once, through Cancel.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = grace
	err := cmd.Run()
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		fmt.Fprintf(log, "%v after %s\n", err, time.Since(start).Round(time.Millisecond))
		return "", &Error{Args: c.Args, Printed: all.String(), Err: err}
	}
	fmt.Fprintf(log, "-- took %s\n", time.Since(start).Round(time.Millisecond))
	return strings.TrimSuffix(stdout.String(), "\n"), nil
}

// Output runs a command that only asks something, and returns its standard output, trimmed.
func Output(ctx context.Context, args ...string) (string, error) {
	out, err := Run(ctx, Cmd{Args: args})
	return strings.TrimSpace(out), err
}

// Printed returns what the command that failed had printed, or "" if err is no command's.
func Printed(err error) string {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Printed
	}
	return ""
}

// Together calls functions at the same time and waits for all. The first error ends the others' context, and is returned.
func Together(ctx context.Context, functions ...func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for _, function := range functions {
		all.Go(func() {
			if err := function(ctx); err != nil {
				cancel(err) // only the first call counts
			}
		})
	}
	all.Wait()
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// InTurn is a function that calls functions one after the other, up to the first that fails.
func InTurn(functions ...func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, function := range functions {
			if err := function(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// Pipe lets read read what write writes. An error of either ends both.
func Pipe(write func(io.Writer) error, read func(io.Reader) error) error {
	r, w := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := write(w)
		w.CloseWithError(err)
		written <- err
	}()
	err := read(r)
	r.CloseWithError(errors.New("the reader has ended"))
	if writeErr := <-written; err == nil {
		err = writeErr
	}
	return err
}

// shared lets standard output and standard error, which exec copies at the same time, go to one place.
type shared struct {
	mu sync.Mutex
	to io.Writer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to.Write(p)
}

func shorten(args []string) string {
	s := strings.Join(args, " ")
	if len(s) > 160 {
		s = s[:157] + "..."
	}
	return s
}

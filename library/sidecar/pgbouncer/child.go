package pgbouncer

import (
	"cmp"
	"io"
	"os/exec"
	"syscall"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/process"
)

// child is a pgbouncer.
type child struct {
	command *exec.Cmd
	ended   chan struct{} // closed when it has been waited for
}

// start starts a pgbouncer with a configuration. It speaks English, whatever the container's locale.
func start(program, configuration string, log io.Writer) (*child, error) {
	command := exec.Command(cmp.Or(program, "pgbouncer"), configuration)
	command.Env = append(process.Environment(), "LC_ALL=C")
	command.Stdout, command.Stderr = log, log
	command.WaitDelay = time.Second // what a grandchild keeps open is not waited for
	if err := process.Start(command); err != nil {
		return nil, err
	}
	c := &child{command: command, ended: make(chan struct{})}
	go func() {
		_ = process.Wait(command)
		close(c.ended)
	}()
	return c, nil
}

func (c *child) hasEnded() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// signal sends a signal, where it has not ended.
func (c *child) signal(signal syscall.Signal) {
	if !c.hasEnded() {
		_ = c.command.Process.Signal(signal)
	}
}

// kill ends it with all that it started, and returns when it has ended.
func (c *child) kill() {
	if !c.hasEnded() {
		_ = syscall.Kill(-c.command.Process.Pid, syscall.SIGKILL)
	}
	<-c.ended
}

// exitCode is as a shell has it: 128 and the signal's number where one ended it.
func (c *child) exitCode() int {
	status, is := c.command.ProcessState.Sys().(syscall.WaitStatus)
	if is && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return c.command.ProcessState.ExitCode()
}

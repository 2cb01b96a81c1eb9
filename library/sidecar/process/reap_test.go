package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// crowdVariable makes the test's own binary a program that starts a crowd of processes, and ends with 0 where all is
// well. Its value is whether the program has to be PID 1.
const crowdVariable = "OUTRIGGER_TEST_CROWD"

func TestMain(m *testing.M) {
	mustBeFirst := os.Getenv(crowdVariable)
	if mustBeFirst == "" {
		os.Exit(m.Run())
	}
	err := errors.Join(crowd(1000), adopts())
	if isFirst := fmt.Sprint(os.Getpid() == 1); isFirst != mustBeFirst {
		err = fmt.Errorf("PID 1: %s, not %s", isFirst, mustBeFirst)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// crowd starts children of which each leaves an orphan: half of them end with their parent's group, half in a session
// of their own. All exit codes have to be right, and nobody may be left, dead or alive.
func crowd(count int) error {
	Reap(context.Background())
	var children sync.WaitGroup
	failures := make(chan error, count)
	places := make(chan struct{}, 16)
	for i := range count {
		places <- struct{}{}
		children.Go(func() {
			defer func() { <-places }()
			if err := child(i); err != nil {
				failures <- err
			}
		})
	}
	children.Wait()
	select {
	case err := <-failures:
		return err
	default:
	}
	return awaitNobody()
}

func child(number int) error {
	want, orphan := number%250, "sleep 0.05"
	if number%2 == 0 {
		orphan = "setsid sleep 0.05"
	}
	command := exec.Command("sh", "-c", fmt.Sprintf("%s & exit %d", orphan, want))
	if err := Start(command); err != nil {
		return err
	}
	err := Wait(command)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("child %d: %w", number, err)
	}
	if got := command.ProcessState.ExitCode(); got != want {
		return fmt.Errorf("child %d ended with %d, not %d", number, got, want)
	}
	return nil
}

// adopts tells whether an orphan becomes a child of this process: with another PID 1 that would bury it, and none may
// be there.
func adopts() error {
	folder, err := os.MkdirTemp("", "orphan")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	command := exec.Command("sh", "-c", `mkfifo begun end && { setsid sh -c 'echo >begun; read line <end' & } && read line <begun`)
	command.Dir = folder
	if err := errors.Join(Start(command), Wait(command)); err != nil {
		return err
	}
	if err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil); err != nil {
		return fmt.Errorf("the orphan is no child: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, "end"), []byte("\n"), 0); err != nil {
		return err
	}
	return awaitNobody()
}

// awaitNobody waits until the process has no child, be it one that has ended and was not buried.
func awaitNobody() error {
	for range 6000 {
		err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		if errors.Is(err, unix.ECHILD) {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("an orphan is left")
}

// crowdProgram is the test's own binary as the program of a crowd.
func crowdProgram(isFirst bool) *exec.Cmd {
	command := exec.Command("/proc/self/exe")
	command.Env = append(os.Environ(), fmt.Sprintf("%s=%t", crowdVariable, isFirst))
	return command
}

func TestAThousandChildrenAndAThousandOrphansAreBuriedBesideAnotherPID1(t *testing.T) {
	output, err := crowdProgram(false).CombinedOutput()

	require.NoError(t, err, string(output))
}

func TestAThousandChildrenAndAThousandOrphansAreBuriedAsPID1(t *testing.T) {
	command := crowdProgram(true)
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if os.Getuid() != 0 {
		command.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		command.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		command.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}

	output, err := command.CombinedOutput()

	require.NoError(t, err, string(output))
}

package process

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Reap buries orphans until the context ends: processes whose parents have ended before them. As PID 1 they are this
// program's to bury; where another is PID 1 (a shared process namespace) it asks the kernel for those of its own children.
func Reap(ctx context.Context) {
	if os.Getpid() != 1 {
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	go func() {
		defer signal.Stop(ended)
		for {
			bury()
			select {
			case <-ctx.Done():
				return
			case <-ended:
			}
		}
	}()
}

// bury buries all orphans that have ended.
func bury() {
	for {
		pid, ok := firstEnded()
		if !ok {
			return
		}
		own.Lock()
		_, isOwn := own.pids[pid]
		if !isOwn {
			// By its number, which nobody else waits for.
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		}
		own.Unlock()
		if isOwn {
			// Whoever waits for it is about to take it; the kernel shows no other before that.
			time.Sleep(time.Millisecond)
		}
	}
}

// firstEnded returns a child that has ended and that nobody has waited for yet, and leaves it there.
func firstEnded() (pid int, ok bool) {
	var info unix.Siginfo
	for {
		err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0, false
		}
		// si_pid, which the library's type has no name for: behind three ints, and a fourth to fill on 64-bit machines.
		pid := int(*(*int32)(unsafe.Add(unsafe.Pointer(&info), 4*4)))
		return pid, pid != 0
	}
}

// awaitEnd waits until a child has ended, and leaves it there for whoever waits for its exit code.
func awaitEnd(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}

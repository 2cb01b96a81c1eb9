package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime returns how long this thread has been running on a processor: what elapses on a machine that does nothing
// else.
func processorTime() time.Duration {
	var ran unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ran); err != nil {
		panic(err)
	}
	return time.Duration(ran.Nano())
}

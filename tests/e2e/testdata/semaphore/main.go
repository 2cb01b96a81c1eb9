// Command semaphore is what POSIX semaphores and shared memory are on Linux: a counter in a file that is mapped, shared,
// by several processes, and futexes on it. Usage: semaphore wait FILE, which prints the text that comes with a post;
// semaphore post FILE TEXT.
package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

const (
	size      = 4096
	futexWait = 0 // not FUTEX_PRIVATE: the other process may be in another container
	futexWake = 1
)

func main() {
	file, err := os.OpenFile(os.Args[2], os.O_RDWR|os.O_CREATE, 0o666)
	must(err)
	must(file.Truncate(size))
	memory, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	must(err)
	counter, text := (*int32)(unsafe.Pointer(&memory[0])), memory[8:]
	if os.Args[1] == "post" {
		copy(text[1:], os.Args[3])
		text[0] = byte(len(os.Args[3]))
		atomic.AddInt32(counter, 1)
		_, _, errno := syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(counter)), futexWake, 1, 0, 0, 0)
		if errno != 0 {
			must(errno)
		}
		return
	}
	for {
		if value := atomic.LoadInt32(counter); value > 0 && atomic.CompareAndSwapInt32(counter, value, value-1) {
			fmt.Println(string(text[1 : 1+text[0]]))
			return
		}
		_, _, _ = syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(counter)), futexWait, 0, 0, 0, 0)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

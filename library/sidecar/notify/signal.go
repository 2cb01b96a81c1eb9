package notify

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// commLength is how much of a process's name the kernel keeps.
const commLength = 15

// signal sends a signal to each process of a name that this program may signal.
func signal(name, signalName string, number syscall.Signal) error {
	err := errors.New("there is no such process")
	told := false
	for _, pid := range processes(name) {
		failure := syscall.Kill(pid, number)
		switch {
		case failure == nil:
			told = true
		case !errors.Is(failure, syscall.ESRCH):
			err = failure
		}
	}
	if told {
		return nil
	}
	return fmt.Errorf("the process %s got no signal %s: %w", name, signalName, err)
}

// processes are those of a name but this one: the name of the program, or of the script, that a process has begun with.
func processes(name string) []int {
	directories, _ := os.ReadDir("/proc")
	var list []int
	for _, directory := range directories {
		pid, err := strconv.Atoi(directory.Name())
		if err == nil && pid != os.Getpid() && hasName(pid, name) {
			list = append(list, pid)
		}
	}
	return list
}

func hasName(pid int, name string) bool {
	directory := filepath.Join("/proc", strconv.Itoa(pid))
	comm, _ := os.ReadFile(filepath.Join(directory, "comm"))
	cmdline, _ := os.ReadFile(filepath.Join(directory, "cmdline"))
	var arguments []string // the program's, and the script's where it is an interpreter
	for _, argument := range bytes.SplitN(cmdline, []byte{0}, 3) {
		arguments = append(arguments, filepath.Base(string(argument)))
	}
	program, script := arguments[0], arguments[1:min(2, len(arguments))]
	own := strings.TrimSuffix(string(comm), "\n")
	if own == name || program == name {
		return true
	}
	return len(name) > commLength && own == name[:commLength] && slices.Contains(script, name)
}

package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// runDir holds what a running engine keeps for itself: the pid file, and its containerd's socket. A
// daemon that died without a word leaves it behind, /run being a plain directory in many containers.
const runDir = "/run/outrigger-docker"

// ownDir holds what an engine that is started here needs beyond Docker's own files: its log, and the
// runtime wrapper. The engine is the machine's, so this is no part of anybody's cache.
const ownDir = "/var/lib/outrigger-docker"

// daemonConfig is where an administrator configures dockerd. It is read here, never written.
const daemonConfig = "/etc/docker/daemon.json"

// startByHand starts dockerd where no init system does, in a session of its own, so that it outlives
// this program and a Ctrl-C at the terminal does not reach it.
func startByHand(ctx context.Context, build Wrapper, log Log) error {
	if pid := ByHand(); pid > 0 {
		log.Is("waiting for dockerd, process %d, which starts or stops just now", pid)
		gone := errors.New("it has stopped")
		_, err := awaitAnswer(ctx, time.Minute, func() error {
			if ByHand() != pid {
				return gone
			}
			return nil
		})
		if !errors.Is(err, gone) {
			if err != nil {
				err = fmt.Errorf("process %d is a dockerd that does not answer; end it and run this again: %w", pid, err)
			}
			return err
		}
	}
	if err := removeStale(); err != nil {
		return err
	}
	if err := os.MkdirAll(ownDir, 0o755); err != nil {
		return err
	}
	flags, err := daemonFlags(ctx, build)
	if err != nil {
		return err
	}
	logPath := filepath.Join(ownDir, "dockerd.log")
	logFile, err := os.OpenFile(logPath, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer logFile.Close()
	fmt.Fprintf(log.Log(), "\n$ dockerd %s # its log: %s\n", strings.Join(flags, " "), logPath)
	cmd := exec.Command("dockerd", flags...)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	_, err = awaitAnswer(ctx, 90*time.Second, func() error {
		select {
		case err := <-ended:
			return fmt.Errorf("dockerd ended (%v); the end of %s:\n%s", err, logPath, tail(logPath, 20))
		default:
			return nil
		}
	})
	return err
}

func daemonFlags(ctx context.Context, build Wrapper) ([]string, error) {
	flags := []string{
		"--pidfile", filepath.Join(runDir, "docker.pid"),
		"--exec-root", filepath.Join(runDir, "exec"),
	}
	lacking, err := lackingCapabilities()
	if err != nil || len(lacking) == 0 || runtimeConfigured() {
		return flags, err
	}
	// runc is asked for every capability by 'docker run --privileged' and would refuse.
	wrapper := filepath.Join(ownDir, "runc-within-bounds")
	if err := build(ctx, wrapper); err != nil {
		return nil, fmt.Errorf("building the runtime wrapper: %w", err)
	}
	return append(flags, "--add-runtime", "within-bounds="+wrapper, "--default-runtime", "within-bounds"), nil
}

// runtimeConfigured tells whether the administrator chose a runtime: dockerd refuses to start when a
// flag says what its configuration file says too.
func runtimeConfigured() bool {
	b, err := os.ReadFile(daemonConfig)
	if err != nil {
		return false
	}
	var config map[string]any
	if json.Unmarshal(b, &config) != nil {
		return false // dockerd's own message about it is the better one
	}
	return config["default-runtime"] != nil || config["runtimes"] != nil
}

// removeStale removes what a dead engine left in runDir. The number in a pid file of the boot before
// may be another program's by now, which dockerd would take for itself and refuse to start.
func removeStale() error {
	pidFiles := map[string]string{
		filepath.Join(runDir, "docker.pid"):                     "dockerd",
		filepath.Join(runDir, "exec/containerd/containerd.pid"): "containerd",
	}
	for path, program := range pidFiles {
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
		if isProgram(pid, program) {
			continue // an engine that starts takes its predecessor's containerd over
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return os.MkdirAll(runDir, 0o711)
}

func isProgram(pid int, name string) bool {
	if pid <= 0 {
		return false
	}
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil || strings.TrimSpace(string(comm)) != name {
		return false
	}
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return !strings.Contains(string(stat), ") Z ") // a zombie is dead
}

func tail(path string, n int) string {
	b, _ := os.ReadFile(path)
	lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// ByHand returns the process id of a dockerd that an earlier run started by hand and that is running, or
// 0.
func ByHand() int {
	b, err := os.ReadFile(filepath.Join(runDir, "docker.pid"))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	if !isProgram(pid, "dockerd") {
		return 0
	}
	return pid
}

package render

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/tests/backend"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// supervised is a container of a collector under its supervisor, as it is rendered, but for folders and addresses.
type supervised struct {
	t       *testing.T
	folder  string
	command func() *exec.Cmd
}

func newSupervised(t *testing.T, s shipped, addresses ...string) *supervised {
	t.Helper()
	program, err := collector()
	require.NoError(t, err)
	busybox, err := rig.BusyBox(context.Background(), os.Stderr)
	require.NoError(t, err)
	folder := t.TempDir()
	for _, name := range []string{"logs", "state", "files"} {
		require.NoError(t, os.Mkdir(filepath.Join(folder, name), 0o755))
	}
	here := strings.NewReplacer(append([]string{"/run/outrigger", folder + "/state", "/logs/", folder + "/logs/", "/outrigger/", folder + "/files/"}, addresses...)...)
	for name, text := range s.files {
		if strings.HasSuffix(name, ".yaml") {
			text = here.Replace(text)
		}
		require.NoError(t, os.WriteFile(filepath.Join(folder, "files", name), []byte(text), 0o644))
	}
	ship := container(t, s.pod, "ship")
	return &supervised{t, folder, func() *exec.Cmd {
		command := exec.Command(busybox, "sh", folder+"/files/supervise.sh", program)
		for _, argument := range ship.Args[1:] {
			command.Args = append(command.Args, here.Replace(argument))
		}
		for name, value := range environment(ship) {
			if name != "MEMORY_BYTES" {
				command.Env = append(command.Env, name+"="+here.Replace(value))
			}
		}
		command.Env = append(command.Env, "BUSYBOX="+busybox, "STATE_DIR="+folder+"/state")
		command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		return command
	}}
}

// start runs it, and returns how to kill all of it.
func (v *supervised) start() (kill func()) {
	v.t.Helper()
	command := v.command()
	output, err := os.OpenFile(filepath.Join(v.folder, "output"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(v.t, err)
	command.Stdout, command.Stderr = output, output
	require.NoError(v.t, command.Start())
	output.Close()
	ended := false
	kill = func() {
		if !ended {
			ended = true
			_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
			_ = command.Wait()
		}
	}
	v.t.Cleanup(kill)
	return kill
}

// said is what was written until now.
func (v *supervised) said() string {
	text, err := os.ReadFile(filepath.Join(v.folder, "output"))
	require.NoError(v.t, err)
	return string(text)
}

// stateBytes is what the state has on the disk, each file once, as one may be renamed meanwhile.
func (v *supervised) stateBytes() (bytes int64) {
	seen := map[uint64]bool{}
	_ = filepath.WalkDir(filepath.Join(v.folder, "state"), func(path string, _ fs.DirEntry, _ error) error {
		var info syscall.Stat_t
		if syscall.Lstat(path, &info) == nil && !seen[info.Ino] {
			seen[info.Ino] = true
			bytes += info.Blocks * 512
		}
		return nil
	})
	return bytes
}

func TestTheStateOfFullQueuesStaysBelowItsLimitWhenTheSidecarIsKilled(t *testing.T) {
	t.Parallel()
	const queue = 24 << 20
	var dead []*backend.Backend
	addresses := []string{"127.0.0.1:13133", harness.FreeAddress(t), "8888", port(harness.FreeAddress(t))}
	var to []string
	for _, name := range []string{"otlphttp/a", "otlphttp/b", "otlphttp/c"} {
		b := backend.New(backend.Config{Addresses: backend.Addresses{HTTP: "127.0.0.1:0"}})
		require.NoError(t, b.Start())
		t.Cleanup(b.Close)
		require.NoError(t, b.Behave("mode=status&code=503"))
		dead = append(dead, b)
		to = append(to, name+`: {endpoint: "http://`+name+`"}`)
		addresses = append(addresses, "http://"+name, "http://"+b.Addresses().HTTP)
	}
	s := renderShippers(t, `{ship: {files: [/logs/a.log], queue: {size: 24Mi}, to: {`+strings.Join(to, ", ")+`}}}`)
	var limit resource.Quantity
	for _, volume := range s.pod.Spec.Volumes {
		if volume.Name == "outrigger-ship-state" {
			limit = *volume.EmptyDir.SizeLimit
		}
	}
	v := newSupervised(t, s, addresses...)
	line := strings.Repeat("the quick brown fox jumps over the lazy dog ", 4)
	log, err := os.Create(filepath.Join(v.folder, "logs/a.log"))
	require.NoError(t, err)
	for number := range 3 * queue / len(line) {
		_, err = fmt.Fprintln(log, number, line)
		require.NoError(t, err)
	}
	require.NoError(t, log.Close())
	var peak atomic.Int64
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
				if now := v.stateBytes(); now > peak.Load() {
					peak.Store(now)
				}
			}
		}
	}()
	await := func(what string, condition func() bool) {
		for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(20 * time.Millisecond) {
			require.True(t, time.Now().Before(deadline), "waited in vain for %s: %d bytes", what, v.stateBytes())
		}
	}
	quiet := func(starts int) { // until it has started, and nothing has grown for a while
		await("the start", func() bool { return strings.Count(v.said(), "Everything is ready") == starts })
		last, since := peak.Load(), time.Now()
		await("the state to grow no more", func() bool {
			if now := peak.Load(); now != last {
				last, since = now, time.Now()
			}
			return time.Since(since) > 2*time.Second
		})
	}

	kill := v.start()
	await("full queues", func() bool { return v.stateBytes() > 3*queue*9/10 })
	quiet(1)
	t.Logf("full: %d MiB of queues of %d MiB", v.stateBytes()>>20, 3*queue>>20)
	for life := 2; life <= 4; life++ {
		kill()
		peak.Store(0)
		kill = v.start()
		quiet(life)
		t.Logf("life %d: at most %d MiB of %s, in the end %d MiB", life, peak.Load()>>20, limit.String(), v.stateBytes()>>20)
		require.Less(t, peak.Load(), limit.Value())
	}
	for _, b := range dead {
		require.Zero(t, b.Counts().Logs)
	}
}

package logs

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// agent is one way to ship a file.
type agent struct {
	name       string
	beforehand bool // it is started when the file is there
	live       bool // it follows a file
	// start starts it, and returns when it looks for its file.
	start func(testing.TB, subject) *process
}

var agents = []agent{
	{name: "outrigger", live: true, start: sidecar},
	{name: "rsyslog", live: true, start: rsyslogWith(`queue.type="LinkedList"`)}, // on disk what exceeds its memory
	{name: "rsyslog-disk", start: rsyslogWith(`queue.type="Disk"`)},
	{name: "tail-nc", beforehand: true, live: true, start: tailAndNetcat},
	{name: "cat", beforehand: true, start: cat},
}

// subject is what an agent ships from, to and with.
type subject struct {
	folder string // of its own
	*counter
	programs
}

// file is what it ships.
func (s subject) file() string { return filepath.Join(s.folder, "app.log") }

type programs struct {
	busybox, collector string
	rsyslog            []string
}

func tools(t testing.TB) (p programs) {
	ctx := context.Background()
	var err error
	p.busybox, err = rig.BusyBox(ctx, os.Stderr)
	require.NoError(t, err)
	p.collector, err = rig.Collector(ctx, os.Stderr)
	require.NoError(t, err)
	p.rsyslog, err = rig.RSyslog(ctx, os.Stderr)
	require.NoError(t, err)
	return p
}

// sidecar runs what the library renders for a logshipper to OTLP/HTTP, with the paths of this machine. No cgroup holds it to
// its memory limit, so its memory limiter is told what it would find there.
func sidecar(t testing.TB, s subject) *process {
	health, metrics := harness.FreePort(t), harness.FreePort(t)
	objects := harness.Consumer(t).Render(t, fmt.Sprintf(`
pod:
  metadata: {labels: {app: web}}
  spec: {containers: [{name: app, image: "app:1"}]}
outrigger:
  volumes: {logs: {mountPath: %q}}
  logshippers:
    shipper:
      files: [%q]
      to: {otlphttp: {endpoint: "http://%s"}}
      metrics: {port: %d}
`, s.folder, s.file(), s.otlp.Addr(), metrics))
	var container corev1.Container
	for _, one := range harness.Find[*appsv1.Deployment](t, objects).Spec.Template.Spec.InitContainers {
		if one.Name == "shipper" {
			container = one
		}
	}
	memory := container.Resources.Limits.Memory().Value()
	own := filepath.Join(s.folder, "own")
	here := strings.NewReplacer(
		"/outrigger-tools/busybox", s.busybox, "/otelcol-k8s", s.collector,
		"/run/outrigger", filepath.Join(own, "state"), "/outrigger/", own+"/", "127.0.0.1:13133", fmt.Sprintf("127.0.0.1:%d", health),
		"limit_percentage: 85", fmt.Sprintf("limit_mib: %d", memory*85/100>>20), "spike_limit_percentage: 15", fmt.Sprintf("spike_limit_mib: %d", memory*15/100>>20),
	)
	require.NoError(t, os.MkdirAll(filepath.Join(own, "state"), 0o755))
	for _, object := range objects {
		if texts, ok := object.(*corev1.ConfigMap); ok {
			for name, text := range texts.Data {
				require.NoError(t, os.WriteFile(filepath.Join(own, name), []byte(here.Replace(text)), 0o644))
			}
		}
	}
	var words []string
	for _, word := range append(container.Command, container.Args...) {
		words = append(words, here.Replace(word))
	}
	command := exec.Command(words[0], words[1:]...)
	for _, variable := range container.Env {
		value := variable.Value
		if from := variable.ValueFrom; from != nil && from.ResourceFieldRef != nil {
			value = strconv.FormatInt(memory, 10)
		} else if from != nil {
			value = "stands-for-" + variable.Name
		}
		command.Env = append(command.Env, variable.Name+"="+here.Replace(value))
	}
	p := run(t, command)
	require.Eventually(t, func() bool {
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", health))
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}, time.Minute, 100*time.Millisecond, "the collector is ready; it printed:\n%s", p.printed)
	time.Sleep(time.Second)
	return p
}

// rsyslogWith has rsyslog forward a file over TCP, from a queue of a type: a configuration as its vendors' guides have it.
func rsyslogWith(queue string) func(testing.TB, subject) *process {
	return func(t testing.TB, s subject) *process {
		own := filepath.Join(s.folder, "own")
		require.NoError(t, os.MkdirAll(own, 0o755))
		host, port, err := net.SplitHostPort(s.lines.Addr().String())
		require.NoError(t, err)
		configuration := filepath.Join(own, "rsyslog.conf")
		require.NoError(t, os.WriteFile(configuration, fmt.Appendf(nil, `
global(workDirectory=%q)
module(load="imfile")
template(name="line" type="string" string="%%msg%%\n")
input(type="imfile" file=%q tag="app:" ruleset="ship")
ruleset(name="ship") {
  action(type="omfwd" target=%q port=%q protocol="tcp" template="line" action.resumeRetryCount="-1"
         %s queue.filename="app" queue.maxDiskSpace="2g" queue.saveOnShutdown="on")
}
`, own, s.file(), host, port, queue), 0o644))
		words := append(append([]string{}, s.rsyslog...), "-n", "-f", configuration, "-i", filepath.Join(own, "pid"))
		p := run(t, exec.Command(words[0], words[1:]...))
		time.Sleep(2 * time.Second)
		return p
	}
}

// tailAndNetcat is what charts do without an agent: it notes nothing, and what is on its way when an end fails is lost.
func tailAndNetcat(t testing.TB, s subject) *process {
	host, port, err := net.SplitHostPort(s.lines.Addr().String())
	require.NoError(t, err)
	return run(t, exec.Command(s.busybox, "sh", "-c", fmt.Sprintf("%[1]s tail -n +1 -F %[2]s | %[1]s nc %[3]s %[4]s", s.busybox, s.file(), host, port)))
}

// cat writes the file to a socket: nothing that is read and written is faster.
func cat(t testing.TB, s subject) *process {
	connection, err := net.Dial("tcp", s.lines.Addr().String())
	require.NoError(t, err)
	defer connection.Close()
	socket, err := connection.(*net.TCPConn).File()
	require.NoError(t, err)
	defer socket.Close()
	command := exec.Command(s.busybox, "cat", s.file())
	command.Stdout = socket
	return run(t, command)
}

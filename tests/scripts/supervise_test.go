package scripts

import (
	"context"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/tests/backend"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

const (
	delivered = "outrigger: everything is delivered"
	stopped   = "Shutdown complete" // the collector's own last word, which it has not where it is killed
)

// collector returns a copy of the collector that every user may run.
var collector = sync.OnceValues(func() (string, error) {
	built := os.Getenv("OUTRIGGER_COLLECTOR")
	if built == "" {
		var err error
		if built, err = rig.Collector(context.Background(), os.Stderr); err != nil {
			return "", fmt.Errorf("no collector to supervise: %w", err)
		}
	}
	program := filepath.Join(filepath.Dir(appletDir), "otelcol-k8s")
	binary, err := os.ReadFile(built)
	if err != nil {
		return "", err
	}
	return program, os.WriteFile(program, binary, 0o755)
})

// supervision is what a supervisor runs on: a place, the collector's settings, and a backend.
type supervision struct {
	*place
	backend        *backend.Backend
	files, exclude []string // globs, relative to the directory of the logs
	receiver       string   // more of the receiver's settings, as YAML
	queueBytes     int
	drops          bool // what a full queue cannot take
	env            []string

	scrapes atomic.Int64 // times that the supervisor asked for metrics: at each look, and from SIGTERM on
	metrics string       // the collector's, of the last start
}

func newSupervision(t *testing.T, files ...string) *supervision {
	t.Helper()
	v := &supervision{place: newPlace(t), files: files, queueBytes: 64 << 20}
	v.backend = backend.New(backend.Config{Addresses: backend.Addresses{HTTP: "127.0.0.1:0"}})
	require.NoError(t, v.backend.Start())
	t.Cleanup(v.backend.Close)
	return v
}

func (v *supervision) behave(query string) {
	v.t.Helper()
	require.NoError(v.t, v.backend.Behave(query))
}

// start runs the collector under the supervisor and waits until it is ready.
func (v *supervision) start() *shipper {
	v.t.Helper()
	s := v.launch()
	s.awaitError("Everything is ready")
	return s
}

func (v *supervision) launch() *shipper {
	v.t.Helper()
	program, err := collector()
	require.NoError(v.t, err)
	health, metrics := harness.FreeAddress(v.t), harness.FreeAddress(v.t)
	config := filepath.Join(filepath.Dir(v.logs), "collector.yaml")
	require.NoError(v.t, os.WriteFile(config, []byte(v.config(health, metrics)), 0o644))

	v.metrics = "http://" + metrics + "/metrics"
	target, err := url.Parse("http://" + metrics)
	require.NoError(v.t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	asked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.scrapes.Add(1)
		proxy.ServeHTTP(w, r)
	}))
	v.t.Cleanup(asked.Close)

	return v.supervise([]string{
		"READY_URL=http://" + health + "/", "LEAVES_OUT=yes",
		"METRICS_URL=" + asked.URL + "/metrics",
		"LEFT_METRICS=otelcol_exporter_queue_size",
		`IN_METRICS=otelcol_processor_outgoing_items{otel_signal="logs",processor="resource"`,
		"OUT_METRICS=otelcol_exporter_sent_log_records\notelcol_exporter_send_failed_log_records\notelcol_exporter_enqueue_failed_log_records",
		"LOST_METRICS=" + strings.Join(v.lostMetrics(), "\n"),
	}, program, "--config="+config, "--feature-gates=stanza.synchronousLogEmitter")
}

func (v *supervision) lostMetrics() []string {
	metrics := []string{"otelcol_exporter_send_failed_log_records log records that the backend refused"}
	if v.drops {
		metrics = append(metrics, "otelcol_exporter_enqueue_failed_log_records log records that the full queue dropped")
	}
	return metrics
}

// config is what the library's templates make of an entry that ships files, but for directories, ports and metadata.
func (v *supervision) config(health, metrics string) string {
	v.t.Helper()
	_, port, err := net.SplitHostPort(metrics)
	require.NoError(v.t, err)
	return fmt.Sprintf(`
extensions:
  file_storage: {directory: %[1]q, recreate: true, compaction: {on_rebound: true, directory: %[1]q}}
  health_check: {endpoint: %[2]q}
receivers:
  file_log:
    include: [%[3]s]
    exclude: [%[4]s]
    start_at: beginning
    storage: file_storage
    on_truncate: read_whole_file
    retry_on_failure: {enabled: %[10]t, max_elapsed_time: 0}
%[5]s
processors:
  resource: {attributes: [{key: k8s.pod.name, value: demo, action: insert}]}
exporters:
  otlp_http:
    endpoint: http://%[6]s
    retry_on_failure: {enabled: true, initial_interval: 1s, max_interval: 5s, max_elapsed_time: 0}
    sending_queue:
      storage: file_storage
      sizer: bytes
      queue_size: %[7]d
      block_on_overflow: %[10]t
      num_consumers: 4
      batch: {flush_timeout: 200ms, sizer: bytes, min_size: %[8]d, max_size: 3145728}
service:
  extensions: [file_storage, health_check]
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %[9]s}}}}]}}
  pipelines:
    logs: {receivers: [file_log], processors: [resource], exporters: [otlp_http]}
`, v.state, health, quoted(v.paths(v.files)), quoted(append(v.paths(v.exclude), "/${env:NOT_REGULAR:-}")), v.receiver, v.backend.Addresses().HTTP,
		v.queueBytes, min(1<<20, v.queueBytes/2), port, !v.drops)
}

func (v *supervision) paths(globs []string) []string {
	var paths []string
	for _, glob := range globs {
		paths = append(paths, filepath.Join(v.logs, glob))
	}
	return paths
}

func quoted(texts []string) string {
	var all []string
	for _, text := range texts {
		all = append(all, strconv.Quote(text))
	}
	return strings.Join(all, ", ")
}

// supervise runs any agent under the supervisor.
func (v *supervision) supervise(env []string, agent ...string) *shipper {
	v.t.Helper()
	scripts := filepath.Dir(v.logs) // where every user may read them
	for _, name := range []string{"supervise.sh", "rotate.sh"} {
		text, err := os.ReadFile(filepath.Join("../../library/outrigger/files", name))
		require.NoError(v.t, err)
		require.NoError(v.t, os.WriteFile(filepath.Join(scripts, name), text, 0o644))
	}
	busybox := filepath.Join(toolDir, "busybox")
	command := exec.Command(busybox, append([]string{"sh", filepath.Join(scripts, "supervise.sh")}, agent...)...)
	command.Env = slices.Concat([]string{
		"BUSYBOX=" + busybox, "STATE_DIR=" + v.state, "WATCH_SECONDS=3600",
		"FILES=" + strings.Join(v.paths(v.files), "\n"), "EXCLUDE=" + strings.Join(v.paths(v.exclude), "\n"),
	}, env, v.env)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if v.user != 0 {
		command.SysProcAttr.Credential = &syscall.Credential{Uid: v.user, Gid: v.user}
	}
	return run(v.t, command)
}

// agent runs a shell script under the supervisor. It says `ready` once its traps are set.
func (v *supervision) agent(script string, env ...string) *shipper {
	v.t.Helper()
	busybox := filepath.Join(toolDir, "busybox")
	s := v.supervise(append([]string{"PATH=" + appletDir, "LEFT_COMMAND=echo 0"}, env...), busybox, "sh", "-c", script)
	s.awaitOutput("ready\n")
	return s
}

// idle is an agent that reads nothing.
const idle = "echo ready; while :; do sleep 0.1; done"

// stop sends SIGTERM, waits for the end, which must be orderly, and returns how long it took.
func (v *supervision) stop(s *shipper) time.Duration {
	v.t.Helper()
	began := time.Now()
	s.signal(syscall.SIGTERM)
	require.NoError(v.t, s.wait(), "errors:\n%s", s.errors.String())
	return time.Since(began)
}

// awaitReceived waits until the backend has so many records.
func (v *supervision) awaitReceived(s *shipper, records int) {
	v.t.Helper()
	s.await(fmt.Sprintf("%d records to arrive", records), func() bool { return v.backend.Counts().Logs >= records })
}

// awaitQueued waits until the collector has the records in its queue, and at least one if it cannot hold all.
func (v *supervision) awaitQueued(s *shipper, records int) {
	v.t.Helper()
	s.await(fmt.Sprintf("%d records in the queue", records), func() bool {
		return v.metric(`otelcol_exporter_queue_size\{.*\}`) > 0 &&
			v.metric(`otelcol_processor_outgoing_items(?:_total)?\{.*processor="resource".*\}`) >= float64(records)
	})
}

func (v *supervision) metric(expression string) float64 {
	v.t.Helper()
	answer, err := http.Get(v.metrics)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	match := regexp.MustCompile(`(?m)^` + expression + ` (\S+)$`).FindSubmatch(text)
	if match == nil {
		return 0
	}
	value, err := strconv.ParseFloat(string(match[1]), 64)
	require.NoError(v.t, err)
	return value
}

// requireAll fails unless the lines 1 to count of an app arrived, each once.
func (v *supervision) requireAll(s *shipper, app string, count int) {
	v.t.Helper()
	report := v.backend.Report(app, count)
	require.Zero(v.t, report.Lost+report.Repeated, "%+v\nerrors:\n%s", report, s.errors.String())
}

// said returns what the supervisor itself said.
func said(s *shipper) []string {
	var lines []string
	for _, line := range splitLines(s.errors.String()) {
		if text, found := strings.CutPrefix(line, "outrigger: "); found {
			lines = append(lines, text)
		}
	}
	return lines
}

// counted returns the lines "app N" for from <= N <= to, as the backend counts them.
func counted(app string, from, to int) []string {
	lines := make([]string, 0, to-from+1)
	for i := from; i <= to; i++ {
		lines = append(lines, fmt.Sprintf("%s %d the quick brown fox jumps over the lazy dog", app, i))
	}
	return lines
}

// ---- Everything is delivered

func TestTheSupervisorEndsWithinSecondsWhenAllThatWasWrittenIsDelivered(t *testing.T) {
	harness.Seconds(t)
	for name, test := range map[string]struct{ receiver, tail string }{
		"a last line without a newline": {"", "app 5001 without a newline"},
		"an open record of two lines":   {"    multiline: {line_start_pattern: '^app '}", "app 5001 of two\n  lines\n"},
	} {
		ends := func(t *testing.T) time.Duration {
			v := newSupervision(t, "*.log")
			v.receiver = test.receiver
			v.write("early.log", "app 5002\n")
			s := v.start()
			v.awaitReceived(s, 1)

			v.write("app.log", text(counted("app", 1, 5000)))
			v.write("app.log", test.tail)
			took := v.stop(s)

			v.requireAll(s, "app", 5002)
			require.Equal(t, []string{"everything is delivered"}, said(s))
			require.Contains(t, s.errors.String(), stopped)
			last := v.backend.Records("app 5001", 10)
			require.Len(t, last, 1)
			assert.Equal(t, strings.TrimSuffix(test.tail, "\n"), last[0].Text())
			return took
		}
		t.Run(name, func(t *testing.T) {
			inTime(t, 3*time.Second, func() time.Duration { return ends(t) })
		})
	}
}

func TestTheSupervisorWaitsAWhileForAFileThatNeverWas(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.env = []string{"QUIET_SECONDS=2"}

	took := v.stop(v.start())

	assert.GreaterOrEqual(t, took, 2*time.Second)
}

func TestAFileThatAppearsAfterSIGTERMIsDelivered(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.env = []string{"QUIET_SECONDS=2", "DRAIN_SECONDS=30"}
	s := v.start()

	s.signal(syscall.SIGTERM)
	s.await("the supervisor to look what is left", func() bool { return v.scrapes.Load() > 0 })
	v.write("app.log", text(counted("app", 1, 100)))
	require.NoError(t, s.wait())

	v.requireAll(s, "app", 100)
	require.Contains(t, s.errors.String(), delivered)
}

func TestSIGTERMBeforeTheCollectorIsReadyLosesNothing(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.env = []string{"DRAIN_SECONDS=60"}
	v.write("app.log", text(counted("app", 1, 5000)))

	s := v.launch()
	s.await("the collector to run", func() bool { return s.errors.Len() > 0 })
	v.stop(s)

	v.requireAll(s, "app", 5000)
	require.Equal(t, []string{"everything is delivered"}, said(s))
}

func TestAtTheEndABackendThatIsBackIsTriedOnceMore(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.env = []string{"DRAIN_SECONDS=20"}
	v.behave("mode=status&code=503")
	v.write("app.log", text(counted("app", 1, 100)))
	s := v.start()
	s.await("the exporter to wait before it tries again", func() bool { return v.backend.Counts().Refused >= 4 })

	v.behave("mode=ok")
	v.stop(s)

	v.requireAll(s, "app", 100)
	require.Equal(t, []string{"everything is delivered"}, said(s))
}

func TestAnIdleAgentWithoutMetricsIsHeldToItsFilesAlone(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")

	s := v.agent(idle, "LEFT_COMMAND=")
	v.stop(s)

	require.Equal(t, []string{"everything is delivered"}, said(s))
}

// ---- Not everything is delivered

func TestWhatIsNotSentInTimeIsCountedAndSentByTheNextRun(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.env = []string{"DRAIN_SECONDS=3", "KEPT=kept on the volume data"}
	v.write("app.log", text(counted("app", 1, 200)))
	first := v.start()
	v.awaitReceived(first, 200)
	v.behave("mode=refuse")
	v.write("app.log", text(counted("app", 201, 1200)))
	v.awaitQueued(first, 1200)

	took := v.stop(first)

	lines := said(first)
	require.Len(t, lines, 2, first.errors.String())
	assert.Regexp(t, `^not sent: \d+ bytes in the queue, 1000 lines of this run$`, lines[0])
	assert.Equal(t, "not delivered: 1000 lines; they are kept on the volume data", lines[1])
	assert.GreaterOrEqual(t, took, 3*time.Second)
	assert.Contains(t, first.errors.String(), stopped, "every line is in the queue: no need to kill")

	v.behave("mode=ok")
	second := v.start()
	v.awaitReceived(second, 1200)
	v.stop(second)
	v.requireAll(second, "app", 1200)
	require.Equal(t, []string{"everything is delivered"}, said(second))
}

func TestWithAFullQueueTheCollectorIsKilledAndTheNextRunLosesNothing(t *testing.T) {
	t.Parallel()
	const lines = 20_000
	v := newSupervision(t, "*.log")
	v.env = []string{"DRAIN_SECONDS=2"}
	v.queueBytes = 200_000
	v.behave("mode=refuse")
	v.write("app.log", text(counted("app", 1, lines)))
	first := v.start()
	v.awaitQueued(first, 1)

	v.stop(first)

	require.Contains(t, first.errors.String(), "lines of "+v.path("app.log"))
	require.NotContains(t, first.errors.String(), stopped)
	last := said(first)[len(said(first))-1]
	var missing int
	_, err := fmt.Sscanf(last, "not delivered: %d lines;", &missing)
	require.NoError(t, err, last)
	// What the collector has read ahead, some KiB, is neither in the file nor in the queue.
	require.InDelta(t, lines, missing, 200, first.errors.String())

	v.behave("mode=ok")
	second := v.start()
	second.await("all lines to arrive", func() bool { return v.backend.Report("app", lines).Lost == 0 })
	v.stop(second)
	t.Logf("%d repeated", v.backend.Report("app", lines).Repeated)
	require.Equal(t, []string{"everything is delivered"}, said(second))
}

func TestWhatTheBackendRefusesForGoodIsNotTakenForDelivered(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"400", "401", "403", "404", "408", "413", "500"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			v := newSupervision(t, "*.log")
			v.behave("mode=status&code=" + code)
			v.write("app.log", text(counted("app", 1, 100)))
			s := v.start()
			s.await("a request to be refused", func() bool { return v.backend.Counts().Refused > 0 })
			v.behave("mode=ok")
			v.write("app.log", text(counted("app", 101, 150)))

			v.stop(s)

			missing := v.backend.Report("app", 150).Lost
			require.Positive(t, missing)
			require.Equal(t, []string{
				fmt.Sprintf("lost: %d log records that the backend refused", missing),
				"everything else is delivered",
			}, said(s))
		})
	}
}

func TestWhatTheBackendRefusesIsWarnedOfOnceWhileTheAgentRuns(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.env = []string{"WATCH_SECONDS=0.2"}
	v.behave("mode=status&code=401")
	v.write("app.log", text(counted("app", 1, 100)))
	s := v.start()
	s.awaitError("outrigger: warning: 100 log records that the backend refused")
	v.write("app.log", text(counted("app", 101, 200)))
	s.await("more to be refused", func() bool { return v.metric(`otelcol_exporter_send_failed_log_records\{.*\}`) == 200 })
	looks := v.scrapes.Load()
	s.await("two looks more", func() bool { return v.scrapes.Load() >= looks+2 })

	v.stop(s)

	require.Equal(t, 1, strings.Count(s.errors.String(), "outrigger: warning: "), s.errors.String())
	require.Equal(t, []string{"lost: 200 log records that the backend refused", "everything else is delivered"}, said(s)[1:])
}

func TestWhatAFullQueueDropsIsNotTakenForDelivered(t *testing.T) {
	t.Parallel()
	const lines = 20_000
	v := newSupervision(t, "*.log")
	v.drops, v.queueBytes = true, 200_000
	v.behave("mode=status&code=503")
	v.write("app.log", text(counted("app", 1, lines)))
	s := v.start()
	s.await("all lines to be read", func() bool {
		return v.metric(`otelcol_processor_outgoing_items(?:_total)?\{.*processor="resource".*\}`) == lines
	})
	v.behave("mode=ok")

	v.stop(s)

	missing := v.backend.Report("app", lines).Lost
	require.Positive(t, missing)
	require.Equal(t, []string{
		fmt.Sprintf("lost: %d log records that the full queue dropped", missing),
		"everything else is delivered",
	}, said(s))
}

func TestWhatAnAgentThatWasKilledCountedAsLostIsCountedStill(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.env = []string{"WATCH_SECONDS=0.2"}
	v.behave("mode=status&code=401")
	v.write("app.log", text(counted("app", 1, 100)))
	first := v.start()
	first.awaitError("warning: 100 log records that the backend refused")
	first.signalAll(syscall.SIGKILL)
	require.Error(t, first.wait())
	v.write("app.log", text(counted("app", 101, 130)))
	second := v.start()
	second.await("more to be refused", func() bool { return v.metric(`otelcol_exporter_send_failed_log_records\{.*\}`) >= 30 })

	v.stop(second)

	require.Contains(t, said(second), "lost: 130 log records that the backend refused")

	v.env = append(v.env, "K8S_POD_UID=another")
	v.behave("mode=ok")
	v.write("app.log", text(counted("app", 131, 140)))
	third := v.start()
	v.awaitReceived(third, 10)
	v.stop(third)
	require.Equal(t, []string{"everything is delivered"}, said(third), "what another pod lost is another pod's")
}

func TestALastLineThatTheAgentHoldsBackForLongIsDelivered(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.receiver = "    force_flush_period: 3s"
	v.env = []string{"QUIET_SECONDS=4", "DRAIN_SECONDS=30"}
	s := v.start()
	v.write("app.log", "app 1\napp 2 without a newline")
	v.awaitReceived(s, 1)

	v.stop(s)

	v.requireAll(s, "app", 2)
	require.Equal(t, []string{"everything is delivered"}, said(s))
}

// writeSecret writes secret.log, which nobody can read from the moment that it has this name.
func (v *supervision) writeSecret(text string) {
	v.t.Helper()
	v.write("secret.new", text)
	require.NoError(v.t, os.Chmod(v.path("secret.new"), 0))
	v.rename("secret.new", "secret.log")
}

func TestFilesThatAreNotReadAreNamedAndTheirLinesCounted(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.asOtherUser()
	v.env = []string{"DRAIN_SECONDS=2"}
	head := text(counted("same", 1, 40)) // more than the collector knows a file by
	require.Greater(t, len(head), 1000)
	v.write("a.log", head+"a\n")
	s := v.start()
	v.awaitReceived(s, 41)
	v.write("b.log", head+"b\n")
	v.writeSecret(text(counted("secret", 1, 3)))

	v.stop(s)

	lines := said(s)
	require.Len(t, lines, 3, s.errors.String())
	assert.Contains(t, lines[0], "in doubt: 41 lines of "+v.path("b.log")+",")
	assert.Contains(t, lines[1], "not read: 159 bytes, 0 lines of "+v.path("secret.log")+";", "nobody can count its lines")
	assert.Contains(t, lines[2], "not delivered: 0 lines, and what is in doubt;")
}

func TestFilesThatTheCollectorDoesNotReadAreWarnedOfMeanwhile(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.asOtherUser()
	v.env = []string{"WATCH_SECONDS=0.3", "DRAIN_SECONDS=1"}
	head := text(counted("same", 1, 40))
	v.write("a.log", head+"a\n")
	s := v.start()
	v.awaitReceived(s, 41)
	v.write("b.log", head+"b\n")
	v.writeSecret("secret\n")

	s.awaitError("warning: 41 lines of " + v.path("b.log") + " are not read")
	s.awaitError(v.path("secret.log") + " are not read")
	s.awaitError("warning: " + v.path("b.log") + " begins with the same 1000 bytes as another file")
	v.write("c.log", "read\n")
	v.awaitReceived(s, 42)
	v.stop(s)

	require.Equal(t, 3, strings.Count(s.errors.String(), "outrigger: warning: "), s.errors.String())
}

func TestACopyOfAShippedFileIsShippedOnceAndNamed(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "app.log*")
	v.write("app.log", text(counted("app", 1, 100)))
	s := v.start()
	v.awaitReceived(s, 100)
	v.copyFile("app.log", "app.log.1")

	v.stop(s)

	v.requireAll(s, "app", 100)
	require.Contains(t, s.errors.String(), "in doubt: 100 lines of "+v.path("app.log.1"))
}

func TestAStateDirectoryThatCannotBeWrittenToIsNotTakenForDelivery(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.write("app.log", "unread\n")

	s := v.agent(idle, "DRAIN_SECONDS=1", "STATE_DIR="+filepath.Join(v.logs, "nowhere"))
	v.stop(s)

	require.NotContains(t, s.errors.String(), delivered)
	require.Contains(t, s.errors.String(), "1 lines of "+v.path("app.log"))
}

func TestWhenTheAgentsMetricsCannotBeHadTheSupervisorSaysSo(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.env = []string{"DRAIN_SECONDS=1"}

	s := v.agent(idle, "LEFT_COMMAND=", "METRICS_URL=http://"+harness.FreeAddress(t)+"/metrics", "LEFT_METRICS=x")
	v.stop(s)

	require.Equal(t, []string{"not known: what the agent holds", "not delivered: 0 lines; they are lost with the pod"}, said(s))
}

// ---- Which files

// What the supervisor takes for the agent's files is what the collector takes for them.
func TestGlobsMeanToTheSupervisorWhatTheyMeanToTheCollector(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		globs, exclude []string
		ships, leaves  []string
	}{
		"* stops at a slash": {
			globs: []string{"*.log", "*/x.log"},
			ships: []string{"a.log", "d/x.log"}, leaves: []string{"d/a.log", "d/e/x.log", "a.txt"},
		},
		"? and classes": {
			globs: []string{"?.log", "n[a-c].log", "m[!a-c].log"},
			ships: []string{"a.log", "na.log", "nc.log", "md.log"}, leaves: []string{"nd.log", "abc.log", "mb.log"},
		},
		"** is any number of folders": {
			globs: []string{"**/*.log"},
			ships: []string{"a.log", "d/a.log", "d/e/f/a.log"}, leaves: []string{"a.txt", "d/log"},
		},
		"** between folders": {
			globs: []string{"d/**/end/x[a-c]?.log"},
			ships: []string{"d/end/xa1.log", "d/e/end/xc2.log", "d/e/f/end/xb3.log"}, leaves: []string{"end/xa1.log", "d/end/xd1.log", "d/e/end/f/xa1.log", "d/send/xa1.log"},
		},
		"* in a path with ** stops at a slash": {
			globs: []string{"**/d*/x.log"},
			ships: []string{"d1/x.log", "e/d2/x.log"}, leaves: []string{"d1/e/x.log", "x.log"},
		},
		"** at the end": {
			globs: []string{"d/**"},
			ships: []string{"d/a", "d/e/b"}, leaves: []string{"a"},
		},
		"names with blanks and what a regular expression would take": {
			globs: []string{"with blank *.log", "**/a.b+c(1) $.log"},
			ships: []string{"with blank  two.log", "d/a.b+c(1) $.log"}, leaves: []string{"d/aXb+c(1) $.log", "withblank a.log"},
		},
		"names with blanks below **": {
			globs: []string{"**/*.log"},
			ships: []string{"a folder/a file.log", "a folder/ .log"}, leaves: []string{"a folder/a file.txt"},
		},
		"links to files and to folders": {
			globs: []string{"*.log", "d/**/*.txt"},
			ships: []string{"a.log", "link.log -> real/b", "d/e/c.txt", "d/link.txt -> real/c"}, leaves: []string{"folder.log -> real/"},
		},
		"classes that begin with ^": {
			globs: []string{"m[^a-c].log", "**/n[^a-c].txt", "**/o[!a-c].txt"},
			ships: []string{"md.log", "d/nd.txt", "d/od.txt"}, leaves: []string{"mb.log", "d/nb.txt", "d/ob.txt"},
		},
		"hidden files": {
			globs: []string{"*.log", "d/**/*.log"},
			ships: []string{".hidden.log", "d/.hidden.log"}, leaves: []string{".hidden"},
		},
		"what is excluded": {
			globs: []string{"**/*.log"}, exclude: []string{"**/no*.log", "d/[a-b].log"},
			ships: []string{"a.log", "d/c.log"}, leaves: []string{"no.log", "d/e/now.log", "d/a.log"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newSupervision(t, test.globs...)
			v.exclude, v.env = test.exclude, []string{"DRAIN_SECONDS=1"}
			for _, list := range [][]string{test.ships, test.leaves} {
				for i, file := range list {
					name, target, isLink := strings.Cut(file, " -> ")
					require.NoError(t, os.MkdirAll(filepath.Dir(v.path(name)), 0o755))
					list[i] = name
					switch {
					case !isLink:
						v.write(name, "from "+name+"\n")
						continue
					case strings.HasSuffix(target, "/"):
						require.NoError(t, os.MkdirAll(v.path(target), 0o755))
					default:
						require.NoError(t, os.MkdirAll(filepath.Dir(v.path(target)), 0o755))
						v.write(target, "from "+name+"\n")
					}
					require.NoError(t, os.Symlink(v.path(target), v.path(name)))
				}
			}

			first := v.agent(idle)
			v.stop(first)
			var unread []string
			for _, line := range said(first) {
				if _, rest, found := strings.Cut(line, "1 lines of "+v.logs+"/"); found {
					file, _, _ := strings.Cut(rest, "; the agent may not read it")
					unread = append(unread, file)
				}
			}
			assert.ElementsMatch(t, test.ships, unread, "the supervisor's: %q", said(first))

			v.env = nil
			second := v.start()
			v.stop(second)
			var received []string
			for _, record := range v.backend.Records("from ", 100) {
				received = append(received, strings.TrimPrefix(record.Text(), "from "))
			}
			assert.ElementsMatch(t, test.ships, received, "the collector's")
		})
	}
}

// ---- Agents of one's own

// It reads a line at a time, and holds it for a while before it writes it.
const slowAgent = `
  exec 3<"$LOG"; echo ready
  while :; do
    while read -r line <&3; do echo 1 >"$HELD"; sleep 0.02; echo "$line"; echo 0 >"$HELD"; done
    sleep 0.1
  done`

func TestAnAgentOfOnesOwnMayReadAndSendSlowly(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "app.log")
	lines := counted("app", 1, 100)
	v.write("app.log", text(lines))
	held := filepath.Join(v.state, "held")
	require.NoError(t, os.WriteFile(held, []byte("0\n"), 0o644))

	s := v.agent(slowAgent, "DRAIN_SECONDS=60", "LOG="+v.path("app.log"), "HELD="+held, "LEFT_COMMAND='cat' '"+held+"'")
	v.stop(s)

	requireLines(t, append([]string{"ready"}, lines...), splitLines(s.output.String()), s)
	require.Equal(t, []string{"everything is delivered"}, said(s))
}

func TestTheCommandThatSaysWhatIsLeftHasTheToolsThatTheImageLacks(t *testing.T) {
	t.Parallel()
	v := newSupervision(t)
	held := filepath.Join(v.state, "held")
	require.NoError(t, os.WriteFile(held, []byte("0\n"), 0o644))

	// A program other than busybox's shell, which in some builds knows its applets without a path.
	s := v.agent(idle, "LEFT_COMMAND='/usr/bin/env' 'cat' '"+held+"'")
	v.stop(s)

	require.Equal(t, []string{"everything is delivered"}, said(s))
}

func TestAnAgentThatHoldsNothingButIsStillBehindIsWaitedFor(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "app.log")
	lines := counted("app", 1, 10)
	v.write("app.log", text(lines))
	looks := filepath.Join(v.state, "looks")

	s := v.agent(`
      exec 3<"$LOG"; read -r line <&3; echo ready; echo "$line"
      while [ "$(stat -c %s "$LOOKS" 2>/dev/null || echo 0)" -lt 20 ]; do sleep 0.05; done
      while read -r line <&3; do echo "$line"; done; `+idle,
		"DRAIN_SECONDS=60", "LOG="+v.path("app.log"), "LOOKS="+looks, "LEFT_COMMAND=printf x >>'"+looks+"'; echo 0")
	v.stop(s)

	require.Equal(t, append(append([]string{"ready"}, lines...), "ready"), splitLines(s.output.String()))
	require.Equal(t, []string{"everything is delivered"}, said(s))
}

func TestWhatAnAgentOfOnesOwnHasNotReadIsCountedFromWhereItIs(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "app.log")
	lines := counted("app", 1, 10)
	v.write("app.log", text(lines))

	s := v.agent(`exec 3<"$LOG"; read -r a <&3; read -r b <&3; `+idle, "DRAIN_SECONDS=1", "LOG="+v.path("app.log"), "LEFT_COMMAND=echo 7")
	v.stop(s)

	require.Equal(t, []string{
		fmt.Sprintf("not read: %d bytes, 8 lines of %s", len(text(lines[2:])), v.path("app.log")),
		"not sent: 7 in the agent",
		"not delivered: 8 lines; they are lost with the pod",
	}, said(s))
}

func TestAnAgentThatEndsByItselfEndsTheSupervisorWithItsCode(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")

	s := v.agent("echo ready; exit 7")

	require.Equal(t, 7, exitCode(s.wait()))
	require.Equal(t, []string{"the agent ended with exit code 7"}, said(s))
}

func TestAnAgentThatEndsBeforeEverythingIsReadIsNamed(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.write("app.log", "unread\n")
	s := v.agent("echo ready; while [ ! -e $END ]; do sleep 0.1; done", "DRAIN_SECONDS=60", "END="+filepath.Join(v.state, "end"))

	s.signal(syscall.SIGTERM)
	require.NoError(t, os.WriteFile(filepath.Join(v.state, "end"), nil, 0o644))
	require.NoError(t, s.wait())

	require.Equal(t, "the agent ended before everything was delivered", said(s)[0])
	require.Contains(t, said(s)[1], "1 lines of "+v.path("app.log"))
}

func TestAnAgentIsToldToStayBelowTheMemoryLimit(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")

	s := v.agent("echo $GOMEMLIMIT; echo ready; exit 0", "MEMORY_BYTES=201326592")

	require.NoError(t, s.wait())
	require.Equal(t, "161061273\nready\n", s.output.String())
}

// ---- Volumes

func TestAVolumeThatIsNearlyFullIsWarnedOfOnceEachTime(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	v := newSupervision(t)
	folder := func(name string) string { return filepath.Join(v.logs, name) }
	var volumes []string
	// Of each pair one is looked at before `data` and one after it.
	for _, name := range []string{"before-1", "before-2", "before-3", "data", "after-1", "after-2", "after-3"} {
		require.NoError(t, os.Mkdir(folder(name), 0o755))
		volumes = append(volumes, fmt.Sprintf("%d %s", limit, folder(name)))
	}
	fill := func(name string, bytes int) { v.write(name+"/file", strings.Repeat("x", bytes)) }
	s := v.agent(idle, "WATCH_SECONDS=0.05", "VOLUMES="+strings.Join(volumes, "\n"))
	warning := func(name string) string { return "warning: " + folder(name) + " holds " }
	awaitLook := func(pair int) { // at data, as it is now
		for _, name := range []string{fmt.Sprintf("before-%d", pair), fmt.Sprintf("after-%d", pair)} {
			fill(name, limit)
			s.awaitError(warning(name))
		}
	}
	times := func() int { return strings.Count(s.errors.String(), warning("data")) }

	fill("data", limit*7/10)
	awaitLook(1)
	require.Zero(t, times())
	fill("data", limit/8)
	s.awaitError(warning("data"))
	awaitLook(2)
	require.Equal(t, 1, times())
	v.remove("data/file")
	awaitLook(3)
	fill("data", limit)
	s.await("another warning", func() bool { return times() == 2 })

	v.stop(s)
	require.Contains(t, s.errors.String(), fmt.Sprintf("of at most %d; the kubelet evicts a pod that holds more", limit))
}

// ---- Crashes

func TestCrashesLoseNothing(t *testing.T) {
	t.Parallel()
	seed := time.Now().UnixNano()
	random := rand.New(rand.NewSource(seed))
	v := newSupervision(t, "*.log")
	v.env = []string{"DRAIN_SECONDS=60"}
	written := 0
	writing, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-writing:
				return
			case <-time.After(5 * time.Millisecond):
				if written == 10_000 {
					v.rename("app.log", "app.1.log")
				}
				v.write("app.log", text(counted("app", written+1, written+50)))
				written += 50
			}
		}
	}()

	for range 3 {
		s := v.start()
		v.awaitReceived(s, v.backend.Counts().Logs+1)
		time.Sleep(time.Duration(random.Intn(1000)) * time.Millisecond) // anywhere
		s.signalAll(syscall.SIGKILL)
		require.Error(t, s.wait())
	}
	last := v.start()
	close(writing)
	<-done
	v.stop(last)

	report := v.backend.Report("app", written)
	t.Logf("seed %d: %d lines, %d repeated", seed, written, report.Repeated)
	require.Zero(t, report.Lost, "seed %d: %+v\nerrors:\n%s", seed, report, last.errors.String())
	require.Equal(t, []string{"everything is delivered"}, said(last))
}

func TestWhatACrashLeavesOfACompactionIsNotKept(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	for _, name := range []string{"tempdb1234", "exporter_otlp_http__logs.2030-01-31.backup"} {
		require.NoError(t, os.WriteFile(filepath.Join(v.state, name), []byte("much"), 0o644))
	}
	frozen := v.agent("ls $STATE_DIR/*; echo ready; exit 0", "READY_URL=http://"+harness.FreeAddress(t)+"/", "STATE_DIR="+v.state)
	require.NoError(t, frozen.wait())

	assert.NotContains(t, frozen.output.String(), "tempdb")
	assert.NotContains(t, frozen.output.String(), "before-start/exporter", "what is set aside is not copied")
	assert.FileExists(t, filepath.Join(v.state, "exporter_otlp_http__logs.2030-01-31.backup"))
	assert.DirExists(t, filepath.Join(v.state, "before-start"))
}

// The collector takes what was under way out of its queue on disk before it puts it back.
func TestACrashWhileTheCollectorStartsLosesNothing(t *testing.T) {
	t.Parallel()
	const lines, crashes = 2000, 12
	v := newSupervision(t, "*.log")
	v.env = []string{"DRAIN_SECONDS=60"}
	v.behave("mode=status&code=503")
	v.write("app.log", text(counted("app", 1, lines)))
	first := v.start()
	v.awaitQueued(first, lines)
	first.signalAll(syscall.SIGKILL)
	require.Error(t, first.wait())
	// As it is where the first start of all was killed before it was seen to be over.
	require.NoError(t, os.MkdirAll(filepath.Join(v.state, "before-start"), 0o755))

	for range crashes {
		s := v.launch()
		s.awaitError("Fetching items left for dispatch")
		s.signalAll(syscall.SIGKILL)
		require.Error(t, s.wait())
	}
	v.behave("mode=ok")
	last := v.start()
	v.stop(last)

	report := v.backend.Report("app", lines)
	t.Logf("%d crashes at the start: %d lines, %d repeated", crashes, lines, report.Repeated)
	require.Zero(t, report.Lost, "%+v\nerrors:\n%s", report, last.errors.String())
	require.Contains(t, last.errors.String(), "the last start was broken off")
}

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// shippingApp returns values for harness.Consumer: the pod of restrictedApp, whose logshipper `shipper` is the
// OpenTelemetry Collector and sends /logs/app.log to a backend. More are further keys of the logshipper, as YAML of one
// line: {queue: {size: 1Mi}}.
func shippingApp(script, endpoint string, more ...string) string {
	keys := ""
	for _, key := range more {
		keys += ", " + key
	}
	return strings.Replace(restrictedApp(script), "to: {stdout: {}}", "to: {otlphttp: {endpoint: "+endpoint+"}}"+keys, 1)
}

// numbered is a line of a shell script that appends "line FROM" to "line TO" to a file.
func numbered(from, to int, file string) string {
	return fmt.Sprintf("seq %d %d | sed 's/^/line /' >> %s", from, to, file)
}

// longestBackOff is after how long a collector sends again at the latest what was refused.
const longestBackOff = 8 * time.Second

// delivered waits until each of the lines "line 1" to "line COUNT" has arrived, and for as long as one could be sent again, and
// returns the report.
func delivered(t testing.TB, namespace *harness.Namespace, backend *harness.Backend, count int, limit time.Duration) (lost, repeated int) {
	t.Helper()
	namespace.Eventually(limit, fmt.Sprintf("%d lines arrive", count), func() bool { return backend.Report("line", count).Lost == 0 })
	time.Sleep(longestBackOff) // that nothing comes again is no condition that could be watched
	report := backend.Report("line", count)
	return report.Lost, report.Repeated
}

func TestAMillionLinesWithTenRenamesArriveExactlyOnceAtABackend(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	backend := namespace.Backend()
	script := "trap 'exit 0' TERM\ncd /logs\n"
	for chunk := range 10 {
		script += numbered(chunk*100_000+1, (chunk+1)*100_000, "app.log") + "\n" +
			"for kept in 9 8 7 6 5 4 3 2 1; do [ ! -e app.log.$kept ] || mv app.log.$kept app.log.$((kept + 1)); done\nmv app.log app.log.1\n"
	}
	namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp(script+serving, backend.Endpoint()))

	_, repeated := delivered(t, namespace, backend, 1_000_000, 3*time.Minute)

	t.Logf("1,000,000 lines, 10 renames: lost 0, repeated %d", repeated)
	assert.Zero(t, repeated)
}

func TestLinesWrittenOnSIGTERMReachTheBackendAndThePodIsSoonGone(t *testing.T) {
	harness.Seconds(t)
	for _, mode := range []string{"native", "classic"} {
		t.Run(mode, func(t *testing.T) {
			limit := 5 * time.Second
			if mode == "classic" {
				limit += 2 * time.Second // it has to see that the files are quiet
			}
			harness.InTime(t, limit, "from the app's end to the pod's", func() time.Duration {
				namespace := harness.NewNamespace(t, harness.Restricted)
				backend := namespace.Backend()
				namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp(`
farewell() { `+numbered(1, 5000, "/logs/app.log")+`; printf 'the end' >> /logs/app.log; exit 0; }
trap farewell TERM`+serving, backend.Endpoint())+"  mode: "+mode)
				pod := namespace.ReadyPods(web, 1)[0]
				stream := namespace.Follow(pod.Name, "shipper")

				ended, gone := deletePod(t, namespace, pod, "app")
				stream.WaitEnd(t, harness.PodEnd)

				report := backend.Report("line", 5000)
				t.Logf("%s: lost %d, repeated %d of 5,000; the pod was gone %.1f s after the app's end", mode, report.Lost, report.Repeated, gone.Sub(ended).Seconds())
				assert.Zero(t, report.Lost+report.Repeated, "%v; the shipper's log:\n%s", report.Examples, strings.Join(stream.Texts(), "\n"))
				assert.Len(t, backend.Records("the end"), 1, "a last line without a newline")
				return gone.Sub(ended)
			})
		})
	}
}

func TestAJobsLinesReachTheBackendAndItIsSoonComplete(t *testing.T) {
	harness.Seconds(t)
	harness.InTime(t, 6*time.Second, "from the app's end to Complete", func() time.Duration {
		namespace := harness.NewNamespace(t, harness.Restricted)
		backend := namespace.Backend()
		values := strings.Replace(shippingApp(numbered(1, 5000, "/logs/app.log")+"\necho done", backend.Endpoint()), "pod:", "job:", 1)
		values = strings.Replace(values, "  spec:\n", "  spec:\n    restartPolicy: Never\n", 1)
		namespace.Install("demo", harness.Consumer(t).Write(t), values)

		ended, completed := completeJob(t, namespace, "once", "app")

		report := backend.Report("line", 5000)
		t.Logf("lost %d, repeated %d of 5,000; Complete %.1f s after the app's end", report.Lost, report.Repeated, completed.Sub(ended).Seconds())
		assert.Zero(t, report.Lost+report.Repeated, report.Examples)
		return completed.Sub(ended)
	})
}

// completeJob waits until a Job is Complete, and returns when a container of its pod wrote its last line, which is the last
// that it does, and when the Job was seen to be Complete.
func completeJob(t testing.TB, namespace *harness.Namespace, job, container string) (ended, completed time.Time) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), harness.PodStart)
	defer cancel()
	jobs := namespace.Client.BatchV1().Jobs(namespace.Name)
	found, err := jobs.Get(ctx, job, metav1.GetOptions{})
	require.NoError(t, err)
	for events := namespace.Watch(ctx, jobs.Watch, "metadata.name="+job, found.ResourceVersion); found.Status.CompletionTime == nil; {
		event := <-events
		seen, isJob := event.Object.(*batchv1.Job)
		require.True(t, isJob, "the Job is complete: %v", event.Object)
		found = seen
	}
	require.EqualValues(t, 1, found.Status.Succeeded)
	completed = time.Now()
	pod := namespace.Pods("batch.kubernetes.io/job-name=" + job)[0].Name
	log, err := namespace.Client.CoreV1().Pods(namespace.Name).GetLogs(pod, &corev1.PodLogOptions{Container: container, Timestamps: true}).DoRaw(context.Background())
	require.NoError(t, err)
	ended, err = time.Parse(time.RFC3339Nano, strings.Fields(string(log))[0])
	require.NoError(t, err, string(log))
	return ended, completed
}

func TestWhileTheBackendIsDownTheAppWritesOnAndNothingIsLost(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	backend := namespace.Backend()
	seconds := harness.Number(t, "OUTRIGGER_OUTAGE_SECONDS", 24)
	// Others see the sidecar's processes, so that the app can kill them as nothing else in a pod could.
	values := strings.Replace(shippingApp(fmt.Sprintf(`
trap 'exit 0' TERM
kill_sidecar() { # waits until there is one
  killed=
  until [ "$killed" ]; do
    for process in /proc/[0-9]*; do
      case $(tr '\0' ' ' < $process/cmdline) in
        "/outrigger-tools/busybox sh /outrigger/supervise.sh "*) kill -KILL ${process#/proc/} && killed=yes ;;
        /otelcol-k8s*) kill -KILL ${process#/proc/} ;;
      esac
    done
    [ "$killed" ] || sleep 0.2
  done
}
# What the collector finds at its start it sends as new until it has read all of it: so it gets 3 s for that.
kill_later() { until wget -q -O /dev/null http://127.0.0.1:8888/metrics 2>/dev/null; do sleep 0.2; done; sleep 3; kill_sidecar; }
second=0
while [ $second -lt %d ]; do
  seq $((second * 2000 + 1)) $((second * 2000 + 2000)) | sed 's/^/line /' >> /logs/app.log
  second=$((second + 1))
  # A second restart waits for 10 s, a third for 20 s.
  case $second in 3|8) kill_sidecar & ;; 20) kill_later & ;; esac
  sleep 1
done
echo written`, seconds)+serving, backend.Endpoint()), "    securityContext:", "    shareProcessNamespace: true\n    securityContext:", 1)
	backend.Pause()
	began := time.Now()
	namespace.Install("demo", harness.Consumer(t).Write(t), values)
	namespace.Eventually(harness.PodStart+2*time.Duration(seconds)*time.Second, "the app has written all", func() bool {
		pods := namespace.Pods(web)
		return len(pods) == 1 && pods[0].Status.Phase == corev1.PodRunning && strings.Contains(namespace.Logs(pods[0].Name, "app"), "written")
	})
	t.Logf("the app wrote for %d s, %.0f s after its installation", seconds, time.Since(began).Seconds())
	require.Zero(t, backend.Counts().Logs, "nothing has arrived yet")

	namespace.Eventually(harness.PodStart, "the sidecar is up after its third restart", func() bool {
		status := namespace.Status(namespace.Pods(web)[0], "shipper")
		return status.RestartCount == 3 && status.State.Running != nil
	})
	backend.Resume()

	_, repeated := delivered(t, namespace, backend, seconds*2000, time.Minute)
	pod := namespace.Pods(web)[0]
	t.Logf("%d lines, the backend down, the sidecar killed %d times: lost 0, repeated %d", seconds*2000, harness.Status(t, pod, "shipper").RestartCount, repeated)
	assert.EqualValues(t, 3, harness.Status(t, pod, "shipper").RestartCount)
	assert.Zero(t, harness.Status(t, pod, "app").RestartCount, "the app's restarts")
	assert.LessOrEqual(t, repeated, 3*2*2000, "repeats are at most what was written since the last look, for each kill")
}

func TestWhateverTheBackendAnswersNothingIsLost(t *testing.T) {
	harness.Facts(t)
	for name, behaviour := range map[string]string{
		"503":                  "mode=status&code=503",
		"429 with Retry-After": "mode=status&code=429&retryAfter=2",
		"no answer":            "mode=hang",
		"a reset connection":   "mode=reset",
	} {
		t.Run(name, func(t *testing.T) {
			harness.Facts(t)
			namespace := harness.NewNamespace(t, harness.Restricted)
			backend := namespace.Backend()
			backend.Behave(behaviour)
			namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp("trap 'exit 0' TERM\n"+numbered(1, 20_000, "/logs/app.log")+serving, backend.Endpoint()))
			namespace.Eventually(harness.PodStart, "requests are refused", func() bool { return backend.Counts().Refused > 0 })

			backend.Resume()

			_, repeated := delivered(t, namespace, backend, 20_000, time.Minute)
			t.Logf("%s: lost 0, repeated %d of 20,000", name, repeated)
			assert.Zero(t, repeated)
		})
	}
}

func TestWhatCouldNotBeSentIsCountedInTheLastLinesOfTheShippersLog(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp("trap 'exit 0' TERM\n"+numbered(1, 5000, "/logs/app.log")+serving, "http://nobody.invalid:4318"))
	pod := namespace.ReadyPods(web, 1)[0]
	stream := namespace.Follow(pod.Name, "shipper")
	namespace.Eventually(harness.LogLine, "the log says what is wrong", func() bool { return contains(stream.Texts(), "nobody.invalid", "no such host") })

	deletePod(t, namespace, pod, "app")
	stream.WaitEnd(t, harness.PodEnd)

	assert.True(t, contains(stream.Texts(), "outrigger: not delivered: 5000 lines; they are lost with the pod"), strings.Join(stream.Texts(), "\n"))
}

// contains tells whether a line holds all of the texts.
func contains(lines []string, texts ...string) bool {
next:
	for _, line := range lines {
		for _, text := range texts {
			if !strings.Contains(line, text) {
				continue next
			}
		}
		return true
	}
	return false
}

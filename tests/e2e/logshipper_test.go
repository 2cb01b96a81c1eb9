package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestLinesArriveWithinTwoSecondsCompleteAndInOrder(t *testing.T) {
	harness.Seconds(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	chart := harness.LoadChart(t, filepath.Join(harness.Root(), "charts/logging-app")).Write(t)
	namespace.Install("demo", chart, "app: {interval: 0.1}")

	for _, pod := range namespace.ReadyPods("app.kubernetes.io/component=app", 2) {
		require.True(t, *harness.Status(t, pod, "logshipper").Started)
		stream := namespace.Follow(pod.Name, "logshipper")
		probe := 0
		for range 3 {
			harness.InTime(t, 2*time.Second, "from a line's writing to its arrival", func() time.Duration {
				probe++
				line := fmt.Sprintf("probe %d", probe)
				written := time.Now()
				namespace.Exec(pod.Name, "app", "sh", "-c", "echo "+line+" >> /opt/logs.txt")
				namespace.Eventually(harness.LogLine, line+" arrives", func() bool { _, found := stream.Find(line); return found })
				arrived, _ := stream.Find(line)
				return arrived.Arrived.Sub(written)
			})
		}
		lines := slices.DeleteFunc(stream.Texts(), func(line string) bool { return strings.HasPrefix(line, "probe ") })
		for index, line := range lines {
			require.Equal(t, fmt.Sprintf("%d logging", index+1), line, "in order from the first line on")
		}
		require.NotEmpty(t, lines)
	}
}

func TestLinesWrittenOnSIGTERMAreShippedAndThePodIsSoonGone(t *testing.T) {
	harness.Seconds(t)
	for _, mode := range []string{"native", "classic"} {
		t.Run(mode, func(t *testing.T) {
			harness.InTime(t, 5*time.Second, "from the app's end to the pod's", func() time.Duration {
				namespace := harness.NewNamespace(t, harness.Restricted)
				namespace.Install("demo", harness.Consumer(t).Write(t), restrictedApp(`
farewell() {
  number=0
  while [ $number -lt 1000 ]; do number=$((number + 1)); echo "farewell $number" >> /logs/app.log; done
  exit 0
}
trap farewell TERM
echo begin >> /logs/app.log`+serving)+"  mode: "+mode)
				pod := namespace.ReadyPods(web, 1)[0]
				stream := namespace.Follow(pod.Name, "shipper")
				namespace.Eventually(harness.LogLine, "the first line arrives", func() bool { return len(stream.Lines()) > 0 })

				ended, gone := deletePod(t, namespace, pod, "app")
				stream.WaitEnd(t, harness.PodEnd)

				lost, repeated, report := missing(stream.Texts(), "farewell ", 1000)
				t.Logf("%s: lost %d, repeated %d, the pod was gone %.1f s after the app's end", mode, lost, repeated, gone.Sub(ended).Seconds())
				assert.Zero(t, lost+repeated, report)
				return gone.Sub(ended)
			})
		})
	}
}

// deletePod deletes a pod and returns when one of its containers ended and when the pod was gone. The container's end
// has a resolution of one second and counts as its beginning, which never flatters the difference.
func deletePod(t testing.TB, namespace *harness.Namespace, pod corev1.Pod, container string) (ended, gone time.Time) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), harness.PodEnd)
	defer cancel()
	pods := namespace.Client.CoreV1().Pods(namespace.Name)
	found, err := pods.Get(ctx, pod.Name, metav1.GetOptions{})
	require.NoError(t, err)
	events := namespace.Watch(ctx, pods.Watch, "metadata.name="+pod.Name, found.ResourceVersion)
	require.NoError(t, pods.Delete(ctx, pod.Name, metav1.DeleteOptions{}))
	for event := range events {
		seen, isPod := event.Object.(*corev1.Pod)
		require.True(t, isPod, "watching: %v", apierrors.FromObject(event.Object))
		if terminated := harness.Status(t, *seen, container).State.Terminated; terminated != nil {
			ended = terminated.FinishedAt.Time
		}
		if event.Type == "DELETED" {
			require.False(t, ended.IsZero(), "the end of %s was seen", container)
			return ended, time.Now()
		}
	}
	require.Fail(t, "the pod is still there", "after %s", harness.PodEnd)
	return ended, gone
}

func TestRotationByRenameLosesAndRepeatsNothing(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	namespace.Install("demo", harness.Consumer(t).Write(t), restrictedApp(`
trap 'exit 0' TERM
cd /logs
number=0
while [ $number -lt 100000 ]; do
  number=$((number + 1))
  echo "line $number" >> app.log
  if [ $((number % 16667)) = 0 ]; then
    for kept in 4 3 2 1; do [ ! -e app.log.$kept ] || mv app.log.$kept app.log.$((kept + 1)); done
    mv app.log app.log.1
  fi
done
echo end >> app.log`+serving))
	pod := namespace.ReadyPods(web, 1)[0]

	stream := namespace.Follow(pod.Name, "shipper")
	namespace.Eventually(harness.PodEnd, "the last line arrives", func() bool { _, found := stream.Find("end"); return found })

	lost, repeated, report := missing(stream.Texts(), "line ", 100_000)
	t.Logf("100,000 lines, 5 renames: lost %d, repeated %d", lost, repeated)
	assert.Zero(t, lost+repeated, report)
}

func TestRotationByCopytruncateLosesOnlyWhatTheRotatorLoses(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	namespace.Install("demo", harness.Consumer(t).Write(t), restrictedApp(`
trap 'exit 0' TERM
cd /logs
{
  # Another process rotates while the app writes, as logrotate does.
  for rotation in 1 2 3 4 5; do
    until [ -e written ] || [ $(( $(wc -c < app.log 2>/dev/null || echo 0) )) -ge 150000 ]; do :; done
    for kept in 4 3 2 1; do [ ! -e app.log.$kept ] || mv app.log.$kept app.log.$((kept + 1)); done
    cp app.log app.log.1
    : > app.log
  done
} &
number=0
while [ $number -lt 100000 ]; do number=$((number + 1)); echo "line $number" >> app.log; done
touch written
wait
echo end >> app.log
cat app.log.5 app.log.4 app.log.3 app.log.2 app.log.1 app.log`+serving))
	pod := namespace.ReadyPods(web, 1)[0]

	stream := namespace.Follow(pod.Name, "shipper")
	namespace.Eventually(harness.PodEnd, "the last line arrives", func() bool { _, found := stream.Find("end"); return found })
	namespace.Eventually(harness.LogLine, "the app has shown its files", func() bool {
		return strings.HasSuffix(namespace.Logs(pod.Name, "app"), "end\n")
	})

	onDisk := strings.Split(strings.TrimSpace(namespace.Logs(pod.Name, "app")), "\n")
	lostByRotator, _, _ := missing(onDisk, "line ", 100_000)
	lost, repeated, report := missing(stream.Texts(), "line ", 100_000)
	t.Logf("100,000 lines, 5 copytruncates: lost %d, repeated %d; the rotator itself lost %d", lost, repeated, lostByRotator)
	assert.LessOrEqual(t, lost, lostByRotator, report)
	assert.Zero(t, repeated, report)
}

func TestAKilledSidecarGoesOnWithoutTheAppAndRepeatsAtMostOneChunk(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	// The app can see the sidecar's processes, and kills them as nothing else in a pod could.
	values := strings.Replace(restrictedApp(`
trap 'exit 0' TERM
kill_sidecar() {
  for process in /proc/[0-9]*; do
    case $(tr '\0' ' ' < $process/cmdline) in "/bin/sh /outrigger/logshipper.sh "*) kill -KILL ${process#/proc/} ;; esac
  done
}
number=0
while [ $number -lt 60000 ]; do
  number=$((number + 1))
  echo "line $number" >> /logs/app.log
  [ $((number % 500)) != 0 ] || sleep 0.05
  [ $number != 30000 ] || kill_sidecar
done
echo end >> /logs/app.log`+serving), "    securityContext:", "    shareProcessNamespace: true\n    securityContext:", 1)
	namespace.Install("demo", harness.Consumer(t).Write(t), values)
	var pod corev1.Pod
	namespace.Eventually(harness.PodStart, "the sidecar is killed and starts again", func() bool {
		pods := namespace.Pods(web)
		if len(pods) != 1 || len(pods[0].Status.InitContainerStatuses) == 0 {
			return false
		}
		pod = pods[0]
		status := namespace.Status(pod, "shipper")
		return status.RestartCount == 1 && status.State.Running != nil
	})

	stream := namespace.Follow(pod.Name, "shipper")
	namespace.Eventually(harness.PodEnd, "the last line arrives", func() bool { _, found := stream.Find("end"); return found })

	before := strings.Split(namespace.Logs(pod.Name, "shipper", true), "\n")
	before = before[:len(before)-1] // what the kill cut off has no newline
	lost, repeated, report := missing(append(before, stream.Texts()...), "line ", 60_000)
	t.Logf("killed in mid-stream: lost %d, repeated %d of 60,000 lines", lost, repeated)
	assert.Zero(t, lost, report)
	assert.LessOrEqual(t, repeated*len("line 30000\n"), 256<<10, "repeats are at most one chunk")
	assert.Zero(t, harness.Status(t, namespace.Pods(web)[0], "app").RestartCount, "the app's restarts")
	assert.EqualValues(t, 137, harness.Status(t, pod, "shipper").LastTerminationState.Terminated.ExitCode)
}

func TestAFileThatCannotBeReadIsNamedInTheSidecarsLog(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	values := restrictedApp(`
trap 'exit 0' TERM
echo secret > /logs/app.log
chmod 0600 /logs/app.log
` + serving)
	values = strings.Replace(values, "to: {stdout: {}}}", "to: {stdout: {}}, securityContext: {runAsUser: 2000, runAsGroup: 2000}}", 1)
	namespace.Install("demo", harness.Consumer(t).Write(t), values)
	pod := namespace.ReadyPods(web, 1)[0]

	stream := namespace.Follow(pod.Name, "shipper")

	namespace.Eventually(harness.LogLine, "the file and the user are named", func() bool {
		return slices.ContainsFunc(stream.Texts(), func(line string) bool {
			return strings.Contains(line, "/logs/app.log") && strings.Contains(line, "2000")
		})
	})
}

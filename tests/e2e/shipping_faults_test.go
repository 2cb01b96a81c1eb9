package e2e

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestWhatAPodCouldNotSendItsSuccessorOnThePersistentVolumeSends(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.Backend()
	chart := harness.LoadChart(t, filepath.Join(harness.Root(), "charts/logging-app")).Write(t)
	namespace.Install("demo", chart, "replicaCount: 1\noutrigger: {logshippers: {logshipper: {to: {otlphttp: {endpoint: "+receiver.Endpoint()+"}}}}}",
		"values-otlp.yaml", "values-persistent.yaml")
	pod := namespace.ReadyPods("app.kubernetes.io/component=app", 1)[0]
	arrived(namespace, receiver, "logging")
	receiver.Pause()
	namespace.Exec(pod.Name, "app", "sh", "-c", numbered(1, 2000, "/opt/logs.txt"))
	stream := namespace.Follow(pod.Name, "logshipper")

	namespace.DeletePod(pod.Name)
	stream.WaitEnd(t, harness.PodEnd)
	receiver.Resume()

	_, repeated := delivered(t, namespace, receiver, 2000, harness.PodStart)
	t.Logf("2,000 lines, the pod replaced while the backend was down: lost 0, repeated %d", repeated)
	assert.NotEqual(t, pod.UID, namespace.ReadyPods("app.kubernetes.io/component=app", 1)[0].UID)
	assert.True(t, contains(stream.Texts(), "outrigger: not delivered: ", "kept on the volume data, and sent by the next pod that has it"), strings.Join(stream.Texts(), "\n"))
	assert.Zero(t, repeated)
}

func TestPodsOfOneDeploymentShipWithoutGettingInEachOthersWay(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.Backend()
	namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp("trap 'exit 0' TERM\nseq 1 2000 | sed \"s/^/$(hostname) /\" >> /logs/app.log"+serving, receiver.Endpoint()))
	namespace.Scale("web", 5)

	pods := namespace.ReadyPods(web, 5)

	repeated := 0
	for _, pod := range pods {
		namespace.Eventually(harness.LogLine, "the lines of "+pod.Name+" arrive", func() bool { return receiver.Report(pod.Name, 2000).Lost == 0 })
		repeated += receiver.Report(pod.Name, 2000).Repeated
		assert.Zero(t, harness.Status(t, pod, "shipper").RestartCount)
	}
	t.Logf("5 pods of 2,000 lines: lost 0, repeated %d", repeated)
	assert.Zero(t, repeated)
}

func TestAFullVolumeStopsTheAppsWritesAloneAndIsDrained(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.Backend()
	values := strings.Replace(shippingApp(`
trap 'exit 0' TERM
number=0
while echo "line $((number + 1)) $(printf '%0100d' 0)" >> /logs/app.log; do number=$((number + 1)); done
echo "full after $number"`+serving, receiver.Endpoint()), "logs: {mountPath: /logs}", "logs: {mountPath: /logs, medium: Memory, size: 1Mi}", 1)
	namespace.Install("demo", harness.Consumer(t).Write(t), values)
	pod := namespace.ReadyPods(web, 1)[0]
	stream := namespace.Follow(pod.Name, "app")
	namespace.Eventually(harness.LogLine, "the volume is full", func() bool { return contains(stream.Texts(), "full after") })
	number := 0
	for _, line := range stream.Texts() {
		_, _ = fmt.Sscanf(line, "full after %d", &number)
	}

	_, repeated := delivered(t, namespace, receiver, number, harness.LogLine)

	pod = namespace.Pods(web)[0]
	t.Logf("%d lines until the volume was full: lost 0, repeated %d", number, repeated)
	assert.Zero(t, repeated)
	assert.True(t, contains(stream.Texts(), "No space left on device"))
	assert.Zero(t, harness.Status(t, pod, "shipper").RestartCount)
	assert.Equal(t, corev1.PodRunning, pod.Status.Phase)
}

func TestTheShipperWarnsBeforeTheKubeletEvictsForAFullVolume(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	values := strings.Replace(shippingApp("trap 'exit 0' TERM\ndd if=/dev/zero of=/logs/other bs=1k count=900 2>/dev/null"+serving, "http://backend:4318"),
		"logs: {mountPath: /logs}", "logs: {mountPath: /logs, size: 1Mi}", 1)
	namespace.Install("demo", harness.Consumer(t).Write(t), values)
	stream := namespace.Follow(namespace.ReadyPods(web, 1)[0].Name, "shipper")

	namespace.Eventually(harness.LogLine, "the log warns", func() bool {
		return contains(stream.Texts(), "outrigger: warning: /logs holds ", "of at most 1048576")
	})
}

func TestRenamesBetweenTwoLooksAndReusedInodesLoseNothing(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.Backend()
	namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp(`
trap 'exit 0' TERM
cd /logs
number=0
seen() { # until the shipper has read as many lines
  until wget -q -O - http://127.0.0.1:8888/metrics | grep -q "^otelcol_processor_incoming_items.*processor=\"resource\".* $number\$"; do sleep 0.1; done
}
while [ $number -lt 60 ]; do
  # Two renames at once, with a line or more between.
  for line in 1 2 3; do number=$((number + 1)); echo "line $number" >> app.log; done
  mv app.log app.log.1; echo "line $((number += 1))" >> app.log
  mv app.log.1 app.log.2; mv app.log app.log.1; echo "line $((number += 1))" >> app.log
  seen
  # A file that goes, and another that comes with its inode: under a name which is not shipped, as a file of another pod
  # could take an inode that is free.
  mv app.log.2 gone; sleep 1
  echo "line $((number += 1))" > gone; mv gone app.log.7
  mv app.log app.log.3; mv app.log.7 app.log.4; mv app.log.1 app.log.5; seen; rm app.log.3 app.log.4 app.log.5
done
echo "written $number"`+serving, receiver.Endpoint()))
	stream := namespace.Follow(namespace.ReadyPods(web, 1)[0].Name, "app")
	namespace.Eventually(3*time.Minute, "the app has written all", func() bool { return contains(stream.Texts(), "written 60") })

	_, repeated := delivered(t, namespace, receiver, 60, harness.LogLine)

	assert.Zero(t, repeated)
}

func TestWhatABackendRefusesForGoodIsDroppedCountedAndNotTakenForDelivered(t *testing.T) {
	harness.Facts(t)
	for _, code := range []string{"401", "500"} {
		t.Run(code, func(t *testing.T) {
			harness.Facts(t)
			namespace := harness.NewNamespace(t, harness.Restricted)
			receiver := namespace.Backend()
			receiver.Behave("mode=status&code=" + code)
			namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp("trap 'exit 0' TERM\n"+numbered(1, 1000, "/logs/app.log")+serving, receiver.Endpoint()))
			pod := namespace.ReadyPods(web, 1)[0]
			stream := namespace.Follow(pod.Name, "shipper")
			namespace.Eventually(harness.LogLine, "the log says that the lines are dropped", func() bool {
				said := 0
				for _, line := range stream.Texts() {
					if _, items, dropped := strings.Cut(line, `"dropped_items": `); dropped && strings.Contains(line, code) {
						count, _ := strconv.Atoi(items[:strings.IndexAny(items, ",}")])
						said += count
					}
				}
				return said == 1000
			})

			metrics := namespace.Exec(pod.Name, "shipper", "/outrigger-tools/busybox", "wget", "-q", "-O", "-", "http://127.0.0.1:8888/metrics")
			deletePod(t, namespace, pod, "app")

			stream.WaitEnd(t, harness.PodEnd)
			assert.Regexp(t, `otelcol_exporter_send_failed_log_records\{.*\} 1000\n`, metrics)
			assert.True(t, contains(stream.Texts(), "outrigger: lost: 1000 log records that the backend refused"), strings.Join(stream.Texts(), "\n"))
			assert.False(t, contains(stream.Texts(), "outrigger: everything is delivered"), strings.Join(stream.Texts(), "\n"))
		})
	}
}

func TestPipesAndLinksToTheAppsOutputHoldUpNeitherTheShippingNorTheEnd(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.Backend()
	namespace.Install("demo", harness.Consumer(t).Write(t), strings.Replace(shippingApp(`
trap 'exit 0' TERM
ln -s /dev/stdout /logs/access.log
mkfifo /logs/pipe.log
`+numbered(1, 1000, "/logs/app.log")+serving, receiver.Endpoint()), "files: [/logs/app.log]", `files: ["/logs/*.log"]`, 1))
	pod := namespace.ReadyPods(web, 1)[0]
	stream := namespace.Follow(pod.Name, "shipper")
	namespace.Eventually(harness.LogLine, "what is no regular file is named", func() bool {
		return contains(stream.Texts(), "/logs/access.log is no regular file") && contains(stream.Texts(), "/logs/pipe.log is no regular file")
	})

	_, repeated := delivered(t, namespace, receiver, 1000, harness.LogLine)
	deletePod(t, namespace, pod, "app")

	stream.WaitEnd(t, harness.PodEnd)
	assert.Zero(t, repeated)
	// It says so only where nothing is left to wait for: who would write to the pipe is not.
	assert.True(t, contains(stream.Texts(), "outrigger: everything is delivered"), strings.Join(stream.Texts(), "\n"))
}

func TestFilesOfAnAppThatKeepsThemOpenAreRotatedAndNothingIsLost(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.Backend()
	// What is written at the very moment of the truncation is lost, so the app waits for it.
	namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp(`
trap 'exit 0' TERM
exec 3>&1 >> /logs/app.log
for rotation in 0 1 2; do
  seq $((rotation * 2000 + 1)) $((rotation * 2000 + 2000)) | sed 's/^/line /'
  until [ $(stat -c %s /logs/app.log) = 0 ]; do sleep 0.1; done
done
ls /logs >&3`+serving, receiver.Endpoint(), "rotate: {maxSize: 10Ki, keep: 2}"))
	stream := namespace.Follow(namespace.ReadyPods(web, 1)[0].Name, "app")

	_, repeated := delivered(t, namespace, receiver, 6000, harness.PodStart)

	namespace.Eventually(harness.LogLine, "the files are listed", func() bool { return len(stream.Texts()) >= 3 })
	assert.Equal(t, []string{"app.log", "app.log.1", "app.log.2"}, stream.Texts())
	t.Logf("6,000 lines, three rotations: lost 0, repeated %d", repeated)
	assert.Zero(t, repeated)
}

func TestACopytruncateLosesNoMoreAtABackendThanTheRotatorLoses(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.Backend()
	namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp(`
trap 'exit 0' TERM
cd /logs
{
  for rotation in 1 2 3; do
    until [ -e written ] || [ $(( $(wc -c < app.log 2>/dev/null || echo 0) )) -ge 150000 ]; do sleep 0.05; done
    for kept in 2 1; do [ ! -e app.log.$kept ] || mv app.log.$kept app.log.$((kept + 1)); done
    cp app.log app.log.1
    : > app.log
    sleep 1
  done
} &
number=0
while [ $number -lt 60000 ]; do number=$((number + 1)); echo "line $number" >> app.log; [ $((number % 200)) != 0 ] || sleep 0.02; done
touch written
wait
echo "on disk $(cat app.log* | wc -l)"`+serving, receiver.Endpoint()))
	stream := namespace.Follow(namespace.ReadyPods(web, 1)[0].Name, "app")
	namespace.Eventually(harness.PodStart, "the app has written all", func() bool { return contains(stream.Texts(), "on disk") })
	onDisk := 0
	for _, line := range stream.Texts() {
		_, _ = fmt.Sscanf(line, "on disk %d", &onDisk)
	}

	namespace.Eventually(harness.LogLine, "what is on disk arrives", func() bool { return receiver.Counts().Logs >= onDisk })

	report := receiver.Report("line", 60_000)
	t.Logf("60,000 lines, 3 copytruncates: lost %d, repeated %d; the rotator itself lost %d", report.Lost, report.Repeated, 60_000-onDisk)
	assert.LessOrEqual(t, report.Lost, 60_000-onDisk)
	assert.Zero(t, report.Repeated)
}

func TestWhatAFullQueueDropsByChoiceIsCounted(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.Backend()
	receiver.Pause()
	namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp("trap 'exit 0' TERM\n"+numbered(1, 50_000, "/logs/app.log")+serving, receiver.Endpoint(),
		"queue: {size: 256Ki, whenFull: drop}"))
	pod := namespace.ReadyPods(web, 1)[0]
	dropped, all := 0, false
	namespace.Eventually(harness.LogLine, "the queue is full and all is read", func() bool {
		metrics := namespace.Exec(pod.Name, "shipper", "/outrigger-tools/busybox", "wget", "-q", "-O", "-", "http://127.0.0.1:8888/metrics")
		read := 0
		for _, line := range strings.Split(metrics, "\n") {
			switch value := int(number(line)); {
			case strings.HasPrefix(line, "otelcol_exporter_enqueue_failed_log_records"):
				dropped = value
			case strings.HasPrefix(line, "otelcol_processor_incoming_items") && strings.Contains(line, `processor="resource"`):
				read = value
			}
		}
		// What is read is counted before it is dropped: so what is dropped is looked at once more.
		before := all
		all = read == 50_000
		return before && all
	})

	receiver.Resume()

	require.Positive(t, dropped)
	namespace.Eventually(harness.LogLine, "what is not counted as dropped arrives", func() bool {
		return receiver.Report("line", 50_000).Received == 50_000-dropped
	})
	t.Logf("a queue of 256Ki, 50,000 lines: %d dropped and counted, the rest arrived", dropped)
}

// number returns the value of a metric's line.
func number(line string) float64 {
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return 0
	}
	value, _ := strconv.ParseFloat(fields[len(fields)-1], 64)
	return value
}

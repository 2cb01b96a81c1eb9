package restart

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// values are those of a pod whose containers print the node's uptime when they begin and when they end. Its own init
// container `migrate` is between the library's.
const values = `
pod:
  metadata: {labels: {app: web}}
  spec:
    terminationGracePeriodSeconds: 5
    securityContext: {runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, seccompProfile: {type: RuntimeDefault}}
    initContainers:
      - name: migrate
        image: &image docker.io/library/busybox:1.37.0-musl
        securityContext: &restricted {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        command: &once [sh, -c, "cat /proc/uptime; sleep 0.2; cat /proc/uptime"]
    containers:
      - name: app
        image: *image
        securityContext: *restricted
        command: &stays [sh, -c, "cat /proc/uptime; trap 'exit 0' TERM; while true; do sleep 1 & wait $!; done"]
outrigger:
  volumes: {shared: {mountPath: /shared}}
  containers:
    prepare: {image: *image, command: *once, kind: init, order: 1}
    proxy:
      image: *image
      order: 2
      command: [sh, -c, "rm -f /shared/up; cat /proc/uptime; trap 'exit 0' TERM; sleep 1; touch /shared/up; while true; do sleep 1 & wait $!; done"]
      volumeMounts: [{name: shared}]
      startupProbe: {exec: {command: [test, -e, /shared/up]}, periodSeconds: 1, failureThreshold: 60}
    agent: {image: *image, command: *stays, afterInit: true}
`

// order is the order in which the pod's containers must start.
var order = []string{"prepare", "proxy", "migrate", "agent", "app"}

// upstream: test/e2e_node/container_lifecycle_test.go, "A node running restartable init containers reboots".
const restartableInitContainers = "should restart the containers in right order after the node reboot"

func startInOrder(t *testing.T, namespace *harness.Namespace) func(*testing.T, *harness.Namespace) {
	namespace.Install("demo", harness.Consumer(t).Write(t), values)
	before := namespace.ReadyPods("app=web", 1)[0]
	first := startsInOrder(t, namespace, before)

	return func(t *testing.T, namespace *harness.Namespace) {
		after := startedAgain(t, namespace, before, order)
		assert.Greater(t, startsInOrder(t, namespace, after), first, "what was seen is from after the restart")
	}
}

// startedAgain waits until containers of a pod have started again and the pod is ready, and returns it.
func startedAgain(t *testing.T, namespace *harness.Namespace, before corev1.Pod, containers []string) (after corev1.Pod) {
	t.Helper()
	namespace.Eventually(harness.PodStart, "every container has started again and the pod is ready", func() bool {
		pod, found := namespace.Pod(namespace.T(), before.Name)
		after = pod
		if !found || pod.Status.Phase != corev1.PodRunning {
			return false
		}
		for _, name := range containers {
			status := harness.Status(namespace.T(), pod, name)
			if status.RestartCount == harness.Status(namespace.T(), before, name).RestartCount || !status.Ready {
				return false
			}
		}
		return true
	})
	assert.Equal(t, before.UID, after.UID, "it is the same pod")
	return after
}

// startsInOrder asserts that the containers' present instances have started in order, that those that run once had
// ended before the next one started, and that the sidecar with a startup probe had passed it. It returns the first
// start.
func startsInOrder(t *testing.T, namespace *harness.Namespace, pod corev1.Pod) float64 {
	t.Helper()
	var first, last float64
	var previous string
	for _, name := range order {
		var lines []string
		namespace.Eventually(harness.LogLine, name+" says when it started", func() bool {
			lines = strings.Split(strings.TrimSpace(namespace.Logs(pod.Name, name)), "\n")
			return lines[0] != ""
		})
		began, ended := uptime(t, lines[0]), uptime(t, lines[len(lines)-1])
		if name == "proxy" {
			ended += 1 // its startup probe passes no sooner
		}
		if first == 0 {
			first = began
		}
		assert.Greater(t, began, last, "%s starts after %s", name, previous)
		previous, last = name, ended
	}
	return first
}

func uptime(t *testing.T, line string) float64 {
	t.Helper()
	seconds, err := strconv.ParseFloat(strings.Fields(line + " none")[0], 64)
	require.NoError(t, err, "uptime in %q", line)
	return seconds
}

func linesThatWaitArrive(t *testing.T, namespace *harness.Namespace) func(*testing.T, *harness.Namespace) {
	backend := namespace.OwnBackend()
	backend.Pause()
	namespace.Install("demo", harness.Consumer(t).Write(t), `
pod:
  metadata: {labels: {app: web}}
  spec:
    securityContext: {runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, seccompProfile: {type: RuntimeDefault}}
    containers:
      - name: app
        image: docker.io/library/busybox:1.37.0-musl
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        command:
          - sh
          - -c
          - |
            trap 'exit 0' TERM
            [ -e /logs/written ] || { seq 1 20000 | sed 's/^/line /' >> /logs/app.log; touch /logs/written; }
            while true; do sleep 1 & wait $!; done
outrigger:
  volumes: {logs: {mountPath: /logs}}
  logshippers: {shipper: {files: [/logs/app.log], to: {otlphttp: {endpoint: "`+backend.Endpoint()+`"}}}}
`)
	pod := namespace.ReadyPods("app=web", 1)[0]
	namespace.Eventually(harness.LogLine, "the lines wait in the queue", func() bool {
		return strings.Contains(namespace.Logs(pod.Name, "shipper"), "connection refused")
	})
	require.Zero(t, backend.Counts().Logs)

	return func(t *testing.T, namespace *harness.Namespace) {
		backend := backend.As(t)
		// The backend begins anew with the node, and takes requests again.
		namespace.Eventually(harness.PodStart, "all lines arrive", func() bool {
			after, found := namespace.Pod(namespace.T(), "backend")
			return found && after.Status.Phase == corev1.PodRunning && after.Status.ContainerStatuses[0].RestartCount > 0 &&
				after.Status.ContainerStatuses[0].Ready && backend.Report("line", 20_000).Lost == 0
		})
		report := backend.Report("line", 20_000)
		t.Logf("20,000 lines over a restart of the node: lost %d, repeated %d", report.Lost, report.Repeated)
		assert.LessOrEqual(t, report.Repeated, 20_000)
	}
}

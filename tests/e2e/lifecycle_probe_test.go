package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

const probing = "Probing restartable init container/"

// serves is the script of a sidecar that answers HTTP on port 8080: /healthz while /shared/www has it, and what is in
// the CGI script of a test.
func serves(cgi string) string {
	return `
mkdir -p /shared/www/cgi-bin; echo ok >/shared/www/healthz
cat >/shared/www/cgi-bin/hear <<'CGI'
#!/bin/sh
` + cgi + `
CGI
chmod +x /shared/www/cgi-bin/hear
httpd -f -p 8080 -h /shared/www & server=$!
trap 'say heard SIGTERM; kill $server; exit 0' TERM
wait $server
`
}

// probed tells of one sidecar with probes beside an app that stays.
func probed(t testing.TB, script, fields string) *telling {
	t.Helper()
	return tell(t, story{
		beside: []container{{name: "proxy", script: script, fields: fields}},
		app:    container{script: stays},
	})
}

// startedAgain tells of a sidecar whose liveness or startup probe fails, so that it starts again, and alone.
func startedAgain(t testing.TB, script, fields string) *telling {
	t.Helper()
	s := probed(t, script, fields)
	pod := s.restarts("proxy", 1)
	s.neverRestarts(pod, "app")
	return s
}

// probeCases are those of test/e2e/common/node/container_probe.go, and those on probes of
// test/e2e_node/container_lifecycle_test.go.
var probeCases = []upstream{
	{probing + "with readiness probe should not be ready before initial delay and never restart", func(t *testing.T) {
		s := probed(t, stays, "readinessProbe: "+`{exec: {command: ["true"]}, initialDelaySeconds: 5, periodSeconds: 1}`)
		pod := s.ready()
		assert.GreaterOrEqual(t, readySince(pod).Sub(s.status(pod, "proxy").State.Running.StartedAt.Time), 4*time.Second)
		s.neverRestarts(pod, "proxy", "app")
	}},
	{probing + "with readiness probe that fails should never be ready and never restart", func(t *testing.T) {
		s := probed(t, stays, "readinessProbe: "+periodic(saying("probed", "false")))
		s.runs("app")
		pod := s.says("proxy probed", 4)
		assert.False(t, s.isReady(pod, "proxy"))
		assert.True(t, s.isReady(pod, "app"))
		assert.False(t, podIs(pod, corev1.PodReady), "a sidecar that is not ready keeps its pod from being ready")
		s.neverRestarts(pod, "proxy", "app")
	}},
	{probing + `should be restarted with a exec "cat /tmp/health" liveness probe`, func(t *testing.T) {
		s := probed(t, "touch /shared/health; stay", `{startupProbe: {exec: {command: [cat, /shared/health]}, periodSeconds: 1, failureThreshold: 600}, livenessProbe: {exec: {command: [cat, /shared/health]}, periodSeconds: 1, failureThreshold: 1}}`)
		s.neverRestarts(s.ready(), "proxy")
		s.sh("app", "rm /shared/health")
		s.neverRestarts(s.restarts("proxy", 1), "app")
	}},
	{probing + `should *not* be restarted with a exec "cat /tmp/health" liveness probe`, func(t *testing.T) {
		s := probed(t, "touch /shared/health; stay", "livenessProbe: "+periodic(saying("probed", "cat /shared/health")))
		s.neverRestarts(s.says("proxy probed", 4), "proxy", "app")
	}},
	{probing + "should be restarted with a /healthz http liveness probe", func(t *testing.T) {
		s := probed(t, serves(""), "livenessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1, failureThreshold: 2}")
		s.neverRestarts(s.ready(), "proxy")
		s.sh("app", "rm /shared/www/healthz")
		s.neverRestarts(s.restarts("proxy", 1), "app")
	}},
	{probing + "should *not* be restarted with a /healthz http liveness probe", func(t *testing.T) {
		s := probed(t, serves(`echo "$(cut -d' ' -f1 /proc/uptime) probed" >/proc/1/fd/1; printf 'Content-Type: text/plain\r\n\r\nok'`),
			"{livenessProbe: {httpGet: {path: /cgi-bin/hear, port: 8080}, periodSeconds: 1, failureThreshold: 2, timeoutSeconds: 5}}")
		s.neverRestarts(s.says("proxy probed", 4), "proxy", "app")
	}},
	{probing + "should *not* be restarted with a tcp:8080 liveness probe", func(t *testing.T) {
		s := probed(t, "while nc -l -p 8080 </dev/null; do say probed; done & wait $!",
			"livenessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1, failureThreshold: 2}")
		s.neverRestarts(s.says("proxy probed", 4), "proxy", "app")
	}},
	{probing + "should be restarted with a tcp liveness probe of a port that nothing listens on", func(t *testing.T) {
		startedAgain(t, stays, "livenessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1, failureThreshold: 1}")
	}},
	{probing + "should be restarted with an exec liveness probe with timeout", func(t *testing.T) {
		startedAgain(t, stays, "livenessProbe: "+impatient(running("sleep 1000")))
	}},
	{probing + "should not be ready with an exec readiness probe timeout", func(t *testing.T) {
		s := probed(t, stays, "readinessProbe: "+impatient(saying("probed", "sleep 1000")))
		pod := s.says("proxy probed", 3)
		assert.False(t, s.isReady(pod, "proxy"))
		s.neverRestarts(pod, "proxy")
	}},
	{probing + "should be restarted with a failing exec liveness probe that took longer than the timeout", func(t *testing.T) {
		startedAgain(t, stays, "livenessProbe: "+impatient(running("sleep 3; exit 1")))
	}},
	{probing + "should be restarted with a local redirect http liveness probe", func(t *testing.T) {
		startedAgain(t, serves(`printf 'Status: 302 Found\r\nLocation: /missing\r\n\r\n'`),
			"livenessProbe: {httpGet: {path: /cgi-bin/hear, port: 8080}, periodSeconds: 1, failureThreshold: 2}")
	}},
	{probing + "should *not* be restarted with a non-local redirect http liveness probe", func(t *testing.T) {
		s := probed(t, serves(`printf 'Status: 302 Found\r\nLocation: http://elsewhere.invalid/\r\n\r\n'`),
			"livenessProbe: {httpGet: {path: /cgi-bin/hear, port: 8080}, periodSeconds: 1, failureThreshold: 2}")
		s.namespace.Eventually(harness.LogLine, "the kubelet warns of the redirect", func() bool { return s.warned("ProbeWarning") })
		s.neverRestarts(s.pod(), "proxy", "app")
	}},
	{probing + "should be restarted startup probe fails", func(t *testing.T) {
		s := startedAgain(t, stays, "{startupProbe: {exec: {command: ['false']}, periodSeconds: 1, failureThreshold: 2}, livenessProbe: {exec: {command: ['true']}, periodSeconds: 1}}")
		assert.True(t, s.neverBegan(s.pod(), "app"))
	}},
	{probing + "should *not* be restarted by liveness probe because startup probe delays it", func(t *testing.T) {
		s := probed(t, stays, "{startupProbe: {exec: {command: [sh, -c, 'echo x >>/shared/probed; false']}, periodSeconds: 1, failureThreshold: 600}, livenessProbe: {exec: {command: ['false']}, periodSeconds: 1, failureThreshold: 1}}")
		s.runs("proxy")
		s.namespace.Eventually(harness.PodStart, "it is probed", func() bool { return strings.Count(s.sh("proxy", "cat /shared/probed || true"), "x") > 3 })
		pod := s.pod()
		s.neverRestarts(pod, "proxy")
		assert.False(t, s.hasStarted(pod, "proxy"))
	}},
	{probing + "should be restarted by liveness probe after startup probe enables it", func(t *testing.T) {
		s := probed(t, stays, "{startupProbe: {exec: {command: [test, -e, /shared/up]}, periodSeconds: 1, failureThreshold: 600}, livenessProbe: {exec: {command: ['false']}, periodSeconds: 1, failureThreshold: 1}}")
		s.neverRestarts(s.runs("proxy"), "proxy")
		s.touch("proxy", "/shared/up")
		s.neverRestarts(s.restarts("proxy", 1), "app")
	}},
	{probing + "should be ready immediately after startupProbe succeeds", func(t *testing.T) {
		s := probed(t, "sleep 2; touch /shared/up; stay", "{startupProbe: {exec: {command: [test, -e, /shared/up]}, periodSeconds: 1, failureThreshold: 600}, readinessProbe: {exec: {command: ['true']}, periodSeconds: 3600}}")
		s.ready() // long before the probe's next turn
	}},
	{probing + "should mark readiness on pods to false and disable liveness probes while pod is in progress of terminating", func(t *testing.T) {
		// Kubernetes 1.36 shows a sidecar's readiness only when it has ended, so that is all that is asked of it here.
		const well = "{exec: {command: [test, '!', -e, /shared/unwell]}, periodSeconds: 1, failureThreshold: 1}"
		s := probed(t, "trap 'touch /shared/unwell; sleep 4; exit 0' TERM; stay", "{readinessProbe: "+well+", livenessProbe: "+well+"}")
		s.ready()
		pod := s.isDeleted()
		assert.False(t, podIs(pod, corev1.PodReady))
		s.neverRestarts(pod, "proxy")
		s.exits(pod, "proxy", 0)
		assert.Greater(t, s.at(pod, "proxy ended")-s.at(pod, "app ended"), 4.0, "seconds that the sidecar took, which nothing cut short")
	}},
	{"running restartable init containers with startup probes/should launch restartable init containers serially considering the startup probe", func(t *testing.T) {
		const up = `{exec: {command: [test, -e, /shared/%]}, periodSeconds: 1, failureThreshold: 600}`
		s := tell(t, story{
			beside: []container{
				{name: "proxy", script: "sleep 1; say up; touch /shared/proxy; stay", fields: "startupProbe: " + strings.ReplaceAll(up, "%", "proxy")},
				{name: "agent", script: "sleep 1; say up; touch /shared/agent; stay", fields: "startupProbe: " + strings.ReplaceAll(up, "%", "agent")},
			},
			app: container{script: "sleep 1"},
		})
		s.inOrder(s.endsAs(corev1.PodSucceeded), "proxy began", "proxy up", "agent began", "agent up", "app began")
	}},
	{"using a PreStop hook/should call the container's preStop hook and not launch next container if the restartable init container's startup probe fails", func(t *testing.T) {
		s := probed(t, stays, "{startupProbe: {exec: {command: ['false']}, periodSeconds: 1, failureThreshold: 1}, lifecycle: {preStop: "+saying("prepares", "sleep 0.5")+"}}")
		pod := s.restarts("proxy", 1)
		assert.Equal(t, corev1.PodPending, pod.Status.Phase)
		s.inOrder(pod, "proxy began", "proxy prepares", "proxy heard SIGTERM", "proxy ended")
		assert.True(t, s.neverBegan(pod, "app"))
	}},
	{"running restartable init containers with liveness probes/should call the container's preStop hook and start the next container if the restartable init container's liveness probe fails", func(t *testing.T) {
		s := tell(t, story{
			beside: []container{
				{name: "proxy", script: stays, fields: "{livenessProbe: {exec: {command: [test, '!', -e, /shared/ill]}, periodSeconds: 1, failureThreshold: 1}, lifecycle: {preStop: " + saying("prepares", "rm /shared/ill; sleep 0.5") + "}}"},
				{name: "agent", script: stays},
			},
			app: container{script: "touch /shared/ill; stay"},
		})
		pod := s.restarts("proxy", 1)
		s.inOrder(pod, "app began", "proxy prepares", "proxy heard SIGTERM", "proxy ended")
		s.neverRestarts(pod, "app", "agent")
		assert.NotNil(t, s.status(pod, "app").State.Running)
	}},
}

// readySince returns when the pod became ready.
func readySince(pod corev1.Pod) time.Time {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.LastTransitionTime.Time
		}
	}
	return time.Time{}
}

// periodic makes a handler a probe that looks every second and fails at the third failure.
func periodic(handler string) string {
	return strings.TrimSuffix(handler, "}") + ", periodSeconds: 1, failureThreshold: 3}"
}

// impatient is periodic, and a look that takes longer than a second is a failure too.
func impatient(handler string) string {
	return strings.TrimSuffix(periodic(handler), "}") + ", timeoutSeconds: 1}"
}

// warned tells whether there is an event with a reason.
func (s *telling) warned(reason string) bool {
	s.t.Helper()
	events, err := s.namespace.Client.CoreV1().Events(s.namespace.Name).List(context.Background(), metav1.ListOptions{FieldSelector: "reason=" + reason})
	return err == nil && len(events.Items) > 0
}

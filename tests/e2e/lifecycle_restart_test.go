package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
)

// restartCases are those of test/e2e_node/container_lifecycle_test.go on sidecars that end while the pod runs.
var restartCases = append(exitCases(0, 1), perPolicy("a restartable init container runs continuously", "should not restart a restartable init container", func(t *testing.T, policy string) {
	s := tell(t, story{
		policy: policy,
		beside: []container{{name: "proxy", script: stays}},
		app:    container{script: "sleep 1"},
	})
	var pod corev1.Pod
	if policy == "Always" {
		pod = s.restarts("app", 1)
		assert.NotNil(t, s.status(pod, "proxy").State.Running)
	} else {
		pod = s.endsAs(corev1.PodSucceeded)
		s.inOrder(pod, "proxy began", "app ended", "proxy heard SIGTERM")
		s.exits(pod, "proxy", 0)
	}
	s.neverRestarts(pod, "proxy")
})...)

func exitCases(codes ...int) []upstream {
	var all []upstream
	for _, code := range codes {
		about := fmt.Sprintf("a restartable init container starts and exits with exit code %d continuously", code)
		for _, policy := range policies {
			outcome := "should complete a Pod successfully and produce log"
			if policy == "Always" {
				outcome = "should keep running a Pod continuously and produce log"
			}
			all = append(all, upstream{about + "/restartPolicy=" + policy + "/" + outcome, func(t *testing.T) { exitsContinuously(t, policy, code) }})
		}
	}
	return all
}

// exitsContinuously tells of a sidecar that ends again and again: first while an init container waits for it to begin
// once more, then while the app does.
func exitsContinuously(t testing.TB, policy string, code int) {
	const sees = `touch /shared/%s; until [ $(wc -l </shared/begun) -ge %d ]; do sleep 0.1; done`
	app := fmt.Sprintf(sees, "app", 3)
	if policy == "Always" {
		app += "; say saw it; stay"
	}
	s := tell(t, story{
		policy: policy,
		beside: []container{
			{name: "steady", script: "touch /shared/begun; stay", fields: "startupProbe: {exec: {command: [test, -e, /shared/begun]}, periodSeconds: 1, failureThreshold: 60}"},
			{name: "flaky", script: fmt.Sprintf(`
echo begun >>/shared/begun
case $(wc -l </shared/begun) in 1) await /shared/gate ;; 2) await /shared/app ;; esac
exit %d`, code)},
			{name: "gate", script: fmt.Sprintf(sees, "gate", 2), fields: "kind: init"},
		},
		app: container{script: app},
	})
	s.restarts("flaky", 2)
	var pod corev1.Pod
	if policy == "Always" {
		pod = s.says("app saw it", 1)
	} else {
		pod = s.endsAs(corev1.PodSucceeded)
		s.exits(pod, "app", 0)
	}
	last := s.status(pod, "flaky").LastTerminationState.Terminated
	if assert.NotNil(t, last) {
		assert.EqualValues(t, code, last.ExitCode)
	}
	s.inOrder(pod, "steady began", "gate began", "gate ended", "app began")
	s.neverRestarts(pod, "steady", "gate", "app")
}

// slowCases are those that take longest, and so begin first.
var slowCases = []upstream{
	{"Probing restartable init container/should have monotonically increasing restart count", func(t *testing.T) {
		s := tell(t, story{
			beside: []container{{name: "proxy", script: stays, fields: "livenessProbe: {exec: {command: [test, -e, /shared/health]}, periodSeconds: 1, failureThreshold: 1}"}},
			app:    container{script: stays},
		})
		var counts []int32
		s.until("it restarts three times", func(pod corev1.Pod) bool {
			counts = append(counts, s.status(pod, "proxy").RestartCount)
			return counts[len(counts)-1] >= 3
		})
		assert.IsNonDecreasing(t, counts, "the restart count never falls")
		s.neverRestarts(s.pod(), "app")
	}},
	{"A restartable init container with startup probe fails initially/should continue probing and allow regular container to start after the restartable init container recovers", func(t *testing.T) {
		s := tell(t, story{
			beside: []container{{
				name:   "agent",
				script: "trap 'rm /shared/running; say heard SIGTERM; exit 0' TERM; [ -e /shared/second ] && touch /shared/up; touch /shared/second /shared/running; stay",
				fields: "startupProbe: {exec: {command: [sh, -c, 'until [ -e /shared/running ]; do sleep 0.1; done; test -e /shared/up']}, periodSeconds: 1, failureThreshold: 3}",
			}},
			app: container{script: "sleep 1"},
		})
		pod := s.endsAs(corev1.PodSucceeded)
		assert.EqualValues(t, 1, s.status(pod, "agent").RestartCount)
		s.inOrder(pod, "agent heard SIGTERM", "app began", "app ended")
		assert.Greater(t, s.at(pod, "app began")-s.at(pod, "agent began"), 2.0, "seconds that the probe held it back")
	}},
	{"the image is updated after the restartable init container's startup probe fails/should update the image when restartPolicy=Never", func(t *testing.T) {
		s := tell(t, story{beside: []container{
			{name: "proxy", script: stays},
			{name: "agent", script: stays, fields: "startupProbe: {exec: {command: ['false']}, periodSeconds: 1, failureThreshold: 1}"},
		}})
		s.restarts("agent", 1)
		s.setImage("agent", anotherImage)
		pod := s.until("agent has begun with its new image", func(pod corev1.Pod) bool {
			agent := s.status(pod, "agent")
			return agent.State.Running != nil && strings.Contains(agent.Image, "nginx")
		})
		assert.GreaterOrEqual(t, s.status(pod, "agent").RestartCount, int32(2))
		assert.True(t, s.neverBegan(pod, "app"))
		s.neverRestarts(pod, "proxy")
	}},
	{"Probing restartable init container/should override timeoutGracePeriodSeconds when LivenessProbe field is set", func(t *testing.T) {
		overridesGracePeriod(t, "livenessProbe")
	}},
	{"Probing restartable init container/should override timeoutGracePeriodSeconds when StartupProbe field is set", func(t *testing.T) {
		overridesGracePeriod(t, "startupProbe")
	}},
}

// overridesGracePeriod tells of a sidecar that ignores SIGTERM, of which a probe fails that gives it less time than
// the pod does.
func overridesGracePeriod(t testing.TB, probe string) {
	s := tell(t, story{
		grace: 500,
		beside: []container{{
			name:   "proxy",
			script: "trap '' TERM; touch /shared/deaf; stay",
			fields: probe + ": {exec: {command: [sh, -c, 'until [ -e /shared/deaf ]; do sleep 0.1; done; false']}, initialDelaySeconds: 3, periodSeconds: 1, failureThreshold: 1, terminationGracePeriodSeconds: 3}",
		}},
		app: container{script: stays},
	})
	pod := s.restarts("proxy", 1)
	last := s.status(pod, "proxy").LastTerminationState.Terminated
	assert.EqualValues(t, 137, last.ExitCode, "it was killed")
	assert.GreaterOrEqual(t, last.FinishedAt.Sub(last.StartedAt.Time), 5*time.Second, "3 s after its start at the earliest, which the probe's grace period put off by 3 s")
	// So that nothing waits for the pod's own grace period.
	s.namespace.DeletePod(s.name, 1)
}

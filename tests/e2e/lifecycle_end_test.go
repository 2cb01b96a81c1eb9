package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
)

const terminating = "A pod with restartable init containers is terminating/"

// Scripts of containers that do not end when they are told to.
const (
	deaf = "trap 'say heard SIGTERM' TERM; stay"
	slow = "trap 'say heard SIGTERM; sleep 1; exit 0' TERM; stay"
)

// three returns three sidecars with a script and fields.
func three(script, fields string) []container {
	return []container{
		{name: "third", script: script, fields: fields},
		{name: "second", script: script, fields: fields},
		{name: "first", script: script, fields: fields},
	}
}

// endCases are those of test/e2e_node/container_lifecycle_test.go on how a pod ends.
var endCases = append([]upstream{
	{terminating + "should terminate sidecars in reverse order after all main containers have exited", func(t *testing.T) {
		s := tell(t, story{beside: three(slow, ""), app: container{script: "sleep 1"}})
		pod := s.endsAs(corev1.PodSucceeded)
		s.inOrder(pod, "app ended", "first heard SIGTERM", "first ended", "second heard SIGTERM", "second ended", "third heard SIGTERM", "third ended")
		for _, name := range []string{"first", "second", "third"} {
			s.exits(pod, name, 0)
		}
	}},
	{terminating + "should terminate sidecars in reverse order when the pod is deleted", func(t *testing.T) {
		s := tell(t, story{beside: three(slow, ""), app: container{script: slow}})
		s.ready()
		pod := s.isDeleted()
		s.inOrder(pod, "app heard SIGTERM", "app ended", "first heard SIGTERM", "first ended", "second heard SIGTERM", "second ended", "third heard SIGTERM", "third ended")
		for _, name := range []string{"app", "first", "second", "third"} {
			s.exits(pod, name, 0)
		}
	}},
	{terminating + "should terminate sidecars simultaneously if prestop doesn't exit", func(t *testing.T) {
		s := tell(t, story{
			grace:  6,
			beside: three(deaf, "lifecycle: {preStop: "+saying("prepares", "while true; do say prepares on; sleep 0.2; done")+"}"),
			app:    container{script: "sleep 2"},
		})
		pod := s.endsAs(corev1.PodSucceeded)
		assert.EqualValues(t, 6, *pod.Spec.TerminationGracePeriodSeconds, "seconds until a preStop is killed")
		for _, name := range []string{"first", "second", "third"} {
			s.exits(pod, name, 137)
		}
		for _, name := range []string{"first", "second", "third"} {
			killed := s.last(pod, name+" prepares on")
			for _, other := range []string{"first", "second", "third"} {
				assert.Less(t, s.at(pod, other+" prepares"), killed, "%s had begun when %s was killed", other, name)
			}
		}
	}},
	{terminating + "should call sidecar container PreStop hook simultaneously", func(t *testing.T) {
		s := tell(t, story{
			// Each ends only when all have begun.
			beside: three(slow, "lifecycle: {preStop: "+saying("prepares", "echo >>/shared/begun; until [ $(wc -l </shared/begun) -ge 3 ]; do sleep 0.1; done; say prepared")+"}"),
			app:    container{script: slow},
		})
		s.ready()
		pod := s.isDeleted()
		s.inOrder(pod, "app ended", "first ended", "second ended", "third ended")
		for _, name := range []string{"first", "second", "third"} {
			s.exits(pod, name, 0)
			s.inOrder(pod, name+" prepares", name+" prepared", name+" heard SIGTERM")
		}
	}},
	{terminating + "should not hang in termination if terminated during initialization", func(t *testing.T) {
		s := tell(t, story{
			grace:  300,
			beside: []container{{name: "proxy", script: stays}, {name: "check", script: stays, fields: "kind: init"}, {name: "agent", script: stays}},
		})
		s.says("check began", 1)
		pod := s.isDeleted()
		s.exits(pod, "check", 0)
		s.exits(pod, "proxy", 0)
		assert.Empty(t, s.said(pod)["agent began"])
		assert.Empty(t, s.said(pod)["app began"])
	}},
	{terminating + "should terminate restartable init containers gracefully if there is a non-started restartable init container", func(t *testing.T) {
		s := tell(t, story{
			grace: 300,
			beside: []container{
				{name: "prepare", fields: "kind: init"},
				{name: "proxy", script: stays, fields: "startupProbe: {exec: {command: ['false']}, failureThreshold: 600}"},
				{name: "agent", script: stays},
			},
		})
		assert.False(t, s.hasStarted(s.says("proxy began", 1), "proxy"))
		pod := s.isDeleted()
		s.exits(pod, "proxy", 0)
		assert.Len(t, s.said(pod)["proxy heard SIGTERM"], 1)
		assert.Empty(t, s.said(pod)["agent began"])
	}},
	{terminating + "should mark pod as succeeded if any of the restartable init containers have terminated with non-zero exit code", func(t *testing.T) {
		s := tell(t, story{
			beside: []container{{name: "proxy", script: stays}, {name: "agent", script: "trap 'exit 5' TERM; stay"}},
			app:    container{script: "sleep 1"},
		})
		pod := s.endsAs(corev1.PodSucceeded)
		s.exits(pod, "agent", 5)
		s.exits(pod, "proxy", 0)
	}},
	{terminating + "should mark pod as succeeded if any of the restartable init containers have terminated with non-zero exit code by prestop hook", func(t *testing.T) {
		s := tell(t, story{
			beside: []container{
				{name: "proxy", script: stays},
				{name: "agent", script: "await /shared/done; exit 6", fields: "{preStopEnds: true, lifecycle: {preStop: " + saying("prepares", "touch /shared/done; sleep 2") + "}}"},
			},
			app: container{script: "sleep 1"},
		})
		pod := s.endsAs(corev1.PodSucceeded)
		s.exits(pod, "agent", 6)
		s.exits(pod, "proxy", 0)
		s.inOrder(pod, "app ended", "agent prepares", "agent ended")
	}},
	{terminating + "should mark pod as failed if regular container has exceeded its termination grace period seconds", func(t *testing.T) {
		s := tell(t, story{grace: 3, beside: three(stays, ""), app: container{script: deaf}})
		s.ready()
		pod := s.isDeleted()
		assert.Equal(t, corev1.PodFailed, pod.Status.Phase)
		s.exits(pod, "app", 137)
	}},
	{terminating + "should mark pod as succeeded if any of the restartable init containers have exceeded its termination grace period seconds", func(t *testing.T) {
		s := tell(t, story{
			grace:  3,
			beside: []container{{name: "proxy", script: stays}, {name: "agent", script: deaf}},
			app:    container{script: "sleep 1"},
		})
		pod := s.endsAs(corev1.PodSucceeded)
		s.exits(pod, "agent", 137)
		s.inOrder(pod, "app ended", "agent heard SIGTERM")
	}},
	{terminating + "should mark pod as failed if any of the prestop hook in regular container has exceeded its termination grace period seconds", func(t *testing.T) {
		s := tell(t, story{
			grace:  3,
			beside: []container{{name: "proxy", script: stays}},
			app:    container{script: deaf, fields: "lifecycle: {preStop: " + saying("prepares", "sleep 1000") + "}"},
		})
		s.ready()
		pod := s.isDeleted()
		assert.Equal(t, corev1.PodFailed, pod.Status.Phase)
		s.exits(pod, "app", 137)
		assert.Len(t, s.said(pod)["app prepares"], 1)
	}},
	{terminating + "should mark pod as succeeded if any of the prestop hook in restartable init containers have exceeded its termination grace period seconds", func(t *testing.T) {
		s := tell(t, story{
			grace: 3,
			beside: []container{
				{name: "proxy", script: stays},
				{name: "agent", script: deaf, fields: "lifecycle: {preStop: " + saying("prepares", "sleep 1000") + "}"},
			},
			app: container{script: "sleep 1"},
		})
		pod := s.endsAs(corev1.PodSucceeded)
		s.exits(pod, "agent", 137)
		assert.Len(t, s.said(pod)["agent prepares"], 1)
	}},
	{terminating + "should respect termination grace period seconds", func(t *testing.T) {
		// One grace period is for all: what the app leaves of it is its sidecars'.
		s := tell(t, story{grace: 4, beside: []container{{name: "proxy", script: deaf}}, app: container{script: slow}})
		s.ready()
		pod := s.isDeleted()
		s.exits(pod, "app", 0)
		s.exits(pod, "proxy", 137)
		s.inOrder(pod, "app ended", "proxy heard SIGTERM")
		assert.EqualValues(t, 4, *pod.Spec.TerminationGracePeriodSeconds)
	}},
	{terminating + "should not continue running liveness probes for restartable init containers and restart them while in preStop", func(t *testing.T) {
		s := tell(t, story{
			beside: []container{{name: "proxy", script: stays, fields: "livenessProbe: {exec: {command: [test, '!', -e, /shared/ill]}, periodSeconds: 1, failureThreshold: 1}"}},
			app:    container{script: stays, fields: "lifecycle: {preStop: " + saying("prepares", "touch /shared/ill; sleep 4") + "}"},
		})
		s.ready()
		pod := s.isDeleted()
		s.inOrder(pod, "app prepares", "app heard SIGTERM", "proxy heard SIGTERM")
		s.neverRestarts(pod, "proxy")
		s.exits(pod, "proxy", 0)
	}},
}, perPolicy("A restartable init container has its image updated during pod termination", "should terminate gracefully", func(t *testing.T, policy string) {
	s := tell(t, story{
		policy: policy,
		beside: []container{{name: "proxy", script: stays}, {name: "agent", script: stays}},
		app:    container{script: "trap 'await /shared/go; exit 0' TERM; stay"},
	})
	s.ready()
	gone := s.deletion()
	s.setImage("agent", anotherImage)
	s.touch("proxy", "/shared/go")
	pod := gone()
	s.neverRestarts(pod, "proxy", "agent", "app")
	s.inOrder(pod, "app ended", "agent heard SIGTERM", "proxy heard SIGTERM")
	for _, name := range []string{"app", "agent", "proxy"} {
		s.exits(pod, name, 0)
	}
})...)

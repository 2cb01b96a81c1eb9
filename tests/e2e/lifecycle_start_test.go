package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

// startCases are those of test/e2e_node/container_lifecycle_test.go on how a pod begins.
var startCases = append([]upstream{
	{"using a Pod with restartPolicy=Never, three init container and two restartable init containers", func(t *testing.T) {
		s := tell(t, story{
			beside: []container{
				{name: "prepare", script: "sleep 0.2", fields: "kind: init"},
				{name: "proxy", script: stays},
				{name: "fetch", script: "sleep 0.2", fields: "kind: init"},
				{name: "agent", script: stays},
				{name: "check", script: "sleep 0.2", fields: "kind: init"},
			},
			app: container{script: "sleep 1"},
		})
		var pod corev1.Pod
		for _, part := range []struct {
			name  string
			order []string
		}{
			{"should finish and produce log", []string{"app began", "app ended"}},
			{"should run the first init container to completion before starting first restartable init container", []string{"prepare began", "prepare ended", "proxy began"}},
			{"should run first init container and first restartable init container together", []string{"proxy began", "fetch began", "proxy ended"}},
			{"should run second init container to completion before starting second restartable init container", []string{"fetch began", "fetch ended", "agent began"}},
			{"should start second restartable init container before third init container", []string{"agent began", "check ended"}},
			{"should run both restartable init containers and third init container together", []string{"proxy began", "agent began", "check ended", "agent ended", "proxy ended"}},
			{"should run third init container to completion before starting regular container", []string{"check began", "check ended", "app began"}},
			{"should run both restartable init containers and a regular container together", []string{"proxy began", "agent began", "app began", "app ended", "agent ended", "proxy ended"}},
		} {
			t.Run(part.name, func(t *testing.T) {
				s := s.as(t)
				if pod.Name == "" {
					pod = s.endsAs(corev1.PodSucceeded)
				}
				s.inOrder(pod, part.order...)
			})
		}
	}},
	{"when a Pod initializes successfully/should launch init container serially before a regular container", func(t *testing.T) {
		// The author's own init containers among the library's.
		s := tell(t, story{
			inits: []container{{name: "migrate"}, {name: "compile"}},
			beside: []container{
				{name: "proxy", script: stays},
				{name: "agent", script: stays, fields: "afterInit: true"},
			},
			app: container{script: "sleep 1"},
		})
		pod := s.endsAs(corev1.PodSucceeded)
		s.inOrder(pod, "proxy began", "migrate began", "migrate ended", "compile began", "compile ended", "agent began", "app ended")
		s.inOrder(pod, "compile ended", "app began")
		s.inOrder(pod, "app ended", "agent ended", "proxy ended")
	}},
	{"when an init container fails/should not launch regular containers if an init container fails", func(t *testing.T) {
		s := tell(t, story{beside: []container{
			{name: "proxy", script: stays},
			{name: "check", script: "exit 3", fields: "kind: init"},
		}})
		pod := s.endsAs(corev1.PodFailed)
		s.exits(pod, "check", 3)
		assert.True(t, s.neverBegan(pod, "app"))
	}},
}, perStartPolicy()...)

func perStartPolicy() []upstream {
	const using = "using a restartable init container"
	all := perPolicy("initializing an init container after a restartable init container", "Should begin initializing the pod", func(t *testing.T, policy string) {
		s := tell(t, story{
			policy: policy,
			beside: []container{
				{name: "prepare", script: "sleep 0.2", fields: "kind: init"},
				{name: "proxy", script: stays},
				{name: "check", script: "await /shared/go", fields: "kind: init"},
				{name: "agent", script: stays},
			},
		})
		s.runs("check")
		s.setImage("proxy", anotherImage)
		pod := s.until("proxy runs with its new image", func(pod corev1.Pod) bool {
			proxy := s.status(pod, "proxy")
			return proxy.State.Running != nil && proxy.RestartCount > 0
		})
		assert.Contains(t, s.status(pod, "proxy").Image, "nginx")
		assert.True(t, s.neverBegan(pod, "agent"))
		assert.True(t, s.neverBegan(pod, "app"))
		s.neverRestarts(pod, "prepare", "check")
		s.inOrder(pod, "prepare ended", "check began")

		s.touch("check", "/shared/go")
		pod = s.until("the app begins", func(pod corev1.Pod) bool { return len(s.said(pod)["app began"]) > 0 })
		s.inOrder(pod, "check ended", "agent began")
		s.inOrder(pod, "check ended", "app began")
	})
	all = append(all, perPolicy(using, "a restartable init container runs continuously/should restart when updated with a new image", func(t *testing.T, policy string) {
		s := tell(t, story{
			policy: policy,
			beside: []container{{name: "proxy", script: stays}, {name: "agent", script: stays}},
			app:    container{script: stays},
		})
		before := s.ready()
		s.setImage("agent", anotherImage)
		pod := s.until("agent runs with its new image", func(pod corev1.Pod) bool {
			agent := s.status(pod, "agent")
			return agent.State.Running != nil && agent.ImageID != s.status(before, "agent").ImageID
		})
		assert.EqualValues(t, 1, s.status(pod, "agent").RestartCount)
		assert.Contains(t, s.status(pod, "agent").Image, "nginx")
		s.neverRestarts(pod, "proxy", "app")
		assert.Equal(t, before.UID, pod.UID, "it is the same pod")
	})...)
	all = append(all, perPolicy(using, "a restartable init container fails to start because of a bad image/should not start a regular container", func(t *testing.T, policy string) {
		s := tell(t, story{
			policy: policy,
			beside: []container{{name: "proxy", script: stays, fields: "image: " + missingImage}},
		})
		pod := s.until("the image cannot be pulled", func(pod corev1.Pod) bool {
			waiting := s.status(pod, "proxy").State.Waiting
			return waiting != nil && waiting.Reason == "ImagePullBackOff"
		})
		assert.Equal(t, corev1.PodPending, pod.Status.Phase)
		assert.True(t, s.neverBegan(pod, "proxy"))
		assert.True(t, s.neverBegan(pod, "app"))
		s.setImage("proxy", busybox)
		s.until("the app begins, once the image is mended", func(pod corev1.Pod) bool { return len(s.said(pod)["app began"]) > 0 })
	})...)
	all = append(all, perPolicy(using, "an Init container before restartable init container fails/should not start restartable init container", func(t *testing.T, policy string) {
		s := tell(t, story{
			policy: policy,
			beside: []container{{name: "prepare", script: "exit 1", fields: "kind: init"}, {name: "agent", script: stays}},
		})
		pod := s.failsInitializing(policy, "prepare")
		assert.True(t, s.neverBegan(pod, "agent"))
		assert.True(t, s.neverBegan(pod, "app"))
	})...)
	return append(all, perPolicy(using, "an Init container after restartable init container fails/should be running restartable init container and a failed Init container in parallel", func(t *testing.T, policy string) {
		s := tell(t, story{
			policy: policy,
			beside: []container{{name: "proxy", script: stays}, {name: "check", script: "exit 1", fields: "kind: init"}},
		})
		pod := s.failsInitializing(policy, "check")
		s.inOrder(pod, "proxy began", "check ended")
		if policy == "Never" {
			s.inOrder(pod, "check ended", "proxy ended")
		} else {
			assert.NotNil(t, s.status(pod, "proxy").State.Running)
		}
		s.neverRestarts(pod, "proxy")
		assert.True(t, s.neverBegan(pod, "app"))
	})...)
}

// failsInitializing waits until a run-once init container has failed for good, or, where the pod's restartPolicy lets
// it try again, has done so while the pod stays Pending.
func (s *telling) failsInitializing(policy, container string) corev1.Pod {
	s.t.Helper()
	if policy == "Never" {
		pod := s.endsAs(corev1.PodFailed)
		s.exits(pod, container, 1)
		return pod
	}
	pod := s.restarts(container, 1)
	require.Equal(s.t, corev1.PodPending, pod.Status.Phase)
	return pod
}

package e2e

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

const (
	busybox      = "docker.io/library/busybox:1.37.0-musl"
	anotherImage = testimages.NginxRef // which has a shell too
	missingImage = "localhost:1/missing:1"
)

// story is a bare pod as its author and outrigger's values tell it.
type story struct {
	name     string      // of the pod; "pod" where it is left out
	policy   string      // the pod's restartPolicy; Never where it is left out
	grace    int         // the pod's terminationGracePeriodSeconds; long where it is left out
	inits    []container // the author's own init containers
	app      container   // the author's container
	beside   []container // outrigger.containers, in this order
	settings string      // YAML of outrigger's values besides
}

// container is a busybox that runs a script. Its fields are YAML, and win.
type container struct{ name, script, fields string }

// prelude is what every script begins with. What a script says is in its log while it runs, and in its container's
// termination message afterwards, which outlives the pod; each line has the node's uptime, to hundredths of a second.
// A hook may begin before the container's own program does, and then has no log to write to yet.
const prelude = `
say() {
  said="$(cut -d' ' -f1 /proc/uptime) $*"
  echo "$said" >>/dev/termination-log
  until { echo "$said" >/proc/1/fd/1; } 2>/dev/null; do sleep 0.05; done
}
`

// beginning sees to it that the container says when it begins and when it ends, and that it ends on SIGTERM.
const beginning = prelude + `
stay() { while :; do sleep 1000 & wait $!; done; }
await() { until [ -e "$1" ]; do sleep 0.1; done; }
trap 'say ended' EXIT
trap 'say heard SIGTERM; exit 0' TERM
say began
`

// stays is the script of a container that runs until it is told to end.
const stays = "stay"

// saying is an exec handler, for hooks and probes, that says something and then runs a script.
func saying(what, script string) string {
	return fmt.Sprintf("{exec: {command: [sh, -c, %q]}}", prelude+"say "+what+"\n"+script)
}

// running is an exec handler of a script.
func running(script string) string {
	return fmt.Sprintf("{exec: {command: [sh, -c, %q]}}", script)
}

// telling is a story that has begun.
type telling struct {
	t         testing.TB
	namespace *harness.Namespace
	name      string
}

// tell creates a story's pod in a namespace of its own.
func tell(t testing.TB, told story) *telling {
	t.Helper()
	return tellIn(t, harness.NewNamespace(t, harness.Restricted), told)
}

// tellIn creates a story's pod in a namespace.
func tellIn(t testing.TB, namespace *harness.Namespace, told story) *telling {
	t.Helper()
	if told.name == "" {
		told.name = "pod"
	}
	chart := harness.NewChart(t, map[string]string{"templates/pod.yaml": `
apiVersion: v1
kind: Pod
{{ include "outrigger.podTemplate" (dict "context" . "podTemplate" .Values.pod "workload" "pod") }}`})
	values, err := yaml.Marshal(told.values(t))
	require.NoError(t, err)
	pod := harness.Find[*corev1.Pod](t, chart.Render(t, string(values)))
	_, err = namespace.Client.CoreV1().Pods(namespace.Name).Create(context.Background(), pod, metav1.CreateOptions{FieldValidation: "Strict"})
	require.NoError(t, err)
	return &telling{namespace.T(), namespace, told.name}
}

// as returns the same story, as a subtest tells it.
func (s *telling) as(t testing.TB) *telling {
	namespace := s.namespace.As(t)
	return &telling{namespace.T(), namespace, s.name}
}

// values returns the story as values of its chart.
func (s story) values(t testing.TB) map[string]any {
	t.Helper()
	entries := map[string]any{}
	for index, container := range s.beside {
		entry := container.object(t, map[string]any{"volumeMounts": []any{map[string]any{"name": "shared"}}})
		delete(entry, "name")
		entry["order"] = 10 * (index + 1)
		entries[container.name] = entry
	}
	outrigger := map[string]any{}
	require.NoError(t, yaml.Unmarshal([]byte(s.settings), &outrigger))
	outrigger["containers"] = entries
	if outrigger["volumes"] == nil {
		outrigger["volumes"] = map[string]any{}
	}
	outrigger["volumes"].(map[string]any)["shared"] = map[string]any{"mountPath": "/shared"}

	secure := map[string]any{"securityContext": map[string]any{"allowPrivilegeEscalation": false, "capabilities": map[string]any{"drop": []any{"ALL"}}}}
	if s.app.name == "" {
		s.app.name = "app"
	}
	spec := map[string]any{
		"restartPolicy":                 "Never",
		"terminationGracePeriodSeconds": cmp.Or(s.grace, 100),
		"securityContext":               map[string]any{"runAsNonRoot": true, "runAsUser": 1000, "runAsGroup": 1000, "seccompProfile": map[string]any{"type": "RuntimeDefault"}},
		"containers":                    []any{s.app.object(t, secure)},
	}
	if s.policy != "" {
		spec["restartPolicy"] = s.policy
	}
	var inits []any
	for _, init := range s.inits {
		inits = append(inits, init.object(t, secure))
	}
	if inits != nil {
		spec["initContainers"] = inits
	}
	return map[string]any{
		"pod":       map[string]any{"metadata": map[string]any{"name": s.name, "labels": map[string]any{"app": s.name}}, "spec": spec},
		"outrigger": outrigger,
	}
}

// object returns a container with fields of Kubernetes.
func (c container) object(t testing.TB, more map[string]any) map[string]any {
	t.Helper()
	object := map[string]any{"name": c.name, "image": busybox, "command": []any{"sh", "-c", beginning + c.script}}
	maps.Copy(object, more)
	fields := map[string]any{}
	require.NoError(t, yaml.Unmarshal([]byte(c.fields), &fields), c.fields)
	maps.Copy(object, fields)
	// Kubernetes' second is less than a machine that lends out its cores may stand still for.
	for _, kind := range []string{"startupProbe", "readinessProbe", "livenessProbe"} {
		if probe, isProbe := object[kind].(map[string]any); isProbe && probe["timeoutSeconds"] == nil {
			probe["timeoutSeconds"] = 20
		}
	}
	return object
}

// pod returns the pod as it is now.
func (s *telling) pod() corev1.Pod {
	s.t.Helper()
	pod, err := s.namespace.Client.CoreV1().Pods(s.namespace.Name).Get(context.Background(), s.name, metav1.GetOptions{})
	require.NoError(s.t, err)
	return *pod
}

// until waits until something is true of the pod, and returns it.
func (s *telling) until(what string, condition func(corev1.Pod) bool) corev1.Pod {
	s.t.Helper()
	var pod corev1.Pod
	s.namespace.Eventually(harness.PodStart, what, func() bool {
		pod = s.pod()
		return len(pod.Status.ContainerStatuses) > 0 && condition(pod)
	})
	return pod
}

// endsAs waits until the pod is in its last phase, which must be the given one, with all its containers terminated.
func (s *telling) endsAs(phase corev1.PodPhase) corev1.Pod {
	s.t.Helper()
	pod := s.until("the pod has ended", func(pod corev1.Pod) bool {
		return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	})
	require.Equal(s.t, phase, pod.Status.Phase)
	return pod
}

// runs waits until a container runs.
func (s *telling) runs(container string) corev1.Pod {
	s.t.Helper()
	return s.until(container+" runs", func(pod corev1.Pod) bool { return s.status(pod, container).State.Running != nil })
}

// ready waits until the pod is Ready.
func (s *telling) ready() corev1.Pod {
	s.t.Helper()
	return s.until("the pod is ready", func(pod corev1.Pod) bool { return podIs(pod, corev1.PodReady) })
}

// restarts waits until a container has been started again so many times.
func (s *telling) restarts(container string, times int) corev1.Pod {
	s.t.Helper()
	return s.until(fmt.Sprintf("%s restarts %d times", container, times), func(pod corev1.Pod) bool {
		return int(s.status(pod, container).RestartCount) >= times
	})
}

// says waits until a running container has said something so many times.
func (s *telling) says(what string, times int) corev1.Pod {
	s.t.Helper()
	return s.until(fmt.Sprintf("%d times: %s", times, what), func(pod corev1.Pod) bool { return len(s.said(pod)[what]) >= times })
}

func (s *telling) status(pod corev1.Pod, container string) corev1.ContainerStatus {
	s.t.Helper()
	return harness.Status(s.t, pod, container)
}

func podIs(pod corev1.Pod, condition corev1.PodConditionType) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(is corev1.PodCondition) bool {
		return is.Type == condition && is.Status == corev1.ConditionTrue
	})
}

// isReady tells whether a container of the pod is ready.
func (s *telling) isReady(pod corev1.Pod, container string) bool {
	return s.status(pod, container).Ready
}

// hasStarted tells whether a container has started, its startup probe included.
func (s *telling) hasStarted(pod corev1.Pod, container string) bool {
	started := s.status(pod, container).Started
	return started != nil && *started
}

// neverBegan tells whether a container has never run in this pod.
func (s *telling) neverBegan(pod corev1.Pod, container string) bool {
	status := s.status(pod, container)
	return status.State.Waiting != nil && status.LastTerminationState.Terminated == nil && status.RestartCount == 0
}

// setImage changes the image of an init container of the pod.
func (s *telling) setImage(container, image string) {
	s.t.Helper()
	s.patch(fmt.Sprintf(`{"spec": {"initContainers": [{"name": %q, "image": %q}]}}`, container, image))
}

func (s *telling) patch(patch string) {
	s.t.Helper()
	_, err := s.namespace.Client.CoreV1().Pods(s.namespace.Name).Patch(context.Background(), s.name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	require.NoError(s.t, err)
}

// touch creates a file in the shared volume, which containers wait for.
func (s *telling) touch(container, file string) {
	s.t.Helper()
	s.sh(container, "touch "+file)
}

// sh runs a script in a container of the pod and returns what it prints.
func (s *telling) sh(container, script string) string {
	s.t.Helper()
	return s.namespace.Exec(s.name, container, "sh", "-c", script)
}

// isDeleted deletes the pod, waits until it is gone, and returns the last that was seen of it.
func (s *telling) isDeleted() corev1.Pod {
	s.t.Helper()
	seen := s.deletion()
	return seen()
}

// deletion deletes the pod, and returns what waits until it is gone and returns the last that was seen of it.
func (s *telling) deletion() func() corev1.Pod {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), harness.PodEnd)
	s.t.Cleanup(cancel)
	pods := s.namespace.Client.CoreV1().Pods(s.namespace.Name)
	events := s.namespace.Watch(ctx, pods.Watch, "metadata.name="+s.name, s.pod().ResourceVersion)
	require.NoError(s.t, pods.Delete(ctx, s.name, metav1.DeleteOptions{}))
	return func() corev1.Pod {
		s.t.Helper()
		for event := range events {
			seen, isPod := event.Object.(*corev1.Pod)
			require.True(s.t, isPod, "watching: %v", apierrors.FromObject(event.Object))
			if event.Type == "DELETED" {
				return *seen
			}
		}
		require.Fail(s.t, "the pod is still there", "after %s", harness.PodEnd)
		return corev1.Pod{}
	}
}

// said returns what the pod's containers have said, each in its present and its previous instance: "container what",
// and when, in seconds of the node's uptime.
func (s *telling) said(pod corev1.Pod) map[string][]float64 {
	s.t.Helper()
	all := map[string][]float64{}
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		text := ""
		if last := status.LastTerminationState.Terminated; last != nil {
			text += last.Message
		}
		if ended := status.State.Terminated; ended != nil {
			text += ended.Message
		} else if status.State.Running != nil {
			// It may have ended since, and its log may be gone: then it counts at the next look.
			log, err := s.namespace.Client.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: status.Name}).DoRaw(context.Background())
			if err == nil {
				text += string(log)
			}
		}
		for line := range strings.Lines(text) {
			uptime, what, _ := strings.Cut(strings.TrimSpace(line), " ")
			if at, err := strconv.ParseFloat(uptime, 64); err == nil {
				all[status.Name+" "+what] = append(all[status.Name+" "+what], at)
			}
		}
	}
	return all
}

// at returns when something was said first.
func (s *telling) at(pod corev1.Pod, what string) float64 {
	s.t.Helper()
	said := s.said(pod)
	require.NotEmpty(s.t, said[what], "%q was never said; what was: %v", what, said)
	return slices.Min(said[what])
}

// last returns when something was said last.
func (s *telling) last(pod corev1.Pod, what string) float64 {
	s.t.Helper()
	said := s.said(pod)
	require.NotEmpty(s.t, said[what], "%q was never said; what was: %v", what, said)
	return slices.Max(said[what])
}

// inOrder asserts that what was said, was said in this order: to a hundredth of a second, which no container starts in.
func (s *telling) inOrder(pod corev1.Pod, all ...string) {
	s.t.Helper()
	for index := 1; index < len(all); index++ {
		assert.LessOrEqual(s.t, s.at(pod, all[index-1]), s.at(pod, all[index]), "%q before %q", all[index-1], all[index])
	}
}

// exits asserts that a container has ended with a code.
func (s *telling) exits(pod corev1.Pod, container string, code int) {
	s.t.Helper()
	ended := s.status(pod, container).State.Terminated
	require.NotNil(s.t, ended, "%s has ended", container)
	assert.EqualValues(s.t, code, ended.ExitCode, "%s: its exit code", container)
}

// neverRestarts asserts that containers have not been started again.
func (s *telling) neverRestarts(pod corev1.Pod, containers ...string) {
	s.t.Helper()
	for _, container := range containers {
		assert.Zero(s.t, s.status(pod, container).RestartCount, "%s: its restarts", container)
	}
}

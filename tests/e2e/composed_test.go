package e2e

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestAChangedSidecarRollsTheDeploymentsPodsAndNothingElseDoes(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	chart := harness.Consumer(t).Write(t)
	values := restrictedApp(`trap 'exit 0' TERM`+serving) + `
  containers:
    helper: {image: "docker.io/library/busybox:1.37.0-musl", command: [sh, -c, "trap 'exit 0' TERM; while true; do sleep 1 & wait $!; done"], env: {LEVEL: low}}
    elsewhere: {image: "docker.io/library/busybox:1.37.0-musl", workloads: [once], env: {LEVEL: low}}
`
	namespace.Install("demo", chart, values)
	first := namespace.ReadyPods(web, 1)[0]
	generation := func() int64 {
		t.Helper()
		deployment, err := namespace.Client.AppsV1().Deployments(namespace.Name).Get(context.Background(), "web", metav1.GetOptions{})
		require.NoError(t, err)
		return deployment.Generation
	}
	require.EqualValues(t, 1, generation())

	namespace.Upgrade("demo", chart, values+"other: {value: of the chart}\n")
	namespace.Upgrade("demo", chart, strings.Replace(values, "workloads: [once], env: {LEVEL: low}", "workloads: [once], env: {LEVEL: high}", 1))
	require.EqualValues(t, 1, generation(), "upgrades that change nothing of the pod do not touch the Deployment")
	assert.Equal(t, first.UID, namespace.ReadyPods(web, 1)[0].UID)

	namespace.Upgrade("demo", chart, strings.Replace(values, "env: {LEVEL: low}", "env: {LEVEL: high}", 1))
	var second corev1.Pod
	namespace.Eventually(harness.PodStart, "another pod is ready", func() bool {
		pods := namespace.Pods(web)
		second = pods[0]
		return len(pods) == 1 && second.UID != first.UID && podIs(second, corev1.PodReady)
	})
	assert.Equal(t, "high\n", namespace.Exec(second.Name, "helper", "sh", "-c", "echo $LEVEL")+"\n")
}

func TestContainersShareMemoryThroughAVolumeAtDevShm(t *testing.T) {
	harness.Facts(t)
	s := tell(t, story{
		settings: "volumes: {shm: {mountPath: /dev/shm}}",
		beside:   []container{{name: "helper", script: stays, fields: "volumeMounts: [{name: shared}, {name: shm}]"}, {name: "other", script: stays}},
		app:      container{script: stays},
	})
	pod := s.ready()
	s.sh("app", "echo from the app >/dev/shm/segment")
	assert.Equal(t, "from the app", s.sh("helper", "cat /dev/shm/segment"))
	s.sh("helper", "echo from the helper >/dev/shm/segment")
	assert.Equal(t, "from the helper", s.sh("app", "cat /dev/shm/segment"))
	assert.Empty(t, s.sh("other", "ls /dev/shm"), "a container without the mount has a /dev/shm of its own")
	for _, container := range []string{"app", "helper"} {
		mount := strings.Fields(s.sh(container, "grep ' /dev/shm ' /proc/mounts"))
		assert.Equal(t, "tmpfs", mount[2], container)
		assert.Contains(t, mount[3], "size=65536k", container)
	}
	for _, volume := range pod.Spec.Volumes {
		if volume.Name == "shm" {
			assert.Equal(t, corev1.StorageMediumMemory, volume.EmptyDir.Medium)
		}
	}
}

func TestSemaphoresAndSharedMemoryWorkBetweenContainers(t *testing.T) {
	harness.Facts(t)
	binary := filepath.Join(t.TempDir(), "semaphore")
	build := exec.Command("go", "build", "-o", binary, "./testdata/semaphore")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))
	s := tell(t, story{
		settings: "volumes: {shm: {mountPath: /dev/shm}}",
		beside:   []container{{name: "helper", script: stays, fields: "volumeMounts: [{name: shared}, {name: shm}]"}},
		app:      container{script: stays},
	})
	s.ready()
	s.namespace.Kubectl("cp", binary, s.name+":/shared/semaphore", "-c", "app")

	woken := make(chan string, 1)
	go func() { woken <- s.sh("app", "/shared/semaphore wait /dev/shm/turn") }()
	s.namespace.Eventually(harness.LogLine, "the app waits for its turn", func() bool {
		return strings.Contains(s.sh("app", "cat /proc/[0-9]*/wchan; echo"), "futex")
	})
	require.Empty(t, woken, "nobody has posted yet")
	s.sh("helper", "/shared/semaphore post /dev/shm/turn 'your turn'")

	select {
	case text := <-woken:
		assert.Equal(t, "your turn", text)
	case <-time.After(harness.LogLine):
		t.Error("the post of one container does not wake the other")
	}
}

func TestASidecarSeesAndSignalsTheAppsProcess(t *testing.T) {
	harness.Facts(t)
	s := tell(t, story{
		settings: "shareProcessNamespace: true",
		beside:   []container{{name: "helper", script: stays}},
		app:      container{script: "trap 'echo heard SIGUSR1' USR1; sh -c 'echo $PPID >/shared/app.pid'; echo up; stay"},
	})
	s.ready()
	s.namespace.Eventually(harness.LogLine, "the app is up", func() bool { return strings.Contains(s.namespace.Logs(s.name, "app"), "up\n") })
	require.NotEqual(t, "1", s.sh("helper", "cat /shared/app.pid"))
	assert.Contains(t, s.sh("helper", `tr '\0' ' ' </proc/$(cat /shared/app.pid)/cmdline`), "heard SIGUSR1")
	s.sh("helper", "kill -USR1 $(cat /shared/app.pid)")
	s.namespace.Eventually(harness.LogLine, "the app hears the signal", func() bool {
		return strings.Contains(s.namespace.Logs(s.name, "app"), "heard SIGUSR1\n")
	})
	s.neverRestarts(s.pod(), "app", "helper")
}

func TestADynamicBusyBoxIsRefusedInALineThatSaysWhatToSet(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	values := strings.Replace(restrictedApp(`trap 'exit 0' TERM`+serving), "to: {stdout: {}}", `to: {otlphttp: {endpoint: "http://backend:4318"}}`, 1)
	namespace.Install("demo", harness.Consumer(t).Write(t), values+"  images: {busybox: "+testimages.DynamicBusyBoxRef+"}\n")

	var ended *corev1.ContainerStateTerminated
	namespace.Eventually(harness.PodStart, "outrigger-tools has ended", func() bool {
		for _, pod := range namespace.Pods(web) {
			for _, status := range pod.Status.InitContainerStatuses {
				if status.Name == "outrigger-tools" {
					ended = cmp.Or(status.State.Terminated, status.LastTerminationState.Terminated)
				}
			}
		}
		return ended != nil
	})

	assert.EqualValues(t, 1, ended.ExitCode)
	assert.Equal(t, "outrigger.images.busybox: the busybox of "+testimages.DynamicBusyBoxRef+" is linked dynamically, so that it starts in no other image; "+
		"set an image with a static one: of upstream's, a tag that ends in -musl\n", ended.Message)
}

// seeded are directories of the nginx image, one with links and one with directories.
var seeded = map[string]string{"html": "/usr/share/nginx/html", "links": "/etc/alternatives", "tree": "/etc/nginx"}

func TestASeededVolumeBeginsAsTheImagesDirectoryAndKeepsWhatIsChanged(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	chart := harness.Consumer(t).With(map[string]string{"templates/claim.yaml": `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: html}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Mi}}}
`}).Write(t)
	values := strings.Replace(restrictedApp(`trap 'exit 0' TERM`+serving), busybox, anotherImage, 1)
	values = strings.Replace(values, "volumes: {logs: {mountPath: /logs}}", `volumes:
    logs: {mountPath: /logs}
    html: {mountPath: `+seeded["html"]+`, seed: true, persistentVolumeClaim: {claimName: html}}
    links: {mountPath: `+seeded["links"]+`, seed: true}
    tree: {mountPath: `+seeded["tree"]+`, seed: true}`, 1)
	namespace.Install("demo", chart, values+`
  containers:
    untouched: {image: "`+anotherImage+`", command: [sh, -c, "trap 'exit 0' TERM; while true; do sleep 1 & wait $!; done"]}
`)
	pod := namespace.ReadyPods(web, 1)[0]
	sh := func(container, script string) string {
		t.Helper()
		return namespace.Exec(pod.Name, container, "sh", "-c", script)
	}

	for volume, directory := range seeded {
		const list = `cd %; find . -mindepth 1 -type f -printf '%p %y %m %t\n' -o -mindepth 1 -printf '%p %y %m %l\n' | sort; find . -type f -exec cksum {} + | sort`
		script := strings.Replace(list, "%", directory, 1)
		of := sh("untouched", script)
		require.NotEmpty(t, of, directory)
		assert.Equal(t, of, sh("app", script), "volume %s: %s of the app and of its image", volume, directory)
		if volume == "links" {
			assert.Contains(t, of, " l ", "there are links in %s", directory)
		}
	}
	assert.NotEqual(t, "0", sh("app", "id -u"))

	sh("app", "cd "+seeded["html"]+"; echo changed >index.html; rm 50x.html; echo new >new.html")
	namespace.DeletePod(pod.Name)
	pod = namespace.ReadyPods(web, 1)[0]
	assert.Equal(t, "changed\nindex.html\nnew.html", sh("app", "cd "+seeded["html"]+"; cat index.html; ls -A"))
	assert.Equal(t, sh("untouched", "ls -A "+seeded["links"]), sh("app", "ls -A "+seeded["links"]), "a new emptyDir is seeded anew")
}

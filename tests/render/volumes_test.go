package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

const twoContainers = `
pod:
  metadata: {labels: {app: web}}
  spec:
    initContainers: [{name: migrate, image: app:1}]
    containers: [{name: app, image: app:1}, {name: worker, image: app:1}]
`

func TestASharedVolumeIsMountedIntoTheAppAndTheSidecarsThatUseIt(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, twoContainers+`
outrigger:
  volumes: {logs: {mountPath: /var/log/shop}}
  containers:
    reader: {image: "r:1", volumeMounts: [{name: logs, readOnly: true}]}
    writer: {image: "w:1", volumeMounts: [{name: logs, mountPath: /elsewhere}]}
    stranger: {image: "s:1"}
`)

	logs := corev1.VolumeMount{Name: "logs", MountPath: "/var/log/shop"}
	assert.Equal(t, []corev1.VolumeMount{logs}, pod.Spec.Containers[0].VolumeMounts)
	assert.Equal(t, []corev1.VolumeMount{logs}, pod.Spec.Containers[1].VolumeMounts)
	mounts := map[string][]corev1.VolumeMount{}
	for _, container := range pod.Spec.InitContainers {
		mounts[container.Name] = container.VolumeMounts
	}
	assert.Equal(t, map[string][]corev1.VolumeMount{
		"migrate":  {logs},
		"reader":   {{Name: "logs", MountPath: "/var/log/shop", ReadOnly: true}},
		"writer":   {{Name: "logs", MountPath: "/elsewhere"}},
		"stranger": nil,
	}, mounts)
}

func TestASharedVolumeMayBelongToSomeContainersOnly(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, twoContainers+`outrigger: {volumes: {logs: {mountPath: /logs, containers: [worker], readOnly: true}}}`)

	assert.Empty(t, pod.Spec.Containers[0].VolumeMounts)
	assert.Equal(t, []corev1.VolumeMount{{Name: "logs", MountPath: "/logs", ReadOnly: true}}, pod.Spec.Containers[1].VolumeMounts)
	assert.Empty(t, pod.Spec.InitContainers[0].VolumeMounts)
}

func TestAnEmptyDirAlwaysHasASizeLimit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		entry, limit string
		medium       corev1.StorageMedium
	}{
		"nothing given":        {`{mountPath: /logs}`, "1Gi", ""},
		"a size":               {`{mountPath: /logs, size: 5Mi}`, "5Mi", ""},
		"in memory":            {`{mountPath: /logs, medium: Memory, size: 8Mi}`, "8Mi", "Memory"},
		"as Kubernetes has it": {`{mountPath: /logs, emptyDir: {medium: Memory}}`, "1Gi", "Memory"},
		"its own limit":        {`{mountPath: /logs, emptyDir: {sizeLimit: 7Mi}}`, "7Mi", ""},
	} {
		t.Run(name, func(t *testing.T) {
			pod := renderPod(t, appPod+`outrigger: {volumes: {logs: `+test.entry+`}}`)

			require.Len(t, pod.Spec.Volumes, 1)
			assert.Equal(t, test.limit, pod.Spec.Volumes[0].EmptyDir.SizeLimit.String())
			assert.Equal(t, test.medium, pod.Spec.Volumes[0].EmptyDir.Medium)
		})
	}
}

func TestASharedVolumeMayBeAnyVolumeOfKubernetes(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+`outrigger: {volumes: {data: {mountPath: /data, subPath: x, persistentVolumeClaim: {claimName: data}}}}`)

	assert.Equal(t, "data", pod.Spec.Volumes[0].PersistentVolumeClaim.ClaimName)
	assert.Nil(t, pod.Spec.Volumes[0].EmptyDir)
	assert.Equal(t, "x", pod.Spec.Containers[0].VolumeMounts[0].SubPath)
}

func TestNullTakesAwayWhatTheChartsAuthorSaidOfAVolume(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t).With(map[string]string{"values.yaml": `
outrigger:
  volumes:
    cache: {mountPath: /cache, emptyDir: {sizeLimit: 1Gi}}
    data: {mountPath: /data, size: 5Gi, medium: Memory, readOnly: true, containers: [worker], subPath: x, order: 5, enabled: true, workloads: [web]}
    host: {mountPath: /host, hostPath: {path: /srv}}
    gone: {mountPath: /gone}
`})

	objects := chart.Render(t, twoContainers+`
outrigger:
  volumes:
    cache: {emptyDir: null, persistentVolumeClaim: {claimName: cache}}
    data: {size: null, medium: null, readOnly: null, containers: null, subPath: null, order: null, enabled: null, workloads: null}
    host: {hostPath: null}
    gone: null
`)

	pod := harness.Find[*appsv1.Deployment](t, objects).Spec.Template
	sources := map[string]corev1.VolumeSource{}
	for _, volume := range pod.Spec.Volumes {
		sources[volume.Name] = volume.VolumeSource
	}
	limit := resource.MustParse("1Gi")
	library := corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: &limit}}
	assert.Equal(t, map[string]corev1.VolumeSource{
		"cache": {PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "cache"}}, "data": library, "host": library,
	}, sources)
	for _, container := range append(pod.Spec.Containers, pod.Spec.InitContainers...) {
		assert.Equal(t, []corev1.VolumeMount{{Name: "cache", MountPath: "/cache"}, {Name: "data", MountPath: "/data"}, {Name: "host", MountPath: "/host"}},
			container.VolumeMounts, container.Name)
	}
}

func TestAVolumeOfNoContainerOfTheAppIsForTheSidecarsAlone(t *testing.T) {
	t.Parallel()
	for name, entry := range map[string]string{
		"an empty list": `{mountPath: /scratch, containers: []}`,
		"an empty map":  `{mountPath: /scratch, containers: {}}`,
		"no mountPath":  `{containers: []}`,
	} {
		t.Run(name, func(t *testing.T) {
			pod := renderPod(t, twoContainers+`
outrigger:
  volumes: {scratch: `+entry+`}
  containers: {helper: {image: "h:1", volumeMounts: {scratch: /tmp}}}
`)

			assert.Equal(t, "scratch", pod.Spec.Volumes[0].Name)
			for _, of := range []string{"app", "worker", "migrate"} {
				assert.Empty(t, container(t, pod, of).VolumeMounts, of)
			}
			assert.Equal(t, []corev1.VolumeMount{{Name: "scratch", MountPath: "/tmp"}}, container(t, pod, "helper").VolumeMounts)
		})
	}
}

func TestALogshipperFindsTheVolumeOfItsFiles(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, `
pod:
  metadata: {labels: {app: web}}
  spec:
    containers:
      - name: app
        image: app:1
        volumeMounts: [{name: own, mountPath: /srv/logs, subPath: app}, {name: wide, mountPath: /srv}]
    volumes: [{name: own, emptyDir: {}}, {name: wide, emptyDir: {}}]
outrigger:
  volumes: {shared: {mountPath: /var/log}}
  logshippers:
    shipper:
      files: [/srv/logs/deep/*.log, "/var/log/shop/*/a.log", /var/log/b.log]
      to: {stdout: {}}
`)

	shipper := pod.Spec.InitContainers[0]
	assert.Contains(t, shipper.VolumeMounts, corev1.VolumeMount{Name: "own", MountPath: "/srv/logs", SubPath: "app", ReadOnly: true})
	assert.Contains(t, shipper.VolumeMounts, corev1.VolumeMount{Name: "shared", MountPath: "/var/log", ReadOnly: true})
	assert.Len(t, shipper.VolumeMounts, 4, "these, its state and its script: %v", shipper.VolumeMounts)
	assert.Equal(t, []string{"/srv/logs/deep/*.log", "/var/log/shop/*/a.log", "/var/log/b.log"}, shipper.Args)
}

func TestALogshippersOwnVolumesHaveNamesThatNothingElseHas(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"files", "state", strings.Repeat("a", 63), strings.Repeat("a", 62) + "b"} {
		pod := renderPod(t, appPod+`
outrigger:
  volumes: {logs: {mountPath: /logs}, outrigger: {mountPath: /x}}
  logshippers:
    `+name+`: {files: [/logs/x], to: {stdout: {}}}
    `+strings.Repeat("a", 61)+`: {files: [/logs/x], to: {stdout: {}}}
`)

		names := map[string]bool{}
		for _, volume := range pod.Spec.Volumes {
			assert.LessOrEqual(t, len(volume.Name), 63)
			names[volume.Name] = true
		}
		assert.Len(t, names, 5, "two shared, two states, one of scripts: %v", names)
	}
}

func TestASeedBringsTheProgramAndNoConfigMap(t *testing.T) {
	t.Parallel()
	objects := harness.Consumer(t).Render(t, appPod+`outrigger: {volumes: {html: {mountPath: /html, seed: true}}}`)

	assert.Len(t, objects, 1, "what a pod copies by is in the pod")
	pod := harness.Find[*appsv1.Deployment](t, objects).Spec.Template
	assert.Equal(t, []string{"outrigger-install", "html-seed"}, containerNames(pod.Spec.InitContainers))
	seed := container(t, pod, "html-seed")
	assert.Equal(t, "app:1", seed.Image, "the app's own image, which has the contents")
	assert.Equal(t, []string{"/outrigger-program/outrigger", "seed", "/html", "/outrigger-seed"}, seed.Command)
}

func TestSharedMemoryIsAVolumeInMemory(t *testing.T) {
	t.Parallel()
	emptyDir := func(values string) *corev1.EmptyDirVolumeSource {
		return renderPod(t, appPod+`outrigger: {volumes: {shm: `+values+`}}`).Spec.Volumes[0].EmptyDir
	}

	assert.Equal(t, corev1.StorageMediumMemory, emptyDir(`{mountPath: /dev/shm}`).Medium)
	assert.Equal(t, "64Mi", emptyDir(`{mountPath: /dev/shm}`).SizeLimit.String())
	assert.Equal(t, "1Gi", emptyDir(`{mountPath: /dev/shm, size: 1Gi}`).SizeLimit.String())
	assert.Empty(t, emptyDir(`{mountPath: /data}`).Medium)
}

func TestASeedIsCopiedByTheAppsOwnUserAndPullPolicy(t *testing.T) {
	t.Parallel()
	seed := container(t, renderPod(t, `
pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "app:1", imagePullPolicy: Never, securityContext: {runAsUser: 1234, runAsGroup: 5678}}]}}
outrigger: {volumes: {html: {mountPath: /html, seed: true}}}
`), "html-seed")

	assert.Equal(t, corev1.PullNever, seed.ImagePullPolicy)
	assert.EqualValues(t, 1234, *seed.SecurityContext.RunAsUser)
	assert.EqualValues(t, 5678, *seed.SecurityContext.RunAsGroup)
}

func TestTheObjectsAreThoseOfEveryWorkload(t *testing.T) {
	t.Parallel()
	objects := harness.Consumer(t).Render(t, appPod+`
outrigger: {volumes: {logs: {mountPath: /logs}}, logshippers: {ship: {workloads: [web], files: [/logs/a], to: {stdout: {}}}}}`)

	assert.Contains(t, harness.Find[*corev1.ConfigMap](t, objects).Data, "logshipper.sh")
}

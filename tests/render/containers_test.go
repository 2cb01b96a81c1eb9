package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// container returns the container of that name, wherever in the pod it is.
func container(t testing.TB, pod corev1.PodTemplateSpec, name string) corev1.Container {
	t.Helper()
	for _, each := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
		if each.Name == name {
			return each
		}
	}
	require.Failf(t, "no such container", "%q", name)
	return corev1.Container{}
}

func TestKindInitMakesAContainerThatRunsToItsEnd(t *testing.T) {
	t.Parallel()
	values := appPod + `
outrigger:
  containers:
    early: {kind: init, image: "i:1", order: 1}
    helper: {image: "h:1", order: 2}
    late: {kind: init, image: "i:1", order: 3}
`

	native := renderPod(t, values)
	classic := renderPod(t, values, harness.Settings{KubeVersion: "v1.28.0"})

	assert.Equal(t, []string{"early", "helper", "late"}, containerNames(native.Spec.InitContainers))
	assert.Nil(t, container(t, native, "early").RestartPolicy)
	assert.Equal(t, corev1.ContainerRestartPolicyAlways, *container(t, native, "helper").RestartPolicy)
	assert.Equal(t, []string{"early", "late"}, containerNames(classic.Spec.InitContainers))
	assert.Equal(t, []string{"app", "helper"}, containerNames(classic.Spec.Containers))
	assert.True(t, *container(t, native, "early").SecurityContext.RunAsNonRoot, "it gets the defaults of all containers")
}

func TestAfterInitStartsAfterTheAuthorsInitContainers(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, `
pod: {metadata: {labels: {app: web}}, spec: {initContainers: [{name: migrate, image: "m:1"}], containers: [{name: app, image: "app:1"}]}}
outrigger:
  containers:
    first: {image: "h:1"}
    last: {image: "h:1", order: 1, afterInit: true}
`)

	assert.Equal(t, []string{"first", "migrate", "last"}, containerNames(pod.Spec.InitContainers))
}

func TestMapsKeyedByNameStandForKubernetesLists(t *testing.T) {
	t.Parallel()
	helper := container(t, renderPod(t, appPod+`
outrigger:
  volumes: {logs: {mountPath: /var/log}, tmp: {mountPath: /tmp}, own: {mountPath: /own}}
  containers:
    helper:
      image: h:1
      env:
        URL: http://$(HOST):$(PORT)
        PORT: 1000000
        HOST: localhost
        DEBUG: true
        GONE: null
        KEY: {valueFrom: {secretKeyRef: {name: keys, key: a}}}
      ports: {metrics: 9100, dns: {containerPort: 53, protocol: UDP}}
      volumeMounts: {logs: /in, tmp: {readOnly: true}, own: {mountPath: /o, subPath: a}}
`), "helper")

	var names []string
	env := map[string]string{}
	for _, variable := range helper.Env {
		names = append(names, variable.Name)
		env[variable.Name] = variable.Value
	}
	assert.Equal(t, []string{"DEBUG", "HOST", "KEY", "PORT", "URL"}, names, "URL after what it refers to")
	assert.Equal(t, map[string]string{"DEBUG": "true", "HOST": "localhost", "KEY": "", "PORT": "1000000", "URL": "http://$(HOST):$(PORT)"}, env)
	assert.ElementsMatch(t, []corev1.ContainerPort{{Name: "metrics", ContainerPort: 9100}, {Name: "dns", ContainerPort: 53, Protocol: "UDP"}}, helper.Ports)
	assert.ElementsMatch(t, []corev1.VolumeMount{{Name: "logs", MountPath: "/in"}, {Name: "tmp", MountPath: "/tmp", ReadOnly: true}, {Name: "own", MountPath: "/o", SubPath: "a"}}, helper.VolumeMounts)
}

func TestAMapOfEnvironmentMergesAcrossValuesAndIsOfOnePieceWithAList(t *testing.T) {
	t.Parallel()
	helper := container(t, renderPod(t, appPod+`
outrigger: {containers: {helper: {image: "h:1", downwardAPI: true, env: [{name: B, value: "1"}, {name: POD_IP, value: mine}, {name: A, value: "2"}]}}}
`), "helper")

	var names []string
	for _, variable := range helper.Env {
		names = append(names, variable.Name)
	}
	assert.Equal(t, []string{"NODE_NAME", "POD_NAME", "POD_NAMESPACE", "B", "POD_IP", "A"}, names, "a list keeps its order, and its own variables win")
}

func TestTheDownwardAPITellsASidecarItsPodOnRequest(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+`
outrigger:
  defaults: {downwardAPI: true}
  volumes: {logs: {mountPath: /logs}}
  logshippers: {ship: {files: [/logs/a], to: {stdout: {}}, env: {TZ: UTC}}}
  containers: {without: {image: "h:1", downwardAPI: false}}
`)

	paths := map[string]string{}
	for _, variable := range container(t, pod, "ship").Env {
		if variable.ValueFrom != nil {
			paths[variable.Name] = variable.ValueFrom.FieldRef.FieldPath
		}
	}
	assert.Equal(t, map[string]string{"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace", "POD_IP": "status.podIP", "NODE_NAME": "spec.nodeName"}, paths)
	assert.Contains(t, container(t, pod, "ship").Env, corev1.EnvVar{Name: "TZ", Value: "UTC"})
	assert.Empty(t, container(t, pod, "without").Env)
}

func TestImagesComeFromTheGlobalRegistryWithTheGlobalPullSecrets(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, `
pod: {metadata: {labels: {app: web}}, spec: {imagePullSecrets: [{name: own}], containers: [{name: app, image: "docker.io/app:1"}]}}
global: {imageRegistry: "mirror:5000/", imagePullSecrets: [one, {name: two}, own]}
outrigger:
  volumes: {logs: {mountPath: /logs}}
  logshippers: {ship: {files: [/logs/a], to: {stdout: {}}}}
  containers:
    hub: {image: "prom/node:1"}
    other: {image: "ghcr.io/a/b@sha256:0123"}
    local: {image: "localhost/c:1"}
    mirrored: {image: "mirror:5000/d:1"}
`)

	images := map[string]string{}
	for _, each := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
		images[each.Name] = each.Image
	}
	assert.Equal(t, map[string]string{
		"app": "docker.io/app:1", "ship": "mirror:5000/library/busybox:1.37.0-musl", "hub": "mirror:5000/prom/node:1",
		"other": "mirror:5000/a/b@sha256:0123", "local": "mirror:5000/c:1", "mirrored": "mirror:5000/d:1",
	}, images, "the author's own stay")
	assert.Equal(t, []corev1.LocalObjectReference{{Name: "own"}, {Name: "one"}, {Name: "two"}}, pod.Spec.ImagePullSecrets)
}

func TestAProcessNamespaceIsSharedOnRequestByTheWorkloadsThatAsk(t *testing.T) {
	t.Parallel()
	const all = `outrigger: {shareProcessNamespace: true}`
	const one = `outrigger: {workloads: {web: {shareProcessNamespace: true}}}`
	const other = `outrigger: {shareProcessNamespace: true, workloads: {web: {shareProcessNamespace: false}}}`

	assert.True(t, *renderPod(t, appPod+all).Spec.ShareProcessNamespace)
	assert.True(t, *renderPod(t, appPod+one).Spec.ShareProcessNamespace)
	assert.Nil(t, renderPod(t, appPod+other).Spec.ShareProcessNamespace)
}

func TestTheGracePeriodIsWhatTheAppAndItsSidecarsDeclareAddedUp(t *testing.T) {
	t.Parallel()
	const shipper = `volumes: {logs: {mountPath: /logs}}, logshippers: {ship: {files: [/logs/a], to: {stdout: {}}}}`
	for name, test := range map[string]struct {
		values string
		want   int64
	}{
		"nothing declared":             {`{containers: {h: {image: "h:1"}}}`, 0},
		"the app":                      {`{shutdownSeconds: 60, containers: {h: {image: "h:1"}}}`, 62},
		"the app, to end at once":      {`{shutdownSeconds: 0, containers: {h: {image: "h:1", shutdownSeconds: 4}}}`, 6},
		"the app, by workload":         {`{shutdownSeconds: 60, workloads: {web: {shutdownSeconds: 5}}}`, 7},
		"sidecars":                     {`{containers: {h: {image: "h:1", shutdownSeconds: 4}, i: {image: "h:1", shutdownSeconds: 5}}}`, 41},
		"a pattern's default":          {`{` + shipper + `}`, 42},
		"an entry over the default":    {`{` + strings.Replace(shipper, "to:", "shutdownSeconds: 3, to:", 1) + `}`, 35},
		"not what runs to its end":     {`{containers: {early: {kind: init, image: "i:1", shutdownSeconds: 50}}}`, 0},
		"not what is no container":     {`{backups: {nightly: {as: cronJob, shutdownSeconds: 99, schedule: "@daily", ` + postgres + `, store: {files: {remote: ":s3:bucket"}}}}}`, 0},
		"not what is off or elsewhere": {`{containers: {h: {image: "h:1", shutdownSeconds: 4, enabled: false}, i: {image: "h:1", shutdownSeconds: 5, workloads: [other]}}}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := renderPod(t, appPod+"outrigger: "+test.values).Spec.TerminationGracePeriodSeconds

			if test.want == 0 {
				assert.Nil(t, got)
			} else {
				assert.Equal(t, &test.want, got)
			}
		})
	}
}

func TestAnAuthorsGracePeriodIsKeptAndCheckedOnlyAgainstWhatIsDeclared(t *testing.T) {
	t.Parallel()
	pod := func(seconds string) string {
		return `pod: {metadata: {labels: {app: web}}, spec: {terminationGracePeriodSeconds: ` + seconds + `, containers: [{name: app, image: "app:1"}]}}
`
	}
	const declared = `outrigger: {shutdownSeconds: 20, containers: {h: {image: "h:1", shutdownSeconds: 5}}}`
	const undeclared = `outrigger: {volumes: {logs: {mountPath: /logs}}, logshippers: {ship: {files: [/logs/a], to: {stdout: {}}}}}`

	message := harness.Consumer(t).RenderError(t, pod("26")+declared)

	assert.Contains(t, message, "terminationGracePeriodSeconds: is 26, and 27 are needed: outrigger.shutdownSeconds 20 + outrigger.containers.h.shutdownSeconds 5, and 2 to spare; raise it to 27")
	assert.EqualValues(t, 27, *renderPod(t, pod("27")+declared).Spec.TerminationGracePeriodSeconds)
	assert.EqualValues(t, 1, *renderPod(t, pod("1")+undeclared).Spec.TerminationGracePeriodSeconds)
}

func TestAGracePeriodThatIsNullIsNone(t *testing.T) {
	t.Parallel()
	chart := harness.NewChart(t, map[string]string{
		"templates/_pod.tpl": `{{- define "shop.pod" }}{metadata: {labels: {app: web}}, spec: {terminationGracePeriodSeconds: , containers: [{name: app, image: "app:1"}]}}{{ end }}`,
		"templates/web.yaml": `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template: {{- include "outrigger.podTemplate" (dict "context" . "template" "shop.pod") | nindent 4 }}`,
	})

	pod := harness.Find[*appsv1.Deployment](t, chart.Render(t, `outrigger: {containers: {h: {image: "h:1", shutdownSeconds: 7}}}`)).Spec.Template

	assert.EqualValues(t, 30+7+2, *pod.Spec.TerminationGracePeriodSeconds)
}

func TestAnAuthorsGracePeriodHoldsWhatItsPodsSidecarsTakeAndNoMore(t *testing.T) {
	t.Parallel()
	const pod = `pod: {metadata: {labels: {app: web}}, spec: {terminationGracePeriodSeconds: 60, containers: [{name: app, image: "app:1"}]}}
`
	pods := renderPod(t, pod+`outrigger: {containers: {early: {kind: init, image: "i:1", shutdownSeconds: 59}}, backups: {nightly: {shutdownSeconds: 99, schedule: "@daily", `+postgres+`, store: {files: {remote: ":s3:bucket"}}}}}`)

	assert.EqualValues(t, 60, *pods.Spec.TerminationGracePeriodSeconds)
}

func TestACustomPatternOfAnotherLibraryContributesAsTheBuiltInOnesDo(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t).With(map[string]string{
		"charts/vault/Chart.yaml": "{apiVersion: v2, name: vault, version: 1.0.0, type: library}",
		"charts/vault/templates/_vault.tpl": `
{{- define "outrigger.pattern.vault" }}
order: 150

volumes: [{name: {{ .name }}-token, emptyDir: {medium: Memory}}]
appVolumeMounts: [{name: {{ .name }}-token, mountPath: /vault}]
podAnnotations: {vault/address: {{ .config.address | quote }}}
sidecars:
  - name: {{ .name }}
    image: vault:{{ .config.version }}
    args: [agent, {{ .config.address }}]
    volumeMounts: [{name: {{ .name }}-token, mountPath: /vault}]
{{- end }}`,
	})
	values := appPod + `
outrigger:
  containers: {helper: {image: "h:1"}, early: {image: "h:1", order: 1}}
  custom: {vault: {secrets: {address: "http://vault", version: 1, resources: {limits: {memory: 1Gi}}}}}
`

	pod := harness.Find[*appsv1.Deployment](t, chart.Render(t, values)).Spec.Template

	assert.Equal(t, []string{"early", "secrets", "helper"}, containerNames(pod.Spec.InitContainers))
	assert.Equal(t, "vault:1", container(t, pod, "secrets").Image)
	secrets := container(t, pod, "secrets")
	assert.Equal(t, "1Gi", secrets.Resources.Limits.Memory().String(), "an entry's fields hold for every pattern")
	assert.True(t, *container(t, pod, "secrets").SecurityContext.ReadOnlyRootFilesystem)
	assert.Equal(t, "http://vault", pod.Annotations["vault/address"])
	assert.Equal(t, "/vault", container(t, pod, "app").VolumeMounts[0].MountPath)
}

func TestACustomPatternIsHeldToKubernetesFields(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t).With(map[string]string{
		"templates/_vault.tpl": `{{- define "outrigger.pattern.vault" }}
sidecars: [{name: {{ .name }}, image: "v:1", comand: [run]}]
{{- end }}`,
	})

	message := chart.RenderError(t, appPod+`outrigger: {custom: {vault: {secrets: {}}}}`)

	assert.Contains(t, message, `outrigger.custom.vault.secrets: Kubernetes knows no field "comand" here; remove it, or write one of "command"`)
}

func TestAVolumeOfAContainersOwnIsMountedByItAlone(t *testing.T) {
	t.Parallel()
	for name, volumes := range map[string]string{
		"a map":  `{certificate: {secret: {secretName: "{{ .Release.Name }}-tls"}}}`,
		"a list": `[{name: certificate, secret: {secretName: demo-tls}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			pod := renderPod(t, appPod+`
outrigger:
  containers:
    proxy: {image: "proxy:1", volumes: `+volumes+`, volumeMounts: {certificate: {mountPath: /tls, readOnly: true}}}
    other: {image: "other:1"}
`)

			require.Len(t, pod.Spec.Volumes, 1)
			assert.Equal(t, "certificate", pod.Spec.Volumes[0].Name)
			assert.Equal(t, "demo-tls", pod.Spec.Volumes[0].Secret.SecretName)
			assert.Equal(t, []corev1.VolumeMount{{Name: "certificate", MountPath: "/tls", ReadOnly: true}}, container(t, pod, "proxy").VolumeMounts)
			assert.Empty(t, container(t, pod, "app").VolumeMounts)
			assert.Empty(t, container(t, pod, "other").VolumeMounts)
		})
	}
}

func TestAVolumeOfAContainersOwnThatAnotherHasTooIsToldByBoth(t *testing.T) {
	t.Parallel()
	const own = `{image: "a:1", volumes: {certificate: {emptyDir: {}}}}`

	message := harness.Consumer(t).RenderError(t, appPod+`outrigger: {containers: {one: `+own+`, two: `+own+`}}`)

	assert.Contains(t, message, `outrigger.containers.one and outrigger.containers.two: both make a volume "certificate"; rename one of them`)
}

func TestAVolumeOfTheAuthorsThatIsNamedAsTheLibrarysOwnIsToldByThePodTemplate(t *testing.T) {
	t.Parallel()
	const pod = `
pod:
  metadata: {labels: {app: web}}
  spec:
    containers: [{name: app, image: app:1}]
    volumes: [{name: outrigger-files, emptyDir: {}}, {name: twice, emptyDir: {}}, {name: twice, emptyDir: {}}]
`

	message := harness.Consumer(t).RenderError(t, pod+`outrigger: {volumes: {logs: {mountPath: /l}}, logshippers: {logs: {files: [/l/a], to: {stdout: {}}}}}`)

	assert.Contains(t, message, `the pod template: has a volume "outrigger-files", which is the library's own; rename it`)
	assert.Contains(t, message, `the pod template: has two volumes "twice"; rename one`)
}

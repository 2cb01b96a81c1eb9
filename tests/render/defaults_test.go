package render

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestSidecarsAreRestrictedByDefault(t *testing.T) {
	t.Parallel()
	context := renderPod(t, appPod+`outrigger: {containers: {helper: {image: "helper:1"}}}`).Spec.InitContainers[0].SecurityContext

	assert.False(t, *context.AllowPrivilegeEscalation)
	assert.Equal(t, []corev1.Capability{"ALL"}, context.Capabilities.Drop)
	assert.True(t, *context.ReadOnlyRootFilesystem)
	assert.True(t, *context.RunAsNonRoot)
	assert.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, context.SeccompProfile.Type)
	assert.EqualValues(t, 65532, *context.RunAsUser)
	assert.EqualValues(t, 65532, *context.RunAsGroup)
}

func TestEachSecurityDefaultCanBeOverriddenAlone(t *testing.T) {
	t.Parallel()
	context := renderPod(t, appPod+`
outrigger:
  containers:
    helper:
      image: helper:1
      securityContext: {readOnlyRootFilesystem: false, runAsUser: 0, capabilities: {add: [NET_ADMIN]}}
`).Spec.InitContainers[0].SecurityContext

	assert.False(t, *context.ReadOnlyRootFilesystem)
	assert.EqualValues(t, 0, *context.RunAsUser)
	assert.False(t, *context.RunAsNonRoot, "root on request is not refused by the kubelet")
	assert.Equal(t, []corev1.Capability{"NET_ADMIN"}, context.Capabilities.Add)
	assert.False(t, *context.AllowPrivilegeEscalation, "what is not overridden stays")
}

func TestTheChartsDefaultsCanBeOverridden(t *testing.T) {
	t.Parallel()
	helper := renderPod(t, appPod+`
outrigger:
  defaults:
    securityContext: {readOnlyRootFilesystem: false}
    resources: {limits: {memory: 1Gi}}
  images: {busybox: "mirror.example/busybox:1"}
  volumes: {logs: {mountPath: /logs}}
  logshippers: {shipper: {files: [/logs/x], to: {stdout: true}}}
`).Spec.InitContainers[0]

	assert.Equal(t, "mirror.example/busybox:1", helper.Image)
	assert.False(t, *helper.SecurityContext.ReadOnlyRootFilesystem)
	assert.True(t, *helper.SecurityContext.RunAsNonRoot)
	assert.Equal(t, "1Gi", helper.Resources.Limits.Memory().String())
	assert.Equal(t, "16Mi", helper.Resources.Requests.Memory().String())
}

func TestSidecarsRunAsTheAppsUserWhereThePodSaysOne(t *testing.T) {
	t.Parallel()
	number := func(value int64) *int64 { return &value }
	for name, test := range map[string]struct {
		pod         string
		user, group *int64
	}{
		"nobody says":                         {`containers: [{name: app, image: a}]`, number(65532), number(65532)},
		"the pod says the user":               {`securityContext: {runAsUser: 1000}, containers: [{name: app, image: a}]`, nil, nil},
		"the pod says only the group":         {`securityContext: {runAsGroup: 7}, containers: [{name: app, image: a}]`, number(65532), number(7)},
		"the container says both":             {`containers: [{name: app, image: a, securityContext: {runAsUser: 5, runAsGroup: 6}}]`, number(5), number(6)},
		"the container says the user":         {`securityContext: {runAsUser: 1, runAsGroup: 2}, containers: [{name: app, image: a, securityContext: {runAsUser: 5}}]`, number(5), nil},
		"the app is root":                     {`containers: [{name: app, image: a, securityContext: {runAsUser: 0}}]`, number(65532), number(0)},
		"the pod is root, its group is not":   {`securityContext: {runAsUser: 0, runAsGroup: 9}, containers: [{name: app, image: a}]`, number(65532), number(9)},
		"the container is root, the pod not":  {`securityContext: {runAsUser: 1000, runAsGroup: 9}, containers: [{name: app, image: a, securityContext: {runAsUser: 0}}]`, number(65532), number(9)},
		"another container shares the volume": {`volumes: [{name: logs, emptyDir: {}}], containers: [{name: proxy, image: p, securityContext: {runAsUser: 4}}, {name: app, image: a, securityContext: {runAsUser: 5}, volumeMounts: [{name: logs, mountPath: /logs}]}]`, number(5), nil},
	} {
		t.Run(name, func(t *testing.T) {
			pod := renderPod(t, `
pod: {metadata: {labels: {app: web}}, spec: {`+test.pod+`}}
outrigger: {containers: {helper: {image: "helper:1", volumeMounts: [`+map[bool]string{true: "{name: logs}"}[name == "another container shares the volume"]+`]}}}
`)

			context := pod.Spec.InitContainers[0].SecurityContext
			assert.Equal(t, test.user, context.RunAsUser, "runAsUser")
			assert.Equal(t, test.group, context.RunAsGroup, "runAsGroup")
			assert.True(t, *context.RunAsNonRoot)
		})
	}
}

func TestSidecarsHaveSmallRequestsAndAMemoryLimit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ given, requestCPU, requestMemory, limitMemory string }{
		"nothing given":                      {`{}`, "10m", "16Mi", "64Mi"},
		"a limit":                            {`{limits: {memory: 1Gi}}`, "10m", "16Mi", "1Gi"},
		"a limit below the default request":  {`{limits: {memory: 8Mi}}`, "10m", "8Mi", "8Mi"},
		"a request above the default limit":  {`{requests: {memory: 1Gi}}`, "10m", "1Gi", "1Gi"},
		"a request within the default limit": {`{requests: {memory: 32Mi, cpu: 1}}`, "1", "32Mi", "64Mi"},
	} {
		t.Run(name, func(t *testing.T) {
			pod := renderPod(t, appPod+`outrigger: {containers: {helper: {image: "helper:1", resources: `+test.given+`}}}`)

			resources := pod.Spec.InitContainers[0].Resources
			assert.Equal(t, test.requestCPU, resources.Requests.Cpu().String())
			assert.Equal(t, test.requestMemory, resources.Requests.Memory().String())
			assert.Equal(t, test.limitMemory, resources.Limits.Memory().String())
			assert.NotContains(t, resources.Limits, corev1.ResourceCPU)
		})
	}
}

func TestAGuaranteedPodStaysGuaranteed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		app, sidecar string
		guaranteed   bool
	}{
		"limits alone":                     {`{limits: {cpu: 1, memory: 1Gi}}`, `{}`, true},
		"equal, spelled in two ways":       {`{limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 1000m, memory: 1024Mi}}`, `{}`, true},
		"the sidecar's limit overridden":   {`{limits: {cpu: 1, memory: 1Gi}}`, `{limits: {memory: 99Mi}}`, true},
		"the sidecar's request overridden": {`{limits: {cpu: 1, memory: 1Gi}}`, `{requests: {cpu: 2, memory: 99Mi}}`, true},
		"requests are less":                {`{limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 999m}}`, `{}`, false},
		"no limit of cpu":                  {`{limits: {memory: 1Gi}}`, `{}`, false},
		"nothing":                          {`{}`, `{}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			pod := renderPod(t, `
pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: app:1, resources: `+test.app+`}]}}
outrigger:
  containers: {helper: {image: "helper:1", resources: `+test.sidecar+`}}
`)

			resources := pod.Spec.InitContainers[0].Resources
			require.NotEmpty(t, resources.Requests)
			same := resources.Limits.Cpu().Cmp(*resources.Requests.Cpu()) == 0 && resources.Limits.Memory().Cmp(*resources.Requests.Memory()) == 0
			assert.Equal(t, test.guaranteed, same, "limits %v, requests %v", resources.Limits, resources.Requests)
		})
	}
}

func TestASidecarThatAsksForLessThanItsLimitLeavesGuaranteedOnPurpose(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, `
pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: app:1, resources: {limits: {cpu: 1, memory: 1Gi}}}]}}
outrigger: {containers: {helper: {image: "helper:1", resources: {requests: {cpu: 1m}}}}}
`)

	assert.Equal(t, "1m", pod.Spec.InitContainers[0].Resources.Requests.Cpu().String(), "the entry's word counts")
}

func TestEachSidecarHasTheUserOfTheContainerItSharesAVolumeWith(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, `
pod:
  metadata: {labels: {app: web}}
  spec:
    containers:
      - {name: one, image: "a:1", securityContext: {runAsUser: 1001}, volumeMounts: [{name: a, mountPath: /a}]}
      - {name: two, image: "a:1", securityContext: {runAsUser: 1002}, volumeMounts: [{name: b, mountPath: /b}]}
    volumes: [{name: a, emptyDir: {}}, {name: b, emptyDir: {}}]
outrigger:
  containers:
    of-one: {image: "h:1", volumeMounts: [{name: a}]}
    of-two: {image: "h:1", volumeMounts: [{name: b}]}
    of-none: {image: "h:1"}
`)

	for name, user := range map[string]int64{"of-one": 1001, "of-two": 1002, "of-none": 1001} {
		assert.Equal(t, user, *container(t, pod, name).SecurityContext.RunAsUser, name)
	}
}

func TestAPrivilegedEntryLosesTheDefaultThatKubernetesRefusesBesideIt(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+`
outrigger:
  containers:
    privileged: {image: "h:1", securityContext: {privileged: true}}
    admin: {image: "h:1", securityContext: {capabilities: {add: [SYS_ADMIN]}}}
    admin-too: {image: "h:1", securityContext: {capabilities: {add: [CAP_SYS_ADMIN]}}}
    plain: {image: "h:1", securityContext: {runAsUser: 5}}
`)

	assert.Nil(t, container(t, pod, "privileged").SecurityContext.AllowPrivilegeEscalation)
	assert.Nil(t, container(t, pod, "admin").SecurityContext.AllowPrivilegeEscalation)
	assert.Nil(t, container(t, pod, "admin-too").SecurityContext.AllowPrivilegeEscalation)
	assert.False(t, *container(t, pod, "plain").SecurityContext.AllowPrivilegeEscalation)
}

func TestInAPodWithResourcesOfItsOwnSidecarsHaveWhatTheirEntriesSayAlone(t *testing.T) {
	t.Parallel()
	values := `
pod:
  metadata: {labels: {app: web}}
  spec: {resources: {requests: {cpu: 15m, memory: 36Mi}, limits: {memory: 40Mi}}, containers: [{name: app, image: "app:1"}]}
outrigger:
  volumes: {logs: {mountPath: /logs}}
  containers:
    plain: {image: "h:1"}
    asking: {image: "h:1", resources: {requests: {memory: 4Mi}}}
  logshippers: {sent: {files: [/logs/b], to: {otlphttp: {endpoint: "http://a:1"}}, resources: {limits: {memory: 32Mi}}}}
`

	pod := harness.Find[*appsv1.Deployment](t, harness.Consumer(t).Render(t, values)).Spec.Template.Spec

	given := map[string]corev1.ResourceRequirements{}
	for _, container := range pod.InitContainers {
		given[container.Name] = container.Resources
	}
	memory := func(quantity string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(quantity)}
	}
	assert.Equal(t, map[string]corev1.ResourceRequirements{
		"outrigger-tools": {}, "plain": {}, "asking": {Requests: memory("4Mi")}, "sent": {Limits: memory("32Mi")},
	}, given)
}

func TestSidecarsThatAreTooMuchForTheResourcesOfTheirPodAreAProblemWithTheSum(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ resources, entries, problem string }{
		"requests": {
			`{requests: {cpu: 15m, memory: 20Mi}}`, `{a: {image: "h:1", resources: {requests: {memory: 3Mi}}}, b: {image: "h:1", resources: {limits: {memory: 2Mi}}}}`,
			`the pod template's resources.requests.memory: is 20Mi, and containers that run together request 21Mi: outrigger.containers.a 3Mi, outrigger.containers.b 2Mi, container "app" of the pod template 16Mi; raise it, or lower what they request`,
		},
		"a limit where nothing is requested": {
			`{limits: {cpu: 15m}}`, `{a: {image: "h:1", resources: {requests: {cpu: 16m}}}}`,
			`the pod template's resources.limits.cpu: is 15m, and containers that run together request 16m: outrigger.containers.a 16m; raise it, or lower what they request`,
		},
		"an init container beside a sidecar": {
			`{requests: {memory: 20Mi}}`, `{a: {image: "h:1", resources: {requests: {memory: 4Mi}}}, b: {image: "h:1", kind: init, resources: {requests: {memory: 17Mi}}}}`,
			`the pod template's resources.requests.memory: is 20Mi, and containers that run together request 21Mi: outrigger.containers.a 4Mi, outrigger.containers.b 17Mi; raise it, or lower what they request`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			values := func(resources string) string {
				return `pod: {metadata: {labels: {app: web}}, spec: {resources: ` + resources + `, containers: [{name: app, image: "app:1", resources: {requests: {memory: 16Mi}}}]}}
outrigger: {containers: ` + test.entries + `}`
			}

			message := harness.Consumer(t).RenderError(t, values(test.resources))

			assert.Contains(t, message, "1 problem(s)")
			assert.Contains(t, message, test.problem)
			harness.Consumer(t).Render(t, values(`{requests: {cpu: 16m, memory: 21Mi}}`))
		})
	}
}

func TestWhatTheAuthorsContainersRequestAloneIsTheAPIServersToRefuse(t *testing.T) {
	t.Parallel()

	objects := harness.Consumer(t).OfShapes().Render(t, `
pod: {metadata: {labels: {app: web}}, spec: {resources: {requests: {memory: 1Mi}}, containers: [{name: app, image: "app:1", resources: {requests: {memory: 16Mi}}}]}}
outrigger: {containers: {helper: {image: "h:1"}}}
`)

	assert.Len(t, harness.Find[*appsv1.Deployment](t, objects).Spec.Template.Spec.InitContainers, 1)
}

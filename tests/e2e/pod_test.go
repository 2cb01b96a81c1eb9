package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestTheAppStartsOnlyAfterTheSidecarHasStarted(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	namespace.Install("demo", harness.Consumer(t).Write(t), restrictedApp(`trap 'exit 0' TERM`+serving)+`
  containers:
    slow:
      image: docker.io/library/busybox:1.37.0-musl
      command: [sh, -c, "trap 'exit 0' TERM; sleep 3; touch /logs/started; while true; do sleep 1 & wait $!; done"]
      volumeMounts: [{name: logs}]
      startupProbe: {exec: {command: [test, -e, /logs/started]}, periodSeconds: 1, failureThreshold: 60}
`)

	pod := namespace.ReadyPods(web, 1)[0]

	slow := harness.Status(t, pod, "slow").State.Running.StartedAt.Time
	app := harness.Status(t, pod, "app").State.Running.StartedAt.Time
	assert.GreaterOrEqual(t, app.Sub(slow), 3*time.Second, "the app waited for the sidecar's startup probe")
}

func TestAGuaranteedPodIsStillGuaranteedInTheCluster(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	values := strings.Replace(restrictedApp(`trap 'exit 0' TERM`+serving),
		"        command:", "        resources: {limits: {cpu: 100m, memory: 32Mi}}\n        command:", 1)
	namespace.Install("demo", harness.Consumer(t).Write(t), values)

	pod := namespace.ReadyPods(web, 1)[0]

	assert.Equal(t, corev1.PodQOSGuaranteed, pod.Status.QOSClass)
}

func TestBadValuesLeaveNothingBehind(t *testing.T) {
	harness.Facts(t)
	chart := harness.Consumer(t).Write(t)
	for name, test := range map[string]struct{ values, message string }{
		"unknown key":               {`{logshippers: {logs: {filez: [/logs/x]}}}`, "'filez' not allowed"},
		"bad type":                  {`{containers: {helper: {image: [1]}}}`, "got array, want null or string"},
		"unknown volume":            {`{containers: {helper: {image: "h:1", volumeMounts: [{name: lgs, mountPath: /x}]}}}`, `there is no volume "lgs"; add outrigger.volumes.lgs`},
		"no DNS label":              {`{containers: {Helper: {image: "h:1"}}}`, "outrigger.containers.Helper"},
		"two entries with one name": {`{volumes: {v: {mountPath: /v}}, containers: {a: {image: "h:1"}}, logshippers: {a: {files: [/v/x], to: {stdout: {}}}}}`, `both make a container "a"; rename one of them`},
	} {
		t.Run(name, func(t *testing.T) {
			harness.Facts(t)
			namespace := harness.NewNamespace(t, harness.Restricted)
			values := "{pod: {spec: {containers: [{name: app, image: app:1}]}}, outrigger: " + test.values + "}"

			_, templateError := namespace.Template(chart, values)
			installError := namespace.InstallError("demo", chart, values)

			require.Error(t, templateError)
			assert.Contains(t, templateError.Error(), test.message)
			assert.Contains(t, installError, test.message)
			assert.Empty(t, namespace.Pods(""))
			secrets, err := namespace.Client.CoreV1().Secrets(namespace.Name).List(context.Background(), metav1.ListOptions{})
			require.NoError(t, err)
			assert.Empty(t, secrets.Items, "helm's record of a release")
			configs, err := namespace.Client.CoreV1().ConfigMaps(namespace.Name).List(context.Background(), metav1.ListOptions{FieldSelector: "metadata.name!=kube-root-ca.crt"})
			require.NoError(t, err)
			assert.Empty(t, configs.Items)
		})
	}
}

func TestAPersistentVolumeClaimCanBeWrittenByANonRootPod(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	chart := harness.Consumer(t).With(map[string]string{"templates/claim.yaml": `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: logs}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Mi}}}
`})
	values := strings.Replace(restrictedApp(`trap 'exit 0' TERM; echo kept >> /logs/app.log`+serving),
		"{mountPath: /logs}", "{mountPath: /logs, persistentVolumeClaim: {claimName: logs}}", 1)
	namespace.Install("demo", chart.Write(t), values)
	pod := namespace.ReadyPods(web, 1)[0]

	stream := namespace.Follow(pod.Name, "shipper")

	namespace.Eventually(harness.LogLine, "the line on the claim arrives", func() bool { _, found := stream.Find("kept"); return found })
}

package e2e

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// migrating is a chart with a Deployment `web` and, before each install and upgrade, a migration. Both have a shipper.
func migrating(t *testing.T) harness.Chart {
	t.Helper()
	return harness.Consumer(t).With(map[string]string{
		"templates/job.yaml": `
{{- include "outrigger.job" (dict "context" . "template" "shop.migration" "workload" "migration" "hook" "pre-install,pre-upgrade") }}
{{- define "shop.migration" }}
spec:
  securityContext: {{- toYaml .Values.pod.spec.securityContext | nindent 4 }}
  containers:
    - name: migrate
      image: docker.io/library/busybox:1.37.0-musl
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
      command: [sh, -c, {{ printf "echo migrated to revision %v >> /logs/app.log; exit %v" .Release.Revision (.Values.exitCode | default 0) | quote }}]
{{- end }}`,
	})
}

func TestAMigrationBeforeInstallAndUpgradeIsShippedAndInTheWayOfNeither(t *testing.T) {
	harness.Facts(t)
	const migration = "app.kubernetes.io/component=migration"
	namespace := harness.NewNamespace(t, harness.Restricted)
	chart := migrating(t).Write(t)
	app := restrictedApp(`trap 'exit 0' TERM` + serving)

	// Helm waits for a hook's Job, so that it is over when the command is.
	namespace.Install("demo", chart, app)
	first := theOnlyPod(t, namespace, migration)
	assert.Equal(t, corev1.PodSucceeded, first.Status.Phase)
	assert.Equal(t, "migrated to revision 1\n", namespace.Logs(first.Name, "shipper"))
	namespace.ReadyPods(web, 1)

	namespace.Upgrade("demo", chart, app)

	var second corev1.Pod
	namespace.Eventually(harness.PodEnd, "the first migration's pod has been replaced", func() bool {
		pods := namespace.Pods(migration)
		if len(pods) != 1 {
			return false
		}
		second = pods[0]
		return second.UID != first.UID
	})
	assert.Equal(t, corev1.PodSucceeded, second.Status.Phase)
	assert.Equal(t, "migrated to revision 2\n", namespace.Logs(second.Name, "shipper"))
	namespace.ReadyPods(web, 1)
	configMaps, err := namespace.Client.CoreV1().ConfigMaps(namespace.Name).List(context.Background(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/managed-by=Helm"})
	require.NoError(t, err)
	require.Len(t, configMaps.Items, 1, "the hook's own ConfigMap is gone")
	assert.Equal(t, "demo-shop-outrigger", configMaps.Items[0].Name)
}

func TestAMigrationThatFailsKeepsTheReleaseFromBeingInstalled(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)

	message := namespace.InstallError("demo", migrating(t).Write(t), restrictedApp(`trap 'exit 0' TERM`+serving)+`
  jobs: {migration: {backoffLimit: 0}}
exitCode: 1
`)

	assert.Contains(t, message, "failed pre-install")
	deployments, err := namespace.Client.AppsV1().Deployments(namespace.Name).List(context.Background(), metav1.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, deployments.Items)
	assert.Equal(t, "migrated to revision 1\n", namespace.Logs(theOnlyPod(t, namespace, "app.kubernetes.io/component=migration").Name, "shipper"))
}

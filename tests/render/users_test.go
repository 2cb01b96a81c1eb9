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

// openShift is a cluster that gives each namespace's pods users of its own, and refuses others.
var openShift = harness.Settings{APIVersions: []string{"security.openshift.io/v1"}}

// everySidecar is an app of no user with a sidecar of each pattern.
const everySidecar = `
pod:
  metadata: {labels: {app: web}}
  spec: {containers: [{name: app, image: "app:1"}]}
outrigger:
  volumes: {logs: {mountPath: /logs, seed: true}}
  containers: {helper: {image: "h:1"}}
  logshippers:
    lines: {files: [/logs/a], to: {stdout: {}}}
    sent: {files: [/logs/b], to: {otlphttp: {endpoint: "http://a:1"}}, rotate: {maxSize: 1Mi}}
  tokenRefreshers: {token: {awsRds: {host: h.eu-west-1.rds.amazonaws.com, user: shop}, file: {path: /tokens/users.txt, format: pgbouncer, user: shop}}}
  ambassadors: {proxy: {pgbouncer: {host: db, database: shop, user: shop, secret: {name: db, key: password}}}}
`

func TestOnOpenShiftNoPodAsksForAUserAGroupOrAnFsGroup(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		values   string
		settings harness.Settings
	}{
		"found by what the cluster serves": {everySidecar, openShift},
		"said":                             {everySidecar + "  defaults: {user: inherit}\n", harness.Settings{}},
	} {
		t.Run(name, func(t *testing.T) {
			objects := harness.Consumer(t).Render(t, test.values, test.settings)

			pod := harness.Find[*appsv1.Deployment](t, objects).Spec.Template.Spec
			require.Greater(t, len(pod.InitContainers), 5)
			assertNobodySaysAUser(t, pod)
		})
	}
	backups := nightly + "      drill: {schedule: \"1 2 * * 0\", check: [select 1]}\n"
	for name, cronJob := range cronJobs(t, backups, openShift) {
		pod := cronJob.Spec.JobTemplate.Spec.Template.Spec
		assertNobodySaysAUser(t, pod)
		assert.True(t, *pod.SecurityContext.RunAsNonRoot, name)
	}
}

func assertNobodySaysAUser(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	if context := pod.SecurityContext; context != nil {
		assert.Nil(t, context.RunAsUser)
		assert.Nil(t, context.RunAsGroup)
		assert.Nil(t, context.FSGroup)
	}
	for _, container := range append(pod.InitContainers, pod.Containers...) {
		if context := container.SecurityContext; context != nil {
			assert.Nil(t, context.RunAsUser, container.Name)
			assert.Nil(t, context.RunAsGroup, container.Name)
		}
	}
}

func TestTheDefaultsSayWhoSidecarsAre(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		defaults, app string
		uid, gid      int64
	}{
		"another user":                       {`user: {uid: 1001, gid: 0}`, ``, 1001, 0},
		"a user whose group is called so":    {`user: {uid: 1001}`, ``, 1001, 1001},
		"beside an app that says its own":    {`user: {uid: 1001}`, `runAsUser: 7, runAsGroup: 8`, 7, 8},
		"beside a root app":                  {`user: {uid: 1001}`, `runAsUser: 0`, 1001, 0},
		"the defaults' own security context": {`securityContext: {runAsUser: 1002, runAsGroup: 1003}`, ``, 1002, 1003},
		"which wins over the app's":          {`securityContext: {runAsUser: 1002}`, `runAsUser: 7, runAsGroup: 8`, 1002, 8},
	} {
		t.Run(name, func(t *testing.T) {
			values := strings.Replace(everySidecar, "spec: {containers", "spec: {securityContext: {"+test.app+"}, containers", 1)
			values = strings.Replace(values, ", rotate: {maxSize: 1Mi}", "", 1) // which asks for the app's user

			objects := harness.Consumer(t).Render(t, values+"  defaults: {"+test.defaults+"}\n")

			pod := harness.Find[*appsv1.Deployment](t, objects).Spec.Template.Spec
			helper := pod.InitContainers[len(pod.InitContainers)-1]
			require.Equal(t, "helper", helper.Name)
			uid, gid := pod.SecurityContext.RunAsUser, pod.SecurityContext.RunAsGroup
			if helper.SecurityContext.RunAsUser != nil {
				uid = helper.SecurityContext.RunAsUser
			}
			if helper.SecurityContext.RunAsGroup != nil {
				gid = helper.SecurityContext.RunAsGroup
			}
			assert.Equal(t, test.uid, *uid)
			assert.Equal(t, test.gid, *gid)
		})
	}
}

func TestWhatTheDefaultsSayOfPrivilegesAndRootIsSaidAsAWholeThatKubernetesTakes(t *testing.T) {
	t.Parallel()
	const values = `
pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "a:1"}]}}
outrigger:
  containers: {helper: {image: "h:1"}}
  defaults: {securityContext: `
	context := func(defaults string) *corev1.SecurityContext {
		objects := harness.Consumer(t).Render(t, values+defaults+"}\n")
		return harness.Find[*appsv1.Deployment](t, objects).Spec.Template.Spec.InitContainers[0].SecurityContext
	}

	privileged, admin, root := context(`{privileged: true}`), context(`{capabilities: {add: [SYS_ADMIN]}}`), context(`{runAsUser: 0}`)

	assert.True(t, *privileged.Privileged)
	assert.Nil(t, privileged.AllowPrivilegeEscalation)
	assert.Nil(t, admin.AllowPrivilegeEscalation)
	assert.False(t, *root.RunAsNonRoot, "a root that is to be none is never started")
}

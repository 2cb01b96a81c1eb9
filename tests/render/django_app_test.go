package render

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// djangoPod renders charts/django-app and returns its pod.
func djangoPod(t *testing.T, values string) corev1.PodTemplateSpec {
	t.Helper()
	objects := harness.LoadChart(t, filepath.Join(harness.Root(), "charts/django-app")).Render(t, values)
	return harness.Find[*appsv1.Deployment](t, objects).Spec.Template
}

func TestTheDjangoAppConnectsToItsProxyAsTheEntriesOfTheSidecarsSay(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ values, port, database, user string }{
		"as the chart has them": {"", "6432", "shop", "shop"},
		"another database and port": {
			"outrigger: {ambassadors: {proxy: {pgbouncer: {database: books, listenPort: 7000}}}}", "7000", "books", "shop",
		},
		"the user of the tokens": {
			"outrigger: {tokenRefreshers: {db: {awsRds: {user: clerk}}}}", "6432", "shop", "clerk",
		},
		"the user of the file": {
			"outrigger: {tokenRefreshers: {db: {file: {user: Clerk}}}}", "6432", "shop", "Clerk",
		},
	} {
		t.Run(name, func(t *testing.T) {
			pod := djangoPod(t, test.values)

			for _, name := range []string{"migrate", "app"} {
				set := variables(container(t, pod, name))
				assert.Equal(t, "127.0.0.1", set["DATABASE_HOST"], name)
				assert.Equal(t, test.port, set["DATABASE_PORT"], name)
				assert.Equal(t, test.database, set["DATABASE_NAME"], name)
				assert.Equal(t, test.user, set["DATABASE_USER"], name)
			}
		})
	}
}

func TestTheDjangoAppAndItsMigrationsHaveNoPassword(t *testing.T) {
	t.Parallel()
	pod := djangoPod(t, "")

	for _, name := range []string{"migrate", "app"} {
		found := container(t, pod, name)
		for variable, value := range variables(found) {
			assert.NotContains(t, variable, "PASSWORD", name)
			if variable != "SECRET_KEY" {
				assert.NotContains(t, value, "/", "%s: %s is of a Secret", name, variable)
			}
		}
		for _, mount := range found.VolumeMounts {
			assert.NotEqual(t, "/tokens", mount.MountPath, name)
		}
	}
}

func TestTheDjangoAppIsMigratedWhenItsSidecarsRun(t *testing.T) {
	t.Parallel()
	pod := djangoPod(t, "")

	names := containerNames(pod.Spec.InitContainers)
	assert.Equal(t, "migrate", names[len(names)-1])
	assert.Nil(t, container(t, pod, "migrate").RestartPolicy)
	assert.Equal(t, []string{"app"}, containerNames(pod.Spec.Containers))
}

func TestTheDjangoAppAnswersToTheNamesOfItsServiceAndToThoseThatAreGiven(t *testing.T) {
	t.Parallel()
	pod := djangoPod(t, "app: {allowedHosts: [guestbook.example.com]}")

	names := strings.Fields(variables(container(t, pod, "app"))["ALLOWED_HOSTS"])
	assert.Subset(t, names, []string{"demo-django-app", "demo-django-app.default.svc.cluster.local", "guestbook.example.com"})
	assert.NotContains(t, names, "*")
	probed := container(t, pod, "app").ReadinessProbe.HTTPGet.HTTPHeaders
	assert.Equal(t, "Host", probed[0].Name)
	assert.Contains(t, names, probed[0].Value)
}

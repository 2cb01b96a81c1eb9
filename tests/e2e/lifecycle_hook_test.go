package e2e

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const hooks = "Restartable Init Container Lifecycle Hook/"

// hears is the CGI script of a server that says so when it is asked.
const hears = `echo "$(cut -d' ' -f1 /proc/uptime) heard a hook" | tee -a /dev/termination-log >/proc/1/fd/1
printf 'Content-Type: text/plain\r\n\r\nok'`

// server is a sidecar that hears hooks, and is up before the next begins.
var server = container{name: "server", script: serves(hears), fields: "{startupProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1, failureThreshold: 600}}"}

// hookCases are those of test/e2e/common/node/lifecycle_hook.go, and those on hooks of
// test/e2e_node/container_lifecycle_test.go.
var hookCases = []upstream{
	{hooks + "should execute poststart exec hook properly", func(t *testing.T) {
		s := probed(t, stays, "lifecycle: {postStart: "+saying("sets out", "")+"}")
		pod := s.ready()
		s.inOrder(pod, "proxy sets out", "app began")
		assert.Len(t, s.said(pod)["proxy sets out"], 1)
	}},
	{hooks + "should execute prestop exec hook properly", func(t *testing.T) {
		s := probed(t, stays, "lifecycle: {preStop: "+saying("prepares", "sleep 0.5")+"}")
		s.ready()
		pod := s.isDeleted()
		s.inOrder(pod, "proxy prepares", "proxy heard SIGTERM")
		assert.Len(t, s.said(pod)["proxy prepares"], 1)
	}},
	{hooks + "should execute poststart http hook properly", func(t *testing.T) {
		s := tell(t, story{
			beside: []container{server, {name: "proxy", script: stays, fields: "lifecycle: {postStart: {httpGet: {path: /cgi-bin/hear, port: 8080}}}"}},
			app:    container{script: stays},
		})
		pod := s.ready()
		s.inOrder(pod, "server began", "server heard a hook", "app began")
		assert.Len(t, s.said(pod)["server heard a hook"], 1)
	}},
	{hooks + "should execute prestop http hook properly", func(t *testing.T) {
		s := tell(t, story{
			beside: []container{server, {name: "proxy", script: stays, fields: "lifecycle: {preStop: {httpGet: {path: /cgi-bin/hear, port: 8080}}}"}},
			app:    container{script: "sleep 1"},
		})
		pod := s.endsAs(corev1.PodSucceeded)
		s.inOrder(pod, "server heard a hook", "proxy heard SIGTERM", "server heard SIGTERM")
		s.inOrder(pod, "app ended", "server heard a hook")
	}},
	{"Running a pod with multiple containers and a PostStart hook/should not launch second container before PostStart of the first container completed", func(t *testing.T) {
		const setsOut = "sleep 1; say set out"
		s := tell(t, story{
			beside: []container{
				{name: "proxy", script: stays, fields: "lifecycle: {postStart: " + saying("sets out", setsOut) + "}"},
				{name: "agent", script: stays, fields: "lifecycle: {postStart: " + saying("sets out", setsOut) + "}"},
			},
			app: container{script: stays},
		})
		s.inOrder(s.ready(), "proxy sets out", "proxy set out", "agent began", "agent set out", "app began")
	}},
	{"The regular container has a PostStart hook/should run Init container to completion before call to PostStart of regular container", func(t *testing.T) {
		s := tell(t, story{
			beside: []container{{name: "prepare", script: "sleep 1", fields: "kind: init"}, {name: "proxy", script: stays}},
			app:    container{script: stays, fields: "lifecycle: {postStart: " + saying("sets out", "") + "}"},
		})
		s.inOrder(s.ready(), "prepare ended", "proxy began", "app sets out")
	}},
}

// serviceCases are those of test/e2e/network/service.go.
var serviceCases = []upstream{
	{"Services/should connect to the ports exposed by restartable init containers", func(t *testing.T) {
		isReached(t, intstr.FromInt32(8080))
	}},
	{"Services/should connect to the named ports exposed by restartable init containers", func(t *testing.T) {
		isReached(t, intstr.FromString("http-sidecar"))
	}},
}

// isReached tells of a sidecar whose port another pod reaches through a Service.
func isReached(t testing.TB, port intstr.IntOrString) {
	exposed := server
	exposed.fields = "{ports: [{name: http-sidecar, containerPort: 8080}], startupProbe: {httpGet: {path: /healthz, port: http-sidecar}, periodSeconds: 1, failureThreshold: 600}}"
	s := tell(t, story{name: "server", beside: []container{exposed}, app: container{script: stays}})
	_, err := s.namespace.Client.CoreV1().Services(s.namespace.Name).Create(context.Background(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "exposed"},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "server"}, Ports: []corev1.ServicePort{{Port: 80, TargetPort: port}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	client := tellIn(t, s.namespace, story{name: "client", app: container{script: "until wget -q -T 2 -O /dev/null http://exposed/cgi-bin/hear; do sleep 0.2; done"}})
	client.endsAs(corev1.PodSucceeded)
	assert.NotEmpty(t, s.said(s.pod())["server heard a hook"])
}

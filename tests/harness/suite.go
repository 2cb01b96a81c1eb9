package harness

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/tests/tenants"
)

// shared is a server that all tests of a process use, each as a tenant who knows nothing of the others: it is started for the
// first who asks, in the namespace of the suite, and stays until the last test has ended. What a test kills, fills or looks at
// from the inside is a server of its own instead, in its own namespace.
type shared struct {
	start func(host *Namespace)
	once  sync.Once
	host  *Namespace // nil where it did not start
}

// Servers that are shared.
var (
	sharedBackend     = &shared{start: func(host *Namespace) { host.startBackend() }}
	sharedTokenServer = &shared{start: func(host *Namespace) { host.startTokenServer() }}
	sharedPostgres    = &shared{start: func(host *Namespace) { host.startPostgres(postgresTenants, postgresCopied) }}
	sharedS3          = &shared{start: func(host *Namespace) { host.startS3("emptyDir: {}") }}
	prober            = &shared{start: func(host *Namespace) { host.startProber() }}
)

// in returns the namespace in which the server is, as a test knows it.
func (s *shared) in(t testing.TB) *Namespace {
	t.Helper()
	s.once.Do(func() {
		host := suite.namespace(t)
		s.start(host)
		s.host = host
	})
	require.NotNil(t, s.host, "a server that tests share did not start; the test that asked first says why")
	return s.host.As(t)
}

// idle is the command of a container in which others are run.
const idle = `[sh, -c, "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"]`

// startProber creates a pod that asks what Services answer.
func (n *Namespace) startProber() {
	n.t.Helper()
	n.Apply(`
apiVersion: v1
kind: Pod
metadata:
  name: prober
  labels: {app: prober}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: prober
      image: ` + testimages.BusyBoxRef + `
      command: ` + idle + `
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
`)
	n.ReadyPods("app=prober", 1)
}

// awaitTenant waits until a Service leads to a tenant. Until the node knows its address, whoever is asked there is somebody outside
// of the cluster, who may answer too.
func (n *Namespace) awaitTenant(service string, port int) {
	n.t.Helper()
	host := prober.in(n.t)
	url := fmt.Sprintf("http://%s.%s.svc:%d/healthz", service, n.Name, port)
	n.Eventually(PodStart, "the Service leads to "+service, func() bool {
		return host.Exec("prober", "prober", "sh", "-c", "wget -T 2 -q -O - "+url+" 2>&1 || true") == tenants.Healthy
	})
}

// suite is the namespace of the servers that are shared.
var suite suiteNamespace

type suiteNamespace struct {
	mutex sync.Mutex
	made  *Namespace
}

func (s *suiteNamespace) namespace(t testing.TB) *Namespace {
	t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.made == nil {
		s.made = create(t, fmt.Sprintf("suite-%d", time.Now().UnixNano()), Restricted)
	}
	return s.made.As(t)
}

// end deletes the namespace, for whose end nobody waits.
func (s *suiteNamespace) end() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.made != nil {
		_ = s.made.Client.CoreV1().Namespaces().Delete(context.Background(), s.made.Name, metav1.DeleteOptions{})
	}
}

// dump prints what the servers that are shared say.
func (s *suiteNamespace) dump(t testing.TB) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.made != nil {
		s.made.As(t).dump("the servers that tests share")
	}
}

// lead creates a Service that leads to a pod in another namespace, by those of the ports that have a target, which is named as they
// are.
func (n *Namespace) lead(service string, to *Namespace, pod string, ports []corev1.ServicePort, targets map[string]int) {
	n.t.Helper()
	ctx := context.Background()
	found, known := to.Pod(n.t, pod)
	require.True(n.t, known, "%s of %s is there", pod, to.Name)
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: service, Labels: map[string]string{discoveryv1.LabelServiceName: service, discoveryv1.LabelManagedBy: "outrigger-tests"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{found.Status.PodIP}}},
	}
	object := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: service}}
	for _, port := range ports {
		target := int32(targets[port.Name])
		if target == 0 {
			continue
		}
		object.Spec.Ports = append(object.Spec.Ports, corev1.ServicePort{Name: port.Name, Port: port.Port})
		slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{Name: &port.Name, Port: &target})
	}
	_, err := n.Client.CoreV1().Services(n.Name).Create(ctx, object, metav1.CreateOptions{})
	require.NoError(n.t, err)
	_, err = n.Client.DiscoveryV1().EndpointSlices(n.Name).Create(ctx, slice, metav1.CreateOptions{})
	require.NoError(n.t, err)
}

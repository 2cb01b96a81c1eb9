package harness

import (
	"context"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/tests/backend"
)

// Names of what a namespace's backend is made of.
const (
	backendName   = "backend" // of its Pod and its Service
	BackendSecret = "backend-tls"
	BackendCA     = "backend-ca" // a ConfigMap; key ca.crt
)

// backendPorts are the Service's, which are the Pod's too.
var backendPorts = []corev1.ServicePort{
	{Name: "otlp-grpc", Port: 4317}, {Name: "otlp-http", Port: 4318}, {Name: "otlp-https", Port: 4319}, {Name: "control", Port: 8080},
}

// Backend is a backend for OTLP in a namespace: a Service `backend`. Its methods fail the test where the backend does not
// answer.
type Backend struct {
	control
	of *Namespace
}

// Backend creates the namespace's backend, which receives OTLP over gRPC and HTTP.
func (n *Namespace) Backend() *Backend {
	n.t.Helper()
	return n.newBackend(backend.Certificate{})
}

// BackendTLS creates a backend that receives OTLP over HTTPS too. The Secret backend-tls has its certificate (tls.crt,
// tls.key), the ConfigMap backend-ca that of the authority that vouches for it (ca.crt).
func (n *Namespace) BackendTLS() *Backend {
	n.t.Helper()
	ctx := context.Background()
	made, err := backend.NewCertificate(backendName, backendName+"."+n.Name, n.backendHost(), n.backendHost()+".cluster.local")
	require.NoError(n.t, err)
	_, err = n.Client.CoreV1().Secrets(n.Name).Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: BackendSecret},
		Type:       corev1.SecretTypeTLS,
		Data:       map[string][]byte{corev1.TLSCertKey: made.Certificate, corev1.TLSPrivateKeyKey: made.Key},
	}, metav1.CreateOptions{})
	require.NoError(n.t, err)
	_, err = n.Client.CoreV1().ConfigMaps(n.Name).Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: BackendCA},
		Data:       map[string]string{"ca.crt": string(made.CA)},
	}, metav1.CreateOptions{})
	require.NoError(n.t, err)
	return n.newBackend(made)
}

func (n *Namespace) newBackend(certificate backend.Certificate) *Backend {
	n.t.Helper()
	host := sharedBackend.in(n.t)
	b := &Backend{control{host, backendName + ":8080", n.Name}, n}
	ports := portsFrom(b.open(certificate), backend.TenantPorts)
	if len(certificate.Certificate) == 0 {
		delete(ports, "otlp-https")
	}
	n.lead(backendName, host, backendName, backendPorts, ports)
	n.awaitTenant(backendName, 4318)
	return b
}

// OwnBackend creates a backend for OTLP over gRPC and HTTP whose pod `backend` is the namespace's too, for a test that stops it.
func (n *Namespace) OwnBackend() *Backend {
	n.t.Helper()
	n.startBackend()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: backendName},
		Spec:       corev1.ServiceSpec{Selector: backendLabels(), Ports: backendPorts},
	}
	_, err := n.Client.CoreV1().Services(n.Name).Create(context.Background(), service, metav1.CreateOptions{})
	require.NoError(n.t, err)
	return &Backend{control{n, backendName + ":8080", ""}, n}
}

func backendLabels() map[string]string { return map[string]string{"app": backendName} }

func (n *Namespace) backendHost() string { return backendName + "." + n.Name + ".svc" }

// Endpoint is the URL of OTLP/HTTP within the cluster, without a path.
func (b *Backend) Endpoint() string { return "http://" + b.of.backendHost() + ":4318" }

// GRPCEndpoint is where OTLP/gRPC is received within the cluster, without TLS: HOST:PORT.
func (b *Backend) GRPCEndpoint() string { return b.of.backendHost() + ":4317" }

// TLSEndpoint is the URL of OTLP/HTTPS within the cluster, without a path; only BackendTLS answers there.
func (b *Backend) TLSEndpoint() string { return "https://" + b.of.backendHost() + ":4319" }

// As returns the same backend, as a subtest knows it.
func (b *Backend) As(t testing.TB) *Backend { return &Backend{b.as(t), b.of.As(t)} }

// startBackend creates the pod, which remembers nothing, and waits until it is ready.
func (n *Namespace) startBackend() {
	n.t.Helper()
	_, err := n.Client.CoreV1().Pods(n.Name).Create(context.Background(), backendPod(), metav1.CreateOptions{})
	require.NoError(n.t, err)
	n.awaitOwnImage(backendName, testimages.BackendRef)
}

// awaitOwnImage waits until a pod of an image of the tests' own is ready.
func (n *Namespace) awaitOwnImage(name, ref string) {
	n.t.Helper()
	n.Eventually(PodStart, name+" is ready", func() bool {
		pod, found := n.Pod(n.t, name)
		if found {
			n.requireImage(pod, ref)
		}
		return found && isReady(pod)
	})
}

// requireImage ends the test where the node does not have an image of the tests' own, which happens in a cluster of the
// caller's.
func (n *Namespace) requireImage(pod corev1.Pod, ref string) {
	n.t.Helper()
	for _, status := range pod.Status.ContainerStatuses {
		if waits := status.State.Waiting; waits != nil && strings.Contains(waits.Reason, "ImagePull") {
			archive, err := rig.OwnArchive(context.Background(), ref, os.Stderr)
			require.NoError(n.t.TB, err)
			require.Fail(n.t.TB, "no image", "%s is in no registry: load it into every node of the cluster from %s, with `ctr -n k8s.io images import` or `kind load image-archive`", ref, archive)
		}
	}
}

// Pause refuses connections, as when the backend is down, until Resume. What it remembers stays.
func (b *Backend) Pause() {
	b.n.t.Helper()
	b.Behave("mode=refuse")
}

// Resume ends Pause, and everything else that Behave began.
func (b *Backend) Resume() {
	b.n.t.Helper()
	b.Behave("mode=ok")
}

// Report tells which of the lines "PREFIX 1" to "PREFIX COUNT" arrived.
func (b *Backend) Report(prefix string, count int) (report backend.Report) {
	b.n.t.Helper()
	b.get("report", url.Values{"prefix": {prefix}, "count": {strconv.Itoa(count)}}, &report)
	return report
}

// Records returns those of the last 2,000 records whose body contains a text, the oldest first.
func (b *Backend) Records(contains string) (records []backend.Record) {
	b.n.t.Helper()
	b.get("records", url.Values{"contains": {contains}}, &records)
	return records
}

// Counts returns what arrived so far.
func (b *Backend) Counts() (counts backend.Counts) {
	b.n.t.Helper()
	b.get("counts", nil, &counts)
	return counts
}

// Latency returns how long the lines that say when they were written took.
func (b *Backend) Latency() (latency backend.Latency) {
	b.n.t.Helper()
	b.get("latency", nil, &latency)
	return latency
}

func backendPod() *corev1.Pod {
	yes, no, user := true, false, int64(65532)
	container := corev1.Container{
		Name:  backendName,
		Image: testimages.BackendRef,
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: &no,
			ReadOnlyRootFilesystem:   &yes,
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
		Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("5m"), corev1.ResourceMemory: resource.MustParse("16Mi"),
		}},
		ReadinessProbe: &corev1.Probe{
			ProbeHandler:     corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("control")}},
			PeriodSeconds:    1,
			TimeoutSeconds:   5,
			FailureThreshold: 10, // a busy node does not take it from its Service
		},
	}
	for _, port := range backendPorts {
		container.Ports = append(container.Ports, corev1.ContainerPort{Name: port.Name, ContainerPort: port.Port})
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: backendName, Labels: backendLabels()},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken: &no,
			EnableServiceLinks:           &no,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot:   &yes,
				RunAsUser:      &user,
				RunAsGroup:     &user,
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
		},
	}
	pod.Spec.Containers = []corev1.Container{container}
	return pod
}

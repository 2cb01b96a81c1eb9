package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gruntwork-io/terratest/modules/k8s"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/streaming/pkg/httpstream"
)

// Patience with an API server that does not answer: how long an answer may take, and for how long it is asked again.
const (
	answerLimit = 30 * time.Second
	hiccupLimit = 20 * time.Second
)

// kube is the one client of this process.
var kube = sync.OnceValues(func() (*client, error) {
	config, err := k8s.LoadAPIClientConfigE(cluster.Kubeconfig, cluster.Context)
	if err != nil {
		return nil, err
	}
	return newClient(config)
})

// client is a client of the API server whose requests are patient.
type client struct {
	kubernetes.Interface
	objects dynamic.Interface               // of any kind
	kinds   func() (meta.RESTMapper, error) // that the API server serves
	streams *rest.Config                    // by which commands are run in containers
}

func newClient(config *rest.Config) (*client, error) {
	config.QPS, config.Burst = 500, 1000 // the machine itself is what is slow
	config.WarningHandler = rest.NoWarnings{}
	streams := rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return patient{next, answerLimit, hiccupLimit} })
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	kinds := sync.OnceValues(func() (meta.RESTMapper, error) {
		groups, err := restmapper.GetAPIGroupResources(set.Discovery())
		return restmapper.NewDiscoveryRESTMapper(groups), err
	})
	return &client{set, objects, kinds, streams}, nil
}

// exec runs a command in a container, and returns what it prints to its output and its errors.
func (c *client) exec(ctx context.Context, namespace, pod, container string, command []string) (string, error) {
	url := c.CoreV1().RESTClient().Post().Namespace(namespace).Resource("pods").Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Container: container, Command: command, Stdout: true, Stderr: true}, scheme.ParameterCodec).URL()
	older, err := remotecommand.NewSPDYExecutor(c.streams, http.MethodPost, url)
	if err != nil {
		return "", err
	}
	websocket, err := remotecommand.NewWebSocketExecutor(c.streams, http.MethodGet, url.String())
	if err != nil {
		return "", err
	}
	executor, err := remotecommand.NewFallbackExecutor(websocket, older, httpstream.IsUpgradeFailure)
	if err != nil {
		return "", err
	}
	var printed output
	for begun := time.Now(); ; {
		err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &printed, Stderr: &printed})
		if !neverArrived(err) || time.Since(begun) > hiccupLimit || ctx.Err() != nil {
			return printed.String(), err
		}
		time.Sleep(pollTime)
	}
}

// output is what several streams write to.
type output struct {
	mutex sync.Mutex
	text  strings.Builder
}

func (o *output) Write(data []byte) (int, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.text.Write(data)
}

// String returns what was written, without the last newline.
func (o *output) String() string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return strings.TrimSuffix(o.text.String(), "\n")
}

// patient is a transport that asks again where the API server does not answer, or answers that it cannot just now: what may
// be asked twice, and what has not reached it. It has an answer as a whole, or not at all, but for streams.
type patient struct {
	next          http.RoundTripper
	answer, limit time.Duration
}

func (p patient) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	query := request.URL.Query()
	if query.Get("watch") != "" || query.Get("follow") != "" {
		return p.next.RoundTrip(request)
	}
	for begun, wait := time.Now(), 50*time.Millisecond; ; wait = min(2*wait, time.Second) {
		response, err := p.once(request)
		if !p.again(request, response, err) || time.Since(begun)+wait > p.limit {
			return response, err
		}
		select {
		case <-ctx.Done():
			return response, err
		case <-time.After(wait):
		}
		if request.GetBody != nil {
			body, err := request.GetBody()
			if err != nil {
				return nil, err
			}
			request = request.Clone(ctx)
			request.Body = body
		}
	}
}

// once reads all of an answer, within the time that one may take.
func (p patient) once(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(request.Context(), p.answer)
	defer cancel()
	response, err := p.next.RoundTrip(request.WithContext(ctx))
	if err == nil {
		defer response.Body.Close()
		var body []byte
		body, err = io.ReadAll(response.Body)
		response.Body = io.NopCloser(bytes.NewReader(body))
	}
	switch {
	case err == nil:
		return response, nil
	case ctx.Err() != nil && request.Context().Err() == nil:
		return nil, fmt.Errorf("no answer within %s: %w", p.answer, err)
	default:
		return nil, err
	}
}

func (p patient) again(request *http.Request, response *http.Response, err error) bool {
	// What is applied twice is as when it is applied once.
	switch repeatable := request.Method == http.MethodGet || strings.HasPrefix(request.Header.Get("Content-Type"), "application/apply-patch"); {
	case request.Context().Err() != nil:
		return false
	case err != nil:
		return repeatable || neverArrived(err)
	case strings.Contains(request.URL.Path, "/proxy"): // the answer of another server
		return false
	default:
		return repeatable && (response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests)
	}
}

// neverArrived tells whether there was not even a connection to the API server.
func neverArrived(err error) bool {
	var failed *net.OpError
	return errors.As(err, &failed) && failed.Op == "dial"
}

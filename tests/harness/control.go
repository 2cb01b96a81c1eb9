package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/wait"
)

// controlLimit bounds what a server is asked and told: closing the backend's listeners may take it 2 s.
const controlLimit = 15 * time.Second

// control is a server of the tests that is told what to do, and asked what happened. Its methods fail the test where it does not
// answer.
type control struct {
	n      *Namespace // in which it is
	port   string     // POD:PORT
	tenant string     // whose part of it this is; empty: the process' own
}

// open makes a tenant of a server, which is closed with the test, and returns the first of its ports.
func (c control) open(settings any) (port int) {
	c.n.t.Helper()
	body, err := json.Marshal(settings)
	require.NoError(c.n.t, err)
	path := "tenants/" + c.tenant
	c.n.Eventually(controlLimit, "the server takes a tenant", func() bool {
		answer, err := c.n.askWith("PUT", "pods", c.port, path, nil, body)
		require.NoError(c.n.T(), err, string(answer))
		_, err = fmt.Sscan(string(answer), &port)
		return err == nil
	})
	c.n.t.Cleanup(func() { _, _ = c.n.ask("DELETE", "pods", c.port, path, nil) })
	return port
}

// as is the server as a subtest knows it.
func (c control) as(t testing.TB) control {
	c.n = c.n.As(t)
	return c
}

// portsFrom are a tenant's ports by name, whose distance from the first one is given.
func portsFrom(first int, distances map[string]int) map[string]int {
	ports := maps.Clone(distances)
	for name := range ports {
		ports[name] += first
	}
	return ports
}

// Behave sets what the server does: a query as the method of this name has it in the server's own package.
func (c control) Behave(query string) {
	c.n.t.Helper()
	values, err := url.ParseQuery(query)
	require.NoError(c.n.t, err)
	c.must("POST", "behave", values)
}

// Forget makes the server forget what happened.
func (c control) Forget() {
	c.n.t.Helper()
	c.must("POST", "forget", nil)
}

func (c control) get(path string, query url.Values, answer any) {
	c.n.t.Helper()
	require.NoError(c.n.t, json.Unmarshal(c.must("GET", path, query), answer))
}

func (c control) must(verb, path string, query url.Values) []byte {
	c.n.t.Helper()
	var answer []byte
	var err error
	// Whatever it is told may be told twice; and a request is lost where the API server or the network has just begun.
	_ = wait.PollUntilContextTimeout(context.Background(), pollTime, controlLimit, true, func(context.Context) (bool, error) {
		answer, err = c.ask(verb, path, query)
		return err == nil, nil
	})
	require.NoError(c.n.t, err, "%s %s: %s", path, query.Encode(), answer)
	return answer
}

func (c control) ask(verb, path string, query url.Values) ([]byte, error) {
	if c.tenant != "" {
		path = "tenants/" + c.tenant + "/" + path
	}
	return c.n.ask(verb, "pods", c.port, path, query)
}

// ask goes through the API server's proxy to the port NAME:PORT of a pod or a Service. The answer comes with an error too, where
// there is one.
func (n *Namespace) ask(verb, kind, port, path string, query url.Values) ([]byte, error) {
	return n.askWith(verb, kind, port, path, query, nil)
}

func (n *Namespace) askWith(verb, kind, port, path string, query url.Values, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), controlLimit)
	defer cancel()
	request := n.Client.CoreV1().RESTClient().Verb(verb).
		Namespace(n.Name).Resource(kind).Name(port).SubResource("proxy").Suffix(path)
	for key, values := range query {
		for _, value := range values {
			request.Param(key, value)
		}
	}
	if body != nil {
		request.Body(body)
	}
	return request.DoRaw(ctx)
}

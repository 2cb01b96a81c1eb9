package scripts

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// deadProxy returns an environment that names a proxy, with an exception for localhost as users write it, and how often
// that proxy was asked. It forwards nothing.
func deadProxy(t *testing.T) (env []string, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(server.Close)
	return []string{"http_proxy=" + server.URL, "HTTP_PROXY=" + server.URL, "no_proxy=127.0.0.1,localhost"}, asked
}

func TestAProxyOfTheEnvironmentIsNotAskedWhetherTheCollectorIsReadyOrDone(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	env, asked := deadProxy(t)
	v.env = append(env, "DRAIN_SECONDS=30")
	v.write("app.log", text(counted("app", 1, 100)))
	s := v.start()
	s.await("the supervisor to see that the collector has started", func() bool { return !exists(filepath.Join(v.state, "before-start")) })

	v.stop(s)

	v.requireAll(s, "app", 100)
	require.Equal(t, []string{"everything is delivered"}, said(s))
	require.Zero(t, asked.Load(), "times that the proxy was asked")
}

func TestAProxyOfTheEnvironmentDoesNotHoldUpTheStartupProbe(t *testing.T) {
	t.Parallel()
	env, asked := deadProxy(t)
	ready := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(ready.Close)
	v := newSupervision(t, "*.log")
	v.env = append(env, "READY_URL="+ready.URL)

	s := v.supervise(nil, "--await-start")

	require.NoError(t, s.wait(), s.errors.String())
	require.Zero(t, asked.Load(), "times that the proxy was asked")
}

func TestAProxyOfTheEnvironmentIsAskedForWhatIsNotOnLocalhostAlone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		url     func(own string) string
		proxied bool
	}{
		"localhost":    {func(own string) string { return own }, false},
		"another host": {func(string) string { return "http://gateway.example:9091" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			url, received := requests(t)
			env, asked := deadProxy(t)
			b := newBackup(t, append(env, "ON_SUCCESS="+test.url(url)+"/good", "PUSHGATEWAY="+test.url(url))...)

			_, _ = b.run("run")

			if test.proxied {
				assert.EqualValues(t, 2, asked.Load(), "times that the proxy was asked")
			} else {
				assert.Zero(t, asked.Load(), "times that the proxy was asked")
				assert.Len(t, received(), 2)
			}
		})
	}
}

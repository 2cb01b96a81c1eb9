package httpclient

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRequestsGoThroughTheProxyThatTheEnvironmentNames(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://proxy.example:3128")
	t.Setenv("HTTP_PROXY", "http://proxy.example:3128")
	t.Setenv("NO_PROXY", ".cluster.local,10.0.0.0/8")
	transport := New(nil).Transport.(*http.Transport)
	for url, want := range map[string]string{
		"https://sts.amazonaws.com/":                      "http://proxy.example:3128",
		"https://vault.vault.svc.cluster.local/":          "",
		"https://10.1.2.3/":                               "",
		"http://127.0.0.1:8200/":                          "",
		"https://localhost/":                              "",
		"http://[::1]/":                                   "",
		"http://169.254.169.254/latest/api/token":         "",
		"http://169.254.170.23/v1/credentials":            "",
		"http://[fd00:ec2::23]/v1/credentials":            "",
		"http://metadata.google.internal/computeMetadata": "",
	} {
		request, err := http.NewRequest(http.MethodGet, url, nil)
		require.NoError(t, err)
		proxy, err := transport.Proxy(request)
		require.NoError(t, err)
		if want == "" {
			require.Nil(t, proxy, url)
		} else {
			require.Equal(t, want, proxy.String(), url)
		}
	}
}

func TestARequestEndsWithItsContext(t *testing.T) {
	silent := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-silent }))
	defer server.Close()
	defer close(silent)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	_, err = New(nil).Do(request)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

package harness

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
)

// answering is a way in which an API server does not answer.
type answering func(http.ResponseWriter, *http.Request)

func status(code int) answering {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// halfAnAnswer breaks the connection off.
func halfAnAnswer(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, "the beginning")
	panic(http.ErrAbortHandler)
}

func silence(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() }

// refusing dials in vain so many times.
func refusing(times int32) func(context.Context, string, string) (net.Conn, error) {
	var dialled atomic.Int32
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if dialled.Add(1) <= times {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}

func TestWhatTheAPIServerCouldNotAnswerIsAskedAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		method, path string
		refusals     int32     // of the connection
		hiccup       answering // the first two times
		requests     int32     // that arrive
		status       int
	}{
		"a read, refused":                         {"GET", "/api/v1/pods", 2, nil, 1, 200},
		"a write, refused":                        {"POST", "/api/v1/pods", 2, nil, 1, 200},
		"a read, 500":                             {"GET", "/api/v1/pods", 0, status(500), 3, 200},
		"a read, 503":                             {"GET", "/api/v1/pods", 0, status(503), 3, 200},
		"a read, 429":                             {"GET", "/api/v1/pods", 0, status(429), 3, 200},
		"a read, broken off":                      {"GET", "/api/v1/pods", 0, halfAnAnswer, 3, 200},
		"a read, never answered":                  {"GET", "/api/v1/pods", 0, silence, 3, 200},
		"a read that is answered":                 {"GET", "/api/v1/pods", 0, status(404), 1, 404},
		"a write, which may have been done":       {"POST", "/api/v1/pods", 0, status(500), 1, 500},
		"what is applied":                         {"PATCH", "/api/v1/pods", 0, status(500), 3, 200},
		"a read of another server, which said so": {"GET", "/api/v1/namespaces/a/pods/b/proxy/healthz", 0, status(503), 1, 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
				body, _ := io.ReadAll(request.Body)
				if requests.Add(1) <= 2 && test.hiccup != nil {
					test.hiccup(w, request)
					return
				}
				_, _ = w.Write(body)
			}))
			defer server.Close()
			client := http.Client{Transport: patient{&http.Transport{DialContext: refusing(test.refusals)}, 500 * time.Millisecond, time.Minute}}
			request, err := http.NewRequest(test.method, server.URL+test.path, strings.NewReader("what is sent"))
			require.NoError(t, err)
			if test.method == "PATCH" {
				request.Header.Set("Content-Type", "application/apply-patch+yaml")
			}

			response, err := client.Do(request)

			require.NoError(t, err)
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			assert.Equal(t, test.status, response.StatusCode)
			assert.Equal(t, test.requests, requests.Load())
			if test.status == 200 {
				assert.Equal(t, "what is sent", string(body))
			}
		})
	}
}

func TestAnAPIServerThatNeverAnswersIsAnError(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		refusals int32
		hiccup   answering
		says     string
	}{
		"refused":        {1000, nil, "connection refused"},
		"never answered": {0, silence, "no answer within 200ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(test.hiccup))
			defer server.Close()
			client := http.Client{Transport: patient{&http.Transport{DialContext: refusing(test.refusals)}, 200 * time.Millisecond, time.Second}}

			_, err := client.Get(server.URL)

			assert.ErrorContains(t, err, test.says)
		})
	}
}

// A command is run once: only what has not reached the API server is asked again.
func TestACommandIsRunAgainOnlyWhereItHasNotReachedTheAPIServer(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		http.Error(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "container not found", "code": 500}`, 500)
	}))
	defer server.Close()
	known, err := newClient(&rest.Config{Host: server.URL, Dial: refusing(2)})
	require.NoError(t, err)

	_, err = known.exec(t.Context(), "t-1", "web", "app", []string{"true"})

	assert.ErrorContains(t, err, "container not found")
	assert.LessOrEqual(t, requests.Load(), int32(2), "once by each protocol")
}

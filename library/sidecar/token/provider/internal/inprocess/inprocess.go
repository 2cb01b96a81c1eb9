// Package inprocess has HTTP clients for tests: their requests, whatever their host, are answered without a network, so that
// they can be made in a bubble of testing/synctest, whose clock stands still meanwhile.
package inprocess

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// RoundTripper answers requests.
type RoundTripper func(*http.Request) (*http.Response, error)

func (f RoundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Answers returns a client whose requests a handler answers.
func Answers(handler http.HandlerFunc) *http.Client {
	return &http.Client{Transport: RoundTripper(func(r *http.Request) (*http.Response, error) {
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		answer := httptest.NewRecorder()
		handler(answer, r)
		response := answer.Result()
		response.Request = r
		return response, nil
	})}
}

// Unreachable returns a client that reaches nobody.
func Unreachable() *http.Client {
	return &http.Client{Transport: RoundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("dial tcp %s: connect: network is unreachable", r.URL.Host)
	})}
}

// Silent returns a client whose requests nobody answers.
func Silent() *http.Client {
	return &http.Client{Transport: RoundTripper(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})}
}

// Unset takes variables out of the environment, those that begin so, until the test ends.
func Unset(t testing.TB, prefixes ...string) {
	t.Helper()
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		for _, prefix := range prefixes {
			if strings.HasPrefix(name, prefix) {
				t.Setenv(name, "") // which restores it
				_ = os.Unsetenv(name)
			}
		}
	}
}

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// vaultServer has one secret of a key-value store.
func vaultServer(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/auth/token/lookup-self":
			fmt.Fprint(w, `{"data": {"ttl": 3600, "renewable": false}}`)
		case "/v1/secret/data/shop":
			fmt.Fprint(w, `{"data": {"data": {"username": "shop", "password": "of Vault"}, "metadata": {"version": 1}}}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func TestTheAuthoritiesOfTheDocumentAreTheProviders(t *testing.T) {
	t.Parallel()
	server := vaultServer(t)
	vault := part{"address": server.URL, "path": "secret/data/shop"}
	trusting, other := newMachine(t), newMachine(t)

	trusting.token(part{"vault": vault, "ttlSeconds": 60, "trust": trusting.write("ca.pem", certificate(server))}, "VAULT_TOKEN=hvs.X")
	said := other.token(part{"vault": vault, "ttlSeconds": 60}, "VAULT_TOKEN=hvs.X")

	trusting.eventually(func() bool {
		content, _ := os.ReadFile(trusting.file())
		return string(content) == "of Vault"
	})
	other.eventually(func() bool { return strings.Contains(said(), "certificate signed by unknown authority") })
	assert.NoFileExists(t, other.file())
}

func TestTheAuthoritiesOfTheDocumentAreThoseOfWhomToTell(t *testing.T) {
	t.Parallel()
	heard := &asked{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard.add(r.URL.Path) }))
	defer server.Close()
	changes := part{"command": []string{"date", "+%N"}, "output": "raw"}
	trusting, other := newMachine(t), newMachine(t)

	trusting.token(part{"exec": changes, "trust": trusting.write("ca.pem", certificate(server)), "notify": part{"http": part{"url": server.URL + "/trusting"}}})
	said := other.token(part{"exec": changes, "notify": part{"http": part{"url": server.URL + "/other"}}})

	trusting.eventually(func() bool { return len(heard.all()) > 0 })
	other.eventually(func() bool { return strings.Contains(said(), "certificate signed by unknown authority") })
	assert.Equal(t, []string{"/trusting"}, heard.all())
}

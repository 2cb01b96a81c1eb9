package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/health"
	"github.com/outrigger-charts/outrigger/library/sidecar/version"
)

// asked are the hosts that somebody was asked for, in order and each once.
type asked struct {
	mutex sync.Mutex
	hosts []string
}

func (a *asked) add(host string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if !slices.Contains(a.hosts, host) {
		a.hosts = append(a.hosts, host)
	}
}

func (a *asked) all() []string {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return slices.Clone(a.hosts)
}

// proxy is one that records which hosts it is asked for, by CONNECT or else, and leads to none. Environment names it.
func proxy(t *testing.T) (hosts *asked, environment []string) {
	t.Helper()
	hosts = &asked{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hosts.add(r.Host)
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(server.Close)
	return hosts, []string{"HTTPS_PROXY=" + server.URL, "HTTP_PROXY=" + server.URL}
}

// part is one of a document.
type part map[string]any

// token starts `outrigger token` with a provider and what else its part has, and returns what it has said.
func (m machine) token(values part, environment ...string) (said func() string) {
	m.t.Helper()
	all := part{
		"name": "db", "ttlSeconds": 1, "retry": part{"delaySeconds": 0.1, "maxDelaySeconds": 0.1},
		"file": part{"path": m.file(), "format": "raw", "mode": "0600"},
	}
	maps.Copy(all, values)
	text, err := json.Marshal(part{"version": version.Minor(version.Version), "token": all})
	require.NoError(m.t, err)
	output, err := os.Create(filepath.Join(m.tmp, "said"))
	require.NoError(m.t, err)
	m.t.Cleanup(func() { output.Close() })
	command := exec.Command(filepath.Join(m.program, "outrigger"), "token")
	command.Env = append([]string{
		"PATH=/usr/bin:/bin", asProgram + "=1", health.StateVariable + "=" + filepath.Join(m.tmp, "state"), document.Variable + "=" + string(text),
	}, environment...)
	command.Stdout, command.Stderr = output, output
	require.NoError(m.t, command.Start())
	m.t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	return func() string {
		text, err := os.ReadFile(output.Name())
		require.NoError(m.t, err)
		return string(text)
	}
}

func (m machine) file() string { return filepath.Join(m.tmp, "credential") }

// write makes a file, and returns its path.
func (m machine) write(name, content string) string {
	m.t.Helper()
	path := filepath.Join(m.tmp, name)
	require.NoError(m.t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// certificate is a server's own, in PEM.
func certificate(server *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

// googleKey is a service account's, as Google makes it.
func googleKey(t *testing.T) string {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	text, err := json.Marshal(part{
		"type": "service_account", "private_key_id": "k1", "private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": "shop@project.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token",
	})
	require.NoError(t, err)
	return string(text)
}

func TestTheProxyOfTheEnvironmentIsAskedForEachPublicHostByItsName(t *testing.T) {
	t.Parallel()
	own := httptest.NewTLSServer(http.NotFoundHandler())
	defer own.Close()
	authorities := certificate(own)
	rds := part{"awsRds": part{"host": "shop.abc.eu-west-1.rds.amazonaws.com", "port": 5432, "user": "shop"}}
	vault := part{"address": "https://vault.example:8200", "path": "secret/data/shop"}
	changes := part{"command": []string{"date", "+%N"}, "output": "raw"}
	for name, test := range map[string]struct {
		values      part
		environment func(m machine) []string
		host        string
	}{
		"AWS": {rds, func(m machine) []string {
			return []string{"AWS_ROLE_ARN=arn:aws:iam::123456789012:role/shop", "AWS_WEB_IDENTITY_TOKEN_FILE=" + m.write("token", "a.b.c")}
		}, "sts.eu-west-1.amazonaws.com:443"},
		"AWS with authorities of its own": {rds, func(m machine) []string {
			return []string{
				"AWS_ROLE_ARN=arn:aws:iam::123456789012:role/shop", "AWS_WEB_IDENTITY_TOKEN_FILE=" + m.write("token", "a.b.c"),
				"AWS_CA_BUNDLE=" + m.write("ca.pem", authorities),
			}
		}, "sts.eu-west-1.amazonaws.com:443"},
		"Azure": {part{"azureDatabase": part{}}, func(m machine) []string {
			return []string{"AZURE_CLIENT_ID=c", "AZURE_TENANT_ID=t", "AZURE_AUTHORITY_HOST=https://login.microsoftonline.com/", "AZURE_FEDERATED_TOKEN_FILE=" + m.write("token", "a.b.c")}
		}, "login.microsoftonline.com:443"},
		"Google": {part{"googleCloudSql": part{}}, func(m machine) []string {
			return []string{"GOOGLE_APPLICATION_CREDENTIALS=" + m.write("key.json", googleKey(t))}
		}, "oauth2.googleapis.com:443"},
		"Vault": {part{"vault": vault}, func(machine) []string { return []string{"VAULT_TOKEN=hvs.X"} }, "vault.example:8200"},
		"Vault with authorities of the values": {part{"vault": vault, "trust": "CA"}, func(m machine) []string {
			return []string{"VAULT_TOKEN=hvs.X"}
		}, "vault.example:8200"},
		"whom to tell": {part{"exec": changes, "notify": part{"http": part{"url": "https://hooks.example/x"}}}, func(machine) []string { return nil }, "hooks.example:443"},
		"whom to tell with authorities of the values": {
			part{"exec": changes, "notify": part{"http": part{"url": "https://hooks.example/x"}}, "trust": "CA"}, func(machine) []string { return nil }, "hooks.example:443",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			hosts, environment := proxy(t)
			values := maps.Clone(test.values)
			if values["trust"] != nil {
				values["trust"] = m.write("trusted.pem", authorities)
			}

			said := m.token(values, append(environment, test.environment(m)...)...)

			m.eventually(func() bool { return strings.Contains(said(), `"level":"error"`) })
			assert.Equal(t, []string{test.host}, hosts.all(), said())
		})
	}
}

func TestTheProxyOfTheEnvironmentIsNeverAskedForThePodOrItsNode(t *testing.T) {
	t.Parallel()
	rds := part{"awsRds": part{"host": "shop.abc.eu-west-1.rds.amazonaws.com", "port": 5432, "user": "shop"}}
	own := httptest.NewTLSServer(http.NotFoundHandler())
	defer own.Close()
	authorities := certificate(own)
	for name, test := range map[string]struct {
		values      func(loopback string) part
		environment func(m machine, loopback string) []string
		answers     bool // whether it is the server on loopback that is to be asked
	}{
		"AWS's credentials of EKS": {func(string) part { return rds }, func(_ machine, loopback string) []string {
			return []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=" + loopback + "/v1/credentials"}
		}, true},
		"AWS's node": {func(string) part { return rds }, func(machine, string) []string { return nil }, false},
		"AWS's node with authorities of AWS's own": {func(string) part { return rds }, func(m machine, _ string) []string { return []string{"AWS_CA_BUNDLE=" + m.write("ca.pem", authorities)} }, false},
		"Azure's node":  {func(string) part { return part{"azureDatabase": part{}} }, func(machine, string) []string { return nil }, false},
		"Google's node": {func(string) part { return part{"googleCloudSql": part{}} }, func(machine, string) []string { return nil }, false},
		"Vault's agent": {func(loopback string) part {
			return part{"vault": part{"address": loopback, "path": "secret/data/shop"}}
		}, func(machine, string) []string { return []string{"VAULT_TOKEN=hvs.X"} }, true},
		"whom to tell": {func(loopback string) part {
			return part{"exec": part{"command": []string{"date", "+%N"}, "output": "raw"}, "notify": part{"http": part{"url": loopback}}}
		}, func(machine, string) []string { return nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			hosts, environment := proxy(t)
			heard := &asked{}
			loopback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				heard.add(r.Host)
				w.WriteHeader(http.StatusNotFound)
			}))
			defer loopback.Close()

			said := m.token(test.values(loopback.URL), append(environment, test.environment(m, loopback.URL)...)...)

			m.eventually(func() bool { return strings.Contains(said(), `"level":"error"`) })
			assert.Empty(t, hosts.all(), said())
			if test.answers {
				assert.Equal(t, []string{strings.TrimPrefix(loopback.URL, "http://")}, heard.all())
			}
		})
	}
}

package vault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/provider/internal/inprocess"
)

// standIn answers as Vault's documentation says, https://developer.hashicorp.com/vault/api-docs: auth/kubernetes (Login), auth/approle
// (Login with AppRole), auth/token (Lookup a token (self), Renew a token (self)), secret/databases (Generate credentials, Get static
// role credentials), secret/kv (v1 and v2, Read secret), system/leases. It has a clock, tokens and leases that end.
type standIn struct {
	*httptest.Server
	t *testing.T

	mutex    sync.Mutex
	now      time.Time
	asked    []string          // methods and paths
	by       []string          // the tokens by which that was asked
	bodies   map[string]string // of the last request to a path
	forbids  []string          // paths that the policy forbids
	tokens   map[string]*held
	leases   map[string]*held // by their ids; their parents are tokens
	issued   int
	ttl, max time.Duration // of tokens
	renews   bool
	leaseTTL time.Duration
	fixed    bool // leases are not renewable
	away     bool
	misspelt bool // logins are refused
}

type held struct {
	parent       string
	expires, max time.Time
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	// Each test has its own answers; what is said besides is not this machine's.
	inprocess.Unset(t, "VAULT_")
	s := &standIn{
		t: t, now: noon, tokens: map[string]*held{}, leases: map[string]*held{}, bodies: map[string]string{},
		ttl: 20 * time.Minute, max: 24 * time.Hour, renews: true, leaseTTL: time.Hour,
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	s.asked = append(s.asked, r.Method+" "+path)
	s.by = append(s.by, r.Header.Get("X-Vault-Token"))
	var body map[string]any
	_ = json.NewDecoder(r.Body).Decode(&body)
	text, _ := json.Marshal(body)
	s.bodies[path] = string(text)
	if s.away {
		s.refuse(w, http.StatusServiceUnavailable, "Vault is sealed")
		return
	}
	if strings.HasPrefix(path, "auth/") && strings.HasSuffix(path, "/login") {
		s.login(w)
		return
	}
	given := r.Header.Get("X-Vault-Token")
	mine, known := s.tokens[given]
	if !known || (!mine.expires.IsZero() && !s.now.Before(mine.expires)) {
		s.refuse(w, http.StatusForbidden, "permission denied", "invalid token")
		return
	}
	for _, forbidden := range s.forbids {
		if path == forbidden {
			s.refuse(w, http.StatusForbidden, "1 error occurred:\n\t* permission denied\n\n")
			return
		}
	}
	leaseID, _ := body["lease_id"].(string)
	switch r.Method + " " + path {
	case "GET auth/token/lookup-self":
		expires := "null"
		if !mine.expires.IsZero() {
			expires = fmt.Sprintf("%q", mine.expires.Format(time.RFC3339Nano))
		}
		fmt.Fprintf(w, `{"data":{"accessor":"a","expire_time":%s,"id":%q,"renewable":%t,"ttl":1}}`, expires, given, s.renews)
	case "PUT auth/token/renew-self":
		if !s.renews {
			s.refuse(w, http.StatusBadRequest, "lease is not renewable")
			return
		}
		mine.expires = earlier(s.now.Add(s.ttl), mine.max)
		s.auth(w, given, mine)
	case "GET database/creds/shop":
		s.issued++
		id := fmt.Sprintf("database/creds/shop/l%d", s.issued)
		s.leases[id] = &held{parent: given, expires: s.now.Add(s.leaseTTL)}
		fmt.Fprintf(w, `{"request_id":"r","lease_id":%q,"lease_duration":%d,"renewable":%t,"data":{"username":"v-k8s-shop-%d","password":"A-\"p-%d"},"warnings":null}`,
			id, int(s.leaseTTL.Seconds()), !s.fixed, s.issued, s.issued)
	case "GET database/static-creds/shop":
		fmt.Fprint(w, `{"request_id":"r","lease_id":"","lease_duration":0,"renewable":false,"data":{"last_vault_rotation":"2026-01-02T07:47:14.1Z",`+
			`"password":"132ae3ef","rotation_period":86400,"ttl":71234,"username":"shop"}}`)
	case "GET secret/data/shop":
		fmt.Fprint(w, `{"lease_id":"","lease_duration":0,"renewable":false,"data":{"data":{"user":"shop","word":"k2","n":5},"metadata":{"version":2,"deletion_time":"","destroyed":false}}}`)
	case "GET secret/data/deleted":
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"data":{"data":null,"metadata":{"version":2,"deletion_time":"2026-01-01T00:00:00Z","destroyed":false}}}`)
	case "GET secret/shop", "GET secret/other":
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"data":null,"warnings":["Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. If using the Vault CLI, use 'vault kv get' for this operation."]}`)
	case "GET sys/internal/ui/mounts/secret/shop", "GET sys/internal/ui/mounts/secret/other":
		fmt.Fprint(w, `{"data":{"path":"secret/","type":"kv","options":{"version":"2"}}}`)
	case "GET kv/shop":
		fmt.Fprint(w, `{"lease_id":"","lease_duration":2764800,"renewable":false,"data":{"username":"shop","password":"k1","ttl":"1h"}}`)
	case "GET kv/rotated":
		fmt.Fprint(w, `{"lease_id":"","lease_duration":2764800,"renewable":false,"data":{"username":"shop","password":"k1","ttl":60,"rotation_period":60}}`)
	case "PUT sys/leases/renew":
		l, ok := s.leases[leaseID]
		if !ok {
			s.refuse(w, http.StatusBadRequest, "lease not found")
			return
		}
		l.expires = s.now.Add(s.leaseTTL)
		fmt.Fprintf(w, `{"lease_id":%q,"renewable":true,"lease_duration":%d}`, leaseID, int(s.leaseTTL.Seconds()))
	case "PUT sys/leases/lookup":
		if _, ok := s.leases[leaseID]; !ok {
			s.refuse(w, http.StatusBadRequest, "invalid lease")
			return
		}
		fmt.Fprintf(w, `{"data":{"id":%q}}`, leaseID)
	case "PUT sys/leases/revoke":
		delete(s.leases, leaseID)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"errors":[]}`)
	}
}

func (s *standIn) login(w http.ResponseWriter) {
	if s.misspelt {
		s.refuse(w, http.StatusBadRequest, "invalid role name \"shop\"")
		return
	}
	value := fmt.Sprint("hvs.", len(s.tokens)+1)
	t := &held{expires: s.now.Add(s.ttl), max: s.now.Add(s.max)}
	s.tokens[value] = t
	s.auth(w, value, t)
}

func (s *standIn) auth(w http.ResponseWriter, value string, t *held) {
	fmt.Fprintf(w, `{"auth":{"client_token":%q,"accessor":"a","policies":["default"],"lease_duration":%d,"renewable":%t}}`,
		value, int(t.expires.Sub(s.now).Seconds()), s.renews)
}

func (s *standIn) refuse(w http.ResponseWriter, status int, errors ...string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": errors})
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// provider is one of the stand-in's, with its clock.
func (s *standIn) provider(settings document.Vault) *provider {
	s.t.Helper()
	settings.Address = s.URL
	made, err := New(settings, nil)
	require.NoError(s.t, err)
	p := made.(*provider)
	p.now = func() time.Time { s.mutex.Lock(); defer s.mutex.Unlock(); return s.now }
	return p
}

func (s *standIn) pass(d time.Duration) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.now = s.now.Add(d)
}

// told returns what was asked since it was last asked for.
func (s *standIn) told() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// kubernetes logs in by a service account.
func (s *standIn) kubernetes(path string) document.Vault {
	return document.Vault{Path: path, Kubernetes: &document.VaultKubernetes{Role: "shop", TokenFile: file(s.t, "header.payload.SIGNATURE\n")}}
}

// give makes a token that is given.
func (s *standIn) give(value string, expires time.Time) {
	s.tokens[value] = &held{expires: expires, max: noon.Add(s.max)}
	s.t.Setenv("VAULT_TOKEN", value)
}

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	return name
}

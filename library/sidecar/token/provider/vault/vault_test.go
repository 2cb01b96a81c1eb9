package vault

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
)

func obtain(t *testing.T, p credential.Provider) credential.Credential {
	t.Helper()
	c, err := p.Obtain(t.Context())
	require.NoError(t, err)
	return c
}

func TestCredentialsOfVaultEndWithTheTokenThatReadThem(t *testing.T) {
	s := newStandIn(t)
	c := obtain(t, s.provider(s.kubernetes("database/creds/shop")))
	require.Equal(t, "v-k8s-shop-1", c.Username)
	require.Equal(t, `A-"p-1`, c.Password)
	require.Equal(t, noon.Add(time.Hour), c.ExpiresAt)
	require.Equal(t, noon.Add(20*time.Minute), c.SignedUntil)
	require.NotNil(t, c.Lease)
	require.Equal(t, []string{"PUT auth/kubernetes/login", "GET database/creds/shop"}, s.told())
	require.JSONEq(t, `{"role":"shop","jwt":"header.payload.SIGNATURE"}`, s.bodies["auth/kubernetes/login"])
}

func TestATokenThatIsGivenIsLookedUpAndRenewed(t *testing.T) {
	for name, c := range map[string]struct {
		expires time.Time
		renews  bool
		forbids string
		want    time.Time
	}{
		"renewable":            {noon.Add(10 * time.Minute), true, "", noon.Add(20 * time.Minute)},
		"not renewable":        {noon.Add(10 * time.Minute), false, "", noon.Add(10 * time.Minute)},
		"of root":              {time.Time{}, false, "", time.Time{}},
		"that may not be seen": {noon.Add(10 * time.Minute), true, "auth/token/lookup-self", time.Time{}},
		"that may not renew":   {noon.Add(10 * time.Minute), true, "auth/token/renew-self", noon.Add(10 * time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStandIn(t)
			s.give("hvs.GIVEN", c.expires)
			s.renews, s.forbids = c.renews, []string{c.forbids}
			require.Equal(t, c.want, obtain(t, s.provider(document.Vault{Path: "database/creds/shop"})).SignedUntil.UTC())
			require.NotContains(t, s.told(), "PUT auth/kubernetes/login")
		})
	}
}

func TestATokenOfAFileIsReadAnew(t *testing.T) {
	s := newStandIn(t)
	s.give("hvs.1", noon.Add(time.Hour))
	s.give("hvs.2", noon.Add(2*time.Hour))
	s.renews = false
	name := file(t, "hvs.1\n")
	p := s.provider(document.Vault{Path: "database/creds/shop", TokenFile: name})
	require.Equal(t, noon.Add(time.Hour), obtain(t, p).SignedUntil.UTC())

	require.NoError(t, os.WriteFile(name, []byte("hvs.2"), 0o600))

	require.Equal(t, noon.Add(2*time.Hour), obtain(t, p).SignedUntil.UTC())
}

func TestAppRoleLogsInByItsFiles(t *testing.T) {
	s := newStandIn(t)
	p := s.provider(document.Vault{Path: "database/creds/shop", AppRole: &document.VaultAppRole{
		RoleIDFile: file(t, "ROLE-ID\n"), SecretIDFile: file(t, "SECRET-ID\n"), Mount: "team/approle",
	}})
	obtain(t, p)
	require.JSONEq(t, `{"role_id":"ROLE-ID","secret_id":"SECRET-ID"}`, s.bodies["auth/team/approle/login"])
}

func TestTheTokenIsRenewedWhileItCanBeAndALoginComesNearItsEnd(t *testing.T) {
	s := newStandIn(t)
	s.max = 50 * time.Minute
	p := s.provider(s.kubernetes("database/creds/shop"))
	obtain(t, p)
	s.told()

	s.pass(15 * time.Minute)
	require.Equal(t, noon.Add(35*time.Minute), obtain(t, p).SignedUntil)
	require.Equal(t, []string{"PUT auth/token/renew-self", "GET database/creds/shop"}, s.told())

	s.pass(18 * time.Minute) // 17 minutes are left until its last end
	require.Equal(t, noon.Add(50*time.Minute), obtain(t, p).SignedUntil)
	require.Equal(t, []string{"PUT auth/token/renew-self", "GET database/creds/shop"}, s.told())

	s.pass(8 * time.Minute) // 9
	require.Equal(t, noon.Add(61*time.Minute), obtain(t, p).SignedUntil)
	require.Equal(t, []string{"PUT auth/token/renew-self", "PUT auth/kubernetes/login", "GET database/creds/shop"}, s.told())
}

func TestATokenThatCannotBeRenewedReadsUntilNearItsEnd(t *testing.T) {
	s := newStandIn(t)
	s.renews = false
	p := s.provider(s.kubernetes("database/creds/shop"))
	obtain(t, p)
	s.pass(9 * time.Minute)
	obtain(t, p)
	s.told()
	s.pass(2 * time.Minute)
	obtain(t, p)
	require.Equal(t, []string{"PUT auth/kubernetes/login", "GET database/creds/shop"}, s.told())
}

func TestWhereALoginFailsTheTokenOfBeforeReadsOnAndThatIsTold(t *testing.T) {
	s := newStandIn(t)
	s.renews = false
	p := s.provider(s.kubernetes("database/creds/shop"))
	obtain(t, p)
	s.misspelt = true
	s.pass(15 * time.Minute)

	c := obtain(t, p)

	require.Equal(t, noon.Add(20*time.Minute), c.SignedUntil)
	require.Contains(t, c.Note, "by auth/kubernetes/login: it answered 400: invalid role name \"shop\"; the token of before reads until 2026-01-02T12:20:00Z")

	s.pass(5 * time.Minute)
	_, err := p.Obtain(t.Context())
	require.ErrorContains(t, err, "logging in to Vault at "+s.URL+" as the role shop")
}

func TestATokenThatWasRevokedIsReplaced(t *testing.T) {
	s := newStandIn(t)
	p := s.provider(s.kubernetes("database/creds/shop"))
	obtain(t, p)
	clear(s.tokens)
	require.Equal(t, "v-k8s-shop-2", obtain(t, p).Username)
}

func TestAStaticRolesPasswordLivesUntilVaultRotatesIt(t *testing.T) {
	s := newStandIn(t)
	c := obtain(t, s.provider(s.kubernetes("database/static-creds/shop")))
	require.Equal(t, "shop", c.Username)
	require.Equal(t, "132ae3ef", c.Password)
	require.Equal(t, noon.Add(71235*time.Second), c.ExpiresAt)
	require.Zero(t, c.SignedUntil, "it does not end with the token")
	require.Nil(t, c.Lease)
}

func TestASecretOfAKeyValueStoreDoesNotSayWhenItExpires(t *testing.T) {
	for _, c := range []struct {
		name, path, engine, user, password string
		asked                              []string
		forbids                            []string
	}{
		{name: "version 1", path: "kv/shop", user: "shop", password: "k1", asked: []string{"GET kv/shop"}},
		{name: "version 1, said so", path: "/kv/shop", engine: "kv", user: "shop", password: "k1", asked: []string{"GET kv/shop"}},
		{name: "version 1, with keys like a static role's", path: "kv/rotated", engine: "kv", user: "shop", password: "k1",
			asked: []string{"GET kv/rotated"}},
		{name: "version 2", path: "secret/data/shop", user: "shop", password: "k2", asked: []string{"GET secret/data/shop"}},
		{name: "version 2 without data", path: "secret/shop", engine: "kv", user: "shop", password: "k2",
			asked: []string{"GET secret/shop", "GET sys/internal/ui/mounts/secret/shop", "GET secret/data/shop"}},
		{name: "version 2, and nothing else is allowed", path: "secret/shop", user: "shop", password: "k2", forbids: []string{"secret/shop"},
			asked: []string{"GET secret/shop", "GET sys/internal/ui/mounts/secret/shop", "GET secret/data/shop"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStandIn(t)
			s.forbids = c.forbids
			settings := s.kubernetes(c.path)
			settings.Engine = c.engine
			if c.password == "k2" {
				settings.UsernameKey, settings.PasswordKey = "user", "word"
			}
			p := s.provider(settings)
			got := obtain(t, p)
			require.Equal(t, c.user, got.Username)
			require.Equal(t, c.password, got.Password)
			require.Zero(t, got.ExpiresAt)
			require.Zero(t, got.SignedUntil)
			require.Equal(t, c.asked, s.told()[1:])

			obtain(t, p)
			require.Equal(t, c.asked[len(c.asked)-1:], s.told()[1:], "its place is known then")
		})
	}
}

func TestAnAnswerWithoutACredentialIsAnErrorThatNamesTheMend(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(s *standIn, v *document.Vault)
	}{
		{"nothing there", "Vault at URL (namespace team/a) has nothing at database/creds/other", func(_ *standIn, v *document.Vault) {
			v.Path, v.Namespace = "database/creds/other", "team/a"
		}},
		{"forbidden", "reading database/creds/shop of Vault at URL: it answered 403: 1 error occurred: * permission denied", func(s *standIn, v *document.Vault) {
			s.forbids = []string{v.Path}
		}},
		{"deleted", "the secret at secret/data/deleted of Vault at URL was deleted", func(_ *standIn, v *document.Vault) { v.Path = "secret/data/deleted" }},
		{"moved, and not there", "Vault at URL has nothing at secret/data/other", func(_ *standIn, v *document.Vault) { v.Path = "secret/other" }},
		{"other keys", "secret/data/shop of Vault at URL has no password: set vault.passwordKey to one of n, user, word", func(_ *standIn, v *document.Vault) {
			v.Path = "secret/data/shop"
		}},
		{"a key that is not there", "has no text as login: set vault.usernameKey to one of n, user, word", func(_ *standIn, v *document.Vault) {
			v.Path, v.UsernameKey = "secret/data/shop", "login"
		}},
		{"no role of a database", "kv/shop of Vault at URL has neither a lease nor a ttl: is it database/creds/ROLE, or database/static-creds/ROLE?",
			func(_ *standIn, v *document.Vault) { v.Path, v.Engine = "kv/shop", "database" }},
		{"no service account", "the service account's token: open /none: no such file or directory",
			func(_ *standIn, v *document.Vault) { v.Kubernetes.TokenFile = "/none" }},
		{"role", `logging in to Vault at URL as the role shop, by auth/kubernetes/login: it answered 400: invalid role name "shop"`,
			func(s *standIn, _ *document.Vault) { s.misspelt = true }},
		{"no login", "there is no token of Vault's: set vault.role, vault.appRole, vault.tokenSecret or VAULT_TOKEN",
			func(_ *standIn, v *document.Vault) { v.Kubernetes = nil }},
		{"a token that is unknown", "reading database/creds/shop of Vault at URL: it answered 403: permission denied; invalid token",
			func(s *standIn, v *document.Vault) { v.Kubernetes = nil; s.t.Setenv("VAULT_TOKEN", "hvs.WRONG") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStandIn(t)
			settings := s.kubernetes("database/creds/shop")
			c.change(s, &settings)
			_, err := s.provider(settings).Obtain(t.Context())
			require.ErrorContains(t, err, replace(c.want, s.URL))
			require.NotContains(t, err.Error(), "\n")
			require.NotContains(t, err.Error(), "SIGNATURE")
			require.NotContains(t, err.Error(), "hvs.")
		})
	}
}

func TestRenewingALeaseRenewsTheTokenThatReadIt(t *testing.T) {
	s := newStandIn(t)
	s.max = 100 * time.Minute
	p := s.provider(s.kubernetes("database/creds/shop"))
	c := obtain(t, p)
	s.told()

	s.pass(15 * time.Minute)
	expires, err := c.Lease.Renew(t.Context())
	require.NoError(t, err)
	require.Equal(t, noon.Add(35*time.Minute), expires, "the token ends before the lease")
	require.Equal(t, []string{"PUT auth/token/renew-self", "PUT sys/leases/renew"}, s.told())
	require.JSONEq(t, `{"lease_id":"database/creds/shop/l1","increment":0}`, s.bodies["sys/leases/renew"])

	s.ttl = 2 * time.Hour
	expires, err = c.Lease.Renew(t.Context())
	require.NoError(t, err)
	require.Equal(t, noon.Add(75*time.Minute), expires, "the lease ends before the token")

	delete(s.leases, "database/creds/shop/l1")
	_, err = c.Lease.Renew(t.Context())
	require.EqualError(t, err, "renewing the lease database/creds/shop/l1 of Vault at "+s.URL+": it answered 400: lease not found")
}

func TestALeaseOfATokenThatWasReplacedIsRenewedByItsOwn(t *testing.T) {
	s := newStandIn(t)
	s.renews = false
	p := s.provider(s.kubernetes("database/creds/shop"))
	first := obtain(t, p)
	s.pass(15 * time.Minute)
	second := obtain(t, p)
	require.Len(t, s.tokens, 2)

	expires, err := first.Lease.Renew(t.Context())
	require.NoError(t, err)
	require.Equal(t, noon.Add(20*time.Minute), expires)
	require.Equal(t, "hvs.1", s.by[len(s.by)-1])
	expires, err = second.Lease.Renew(t.Context())
	require.NoError(t, err)
	require.Equal(t, noon.Add(35*time.Minute), expires)
}

func TestALeaseThatIsNotRenewableSaysSo(t *testing.T) {
	s := newStandIn(t)
	s.fixed = true
	c := obtain(t, s.provider(s.kubernetes("database/creds/shop")))
	_, err := c.Lease.Renew(t.Context())
	require.EqualError(t, err, "the lease database/creds/shop/l1 is not renewable")
	require.NoError(t, c.Lease.Revoke(t.Context()))
}

func TestALeaseIsRevoked(t *testing.T) {
	s := newStandIn(t)
	c := obtain(t, s.provider(s.kubernetes("database/creds/shop")))
	s.forbids = []string{"sys/leases/revoke"}
	err := c.Lease.Revoke(t.Context())
	require.ErrorContains(t, err, "revoking the lease database/creds/shop/l1 of Vault at "+s.URL)
	require.ErrorContains(t, err, "its policy has to allow update of sys/leases/revoke")

	s.forbids = nil
	require.NoError(t, c.Lease.Revoke(t.Context()))
	require.Empty(t, s.leases)
}

func TestARefusalOfVaultsCredentialsIsExplained(t *testing.T) {
	s := newStandIn(t)
	p := s.provider(s.kubernetes("database/creds/shop"))
	c := obtain(t, p)
	require.Empty(t, p.Explain(t.Context(), c))

	delete(s.leases, "database/creds/shop/l1")
	require.Equal(t, "Vault has revoked the lease of the credential, or it has expired", p.Explain(t.Context(), c))

	revoked := s.tokens["hvs.1"]
	delete(s.tokens, "hvs.1")
	require.Equal(t, "Vault has revoked the token that read the credential, and the credential with it", p.Explain(t.Context(), c))

	s.tokens["hvs.1"] = revoked
	s.pass(20 * time.Minute)
	require.Equal(t, "the Vault token that read the credential has expired at 2026-01-02T12:20:00Z: Vault has ended the credential with it", p.Explain(t.Context(), c))
	require.Empty(t, p.Explain(t.Context(), credential.Credential{Password: "x"}))
}

func TestTheNamespaceIsTheValuesOrElseTheEnvironments(t *testing.T) {
	for given, want := range map[string]string{"": "of/env", "of/values": "of/values"} {
		var got []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = append(got, r.Header.Get("X-Vault-Namespace"))
			w.WriteHeader(http.StatusNotFound)
		}))
		t.Setenv("VAULT_TOKEN", "hvs.X")
		t.Setenv("VAULT_NAMESPACE", "of/env")
		t.Setenv("VAULT_ADDR", "http://of.env:8200")
		t.Setenv("VAULT_AGENT_ADDR", "http://of.env:8200")
		p, err := New(document.Vault{Address: server.URL, Path: "kv/x", Namespace: given}, nil)
		require.NoError(t, err)
		_, err = p.Obtain(t.Context())
		require.ErrorContains(t, err, "(namespace "+want+") has nothing at kv/x")
		require.Subset(t, []string{want}, got)
		server.Close()
	}
}

func TestTLSIsAsVaultsOwnVariablesSay(t *testing.T) {
	newStandIn(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	t.Setenv("VAULT_TOKEN", "hvs.X")
	t.Setenv("VAULT_MAX_RETRIES", "0")
	settings := document.Vault{Address: server.URL, Path: "kv/x"}
	p, err := New(settings, nil)
	require.NoError(t, err)
	_, err = p.Obtain(t.Context())
	require.ErrorContains(t, err, "certificate signed by unknown authority")

	t.Setenv("VAULT_CACERT", file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))))
	p, err = New(settings, nil)
	require.NoError(t, err)
	_, err = p.Obtain(t.Context())
	require.ErrorContains(t, err, "has nothing at kv/x")

	t.Setenv("VAULT_CACERT", "")
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	trusting := &http.Client{Transport: server.Client().Transport}
	p, err = New(settings, trusting)
	require.NoError(t, err)
	_, err = p.Obtain(t.Context())
	require.ErrorContains(t, err, "has nothing at kv/x")

	t.Setenv("VAULT_SKIP_VERIFY", "true")
	_, err = New(settings, trusting)
	require.NoError(t, err)
	require.False(t, trusting.Transport.(*http.Transport).TLSClientConfig.InsecureSkipVerify, "another's client stays as it is")

	t.Setenv("VAULT_CACERT", "/none")
	_, err = New(settings, nil)
	require.ErrorContains(t, err, "a variable of Vault's clients (VAULT_CACERT, VAULT_CLIENT_CERT, …): ")
	require.ErrorContains(t, err, "/none")
}

func TestAVaultThatIsAwayIsAnErrorInTime(t *testing.T) {
	s := newStandIn(t)
	p := s.provider(s.kubernetes("database/creds/shop"))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	s.away = true
	began := time.Now()
	_, err := p.Obtain(ctx)
	require.ErrorContains(t, err, "logging in to Vault at "+s.URL)
	require.Less(t, time.Since(began), 5*time.Second)
}

func replace(text, url string) string { return strings.ReplaceAll(text, "URL", url) }

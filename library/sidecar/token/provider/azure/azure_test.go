package azure

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/provider/internal/inprocess"
)

// alone takes from the environment what the SDK might find there.
func alone(t testing.TB) {
	t.Helper()
	inprocess.Unset(t, "AZURE_", "IDENTITY_", "MSI_", "IMDS_")
}

const (
	client = "11111111-2222-3333-4444-555555555555"
	tenant = "99999999-8888-7777-6666-555555555555"
)

// workload is a pod with a workload identity, as Azure's webhook makes it.
func workload(t *testing.T) (file string) {
	t.Helper()
	alone(t)
	file = filepath.Join(t.TempDir(), "azure-identity-token")
	require.NoError(t, os.WriteFile(file, []byte("header.payload.SIGNATURE"), 0o600))
	t.Setenv(tokenFile, file)
	t.Setenv(clientID, client)
	t.Setenv(tenantID, tenant)
	t.Setenv(authorityHost, "https://login.microsoftonline.com/")
	return file
}

// entra answers as Microsoft Entra does: whom to ask, and what the test says where a token is asked for.
func entra(t *testing.T, token func(w http.ResponseWriter, form url.Values)) *http.Client {
	t.Helper()
	return inprocess.Answers(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		host := r.URL.Host
		switch {
		case strings.HasSuffix(r.URL.Path, "/discovery/instance"):
			fmt.Fprintf(w, `{"tenant_discovery_endpoint":"https://%[1]s/%[2]s/v2.0/.well-known/openid-configuration","metadata":[{"preferred_network":%[1]q,"preferred_cache":%[1]q,"aliases":[%[1]q]}]}`, host, tenant)
		case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
			fmt.Fprintf(w, `{"authorization_endpoint":"https://%[1]s/%[2]s/oauth2/v2.0/authorize","token_endpoint":"https://%[1]s/%[2]s/oauth2/v2.0/token","issuer":"https://%[1]s/%[2]s/v2.0"}`, host, tenant)
		case r.URL.Path == "/"+tenant+"/oauth2/v2.0/token":
			require.NoError(t, r.ParseForm())
			token(w, r.PostForm)
		default:
			t.Errorf("%s %s", r.Method, r.URL)
		}
	})
}

func issue(w http.ResponseWriter, token string, seconds int) {
	fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":%d,"ext_expires_in":%[1]d,"access_token":%q}`, seconds, token)
}

func newProvider(t testing.TB, client *http.Client, settings document.AzureDatabase) credential.Provider {
	t.Helper()
	p, err := New(settings, client)
	require.NoError(t, err)
	return p
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// The request is that of https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow, "Third case:
// Access token request with a federated credential"; the scope that of
// https://learn.microsoft.com/azure/postgresql/flexible-server/how-to-connect-with-managed-identity.
func TestAWorkloadIdentityAsksAsMicrosoftDocuments(t *testing.T) {
	workload(t)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon))
		var asked url.Values
		p := newProvider(t, entra(t, func(w http.ResponseWriter, form url.Values) {
			asked = form
			issue(w, "eyJ.TOKEN.x", 3599)
		}), document.AzureDatabase{User: "shop-identity"})

		c, err := p.Obtain(t.Context())

		require.NoError(t, err)
		require.Equal(t, "eyJ.TOKEN.x", c.Password)
		require.Equal(t, "shop-identity", c.Username)
		require.Equal(t, noon.Add(3599*time.Second), c.ExpiresAt)
		require.Zero(t, c.SignedUntil)
		require.Equal(t, "client_credentials", asked.Get("grant_type"))
		require.Equal(t, client, asked.Get("client_id"))
		require.False(t, asked.Has("claims"))
		require.Equal(t, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", asked.Get("client_assertion_type"))
		require.Equal(t, "header.payload.SIGNATURE", asked.Get("client_assertion"))
		require.Contains(t, strings.Fields(asked.Get("scope")), "https://ossrdbms-aad.database.windows.net/.default")
	})
}

func TestAServiceAccountsTokenIsReadAnewAndATokenIsNew(t *testing.T) {
	file := workload(t)
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, entra(t, func(w http.ResponseWriter, form url.Values) { issue(w, "for-"+form.Get("client_assertion"), 3600) }),
			document.AzureDatabase{})
		for _, assertion := range []string{"a.b.c", "d.e.f"} {
			require.NoError(t, os.WriteFile(file, []byte(assertion), 0o600))
			c, err := p.Obtain(t.Context())
			require.NoError(t, err)
			require.Equal(t, "for-"+assertion, c.Password)
		}
	})
}

// The answer is of https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
func TestAWorkloadIdentityThatIsRefusedIsNamed(t *testing.T) {
	file := workload(t)
	synctest.Test(t, func(t *testing.T) {
		_, err := newProvider(t, entra(t, func(w http.ResponseWriter, _ url.Values) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_request","error_description":"AADSTS70021: No matching federated identity record found for presented assertion.\r\nTrace ID: 1","error_codes":[70021]}`)
		}), document.AzureDatabase{}).Obtain(t.Context())
		require.EqualError(t, err, "Microsoft Entra gives no token for the application "+client+" (AZURE_CLIENT_ID) of the tenant "+tenant+
			" (AZURE_TENANT_ID) by the service account's token in "+file+" (AZURE_FEDERATED_TOKEN_FILE): "+
			"invalid_request: AADSTS70021: No matching federated identity record found for presented assertion. Trace ID: 1")
	})
}

func TestAWorkloadIdentityThatIsNotCompleteIsAnError(t *testing.T) {
	file := workload(t)
	t.Setenv(clientID, "")
	_, err := newProvider(t, nil, document.AzureDatabase{}).Obtain(t.Context())
	require.ErrorContains(t, err, "AZURE_FEDERATED_TOKEN_FILE is set, but not AZURE_CLIENT_ID: is the service account annotated")

	t.Setenv(clientID, client)
	require.NoError(t, os.Remove(file))
	synctest.Test(t, func(t *testing.T) {
		_, err = newProvider(t, entra(t, nil), document.AzureDatabase{}).Obtain(t.Context())
		require.ErrorContains(t, err, "open "+file+": no such file or directory")
	})
}

// The request and the answer are those of
// https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token, "Get a token using HTTP".
func TestAManagedIdentityAsksAsMicrosoftDocuments(t *testing.T) {
	for name, want := range map[string]string{"": "", "the node's of an id": client} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			if want != "" {
				t.Setenv(clientID, want)
			}
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(noon))
				asked := 0
				p := newProvider(t, inprocess.Answers(func(w http.ResponseWriter, r *http.Request) {
					asked++
					require.Equal(t, "http://169.254.169.254/metadata/identity/oauth2/token", "http://"+r.URL.Host+r.URL.Path)
					require.Equal(t, "true", r.Header.Get("Metadata"))
					require.Equal(t, "2018-02-01", r.URL.Query().Get("api-version"))
					require.Equal(t, "https://ossrdbms-aad.database.windows.net", r.URL.Query().Get("resource"))
					require.Equal(t, want, r.URL.Query().Get("client_id"))
					require.False(t, r.URL.Query().Has("claims"))
					w.Header().Set("Content-Type", "application/json")
					fmt.Fprintf(w, `{"access_token":"eyJ.%d.x","refresh_token":"","expires_in":"3599","expires_on":"%d","not_before":"1","resource":"r","token_type":"Bearer"}`,
						asked, noon.Add(3599*time.Second).Unix())
				}), document.AzureDatabase{})

				for i := 1; i <= 2; i++ {
					c, err := p.Obtain(t.Context())
					require.NoError(t, err)
					require.Equal(t, fmt.Sprintf("eyJ.%d.x", i), c.Password)
					require.Equal(t, noon.Add(3599*time.Second), c.ExpiresAt.UTC())
				}
			})
		})
	}
}

func TestWhereThereIsNoIdentityOneErrorSaysSoonWhatWasTried(t *testing.T) {
	alone(t)
	for name, c := range map[string]struct {
		node *http.Client
		most time.Duration
	}{
		"refused":   {inprocess.Unreachable(), 6 * time.Second},
		"no answer": {inprocess.Silent(), 30 * time.Second},
		"not assigned": {inprocess.Answers(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_request","error_description":"Identity not found"}`)
		}), 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := newProvider(t, c.node, document.AzureDatabase{}).Obtain(t.Context())
				require.ErrorContains(t, err, "there is no workload identity (no AZURE_FEDERATED_TOKEN_FILE")
				require.ErrorContains(t, err, "the node's metadata service gives no token for the managed identity that the node has")
				require.NotContains(t, err.Error(), "\n")
				require.LessOrEqual(t, time.Since(began), c.most)
			})
		})
	}
}

// The names are those of azure-cli's azure/cli/core/cloud.py: ossrdbms_resource_id of its clouds.
func TestTheScopeIsOfTheServersCloud(t *testing.T) {
	alone(t)
	for _, c := range []struct{ host, authority, want string }{
		{"", "", "windows.net"},
		{"shop.postgres.database.azure.com", "https://login.microsoftonline.com/", "windows.net"},
		{"shop.postgres.database.chinacloudapi.cn", "", "chinacloudapi.cn"},
		{"", "https://login.chinacloudapi.cn/", "chinacloudapi.cn"},
		{"shop.postgres.database.usgovcloudapi.net", "", "usgovcloudapi.net"},
		{"", "https://login.microsoftonline.us", "usgovcloudapi.net"},
	} {
		t.Setenv(authorityHost, c.authority)
		p := &provider{settings: document.AzureDatabase{Host: c.host}}
		require.Equal(t, "https://ossrdbms-aad.database."+c.want+"/.default", p.scope())
	}
}

func TestARefusalOfAzureSaysWhoseTokenItIs(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon))
		claims := fmt.Sprintf(`{"aud":"https://ossrdbms-aad.database.windows.net","exp":%d,"appid":"A","oid":"O"}`, noon.Add(time.Hour).Unix())
		refused := credential.Credential{Password: "h." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".SIGNATURE"}
		p := newProvider(t, nil, document.AzureDatabase{User: "shop"})

		require.Equal(t, "the token is of the application A, which is the object O in Microsoft Entra, for https://ossrdbms-aad.database.windows.net "+
			"until 2026-01-02T13:00:00Z: check that the server takes logins of Microsoft Entra, and that the user shop was made for this object, "+
			"by pgaadauth_create_principal", p.Explain(t.Context(), refused))

		time.Sleep(time.Hour)
		require.Equal(t, "the token has expired: at 2026-01-02T13:00:00Z, and this pod's clock says 2026-01-02T13:00:00Z", p.Explain(t.Context(), refused))
		require.Empty(t, p.Explain(t.Context(), credential.Credential{Password: "no token"}))
	})
}

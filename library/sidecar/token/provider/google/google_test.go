package google

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
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

func newProvider(t testing.TB, client *http.Client, user string) credential.Provider {
	t.Helper()
	p, err := New(document.GoogleCloudSQL{User: user}, client)
	require.NoError(t, err)
	return p
}

// alone takes from the environment what would be found there.
func alone(t *testing.T) {
	t.Helper()
	t.Setenv(fileVariable, "")
	t.Setenv("GCE_METADATA_HOST", "")
}

// credentialsFile is named by the environment.
func credentialsFile(t *testing.T, content map[string]any) (name string) {
	t.Helper()
	alone(t)
	text, err := json.Marshal(content)
	require.NoError(t, err)
	name = filepath.Join(t.TempDir(), "credentials.json")
	require.NoError(t, os.WriteFile(name, text, 0o600))
	t.Setenv(fileVariable, name)
	return name
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// The request and the answer are those of https://cloud.google.com/compute/docs/access/authenticate-workloads#applications,
// the scope that of https://cloud.google.com/sql/docs/postgres/iam-authentication.
func TestTheMetadataServersTokenHasTheExpiryThatItSays(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon))
		p := newProvider(t, inprocess.Answers(func(w http.ResponseWriter, r *http.Request) {
			require.Equal(t, "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token", "http://"+r.URL.Host+r.URL.Path)
			require.Equal(t, "Google", r.Header.Get("Metadata-Flavor"))
			require.Equal(t, "https://www.googleapis.com/auth/sqlservice.login", r.URL.Query().Get("scopes"))
			// An hour's token that it has kept for 54 minutes.
			fmt.Fprint(w, `{"access_token":"ya29.TOKEN","expires_in":360,"token_type":"Bearer"}`)
		}), "shop@project.iam")

		c, err := p.Obtain(t.Context())

		require.NoError(t, err)
		require.Equal(t, "ya29.TOKEN", c.Password)
		require.Equal(t, "shop@project.iam", c.Username)
		require.Equal(t, noon.Add(6*time.Minute), c.ExpiresAt)
		require.Zero(t, c.SignedUntil)
	})
}

func TestAMetadataServerThatComesLaterIsAsked(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		there := false
		p := newProvider(t, &http.Client{Transport: inprocess.RoundTripper(func(r *http.Request) (*http.Response, error) {
			if !there {
				return nil, errors.New("connect: connection refused")
			}
			return inprocess.Answers(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, `{"access_token":"ya29.T","expires_in":3599}`)
			}).Transport.RoundTrip(r)
		})}, "")
		_, err := p.Obtain(t.Context())
		require.ErrorContains(t, err, "connection refused")
		there = true

		c, err := p.Obtain(t.Context())

		require.NoError(t, err)
		require.Equal(t, "ya29.T", c.Password)
	})
}

func TestWhereThereIsNoAccountOneErrorSaysSoonWhatWasTried(t *testing.T) {
	alone(t)
	for name, c := range map[string]struct {
		server *http.Client
		want   string
	}{
		"refused":    {inprocess.Unreachable(), "network is unreachable"},
		"no answer":  {inprocess.Silent(), "context deadline exceeded"},
		"no account": {inprocess.Answers(func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }), "it has no service account"},
		"forbidden": {inprocess.Answers(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Permission 'iam.serviceAccounts.getAccessToken'\ndenied", http.StatusForbidden)
		}), "it answered 403: Permission 'iam.serviceAccounts.getAccessToken' denied"},
		"nonsense": {inprocess.Answers(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "SECRET") }), "it answered without a token"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := newProvider(t, c.server, "").Obtain(t.Context())
				require.ErrorContains(t, err, "there is no file of credentials (no GOOGLE_APPLICATION_CREDENTIALS), and the metadata server gives no token: ")
				require.ErrorContains(t, err, c.want)
				require.NotContains(t, err.Error(), "\n")
				require.NotContains(t, err.Error(), "SECRET")
				require.LessOrEqual(t, time.Since(began), metadataLimit)
			})
		})
	}
}

// key is a service account's, as Google makes it.
func key(t *testing.T) (*rsa.PrivateKey, map[string]any) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return private, map[string]any{
		"type": "service_account", "project_id": "project", "private_key_id": "k1",
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": "shop@project.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token",
	}
}

// The request is that of https://developers.google.com/identity/protocols/oauth2/service-account, "HTTP/REST".
func TestAKeyFileAsksAsGoogleDocuments(t *testing.T) {
	private, content := key(t)
	credentialsFile(t, content)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon))
		p := newProvider(t, inprocess.Answers(func(w http.ResponseWriter, r *http.Request) {
			require.Equal(t, "https://oauth2.googleapis.com/token", r.URL.String())
			require.NoError(t, r.ParseForm())
			require.Equal(t, "urn:ietf:params:oauth:grant-type:jwt-bearer", r.PostForm.Get("grant_type"))
			parts := strings.Split(r.PostForm.Get("assertion"), ".")
			require.Len(t, parts, 3)
			part := func(i int) []byte {
				text, err := base64.RawURLEncoding.DecodeString(parts[i])
				require.NoError(t, err)
				return text
			}
			require.JSONEq(t, `{"alg":"RS256","typ":"JWT","kid":"k1"}`, string(part(0)))
			require.JSONEq(t, fmt.Sprintf(`{"iss":"shop@project.iam.gserviceaccount.com","scope":"https://www.googleapis.com/auth/sqlservice.login",
				"aud":"https://oauth2.googleapis.com/token","iat":%d,"exp":%d}`, noon.Unix()-10, noon.Unix()+3590), string(part(1)))
			digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
			require.NoError(t, rsa.VerifyPKCS1v15(&private.PublicKey, crypto.SHA256, digest[:], part(2)))
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"access_token":"ya29.KEY","expires_in":3599,"token_type":"Bearer"}`)
		}), "")

		c, err := p.Obtain(t.Context())

		require.NoError(t, err)
		require.Equal(t, "ya29.KEY", c.Password)
		require.Equal(t, noon.Add(3599*time.Second), c.ExpiresAt)
	})
}

func federated(t *testing.T) map[string]any {
	t.Helper()
	subject := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(subject, []byte("header.payload.SIGNATURE"), 0o600))
	return map[string]any{
		"type": "external_account", "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k",
		"subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": "https://sts.googleapis.com/v1/token",
		"service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/shop@project.iam.gserviceaccount.com:generateAccessToken",
		"credential_source":                 map[string]any{"file": subject, "format": map[string]any{"type": "text"}},
	}
}

// The requests are those of https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token and
// https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken.
func TestWorkloadIdentityFederationAsksAsGoogleDocuments(t *testing.T) {
	credentialsFile(t, federated(t))
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon))
		p := newProvider(t, inprocess.Answers(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			switch r.URL.Host {
			case "sts.googleapis.com":
				require.NoError(t, r.ParseForm())
				require.Equal(t, "urn:ietf:params:oauth:grant-type:token-exchange", r.PostForm.Get("grant_type"))
				require.Equal(t, "header.payload.SIGNATURE", r.PostForm.Get("subject_token"))
				require.Equal(t, "urn:ietf:params:oauth:token-type:jwt", r.PostForm.Get("subject_token_type"))
				fmt.Fprint(w, `{"access_token":"ya29.FEDERATED","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":3599}`)
			case "iamcredentials.googleapis.com":
				require.Equal(t, "Bearer ya29.FEDERATED", r.Header.Get("Authorization"))
				var body struct{ Scope []string }
				require.NoError(t, json.NewDecoder(r.Body).Decode(&body))
				require.Equal(t, []string{scope}, body.Scope)
				fmt.Fprint(w, `{"accessToken":"ya29.SHOP","expireTime":"2026-01-02T13:00:00Z"}`)
			default:
				t.Errorf("asked %s", r.URL)
			}
		}), "")

		c, err := p.Obtain(t.Context())

		require.NoError(t, err)
		require.Equal(t, "ya29.SHOP", c.Password)
		require.Equal(t, noon.Add(time.Hour), c.ExpiresAt)
	})
}

func TestAFileThatIsRefusedIsNamed(t *testing.T) {
	_, content := key(t)
	name := credentialsFile(t, content)
	synctest.Test(t, func(t *testing.T) {
		_, err := newProvider(t, inprocess.Answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`)
		}), "").Obtain(t.Context())
		require.EqualError(t, err, "no token of Google's for the service_account in "+name+" (GOOGLE_APPLICATION_CREDENTIALS): invalid_grant: Invalid JWT Signature.")
	})
	content["private_key"] = "-----BEGIN PRIVATE KEY-----\nPRIVATE\n-----END PRIVATE KEY-----\n"
	credentialsFile(t, content)
	_, err := newProvider(t, nil, "").Obtain(t.Context())
	require.Error(t, err)
	require.NotContains(t, err.Error(), "PRIVATE\n")
	t.Setenv(fileVariable, name)
	require.NoError(t, os.WriteFile(name, []byte("PRIVATE"), 0o600))
	_, err = newProvider(t, nil, "").Obtain(t.Context())
	require.EqualError(t, err, "GOOGLE_APPLICATION_CREDENTIALS: "+name+" is no file of Google's credentials: it is no JSON with a type")
	require.NoError(t, os.Remove(name))
	_, err = newProvider(t, nil, "").Obtain(t.Context())
	require.EqualError(t, err, "GOOGLE_APPLICATION_CREDENTIALS: open "+name+": no such file or directory")
}

func TestARefusalOfGoogleSaysWhoseTokenItIs(t *testing.T) {
	alone(t)
	email := inprocess.Answers(func(w http.ResponseWriter, r *http.Request) {
		require.True(t, strings.HasSuffix(r.URL.Path, "/default/email"))
		fmt.Fprintln(w, "shop@project.iam.gserviceaccount.com")
	})
	check := "the token is of the service account shop@project.iam.gserviceaccount.com: check that the instance has the flag " +
		"cloudsql.iam_authentication, that it has the user shop@project.iam of the type of a service account, and that the account has the role roles/cloudsql.instanceUser"
	require.Equal(t, check, newProvider(t, email, "shop@project.iam").Explain(t.Context(), credential.Credential{}))
	require.Equal(t, "the token is of the service account shop@project.iam.gserviceaccount.com, whose user in PostgreSQL is shop@project.iam and in "+
		"MySQL shop: the user is postgres", newProvider(t, email, "postgres").Explain(t.Context(), credential.Credential{}))

	_, content := key(t)
	credentialsFile(t, content)
	require.Equal(t, check, newProvider(t, nil, "").Explain(t.Context(), credential.Credential{}))
	credentialsFile(t, federated(t))
	require.Equal(t, check, newProvider(t, nil, "").Explain(t.Context(), credential.Credential{}))
}

func TestNoRequestHasTheTokenInItsURL(t *testing.T) {
	alone(t)
	var urls []*url.URL
	p := newProvider(t, inprocess.Answers(func(w http.ResponseWriter, r *http.Request) {
		urls = append(urls, r.URL)
		fmt.Fprint(w, `{"access_token":"ya29.T","expires_in":3599}`)
	}), "")
	c, err := p.Obtain(t.Context())
	require.NoError(t, err)
	p.Explain(t.Context(), c)
	require.Len(t, urls, 2)
	for _, asked := range urls {
		require.NotContains(t, asked.String(), "ya29")
	}
}

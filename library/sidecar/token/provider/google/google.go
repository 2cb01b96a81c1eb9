// Package google obtains tokens by which a user of Cloud SQL logs in by IAM: by the file that GOOGLE_APPLICATION_CREDENTIALS
// names, else by the service account of the metadata server.
package google

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"cloud.google.com/go/compute/metadata"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/httpclient"
)

const (
	// scope is for logins, and for nothing else that the account may do.
	scope = "https://www.googleapis.com/auth/sqlservice.login"
	// metadataLimit is for the node's metadata service: GKE's takes some seconds in a pod that has just begun.
	metadataLimit = 10 * time.Second
	fileVariable  = "GOOGLE_APPLICATION_CREDENTIALS"
)

type provider struct {
	settings document.GoogleCloudSQL
	client   *http.Client
}

// New returns the provider. A client of nil is the program's own.
func New(settings document.GoogleCloudSQL, client *http.Client) (credential.Provider, error) {
	if client == nil {
		client = httpclient.New(nil)
	}
	return &provider{settings: settings, client: client}, nil
}

// Obtain asks for a token. A metadata server hands out one that it has until 5 minutes before its end.
func (p *provider) Obtain(ctx context.Context) (credential.Credential, error) {
	ctx, cancel := context.WithTimeout(ctx, httpclient.Limit)
	defer cancel()
	obtain := p.fromMetadata
	if os.Getenv(fileVariable) != "" {
		obtain = p.fromFile
	}
	token, err := obtain(ctx)
	if err != nil {
		return credential.Credential{}, err
	}
	return credential.Credential{Username: p.settings.User, Password: token.AccessToken, ExpiresAt: token.Expiry.UTC()}, nil
}

// file is what is read of a file of credentials here; the rest is the SDK's.
type file struct {
	Type          string `json:"type"`
	Email         string `json:"client_email"`
	Impersonation string `json:"service_account_impersonation_url"`
}

func readFile() (file, []byte, error) {
	var read file
	text, err := os.ReadFile(os.Getenv(fileVariable))
	if err == nil && (json.Unmarshal(text, &read) != nil || read.Type == "") {
		err = fmt.Errorf("%s is no file of Google's credentials: it is no JSON with a type", os.Getenv(fileVariable))
	}
	return read, text, err
}

func (p *provider) fromFile(ctx context.Context) (*oauth2.Token, error) {
	name := os.Getenv(fileVariable)
	read, text, err := readFile()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", fileVariable, err)
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, p.client)
	credentials, err := google.CredentialsFromJSONWithType(ctx, text, google.CredentialsType(read.Type), scope)
	if err != nil {
		return nil, fmt.Errorf("%s (%s): %w", name, fileVariable, err)
	}
	token, err := credentials.TokenSource.Token()
	if err != nil {
		return nil, fmt.Errorf("no token of Google's for the %s in %s (%s): %s",
			read.Type, name, fileVariable, gist(err))
	}
	if token.Expiry.IsZero() {
		return nil, fmt.Errorf("the token of Google's for the %s in %s (%s) does not say when it expires",
			read.Type, name, fileVariable)
	}
	return token, nil
}

// fromMetadata asks the metadata server itself: the SDK remembers for good that there was none when a pod began, and GKE's is
// there some seconds later.
func (p *provider) fromMetadata(ctx context.Context) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, metadataLimit)
	defer cancel()
	text, err := metadata.NewClient(p.client).GetWithContext(ctx,
		"instance/service-accounts/default/token?"+url.Values{"scopes": {scope}}.Encode())
	asked := time.Now()
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err == nil && (json.Unmarshal([]byte(text), &answer) != nil || answer.AccessToken == "" || answer.ExpiresIn <= 0) {
		err = errors.New("it answered without a token")
	}
	if _, none := errors.AsType[metadata.NotDefinedError](err); none {
		err = errors.New("it has no service account: give the node one, or bind the pod's to one (Workload " +
			"Identity Federation for GKE)")
	}
	if err != nil {
		return nil, fmt.Errorf("there is no file of credentials (no %s), and the metadata server gives no token: %s",
			fileVariable, gist(err))
	}
	return &oauth2.Token{AccessToken: answer.AccessToken, Expiry: asked.Add(time.Duration(answer.ExpiresIn) * time.Second)}, nil
}

// gist is what Google said, or else why it could not be asked, in a line.
func gist(err error) string {
	text := err.Error()
	if failed, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		var said struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		text = failed.Response.Status
		if json.Unmarshal(failed.Body, &said) == nil && said.Error != "" {
			text = said.Error + ": " + said.Description
		}
	}
	if failed, ok := errors.AsType[*metadata.Error](err); ok {
		text = fmt.Sprintf("it answered %d: %s", failed.Code, failed.Message)
	}
	return strings.Join(strings.Fields(text), " ")
}

// Explain says whose token was refused, where that is known: PostgreSQL has the account's e-mail address without its end.
func (p *provider) Explain(ctx context.Context, _ credential.Credential) string {
	const end = ".gserviceaccount.com"
	account := p.account(ctx)
	if account == "" {
		return ""
	}
	postgres := strings.TrimSuffix(account, end)
	mysql, _, _ := strings.Cut(account, "@")
	if user := p.settings.User; user != "" && user != postgres && user != mysql && user != account {
		return fmt.Sprintf("the token is of the service account %s, whose user in PostgreSQL is %s and in MySQL "+
			"%s: the user is %s", account, postgres, mysql, user)
	}
	return fmt.Sprintf("the token is of the service account %s: check that the instance has the flag "+
		"cloudsql.iam_authentication, that it has the user %s of the type of a service account, and that the account "+
		"has the role roles/cloudsql.instanceUser",
		account, cmp.Or(p.settings.User, postgres))
}

// account is the e-mail address of the service account; empty where it is not known.
func (p *provider) account(ctx context.Context) string {
	if os.Getenv(fileVariable) != "" {
		read, _, err := readFile()
		if err != nil {
			return ""
		}
		_, impersonated, _ := strings.Cut(read.Impersonation, "/serviceAccounts/")
		impersonated, _, _ = strings.Cut(impersonated, ":")
		return cmp.Or(read.Email, impersonated)
	}
	ctx, cancel := context.WithTimeout(ctx, metadataLimit)
	defer cancel()
	text, err := metadata.NewClient(p.client).GetWithContext(ctx, "instance/service-accounts/default/email")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(text)
}

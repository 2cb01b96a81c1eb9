// Package azure obtains tokens of Microsoft Entra by which a user logs in to Azure Database for PostgreSQL or MySQL: by the
// pod's workload identity, else by the node's managed identity.
package azure

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/httpclient"
)

// tryLimit is for one of a few requests: a token that is made anew takes seconds.
const tryLimit = 8 * time.Second

// Azure's own variables, which its webhook sets.
const (
	tokenFile, clientID     = "AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID"
	tenantID, authorityHost = "AZURE_TENANT_ID", "AZURE_AUTHORITY_HOST"
)

type provider struct {
	settings document.AzureDatabase
	options  azcore.ClientOptions
}

// New returns the provider. A client of nil is the program's own. The environment says which identity: that of
// AZURE_FEDERATED_TOKEN_FILE, AZURE_CLIENT_ID and AZURE_TENANT_ID, else the node's (of AZURE_CLIENT_ID, where it is set).
func New(settings document.AzureDatabase, client *http.Client) (credential.Provider, error) {
	if client == nil {
		client = httpclient.New(nil)
	}
	return &provider{settings: settings, options: azcore.ClientOptions{
		Transport: client,
		Retry:     policy.RetryOptions{MaxRetries: 2, RetryDelay: time.Second, MaxRetryDelay: 2 * time.Second, TryTimeout: tryLimit},
	}}, nil
}

// Obtain asks for a token. None is kept from before: whoever asks wants one that lives as long as it can.
func (p *provider) Obtain(ctx context.Context) (credential.Credential, error) {
	ctx, cancel := context.WithTimeout(ctx, httpclient.Limit)
	defer cancel()
	source, asked, err := p.identity()
	if err != nil {
		return credential.Credential{}, err
	}
	options := policy.TokenRequestOptions{Scopes: []string{p.scope()}}
	if _, managed := source.(*azidentity.ManagedIdentityCredential); managed {
		// So the SDK passes by what all of the process keeps of a managed identity's tokens. They are not sent.
		options.Claims = "{}"
	}
	token, err := source.GetToken(ctx, options)
	if err != nil {
		return credential.Credential{}, fmt.Errorf("%s: %s", asked, gist(err))
	}
	return credential.Credential{Username: p.settings.User, Password: token.Token, ExpiresAt: token.ExpiresOn}, nil
}

// identity is who asks, and a sentence about whom is asked how.
func (p *provider) identity() (azcore.TokenCredential, string, error) {
	client := os.Getenv(clientID)
	if file := os.Getenv(tokenFile); file != "" {
		for _, name := range []string{clientID, tenantID} {
			if os.Getenv(name) == "" {
				return nil, "", fmt.Errorf("%s is set, but not %s: is the service account annotated with "+
					"azure.workload.identity/client-id, and the pod labelled azure.workload.identity/use: \"true\"?", tokenFile, name)
			}
		}
		source, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: p.options})
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", authorityHost, err)
		}
		return source, fmt.Sprintf("Microsoft Entra gives no token for the application %s (%s) of the tenant %s "+
			"(%s) by the service account's token in %s (%s)",
			client, clientID, os.Getenv(tenantID), tenantID, file, tokenFile), nil
	}
	options := azidentity.ManagedIdentityCredentialOptions{ClientOptions: p.options}
	which := "that the node has"
	if client != "" {
		options.ID, which = azidentity.ClientID(client), client+" ("+clientID+")"
	}
	source, err := azidentity.NewManagedIdentityCredential(&options)
	if err != nil {
		return nil, "", fmt.Errorf("the managed identity %s: %w", which, err)
	}
	return source, fmt.Sprintf("there is no workload identity (no %s: is the pod labelled "+
		"azure.workload.identity/use: \"true\"?), and the node's metadata service gives no token for the managed identity %s", tokenFile, which), nil
}

// scope is that of Azure's databases, in the cloud that the server or the authority is of.
func (p *provider) scope() string {
	host, authority := strings.TrimSuffix(p.settings.Host, "."), os.Getenv(authorityHost)
	switch {
	case strings.HasSuffix(host, ".chinacloudapi.cn"), strings.Contains(authority, ".chinacloudapi.cn"), strings.Contains(authority, ".microsoftonline.cn"):
		return "https://ossrdbms-aad.database.chinacloudapi.cn/.default"
	case strings.HasSuffix(host, ".usgovcloudapi.net"), strings.Contains(authority, ".microsoftonline.us"):
		return "https://ossrdbms-aad.database.usgovcloudapi.net/.default"
	}
	return "https://ossrdbms-aad.database.windows.net/.default"
}

// gist is what Entra or the metadata service said, or else why it could not be asked, in a line.
func gist(err error) string {
	text := err.Error()
	if failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok && failed.RawResponse != nil {
		body, _ := runtime.Payload(failed.RawResponse)
		var said struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		text = failed.RawResponse.Status
		if json.Unmarshal(body, &said) == nil && said.Error != "" {
			text = said.Error + ": " + said.Description
		}
	}
	return strings.Join(strings.Fields(text), " ")
}

// Explain says whose token was refused.
func (p *provider) Explain(_ context.Context, refused credential.Credential) string {
	claims := struct {
		Expires  int64  `json:"exp"`
		Audience string `json:"aud"`
		Object   string `json:"oid"`
		AppID    string `json:"appid"`
		AZP      string `json:"azp"`
	}{}
	parts := strings.Split(refused.Password, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	expires := time.Unix(claims.Expires, 0)
	if now := time.Now(); !now.Before(expires) {
		return fmt.Sprintf("the token has expired: at %s, and this pod's clock says %s", utc(expires), utc(now))
	}
	return fmt.Sprintf("the token is of the application %s, which is the object %s in Microsoft Entra, for %s "+
		"until %s: check that the server takes logins of Microsoft Entra, and that %s was made for this object, by "+
		"pgaadauth_create_principal",
		cmp.Or(claims.AppID, claims.AZP), claims.Object, claims.Audience, utc(expires), user(p.settings.User))
}

func user(name string) string {
	if name == "" {
		return "the user"
	}
	return "the user " + name
}

func utc(at time.Time) string { return at.UTC().Format(time.RFC3339) }

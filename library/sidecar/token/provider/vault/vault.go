// Package vault reads credentials of HashiCorp Vault and of OpenBao: dynamic and static roles of a database, and secrets of a
// key-value store.
package vault

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/httpclient"
)

type provider struct {
	settings document.Vault
	now      func() time.Time

	mutex  sync.Mutex // around all below, and each request: the client has the token of whoever asks
	client *api.Client
	path   string // that of the values, or where a versioned key-value store has it
	token  *token // that reads; nil before there is one
}

// New returns the provider. A client of nil is the program's own; its Transport is an *http.Transport. What the values do not say
// is as VAULT_NAMESPACE, VAULT_CACERT, VAULT_CLIENT_CERT and the other variables of Vault's clients say.
func New(settings document.Vault, client *http.Client) (credential.Provider, error) {
	if settings.Address == "" || settings.Path == "" {
		return nil, errors.New("vault needs an address and a path")
	}
	if client == nil {
		client = httpclient.New(nil)
	}
	transport, ok := client.Transport.(*http.Transport)
	if !ok {
		return nil, fmt.Errorf("vault needs an *http.Transport, not %T", client.Transport)
	}
	own := *client
	transport = transport.Clone()
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	own.Transport = transport
	// Vault's client follows a redirection by itself.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	config := &api.Config{HttpClient: &own, Timeout: httpclient.Limit, MaxRetries: 2}
	if err := config.ReadEnvironment(); err != nil {
		return nil, fmt.Errorf("a variable of Vault's clients (VAULT_CACERT, VAULT_CLIENT_CERT, …): %w", err)
	}
	config.Address, config.AgentAddress = settings.Address, ""
	made, err := api.NewClient(config)
	if err != nil {
		return nil, fmt.Errorf("vault.address %s: %w", settings.Address, err)
	}
	if settings.Namespace != "" {
		made.SetNamespace(settings.Namespace)
	}
	return &provider{settings: settings, now: time.Now, client: made, path: strings.Trim(settings.Path, "/")}, nil
}

// Obtain reads the credential. What a lease goes with dies with the token that read it; the others do not. What a key-value
// store has does not say when it expires.
func (p *provider) Obtain(ctx context.Context) (credential.Credential, error) {
	ctx, cancel := context.WithTimeout(ctx, httpclient.Limit)
	defer cancel()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	fresh, note, err := p.ready(ctx)
	if err != nil {
		return credential.Credential{}, err
	}
	asked := p.now()
	secret, err := p.read(ctx)
	if status(err) == http.StatusForbidden && !fresh && p.logsIn() {
		// Somebody may have revoked the token.
		if err := p.login(ctx); err != nil {
			return credential.Credential{}, err
		}
		asked = p.now()
		secret, err = p.read(ctx)
	}
	if err != nil {
		return credential.Credential{}, fmt.Errorf("reading %s of %s: %s", p.path, p.where(), gist(err))
	}
	c, err := p.credential(secret, asked)
	c.Note = note
	return c, err
}

// read asks for the secret, at its own place where a versioned key-value store has it under data/.
func (p *provider) read(ctx context.Context) (*api.Secret, error) {
	secret, err := p.client.Logical().ReadWithContext(ctx, p.path)
	misplaced := err == nil && secret != nil && secret.Data == nil &&
		strings.Contains(strings.Join(secret.Warnings, " "), "versioned K/V")
	// A policy for the right place forbids the other one.
	if !misplaced && status(err) != http.StatusForbidden {
		return secret, err
	}
	mount, _ := p.client.Logical().ReadWithContext(ctx, "sys/internal/ui/mounts/"+p.path)
	if mount == nil {
		return secret, err
	}
	at, _ := mount.Data["path"].(string)
	options, _ := mount.Data["options"].(map[string]any)
	rest, ok := strings.CutPrefix(p.path, at)
	if at == "" || !ok || options["version"] != "2" || strings.HasPrefix(rest, "data/") {
		return secret, err
	}
	moved := at + "data/" + rest
	secret, err = p.client.Logical().ReadWithContext(ctx, moved)
	if err == nil {
		p.path = moved
	}
	return secret, err
}

// credential makes one of an answer.
func (p *provider) credential(secret *api.Secret, asked time.Time) (credential.Credential, error) {
	if secret == nil || secret.Data == nil {
		return credential.Credential{}, fmt.Errorf("%s has nothing at %s", p.where(), p.path)
	}
	var c credential.Credential
	data := secret.Data
	_, versioned := data["metadata"].(map[string]any)
	inner, isInner := data["data"].(map[string]any)
	ttl, isStatic := staticTTL(data)
	switch engine := p.settings.Engine; {
	case versioned && isInner && engine != "database":
		data = inner
	case versioned && data["data"] == nil && engine != "database":
		return c, fmt.Errorf("the secret at %s of %s was deleted", p.path, p.where())
	case engine == "kv":
	case secret.LeaseID != "":
		c.ExpiresAt = asked.Add(time.Duration(secret.LeaseDuration) * time.Second)
		c.SignedUntil = p.token.expires
		c.Lease = &lease{provider: p, id: secret.LeaseID, renewable: secret.Renewable, token: p.token}
	case isStatic:
		// Vault counts down to 0, and rotates the password then.
		c.ExpiresAt = asked.Add(ttl + time.Second)
	case engine == "database":
		return c, fmt.Errorf("%s of %s has neither a lease nor a ttl: is it database/creds/ROLE, or "+
			"database/static-creds/ROLE?", p.path, p.where())
	}
	var err error
	if c.Username, err = p.value(data, p.settings.UsernameKey, "username", "usernameKey"); err == nil {
		c.Password, err = p.value(data, p.settings.PasswordKey, "password", "passwordKey")
	}
	if err == nil && c.Password == "" {
		err = fmt.Errorf("%s of %s has no %s: set vault.passwordKey to one of %s",
			p.path, p.where(), cmp.Or(p.settings.PasswordKey, "password"), strings.Join(slices.Sorted(maps.Keys(data)), ", "))
	}
	return c, err
}

// value is a key's, of the settings or else the usual one, which may be missing.
func (p *provider) value(data map[string]any, key, usual, option string) (string, error) {
	switch value := data[cmp.Or(key, usual)].(type) {
	case string:
		return value, nil
	case json.Number:
		return value.String(), nil
	case nil:
		if key == "" {
			return "", nil
		}
	}
	return "", fmt.Errorf("%s of %s has no text as %s: set vault.%s to one of %s",
		p.path, p.where(), cmp.Or(key, usual), option, strings.Join(slices.Sorted(maps.Keys(data)), ", "))
}

// staticTTL is for how long yet a static role has its password.
func staticTTL(data map[string]any) (time.Duration, bool) {
	rotated := false
	for _, key := range []string{"last_vault_rotation", "rotation_period", "rotation_schedule"} {
		_, has := data[key]
		rotated = rotated || has
	}
	number, ok := data["ttl"].(json.Number)
	seconds, err := number.Int64()
	return time.Duration(seconds) * time.Second, rotated && ok && err == nil
}

// Explain says whether Vault has ended the credential.
func (p *provider) Explain(ctx context.Context, refused credential.Credential) string {
	l, ok := refused.Lease.(*lease)
	if !ok {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, httpclient.Limit)
	defer cancel()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if l.token.expired(p.now()) {
		return fmt.Sprintf("the Vault token that read the credential has expired at %s: Vault has ended the "+
			"credential with it", utc(l.token.expires))
	}
	p.client.SetToken(l.token.value)
	_, err := p.client.Sys().LookupWithContext(ctx, l.id)
	switch status(err) {
	case http.StatusBadRequest:
		return "Vault has revoked the lease of the credential, or it has expired"
	case http.StatusForbidden:
		// A policy that forbids to ask says only that permission is denied.
		if said := gist(err); strings.Contains(said, "invalid token") || strings.Contains(said, "bad token") {
			return "Vault has revoked the token that read the credential, and the credential with it"
		}
	}
	return ""
}

func (p *provider) where() string {
	if namespace := p.client.Namespace(); namespace != "" {
		return "Vault at " + p.settings.Address + " (namespace " + namespace + ")"
	}
	return "Vault at " + p.settings.Address
}

// status is that of Vault's answer; 0 where there is none.
func status(err error) int {
	if said, ok := errors.AsType[*api.ResponseError](err); ok {
		return said.StatusCode
	}
	return 0
}

// gist is what Vault said, or else why it could not be asked, in a line.
func gist(err error) string {
	text := err.Error()
	if said, ok := errors.AsType[*api.ResponseError](err); ok {
		text = fmt.Sprintf("it answered %d: %s", said.StatusCode, strings.Join(said.Errors, "; "))
	}
	text = strings.Join(strings.Fields(text), " ")
	if most := 500; len(text) > most { // a page of a proxy's
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// fileText is a file's, without white space around it.
func fileText(name, what string) (string, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	if trimmed := strings.TrimSpace(string(text)); trimmed != "" {
		return trimmed, nil
	}
	return "", fmt.Errorf("%s: %s is empty", what, name)
}

func utc(at time.Time) string { return at.UTC().Format(time.RFC3339) }

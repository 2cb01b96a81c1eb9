package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/outrigger-charts/outrigger/library/sidecar/httpclient"
)

// serviceAccountToken is where Kubernetes puts it.
const serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token"

// token is one of Vault's.
type token struct {
	value     string
	expires   time.Time     // zero: never, or not known
	lives     time.Duration // from the login
	renewable bool
}

func (t *token) expired(now time.Time) bool { return !t.expires.IsZero() && !now.Before(t.expires) }

// ready sees to it that the client has a token that lives: it renews the one that there is, and logs in where there is none or
// that one is near its end. It tells whether it is a new one, and what is to be told though there is one.
func (p *provider) ready(ctx context.Context) (fresh bool, note string, err error) {
	if !p.logsIn() {
		return true, "", p.given(ctx)
	}
	if p.token == nil || p.token.expired(p.now()) {
		return true, "", p.login(ctx)
	}
	p.client.SetToken(p.token.value)
	// Where it cannot be renewed it lives on, and whatever is the matter shows when it is used.
	_ = p.renew(ctx, p.token)
	if p.token.expires.IsZero() || p.token.expires.Sub(p.now()) >= p.token.lives/2 {
		return false, "", nil
	}
	before := p.token
	if err := p.login(ctx); err != nil {
		p.client.SetToken(before.value)
		return false, fmt.Sprintf("%s; the token of before reads until %s", err, utc(before.expires)), nil
	}
	return true, "", nil
}

// logsIn tells whether tokens are got by logging in, not given.
func (p *provider) logsIn() bool { return p.settings.Kubernetes != nil || p.settings.AppRole != nil }

// login gets a new token. The one of before lives on, for what it has read.
func (p *provider) login(ctx context.Context) error {
	var path, as string
	var body map[string]any
	switch kubernetes, appRole := p.settings.Kubernetes, p.settings.AppRole; {
	case kubernetes != nil:
		jwt, err := fileText(cmp.Or(kubernetes.TokenFile, serviceAccountToken), "the service account's token")
		if err != nil {
			return err
		}
		path, as = "auth/"+cmp.Or(kubernetes.Mount, "kubernetes")+"/login", "as the role "+kubernetes.Role
		body = map[string]any{"role": kubernetes.Role, "jwt": jwt}
	default:
		role, err := fileText(appRole.RoleIDFile, "the role's id (vault.appRole)")
		if err != nil {
			return err
		}
		secret, err := fileText(appRole.SecretIDFile, "the secret id (vault.appRole)")
		if err != nil {
			return err
		}
		path = "auth/" + cmp.Or(appRole.Mount, "approle") + "/login"
		as = "by the ids in " + appRole.RoleIDFile + " and " + appRole.SecretIDFile
		body = map[string]any{"role_id": role, "secret_id": secret}
	}
	p.client.ClearToken()
	asked := p.now()
	answer, err := p.client.Logical().WriteWithContext(ctx, path, body)
	if err == nil && (answer == nil || answer.Auth == nil || answer.Auth.ClientToken == "") {
		err = errors.New("it answered without a token")
	}
	if err != nil {
		return fmt.Errorf("logging in to %s %s, by %s: %s", p.where(), as, path, gist(err))
	}
	t := &token{
		value: answer.Auth.ClientToken, renewable: answer.Auth.Renewable,
		lives: time.Duration(answer.Auth.LeaseDuration) * time.Second,
	}
	if t.lives > 0 {
		t.expires = asked.Add(t.lives)
	}
	p.token = t
	p.client.SetToken(t.value)
	return nil
}

// given takes the token of the file, or of the environment, and renews it.
func (p *provider) given(ctx context.Context) error {
	value := os.Getenv(api.EnvVaultToken)
	if p.settings.TokenFile != "" {
		var err error
		if value, err = fileText(p.settings.TokenFile, "Vault's token (vault.tokenSecret)"); err != nil {
			return err
		}
	}
	if value == "" {
		return errors.New("there is no token of Vault's: set vault.role, vault.appRole, vault.tokenSecret or " +
			"VAULT_TOKEN")
	}
	p.client.SetToken(value)
	if p.token == nil || p.token.value != value || p.token.expired(p.now()) {
		p.token = p.lookUp(ctx, value)
	}
	_ = p.renew(ctx, p.token)
	return nil
}

// lookUp says what Vault knows of the client's token. A policy may forbid to ask: then nothing is known.
func (p *provider) lookUp(ctx context.Context, value string) *token {
	t := &token{value: value}
	answer, err := p.client.Auth().Token().LookupSelfWithContext(ctx)
	if err != nil || answer == nil {
		return t
	}
	if text, ok := answer.Data["expire_time"].(string); ok {
		t.expires, _ = time.Parse(time.RFC3339Nano, text)
	}
	t.renewable, _ = answer.TokenIsRenewable()
	return t
}

// renew makes the client's token live longer, where it has an end and can be renewed.
func (p *provider) renew(ctx context.Context, t *token) error {
	if t.expires.IsZero() || !t.renewable {
		return nil
	}
	asked := p.now()
	answer, err := p.client.Auth().Token().RenewSelfWithContext(ctx, 0)
	if code := status(err); code == http.StatusBadRequest || code == http.StatusForbidden {
		t.renewable = false // it has not to be, or its policy forbids it
		return nil
	}
	if err != nil {
		return err
	}
	if answer != nil && answer.Auth != nil && answer.Auth.LeaseDuration > 0 {
		t.expires = asked.Add(time.Duration(answer.Auth.LeaseDuration) * time.Second)
		t.renewable = answer.Auth.Renewable
	}
	return nil
}

// lease is that of a credential.
type lease struct {
	provider  *provider
	id        string
	renewable bool
	token     *token // that read the credential
}

// Renew renews the token that read the credential, and then the lease.
func (l *lease) Renew(ctx context.Context) (time.Time, error) {
	p := l.provider
	ctx, cancel := context.WithTimeout(ctx, httpclient.Limit)
	defer cancel()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if !l.renewable {
		return time.Time{}, fmt.Errorf("the lease %s is not renewable", l.id)
	}
	p.client.SetToken(l.token.value)
	if err := p.renew(ctx, l.token); err != nil {
		return time.Time{}, fmt.Errorf("renewing the token of %s: %s", p.where(), gist(err))
	}
	asked := p.now()
	answer, err := p.client.Sys().RenewWithContext(ctx, l.id, 0)
	if err == nil && answer == nil {
		err = errors.New("it answered without a lease")
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("renewing the lease %s of %s: %s", l.id, p.where(), gist(err))
	}
	l.renewable = answer.Renewable
	expires := asked.Add(time.Duration(answer.LeaseDuration) * time.Second)
	if end := l.token.expires; !end.IsZero() && end.Before(expires) {
		expires = end
	}
	return expires, nil
}

// Revoke ends the credential.
func (l *lease) Revoke(ctx context.Context) error {
	p := l.provider
	ctx, cancel := context.WithTimeout(ctx, httpclient.Limit)
	defer cancel()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.client.SetToken(l.token.value)
	err := p.client.Sys().RevokeWithContext(ctx, l.id)
	if err == nil {
		return nil
	}
	mend := ""
	if status(err) == http.StatusForbidden {
		mend = ": its policy has to allow update of sys/leases/revoke"
	}
	return fmt.Errorf("revoking the lease %s of %s: %s%s", l.id, p.where(), strings.TrimSuffix(gist(err), "."), mend)
}

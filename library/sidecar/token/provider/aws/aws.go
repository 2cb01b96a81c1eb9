// Package aws makes the passwords of database users who log in by IAM: to RDS and Aurora, and to Aurora DSQL. Such a password
// is a signed request that is never sent; it lives 15 minutes, and dies with the credentials that signed it.
package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/feature/rds/auth"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/httpclient"
)

// NewRDS returns the provider for a user of RDS or Aurora. A client of nil is the program's own.
func NewRDS(settings document.AWSRDS, client *http.Client) (credential.Provider, error) {
	if settings.Host == "" || settings.User == "" {
		return nil, errors.New("awsRds needs a host and a user")
	}
	p := newProvider(settings.Host, settings.User, settings.Region, settings.CredentialsDirectory, client)
	endpoint := settings.Host + ":" + strconv.Itoa(cmp.Or(settings.Port, 5432))
	p.sign = func(ctx context.Context, region string, signing aws.CredentialsProvider) (string, error) {
		return auth.BuildAuthToken(ctx, endpoint, region, settings.User, signing)
	}
	p.regionOf = rdsRegion
	p.regionOption = "awsRds.region"
	p.advice = "check that the user has the role rds_iam, and that %s allows rds-db:connect to it"
	return p, nil
}

// NewDSQL returns the provider for a user of Aurora DSQL. A client of nil is the program's own.
func NewDSQL(settings document.AWSDSQL, client *http.Client) (credential.Provider, error) {
	if settings.Host == "" || settings.User == "" {
		return nil, errors.New("awsDsql needs a host and a user")
	}
	p := newProvider(settings.Host, settings.User, settings.Region, settings.CredentialsDirectory, client)
	action := "DbConnect"
	p.advice = "check that the user is linked to the role of IAM that signs (AWS IAM GRANT), and that %s allows " +
		"dsql:DbConnect"
	if settings.User == "admin" {
		action = "DbConnectAdmin"
		p.advice = "check that %s allows dsql:DbConnectAdmin"
	}
	p.sign = func(ctx context.Context, region string, signing aws.CredentialsProvider) (string, error) {
		return dsqlToken(ctx, settings.Host, action, region, signing)
	}
	p.regionOf = dsqlRegion
	p.regionOption = "awsDsql.region"
	return p, nil
}

// dsqlToken is what feature/dsql/auth of AWS's SDK makes.
func dsqlToken(ctx context.Context, host, action, region string, signing aws.CredentialsProvider) (string, error) {
	const emptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/?Action="+action+"&X-Amz-Expires=900", nil)
	if err != nil {
		return "", err
	}
	credentials, err := signing.Retrieve(ctx)
	if err != nil {
		return "", err
	}
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, credentials, request, emptyPayload, "dsql",
		region, time.Now().UTC())
	return strings.TrimPrefix(signed, "https://"), err
}

type provider struct {
	signers
	host, user   string
	region       string // of the values or of the host's name; empty where neither has one
	regionOption string
	sign         func(ctx context.Context, region string, signing aws.CredentialsProvider) (string, error)
	regionOf     func(host string) string
	advice       string // of a refusal, with a place for whose policy it is about
}

func newProvider(host, user, region, directory string, client *http.Client) *provider {
	if client == nil {
		client = httpclient.New(nil)
	}
	return &provider{host: host, user: user, region: region, signers: signers{directory: directory, client: client}}
}

// Obtain makes a token, and says until when the credentials live that signed it.
func (p *provider) Obtain(ctx context.Context) (credential.Credential, error) {
	ctx, cancel := context.WithTimeout(ctx, httpclient.Limit)
	defer cancel()
	region, err := p.regionOrSDK(ctx)
	if err != nil {
		return credential.Credential{}, err
	}
	signing, note, err := p.signing(ctx, region)
	if err != nil {
		return credential.Credential{}, err
	}
	if signing.Expired() {
		return credential.Credential{}, fmt.Errorf("the credentials that sign it have expired: at %s, and this pod's clock says %s",
			utc(signing.Expires), utc(time.Now()))
	}
	password, err := p.sign(ctx, region, fixed(signing))
	if err != nil {
		return credential.Credential{}, fmt.Errorf("signing a token for %s: %w", p.host, err)
	}
	made, ok := parse(password)
	if !ok {
		return credential.Credential{}, fmt.Errorf("no token can be made for the host %q", p.host)
	}
	c := credential.Credential{Username: p.user, Password: password, ExpiresAt: made.expires, Note: note}
	if signing.CanExpire {
		c.SignedUntil = signing.Expires
	}
	return c, nil
}

func (p *provider) regionOrSDK(ctx context.Context) (string, error) {
	if region := cmp.Or(p.region, p.regionOf(p.host)); region != "" {
		return region, nil
	}
	config, err := p.load(ctx, "")
	if err == nil && config.Region == "" {
		err = fmt.Errorf("no region is known: set %s or AWS_REGION, as the host's name %s has none",
			p.regionOption, p.host)
	}
	return config.Region, err
}

var rdsNames = regexp.MustCompile(`[.]([a-z0-9-]+)[.]rds[.]amazonaws[.]com(?:[.]cn)?[.]?$|` +
	`[.]rds[.]([a-z0-9-]+)[.]amazonaws[.]com[.]cn[.]?$`)

// rdsRegion is the region in a server's name: NAME.ID.REGION.rds.amazonaws.com, or in China NAME.ID.rds.REGION.amazonaws.com.cn.
func rdsRegion(host string) string {
	if found := rdsNames.FindStringSubmatch(strings.ToLower(host)); found != nil {
		return cmp.Or(found[1], found[2])
	}
	return ""
}

var dsqlNames = regexp.MustCompile(`[.]dsql(?:-[a-z0-9]+)?[.]([a-z0-9-]+)[.]on[.]aws[.]?$`)

// dsqlRegion is the region in a cluster's name: ID.dsql.REGION.on.aws.
func dsqlRegion(host string) string {
	if found := dsqlNames.FindStringSubmatch(strings.ToLower(host)); found != nil {
		return found[1]
	}
	return ""
}

// token is what a token says of itself.
type token struct {
	endpoint, host, user, region string // endpoint is the host and the port; DSQL's has no user
	expires                      time.Time
}

func parse(password string) (token, bool) {
	read, err := url.Parse("https://" + password)
	if err != nil {
		return token{}, false
	}
	query := read.Query()
	signed, err := time.Parse("20060102T150405Z", query.Get("X-Amz-Date"))
	seconds, lives := strconv.Atoi(query.Get("X-Amz-Expires"))
	scope := strings.Split(query.Get("X-Amz-Credential"), "/")
	if err != nil || lives != nil || len(scope) != 5 {
		return token{}, false
	}
	return token{
		endpoint: read.Host, host: read.Hostname(), user: query.Get("DBUser"), region: scope[2],
		expires: signed.Add(time.Duration(seconds) * time.Second),
	}, true
}

// fixed are credentials as the SDK asks for them.
type fixed aws.Credentials

func (f fixed) Retrieve(context.Context) (aws.Credentials, error) { return aws.Credentials(f), nil }

func utc(at time.Time) string { return at.UTC().Format(time.RFC3339) }

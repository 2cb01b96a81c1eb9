package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/httpclient"
)

// identityLimit is how long STS may take to say whose credentials they are: a person waits for the explanation.
const identityLimit = 5 * time.Second

// Explain says what is wrong with a token that was refused, as far as that can be found out: its time, its region, the
// credentials that signed it, this pod's clock; and else whose policy has to allow what.
func (p *provider) Explain(ctx context.Context, refused credential.Credential) string {
	ctx, cancel := context.WithTimeout(ctx, httpclient.Limit)
	defer cancel()
	made, ok := parse(refused.Password)
	if !ok {
		return ""
	}
	if now := time.Now(); !now.Before(made.expires) {
		return fmt.Sprintf("the token has expired: at %s, and this pod's clock says %s", utc(made.expires), utc(now))
	}
	if region := p.regionOf(made.host); region != "" && region != made.region {
		return fmt.Sprintf("the region is wrong: the token is signed for %s, and the server %s is in %s",
			made.region, made.host, region)
	}
	signing, _, err := p.signing(ctx, made.region)
	if err != nil {
		return "the credentials that sign it are not there: " + err.Error()
	}
	if now := time.Now(); signing.CanExpire && !now.Before(signing.Expires) {
		return fmt.Sprintf("the credentials that sign it have expired: at %s, and this pod's clock says %s",
			utc(signing.Expires), utc(now))
	}
	identity, trouble := p.identity(ctx, made.region, signing)
	if trouble != "" {
		return trouble
	}
	return fmt.Sprintf("the token is signed for the user %s of %s in %s until %s: "+p.advice,
		cmp.Or(made.user, p.user), made.endpoint, made.region, utc(made.expires), identity)
}

// identity says whose policy it is that counts, or what STS has against the credentials.
func (p *provider) identity(ctx context.Context, region string, signing aws.Credentials) (policy, trouble string) {
	ctx, cancel := context.WithTimeout(ctx, identityLimit)
	defer cancel()
	policy = "the policy of the access key " + signing.AccessKeyID
	loaded, err := p.load(ctx, region)
	if err != nil {
		loaded = aws.Config{HTTPClient: p.client}
	}
	client := sts.NewFromConfig(loaded, func(o *sts.Options) {
		o.Region, o.Credentials, o.RetryMaxAttempts = region, fixed(signing), 1
	})
	caller, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err == nil {
		return "the policy of " + aws.ToString(caller.Arn), ""
	}
	said, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return policy, ""
	}
	code, message := said.ErrorCode(), strings.Join(strings.Fields(said.ErrorMessage()), " ")
	switch {
	case strings.Contains(message, "Signature expired"), strings.Contains(message, "Signature not yet current"),
		code == "RequestTimeTooSkewed", code == "RequestExpired":
		return "", "this pod's clock is wrong" + skew(message) + ": AWS says: " + message
	}
	for _, invalid := range []string{
		"ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClient", "IncompleteSignature",
		"InvalidAccessKeyId",
	} {
		if strings.HasPrefix(code, invalid) {
			return "", "the credentials that sign it are not valid: AWS says: " + message
		}
	}
	return policy, ""
}

// "20260102T030405Z is now earlier than 20260102T032000Z (20260102T033500Z - 15 min.)", or "still later than"
var clocks = regexp.MustCompile(`(\d{8}T\d{6}Z) is .*\((\d{8}T\d{6}Z) [-+]`)

// skew says by how much this pod's clock is wrong, where AWS says the time of the request and its own.
func skew(message string) string {
	times := clocks.FindStringSubmatch(message)
	if times == nil {
		return ""
	}
	const layout = "20060102T150405Z"
	here, err := time.Parse(layout, times[1])
	there, err2 := time.Parse(layout, times[2])
	if err != nil || err2 != nil {
		return ""
	}
	if by := there.Sub(here); by > 0 {
		return fmt.Sprintf(" by %d s, behind", int(by.Seconds()))
	}
	return fmt.Sprintf(" by %d s, ahead", int(here.Sub(there).Seconds()))
}

package tokenserver

import (
	"context"
	"crypto/hmac"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// What becomes of a login.
const (
	Accepted                  = "accepted"
	NoEncryption              = "no-encryption"
	Malformed                 = "malformed" // no token
	UnknownKey                = "unknown-key"
	BadSignature              = "bad-signature"
	WrongHost                 = "wrong-host" // or port
	WrongUser                 = "wrong-user"
	WrongRegion               = "wrong-region"
	NotYetValid               = "not-yet-valid"
	Expired                   = "expired"
	SigningCredentialsExpired = "signing-credentials-expired"
	ToldToRefuse              = "told-to-refuse"
	ToldToFail                = "told-to-fail" // with what it was told to say
)

const (
	// emptyPayload is the SHA-256 of nothing, which is signed as the request's content.
	emptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	amzDate      = "20060102T150405Z"
	// clockTolerance is how far AWS lets a clock differ.
	clockTolerance = 5 * time.Minute
)

// token is what can be read of one, whether it is right or not.
type token struct {
	host, user, key, date, region, signature string
	signed                                   url.Values // the query, less what a signer adds
	session                                  string
	issued                                   time.Time
	lifetime                                 time.Duration
}

// parse reads a token: the URL of a signed request, less its scheme. The SDK for Go leaves the / of the path out.
func parse(password string) (t token, ok bool) {
	read, err := url.Parse("https://" + password)
	if err != nil || (read.Path != "" && read.Path != "/") || read.User != nil || read.Fragment != "" {
		return t, false
	}
	query, err := url.ParseQuery(read.RawQuery)
	if err != nil {
		return t, false
	}
	for _, values := range query {
		if len(values) != 1 {
			return t, false
		}
	}
	taken := func(key string) string {
		value := query.Get(key)
		query.Del(key)
		return value
	}
	scope := strings.Split(taken("X-Amz-Credential"), "/")
	seconds, err := strconv.Atoi(query.Get("X-Amz-Expires"))
	if err != nil || seconds < 1 || len(scope) != 5 || scope[3] != "rds-db" || scope[4] != "aws4_request" {
		return t, false
	}
	if query.Get("Action") != "connect" || taken("X-Amz-Algorithm") != "AWS4-HMAC-SHA256" || taken("X-Amz-SignedHeaders") != "host" {
		return t, false
	}
	t = token{
		host: read.Host, user: query.Get("DBUser"), key: scope[0], date: scope[1], region: scope[2], signature: taken("X-Amz-Signature"),
		session: taken("X-Amz-Security-Token"), lifetime: time.Duration(seconds) * time.Second,
	}
	t.issued, err = time.Parse(amzDate, taken("X-Amz-Date"))
	t.signed = query
	return t, err == nil
}

// check tells what becomes of a login of a user with a password, in Login's fields that are about the token.
func (s *Server) check(login *Login, user, password string) string {
	told, now := s.now()
	t, ok := parse(password)
	if !ok {
		return Malformed
	}
	login.Key, login.Issued = t.key, t.issued
	credentials, _, err := s.known(t.key, t.session)
	if err != nil {
		return UnknownKey
	}
	login.Expires = t.issued.Add(min(t.lifetime, told.tokenLifetime))
	bySigner := credentials.CanExpire && credentials.Expires.Before(login.Expires)
	if bySigner {
		login.Expires = credentials.Expires
	}
	request := &http.Request{
		Method: http.MethodGet, Header: http.Header{}, Host: t.host,
		URL: &url.URL{Scheme: "https", Host: t.host, Path: "/", RawQuery: t.signed.Encode()},
	}
	anew, _, err := s.signer.PresignHTTP(context.Background(), credentials, request, emptyPayload, "rds-db", t.region, t.issued)
	if err != nil {
		return Malformed
	}
	signed, err := url.Parse(anew)
	if err != nil || !hmac.Equal([]byte(signed.Query().Get("X-Amz-Signature")), []byte(t.signature)) || t.date != t.issued.Format("20060102") {
		return BadSignature
	}
	switch {
	case t.host != s.config.Endpoint:
		return WrongHost
	case t.user != user:
		return WrongUser
	case t.region != told.region:
		return WrongRegion
	case t.issued.After(now.Add(clockTolerance)):
		return NotYetValid
	case !now.Before(login.Expires) && bySigner:
		return SigningCredentialsExpired
	case !now.Before(login.Expires):
		return Expired
	case time.Now().Before(told.loginsRefused):
		return ToldToRefuse
	}
	return Accepted
}

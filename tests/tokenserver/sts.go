package tokenserver

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/outrigger-charts/outrigger/tests/tenants"
)

// account is whose keys, roles and users there are.
const account = "123456789012"

// stsError is an answer of STS that is no success.
type stsError struct {
	status        int
	code, message string
}

func (e *stsError) Error() string { return e.code + ": " + e.message }

func refusal(code, format string, values ...any) error {
	return &stsError{http.StatusForbidden, code, fmt.Sprintf(format, values...)}
}

func invalid(code, format string, values ...any) error {
	return &stsError{http.StatusBadRequest, code, fmt.Sprintf(format, values...)}
}

// sts answers calls of STS: forms, in the order of AWS's Query protocol.
func (s *Server) sts() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			fmt.Fprintln(w, tenants.Healthy)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			return
		}
		form, _ := url.ParseQuery(string(body))
		action := form.Get("Action")
		result, err := s.call(action, form, r, body)
		code, said, answered := http.StatusOK, result, "OK"
		if failed, ok := err.(*stsError); ok {
			code, answered = failed.status, failed.code
			kind := "Sender"
			if code >= http.StatusInternalServerError {
				kind = "Receiver"
			}
			said = errorResponse{Type: kind, Code: failed.code, Message: failed.message, RequestID: rand.Text()}
		}
		s.store.called(action, answered)
		text, _ := xml.Marshal(said) // of such fields it cannot fail
		w.Header().Set("Content-Type", "text/xml")
		w.Header().Set("Date", s.date())
		w.WriteHeader(code)
		_, _ = w.Write(text)
	})
}

// date is the server's clock, which clients may set theirs by.
func (s *Server) date() string {
	_, now := s.now()
	return now.UTC().Format(http.TimeFormat)
}

func (s *Server) call(action string, form url.Values, r *http.Request, body []byte) (any, error) {
	if told, _ := s.now(); time.Now().Before(told.stsFails) {
		return nil, &stsError{http.StatusServiceUnavailable, "ServiceUnavailable", "told to fail"}
	}
	switch action {
	case "AssumeRoleWithWebIdentity":
		return s.assume(form)
	case "GetCallerIdentity":
		return s.identify(r, body)
	}
	return nil, invalid("InvalidAction", "Could not find operation %s for version 2011-06-15", action)
}

type errorResponse struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

type assumeResponse struct {
	XMLName xml.Name     `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleWithWebIdentityResponse"`
	Result  assumeResult `xml:"AssumeRoleWithWebIdentityResult"`
	ID      string       `xml:"ResponseMetadata>RequestId"`
}

type assumeResult struct {
	Subject         string `xml:"SubjectFromWebIdentityToken"`
	Audience        string `xml:"Audience"`
	AssumedRoleID   string `xml:"AssumedRoleUser>AssumedRoleId"`
	ARN             string `xml:"AssumedRoleUser>Arn"`
	AccessKeyID     string `xml:"Credentials>AccessKeyId"`
	SecretAccessKey string `xml:"Credentials>SecretAccessKey"`
	SessionToken    string `xml:"Credentials>SessionToken"`
	Expiration      string `xml:"Credentials>Expiration"`
}

// assume issues credentials. Whose web identity it is does not matter, as long as it is one.
func (s *Server) assume(form url.Values) (any, error) {
	role, name := form.Get("RoleArn"), form.Get("RoleSessionName")
	_, path, ok := strings.Cut(role, ":role/")
	if !ok || !strings.HasPrefix(role, "arn:aws:iam::") || name == "" {
		return nil, invalid("ValidationError", "RoleArn %q, RoleSessionName %q: expected arn:aws:iam::%s:role/NAME, and a name", role, name, account)
	}
	if strings.Count(form.Get("WebIdentityToken"), ".") != 2 {
		return nil, invalid("InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	if text := form.Get("DurationSeconds"); text != "" {
		if seconds, err := strconv.Atoi(text); err != nil || seconds < 900 {
			return nil, invalid("ValidationError", "1 validation error detected: Value '%s' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900", text)
		}
	}
	arn := "arn:aws:sts::" + account + ":assumed-role/" + path[strings.LastIndex(path, "/")+1:] + "/" + name
	issued := s.issue(arn)
	return assumeResponse{ID: rand.Text(), Result: assumeResult{
		Subject: "system:serviceaccount", Audience: "sts.amazonaws.com",
		AssumedRoleID: "AROATESTTESTTESTTESTT:" + name, ARN: arn,
		AccessKeyID: issued.AccessKeyID, SecretAccessKey: issued.SecretAccessKey, SessionToken: issued.SessionToken,
		Expiration: issued.Expires.Format(time.RFC3339),
	}}, nil
}

type identityResponse struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	ARN     string   `xml:"GetCallerIdentityResult>Arn"`
	UserID  string   `xml:"GetCallerIdentityResult>UserId"`
	Account string   `xml:"GetCallerIdentityResult>Account"`
	ID      string   `xml:"ResponseMetadata>RequestId"`
}

// identify tells who calls.
func (s *Server) identify(r *http.Request, body []byte) (any, error) {
	arn, err := s.verify(r, body)
	if err != nil {
		return nil, err
	}
	return identityResponse{ARN: arn, UserID: "AIDATESTTESTTESTTESTT", Account: account, ID: rand.Text()}, nil
}

// verify checks the signature of a request, which stands in its headers, and its date. It returns who signed it.
func (s *Server) verify(r *http.Request, body []byte) (arn string, err error) {
	authorization, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return "", refusal("MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	said := map[string]string{}
	for part := range strings.SplitSeq(authorization, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		said[name] = value
	}
	scope := strings.Split(said["Credential"], "/")
	dated, err := time.Parse(amzDate, r.Header.Get("X-Amz-Date"))
	if err != nil || len(scope) != 5 {
		return "", invalid("IncompleteSignature", "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	credentials, arn, err := s.known(scope[0], r.Header.Get("X-Amz-Security-Token"))
	if err != nil {
		return "", refusal("InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	_, now := s.now()
	now = now.UTC()
	if earliest := now.Add(-clockTolerance); dated.Before(earliest) {
		return "", refusal("SignatureDoesNotMatch", "Signature expired: %s is now earlier than %s (%s - 5 min.)", dated.Format(amzDate), earliest.Format(amzDate), now.Format(amzDate))
	}
	if latest := now.Add(clockTolerance); dated.After(latest) {
		return "", refusal("SignatureDoesNotMatch", "Signature not yet current: %s is still later than %s (%s + 5 min.)", dated.Format(amzDate), latest.Format(amzDate), now.Format(amzDate))
	}
	anew := &http.Request{
		Method: r.Method, Host: r.Host, Header: http.Header{},
		URL: &url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawQuery: r.URL.RawQuery},
	}
	headers := strings.Split(said["SignedHeaders"], ";")
	if slices.Contains(headers, "content-length") {
		anew.ContentLength = r.ContentLength
	}
	for _, name := range headers {
		if values := r.Header.Values(name); len(values) > 0 {
			anew.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
		}
	}
	digest := sha256.Sum256(body)
	if err := s.signer.SignHTTP(context.Background(), credentials, anew, hex.EncodeToString(digest[:]), "sts", scope[2], dated); err != nil {
		return "", invalid("IncompleteSignature", "%s", err)
	}
	_, signature, _ := strings.Cut(anew.Header.Get("Authorization"), "Signature=")
	if !hmac.Equal([]byte(signature), []byte(said["Signature"])) {
		return "", refusal("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	if credentials.CanExpire && !now.Before(credentials.Expires) {
		return "", refusal("ExpiredToken", "The security token included in the request is expired")
	}
	return arn, nil
}

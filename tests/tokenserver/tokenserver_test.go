package tokenserver

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/feature/rds/auth"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/backend"
)

// limit bounds what takes no time where it works.
const limit = 20 * time.Second

const (
	host     = "shop.abc123xyz.eu-west-1.rds.amazonaws.com"
	endpoint = host + ":5432"
	region   = "eu-west-1"
	password = `it's "the" pass\word`
	role     = "arn:aws:iam::" + account + ":role/teams/shop"
	identity = "header.payload.signature"
)

var longLived = aws.Credentials{AccessKeyID: "AKIATESTTESTTESTTEST", SecretAccessKey: "the+secret/of=the+key/that=does+not/end="}

// running is a token server of a test's, with a real server behind it, and clients of it.
type running struct {
	*Server
	t        *testing.T
	ca       *x509.CertPool
	caFile   string
	upstream *upstream
	sts      *sts.Client // of nobody
}

func start(t *testing.T, change ...func(*Config)) *running {
	t.Helper()
	made, err := backend.NewCertificate(host, "127.0.0.1", "localhost")
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(made.Certificate, made.Key)
	require.NoError(t, err)
	real := newUpstream(t, password)
	const free = "127.0.0.1:0"
	c := Config{
		Addresses: Addresses{free, free, free, free}, Endpoint: endpoint, Certificate: pair,
		Upstream: Upstream{real.address, password}, Key: longLived,
	}
	for _, change := range change {
		change(&c)
	}
	s, err := New(c)
	require.NoError(t, err)
	require.NoError(t, s.Start())
	t.Cleanup(s.Close)
	r := &running{Server: s, t: t, ca: x509.NewCertPool(), caFile: filepath.Join(t.TempDir(), "ca.crt"), upstream: real}
	require.True(t, r.ca.AppendCertsFromPEM(made.CA))
	require.NoError(t, os.WriteFile(r.caFile, made.CA, 0o644))
	r.sts = r.as(aws.AnonymousCredentials{})
	return r
}

func (r *running) as(credentials aws.CredentialsProvider, change ...func(*sts.Options)) *sts.Client {
	return sts.New(sts.Options{
		Region: region, BaseEndpoint: aws.String("http://" + r.Addresses().STS), Credentials: credentials, RetryMaxAttempts: 1,
	}, change...)
}

type fixed aws.Credentials

func (f fixed) Retrieve(context.Context) (aws.Credentials, error) { return aws.Credentials(f), nil }

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

func (r *running) behave(query string) {
	r.t.Helper()
	require.NoError(r.t, r.Behave(query))
}

// token is what the SDK makes.
func (r *running) token(credentials aws.Credentials, endpoint, region, user string) string {
	r.t.Helper()
	token, err := auth.BuildAuthToken(bounded(r.t), endpoint, region, user, fixed(credentials))
	require.NoError(r.t, err)
	return token
}

func (r *running) right() string {
	r.t.Helper()
	return r.token(longLived, endpoint, region, "shop")
}

// dated is a token as the SDK makes it at another time.
func (r *running) dated(at time.Time, lifetime string) string {
	r.t.Helper()
	request, err := http.NewRequest(http.MethodGet, "https://"+endpoint+"/?Action=connect&DBUser=shop&X-Amz-Expires="+lifetime, nil)
	require.NoError(r.t, err)
	signed, _, err := v4.NewSigner().PresignHTTP(bounded(r.t), longLived, request, emptyPayload, "rds-db", region, at)
	require.NoError(r.t, err)
	return strings.TrimPrefix(signed, "https://")
}

func (r *running) assumed() aws.Credentials {
	r.t.Helper()
	answer, err := r.sts.AssumeRoleWithWebIdentity(bounded(r.t), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String(role), RoleSessionName: aws.String("pod"), WebIdentityToken: aws.String(identity),
	})
	require.NoError(r.t, err)
	c := answer.Credentials
	return aws.Credentials{
		AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken, CanExpire: true, Expires: *c.Expiration,
	}
}

// login connects as shop. The session ends with the test.
func (r *running) login(token string, change ...func(*pgconn.Config)) (*pgconn.PgConn, error) {
	r.t.Helper()
	config, err := pgconn.ParseConfig("sslmode=verify-full user=shop dbname=orders host=" + host + " sslrootcert=" + r.caFile)
	require.NoError(r.t, err)
	config.LookupFunc = func(context.Context, string) ([]string, error) { return []string{r.Addresses().Postgres}, nil }
	config.Password = token
	for _, change := range change {
		change(config)
	}
	conn, err := pgconn.ConnectConfig(bounded(r.t), config)
	if err == nil {
		r.t.Cleanup(func() { conn.Close(bounded(r.t)) })
	}
	return conn, err
}

func (r *running) requireLogin(token string, change ...func(*pgconn.Config)) *pgconn.PgConn {
	r.t.Helper()
	conn, err := r.login(token, change...)
	require.NoError(r.t, err)
	return conn
}

// requireRefused logs in with a token, which must be refused as RDS does. It returns the reason of the report.
func (r *running) requireRefused(token string, change ...func(*pgconn.Config)) (reason string) {
	r.t.Helper()
	_, err := r.login(token, change...)
	var said *pgconn.PgError
	require.ErrorAs(r.t, err, &said)
	assert.Equal(r.t, "FATAL", said.Severity)
	assert.Equal(r.t, "28000", said.Code)
	assert.Regexp(r.t, `^PAM authentication failed for user "\w+"$`, said.Message)
	return r.last().Outcome
}

func (r *running) last() Login {
	r.t.Helper()
	logins := r.Logins(0)
	require.NotEmpty(r.t, logins)
	return logins[len(logins)-1]
}

func query(t *testing.T, conn *pgconn.PgConn, sql string) string {
	t.Helper()
	results, err := conn.Exec(bounded(t), sql).ReadAll()
	require.NoError(t, err)
	return string(results[0].Rows[0][0])
}

func user(name string) func(*pgconn.Config) { return func(c *pgconn.Config) { c.User = name } }

func TestATokenThatTheSDKMakesOpensASessionOfTheRealServer(t *testing.T) {
	r := start(t)
	token := r.right()
	begin := time.Now()
	conn := r.requireLogin(token, func(c *pgconn.Config) {
		c.RuntimeParams["application_name"] = "a test"
		c.RuntimeParams["search_path"] = "tables"
	})
	assert.Equal(t, "shop", query(t, conn, "user"))
	assert.Equal(t, "orders", query(t, conn, "database"))
	assert.Equal(t, "tables", query(t, conn, "search_path"))
	assert.Equal(t, "15.0 (of a test)", conn.ParameterStatus("server_version"))

	login := r.last()
	assert.Equal(t, Accepted, login.Outcome)
	assert.Equal(t, []any{"shop", "orders", "a test", longLived.AccessKeyID}, []any{login.User, login.Database, login.Application, login.Key})
	digest := sha256.Sum256([]byte(token))
	assert.Equal(t, hex.EncodeToString(digest[:]), login.Token)
	assert.WithinDuration(t, begin, login.Time, limit)
	assert.WithinDuration(t, begin, login.Issued, limit)
	assert.Equal(t, 15*time.Minute, login.Expires.Sub(login.Issued))
}

func TestATokenOfTemporaryCredentialsIsAcceptedUntilTheyExpire(t *testing.T) {
	r := start(t)
	r.behave("credentialsLifetime=60s")
	signer := r.assumed()
	assert.WithinDuration(t, time.Now().Add(time.Minute), signer.Expires, 5*time.Second)
	token := r.token(signer, endpoint, region, "shop")
	r.requireLogin(token)
	assert.Equal(t, signer.Expires.UTC(), r.last().Expires.UTC())
	r.behave("clockOffset=61s")
	assert.Equal(t, SigningCredentialsExpired, r.requireRefused(token))
	r.behave("clockOffset=")
	r.requireLogin(token)
}

func TestCredentialsStayValidWhenAServerOfTheSameKeyStartsAgain(t *testing.T) {
	token := func() string {
		r := start(t)
		return r.token(r.assumed(), endpoint, region, "shop")
	}()
	start(t).requireLogin(token)
	other := start(t, func(c *Config) { c.Key.SecretAccessKey = "another" })
	assert.Equal(t, UnknownKey, other.requireRefused(token))
}

func TestEachWrongTokenIsRefusedWithItsReason(t *testing.T) {
	r := start(t)
	temporary := r.assumed()
	otherSecret, withoutSession, otherKey, withSession := longLived, temporary, longLived, longLived
	otherSecret.SecretAccessKey = "another"
	otherKey.AccessKeyID = "AKIAOTHEROTHEROTHERO"
	withoutSession.SessionToken = ""
	withSession.SessionToken = temporary.SessionToken
	right := r.right()
	swap := func(of, with string) string {
		require.Contains(t, right, of)
		return strings.Replace(right, of, with, 1)
	}
	for name, test := range map[string]struct{ token, reason string }{
		"a password":                             {"secret", Malformed},
		"nothing":                                {"", Malformed},
		"a URL with its scheme":                  {"https://" + right, Malformed},
		"a part of a token":                      {right[:len(right)/2], Malformed},
		"another action":                         {swap("Action=connect", "Action=select"), Malformed},
		"a parameter twice":                      {right + "&DBUser=shop", Malformed},
		"another path":                           {swap(":5432", ":5432/x"), Malformed},
		"another key":                            {r.token(otherKey, endpoint, region, "shop"), UnknownKey},
		"temporary credentials without session":  {r.token(withoutSession, endpoint, region, "shop"), UnknownKey},
		"a session of another key":               {r.token(withSession, endpoint, region, "shop"), UnknownKey},
		"another secret":                         {r.token(otherSecret, endpoint, region, "shop"), BadSignature},
		"a changed user":                         {swap("DBUser=shop", "DBUser=root"), BadSignature},
		"a changed host":                         {swap("shop.abc", "shop.xyz"), BadSignature},
		"a longer life":                          {swap("X-Amz-Expires=900", "X-Amz-Expires=901"), BadSignature},
		"a changed date":                         {swap("%2F"+time.Now().UTC().Format("20060102"), "%2F20200101"), BadSignature},
		"a changed region":                       {swap("eu-west-1%2F", "us-east-1%2F"), BadSignature},
		"something added":                        {right + "&more=1", BadSignature},
		"right, as aws-cli spells it":            {swap(":5432?", ":5432/?"), ""},
		"the address of an instance, not its":    {r.token(longLived, "127.0.0.1:5432", region, "shop"), WrongHost},
		"another port":                           {r.token(longLived, host+":5433", region, "shop"), WrongHost},
		"another user":                           {r.token(longLived, endpoint, region, "root"), WrongUser},
		"another region":                         {r.token(longLived, endpoint, "us-east-1", "shop"), WrongRegion},
		"older than 15 minutes":                  {r.dated(time.Now().Add(-15*time.Minute-time.Second), "900"), Expired},
		"older than 15 minutes, made for longer": {r.dated(time.Now().Add(-15*time.Minute-time.Second), "3600"), Expired},
		"older than it was made for":             {r.dated(time.Now().Add(-31*time.Second), "30"), Expired},
		"of a clock 6 minutes ahead":             {r.dated(time.Now().Add(6*time.Minute), "900"), NotYetValid},
		"right, 14 minutes old":                  {r.dated(time.Now().Add(-14*time.Minute), "900"), ""},
		"right, of a clock 4 minutes ahead":      {r.dated(time.Now().Add(4*time.Minute), "900"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if test.reason == "" {
				r.requireLogin(test.token)
				return
			}
			before := r.Report()
			assert.Equal(t, test.reason, r.requireRefused(test.token))
			after := r.Report()
			assert.Equal(t, before.Refused[test.reason]+1, after.Refused[test.reason])
			assert.Equal(t, before.Accepted, after.Accepted)
		})
	}
}

func TestATokenIsForTheUserThatLogsIn(t *testing.T) {
	r := start(t)
	assert.Equal(t, WrongUser, r.requireRefused(r.right(), user("other")))
	token := r.token(longLived, endpoint, region, "other")
	assert.Equal(t, "other", query(t, r.requireLogin(token, user("other")), "user"))
}

func TestWhoeverDoesNotEncryptIsRefused(t *testing.T) {
	r := start(t)
	_, err := r.login(r.right(), func(c *pgconn.Config) { c.TLSConfig = nil })
	var said *pgconn.PgError
	require.ErrorAs(t, err, &said)
	assert.Equal(t, "28000", said.Code)
	assert.Equal(t, `no pg_hba.conf entry for host "127.0.0.1", user "shop", database "orders", no encryption`, said.Message)
	assert.Equal(t, NoEncryption, r.last().Outcome)
	assert.Empty(t, r.last().Token)
}

func TestTheServerBehavesAsItIsTold(t *testing.T) {
	r := start(t)
	old := r.dated(time.Now().Add(-10*time.Second), "900")
	r.requireLogin(old)
	r.behave("tokenLifetime=5s")
	assert.Equal(t, Expired, r.requireRefused(old))
	r.behave("tokenLifetime=20s")
	r.requireLogin(old)
	r.behave("clockOffset=20s")
	assert.Equal(t, Expired, r.requireRefused(old))
	r.behave("tokenLifetime=&clockOffset=-10m")
	assert.Equal(t, NotYetValid, r.requireRefused(old))
	r.behave("clockOffset=0s&region=us-east-1")
	assert.Equal(t, WrongRegion, r.requireRefused(old))
	r.requireLogin(r.token(longLived, endpoint, "us-east-1", "shop"))
	r.behave("region=&loginsRefused=always")
	assert.Equal(t, ToldToRefuse, r.requireRefused(old))
	r.behave("loginsRefused=never")
	r.requireLogin(old)
	r.behave("loginsRefused=5s")
	assert.Equal(t, ToldToRefuse, r.requireRefused(old))
	require.Eventually(t, func() bool {
		_, err := r.login(old)
		return err == nil
	}, limit, 50*time.Millisecond)
}

func TestARightTokenIsAnsweredWithWhatTheServerIsToldToSay(t *testing.T) {
	r := start(t)
	r.behave(url.Values{"loginsFail": {"53300:zu viele Verbindungen für Rolle »shop«"}}.Encode())

	_, err := r.login(r.right())

	var said *pgconn.PgError
	require.ErrorAs(t, err, &said)
	assert.Equal(t, []string{"53300", "zu viele Verbindungen für Rolle »shop«"}, []string{said.Code, said.Message})
	assert.Equal(t, ToldToFail, r.last().Outcome)
	assert.Equal(t, Malformed, r.requireRefused("wrong"), "a wrong one is refused all the same")
	r.behave("loginsFail=")
	r.requireLogin(r.right())
}

func TestAServerCanBehaveFromItsStart(t *testing.T) {
	r := start(t, func(c *Config) { c.Behaviour = "region=us-east-1" })
	r.behave("region=eu-west-1")
	r.requireLogin(r.right())
	r.behave("region=")
	assert.Equal(t, WrongRegion, r.requireRefused(r.right()))
	_, err := New(Config{Key: longLived, Behaviour: "colour=red"})
	assert.ErrorContains(t, err, "colour")
}

func TestWhatCannotBeToldChangesNothing(t *testing.T) {
	r := start(t)
	for _, query := range []string{
		"tokenLifetime=16m", "tokenLifetime=0s", "tokenLifetime=20", "credentialsLifetime=13h", "clockOffset=x", "sessionTokenLength=20",
		"loginsRefused=yes", "loginsFail=full", "loginsFail=5330:voll", "stsFails=soon", "mode=ok", "%",
	} {
		assert.Error(t, r.Behave("region=us-east-1&"+query), query)
	}
	r.requireLogin(r.right())
}

func TestASessionOutlivesItsToken(t *testing.T) {
	r := start(t)
	token := r.right()
	conn := r.requireLogin(token)
	r.behave("clockOffset=16m")
	assert.Equal(t, Expired, r.requireRefused(token))
	assert.Equal(t, "shop", query(t, conn, "user"))
}

func TestTheRealServersRefusalIsPassedOn(t *testing.T) {
	r := start(t)
	_, err := r.login(r.right(), func(c *pgconn.Config) { c.Database = "missing" })
	var said *pgconn.PgError
	require.ErrorAs(t, err, &said)
	assert.Equal(t, "3D000", said.Code)
	assert.Equal(t, `database "missing" does not exist`, said.Message)
	assert.Equal(t, Accepted, r.last().Outcome, "the token was right")

	r.upstream.close()
	_, err = r.login(r.right())
	require.ErrorAs(t, err, &said)
	assert.Equal(t, "57P03", said.Code)
}

func TestASlowMachineLosesNothingThatTheRealServerSays(t *testing.T) {
	r := start(t)
	r.dial = dialSlowly

	conn := r.requireLogin(r.right())

	assert.Equal(t, "shop", query(t, conn, "user"))
}

func TestARequestToCancelReachesTheRealServer(t *testing.T) {
	r := start(t)
	conn := r.requireLogin(r.right())
	require.NoError(t, conn.CancelRequest(bounded(t)))
	assert.Equal(t, []uint32{conn.PID()}, r.upstream.cancelled())
}

func TestAClientOfALaterProtocolIsOfferedThatOfTheRealServer(t *testing.T) {
	r := start(t)
	plain, err := net.Dial("tcp", r.Addresses().Postgres)
	require.NoError(t, err)
	defer plain.Close()
	require.NoError(t, plain.SetDeadline(time.Now().Add(limit)))
	request, err := new(pgproto3.SSLRequest).Encode(nil)
	require.NoError(t, err)
	_, err = plain.Write(request)
	require.NoError(t, err)
	_, err = io.ReadFull(plain, make([]byte, 1))
	require.NoError(t, err)
	encrypted := tls.Client(plain, &tls.Config{RootCAs: r.ca, ServerName: host})
	client := pgproto3.NewFrontend(encrypted, encrypted)
	client.Send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion32, Parameters: map[string]string{"user": "shop", "_pq_.colour": "red"}})
	require.NoError(t, client.Flush())
	message, err := client.Receive()
	require.NoError(t, err)
	assert.Equal(t, &pgproto3.NegotiateProtocolVersion{UnrecognizedOptions: []string{"_pq_.colour"}}, message)
}

func TestSessionsAreReportedWhileTheyAreOpen(t *testing.T) {
	r := start(t)
	first, second := r.right(), r.token(r.assumed(), endpoint, region, "shop")
	conn := r.requireLogin(first)
	r.requireLogin(second)
	r.requireLogin(second)
	report := r.Report()
	assert.Equal(t, 3, report.Accepted)
	assert.Equal(t, 2, report.Tokens)
	require.Len(t, report.Sessions, 3)
	logins := r.Logins(0)
	assert.Equal(t, []any{logins[0].Number, logins[0].Token}, []any{report.Sessions[0].Login, report.Sessions[0].Token})
	conn.Close(bounded(t))
	r.requireSessions(2)
	r.Disconnect()
	r.requireSessions(0)
	assert.Equal(t, 3, r.Report().Accepted)
}

func (r *running) requireSessions(count int) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return len(r.Report().Sessions) == count }, limit, 10*time.Millisecond)
}

func TestWhatIsForgottenIsNumberedOn(t *testing.T) {
	r := start(t)
	r.requireLogin(r.right())
	r.requireRefused("wrong")
	require.Len(t, r.Logins(0), 2)
	assert.Equal(t, Malformed, r.Logins(1)[0].Outcome)
	r.Forget()
	assert.Empty(t, r.Logins(0))
	report := r.Report()
	assert.Zero(t, []int{report.Accepted, len(report.Refused), report.Tokens, len(report.STS)}[0])
	assert.Len(t, report.Sessions, 1)
	r.requireLogin(r.right())
	assert.Equal(t, 3, r.last().Number)
}

func TestAWaitEndsWithTheLoginThatItIsFor(t *testing.T) {
	r := start(t)
	ended := make(chan bool, 1)
	var all sync.WaitGroup
	all.Go(func() {
		report, reached := r.Wait(bounded(t), 2, 1, 2)
		ended <- reached && report.Accepted == 2 && report.Tokens == 2
	})
	defer all.Wait()
	r.requireLogin(r.right())
	r.requireLogin(r.token(r.assumed(), endpoint, region, "shop"))
	select {
	case <-ended:
		t.Fatal("ended before the refused login")
	default:
	}
	r.requireRefused("wrong")
	assert.True(t, <-ended)

	soon, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, reached := r.Wait(soon, 3, 0, 0)
	assert.False(t, reached)
}

func TestTheControlPortAnswers(t *testing.T) {
	r := start(t)
	told := func(method, path string, answer any) int {
		t.Helper()
		request, err := http.NewRequestWithContext(bounded(t), method, "http://"+r.Addresses().Control+path, nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		if answer != nil {
			require.NoError(t, json.NewDecoder(response.Body).Decode(answer))
		}
		return response.StatusCode
	}
	assert.Equal(t, 200, told("GET", "/healthz", nil))
	r.requireLogin(r.right())
	assert.Equal(t, 200, told("POST", "/behave?loginsRefused=always", nil))
	r.requireRefused(r.right())
	assert.Equal(t, 400, told("POST", "/behave?colour=red", nil))
	var report Report
	assert.Equal(t, 200, told("GET", "/report", &report))
	assert.Equal(t, []any{1, 1, 1}, []any{report.Accepted, report.Refused[ToldToRefuse], len(report.Sessions)})
	var logins []Login
	assert.Equal(t, 200, told("GET", "/logins?after=1", &logins))
	require.Len(t, logins, 1)
	assert.Equal(t, ToldToRefuse, logins[0].Outcome)
	assert.Equal(t, 400, told("GET", "/logins?after=x", nil))
	assert.Equal(t, 200, told("GET", "/wait?accepted=1&refused=1&tokens=1&limit=10s", &report))
	assert.Equal(t, 504, told("GET", "/wait?tokens=2&limit=1ms", &report))
	assert.Equal(t, 400, told("GET", "/wait?tokens=2", nil))
	assert.Equal(t, 400, told("GET", "/wait?token=2&limit=1ms", nil))
	assert.Equal(t, 200, told("POST", "/disconnect", nil))
	r.requireSessions(0)
	assert.Equal(t, 200, told("POST", "/forget", nil))
	assert.Zero(t, r.Report().Accepted)
}

func code(t *testing.T, err error) (string, string) {
	t.Helper()
	var said smithy.APIError
	require.ErrorAs(t, err, &said)
	return said.ErrorCode(), said.ErrorMessage()
}

func TestSTSTellsWhoCalls(t *testing.T) {
	r := start(t)
	answer, err := r.as(fixed(longLived)).GetCallerIdentity(bounded(t), nil)
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:iam::123456789012:user/shop", *answer.Arn)
	answer, err = r.as(fixed(r.assumed())).GetCallerIdentity(bounded(t), nil)
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:sts::123456789012:assumed-role/shop/pod", *answer.Arn)
	assert.Equal(t, account, *answer.Account)
	assert.Equal(t, map[string]int{"GetCallerIdentity OK": 2, "AssumeRoleWithWebIdentity OK": 1}, r.Report().STS)
}

func TestSTSAnswersOverHTTPSToo(t *testing.T) {
	r := start(t)
	client := r.as(fixed(longLived), func(o *sts.Options) {
		o.BaseEndpoint = aws.String("https://" + r.Addresses().STSTLS)
		o.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: r.ca}}}
	})
	_, err := client.GetCallerIdentity(bounded(t), nil)
	assert.NoError(t, err)
}

// refused asks STS who calls, which must fail, and returns the error's code and message.
func (r *running) refused(credentials aws.Credentials) (string, string) {
	r.t.Helper()
	_, err := r.as(fixed(credentials)).GetCallerIdentity(bounded(r.t), nil)
	require.Error(r.t, err)
	return code(r.t, err)
}

func TestSTSRefusesAsAWSDoes(t *testing.T) {
	r := start(t)
	unknown, wrong := longLived, longLived
	unknown.AccessKeyID = "AKIAOTHEROTHEROTHERO"
	wrong.SecretAccessKey = "another"
	said, _ := r.refused(unknown)
	assert.Equal(t, "InvalidClientTokenId", said)
	said, _ = r.refused(wrong)
	assert.Equal(t, "SignatureDoesNotMatch", said)
	r.behave("clockOffset=298s")
	_, err := r.as(fixed(longLived)).GetCallerIdentity(bounded(t), nil)
	assert.NoError(t, err)
	r.behave("clockOffset=6m")
	said, message := r.refused(longLived)
	assert.Equal(t, "SignatureDoesNotMatch", said)
	assert.Regexp(t, `^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$`, message)
	r.behave("clockOffset=-6m")
	said, message = r.refused(longLived)
	assert.Equal(t, "SignatureDoesNotMatch", said)
	assert.Regexp(t, `^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 5 min\.\)$`, message)
	r.behave("clockOffset=&credentialsLifetime=1s")
	temporary := r.assumed()
	r.behave("clockOffset=2s")
	said, _ = r.refused(temporary)
	assert.Equal(t, "ExpiredToken", said)
}

func TestSTSFailsForAsLongAsItIsTold(t *testing.T) {
	r := start(t)
	r.behave("stsFails=always")
	said, _ := r.refused(longLived)
	assert.Equal(t, "ServiceUnavailable", said)
	assert.Equal(t, 1, r.Report().STS["GetCallerIdentity ServiceUnavailable"])
	r.behave("stsFails=never")
	r.assumed()
	r.behave("stsFails=5s")
	r.refused(longLived)
	require.Eventually(t, func() bool {
		_, err := r.as(fixed(longLived)).GetCallerIdentity(bounded(t), nil)
		return err == nil
	}, limit, 50*time.Millisecond)
}

func TestSTSAssumesNoRoleWithoutAnIdentityOrForTooShort(t *testing.T) {
	r := start(t)
	right := sts.AssumeRoleWithWebIdentityInput{RoleArn: aws.String(role), RoleSessionName: aws.String("pod"), WebIdentityToken: aws.String(identity)}
	for wrong, change := range map[string]func(*sts.AssumeRoleWithWebIdentityInput){
		"InvalidIdentityToken": func(i *sts.AssumeRoleWithWebIdentityInput) { i.WebIdentityToken = aws.String("none") },
		"ValidationError":      func(i *sts.AssumeRoleWithWebIdentityInput) { i.DurationSeconds = aws.Int32(60) },
	} {
		input := right
		change(&input)
		_, err := r.sts.AssumeRoleWithWebIdentity(bounded(t), &input)
		require.Error(t, err)
		said, _ := code(t, err)
		assert.Equal(t, wrong, said)
	}
}

func TestASessionTokenIsAsLongAsItIsTold(t *testing.T) {
	r := start(t)
	for _, length := range []string{"1000", "2000", "16000"} {
		r.behave("sessionTokenLength=" + length)
		signer := r.assumed()
		assert.InDelta(t, len(signer.SessionToken), map[string]int{"1000": 1000, "2000": 2000, "16000": 16000}[length], 20)
		r.requireLogin(r.token(signer, endpoint, region, "shop"))
	}
}

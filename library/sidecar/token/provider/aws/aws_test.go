package aws

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/provider/internal/inprocess"
)

const (
	rdsHost = "db.abc123.eu-central-1.rds.amazonaws.com"
	secret  = "wJalrXUtnFEMI/K7MDENG"
)

// alone takes from the environment what the SDK might find there.
func alone(t testing.TB) {
	t.Helper()
	inprocess.Unset(t, "AWS_")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

var nobody = inprocess.Unreachable()

func write(t testing.TB, directory, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600))
}

// keys is a directory of long-lived credentials.
func keys(t testing.TB, key string) string {
	t.Helper()
	directory := t.TempDir()
	write(t, directory, keyFile, key)
	write(t, directory, secretFile, secret)
	return directory
}

func newRDS(t testing.TB, client *http.Client, change ...func(*document.AWSRDS)) credential.Provider {
	t.Helper()
	settings := document.AWSRDS{Host: rdsHost, Port: 5432, User: "shop@a", Region: "eu-central-1"}
	for _, change := range change {
		change(&settings)
	}
	p, err := NewRDS(settings, client)
	require.NoError(t, err)
	return p
}

func in(directory string) func(*document.AWSRDS) {
	return func(s *document.AWSRDS) { s.CredentialsDirectory = directory }
}

func obtain(t testing.TB, p credential.Provider) credential.Credential {
	t.Helper()
	c, err := p.Obtain(t.Context())
	require.NoError(t, err)
	return c
}

func field(t testing.TB, c credential.Credential, name string) string {
	t.Helper()
	read, err := url.Parse("https://" + c.Password)
	require.NoError(t, err)
	return read.Query().Get(name)
}

// at sleeps until a time of the bubble, whose clock begins in the year 2000.
func at(t time.Time) { time.Sleep(time.Until(t)) }

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func TestATokenIsTheOneThatAWSsCommandLineMakes(t *testing.T) {
	var vectors struct {
		MadeBy string
		Tokens []struct {
			Kind, Host, Region, User, Key, Secret, Session, Token string
			Port                                                  int
			At                                                    time.Time
		}
	}
	text, err := os.ReadFile("testdata/tokens.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &vectors))
	require.Len(t, vectors.Tokens, 6)
	for _, v := range vectors.Tokens {
		t.Run(v.Kind+" "+v.User, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at(v.At)
				directory := t.TempDir()
				write(t, directory, keyFile, v.Key)
				write(t, directory, secretFile, v.Secret)
				write(t, directory, sessionFile, v.Session)
				var p credential.Provider
				if v.Kind == "rds" {
					p, err = NewRDS(document.AWSRDS{Host: v.Host, Port: v.Port, User: v.User, CredentialsDirectory: directory}, nobody)
				} else {
					p, err = NewDSQL(document.AWSDSQL{Host: v.Host, User: v.User, CredentialsDirectory: directory}, nobody)
				}
				require.NoError(t, err)

				c := obtain(t, p)

				want, got := v.Token, c.Password
				// The SDK for Go leaves the path out, which is signed as / all the same, and orders the query otherwise.
				require.Equal(t, parts(strings.Replace(want, "/?", "?", 1)), parts(strings.Replace(got, "/?", "?", 1)))
				require.Equal(t, v.At.Add(15*time.Minute), c.ExpiresAt)
				require.Equal(t, v.User, c.Username)
			})
		})
	}
}

// parts are a token's as they are written, whatever their order.
func parts(token string) map[string]string {
	endpoint, query, _ := strings.Cut(token, "?")
	found := map[string]string{"": endpoint}
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		found[name] = value
	}
	return found
}

func TestATokenOfRDSHasItsExpiryAndThatOfWhatSignsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at(noon)
		directory := keys(t, "ASIAEXAMPLE")
		write(t, directory, sessionFile, "t+1")
		write(t, directory, expiresFile, "2026-01-02T13:00:00Z\n")

		c := obtain(t, newRDS(t, nobody, in(directory)))

		require.Equal(t, noon.Add(15*time.Minute), c.ExpiresAt)
		require.Equal(t, noon.Add(time.Hour), c.SignedUntil)
		require.Equal(t, "t+1", field(t, c, "X-Amz-Security-Token"))
		require.True(t, strings.HasPrefix(c.Password, rdsHost+":5432?"), "%s", c.Password)
	})
}

func TestSigningCredentialsWithoutAnExpiryNeedNone(t *testing.T) {
	alone(t)
	t.Setenv(keyFile, "AKID")
	t.Setenv(secretFile, secret)

	c := obtain(t, newRDS(t, nobody))

	require.Zero(t, c.SignedUntil)
	require.Empty(t, field(t, c, "X-Amz-Security-Token"))
	require.True(t, strings.HasPrefix(field(t, c, "X-Amz-Credential"), "AKID/"))
}

func TestSigningCredentialsOfTheEnvironmentHaveTheExpiryThatItSays(t *testing.T) {
	alone(t)
	t.Setenv(keyFile, "ASIA")
	t.Setenv(secretFile, secret)
	t.Setenv(sessionFile, "t")
	t.Setenv(expiresFile, "2099-01-02T03:04:05Z")
	require.Equal(t, time.Date(2099, 1, 2, 3, 4, 5, 0, time.UTC), obtain(t, newRDS(t, nobody)).SignedUntil)
}

func TestSigningCredentialsOfASecretAreReadAnew(t *testing.T) {
	directory := keys(t, "K1")
	p := newRDS(t, nobody, in(directory))
	first := obtain(t, p)
	require.True(t, strings.HasPrefix(field(t, first, "X-Amz-Credential"), "K1/"))
	require.Zero(t, first.SignedUntil)

	write(t, directory, keyFile, "K2")
	write(t, directory, sessionFile, "t2")
	write(t, directory, expiresFile, "2099-01-02T03:04:05Z\n")

	second := obtain(t, p)
	require.True(t, strings.HasPrefix(field(t, second, "X-Amz-Credential"), "K2/"))
	require.Equal(t, "t2", field(t, second, "X-Amz-Security-Token"))
	require.Equal(t, 2099, second.SignedUntil.Year())
}

func TestSigningCredentialsThatDisappearAreKeptAndToldOf(t *testing.T) {
	directory := keys(t, "K1")
	p := newRDS(t, nobody, in(directory))
	require.Empty(t, obtain(t, p).Note)
	require.NoError(t, os.Remove(filepath.Join(directory, secretFile)))

	c := obtain(t, p)

	require.True(t, strings.HasPrefix(field(t, c, "X-Amz-Credential"), "K1/"))
	require.Equal(t, "the Secret of the credentials has no AWS_ACCESS_KEY_ID, or no AWS_SECRET_ACCESS_KEY: see "+directory+
		"; the credentials of before sign", c.Note)
}

func TestSigningCredentialsThatWereNeverThereAreAnError(t *testing.T) {
	directory := t.TempDir()
	write(t, directory, keyFile, "ASIA1")
	p := newRDS(t, nobody, in(directory))
	_, err := p.Obtain(t.Context())
	require.EqualError(t, err, "the Secret of the credentials has no AWS_ACCESS_KEY_ID, or no AWS_SECRET_ACCESS_KEY: see "+directory)

	write(t, directory, secretFile, secret)
	_, err = p.Obtain(t.Context())
	require.ErrorContains(t, err, "has no AWS_SESSION_TOKEN, which goes with its temporary key")

	write(t, directory, sessionFile, "t")
	write(t, directory, expiresFile, "tomorrow")
	_, err = p.Obtain(t.Context())
	require.ErrorContains(t, err, "AWS_CREDENTIAL_EXPIRATION in "+directory+" is no time like 2026-01-02T03:04:05Z")

	write(t, directory, expiresFile, "2020-01-02T03:04:05Z")
	_, err = p.Obtain(t.Context())
	require.ErrorContains(t, err, "the credentials that sign it have expired: at 2020-01-02T03:04:05Z, and this pod's clock says 20")
	require.NotContains(t, err.Error(), secret)
}

func TestAllFilesOfASecretAreOfOneVersion(t *testing.T) {
	directory := t.TempDir()
	version := func(name, key string) {
		require.NoError(t, os.Mkdir(filepath.Join(directory, name), 0o700))
		write(t, filepath.Join(directory, name), keyFile, key)
		write(t, filepath.Join(directory, name), secretFile, "s-of-"+key)
	}
	version("..1", "K1")
	version("..2", "K2")
	link := func(to string) {
		require.NoError(t, os.Symlink(to, filepath.Join(directory, "..new")))
		require.NoError(t, os.Rename(filepath.Join(directory, "..new"), filepath.Join(directory, "..data")))
	}
	link("..1")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 2000 {
			link([]string{"..2", "..1"}[i%2])
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		if found, err := fromFiles(directory); err == nil {
			require.Equal(t, "s-of-"+found.AccessKeyID, found.SecretAccessKey)
		}
	}
}

func TestTheRegionIsTheOneInTheServersName(t *testing.T) {
	for host, want := range map[string]string{
		rdsHost:       "eu-central-1",
		rdsHost + ".": "eu-central-1",
		"shop.cluster-ro-abc.us-gov-west-1.rds.amazonaws.com": "us-gov-west-1",
		"DB.ABC.EU-WEST-1.RDS.AMAZONAWS.COM":                  "eu-west-1",
		"db.abc.rds.cn-north-1.amazonaws.com.cn":              "cn-north-1",
		"db.abc.cn-northwest-1.rds.amazonaws.com.cn":          "cn-northwest-1",
		"db.internal.example.com":                             "",
		"rds.amazonaws.com":                                   "",
	} {
		require.Equal(t, want, rdsRegion(host), host)
	}
	for host, want := range map[string]string{
		"abc.dsql.us-east-1.on.aws":          "us-east-1",
		"abc.dsql-fnh4.eu-west-1.on.aws":     "eu-west-1",
		"abc.other.us-east-1.on.aws":         "",
		"abc.dsql.us-east-1.on.aws.evil.com": "",
	} {
		require.Equal(t, want, dsqlRegion(host), host)
	}
}

func TestWithoutARegionAnywhereTheErrorNamesWhereToSetIt(t *testing.T) {
	alone(t)
	other := func(s *document.AWSRDS) { s.Host, s.Region = "db.example.com", "" }
	_, err := newRDS(t, nobody, other, in(keys(t, "K"))).Obtain(t.Context())
	require.EqualError(t, err, "no region is known: set awsRds.region or AWS_REGION, as the host's name db.example.com has none")

	t.Setenv("AWS_REGION", "eu-north-1")
	c := obtain(t, newRDS(t, nobody, other, in(keys(t, "K"))))
	require.Contains(t, field(t, c, "X-Amz-Credential"), "/eu-north-1/rds-db/")
}

// BenchmarkRDSToken also tells the processor's time for a token, which does not depend on what else the machine does.
func BenchmarkRDSToken(b *testing.B) {
	p := newRDS(b, nobody, in(keys(b, "K")))
	cpu := func() time.Duration {
		var used syscall.Rusage
		require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
		return time.Duration(used.Utime.Nano() + used.Stime.Nano())
	}
	before := cpu()
	for b.Loop() {
		if _, err := p.Obtain(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
}

package scripts

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The texts are those of servers and poolers in public reports.
func TestOnlyAServerThatLooksAtTheCredentialRefusesIt(t *testing.T) {
	t.Parallel()
	for message, test := range map[string]struct{ sqlState, outcome string }{
		`password authentication failed for user "shop"`:                {"28P01", "refused"},
		`Passwort-Authentifizierung für Benutzer »shop« fehlgeschlagen`: {"28P01", "refused"},
		`pg_hba.conf rejects connection for host "10.0.0.1"`:            {"28000", "refused"},
		"password authentication failed":                                {"08P01", "refused"},
		`database "shop" does not exist`:                                {"3D000", "misconfigured"},
		`permission denied for database "shop"`:                         {"42501", "misconfigured"},
		"zu viele Verbindungen, der Server ist voll":                    {"53300", "unanswered"},
		"out of memory": {"53200", "unanswered"},
		"terminating connection due to administrator command": {"57P01", "unanswered"},
		"no more connections allowed (max_client_conn)":       {"08P01", "unanswered"},
		"Max client connections reached":                      {"08P01", "unanswered"},
		"Timed-out waiting to acquire database connection":    {"08P01", "unanswered"},
	} {
		t.Run(message, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, "secret")
			p.server.refuseWith(test.sqlState, message)

			p.put(users("another"))

			assert.Equal(t, test.outcome+" "+message, p.awaitVerdict())
		})
	}
}

func TestAPgBouncerThatCannotStartNamesTheSettingAndHasRefusedNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ value, said string }{
		"default_pool_sizee": {"3", "unknown parameter: pgbouncer/default_pool_sizee"},
		"pool_mode":          {"transactions", `invalid value "transactions" for parameter pool_mode`},
		"client_tls_sslmode": {"require", "To allow TLS connections from clients, client_tls_key_file and"},
		"default_pool_size":  {"three", `invalid value "three" for parameter default_pool_size`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, "secret", withSetting(name, test.value))

			p.put(users("secret"))

			assert.Regexp(t, "^unanswered pgbouncer cannot start: "+test.said, p.awaitVerdict())
			assert.Empty(t, p.server.lastLogin())
		})
	}
}

func TestAServerWithoutTLSIsNotSpokenToUnlessToldSo(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "secret", with("settings", map[string]string{}), with("proofSeconds", 2))

	p.put(users("secret"))

	p.awaitVerdictOf("unanswered " + p.server.listener.Addr().String() + ": server refused SSL")
	assert.Empty(t, p.server.lastLogin())
}

func TestAPasswordGoesToAServerThatAnAuthorityKnowsAlone(t *testing.T) {
	t.Parallel()
	known := httptest.NewTLSServer(nil)
	t.Cleanup(known.Close)
	authority := filepath.Join(shortFolder(t), "ca.crt")
	require.NoError(t, os.Chmod(filepath.Dir(authority), 0o755))
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: known.Certificate().Raw})
	require.NoError(t, os.WriteFile(authority, certificate, 0o644))
	p := newProxy(t, "secret", with("settings", map[string]string{}), with("proofSeconds", 2))
	p.server.speakTLS(known.TLS)
	p.put(users("secret"))
	p.await(func() bool {
		return regexp.MustCompile("^unanswered TLS handshake error: .*certificate verify failed").MatchString(p.verdict())
	}, "it is no public authority")
	assert.Empty(t, p.server.lastLogin())

	p = newProxy(t, "secret", with("settings", map[string]string{"server_tls_ca_file": authority}))
	p.server.speakTLS(known.TLS)
	p.put(users("secret"))
	p.awaitVerdictOf("accepted")
}

func TestAnAppMayForbidTheSimpleProtocol(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "secret", withSetting("disable_pqexec", "1"))

	p.put(users("secret"))

	p.await(p.started, "it does not start")
	require.NoError(t, p.probe("ready"))
}

func TestWhatListensElsewhereOnThePortIsNoMatterToAProof(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "secret")
	other, err := net.Listen("tcp", net.JoinHostPort("127.0.0.2", strconv.Itoa(p.port)))
	require.NoError(t, err)
	defer other.Close()

	p.put(users("secret"))

	assert.Equal(t, "accepted", p.awaitVerdict())
}

// issue says until when the credential of a text lives, as a refresher does.
func (p *proxy) issue(text string, expiresAt time.Time) {
	p.t.Helper()
	issued, err := json.Marshal(map[string]any{"sha256": sum(text), "expiresAt": expiresAt})
	require.NoError(p.t, err)
	path := filepath.Join(filepath.Dir(p.file), ".outrigger-"+filepath.Base(p.file)+".issued")
	require.NoError(p.t, os.WriteFile(path+".new", issued, 0o644))
	require.NoError(p.t, os.Rename(path+".new", path))
}

// renewed is a proxy whose first credential expires soon, and whose server is full when the second one comes.
func renewed(t *testing.T) *proxy {
	t.Helper()
	p := newProxy(t, "first", with("retryMaxSeconds", 1))
	p.issue(users("first"), time.Now().Add(10*time.Second))
	p.put(users("first"))
	p.await(p.started, "it does not start")
	p.server.accept("second, later")
	p.server.refuseWith("53300", "sorry, too many clients already")
	p.issue(users("second"), time.Now().Add(time.Hour))
	p.put(users("second"))
	return p
}

func TestAFullServerAtTheEndOfACredentialsLifeMakesTheNextOneBeTakenUpUnproven(t *testing.T) {
	t.Parallel()
	p := renewed(t)
	assert.Equal(t, "unanswered sorry, too many clients already", p.awaitVerdict(), "while the first one lives")

	p.awaitVerdictOf("unproven sorry, too many clients already")
	require.NoError(t, p.probe("ready"))
	p.server.accept("second")

	p.awaitVerdictOf("accepted")
	require.NoError(t, p.ask())
	assert.Equal(t, "second", p.server.lastLogin())
}

func TestTheEndOfACredentialsLifeIsNotWaitedForLongerThanItLasts(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first", with("retryMaxSeconds", 60))
	p.put(users("first"))
	p.await(p.started, "it does not start")
	p.server.accept("second, later")
	p.server.refuseWith("53300", "sorry, too many clients already")
	p.put(users("second"))
	p.await(func() bool { return p.server.cameTimes("second") == 4 }, "it is not tried again")
	expiresAt := time.Now().Add(2 * time.Second)

	p.issue(users("first"), expiresAt)

	p.awaitVerdictOf("unproven sorry, too many clients already")
	// The attempt after the fourth is 8 seconds later by itself.
	assert.WithinDuration(t, expiresAt, time.Now(), 4*time.Second)
}

func TestAProofThatLastsBeyondTheEndOfACredentialsLifeIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first", with("proofSeconds", 1000))
	p.put(users("first"))
	p.await(p.started, "it does not start")
	p.server.fallSilent()
	p.put(users("second"))

	p.issue(users("first"), time.Now().Add(time.Second))

	p.awaitVerdictOf("unproven its proof has not ended")
	used, err := os.ReadFile(p.state + "/users.txt")
	require.NoError(t, err)
	assert.Equal(t, users("second"), string(used))
}

func TestACredentialThatWasTakenUpUnprovenMayBeRefusedLater(t *testing.T) {
	t.Parallel()
	p := renewed(t)
	p.awaitVerdictOf("unproven sorry, too many clients already")

	p.server.refuseWith("28P01", "no such password")
	p.awaitVerdictOf("refused no such password")

	p.server.refuseWith("53300", "full again")
	p.put(users("third"))
	p.awaitVerdictOf("unproven full again")
}

func TestAContainerThatWasStartedAnewKnowsWhenItsCredentialExpires(t *testing.T) {
	t.Parallel()
	p := renewed(t)
	p.awaitVerdict()
	p.kill()
	require.Error(t, p.wait())

	p.restart()

	p.awaitVerdictOf("unproven sorry, too many clients already")
}

func TestAServerThatIsDownWhenTheContainerStartsAnewTakesNothingFromTheVerdict(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first")
	p.put(users("first"))
	p.await(p.started, "it does not start")
	p.kill()
	require.Error(t, p.wait())
	p.server.refuseWith("53300", "full")
	p.server.accept("another")

	p.restart()

	p.await(func() bool { return p.count("the password in use cannot be proven: full") == 1 }, "nothing is said")
	assert.Equal(t, "accepted", p.verdict())
	p.server.accept("first")
	p.await(p.started, "it does not start")
}

// oddUsers are of each printable byte, beyond ASCII, of none, and as long as pgbouncer's may be.
func oddUsers() []string {
	printable := make([]byte, 0, 95)
	for b := byte(' '); b <= '~'; b++ {
		printable = append(printable, b)
	}
	return []string{
		`foo@bar`, `a"b'c\ d`, "größe", "v-kubernet-shop-rw-xVbtJtMTtZhEqkhLhtWv-1700000000@db", "\xff\xfe;#[x]",
		string(printable), strings.Repeat("é", 63), strings.Repeat("u", 127), strings.Repeat(`"`, 63) + "u",
	}
}

func TestAUserOfAnyBytesReachesTheServer(t *testing.T) {
	t.Parallel()
	for _, user := range oddUsers() {
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, "secret")
			p.put(fmt.Sprintf("; a remark\n\n\"%s\" \"secret\"\n", doubled(user)))
			assert.Equal(t, "accepted", p.awaitVerdict())
			p.await(p.started, "it does not start")

			require.NoError(t, p.askAs(user), "as an app")

			assert.GreaterOrEqual(t, len(p.server.cameAs()), 2, "for the proof, and for the app")
			for _, came := range p.server.cameAs() {
				assert.Equal(t, user, came)
			}
		})
	}
}

func TestAUserOfAnyBytesMayStandBesideAPasswordThatIsAFile(t *testing.T) {
	t.Parallel()
	for _, user := range oddUsers() {
		if !utf8.ValidString(user) {
			continue // which no document can have
		}
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, `sec"ret`, withPasswordFile(user))
			require.NoError(t, os.WriteFile(p.file, []byte(`sec"ret`), 0o644))
			p.await(p.started, "it does not start")

			require.NoError(t, p.askAs(user), "as an app")

			assert.Equal(t, user, p.server.lastUser())
		})
	}
}

// withPasswordFile makes the file one of a password alone.
func withPasswordFile(user string) func(*setup) {
	return func(s *setup) {
		s.document["passwordFile"], s.document["user"] = s.document["authFile"], user
		delete(s.document, "authFile")
	}
}

func TestAUserThatIsTooLongForPgBouncerIsRefusedWithTheLimit(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("u", 128)
	p := newProxy(t, "secret")

	p.put(fmt.Sprintf("\"%s\" \"secret\"\n", long))

	assert.Contains(t, p.awaitVerdict(), "refused the user has over 127 bytes")
	p = newProxy(t, "secret", withPasswordFile(long))
	assert.Equal(t, 2, exitCode(p.wait()))
	assert.Contains(t, failure(t, p.output.String()), "/pgbouncer: user: the user has over 127 bytes")
}

func TestVariablesOfPostgreSQLClientsHaveNoPart(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "secret", func(s *setup) {
		s.env = append(s.env, "PGHOST=nowhere", "PGPORT=x", "PGOPTIONS=-c nothing=1", "PGTARGETSESSIONATTRS=standby")
	})

	p.put(users("secret"))

	assert.Equal(t, "accepted", p.awaitVerdict())
	p.await(p.started, "it does not start")
}

package scripts

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/version"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestAPgBouncerThatHangsIsNotReadyAndIsReplaced(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first", with("patienceSeconds", 1))
	p.put(users("first"))
	p.await(p.started, "it does not start")
	require.NoError(t, p.probe("ready"))
	hung := p.live()

	require.NoError(t, syscall.Kill(hung, syscall.SIGSTOP))

	require.ErrorContains(t, p.probe("ready"), "pgbouncer does not answer")
	p.await(func() bool { return p.count(`"event":"pgbouncer.hung"`) == 1 }, "it is not found")
	p.await(func() bool { return p.probe("ready") == nil }, "it is not replaced")
	require.NoError(t, p.ask())
	assert.NotEqual(t, hung, p.live())
	require.NoError(t, p.probe("live"))
}

func TestAPasswordThatComesWhilePgBouncerStartsIsTakenUp(t *testing.T) {
	t.Parallel()
	path, err := pgbouncer()
	require.NoError(t, err)
	slow := filepath.Join(shortFolder(t), "pgbouncer")
	require.NoError(t, os.Chmod(filepath.Dir(slow), 0o755))
	const text = "#!%[1]s/sh\ncase $1 in */proof/*) ;; *) %[1]s/busybox sleep 2 ;; esac\nexec %[2]s \"$@\"\n"
	require.NoError(t, os.WriteFile(slow, fmt.Appendf(nil, text, appletDir, path), 0o755))
	p := newProxy(t, "first", with("program", slow))
	p.put(users("first"))
	assert.Equal(t, "accepted", p.awaitVerdict())

	p.server.accept("second")
	p.put(users("second"))

	assert.Equal(t, "accepted", p.awaitVerdict())
	p.await(p.started, "it does not start")
	require.NoError(t, p.ask())
	assert.Equal(t, "second", p.server.lastLogin())
}

func TestADatabaseThatIsDownIsNoReasonToStartAnew(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first", with("patienceSeconds", 0.5))
	p.put(users("first"))
	p.await(p.started, "it does not start")
	before := p.live()
	p.server.goDown()

	// A dozen of its questions, of which three in a row without an answer would be enough.
	time.Sleep(6 * time.Second)

	assert.Equal(t, before, p.live())
	assert.Zero(t, p.count("pgbouncer.hung"))
	require.NoError(t, p.probe("ready"))
}

func TestSettingsOfTheProgramsOwnAreRefusedByTheirName(t *testing.T) {
	t.Parallel()
	for name, said := range map[string]string{
		"auth_type": "is the program's", "auth_query": "is the program's", "listen_addr": "is the program's",
		"unix_socket_dir": "is the program's", "unix_socket_mode": "is the program's", "conffile": "is the program's",
		"logfile": "is the program's", "pidfile": "is the program's", "user": "is the program's",
		"%include /etc/passwd\nx": "is no setting's name", "Pool_mode": "is no setting's name",
	} {
		p := newProxy(t, "first", withSetting(name, "1"))

		assert.Equal(t, 2, exitCode(p.wait()), name)

		assert.Contains(t, failure(t, p.output.String()), fmt.Sprintf("OUTRIGGER_CONFIG: /pgbouncer: settings/%s %s", name, said))
	}
}

// connectAs returns a session by way of a listener.
func connectAs(t *testing.T, host string, port int, user, database string) (*pgconn.PgConn, error) {
	t.Helper()
	const format = "host=%s port=%d user=%s dbname=%s sslmode=disable connect_timeout=10"
	return pgconn.Connect(within(t), fmt.Sprintf(format, host, port, user, database))
}

func TestTheConsoleIsClosedToTheApp(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first")
	p.put(users("first"))
	p.await(p.started, "it does not start")

	for _, user := range []string{"shop", "pgbouncer", "postgres", "admin"} {
		_, err := connectAs(t, "127.0.0.1", p.port, user, "pgbouncer")

		require.ErrorContains(t, err, "SQLSTATE 08P01", user)
	}
	info, err := os.Stat(fmt.Sprintf("%s/.s.PGSQL.%d", p.state, p.port))
	require.NoError(t, err)
	assert.Zero(t, info.Mode().Perm()&0o077, "only the container's own user may open the socket of the console")
}

func TestWithADirectoryPgBouncerListensThereAloneForEveryUserId(t *testing.T) {
	t.Parallel()
	require.Zero(t, os.Getuid(), "root can be another user than the program's")
	folder := shortFolder(t)
	require.NoError(t, os.Chmod(folder, 0o777))
	p := newProxy(t, "first", func(s *setup) {
		s.document["listen"] = map[string]any{"port": 6432, "directory": folder}
	})
	p.put(users("first"))
	p.await(p.started, "it does not start")
	require.NoError(t, p.probe("ready"))

	session, err := connectAs(t, folder, 6432, "shop", "shop")

	require.NoError(t, err)
	require.NoError(t, session.Exec(within(t), "select 2").Close())
	info, err := os.Stat(folder + "/.s.PGSQL.6432")
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o777), info.Mode().Perm())
	_, err = connectAs(t, folder, 6432, "pgbouncer", "pgbouncer")
	require.ErrorContains(t, err, "SQLSTATE 08P01", "the console is closed to another user id than the container's")
	assert.Empty(t, listeners(t, p.live()), "on no address")
}

// listeners are the addresses on which a process listens, as the kernel writes them.
func listeners(t *testing.T, pid int) (addresses []string) {
	t.Helper()
	sockets := map[string]bool{}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	require.NoError(t, err)
	for _, file := range files {
		target, _ := os.Readlink(file)
		sockets[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(table)
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); fields[3] == "0A" && sockets[fields[9]] {
				addresses = append(addresses, fields[1])
			}
		}
	}
	return addresses
}

func TestPgBouncerListensOnLoopbackAlone(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first")
	p.put(users("first"))
	p.await(p.started, "it does not start")

	assert.Equal(t, []string{fmt.Sprintf("0100007F:%04X", p.port)}, listeners(t, p.live()))
}

func TestOfAClientsOptionsThoseThatPgBouncerCannotKeepAreRefusedByTheirName(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first", withSetting("ignore_startup_parameters", "some_other"))
	p.put(users("first"))
	p.await(p.started, "it does not start")
	for options, refusal := range map[string]string{
		"-c TimeZone=UTC": "", "-c extra_float_digits=3": "", "-c some_other=1": "", "--application_name=a": "",
		"-c search_path=a":          "",
		"-c statement_timeout=5000": "unsupported startup parameter in options: statement_timeout",
	} {
		config, err := pgconn.ParseConfig(fmt.Sprintf("host=127.0.0.1 port=%d user=shop dbname=shop sslmode=disable", p.port))
		require.NoError(t, err)
		config.RuntimeParams["options"] = options

		_, err = pgconn.ConnectConfig(within(t), config)

		if refusal == "" {
			require.NoError(t, err, options)
		} else {
			require.ErrorContains(t, err, refusal)
		}
	}
}

func TestPgBouncerInheritsNeitherTheDocumentNorTheLocale(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first", func(s *setup) { s.env = append(s.env, "LC_ALL=de_DE.UTF-8", "LANGUAGE=de") })
	p.put(users("first"))
	p.await(p.started, "it does not start")

	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.live()))

	require.NoError(t, err)
	assert.NotContains(t, string(environment), "OUTRIGGER_CONFIG")
	assert.Contains(t, string(environment), "LC_ALL=C\x00")
	assert.NotContains(t, string(environment), "de_DE")
}

func TestPgBouncerLeavesNoCoreWithThePassword(t *testing.T) {
	t.Parallel()
	unlimited := syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_CORE, &unlimited), "for this process and what it starts")
	p := newProxy(t, "first")
	p.put(users("first"))
	p.await(p.started, "it does not start")

	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.live()))

	require.NoError(t, err)
	assert.Regexp(t, `Max core file size +0 +0 `, string(limits))
}

func TestPoolsAndStatisticsAreMetricsWhereAskedFor(t *testing.T) {
	t.Parallel()
	port := harness.FreePort(t)
	p := newProxy(t, "first", with("metrics", map[string]any{"port": port}))
	scrape := func() string {
		response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", port))
		if err != nil {
			return ""
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return string(body)
	}
	p.await(func() bool { return strings.Contains(scrape(), "\npgbouncer_up 0\n") }, "nothing is said before it runs")
	p.put(users("first"))
	p.await(p.started, "it does not start")
	session, err := p.connect()
	require.NoError(t, err)
	require.NoError(t, session.Exec(within(t), "select 1").Close())

	text := scrape()

	for _, line := range []string{
		"pgbouncer_up 1", `pgbouncer_pools_client_active_connections{database="shop",user="shop"} 1`,
		`pgbouncer_pools_client_maxwait_seconds{database="shop",user="shop"} 0`,
	} {
		assert.Contains(t, text, "\n"+line+"\n")
	}
	assert.Regexp(t, `\npgbouncer_stats_queries_pooled_total{database="shop"} [1-9]`, text)
	assert.NotContains(t, text, `database="pgbouncer"`)
}

// status is what a person is shown.
func (p *proxy) status() string {
	p.t.Helper()
	connection, err := net.Dial("unix", filepath.Join(p.state, "health.sock"))
	require.NoError(p.t, err)
	defer connection.Close()
	_, err = io.WriteString(connection, "status\n")
	require.NoError(p.t, err)
	text, err := io.ReadAll(connection)
	require.NoError(p.t, err)
	return string(text)
}

func TestAPersonIsToldOfVersionPoolsAndTheLastProof(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first")
	p.put(users("first"))
	p.await(p.started, "it does not start")
	p.put(users("wrong"))
	p.awaitVerdict()

	text := p.status()

	assert.Regexp(t, `(?s)^yes\noutrigger `+regexp.QuoteMeta(version.Version)+`\nPgBouncer 1\..*\npool shop of shop: clients 0 active.*`+
		`\nlast proof: refused 28P01 PAM .*\nlast error: `, text)
	assert.NotContains(t, text, "wrong")
}

func TestAPersonIsToldWhenTheLastErrorWasSinceWhenItIsOverAndWhenTheNextProofIs(t *testing.T) {
	t.Parallel()
	const at = `20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`
	p := newProxy(t, "first")
	p.put(users("first"))
	p.await(p.started, "it does not start")
	assert.NotContains(t, p.status(), "next proof")

	p.put(users("wrong"))
	p.awaitVerdict()
	nextProof := regexp.MustCompile(`\nnext proof: ` + at + ` \(in \d+s\)\n`)
	p.await(func() bool { return nextProof.MatchString(p.status()) }, "no next proof is told of")
	assert.Regexp(t, `\nlast error: `+at+` \((in 0s|\d+s ago)\), it lasts: the password is not taken up`, p.status())

	p.put(users("first"))
	p.awaitVerdictOf("accepted")
	p.await(func() bool { return !strings.Contains(p.status(), "it lasts") }, "the error does not end")
	assert.Regexp(t, `\nlast error: `+at+` \(.*\), over since `+at+` \(.*\): the password is not taken up`, p.status())
	assert.NotContains(t, p.status(), "next proof")
}

package scripts

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// pgbouncer returns the path of a pgbouncer that every user may run.
var pgbouncer = sync.OnceValues(func() (string, error) {
	root, err := rig.PgBouncer(context.Background(), os.Stderr)
	if err != nil {
		return "", fmt.Errorf("no pgbouncer to run: %w", err)
	}
	folder := filepath.Join(filepath.Dir(appletDir), "pgbouncer")
	if err := exec.Command("cp", "-a", root, folder).Run(); err != nil {
		return "", err
	}
	linkers, err := filepath.Glob(folder + "/usr/lib*/ld-linux-*.so.*")
	libraries, _ := filepath.Glob(folder + "/usr/lib/*-linux-gnu*")
	if err != nil || len(linkers) == 0 || len(libraries) == 0 {
		return "", fmt.Errorf("no dynamic linker in %s", root)
	}
	start := fmt.Sprintf("#!%s/sh\nexec %s --library-path %s %s/usr/sbin/pgbouncer \"$@\"\n", appletDir, linkers[0], libraries[0], folder)
	path := filepath.Join(folder, "pgbouncer")
	return path, os.WriteFile(path, []byte(start), 0o755)
})

// server is a PostgreSQL server that takes passwords, in clear.
type server struct {
	listener net.Listener
	mutex    sync.Mutex
	tls      *tls.Config // nil where it has none
	taken    []string
	sqlState string // of what is said to who has another one
	refusal  string
	users    []string // that came
	logins   []string // their passwords
	sessions []net.Conn
	silent   bool // to who logs in
}

func newServer(t *testing.T, password string) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &server{listener: listener, taken: []string{password}, sqlState: "28P01", refusal: `PAM "authentication" failed \ for shop`}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			s.mutex.Lock()
			s.sessions = append(s.sessions, connection)
			s.mutex.Unlock()
			go s.serve(connection)
		}
	}()
	return s
}

func (s *server) accept(passwords ...string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.taken = passwords
}

// fallSilent lets everybody wait who logs in from now on.
func (s *server) fallSilent() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.silent = true
}

func (s *server) isSilent() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.silent
}

func (s *server) refuseWith(sqlState, message string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.sqlState, s.refusal = sqlState, message
}

// goDown ends all sessions, and takes no more.
func (s *server) goDown() {
	s.listener.Close()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, session := range s.sessions {
		session.Close()
	}
}

func (s *server) speakTLS(config *tls.Config) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.tls = config
}

func (s *server) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// lastLogin is the password that came last, and lastUser whose that was.
func (s *server) lastLogin() string { return s.last(&s.logins) }
func (s *server) lastUser() string  { return s.last(&s.users) }

// passwords are all that came.
func (s *server) passwords() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.logins)
}

// cameTimes is how often a password came.
func (s *server) cameTimes(password string) (count int) {
	for _, came := range s.passwords() {
		if came == password {
			count++
		}
	}
	return count
}

// cameAs are the users that came.
func (s *server) cameAs() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.users)
}

func (s *server) last(of *[]string) string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(*of) == 0 {
		return ""
	}
	return (*of)[len(*of)-1]
}

// login returns why a password is refused, or nothing where it is taken.
func (s *server) login(user, password string) (refusal *pgproto3.ErrorResponse) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.users, s.logins = append(s.users, user), append(s.logins, password)
	if slices.Contains(s.taken, password) {
		return nil
	}
	return &pgproto3.ErrorResponse{Severity: "FATAL", Code: s.sqlState, Message: s.refusal}
}

// greeting returns the user of a client, with what to speak to it by: TLS, where it asks for that and the server has
// it.
func (s *server) greeting(connection net.Conn) (backend *pgproto3.Backend, user string, err error) {
	s.mutex.Lock()
	config := s.tls
	s.mutex.Unlock()
	for {
		backend = pgproto3.NewBackend(connection, connection)
		message, err := backend.ReceiveStartupMessage()
		if err != nil {
			return nil, "", err
		}
		if startup, is := message.(*pgproto3.StartupMessage); is {
			return backend, startup.Parameters["user"], nil
		}
		answer := "N"
		if config != nil {
			answer = "S"
		}
		if _, err := connection.Write([]byte(answer)); err != nil {
			return nil, "", err
		}
		if config != nil {
			connection = tls.Server(connection, config)
		}
	}
}

// serve speaks with one client: each query has one row, with what was asked.
func (s *server) serve(connection net.Conn) {
	defer connection.Close()
	backend, user, err := s.greeting(connection)
	if err != nil {
		return
	}
	if s.isSilent() {
		_, _ = io.Copy(io.Discard, connection)
		return
	}
	backend.SetMaxBodyLen(1 << 20)
	backend.Send(&pgproto3.AuthenticationCleartextPassword{})
	_ = backend.Flush()
	_ = backend.SetAuthType(pgproto3.AuthTypeCleartextPassword)
	message, err := backend.Receive()
	if err != nil {
		return
	}
	password, is := message.(*pgproto3.PasswordMessage)
	if !is {
		return
	}
	if refusal := s.login(user, password.Password); refusal != nil {
		backend.Send(refusal)
		_ = backend.Flush()
		return
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	backend.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: "15.0"})
	backend.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}})
	backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	for backend.Flush() == nil {
		message, err := backend.Receive()
		if err != nil {
			return
		}
		answerQuery(backend, message)
	}
}

// answerQuery answers a message of a query, of the simple protocol or of the extended one.
func answerQuery(backend *pgproto3.Backend, message pgproto3.FrontendMessage) {
	describe := func() {
		backend.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("asked"), DataTypeOID: 25}}})
	}
	row := func(text string) {
		backend.Send(&pgproto3.DataRow{Values: [][]byte{[]byte(text)}})
		backend.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
	}
	switch message := message.(type) {
	case *pgproto3.Query:
		describe()
		row(message.String)
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	case *pgproto3.Parse:
		backend.Send(&pgproto3.ParseComplete{})
	case *pgproto3.Bind:
		backend.Send(&pgproto3.BindComplete{})
	case *pgproto3.Describe:
		describe()
	case *pgproto3.Execute:
		row("1")
	case *pgproto3.Sync:
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	}
}

// proxy is a pgbouncer under the program, with the file of its password.
type proxy struct {
	*shipper
	t      *testing.T
	server *server
	file   string
	state  string
	port   int
}

// users prints the file as pgbouncer reads it.
func users(password string) string { return fmt.Sprintf("\"shop\" \"%s\"\n", doubled(password)) }

func doubled(text string) string { return strings.ReplaceAll(text, `"`, `""`) }

func sum(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// put replaces the file by rename, as a refresher does.
func (p *proxy) put(text string) {
	p.t.Helper()
	fresh := filepath.Join(filepath.Dir(p.file), ".outrigger-new")
	require.NoError(p.t, os.WriteFile(fresh, []byte(text), 0o644))
	require.NoError(p.t, os.Rename(fresh, p.file))
}

// setup is what a test changes of a proxy's document and environment before it starts.
type setup struct {
	document map[string]any
	env      []string
}

// with sets a key of the document.
func with(key string, value any) func(*setup) { return func(s *setup) { s.document[key] = value } }

// withSetting sets one of pgbouncer's own settings.
func withSetting(name, value string) func(*setup) {
	return func(s *setup) { s.document["settings"].(map[string]string)[name] = value }
}

func lingers(seconds string) func(*setup) {
	return func(s *setup) { s.env = append(s.env, "LINGER_SECONDS="+seconds) }
}

func newProxy(t *testing.T, password string, changes ...func(*setup)) *proxy {
	t.Helper()
	path, err := pgbouncer()
	require.NoError(t, err)
	server := newServer(t, password)
	place := newPlace(t)
	place.state = shortFolder(t)
	place.asOtherUser()
	require.NoError(t, os.Chmod(place.logs, 0o777))
	p := &proxy{t: t, server: server, file: place.path("users.txt"), state: place.state, port: harness.FreePort(t)}
	s := &setup{document: map[string]any{
		"name": "db", "program": path, "listen": map[string]any{"port": p.port},
		"databases":     map[string]any{"shop": map[string]any{"host": "127.0.0.1", "port": server.port(), "database": "shop"}},
		"proofDatabase": "shop", "authFile": p.file, "proofSeconds": 30,
		"settings": map[string]string{"pool_mode": "session", "server_tls_sslmode": "disable"},
	}}
	for _, change := range changes {
		change(s)
	}
	config, err := json.Marshal(map[string]any{"version": documentVersion(t), "pgbouncer": s.document})
	require.NoError(t, err)
	command := place.command()
	command.Path, command.Args = programPath, []string{"outrigger", "pgbouncer"}
	command.Env = append([]string{"OUTRIGGER_CONFIG=" + string(config), "OUTRIGGER_STATE_DIR=" + place.state}, s.env...)
	p.start(command)
	return p
}

// restart runs the program once more, as a container that is started anew.
func (p *proxy) restart() {
	again := exec.Command(p.command.Path, p.command.Args[1:]...)
	again.Env, again.Dir, again.SysProcAttr = p.command.Env, p.command.Dir, p.command.SysProcAttr
	p.start(again)
}

func (p *proxy) start(command *exec.Cmd) {
	p.shipper = run(p.t, command)
	p.t.Cleanup(p.kill)
}

// shortFolder is one whose sockets have paths as short as in a container.
func shortFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "pgb")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

// pgBouncers are the processes that run with a configuration.
func pgBouncers(configuration string) (pids []int) {
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range commands {
		command, _ := os.ReadFile(path)
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && strings.Contains(string(command), configuration) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// live is the process of the pgbouncer that clients connect to.
func (p *proxy) live() int {
	p.t.Helper()
	pids := pgBouncers(p.state + "/pgbouncer.ini")
	require.Len(p.t, pids, 1)
	return pids[0]
}

// kill kills all processes, as the end of a container does.
func (p *proxy) kill() {
	p.signalAll(syscall.SIGKILL)
	p.await(func() bool {
		left := pgBouncers(p.state)
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		select {
		case <-p.ended:
			return len(left) == 0
		default:
			return false
		}
	}, "something of it stays")
}

// verdict is what the program has said of the file that is there, if anything: its outcome, and why.
func (p *proxy) verdict() string {
	text, _ := os.ReadFile(p.file)
	said, _ := os.ReadFile(filepath.Join(filepath.Dir(p.file), ".outrigger-db"))
	var verdict struct{ Sha256, Outcome, Reason string }
	if json.Unmarshal(said, &verdict) != nil || verdict.Sha256 != sum(string(text)) {
		return ""
	}
	return strings.TrimSpace(verdict.Outcome + " " + verdict.Reason)
}

func (p *proxy) awaitVerdict() string {
	p.t.Helper()
	p.await(func() bool { return p.verdict() != "" }, "no verdict")
	return p.verdict()
}

// awaitVerdictOf waits for a verdict, as a machine that is busy may make one before it be that nobody answered in time.
func (p *proxy) awaitVerdictOf(want string) {
	p.t.Helper()
	p.await(func() bool { return p.verdict() == want }, "no verdict "+want)
}

func (p *proxy) await(condition func() bool, otherwise string) {
	p.t.Helper()
	p.shipper.await("the end of: "+otherwise, condition)
}

// probe runs a probe.
func (p *proxy) probe(question string) error {
	output, err := exec.Command(probePath, "-socket", filepath.Join(p.state, "health.sock"), question).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	return nil
}

func (p *proxy) started() bool { return p.probe("started") == nil }

// within is as long as a server may take for anything.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// connect returns a session by way of pgbouncer.
func (p *proxy) connect() (*pgconn.PgConn, error) {
	return pgconn.Connect(within(p.t), fmt.Sprintf("host=127.0.0.1 port=%d user=shop dbname=shop sslmode=disable connect_timeout=10", p.port))
}

// askAs asks for a row as a user, who may have any bytes.
func (p *proxy) askAs(user string) error {
	config, err := pgconn.ParseConfig(fmt.Sprintf("host=127.0.0.1 port=%d dbname=shop sslmode=disable", p.port))
	require.NoError(p.t, err)
	config.User = user
	session, err := pgconn.ConnectConfig(within(p.t), config)
	if err != nil {
		return err
	}
	defer session.Close(within(p.t))
	return session.Exec(within(p.t), "select 2").Close()
}

func (p *proxy) ask() error {
	session, err := p.connect()
	if err != nil {
		return err
	}
	defer session.Close(within(p.t))
	return session.Exec(within(p.t), "select 2").Close()
}

func TestAPasswordOfAnyBytesReachesTheServer(t *testing.T) {
	t.Parallel()
	all := make([]byte, 0, 255)
	for b := 1; b < 256; b++ {
		all = append(all, byte(b))
	}
	p := newProxy(t, "")
	for name, password := range map[string]string{
		"plain": "secret", "quotes": `a"b'c""d`, "backslashes": `\a\\b\`, "spaces": "  a ; b # c  ", "variables": "$(id) ${x} %s %%",
		"lines": "a\nb\r\n\nc", "every byte": string(all), "as long as 1.25 takes": strings.Repeat("x", 2047),
	} {
		p.server.accept(password)
		p.put(users(password))
		assert.Equal(t, "accepted", p.awaitVerdict(), name)
		assert.Contains(t, p.server.passwords(), password, name)
	}
}

func TestTheStartWaitsForAPasswordThatTheServerTakes(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "right")
	assert.False(t, p.started())

	p.put(users("wrong"))
	assert.Equal(t, `refused PAM "authentication" failed \ for shop`, p.awaitVerdict())
	assert.False(t, p.started())
	require.Error(t, p.ask())

	p.put(users("right"))
	p.await(p.started, "it does not start")
	require.NoError(t, p.ask())
	assert.Contains(t, p.output.String(), `"level":"error","message":"the password is not taken up: PAM \"authentication\" failed \\ for shop","ambassador":"db"`)
	assert.NotContains(t, p.output.String()+p.errors.String(), "wrong")
}

func TestANewPasswordIsUsedForNewConnectionsAndSessionsStay(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first")
	p.put(users("first"))
	p.await(p.started, "it does not start")
	session, err := p.connect()
	require.NoError(t, err)
	require.NoError(t, session.Exec(within(p.t), "begin").Close())

	p.server.accept("second")
	p.put(users("second"))
	assert.Equal(t, "accepted", p.awaitVerdict())

	require.NoError(t, session.Exec(within(p.t), "commit").Close(), "a session outlives its password")
	other, err := p.connect()
	require.NoError(t, err, "a second session needs a login of its own")
	require.NoError(t, other.Exec(within(p.t), "select 2").Close())
	assert.Equal(t, "second", p.server.lastLogin())
}

func TestAPasswordThatIsRefusedLeavesTheOneThatWorks(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"wrong": users("wrong"), "torn": `"shop" "firs`, "empty": "", "a hash": users("md5" + strings.Repeat("0", 32)), "too long": users(strings.Repeat("x", 70000)),
	} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, "first")
			p.put(users("first"))
			p.await(p.started, "it does not start")
			session, err := p.connect()
			require.NoError(t, err)
			defer session.Close(within(p.t))

			p.put(text)
			assert.Regexp(t, "^refused .", p.awaitVerdict())
			t.Log(p.verdict())

			require.NoError(t, session.Exec(within(p.t), "select 1").Close())
			require.NoError(t, p.ask(), "a new login is by the password before")
		})
	}
}

func TestAPasswordThatWasRefusedIsTriedAgain(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "later")
	p.put(users("now"))
	assert.Regexp(t, "^refused ", p.awaitVerdict())

	p.server.accept("now")
	p.awaitVerdictOf("accepted")
}

func TestAServerThatDoesNotAnswerIsNamedAndHasRefusedNothing(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "secret", with("proofSeconds", 2))
	p.server.listener.Close()
	p.put(users("secret"))

	p.awaitVerdictOf("unanswered " + p.server.listener.Addr().String() + ": connect failed")
}

func TestAServerThatSaysNothingHasRefusedNothing(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "secret", with("proofSeconds", 1))
	p.server.mutex.Lock() // so that it waits with its answer
	p.put(users("secret"))

	assert.Regexp(t, "^unanswered .", p.awaitVerdict())
	p.server.mutex.Unlock()
	p.awaitVerdictOf("accepted")
}

func TestAServerThatStartsOrIsFullHasRefusedNothing(t *testing.T) {
	t.Parallel()
	for message, sqlState := range map[string]string{
		"the database system is starting up": "57P03", "sorry, too many clients already": "53300",
		"désolé, trop de clients sont déjà connectés": "53300",
	} {
		t.Run(message, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, "secret", with("proofSeconds", 2))
			p.server.refuseWith(sqlState, message)
			p.put(users("wrong"))

			p.awaitVerdictOf("unanswered " + message)
		})
	}
}

func TestWhileANewPasswordIsRefusedARestartedContainerHasTheOneThatWorks(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first")
	p.put(users("first"))
	p.await(p.started, "it does not start")
	p.kill()
	require.Error(t, p.wait())
	p.put(users("wrong"))

	p.restart()

	assert.Regexp(t, "^refused .", p.awaitVerdict())
	p.await(p.started, "it does not start")
	require.NoError(t, p.ask())
}

func TestALongAnswerOfTheServerIsToldAndNotWhatPgBouncerRemarksOnIt(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "secret")
	p.server.refuseWith("28000", strings.Repeat("the role may not log in, ", 12))
	p.put(users("wrong"))

	assert.Regexp(t, `^refused the role may not log in, the role`, p.awaitVerdict())
}

func TestASecretsPasswordIsTakenUpWhenItsVolumeChanges(t *testing.T) {
	t.Parallel()
	volume := t.TempDir()
	require.NoError(t, os.Chmod(volume, 0o755))
	write := func(version, password string) {
		require.NoError(t, os.Mkdir(filepath.Join(volume, version), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(volume, version, "password"), []byte(password), 0o644))
		require.NoError(t, os.Symlink(version, filepath.Join(volume, "..new")))
		require.NoError(t, os.Rename(filepath.Join(volume, "..new"), filepath.Join(volume, "..data")))
	}
	write("..1", "it\"s\n")
	require.NoError(t, os.Symlink("..data/password", filepath.Join(volume, "password")))
	p := newProxy(t, `it"s`, func(s *setup) {
		delete(s.document, "authFile")
		s.document["passwordFile"], s.document["user"] = filepath.Join(volume, "password"), "shop"
	})
	p.await(p.started, "it does not start")

	p.server.accept("second")
	write("..2", "second")
	p.await(func() bool { return p.server.lastLogin() == "second" }, "it is not taken up")
}

func TestTheContainerEndsWhenPgBouncerDoes(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first")
	p.put(users("first"))
	p.await(p.started, "it does not start")

	require.NoError(t, syscall.Kill(p.live(), syscall.SIGKILL))

	assert.Equal(t, 137, exitCode(p.wait()))
	assert.Contains(t, p.output.String(), `"message":"pgbouncer ended with exit code 137"`)
}

func TestPgBouncerEndsAtOnceWhenNoClientIsLeft(t *testing.T) {
	harness.Seconds(t)
	p := newProxy(t, "first", with("stopSeconds", 60))
	p.put(users("first"))
	p.await(p.started, "it does not start")

	begun := time.Now()
	p.signal(syscall.SIGTERM)
	require.NoError(t, p.wait())
	assert.Less(t, time.Since(begun), 30*time.Second)
}

func TestAClientThatStaysIsCutOffWhenTheTimeIsUp(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first", with("stopSeconds", 1))
	p.put(users("first"))
	p.await(p.started, "it does not start")
	_, err := p.connect()
	require.NoError(t, err)

	p.signal(syscall.SIGTERM)
	require.NoError(t, p.wait())
}

func TestBesideAnAppThatStillWorksPgBouncerTakesNewConnectionsAndPasswords(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first", lingers("600"), with("quietSeconds", 1), with("stopSeconds", 60))
	p.put(users("first"))
	p.await(p.started, "it does not start")
	session, err := p.connect()
	require.NoError(t, err)
	p.signal(syscall.SIGTERM)

	p.server.accept("second")
	p.put(users("second"))
	assert.Equal(t, "accepted", p.awaitVerdict())
	require.NoError(t, p.ask())

	require.NoError(t, session.Close(within(p.t)))
	require.NoError(t, p.wait(), "it ends when the app has gone")
}

func TestClientsThatComeAndGoBetweenTwoLooksKeepPgBouncerFromItsEnd(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first", lingers("600"), with("quietSeconds", 3))
	p.put(users("first"))
	p.await(p.started, "it does not start")
	p.signal(syscall.SIGTERM)

	// Clients are counted once a second, and each of these is gone in a few milliseconds.
	for begun := time.Now(); time.Since(begun) < 9*time.Second; time.Sleep(300 * time.Millisecond) {
		require.NoError(t, p.ask())
	}

	require.NoError(t, p.wait(), "it ends when no more come")
}

// count is how many lines of the log have a text.
func (p *proxy) count(text string) int { return strings.Count(p.output.String(), text) }

func TestARefusalIsSaidOnceWhileItIsTriedAgain(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "right", with("retryMaxSeconds", 1))
	p.put(users("wrong"))
	p.await(func() bool { return len(p.server.passwords()) > 3 }, "it is not tried again")
	assert.Equal(t, 1, p.count("the password is not taken up"))

	p.put(users("wrong too"))
	p.await(func() bool { return p.count("the password is not taken up") == 2 }, "another file's refusal is not said")
}

func TestWhoMayReadThePasswordMayReadHowItsProofEnded(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first")
	for _, mode := range []os.FileMode{0o444, 0o644, 0o604} {
		fresh := filepath.Join(filepath.Dir(p.file), ".outrigger-new")
		require.NoError(t, os.WriteFile(fresh, fmt.Appendf(nil, "%s;%o\n", users("first"), mode), 0o600))
		require.NoError(t, os.Chmod(fresh, mode))
		require.NoError(t, os.Rename(fresh, p.file))
		assert.Equal(t, "accepted", p.awaitVerdict())
		info, err := os.Stat(filepath.Join(filepath.Dir(p.file), ".outrigger-db"))
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm())
	}
}

func TestAFileThatCannotBeReadIsSaidOnceAndTakenUpWhenItCan(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can make a file that the program's user may not read")
	}
	p := newProxy(t, "first")
	require.NoError(t, os.WriteFile(p.file, []byte(users("first")), 0o600))
	p.await(func() bool { return p.count(p.file+" cannot be read by the user ") > 0 }, "nothing is said")
	require.NoError(t, os.Chmod(p.file, 0o644))
	assert.Equal(t, "accepted", p.awaitVerdict())
	assert.Equal(t, 1, p.count("cannot be read"))
}

func TestTheEndDoesNotWaitForAProofThatHasNotBegun(t *testing.T) {
	t.Parallel()
	slow := filepath.Join(shortFolder(t), "pgbouncer")
	begun := slow + ".begun"
	require.NoError(t, os.Chmod(filepath.Dir(slow), 0o777))
	text := fmt.Sprintf("#!%[1]s/sh\n: >%[2]s\n%[1]s/busybox sleep 1000\n", appletDir, begun)
	require.NoError(t, os.WriteFile(slow, []byte(text), 0o755))
	p := newProxy(t, "first", with("program", slow), with("proofSeconds", 1000))
	p.put(users("first"))
	p.await(func() bool { return exists(begun) }, "no proof begins")

	p.signal(syscall.SIGTERM)
	require.NoError(t, p.wait())
}

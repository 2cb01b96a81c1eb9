package scripts

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
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

// pgbouncer returns a folder with a program pgbouncer that every user may run.
var pgbouncer = sync.OnceValues(func() (string, error) {
	root, err := rig.PgBouncer(context.Background(), os.Stderr)
	if err != nil {
		return "", fmt.Errorf("no pgbouncer to run: %w", err)
	}
	folder := filepath.Join(filepath.Dir(appletDir), "pgbouncer")
	if err := exec.Command("cp", "-a", root, folder).Run(); err != nil {
		return "", err
	}
	script, err := os.ReadFile("../../library/outrigger/files/pgbouncer.sh")
	if err != nil {
		return "", err
	}
	linkers, err := filepath.Glob(folder + "/usr/lib*/ld-linux-*.so.*")
	libraries, _ := filepath.Glob(folder + "/usr/lib/*-linux-gnu*")
	if err != nil || len(linkers) == 0 || len(libraries) == 0 {
		return "", fmt.Errorf("no dynamic linker in %s", root)
	}
	start := fmt.Sprintf("#!%s/sh\nexec %s --library-path %s %s/usr/sbin/pgbouncer \"$@\"\n", appletDir, linkers[0], libraries[0], folder)
	programs := filepath.Join(folder, "programs")
	return programs, firstError(
		os.Mkdir(programs, 0o755),
		os.WriteFile(filepath.Join(programs, "pgbouncer"), []byte(start), 0o755),
		os.WriteFile(filepath.Join(programs, "pgbouncer.sh"), script, 0o644))
})

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// server is a PostgreSQL server that takes one password, in clear.
type server struct {
	listener net.Listener
	mutex    sync.Mutex
	password string
	refusal  string
	logins   []string // the passwords that came
}

func newServer(t *testing.T, password string) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &server{listener: listener, password: password, refusal: `PAM "authentication" failed \ for shop`}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(connection)
		}
	}()
	return s
}

func (s *server) accept(password string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.password = password
}

func (s *server) refuseWith(message string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.refusal = message
}

func (s *server) lastLogin() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.logins) == 0 {
		return ""
	}
	return s.logins[len(s.logins)-1]
}

// login returns why a password is refused, or nothing where it is taken.
func (s *server) login(password string) (refusal string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.logins = append(s.logins, password)
	if password == s.password {
		return ""
	}
	return s.refusal
}

// serve speaks with one client: each query has one row, with what was asked.
func (s *server) serve(connection net.Conn) {
	defer connection.Close()
	backend := pgproto3.NewBackend(connection, connection)
	backend.SetMaxBodyLen(1 << 20)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
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
	if refusal := s.login(password.Password); refusal != "" {
		backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: refusal})
		_ = backend.Flush()
		return
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	backend.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: "15.0"})
	backend.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}})
	for {
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if backend.Flush() != nil {
			return
		}
		message, err := backend.Receive()
		if err != nil {
			return
		}
		if query, is := message.(*pgproto3.Query); is {
			backend.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("asked"), DataTypeOID: 25}}})
			backend.Send(&pgproto3.DataRow{Values: [][]byte{[]byte(query.String)}})
			backend.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
		}
	}
}

// proxy is a pgbouncer under its script, with the file of its password.
type proxy struct {
	*shipper
	t      *testing.T
	server *server
	file   string
	state  string
	port   int
}

// users prints the file as pgbouncer reads it.
func users(password string) string {
	return fmt.Sprintf("\"shop\" \"%s\"\n", strings.ReplaceAll(password, `"`, `""`))
}

// put replaces the file by rename, as a refresher does.
func (p *proxy) put(text string) {
	p.t.Helper()
	fresh := filepath.Join(filepath.Dir(p.file), ".outrigger-new")
	require.NoError(p.t, os.WriteFile(fresh, []byte(text), 0o644))
	require.NoError(p.t, os.Rename(fresh, p.file))
}

func newProxy(t *testing.T, password string, env ...string) *proxy {
	t.Helper()
	programs, err := pgbouncer()
	require.NoError(t, err)
	s := newServer(t, password)
	port := harness.FreePort(t)
	place := newPlace(t)
	place.asOtherUser()
	require.NoError(t, os.Chmod(place.logs, 0o777))
	p := &proxy{t: t, server: s, file: place.path("users.txt"), state: place.state, port: port}
	config := place.path("db.ini")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `[databases]
shop = host=127.0.0.1 port=%d dbname=shop
[pgbouncer]
pool_mode = session
server_login_retry = 1
server_tls_sslmode = disable
`, s.listener.Addr().(*net.TCPAddr).Port), 0o644))
	command := place.command()
	command.Path, command.Args = filepath.Join(appletDir, "sh"), []string{"sh", filepath.Join(programs, "pgbouncer.sh"), "run"}
	command.Env = append([]string{
		"PATH=" + programs, "TOOLS=" + appletDir, "STATE_DIR=" + place.state, "AMBASSADOR=db", "AUTH_FILE=" + p.file,
		"DATABASE=shop", "CONFIG=" + config, fmt.Sprintf("LISTEN_PORT=%d", port), "PROOF_SECONDS=5",
	}, env...)
	p.shipper = run(t, command)
	return p
}

// verdict is what the script has said of the file that is there, if anything.
func (p *proxy) verdict() string {
	text, _ := os.ReadFile(p.file)
	said, _ := os.ReadFile(filepath.Join(filepath.Dir(p.file), ".outrigger-db"))
	verdict, is := strings.CutPrefix(string(said), fmt.Sprintf("%x ", sha256.Sum256(text)))
	if !is {
		return ""
	}
	return strings.TrimSuffix(verdict, "\n")
}

func (p *proxy) awaitVerdict() string {
	p.t.Helper()
	p.await(func() bool { return p.verdict() != "" }, "no verdict")
	return p.verdict()
}

func (p *proxy) await(condition func() bool, otherwise string) {
	p.t.Helper()
	require.Eventually(p.t, condition, patience, 10*time.Millisecond, "%s", otherwise)
}

// started tells what the startup probe does.
func (p *proxy) started() bool {
	command := exec.Command(p.command.Path, p.command.Args[1], "started")
	command.Env = p.command.Env
	return command.Run() == nil
}

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
		assert.Equal(t, password, p.server.lastLogin(), name)
	}
}

// Upstream's busybox counts the characters of a text, and not its bytes.
func TestAUserWithLettersOfSeveralBytesIsProven(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "secret")

	p.put("\"größe\" \"secret\"\n")

	assert.Equal(t, "accepted", p.awaitVerdict())
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
		"wrong": users("wrong"), "torn": `"shop" "firs`, "empty": "", "too long": users(strings.Repeat("x", 70000)),
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
	p.await(func() bool { return p.verdict() == "accepted" }, "it is not tried again")
}

func TestAServerThatDoesNotAnswerIsNamedAndHasRefusedNothing(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "secret")
	p.server.listener.Close()
	p.put(users("secret"))

	assert.Equal(t, "unanswered "+p.server.listener.Addr().String()+": connect failed", p.awaitVerdict())
}

func TestAServerThatSaysNothingHasRefusedNothing(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "secret", "PROOF_SECONDS=1")
	p.server.mutex.Lock() // so that it waits with its answer
	p.put(users("secret"))

	assert.Regexp(t, "^unanswered .", p.awaitVerdict())
	p.server.mutex.Unlock()
	p.await(func() bool { return p.verdict() == "accepted" }, "it is not tried again")
}

func TestAServerThatStartsOrIsFullHasRefusedNothing(t *testing.T) {
	t.Parallel()
	for _, message := range []string{"the database system is starting up", "sorry, too many clients already"} {
		t.Run(message, func(t *testing.T) {
			p := newProxy(t, "secret")
			p.server.refuseWith(message)
			p.put(users("wrong"))

			assert.Equal(t, "unanswered "+message, p.awaitVerdict())
		})
	}
}

func TestWhileANewPasswordIsRefusedARestartedContainerHasTheOneThatWorks(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first")
	p.put(users("first"))
	p.await(p.started, "it does not start")
	p.signal(syscall.SIGKILL)
	require.Error(t, p.wait())
	p.put(users("wrong"))

	again := exec.Command(p.command.Path, p.command.Args[1:]...)
	again.Env, again.Dir, again.SysProcAttr = p.command.Env, p.command.Dir, p.command.SysProcAttr
	p.shipper = run(t, again)

	assert.Regexp(t, "^refused .", p.awaitVerdict())
	p.await(p.started, "it does not start")
	require.NoError(t, p.ask())
}

func TestALongAnswerOfTheServerIsToldAndNotWhatPgBouncerRemarksOnIt(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "secret")
	p.server.refuseWith(strings.Repeat("the role may not log in, ", 12))
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
	p := newProxy(t, `it"s`, "AUTH_FILE=", "PASSWORD_FILE="+filepath.Join(volume, "password"), "USERNAME=shop")
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

	require.NoError(t, exec.Command("pkill", "-9", "-g", fmt.Sprint(p.command.Process.Pid), "-f", "pgbouncer.ini").Run())
	require.Error(t, p.wait())
	assert.Contains(t, p.output.String(), `"message":"pgbouncer ended with exit code 137"`)
}

func TestPgBouncerEndsAtOnceWhenNoClientIsLeft(t *testing.T) {
	p := newProxy(t, "first", "STOP_SECONDS=60")
	p.put(users("first"))
	p.await(p.started, "it does not start")

	begun := time.Now()
	p.signal(syscall.SIGTERM)
	require.NoError(t, p.wait())
	assert.Less(t, time.Since(begun), 30*time.Second)
}

func TestAClientThatStaysIsCutOffWhenTheTimeIsUp(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first", "STOP_SECONDS=1")
	p.put(users("first"))
	p.await(p.started, "it does not start")
	_, err := p.connect()
	require.NoError(t, err)

	p.signal(syscall.SIGTERM)
	require.NoError(t, p.wait())
}

func TestBesideAnAppThatStillWorksPgBouncerTakesNewConnectionsAndPasswords(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first", "LINGER_SECONDS=600", "QUIET_SECONDS=1", "STOP_SECONDS=60")
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

// count is how many lines of the log have a text.
func (p *proxy) count(text string) int { return strings.Count(p.output.String(), text) }

func TestARefusalIsSaidOnceWhileItIsTriedAgain(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "right", "RETRY_MAX_SECONDS=1")
	p.put(users("wrong"))
	tries := func() int {
		p.server.mutex.Lock()
		defer p.server.mutex.Unlock()
		return len(p.server.logins)
	}
	p.await(func() bool { return tries() > 3 }, "it is not tried again")
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
		t.Skip("only root can make a file that the script's user may not read")
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
	slow := t.TempDir()
	require.NoError(t, os.Chmod(slow, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(slow, "pgbouncer"), []byte("#!"+appletDir+"/sh\necho begun >&2\n"+appletDir+"/busybox sleep 5\n"+appletDir+"/busybox sleep 1000\n"), 0o755))
	p := newProxy(t, "first", "PATH="+slow, "PROOF_SECONDS=1000")
	p.put(users("first"))
	log := filepath.Join(p.state, "proof.log")
	p.await(func() bool { text, _ := os.ReadFile(log); return len(text) > 0 }, "no proof begins")

	p.signal(syscall.SIGTERM)
	require.NoError(t, p.wait())
}

package tokenserver

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	// loginLimit bounds a login, as PostgreSQL's authentication_timeout does.
	loginLimit = time.Minute
	// passwordLimit is PostgreSQL's.
	passwordLimit = 65_535
)

// login serves a connection to PostgreSQL's port.
func (s *Server) login(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(loginLimit))
	client, encrypted, startup, err := s.startup(conn)
	if err != nil || startup == nil {
		return
	}
	backend := pgproto3.NewBackend(client, client)
	user, database := startup.Parameters["user"], startup.Parameters["database"]
	if database == "" {
		database = user
	}
	login := Login{Time: time.Now(), User: user, Database: database, Application: startup.Parameters["application_name"]}
	if !encrypted {
		login.Outcome = NoEncryption
		s.store.add(login)
		host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
		refuse(backend, fmt.Sprintf("no pg_hba.conf entry for host %q, user %q, database %q, no encryption", host, user, database))
		return
	}
	negotiate(backend, startup)
	password, err := ask(backend)
	if err != nil {
		return
	}
	digest := sha256.Sum256([]byte(password))
	login.Token = hex.EncodeToString(digest[:])
	login.Outcome = s.check(&login, user, password)
	told, _ := s.now()
	if login.Outcome == Accepted && told.loginsFail != nil {
		login.Outcome = ToldToFail
	}
	login.Time = time.Now()
	number := s.store.add(login)
	switch login.Outcome {
	case Accepted:
	case ToldToFail:
		backend.Send(told.loginsFail)
		_ = backend.Flush()
		return
	default:
		refuse(backend, fmt.Sprintf("PAM authentication failed for user \"%s\"", user))
		return
	}
	defer s.store.end(number)
	s.pass(client, backend, user, database, startup.Parameters)
}

// startup negotiates encryption and returns what the client begins with, and over which connection; no startup where it
// came for something else.
func (s *Server) startup(conn net.Conn) (client net.Conn, encrypted bool, startup *pgproto3.StartupMessage, err error) {
	for {
		message, err := pgproto3.NewBackend(conn, conn).ReceiveStartupMessage()
		if err != nil {
			return nil, false, nil, err
		}
		switch message := message.(type) {
		case *pgproto3.SSLRequest:
			if encrypted {
				return nil, false, nil, errors.New("encryption in encryption")
			}
			if _, err := conn.Write([]byte("S")); err != nil {
				return nil, false, nil, err
			}
			over := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{s.config.Certificate}})
			if err := over.Handshake(); err != nil {
				return nil, false, nil, err
			}
			conn, encrypted = over, true
		case *pgproto3.GSSEncRequest:
			if _, err := conn.Write([]byte("N")); err != nil {
				return nil, false, nil, err
			}
		case *pgproto3.CancelRequest:
			return nil, false, nil, s.cancel(message)
		case *pgproto3.StartupMessage:
			return conn, encrypted, message, nil
		}
	}
}

// negotiate offers protocol 3.0, which the real server has, to a client that asks for more.
func negotiate(backend *pgproto3.Backend, startup *pgproto3.StartupMessage) {
	var options []string
	for name := range startup.Parameters {
		if strings.HasPrefix(name, "_pq_.") {
			options = append(options, name)
		}
	}
	if startup.ProtocolVersion > pgproto3.ProtocolVersion30 || len(options) > 0 {
		slices.Sort(options)
		backend.Send(&pgproto3.NegotiateProtocolVersion{UnrecognizedOptions: options})
	}
}

// ask has the client send its password in clear.
func ask(backend *pgproto3.Backend) (string, error) {
	backend.SetMaxBodyLen(passwordLimit)
	backend.Send(&pgproto3.AuthenticationCleartextPassword{})
	if err := backend.Flush(); err != nil {
		return "", err
	}
	if err := backend.SetAuthType(pgproto3.AuthTypeCleartextPassword); err != nil {
		return "", err
	}
	message, err := backend.Receive()
	if err != nil {
		return "", err
	}
	password, ok := message.(*pgproto3.PasswordMessage)
	if !ok {
		return "", fmt.Errorf("%T where a password is expected", message)
	}
	return password.Password, nil
}

func refuse(backend *pgproto3.Backend, message string) {
	backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "28000", Message: message})
	_ = backend.Flush()
}

// pass logs in to the real server, and connects the client with it until one of them ends.
func (s *Server) pass(client net.Conn, backend *pgproto3.Backend, user, database string, parameters map[string]string) {
	backend.Send(&pgproto3.AuthenticationOk{}) // RDS, too, looks for the database after the token
	upstream, err := s.connect(user, database, parameters)
	if err != nil {
		backend.Send(failure(err))
		_ = backend.Flush()
		return
	}
	defer upstream.Conn.Close()
	for _, name := range slices.Sorted(maps.Keys(upstream.ParameterStatuses)) {
		backend.Send(&pgproto3.ParameterStatus{Name: name, Value: upstream.ParameterStatuses[name]})
	}
	backend.Send(&pgproto3.BackendKeyData{ProcessID: upstream.PID, SecretKey: upstream.SecretKey})
	backend.Send(&pgproto3.ReadyForQuery{TxStatus: upstream.TxStatus})
	if backend.Flush() != nil || client.SetDeadline(time.Time{}) != nil {
		return
	}
	ended := make(chan struct{}, 2)
	relay := func(to io.Writer, from io.Reader) {
		_, _ = io.Copy(to, from)
		ended <- struct{}{}
	}
	go relay(upstream.Conn, client)
	go relay(client, upstream.reader)
	<-ended
	client.Close()
	upstream.Conn.Close()
	<-ended
}

// realSession is one of the real server's. What the server says is to be read from reader: where a write was slow, pgconn reads in
// the background, and what that has read the connection has no more.
type realSession struct {
	*pgconn.HijackedConn
	reader io.Reader
}

// connect logs in to the real server. Nothing of its answers is left to be read but what it says after the login.
func (s *Server) connect(user, database string, parameters map[string]string) (*realSession, error) {
	host, port, err := net.SplitHostPort(s.config.Upstream.Address)
	if err != nil {
		return nil, err
	}
	config, err := pgconn.ParseConfig("sslmode=disable")
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	config.Host, config.Port, config.User, config.Database = host, uint16(number), user, database
	config.Password = s.config.Upstream.Password
	config.RuntimeParams = map[string]string{}
	for name, value := range parameters {
		if name != "user" && name != "database" && !strings.HasPrefix(name, "_pq_.") {
			config.RuntimeParams[name] = value
		}
	}
	if s.dial != nil {
		config.DialFunc = s.dial
	}
	var reader io.Reader
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		reader = r
		return pgproto3.NewFrontend(r, w)
	}
	ctx, cancel := context.WithTimeout(context.Background(), loginLimit/2)
	defer cancel()
	connected, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	upstream, err := connected.Hijack()
	if err != nil {
		return nil, err
	}
	if unread := upstream.Frontend.ReadBufferLen(); unread > 0 {
		upstream.Conn.Close()
		return nil, fmt.Errorf("%d bytes of the real server would be lost", unread)
	}
	return &realSession{upstream, reader}, nil
}

// failure is why the real server took no session, in its own words where it has any. A server that is down is one that does not
// yet take connections.
func failure(err error) *pgproto3.ErrorResponse {
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return &pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "57P03", Message: "the database system is not reachable: " + err.Error()}
	}
	return &pgproto3.ErrorResponse{
		Severity: said.Severity, SeverityUnlocalized: said.SeverityUnlocalized, Code: said.Code, Message: said.Message,
		Detail: said.Detail, Hint: said.Hint,
	}
}

// cancel passes a request on, and waits until the real server has taken it.
func (s *Server) cancel(request *pgproto3.CancelRequest) error {
	upstream, err := net.DialTimeout("tcp", s.config.Upstream.Address, loginLimit/2)
	if err != nil {
		return err
	}
	defer upstream.Close()
	_ = upstream.SetDeadline(time.Now().Add(loginLimit / 2))
	message, err := request.Encode(nil)
	if err != nil {
		return err
	}
	if _, err = upstream.Write(message); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, upstream)
	return err
}

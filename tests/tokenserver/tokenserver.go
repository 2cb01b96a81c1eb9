// Package tokenserver is what the tests of token refreshers log in to: a front for a PostgreSQL server that checks IAM
// tokens as RDS does, and the part of STS that issues the credentials by which tokens are signed.
//
// PostgreSQL's port refuses whoever does not encrypt, asks for the password in clear, and takes none but tokens as
// `aws rds generate-db-auth-token` makes them. It refuses each other with the one message that RDS has for all; Report
// and Logins tell the reason. A session that is accepted is passed to the real server, and outlives its token.
//
// STS, over HTTP and HTTPS, answers AssumeRoleWithWebIdentity with temporary credentials, whoever asks, and
// GetCallerIdentity, whose signature and date it checks. What it issued stays valid when a server of the same Key starts
// again.
//
// The control port answers
//
//	GET  /report
//	GET  /logins?after=NUMBER                                Logins
//	GET  /wait?accepted=N&refused=N&tokens=N&limit=DURATION  Wait: Report, with status 504 where it is not so in time
//	POST /behave?…                                           as Server.Behave
//	POST /forget
//	POST /disconnect
//	GET  /healthz
package tokenserver

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/jackc/pgx/v5/pgconn"
)

// Addresses are HOST:PORT of each listener; an empty one stands for no listener. Port 0 takes a free one, which
// Server.Addresses tells after Start.
type Addresses struct{ Postgres, STS, STSTLS, Control string }

// Upstream is the real PostgreSQL server.
type Upstream struct {
	Address  string // HOST:PORT
	Password string // of every role that logs in
}

// Config is what a Server is made from.
type Config struct {
	Addresses
	Endpoint    string          // HOST:PORT for which tokens have to be made
	Certificate tls.Certificate // of PostgreSQL's port, and of STS over HTTPS
	Upstream    Upstream
	Key         aws.Credentials // long-lived; the temporary ones that STS issues come from it
	Behaviour   string          // that of the start: a query of Server.Behave
}

// Server checks tokens. Its methods may be called at any time, by any number of callers.
type Server struct {
	config Config
	dial   pgconn.DialFunc // connects to the real server; nil for pgconn's own
	signer *v4.Signer
	store  store

	changing  sync.Mutex // guards what follows
	behaviour behaviour
	initial   behaviour
	at        Addresses
	stops     []func()
	open      map[net.Conn]bool // connections to PostgreSQL's port
	closed    bool
	serving   sync.WaitGroup
}

// New returns a server that does not listen yet.
func New(c Config) (*Server, error) {
	initial, err := defaults.changed(c.Behaviour, defaults)
	if err != nil {
		return nil, err
	}
	if c.Key.AccessKeyID == "" || c.Key.SecretAccessKey == "" {
		return nil, errors.New("the long-lived key is missing")
	}
	s := &Server{config: c, signer: v4.NewSigner(), behaviour: initial, initial: initial, at: c.Addresses, open: map[net.Conn]bool{}}
	s.store.forget()
	return s, nil
}

// Start opens the listeners. After an error none is open.
func (s *Server) Start() error {
	encrypted := &tls.Config{Certificates: []tls.Certificate{s.config.Certificate}}
	for _, l := range []struct {
		address *string
		serve   func(net.Listener)
	}{
		{&s.at.Postgres, s.servePostgres},
		{&s.at.STS, func(l net.Listener) { s.serveHTTP(l, s.sts()) }},
		{&s.at.STSTLS, func(l net.Listener) { s.serveHTTP(tls.NewListener(l, encrypted), s.sts()) }},
		{&s.at.Control, func(l net.Listener) { s.serveHTTP(l, s.Controls()) }},
	} {
		if *l.address == "" {
			continue
		}
		listener, err := net.Listen("tcp", *l.address)
		if err != nil {
			s.Close()
			return err
		}
		s.changing.Lock()
		*l.address = listener.Addr().String()
		s.stops = append(s.stops, func() { listener.Close() })
		s.changing.Unlock()
		l.serve(listener)
	}
	return nil
}

// Addresses returns where the server listens.
func (s *Server) Addresses() Addresses {
	s.changing.Lock()
	defer s.changing.Unlock()
	return s.at
}

// Close closes the listeners and every session. What was recorded can still be asked for.
func (s *Server) Close() {
	s.changing.Lock()
	s.closed = true
	stops := s.stops
	s.stops = nil
	s.changing.Unlock()
	for _, stop := range stops {
		stop()
	}
	s.Disconnect()
	s.serving.Wait()
}

// Disconnect closes every connection to PostgreSQL's port, as when the server starts again.
func (s *Server) Disconnect() {
	s.changing.Lock()
	defer s.changing.Unlock()
	for conn := range s.open {
		conn.Close()
	}
}

func (s *Server) serveHTTP(l net.Listener, handler http.Handler) {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // handshakes that clients break off
	}
	s.changing.Lock()
	s.stops = append(s.stops, func() { server.Close() })
	s.changing.Unlock()
	s.serving.Go(func() { _ = server.Serve(l) })
}

func (s *Server) servePostgres(l net.Listener) {
	s.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil { // too many open files, say
				time.Sleep(100 * time.Millisecond)
				continue
			}
			if !s.opened(conn) {
				conn.Close()
				return
			}
			s.serving.Go(func() {
				defer s.ended(conn)
				s.login(conn)
			})
		}
	})
}

// opened remembers a connection, unless the server is closed.
func (s *Server) opened(conn net.Conn) bool {
	s.changing.Lock()
	defer s.changing.Unlock()
	if s.closed {
		return false
	}
	s.open[conn] = true
	return true
}

func (s *Server) ended(conn net.Conn) {
	conn.Close()
	s.changing.Lock()
	defer s.changing.Unlock()
	delete(s.open, conn)
}

// now returns the behaviour of the moment, and the time by the server's clock.
func (s *Server) now() (behaviour, time.Time) {
	s.changing.Lock()
	defer s.changing.Unlock()
	return s.behaviour, time.Now().Add(s.behaviour.clockOffset)
}

// Wait returns as soon as the counts of a report are as large as those that are given, or else when the context ends:
// the report of then, and whether they are.
func (s *Server) Wait(ctx context.Context, accepted, refused, tokens int) (Report, bool) {
	for {
		report, changed := s.store.report()
		if report.Accepted >= accepted && report.refused() >= refused && report.Tokens >= tokens {
			return report, true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return report, false
		}
	}
}

// Report returns what happened since the start, or since Forget.
func (s *Server) Report() Report {
	report, _ := s.store.report()
	return report
}

// Logins returns the last 10,000 logins whose number is above one, the oldest first.
func (s *Server) Logins(after int) []Login { return s.store.since(after) }

// Forget forgets all logins and calls. Sessions stay, and logins are numbered on.
func (s *Server) Forget() { s.store.forget() }

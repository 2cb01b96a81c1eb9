// Package backend is what the tests of log shipping send to: it receives OTLP over gRPC, HTTP and HTTPS, remembers
// which numbered lines arrived how often and what the last records looked like, and fails on request. Requests may be up
// to 64 MiB, unpacked.
//
// Its control port answers
//
//	GET  /report?prefix=P&count=N        Report
//	GET  /records?contains=TEXT&last=N   []Record
//	GET  /counts                         Counts
//	GET  /latency                        Latency
//	POST /behave?mode=…                  as Backend.Behave
//	POST /forget
//	GET  /healthz
package backend

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// sizeLimit is how many bytes a request may have, unpacked.
const sizeLimit = 64 << 20

// graceful is how long requests that are being answered have when the listeners close.
const graceful = 2 * time.Second

// Addresses are HOST:PORT of each listener; an empty one stands for no listener.
type Addresses struct{ GRPC, HTTP, HTTPS string }

// Config says where a backend listens. Port 0 takes a free one, which Addresses tells after Start.
type Config struct {
	Addresses
	Certificate tls.Certificate // for HTTPS
}

// Backend receives and remembers. Its methods may be called at any time, by any number of callers.
type Backend struct {
	certificate tls.Certificate
	store       store

	changing sync.Mutex // held while listeners or the mode change
	closed   bool
	at       Addresses
	servers  []server // those of OTLP that listen; none while connections are refused

	mode behaviours
}

// server is a listening server of OTLP.
type server struct {
	listener net.Listener                // closed first: a server that has only just begun to serve does not know it yet
	shut     func(context.Context) error // lets requests finish until the context ends
	close    func()
}

// New returns a backend that remembers nothing and does not listen yet.
func New(c Config) *Backend {
	b := &Backend{at: c.Addresses, certificate: c.Certificate}
	b.store.forget()
	b.mode.set(behaviour{mode: modeOK})
	return b
}

// Start opens the listeners. After an error none is open.
func (b *Backend) Start() error {
	b.changing.Lock()
	defer b.changing.Unlock()
	return b.open()
}

// Addresses returns where the backend listens, or does again once it no longer refuses connections.
func (b *Backend) Addresses() Addresses {
	b.changing.Lock()
	defer b.changing.Unlock()
	return b.at
}

// Close closes the listeners for good. What was remembered can still be asked for.
func (b *Backend) Close() {
	b.changing.Lock()
	defer b.changing.Unlock()
	b.closed = true
	b.mode.set(behaviour{mode: modeRefuse})
	b.shut()
}

// open opens OTLP's listeners, unless they are open.
func (b *Backend) open() error {
	if len(b.servers) > 0 {
		return nil
	}
	for _, l := range []struct {
		address *string
		serve   func(net.Listener) server
	}{
		{&b.at.GRPC, b.serveGRPC},
		{&b.at.HTTP, b.serveHTTP},
		{&b.at.HTTPS, b.serveHTTPS},
	} {
		if *l.address == "" {
			continue
		}
		listener, err := net.Listen("tcp", *l.address)
		if err != nil {
			b.shut()
			return err
		}
		*l.address = listener.Addr().String()
		b.servers = append(b.servers, l.serve(listener))
	}
	return nil
}

// shut closes OTLP's listeners and connections. Requests whose records are remembered are answered first, so that
// nobody sends them again.
func (b *Backend) shut() {
	ctx, cancel := context.WithTimeout(context.Background(), graceful)
	defer cancel()
	var all sync.WaitGroup
	for _, s := range b.servers {
		s.listener.Close()
	}
	for _, s := range b.servers {
		all.Go(func() {
			if s.shut(ctx) != nil {
				s.close()
			}
		})
	}
	all.Wait()
	b.servers = nil
}

func (b *Backend) serveHTTP(l net.Listener) server {
	s := b.httpServer()
	go s.Serve(l)
	return server{l, s.Shutdown, func() { s.Close() }}
}

func (b *Backend) serveHTTPS(l net.Listener) server {
	s := b.httpServer()
	s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{b.certificate}}
	go s.ServeTLS(l, "", "")
	return server{l, s.Shutdown, func() { s.Close() }}
}

func (b *Backend) serveGRPC(l net.Listener) server {
	s := b.grpcServer()
	go s.Serve(l)
	return server{l, func(ctx context.Context) error { return stopGRPC(ctx, s) }, s.Stop}
}

func stopGRPC(ctx context.Context, s *grpc.Server) error {
	stopped := make(chan struct{})
	go func() { s.GracefulStop(); close(stopped) }()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errClosed = errors.New("the backend is closed")

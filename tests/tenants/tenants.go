// Package tenants lets one process be a server for each of many tests: each is a tenant with ports and a state of its own.
//
//	PUT    /tenants/NAME      opens one; its body is what Open takes, and the answer the first of its ports
//	DELETE /tenants/NAME      closes it
//	*      /tenants/NAME/...  is what the tenant's own control port answers
package tenants

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Healthy is what a tenant answers at /healthz of each of its ports of HTTP, by which it is told from whoever else might answer
// there.
const Healthy = "a tenant of the tests"

// Tenant is a server of one test.
type Tenant interface {
	Controls() http.Handler
	Close()
}

// Each tenant has as many ports, from the first on: below those that the kernel gives to whoever asks for any, so that a
// tenant who closes a port finds it free again.
const (
	firstPort     = 10_000
	portsOfTenant = 10
	lastPort      = 30_000
)

// Server opens tenants, and leads to them.
type Server struct {
	// Open makes a tenant from the body of a request. Its ports are those from the one given on.
	Open func(settings []byte, port int) (tenant Tenant, err error)

	mutex  sync.Mutex
	open   map[string]Tenant
	opened int
}

// ServeHTTP answers what is asked below /tenants/.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /tenants/{name}", s.put)
	mux.HandleFunc("DELETE /tenants/{name}", func(_ http.ResponseWriter, r *http.Request) { s.close(r.PathValue("name")) })
	mux.HandleFunc("/tenants/{name}/", s.pass)
	mux.ServeHTTP(w, r)
}

// Close closes every tenant.
func (s *Server) Close() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for name, tenant := range s.open {
		tenant.Close()
		delete(s.open, name)
	}
}

// Serve answers a control port until a signal comes: what is asked below /tenants/ by the tenants, all else by the process' own
// handler.
func Serve(address string, own http.Handler, tenants *Server, ended <-chan os.Signal) error {
	mux := http.NewServeMux()
	mux.Handle("/", own)
	mux.Handle("/tenants/", tenants)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	defer server.Close()
	select {
	case <-ended:
		return nil
	case err := <-failed:
		return err
	}
}

func (s *Server) put(w http.ResponseWriter, r *http.Request) {
	settings, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	name := r.PathValue("name")
	s.close(name) // who asks again has not heard the answer
	s.mutex.Lock()
	defer s.mutex.Unlock()
	port := firstPort + s.opened*portsOfTenant
	s.opened++
	if port > lastPort {
		http.Error(w, "there were too many tenants", http.StatusInsufficientStorage)
		return
	}
	tenant, err := s.Open(settings, port)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if s.open == nil {
		s.open = map[string]Tenant{}
	}
	s.open[name] = tenant
	fmt.Fprintln(w, port)
}

func (s *Server) close(name string) {
	s.mutex.Lock()
	tenant := s.open[name]
	delete(s.open, name)
	s.mutex.Unlock()
	if tenant != nil {
		tenant.Close()
	}
}

func (s *Server) pass(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	s.mutex.Lock()
	tenant := s.open[name]
	s.mutex.Unlock()
	if tenant == nil {
		http.Error(w, "no tenant "+name, http.StatusNotFound)
		return
	}
	http.StripPrefix("/tenants/"+name, tenant.Controls()).ServeHTTP(w, r)
}

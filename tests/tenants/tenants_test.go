package tenants

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// told is a tenant that answers what it was opened with.
type told struct {
	settings string
	port     int
	closed   *[]string
}

func (t told) Controls() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s at %d is asked for %s", t.settings, t.port, r.URL.Path)
	})
}

func (t told) Close() { *t.closed = append(*t.closed, t.settings) }

func newServer() (*Server, *[]string) {
	closed := &[]string{}
	return &Server{Open: func(settings []byte, port int) (Tenant, error) {
		if string(settings) == "wrong" {
			return nil, errors.New("these settings are wrong")
		}
		return told{string(settings), port, closed}, nil
	}}, closed
}

func ask(s *Server, method, path, body string) string {
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest(method, path, strings.NewReader(body)))
	text, _ := io.ReadAll(answer.Body)
	return fmt.Sprintf("%d %s", answer.Code, strings.TrimSpace(string(text)))
}

func TestEachTenantHasPortsAndAStateOfItsOwn(t *testing.T) {
	s, _ := newServer()

	assert.Equal(t, "200 10000", ask(s, "PUT", "/tenants/a", "A"))
	assert.Equal(t, "200 10010", ask(s, "PUT", "/tenants/b", "B"))

	assert.Equal(t, "200 A at 10000 is asked for /report", ask(s, "GET", "/tenants/a/report", ""))
	assert.Equal(t, "200 B at 10010 is asked for /report", ask(s, "GET", "/tenants/b/report", ""))
	assert.Equal(t, "404 no tenant c", ask(s, "GET", "/tenants/c/report", ""))
}

func TestATenantWhoIsOpenedAgainBeginsAnew(t *testing.T) {
	s, closed := newServer()
	ask(s, "PUT", "/tenants/a", "first")

	assert.Equal(t, "200 10010", ask(s, "PUT", "/tenants/a", "second"), "nobody gets the ports of one who was there")

	assert.Equal(t, []string{"first"}, *closed)
	assert.Equal(t, "200 second at 10010 is asked for /", ask(s, "GET", "/tenants/a/", ""))
}

func TestATenantWhoIsClosedIsGoneAndTheOthersStay(t *testing.T) {
	s, closed := newServer()
	ask(s, "PUT", "/tenants/a", "A")
	ask(s, "PUT", "/tenants/b", "B")

	ask(s, "DELETE", "/tenants/a", "")

	assert.Equal(t, []string{"A"}, *closed)
	assert.Equal(t, "404 no tenant a", ask(s, "GET", "/tenants/a/report", ""))
	assert.Equal(t, "200 B at 10010 is asked for /report", ask(s, "GET", "/tenants/b/report", ""))
	s.Close()
	assert.Equal(t, []string{"A", "B"}, *closed)
}

func TestATenantThatCannotBeOpenedIsToldWhy(t *testing.T) {
	s, _ := newServer()

	assert.Equal(t, "400 these settings are wrong", ask(s, "PUT", "/tenants/a", "wrong"))

	assert.Equal(t, "404 no tenant a", ask(s, "GET", "/tenants/a/report", ""))
}

package backend

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The modes of Behave.
const (
	modeOK     = "ok"
	modeStatus = "status"
	modeHang   = "hang"
	modeReset  = "reset"
	modeRefuse = "refuse"
)

// behaviour is what happens to requests.
type behaviour struct {
	mode       string
	code       int           // of HTTP
	retryAfter int           // seconds; 0: not said
	ended      chan struct{} // closed when another behaviour takes its place
}

// behaviours holds the behaviour of the moment.
type behaviours struct{ now atomic.Pointer[behaviour] }

// set releases the requests that hang.
func (b *behaviours) set(next behaviour) {
	next.ended = make(chan struct{})
	if last := b.now.Swap(&next); last != nil {
		close(last.ended)
	}
}

// Behave sets what happens to requests of OTLP from now on, until it is called again. Requests that fail are counted and
// leave no records. The behaviour is a URL query:
//
//	mode=ok
//	mode=status&code=500               every request fails so; gRPC answers what comes next to it
//	mode=status&code=429&retryAfter=2  the same, with how many seconds to wait
//	mode=hang                          no answer until the mode changes, then an error (503, Unavailable)
//	mode=reset                         requests are read, then their TCP connection is reset
//	mode=refuse                        connections are refused; everything remembered stays
//
// What comes next in gRPC is InvalidArgument for 400, Unauthenticated for 401, PermissionDenied for 403,
// ResourceExhausted for 429 and Unavailable for all else, with RetryInfo where retryAfter is given.
func (b *Backend) Behave(query string) error {
	next, err := parseBehaviour(query)
	if err != nil {
		return err
	}
	b.changing.Lock()
	defer b.changing.Unlock()
	if b.closed {
		return errClosed
	}
	b.mode.set(next)
	if next.mode == modeRefuse {
		b.shut()
		return nil
	}
	return b.open()
}

func parseBehaviour(query string) (behaviour, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return behaviour{}, err
	}
	known := map[string]bool{"mode": true}
	next := behaviour{mode: values.Get("mode")}
	switch next.mode {
	case modeOK, modeHang, modeReset, modeRefuse:
	case modeStatus:
		known["code"], known["retryAfter"] = true, true
		if next.code, err = strconv.Atoi(values.Get("code")); err != nil || next.code < 400 || next.code > 599 {
			return behaviour{}, fmt.Errorf("code=%s: expected 400 to 599", values.Get("code"))
		}
		if after := values.Get("retryAfter"); after != "" {
			if next.retryAfter, err = strconv.Atoi(after); err != nil || next.retryAfter < 1 {
				return behaviour{}, fmt.Errorf("retryAfter=%s: expected whole seconds, 1 or more", after)
			}
		}
	default:
		return behaviour{}, fmt.Errorf("mode=%s: expected %s, %s, %s, %s or %s", next.mode, modeOK, modeStatus, modeHang, modeReset, modeRefuse)
	}
	for key := range values {
		if !known[key] {
			return behaviour{}, fmt.Errorf("%s: mode=%s does not know it", key, next.mode)
		}
	}
	return next, nil
}

// wait returns when a request that hangs is released, or its client gave up.
func (b *behaviour) wait(ctx context.Context) {
	select {
	case <-b.ended:
	case <-ctx.Done():
	}
}

// grpcStatus is a failure in gRPC's terms.
func grpcStatus(code int) *status.Status {
	answer, known := map[int]codes.Code{
		http.StatusBadRequest:      codes.InvalidArgument,
		http.StatusUnauthorized:    codes.Unauthenticated,
		http.StatusForbidden:       codes.PermissionDenied,
		http.StatusTooManyRequests: codes.ResourceExhausted,
	}[code]
	if !known {
		answer = codes.Unavailable
	}
	return status.New(answer, fmt.Sprintf("told to fail with %d", code))
}

// reset ends a TCP connection so that its client sees a reset.
func reset(conn net.Conn) {
	if encrypted, ok := conn.(*tls.Conn); ok {
		conn = encrypted.NetConn()
	}
	if plain, ok := conn.(*net.TCPConn); ok {
		_ = plain.SetLinger(0)
	}
	conn.Close()
}

package tokenserver

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// upstream stands for PostgreSQL. It takes one password from every role, digested as MD5, and answers a query with what
// the startup had by that name.
type upstream struct {
	address, password string
	listener          net.Listener
	mutex             sync.Mutex
	requested         []uint32
}

func newUpstream(t *testing.T, password string) *upstream {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	u := &upstream{address: listener.Addr().String(), password: password, listener: listener}
	t.Cleanup(u.close)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go u.serve(conn)
		}
	}()
	return u
}

func (u *upstream) close() { u.listener.Close() }

// cancelled are the processes whose queries were to be cancelled.
func (u *upstream) cancelled() []uint32 {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	return u.requested
}

func md5Of(text string) string {
	digest := md5.Sum([]byte(text))
	return hex.EncodeToString(digest[:])
}

func (u *upstream) serve(conn net.Conn) {
	defer conn.Close()
	backend := pgproto3.NewBackend(conn, conn)
	message, err := backend.ReceiveStartupMessage()
	if err != nil {
		return
	}
	if cancel, ok := message.(*pgproto3.CancelRequest); ok {
		u.mutex.Lock()
		defer u.mutex.Unlock()
		u.requested = append(u.requested, cancel.ProcessID)
		return
	}
	parameters := message.(*pgproto3.StartupMessage).Parameters
	salt := [4]byte{1, 2, 3, 4}
	fail := func(code, text string) {
		backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: code, Message: text})
		_ = backend.Flush()
	}
	backend.Send(&pgproto3.AuthenticationMD5Password{Salt: salt})
	if backend.Flush() != nil || backend.SetAuthType(pgproto3.AuthTypeMD5Password) != nil {
		return
	}
	message, err = backend.Receive()
	if err != nil {
		return
	}
	if message.(*pgproto3.PasswordMessage).Password != "md5"+md5Of(md5Of(u.password+parameters["user"])+string(salt[:])) {
		fail("28P01", "password authentication failed")
		return
	}
	if parameters["database"] == "missing" {
		fail("3D000", `database "missing" does not exist`)
		return
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	backend.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: "15.0 (of a test)"})
	backend.Send(&pgproto3.BackendKeyData{ProcessID: 4711, SecretKey: []byte{1, 2, 3, 4}})
	for {
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if backend.Flush() != nil {
			return
		}
		message, err := backend.Receive()
		if err != nil {
			return
		}
		query, ok := message.(*pgproto3.Query)
		if !ok {
			return
		}
		backend.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("value"), DataTypeOID: 25, DataTypeSize: -1}}})
		backend.Send(&pgproto3.DataRow{Values: [][]byte{[]byte(parameters[query.String])}})
		backend.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
	}
}

// dialSlowly connects to a server by a connection whose writes end when the server has long answered, as on a busy machine.
func dialSlowly(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	return slowConn{conn}, err
}

type slowConn struct{ net.Conn }

func (c slowConn) Write(data []byte) (int, error) {
	n, err := c.Conn.Write(data)
	time.Sleep(100 * time.Millisecond)
	return n, err
}

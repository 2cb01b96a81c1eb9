package harness

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// FreePort returns a port of this machine's loopback on which nobody listens, below those that the system gives to who asks for
// any: a connection that is made meanwhile does not take it.
func FreePort(t testing.TB) int {
	t.Helper()
	for {
		port := 10_000 + rand.IntN(20_000)
		if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			require.NoError(t, listener.Close())
			return port
		}
	}
}

// FreeAddress is FreePort as HOST:PORT.
func FreeAddress(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", FreePort(t))
}

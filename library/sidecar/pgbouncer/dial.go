package pgbouncer

import (
	"context"
	"net"
	"time"
)

// dialUntil connects as soon as somebody listens.
func dialUntil(ctx context.Context, network, address string) (net.Conn, error) {
	for {
		connection, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil || ctx.Err() != nil {
			return connection, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

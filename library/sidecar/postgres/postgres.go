// Package postgres asks a PostgreSQL server, or a pooler before one, for one row, and says how that ended for the
// credential.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

// Target is whom to ask, and as whom. The connection has no TLS: it is for what listens in the pod.
type Target struct {
	Host     string // an address, or the folder of a Unix socket
	Port     int
	User     string
	Password string
	Database string
	// Dial connects; nil for an attempt without patience.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// nothing leaves nothing to variables of PostgreSQL's clients (PGHOST, PGOPTIONS, …), which a configuration is read
// from as well.
const nothing = "host=/ port=1 user=- dbname=- password=- passfile=/dev/null " +
	"sslmode=disable sslcertmode=disable sslnegotiation=postgres channel_binding=disable require_auth='' " +
	"target_session_attrs=any connect_timeout=0 min_protocol_version=3.0 max_protocol_version=3.0"

// Connect returns a session.
func Connect(ctx context.Context, target Target) (*pgconn.PgConn, error) {
	config, err := pgconn.ParseConfig(nothing)
	if err != nil {
		return nil, err
	}
	config.Host, config.Port = target.Host, uint16(target.Port)
	config.User, config.Password, config.Database = target.User, target.Password, target.Database
	config.RuntimeParams = map[string]string{}
	if target.Dial != nil {
		config.DialFunc = target.Dial
	}
	return pgconn.ConnectConfig(ctx, config)
}

// Ask asks for one row until the context ends, and returns the verdict on the credential, without its Sum.
func Ask(ctx context.Context, target Target) proof.Verdict {
	begun := time.Now()
	err := row(ctx, target)
	if err == nil {
		return proof.Verdict{Outcome: proof.Accepted}
	}
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return proof.Verdict{Outcome: outcome(said.Code, said.Message), SQLState: said.Code, Reason: Line(said.Message)}
	}
	return proof.Verdict{Outcome: proof.Unanswered, Reason: silence(ctx, begun, err)}
}

func row(ctx context.Context, target Target) error {
	session, err := Connect(ctx, target)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = session.Close(closing)
	}()
	// By the extended protocol, as a pooler may forbid the simple one.
	return session.ExecParams(ctx, "SELECT 1", nil, nil, nil, nil).Read().Err
}

// silence says in a line why there is no answer.
func silence(ctx context.Context, begun time.Time, err error) string {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.DeadlineExceeded) {
		return Line(cause.Error())
	}
	if deadline, has := ctx.Deadline(); has && ctx.Err() != nil {
		return fmt.Sprintf("no answer within %g seconds", deadline.Sub(begun).Round(100*time.Millisecond).Seconds())
	}
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) {
		err = connecting.Unwrap() // without the user's name before it
	}
	return Line(err.Error())
}

// Line is a text in a line: each control character is a space.
func Line(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text))
}

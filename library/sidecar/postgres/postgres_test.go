package postgres

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

// server speaks with each client as a script has it, after what the client says first.
func server(t *testing.T, script func(*pgproto3.Backend)) Target {
	return listen(t, func(backend *pgproto3.Backend, _ *pgproto3.StartupMessage) { script(backend) })
}

// listen listens on a Unix socket.
func listen(t *testing.T, script func(*pgproto3.Backend, *pgproto3.StartupMessage)) Target {
	t.Helper()
	folder, err := os.MkdirTemp("", "pg")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	listener, err := net.Listen("unix", filepath.Join(folder, ".s.PGSQL.5432"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				backend := pgproto3.NewBackend(connection, connection)
				message, _ := backend.ReceiveStartupMessage()
				if startup, is := message.(*pgproto3.StartupMessage); is {
					script(backend, startup)
				}
			}()
		}
	}()
	return Target{Host: folder, Port: 5432, User: "shop", Database: "shop"}
}

func refusal(sqlState, message string) *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{Severity: "FATAL", Code: sqlState, Message: message}
}

// fails sends each client an error.
func fails(sqlState, message string) func(*pgproto3.Backend) {
	return func(backend *pgproto3.Backend) {
		backend.Send(refusal(sqlState, message))
		_ = backend.Flush()
	}
}

// admits lets each client in, and answers its query.
func admits(answer ...pgproto3.BackendMessage) func(*pgproto3.Backend) {
	return func(backend *pgproto3.Backend) {
		backend.Send(&pgproto3.AuthenticationOk{})
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		for backend.Flush() == nil {
			message, err := backend.Receive()
			if err != nil {
				return
			}
			if _, ends := message.(*pgproto3.Sync); ends {
				for _, part := range answer {
					backend.Send(part)
				}
				backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
			}
		}
	}
}

func TestTheSQLStateAndOfPoolersTheTextIsWhatAnAnswerMeans(t *testing.T) {
	for message, test := range map[string]struct {
		sqlState string
		outcome  proof.Outcome
	}{
		`password authentication failed for user "shop"`:                        {"28P01", proof.Refused},
		`Passwort-Authentifizierung für Benutzer »shop« fehlgeschlagen`:         {"28P01", proof.Refused},
		`authentification par mot de passe échouée pour l'utilisateur « shop »`: {"28P01", proof.Refused},
		`PAM authentication failed for user "shop"`:                             {"28000", proof.Refused},
		`pg_hba.conf rejects connection for host "10.0.0.1", user "shop"`:       {"28000", proof.Refused},
		`role "shop" is not permitted to log in`:                                {"28000", proof.Refused},

		`database "shop" does not exist`:                         {"3D000", proof.Misconfigured},
		`permission denied for database "shop"`:                  {"42501", proof.Misconfigured},
		`unrecognized configuration parameter "x"`:               {"42704", proof.Misconfigured},
		`database "shop" is not currently accepting connections`: {"55000", proof.Misconfigured},
		"sorry, too many clients already":                        {"53300", proof.Unanswered},
		"désolé, trop de clients sont déjà connectés":            {"53300", proof.Unanswered},
		"zu viele Verbindungen für Rolle »shop«":                 {"53300", proof.Unanswered},
		"out of memory":                                                   {"53200", proof.Unanswered},
		"the database system is starting up":                              {"57P03", proof.Unanswered},
		"terminating connection due to administrator command":             {"57P01", proof.Unanswered},
		"could not open relation mapping file":                            {"58P01", proof.Unanswered},
		"Tenant or user not found":                                        {"XX000", proof.Unanswered},
		"no more connections allowed (max_client_conn)":                   {"08P01", proof.Unanswered},
		"client connections exceeded (max_db_client_connections)":         {"08P01", proof.Unanswered},
		"Max client connections reached":                                  {"08P01", proof.Unanswered},
		"Timed-out waiting to acquire database connection":                {"08P01", proof.Unanswered},
		"query_wait_timeout":                                              {"08P01", proof.Unanswered},
		"server login has been failing, cached error: connect failed (x)": {"08P01", proof.Unanswered},
		"password authentication failed":                                  {"08P01", proof.Refused},
		"SASL authentication failed":                                      {"08P01", proof.Refused},
		`"trust" authentication failed`:                                   {"08P01", proof.Refused},
		"no such user":                                                    {"08P01", proof.Refused},
		"server login failed: wrong password type":                        {"08P01", proof.Refused},
		"no SQLSTATE at all":                                              {"", proof.Unanswered},
	} {
		t.Run(message, func(t *testing.T) {
			verdict := Ask(t.Context(), server(t, fails(test.sqlState, message)))

			assert.Equal(t, proof.Verdict{Outcome: test.outcome, SQLState: test.sqlState, Reason: message}, verdict)
		})
	}
}

func TestARowIsAccepted(t *testing.T) {
	verdict := Ask(t.Context(), server(t, admits(
		&pgproto3.ParseComplete{}, &pgproto3.BindComplete{},
		&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("one"), DataTypeOID: 23}}},
		&pgproto3.DataRow{Values: [][]byte{[]byte("1")}}, &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})))

	assert.Equal(t, proof.Verdict{Outcome: proof.Accepted}, verdict)
}

func TestAnErrorInPlaceOfTheRowIsReadAsOneOfTheLogin(t *testing.T) {
	verdict := Ask(t.Context(), server(t, admits(refusal("42501", "permission denied"))))

	assert.Equal(t, proof.Verdict{Outcome: proof.Misconfigured, SQLState: "42501", Reason: "permission denied"}, verdict)
}

func TestAMessageIsALineInAVerdict(t *testing.T) {
	verdict := Ask(t.Context(), server(t, fails("28000", "first\r\nsecond\tthird\n")))

	assert.Equal(t, "first  second third", verdict.Reason)
}

func TestNoAnswerIsUnansweredAndSaysWhy(t *testing.T) {
	t.Run("silence", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		target := server(t, func(backend *pgproto3.Backend) { _, _ = backend.Receive() })

		assert.Equal(t, proof.Verdict{Outcome: proof.Unanswered, Reason: "no answer within 0.1 seconds"}, Ask(ctx, target))
	})
	t.Run("a connection that is closed", func(t *testing.T) {
		verdict := Ask(t.Context(), server(t, func(*pgproto3.Backend) {}))

		assert.Equal(t, proof.Unanswered, verdict.Outcome)
		assert.Contains(t, verdict.Reason, "EOF")
	})
	t.Run("nobody there", func(t *testing.T) {
		verdict := Ask(t.Context(), Target{Host: t.TempDir(), Port: 5432, User: "shop", Database: "shop"})

		assert.Equal(t, proof.Unanswered, verdict.Outcome)
		assert.Contains(t, verdict.Reason, "no such file or directory")
		assert.NotContains(t, verdict.Reason, "shop")
	})
	t.Run("the end of who asks", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("it ended"))

		assert.Equal(t, "it ended", Ask(ctx, server(t, admits())).Reason)
	})
}

func TestTheEnvironmentHasNoPartInASession(t *testing.T) {
	for name, value := range map[string]string{
		"PGHOST": "a,b", "PGUSER": "other", "PGDATABASE": "other", "PGOPTIONS": "-c x=1", "PGAPPNAME": "x",
		"PGSSLMODE":     "verify-full",
		"PGSSLROOTCERT": "/nowhere", "PGTARGETSESSIONATTRS": "standby", "PGCONNECT_TIMEOUT": "x", "PGTZ": "UTC",
		"PGPORT": "x", "PGREQUIREAUTH": "gss", "PGCHANNELBINDING": "require", "PGMINPROTOCOLVERSION": "3.2",
	} {
		t.Setenv(name, value)
	}
	parameters := make(chan map[string]string, 1)
	target := listen(t, func(_ *pgproto3.Backend, startup *pgproto3.StartupMessage) { parameters <- startup.Parameters })

	verdict := Ask(t.Context(), target)

	require.Contains(t, verdict.Reason, "EOF", "it came to a connection")
	assert.Equal(t, map[string]string{"user": "shop", "database": "shop"}, <-parameters)
}

package pgbouncer

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/files"
	"github.com/outrigger-charts/outrigger/library/sidecar/postgres"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

// prover proves passwords by a pgbouncer of its own, which has no connection that was made with another one. It listens
// on a Unix socket in a folder that nobody else enters.
type prover struct {
	config   document.PgBouncer
	settings map[string]string
	place    place
}

var errProverEnded = errors.New("it ended")

// prove returns how the proof of a credential ended, which the end of the context cuts short.
func (p prover) prove(ctx context.Context, candidate *credential) proof.Verdict {
	verdict := p.outcome(ctx, candidate)
	verdict.Sum = candidate.sum
	return verdict
}

func (p prover) outcome(ctx context.Context, candidate *credential) proof.Verdict {
	user, err := firstUser(candidate.users)
	if err != nil {
		return proof.Verdict{Outcome: proof.Refused, Reason: err.Error()}
	}
	configPath, err := p.write(candidate)
	if err != nil {
		return proof.Verdict{Outcome: proof.Unanswered, Reason: postgres.Line(err.Error())}
	}
	log := &proofLog{}
	running, err := start(p.config.Program, configPath, log)
	if err != nil {
		return proof.Verdict{Outcome: proof.Unanswered, Reason: "pgbouncer cannot start: " + postgres.Line(err.Error())}
	}
	answer := p.ask(ctx, user, running)
	ended := running.hasEnded()
	running.kill()
	switch {
	case answer.Outcome == proof.Accepted:
		return answer
	case ended:
		return proof.Verdict{Outcome: proof.Unanswered, Reason: "pgbouncer cannot start: " + log.whyEnded(running.exitCode())}
	}
	return log.judge(answer)
}

// write writes what the pgbouncer reads, and returns the path of its configuration.
func (p prover) write(candidate *credential) (string, error) {
	configPath, users := p.place.proofConfig(), p.place.proofUsers()
	patience := fmt.Sprint(math.Ceil(p.config.Proof.Duration().Seconds()))
	text := configuration(p.config.Databases, p.settings, map[string]string{
		"listen_port":     fmt.Sprint(p.config.Listen.Port),
		"unix_socket_dir": p.place.proof(), "unix_socket_mode": "0700", "auth_type": "trust", "auth_file": users,
		"min_pool_size": "0", "server_login_retry": "1", "log_connections": "1", "log_disconnections": "1",
		"server_connect_timeout": patience, "query_wait_timeout": patience, "client_login_timeout": patience,
	})
	if err := files.Replace(configPath, []byte(text), 0o600); err != nil {
		return "", err
	}
	return configPath, files.Replace(users, candidate.users, 0o600)
}

// ask asks for a row until there is an answer, the pgbouncer ends, or the time is up.
func (p prover) ask(ctx context.Context, user string, running *child) proof.Verdict {
	ctx, cancel := context.WithTimeout(ctx, p.config.Proof.Duration())
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	go func() {
		select {
		case <-running.ended:
			fail(errProverEnded)
		case <-ctx.Done():
		}
	}()
	return postgres.Ask(ctx, postgres.Target{
		Host: p.place.proof(), Port: p.config.Listen.Port, User: user, Database: p.config.ProofDatabase, Dial: dialUntil,
	})
}

package pgbouncer

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/files"
	"github.com/outrigger-charts/outrigger/library/sidecar/health"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

// place is the folder of the state: small, in memory, and of this container alone.
type place string

func newPlace(config document.PgBouncer) (place, error) {
	p := place(health.StateDirectory())
	for _, folder := range []string{p.proof(), config.Listen.Directory} {
		if folder == "" {
			continue
		}
		if err := health.CheckPath(socketIn(folder, config.Listen.Port)); err != nil {
			return "", err
		}
	}
	p.sweep(config)
	// Only the program's own user may enter, who is let in to the console without a password.
	return p, os.MkdirAll(p.proof(), 0o700)
}

func (p place) in(name string) string { return filepath.Join(string(p), name) }

// proof is the folder of the pgbouncer that proves passwords.
func (p place) proof() string       { return p.in("proof") }
func (p place) proofUsers() string  { return filepath.Join(p.proof(), "users.txt") }
func (p place) proofConfig() string { return filepath.Join(p.proof(), "pgbouncer.ini") }
func (p place) users() string       { return p.in("users.txt") }
func (p place) config() string      { return p.in("pgbouncer.ini") }
func (p place) authorities() string { return p.in("authorities.pem") }
func (p place) inUse() string       { return p.in("in-use.json") }
func (p place) health() string      { return health.SocketIn(string(p)) }

// sweep removes what a program before this one was writing when it was killed.
func (p place) sweep(config document.PgBouncer) {
	for _, path := range []string{p.users(), p.config(), p.inUse(), p.authorities(), p.proofUsers(), p.proofConfig()} {
		files.Sweep(path)
	}
	// A refresher's file of the same name is written beside under the very names.
	if config.AuthFile != "" && filepath.Base(config.AuthFile) != config.Name {
		files.Sweep(proof.VerdictPath(config.AuthFile, config.Name))
	}
}

// hasUsers tells whether there is a credential in use.
func (p place) hasUsers() bool {
	_, err := os.Stat(p.users())
	return err == nil
}

// socketIn is where a pgbouncer listens in a folder.
func socketIn(folder string, port int) string {
	return filepath.Join(folder, fmt.Sprintf(".s.PGSQL.%d", port))
}

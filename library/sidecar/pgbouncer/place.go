package pgbouncer

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/health"
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
	// Only the program's own user may enter, who is let in to the console without a password.
	return p, os.MkdirAll(p.proof(), 0o700)
}

func (p place) in(name string) string { return filepath.Join(string(p), name) }

// proof is the folder of the pgbouncer that proves passwords.
func (p place) proof() string       { return p.in("proof") }
func (p place) users() string       { return p.in("users.txt") }
func (p place) config() string      { return p.in("pgbouncer.ini") }
func (p place) authorities() string { return p.in("authorities.pem") }
func (p place) inUse() string       { return p.in("in-use.json") }
func (p place) health() string      { return health.SocketIn(string(p)) }

// hasUsers tells whether there is a credential in use.
func (p place) hasUsers() bool {
	_, err := os.Stat(p.users())
	return err == nil
}

// socketIn is where a pgbouncer listens in a folder.
func socketIn(folder string, port int) string {
	return filepath.Join(folder, fmt.Sprintf(".s.PGSQL.%d", port))
}

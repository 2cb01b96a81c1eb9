package token

import (
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

func TestBeforeThereIsACredentialNoProbeSucceeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)

	w.start()

	assert.EqualError(t, w.r.started(), "no credential has been written yet")
	assert.EqualError(t, w.r.ready(), "no credential is in use yet")
}

func TestAPersonIsShownWhatARefresherDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.leases = true
	w.start()
	assert.Equal(t, "refresher      db\nfile           "+w.token.File.Path+"\nstate          starting\nin use         none yet\n", w.r.status())
	w.clock.after(time.Minute, func() {
		assert.Equal(t, "refresher      db\nfile           "+w.token.File.Path+"\nstate          in use\n"+
			"in use         until 2026-01-02T12:15:00Z (in 14m0s)\nnext renewal   2026-01-02T12:09:54Z (in 8m54s)\nleases         1 held, 0 to be revoked\n", w.r.status())
		w.provider.down = true
	})

	w.goOn(renewal + 2*time.Second)

	assert.Equal(t, "refresher      db\nfile           "+w.token.File.Path+"\nstate          failing\n"+
		"in use         until 2026-01-02T12:15:00Z (in 5m4s)\nleases         none held, 1 to be revoked\n"+
		"last error     2026-01-02T12:09:55Z (1s ago), the provider is down\n", w.r.status())
}

func TestMetricsAreWhatPrometheusReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}
	w.clock.after(time.Second, func() { w.verdict("pool", proof.Refused, "no") })
	w.clock.after(5*time.Second, func() { w.verdict("pool", proof.Accepted, "") })
	w.start()
	assert.NotContains(t, w.metrics(), "expires", "there is none that could")

	w.goOn(time.Minute)

	text := w.metrics()
	for _, line := range []string{
		`outrigger_credential_obtained_total{refresher="db"} 2`,
		`outrigger_credential_refused_total{reason="28P01",refresher="db"} 1`,
		`outrigger_credential_failures_total{reason="refused",refresher="db"} 1`,
		`outrigger_credential_failures_total{reason="provider",refresher="db"} 0`,
		`outrigger_credential_consecutive_failures{refresher="db"} 0`,
		`outrigger_credential_expiry_timestamp_seconds{refresher="db"} 1.767356102e+09`,
		`outrigger_credential_expires_in_seconds{refresher="db"} 842`,
		`outrigger_credential_ready_until_timestamp_seconds{refresher="db"} 1.767356042e+09`,
		`outrigger_credential_age_seconds{refresher="db"} 58`,
	} {
		assert.Contains(t, text, line+"\n")
	}
}

func TestAFailureIsCountedByWhatHasFailed(t *testing.T) {
	t.Parallel()
	for reason, fails := range map[string]func(*world){
		"provider": func(w *world) { w.provider.down = true },
		"expiry":   func(w *world) { w.provider.life = -time.Second },
		"format": func(w *world) {
			w.r.format = func(formatTexts) ([]byte, error) { return nil, errors.New("it cannot be quoted") }
		},
		"file": func(w *world) {
			w.r.replace = func(string, []byte, fs.FileMode) error { return errors.New("no space left on device") }
		},
		"unproven": func(w *world) { w.r.token.Provers, w.provider.life = []string{"pool"}, time.Minute },
		"refused": func(w *world) {
			w.r.token.Provers = []string{"pool"}
			w.clock.after(500*time.Millisecond, func() { w.verdict("pool", proof.Refused, "no") })
		},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.start()
			fails(w)

			w.goOn(41 * time.Second)

			assert.Regexp(t, `(?m)^outrigger_credential_failures_total{reason="`+reason+`",refresher="db"} [1-9]`, w.metrics())
			assert.Len(t, regexp.MustCompile(`(?m)^outrigger_credential_failures_total{.*} [1-9]`).FindAllString(w.metrics(), -1), 1)
		})
	}
}

func TestMetricsTellRefreshersOfOneNameApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Metrics = &document.TokenMetrics{Port: 9402, Owner: "demo-shop"}

	w.run(time.Minute)

	for line := range strings.Lines(w.metrics()) {
		if !strings.HasPrefix(line, "#") {
			assert.Contains(t, line, `{owner="demo-shop",`)
		}
	}
}

func TestFailuresInARowAreAFigureUntilACredentialIsInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.down = true
	w.start()
	w.clock.after(2*time.Second, func() {
		assert.Contains(t, w.metrics(), "\noutrigger_credential_consecutive_failures{refresher=\"db\"} 2\n")
		w.provider.down = false
	})

	w.goOn(time.Minute)

	assert.Contains(t, w.metrics(), "\noutrigger_credential_consecutive_failures{refresher=\"db\"} 0\n")
}

func TestUntilWhenACredentialIsOneToBeReadyWithIsAheadWhileRenewalsSucceedHoweverLongItLives(t *testing.T) {
	t.Parallel()
	for _, life := range []time.Duration{5 * time.Second, 20 * time.Second, time.Minute, 15 * time.Minute, 24 * time.Hour} {
		t.Run(life.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.provider.life = life
			w.start()
			looks := 0
			for at := life / 50; at < 3*life; at += life / 50 {
				w.clock.after(at, func() {
					looks++
					assert.Greater(t, w.readyUntil(), float64(w.clock.wall.Unix()))
				})
			}
			w.clock.after(3*life, func() { w.provider.down = true })

			w.goOn(5 * life)

			assert.Greater(t, looks, 100)
			assert.Less(t, w.readyUntil(), float64(w.clock.wall.Unix()), "and passes when they fail")
		})
	}
}

func TestAPersonIsShownWhyAProofIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}
	w.clock.after(time.Second, func() { w.verdict("pool", proof.Unanswered, "db.example:5432: connect failed") })

	w.run(10 * time.Second)

	assert.Contains(t, w.r.status(), "state          waiting for proof\n")
	assert.Regexp(t, `last error +2026-01-02T12:00:01Z \(9s ago\), pool could not ask the server whether it takes the credential: db.example:5432: connect failed`, w.r.status())
}

func TestAPersonIsShownThatAProverSaysNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}

	w.run(2 * time.Minute)

	assert.Regexp(t, `last error .*, pool has not said whether the server takes the credential\n`, w.r.status())
}

func TestAPersonIsShownThatNobodyCouldBeTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	away := true
	w.listen(&away)

	w.run(renewal + time.Second)

	assert.Regexp(t, `last error .*, the app is away\n`, w.r.status())
}

func TestAPersonIsShownThatALeaseWasNotRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.leases = true
	w.clock.after(time.Second, func() { w.provider.lease[0].stubborn = true })

	w.run(renewal + time.Second)

	assert.Regexp(t, `last error .*, the credential before was not revoked, and is tried again until it expires: the provider is down\n`, w.r.status())
}

func TestAPodStaysReadyInEachStepOfAWriteWhereTheCredentialInUseHasExpired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}
	steps := 0
	sampled := false
	w.start()
	plain := w.r.replace
	sample := func(step string) {
		if sampled {
			steps++
			assert.NoError(t, w.r.ready(), step)
		}
	}
	w.r.replace = func(path string, content []byte, mode fs.FileMode) error {
		sample("before " + filepath.Base(path))
		err := plain(path, content, mode)
		sample("after " + filepath.Base(path))
		return err
	}
	w.clock.after(time.Second, func() { w.verdict("pool", proof.Accepted, "") })
	// The server is full from then on, and pgbouncer takes nothing up.
	w.clock.after(renewal+2*time.Second, func() { w.verdict("pool", proof.Unanswered, "too many connections") })
	w.clock.after(16*time.Minute, func() {
		sampled = true
		assert.NoError(t, w.r.ready(), "the server could not be asked")
	})
	// The second is due, and the third is written.
	w.clock.after(2*renewal+5*time.Second, func() {
		assert.Equal(t, "password 3", w.content())
		assert.NoFileExists(t, proof.VerdictPath(w.token.File.Path, "pool"))
		assert.NoError(t, w.r.ready(), "while it is proven")
		w.verdict("pool", proof.Refused, "the role is gone")
		assert.Error(t, w.r.ready())
		sampled = false
	})

	w.goOn(2*renewal + 5*time.Second + time.Millisecond)

	assert.Equal(t, 4, steps, "before and after what is said of the file, and the file itself")
}

func TestAProverThatSaysNothingForLongIsNoReasonToBeReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}
	w.clock.after(time.Second, func() { w.verdict("pool", proof.Accepted, "") })

	w.run(14*time.Minute + time.Second)

	assert.Equal(t, "password 2", w.content())
	assert.EqualError(t, w.r.ready(), "the credential in use expires at 2026-01-02T12:15:00Z")
}

func TestAPodThatIsNotReadyIsNotMadeSoByWhatIsYetToBeProven(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}
	w.start()
	w.clock.after(time.Second, func() {
		w.verdict("pool", proof.Accepted, "")
		w.provider.down = true
	})
	w.clock.after(16*time.Minute, func() {
		assert.Error(t, w.r.ready())
		w.provider.down = false
	})
	plain, written := w.r.replace, 0
	w.r.replace = func(path string, content []byte, mode fs.FileMode) error {
		err := plain(path, content, mode)
		if path == w.token.File.Path && string(content) != "password 1" {
			written++
			assert.Error(t, w.r.ready(), "the server may refuse one after the other")
		}
		return err
	}
	w.clock.after(18*time.Minute, func() { w.verdict("pool", proof.Accepted, "") })

	w.goOn(18*time.Minute + time.Second)

	assert.Equal(t, 1, written)
	assert.NoError(t, w.r.ready())
}

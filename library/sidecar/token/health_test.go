package token

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
	server := httptest.NewServer(promhttp.HandlerFor(w.r.metrics.registry, promhttp.HandlerOpts{}))
	defer server.Close()
	read := func() string {
		response, err := http.Get(server.URL)
		require.NoError(t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return string(text)
	}
	assert.NotContains(t, read(), "expires", "there is none that could")

	w.goOn(time.Minute)

	text := read()
	for _, line := range []string{
		`outrigger_credential_obtained_total{refresher="db"} 2`,
		`outrigger_credential_refused_total{reason="28P01",refresher="db"} 1`,
		`outrigger_credential_failures_total{refresher="db"} 1`,
		`outrigger_credential_expiry_timestamp_seconds{refresher="db"} 1.767356102e+09`,
		`outrigger_credential_age_seconds{refresher="db"} 58`,
	} {
		assert.Contains(t, text, line+"\n")
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

package token

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/files"
	"github.com/outrigger-charts/outrigger/library/sidecar/health"
	"github.com/outrigger-charts/outrigger/library/sidecar/version"
)

func TestAConfigurationThatCannotWorkIsOneLineThatNamesItsPlace(t *testing.T) {
	t.Parallel()
	for said, change := range map[string]func(*document.Token){
		`/token/name: "a/b" is no name of a refresher`:                                       func(d *document.Token) { d.Name = "a/b" },
		`/token/file/path: "x" is no absolute path of a file`:                                func(d *document.Token) { d.File.Path = "x" },
		`/token/file/path: "/x/" is no absolute path of a file`:                              func(d *document.Token) { d.File.Path = "/x/" },
		`/token/file/mode: it is no mode: write octal digits, as in 0640`:                    func(d *document.Token) { d.File.Mode = "0999" },
		`/token/file/format: there is no format ini: write pgbouncer`:                        func(d *document.Token) { d.File.Format = "ini" },
		`/token/file/format: the template has ${passwd}, and there are ${username}`:          func(d *document.Token) { d.File.Format, d.File.Template = "template", "${passwd}" },
		`/token/ttlSeconds: it is less than 0`:                                               func(d *document.Token) { d.TTL = -1 },
		`/token/metrics/port: 0 is no port`:                                                  func(d *document.Token) { d.Metrics = &document.TokenMetrics{} },
		`/token/exec/command: it is empty`:                                                   func(d *document.Token) { d.Exec.Command = nil },
		`/token/exec/output: there is no output yaml: write raw or json`:                     func(d *document.Token) { d.Exec.Output = "yaml" },
		`/token/exec/output: an output that is raw has no expiry: set ttl`:                   func(d *document.Token) { d.Exec.Output = "raw" },
		`/token: one of awsRds, awsDsql, azureDatabase, googleCloudSql, vault and exec says`: func(d *document.Token) { d.Exec = nil },
		`where the credential comes from, and there are 2`:                                   func(d *document.Token) { d.Vault = &document.Vault{} },
		`/token/notify/http/method: there is no method PUT: write GET or POST`:               func(d *document.Token) { d.Notify.HTTP = &document.NotifyHTTP{URL: "http://x", Method: "PUT"} },
		`/token/trust: open /nothing: no such file or directory`:                             func(d *document.Token) { d.Trust = "/nothing" },
		`/token/trust: /dev/null has no certificate in PEM`:                                  func(d *document.Token) { d.Trust = os.DevNull },
	} {
		w := newWorld(t)
		change(&w.token)

		_, err := newRefresher(w.token, filepath.Join(w.dir, "state"), &w.log, machine{clock: w.clock})

		require.ErrorContains(t, err, said)
		assert.Contains(t, err.Error(), "OUTRIGGER_CONFIG: /token")
		var coded interface{ ExitCode() int }
		require.ErrorAs(t, err, &coded)
		assert.Equal(t, 2, coded.ExitCode())
	}
}

func TestADocumentOfTheEnvironmentIsDoneUntilTheEnd(t *testing.T) {
	w := newWorld(t)
	w.token.Exec = &document.TokenExec{Command: []string{"echo", "token"}, Output: "raw"}
	w.token.TTL = 60
	text, err := json.Marshal(map[string]any{"version": version.Minor(version.Version), "token": w.token})
	require.NoError(t, err)
	t.Setenv(document.Variable, string(text))
	t.Setenv(health.StateVariable, filepath.Join(w.dir, "state"))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	go func() {
		for w.content() == "" && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	var out bytes.Buffer

	err = run(ctx, &out, time.Second)

	require.NoError(t, err)
	assert.Equal(t, "token", w.content())
	assert.Contains(t, out.String(), "credential.refreshed")
}

func TestADocumentOfAnotherVerbIsAWrongConfiguration(t *testing.T) {
	t.Setenv(document.Variable, `{"version": "`+version.Minor(version.Version)+`", "seed": {}}`)

	err := run(t.Context(), new(bytes.Buffer), time.Second)

	assert.EqualError(t, err, `OUTRIGGER_CONFIG has no "token", which this command needs`)
	var coded interface{ ExitCode() int }
	require.ErrorAs(t, err, &coded)
	assert.Equal(t, 2, coded.ExitCode())
}

func TestTheCommandThatObtainsHasSecretVariablesAndTheOneThatTellsHasNot(t *testing.T) {
	t.Setenv("VAULT_TOKEN", "secret")
	w := newWorld(t)
	heard := filepath.Join(w.dir, "heard")
	w.token.TTL = 60
	w.token.Exec = &document.TokenExec{Command: []string{"sh", "-c", `echo "$VAULT_TOKEN"`}, Output: "raw"}
	w.token.Notify.Exec = &document.NotifyExec{Command: []string{"sh", "-c", `echo "$OUTRIGGER_FILE $VAULT_TOKEN" >` + heard}}
	r, err := newRefresher(w.token, filepath.Join(w.dir, "state"), io.Discard, machine{w.clock, func() float64 { return 0 }, files.Replace})
	require.NoError(t, err)

	obtained, err := r.provider.Obtain(t.Context())
	require.NoError(t, err)
	require.NoError(t, r.listeners[0].Tell(t.Context()))

	assert.Equal(t, "secret", obtained.Password)
	said, err := os.ReadFile(heard)
	require.NoError(t, err)
	assert.Equal(t, w.token.File.Path+" \n", string(said))
}

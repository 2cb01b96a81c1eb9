package command

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/process"
	"github.com/outrigger-charts/outrigger/library/sidecar/redact"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/output"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// shell is a provider whose command is a line for sh, and what it warns of.
func shell(line string, spec output.Spec) (credential.Provider, *[]string) {
	warned := new([]string)
	return New(document.TokenExec{Command: []string{"sh", "-c", line}, Timeout: 20}, Options{
		Spec: spec,
		Now:  func() time.Time { return noon },
		Hide: func(text string, more ...string) string { return redact.Hide(text, append(more, "hush-before")...) },
		Warn: func(message string) { *warned = append(*warned, message) },
	}), warned
}

func obtain(t *testing.T, line string, spec output.Spec) (credential.Credential, error) {
	t.Helper()
	provider, _ := shell(line, spec)
	return provider.Obtain(t.Context())
}

func TestACommandsOutputIsTheCredential(t *testing.T) {
	t.Parallel()
	c, err := obtain(t, `echo '{"password":"p","username":"u","life":60,"signedUntil":1767355200}'`,
		output.Spec{JSON: true, Pointers: document.TokenPointers{TTL: "/life"}})

	require.NoError(t, err)
	assert.Equal(t, credential.Credential{Username: "u", Password: "p", ExpiresAt: noon.Add(time.Minute), SignedUntil: time.Unix(1767355200, 0)}, c)
}

func TestACommandThatFailsIsOneLineWithTheEndOfWhatItSaid(t *testing.T) {
	t.Parallel()
	for line, said := range map[string]string{
		`echo "no route" >&2; echo "to \"host\"" >&2; exit 3`: `the command failed with exit code 3: no route to "host"`,
		`seq 5 >&2; exit 1`:         "the command failed with exit code 1: 3 4 5",
		`kill -9 $$`:                "the command failed: signal: killed: ",
		`head -c 1048577 /dev/zero`: "the command's output has over 1 MB",
		`echo '{"a":'`:              "the output is no JSON: it ends too soon, after 6 bytes",
	} {
		_, err := obtain(t, line, output.Spec{JSON: true})

		assert.EqualError(t, err, said)
	}
	_, err := obtain(t, `head -c 5000 /dev/zero | tr '\0' x >&2; exit 1`, output.Spec{})
	assert.EqualError(t, err, "the command failed with exit code 1: "+strings.Repeat("x", 1000))
	_, err = New(document.TokenExec{Command: []string{"/no/such/program"}}, Options{Now: time.Now, Hide: func(string, ...string) string { return "" }}).Obtain(t.Context())
	assert.EqualError(t, err, "the command failed: fork/exec /no/such/program: no such file or directory: ")
}

func TestACommandThatFailsLeaksNothingThatItHasPrinted(t *testing.T) {
	t.Parallel()
	const token = "eyJhbGciOiJSUzI1NiJ9.e30"
	encoded := base64.StdEncoding.EncodeToString([]byte("user:" + token))

	_, err := obtain(t, `echo '{"password":"`+token+`"}'; echo "debug: got `+token+` for `+encoded+` after hush-before" >&2; exit 1`, output.Spec{})

	assert.Regexp(t, `^the command failed with exit code 1: debug: got \*\*\* for [0-9A-Za-z]{0,8}\*\*\*=* after \*\*\*$`, err.Error())
}

func TestNothingIsShownOfWhatACommandSaidThatPrintedTooMuchToLookFor(t *testing.T) {
	t.Parallel()
	_, err := obtain(t, `head -c 60000 /dev/zero | tr '\0' '%'; echo "no route" >&2; exit 1`, output.Spec{})
	assert.EqualError(t, err, "the command failed with exit code 1: no route")

	_, err = obtain(t, `head -c 70000 /dev/zero | tr '\0' '%'; echo "no route" >&2; exit 1`, output.Spec{})
	assert.EqualError(t, err, "the command failed with exit code 1: it printed 70000 bytes, and what it said is hidden, as any of them may be secret")
}

func TestWhatACommandSaysThatSucceedsIsToldWithoutTheCredential(t *testing.T) {
	t.Parallel()
	provider, warned := shell(`echo hush-hush; echo "+ send hush-hush now" >&2`, output.Spec{})

	_, err := provider.Obtain(t.Context())

	require.NoError(t, err)
	assert.Equal(t, []string{"the command printed a credential and said: + send *** now"}, *warned)
}

func TestACommandThatHangsIsEnded(t *testing.T) {
	t.Parallel()
	provider := New(document.TokenExec{Command: []string{"sleep", "1000"}, Timeout: 0.1}, Options{
		Now: func() time.Time { return noon }, Hide: func(text string, _ ...string) string { return text },
	})

	_, err := provider.Obtain(t.Context())

	assert.EqualError(t, err, "the command did not end within 0.1 s: ")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = provider.Obtain(ctx)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestACommandHasTheContainersVariablesAndOneThatExplainsTheFilesToo(t *testing.T) {
	t.Setenv("HOST", "of the container")
	t.Setenv(document.Variable, "the document")
	line := `echo "$HOST,$` + document.Variable + `,$OUTRIGGER_FILE"; echo more`
	provider := New(document.TokenExec{Command: []string{"sh", "-c", line}, Explain: []string{"sh", "-c", line}}, Options{
		Now: func() time.Time { return noon }, Warn: func(string) {}, ExplainEnvironment: append(process.Environment(), "OUTRIGGER_FILE=/run/x"),
		Hide: func(text string, _ ...string) string { return text },
	})

	c, err := provider.Obtain(t.Context())

	require.NoError(t, err)
	assert.Equal(t, "of the container,,\nmore", c.Password)
	assert.Equal(t, "of the container,,/run/x", provider.Explain(t.Context(), c), "its first line")
}

func TestWhatCannotExplainExplainsNothing(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{nil, {"/no/such/program"}, {"sh", "-c", "echo x; exit 1"}} {
		provider := New(document.TokenExec{Explain: command}, Options{Hide: func(text string, _ ...string) string { return text }})

		assert.Empty(t, provider.Explain(t.Context(), credential.Credential{}))
	}
}

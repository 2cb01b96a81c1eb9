package notify

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
)

// listener is the one of a document that names one.
func listener(t *testing.T, of document.Notify, news News) Listener {
	t.Helper()
	news.Of = "the news"
	list, err := Listeners(of, news)
	require.NoError(t, err)
	require.Len(t, list, 1)
	return list[0]
}

// script starts a script of a name, which writes what it hears into a file beside it.
func script(t *testing.T, name string) (heard func() string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+
		"trap 'echo USR1 >>\"$0.heard\"' USR1; trap 'echo HUP >>\"$0.heard\"' HUP; >\"$0.heard\"\nwhile :; do sleep 0.02; done\n"), 0o700))
	command := exec.Command(path)
	require.NoError(t, command.Start())
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	read := func() string {
		text, _ := os.ReadFile(path + ".heard")
		return string(text)
	}
	require.Eventually(t, func() bool { _, err := os.Stat(path + ".heard"); return err == nil }, time.Minute, time.Millisecond)
	return read
}

func TestASignalReachesEachProcessOfANameHoweverLong(t *testing.T) {
	t.Parallel()
	for _, name := range []string{fmt.Sprint("app", os.Getpid()), fmt.Sprintf("application-server-%d", os.Getpid())} {
		one, other, another := script(t, name), script(t, name), script(t, name+"x")

		err := listener(t, document.Notify{Signal: &document.NotifySignal{Process: name, Signal: "USR1"}}, News{}).Tell(t.Context())

		require.NoError(t, err)
		assert.Eventually(t, func() bool { return one() == "USR1\n" && other() == "USR1\n" }, time.Minute, time.Millisecond)
		assert.Empty(t, another())
	}
}

func TestASignalIsHUPWhereNoneIsNamed(t *testing.T) {
	t.Parallel()
	name := fmt.Sprint("hup", os.Getpid())
	heard := script(t, name)

	err := listener(t, document.Notify{Signal: &document.NotifySignal{Process: name}}, News{}).Tell(t.Context())

	require.NoError(t, err)
	assert.Eventually(t, func() bool { return heard() == "HUP\n" }, time.Minute, time.Millisecond)
}

func TestAProcessThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	err := listener(t, document.Notify{Signal: &document.NotifySignal{Process: "nobody-of-this-name"}}, News{}).Tell(t.Context())

	assert.EqualError(t, err, "the process nobody-of-this-name got no signal HUP: there is no such process")
}

func TestARequestIsTheOneThatIsNamed(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]string{"": "POST /reload?all=1", "GET": "GET /reload?all=1", "POST": "POST /reload?all=1"} {
		heard := make(chan string, 1)
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.Method + " " + r.URL.String() }))
		defer server.Close()

		err := listener(t, document.Notify{HTTP: &document.NotifyHTTP{URL: server.URL + "/reload?all=1", Method: method}}, News{}).Tell(t.Context())

		require.NoError(t, err)
		assert.Equal(t, want, <-heard)
	}
}

func TestARequestThatIsNotAnsweredWellIsAnErrorWithoutThePasswordOfItsAddress(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	address := strings.Replace(server.URL, "http://", "http://user:hush@", 1)
	tell := listener(t, document.Notify{HTTP: &document.NotifyHTTP{URL: address}}, News{}).Tell
	shownAddress := strings.Replace(address, "hush", "xxxxx", 1)

	assert.EqualError(t, tell(t.Context()), shownAddress+" could not be told of the news: it answered 404 Not Found")

	server.Close()
	err := tell(t.Context())
	assert.ErrorContains(t, err, shownAddress+" could not be told of the news: dial tcp ")
	assert.NotContains(t, err.Error(), "hush")
}

func TestNoConnectionIsKeptAsTheListenerMayHaveClosedItWhenTheNextNewsComes(t *testing.T) {
	t.Parallel()
	var closes bool
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { closes = r.Close }))
	defer server.Close()

	err := listener(t, document.Notify{HTTP: &document.NotifyHTTP{URL: server.URL}}, News{}).Tell(t.Context())

	require.NoError(t, err)
	assert.True(t, closes)
}

func TestARequestTrustsTheAuthoritiesThatAreGiven(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	authorities := x509.NewCertPool()
	authorities.AddCert(server.Certificate())
	of := document.Notify{HTTP: &document.NotifyHTTP{URL: server.URL}}

	assert.NoError(t, listener(t, of, News{Authorities: authorities}).Tell(t.Context()))
	assert.ErrorContains(t, listener(t, of, News{}).Tell(t.Context()), "certificate")
}

func TestARequestEndsWithTheProgram(t *testing.T) {
	t.Parallel()
	hung := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hung }))
	defer server.Close()
	defer close(hung)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()

	err := listener(t, document.Notify{HTTP: &document.NotifyHTTP{URL: server.URL}}, News{}).Tell(ctx)

	assert.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
	assert.ErrorContains(t, err, "could not be told of the news")
}

func TestACommandHasTheEnvironmentThatIsGivenAndMayPrint(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "heard")
	of := document.Notify{Exec: &document.NotifyExec{Command: []string{"sh", "-c", `echo "$FILE" | tee "$HEARD"`}}}

	err := listener(t, of, News{Environment: []string{"PATH=" + os.Getenv("PATH"), "FILE=/run/x", "HEARD=" + path}}).Tell(t.Context())

	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "/run/x\n", string(text))
}

func TestACommandThatFailsIsAnErrorWithWhatItSaidLessSecrets(t *testing.T) {
	t.Parallel()
	hide := func(text string) string { return strings.ReplaceAll(text, "secret", "***") }
	for command, want := range map[string]string{
		"echo 'the secret'  >&2; echo is out >&2; exit 3": "the command that tells of the news failed with exit code 3: the *** is out",
		"kill -9 $$": "the command that tells of the news failed: signal: killed: ",
	} {
		of := document.Notify{Exec: &document.NotifyExec{Command: []string{"sh", "-c", command}}}

		assert.EqualError(t, listener(t, of, News{Hide: hide}).Tell(t.Context()), want)
	}
}

func TestWhatCannotBeToldIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	for said, of := range map[string]document.Notify{
		"/signal/signal: there is no signal SIGHUP: write its name without SIG": {Signal: &document.NotifySignal{Process: "x", Signal: "SIGHUP"}},
		"/signal/process is empty":                                {Signal: &document.NotifySignal{}},
		"/http/method: there is no method PUT: write GET or POST": {HTTP: &document.NotifyHTTP{URL: "http://x", Method: "PUT"}},
		"/http/url is no URL of http or https":                    {HTTP: &document.NotifyHTTP{URL: "localhost:80"}},
		"/exec/command is empty":                                  {Exec: &document.NotifyExec{}},
	} {
		_, err := Listeners(of, News{})
		assert.ErrorContains(t, err, said)
	}
}

func TestAllThatAreNamedAreListeners(t *testing.T) {
	t.Parallel()
	list, err := Listeners(document.Notify{
		Signal: &document.NotifySignal{Process: "x"}, HTTP: &document.NotifyHTTP{URL: "http://x"}, Exec: &document.NotifyExec{Command: []string{"x"}},
	}, News{})

	require.NoError(t, err)
	require.Len(t, list, 3)
	assert.Equal(t, []string{"signal", "http", "exec"}, []string{list[0].Name, list[1].Name, list[2].Name})
}

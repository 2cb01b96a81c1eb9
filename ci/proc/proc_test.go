package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

func TestAFailureCarriesAllThatWasPrinted(t *testing.T) {
	var log bytes.Buffer
	_, err := Run(context.Background(), Cmd{Args: []string{"sh", "-c", "echo out; echo err >&2; exit 3"}, Log: &log})
	if err == nil {
		t.Fatal("no error")
	}
	for _, word := range []string{"out\n", "err\n"} {
		if !strings.Contains(Printed(err), word) || !strings.Contains(log.String(), word) {
			t.Errorf("%q is not in both %q and %q", word, Printed(err), log.String())
		}
	}
}

func TestAnInterruptEndsTheChildrenToo(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	started := make(chan struct{})
	ended := t.TempDir() + "/ended"
	go func() { <-started; cancel() }()
	first := writer(func(p []byte) (int, error) { close(started); return len(p), nil })
	// The grandchild is what a forgotten build would leave behind; it says when it is told to end.
	script := `sh -c 'trap "touch ` + ended + `; exit" TERM; echo ready; while :; do sleep 0.1; done' & wait`
	begin := time.Now()
	_, err := Run(ctx, Cmd{Args: []string{"sh", "-c", script}, Stdout: first})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if took := time.Since(begin); took > grace {
		t.Errorf("it took %v", took)
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(ended); err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the grandchild was not told to end")
		}
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestTheFirstFailureEndsAllThatRunsTogether(t *testing.T) {
	failed := errors.New("no")
	waits := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	fails := func(context.Context) error { return failed }
	never := func(context.Context) error { t.Error("went on"); return nil }
	if err := Together(context.Background(), waits, InTurn(fails, never)); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
}

func TestAPipeEndsWithEitherSide(t *testing.T) {
	failed := errors.New("no")
	endless := func(w io.Writer) error {
		for {
			if _, err := fmt.Fprintln(w, "more"); err != nil {
				return err
			}
		}
	}
	if err := Pipe(endless, func(io.Reader) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("the reader's failure: %v", err)
	}
	readAll := func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }
	if err := Pipe(func(io.Writer) error { return failed }, readAll); !errors.Is(err, failed) {
		t.Errorf("the writer's failure: %v", err)
	}
}

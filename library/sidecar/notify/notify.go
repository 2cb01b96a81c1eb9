// Package notify tells others that a file was replaced: by a signal, a request or a command.
package notify

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
)

// Listener is one of those who are told.
type Listener struct {
	// Name is signal, http or exec.
	Name string
	// Tell tells it once. Its error says in a line who could not be told, and why.
	Tell func(ctx context.Context) error
}

// News is what is told.
type News struct {
	// Of is what errors call it: "the new credential".
	Of string
	// Environment is a command's; that of process.Environment where it is nil.
	Environment []string
	// Hide takes secrets out of what a command or a server says; nil: there are none.
	Hide func(text string) string
	// Authorities are trusted by requests in place of the system's where they are given.
	Authorities *x509.CertPool
}

// Listeners returns all who are named, or what is wrong with how one is.
func Listeners(of document.Notify, news News) ([]Listener, error) {
	if news.Hide == nil {
		news.Hide = func(text string) string { return text }
	}
	var list []Listener
	if of.Signal != nil {
		name := cmp.Or(of.Signal.Signal, "HUP")
		number := unix.SignalNum("SIG" + name)
		if number == 0 {
			return nil, fmt.Errorf("/signal/signal: there is no signal %s: write its name without SIG, as in HUP", name)
		}
		if of.Signal.Process == "" {
			return nil, fmt.Errorf("/signal/process is empty: write the name of a process")
		}
		list = append(list, Listener{"signal", func(context.Context) error { return signal(of.Signal.Process, name, number) }})
	}
	if of.HTTP != nil {
		listener, err := request(*of.HTTP, news)
		if err != nil {
			return nil, err
		}
		list = append(list, Listener{"http", listener})
	}
	if of.Exec != nil {
		if len(of.Exec.Command) == 0 {
			return nil, fmt.Errorf("/exec/command is empty: write a program and its arguments")
		}
		list = append(list, Listener{"exec", func(ctx context.Context) error { return run(ctx, of.Exec.Command, news) }})
	}
	return list, nil
}

// line is a text in one line.
func line(text string) string { return strings.Join(strings.Fields(text), " ") }

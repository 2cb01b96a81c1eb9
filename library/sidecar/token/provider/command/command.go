// Package command obtains credentials by a command that prints one.
package command

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/process"
	"github.com/outrigger-charts/outrigger/library/sidecar/redact"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/output"
)

const (
	// mostOutput is how much a command may print.
	mostOutput = 1 << 20
	// defaultTimeout is how long a command may take if nothing else is said, and explainTimeout one that explains.
	defaultTimeout = 30 * time.Second
	explainTimeout = 30 * time.Second
	// shown is how much of the end of what a command said is told, which says what is wrong in most.
	shown, shownLines = 1000, 3
)

// Options are what a provider has besides its document.
type Options struct {
	Spec output.Spec
	// Environment is the commands'; that of process.Environment where it is nil. Explaining has ExplainEnvironment.
	Environment, ExplainEnvironment []string
	// Now is the time of the wall clock.
	Now func() time.Time
	// Hide takes the credentials that are known, and more secrets, out of a text.
	Hide func(text string, more ...string) string
	// Warn tells of what a command said that succeeded.
	Warn func(message string)
}

type provider struct {
	document.TokenExec
	Options
}

// New returns a provider that runs a document's command.
func New(of document.TokenExec, options Options) credential.Provider {
	return provider{TokenExec: of, Options: options}
}

// Obtain runs the command, and reads what it prints.
func (p provider) Obtain(ctx context.Context) (credential.Credential, error) {
	began := p.Now()
	printed, err := p.run(ctx)
	if err != nil {
		return credential.Credential{}, err
	}
	c, err := p.Spec.Read(printed.Stdout)
	if err != nil {
		return credential.Credential{}, err
	}
	if said := p.said(printed); said != "" {
		p.Warn("the command printed a credential and said: " + said)
	}
	if c.Life > 0 {
		c.ExpiresAt = began.Add(c.Life)
	}
	return credential.Credential{Username: c.Username, Password: c.Password, ExpiresAt: c.ExpiresAt, SignedUntil: c.SignedUntil}, nil
}

func (p provider) run(ctx context.Context) (process.Output, error) {
	timeout := p.Timeout.Duration()
	if timeout == 0 {
		timeout = defaultTimeout
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	printed, err := process.RunIn(limited, p.Environment, mostOutput, p.Command...)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return printed, nil
	case errors.Is(err, process.ErrTooLong):
		return process.Output{}, errors.New("the command's output has over 1 MB")
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		err = fmt.Errorf("the command failed with exit code %d", exit.ExitCode())
	case ctx.Err() == nil && limited.Err() != nil:
		err = fmt.Errorf("the command did not end within %v s", timeout.Seconds())
	default:
		err = fmt.Errorf("the command failed: %w", err)
	}
	return process.Output{}, fmt.Errorf("%w: %s", err, p.said(printed))
}

// said is what a command said, in a line, without the credentials that are known and without anything that it has printed: what
// fails may have printed a credential too.
func (p provider) said(printed process.Output) string {
	if size := len(printed.Stdout); size > redact.Most {
		return fmt.Sprintf("it printed %d bytes, and what it said is hidden, as any of them may be secret", size)
	}
	text := p.Hide(end(string(printed.Stderr), 4*shown), string(printed.Stdout))
	lines := strings.SplitAfter(strings.TrimSpace(text), "\n")
	text = strings.Join(lines[max(0, len(lines)-shownLines):], "")
	return strings.Join(strings.Fields(end(text, shown)), " ")
}

func end(text string, most int) string { return text[max(0, len(text)-most):] }

// Explain runs the command that explains, and returns the first line of what it prints.
func (p provider) Explain(ctx context.Context, _ credential.Credential) string {
	if len(p.TokenExec.Explain) == 0 {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, explainTimeout)
	defer cancel()
	printed, err := process.RunIn(ctx, p.ExplainEnvironment, mostOutput, p.TokenExec.Explain...)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(printed.Stdout), "\n")
	return strings.TrimSpace(p.Hide(line[:min(len(line), shown)]))
}

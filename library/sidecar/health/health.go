// Package health is how a probe, or a person, asks a running program how it is: over a Unix socket in a volume of that
// container alone. The program answers by Serve, outrigger-probe asks by Ask. It needs the standard library only, as a probe
// runs every few seconds under the container's own processor limit.
package health

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// StateVariable names the folder in which a program keeps its state and its socket: a volume that outlives the container.
const StateVariable = "OUTRIGGER_STATE_DIR"

// DefaultStateDirectory is where the chart mounts that volume.
const DefaultStateDirectory = "/run/outrigger"

// StateDirectory is the folder of the environment, or the one that the chart mounts.
func StateDirectory() string { return cmp.Or(os.Getenv(StateVariable), DefaultStateDirectory) }

// SocketIn is where a program listens that keeps its state in a folder.
func SocketIn(directory string) string { return filepath.Join(directory, "health.sock") }

// Socket is where the program of this environment listens.
func Socket() string { return SocketIn(StateDirectory()) }

// maxPath is the longest path that a Unix socket may have with room to spare, for pgbouncer's own additions too: 108 bytes is the
// kernel's limit.
const maxPath = 100

// CheckPath tells whether a Unix socket may have a path.
func CheckPath(path string) error {
	if len(path) > maxPath {
		return fmt.Errorf("the socket's path has %d bytes, and %d are the most: %s", len(path), maxPath, path)
	}
	return nil
}

// Question is what may be asked: a question's answer is nil for yes, or says why not.
type Question func() error

// Answers are the questions that a program knows, by their names: started, ready, live; and status, whose answer is a text.
type Answers struct {
	Questions map[string]Question
	// Status returns what `outrigger status` shows a person: any number of lines.
	Status func() string
}

// Serve answers until the context ends. A socket that a program before it left is replaced.
func Serve(ctx context.Context, path string, answers Answers) error {
	if err := CheckPath(path); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		listener.Close()
		return err
	}
	context.AfterFunc(ctx, func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go answers.answer(connection)
		}
	}()
	return nil
}

func (a Answers) answer(connection net.Conn) {
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(5 * time.Second))
	line, err := bufio.NewReaderSize(connection, 64).ReadString('\n')
	if err != nil {
		return
	}
	name := strings.TrimSpace(line)
	if name == "status" && a.Status != nil {
		_, _ = io.WriteString(connection, "yes\n"+a.Status())
		return
	}
	question, known := a.Questions[name]
	if !known {
		fmt.Fprintf(connection, "unknown\nthis program knows nothing of %q\n", name)
		return
	}
	if err := question(); err != nil {
		fmt.Fprintf(connection, "no\n%v\n", err)
		return
	}
	_, _ = io.WriteString(connection, "yes\n")
}

// Ask asks the program at a socket, and returns its answer's text. An error says why the answer is no, or that there is none.
func Ask(path, question string, patience time.Duration) (string, error) {
	connection, err := net.DialTimeout("unix", path, patience)
	if err != nil {
		return "", fmt.Errorf("the program does not answer yet: %w", err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(connection, question+"\n"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		return "", fmt.Errorf("the program did not answer within %s", patience)
	}
	verdict, text, _ := strings.Cut(string(answer), "\n")
	if verdict != "yes" {
		return "", errors.New(strings.TrimSuffix(text, "\n"))
	}
	return text, nil
}

// When is a time of a status, in UTC, and how far it is from now: "2026-01-02T12:09:55Z (1s ago)".
func When(t, now time.Time) string {
	span, format := t.Sub(now).Round(time.Second), "%s (in %s)"
	if !t.After(now) {
		span, format = -span, "%s (%s ago)"
	}
	return fmt.Sprintf(format, t.UTC().Format(time.RFC3339), span)
}

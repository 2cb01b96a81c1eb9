package pgbouncer

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/outrigger-charts/outrigger/library/sidecar/postgres"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

// proofLog reads what a pgbouncer that proves a password says of it. What it tells a client is the server's word, or,
// where no server could be asked, less than what stands here. It may be asked when that one has ended.
type proofLog struct {
	rest []byte // of a line that is not whole yet

	firstError string // why it cannot start
	lastError  string // or warning, but for those that only repeat what a client is told
	closed     string // ADDRESS: why the first connection to a server was closed
	serverSaid string // the last message of a server that let nobody in
	badUsers   string // what pgbouncer cannot read in the file of users
}

var (
	logLine    = regexp.MustCompile(`^\S+ \S+ \S+ \[\d+\] ([A-Z]+) (.*)$`)
	closing    = regexp.MustCompile(`^S-\S+ .*@(\S+) closing because: (.*) \(age=`)
	remark     = "bug in src" // on the length of a message
	toldClient = " pooler error: "
)

func (l *proofLog) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			break
		}
		l.read(string(line))
		l.rest = rest
	}
	// Whatever writes lines without an end is not kept.
	if len(l.rest) > 64<<10 {
		l.rest = nil
	}
	return len(p), nil
}

func (l *proofLog) read(line string) {
	parts := logLine.FindStringSubmatch(line)
	if parts == nil {
		return
	}
	level, text := parts[1], parts[2]
	if closes := closing.FindStringSubmatch(text); closes != nil && l.closed == "" {
		l.closed = closes[1] + ": " + closes[2]
	}
	if level != "WARNING" && level != "ERROR" && level != "FATAL" || strings.Contains(text, remark) ||
		strings.Contains(text, toldClient) {
		return
	}
	l.lastError = text
	if l.firstError == "" && level != "WARNING" {
		l.firstError = text
	}
	if said, is := strings.CutPrefix(text, "server login failed: "); is {
		_, l.serverSaid, _ = strings.Cut(said, " ") // after FATAL, in whatever language
		l.lastError = l.serverSaid
	}
	if strings.Contains(text, "auth file") {
		l.badUsers = text
	}
}

// judge returns the verdict where a proof had no row. What the server said decides, and else what the pgbouncer could
// not read; all else that it says itself is that there was no server to ask.
func (l *proofLog) judge(answer proof.Verdict) proof.Verdict {
	said := postgres.Line(l.serverSaid)
	isServers := answer.SQLState != "" && answer.SQLState != postgres.ProtocolViolation ||
		// The log has the beginning of what a server says.
		said != "" && strings.HasPrefix(answer.Reason, said)
	switch {
	case isServers:
		return answer
	case l.badUsers != "":
		return proof.Verdict{Outcome: proof.Refused, Reason: "pgbouncer cannot read it: " + postgres.Line(l.badUsers)}
	case answer.Outcome == proof.Refused: // by itself, as the password is one that no server takes
		return answer
	}
	return proof.Verdict{Outcome: proof.Unanswered, Reason: postgres.Line(cmp.Or(l.lastError, l.closed, answer.Reason))}
}

// whyEnded is the line in which the pgbouncer said why it would not run.
func (l *proofLog) whyEnded(exitCode int) string {
	return postgres.Line(cmp.Or(l.firstError, l.lastError, fmt.Sprintf("it ended with exit code %d", exitCode)))
}

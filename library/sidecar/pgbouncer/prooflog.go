package pgbouncer

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
)

// proofLog reads what a pgbouncer that proves a password says of it. What it tells a client is the server's word, or, where no
// server could be asked, less than what stands here.
type proofLog struct {
	mutex sync.Mutex
	rest  []byte // of a line that is not whole yet

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
	l.mutex.Lock()
	defer l.mutex.Unlock()
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

// why is what stands here of a proof without an answer of the server's, or otherwise where that is nothing.
func (l *proofLog) why(otherwise string) string {
	for _, text := range []string{l.lastError, l.closed} {
		if text != "" {
			return text
		}
	}
	return otherwise
}

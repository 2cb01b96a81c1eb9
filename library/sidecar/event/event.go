// Package event is how the program tells what happens: lines of JSON on standard output, each with a stable name, `event`, by
// which alarms and searches find it whatever its message says.
package event

import (
	"io"
	"log/slog"
	"strings"
	"time"
)

// New returns a logger whose lines have time (RFC 3339, UTC), level (info, error), message, and what is given: the pattern's
// word and the entry's name, as in "refresher": "shop".
func New(to io.Writer, attributes ...any) *slog.Logger {
	handler := slog.NewJSONHandler(to, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) > 0 {
			return a
		}
		switch a.Key {
		case slog.TimeKey:
			return slog.String("time", a.Value.Time().UTC().Format("2006-01-02T15:04:05.000Z"))
		case slog.LevelKey:
			return slog.String("level", strings.ToLower(a.Value.String()))
		case slog.MessageKey:
			a.Key = "message"
		}
		if a.Value.Kind() == slog.KindTime {
			return slog.String(a.Key, a.Value.Time().UTC().Format(time.RFC3339))
		}
		return a
	}})
	return slog.New(handler).With(attributes...)
}

// Is is the name of what happened: words in small letters with dots between, the thing first (credential.refused).
func Is(name string) slog.Attr { return slog.String("event", name) }

// Package format writes a credential as a file's readers have it, to the byte.
package format

import (
	"fmt"
	"strings"
	"time"
)

// Texts are what a format writes: any bytes but NUL. Those that are empty are not known.
type Texts struct {
	Username, Password   string
	Host, Port, Database string
	ExpiresAt            time.Time
}

// Format writes texts, or says why its readers could not have them back. What it says never has any of them.
type Format func(Texts) ([]byte, error)

// mostBytes is how long a password may be.
const mostBytes = 64 << 10

// formats are all but the template:
//
//	pgbouncer  "USERNAME" "PASSWORD"
//	pgpass     HOST:PORT:DATABASE:USERNAME:PASSWORD; host, port and database that are not known are *
//	env        PGHOST, PGPORT, PGDATABASE and PGUSER, where known, and PGPASSWORD, for sh and for Kubernetes' fileKeyRef
//	json       {"username","password","expiresAt"}
//	raw        the password alone
var formats = map[string]Format{
	"pgbouncer": pgBouncer,
	"pgpass":    passFile,
	"env":       environment,
	"json":      jsonObject,
	"raw":       raw,
}

// Named returns the format of a name; template is what that of this name writes, as parse has it.
func Named(name, template string) (Format, error) {
	if name == "template" {
		format, err := parse(template)
		return checked(format), err
	}
	format, found := formats[name]
	if !found {
		return nil, fmt.Errorf("there is no format %s: write pgbouncer, pgpass, env, json, raw or template", name)
	}
	return checked(format), nil
}

// checked refuses what no format holds.
func checked(format Format) Format {
	return func(texts Texts) ([]byte, error) {
		if texts.Password == "" {
			return nil, fmt.Errorf("the credential is empty")
		}
		if len(texts.Password) > mostBytes {
			return nil, fmt.Errorf("the credential has %d bytes, which is over 64 kB", len(texts.Password))
		}
		for _, text := range texts.named() {
			if strings.ContainsRune(text.value, 0) {
				return nil, fmt.Errorf("the %s has a NUL byte", strings.Replace(text.name, "password", "credential", 1))
			}
		}
		return format(texts)
	}
}

type namedText struct{ name, value string }

// named are all texts that are any bytes.
func (t Texts) named() []namedText {
	return []namedText{{"host", t.Host}, {"port", t.Port}, {"database", t.Database}, {"username", t.Username}, {"password", t.Password}}
}

// expiry is when the credential expires, as formats write it.
func (t Texts) expiry() string { return t.ExpiresAt.UTC().Format(time.RFC3339) }

func cannot(format, reason string, arguments ...any) error {
	return fmt.Errorf("the format %s cannot hold it: %s", format, fmt.Sprintf(reason, arguments...))
}

// withoutNewlines refuses texts of which a reader of lines would have a part.
func (t Texts) withoutNewlines(format string) error {
	for _, text := range t.named() {
		if strings.Contains(text.value, "\n") {
			return cannot(format, "the %s has a newline", text.name)
		}
	}
	return nil
}

func (t Texts) needUsername(format string) error {
	if t.Username == "" {
		return fmt.Errorf("the format %s needs a username", format)
	}
	return nil
}

func raw(texts Texts) ([]byte, error) { return []byte(texts.Password), nil }

// Package output reads what a command that obtains a credential prints. What it says of an output never has any of it.
package output

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
)

// Spec is how an output is read.
type Spec struct {
	// JSON: it is in JSON, in the places of the pointers; else all of it, less a newline at its end, is the password.
	JSON     bool
	Pointers document.TokenPointers
	// KnownUsername: the file has a username of its own, so that none is looked for where no pointer says where it is.
	KnownUsername bool
	// KnownLife: how long the credential lives at most is known besides, so that an output need not say.
	KnownLife bool
}

// Credential is what an output has.
type Credential struct {
	Username, Password string
	// ExpiresAt is zero where the output does not say, or says Life.
	ExpiresAt time.Time
	// Life is how long it lives, in place of ExpiresAt.
	Life time.Duration
	// SignedUntil is zero where the output does not say.
	SignedUntil time.Time
}

// Where things are if no pointer says so: in outrigger's own form, kubectl's ExecCredential, AWS's credential_process.
var (
	passwords = []string{"/password", "/status/token", "/SecretAccessKey"}
	usernames = []string{"/username", "/AccessKeyId"} // the second with passwords of the last kind alone
	expiries  = []string{"/expiresAt", "/status/expirationTimestamp", "/Expiration"}
	signers   = []string{"/signedUntil"}
)

// Read reads an output.
func (s Spec) Read(text []byte) (Credential, error) {
	if !s.JSON {
		return Credential{Password: string(bytes.TrimSuffix(text, []byte("\n")))}, nil
	}
	if len(text) == 0 {
		return Credential{}, fmt.Errorf("the output is empty")
	}
	value, err := parse(text)
	if err != nil {
		return Credential{}, err
	}
	var c Credential
	if c.Password, err = s.password(value); err != nil {
		return Credential{}, err
	}
	if c.Username, err = s.username(value); err != nil {
		return Credential{}, err
	}
	if err := s.expiry(value, &c); err != nil {
		return Credential{}, err
	}
	return c, nil
}

func (s Spec) password(value jsontext.Value) (string, error) {
	places := chosen(s.Pointers.Password, passwords)
	password, err := first(value, false, places)
	if err == nil && password == "" {
		err = fmt.Errorf("the output has no %s, where the credential would be", either(places))
	}
	return password, err
}

func (s Spec) username(value jsontext.Value) (string, error) {
	pointer := s.Pointers.Username
	if pointer == "" {
		if s.KnownUsername {
			return "", nil
		}
		if s.Pointers.Password != "" {
			return first(value, false, usernames[:1])
		}
		return first(value, false, usernames)
	}
	username, err := first(value, false, []string{pointer})
	if err == nil && username == "" {
		err = fmt.Errorf("the output has no %s, where the username would be", pointer)
	}
	return username, err
}

// expiry reads until when a credential lives. What stands at a place that nobody has named need not be a time where how long it
// lives is known.
func (s Spec) expiry(value jsontext.Value, c *Credential) error {
	var err error
	if c.SignedUntil, err = timeAt(value, "signed-until", chosen(s.Pointers.SignedUntil, signers)); err != nil {
		return err
	}
	places := chosen(s.Pointers.ExpiresAt, expiries)
	c.ExpiresAt, err = timeAt(value, "expires-at", places)
	if err != nil && s.KnownLife && s.Pointers.ExpiresAt == "" {
		return nil
	}
	if err != nil || !c.ExpiresAt.IsZero() {
		return err
	}
	if s.Pointers.TTL != "" {
		places = []string{s.Pointers.TTL}
		if c.Life, err = lifeAt(value, s.Pointers.TTL); err != nil || c.Life > 0 {
			return err
		}
	}
	if s.KnownLife {
		return nil
	}
	if s.Pointers.TTL != "" && find(value, s.Pointers.TTL) != nil {
		return fmt.Errorf("the value at %s is 0 seconds", s.Pointers.TTL)
	}
	return fmt.Errorf("the output has no %s, where the expiry would be; name its place, or set ttl", either(places))
}

func timeAt(value jsontext.Value, name string, places []string) (time.Time, error) {
	text, err := first(value, true, places)
	if err != nil || text == "" {
		return time.Time{}, err
	}
	at, ok := readTime(text, time.Local)
	if !ok {
		return time.Time{}, fmt.Errorf("the output's %s is no time: write it as 2026-01-31T12:00:00Z, or in seconds since 1970", name)
	}
	return at, nil
}

var number = regexp.MustCompile(`^([0-9]{1,12})([.][0-9]+)?$`)

func lifeAt(value jsontext.Value, place string) (time.Duration, error) {
	text, err := first(value, true, []string{place})
	if err != nil || text == "" {
		return 0, err
	}
	fields := number.FindStringSubmatch(text)
	if fields == nil {
		return 0, fmt.Errorf("%s is no number of seconds", place)
	}
	whole, _ := strconv.ParseInt(fields[1], 10, 64)
	// A number of 12 digits of seconds is more than a Duration holds: a century is as good.
	return time.Duration(min(whole, 100*365*24*3600)) * time.Second, nil
}

// first returns the string at the first of some places where there is a value; a number is taken too where it may be.
func first(value jsontext.Value, orNumber bool, places []string) (string, error) {
	for _, place := range places {
		found := find(value, place)
		if found == nil {
			continue
		}
		if found.Kind() == '0' && orNumber {
			return string(found), nil
		}
		if found.Kind() != '"' {
			return "", fmt.Errorf("the value at %s is no string", place)
		}
		text, err := jsontext.AppendUnquote(nil, found)
		switch {
		case err != nil:
			return "", fmt.Errorf("the value at %s is no string", place)
		case len(text) == 0:
			return "", fmt.Errorf("the value at %s is empty", place)
		case bytes.IndexByte(text, 0) >= 0:
			return "", fmt.Errorf("the value at %s has a NUL byte", place)
		}
		return string(text), nil
	}
	return "", nil
}

func chosen(pointer string, otherwise []string) []string {
	if pointer != "" {
		return []string{pointer}
	}
	return otherwise
}

// either lists places: /a, /b or /c.
func either(places []string) string {
	last := len(places) - 1
	if last == 0 {
		return places[0]
	}
	return strings.Join(places[:last], ", ") + " or " + places[last]
}

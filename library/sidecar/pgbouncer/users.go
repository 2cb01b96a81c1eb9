package pgbouncer

import (
	"bytes"
	"errors"
	"strings"
)

// errNoUser says what a file lacks. It is a refusal, and not a failure to ask: no later attempt has a better answer.
var errNoUser = errors.New(`the file has no line "USER" "PASSWORD", as pgbouncer reads it`)

// firstUser returns the user of the first line of a file as pgbouncer reads it: spaces and lines that begin with a
// semicolon count for nothing, and between two quotes each quote that belongs to the text stands twice.
func firstUser(file []byte) (string, error) {
	rest := file
	for {
		rest = bytes.TrimLeft(rest, " \t\n\v\f\r")
		if !bytes.HasPrefix(rest, []byte(";")) {
			break
		}
		_, rest, _ = bytes.Cut(rest, []byte("\n"))
	}
	if !bytes.HasPrefix(rest, []byte(`"`)) {
		return "", errNoUser
	}
	user, rest, whole := quoted(rest[1:])
	if !whole {
		return "", errNoUser
	}
	_, rest, found := bytes.Cut(rest, []byte(`"`))
	if _, _, whole = quoted(rest); !found || !whole || user == "" {
		return "", errNoUser
	}
	return user, nil
}

// quoted returns a text up to the quote that ends it, and what follows that. pgbouncer reads nothing beyond a byte 0.
func quoted(file []byte) (text string, rest []byte, whole bool) {
	var unquoted []byte
	for i := 0; i < len(file) && file[i] != 0; i++ {
		if file[i] == '"' {
			if i+1 >= len(file) || file[i+1] != '"' {
				return string(unquoted), file[i+1:], true
			}
			i++
		}
		unquoted = append(unquoted, file[i])
	}
	return "", nil, false
}

// usersFile is the file that pgbouncer reads, for one user.
func usersFile(user, password string) []byte {
	double := func(text string) string { return strings.ReplaceAll(text, `"`, `""`) }
	return []byte(`"` + double(user) + `" "` + double(password) + "\"\n")
}

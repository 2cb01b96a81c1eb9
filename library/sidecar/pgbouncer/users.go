package pgbouncer

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// errNoUser says what a file lacks. It is a refusal, and not a failure to ask: no later attempt has a better answer.
var errNoUser = errors.New(`the file has no line "USER" "PASSWORD", as pgbouncer reads it`)

// mostUserBytes is how long pgbouncer's users may be as they stand in its file (MAX_USERNAME, less the byte that ends
// them). PostgreSQL's own have 63.
const mostUserBytes = 127

// errLongUser says why a user is refused; that no later attempt has a better answer is true of it too.
var errLongUser = fmt.Errorf(`the user has over %d bytes, each " counted twice, which is pgbouncer's limit`, mostUserBytes)

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
	switch {
	case !whole:
		return "", errNoUser
	case len(double(user)) > mostUserBytes:
		return "", errLongUser
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
	return []byte(`"` + double(user) + `" "` + double(password) + "\"\n")
}

// double is a text as it stands between two quotes.
func double(text string) string { return strings.ReplaceAll(text, `"`, `""`) }

package format

import (
	"errors"
	"regexp"
	"strings"
)

// hash is what pgbouncer takes for a password's hash, and not for a password.
var hash = regexp.MustCompile(`^(md5[0-9a-f]{32}$|SCRAM-SHA-256\$)`)

// pgBouncer writes a line of pgbouncer's auth_file. Its limits count a quote twice, as it is written.
func pgBouncer(texts Texts) ([]byte, error) {
	if err := texts.needUsername("pgbouncer"); err != nil {
		return nil, err
	}
	double := strings.NewReplacer(`"`, `""`)
	username, password := double.Replace(texts.Username), double.Replace(texts.Password)
	switch {
	case len(username) > 127:
		return nil, cannot("pgbouncer", "the username has over 127 bytes, which is pgbouncer's limit")
	case len(password) > 2047:
		return nil, cannot("pgbouncer", "the password has %d bytes, its quotes counted twice, and pgbouncer's limit is 2047", len(password))
	case hash.MatchString(texts.Password):
		return nil, cannot("pgbouncer", "pgbouncer would take the password for a hash")
	}
	return []byte(`"` + username + `" "` + password + "\"\n"), nil
}

// passFile writes a line of libpq's password file, which cuts off what carriage returns a line ends with, and takes a line that
// begins with # for a comment.
func passFile(texts Texts) ([]byte, error) {
	if err := errors.Join(texts.needUsername("pgpass"), texts.withoutNewlines("pgpass")); err != nil {
		return nil, err
	}
	if strings.HasSuffix(texts.Password, "\r") {
		return nil, cannot("pgpass", "the password ends with a carriage return")
	}
	fields := []string{orAny(texts.Host), orAny(texts.Port), orAny(texts.Database), passField(texts.Username), passField(texts.Password)}
	return []byte(strings.Join(fields, ":") + "\n"), nil
}

func orAny(text string) string {
	if text == "" || text == "*" {
		return "*"
	}
	return passField(text)
}

var passEscapes = strings.NewReplacer(`:`, `\:`, `\`, `\\`)

func passField(text string) string {
	escaped := passEscapes.Replace(text)
	if strings.HasPrefix(text, "#") || strings.HasPrefix(text, "*") {
		return `\` + escaped
	}
	return escaped
}

// mostOfLine is the longest line that the kubelet reads.
const mostOfLine = 64<<10 - 1

// environment writes variables of libpq, a line each, in single quotes. The kubelet, which reads such a file for fileKeyRef, knows
// no other quoting, and none of a single quote.
func environment(texts Texts) ([]byte, error) {
	if err := texts.withoutNewlines("env"); err != nil {
		return nil, err
	}
	variables := map[string]string{"host": "PGHOST", "port": "PGPORT", "database": "PGDATABASE", "username": "PGUSER", "password": "PGPASSWORD"}
	var lines []byte
	for _, text := range texts.named() {
		if text.value == "" {
			continue
		}
		if strings.Contains(text.value, "'") {
			return nil, cannot("env", "the %s has a single quote, for which Kubernetes' env files have no quoting", text.name)
		}
		line := variables[text.name] + "='" + text.value + "'"
		if len(line) > mostOfLine {
			return nil, cannot("env", "the %s has %d bytes, which is over what a line of Kubernetes' env files may have", text.name, len(text.value))
		}
		lines = append(append(lines, line...), '\n')
	}
	return lines, nil
}

package format

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// userlist reads a file as pgbouncer 1.25's load_auth_file does, and takes the password for what get_password_type says.
func userlist(data []byte) (username, password string, err error) {
	const maxUsername, maxPassword = 128, 2048
	text := string(data)
	quoted := func(limit int) (string, error) {
		start := strings.IndexByte(text, '"')
		if start < 0 {
			return "", fmt.Errorf("broken auth file")
		}
		text = text[start+1:]
		end := 0
		for {
			next := strings.IndexByte(text[end:], '"')
			if next < 0 {
				return "", fmt.Errorf("broken auth file")
			}
			end += next
			if !strings.HasPrefix(text[end:], `""`) {
				break
			}
			end += 2
		}
		if end >= limit {
			return "", fmt.Errorf("too long")
		}
		value := strings.ReplaceAll(text[:end], `""`, `"`)
		text = text[end+1:]
		return value, nil
	}
	if !strings.HasPrefix(text, `"`) {
		return "", "", fmt.Errorf("broken auth file")
	}
	if username, err = quoted(maxUsername); err != nil {
		return "", "", err
	}
	if password, err = quoted(maxPassword); err != nil {
		return "", "", err
	}
	if text != "\n" {
		return "", "", fmt.Errorf("more than a line: %q", text)
	}
	return username, password, nil
}

func isHash(password string) bool {
	return len(password) == 35 && strings.HasPrefix(password, "md5") && strings.Trim(password[3:], "0123456789abcdef") == "" ||
		strings.HasPrefix(password, "SCRAM-SHA-256$")
}

// passfile looks up a password as libpq's passwordFromFile does.
func passfile(data []byte, fields ...string) (string, bool) {
	for _, line := range strings.SplitAfter(string(data), "\n") {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		rest, matched := line, true
		for _, want := range fields {
			if rest, matched = matchField(rest, want); !matched {
				break
			}
		}
		if !matched {
			continue
		}
		var password strings.Builder
		for i := 0; i < len(rest) && rest[i] != ':'; i++ {
			if rest[i] == '\\' && i+1 < len(rest) {
				i++
			}
			password.WriteByte(rest[i])
		}
		return password.String(), true
	}
	return "", false
}

func matchField(line, want string) (string, bool) {
	if strings.HasPrefix(line, "*:") {
		return line[2:], true
	}
	for i := 0; i < len(line); i++ {
		escaped := line[i] == '\\' && i+1 < len(line)
		if escaped {
			i++
		}
		if line[i] == ':' && want == "" && !escaped {
			return line[i+1:], true
		}
		if want == "" || line[i] != want[0] {
			return "", false
		}
		want = want[1:]
	}
	return "", false
}

// sourced asks a shell what it makes of a file of variables.
func sourced(t *testing.T, data []byte, names ...string) []string {
	t.Helper()
	script := `. "$0"`
	for _, name := range names {
		script += `; printf '%s\0' "$` + name + `"`
	}
	return printed(t, script, data)
}

// evaluated asks a shell for the words of a command that it reads from a file.
func evaluated(t *testing.T, data []byte) []string {
	t.Helper()
	return printed(t, `. "$0"; printf '%s\0' "$@"`, append([]byte("set -- "), data...))
}

func printed(t *testing.T, script string, data []byte) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, data, 0o600))
	output, err := exec.CommandContext(t.Context(), "sh", "-euc", script, file).CombinedOutput()
	require.NoError(t, err, "%s: %q", output, data)
	return strings.Split(strings.TrimSuffix(string(output), "\x00"), "\x00")
}

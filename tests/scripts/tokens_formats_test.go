package scripts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tokenProgram runs awk programs of the refresher on texts; the reason is what it says where it refuses them.
func tokenProgram(t *testing.T, texts map[string]string, env []string, arguments ...string) (output []byte, reason string) {
	t.Helper()
	var input bytes.Buffer
	for name, text := range texts {
		fmt.Fprintln(&input, name)
		for i := range len(text) {
			fmt.Fprintf(&input, " %d", text[i])
			if i%16 == 15 {
				input.WriteByte('\n')
			}
		}
		input.WriteByte('\n')
	}
	command := exec.CommandContext(t.Context(), filepath.Join(appletDir, "busybox"), append([]string{"awk", "-f", tokenScripts + "/token-bytes.awk"}, arguments...)...)
	command.Env = append([]string{"LC_ALL=C"}, env...)
	command.Stdin = &input
	var stderr strings.Builder
	command.Stderr = &stderr
	output, err := command.Output()
	if err == nil {
		require.Empty(t, stderr.String())
		return output, ""
	}
	require.Equal(t, 1, exitCode(err), stderr.String())
	require.NotEmpty(t, stderr.String())
	return nil, stderr.String()
}

func formatted(t *testing.T, format string, texts map[string]string) ([]byte, string) {
	t.Helper()
	return tokenProgram(t, texts, nil, "-v", "format="+format, "-f", tokenScripts+"/token-format.awk")
}

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
	file := filepath.Join(t.TempDir(), "env")
	require.NoError(t, os.WriteFile(file, data, 0o600))
	script := `. "$0"`
	for _, name := range names {
		script += `; printf '%s\0' "$` + name + `"`
	}
	output, err := exec.CommandContext(t.Context(), filepath.Join(appletDir, "busybox"), "sh", "-euc", script, file).CombinedOutput()
	require.NoError(t, err, "%s: %q", output, data)
	return strings.Split(strings.TrimSuffix(string(output), "\x00"), "\x00")
}

// holds tests one credential in every format: either a reader has it back to the byte, or it is refused for a reason that is true.
func holds(t *testing.T, username, password, host string) {
	t.Helper()
	texts := map[string]string{"username": username, "password": password, "host": host, "port": "5432", "expiresAt": "2026-01-02T03:04:05Z",
		"template": "${username:url}|${password:url}|${password:json}|$${|$|${password}"}
	never := password == "" || len(password) > 65536 || strings.Contains(username+password+host, "\x00")
	newline := strings.Contains(username+password+host, "\n")
	textual := utf8.ValidString(username) && utf8.ValidString(password)
	for format, cannot := range map[string]bool{
		"pgbouncer": username == "" || len(strings.ReplaceAll(username, `"`, `""`)) > 127 || len(strings.ReplaceAll(password, `"`, `""`)) > 2047 || isHash(password),
		"pgpass":    username == "" || newline || strings.HasSuffix(password, "\r"),
		"env":       newline,
		"json":      !textual,
		"raw":       false,
		"template":  !utf8.ValidString(password),
	} {
		data, reason := formatted(t, format, texts)
		input := fmt.Sprintf("%s of %.200q, %.200q, %.200q: %.200q", format, username, password, host, data)
		require.Equal(t, never || cannot, reason != "", "%s: %s", input, reason)
		if reason != "" {
			continue
		}
		switch format {
		case "pgbouncer":
			gotUsername, gotPassword, err := userlist(data)
			require.NoError(t, err, input)
			require.Equal(t, username, gotUsername, input)
			require.Equal(t, password, gotPassword, input)
		case "pgpass":
			wanted := host
			if host == "" || host == "*" {
				wanted = "anything"
			}
			got, found := passfile(data, wanted, "5432", "any", username)
			require.True(t, found, input)
			require.Equal(t, password, got, input)
			_, found = passfile(data, wanted, "5432", "any", username+"x")
			require.False(t, found, input)
		case "env":
			require.Equal(t, []string{host, "5432", username, password}, sourced(t, append([]byte("PGHOST= PGUSER=\n"), data...), "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD"), input)
		case "json":
			var got map[string]string
			require.NoError(t, json.Unmarshal(data, &got), input)
			want := map[string]string{"password": password, "expiresAt": "2026-01-02T03:04:05Z"}
			if username != "" {
				want["username"] = username
			}
			require.Equal(t, want, got, input)
		case "raw":
			require.Equal(t, password, string(data), input)
		case "template":
			parts := strings.SplitN(string(data), "|", 3)
			for i, want := range []string{username, password} {
				got, err := url.PathUnescape(parts[i])
				require.NoError(t, err, input)
				require.Equal(t, want, got, input)
				query, err := url.QueryUnescape(parts[i])
				require.NoError(t, err, input)
				require.Equal(t, want, query, input)
			}
			decoder := json.NewDecoder(strings.NewReader(parts[2]))
			var got string
			require.NoError(t, decoder.Decode(&got), input)
			require.Equal(t, password, got, input)
			require.Equal(t, "|${|$|"+password, parts[2][decoder.InputOffset():], input)
		}
	}
}

func TestEveryFormatHoldsACredentialToTheByteOrRefusesIt(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for c := 1; c < 256; c++ {
		all.WriteByte(byte(c))
	}
	for _, password := range []string{
		"", "a", `"`, `\`, `'`, ":", `\:`, `a"b'c\d:e`, "a\nb", "\n", "\r", "a\rb", "a\r", "a\r\n", "$PATH", "${password}", "$(id)", "`id`", "%", "a b", " ", "\t", "#a",
		"é😀\u2028\u007f", "\xff", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80", "a\x00b", "\x00", all.String(),
		"md50123456789abcdef0123456789abcdef", "md50123456789ABCDEF0123456789abcdef", "md5", "SCRAM-SHA-256$4096:x", "SCRAM-SHA-256",
		strings.Repeat("x", 2047), strings.Repeat("x", 2048), strings.Repeat(`"`, 1023) + "x", strings.Repeat(`"`, 1024),
		strings.Repeat("\"\\':", 16384), strings.Repeat("x", 65537),
	} {
		holds(t, "shop", password, "db.example.com")
	}
	for _, username := range []string{"", "*", "#", "o'neill:x\\\"", "é", "\xff", "a\nb", strings.Repeat("u", 127), strings.Repeat("u", 128)} {
		holds(t, username, "secret", "")
	}
	for _, host := range []string{"*", "#h", "**", "::1", `C:\x`, "a\nb"} {
		holds(t, "shop", "secret", host)
	}
}

// tokenRandoms runs a test of random input by seeds: OUTRIGGER_FUZZ_SEED repeats one run; OUTRIGGER_FUZZ_RUNS runs more of them, a tenth
// of it, as each takes seconds.
func tokenRandoms(t *testing.T, test func(t *testing.T, random *rand.Rand)) {
	t.Helper()
	runs := 1
	if value, err := strconv.Atoi(os.Getenv("OUTRIGGER_FUZZ_RUNS")); err == nil {
		runs = max(1, value/10)
	}
	for run := range runs {
		seed := time.Now().UnixNano() + int64(run)
		if value, err := strconv.ParseInt(os.Getenv("OUTRIGGER_FUZZ_SEED"), 10, 64); err == nil {
			seed = value
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			test(t, rand.New(rand.NewSource(seed)))
		})
	}
}

// randomText is mostly short, mostly of what formats quote, and at times near a limit.
func randomText(random *rand.Rand) string {
	size := random.Intn(40)
	switch random.Intn(40) {
	case 0:
		size = 2030 + random.Intn(30)
	case 1:
		size = random.Intn(65537)
	}
	alphabet := []string{`"`, `\`, "'", ":", "$", "{", "}", "#", "*", " ", "\r", "%", "a", "Z", "0", "|", "/", "é", "😀", "\t"}
	if random.Intn(3) == 0 {
		alphabet = append(alphabet, "\n", "\xff", "\xe2\x82", "\x01", "\x7f")
	}
	if random.Intn(20) == 0 {
		alphabet = append(alphabet, "\x00")
	}
	var text strings.Builder
	for text.Len() < size {
		if random.Intn(4) == 0 && len(alphabet) > 20 {
			text.WriteByte(byte(1 + random.Intn(255)))
		} else {
			text.WriteString(alphabet[random.Intn(len(alphabet))])
		}
	}
	return text.String()
}

func TestRandomCredentialsAreHeldToTheByteOrRefused(t *testing.T) {
	t.Parallel()
	tokenRandoms(t, func(t *testing.T, random *rand.Rand) {
		for range 60 {
			holds(t, randomText(random), randomText(random), randomText(random))
		}
	})
}

func pointed(t *testing.T, document string, pointers ...string) (map[string]string, string) {
	t.Helper()
	into := t.TempDir()
	var lines []string
	for i, pointer := range pointers {
		lines = append(lines, fmt.Sprintf("value%d scalar %s", i, pointer))
	}
	_, reason := tokenProgram(t, map[string]string{"output": document}, []string{"POINTERS=" + strings.Join(lines, "\n")}, "-v", "into="+into, "-f", tokenScripts+"/token-json.awk")
	got := map[string]string{}
	for i, pointer := range pointers {
		if data, err := os.ReadFile(filepath.Join(into, fmt.Sprint("value", i))); err == nil {
			got[pointer] = string(data)
		}
	}
	return got, reason
}

func TestAPointerFindsWhatRFC6901Says(t *testing.T) {
	t.Parallel()
	document := `{"foo":["bar","baz"],"":"0","a/b":"1","c%d":"2","e^f":"3","g|h":"4","i\\j":"5","k\"l":"6"," ":"7","m~n":"8","é\u00e9":"9",` +
		`"deep":{"er":[{"x":"y"}]},"twice":"first","twice":"second","gone":{"a":"b"},"gone":{"c":"d"},"null":null,"n":-1.5e+3,"s":"\u00e9\ud83d\ude00\"\\\/\b\f\n\r\t"}`
	got, reason := pointed(t, document, "/foo/0", "/foo/1", "/", "/a~1b", "/c%d", "/e^f", "/g|h", `/i\j`, `/k"l`, "/ ", "/m~0n", "/éé",
		"/deep/er/0/x", "/twice", "/gone/a", "/gone/c", "/null", "/n", "/s", "/foo/2", "/foo/-", "/foo/00", "/nothing")
	require.Empty(t, reason)
	require.Equal(t, map[string]string{"/foo/0": "bar", "/foo/1": "baz", "/": "0", "/a~1b": "1", "/c%d": "2", "/e^f": "3", "/g|h": "4", `/i\j`: "5", `/k"l`: "6",
		"/ ": "7", "/m~0n": "8", "/éé": "9", "/deep/er/0/x": "y", "/twice": "second", "/gone/c": "d", "/n": "-1.5e+3", "/s": "é😀\"\\/\b\f\n\r\t"}, got)
}

func TestWhatIsNoJSONIsRefused(t *testing.T) {
	t.Parallel()
	for _, document := range []string{
		"", " ", "{", "}", "[", "[1,]", "[,1]", "{,}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{'a':1}`, `{"a" 1}`, "nul", "nulls", "tru", "01", "-", "1.", ".1", "1e", "+1",
		`"a`, "\"a\nb\"", `"\x"`, `"\u12g4"`, `"\u123"`, `"\ud83d"`, `"\ud83dx"`, `"\ude00"`, `"\ud83d\u0041"`, `{} {}`, "\ufeff{}", "\"\xff\"", "\"a\x00\"", "NaN",
		strings.Repeat("[", 300) + strings.Repeat("]", 300),
	} {
		_, reason := pointed(t, document, "/a")
		assert.NotEmpty(t, reason, "%q", document)
		assert.NotContains(t, reason, "awk", "%q", document)
	}
	for pointer, want := range map[string]string{"/o": "is no string", "/b": "is no string", "/e": "is empty", "/z": "has a NUL byte"} {
		_, reason := pointed(t, `{"o":{},"b":true,"e":"","z":"a\u0000"}`, pointer)
		assert.Contains(t, reason, want)
	}
}

func TestRandomJSONIsReadAsGoReadsIt(t *testing.T) {
	t.Parallel()
	tokenRandoms(t, func(t *testing.T, random *rand.Rand) {
		for range 100 {
			want := strings.ReplaceAll(strings.ToValidUTF8(randomText(random), "?"), "\x00", "0") + "!"
			key := strings.ReplaceAll(strings.ToValidUTF8(randomText(random), "?"), "\n", "")
			if len(key) > 200 {
				key = "long"
			}
			encoded, err := json.MarshalIndent(map[string]any{"before": []any{1, "x", nil, true, map[string]any{}}, key: map[string]any{"k": []any{false, want}}}, "", strings.Repeat(" ", random.Intn(3)))
			require.NoError(t, err)
			if key == "before" || strings.ContainsRune(key, 0) {
				continue
			}
			pointer := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key) + "/k/1"
			got, reason := pointed(t, string(encoded), pointer)
			require.Empty(t, reason, "%.300q", encoded)
			require.Equal(t, map[string]string{pointer: want}, got, "%.300q", encoded)

			// One byte is changed, or left out: what Go refuses is refused, and nothing else.
			at := random.Intn(len(encoded))
			broken := append(append(append([]byte{}, encoded[:at]...), []string{"", `"`, "}", ",", "x", "\\", "\n"}[random.Intn(7)]...), encoded[at+1:]...)
			if bytes.Contains(broken, []byte(`\u`)) {
				continue // Go takes half of a surrogate pair
			}
			_, reason = pointed(t, string(broken), "/nothing")
			require.Equal(t, json.Valid(broken) && utf8.Valid(broken), reason == "", "%.300q: %s", broken, reason)
		}
	})
}

func TestATimeIsReadHoweverItsToolWritesIt(t *testing.T) {
	t.Parallel()
	read := func(text string) string {
		command := exec.CommandContext(t.Context(), filepath.Join(appletDir, "busybox"), "awk", "-f", tokenScripts+"/token-time.awk")
		command.Env = []string{"TZ=EST5"}
		command.Stdin = strings.NewReader(text + "\n")
		output, err := command.Output()
		if err != nil {
			return "refused"
		}
		return strings.TrimSpace(string(output))
	}
	for text, want := range map[string]string{
		"2026-01-02T03:04:05Z": "1767323045", "2026-01-02t03:04:05z": "1767323045", "2026-01-02T04:04:05.987654321+01:00": "1767323045",
		"2026-01-01T21:34:05-05:30": "1767323045", "20260102T030405Z": "1767323045", "2026-01-02 03:04:05.000000": "1767341045", "2026-01-02 03:04:05+00:00": "1767323045",
		"1767323045": "1767323045", "1767323045.9": "1767323045", "4000000000": "4000000000", "2100-01-01T00:00:00Z": "4102444800", "2024-02-29T00:00:00Z": "1709164800",
		"": "refused", "soon": "refused", "2026-13-01T00:00:00Z": "refused", "2026-01-02": "refused", "2026-01-02T03:04:05X": "refused", "-5": "refused",
		"2026-01-02T03:04:05Z extra": "refused", "1e9": "refused",
	} {
		assert.Equal(t, want, read(text), text)
	}
	random := rand.New(rand.NewSource(1))
	for range 100 {
		when := time.Unix(random.Int63n(1<<32), 0).In(time.FixedZone("", (random.Intn(53)-26)*1800))
		assert.Equal(t, fmt.Sprint(when.Unix()), read(when.Format(time.RFC3339)))
	}
}

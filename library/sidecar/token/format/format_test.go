package format

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var expiresAt = time.Date(2026, 1, 2, 4, 4, 5, 6, time.FixedZone("", 3600))

const template = "${username:url} ${password|url} ${password:json}$${$${${password|base64} ${password|sh} ${expiresAt}\n${password}"

// holds tests one credential in every format: either a reader has it back to the byte, or it is refused for a reason that is true.
func holds(t *testing.T, username, password, host string) {
	t.Helper()
	texts := Texts{Username: username, Password: password, Host: host, Port: "5432", ExpiresAt: expiresAt}
	never := password == "" || len(password) > 65536 || strings.Contains(username+password+host, "\x00")
	newline := strings.Contains(username+password+host, "\n")
	textual := utf8.ValidString(username) && utf8.ValidString(password)
	for name, cannot := range map[string]bool{
		"pgbouncer": username == "" || len(strings.ReplaceAll(username, `"`, `""`)) > 127 || len(strings.ReplaceAll(password, `"`, `""`)) > 2047 || isHash(password),
		"pgpass":    username == "" || newline || strings.HasSuffix(password, "\r"),
		"env": newline || strings.Contains(username+password+host, "'") ||
			max(len("PGPASSWORD=''")+len(password), len("PGUSER=''")+len(username), len("PGHOST=''")+len(host)) > 65535,
		"json":     !textual,
		"raw":      false,
		"template": !utf8.ValidString(password),
	} {
		format, err := Named(name, template)
		require.NoError(t, err)
		data, refusal := format(texts)
		input := fmt.Sprintf("%s of %.200q, %.200q, %.200q: %.200q", name, username, password, host, data)
		require.Equal(t, never || cannot, refusal != nil, "%s: %v", input, refusal)
		if refusal == nil {
			readers[name](t, texts, data, input)
		}
	}
}

// readers have what a format has written back.
var readers = map[string]func(t *testing.T, want Texts, data []byte, input string){
	"pgbouncer": func(t *testing.T, want Texts, data []byte, input string) {
		username, password, err := userlist(data)
		require.NoError(t, err, input)
		require.Equal(t, want.Username, username, input)
		require.Equal(t, want.Password, password, input)
	},
	"pgpass": func(t *testing.T, want Texts, data []byte, input string) {
		host := want.Host
		if host == "" || host == "*" {
			host = "anything"
		}
		password, found := passfile(data, host, "5432", "any", want.Username)
		require.True(t, found, input)
		require.Equal(t, want.Password, password, input)
		_, found = passfile(data, host, "5432", "any", want.Username+"x")
		require.False(t, found, input)
	},
	// How the kubelet reads it is held by tests/scripts, with Kubernetes' own code.
	"env": func(t *testing.T, want Texts, data []byte, input string) {
		values := map[string]string{"PGHOST": want.Host, "PGPORT": "5432", "PGUSER": want.Username, "PGPASSWORD": want.Password}
		names, all := []string{"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD"}, []string{}
		for _, name := range names {
			all = append(all, values[name])
		}
		require.Equal(t, all, sourced(t, append([]byte("PGHOST= PGUSER=\n"), data...), names...), input)
	},
	"json": func(t *testing.T, want Texts, data []byte, input string) {
		var got map[string]string
		require.NoError(t, json.Unmarshal(data, &got), input)
		members := map[string]string{"password": want.Password, "expiresAt": "2026-01-02T03:04:05Z"}
		if want.Username != "" {
			members["username"] = want.Username
		}
		require.Equal(t, members, got, input)
	},
	"raw": func(t *testing.T, want Texts, data []byte, input string) {
		require.Equal(t, want.Password, string(data), input)
	},
	"template": func(t *testing.T, want Texts, data []byte, input string) {
		parts := strings.SplitN(string(data), " ", 3)
		for i, text := range []string{want.Username, want.Password} {
			got, err := url.PathUnescape(parts[i])
			require.NoError(t, err, input)
			require.Equal(t, text, got, input)
			query, err := url.QueryUnescape(parts[i])
			require.NoError(t, err, input)
			require.Equal(t, text, query, input)
		}
		decoder := json.NewDecoder(strings.NewReader(parts[2]))
		var got string
		require.NoError(t, decoder.Decode(&got), input)
		require.Equal(t, want.Password, got, input)
		rest, found := strings.CutPrefix(parts[2][decoder.InputOffset():], "${${")
		require.True(t, found, input)
		encoded, rest, _ := strings.Cut(rest, " ")
		decoded, err := base64.StdEncoding.DecodeString(encoded)
		require.NoError(t, err, input)
		require.Equal(t, want.Password, string(decoded), input)
		quoted, found := strings.CutSuffix(rest, " 2026-01-02T03:04:05Z\n"+want.Password)
		require.True(t, found, input)
		require.Equal(t, []string{want.Password}, evaluated(t, []byte(quoted)), input)
	},
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
		"md50123456789abcdef0123456789abcdef", "md50123456789ABCDEF0123456789abcdef", "md50123456789abcdef0123456789abcdef0", "md5", "SCRAM-SHA-256$4096:x", "SCRAM-SHA-256",
		strings.Repeat("x", 2047), strings.Repeat("x", 2048), strings.Repeat(`"`, 1023) + "x", strings.Repeat(`"`, 1024),
		strings.Repeat("\"\\':", 16384), strings.Repeat("x", 65522), strings.Repeat("x", 65523), strings.Repeat("x", 65537),
	} {
		holds(t, "shop", password, "db.example.com")
	}
	for _, username := range []string{"", "*", "#", "o'neill:x\\\"", "é", "\xff", "a\nb", strings.Repeat("u", 127), strings.Repeat("u", 128)} {
		holds(t, username, "secret", "")
	}
	for _, host := range []string{"*", "#h", "**", "::1", `C:\x`, "a\nb", "h'"} {
		holds(t, "shop", "secret", host)
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
	alphabet := []string{`"`, `\`, ":", "$", "{", "}", "#", "*", " ", "\r", "%", "a", "Z", "0", "|", "/", "é", "😀", "\t"}
	if random.Intn(3) == 0 {
		alphabet = append(alphabet, "\n", "\xff", "\xe2\x82", "\x01", "\x7f", "'")
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
	seed := time.Now().UnixNano()
	if value, err := strconv.ParseInt(os.Getenv("OUTRIGGER_FUZZ_SEED"), 10, 64); err == nil {
		seed = value
	}
	t.Logf("OUTRIGGER_FUZZ_SEED=%d", seed)
	random := rand.New(rand.NewSource(seed))
	for range 200 {
		holds(t, randomText(random), randomText(random), randomText(random))
	}
}

func TestWhatAFormatCannotHoldIsSaidWithoutIt(t *testing.T) {
	t.Parallel()
	for said, c := range map[string]struct {
		format string
		texts  Texts
	}{
		"the credential is empty":                             {"raw", Texts{}},
		"the credential has 65537 bytes, which is over 64 kB": {"raw", Texts{Password: strings.Repeat("x", 65537)}},
		"the credential has a NUL byte":                       {"raw", Texts{Password: "hush\x00"}},
		"the username has a NUL byte":                         {"raw", Texts{Username: "hush\x00", Password: "x"}},
		"the format pgbouncer needs a username":               {"pgbouncer", Texts{Password: "hush"}},
		"the format pgbouncer cannot hold it: the username has over 127 bytes, which is pgbouncer's limit":                          {"pgbouncer", Texts{Username: strings.Repeat("u", 128), Password: "hush"}},
		"the format pgbouncer cannot hold it: the password has 2048 bytes, its quotes counted twice, and pgbouncer's limit is 2047": {"pgbouncer", Texts{Username: "u", Password: strings.Repeat(`"`, 1024)}},
		"the format pgbouncer cannot hold it: pgbouncer would take the password for a hash":                                         {"pgbouncer", Texts{Username: "u", Password: "SCRAM-SHA-256$4096:x"}},
		"the format pgpass cannot hold it: the password has a newline":                                                              {"pgpass", Texts{Username: "u", Password: "a\nb"}},
		"the format pgpass cannot hold it: the password ends with a carriage return":                                                {"pgpass", Texts{Username: "u", Password: "a\r"}},
		"the format env cannot hold it: the host has a newline":                                                                     {"env", Texts{Host: "a\nb", Password: "a"}},
		"the format env cannot hold it: the password has a single quote, for which Kubernetes' env files have no quoting":           {"env", Texts{Password: "a'b"}},
		"the format env cannot hold it: the password has 65536 bytes, which is over what a line of Kubernetes' env files may have":  {"env", Texts{Password: strings.Repeat("x", 65536)}},
		"the format json cannot hold it: the password is no UTF-8, which JSON is":                                                   {"json", Texts{Password: "\xff"}},
	} {
		format, err := Named(c.format, "")
		require.NoError(t, err)

		_, err = format(c.texts)

		assert.EqualError(t, err, said)
	}
}

func TestATemplateIsAsItIsButForItsPlaceholders(t *testing.T) {
	t.Parallel()
	texts := Texts{Username: "u", Password: `p'"/`, Host: "@[Zz{", Port: "1", Database: "d", ExpiresAt: expiresAt}
	for template, want := range map[string]string{
		"plain $ { } $x $(": "plain $ { } $x $(",
		"${username}@${host}:${port}/${database} ${expiresAt}": "u@@[Zz{:1/d 2026-01-02T03:04:05Z",
		"${host:url}": "%40%5BZz%7B",
		"${password}": `p'"/`, "${password:url} ${password|url}": "p%27%22%2F p%27%22%2F",
		"${password:json} ${password|json}": `"p'\"/" "p'\"/"`, "${password|sh}": `'p'\''"/'`, "${password:base64}": "cCciLw==",
		"$${password} $$${password}": `${password} $${password}`, "$$$${": "$$${",
	} {
		format, err := Named("template", template)
		require.NoError(t, err, template)

		got, err := format(texts)

		require.NoError(t, err)
		assert.Equal(t, want, string(got), template)
	}
}

func TestAFormatThatIsNoneIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	const there = ", and there are ${username}, ${password}, ${expiresAt}, ${host}, ${port} and ${database}"
	for template, said := range map[string]string{
		"":                     "the format template needs a template",
		"a ${passwd}":          "the template has ${passwd}" + there,
		"a ${}":                "the template has ${}" + there,
		"a ${password":         "the template has ${password" + there,
		"a ${password|upper}":  "the template has ${password|upper}, and there are the filters url, json, sh and base64",
		"a ${password|url|sh}": "the template has ${password|url|sh}, and there are the filters url, json, sh and base64",
	} {
		_, err := Named("template", template)
		assert.EqualError(t, err, said)
	}
	_, err := Named("ini", "")
	assert.EqualError(t, err, "there is no format ini: write pgbouncer, pgpass, env, json, raw or template")
}

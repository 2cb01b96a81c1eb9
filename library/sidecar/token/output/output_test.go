package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
)

type pointers = document.TokenPointers

func TestAnOutputIsReadAsItsToolPrintsIt(t *testing.T) {
	t.Parallel()
	soon := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		output string
		spec   Spec
		want   Credential
	}{
		"outrigger's own":              {`{"username":"u","password":"p","expiresAt":"2026-01-02T03:04:05Z","signedUntil":1767323045}`, Spec{}, Credential{Username: "u", Password: "p", ExpiresAt: soon, SignedUntil: soon}},
		"kubectl":                      {`{"kind":"ExecCredential","status":{"token":"a/b","expirationTimestamp":"2026-01-02T03:04:05Z"}}`, Spec{}, Credential{Password: "a/b", ExpiresAt: soon}},
		"aws":                          {`{"Version":1,"AccessKeyId":"AK","SecretAccessKey":"s","Expiration":"2026-01-02T04:04:05+01:00"}`, Spec{}, Credential{Username: "AK", Password: "s", ExpiresAt: soon}},
		"aws, and the file has a user": {`{"AccessKeyId":"AK","SecretAccessKey":"s","Expiration":"2026-01-02T03:04:05Z"}`, Spec{KnownUsername: true}, Credential{Password: "s", ExpiresAt: soon}},
		"a place of one's own for the password alone": {`{"AccessKeyId":"AK","token":"s","expiresAt":1767323045}`, Spec{Pointers: pointers{Password: "/token"}}, Credential{Password: "s", ExpiresAt: soon}},
		"places of one's own": {`{"lease_duration":3600,"data":{"username":"v-1","password":"p"}}`,
			Spec{KnownUsername: true, Pointers: pointers{Password: "/data/password", Username: "/data/username", TTL: "/lease_duration"}}, Credential{Username: "v-1", Password: "p", Life: time.Hour}},
		"a life with a fraction":            {`{"password":"p","life":"60.9"}`, Spec{Pointers: pointers{TTL: "/life"}}, Credential{Password: "p", Life: time.Minute}},
		"an expiry and a life":              {`{"password":"p","expiresAt":1767323045,"life":60}`, Spec{Pointers: pointers{TTL: "/life"}}, Credential{Password: "p", ExpiresAt: soon}},
		"no expiry where the life is known": {`{"password":"p"}`, Spec{KnownLife: true}, Credential{Password: "p"}},
		"no time where nobody said that one is there, and the life is known": {`{"password":"p","expiresAt":"never"}`, Spec{KnownLife: true}, Credential{Password: "p"}},
		"a life of 0 where the life is known":                                {`{"password":"p","lease_duration":0}`, Spec{KnownLife: true, Pointers: pointers{TTL: "/lease_duration"}}, Credential{Password: "p"}},
		"null is nothing":                                                    {`{"password":null,"status":{"token":"t"},"expiresAt":null,"Expiration":1767323045}`, Spec{}, Credential{Password: "t", ExpiresAt: soon}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.spec.JSON = true

			got, err := c.spec.Read([]byte(c.output))

			require.NoError(t, err)
			assert.True(t, c.want.ExpiresAt.Equal(got.ExpiresAt), got.ExpiresAt)
			assert.True(t, c.want.SignedUntil.Equal(got.SignedUntil), got.SignedUntil)
			c.want.ExpiresAt, c.want.SignedUntil, got.ExpiresAt, got.SignedUntil = time.Time{}, time.Time{}, time.Time{}, time.Time{}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestARawOutputIsThePasswordLessANewlineAtItsEnd(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{"p": "p", "p\n": "p", "p\n\n": "p\n", " p \r\n": " p \r", "n": "n", "": "", "\n": ""} {
		got, err := Spec{}.Read([]byte(output))

		require.NoError(t, err)
		assert.Equal(t, Credential{Password: want}, got)
	}
}

func TestAnOutputThatCannotBeTakenIsRefused(t *testing.T) {
	t.Parallel()
	const time = " is no time: write it as 2026-01-31T12:00:00Z, or in seconds since 1970"
	for output, c := range map[string]struct {
		spec Spec
		said string
	}{
		"":                                    {Spec{}, "the output is empty"},
		`{"password":`:                        {Spec{}, "the output is no JSON: it ends too soon, after 12 bytes"},
		`{"a": hush}`:                         {Spec{}, "the output is no JSON: byte 7 is wrong"},
		`{} hush`:                             {Spec{}, "the output is no JSON: more after the end at byte 2"},
		`{}`:                                  {Spec{}, "the output has no /password, /status/token or /SecretAccessKey, where the credential would be"},
		`{"password":1}`:                      {Spec{}, "the value at /password is no string"},
		`{"password":""}`:                     {Spec{}, "the value at /password is empty"},
		`{"password":"hush\u0000"}`:           {Spec{}, "the value at /password has a NUL byte"},
		`{"password":"a"} `:                   {Spec{Pointers: pointers{Password: "/x/y"}}, "the output has no /x/y, where the credential would be"},
		`{"password":"a"}  `:                  {Spec{KnownLife: true, Pointers: pointers{Username: "/user"}}, "the output has no /user, where the username would be"},
		`{"password":"a"}`:                    {Spec{}, "the output has no /expiresAt, /status/expirationTimestamp or /Expiration, where the expiry would be; name its place, or set ttl"},
		`{"password":"a","expiresAt":"soon"}`: {Spec{}, "the output's expires-at" + time},
		`{"password":"a","expiresAt":4000000000000}`:          {Spec{}, "the output's expires-at" + time},
		`{"password":"a","expiresAt":"soon"} `:                {Spec{KnownLife: true, Pointers: pointers{ExpiresAt: "/expiresAt"}}, "the output's expires-at" + time},
		`{"password":"a","expiresAt":1,"signedUntil":"soon"}`: {Spec{}, "the output's signed-until" + time},
		`{"password":"a","life":"long"}`:                      {Spec{Pointers: pointers{TTL: "/life"}}, "/life is no number of seconds"},
		`{"password":"a","life":0}`:                           {Spec{Pointers: pointers{TTL: "/life"}}, "the value at /life is 0 seconds"},
		`{"password":"a","life":null}`:                        {Spec{Pointers: pointers{TTL: "/life"}}, "the output has no /life, where the expiry would be; name its place, or set ttl"},
	} {
		c.spec.JSON = true

		got, err := c.spec.Read([]byte(output))

		assert.EqualError(t, err, c.said, output)
		assert.Zero(t, got)
	}
}

// pointed is what stands at pointers in a document.
func pointed(document string, pointers ...string) (map[string]string, error) {
	value, err := parse([]byte(document))
	if err != nil {
		return nil, err
	}
	got := map[string]string{}
	for _, pointer := range pointers {
		text, err := first(value, true, []string{pointer})
		if err != nil {
			return nil, err
		}
		if text != "" {
			got[pointer] = text
		}
	}
	return got, nil
}

func TestAPointerFindsWhatRFC6901Says(t *testing.T) {
	t.Parallel()
	const document = `{"foo":["bar","baz"],"":"0","a/b":"1","c%d":"2","e^f":"3","g|h":"4","i\\j":"5","k\"l":"6"," ":"7","m~n":"8","é\u00e9":"9",` +
		`"deep":{"er":[{"x":"y"}]},"twice":"first","twice":"second","gone":{"a":"b"},"gone":{"c":"d"},"null":null,"n":-1.5e+3,"s":"\u00e9\ud83d\ude00\"\\\/\b\f\n\r\t"}`

	got, err := pointed(document, "/foo/0", "/foo/1", "/", "/a~1b", "/c%d", "/e^f", "/g|h", `/i\j`, `/k"l`, "/ ", "/m~0n", "/éé",
		"/deep/er/0/x", "/twice", "/gone/a", "/gone/c", "/null", "/n", "/s", "/foo/2", "/foo/-", "/foo/00", "/foo/-1", "/foo/0/x", "/nothing")

	require.NoError(t, err)
	assert.Equal(t, map[string]string{"/foo/0": "bar", "/foo/1": "baz", "/": "0", "/a~1b": "1", "/c%d": "2", "/e^f": "3", "/g|h": "4", `/i\j`: "5", `/k"l`: "6",
		"/ ": "7", "/m~0n": "8", "/éé": "9", "/deep/er/0/x": "y", "/twice": "second", "/gone/c": "d", "/n": "-1.5e+3", "/s": "é😀\"\\/\b\f\n\r\t"}, got)
}

func TestWhatIsNoJSONIsRefused(t *testing.T) {
	t.Parallel()
	for _, document := range []string{
		"", " ", "{", "}", "[", "[1,]", "[,1]", "{,}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{'a':1}`, `{"a" 1}`, "nul", "nulls", "tru", "01", "-", "1.", ".1", "1e", "+1",
		`"a`, "\"a\nb\"", `"\x"`, `"\u12g4"`, `"\u123"`, `"\ud83d"`, `"\ud83dx"`, `"\ude00"`, `"\ud83d\u0041"`, `{} {}`, "\ufeff{}", "\"\xff\"", "\"a\x00\"", "NaN",
		strings.Repeat("[", 20000) + strings.Repeat("]", 20000),
	} {
		_, err := pointed(document, "/a")
		assert.ErrorContains(t, err, "the output is no JSON", "%.100q", document)
	}
}

func TestRandomJSONIsReadAsGoReadsIt(t *testing.T) {
	t.Parallel()
	seed := time.Now().UnixNano()
	random := rand.New(rand.NewSource(seed))
	text := func() string {
		var text strings.Builder
		for range random.Intn(30) {
			text.WriteString([]string{`"`, `\`, "/", "~", "{", "}", "é", "😀", "\x01", "\n", "a", "0", "%"}[random.Intn(13)])
		}
		return text.String()
	}
	for range 2000 {
		want, key := text()+"!", text()
		encoded, err := json.MarshalIndent(map[string]any{"before": []any{1, "x", nil, true, map[string]any{}}, key: map[string]any{"k": []any{false, want}}}, "", strings.Repeat(" ", random.Intn(3)))
		require.NoError(t, err)
		message := fmt.Sprintf("seed %d: %q", seed, encoded)
		pointer := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key) + "/k/1"

		got, err := pointed(string(encoded), pointer)

		require.NoError(t, err, message)
		require.Equal(t, map[string]string{pointer: want}, got, message)

		// One byte is changed, or left out: what Go refuses is refused, and nothing else.
		at := random.Intn(len(encoded))
		broken := bytes.Join([][]byte{encoded[:at], []byte([]string{"", `"`, "}", ",", "x", "\\", "\n"}[random.Intn(7)]), encoded[at+1:]}, nil)
		if bytes.Contains(broken, []byte(`\u`)) {
			continue // Go takes half of a surrogate pair
		}
		_, err = pointed(string(broken), "/nothing")
		require.Equal(t, json.Valid(broken) && utf8.Valid(broken), err == nil, "seed %d: %q: %v", seed, broken, err)
	}
}

func TestATimeIsReadHoweverItsToolWritesIt(t *testing.T) {
	t.Parallel()
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	read := func(text string) string {
		at, ok := readTime(text, newYork)
		if !ok {
			return "refused"
		}
		return fmt.Sprint(at.Unix())
	}
	for text, want := range map[string]string{
		"2026-01-02T03:04:05Z": "1767323045", "2026-01-02t03:04:05z": "1767323045", "2026-01-02T04:04:05.987654321+01:00": "1767323045",
		"20260102T030405Z": "1767323045", "20260102T013405-0130": "1767323045", "2026-01-01 22:04:05.123456": "1767323045", "2026-01-01 22:04:05": "1767323045",
		"2026-01-02 03:04:05+00:00": "1767323045", "2026-07-01 22:04:05": "1782957845",
		"1767323045": "1767323045", "1767323045.9": "1767323045", "4000000000": "4000000000", "2100-01-01T00:00:00Z": "4102444800", "2024-02-29T00:00:00Z": "1709164800",
		"2026-02-30T00:00:00Z": "1772409600", "2016-12-31T23:59:60Z": "1483228800", "2026-01-02T03:04:05,5Z": "1767323045",
		"": "refused", "soon": "refused", "2026-13-01T00:00:00Z": "refused", "2026-01-02": "refused", "2026-01-02T03:04:05X": "refused", "-5": "refused",
		"2026-01-02T03:04:05Z extra": "refused", "1e9": "refused", "1767323045000": "refused", "99999999999999999999": "refused", "2026-01-02T03:04:05+05": "refused",
		"2026-01-02T03:04:05 UTC": "refused", "2026-01-02T24:00:00Z": "refused", "2026-01-02T03:60:00Z": "refused", "2026-01-00T03:04:00Z": "refused",
	} {
		assert.Equal(t, want, read(text), text)
	}
	random := rand.New(rand.NewSource(1))
	for range 1000 {
		when := time.Unix(random.Int63n(1<<32), 0).In(time.FixedZone("", (random.Intn(53)-26)*1800))
		assert.Equal(t, fmt.Sprint(when.Unix()), read(when.Format(time.RFC3339)))
	}
}

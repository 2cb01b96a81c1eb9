package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestASecretIsHiddenAndWhatStandsAroundItIsNot(t *testing.T) {
	t.Parallel()
	const secret = `hush "hush" hush/hush+é`
	for name, shown := range map[string]string{
		"as it is":                 secret,
		"a part of it":             secret[3:12],
		"twice":                    secret + secret,
		"base64":                   base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 for addresses":     base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"percent-encoded":          url.PathEscape(secret),
		"a query's value":          url.QueryEscape(secret),
		"hexadecimal":              hex.EncodeToString([]byte(secret)),
		"hexadecimal, in capitals": strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"JSON":                     `hush \"hush\" hush\/hush+\u00e9`,
		"over two lines":           `hush "hush" hu` + "\n  " + `sh/hush+é`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, "+ send: *** now", Hide("+ send: "+shown+" now", secret))
		})
	}
}

func TestTheUserAndThePasswordOfABasicAuthorizationAreHiddenWhereverThePasswordBegins(t *testing.T) {
	t.Parallel()
	for _, user := range []string{"", "a", "ab", "abc"} {
		header := base64.StdEncoding.EncodeToString([]byte(user + ":eyJhbGciOiJSUzI1NiJ9"))

		hidden := Hide("Authorization: Basic "+header+"\n", "eyJhbGciOiJSUzI1NiJ9")

		assert.Regexp(t, `^Authorization: Basic [a-zA-Z0-9]{0,6}\*\*\*=*\n$`, hidden)
	}
}

func TestWhatIsNoSecretIsShown(t *testing.T) {
	t.Parallel()
	const text = "the server db.example.com does not answer: 0123456789abcdef"
	assert.Equal(t, text, Hide(text))
	assert.Equal(t, text, Hide(text, ""))
	assert.Equal(t, text, Hide(text, "server", "example"), "which are shorter than a secret is")
	assert.Equal(t, text, Hide(text, "hush hush hush"))
	assert.Equal(t, "", Hide("", "hush hush hush"))
}

func TestWhatACommandPrintedInJSONIsHiddenAsItReadsToo(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "got: ***", Hide(`got: seven77"seven77"seven77`, `{"password":"seven77\"seven77\"seven77"}`))
}

func TestWhatIsHiddenLeavesNothingOfTheSecretSideBySide(t *testing.T) {
	t.Parallel()
	const secret = "abcd***efghijkl"
	assert.Equal(t, "***", Hide("abcd"+secret+"efghij", secret))
}

// everyEscape is a secret of a length in which each kind of escapes reads as something else all the time.
func everyEscape(length int) string {
	random := rand.New(rand.NewSource(1))
	var text strings.Builder
	for text.Len() < length {
		fmt.Fprintf(&text, `%s%c%c`, []string{`%4`, `\"`, "+", " "}[random.Intn(4)], '0'+random.Intn(10), 'a'+random.Intn(26))
	}
	return text.String()[:length]
}

// allocated is how many bytes are allocated while something runs; nothing else runs then.
func allocated(what func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	what()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

func TestSecretsOfAMegabyteHideAllThatWasSaidAndTakeNoMemory(t *testing.T) {
	most, tooMany := everyEscape(Most), everyEscape(1<<20)
	said := "got " + most[500:520] + " from nowhere"

	assert.Less(t, allocated(func() { assert.Regexp(t, `^got \*\*\*.* from nowhere$`, Hide(said, most)) }), 1024*Most, "as many as are looked for")
	assert.Less(t, allocated(func() { assert.Equal(t, "***", Hide(said, tooMany)) }), Most)
	assert.Equal(t, "***", Hide(said, most, "x"), "all secrets together")
	assert.Empty(t, Hide("", tooMany))
}

// encodings are all in which a secret must not be seen.
var encodings = map[string]func([]byte) string{
	"as it is":    func(b []byte) string { return string(b) },
	"base64":      base64.StdEncoding.EncodeToString,
	"base64, URL": base64.RawURLEncoding.EncodeToString,
	"hexadecimal": hex.EncodeToString,
	"capitals":    func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) },
	"path":        func(b []byte) string { return url.PathEscape(string(b)) },
	"query":       func(b []byte) string { return url.QueryEscape(string(b)) },
	"all percent": func(b []byte) string {
		var text strings.Builder
		for _, c := range b {
			fmt.Fprintf(&text, "%%%02x", c)
		}
		return text.String()
	},
	"JSON": func(b []byte) string {
		encoded, _ := json.Marshal(string(b))
		return string(encoded[1 : len(encoded)-1])
	},
	"base64 in an address": func(b []byte) string { return url.QueryEscape(base64.StdEncoding.EncodeToString(b)) },
	"JSON in base64": func(b []byte) string {
		encoded, _ := json.Marshal(string(b))
		return base64.StdEncoding.EncodeToString(encoded)
	},
}

// randomBytes are mostly of what encodings write otherwise.
func randomBytes(random *rand.Rand, size int) []byte {
	var text []byte
	for len(text) < size {
		if random.Intn(4) == 0 {
			text = utf8.AppendRune(text, rune(1+random.Intn(0x2fff)))
			continue
		}
		const alphabet = `"\/+%= :*{}&<>` + "\n\tabcXYZ0123é"
		text = append(text, alphabet[random.Intn(len(alphabet)-2)])
	}
	return text
}

func TestNoEightBytesOfARandomSecretAreSeenInAnyEncoding(t *testing.T) {
	t.Parallel()
	seed := time.Now().UnixNano()
	random := rand.New(rand.NewSource(seed))
	for range 200 {
		secret := randomBytes(random, 8+random.Intn(60))
		before, after := randomBytes(random, random.Intn(20)), randomBytes(random, random.Intn(20))
		from := random.Intn(len(secret) - 7)
		part := secret[from : from+8+random.Intn(len(secret)-from-7)]
		for name, encode := range encodings {
			if strings.Contains(name, "JSON") && !utf8.Valid(part) {
				continue
			}
			// What is before and after is of the same encoded text, as a header's user is; letters before that look like it.
			text := "said: " + "fee"[:random.Intn(4)] + encode(bytes.Join([][]byte{before, part, after}, nil)) + " end"

			hidden := Hide(text, string(secret))

			message := fmt.Sprintf("seed %d: %s of %q in %q: %q: %q", seed, name, part, secret, text, hidden)
			require.Contains(t, hidden, mask, message)
			require.Empty(t, seen(hidden, secret), message)
			require.Equal(t, hidden, Hide(hidden, string(secret)), message)
		}
	}
}

// seen is what of eight bytes of a secret a text shows in any encoding, if it does.
func seen(text string, secret []byte) string {
	for from := 0; from+8 <= len(secret); from++ {
		part := secret[from : from+8]
		forms := []string{string(part), hex.EncodeToString(part), strings.ToUpper(hex.EncodeToString(part)), url.PathEscape(string(part)), url.QueryEscape(string(part))}
		for pad := range 3 {
			// The digits that are the part's alone, wherever in base64 it begins.
			encoded := base64.StdEncoding.EncodeToString(append(make([]byte, pad), append(part[:8:8], make([]byte, 3)...)...))
			own := encoded[(pad*8+5)/6 : (pad*8+64)/6]
			forms = append(forms, own, strings.NewReplacer("+", "-", "/", "_").Replace(own))
		}
		for _, form := range forms {
			if strings.Contains(text, form) {
				return form
			}
		}
	}
	return ""
}

func BenchmarkHide(b *testing.B) {
	random := rand.New(rand.NewSource(1))
	text, secret := string(randomBytes(random, 4<<10)), string(randomBytes(random, 2<<10))
	b.ReportAllocs()
	for b.Loop() {
		Hide(text, secret)
	}
}

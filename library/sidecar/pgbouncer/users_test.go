package pgbouncer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheUserIsReadAsPgBouncerReadsIt(t *testing.T) {
	for file, user := range map[string]string{
		"\"shop\" \"secret\"\n":                        "shop",
		"\"shop\" \"secret\"":                          "shop",
		"\n \t; \"not\" \"this\"\n\"shop\" \"\"\n":     "shop",
		`"a""b" "c""d"`:                                `a"b`,
		`"""" "x"`:                                     `"`,
		`"größe" "x"`:                                  "größe",
		"\"\xff\xfe\" \"x\"":                           "\xff\xfe",
		"\"a\nb\" \"c\nd\" rest \"of\" the line\n":     "a\nb",
		`"shop" anything "secret"`:                     "shop",
		"\"first\" \"x\"\n\"second\" \"y\"\n":          "first",
		`"` + strings.Repeat("x", 127) + `" "secret"`:  strings.Repeat("x", 127),
		`"` + strings.Repeat(`""`, 63) + `x" "secret"`: strings.Repeat(`"`, 63) + "x",
	} {
		got, err := firstUser([]byte(file))

		require.NoError(t, err, file)
		assert.Equal(t, user, got, file)
	}
}

func TestAFileWithoutAUserAndAPasswordIsRefused(t *testing.T) {
	for _, file := range []string{
		"", "\n", "; only a remark", "shop secret", `"shop"`, `"shop" `, `"shop" "firs`, `"shop`, `"" "secret"`,
		"\"shop\" \"sec\x00ret\"", "\"sh\x00op\" \"secret\"",
	} {
		_, err := firstUser([]byte(file))

		assert.ErrorIs(t, err, errNoUser, file)
	}
}

func TestAUserThatIsTooLongForPgBouncerIsRefusedWithTheLimit(t *testing.T) {
	for _, user := range []string{strings.Repeat("u", 128), strings.Repeat("é", 64), strings.Repeat(`"`, 64), strings.Repeat("u", 2047)} {
		_, err := firstUser(usersFile(user, "secret"))

		assert.ErrorContains(t, err, "the user has over 127 bytes")
	}
}

func FuzzAUserThatIsWrittenIsReadAgain(f *testing.F) {
	for _, user := range []string{"shop", `a"b""`, "größe", "; x", "\xff\n"} {
		f.Add(user, `p"w`)
	}
	f.Fuzz(func(t *testing.T, user, password string) {
		if user == "" || strings.Contains(user+password, "\x00") || len(double(user)) > mostUserBytes {
			t.Skip("no user, or one that pgbouncer cannot have")
		}

		got, err := firstUser(usersFile(user, password))

		require.NoError(t, err)
		assert.Equal(t, user, got)
	})
}

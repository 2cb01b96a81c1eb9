package document

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/version"
)

var own = version.Minor(version.Version)

// tokens is a document of a refresher whose part is what is given.
func tokens(part string) []byte {
	return []byte(`{"version": "` + own + `", "token": ` + part + `}`)
}

const whole = `{"name": "db", "file": {"path": "/t/f", "format": "raw", "mode": "0640"}, "exec": {"command": ["print"], "output": "raw"}, "ttlSeconds": 0.5}`

func TestADocumentIsReadIntoItsType(t *testing.T) {
	t.Parallel()
	var token Token

	err := Read(tokens(whole), "token", &token)

	require.NoError(t, err)
	assert.Equal(t, Token{
		Name: "db", TTL: 0.5, File: TokenFile{Path: "/t/f", Format: "raw", Mode: "0640"},
		Exec: &TokenExec{Command: []string{"print"}, Output: "raw"},
	}, token)
	assert.Equal(t, "500ms", token.TTL.Duration().String())
}

func TestWhatIsWrongInADocumentIsNamed(t *testing.T) {
	t.Parallel()
	for said, text := range map[string]string{
		`/token/name is missing`:                       `{"file": {"path": "/t/f", "format": "raw", "mode": "0640"}}`,
		`/token/file/mode is missing`:                  `{"name": "db", "file": {"path": "/t/f", "format": "raw"}}`,
		`/token/exec/output is missing`:                `{"name": "db", "file": {"path": "/t/f", "format": "raw", "mode": "0640"}, "exec": {"command": ["x"]}}`,
		`/token/nmae: there is no such key`:            `{"nmae": "db", "file": {"path": "/t/f", "format": "raw", "mode": "0640"}}`,
		`/token/Name: there is no such key`:            `{"Name": "db", "file": {"path": "/t/f", "format": "raw", "mode": "0640"}}`,
		`duplicate object member name "name"`:          `{"name": "db", "name": "db", "file": {"path": "/t/f", "format": "raw", "mode": "0640"}}`,
		`/token/file/path: `:                           `{"name": "db", "file": {"path": 1, "format": "raw", "mode": "0640"}}`,
		`OUTRIGGER_CONFIG: jsontext: unexpected EOF`:   `{"name": `,
		`/token/notify/http/uri: there is no such key`: `{"name": "db", "notify": {"http": {"uri": "x"}}, "file": {"path": "/t/f", "format": "raw", "mode": "0640"}}`,
	} {
		t.Run(said, func(t *testing.T) {
			t.Parallel()
			text := tokens(text)
			if said == `OUTRIGGER_CONFIG: jsontext: unexpected EOF` {
				text = text[:len(text)-1]
			}

			err := Read(text, "token", new(Token))

			assert.ErrorContains(t, err, said)
		})
	}
}

func TestADocumentOfAnotherVersionSaysBothAndWhatToSetWhateverElseIsWrong(t *testing.T) {
	t.Parallel()
	err := Read([]byte(`{"version": "0.9", "token": {"nmae": 1}}`), "token", new(Token))

	assert.EqualError(t, err, `document of "0.9", program of "`+own+`": set images.outrigger to the image of the chart's own version`)
}

func TestADocumentOfAnotherVerbIsRefused(t *testing.T) {
	t.Parallel()
	assert.ErrorContains(t, Read([]byte(`{"version": "`+own+`", "pgbouncer": {}}`), "token", new(Token)), `has no "token"`)
	assert.ErrorContains(t, Read([]byte(`{"version": "`+own+`", "pgbouncer": {}, "token": {}}`), "token", new(Token)), `has "pgbouncer"`)
}

func TestTheDocumentIsTakenOutOfTheEnvironment(t *testing.T) {
	t.Setenv(Variable, string(tokens(whole)))

	require.NoError(t, FromEnvironment("token", new(Token)))

	_, found := os.LookupEnv(Variable)
	assert.False(t, found, "children would inherit it")
	assert.ErrorContains(t, FromEnvironment("token", new(Token)), "OUTRIGGER_CONFIG is not set")
}

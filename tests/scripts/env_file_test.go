package scripts

import (
	"context"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/format"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// fileKey is a variable of a file, as a container's fileKeyRef names one.
type fileKey struct {
	File []byte `json:"file"`
	Key  string `json:"key"`
}

// fileKeyValue is what the kubelet reads of it, or why it refuses the file.
type fileKeyValue struct {
	Value []byte `json:"value"`
	Error string `json:"error"`
}

// kubelet reads variables of files by Kubernetes' own code.
func kubelet(t *testing.T, keys []fileKey) (values []fileKeyValue) {
	t.Helper()
	tools, err := rig.Tools(context.Background(), os.Stderr, "env")
	require.NoError(t, err)
	harness.AskProgram(t, filepath.Join(tools, "env"), keys, &values)
	require.Len(t, values, len(keys))
	return values
}

// quotable are texts of what shells, Kubernetes and lines quote, at the limits of a line, and at random.
func quotable(random *rand.Rand) []string {
	longest := strings.Repeat("x", 64<<10-1-len("PGPASSWORD=''"))
	texts := []string{"", "a", "'", `"`, `\`, `a\`, "#", " # a", "a=b", "$PATH", "$(id)", "`id`", " a ", "\ta\t", "a\r", "a\rb", "a\n", "a\r\nb", "é😀", "\xff\x01\x7f", longest, longest + "x"}
	alphabet := []string{`"`, `\`, "$", "#", "=", " ", "\t", "\r", "a", "Z", "0", "é", "😀", "\xff", "\x01", "'", "\n"}
	for range 300 {
		var text strings.Builder
		most := len(alphabet) - random.Intn(3) // with what the format refuses, and without
		for range random.Intn(40) {
			text.WriteString(alphabet[random.Intn(most)])
		}
		texts = append(texts, text.String())
	}
	return texts
}

func TestTheKubeletReadsAFileOfVariablesAsItWasWrittenWhereItIsNotRefused(t *testing.T) {
	t.Parallel()
	random := seeded(t)
	write, err := format.Named("env", "")
	require.NoError(t, err)
	all := quotable(random)
	var credentials []format.Texts
	for _, text := range all {
		credentials = append(credentials, format.Texts{Host: "db", Port: "5432", Username: "shop", Password: text},
			format.Texts{Host: all[random.Intn(len(all))], Port: "5432", Username: text, Password: "secret"})
	}
	var keys []fileKey
	var want []string
	for _, c := range credentials {
		file, refusal := write(c)
		if refusal != nil {
			// What it refuses for what is in it, and not for its length, no reader of lines or of single quotes could have.
			refused := c.Host + c.Username + c.Password
			assert.True(t, c.Password == "" || strings.ContainsAny(refused, "'\n") || len(refused) > 60<<10, "%.200q: %v", refused, refusal)
			continue
		}
		for name, value := range map[string]string{"PGHOST": c.Host, "PGPORT": c.Port, "PGUSER": c.Username, "PGPASSWORD": c.Password} {
			keys, want = append(keys, fileKey{file, name}), append(want, value)
		}
	}
	require.Greater(t, len(keys), 4*30, "files that are not refused")

	values := kubelet(t, keys)

	for i, value := range values {
		assert.Empty(t, value.Error, "%.200q", keys[i].File)
		assert.Equal(t, want[i], string(value.Value), "%s of %.200q", keys[i].Key, keys[i].File)
	}
}

package proof

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatIsWrittenIsReadAndWhatIsTornIsNot(t *testing.T) {
	t.Parallel()
	path := IssuedPath(filepath.Join(t.TempDir(), "credential"))
	issued := Issued{Sum: Sum([]byte("x")), ExpiresAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}

	require.NoError(t, Write(path, issued, 0o600))

	var got Issued
	require.True(t, Read(path, &got))
	assert.Equal(t, issued, got)
	require.NoError(t, os.Truncate(path, 20))
	assert.False(t, Read(path, &got))
	assert.False(t, Read(path+".none", &got))
}

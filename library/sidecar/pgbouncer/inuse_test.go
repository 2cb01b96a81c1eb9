package pgbouncer

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

func TestTheExpiryOfTheCredentialInUseIsRememberedAndNotThatOfTheNext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "issued")
	said := func(sum string, expiresAt time.Time) {
		require.NoError(t, proof.Write(path, proof.Issued{Sum: sum, ExpiresAt: expiresAt}, 0o600))
	}
	early, late := time.Now().Add(time.Minute).UTC(), time.Now().Add(time.Hour).UTC()
	used := inUse{Issued: proof.Issued{Sum: "a"}}
	assert.False(t, used.remember(path), "nothing is said")

	said("a", early)
	assert.True(t, used.remember(path))
	assert.False(t, used.remember(path), "it is no news any more")
	said("b", late)
	assert.False(t, used.remember(path))
	assert.Equal(t, early, used.ExpiresAt)
	said("a", late)
	assert.True(t, used.remember(path), "a lease was renewed")
	assert.Equal(t, late, used.ExpiresAt)
}

func TestACredentialIsWorthlessWhenItHasExpiredOrWasRefused(t *testing.T) {
	now := time.Now()
	expires := func(at time.Time) proof.Issued { return proof.Issued{Sum: "a", ExpiresAt: at} }

	assert.False(t, inUse{}.isWorthless(now), "there is none")
	assert.False(t, inUse{Issued: expires(time.Time{})}.isWorthless(now), "nothing is known of its end")
	assert.False(t, inUse{Issued: expires(now.Add(time.Second)), Outcome: proof.Unproven}.isWorthless(now))
	assert.True(t, inUse{Issued: expires(now), Outcome: proof.Accepted}.isWorthless(now))
	assert.True(t, inUse{Issued: expires(now.Add(time.Hour)), Outcome: proof.Refused}.isWorthless(now))
}

package pgbouncer

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/clocks"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

func TestTheExpiryOfTheCredentialInUseIsRememberedAndNotThatOfTheNext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "issued")
	said := func(sum string, expiresAt time.Time) {
		require.NoError(t, proof.Write(path, proof.Issued{Sum: sum, ExpiresAt: expiresAt}, 0o600))
	}
	early, late := time.Now().Add(time.Minute).UTC(), time.Now().Add(time.Hour).UTC()
	used := inUse{Issued: proof.Issued{Sum: "a"}}
	assert.False(t, used.remember(path, clocks.Now()), "nothing is said")

	said("a", early)
	assert.True(t, used.remember(path, clocks.Now()))
	assert.False(t, used.remember(path, clocks.Now()), "it is no news any more")
	said("b", late)
	assert.False(t, used.remember(path, clocks.Now()))
	assert.Equal(t, early, used.ExpiresAt)
	said("a", late)
	assert.True(t, used.remember(path, clocks.Now()), "a lease was renewed")
	assert.Equal(t, late, used.ExpiresAt)
}

func TestACredentialIsWorthlessWhenItHasExpiredOrWasRefused(t *testing.T) {
	now := clocks.Now()
	expires := func(at time.Time, outcome proof.Outcome) inUse {
		used := inUse{Issued: proof.Issued{Sum: "a", ExpiresAt: at}, Outcome: outcome}
		used.reckon(now)
		return used
	}

	assert.False(t, inUse{}.isWorthless(now), "there is none")
	assert.False(t, expires(time.Time{}, proof.Accepted).isWorthless(now), "nothing is known of its end")
	assert.False(t, expires(now.Wall.Add(time.Second), proof.Unproven).isWorthless(now))
	assert.True(t, expires(now.Wall, proof.Accepted).isWorthless(now))
	assert.True(t, expires(now.Wall.Add(time.Hour), proof.Refused).isWorthless(now))
}

func TestAClockThatIsSetLetsNoCredentialLiveForLonger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in-use")
	read := clocks.Moment{Wall: time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC), Elapsed: time.Hour}
	issued := proof.Issued{Sum: "a", ExpiresAt: read.Wall.Add(15 * time.Minute)}
	require.NoError(t, proof.Write(path, issued, 0o600))
	later := func(span, set time.Duration) clocks.Moment {
		return clocks.Moment{Wall: read.Wall.Add(span + set), Elapsed: read.Elapsed + span}
	}
	recalled, remembered := inUse{}, inUse{Issued: proof.Issued{Sum: "a"}}
	recalled.recall(path, read)
	require.True(t, remembered.remember(path, read))
	for _, used := range []inUse{recalled, remembered} {
		assert.False(t, used.isWorthless(later(14*time.Minute, 0)))
		assert.False(t, used.isWorthless(later(14*time.Minute, -time.Hour)))

		assert.True(t, used.isWorthless(later(15*time.Minute, -time.Hour)), "it was set back an hour")
		assert.True(t, used.isWorthless(later(10*time.Minute, 5*time.Minute)), "it was behind")
	}
}

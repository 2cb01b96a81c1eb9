package token

import (
	"math/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
)

func TestACredentialIsRenewedBeforeItOrWhatSignedItExpires(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		life, signed, ttl, wait, expires, ready time.Duration
	}{
		"by its own life":   {life: 900, wait: 594, expires: 900, ready: 840},
		"signed for longer": {life: 900, signed: 3600, wait: 594, expires: 900, ready: 840},
		"signed for less":   {life: 900, signed: 300, wait: 240, expires: 300, ready: 270},
		"signed for so long that neither is far from the other": {life: 900, signed: 740, wait: 592, expires: 740, ready: 680},
		"a ttl that is shorter":                                 {life: 3600, ttl: 900, wait: 594, expires: 900, ready: 840},
		"a ttl that is longer":                                  {life: 900, ttl: 24 * 3600, wait: 594, expires: 900, ready: 840},
		"a ttl alone":                                           {ttl: 100, wait: 66, expires: 100, ready: 90},
		"a life of a second":                                    {life: 1, wait: 1, expires: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			of := credential.Credential{}
			if c.life > 0 {
				of.ExpiresAt = noon.Add(c.life * time.Second)
			}
			if c.signed > 0 {
				of.SignedUntil = noon.Add(c.signed * time.Second)
			}

			latest, err := schedule(of, noon, noon, c.ttl*time.Second, 0)
			require.NoError(t, err)
			earliest, err := schedule(of, noon, noon, c.ttl*time.Second, 1)
			require.NoError(t, err)

			assert.Equal(t, noon.Add(c.expires*time.Second), latest.ExpiresAt)
			assert.Equal(t, c.wait*time.Second, latest.DueAt.Sub(noon))
			if c.life != 1 {
				assert.Equal(t, c.wait*time.Second*95/100, earliest.DueAt.Sub(noon), "up to 5 % before, as not all pods should ask at once")
				assert.Equal(t, noon.Add(c.ready*time.Second), latest.ReadyUntil)
			}
		})
	}
}

func TestACredentialThatHasExpiredIsNone(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]credential.Credential{
		"itself":         {ExpiresAt: noon},
		"what signed it": {ExpiresAt: noon.Add(time.Hour), SignedUntil: noon},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := schedule(of, noon, noon, 0, 0)
			assert.EqualError(t, err, "the credential, or what signed it, had expired when it was obtained: at 2026-01-02T12:00:00Z, and this pod's clock says 2026-01-02T12:00:00Z")
		})
	}
	_, err := schedule(credential.Credential{}, noon, noon, 0, 0)
	assert.EqualError(t, err, "nothing says when the credential expires: set ttl")
}

func TestAFailureIsRetriedLessAndLessOftenButSoonerTheLessIsLeft(t *testing.T) {
	t.Parallel()
	second := func(failures int, left time.Duration, random float64) float64 {
		return retryDelay(time.Second, time.Minute, failures, left, random).Seconds()
	}
	var delays []float64
	for failures := 1; failures <= 9; failures++ {
		delays = append(delays, second(failures, 0, 0))
	}
	assert.Equal(t, []float64{1, 2, 4, 8, 16, 32, 60, 60, 60}, delays)
	assert.Equal(t, 10.0, second(9, 80*time.Second, 0), "an eighth of what is left")
	assert.Equal(t, 1.0, second(9, 2*time.Second, 0), "never sooner than at first")
	assert.Equal(t, 60.0, second(9, -time.Second, 0), "nothing is left to be missed")
	assert.Equal(t, 45.0, second(9, 0, 1), "up to a quarter sooner")
	random := rand.New(rand.NewSource(1))
	for range 10000 {
		delay := second(random.Intn(1e6), time.Duration(random.Int63n(int64(time.Hour))), random.Float64())
		assert.True(t, delay >= 0.75 && delay <= 60, delay)
	}
}

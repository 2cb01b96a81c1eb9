package token

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

func TestALeaseIsRenewedWhenItsCredentialIsDueAndTheFileStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}
	w.provider.leases, w.provider.renewed = true, time.Hour
	told := 0
	w.tell = func() error { told++; return nil }
	w.clock.after(time.Second, func() { w.verdict("pool", proof.Accepted, "") })
	w.start()
	var before os.FileInfo
	w.clock.after(2*time.Second, func() { before, _ = os.Stat(w.token.File.Path) })

	w.goOn(renewal + time.Minute)

	after, err := os.Stat(w.token.File.Path)
	require.NoError(t, err)
	assert.True(t, os.SameFile(before, after))
	assert.Zero(t, told)
	assert.Len(t, w.provider.asked, 1)
	assert.Equal(t, []time.Duration{renewal}, w.provider.lease[0].renewed)
	expires := noon.Add(renewal + time.Hour)
	var issued proof.Issued
	require.True(t, proof.Read(proof.IssuedPath(w.token.File.Path), &issued))
	assert.Equal(t, expires, issued.ExpiresAt)
	assert.Equal(t, expires, w.r.memory.get().InUse.ExpiresAt)
	renewed := w.lines("lease.renewed")
	require.Len(t, renewed, 1)
	assert.Equal(t, noon.Add(renewal+40*time.Minute-24*time.Second), renewed[0].RefreshAt, "0.66 of the hour")

	// A restart knows it.
	w.run(time.Minute)
	assert.Len(t, w.provider.asked, 1)
}

func TestALeaseThatIsNotProlongedIsReplacedAndRevokedOnceAnotherIsInUse(t *testing.T) {
	t.Parallel()
	for name, renewed := range map[string]time.Duration{"as it cannot be": 0, "as it has come to its end": 15*time.Minute - renewal} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.token.Provers = []string{"pool"}
			w.provider.leases, w.provider.renewed = true, renewed
			w.clock.after(time.Second, func() { w.verdict("pool", proof.Accepted, "") })
			w.clock.after(renewal+10*time.Second, func() {
				assert.Equal(t, "password 2", w.content())
				assert.Empty(t, w.provider.lease[0].revoked, "it is the one in use")
				w.verdict("pool", proof.Accepted, "")
			})

			w.run(renewal + time.Minute)

			assert.Len(t, w.provider.lease[0].revoked, 1)
			assert.Equal(t, []string{"the credential before, which is in use no more, is revoked"}, w.messages("lease.revoked"))
			assert.Empty(t, w.provider.lease[1].revoked)
		})
	}
}

func TestALeaseIsNotProlongedBeyondTheTTL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.TTL = 900
	w.provider.leases, w.provider.renewed = true, time.Hour

	w.run(renewal + time.Second)

	assert.Len(t, w.provider.asked, 2)
}

func TestALeaseIsRevokedOnlyWhenAllHaveHeardOfAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.leases = true
	away := true
	w.tell = func() error {
		if away {
			return errors.New("the app is away")
		}
		return nil
	}
	w.clock.after(renewal+2*time.Minute, func() {
		assert.Empty(t, w.provider.lease[0].revoked, "the app may be using it")
		away = false
	})

	w.run(renewal + 4*time.Minute)

	assert.Len(t, w.provider.lease[0].revoked, 1)
}

func TestALeaseThatCannotBeRevokedIsTriedAgainUntilItExpiresAndToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.leases = true
	w.clock.after(time.Second, func() { w.provider.lease[0].stubborn = true })

	w.run(40 * time.Minute)

	assert.Len(t, w.provider.lease[0].revoked, 6, "a minute apart, for the five minutes that it has left")
	assert.Equal(t, []string{
		"the lease of the credential was not renewed: the provider is down",
		"the credential before was not revoked, and is tried again until it expires: the provider is down",
	}, w.messages("lease.failed")[:2])
}

func TestAtTheEndNothingIsRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.leases = true

	w.run(time.Minute)

	assert.Empty(t, w.provider.lease[0].revoked, "the app may still be ending")
}

func TestAFileThatSaysWhenItsCredentialExpiresIsWrittenAgainWhenThatChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.File.Format = "json"
	w.provider.leases, w.provider.renewed = true, time.Hour

	w.run(renewal + time.Minute)

	assert.Equal(t, `{"username":"shop","password":"password 1","expiresAt":"2026-01-02T13:09:54Z"}`+"\n", w.content())
	assert.Len(t, w.provider.asked, 1)
	assert.Empty(t, w.provider.lease[0].revoked)
}

package token

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

func TestACredentialIsInUseOnlyWhenAllProversAcceptIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool", "replica"}
	w.start()
	w.clock.after(time.Second, func() {
		assert.NoError(t, w.r.started(), "the ambassadors start after it")
		w.verdict("pool", proof.Accepted, "")
	})
	w.clock.after(10*time.Second, func() {
		assert.EqualError(t, w.r.ready(), "no credential is in use yet")
		assert.Empty(t, w.lines("credential.refreshed"))
		w.verdict("replica", proof.Accepted, "")
	})
	w.clock.after(11*time.Second, func() { assert.NoError(t, w.r.ready()) })

	w.goOn(time.Minute)

	assert.Len(t, w.lines("credential.refreshed"), 1)
	assert.Len(t, w.provider.asked, 1)
}

func TestARefusedCredentialIsObtainedAnewAfterTheRetryWaitAndTheRefusalExplained(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}
	w.provider.explain = "the clock is wrong, and PASSWORD is hidden"
	w.clock.after(2*time.Second, func() { w.verdict("pool", proof.Refused, `FATAL: no "password 1" here`) })
	w.clock.after(4*time.Second, func() {
		assert.Equal(t, "password 2", w.content())
		assert.Error(t, w.r.ready())
		w.verdict("pool", proof.Accepted, "")
	})

	w.run(time.Minute)

	refusals := w.lines("credential.refused")
	require.Len(t, refusals, 1)
	assert.Equal(t, `the credential was refused, says pool: FATAL: no "***" here`, refusals[0].Message)
	assert.Equal(t, "the clock is wrong, and *** is hidden", refusals[0].Explanation)
	assert.Equal(t, 1.0, refusals[0].RetryAfterSeconds)
	assert.Equal(t, []time.Duration{0, 3 * time.Second}, w.provider.asked)
	assert.NoError(t, w.r.ready())
}

func TestACredentialThatIsRefusedLaterIsObtainedAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}
	w.clock.after(time.Second, func() { w.verdict("pool", proof.Accepted, "") })
	w.clock.after(time.Minute, func() { w.verdict("pool", proof.Refused, "the role is gone") })

	w.run(2 * time.Minute)

	assert.Equal(t, []string{"the credential was refused, says pool: the role is gone"}, w.messages("credential.refused"))
	assert.Equal(t, "password 2", w.content())
}

func TestACredentialOfWhichAProverIsSilentIsRenewedWhenItIsDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}
	w.clock.after(59*time.Second, func() { assert.Empty(t, w.lines("credential.unanswered"), "one that starts has nothing to say") })

	w.run(renewal + time.Minute)

	assert.Equal(t, []string{"pool has not said whether the server takes the credential"}, w.messages("credential.unanswered"))
	assert.Equal(t, []string{"the credential, which expires at 2026-01-02T12:15:00Z, was not proven: pool has not said whether the server takes the credential"}, w.messages("credential.failed"))
	assert.Equal(t, "password 2", w.content())
}

func TestAServerThatIsDownIsToldOfAndCostsNoOtherCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}
	w.clock.after(time.Second, func() { w.verdict("pool", proof.Unanswered, "db.example:5432: connect failed") })
	w.clock.after(5*time.Minute, func() {
		assert.Error(t, w.r.ready())
		w.verdict("pool", proof.Accepted, "")
	})

	w.run(6 * time.Minute)

	assert.Equal(t, []string{"pool could not ask the server whether it takes the credential: db.example:5432: connect failed"}, w.messages("credential.unanswered"))
	assert.NoError(t, w.r.ready())
	assert.Len(t, w.provider.asked, 1)
}

func TestAServerThatIsFullForLongerThanACredentialLivesNeverTakesThePodOutOfItsService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}
	w.clock.after(time.Second, func() { w.verdict("pool", proof.Accepted, "") })
	w.start()
	expires := noon.Add(15 * time.Minute)
	for at := 2 * time.Second; at < 2*time.Hour; at += 10 * time.Second {
		w.clock.after(at, func() {
			assert.NoError(t, w.r.ready(), "%s", w.clock.wall)
			assert.Greater(t, w.readyUntil(), float64(w.clock.wall.Unix()), "nor is there an alarm")
			if w.content() == "password 1" {
				return
			}
			// As pgbouncer does: what is unanswered is taken up when the one in use has expired.
			if w.clock.wall.Before(expires) {
				w.verdict("pool", proof.Unanswered, "too many connections")
				return
			}
			w.verdict("pool", proof.Unproven, "too many connections")
			assert.NoError(t, w.r.ready(), "it is in use, and not heard of yet")
			var issued proof.Issued
			require.True(t, proof.Read(proof.IssuedPath(w.token.File.Path), &issued))
			expires = issued.ExpiresAt
		})
	}

	w.goOn(2 * time.Hour)

	assert.NotEmpty(t, w.lines("credential.unanswered"))
	assert.Contains(t, w.messages("credential.unproven"), "the credential is in use unproven, as the one before has expired, says pool: too many connections")
}

func TestACredentialIsInUseWhereOnlyWhatComesAfterItIsRefusedWhichIsToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}
	w.clock.after(time.Second, func() { w.verdict("pool", proof.Misconfigured, `database "shop" does not exist`) })

	w.run(renewal - time.Second)

	assert.NoError(t, w.r.ready())
	assert.Equal(t, []string{`the server takes the credential and refuses what comes after it, says pool: database "shop" does not exist`}, w.messages("credential.misconfigured"))
	assert.Len(t, w.lines("credential.refreshed"), 1)
}

func TestACredentialThatIsTheSameAgainIsProvenAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}
	w.start()
	w.r.format = func(formatTexts) ([]byte, error) { return []byte("the same"), nil }
	w.clock.after(time.Second, func() { w.verdict("pool", proof.Refused, "for now") })
	w.clock.after(10*time.Second, func() {
		assert.NoFileExists(t, proof.VerdictPath(w.token.File.Path, "pool"), "what was said of the file before does not count")
		w.verdict("pool", proof.Accepted, "")
	})

	w.goOn(time.Minute)

	assert.Len(t, w.lines("credential.refused"), 1)
	assert.Len(t, w.provider.asked, 2)
	assert.NoError(t, w.r.ready())
}

func TestAFileThatIsGoneWhileItIsProvenIsWrittenAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}
	w.clock.after(time.Second, func() { require.NoError(t, removeFile(w)) })
	w.clock.after(2*time.Second, func() { w.verdict("pool", proof.Accepted, "") })

	w.run(time.Minute)

	assert.Equal(t, "password 1", w.content())
	assert.NoError(t, w.r.ready())
	assert.Len(t, w.provider.asked, 1)
}

func TestAClockThatIsSetBackWhileACredentialIsProvenMakesItDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.Provers = []string{"pool"}
	w.clock.after(time.Minute, func() { w.clock.wall = w.clock.wall.Add(-time.Hour) })

	w.run(2 * time.Minute)

	assert.Equal(t, []string{"the clock was set back: the credential is obtained anew"}, w.messages("clock.setBack"))
	assert.Equal(t, "password 2", w.content())
}

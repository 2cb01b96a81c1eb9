package token

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/files"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

const renewal = 594 * time.Second // 0.66 of 15 minutes

func TestACredentialIsRenewedAgainAndAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)

	w.run(3 * renewal)

	assert.Equal(t, []time.Duration{0, renewal, 2 * renewal}, w.provider.asked)
	assert.Equal(t, "password 3", w.content())
	assert.Len(t, w.lines("credential.refreshed"), 3)
	assert.Len(t, w.lines(""), 3)
	assert.Equal(t, noon.Add(renewal), w.lines("")[0].RefreshAt)
	assert.Equal(t, noon.Add(15*time.Minute), w.lines("")[0].ExpiresAt)
}

func TestTheEarlierOfTheTTLAndOfWhatTheProviderSaysCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.TTL = 24 * 3600

	w.run(renewal - time.Second)

	assert.Equal(t, noon.Add(15*time.Minute), w.lines("credential.refreshed")[0].ExpiresAt)
}

func TestAnOutageLongerThanTheCredentialIsSeenBeforeItExpiresAndEndsByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.clock.after(time.Minute, func() {
		w.provider.down = true
		assert.NoError(t, w.r.ready())
	})
	w.clock.after(14*time.Minute-time.Second, func() { assert.NoError(t, w.r.ready(), "there is time left") })
	w.clock.after(14*time.Minute, func() {
		assert.EqualError(t, w.r.ready(), "the credential in use expires at 2026-01-02T12:15:00Z")
		assert.NoError(t, w.r.started())
		assert.Equal(t, "password 1", w.content())
	})
	w.clock.after(20*time.Minute, func() {
		assert.EqualError(t, w.r.started(), "the credential that is written has expired at 2026-01-02T12:15:00Z")
		w.provider.down = false
	})
	w.clock.after(21*time.Minute+time.Second, func() { assert.NoError(t, w.r.ready()) })

	w.goOn(22 * time.Minute)

	failures := w.lines("credential.failed")
	for i, l := range failures {
		assert.Equal(t, i+1, l.Failures)
		assert.Equal(t, "the provider is down", l.Message)
		assert.Equal(t, noon.Add(15*time.Minute), l.InUseExpiresAt)
	}
	assert.Equal(t, []string{fmt.Sprintf("the credential was refreshed after %d failures", len(failures))}, w.messages("credential.recovered"))
}

func TestACredentialThatLivesNoLongerTakesThePlaceOfNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.until = noon.Add(20 * time.Minute) // and whoever renews what signs is down
	w.start()
	w.clock.after(19*time.Minute-time.Second, func() { assert.NoError(t, w.r.ready()) })
	w.clock.after(19*time.Minute+30*time.Second, func() {
		assert.EqualError(t, w.r.ready(), "the credential in use expires at 2026-01-02T12:20:00Z", "and is no later one's, a moment before its end")
		assert.Equal(t, "password 2", w.content(), "it lives longer than the first, which had 5 minutes left")
		w.provider.until = time.Time{}
	})

	w.goOn(22 * time.Minute)

	for _, message := range w.messages("credential.failed") {
		assert.Equal(t, "the provider has no credential that lives longer than the one in use: what signs it expires at 2026-01-02T12:20:00Z: nobody renews what signs it", message)
	}
	assert.NotEmpty(t, w.messages("credential.failed"))
	assert.NoError(t, w.r.ready())
}

func TestOneLeaseIsTakenHoweverOftenWritingFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.leases = true
	full := true
	w.replace = func(path string, content []byte, mode fs.FileMode) error {
		if full && path == w.token.File.Path {
			return errors.New("no space left on device")
		}
		return files.Replace(path, content, mode)
	}
	w.clock.after(5*time.Minute, func() { full = false })

	w.run(8 * time.Minute)

	assert.Len(t, w.provider.asked, 1)
	assert.Equal(t, "password 1", w.content())
	failures := w.lines("credential.failed")
	assert.Greater(t, len(failures), 5)
	for _, l := range failures {
		assert.Equal(t, w.token.File.Path+" was not written: no space left on device", l.Message)
	}
	assert.Empty(t, w.provider.lease[0].revoked)
}

func TestACredentialThatNoFileCanHaveIsGivenBackOnceAnotherIsInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.File.Format, w.token.File.Mode = "pgpass", "0600"
	w.provider.leases = true
	w.start()
	plain := w.r.format
	refusals := 0
	w.r.format = func(texts formatTexts) ([]byte, error) {
		if refusals++; refusals == 1 {
			return nil, errors.New("the format pgpass cannot hold it: the password has a newline")
		}
		return plain(texts)
	}

	w.goOn(time.Minute)

	assert.Equal(t, []string{"the format pgpass cannot hold it: the password has a newline"}, w.messages("credential.failed"))
	assert.Equal(t, "*:*:*:shop:password 2\n", w.content())
	assert.Len(t, w.provider.lease[0].revoked, 1)
	assert.Empty(t, w.provider.lease[1].revoked)
}

func TestARestartKeepsWhatIsNotDueAndAsksNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(time.Minute)
	w.log.Reset()

	w.run(renewal - time.Minute - time.Second)

	assert.Len(t, w.provider.asked, 1)
	assert.Equal(t, []string{"the credential of before is taken on"}, w.messages("credential.adopted"))
	assert.Equal(t, []string{"the credential is refreshed"}, w.messages("credential.refreshed"))
	assert.NoError(t, w.r.started())
	assert.NoError(t, w.r.ready())

	// One that is due is not.
	w.clock.pass(time.Minute)
	w.run(time.Second)
	assert.Equal(t, "password 2", w.content())

	// A file that is not the one of before is nobody's.
	require.NoError(t, os.WriteFile(w.token.File.Path, []byte("torn"), 0o640))
	w.run(time.Second)
	assert.Equal(t, "password 3", w.content())
}

func TestARestartWhileTheProviderIsDownKeepsTheFileAndReadinessAsLongAsItsCredentialLives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(time.Minute)
	w.provider.down = true
	w.clock.pass(10 * time.Minute)

	w.run(time.Minute)

	assert.Equal(t, "password 1", w.content())
	assert.NoError(t, w.r.ready())
	assert.NoError(t, w.r.started())
	w.clock.pass(5 * time.Minute)
	assert.Error(t, w.r.ready())
	assert.Error(t, w.r.started())
}

func TestAFileThatIsGoneOrChangedIsWrittenAnewWithWhatIsKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.after(time.Minute, func() { require.NoError(t, os.Remove(w.token.File.Path)) })
	w.clock.after(2*time.Minute, func() { require.NoError(t, os.WriteFile(w.token.File.Path, []byte("another"), 0o640)) })

	w.run(3 * time.Minute)

	assert.Len(t, w.provider.asked, 1)
	assert.Equal(t, "password 1", w.content())
	assert.Equal(t, []string{w.token.File.Path + " is gone or was changed: it is written anew", w.token.File.Path + " is gone or was changed: it is written anew"}, w.messages("file.gone"))
}

func TestAFileThatIsGoneAfterARestartIsWrittenWithAnotherCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(time.Minute)
	w.clock.after(time.Minute, func() { require.NoError(t, os.Remove(w.token.File.Path)) })

	w.run(2 * time.Minute)

	assert.Equal(t, "password 2", w.content())
}

func TestAClockThatIsSetBackMakesACredentialDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.after(time.Minute, func() { w.clock.wall = w.clock.wall.Add(-time.Hour) })

	w.run(2 * time.Minute)

	assert.Equal(t, []string{"the clock was set back: the credential is obtained anew"}, w.messages("clock.setBack"))
	assert.Equal(t, "password 2", w.content())
	assert.NoError(t, w.r.ready())
}

func TestAClockThatIsSetBackALittleDoesNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.after(time.Minute, func() { w.clock.wall = w.clock.wall.Add(-4 * time.Second) })

	w.run(9 * time.Minute)

	assert.Len(t, w.provider.asked, 1)
}

func TestAClockThatIsSetBackALittleAgainAndAgainDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 3 {
		w.clock.after(time.Duration(i+1)*time.Minute, func() { w.clock.wall = w.clock.wall.Add(-2 * time.Second) })
	}

	w.run(9 * time.Minute)

	assert.Equal(t, []string{"the clock was set back: the credential is obtained anew"}, w.messages("clock.setBack"))
	assert.Equal(t, []time.Duration{0, 3 * time.Minute}, w.provider.asked)
}

func TestAClockThatIsSetForwardALittleAndBackAgainDoesNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.after(time.Minute, func() { w.clock.wall = w.clock.wall.Add(time.Minute) })
	w.clock.after(2*time.Minute, func() { w.clock.wall = w.clock.wall.Add(-time.Minute) })

	w.run(8 * time.Minute)

	assert.Len(t, w.provider.asked, 1, "it was reckoned by the clock as it is again")
}

func TestAClockThatWasSetBackBetweenARestartIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(time.Minute)
	w.clock.wall = w.clock.wall.Add(-time.Hour)

	w.run(time.Minute)

	assert.Equal(t, "password 2", w.content())
}

func TestAClockThatIsSetForwardMakesACredentialDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.after(time.Minute, func() { w.clock.wall = w.clock.wall.Add(time.Hour) })

	w.run(2 * time.Minute)

	assert.Equal(t, "password 2", w.content())
	assert.NoError(t, w.r.ready())
}

func TestTheStateIsForTheProgramsUserAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)

	w.run(time.Minute)

	modes := map[string]fs.FileMode{}
	require.NoError(t, filepath.WalkDir(filepath.Join(w.dir, "state", "db"), func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		modes[entry.Name()] = info.Mode().Perm()
		return nil
	}))
	assert.Equal(t, map[string]fs.FileMode{"db": 0o700, "state.json": 0o600}, modes)
}

func TestAStateThatIsTornIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(time.Minute)
	require.NoError(t, os.Truncate(filepath.Join(w.dir, "state", "db", "state.json"), 100))

	w.run(time.Minute)

	assert.Equal(t, "password 2", w.content())
}

func TestUntilWhenAFilesCredentialLivesIsSaidBesideItBeforeItIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.File.Mode = "0440"
	var order []string
	w.replace = func(path string, content []byte, mode fs.FileMode) error {
		if strings.Contains(path, "shared") {
			order = append(order, filepath.Base(path))
			assert.Equal(t, fs.FileMode(0o440), mode)
		}
		return files.Replace(path, content, mode)
	}

	w.run(time.Minute)

	assert.Equal(t, []string{".outrigger-credential.issued", "credential"}, order)
	var issued proof.Issued
	require.True(t, proof.Read(proof.IssuedPath(w.token.File.Path), &issued))
	assert.Equal(t, proof.Issued{Sum: proof.Sum([]byte("password 1")), ExpiresAt: noon.Add(15 * time.Minute)}, issued)
}

func TestWhatAProviderSaysIsToldWithoutTheCredentialsOfNowAndBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(renewal + time.Minute)
	w.log.Reset()
	w.start()

	assert.Equal(t, "got: *** and ***", w.r.hide("got: password 1 and password 2"), "after a restart too")
}

func TestAUserOfTheFileIsWrittenInPlaceOfTheCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token.File.Format, w.token.File.User = "pgbouncer", "app"

	w.run(time.Minute)

	assert.Equal(t, "\"app\" \"password 1\"\n", w.content())
}

func TestAReaderSeesWholeFilesOnlyAndNeverAWiderMode(t *testing.T) {
	t.Parallel()
	const rotations = 2000
	w := newWorld(t)
	w.token.File.Format, w.token.File.Mode = "pgbouncer", "0440"
	w.start()
	directory := filepath.Dir(w.token.File.Path)
	write := func(number int) error {
		w.r.held = &held{
			credential: credential.Credential{Username: "shop", Password: fmt.Sprintf("%0100d.%d", 0, number)},
			record:     record{ObtainedAt: noon, ExpiresAt: noon.Add(time.Hour), DueAt: noon.Add(time.Hour)},
		}
		return w.r.write()
	}
	require.NoError(t, write(0))
	ended := make(chan error)
	go func() {
		defer close(ended)
		for number := 1; number <= rotations; number++ {
			if err := write(number); err != nil {
				ended <- err
				return
			}
		}
	}()
	whole := regexp.MustCompile(`^"shop" "` + strings.Repeat("0", 100) + `\.(\d+)"\n$`)
	last, seen := 0, 0
	for running := true; running; {
		select {
		case err := <-ended:
			require.NoError(t, err)
			running = false
		default:
		}
		entries, err := os.ReadDir(directory)
		require.NoError(t, err)
		for _, entry := range entries {
			if info, err := entry.Info(); err == nil {
				mode := info.Mode().Perm()
				require.Zero(t, mode&^0o640, "%s has mode %o", entry.Name(), mode)
				require.False(t, info.Size() > 0 && mode != 0o440, "%s has contents under mode %o", entry.Name(), mode)
			}
		}
		match := whole.FindStringSubmatch(w.content())
		require.NotNil(t, match, w.content())
		number, err := strconv.Atoi(match[1])
		require.NoError(t, err)
		require.GreaterOrEqual(t, number, last)
		if number > last {
			last = number
			seen++
		}
	}
	assert.Equal(t, rotations, last)
	assert.Greater(t, seen, rotations/20, "the reader was not fast enough to see many of them")
}

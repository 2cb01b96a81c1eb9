package token

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/files"
	"github.com/outrigger-charts/outrigger/library/sidecar/notify"
)

// killed is what a refresher panics with where SIGKILL would end it.
type killed struct{ moment string }

// killer kills a refresher at one of the moments at which something of it is seen outside.
type killer struct {
	*world
	at, moments int
	// seldom leaves out the moments after which a directory looks as it did at one before.
	seldom bool
	heard  []string
	whole  *regexp.Regexp
}

// moment is one at which it may be killed.
func (k *killer) moment(name string) {
	if content := k.content(); content != "" {
		require.Regexp(k.t, k.whole, content, "a torn file %s", name)
	}
	if k.moments++; k.moments == k.at {
		panic(killed{name})
	}
}

func (k *killer) replaceFile(path string, content []byte, mode fs.FileMode) error {
	name, half := filepath.Base(path), len(content)/2
	k.moment("before " + name + " is written")
	halves := io.MultiReader(bytes.NewReader(content[:half]),
		killing(func() { k.moment("while " + name + " is written") }), bytes.NewReader(content[half:]))
	return files.ReplaceStepwise(path, halves, mode, func(step string) {
		if !k.seldom || step == "renamed" {
			k.moment("when " + name + " is " + step)
		}
	})
}

// killing is an empty reader by which a writer is killed that comes to it.
type killing func()

func (k killing) Read([]byte) (int, error) {
	k()
	return 0, io.EOF
}

// killableProvider is killed before and after it is asked.
type killableProvider struct {
	credential.Provider
	*killer
}

func (p killableProvider) Obtain(ctx context.Context) (credential.Credential, error) {
	p.moment("before the provider is asked")
	c, err := p.Provider.Obtain(ctx)
	p.moment("after the provider was asked")
	return c, err
}

// run runs a refresher to its end, or until it is killed at the moment of a number; 0: it is not.
func (k *killer) run(at int, span time.Duration) (moment string) {
	k.at, k.moments = at, 0
	k.clock.events = nil
	defer func() {
		if cause := recover(); cause != nil {
			killed, is := cause.(killed)
			if !is {
				panic(cause)
			}
			moment = killed.moment
		}
	}()
	k.start()
	k.r.provider = killableProvider{k.r.provider, k}
	k.r.listeners = []notify.Listener{{Name: "app", Tell: func(context.Context) error {
		k.moment("before the app is told")
		k.heard = append(k.heard, k.content())
		k.moment("after the app was told")
		return nil
	}}}
	k.goOn(span)
	return ""
}

func newKiller(t *testing.T) *killer {
	k := &killer{world: newWorld(t), whole: regexp.MustCompile(`^password [0-9]+$`)}
	k.replace = k.replaceFile
	return k
}

// twoRenewals is long enough for a first file and two that replace it.
const twoRenewals = 2*renewal + time.Minute

func TestAKillAtAnyMomentLosesNoNotificationAndTearsNoFile(t *testing.T) {
	t.Parallel()
	for at := 1; ; at++ {
		k := newKiller(t)
		moment := k.run(at, twoRenewals)
		if moment == "" {
			require.Greater(t, at, 100, "each file of three renewals is written in seven moments")
			return
		}
		t.Run(fmt.Sprint(at, " ", moment), func(t *testing.T) {
			k.t = t
			first, wasThere := k.content(), k.content() != ""

			// Whoever is down: what is in place is told all the same, unless it was the first.
			k.provider.down = true
			k.run(0, time.Second)
			require.True(t, k.content() == "" || k.r.started() == nil, "it knows its file")
			if k.content() != "" && k.content() != "password 1" {
				require.NotEmpty(t, k.heard)
				require.Equal(t, k.content(), k.heard[len(k.heard)-1])
			}
			if wasThere {
				require.Equal(t, first, k.content())
			}

			k.provider.down = false
			k.run(0, twoRenewals)
			require.Equal(t, k.content(), k.heard[len(k.heard)-1], "the last that was heard is what is in place")
			require.Equal(t, k.content(), fmt.Sprint("password ", len(k.provider.asked)))
			requireNoLitter(t, k.dir)
		})
	}
}

func TestAKillAtAnyMomentAfterAKillLosesNoNotificationAndTearsNoFile(t *testing.T) {
	t.Parallel()
	// After these, what is remembered and what is in place differ.
	apart := regexp.MustCompile(`^while credential is written|^when credential is renamed|^after the app was told`)
	for at := 1; ; at++ {
		first := newKiller(t)
		first.seldom = true
		one := first.run(at, twoRenewals)
		if one == "" {
			return
		}
		for then := 1; apart.MatchString(one); then++ {
			k := newKiller(t)
			k.seldom = true
			k.run(at, twoRenewals)
			other := k.run(then, twoRenewals)
			if other == "" {
				break
			}
			message := fmt.Sprintf("killed %s (%d), then %s (%d)", one, at, other, then)

			k.provider.down = true
			k.run(0, time.Second)
			require.True(t, k.content() == "" || k.r.started() == nil, "it knows its file, "+message)

			k.provider.down = false
			k.run(0, twoRenewals)
			require.Equal(t, k.content(), k.heard[len(k.heard)-1], message)
			require.NoError(t, k.r.ready(), message)
			requireNoLitter(t, k.dir)
		}
	}
}

// requireNoLitter fails where a killed writer's file is left.
func requireNoLitter(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		require.NoError(t, err)
		require.NotRegexp(t, `\.new$`, path)
		return nil
	}))
}

package scripts

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// rotation is a proxy whose credential is replaced by another one again and again. The server takes the last two.
type rotation struct {
	*proxy
	last    int
	written map[string]bool // each file that there was
}

func (r *rotation) rotate() {
	r.t.Helper()
	r.last++
	r.server.accept(fmt.Sprint("password ", r.last-1), fmt.Sprint("password ", r.last))
	text := users(fmt.Sprint("password ", r.last))
	r.written[text] = true
	r.put(text)
}

// killAndRestart kills all of the container at once, looks at what it leaves, and starts it anew.
func (r *rotation) killAndRestart() {
	r.t.Helper()
	r.kill()
	if used, err := os.ReadFile(r.state + "/users.txt"); err == nil {
		require.True(r.t, r.written[string(used)], "torn: %q", used)
	}
	for _, path := range []string{r.state + "/in-use.json", filepath.Join(filepath.Dir(r.file), ".outrigger-db")} {
		if content, err := os.ReadFile(path); err == nil {
			require.True(r.t, json.Valid(content), "%s is torn: %q", path, content)
		}
	}
	r.restart()
}

// OUTRIGGER_FUZZ_SEED repeats one run; OUTRIGGER_FUZZ_RUNS says how many kills there are.
func TestRandomKillsOfWhatRunsPgBouncerTearNoFileAndLoseNoCredential(t *testing.T) {
	t.Parallel()
	kills, random := harness.Number(t, "OUTRIGGER_FUZZ_RUNS", 3), seeded(t)
	r := &rotation{proxy: newProxy(t, ""), written: map[string]bool{}}
	r.rotate()
	r.awaitVerdictOf("accepted")
	for range kills {
		r.rotate()
		time.Sleep(time.Duration(random.Intn(800)) * time.Millisecond)
		r.killAndRestart()
		if random.Intn(2) == 0 {
			time.Sleep(time.Duration(random.Intn(400)) * time.Millisecond)
			r.killAndRestart()
		}

		r.awaitVerdictOf("accepted")
		r.await(r.started, "it does not start")
		require.NoError(t, r.ask())
		used, err := os.ReadFile(r.state + "/users.txt")
		require.NoError(t, err)
		require.Equal(t, users(fmt.Sprint("password ", r.last)), string(used))
	}
}

func TestWhatAKilledProgramWasWritingIsRemovedByTheNext(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "first")
	p.put(users("first"))
	p.await(p.started, "it does not start")
	p.kill()
	var left []string
	for _, path := range []string{
		p.state + "/.outrigger-users.txt-12.new", p.state + "/.outrigger-in-use.json-3.new", p.state + "/.outrigger-pgbouncer.ini-4.new",
		p.state + "/proof/.outrigger-users.txt-5.new", p.state + "/proof/.outrigger-pgbouncer.ini-6.new",
		filepath.Join(filepath.Dir(p.file), ".outrigger-db-7.new"),
	} {
		require.NoError(t, os.WriteFile(path, []byte("torn"), 0o666))
		left = append(left, path)
	}

	p.restart()

	p.await(p.started, "it does not start")
	for _, path := range left {
		assert.NoFileExists(t, path)
	}
}

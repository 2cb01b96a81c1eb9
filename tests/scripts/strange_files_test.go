package scripts

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// strange makes, under a name, something that matches a glob and must not be opened.
var strange = map[string]func(p *place, name string){
	"a pipe":                  func(p *place, name string) { p.fifo(name) },
	"a link to a pipe":        func(p *place, name string) { p.fifo("pipe"); p.link(p.path("pipe"), name) },
	"a link to /dev/stdout":   func(p *place, name string) { p.link("/dev/stdout", name) },
	"a link to /dev/stderr":   func(p *place, name string) { p.link("/dev/stderr", name) },
	"a device without an end": func(p *place, name string) { p.link("/dev/zero", name) },
	"a socket": func(p *place, name string) {
		listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: p.path(name), Net: "unix"})
		require.NoError(p.t, err)
		p.t.Cleanup(func() { listener.Close() })
	},
}

func (p *place) fifo(name string) {
	p.t.Helper()
	require.NoError(p.t, syscall.Mkfifo(p.path(name), 0o666))
}

func (p *place) link(target, name string) {
	p.t.Helper()
	require.NoError(p.t, os.Symlink(target, p.path(name)))
}

// warns is what is said of what is no regular file.
func (p *place) warns(name string) string {
	return p.path(name) + " is no regular file, and is not shipped\n"
}

func TestWhatIsNoRegularFileIsNamedOnceAndTheOthersAreShipped(t *testing.T) {
	t.Parallel()
	for name, makes := range strange {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newSupervision(t, "*.log")
			v.env = []string{"WATCH_SECONDS=0.2", "DRAIN_SECONDS=30"} // after which it says what is left, instead of that nothing is
			makes(v.place, "access.log")
			v.write("app.log", text(counted("app", 1, 100)))
			s := v.start()
			v.awaitReceived(s, 100)
			v.write("another.log", text(counted("app", 101, 200)))
			v.awaitReceived(s, 200)

			v.stop(s)

			v.requireAll(s, "app", 200)
			assert.Equal(t, []string{"warning: " + strings.TrimSpace(v.warns("access.log")), "everything is delivered"}, said(s), s.errors.String())
		})
	}
}

func TestAPipeThatComesLaterStopsTheShippingForOneLookAtMost(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.env = []string{"WATCH_SECONDS=0.2", "DRAIN_SECONDS=30"}
	v.write("app.log", text(counted("app", 1, 100)))
	s := v.start()
	v.awaitReceived(s, 100)

	v.fifo("pipe.log")
	s.awaitError(v.warns("pipe.log"))
	v.write("app.log", text(counted("app", 101, 200)))
	v.awaitReceived(s, 200)
	v.stop(s)

	v.requireAll(s, "app", 200)
	assert.Equal(t, 1, strings.Count(s.errors.String(), v.warns("pipe.log")), s.errors.String())
	assert.Equal(t, 1, strings.Count(s.errors.String(), "the agent is started again, to leave out what is no regular file"))
	assert.Contains(t, s.errors.String(), delivered)
}

func TestAPipeThatComesAfterTheLastLookIsLeftOutAtTheEnd(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.env = []string{"DRAIN_SECONDS=60"}
	s := v.start()
	v.fifo("a.log") // before the other in the order in which the collector opens them
	v.write("app.log", text(counted("app", 1, 100)))

	v.stop(s)

	v.requireAll(s, "app", 100)
	assert.Contains(t, s.errors.String(), v.warns("a.log"))
	assert.Contains(t, s.errors.String(), delivered)
}

func TestARegularFileInThePlaceOfAPipeIsShipped(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.env = []string{"WATCH_SECONDS=0.2", "DRAIN_SECONDS=30"}
	v.fifo("app.log")
	s := v.start()
	v.remove("app.log")

	v.write("app.log", text(counted("app", 1, 100)))

	v.awaitReceived(s, 100)
	v.stop(s)
	v.requireAll(s, "app", 100)
}

func TestAPipeIsLeftOutWhateverItsNameAndItsNeighboursAreNot(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "**/*.log")
	v.env = []string{"DRAIN_SECONDS=30"}
	require.NoError(t, os.MkdirAll(v.path("a folder"), 0o755))
	for _, name := range []string{"one.log", "a folder/two, three.log", "{four,five}.log", "six*[7]?.log", "acht-ö€.log", `back\slash.log`, "$HOME.log"} {
		v.fifo(name)
	}
	neighbours := []string{"on.log", "a folder/two.log", "four.log", "five.log", "six.log", "acht.log", "HOME.log"}
	for i, name := range neighbours {
		v.write(name, text(counted("app", i+1, i+1)))
	}
	s := v.start()

	v.stop(s)

	v.requireAll(s, "app", len(neighbours))
	assert.Contains(t, s.errors.String(), delivered)
}

func TestAnAgentOfOnesOwnIsToldNothingOfPipesAndNotStartedAgain(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "*.log")
	v.fifo("first.log")
	s := v.agent(idle, "WATCH_SECONDS=0.1")
	v.fifo("second.log")

	s.awaitError(v.warns("second.log"))
	v.stop(s)

	assert.Equal(t, 2, strings.Count(s.errors.String(), "is no regular file"), s.errors.String())
	assert.Equal(t, 1, strings.Count(s.output.String(), "ready"))
}

func TestTheShipperToItsOwnOutputNamesWhatIsNoRegularFileOnce(t *testing.T) {
	t.Parallel()
	for name, makes := range strange {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			makes(p, "access.log")
			s := p.start("*.log")
			s.awaitLooks(p)
			p.write("app.log", "a line\n")

			lines := s.stop()

			assert.Equal(t, []string{"a line"}, withoutLooks(lines))
			assert.Equal(t, "logshipper: "+p.warns("access.log"), s.errors.String())
		})
	}
}

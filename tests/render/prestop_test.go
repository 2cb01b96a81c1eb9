package render

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// withPreStops returns the values of a pod with a sidecar for each preStop hook.
func withPreStops(t testing.TB, hooks map[string]any) string {
	t.Helper()
	containers := map[string]any{}
	for name, hook := range hooks {
		containers[name] = map[string]any{"image": "h:1", "lifecycle": map[string]any{"preStop": hook}}
	}
	text, err := yaml.Marshal(map[string]any{"outrigger": map[string]any{"containers": containers}})
	require.NoError(t, err)
	return appPod + string(text)
}

// run is a hook that runs a command, shell one that runs a script, get one that asks an HTTP server.
func run(command ...string) any { return map[string]any{"exec": map[string]any{"command": command}} }
func shell(script string) any   { return run("/bin/sh", "-c", script) }
func get(path string) any {
	return map[string]any{"httpGet": map[string]any{"port": 80, "path": path}}
}

func TestAPreStopThatSurelyEndsTheSidecarIsRefused(t *testing.T) {
	t.Parallel()
	ends := map[string]any{
		"a-signal":                        run("kill", "1"),
		"a-signal-by-a-path":              run("/bin/kill", "-TERM", "1"),
		"a-signal-in-a-script":            shell("sleep 5; kill 1"),
		"a-signal-after-a-text":           shell("echo draining\nkill -s QUIT 1"),
		"a-signal-in-brackets":            shell("(sleep 5 && kill -9 1)"),
		"a-signal-by-a-process-s-name":    run("pkill", "-f", "proxy"),
		"a-signal-after-a-harmless-one":   shell("kill -HUP 1; sleep 1; killall proxy"),
		"nginx-s-quit":                    run("nginx", "-s", "quit"),
		"nginx-s-stop":                    run("/usr/sbin/nginx", "-s", "stop"),
		"stop-of-a-control-program":       run("pg_ctl", "stop", "-m", "fast"),
		"shutdown-of-a-client":            shell("redis-cli -p 6379 shutdown nosave"),
		"shutdown-that-is-piped":          shell("echo shutdown | redis-cli"),
		"a-request":                       get("/quitquitquit"),
		"a-request-below-a-path":          get("/actuator/shutdown?now=1"),
		"a-request-by-curl":               shell("curl -sf -XPOST localhost:4191/shutdown || exit 0"),
		"a-request-by-wget":               run("wget", "-q", "http://127.0.0.1:9091/quitquitquit"),
		"a-request-by-a-program-s-own":    run("pilot-agent", "request", "POST", "quitquitquit"),
		"a-request-whose-answer-is-kept":  shell("curl -o /tmp/out localhost/quit; sleep 1"),
		"a-stop-behind-a-file-that-tells": shell("touch /run/stopping && supervisorctl stop all"),
	}

	message := harness.Consumer(t).RenderError(t, withPreStops(t, ends))

	for name := range ends {
		assert.Contains(t, message, "outrigger.containers."+name+".lifecycle.preStop: ends the sidecar")
	}
}

func TestAPreStopThatNeedNotEndTheSidecarIsLetThrough(t *testing.T) {
	t.Parallel()
	harness.Consumer(t).Render(t, withPreStops(t, map[string]any{
		"a-file-that-tells-the-app":            run("touch", "/srv/page/stop-accepting"),
		"a-file-of-the-sidecar-s-own":          run("touch", "/run/stop"),
		"a-file-without-a-folder":              run("touch", "stop"),
		"a-file-in-a-script":                   shell("touch /run/quit; sleep 5; rm /run/shutdown"),
		"a-file-that-is-written":               shell("echo stop > /run/state && sleep 5"),
		"a-wait":                               shell("sleep 5; exit 0"),
		"a-request-that-may-fail":              shell("wget -q -O - localhost:80/drain || exit 0"),
		"a-request-that-drains":                get("/stop-accepting"),
		"a-signal-that-ends-nothing":           shell("kill -HUP 1; pkill -s SIGUSR1 proxy; kill -0 1"),
		"a-script-whose-name-is-not-its-deeds": run("/opt/kill-connections.sh"),
	}))
}

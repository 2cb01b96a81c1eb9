package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
	"github.com/outrigger-charts/outrigger/tests/tokenserver"
)

// newRDS creates a namespace with a database that takes tokens, as RDS does, and has the user and database shop.
func newRDS(t *testing.T) (*harness.Namespace, *harness.TokenServer) {
	t.Helper()
	namespace := harness.NewNamespace(t, harness.Restricted)
	return namespace, namespace.TokenServer()
}

// asking is an app that asks all the time: sessions of one question, ten a second, one session that asks each second, and
// questions that last for a minute, which is longer than a token of the tests lives. It prints each failure.
const asking = `
trap 'exit 0' TERM INT
psql -Atc 'select 1' || exit 1
echo "the first question is answered"
while true; do psql -qAtc 'select 1' >/dev/null || echo "failed: a new session"; sleep 0.1; done &
while true; do psql -qAtc 'select pg_sleep(60)' >/dev/null || echo "failed: a long question"; done &
while true; do echo 'select 1;'; sleep 1; done | { psql -v ON_ERROR_STOP=1 -qAt >/dev/null; echo "failed: the long session"; } &
while true; do sleep 1 & wait $!; done
`

// event is a line of a refresher's log, or of an ambassador's.
type event struct{ Time, Level, Event, Message, Explanation string }

// events returns what a sidecar has said; what is not its own line is left out.
func events(t testing.TB, log string) (all []event) {
	t.Helper()
	for line := range strings.Lines(log) {
		var said event
		if json.Unmarshal([]byte(line), &said) == nil && said.Message != "" {
			all = append(all, said)
		}
	}
	return all
}

// count returns how often a sidecar has said an event.
func count(t testing.TB, log, name string) (times int) {
	t.Helper()
	for _, said := range events(t, log) {
		if said.Event == name {
			times++
		}
	}
	return times
}

// waitForEvent waits until a sidecar says something that has all of some texts, and returns it.
func waitForEvent(t testing.TB, namespace *harness.Namespace, pod, container string, texts ...string) (found event) {
	t.Helper()
	namespace.Eventually(harness.PodStart, fmt.Sprintf("%s says %q", container, texts), func() bool {
		for _, said := range events(namespace.T(), namespace.Logs(pod, container)) {
			if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(said.Message+" "+said.Explanation, text) }) {
				found = said
				return true
			}
		}
		return false
	})
	return found
}

// failures returns the lines in which an app says that something failed.
func failures(log string) (all []string) {
	for line := range strings.Lines(log) {
		if strings.HasPrefix(line, "failed") || strings.Contains(line, "ERROR") || strings.Contains(line, "FATAL") {
			all = append(all, line)
		}
	}
	return all
}

func startedAt(t testing.TB, pod corev1.Pod, container string) time.Time {
	t.Helper()
	status := harness.Status(t, pod, container)
	require.NotNil(t, status.State.Running, "%s runs", container)
	return status.State.Running.StartedAt.Time
}

func TestTheAppStartsWhenADatabaseHasAnsweredThroughTheProxyThoughTheProviderFailsAtFirst(t *testing.T) {
	harness.Facts(t)
	namespace, rds := newRDS(t)
	rds.Behave("stsFails=always")
	namespace.Install("demo", harness.Consumer(t).Write(t), rds.Beside(asking))
	namespace.Eventually(harness.PodStart, "the refresher runs", func() bool { return len(namespace.Pods(web)) == 1 })
	name := namespace.Pods(web)[0].Name
	namespace.Eventually(harness.PodStart, "the refresher has failed for half a minute", func() bool {
		pod, _ := namespace.Pod(namespace.T(), name)
		for _, status := range pod.Status.InitContainerStatuses {
			if status.Name == "db" && status.State.Running != nil {
				return time.Since(status.State.Running.StartedAt.Time) > 30*time.Second
			}
		}
		return false
	})
	waitForEvent(t, namespace, name, "db", "ServiceUnavailable")
	rds.Behave("stsFails=never")

	pod := namespace.ReadyPods(web, 1)[0]

	namespace.Eventually(harness.LogLine, "the app's first question is answered", func() bool {
		return strings.Contains(namespace.Logs(name, "app"), "the first question is answered")
	})
	assert.Zero(t, harness.Status(t, pod, "app").RestartCount)
	assert.Zero(t, harness.Status(t, pod, "db").RestartCount, "a provider that fails is waited for")
	assert.False(t, startedAt(t, pod, "proxy").Before(startedAt(t, pod, "db")))
	logins := rds.Logins(0)
	require.NotEmpty(t, logins)
	assert.False(t, startedAt(t, pod, "app").Before(logins[0].Time.Truncate(time.Second)), "the app started after a login")
	failed := slices.DeleteFunc(events(t, namespace.Logs(name, "db")), func(said event) bool { return said.Level != "error" })
	require.NotEmpty(t, failed)
	assert.Less(t, len(failed), 20, "it backs off: %v", failed)
	assert.Contains(t, failed[0].Message, "ServiceUnavailable")
}

// tokenLifetime is how long the tokens of a test live: 30 seconds, or what `make test-soak` says.
func tokenLifetime(t *testing.T) (seconds int) {
	return harness.Number(t, "OUTRIGGER_TOKEN_LIFETIME", 30)
}

// reportAfter lets an app ask for some seconds, and returns what the server saw, which has refused nobody.
func reportAfter(t testing.TB, namespace *harness.Namespace, rds *harness.TokenServer, seconds int) tokenserver.Report {
	t.Helper()
	began := time.Now()
	namespace.Eventually(time.Duration(seconds+30)*time.Second, "time passes", func() bool { return time.Since(began) > time.Duration(seconds)*time.Second })
	report := rds.Report()
	t.Logf("%d logins with %d tokens in %d seconds; refused: %v", report.Accepted, report.Tokens, seconds, report.Refused)
	assert.Empty(t, report.Refused)
	return report
}

func TestWithTokensOfSeconds(t *testing.T) {
	harness.Seconds(t)
	for name, test := range map[string]func(*testing.T){
		"tokens never run out": tokensNeverRunOut,
		"a token is renewed before the credentials that signed it expire":                                                  aTokenIsRenewedBeforeItsCredentialsExpire,
		"a provider that fails is noticed only when a credential is about to expire, and the pod is ready again by itself": aProviderThatFailsIsNoticedLate,
		"a Django app answers every visitor":                                                                               aDjangoAppAnswersEveryVisitor,
	} {
		t.Run(name, func(t *testing.T) {
			harness.Beside(t)
			test(t)
		})
	}
}

func tokensNeverRunOut(t *testing.T) {
	seconds, lifetime := harness.Number(t, "OUTRIGGER_TOKEN_SECONDS", 70), tokenLifetime(t)
	namespace, rds := newRDS(t)
	rds.Behave(fmt.Sprintf("tokenLifetime=%ds", lifetime))
	// New sessions of the server's too: pgbouncer keeps one for a second.
	namespace.Install("demo", harness.Consumer(t).Write(t), rds.Beside(asking, fmt.Sprintf("ttl: %ds", lifetime), "pgbouncer: {server_lifetime: 1, server_idle_timeout: 1}"))
	pod := namespace.ReadyPods(web, 1)[0]

	report := reportAfter(t, namespace, rds, seconds)

	assert.GreaterOrEqual(t, report.Tokens, seconds/lifetime, "tokens that the server has seen")
	assert.Greater(t, report.Accepted, seconds/2, "logins")
	assert.Equal(t, 1, report.STS["AssumeRoleWithWebIdentity OK"], "credentials of an hour sign all of them")
	assert.Empty(t, failures(namespace.Logs(pod.Name, "app")))
	assert.Equal(t, pod.Name, namespace.ReadyPods(web, 1)[0].Name)
}

func aTokenIsRenewedBeforeItsCredentialsExpire(t *testing.T) {
	seconds := harness.Number(t, "OUTRIGGER_TOKEN_SECONDS", 100)
	namespace, rds := newRDS(t)
	rds.Behave("credentialsLifetime=60s")
	namespace.Install("demo", harness.Consumer(t).Write(t), rds.Beside(asking, "pgbouncer: {server_lifetime: 1, server_idle_timeout: 1}"))
	pod := namespace.ReadyPods(web, 1)[0]

	report := reportAfter(t, namespace, rds, seconds)

	assert.GreaterOrEqual(t, report.Tokens, seconds/50, "tokens that the server has seen")
	assert.GreaterOrEqual(t, report.STS["AssumeRoleWithWebIdentity OK"], report.Tokens, "what signs is renewed first, as it has less than 15 minutes left")
	assert.Empty(t, failures(namespace.Logs(pod.Name, "app")))
}

// readByApp gives the app the file of an ambassador's credential, for a test to look at.
func readByApp(values string) string {
	return strings.Replace(values, "format: pgbouncer}", "format: pgbouncer, containers: [app]}", 1)
}

// readiness returns when the pod's condition Ready last became what it is.
func readiness(t testing.TB, namespace *harness.Namespace, pod string) (ready bool, since time.Time) {
	t.Helper()
	var found corev1.Pod
	namespace.Eventually(harness.LogLine, "the pod is looked at", func() (present bool) {
		found, present = namespace.Pod(namespace.T(), pod)
		return present
	})
	for _, condition := range found.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue, condition.LastTransitionTime.Time
		}
	}
	return false, time.Time{}
}

func aProviderThatFailsIsNoticedLate(t *testing.T) {
	namespace, rds := newRDS(t)
	rds.Behave("tokenLifetime=60s&credentialsLifetime=60s")
	values := rds.Beside("psql -Atc 'select 1' || exit 1; trap 'exit 0' INT"+serving, "ttl: 60s", "readinessProbe: {periodSeconds: 1}", "retry: {maxDelay: 5s}")
	namespace.Install("demo", harness.Consumer(t).Write(t), strings.Replace(readByApp(values), "env: &sts", "env: &sts\n        AWS_MAX_ATTEMPTS: '1'", 1))
	pod := namespace.ReadyPods(web, 1)[0].Name
	_, since := readiness(t, namespace, pod)
	tokens := rds.Report().Tokens

	rds.Behave("stsFails=always")
	waitForEvent(t, namespace, pod, "db", "ServiceUnavailable") // a renewal is due after 40 seconds or so of 60
	rds.Behave("stsFails=never")
	namespace.Eventually(harness.PodStart, "there is a new token", func() bool { return rds.Report().Tokens > tokens })
	ready, still := readiness(t, namespace, pod)
	assert.True(t, ready)
	assert.Equal(t, since, still, "the pod was ready all the time")

	rds.Behave("stsFails=always")
	namespace.Eventually(harness.PodStart, "the pod is not ready", func() bool {
		ready, since = readiness(namespace.T(), namespace, pod)
		return !ready
	})
	file := func() string {
		return namespace.Exec(pod, "app", "sha256sum", "/tokens/users.txt")
	}
	before := file()
	logins := rds.Logins(0)
	last := logins[len(logins)-1]
	assert.True(t, since.Before(last.Expires), "not ready since %s, before the token expires at %s", since, last.Expires)
	failed := len(events(t, namespace.Logs(pod, "db")))
	namespace.Eventually(2*harness.PodStart, "it fails on", func() bool { return len(events(namespace.T(), namespace.Logs(pod, "db"))) > failed+2 })
	assert.Equal(t, before, file(), "the old file stays")

	rds.Behave("stsFails=never")
	assert.Equal(t, pod, namespace.ReadyPods(web, 1)[0].Name)
	for _, container := range []string{"db", "proxy", "app"} {
		found := namespace.ReadyPods(web, 1)[0]
		assert.Zero(t, harness.Status(t, found, container).RestartCount, "%s recovers without a restart", container)
	}
}

func TestTheAppOutlivesItsDatabaseItsRefresherAndItsProxy(t *testing.T) {
	harness.Facts(t)
	outage := time.Duration(harness.Number(t, "OUTRIGGER_DATABASE_OUTAGE_SECONDS", 20)) * time.Second
	namespace, rds := newRDS(t)
	rds.Behave("tokenLifetime=30s")
	// The region is that of the server's name, whatever the environment's is.
	values := strings.NewReplacer(", region: eu-west-1", "", "env: &sts", "env: &sts\n        AWS_REGION: eu-central-1").Replace(
		rds.Beside("psql -Atc 'select 1' || exit 1; trap 'exit 0' INT"+serving, "ttl: 30s", "pod: shareProcessNamespace: true",
			"ambassador: direct: {pgbouncer: {secret: db, user: postgres, host: db, database: shop, listenPort: 6433, tls: {mode: disable}}}"))
	namespace.Install("demo", harness.Consumer(t).Write(t), values)
	pod := namespace.ReadyPods(web, 1)[0].Name
	askAs := func(arguments string) bool {
		return namespace.Exec(pod, "app", "sh", "-c", "timeout 5 psql -At "+arguments+" -c 'select 1' 2>/dev/null || true") == "1"
	}
	ask := func() bool { return askAs("") }

	pgbouncers := func() string {
		return namespace.Exec(pod, "app", "bash", "-c", `
for process in /proc/[0-9]*; do
  case $(tr '\000' ' ' 2>/dev/null <$process/cmdline) in pgbouncer' '*/proof/*) ;; pgbouncer' '*) echo ${process#/proc/} ;; esac
done`)
	}
	before := pgbouncers()
	require.Len(t, strings.Fields(before), 2)
	rds.Database.Stop()
	down := time.Now()
	namespace.Eventually(outage+harness.LogLine, "the database has been down for "+outage.String(), func() bool { return time.Since(down) > outage })
	assert.False(t, askAs("-p 6433 -U postgres"), "nothing answers")
	rds.Database.Boot()
	namespace.Eventually(harness.PodStart, "the app's questions are answered", func() bool { return ask() && askAs("-p 6433 -U postgres") })
	found, _ := namespace.Pod(t, pod)
	for _, container := range []string{"db", "proxy", "direct", "app"} {
		assert.Zero(t, harness.Status(t, found, container).RestartCount, "%s waits for its database", container)
		assert.Zero(t, count(t, namespace.Logs(pod, container), "pgbouncer.hung"), "a pgbouncer without a database does not hang: %s", container)
	}
	assert.Equal(t, before, pgbouncers(), "the very processes of before")

	for _, killed := range []struct{ container, processes string }{{"db", "*/outrigger' token '*"}, {"proxy", "*/outrigger' pgbouncer '*|pgbouncer' '*"}} {
		namespace.Exec(pod, "app", "bash", "-c", `
for process in /proc/[0-9]*; do
  case $(tr '\000' ' ' 2>/dev/null <$process/cmdline) in `+killed.processes+`) kill -KILL ${process#/proc/} ;; esac
done`)
		namespace.Eventually(harness.PodStart, killed.container+" runs again", func() bool {
			found, present := namespace.Pod(namespace.T(), pod)
			if !present {
				return false
			}
			status := namespace.Status(found, killed.container)
			return status.RestartCount == 1 && status.Ready
		})
		namespace.Eventually(harness.PodStart, "the app's questions are answered", ask)
		tokens := rds.Report().Tokens
		namespace.Eventually(harness.PodStart, "tokens are renewed", func() bool { return rds.Report().Tokens > tokens })
		assert.True(t, ask())
	}

	found, _ = namespace.Pod(t, pod)
	assert.Zero(t, harness.Status(t, found, "app").RestartCount)
	assert.Empty(t, rds.Report().Refused)
}

// crowding is an app whose two long sessions fill a pool of two, beside new sessions. It prints each failure.
const crowding = `
trap 'exit 0' TERM INT
for each in 1 2; do
  while true; do echo 'select pg_sleep(0.5);'; sleep 0.5; done | { psql -v ON_ERROR_STOP=1 -qAt >/dev/null; echo "failed: long session $each"; } &
done
while true; do psql -qAtc 'select 1' >/dev/null || echo "failed: a new session"; sleep 0.3; done &
while true; do sleep 1 & wait $!; done
`

func TestADatabaseThatIsFullForTheWholeOfATokensLifeTakesNoPodOutOfItsService(t *testing.T) {
	harness.Facts(t)
	const lifetime = 20
	namespace, rds := newRDS(t)
	rds.Behave(fmt.Sprintf("tokenLifetime=%ds", lifetime))
	namespace.Install("demo", harness.Consumer(t).Write(t), rds.Beside(crowding, fmt.Sprintf("ttl: %ds", lifetime), "readinessProbe: {periodSeconds: 1}", "proxy: defaultPoolSize: 2"))
	namespace.Scale("web", 2)
	pods := namespace.ReadyPods(web, 2)
	namespace.Eventually(harness.LogLine, "both pools have all of their connections", func() bool {
		return rds.Database.Ask("postgres", "select count(*) from pg_stat_activity where usename = 'shop' and backend_start < now() - interval '2 s'") == "4"
	})
	accepted := func(pod corev1.Pod) int {
		return count(namespace.T(), namespace.Logs(pod.Name, "proxy"), "credential.accepted")
	}
	since, before := map[string]time.Time{}, map[string]int{}

	rds.Database.Ask("postgres", "alter role shop connection limit 4")
	full := time.Now()
	for _, pod := range pods {
		_, since[pod.Name] = readiness(t, namespace, pod.Name)
	}
	for _, pod := range pods {
		said := waitForEvent(t, namespace, pod.Name, "db", "in use unproven", `too many connections for role "shop"`)
		assert.Equal(t, "credential.unproven", said.Event)
		before[pod.Name] = accepted(pod)
	}
	// The server of the tests has no translations.
	rds.Behave("loginsFail=53300:zu viele Verbindungen für Rolle »shop«")
	for _, pod := range pods {
		waitForEvent(t, namespace, pod.Name, "db", "in use unproven", "zu viele Verbindungen für Rolle »shop«")
	}
	namespace.Eventually(harness.LogLine, "two tokens have lived", func() bool { return time.Since(full) > 2*lifetime*time.Second })
	for _, pod := range pods {
		assert.Equal(t, before[pod.Name], accepted(pod), "no token was proven meanwhile")
	}

	rds.Behave("loginsFail=")
	rds.Database.Ask("postgres", "alter role shop connection limit -1")
	for _, pod := range pods {
		namespace.Eventually(harness.LogLine, "a token is proven again", func() bool { return accepted(pod) > before[pod.Name] })
	}
	for _, pod := range pods {
		ready, still := readiness(t, namespace, pod.Name)
		assert.True(t, ready)
		assert.Equal(t, since[pod.Name], still, "the pod was ready all the time")
		assert.Empty(t, failures(namespace.Logs(pod.Name, "app")))
		found, _ := namespace.Pod(t, pod.Name)
		for _, container := range []string{"db", "proxy", "app"} {
			assert.Zero(t, harness.Status(t, found, container).RestartCount, container)
		}
	}
}

func TestTheLogSaysWhyATokenIsRefused(t *testing.T) {
	harness.Facts(t)
	const app = "trap 'exit 0' INT" + serving
	for name, wrong := range map[string]struct {
		behaviour string
		values    func(values string) string
		says      []string
	}{
		"the pod's clock is ahead":  {"clockOffset=-20m", nil, []string{"this pod's clock is wrong by 1", "ahead"}},
		"the pod's clock is behind": {"clockOffset=20m", nil, []string{"this pod's clock is wrong by 1", "behind"}},
		"the signing keys have expired": {"", func(values string) string {
			return strings.Replace(values, "region: eu-west-1", "region: eu-west-1, secret: expired", 1)
		}, []string{"the credentials that sign it have expired: at 2026-01-02T03:04:05Z", "this pod's clock says"}},
	} {
		t.Run(name, func(t *testing.T) {
			harness.Facts(t)
			namespace, rds := newRDS(t)
			if wrong.behaviour != "" {
				rds.Behave(wrong.behaviour)
			}
			namespace.Apply(`{apiVersion: v1, kind: Secret, metadata: {name: expired}, stringData: {AWS_ACCESS_KEY_ID: a, AWS_SECRET_ACCESS_KEY: b, AWS_SESSION_TOKEN: c, AWS_CREDENTIAL_EXPIRATION: "2026-01-02T03:04:05Z"}}`)
			values := rds.Beside(app)
			if wrong.values != nil {
				values = wrong.values(values)
			}
			namespace.Install("demo", harness.Consumer(t).Write(t), values)
			namespace.Eventually(harness.PodStart, "the refresher runs", func() bool {
				pods := namespace.Pods(web)
				return len(pods) == 1 && slices.ContainsFunc(pods[0].Status.InitContainerStatuses, func(status corev1.ContainerStatus) bool {
					return status.Name == "db" && status.State.Running != nil
				})
			})
			pod := namespace.Pods(web)[0].Name

			said := waitForEvent(t, namespace, pod, "db", wrong.says...)

			assert.Equal(t, "error", said.Level)
			assert.False(t, harness.Status(t, namespace.Pods(web)[0], "app").State.Running != nil, "the app has not started")
		})
	}
}

func TestATokenIsNowhereButInItsFile(t *testing.T) {
	harness.Facts(t)
	namespace, rds := newRDS(t)
	rds.Behave("tokenLifetime=20s")
	// All that may say something of it: metrics, and an ambassador with a socket. STS is known by an authority of its own.
	values := readByApp(rds.Beside(asking, "ttl: 20s", "pod: shareProcessNamespace: true", "metrics: {port: 9128}", "trust: {configMap: {name: rds-ca, key: ca.crt}}",
		"ambassador: socket: {pgbouncer: {tokenRefresher: db, database: shop, listen: socket, tls: {ca: {configMap: {name: rds-ca, key: ca.crt}}}, metrics: {port: 9127}}}"))
	namespace.Install("demo", harness.Consumer(t).Write(t), strings.Replace(values, rds.STSEndpoint(), "https://sts.eu-west-1.amazonaws.com", 1))
	pod := namespace.ReadyPods(web, 1)[0].Name
	assert.Equal(t, "1", namespace.Exec(pod, "app", "psql", "-Ath", "/run/outrigger-socket", "-c", "select 1"))

	// The app's user is the sidecars', and it sees their processes.
	wait := namespace.Output(pod, "app", "bash", "-c", `
end=$((SECONDS + 60))
while [ $SECONDS -lt $end ]; do cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\000' '\n' | sort -u; sleep 0.1; done | sort -u -S 128M`)
	var signatures []string
	namespace.Eventually(harness.PodStart, "three tokens are seen", func() bool {
		file := namespace.Exec(pod, "app", "cat", "/tokens/users.txt")
		_, rest, found := strings.Cut(file, "X-Amz-Signature=")
		require.True(namespace.T(), found, "a token is signed")
		signature := rest[:64]
		if !slices.Contains(signatures, signature) {
			signatures = append(signatures, signature)
		}
		return len(signatures) == 3
	})
	seen := map[string]string{"the command lines and environments": wait()}
	require.Contains(t, seen["the command lines and environments"], "/outrigger-program/outrigger", "the sidecars were watched")
	require.Contains(t, seen["the command lines and environments"], "AWS_ROLE_ARN")
	kinds := slices.DeleteFunc(strings.Fields(namespace.Kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name")), func(kind string) bool { return kind == "secrets" })
	seen["the objects"] = namespace.Kubectl("get", strings.Join(kinds, ","), "-o", "yaml")
	for index, release := range releases(t, namespace) {
		seen[fmt.Sprintf("helm's release %d", index)] = release
	}
	for container, metrics := range map[string]struct{ port, name string }{
		"db": {"9128", "outrigger_credential_expiry_timestamp_seconds"}, "socket": {"9127", "pgbouncer_pools_client_waiting_connections"},
	} {
		text, err := namespace.Client.CoreV1().Pods(namespace.Name).ProxyGet("http", pod, metrics.port, "/metrics", nil).DoRaw(context.Background())
		require.NoError(t, err)
		require.Contains(t, string(text), metrics.name)
		seen["the metrics of "+container] = string(text)
	}
	for _, container := range []string{"db", "proxy", "socket", "app"} {
		seen["the log of "+container] = namespace.Logs(pod, container)
	}
	for place, text := range seen {
		for _, signature := range signatures {
			assert.NotContains(t, text, signature, place)
		}
	}
	mode := namespace.Exec(pod, "app", "stat", "-c", "%a", "/tokens/users.txt")
	assert.Equal(t, "640", mode)
}

func TestTheAppCanOpenSessionsWhileThePodEnds(t *testing.T) {
	harness.Facts(t)
	for _, mode := range []string{"native", "classic"} {
		t.Run(mode, func(t *testing.T) {
			harness.Facts(t)
			namespace, rds := newRDS(t)
			namespace.Install("demo", harness.Consumer(t).Write(t), rds.Beside(`
drain() {
  for each in 1 2 3 4 5; do psql -qAtc 'select 1' >/dev/null || echo "failed: session $each while the pod ends"; echo "session $each"; sleep 1; done
  echo "drained"
  exit 0
}
trap drain INT # the stop signal of PostgreSQL's image
until psql -qAtc 'select 1'; do sleep 1; done
echo "ready"
`+serving)+"  mode: "+mode+"\n")
			pod := namespace.ReadyPods(web, 1)[0]
			namespace.Eventually(harness.LogLine, "the app is ready", func() bool { return strings.Contains(namespace.Logs(pod.Name, "app"), "ready") })
			log := namespace.Follow(pod.Name, "app")

			namespace.DeletePod(pod.Name)
			log.WaitEnd(t, harness.PodEnd)

			assert.Contains(t, log.Texts(), "drained")
			for _, line := range log.Texts() {
				assert.NotContains(t, line, "failed: session")
			}
		})
	}
}

func TestAProcessIsToldOfANewCredentialByASignal(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	namespace.Install("demo", harness.Consumer(t).Write(t), strings.Replace(restrictedApp(`
cp /bin/busybox /logs/listener 2>/dev/null
trap 'echo "told of $(cat /tokens/token)"' HUP
trap 'exit 0' TERM INT
while true; do sleep 1 & wait $!; done`), "outrigger:", `outrigger:
  shareProcessNamespace: true
  tokenRefreshers:
    token:
      exec: {image: "docker.io/library/busybox:1.37.0-musl", command: [date, "+token-of-%s"]}
      ttl: 3s
      file: {path: /tokens/token, format: raw}
      notify: {signal: {process: sh, signal: HUP}}`, 1))
	pod := namespace.ReadyPods(web, 1)[0].Name

	namespace.Eventually(harness.LogLine, "the app has been told of three tokens", func() bool {
		told := map[string]bool{}
		for line := range strings.Lines(namespace.Logs(pod, "app")) {
			if strings.HasPrefix(line, "told of token-of-") {
				told[line] = true
			}
		}
		return len(told) >= 3
	})
}

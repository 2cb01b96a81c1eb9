// Package tokens measures a token refresher beside an app: what it costs while it sleeps, how soon there is a first token, how
// soon a new one is used, and what the hop through pgbouncer adds. `make bench-tokens` runs it.
package tokens

import (
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

const (
	renewals    = 8
	idleSeconds = 20
	latencyRuns = 3
)

// The app sees the sidecars' processes and their file, and connects to the server itself as well. It knows the refresher by
// its command.
const script = `
trap 'exit 0' TERM INT
while true; do sleep 1 & wait $!; done
`

// process prints the first process of the refresher.
const process = `refresher=$(grep -lzx '/[o]utrigger' /proc/[0-9]*/cmdline | cut -d / -f 3 | sort -n | head -n 1)
`

func BenchmarkTokens(b *testing.B) {
	namespace := harness.NewNamespace(b, harness.Restricted)
	rds := namespace.OwnTokenServer("tokenLifetime=15s")
	values := rds.Beside(script, "ttl: 15s", "pod: shareProcessNamespace: true")
	values = strings.Replace(values, "format: pgbouncer}", "format: pgbouncer, containers: [app]}", 1)
	values += `
    direct:
      pgbouncer:
        host: db
        database: shop
        user: postgres
        secret: db
        listenPort: 6433
        tls: {mode: disable}
`
	namespace.Install("demo", harness.Consumer(b).Write(b), values)
	pod := namespace.ReadyPods("app=web", 1)[0].Name
	shell := func(script string) string {
		return namespace.Exec(pod, "app", "bash", "-ec", script)
	}

	var uses []float64
	last := strings.SplitN(shell("stat -c %.9Y /tokens/users.txt; cat /tokens/users.txt"), "\n", 2)[1]
	for len(uses) < renewals {
		var written float64
		namespace.Eventually(time.Minute, "there is a new token", func() bool {
			fields := strings.SplitN(shell(`stat -c %.9Y /tokens/users.txt; cat /tokens/users.txt`), "\n", 2)
			if len(fields) != 2 || fields[1] == last {
				return false
			}
			written, last = number(b, fields[0], 1)[0], fields[1]
			return true
		})
		password := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(last), `"shop" "`), `"`)
		sum := fmt.Sprintf("%x", sha256.Sum256([]byte(password)))
		namespace.Eventually(time.Minute, "it is used", func() bool {
			for _, login := range rds.Logins(0) {
				if login.Token == sum && login.Outcome == "accepted" {
					uses = append(uses, float64(login.Time.UnixNano())/1e9-written)
					return true
				}
			}
			return false
		})
	}

	rds.Behave("tokenLifetime=")
	namespace.Upgrade("demo", harness.Consumer(b).Write(b), strings.Replace(values, "ttl: 15s", "ttl: 15m", 1))
	namespace.Eventually(harness.PodStart, "the new pod is the only one", func() bool {
		pods := namespace.Pods("app=web")
		return len(pods) == 1 && pods[0].Name != pod
	})
	pod = namespace.ReadyPods("app=web", 1)[0].Name
	first := number(b, shell(process+`
printf '%s %s %s %s' "$(stat -c %.9Y /tokens/users.txt)" "$(date +%s.%N)" "$(cut -d ' ' -f 1 /proc/uptime)" "$(cut -d ' ' -f 22 /proc/$refresher/stat)"`), 4)
	start := first[0] - (first[1] - first[2] + first[3]/100)
	idle := number(b, shell(process+`
before=$(cut -d ' ' -f 14-17 /proc/$refresher/stat)
sleep `+strconv.Itoa(idleSeconds)+`
memory=0
for status in /proc/$refresher/status $(grep -l "^PPid:.$refresher\$" /proc/[0-9]*/status 2>/dev/null); do
  memory=$((memory + $(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' $status)))
done
after=$(cut -d ' ' -f 14-17 /proc/$refresher/stat)
printf '%s %s %s\n' "$memory" "$(echo $before | tr ' ' +)" "$(echo $after | tr ' ' +)" | { read memory before after; echo $memory $((after - (before))); }`), 2)

	latency := func(port int, user string) float64 {
		var runs []float64
		for range latencyRuns {
			output := shell(fmt.Sprintf(`echo 'select 1' > /dev/shm/ask.sql; /usr/lib/postgresql/15/bin/pgbench -n -f /dev/shm/ask.sql -T 3 -c 1 -h 127.0.0.1 -p %d -U %s shop 2>/dev/null`, port, user))
			_, after, found := strings.Cut(output, "latency average = ")
			require.True(b, found, output)
			runs = append(runs, number(b, strings.Fields(after)[0], 1)[0])
		}
		return harness.Median(runs)
	}
	through := latency(6433, "postgres")
	direct := namespaceLatency(b, namespace)

	fmt.Printf(`
| A token refresher and pgbouncer | |
|---|---:|
| resident while it sleeps, MB | %.2f |
| processor time in %d s of sleep, ms | %.0f |
| from its start to the first token, s | %.2f |
| from a new token's writing to a login with it, median of %d, s | %.2f |
| the longest of them, s | %.2f |
| a query from the server's own pod, ms | %.3f |
| a query from the app through pgbouncer, ms | %.3f |

bench: tokens/idle-memory-mb %.2f MB
bench: tokens/idle-cpu-ms-per-minute %.0f ms
bench: tokens/start-to-first-token-s %.2f s
bench: tokens/write-to-use-s %.2f s
bench: tokens/hop-ms %.3f ms
end of the report
`, idle[0]*1024/1e6, idleSeconds, idle[1]*10, start, renewals, harness.Median(uses), slices.Max(uses), direct, through,
		idle[0]*1024/1e6, idle[1]*10*60/idleSeconds, start, harness.Median(uses), through-direct)
}

// namespaceLatency returns how long a query takes that goes to the server over TCP and through nothing else, in ms.
func namespaceLatency(b *testing.B, namespace *harness.Namespace) float64 {
	b.Helper()
	var runs []float64
	for range latencyRuns {
		output := namespace.Exec("db", "db", "sh", "-ec",
			`echo 'select 1' > /tmp/ask.sql; PGPASSWORD="$POSTGRES_PASSWORD" /usr/lib/postgresql/15/bin/pgbench -n -f /tmp/ask.sql -T 3 -c 1 -h db -U postgres shop 2>/dev/null`)
		_, after, found := strings.Cut(output, "latency average = ")
		require.True(b, found, output)
		runs = append(runs, number(b, strings.Fields(after)[0], 1)[0])
	}
	return harness.Median(runs)
}

// number returns the numbers of a text, which must be so many.
func number(b *testing.B, text string, count int) (numbers []float64) {
	b.Helper()
	for _, field := range strings.Fields(text) {
		parsed, err := strconv.ParseFloat(field, 64)
		require.NoError(b, err, text)
		numbers = append(numbers, parsed)
	}
	require.Len(b, numbers, count, text)
	return numbers
}

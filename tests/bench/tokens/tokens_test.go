// Package tokens measures a token refresher beside an app: what it costs while it sleeps, how soon there is a first token, how
// soon a new one is used, and what the hop through pgbouncer adds. `make bench-tokens` runs it.
package tokens

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

const (
	renewals    = 8
	idleSeconds = 300
	latencyRuns = 3
	probeRuns   = 40
)

// The app sees the sidecars' processes and their file, and connects to the server itself as well.
const script = `
trap 'exit 0' TERM INT
while true; do sleep 1 & wait $!; done
`

// process finds the process of the refresher db, which is the first that starts of those that run the program's own image.
const process = `for process in /proc/[0-9]*; do
  case $(tr '\000' ' ' <$process/cmdline) in '/outrigger token ')
    start=$(cut -d ' ' -f 22 $process/stat)
    if [ "$start" -lt "${first:-$((start + 1))}" ]; then first=$start refresher=${process#/proc/}; fi ;;
  esac
done
`

// besides are a refresher whose pod's readiness does not ask it, and two whose containers have a tenth and a fiftieth of a processor.
const besides = `
    quiet:
      readinessProbe: {enabled: false}
      awsRds: {host: HOST, user: shop, region: eu-west-1, secret: keys}
      ttl: 15m
      file: {path: /quiet/users.txt, format: raw}
    limited:
      exec: {image: IMAGE, command: [echo, token]}
      ttl: 15m
      file: {path: /limited/token, format: raw}
      resources: {limits: {cpu: 100m}}
    least:
      exec: {image: IMAGE, command: [echo, token]}
      ttl: 15m
      file: {path: /least/token, format: raw}
      resources: {limits: {cpu: 20m}}
`

// probeLimit is the timeoutSeconds of the chart's probes.
const probeLimit = 5 * time.Second

func BenchmarkTokens(b *testing.B) {
	namespace := harness.NewNamespace(b, harness.Restricted)
	rds := namespace.OwnTokenServer("tokenLifetime=15s")
	namespace.Apply(`{apiVersion: v1, kind: Secret, metadata: {name: keys}, stringData: {AWS_ACCESS_KEY_ID: a, AWS_SECRET_ACCESS_KEY: b}}`)
	values := rds.Beside(script, "ttl: 15s", "pod: shareProcessNamespace: true")
	values = strings.Replace(values, "format: pgbouncer}", "format: pgbouncer, containers: [app]}", 1)
	values = strings.Replace(values, "  ambassadors:", strings.TrimPrefix(strings.NewReplacer("HOST", harness.TokenServerHost, "IMAGE", testimages.PostgresRef).Replace(besides), "\n")+"  ambassadors:", 1)
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
	memory := number(b, shell(process+`
sed -n 's/^Rss\(Anon\):[^0-9]*\([0-9]*\).*/\2/p; s/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' /proc/$refresher/status`), 2)
	resident, anonymous := max(memory[0], memory[1])*1024/1e6, min(memory[0], memory[1])*1024/1e6
	before := namespace.ProcessorTime(pod)
	began := time.Now()
	namespace.Eventually((idleSeconds+60)*time.Second, "five minutes pass", func() bool { return time.Since(began) > idleSeconds*time.Second })
	after := namespace.ProcessorTime(pod)
	asleep := func(container string) float64 { return float64((after[container] - before[container]).Milliseconds()) }
	probe := number(b, namespace.Exec(pod, "limited", "bash", "-ec", `
TIMEFORMAT='%R %U %S'
{ time for run in {1..`+strconv.Itoa(probeRuns)+`}; do /outrigger-program/outrigger-probe ready; done; } 2>&1`), 3)
	probeWall, probeProcessor := probe[0]*1000/probeRuns, (probe[1]+probe[2])*1000/probeRuns
	least := number(b, namespace.Exec(pod, "least", "bash", "-ec", `
TIMEFORMAT=%R
{ time /outrigger-program/outrigger-probe ready; } 2>&1`), 1)[0]
	require.Less(b, least, probeLimit.Seconds(), "a probe under a limit of 20m")
	rdsToken, compressed := rdsToken(b), imageSize(b)

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
| A token refresher and pgbouncer | | goal |
|---|---:|---:|
| resident while it sleeps, MB | %.1f | 18 |
| of it anonymous, MB | %.1f | 7 |
| processor time in five minutes of sleep, with the chart's probes, ms | %.0f | |
| the same without them, ms | %.0f | |
| from its start to the first token, s | %.2f | 0.5 |
| from a new token's writing to a login with it, median of %d, s | %.2f | 0.2 |
| the longest of them, s | %.2f | |
| processor time for a token of RDS, ms | %.2f | 1 |
| a query from the server's own pod, ms | %.3f | |
| a query from the app through pgbouncer, ms | %.3f | |
| processor time of a probe, ms | %.1f | 10 |
| a probe in a container with a tenth of a processor, ms | %.0f | 150 |
| a probe in a container with a fiftieth of one, ms | %.0f | |
| the program's image, compressed, MB | %.1f | |

bench: tokens/idle-rss-mb %.1f MB
bench: tokens/idle-anon-mb %.1f MB
bench: tokens/idle-cpu-ms %.0f ms
bench: tokens/first-token-s %.2f s
bench: tokens/write-to-use-s %.2f s
bench: tokens/rds-token-cpu-ms %.2f ms
bench: pgbouncer/hop-ms %.3f ms
bench: probe/cpu-ms %.1f ms
bench: probe/wall-ms-at-100m %.0f ms
bench: image/compressed-mb %.1f MB
end of the report
`, resident, anonymous, asleep("db"), asleep("quiet"), start, renewals, harness.Median(uses), slices.Max(uses), rdsToken, direct, through,
		probeProcessor, probeWall, least*1000, compressed,
		resident, anonymous, asleep("db"), start, harness.Median(uses), rdsToken, through-direct, probeProcessor, probeWall, compressed)
}

// rdsToken returns the processor time that a token of RDS takes, in ms, by the benchmark beside the code that makes it.
func rdsToken(b *testing.B) float64 {
	b.Helper()
	command := exec.Command("go", "test", "./sidecar/token/provider/aws", "-run", "^$", "-bench", "^BenchmarkRDSToken$")
	command.Dir = filepath.Join(harness.Root(), "library")
	output, err := command.CombinedOutput()
	require.NoError(b, err, string(output))
	found := regexp.MustCompile(`([0-9.]+) cpu-ns/op`).FindSubmatch(output)
	require.NotNil(b, found, string(output))
	return number(b, string(found[1]), 1)[0] / 1e6
}

// imageSize returns what a node pulls, in MB.
func imageSize(b *testing.B) float64 {
	b.Helper()
	shipped, err := rig.Shipped(b.Context(), io.Discard)
	require.NoError(b, err)
	layers, err := shipped.Layers()
	require.NoError(b, err)
	total := int64(0)
	for _, layer := range layers {
		size, err := layer.Size()
		require.NoError(b, err)
		total += size
	}
	return float64(total) / 1e6
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

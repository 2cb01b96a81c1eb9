package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// onTheNode is appPod in the network of its node.
const onTheNode = `
pod:
  metadata: {labels: {app: web}}
  spec:
    hostNetwork: true
    containers: [{name: app, image: app:1}]
`

// withGreeter returns a chart with a custom pattern whose sidecar listens.
func withGreeter(t testing.TB) harness.Chart {
	return harness.Consumer(t).With(map[string]string{"templates/_greeter.tpl": `
{{- define "outrigger.pattern.greeter" -}}
sidecars: [{name: {{ .name }}, image: "g:1", ports: [{containerPort: 7000}]}]
{{- end -}}`})
}

func TestAListenerInTheNodesNetworkIsAnErrorUnlessItIsWanted(t *testing.T) {
	t.Parallel()
	const toBackend = `files: [/logs/a], to: {otlphttp: {endpoint: "http://b:4318"}}`
	for name, test := range map[string]struct{ pattern, entry, ports string }{
		"pgbouncer":                       {"ambassadors", `pgbouncer: {secret: db, user: shop, host: postgres, database: shop}`, "6432"},
		"pgbouncer at another port":       {"ambassadors", `pgbouncer: {secret: db, user: shop, host: postgres, database: shop, listenPort: 7777}`, "7777"},
		"pgbouncer with metrics":          {"ambassadors", `pgbouncer: {secret: db, user: shop, host: postgres, database: shop, metrics: {port: 9127}}`, "6432, 9127"},
		"metrics beside a socket":         {"ambassadors", `pgbouncer: {secret: db, user: shop, host: postgres, database: shop, listen: socket, metrics: {port: 9127}}`, "9127"},
		"metrics of a token refresher":    {"tokenRefreshers", `file: {path: /token/users.txt, format: json}, ttl: 15m, exec: {image: "t:1", command: [print-token]}, metrics: {port: 9102}`, "9102"},
		"a collector":                     {"logshippers", toBackend, "13133, 8888"},
		"a collector that takes OTLP":     {"logshippers", `receive: {otlp: true}, ` + toBackend, "4317, 13133, 4318, 8888"},
		"a collector with open metrics":   {"logshippers", `metrics: {port: 9999, annotations: true}, ` + toBackend, "13133, 9999"},
		"a sidecar of a custom pattern's": {"custom.greeter", `greeting: hello`, "7000"},
	} {
		t.Run(name, func(t *testing.T) {
			entry := func(more string) string {
				return "outrigger: {volumes: {logs: {mountPath: /logs}}, " + strings.ReplaceAll(test.pattern, ".", ": {") + ": {it: {" + more + test.entry +
					strings.Repeat("}", strings.Count(test.pattern, ".")+3) + "\n"
			}

			message := withGreeter(t).RenderError(t, onTheNode+entry(""))

			assert.Contains(t, message, "outrigger."+test.pattern+".it: listens on "+test.ports+", and in a pod with hostNetwork: true its ports are the node's: ")
			assert.Contains(t, message, "set outrigger."+test.pattern+".it.hostNetwork: true if that is wanted")
			withGreeter(t).Render(t, onTheNode+entry("hostNetwork: true, "))
			withGreeter(t).Render(t, appPod+entry(""))
		})
	}
}

func TestAListenerInTheNodesNetworkIsAnErrorInAJobToo(t *testing.T) {
	t.Parallel()
	chart := jobsChart(t)
	const values = `
pod: {spec: {hostNetwork: true, containers: [{name: app, image: "app:1"}]}}
outrigger: {ambassadors: {db: {workloads: [WORKLOAD], pgbouncer: {secret: db, user: shop, host: postgres, database: shop}}}}
`
	for _, workload := range []string{"process", "report"} {
		assert.Contains(t, chart.RenderError(t, strings.Replace(values, "WORKLOAD", workload, 1)), "outrigger.ambassadors.db: listens on 6432")
	}
}

func TestWhatDoesNotListenMayBeInTheNodesNetwork(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, onTheNode+`
outrigger:
  volumes: {logs: {mountPath: /logs}, html: {mountPath: /html, seed: true}}
  logshippers:
    ship: {files: [/logs/a], to: {stdout: {}}}
    agent: {agent: custom, image: "a:1", files: [/logs/a], custom: {command: [run], left: {command: [count]}}}
  ambassadors: {db: {pgbouncer: {secret: db, user: shop, host: postgres, database: shop, listen: socket}}}
  tokenRefreshers: {token: {file: {path: /token/users.txt, format: json}, ttl: 15m, exec: {image: "t:1", command: [print-token]}}}
  backups: {nightly: {as: sidecar, schedule: "17 3 * * *", path: {paths: [/logs/a]}, store: {restic: {repository: /repository, secret: restic}}}}
  containers: {exporter: {image: "e:1", ports: {metrics: 9100}}}
`)

	assert.Equal(t, []string{"outrigger-tools", "outrigger-install", "html-seed", "agent", "ship", "nightly-tools", "nightly", "token", "db", "exporter"}, containerNames(pod.Spec.InitContainers),
		"a container's ports are what its author says, as in Kubernetes, and what an agent of one's own listens on nobody knows")
}

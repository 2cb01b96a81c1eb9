package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/backend"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// arrived waits until a record with a text in its body has arrived, and returns it.
func arrived(namespace *harness.Namespace, from *harness.Backend, text string) backend.Record {
	var records []backend.Record
	namespace.Eventually(harness.LogLine, fmt.Sprintf("%q arrives", text), func() bool {
		records = from.Records(text)
		return len(records) > 0
	})
	return records[0]
}

func TestWhatALineHoldsIsParsedMaskedAndNamedByTheSemanticConventions(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.Backend()
	namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp(`
trap 'exit 0' TERM
cat >> /logs/app.log <<'END'
{"time":"2030-01-31T12:00:00Z","level":"warn","msg":"an order of card=4111111111111111","customer":"7","secret":"hidden"}
{"time":"2030-01-31T12:00:01Z","level":"debug","msg":"of no interest"}
{"time":"2030-01-31T12:00:02Z","level":"info","msg":"GET /healthz"}
not JSON at all, card=4111111111111111
END`+serving, receiver.Endpoint(),
		`parse: {json: {}, message: msg, timestamp: {field: time, layout: "%Y-%m-%dT%H:%M:%SZ"}, severity: {field: level}}`,
		`redact: [{pattern: 'card=\d+', replacement: "card=$"}, {field: secret}]`,
		`filter: {minSeverity: INFO, drop: ['^GET /healthz$']}`,
		`attributes: {team: "a$b"}`, `resource: {deployment.environment.name: test}`))

	order := arrived(namespace, receiver, "an order")
	other := arrived(namespace, receiver, "not JSON")

	pod := namespace.ReadyPods(web, 1)[0]
	assert.Equal(t, "an order of card=$", order.Text())
	assert.Equal(t, "not JSON at all, card=$", other.Text(), "a line that does not parse is shipped as it is, but for what is masked")
	assert.Equal(t, "warn", order.SeverityText)
	assert.EqualValues(t, 13, order.SeverityNumber, "WARN by OpenTelemetry's log data model")
	assert.True(t, order.Timestamp.Equal(time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)), order.Timestamp)
	assert.Equal(t, "7", order.Attributes["customer"])
	assert.Equal(t, "a$b", order.Attributes["team"])
	assert.Equal(t, "app.log", order.Attributes["log.file.name"])
	assert.NotContains(t, order.Attributes, "secret")
	for name, value := range map[string]any{
		"k8s.pod.name": pod.Name, "k8s.pod.uid": string(pod.UID), "k8s.namespace.name": namespace.Name, "k8s.node.name": pod.Spec.NodeName,
		"k8s.container.name": "app", "service.name": "shop", "deployment.environment.name": "test",
	} {
		assert.Equal(t, value, order.Resource[name], name)
	}
	assert.Empty(t, append(receiver.Records("of no interest"), receiver.Records("healthz")...), "what is filtered out")
}

func TestASampleIsShippedOfWhatIsNotSevereAndAllThatIs(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.Backend()
	namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp(`
trap 'exit 0' TERM
seq 1 1000 | sed 's/.*/level=info msg="info &"/' >> /logs/app.log
seq 1 100 | sed 's/.*/level=error msg="error &"/' >> /logs/app.log
echo 'level=error msg=end' >> /logs/app.log`+serving, receiver.Endpoint(),
		"parse: {logfmt: {}, message: msg, severity: {field: level}}", "filter: {sample: {percentage: 10}}"))

	end := arrived(namespace, receiver, "end")

	// Of 1,000 drawn with a chance of 0.1 that many come but once in millions of runs.
	namespace.Eventually(harness.LogLine, "all that is severe arrives, and of the rest a tenth", func() bool {
		return receiver.Report("error", 100).Lost == 0 && receiver.Report("info", 1000).Received >= 50
	})
	assert.LessOrEqual(t, receiver.Report("info", 1000).Received, 150)
	assert.NotContains(t, fmt.Sprint(end.Attributes), "outrigger")
}

func TestARecordOfSeveralLinesArrivesAsOneTheLastOpenOneToo(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.Backend()
	namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp(`
farewell() { printf '2030-01-31 last\n  still open' >> /logs/app.log; exit 0; }
trap farewell TERM
printf '2030-01-31 failure\n  at a\n  at b\n2030-01-31 next\n' >> /logs/app.log`+serving, receiver.Endpoint(), `multiline: {startPattern: '^\d{4}-'}`))
	failure := arrived(namespace, receiver, "failure")

	deletePod(t, namespace, namespace.ReadyPods(web, 1)[0], "app")

	assert.Equal(t, "2030-01-31 failure\n  at a\n  at b", failure.Text())
	require.Len(t, receiver.Records("last"), 1)
	assert.Equal(t, "2030-01-31 last\n  still open", receiver.Records("last")[0].Text())
}

func TestTheLogsOfInitContainersAfterTheShipperAreThereToo(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.Backend()
	values := strings.Replace(shippingApp("trap 'exit 0' TERM"+serving, receiver.Endpoint()), "    containers:\n", `    initContainers:
      - name: migrate
        image: docker.io/library/busybox:1.37.0-musl
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        command: [sh, -c, "echo migrated >> /logs/app.log"]
    containers:
`, 1)

	namespace.Install("demo", harness.Consumer(t).Write(t), values)

	arrived(namespace, receiver, "migrated")
}

func TestWhatTheAppSendsAndServesOnLocalhostIsForwardedToo(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.Backend()
	namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp(`
trap 'exit 0' TERM
mkdir -p /tmp/www
printf '# TYPE orders_total counter\norders_total 7\n' > /tmp/www/metrics
httpd -p 127.0.0.1:9090 -h /tmp/www
send() { wget -q -O /dev/null --header 'Content-Type: application/json' --post-data "$2" http://127.0.0.1:4318/v1/$1; }
send logs '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"sent by OTLP"}}]}]}]}'
send traces '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"order"}]}]}]}'
send metrics '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"pushed","gauge":{"dataPoints":[{"asDouble":1}]}}]}]}]}'
echo written to a file >> /logs/app.log`+serving, receiver.Endpoint(),
		"receive: {otlp: true}", "scrape: [{port: 9090, interval: 1s}]"))

	sent := arrived(namespace, receiver, "sent by OTLP")
	arrived(namespace, receiver, "written to a file")
	namespace.Eventually(harness.LogLine, "metrics and the span arrive", func() bool {
		counts := receiver.Counts()
		metrics := strings.Join(counts.Metrics, " ")
		return counts.Spans == 1 && strings.Contains(metrics, "pushed") && strings.Contains(metrics, "orders_total")
	})

	assert.Equal(t, namespace.Pods(web)[0].Name, sent.Resource["k8s.pod.name"])
}

func TestACredentialComesFromASecretAndTheBackendIsVerifiedByItsAuthority(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.BackendTLS()
	namespace.Kubectl("create", "secret", "generic", "credentials", "--from-literal=token=Bearer of-good-news")
	values := shippingApp("trap 'exit 0' TERM\necho private >> /logs/app.log"+serving,
		receiver.TLSEndpoint()+", tls: {ca: {configMapKeyRef: {name: "+harness.BackendCA+"}}}, headers: {Authorization: {valueFrom: {secretKeyRef: {name: credentials, key: token}}}, X-Scope-OrgID: tenant}")

	namespace.Install("demo", harness.Consumer(t).Write(t), values)

	arrived(namespace, receiver, "private")
	headers := fmt.Sprint(receiver.Counts().Headers)
	assert.Contains(t, headers, "Bearer of-good-news")
	assert.Contains(t, headers, "tenant")
	assert.NotContains(t, namespace.Kubectl("get", "configmaps,pods,events", "-o", "yaml"), "of-good-news")
}

func TestWhatIsWrongWithABackendIsSaidInOneLine(t *testing.T) {
	harness.Facts(t)
	for name, test := range map[string]struct {
		target func(*harness.Backend) string
		said   string
	}{
		"a wrong port": {func(b *harness.Backend) string { return strings.Replace(b.Endpoint(), ":4318", ":8080", 1) }, "404"},
		"a wrong host": {func(*harness.Backend) string { return "http://nobody.invalid:4318" }, "no such host"},
		"a wrong authority": {func(b *harness.Backend) string {
			return b.TLSEndpoint() + ", tls: {ca: {configMapKeyRef: {name: other-ca}}}"
		}, "certificate signed by unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			harness.Facts(t)
			namespace := harness.NewNamespace(t, harness.Restricted)
			receiver := namespace.BackendTLS()
			other, err := backend.NewCertificate("elsewhere")
			require.NoError(t, err)
			namespace.Kubectl("create", "configmap", "other-ca", "--from-literal=ca.crt="+string(other.CA))
			namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp("trap 'exit 0' TERM\necho line >> /logs/app.log"+serving, test.target(receiver)))

			stream := namespace.Follow(namespace.ReadyPods(web, 1)[0].Name, "shipper")

			namespace.Eventually(harness.LogLine, "a line of the log says "+test.said, func() bool { return contains(stream.Texts(), test.said, "rror") })
		})
	}
}

func TestAMissingSecretIsNamedInThePodsStatus(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	namespace.Install("demo", harness.Consumer(t).Write(t), shippingApp("trap 'exit 0' TERM"+serving,
		"http://backend:4318, headers: {Authorization: {valueFrom: {secretKeyRef: {name: forgotten, key: token}}}}"))

	namespace.Eventually(harness.PodStart, "the status names the Secret", func() bool {
		pods := namespace.Pods(web)
		if len(pods) != 1 || len(pods[0].Status.InitContainerStatuses) < 2 {
			return false
		}
		waiting := namespace.Status(pods[0], "shipper").State.Waiting
		return waiting != nil && waiting.Reason == "CreateContainerConfigError" && strings.Contains(waiting.Message, `secret "forgotten" not found`)
	})
}

func TestEachOfSeveralTargetsGetsEachLineOverGRPCToo(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.Backend()
	values := strings.Replace(shippingApp("trap 'exit 0' TERM\n"+numbered(1, 1000, "/logs/app.log")+serving, receiver.Endpoint()),
		"to: {otlphttp: ", `to: {debug: {verbosity: detailed}, otlp: {endpoint: "http://`+receiver.GRPCEndpoint()+`"}, otlphttp: `, 1)
	namespace.Install("demo", harness.Consumer(t).Write(t), values)
	pod := namespace.ReadyPods(web, 1)[0]

	namespace.Eventually(harness.LogLine, "each line arrives over HTTP and gRPC", func() bool { return receiver.Report("line", 1000).Received == 2000 })

	report := receiver.Report("line", 1000)
	assert.Zero(t, report.Lost)
	assert.Equal(t, 1000, report.Repeated)
	namespace.Eventually(harness.LogLine, "the debug target has them too", func() bool {
		return strings.Contains(namespace.Logs(pod.Name, "shipper"), "Body: Str(line 1000)")
	})
}

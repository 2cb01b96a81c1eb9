package render

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// shipperOf is a logshipper to a backend with further keys.
func shipperOf(keys string) string {
	return fmt.Sprintf(`{ship: {files: [/logs/a], %s, to: {otlphttp: {endpoint: "http://a:1"}}}}`, keys)
}

func TestTheCollectorsProgramIsFoundInUpstreamsImagesWhereverTheyAreMirrored(t *testing.T) {
	t.Parallel()
	const digest = "@sha256:2c1a2f0e9d7d4d7c1d0f8b3a1b9e2f6f6f0d7d9f7f3c7c0f4a7d9e7b9d5f3a11"
	for image, program := range map[string]string{
		"otel/opentelemetry-collector:0.158.0":                                                                     "/otelcol",
		"docker.io/otel/opentelemetry-collector-contrib:0.158.0":                                                   "/otelcol-contrib",
		"otel/opentelemetry-collector-k8s:0.158.0-amd64":                                                           "/otelcol-k8s",
		"otel/opentelemetry-collector-otlp:0.158.0":                                                                "/otelcol-otlp",
		"otel/opentelemetry-collector-ebpf-profiler:0.158.0":                                                       "/otelcol-ebpf-profiler",
		"ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector:0.158.0":                  "/otelcol",
		"ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-k8s:0.158.0":              "/otelcol-k8s",
		"ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib:0.158.0" + digest: "/otelcol-contrib",
		"registry.example:5000/mirror/opentelemetry-collector-contrib/opentelemetry-collector-k8s" + digest:        "/otelcol-k8s",
		"registry.example:5000/otelcol-contrib:1":                                                                  "/otelcol-contrib",
		"localhost:5000/opentelemetry-collector" + digest:                                                          "/otelcol",
	} {
		t.Run(image, func(t *testing.T) {
			s := renderShippers(t, shipperOf(fmt.Sprintf("image: %q", image)))

			assert.Equal(t, []string{program, "--config=/outrigger/ship.conf.yaml", "--feature-gates=stanza.synchronousLogEmitter"}, container(t, s.pod, "ship").Args)
		})
	}
}

func TestAnImageOfOnesOwnNamesItsProgram(t *testing.T) {
	t.Parallel()
	s := renderShippers(t, shipperOf(`image: "registry.example/mine:1", command: [/bin/collector, --verbose]`))

	assert.Equal(t, []string{"/bin/collector", "--verbose", "--config=/outrigger/ship.conf.yaml", "--feature-gates=stanza.synchronousLogEmitter"},
		container(t, s.pod, "ship").Args)
}

func TestAnImageWhoseProgramNobodyKnowsIsRefused(t *testing.T) {
	t.Parallel()
	for _, image := range []string{
		"mine:1", "amazon/aws-otel-collector:v0.43.3", "registry.example/opentelemetry-collector-contrib/mine:1",
		"otel/opentelemetry-collector-opampsupervisor:0.158.0", "otel/opentelemetry-collectors:1", "opentelemetry-collector-k8s.example:5000/mine:1",
	} {
		t.Run(image, func(t *testing.T) {
			message := harness.Consumer(t).RenderError(t, shippersValues(shipperOf(fmt.Sprintf("image: %q", image))))

			assert.Contains(t, message, fmt.Sprintf("outrigger.logshippers.ship: image %q is none of upstream's by its name, so the collector's program in it is not known; set command to it", image))
		})
	}
}

func TestACollectorWithoutAnImageIsToldAsOneWithoutAnImage(t *testing.T) {
	t.Parallel()
	const values = `
pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "a:1"}]}}
outrigger:
  images: {collector: null}
  volumes: {logs: {mountPath: /logs}}
  logshippers: {ship: {files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1"}}}}
`

	message := harness.Consumer(t).RenderError(t, values)

	assert.Contains(t, message, "1 problem(s)")
	assert.Contains(t, message, "outrigger.logshippers.ship.image: is missing; set it to an image with a tag or digest")
}

func TestTheProgramOfAnAgentOfOnesOwnHasItsOwnKey(t *testing.T) {
	t.Parallel()
	message := harness.Consumer(t).RenderError(t, shippersValues(`{ship: {files: [/logs/a], agent: custom, image: "a:1", command: [/a], custom: {command: [/a]}}}`))

	assert.Contains(t, message, "outrigger.logshippers.ship: command means nothing beside agent: custom; move it to custom.command")
}

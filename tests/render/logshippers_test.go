package render

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chartutil"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/tests/backend"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// collector returns the path of the OpenTelemetry Collector.
var collector = sync.OnceValues(func() (string, error) {
	if built := os.Getenv("OUTRIGGER_COLLECTOR"); built != "" {
		return built, nil
	}
	return rig.Collector(context.Background(), os.Stderr)
})

// shipped is what logshippers make of a pod.
type shipped struct {
	pod   corev1.PodTemplateSpec
	files map[string]string // of the ConfigMap
}

// renderShippers renders logshippers, given as YAML, with a volume /logs that the app shares.
func renderShippers(t testing.TB, logshippers string, settings ...harness.Settings) shipped {
	t.Helper()
	return shippedIn(t, harness.Consumer(t).Render(t, shippersValues(logshippers), settings...))
}

func shippersValues(logshippers string) string {
	return appPod + "outrigger: {volumes: {logs: {mountPath: /logs}}, logshippers: " + logshippers + "}\n"
}

func shippedIn(t testing.TB, objects harness.Objects) shipped {
	t.Helper()
	return shipped{
		pod:   harness.Find[*appsv1.Deployment](t, objects).Spec.Template,
		files: harness.Find[*corev1.ConfigMap](t, objects).Data,
	}
}

// config is the configuration of an entry's collector.
func (s shipped) config(t testing.TB, name string) map[string]any {
	t.Helper()
	var config map[string]any
	require.Contains(t, s.files, name+".conf.yaml")
	require.NoError(t, yaml.UnmarshalStrict([]byte(s.files[name+".conf.yaml"]), &config))
	return config
}

// at returns what is in nested maps and lists.
func at(t testing.TB, value any, path ...any) any {
	t.Helper()
	for i, step := range path {
		switch of := value.(type) {
		case map[string]any:
			require.Contains(t, of, step, "%v", path[:i+1])
			value = of[step.(string)]
		case []any:
			require.Greater(t, len(of), step, "%v", path[:i+1])
			value = of[step.(int)]
		default:
			require.Fail(t, "nothing is below", "%v: %v", path[:i], value)
		}
	}
	return value
}

func environment(container corev1.Container) map[string]string {
	values := map[string]string{}
	for _, variable := range container.Env {
		values[variable.Name] = variable.Value
		if variable.ValueFrom != nil {
			values[variable.Name] = "from-" + strings.ToLower(variable.Name)
		}
	}
	return values
}

// validate puts a container's configuration to the collector, as the container would have it.
func validate(t testing.TB, container corev1.Container, files map[string]string) {
	t.Helper()
	program, err := collector()
	require.NoError(t, err)
	folder := t.TempDir()
	here := strings.NewReplacer("/run/outrigger-tls/", folder+"/tls/", "/run/outrigger", folder+"/state", "/outrigger/", folder+"/files/")
	write := func(path, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	write(folder+"/state/empty", "")
	for name, text := range files {
		write(folder+"/files/"+name, here.Replace(text))
	}
	for _, mount := range container.VolumeMounts {
		if strings.HasPrefix(mount.MountPath, "/run/outrigger-tls/") {
			made, err := backend.NewCertificate("backend")
			require.NoError(t, err)
			for name, data := range map[string][]byte{"ca.crt": made.CA, "tls.crt": made.Certificate, "tls.key": made.Key} {
				write(filepath.Join(here.Replace(mount.MountPath), name), string(data))
			}
		}
	}
	arguments := []string{"validate"}
	for _, argument := range container.Args[1:] {
		arguments = append(arguments, here.Replace(argument))
	}
	command := exec.Command(program, arguments...)
	for name, value := range environment(container) {
		command.Env = append(command.Env, name+"="+value)
	}
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s\n%s", output, files[container.Name+".conf.yaml"])
}

// collectors returns the containers that run the collector.
func collectors(pod corev1.PodSpec) []corev1.Container {
	var found []corev1.Container
	for _, container := range slices.Concat(pod.InitContainers, pod.Containers) {
		if len(container.Args) > 0 && strings.HasPrefix(container.Args[0], "/otelcol") {
			found = append(found, container)
		}
	}
	return found
}

// ---- The collector's configuration

func TestTheCollectorTakesWhatTheValuesMake(t *testing.T) {
	t.Parallel()
	const to = `to: {otlphttp: {endpoint: "http://backend:4318"}}`
	for name, test := range map[string]struct {
		entry string
		check func(t *testing.T, config map[string]any, container corev1.Container)
	}{
		"files and targets alone": {
			`{files: ["/logs/**/*.log", /logs/app.txt], ` + to + `}`,
			func(t *testing.T, config map[string]any, container corev1.Container) {
				files := at(t, config, "receivers", "file_log").(map[string]any)
				assert.Equal(t, []any{"/logs/**/*.log", "/logs/**/*.log.[0-9]*", "/logs/**/*.log-[0-9]*", "/logs/**/*.log.old", "/logs/**/*.log.bak",
					"/logs/app.txt", "/logs/app.txt.[0-9]*", "/logs/app.txt-[0-9]*", "/logs/app.txt.old", "/logs/app.txt.bak"}, files["include"])
				assert.Contains(t, files["exclude"], "/logs/app.txt*.gz")
				assert.Equal(t, "beginning", files["start_at"])
				assert.Equal(t, "file_storage", files["storage"])
				assert.Equal(t, map[string]any{"enabled": true, "max_elapsed_time": 0.0}, files["retry_on_failure"])
				assert.Equal(t, "/run/outrigger", at(t, config, "extensions", "file_storage", "directory"))
				exporter := at(t, config, "exporters", "otlp_http").(map[string]any)
				assert.Equal(t, "http://backend:4318", exporter["endpoint"])
				assert.Equal(t, 0.0, at(t, exporter, "retry_on_failure", "max_elapsed_time"))
				assert.Equal(t, "file_storage", at(t, exporter, "sending_queue", "storage"))
				assert.Equal(t, true, at(t, exporter, "sending_queue", "block_on_overflow"))
				assert.EqualValues(t, 256<<20, at(t, exporter, "sending_queue", "queue_size"))
				assert.Equal(t, map[string]any{"logs": map[string]any{
					"receivers": []any{"file_log"}, "processors": []any{"memory_limiter", "resource"}, "exporters": []any{"otlp_http"},
				}}, at(t, config, "service", "pipelines"))
				env := environment(container)
				assert.Equal(t, joined(files["include"]), env["FILES"])
				assert.Equal(t, joined(files["exclude"]), env["EXCLUDE"]+"\n/${env:NOT_REGULAR:-}", "and what the supervisor finds")
				assert.Equal(t, "8", env["DRAIN_SECONDS"])
			},
		},
		"exclude": {
			`{files: ["/logs/*.log"], exclude: [/logs/debug.log, "/logs/**/trace*"], ` + to + `}`,
			func(t *testing.T, config map[string]any, container corev1.Container) {
				exclude := at(t, config, "receivers", "file_log", "exclude").([]any)
				assert.Equal(t, []any{"/logs/debug.log", "/logs/**/trace*"}, exclude[:2])
				assert.Equal(t, joined(exclude[:len(exclude)-1]), environment(container)["EXCLUDE"])
			},
		},
		"multiline by its start": {
			`{files: [/logs/a], multiline: {startPattern: '^\d{4}-\d\d "\$'}, ` + to + `}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				assert.Equal(t, map[string]any{"line_start_pattern": `^\d{4}-\d\d "\$$`}, at(t, config, "receivers", "file_log", "multiline"))
			},
		},
		"multiline by its end": {
			`{files: [/logs/a], multiline: {endPattern: ';$'}, ` + to + `}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				assert.Equal(t, map[string]any{"line_end_pattern": ";$$"}, at(t, config, "receivers", "file_log", "multiline"))
			},
		},
		"JSON with a message, a time and a severity": {
			`{files: [/logs/a], parse: {json: {}, message: "my.msg", timestamp: {field: time, layout: "%Y-%m-%dT%H:%M:%S", location: Europe/Berlin}, severity: {field: "level.x [0]", mapping: {error: [oops, E], info: I}}}, ` + to + `}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				operators := at(t, config, "receivers", "file_log", "operators").([]any)
				assert.Equal(t, map[string]any{
					"type": "json_parser", "on_error": "send_quiet",
					"timestamp": map[string]any{"parse_from": `attributes["time"]`, "layout_type": "strptime", "layout": "%Y-%m-%dT%H:%M:%S", "location": "Europe/Berlin"},
					"severity":  map[string]any{"parse_from": `attributes["level.x [0]"]`, "mapping": map[string]any{"error": []any{"oops", "E"}, "info": "I"}},
				}, operators[0])
				assert.Equal(t, map[string]any{"type": "move", "from": `attributes["my.msg"]`, "to": "body", "if": `attributes["my.msg"] != nil`}, operators[1])
			},
		},
		"a regular expression, with a time as Go writes it": {
			`{files: [/logs/a], parse: {regex: '^(?P<time>\S+) (?<level>[A-Z]+) "(?P<text>.*)"$', message: text, timestamp: {field: time, layout: "2006-01-02T15:04:05Z07:00", layoutType: gotime}, severity: {field: level}}, ` + to + `}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				parser := at(t, config, "receivers", "file_log", "operators", 0).(map[string]any)
				assert.Equal(t, `^(?P<time>\S+) (?<level>[A-Z]+) "(?P<text>.*)"$$`, parser["regex"], "$$ is a $ to the collector")
				assert.Equal(t, "gotime", at(t, parser, "timestamp", "layout_type"))
				assert.Equal(t, map[string]any{"parse_from": `attributes["level"]`}, parser["severity"])
			},
		},
		"logfmt, with seconds since 1970": {
			`{files: [/logs/a], parse: {logfmt: {}, timestamp: {field: ts, layout: s.ms, layoutType: epoch}}, ` + to + `}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				assert.Equal(t, "key_value_parser", at(t, config, "receivers", "file_log", "operators", 0, "type"))
				assert.Len(t, at(t, config, "receivers", "file_log", "operators"), 1)
			},
		},
		"the container runtime's own format": {
			`{files: [/logs/a], parse: {cri: {}}, ` + to + `}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				assert.Equal(t, "container", at(t, config, "receivers", "file_log", "operators", 0, "type"))
			},
		},
		"attributes and resource": {
			`{files: [/logs/a], attributes: {team: "a$b ${env:HOME}", "a.b": 5, yes!: true}, resource: {service.name: shop, price: "$5"}, ` + to + `}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				assert.Equal(t, map[string]any{"team": "a$$b $${env:HOME}", "a.b": "5", "yes!": "true"}, at(t, config, "receivers", "file_log", "attributes"))
				resource := at(t, config, "processors", "resource", "attributes")
				assert.Contains(t, resource, map[string]any{"key": "service.name", "value": "shop", "action": "insert"})
				assert.Contains(t, resource, map[string]any{"key": "price", "value": "$$5", "action": "insert"})
				assert.Contains(t, resource, map[string]any{"key": "k8s.pod.name", "value": "${env:K8S_POD_NAME}", "action": "insert"})
			},
		},
		"redaction": {
			`{files: [/logs/a], parse: {json: {}, message: m}, redact: [{pattern: '\d{4}$'}, {pattern: "pass\"word=\\S+", replacement: "$1 \"x\""}, {field: "user.mail"}, {field: token, replacement: "none"}], ` + to + `}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				operator := at(t, config, "receivers", "file_log", "operators", 0).(map[string]any)
				assert.Equal(t, []any{"regex_replace", `\d{4}$$`, "***"}, []any{operator["type"], operator["regex"], operator["replace_with"]}, "before the parser")
				statements := at(t, config, "processors", "transform/redact", "log_statements", 0, "statements")
				assert.Contains(t, statements, `replace_pattern(log.body, "pass\"word=\\S+", "$$1 \"x\"") where IsString(log.body)`)
				assert.Contains(t, statements, `delete_key(log.cache["top"], "user.mail") where IsMatch(log.cache["text"], "user\\.mail")`)
				assert.Equal(t, []any{"memory_limiter", "transform/redact", "resource"}, at(t, config, "service", "pipelines", "logs", "processors"))
			},
		},
		"a filter": {
			`{files: [/logs/a], filter: {minSeverity: WARN, drop: ["^GET /healthz", 'a"b\.$'], sample: {percentage: 12.5, all: ERROR}}, ` + to + `}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				assert.Equal(t, []any{
					"severity_number != SEVERITY_NUMBER_UNSPECIFIED and severity_number < SEVERITY_NUMBER_WARN",
					`IsMatch(body, "^GET /healthz")`,
					`IsMatch(body, "a\"b\\.$$")`,
				}, at(t, config, "processors", "filter", "logs", "log_record"))
				assert.Equal(t, []any{"memory_limiter", "filter", "transform", "probabilistic_sampler", "transform/sampled", "resource"}, at(t, config, "service", "pipelines", "logs", "processors"))
			},
		},
		"OTLP from the app": {
			`{receive: {otlp: true}, ` + to + `}`,
			func(t *testing.T, config map[string]any, container corev1.Container) {
				assert.Equal(t, map[string]any{"grpc": map[string]any{"endpoint": "127.0.0.1:4317"}, "http": map[string]any{"endpoint": "127.0.0.1:4318"}}, at(t, config, "receivers", "otlp", "protocols"))
				assert.NotContains(t, config["receivers"], "file_log")
				assert.ElementsMatch(t, []string{"logs", "metrics", "traces"}, slices.Collect(maps.Keys(at(t, config, "service", "pipelines").(map[string]any))))
				assert.Empty(t, environment(container)["FILES"])
			},
		},
		"OTLP at other ports, beside files": {
			`{files: [/logs/a], receive: {otlp: {grpcPort: 5317, httpPort: 5318}}, ` + to + `}`,
			func(t *testing.T, config map[string]any, container corev1.Container) {
				assert.Equal(t, "127.0.0.1:5317", at(t, config, "receivers", "otlp", "protocols", "grpc", "endpoint"))
				assert.Equal(t, []any{"file_log", "otlp"}, at(t, config, "service", "pipelines", "logs", "receivers"))
				var ports []int32
				for _, port := range container.Ports {
					ports = append(ports, port.ContainerPort)
				}
				assert.ElementsMatch(t, []int32{5317, 5318, 8888, 13133}, ports)
			},
		},
		"scraping": {
			`{scrape: [{port: 9090}, {name: admin, port: 9091, path: "/m?x=$1", interval: 5s}], ` + to + `}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				jobs := at(t, config, "receivers", "prometheus", "config", "scrape_configs")
				assert.Equal(t, []any{"127.0.0.1:9090"}, at(t, jobs, 0, "static_configs", 0, "targets"))
				assert.Equal(t, "/metrics", at(t, jobs, 0, "metrics_path"))
				assert.Equal(t, "admin", at(t, jobs, 1, "job_name"))
				assert.Equal(t, "5s", at(t, jobs, 1, "scrape_interval"))
				assert.Equal(t, []any{"metrics"}, slices.Collect(anyKeys(at(t, config, "service", "pipelines"))))
			},
		},
		"a queue that drops": {
			`{files: [/logs/a], queue: {size: 10Mi, whenFull: drop}, ` + to + `}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				assert.EqualValues(t, 10<<20, at(t, config, "exporters", "otlp_http", "sending_queue", "queue_size"))
				assert.Equal(t, false, at(t, config, "exporters", "otlp_http", "sending_queue", "block_on_overflow"))
				assert.Equal(t, false, at(t, config, "receivers", "file_log", "retry_on_failure", "enabled"))
			},
		},
		"a small queue": {
			`{files: [/logs/a], queue: {size: 512Ki}, ` + to + `}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				assert.EqualValues(t, 512<<10, at(t, config, "exporters", "otlp_http", "sending_queue", "queue_size"))
			},
		},
		"a queue on a volume": {
			`{files: [/logs/a], queue: {volume: logs, size: 2Mi}, ` + to + `}`,
			func(t *testing.T, _ map[string]any, container corev1.Container) {
				assert.Contains(t, container.VolumeMounts, corev1.VolumeMount{Name: "logs", MountPath: "/run/outrigger", SubPath: "outrigger-ship"})
				assert.Equal(t, "kept on the volume logs, and sent by the next pod that has it", environment(container)["KEPT"])
			},
		},
		"metrics for the cluster": {
			`{files: [/logs/a], metrics: {port: 9999, annotations: true}, liveness: true, ` + to + `}`,
			func(t *testing.T, config map[string]any, container corev1.Container) {
				assert.Equal(t, map[string]any{"host": "0.0.0.0", "port": 9999.0}, at(t, config, "service", "telemetry", "metrics", "readers", 0, "pull", "exporter", "prometheus"))
				assert.Equal(t, "http://127.0.0.1:9999/metrics", environment(container)["METRICS_URL"])
				require.NotNil(t, container.LivenessProbe)
				assert.Equal(t, "http://127.0.0.1:13133/", container.LivenessProbe.Exec.Command[len(container.LivenessProbe.Exec.Command)-1])
			},
		},
		"several targets": {
			`{files: [/logs/a], to: {otlphttp: {endpoint: "http://a:4318"}, otlphttp/second: {endpoint: "https://b:4318", compression: zstd}, otlp: {endpoint: "c:4317", tls: {insecure: true}}, otlp_grpc/x: {endpoint: "d:4317"}, debug: {}, loki: , file: {path: /run/outrigger/copy.json}}}`,
			func(t *testing.T, config map[string]any, container corev1.Container) {
				names := []any{"debug", "file", "otlp_grpc", "otlp_grpc/x", "otlp_http", "otlp_http/second"}
				assert.ElementsMatch(t, names, slices.Collect(anyKeys(config["exporters"])))
				assert.Equal(t, names, at(t, config, "service", "pipelines", "logs", "exporters"))
				assert.Equal(t, "zstd", at(t, config, "exporters", "otlp_http/second", "compression"))
				assert.Equal(t, "file_storage", at(t, config, "exporters", "otlp_grpc", "sending_queue", "storage"))
				assert.Equal(t, map[string]any{"insecure": true}, at(t, config, "exporters", "otlp_grpc", "tls"))
				assert.Empty(t, at(t, config, "exporters", "debug"))
				assert.Equal(t, map[string]any{"path": "/run/outrigger/copy.json"}, at(t, config, "exporters", "file"))
				assert.Len(t, splitLines(environment(container)["IN_METRICS"]), 6)
			},
		},
		"a target's own queue and retries": {
			`{files: [/logs/a], to: {otlphttp: {logs_endpoint: "http://a:4318/x", sending_queue: {enabled: false}, retry_on_failure: {enabled: false}}}}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				assert.Equal(t, map[string]any{"enabled": false}, at(t, config, "exporters", "otlp_http", "sending_queue"))
				assert.Equal(t, map[string]any{"enabled": false}, at(t, config, "exporters", "otlp_http", "retry_on_failure"))
			},
		},
		"headers": {
			`{files: [/logs/a], env: {TOKEN: {valueFrom: {secretKeyRef: {name: s, key: t}}}}, to: {otlphttp/a-b.c: {endpoint: "http://a:1", headers: {x-scope: "5", Authorization: {valueFrom: {secretKeyRef: {name: backend, key: token}}}, api-key: "Bearer ${env:TOKEN}"}}}}`,
			func(t *testing.T, config map[string]any, container corev1.Container) {
				assert.Equal(t, map[string]any{"x-scope": "5", "Authorization": "${env:HEADER_OTLPHTTP_A_B_C_AUTHORIZATION}", "api-key": "Bearer ${env:TOKEN}"}, at(t, config, "exporters", "otlp_http/a-b.c", "headers"))
				for _, name := range []string{"HEADER_OTLPHTTP_A_B_C_AUTHORIZATION", "TOKEN"} {
					assert.Condition(t, func() bool {
						return slices.ContainsFunc(container.Env, func(variable corev1.EnvVar) bool {
							return variable.Name == name && variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil
						})
					}, name)
				}
			},
		},
		"TLS by a ConfigMap and a client's certificate": {
			`{files: [/logs/a], to: {otlphttp/Second_1: {endpoint: "https://a:1", tls: {ca: {configMapKeyRef: {name: authority}}, secretName: client, server_name_override: b}}}}`,
			func(t *testing.T, config map[string]any, container corev1.Container) {
				assert.Equal(t, map[string]any{
					"ca_file": "/run/outrigger-tls/otlphttp-second-1/ca.crt", "cert_file": "/run/outrigger-tls/otlphttp-second-1/tls.crt",
					"key_file": "/run/outrigger-tls/otlphttp-second-1/tls.key", "server_name_override": "b",
				}, at(t, config, "exporters", "otlp_http/Second_1", "tls"))
			},
		},
		"TLS by a Secret": {
			`{files: [/logs/a], to: {otlp: {endpoint: "a:1", tls: {ca: {secretKeyRef: {name: authority, key: root.pem}}}}}}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				assert.Equal(t, map[string]any{"ca_file": "/run/outrigger-tls/otlp/ca.crt"}, at(t, config, "exporters", "otlp_grpc", "tls"))
			},
		},
		"configuration of one's own": {
			`{files: [/logs/a], extraConfig: {receivers: {file_log: {poll_interval: 1s}}, processors: {memory_limiter: {limit_percentage: 50}, batch: {}}, service: {telemetry: {logs: {level: warn}}, pipelines: {logs: {processors: [memory_limiter, batch, resource]}}}}, ` + to + `}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				assert.Equal(t, "1s", at(t, config, "receivers", "file_log", "poll_interval"))
				assert.Equal(t, "beginning", at(t, config, "receivers", "file_log", "start_at"), "what it does not name stays")
				assert.Equal(t, 50.0, at(t, config, "processors", "memory_limiter", "limit_percentage"))
				assert.Equal(t, 15.0, at(t, config, "processors", "memory_limiter", "spike_limit_percentage"))
				assert.Equal(t, []any{"memory_limiter", "batch", "resource"}, at(t, config, "service", "pipelines", "logs", "processors"))
				assert.Equal(t, []any{"otlp_http"}, at(t, config, "service", "pipelines", "logs", "exporters"))
			},
		},
		"everything at once": {
			`{files: ["/logs/*"], exclude: [/logs/x], multiline: {startPattern: "^{"}, parse: {json: {}, message: m}, attributes: {a: b}, resource: {c: d}, redact: [{pattern: x}], filter: {drop: [gone]}, receive: {otlp: true}, scrape: [{port: 1}], queue: {size: 1Gi}, metrics: {port: 9000}, liveness: true, ` + to + `}`,
			func(t *testing.T, config map[string]any, _ corev1.Container) {
				assert.Equal(t, []any{"memory_limiter", "filter", "transform/redact", "resource"}, at(t, config, "service", "pipelines", "logs", "processors"))
				assert.Equal(t, []any{"otlp", "prometheus"}, at(t, config, "service", "pipelines", "metrics", "receivers"))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := renderShippers(t, "{ship: "+test.entry+"}")
			ship := container(t, s.pod, "ship")

			validate(t, ship, s.files)

			test.check(t, s.config(t, "ship"), ship)
		})
	}
}

func anyKeys(value any) func(func(any) bool) {
	return func(yield func(any) bool) {
		for key := range value.(map[string]any) {
			if !yield(key) {
				return
			}
		}
	}
}

func joined(values any) string {
	var texts []string
	for _, value := range values.([]any) {
		texts = append(texts, value.(string))
	}
	return strings.Join(texts, "\n")
}

func splitLines(text string) []string { return strings.Split(text, "\n") }

// A typing error in a key that passes through reaches the collector, which must then say so here.
func TestTheCollectorRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := renderShippers(t, `{ship: {files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1", compresion: gzip}}}}`)

	message := failureOf(t, func(t testing.TB) { validate(t, container(t, s.pod, "ship"), s.files) })

	assert.Contains(t, message, "compresion")
}

// Every example chart, by its own values and by each of its further files of values, with those that its first lines
// have before it in a `helm install … -f …`.
func TestTheCollectorTakesWhatTheExampleChartsMake(t *testing.T) {
	t.Parallel()
	charts, err := filepath.Glob(filepath.Join(harness.Root(), "charts", "*", "Chart.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, charts)
	for _, file := range charts {
		folder := filepath.Dir(file)
		chart := harness.LoadChart(t, folder)
		files, err := filepath.Glob(filepath.Join(folder, "*values*.yaml"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			t.Run(filepath.Base(folder)+" "+filepath.Base(file), func(t *testing.T) {
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				files := []string{}
				for _, match := range regexp.MustCompile(` -f (charts/\S+\.yaml)`).FindAllStringSubmatch(string(text), -1) {
					files = append(files, filepath.Join(harness.Root(), match[1]))
				}
				merged := map[string]any{}
				for _, file := range append(files, file) {
					given, err := chartutil.ReadValuesFile(file)
					require.NoError(t, err)
					overlay(merged, given)
				}
				text, err = yaml.Marshal(merged)
				require.NoError(t, err)

				validateAll(t, chart.Render(t, string(text)))
			})
		}
	}
}

// overlay merges values as several -f of Helm's are.
func overlay(values, over map[string]any) {
	for key, value := range over {
		below, isMap := values[key].(map[string]any)
		if further, both := value.(map[string]any); isMap && both {
			overlay(below, further)
		} else {
			values[key] = value
		}
	}
}

// validateAll puts every collector's configuration in the objects to the collector, each in its container.
func validateAll(t testing.TB, objects harness.Objects) {
	t.Helper()
	configs := map[string]map[string]string{} // by ConfigMap
	left := map[string]bool{}
	for _, object := range objects {
		if config, ok := object.(*corev1.ConfigMap); ok {
			configs[config.Name] = config.Data
			for name, text := range config.Data {
				if strings.HasSuffix(name, ".conf.yaml") && strings.Contains(text, "service:") && strings.Contains(text, "pipelines:") {
					left[config.Name+" "+name] = true
				}
			}
		}
	}
	for _, object := range objects {
		pod := podTemplate(object)
		if pod == nil {
			continue
		}
		files := ""
		for _, volume := range pod.Spec.Volumes {
			if volume.Name == "outrigger-files" {
				files = volume.ConfigMap.Name
			}
		}
		for _, container := range collectors(pod.Spec) {
			validate(t, container, configs[files])
			delete(left, files+" "+container.Name+".conf.yaml")
		}
	}
	assert.Empty(t, left, "no container has these")
}

func podTemplate(object runtime.Object) *corev1.PodTemplateSpec {
	switch of := object.(type) {
	case *appsv1.Deployment:
		return &of.Spec.Template
	case *appsv1.StatefulSet:
		return &of.Spec.Template
	case *appsv1.DaemonSet:
		return &of.Spec.Template
	case *batchv1.Job:
		return &of.Spec.Template
	case *batchv1.CronJob:
		return &of.Spec.JobTemplate.Spec.Template
	}
	return nil
}

// ---- The pod

const twoCollectors = `{
  logs: {files: [/logs/a], to: {otlphttp: {endpoint: "https://a:1", headers: {authorization: {valueFrom: {secretKeyRef: {name: backend, key: token}}}}, tls: {secretName: client}}}},
  traces: {receive: {otlp: true}, resources: {limits: {memory: 1Gi}}, to: {otlp: {endpoint: "b:1"}}}}`

func TestACollectorIsASidecarThatIsStartedReadyAndClosedToTheNetwork(t *testing.T) {
	t.Parallel()
	s := renderShippers(t, twoCollectors)

	assert.Equal(t, []string{"outrigger-tools", "logs", "traces"}, containerNames(s.pod.Spec.InitContainers))
	assert.Empty(t, s.pod.Annotations["prometheus.io/scrape"])
	for i, name := range []string{"logs", "traces"} {
		ship := container(t, s.pod, name)
		assert.Equal(t, "docker.io/otel/opentelemetry-collector-k8s:0.158.0", ship.Image)
		assert.Equal(t, []string{"/outrigger-tools/busybox", "sh", "/outrigger/supervise.sh"}, ship.Command)
		assert.Equal(t, []string{"/otelcol-k8s", "--config=/outrigger/" + name + ".conf.yaml", "--feature-gates=stanza.synchronousLogEmitter"}, ship.Args)
		require.NotNil(t, ship.StartupProbe)
		assert.Equal(t, "--await-start", ship.StartupProbe.Exec.Command[len(ship.StartupProbe.Exec.Command)-1])
		assert.Contains(t, ship.Env, corev1.EnvVar{Name: "READY_URL", Value: fmt.Sprintf("http://127.0.0.1:%d/", 13133+i)})
		assert.Nil(t, ship.LivenessProbe)
		assert.True(t, *ship.SecurityContext.ReadOnlyRootFilesystem)
		assert.True(t, *ship.SecurityContext.RunAsNonRoot)
		config := s.config(t, name)
		assert.Equal(t, fmt.Sprintf("127.0.0.1:%d", 13133+i), at(t, config, "extensions", "health_check", "endpoint"))
		assert.Equal(t, map[string]any{"host": "127.0.0.1", "port": float64(8888 + i)}, at(t, config, "service", "telemetry", "metrics", "readers", 0, "pull", "exporter", "prometheus"))
		assert.Equal(t, fmt.Sprintf("http://127.0.0.1:%d/metrics", 8888+i), environment(ship)["METRICS_URL"])
		assert.NotContains(t, s.files[name+".conf.yaml"], "0.0.0.0")
		validate(t, ship, s.files)
	}
}

func TestOnlyCollectorsThatAreOnTakePortsOfACollector(t *testing.T) {
	t.Parallel()
	const to = `to: {otlphttp: {endpoint: "http://b:1"}}`

	s := renderShippers(t, `{
  access: {files: [/logs/b], to: {stdout: {}}},
  custom: {files: [/logs/c], agent: custom, image: "a:1", custom: {command: [run]}},
  disabled: {enabled: false, files: [/logs/d], `+to+`},
  logs: {files: [/logs/a], `+to+`},
  more: {files: [/logs/e], `+to+`}}`)

	for name, url := range map[string]string{"logs": "http://127.0.0.1:8888/metrics", "more": "http://127.0.0.1:8889/metrics"} {
		assert.Equal(t, url, environment(container(t, s.pod, name))["METRICS_URL"])
	}
	assert.Equal(t, "http://127.0.0.1:13134/", environment(container(t, s.pod, "more"))["READY_URL"])
	assert.Equal(t, "127.0.0.1:13133", at(t, s.config(t, "logs"), "extensions", "health_check", "endpoint"))
}

func TestACollectorsResourcesAreTheAgentsAndTheEntrysOverThem(t *testing.T) {
	t.Parallel()
	resources := func(values string) string {
		ship := container(t, renderPod(t, values), "ship")
		var all []string
		for _, list := range []corev1.ResourceList{ship.Resources.Requests, ship.Resources.Limits} {
			var quantities []string
			for _, name := range slices.Sorted(maps.Keys(list)) {
				quantity := list[name]
				quantities = append(quantities, fmt.Sprint(name, " ", quantity.String()))
			}
			all = append(all, strings.Join(quantities, ", "))
		}
		return strings.Join(all, "; ")
	}
	entry := func(resources string) string {
		return `logshippers: {ship: {files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1"}}` + resources + `}}`
	}
	const volume = appPod + `outrigger: {volumes: {logs: {mountPath: /logs}}, `

	assert.Equal(t, "cpu 20m, memory 64Mi; memory 192Mi", resources(volume+entry("")+"}"))
	assert.Equal(t, "cpu 20m, memory 64Mi; memory 1Gi", resources(volume+entry(", resources: {limits: {memory: 1Gi}}")+"}"))
	assert.Equal(t, "cpu 1, memory 64Mi; cpu 2, memory 192Mi", resources(volume+entry(`, resources: {requests: {cpu: "1"}, limits: {cpu: "2"}}`)+"}"))
	assert.Equal(t, "cpu 20m, memory 64Mi; memory 300Mi", resources(volume+"defaults: {agentResources: {limits: {memory: 300Mi}}}, "+entry("")+"}"))
	assert.Equal(t, "cpu 20m, ephemeral-storage 1Mi, memory 64Mi; memory 192Mi", resources(volume+"defaults: {resources: {requests: {ephemeral-storage: 1Mi}}}, "+entry("")+"}"))
}

func TestNoCredentialStandsInAConfigMapOrAnArgument(t *testing.T) {
	t.Parallel()
	s := renderShippers(t, twoCollectors)

	ship := container(t, s.pod, "logs")
	variable := ship.Env[slices.IndexFunc(ship.Env, func(variable corev1.EnvVar) bool { return variable.Name == "HEADER_OTLPHTTP_AUTHORIZATION" })]
	assert.Equal(t, &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "backend"}, Key: "token"}, variable.ValueFrom.SecretKeyRef)
	assert.Empty(t, variable.Value)
	assert.Equal(t, "${env:HEADER_OTLPHTTP_AUTHORIZATION}", at(t, s.config(t, "logs"), "exporters", "otlp_http", "headers", "authorization"))
	mount := ship.VolumeMounts[slices.IndexFunc(ship.VolumeMounts, func(mount corev1.VolumeMount) bool { return mount.MountPath == "/run/outrigger-tls/otlphttp" })]
	assert.True(t, mount.ReadOnly)
	volume := s.pod.Spec.Volumes[slices.IndexFunc(s.pod.Spec.Volumes, func(volume corev1.Volume) bool { return volume.Name == mount.Name })]
	assert.Equal(t, "client", volume.Projected.Sources[0].Secret.Name)
}

func TestMetricsForTheClusterAreAnnounced(t *testing.T) {
	t.Parallel()
	s := renderShippers(t, `{ship: {files: [/logs/a], metrics: {annotations: true}, to: {otlphttp: {endpoint: "http://a:1"}}}}`)

	assert.Equal(t, "true", s.pod.Annotations["prometheus.io/scrape"])
	assert.Equal(t, "8888", s.pod.Annotations["prometheus.io/port"])
}

func TestTheConfigurationIsTheSameInBothFormsAndRollsThePodWhenItChanges(t *testing.T) {
	t.Parallel()
	const entry = `{ship: {files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1"}}%s}}`
	checksum := func(s shipped) string { return s.pod.Annotations["checksum/outrigger"] }

	native := renderShippers(t, fmt.Sprintf(entry, ""))
	classic := renderShippers(t, fmt.Sprintf(entry, ""), harness.Settings{KubeVersion: "v1.27.16"})
	other := renderShippers(t, fmt.Sprintf(entry, ", resource: {a: b}"))
	same := renderShippers(t, fmt.Sprintf(entry, ", liveness: true"))

	assert.Equal(t, []string{"app", "ship"}, containerNames(classic.pod.Spec.Containers))
	assert.Equal(t, native.files, classic.files)
	assert.NotEmpty(t, checksum(native))
	assert.Equal(t, checksum(native), checksum(classic))
	assert.NotEqual(t, checksum(native), checksum(other), "the text differs")
	assert.Equal(t, checksum(native), checksum(same), "the text does not")
	assert.Equal(t, native.files, same.files)
}

func TestACollectorDrainsForAsLongAsTheEntryMayTake(t *testing.T) {
	t.Parallel()
	drain := func(entry string, settings ...harness.Settings) string {
		s := renderShippers(t, `{ship: {files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1"}}`+entry+`}}`, settings...)
		return fmt.Sprint(environment(container(t, s.pod, "ship"))["DRAIN_SECONDS"], " of ", *s.pod.Spec.TerminationGracePeriodSeconds)
	}

	assert.Equal(t, "8 of 42", drain(""))
	assert.Equal(t, "58 of 92", drain(", shutdownSeconds: 60"))
	assert.Equal(t, "1 of 33", drain(", shutdownSeconds: 1"))
	assert.Equal(t, "38 of 42", drain("", harness.Settings{KubeVersion: "v1.27.16"}), "a classic one hears SIGTERM when the app does")
}

func TestTheStateVolumeHoldsTheQueueOfEachTargetAndSignal(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ keys, limit string }{
		"one target":                       {`files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1"}}`, "832Mi"},
		"two targets":                      {`files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1"}, otlphttp/b: {endpoint: "http://b:1"}}`, "1632Mi"},
		"two targets, three signals":       {`files: [/logs/a], receive: {otlp: true}, to: {otlphttp: {endpoint: "http://a:1"}, otlp: {endpoint: "http://b:1"}}`, "4832Mi"},
		"four targets, logs and metrics":   {`files: [/logs/a], scrape: [{port: 1}], queue: {size: 10Mi}, to: {otlphttp/a: {endpoint: "http://a:1"}, otlphttp/b: {endpoint: "http://b:1"}, otlphttp/c: {endpoint: "http://c:1"}, otlphttp/d: {endpoint: "http://d:1"}}`, "528Mi"},
		"no queue":                         {`files: [/logs/a], to: {debug: {}}`, "32Mi"},
		"a target's own queue":             {`files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1", sending_queue: {storage: file_storage, sizer: bytes, queue_size: 104857600}}}`, "364Mi"},
		"a target's own, in memory":        {`files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1", sending_queue: {queue_size: 100}}}`, "32Mi"},
		"another size by the extra config": {`files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1"}}, extraConfig: {exporters: {otlp_http: {sending_queue: {queue_size: 1048576}}}}`, "67Mi"},
	} {
		t.Run(name, func(t *testing.T) {
			s := renderShippers(t, "{ship: {"+test.keys+"}}")

			for _, volume := range s.pod.Spec.Volumes {
				if volume.Name == "outrigger-ship-state" {
					assert.Equal(t, test.limit, volume.EmptyDir.SizeLimit.String())
					return
				}
			}
			assert.Fail(t, "there is no volume for the state")
		})
	}
}

func TestTheSupervisorWaitsForAsLongAsTheCollectorHoldsBackALastLine(t *testing.T) {
	t.Parallel()
	for period, quiet := range map[string]string{
		"": "", "500ms": "", "100ms": "", "800ms": "2", "5s": "6", "1500ms": "3", "0m4.2s": "6",
	} {
		t.Run(period, func(t *testing.T) {
			extra := ""
			if period != "" {
				extra = ", extraConfig: {receivers: {file_log: {force_flush_period: " + period + "}}}"
			}

			s := renderShippers(t, `{ship: {files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1"}}`+extra+`}}`)

			assert.Equal(t, quiet, environment(container(t, s.pod, "ship"))["QUIET_SECONDS"])
		})
	}
}

func TestTheSupervisorIsToldWhatCountsAsLost(t *testing.T) {
	t.Parallel()
	const to = `to: {otlphttp: {endpoint: "http://a:1"}}`
	s := renderShippers(t, `{logs: {files: [/logs/a], `+to+`}, all: {receive: {otlp: true}, queue: {whenFull: drop}, `+to+`}}`)

	assert.Equal(t, "otelcol_exporter_send_failed_log_records log records that the backend refused", environment(container(t, s.pod, "logs"))["LOST_METRICS"])
	all := strings.Split(environment(container(t, s.pod, "all"))["LOST_METRICS"], "\n")
	assert.Len(t, all, 6)
	assert.Contains(t, all, "otelcol_exporter_send_failed_spans spans that the backend refused")
	assert.Contains(t, all, "otelcol_exporter_enqueue_failed_metric_points metric points that the full queue dropped")
}

func TestAnAgentOfOnesOwnRunsUnderTheSupervisor(t *testing.T) {
	t.Parallel()
	s := renderShippers(t, `{ship: {agent: custom, image: "vector:1", files: ["/logs/*.log"], custom: {
      command: [/vector, --config, /outrigger/ship.conf.yaml], config: "sources: {}", left: {command: [ask, "it's $(left)"]}}},
    other: {agent: custom, image: "fluent:1", files: [/logs/b], custom: {command: [/fluent], left: {url: "http://127.0.0.1:1/m", metrics: [a, b]}}}}`)

	ship, other := container(t, s.pod, "ship"), container(t, s.pod, "other")
	assert.Equal(t, "vector:1", ship.Image)
	assert.Equal(t, []string{"/vector", "--config", "/outrigger/ship.conf.yaml"}, ship.Args)
	assert.Equal(t, `'ask' 'it'\''s $$(left)'`, environment(ship)["LEFT_COMMAND"])
	assert.Equal(t, "sources: {}", s.files["ship.conf.yaml"])
	assert.Equal(t, "http://127.0.0.1:1/m", environment(other)["METRICS_URL"])
	assert.Equal(t, "a\nb", environment(other)["LEFT_METRICS"])
	assert.NotContains(t, s.files, "other.conf.yaml")
}

func TestACollectorsChartMayNameTheDependencyOtherwise(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t).With(map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies: [{name: outrigger, version: 0.x, alias: sidecars}]\n",
	})

	s := shippedIn(t, chart.Render(t, strings.Replace(shippersValues(`{ship: {files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1"}}}}`), "outrigger:", "sidecars:", 1)))

	validate(t, container(t, s.pod, "ship"), s.files)
}

func TestACollectorWatchesTheSharedVolumesOnTheNodesDisk(t *testing.T) {
	t.Parallel()
	ship := container(t, renderPod(t, appPod+`
outrigger:
  volumes: {logs: {mountPath: /logs, size: 5Mi}, tmp: {mountPath: /mem, size: 1Mi, medium: Memory}, other: {mountPath: /other, size: 2Mi}}
  logshippers: {ship: {files: [/logs/a, /logs/b, /mem/a], to: {otlphttp: {endpoint: "http://a:1"}}}}`), "ship")

	assert.Equal(t, "5242880 /logs", environment(ship)["VOLUMES"])
}

// ---- Checks

func TestBadLogshippersFailWithTheKeyAndTheMend(t *testing.T) {
	t.Parallel()
	const to = `to: {otlphttp: {endpoint: "http://a:1"}}`
	for name, test := range map[string]struct {
		bad, good string
		message   []string
	}{
		"no endpoint": {
			bad:     `{files: [/logs/a], to: {otlphttp/x: {compression: gzip}}}`,
			good:    `{files: [/logs/a], to: {otlphttp/x: {logs_endpoint: "http://a:1"}}}`,
			message: []string{"outrigger.logshippers.ship: to.otlphttp/x.endpoint is missing; set it to the backend's address"},
		},
		"no endpoint and no settings": {
			bad:     `{files: [/logs/a], to: {otlp: {}}}`,
			good:    `{files: [/logs/a], to: {debug: {}}}`,
			message: []string{"outrigger.logshippers.ship: to.otlp.endpoint is missing"},
		},
		"nothing to ship": {
			bad:     `{` + to + `}`,
			good:    `{scrape: [{port: 80}], ` + to + `}`,
			message: []string{"outrigger.logshippers.ship: files is missing; set it to a list of absolute paths"},
		},
		"nowhere to ship it to": {
			bad:     `{receive: {otlp: true}}`,
			good:    `{receive: {otlp: true}, ` + to + `}`,
			message: []string{`outrigger.logshippers.ship: to is missing; set it to {stdout: {}}, or to {otlphttp: {endpoint: "http://…"}}`},
		},
		"a credential in plain text": {
			bad:     `{files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1", headers: {Authorization: Bearer abc}}}}`,
			good:    `{files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1", headers: {X-Scope-OrgID: tenant}}}}`,
			message: []string{"outrigger.logshippers.ship: to.otlphttp.headers.Authorization would stand in a ConfigMap in plain text; use {valueFrom: {secretKeyRef: {name: …, key: …}}}"},
		},
		"an API key in plain text": {
			bad:     `{files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1", headers: {DD-API-KEY: abc}}}}`,
			good:    `{files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1", headers: {DD-API-KEY: "${env:KEY}"}}}}`,
			message: []string{"to.otlphttp.headers.DD-API-KEY would stand in a ConfigMap"},
		},
		"no name of an exporter": {
			bad:     `{files: [/logs/a], to: {OTLP http: {endpoint: "http://a:1"}}}`,
			good:    `{files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1"}, otlphttp/second-1.2: {endpoint: "http://b:1"}}}`,
			message: []string{"outrigger.logshippers.ship: to.OTLP http is no exporter's name; write it as the collector does, such as otlphttp, or otlphttp/second"},
		},
		"stdout beside others": {
			bad:     `{files: [/logs/a], to: {stdout: {}, otlphttp: {endpoint: "http://a:1"}}}`,
			good:    `{files: [/logs/a], to: {debug: {verbosity: detailed}, otlphttp: {endpoint: "http://a:1"}}}`,
			message: []string{"outrigger.logshippers.ship: to.stdout stands alone; for a copy on the sidecar's output use to.debug"},
		},
		"no target but one that is taken away": {
			bad:     `{files: [/logs/a], to: {otlphttp: }}`,
			good:    `{files: [/logs/a], to: {otlphttp: , stdout: {}}}`,
			message: []string{"outrigger.logshippers.ship: to is missing"},
		},
		"stdout of what is received": {
			bad:     `{receive: {otlp: true}, to: {stdout: {}}}`,
			good:    `{receive: {otlp: true}, to: {stdout: , debug: {}}}`,
			message: []string{"to.stdout stands alone"},
		},
		"a field that stays in the body": {
			bad:     `{files: [/logs/a], parse: {json: {}}, redact: [{pattern: x}, {field: token}], ` + to + `}`,
			good:    `{files: [/logs/a], parse: {json: {}, message: msg}, redact: [{pattern: x}, {field: token}], ` + to + `}`,
			message: []string{"outrigger.logshippers.ship: redact[1].field leaves the field in the record's body"},
		},
		"a message that no group is named by": {
			bad:     `{files: [/logs/a], parse: {regex: '^(?P<time>\S+) (?P<text>.*)$', message: msg}, ` + to + `}`,
			good:    `{files: [/logs/a], parse: {regex: '^(?P<time>\S+) (?<msg>.*)$', message: msg}, ` + to + `}`,
			message: []string{"outrigger.logshippers.ship: parse.message: parse.regex has no group msg; name it so, as in (?P<msg>.*)"},
		},
		"a last line that is held back for ever": {
			bad:     `{files: [/logs/a], extraConfig: {receivers: {file_log: {force_flush_period: 0s}}}, ` + to + `}`,
			good:    `{files: [/logs/a], extraConfig: {receivers: {file_log: {force_flush_period: 1s}}}, ` + to + `}`,
			message: []string{"outrigger.logshippers.ship: extraConfig.receivers.file_log.force_flush_period: 0s holds back a last line"},
		},
		"a last line that is held back for too long": {
			bad:     `{files: [/logs/a], extraConfig: {receivers: {file_log: {force_flush_period: 30s}}}, ` + to + `}`,
			good:    `{files: [/logs/a], shutdownSeconds: 35, extraConfig: {receivers: {file_log: {force_flush_period: 30s}}}, ` + to + `}`,
			message: []string{"force_flush_period: 30s holds back a last line for longer than the end may take; set shutdownSeconds to 35"},
		},
		"an agent without a program": {
			bad:     `{files: [/logs/a], agent: custom, image: "a:1"}`,
			good:    `{files: [/logs/a], agent: custom, image: "a:1", custom: {command: [/a]}}`,
			message: []string{"outrigger.logshippers.ship: agent: custom needs image and custom.command"},
		},
		"an agent without an image": {
			bad:     `{files: [/logs/a], agent: custom, custom: {command: [/a]}}`,
			good:    `{files: [/logs/a], agent: custom, custom: {command: [/a]}, image: "a@sha256:01"}`,
			message: []string{"agent: custom needs image and custom.command"},
		},
		"a queue on an unknown volume": {
			bad:     `{files: [/logs/a], queue: {volume: lgs}, ` + to + `}`,
			good:    `{files: [/logs/a], queue: {volume: logs}, ` + to + `}`,
			message: []string{`outrigger.logshippers.ship`, `"lgs"`},
		},
		"files in no volume": {
			bad:     `{files: ["/var/**/*.log"], ` + to + `}`,
			good:    `{files: ["/logs/**/*.log"], ` + to + `}`,
			message: []string{`outrigger.logshippers.ship.files[0]: "/var/**/*.log" lies in no volume that the app mounts`},
		},
		"an unknown key": {
			bad:     `{files: [/logs/a], multline: {startPattern: x}, ` + to + `}`,
			good:    `{files: [/logs/a], multiline: {startPattern: x}, ` + to + `}`,
			message: []string{"/logshippers/ship", "'multline' not allowed"},
		},
		"an unknown key further below": {
			bad:     `{files: [/logs/a], parse: {json: {}, time: x}, ` + to + `}`,
			good:    `{files: [/logs/a], parse: {json: {}}, ` + to + `}`,
			message: []string{"/logshippers/ship/parse", "'time' not allowed"},
		},
		"an unknown severity": {
			bad:     `{files: [/logs/a], filter: {minSeverity: WARNING}, ` + to + `}`,
			good:    `{files: [/logs/a], filter: {minSeverity: WARN}, ` + to + `}`,
			message: []string{"/logshippers/ship/filter/minSeverity", "'WARN'"},
		},
		"an unknown way when the queue is full": {
			bad:     `{files: [/logs/a], queue: {whenFull: wait}, ` + to + `}`,
			good:    `{files: [/logs/a], queue: {whenFull: block}, ` + to + `}`,
			message: []string{"/logshippers/ship/queue/whenFull", "'block', 'drop'"},
		},
		"two ways to parse": {
			bad:     `{files: [/logs/a], parse: {json: {}, regex: "(?P<a>.)"}, ` + to + `}`,
			good:    `{files: [/logs/a], parse: {regex: "(?P<a>.)"}, ` + to + `}`,
			message: []string{"/logshippers/ship/parse", "oneOf"},
		},
		"a regular expression without groups": {
			bad:     `{files: [/logs/a], parse: {regex: "(.*)"}, ` + to + `}`,
			good:    `{files: [/logs/a], parse: {regex: "(?<a>.*)"}, ` + to + `}`,
			message: []string{"/logshippers/ship/parse/regex", "does not match pattern"},
		},
		"a record's start and its end": {
			bad:     `{files: [/logs/a], multiline: {startPattern: x, endPattern: z}, ` + to + `}`,
			good:    `{files: [/logs/a], multiline: {endPattern: z}, ` + to + `}`,
			message: []string{"/logshippers/ship/multiline", "oneOf"},
		},
		"a path that is not absolute": {
			bad:     `{files: [logs/a], ` + to + `}`,
			good:    `{files: [/logs/a], ` + to + `}`,
			message: []string{"/logshippers/ship/files/0", "does not match pattern"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			message := harness.Consumer(t).RenderError(t, shippersValues("{ship: "+test.bad+"}"))

			for _, part := range test.message {
				assert.Contains(t, message, part)
			}
			s := renderShippers(t, "{ship: "+test.good+"}")
			for _, container := range collectors(s.pod.Spec) {
				validate(t, container, s.files)
			}
		})
	}
}

func TestKeysThatMeanNothingBesideStdoutAreRefused(t *testing.T) {
	t.Parallel()
	for key, value := range map[string]string{
		"exclude": "[/logs/b]", "multiline": "{startPattern: x}", "parse": "{json: {}}", "attributes": "{a: b}", "resource": "{a: b}",
		"redact": "[{pattern: x}]", "filter": "{drop: [x]}", "queue": "{size: 1Mi}", "metrics": "{port: 1}", "extraConfig": "{a: b}", "liveness": "true", "command": "[/a]",
	} {
		t.Run(key, func(t *testing.T) {
			message := harness.Consumer(t).RenderError(t, shippersValues(`{ship: {files: [/logs/a], to: {stdout: {}}, `+key+`: `+value+`}}`))

			assert.Contains(t, message, "outrigger.logshippers.ship: "+key+" means nothing beside to.stdout")
		})
	}
}

func TestExtraConfigThatTakesAwayWhatNoCollectorCanBeWithoutIsRefused(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"service", "receivers", "exporters"} {
		message := harness.Consumer(t).RenderError(t, appPod+`
outrigger:
  volumes: {logs: {mountPath: /logs}}
  logshippers: {ship: {files: [/logs/a], to: {otlphttp: {endpoint: "http://a:1"}}, extraConfig: {`+key+`: null}}}
`)

		assert.Contains(t, message, "outrigger.logshippers.ship: extraConfig."+key+" takes away what no collector can be without")
	}
}

func TestACollectorThatCanBeInNoPodOfAnothersLeavesItsPortsAlone(t *testing.T) {
	t.Parallel()
	const to = `to: {otlphttp: {endpoint: "http://b:1"}}`
	entry := func(workloads string) string { return `{files: [/logs/a], ` + workloads + to + `}` }
	port := func(name, workload, entries string) string {
		chart := harness.Consumer(t).With(map[string]string{"templates/deployment.yaml": `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ` + workload + `}
spec:
  selector: {matchLabels: {app: web}}
  template:
    {{- include "outrigger.podTemplate" (dict "context" . "podTemplate" .Values.pod "workload" "` + workload + `") | nindent 4 }}`})
		objects := chart.Render(t, appPod+"outrigger:\n  volumes: {logs: {mountPath: /logs}}\n  logshippers: "+entries)
		return environment(container(t, harness.Find[*appsv1.Deployment](t, objects).Spec.Template, name))["METRICS_URL"]
	}
	alone := `{logs: ` + entry("workloads: [web], ") + `}`
	besideAnother := `{access: ` + entry("workloads: [worker, cron], ") + `, logs: ` + entry("workloads: [web], ") + `}`
	besideOneOfBoth := `{access: ` + entry("workloads: [worker, web], ") + `, logs: ` + entry("workloads: [web], ") + `}`
	// access and audit share no pod, every shares one with each of them, and logs one with access and every.
	four := `{access: ` + entry("workloads: [web], ") + `, audit: ` + entry("workloads: [worker], ") + `, every: ` + entry("") + `, logs: ` + entry("workloads: [demo-shop-web], ") + `}`

	assert.Equal(t, "http://127.0.0.1:8888/metrics", port("logs", "web", alone))
	assert.Equal(t, "http://127.0.0.1:8888/metrics", port("logs", "web", besideAnother))
	assert.Equal(t, "http://127.0.0.1:8889/metrics", port("logs", "web", besideOneOfBoth))
	assert.Equal(t, "http://127.0.0.1:8888/metrics", port("audit", "worker", four))
	assert.Equal(t, "http://127.0.0.1:8889/metrics", port("every", "worker", four))
	assert.Equal(t, "http://127.0.0.1:8890/metrics", port("logs", "demo-shop-web", four), "the object's name selects the pod that its workload does")
}

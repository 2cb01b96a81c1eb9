package render

import (
	"encoding/json"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/strvals"
	strvals4 "helm.sh/helm/v4/pkg/strvals"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// everyOption are entries of every pattern with many of their keys, for TestNullIsNoKey.
const everyOption = `
jobs:
  once: {backoffLimit: 2, labels: {a: b}, podLabels: {c: d}, annotations: {e: f}, nodeSelector: {disk: ssd}, keepLabels: [app], suspend: true}
cronJobs:
  report: {schedule: "0 * * * *", timeZone: UTC, concurrencyPolicy: Allow, ttlSecondsAfterFinished: 5, tolerations: [{key: a, operator: Exists}]}
workloads: {web: {shutdownSeconds: 40, shareProcessNamespace: true}}
volumes:
  logs: {mountPath: /logs, size: 1Mi, medium: Memory, containers: {app: {readOnly: false, subPath: a}}}
  data: {mountPath: /data, persistentVolumeClaim: {claimName: shop, readOnly: true}}
containers:
  helper:
    image: "h:1"
    order: 5
    workloads: [web]
    enabled: true
    afterInit: true
    shutdownSeconds: 3
    downwardAPI: true
    args: [a]
    env: {A: b, C: {valueFrom: {secretKeyRef: {name: s, key: k, optional: true}}}}
    ports: {http: 8080, other: {containerPort: 8081, protocol: TCP}}
    volumeMounts: {logs: /l, data: {mountPath: /d, readOnly: true}}
    resources: {requests: {cpu: 5m, memory: 8Mi}, limits: {cpu: 1, memory: 80Mi}}
    livenessProbe: {httpGet: {port: http, path: /, httpHeaders: [{name: a, value: b}]}, periodSeconds: 3}
    readinessProbe: {tcpSocket: {port: 8080}}
    lifecycle: {preStop: {sleep: {seconds: 1}}}
    securityContext: {capabilities: {add: [CHOWN]}}
  early: {kind: init, image: "h:1", envFrom: [{secretRef: {name: s}, prefix: P}]}
logshippers:
  ship: {files: [/logs/a.log], to: {stdout: {}}}
  backend:
    files: [/logs/b.log]
    exclude: [/logs/c.log]
    multiline: {startPattern: '^\d'}
    parse: {json: {}, message: msg, timestamp: {field: t, layout: '%s'}, severity: {field: level}}
    attributes: {a: b}
    resource: {c: d}
    redact: [{pattern: x, replacement: "***"}]
    filter: {drop: [a], minSeverity: INFO, sample: {percentage: 10, all: WARN}}
    receive: {otlp: {grpcPort: 4319, httpPort: 4320}}
    scrape: [{port: 9000, name: app, path: /m, interval: 10s}]
    queue: {size: 1Mi, whenFull: drop}
    metrics: {port: 8889, annotations: true, podMonitor: true}
    liveness: true
    to:
      otlphttp: {endpoint: "http://b:4318", headers: {a: {valueFrom: {secretKeyRef: {name: s, key: k}}}}, tls: {insecure: true, ca: {configMapKeyRef: {name: c, key: d}}}}
      debug: {verbosity: basic}
    env: {E: f}
    extraConfig: {processors: {batch: {timeout: 1s}}}
tokenRefreshers:
  token:
    file: {path: /token/users.txt, format: pgbouncer, mode: "0640", user: shop, containers: [app]}
    ttl: 15m
    exec: {image: "t:1", command: [print-token], output: raw, timeout: 5s, explain: why, host: db, port: 5433, user: shop}
    retry: {delay: 2s, maxDelay: 30s}
    notify: {exec: {command: a}, http: {url: "http://a", method: POST}}
    startupProbe: {periodSeconds: 2}
    readinessProbe: {timeoutSeconds: 3}
ambassadors:
  db:
    pgbouncer:
      tokenRefresher: token
      databases: {shop: {database: shop, poolMode: session, poolSize: 2}, more: {host: other, port: 5433}}
      poolMode: session
      defaultPoolSize: 5
      tls: {mode: require, ca: {secret: {name: c, key: d}}}
      settings: {server_lifetime: 60}
backups:
  nightly:
    schedule: "17 3 * * *"
    timeZone: UTC
    postgres: {image: "docker.io/library/postgres:15", host: db, port: 5433, user: u, secret: {name: db, key: k}, database: shop}
    store: {restic: {repository: "s3:http://s3/b", secret: restic, credentials: s3, tags: [a], compression: max, limitUpload: 5, options: {s3.connections: 10}}}
    keep: {last: 3, daily: 7, minimum: 2}
    drill: {schedule: "17 5 * * 0", timeZone: Europe/Berlin, check: [select 1], size: 2Gi, memory: 1Gi}
    prune: {schedule: "17 6 * * 0", timeZone: Europe/Berlin}
    onSuccess: {url: "http://a"}
    onFailure: {url: "http://b"}
    metrics: {pushgateway: "http://push:9091"}
    maxAge: 26h
    ruleLabels: {a: b}
    before: a
    after: b
    backoffLimit: 2
    startingDeadlineSeconds: 5
    serviceAccountName: backup
    nodeSelector: {disk: ssd}
    affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
    podLabels: {c: d}
    podAnnotations: {e: f}
    resources: {limits: {memory: 1Gi}}
  beside:
    as: sidecar
    schedule: "17 3 * * *"
    path: {paths: [/logs/files], exclude: [a], volume: {persistentVolumeClaim: {claimName: c}}, mountPath: /logs}
    store: {files: {remote: ":s3:bucket", credentials: s3}}
custom:
  greeter: {hello: {greeting: {of: all}, resources: {limits: {cpu: 1}}}}
`

// readValues returns the values that the library's templates work on. The chart has no schema, so that any key may be missing.
func readValues(t *testing.T, values map[string]any) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"outrigger": values})
	require.NoError(t, err)
	return harness.NewChart(t, nil).With(map[string]string{
		"charts/outrigger/values.schema.json": "{}",
		"templates/NOTES.txt": `{{ $state := dict }}{{ $name := printf "outrigger-%s.pod.state" (include "outrigger.version" .) }}` +
			`{{ include $name (dict "state" $state "arguments" (dict "context" .)) }}{{ toJson $state.values }}`,
	}).RenderTexts(t, string(text))["shop/templates/NOTES.txt"]
}

// Null is the way to take away what another values file gave, at any depth, and no template can tell it from a key that is not there,
// but for those where it takes away the library's default too.
func TestNullIsNoKey(t *testing.T) {
	t.Parallel()
	more := regexp.MustCompile(`[.](securityContext|extraConfig|requests|limits)[.]|[.](backoffLimit|concurrencyPolicy|startingDeadlineSeconds|ttlSecondsAfterFinished)$`)
	tried := 0
	for depth := 2; ; depth++ {
		null, without := map[string]any{}, map[string]any{}
		require.NoError(t, yaml.Unmarshal([]byte(everyOption), &null))
		require.NoError(t, yaml.Unmarshal([]byte(everyOption), &without))
		keys := 0
		each := func(values map[string]any, takeAway func(in map[string]any, key string)) {
			eachKey(values, "outrigger", func(path, key string, in map[string]any) {
				if strings.Count(path, ".")+strings.Count(path, "[") == depth && !more.MatchString(path) {
					keys++
					takeAway(in, key)
				}
			})
		}
		each(null, func(in map[string]any, key string) { in[key] = nil })
		each(without, func(in map[string]any, key string) { delete(in, key) })
		if keys == 0 {
			break
		}
		tried += keys / 2

		assert.Equal(t, readValues(t, without), readValues(t, null), "depth %d", depth)
	}
	assert.Greater(t, tried, 200)
}

// authors are values of a chart's author, and takenAway what a user takes away of them.
const (
	authors = `
outrigger:
  containers:
    helper:
      image: "h:1"
      args: [a]
      env: {A: b, C: d}
      resources: {limits: {cpu: 1, memory: 80Mi}}
      livenessProbe: {httpGet: {port: 8080}, periodSeconds: 3}
      securityContext: {runAsUser: 1000}
    other: {image: "o:1"}
  volumes: {data: {mountPath: /data, size: 5Gi}}
  backups:
    nightly:
      schedule: "17 3 * * *"
      postgres: {image: "docker.io/library/postgres:15", host: db, secret: db, database: shop}
      store: {restic: {repository: /repository, secret: restic}}
      keep: {last: 3, daily: 7}
      drill: {schedule: "17 5 * * 0"}
      podLabels: {team: payments}
`
	takenAway = "containers.other containers.helper.args containers.helper.env.A containers.helper.resources.limits.cpu " +
		"containers.helper.livenessProbe.httpGet volumes.data.size backups.nightly.keep.last backups.nightly.drill backups.nightly.podLabels.team"
	givenInstead = "containers.helper.livenessProbe.tcpSocket.port=8081"
)

func TestAUserTakesAwayByNullWhatTheChartsAuthorWrote(t *testing.T) {
	t.Parallel()
	keys := strings.Fields(takenAway)
	var left map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(authors), &left))
	for _, key := range keys {
		levels := strings.Split("outrigger."+key, ".")
		in := left
		for _, level := range levels[:len(levels)-1] {
			in = in[level].(map[string]any)
		}
		delete(in, levels[len(levels)-1])
	}
	require.NoError(t, strvals.ParseInto("outrigger."+givenInstead, left))
	// What --set adds to values, in both versions of Helm.
	set := func(values string) map[string]any {
		by3, by4 := map[string]any{}, map[string]any{}
		require.NoError(t, yaml.Unmarshal([]byte(values), &by3))
		require.NoError(t, yaml.Unmarshal([]byte(values), &by4))
		for _, key := range append([]string{givenInstead}, keys...) {
			if !strings.Contains(key, "=") {
				key += "=null"
			}
			require.NoError(t, strvals.ParseInto("outrigger."+key, by3))
			require.NoError(t, strvals4.ParseInto("outrigger."+key, by4))
		}
		require.Equal(t, by3, by4)
		return by3
	}
	text := func(values map[string]any) string {
		text, err := yaml.Marshal(values)
		require.NoError(t, err)
		return string(text)
	}
	file := map[string]any{} // as -f has it
	require.NoError(t, yaml.Unmarshal([]byte(text(set("{}"))), &file))
	other := map[string]any{}
	require.NoError(t, yaml.Unmarshal([]byte(authors), &other))
	chart := harness.Consumer(t)
	want := chart.With(map[string]string{"values.yaml": text(left)}).RenderTexts(t, appPod)
	mode := map[string]any{"outrigger": map[string]any{"mode": "auto"}}

	for way, user := range map[string]map[string]any{
		"-f":                       file,
		"--set":                    set("{}"),
		"-f, over another one":     merged(other, file),
		"--set, over -f":           set(authors),
		"-f, beside mode: auto":    merged(file, mode),
		"--set, beside mode: auto": set(text(mode)),
	} {
		byUser := chart.With(map[string]string{"values.yaml": authors}).RenderTexts(t, appPod+text(user))

		assert.Equal(t, want, byUser, way)
	}
	for _, user := range []string{"", text(mode)} {
		inValues := chart.With(map[string]string{"values.yaml": text(merged(left, file))}).RenderTexts(t, appPod+user)

		assert.Equal(t, want, inValues, "nulls of the author's own, the user's values: %s", user)
	}
}

func TestAUserTakesAwayByNullWhatTheLibraryHasByDefault(t *testing.T) {
	t.Parallel()
	left, user := wordsThatTurnOff(), map[string]any{}
	maps.DeleteFunc(left, func(path string, _ turnedOff) bool {
		_, is := defaultsOfTheLibrary(t)[path]
		// One of several has to be said.
		return !is || path == "defaults.tools" || strings.HasSuffix(path, "seccompProfile.type")
	})
	for path := range left {
		user = merged(user, given(t, path, "null"))
	}
	for _, user := range []map[string]any{user, merged(user, given(t, "mode", "auto"))} {
		text, err := yaml.Marshal(user)
		require.NoError(t, err)

		shows := shown(t, nil, string(text))

		for path, off := range left {
			if strings.HasPrefix(path, "defaults.securityContext.") {
				off.left = nil
			}
			assert.Equal(t, off.left, fieldAt(shows, off.at), "%s: null, in %s", path, text)
		}
	}
}

// Helm 3 takes what a null in a chart's own values.yaml stands for out of the library's values, and Helm 4 not until the user gives a
// neighbour (helm/helm#32538). So a word turns each default off, for both: TestEachDefaultIsTurnedOffByAWordInTheChartsOwnValues.
func TestANullOfTheAuthorsIsNotThereForHelm4UntilTheUserGivesANeighbour(t *testing.T) {
	t.Parallel()
	chart := chartOfDefaults(t, given(t, "defaults.resources.limits.memory", "null"))
	limit := func(texts map[string]string) any {
		var deployment map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(texts["shop/templates/deployment.yaml"]), &deployment))
		return fieldAt(deployment, "spec/template/spec/initContainers/helper/resources/limits/memory")
	}
	type limits struct{ helm3, helm4 any }
	got := map[string]limits{}

	for _, user := range []string{"", "unrelated: 1", "outrigger: {mode: auto}", "outrigger: {defaults: {downwardAPI: false}}", "outrigger: {defaults: {resources: {limits: {cpu: 1}}}}"} {
		by3, by4 := chart.RenderEach(t, user)
		got[user] = limits{limit(by3), limit(by4)}
	}

	assert.Equal(t, map[string]limits{
		"":                        {nil, "64Mi"},
		"unrelated: 1":            {nil, "64Mi"},
		"outrigger: {mode: auto}": {nil, nil},
		"outrigger: {defaults: {downwardAPI: false}}":            {nil, nil},
		"outrigger: {defaults: {resources: {limits: {cpu: 1}}}}": {nil, nil},
	}, got)
}

// merged returns values with others over them.
func merged(values, over map[string]any) map[string]any {
	all := maps.Clone(values)
	for key, value := range over {
		if below, deeper := value.(map[string]any); deeper {
			if present, is := all[key].(map[string]any); is {
				value = merged(present, below)
			}
		}
		all[key] = value
	}
	return all
}

func TestNullInASecurityContextTakesAwayTheLibrarysOwnToo(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t).With(map[string]string{"values.yaml": authors})

	pod := harness.Find[*appsv1.Deployment](t, chart.Render(t, appPod+`
outrigger: {containers: {helper: {securityContext: {runAsUser: null, capabilities: null, seccompProfile: null, privileged: null}}}}
`)).Spec.Template

	helper := container(t, pod, "helper").SecurityContext
	assert.Nil(t, helper.RunAsUser)
	assert.Nil(t, helper.Capabilities)
	assert.Nil(t, helper.SeccompProfile)
	assert.True(t, *helper.RunAsNonRoot)
	assert.NotNil(t, container(t, pod, "other").SecurityContext.RunAsUser)
}

func TestAKeyThatHasToBeThereIsMissedByItsNameWhenNullTakesItAway(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t).With(map[string]string{"values.yaml": authors})
	for values, message := range map[string]string{
		"{containers: {helper: {image: null}}}":                            "outrigger.containers.helper",
		"{backups: {nightly: {schedule: null}}}":                           "outrigger.backups.nightly: schedule is missing",
		"{backups: {nightly: {postgres: null}}}":                           "outrigger.backups.nightly: needs one source and has none",
		"{backups: {nightly: {store: {restic: {repository: null}}}}}":      "outrigger.backups.nightly: store.restic.repository is missing",
		"{volumes: {data: {mountPath: null}}}":                             "outrigger.volumes.data: mountPath is missing",
		"{backups: {nightly: {postgres: {secret: {name: null}}}}}":         "at '/backups/nightly/postgres/secret/name': got null, want string",
		"{containers: {helper: {livenessProbe: {httpGet: {port: null}}}}}": "/containers/helper/livenessProbe/httpGet/port",
	} {
		assert.Contains(t, chart.RenderError(t, appPod+"outrigger: "+values), message, values)
	}
}

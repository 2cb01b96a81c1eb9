package render

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// fullPod is a pod template with each field that the library reads, of containers that may have it.
const fullPod = `
metadata:
  labels: {app: web, app.kubernetes.io/name: web}
  annotations: {note: text}
spec:
  terminationGracePeriodSeconds: 100
  restartPolicy: Always
  hostNetwork: false
  shareProcessNamespace: false
  imagePullSecrets: [{name: pull}]
  overhead: {cpu: 1m}
  resources: {requests: {cpu: "2"}, limits: {cpu: "3"}}
  securityContext: {runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000}
  volumes: [{name: own, emptyDir: {medium: Memory}}]
  initContainers:
    - {name: migrate, image: "m:1", env: [{name: A, value: b}], volumeMounts: [{name: own, mountPath: /own}], resources: {requests: {cpu: 10m}, limits: {cpu: 20m, memory: 1Mi}}}
    - name: proxy
      image: p:1
      restartPolicy: Always
      startupProbe: {httpGet: {port: 81}}
      lifecycle: {preStop: {exec: {command: [sleep, "1"]}}}
  containers:
    - name: app
      image: a:1
      imagePullPolicy: Always
      command: [run]
      args: [it]
      workingDir: /
      ports: [{name: http, containerPort: 80, protocol: TCP, hostPort: 8080, hostIP: 127.0.0.1}]
      env: [{name: A, value: b}, {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
      envFrom: [{secretRef: {name: s}}]
      resources: {requests: {cpu: 10m, memory: 1Mi}, limits: {cpu: 10m, memory: 1Mi}}
      securityContext: {runAsUser: 1001, runAsGroup: 1001, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: own, mountPath: /own, subPath: x, readOnly: false}]
      volumeDevices: [{name: disk, devicePath: /dev/x}]
      startupProbe: {tcpSocket: {port: http}, periodSeconds: 1}
      readinessProbe: {httpGet: {port: http, path: /, scheme: HTTP}}
      livenessProbe: {exec: {command: [check]}}
      lifecycle: {postStart: {exec: {command: [warm]}}, preStop: {sleep: {seconds: 1}}}
`

// everyPattern are entries of every pattern, for fullPod, as they stand between braces.
const everyPattern = `
  volumes: {logs: {mountPath: /logs}, html: {mountPath: /html, seed: true}},
  containers: {helper: {image: "h:1", volumeMounts: {logs: {}}, shutdownSeconds: 3}, early: {kind: init, image: "h:1"}},
  logshippers: {
    ship: {files: [/logs/a.log], to: {stdout: {}}},
    backend: {files: [/logs/b.log], receive: {otlp: true}, to: {otlphttp: {endpoint: "http://b:4318"}}}},
  tokenRefreshers: {token: {file: {path: /token/users.txt, format: pgbouncer}, ttl: 15m, exec: {image: "t:1", command: [print-token], host: db, user: shop}}},
  ambassadors: {db: {pgbouncer: {tokenRefresher: token, database: shop}}},
  backups: {
    nightly: {as: sidecar, schedule: "17 3 * * *", path: {paths: [/logs/files]}, store: {restic: {repository: /repository, secret: restic}}},
    weekly: {
      schedule: "17 3 * * 0",
      postgres: {image: "docker.io/library/postgres:15", host: db, secret: db, database: shop},
      store: {files: {remote: ":s3:bucket"}},
      drill: {schedule: "17 5 * * 0"}}}
`

// manyPods returns a chart that makes all that the library makes of each pod template under pods: a Deployment, Jobs, notes.
func manyPods(t testing.TB) harness.Chart {
	return harness.NewChart(t, map[string]string{"templates/pods.yaml": `
{{- range $number, $pod := .Values.pods }}
{{- $job := dict "spec" (omit $pod.spec "restartPolicy") -}}
{{- if hasKey $pod "metadata" }}{{- $_ := set $job "metadata" $pod.metadata }}{{- end }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "web-{{ $number }}"}
spec:
  selector: {matchLabels: {app: web}}
  template:
    {{- include "outrigger.podTemplate" (dict "context" $ "podTemplate" $pod "workload" "web") | nindent 4 }}
{{ include "outrigger.job" (dict "context" $ "podTemplate" $job "workload" "process" "name" (printf "process-%d" $number)) }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "notes-{{ $number }}"}
data:
  notes: |
    {{- include "outrigger.notes" (dict "context" $ "podTemplate" $pod "workload" "web") | nindent 4 }}
{{- end }}`})
}

// eachKey calls a function for each key of what a value holds, with its path and the map that has it.
func eachKey(value any, path string, visit func(path, key string, in map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			visit(path+"."+key, key, value)
			eachKey(value[key], path+"."+key, visit)
		}
	case []any:
		for index, item := range value {
			eachKey(item, fmt.Sprintf("%s[%d]", path, index), visit)
		}
	}
}

// lacking returns fullPod without the fields at a depth, left out or null, and how many they are.
func lacking(t testing.TB, depth int, null bool) (pod string, fields int) {
	t.Helper()
	var all map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(fullPod), &all))
	eachKey(all, "pod", func(path, key string, in map[string]any) {
		if strings.Count(path, ".")+strings.Count(path, "[") != depth || !mayBeLeftOut(path, key) {
			return
		}
		fields++
		delete(in, key)
		if null {
			in[key] = nil
		}
	})
	text, err := json.Marshal(all)
	require.NoError(t, err)
	return string(text), fields
}

// Kubernetes takes a field that is null for one that is not there, and so do the templates of charts: {{ toYaml nil }} is null.
func TestAFieldOfTheAuthorsPodThatIsNullIsOneThatIsNotThere(t *testing.T) {
	t.Setenv(harness.RenderedFolder, "") // a cluster would not take all of them
	chart := manyPods(t)
	render := func(pods []string) harness.Objects {
		objects, err := chart.TryRender(t, "{pods: ["+strings.Join(pods, ", ")+"], outrigger: {"+everyPattern+"}}")
		require.NoError(t, err)
		return objects
	}
	var null, leftOut []string
	tried := 0
	for depth := range 10 {
		pod, fields := lacking(t, depth, true)
		if fields == 0 {
			continue
		}
		tried += fields
		null = append(null, pod)
		pod, _ = lacking(t, depth, false)
		leftOut = append(leftOut, pod)
	}
	require.Greater(t, tried, 60)

	want, got := render(leftOut), render(null)

	require.Len(t, got, len(want))
	for index := range want {
		assert.Equal(t, want[index], got[index])
	}
}

// mayBeLeftOut tells whether a pod template is one without a field: a probe is none without its handler. What a map holds of its
// own keys is no field: a null label is an empty one, a null quantity 0.
func mayBeLeftOut(path, key string) bool {
	return !regexp.MustCompile(`[.](requests|limits|overhead|labels|annotations)[.]`).MatchString(path) &&
		!slices.Contains([]string{"pod.spec", "pod.spec.containers", "pod.spec.initContainers[1].restartPolicy"}, path) &&
		!slices.Contains([]string{"name", "containerPort", "image", "ports", "exec", "httpGet", "sleep", "tcpSocket"}, key)
}

// valuesOfTheLibrary returns the library's values.yaml.
func valuesOfTheLibrary(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root(), "library/outrigger/values.yaml"))
	require.NoError(t, err)
	var values map[string]any
	require.NoError(t, yaml.Unmarshal(text, &values))
	return values
}

// Helm takes away what the library's values.yaml has where the user's values have null.
func TestAValueOfTheLibrarysThatIsNullCrashesNothing(t *testing.T) {
	t.Parallel()
	values := valuesOfTheLibrary(t)
	chart := harness.Consumer(t).With(map[string]string{"values.yaml": `{pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "app:1"}]}},
outrigger: {` + everyPattern + "}}"})
	chart.Render(t, "")

	eachKey(values, "outrigger", func(path, _ string, _ map[string]any) {
		levels := strings.Split(path, ".")
		if len(levels) > 3 {
			return
		}
		_, err := chart.TryRender(t, strings.Join(levels, ": {")+": null"+strings.Repeat("}", len(levels)-1))

		if err != nil && !strings.Contains(err.Error(), "problem(s) in chart") {
			t.Errorf("%s: null: %v", path, err)
		}
	})
}

func TestAnEntryOfACustomPatternMayHaveFieldsThatAreNull(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t).With(map[string]string{"templates/_greeter.tpl": `
{{- define "outrigger.pattern.greeter" -}}
sidecars: [{name: {{ .name }}, image: "g:1"}]
{{- end -}}`})
	render := func(entry string) harness.Objects {
		return chart.Render(t, appPod+`outrigger: {custom: {greeter: {hello: `+entry+`}}}`)
	}

	assert.Equal(t, render(`{}`), render(`{resources: null, image: null, imagePullPolicy: null, securityContext: null, order: null, env: null}`))
	assert.Equal(t, render(`{}`), render(`{resources: {limits: null, requests: null}}`))
	noUser := harness.Find[*appsv1.Deployment](t, render(`{securityContext: {runAsUser: null}}`)).Spec.Template.Spec.InitContainers[0].SecurityContext
	assert.Nil(t, noUser.RunAsUser, "null takes the library's away")
	assert.True(t, *noUser.RunAsNonRoot)
}

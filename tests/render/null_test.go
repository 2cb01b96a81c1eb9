package render

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

// everyPattern are entries of every pattern, for fullPod.
const everyPattern = `
  volumes: {logs: {mountPath: /logs}, html: {mountPath: /html, seed: true}}
  containers: {helper: {image: "h:1", volumeMounts: {logs: {}}, shutdownSeconds: 3}, early: {kind: init, image: "h:1"}}
  logshippers:
    ship: {files: [/logs/a.log], to: {stdout: {}}}
    backend: {files: [/own/a.log], receive: {otlp: true}, to: {otlphttp: {endpoint: "http://b:4318"}}}
  tokenRefreshers: {token: {file: {path: /token/users.txt, format: pgbouncer}, ttl: 15m, exec: {image: "t:1", command: [print-token], host: db, user: shop}}}
  ambassadors: {db: {pgbouncer: {tokenRefresher: token, database: shop}}}
  backups:
    nightly: {as: sidecar, schedule: "17 3 * * *", path: {paths: [/logs/files]}, store: {restic: {repository: /repository, secret: restic}}}
    weekly:
      schedule: "17 3 * * 0"
      postgres: {image: "docker.io/library/postgres:15", host: db, secret: db, database: shop}
      store: {files: {remote: ":s3:bucket"}}
      drill: {schedule: "17 5 * * 0"}
`

// nullChart makes all that the library makes of the value pod: a Deployment, a Job, a CronJob, notes and objects.
func nullChart(t testing.TB) harness.Chart {
	return harness.Consumer(t).With(map[string]string{
		"templates/jobs.yaml": `
{{- $job := dict "spec" (omit .Values.pod.spec "restartPolicy") -}}
{{- if hasKey .Values.pod "metadata" }}{{- $_ := set $job "metadata" .Values.pod.metadata }}{{- end }}
{{ include "outrigger.job" (dict "context" . "podTemplate" $job "workload" "process") }}
{{ include "outrigger.cronJob" (dict "context" . "podTemplate" $job "workload" "report") }}`,
		"templates/notes.yaml": `
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data:
  notes: |
    {{- include "outrigger.notes" (dict "context" . "podTemplate" .Values.pod "workload" "web") | nindent 4 }}
  resources: |
    {{- include "outrigger.effectiveResources" (dict "context" . "podTemplate" .Values.pod "workload" "web") | nindent 4 }}
`,
	})
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

// Kubernetes takes a field that is null for one that is not there, and so do the templates of charts: {{ toYaml nil }} is null.
func TestAFieldOfTheAuthorsPodThatIsNullIsOneThatIsNotThere(t *testing.T) {
	var pod map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(fullPod), &pod))
	chart := nullChart(t)
	render := func() (harness.Objects, string) {
		text, err := yaml.Marshal(map[string]any{"pod": pod})
		require.NoError(t, err)
		objects, err := chart.TryRender(t, string(text)+"outrigger:\n  cronJobs: {report: {schedule: \"0 * * * *\"}}"+everyPattern)
		if err != nil {
			return nil, err.Error()
		}
		return objects, ""
	}
	whole, message := render()
	require.Empty(t, message)
	require.Greater(t, len(whole), 5)

	tried := 0
	eachKey(pod, "pod", func(path, key string, in map[string]any) {
		// What a map holds of its own keys is no field: a null label is an empty one, a null quantity 0.
		if strings.HasSuffix(path, "requests."+key) || strings.HasSuffix(path, "limits."+key) || strings.Contains(path, ".labels.") ||
			strings.Contains(path, ".annotations.") || strings.Contains(path, ".overhead.") {
			return
		}
		// Without these it is no pod template.
		if path == "pod.spec" || path == "pod.spec.containers" || key == "name" || key == "containerPort" {
			return
		}
		tried++
		value := in[key]
		defer func() { in[key] = value }()
		in[key] = nil
		asNull, messageAsNull := render()
		delete(in, key)
		without, messageWithout := render()

		assert.Equal(t, messageWithout, messageAsNull, "%s: null", path)
		assert.Equal(t, without, asNull, "%s: null", path)
		if messageWithout != "" {
			assert.Contains(t, messageWithout, "problem(s) in chart", path)
		}
	})
	assert.Greater(t, tried, 70)
}

// Helm takes away what the library's values.yaml has where the user's values have null.
func TestAValueOfTheLibrarysThatIsNullCrashesNothing(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(harness.Root(), "library/outrigger/values.yaml"))
	require.NoError(t, err)
	var values map[string]any
	require.NoError(t, yaml.Unmarshal(text, &values))
	chart := nullChart(t).With(map[string]string{"values.yaml": "pod:" + strings.ReplaceAll(fullPod, "\n", "\n  ") + "\noutrigger:\n  cronJobs: {report: {schedule: \"0 * * * *\"}}" + everyPattern})

	eachKey(values, "outrigger", func(path, _ string, _ map[string]any) {
		levels := strings.Split(path, ".")
		_, err := chart.TryRender(t, strings.Join(levels, ": {")+": null"+strings.Repeat("}", len(levels)-1))

		if err != nil && !strings.Contains(err.Error(), "problem(s) in chart") && !strings.Contains(err.Error(), "outrigger.cronJobs.report.schedule is missing") {
			t.Errorf("%s: null: %v", path, err)
		}
	})
}

func TestAnEntryOfACustomPatternMayHaveNullResources(t *testing.T) {
	chart := harness.Consumer(t).With(map[string]string{"templates/_greeter.tpl": `
{{- define "outrigger.pattern.greeter" -}}
sidecars: [{name: {{ .name }}, image: "g:1"}]
{{- end -}}`})
	render := func(entry string) harness.Objects {
		return chart.Render(t, appPod+`outrigger: {custom: {greeter: {hello: `+entry+`}}}`)
	}

	assert.Equal(t, render(`{}`), render(`{resources: null, image: null, imagePullPolicy: null, securityContext: null, order: null, env: null}`))
	assert.Equal(t, render(`{}`), render(`{resources: {limits: null, requests: null}, securityContext: {runAsUser: null}}`))
}

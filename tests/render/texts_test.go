package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// sql is what the texts of these tests refer to: a tag, a folder, a size and texts that YAML would read otherwise.
const sql = `
sql: {tag: "1.8", folder: /data, size: 5Mi, lines: "a: b\n- 'c'\t\"d\"", number: "0123"}
`

func TestEachTextOfAnEntryIsATemplate(t *testing.T) {
	t.Parallel()

	objects := harness.Consumer(t).Render(t, appPod+sql+`
outrigger:
  images: {busybox: "registry.example/busybox:{{ .Values.sql.tag }}"}
  volumes:
    data: {mountPath: "{{ .Values.sql.folder }}", size: "{{ .Values.sql.size }}"}
    claimed: {mountPath: /claimed, persistentVolumeClaim: {claimName: "{{ .Release.Name }}-data"}}
  containers:
    proxy:
      image: "proxy:{{ .Values.sql.tag }}"
      args: ["{{ .Values.sql.lines }}", "{{ .Values.sql.number }}"]
      env: {SERVICE: "{{ .Release.Name }}-db", SECRET: {valueFrom: {secretKeyRef: {name: "{{ .Release.Name }}-db", key: password}}}}
      ports: {http: 8080}
      resources: {limits: {memory: "{{ .Values.sql.size }}"}}
      livenessProbe: {httpGet: {path: "/{{ .Values.sql.tag }}", port: http}}
  logshippers:
    logs: {files: ["{{ .Values.sql.folder }}/*.log"], to: {otlphttp: {endpoint: "http://{{ .Release.Name }}-otel:4318"}}}
`)

	made := shippedIn(t, objects)
	proxy := container(t, made.pod, "proxy")
	assert.Equal(t, "proxy:1.8", proxy.Image)
	assert.Equal(t, []string{"a: b\n- 'c'\t\"d\"", "0123"}, proxy.Args, "each stays one text, whatever is in it")
	assert.Equal(t, "demo-db", variables(proxy)["SERVICE"])
	assert.EqualValues(t, 8080, proxy.Ports[0].ContainerPort)
	assert.Equal(t, "5Mi", proxy.Resources.Limits.Memory().String())
	assert.Equal(t, "/1.8", proxy.LivenessProbe.HTTPGet.Path)
	assert.Equal(t, "registry.example/busybox:1.8", container(t, made.pod, "outrigger-tools").Image)
	assert.Contains(t, container(t, made.pod, "app").VolumeMounts, corev1.VolumeMount{Name: "data", MountPath: "/data"})
	sources := map[string]corev1.VolumeSource{}
	for _, volume := range made.pod.Spec.Volumes {
		sources[volume.Name] = volume.VolumeSource
	}
	require.Contains(t, sources, "claimed")
	assert.Equal(t, "demo-data", sources["claimed"].PersistentVolumeClaim.ClaimName)
	assert.Equal(t, "5Mi", sources["data"].EmptyDir.SizeLimit.String())
	assert.Equal(t, "http://demo-otel:4318", at(t, made.config(t, "logs"), "exporters", "otlp_http", "endpoint"))
	assert.Contains(t, made.files["logs.conf.yaml"], "/data/*.log")
}

func TestTextsOfJobsAreTemplatesToo(t *testing.T) {
	t.Parallel()

	objects := jobsChart(t).Render(t, sql+`outrigger: {jobs: {process: {serviceAccountName: "{{ .Release.Name }}-jobs", podAnnotations: {tag: "{{ .Values.sql.tag }}"}}}}`)

	pod := harness.Find[*batchv1.Job](t, objects).Spec.Template
	assert.Equal(t, "demo-jobs", pod.Spec.ServiceAccountName)
	assert.Equal(t, "1.8", pod.Annotations["tag"])
}

func TestFilesOfOtherProgramsStayAsTheyAreWritten(t *testing.T) {
	t.Parallel()

	custom := renderShippers(t, `{logs: {files: ["/logs/{{ .Release.Name }}.log"], agent: custom, image: "vector:1", custom: {command: [vector], config: "key: \"{{ field }}\"", left: {command: ["echo", "0"]}}}}`)
	collector := renderShippers(t, `{logs: {files: [/logs/a.log], to: {otlphttp: {endpoint: "http://a"}}, extraConfig: {processors: {transform/b: {log_statements: ["set(body, \"{{ field }}\")"]}}}}}`)
	token := renderPod(t, appPod+`
outrigger:
  tokenRefreshers:
    queue:
      exec: {image: "vault:1", command: [token, "{{ .Release.Name }}"]}
      ttl: 15m
      file: {path: /tokens/queue.url, format: template, template: "amqps://${password:url}@{{ host }}"}
`)

	assert.Contains(t, custom.files["logs.conf.yaml"], `key: "{{ field }}"`)
	assert.Contains(t, collector.files["logs.conf.yaml"], "{{ field }}")
	does := documentOf[document.Token](t, container(t, token, "queue"), "token")
	assert.Contains(t, does.File.Template, "@{{ host }}")
	assert.Equal(t, []string{"token", "demo"}, does.Exec.Command)
}

func TestAVolumeWhoseFolderIsATemplateIsKnownToOtherPatterns(t *testing.T) {
	t.Parallel()

	pod := renderPod(t, appPod+sql+`
outrigger:
  volumes:
    data: {mountPath: "{{ .Values.sql.folder }}", size: "{{ .Values.sql.size }}"}
    "off": {enabled: false, mountPath: "{{ .Values.nothing.of.that }}"}
  logshippers: {logs: {files: [/data/a.log], to: {otlphttp: {endpoint: "http://a:1"}}}}
  tokenRefreshers: {db: {ttl: 15m, exec: {image: "vault:1", command: [token]}, file: {path: /data/token, format: raw}}}
`)

	assert.Equal(t, "5242880 /data", environment(container(t, pod, "logs"))["VOLUMES"])
	assert.Contains(t, container(t, pod, "db").VolumeMounts, corev1.VolumeMount{Name: "data", MountPath: "/data"})
}

func TestARepositoryThatIsATemplateHasOneMaker(t *testing.T) {
	t.Parallel()
	values := strings.ReplaceAll(withRestic("init: true")+another("hourly"), "s3:http://s3/backups", "s3:http://s3/{{ .Release.Name }}")

	found := cronJobs(t, values)

	assert.Equal(t, "backups.nightly", variables(task(t, found["demo-shop-hourly"]))["MAKER"])
}

func TestATextIsEvaluatedOnce(t *testing.T) {
	t.Parallel()
	const literal = `'{{ "{{" }} $labels.instance }} is down'`

	pod := renderPod(t, appPod+`
outrigger:
  containers: {alerts: {image: "alerts:1", env: {SUMMARY: `+literal+`}}}
  tokenRefreshers: {db: {ttl: 15m, exec: {image: "vault:1", command: [token]}, env: {SUMMARY: `+literal+`}, file: {path: /tokens/db, format: raw}}}
`)

	assert.Equal(t, "{{ $labels.instance }} is down", variables(container(t, pod, "alerts"))["SUMMARY"])
	assert.Equal(t, "{{ $labels.instance }} is down", variables(container(t, pod, "db"))["SUMMARY"])
}

func TestATextOfWhatIsOffIsNotEvaluated(t *testing.T) {
	t.Parallel()

	pod := renderPod(t, appPod+`
outrigger:
  containers:
    "off": {enabled: false, image: "{{ .Values.nothing.of.that }}"}
    here: {image: "here:1"}
`)

	assert.Equal(t, []string{"here"}, containerNames(pod.Spec.InitContainers))
}

func TestAnEntryIsForTheWorkloadThatItsTemplateNames(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t).With(map[string]string{"templates/_greeter.tpl": `
{{- define "outrigger.pattern.greeter" -}}
sidecars: [{name: {{ .name }}, image: "g:1", args: [{{ index .config.workloads 0 }}]}]
{{- end -}}`})

	pod := harness.Find[*appsv1.Deployment](t, chart.Render(t, appPod+`
apps: {front: web, other: worker}
outrigger:
  containers:
    here: {image: "h:1", workloads: ["{{ .Values.apps.front }}"]}
    elsewhere: {image: "h:1", workloads: ["{{ .Values.apps.other }}"]}
  custom: {greeter: {hello: {workloads: ["{{ .Values.apps.front }}"]}, bye: {workloads: ["{{ .Values.apps.other }}"]}}}
`)).Spec.Template

	assert.Equal(t, []string{"hello", "here"}, containerNames(pod.Spec.InitContainers))
	assert.Equal(t, []string{"web"}, container(t, pod, "hello").Args, "a custom pattern is told the workload")
}

package render

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// expander returns the path of the program that expands references to variables by Kubernetes' own code.
var expander = sync.OnceValues(func() (string, error) {
	tools, err := rig.Tools(context.Background(), os.Stderr, "expand")
	return filepath.Join(tools, "expand"), err
})

// started is a container as the kubelet starts it.
type started struct {
	Command, Args []string
	Env           []corev1.EnvVar
}

// value returns a variable of the container's.
func (s started) value(name string) string {
	for _, variable := range s.Env {
		if variable.Name == name {
			return variable.Value
		}
	}
	return ""
}

// containersOf returns the containers of the rendered pods, and what they are called by workload and name: "web/app".
func containersOf(objects harness.Objects) (names []string, containers []corev1.Container) {
	for _, object := range objects {
		var name string
		var pod corev1.PodTemplateSpec
		switch object := object.(type) {
		case *appsv1.Deployment:
			name, pod = object.Name, object.Spec.Template
		case *batchv1.Job:
			name, pod = "once", object.Spec.Template
		case *batchv1.CronJob:
			name, pod = object.Name, object.Spec.JobTemplate.Spec.Template
		}
		for _, container := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
			names = append(names, strings.TrimPrefix(name, "demo-shop-")+"/"+container.Name)
			containers = append(containers, container)
		}
	}
	return names, containers
}

// expanded returns containers as the kubelet starts them.
func expanded(t testing.TB, containers []corev1.Container) (all []started) {
	t.Helper()
	program, err := expander()
	require.NoError(t, err)
	harness.AskProgram(t, program, containers, &all)
	require.Len(t, all, len(containers))
	return all
}

// start returns the containers of the rendered pods as the kubelet starts them, by workload and name: "web/app".
func start(t testing.TB, objects harness.Objects) map[string]started {
	t.Helper()
	names, containers := containersOf(objects)
	all := map[string]started{}
	for index, each := range expanded(t, containers) {
		all[names[index]] = each
	}
	require.Len(t, all, len(names))
	return all
}

// document returns what stands at a JSON pointer of a container's document: a text, or a list of them.
func (s started) document(t *testing.T, pointer string) any {
	t.Helper()
	var value any
	require.NoError(t, json.Unmarshal([]byte(s.value(document.Variable)), &value))
	for _, key := range strings.Split(pointer, "/")[1:] {
		fields, isObject := value.(map[string]any)
		require.True(t, isObject, "%s of %s", pointer, s.value(document.Variable))
		value = fields[key]
	}
	return value
}

// withText returns values in which a text, as it would stand in JSON, has the place of TEXT.
func withText(t testing.TB, values, text string) string {
	t.Helper()
	quoted, err := json.Marshal(text)
	require.NoError(t, err)
	return strings.ReplaceAll(values, "TEXT", string(quoted[1:len(quoted)-1]))
}

// awkward are texts in which Kubernetes, a shell or YAML could see something, those that a report names and random ones.
func awkward() []string {
	texts := []string{
		"A=$${username} C=pa$$word", `echo "pid $$ price $$5"`, "kill -HUP $$", "$$(POD_NAME)", "$(POD_NAME)", "$$$(POD_NAME)", "$(NOWHERE)", "$()", "$(", "$", "$$", "$$$", "$$$$",
		"select $tag$a$tag$, $$it's$$", "x$", `"$("`, "line\n$$\tline", "é $$ 😀 $(POD_NAME)",
	}
	parts := []string{"$", "$", "$$", "$(", "$(POD_NAME)", "$(FILE)", "$(NOWHERE)", "(", ")", "${", "${HOME}", "}", "'", `"`, `\`, " ", "a", "Z9", "é", "😀", "%s", "#", "|", "&", "~", "-", "/x"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		var text strings.Builder
		for range 1 + random.IntN(8) {
			text.WriteString(parts[random.IntN(len(parts))])
		}
		texts = append(texts, text.String())
	}
	return texts
}

// textsOfPatterns has a text in every place from which a pattern hands it to a program.
const textsOfPatterns = `
pod:
  metadata: {labels: {app: web}}
  spec:
    volumes: [{name: own, emptyDir: {}}]
    securityContext: {runAsUser: 1000}
    containers: [{name: app, image: "app:1", volumeMounts: [{name: own, mountPath: /own}]}]
outrigger:
  volumes: {logs: {mountPath: /logs}, seeded: {mountPath: "/srv/xTEXTx", size: 1Mi, seed: true}}
  logshippers:
    out: {files: ["/logs/xTEXTx"], to: {stdout: {}}}
    back: {files: ["/logs/xTEXTx", "/srv/xTEXTx/x"], exclude: ["/logs/not-TEXTx"], rotate: {maxSize: 1Mi}, to: {otlphttp: {endpoint: "http://b:4318"}}}
    agent: {agent: custom, image: "a:1", files: ["/logs/a"], custom: {command: [run, "TEXT"], left: {command: [count, "TEXT"]}}}
    asked: {agent: custom, image: "a:1", files: ["/logs/a"], custom: {command: [run], left: {url: "http://TEXT", metrics: ["TEXT"]}}}
  tokenRefreshers:
    token:
      ttl: 15m
      file: {path: "/tokens/xTEXTx", format: template, template: "TEXT ${password}", user: "TEXT", host: "TEXT", database: "TEXT"}
      exec: {image: "t:1", command: [print, "TEXT"], explain: "TEXT"}
      notify: {exec: {command: "TEXT"}}
    leased: {file: {path: /leased/a, format: json}, vault: {address: "http://TEXT", path: "TEXT", role: "TEXT"}}
    rds: {file: {path: /rds/a, format: pgpass}, awsRds: {host: "TEXT", user: "TEXT", region: eu-central-1}}
  ambassadors: {db: {pgbouncer: {secret: s, user: "TEXT", host: h, database: shop}}}
  backups:
    postgres:
      schedule: "17 3 * * *"
      before: "TEXT"
      after: "TEXT"
      postgres: {image: "p:1", host: "TEXT", user: "TEXT", options: ["TEXT"], databases: ["TEXT"]}
      store: {restic: {repository: "TEXT", secret: restic, options: {x: "TEXT"}}}
      drill: {schedule: "17 5 * * 0", check: ["TEXT"]}
    mysql: {schedule: "17 3 * * *", mysql: {image: "m:1", host: h, options: ["TEXT"], connectionOptions: ["TEXT"]}, store: {files: {remote: "TEXT"}}}
    exec: {schedule: "17 3 * * *", exec: {image: "e:1", command: [dump, "TEXT"], verify: [verify, "TEXT"], restore: [restore, "TEXT"]}, store: {files: {remote: x}}}
    path: {schedule: "17 3 * * *", path: {paths: ["/data/xTEXTx"], exclude: ["TEXT"], volume: {persistentVolumeClaim: {claimName: c}}}, store: {files: {remote: x}}}
    beside: {as: sidecar, schedule: "17 3 * * *", sqlite: {image: "s:1", files: ["/own/xTEXTx"]}, store: {files: {remote: x}}}
`

func TestTextsOfPatternsReachTheirProgramsAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t)
	for _, text := range awkward() {
		words := strings.ReplaceAll(text, "'", `'\''`) // in a line for sh
		objects, err := chart.TryRender(t, withText(t, textsOfPatterns, text))
		require.NoError(t, err, "%q", text)
		containers := start(t, objects)
		for place, want := range map[string]string{
			"web/seeded-seed command": "/srv/x" + text + "x", "web/out args": "/logs/x" + text + "x",
			"web/back FILES": "/logs/x" + text + "x\n/logs/x" + text + "x.[0-9]*\n", "web/back EXCLUDE": "/logs/not-" + text + "x\n",
			"web/back ROTATE_FILES": "/logs/x" + text + "x\n/srv/x" + text + "x/x", "web/back VOLUMES": "1048576 /srv/x" + text + "x",
			"web/agent args": text, "web/agent LEFT_COMMAND": "'count' '" + words + "'",
			"web/asked METRICS_URL": "http://" + text, "web/asked LEFT_METRICS": text,
			"web/token /token/file/path": "/tokens/x" + text + "x", "web/token /token/file/template": text + " ${password}", "web/token /token/file/user": text,
			"web/token /token/file/host": text, "web/token /token/file/database": text, "web/token /token/exec/command": text,
			"web/token /token/exec/explain": text, "web/token /token/notify/exec/command": text,
			"web/leased /token/vault/address": "http://" + text, "web/leased /token/vault/path": text, "web/leased /token/vault/kubernetes/role": text,
			"web/rds /token/awsRds/host": text, "web/rds /token/awsRds/user": text, "web/db /pgbouncer/user": text,
			"postgres/backup BEFORE": text, "postgres/backup AFTER": text, "postgres/backup PGHOST": text, "postgres/backup PGUSER": text,
			"postgres/backup DUMP_OPTIONS": text, "postgres/backup DATABASES": text, "postgres/backup RESTIC_REPOSITORY": text,
			"postgres/backup RESTIC_OPTIONS": "--option=x=" + text, "postgres-drill/backup CHECKS": text,
			"mysql/backup DUMP_OPTIONS": text, "mysql/backup CONNECTION_OPTIONS": text, "mysql/backup REMOTE": text,
			"exec/backup COMMAND": "'dump' '" + words + "'", "exec/backup VERIFY_COMMAND": "'verify' '" + words + "'", "exec-restore/backup RESTORE_COMMAND": "'restore' '" + words + "'",
			"path/backup PATHS": "/data/x" + text + "x", "path/backup EXCLUDE": text, "web/beside FILES": "/own/x" + text + "x",
		} {
			name, part, _ := strings.Cut(place, " ")
			container, found := containers[name]
			require.True(t, found, name)
			switch {
			case strings.HasPrefix(part, "/"):
				assert.Contains(t, container.document(t, part), want, "%s, as %q is written", place, text)
			case part == "command":
				assert.Contains(t, container.Command, want, "%s, as %q is written", place, text)
			case part == "args":
				assert.Contains(t, container.Args, want, "%s, as %q is written", place, text)
			default:
				assert.Contains(t, container.value(part), want, "%s, as %q is written", place, text)
			}
		}
	}
}

// textsOfAuthors has a text in each place of a container in which Kubernetes expands, in the author's pod and in `containers`.
const textsOfAuthors = `
pod:
  metadata: {labels: {app: web}}
  spec:
    initContainers: [{name: migrate, image: "app:1", env: &env [{name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: VALUE, value: "TEXT"}], command: &command [run, "TEXT"], args: &args ["TEXT"]}]
    containers: [{name: app, image: "app:1", env: *env, command: *command, args: *args}]
outrigger:
  volumes: {logs: {mountPath: /logs}}
  containers:
    once: {image: "h:1", kind: init, env: *env, command: *command, args: *args}
    listed: {image: "h:1", env: *env, command: *command, args: *args}
    mapped: {image: "h:1", downwardAPI: true, env: {VALUE: "TEXT"}, command: *command, args: *args}
  logshippers: {ship: {files: [/logs/a], to: {stdout: {}}, downwardAPI: true, env: {VALUE: "TEXT"}}}
`

// withTexts are the containers that have it, in the pods of a Deployment, a Job and a CronJob.
var withTexts = struct{ workloads, containers []string }{[]string{"web", "once", "report"}, []string{"migrate", "app", "once", "listed", "mapped"}}

// authorsChart is jobsChart with a Deployment `web` of the same pod template.
func authorsChart(t testing.TB) harness.Chart {
	return jobsChart(t).With(map[string]string{
		"templates/deployment.yaml": `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    {{- include "outrigger.podTemplate" (dict "context" . "podTemplate" .Values.pod) | nindent 4 }}`,
	})
}

func TestTextsOfContainersAndOfTheAuthorsPodStayAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	chart := authorsChart(t)
	for _, text := range awkward() {
		written := corev1.Container{Command: []string{"run", text}, Args: []string{text}, Env: []corev1.EnvVar{
			{Name: "POD_NAME", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}}, {Name: "VALUE", Value: text}}}

		names, containers := containersOf(chart.Render(t, withText(t, textsOfAuthors, text)))

		started := expanded(t, append(containers, written))
		want := started[len(containers)]
		for _, workload := range withTexts.workloads {
			for _, name := range withTexts.containers {
				index := slices.Index(names, workload+"/"+name)
				require.GreaterOrEqual(t, index, 0, "%s of %s", name, workload)
				rendered := containers[index]
				assert.Equal(t, written.Command, rendered.Command, "%s of %s: %q", name, workload, text)
				assert.Equal(t, written.Args, rendered.Args, "%s of %s: %q", name, workload, text)
				assert.Contains(t, rendered.Env, written.Env[1], "%s of %s: %q", name, workload, text)
				assert.Equal(t, want.Command, started[index].Command, "%s of %s, as Kubernetes starts it: %q", name, workload, text)
				assert.Equal(t, want.Args, started[index].Args, "%s of %s, as Kubernetes starts it: %q", name, workload, text)
				assert.Equal(t, want.value("VALUE"), started[index].value("VALUE"), "%s of %s, as Kubernetes starts it: %q", name, workload, text)
			}
		}
	}
}

func TestContainersAndTheAuthorsPodMeanWhatTheyMeanInKubernetes(t *testing.T) {
	t.Parallel()
	chart := authorsChart(t)
	for text, want := range map[string]string{
		"$(POD_NAME)": "the metadata.name", "$$(POD_NAME)": "$(POD_NAME)", "$$$(POD_NAME)": "$the metadata.name", "a$(NOWHERE)": "a$(NOWHERE)",
		"$$": "$", "$5": "$5", "$${x}": "${x}",
	} {
		containers := start(t, chart.Render(t, withText(t, textsOfAuthors, text)))
		for _, workload := range withTexts.workloads {
			for _, name := range withTexts.containers {
				container := containers[workload+"/"+name]
				assert.Equal(t, []string{"run", want}, container.Command, "%s of %s: %q", name, workload, text)
				assert.Equal(t, []string{want}, container.Args, "%s of %s: %q", name, workload, text)
				assert.Equal(t, want, container.value("VALUE"), "%s of %s: %q", name, workload, text)
			}
			assert.Equal(t, want, containers[workload+"/ship"].value("VALUE"), "the env of an entry in %s: %q", workload, text)
		}
	}
}

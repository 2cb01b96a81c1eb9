package harness

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/ci/testimages"
)

// Apply creates objects from a YAML text, or changes them, as kubectl apply --server-side does.
func (n *Namespace) Apply(text string) {
	n.t.Helper()
	client, err := kube()
	require.NoError(n.t, err)
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(n.t, err)
		var object unstructured.Unstructured
		require.NoError(n.t, yaml.Unmarshal(document, &object.Object), "%s", document)
		if len(object.Object) == 0 {
			continue
		}
		resource, err := client.resource(&object, n.Name)
		require.NoError(n.t, err, "%s", document)
		_, err = resource.Apply(context.Background(), object.GetName(), &object, metav1.ApplyOptions{FieldManager: "tests", Force: true})
		require.NoError(n.t, err, "%s", document)
	}
}

// DatabasePassword is the password of the superuser of a namespace's PostgreSQL, with characters that are special to
// shells, URLs and connection strings.
const DatabasePassword = `it's $(a) "pass\word" @/?=&`

// Postgres is a PostgreSQL server in a namespace: a Pod and a Service of its name, and a Secret `db` with its password.
type Postgres struct {
	n    *Namespace
	name string
}

// Postgres creates the namespace's database server `db`, and waits until it answers.
func (n *Namespace) Postgres() *Postgres {
	n.t.Helper()
	return n.PostgresNamed("db")
}

// PostgresNamed is Postgres with a name of the caller's, for a second server.
func (n *Namespace) PostgresNamed(name string) *Postgres {
	n.t.Helper()
	n.Apply(`
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {password: '` + strings.ReplaceAll(DatabasePassword, "'", "''") + `'}
---
apiVersion: v1
kind: Service
metadata: {name: ` + name + `}
spec:
  selector: {app: ` + name + `}
  ports: [{name: postgres, port: 5432}]
---
apiVersion: v1
kind: Pod
metadata:
  name: ` + name + `
  labels: {app: ` + name + `}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  shareProcessNamespace: true # for Kill: the first process of a container hears no SIGKILL from within
  securityContext: {runAsNonRoot: true, runAsUser: 999, runAsGroup: 999, fsGroup: 999, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: db
      image: ` + testimages.PostgresRef + `
      # What a killed server has left, there and beside its socket, keeps another from starting, as its number is some other
      # process' here.
      command: [sh, -c, 'rm -f "$PGDATA/postmaster.pid" /var/run/postgresql/.s.PGSQL.*; exec docker-entrypoint.sh postgres -c fsync=off']
      env:
        - name: POSTGRES_PASSWORD
          valueFrom: {secretKeyRef: {name: db, key: password}}
        - {name: PGDATA, value: /var/lib/postgresql/data/pgdata}
      ports: [{containerPort: 5432, name: postgres}]
      readinessProbe:
        exec: {command: [pg_isready, -h, 127.0.0.1, -U, postgres]}
        periodSeconds: 1
        timeoutSeconds: 5
        failureThreshold: 10 # a busy machine does not take it from its Service
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts:
        - {name: data, mountPath: /var/lib/postgresql/data}
        - {name: run, mountPath: /var/run/postgresql}
        - {name: tmp, mountPath: /tmp}
  volumes:
    - {name: data, emptyDir: {}}
    - {name: run, emptyDir: {}}
    - {name: tmp, emptyDir: {}}
`)
	n.ReadyPods("app="+name, 1)
	server := &Postgres{n, name}
	n.Eventually(PodStart, "the Service leads to "+name, func() bool {
		return strings.HasSuffix(server.Shell("pg_isready -h "+name+"."+n.Name+".svc || true"), "accepting connections")
	})
	return server
}

// Ask runs SQL in a database as the superuser, and returns the answer: rows by lines, columns by |.
func (p *Postgres) Ask(database, sql string) string {
	p.n.t.Helper()
	return p.n.Exec(p.name, "db", "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c", sql)
}

// Shell runs a script in the server's pod, with the server's own tools, and returns what it prints.
func (p *Postgres) Shell(script string) string {
	p.n.t.Helper()
	return p.n.Exec(p.name, "db", "sh", "-ec", script)
}

// Start runs SQL, and does not wait for its end. It ends with the test at the latest.
func (p *Postgres) Start(database, sql string) {
	p.n.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p.n.t.Cleanup(cancel)
	go func() {
		// That the session is ended from elsewhere is no error.
		_, _ = p.n.TryExec(ctx, p.name, "db", "psql", "-XqAt", "-U", "postgres", "-d", database, "-c", sql)
	}()
}

// Begin is Start in a transaction of its own.
func (p *Postgres) Begin(database, sql string) {
	p.n.t.Helper()
	p.Start(database, "begin; "+sql)
}

// ExportSnapshot opens a transaction that stays for as long as the test, and returns the name by which others see a database
// as that one does: as it was at this moment.
func (p *Postgres) ExportSnapshot(database string) (name string) {
	p.n.t.Helper()
	p.Begin(database, "set transaction isolation level repeatable read; select pg_export_snapshot(); select pg_sleep(3600)")
	p.n.Eventually(LogLine, "a snapshot is exported", func() bool {
		name = p.Shell("ls \"$PGDATA/pg_snapshots\"")
		return name != ""
	})
	return name
}

// S3 creates an S3 server in the namespace, a Pod and a Service `s3` with the bucket `backups`, a Secret `s3` with its
// credentials, and a Secret `restic` with a password for a repository. It returns the repository's URL. Its volume is a
// folder of the node's, or what is given: emptyDir: {sizeLimit: 1Gi}.
func (n *Namespace) S3(volume ...string) (repository string) {
	n.t.Helper()
	volume = append(volume, "emptyDir: {}")
	n.Apply(`
apiVersion: v1
kind: Secret
metadata: {name: s3}
stringData: {AWS_ACCESS_KEY_ID: backup-user, AWS_SECRET_ACCESS_KEY: the-key-of-the-store}
---
apiVersion: v1
kind: Secret
metadata: {name: restic}
stringData: {password: the-password-of-the-repository}
---
apiVersion: v1
kind: Service
metadata: {name: s3}
spec:
  selector: {app: s3}
  ports: [{name: s3, port: 7070}]
---
apiVersion: v1
kind: Pod
metadata:
  name: s3
  labels: {app: s3}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  shareProcessNamespace: true # for Kill
  securityContext: {runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: {type: RuntimeDefault}}
  initContainers:
    - name: bucket
      image: ` + testimages.BusyBoxRef + `
      command: [mkdir, -p, /data/backups]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: data, mountPath: /data}]
  containers:
    - name: s3
      image: ` + testimages.VersityGWRef + `
      args: [--port, ":7070", --iam-dir, /users, posix, /data]
      env:
        - name: ROOT_ACCESS_KEY
          valueFrom: {secretKeyRef: {name: s3, key: AWS_ACCESS_KEY_ID}}
        - name: ROOT_SECRET_KEY
          valueFrom: {secretKeyRef: {name: s3, key: AWS_SECRET_ACCESS_KEY}}
      ports: [{containerPort: 7070, name: s3}]
      readinessProbe: {tcpSocket: {port: s3}, periodSeconds: 1}
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: data, mountPath: /data}, {name: users, mountPath: /users}]
    - name: shell # for tests that look at what is stored, or corrupt it
      image: ` + testimages.BusyBoxRef + `
      command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: data, mountPath: /data}]
  volumes:
    - {name: data, ` + volume[0] + `}
    - {name: users, emptyDir: {}}
`)
	n.ReadyPods("app=s3", 1)
	n.Eventually(PodStart, "the Service leads to s3, which knows nobody yet", func() bool {
		return strings.Contains(n.S3Refusal(), " 403 ")
	})
	return "s3:http://s3." + n.Name + ".svc:7070/backups/repository"
}

// S3Refusal returns why the Service s3 does not answer who has no credentials.
func (n *Namespace) S3Refusal() string {
	n.t.Helper()
	return n.Exec("s3", "shell", "sh", "-c", "wget -T 2 -q -O /dev/null http://s3."+n.Name+".svc:7070/ 2>&1 || true")
}

// StartTask makes a Job of a CronJob, as the library's README says it is done for a restore, and does not wait for its end.
// Settings are variables: TARGET=shop_copy. It is tried once, as a failure is what some tests are about.
func (n *Namespace) StartTask(cronJob, job string, settings ...string) {
	n.t.Helper()
	ctx, yes := context.Background(), true
	from, err := n.Client.BatchV1().CronJobs(n.Name).Get(ctx, cronJob, metav1.GetOptions{})
	require.NoError(n.t, err)
	template := from.Spec.JobTemplate.DeepCopy()
	object := batchv1.Job{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	object.Name = job
	object.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: from.Name, UID: from.UID, Controller: &yes}}
	container := &object.Spec.Template.Spec.Containers[0]
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		index := slices.IndexFunc(container.Env, func(variable corev1.EnvVar) bool { return variable.Name == name })
		require.GreaterOrEqual(n.t, index, 0, "%s has no variable %s", cronJob, name)
		container.Env[index].Value = value
	}
	object.Spec.BackoffLimit = new(int32)
	_, err = n.Client.BatchV1().Jobs(n.Name).Create(ctx, &object, metav1.CreateOptions{FieldValidation: "Strict"})
	require.NoError(n.t, err)
}

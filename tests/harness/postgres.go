package harness

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/ci/testimages"
)

// DatabasePassword is the password of the superuser of the namespace's PostgreSQL, which no other namespace's has, with
// characters that are special to shells, URLs and connection strings.
func (n *Namespace) DatabasePassword() string { return `it's $(a) "pass\word" @/?=&` + n.Name }

// Postgres is a PostgreSQL server of a namespace: a Service of its name, and a Secret `db` with its password.
type Postgres struct {
	n      *Namespace
	name   string
	host   *Namespace // in which its pod is
	pod    string
	port   int
	folder string // of its data
}

// Where a pod of PostgreSQL has its data: that of its own server, and of those of tenants.
const (
	postgresFolder = "/var/lib/postgresql/data"
	postgresData   = postgresFolder + "/pgdata"
	postgresLog    = postgresFolder + "/log"
)

// What a pod of PostgreSQL does. What a killed server has left, there and beside its socket, keeps another from starting, as its
// number is some other process' here. For tenants there is a folder of data to copy, as initdb takes its time, and what their
// servers say.
const (
	postgresOfOne   = `rm -f "$PGDATA/postmaster.pid" /var/run/postgresql/.s.PGSQL.*; exec docker-entrypoint.sh postgres -c fsync=off`
	postgresTenants = `docker-entrypoint.sh postgres -c fsync=off -C port; touch ` + postgresLog + ` "$PGDATA/copied"; exec tail -f ` + postgresLog
)

// postgresCopied tells whether there is what tenants copy.
const postgresCopied = `test -e "$PGDATA/copied"`

// postgresPort is the port of the newest tenant.
var postgresPort atomic.Int32

// Postgres creates the namespace's database server `db`, and waits until it answers.
func (n *Namespace) Postgres() *Postgres {
	n.t.Helper()
	return n.PostgresNamed("db")
}

// PostgresNamed is Postgres with a name of the caller's, for a second server.
func (n *Namespace) PostgresNamed(name string) *Postgres {
	n.t.Helper()
	tenant := n.Name + "-" + name
	p := &Postgres{n, name, sharedPostgres.in(n.t), "db", 10_000 + int(postgresPort.Add(1)), postgresFolder + "/" + tenant}
	n.t.Cleanup(func() {
		_, _ = p.host.TryExec(context.Background(), p.pod, "db", p.command("sh", "-c", `pg_ctl stop -m immediate; rm -rf "$PGDATA"`)...)
	})
	p.Shell(`cp -a ` + postgresData + ` "$PGDATA"`)
	p.Boot()
	p.Ask("postgres", "alter role postgres password '"+strings.ReplaceAll(n.DatabasePassword(), "'", "''")+"'")
	n.databaseSecret()
	n.lead(name, p.host, p.pod, []corev1.ServicePort{{Name: "postgres", Port: 5432}}, map[string]int{"postgres": p.port})
	p.awaitService()
	return p
}

// OwnPostgres creates a database server `db` whose pod is the namespace's too, for a test that kills it or stops it.
func (n *Namespace) OwnPostgres() *Postgres {
	n.t.Helper()
	n.startPostgres(postgresOfOne, "pg_isready -h 127.0.0.1 -U postgres")
	n.Apply(`
apiVersion: v1
kind: Service
metadata: {name: db}
spec:
  selector: {app: db}
  ports: [{name: postgres, port: 5432}]
`)
	p := &Postgres{n, "db", n, "db", 5432, postgresData}
	p.awaitService()
	return p
}

func (n *Namespace) databaseSecret() {
	n.t.Helper()
	n.Apply(`
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {password: '` + strings.ReplaceAll(n.DatabasePassword(), "'", "''") + `'}
`)
}

// startPostgres creates a pod `db` of PostgreSQL that runs a script, with its Secret, and waits until it is ready, as another script
// tells.
func (n *Namespace) startPostgres(script, ready string) {
	n.t.Helper()
	n.databaseSecret()
	n.Apply(`
apiVersion: v1
kind: Pod
metadata:
  name: db
  labels: {app: db}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  shareProcessNamespace: true # for Kill: the first process of a container hears no SIGKILL from within
  securityContext: {runAsNonRoot: true, runAsUser: 999, runAsGroup: 999, fsGroup: 999, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: db
      image: ` + testimages.PostgresRef + `
      command: [sh, -c, '` + script + `']
      env:
        - name: POSTGRES_PASSWORD
          valueFrom: {secretKeyRef: {name: db, key: password}}
        - {name: PGDATA, value: ` + postgresData + `}
      ports: [{containerPort: 5432, name: postgres}]
      startupProbe: # no readinessProbe: a process in the container each second is a tenth of a processor
        exec: {command: [sh, -c, '` + ready + `']}
        periodSeconds: 1
        timeoutSeconds: 5
        failureThreshold: 600
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
	n.ReadyPods("app=db", 1)
}

func (p *Postgres) awaitService() {
	p.n.t.Helper()
	p.n.Eventually(PodStart, "the Service leads to "+p.name, func() bool {
		return strings.HasSuffix(p.Shell("pg_isready -p 5432 -h "+p.name+"."+p.n.Name+".svc || true"), "accepting connections")
	})
}

// command is a command that finds the server by the variables of PostgreSQL's programs.
func (p *Postgres) command(command ...string) []string {
	return append([]string{"env", fmt.Sprintf("PGPORT=%d", p.port), "PGDATA=" + p.folder}, command...)
}

// Ask runs SQL in a database as the superuser, and returns the answer: rows by lines, columns by |.
func (p *Postgres) Ask(database, sql string) string {
	p.n.t.Helper()
	return p.host.Exec(p.pod, "db", p.command("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c", sql)...)
}

// Shell runs a script in the server's pod, with the server's own tools, and returns what it prints.
func (p *Postgres) Shell(script string) string {
	p.n.t.Helper()
	return p.host.Exec(p.pod, "db", p.command("sh", "-ec", script)...)
}

// Stop ends the server, which stays where it is.
func (p *Postgres) Stop() {
	p.n.t.Helper()
	p.Shell("pg_ctl stop -m immediate")
}

// Boot starts a tenant's server, after Stop too, and waits until it takes connections.
func (p *Postgres) Boot() {
	p.n.t.Helper()
	p.Shell(fmt.Sprintf(`pg_ctl start -w -t 120 -l %s -o "-p $PGPORT -c fsync=off -c cluster_name=%s-%s"`, postgresLog, p.n.Name, p.name))
}

// Start runs SQL, and does not wait for its end. It ends with the test at the latest.
func (p *Postgres) Start(database, sql string) {
	p.n.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p.n.t.Cleanup(cancel)
	go func() {
		// That the session is ended from elsewhere is no error.
		_, _ = p.host.TryExec(ctx, p.pod, "db", p.command("psql", "-XqAt", "-U", "postgres", "-d", database, "-c", sql)...)
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

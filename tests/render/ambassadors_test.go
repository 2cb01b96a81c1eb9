package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// pooled is an ambassador whose password a Secret has.
const pooled = `
outrigger:
  ambassadors:
    db:
      pgbouncer: {secret: db, user: shop, host: postgres, database: shop}
`

// refreshed is an ambassador whose password a refresher has.
const refreshed = `
outrigger:
  tokenRefreshers:
    token:
      awsRds: {host: shop.rds.example, port: 5433, user: shop, region: eu-central-1}
      file: {path: /tokens/users.txt, format: pgbouncer}
  ambassadors:
    db:
      pgbouncer: {tokenRefresher: token, database: shop}
`

// ambassador is what the ambassador db is rendered as: its pod, its container, and what its program does.
type ambassador struct {
	pod       corev1.PodSpec
	container corev1.Container
	does      document.PgBouncer
}

func renderAmbassador(t *testing.T, values string, settings ...harness.Settings) ambassador {
	t.Helper()
	rendered := ambassador{pod: renderPod(t, appPod+values, settings...).Spec}
	for _, container := range append(rendered.pod.InitContainers, rendered.pod.Containers...) {
		if container.Name == "db" {
			rendered.container = container
		}
	}
	require.NotEmpty(t, rendered.container.Name, "the pod has the ambassador")
	rendered.does = documentOf[document.PgBouncer](t, rendered.container, "pgbouncer")
	return rendered
}

// folders returns where a container has which of the pod's volumes.
func folders(container corev1.Container) map[string]string {
	all := map[string]string{}
	for _, mount := range container.VolumeMounts {
		all[mount.MountPath] = mount.Name
	}
	return all
}

func TestPgBouncerStartsTheAppOnceAQueryHasGoneThroughIt(t *testing.T) {
	t.Parallel()
	db := renderAmbassador(t, pooled)

	assert.Equal(t, []string{"outrigger-install", "db"}, containerNames(db.pod.InitContainers))
	assert.Equal(t, corev1.ContainerRestartPolicyAlways, *db.container.RestartPolicy)
	assert.Equal(t, "ghcr.io/cloudnative-pg/pgbouncer:1.25.2", db.container.Image)
	assert.Equal(t, []string{"/outrigger-program/outrigger", "pgbouncer"}, db.container.Command)
	assert.Equal(t, []string{"/outrigger-program/outrigger-probe", "started"}, db.container.StartupProbe.Exec.Command)
	assert.Equal(t, []string{"/outrigger-program/outrigger-probe", "ready"}, db.container.ReadinessProbe.Exec.Command)
	assert.True(t, *db.container.SecurityContext.ReadOnlyRootFilesystem)
	assert.True(t, *db.container.SecurityContext.RunAsNonRoot)
}

func TestPgBouncerReadsASecretsPasswordFromAFile(t *testing.T) {
	t.Parallel()
	db := renderAmbassador(t, strings.Replace(pooled, "secret: db", "secret: {name: db, key: pass}", 1))

	assert.Equal(t, "/outrigger-password/password", db.does.PasswordFile)
	assert.Equal(t, "shop", db.does.User)
	assert.Equal(t, "shop", db.does.ProofDatabase)
	assert.Empty(t, db.does.AuthFile)
	name := folders(db.container)["/outrigger-password"]
	for _, volume := range db.pod.Volumes {
		if volume.Name == name {
			assert.Equal(t, "db", volume.Secret.SecretName)
			assert.Equal(t, []corev1.KeyToPath{{Key: "pass", Path: "password"}}, volume.Secret.Items)
		}
	}
}

func TestPgBouncerTakesTheFileAndTheServerOfItsRefresher(t *testing.T) {
	t.Parallel()
	db := renderAmbassador(t, refreshed)

	assert.Equal(t, []string{"outrigger-install", "token", "db"}, containerNames(db.pod.InitContainers))
	assert.Equal(t, "/tokens/users.txt", db.does.AuthFile)
	assert.Equal(t, map[string]document.PgBouncerDatabase{"shop": {Host: "shop.rds.example", Port: 5433, Database: "shop"}}, db.does.Databases)
	for _, mount := range db.container.VolumeMounts {
		if mount.MountPath == "/tokens" {
			assert.False(t, mount.ReadOnly, "how a proof ended stands beside the file")
		}
	}
	assert.Equal(t, folders(db.pod.InitContainers[1])["/tokens"], folders(db.container)["/tokens"])
}

func TestPgBouncerFindsTheFileOfItsRefresherOnASharedVolume(t *testing.T) {
	t.Parallel()
	db := renderAmbassador(t, refreshed+"  volumes: {shared: {mountPath: /tokens}}\n")

	assert.Equal(t, "shared", folders(db.container)["/tokens"])
}

func TestPgBouncerVerifiesTheServerUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	public := renderAmbassador(t, pooled)
	own := renderAmbassador(t, strings.Replace(pooled, "database: shop", "database: shop, tls: {ca: {configMap: {name: ca, key: ca.pem}}}", 1))
	none := renderAmbassador(t, strings.Replace(pooled, "database: shop", "database: shop, tls: {mode: disable}", 1))

	assert.Equal(t, "verify-full", public.does.Settings["server_tls_sslmode"])
	assert.NotContains(t, public.does.Settings, "server_tls_ca_file", "the program has those of the public authorities")
	assert.Equal(t, "verify-full", own.does.Settings["server_tls_sslmode"])
	assert.Equal(t, "/outrigger-ca/ca.crt", own.does.Settings["server_tls_ca_file"])
	assert.Contains(t, folders(own.container), "/outrigger-ca")
	assert.Equal(t, "disable", none.does.Settings["server_tls_sslmode"])
	assert.NotContains(t, none.does.Settings, "server_tls_ca_file")
}

func TestPgBouncersSettingsAreTheLibrarysAndOverThemTheValues(t *testing.T) {
	t.Parallel()
	db := renderAmbassador(t, strings.Replace(pooled, "database: shop", `databases: {b: {database: "it's", poolMode: session, poolSize: 3}, a: {host: other}},
        poolMode: statement, maxClientConn: 50, settings: {server_lifetime: 600, server_fast_close: true, application_name_add_host: false}`, 1))

	assert.Equal(t, map[string]document.PgBouncerDatabase{
		"a": {Host: "other", Port: 5432, Database: "a"},
		"b": {Host: "postgres", Port: 5432, Database: "it's", PoolMode: "session", PoolSize: 3},
	}, db.does.Databases)
	assert.Equal(t, map[string]string{
		"application_name_add_host": "0", "ignore_startup_parameters": "extra_float_digits", "log_connections": "0", "log_disconnections": "0",
		"max_client_conn": "50", "pool_mode": "statement", "server_fast_close": "1", "server_lifetime": "600", "server_login_retry": "1",
		"server_tls_sslmode": "verify-full",
	}, db.does.Settings)
	assert.Equal(t, "b", db.does.ProofDatabase, "the password is for the server that is the ambassador's own")
}

func TestPgBouncerMayListenOnAUnixSocketThatTheAppHasAndNoPort(t *testing.T) {
	t.Parallel()
	onNode := strings.Replace(appPod, "  spec:\n", "  spec:\n    hostNetwork: true\n", 1)
	require.NotEqual(t, appPod, onNode)

	db := ambassador{pod: renderPod(t, onNode+strings.Replace(pooled, "database: shop", "database: shop, listen: socket", 1)).Spec}
	db.container = db.pod.InitContainers[1]

	assert.Equal(t, document.PgBouncerListen{Port: 6432, Directory: "/run/outrigger-db"}, documentOf[document.PgBouncer](t, db.container, "pgbouncer").Listen)
	assert.Empty(t, db.container.Ports, "in the node's network too: the socket is the pod's own")
	name := folders(db.container)["/run/outrigger-db"]
	assert.Contains(t, db.pod.Containers[0].VolumeMounts, corev1.VolumeMount{Name: name, MountPath: "/run/outrigger-db"})
}

func TestPgBouncersMetricsAreServedWhereTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	db := renderAmbassador(t, strings.Replace(pooled, "database: shop", "database: shop, metrics: {port: 9127}", 1))

	assert.Equal(t, &document.Metrics{Port: 9127}, db.does.Metrics)
	assert.Contains(t, db.container.Ports, corev1.ContainerPort{Name: "metrics-9127", ContainerPort: 9127})
}

func TestAClassicPgBouncerOutlastsTheApp(t *testing.T) {
	t.Parallel()
	native := renderAmbassador(t, pooled)
	classic := renderAmbassador(t, pooled, harness.Settings{KubeVersion: "v1.27.16"})

	assert.NotContains(t, variables(native.container), "LINGER_SECONDS")
	assert.Equal(t, "30", variables(classic.container)["LINGER_SECONDS"])
	assert.Equal(t, int64(37), *classic.pod.TerminationGracePeriodSeconds)
	assert.EqualValues(t, 3, classic.does.Stop)
	assert.Equal(t, []string{"app", "db"}, containerNames(classic.pod.Containers))
}

func TestAnAmbassadorSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ settings, want string }{
		"kind":          {"{}", "outrigger.ambassadors.db: says no kind of proxy; set pgbouncer"},
		"password":      {"{pgbouncer: {host: a, database: b}}", "pgbouncer has no password; set tokenRefresher"},
		"two passwords": {"{pgbouncer: {host: a, database: b, secret: c, user: d, tokenRefresher: e}}", "pgbouncer has a tokenRefresher and a secret; leave one of them out"},
		"user":          {"{pgbouncer: {host: a, database: b, secret: c}}", "pgbouncer.user is missing; set it to the user whose password the secret has"},
		"host":          {"{pgbouncer: {database: b, secret: c, user: d}}", "the server of the database b is missing; set pgbouncer.host"},
		"database":      {"{pgbouncer: {host: a, secret: c, user: d}}", "pgbouncer has no database; set pgbouncer.database"},
		"refresher":     {"{pgbouncer: {host: a, database: b, tokenRefresher: other}}", "there is no tokenRefreshers.other; add it"},
		"owned":         {"{pgbouncer: {host: a, database: b, secret: c, user: d, settings: {auth_type: any}}}", "pgbouncer.settings.auth_type is the library's: pgbouncer listens to the pod alone"},
		"its own key":   {"{pgbouncer: {host: a, database: b, secret: c, user: d, settings: {pool_mode: session}}}", "pgbouncer.settings.pool_mode has a key of its own; set pgbouncer.poolMode"},
		"line break":    {`{pgbouncer: {host: a, database: b, secret: c, user: d, settings: {server_check_query: "a\nauth_type = any"}}}`, "has a line break, which its configuration cannot hold; remove it"},
		"console":       {"{pgbouncer: {host: a, database: pgbouncer, secret: c, user: d}}", "a database is named pgbouncer, which is pgbouncer's own console"},
		"its name":      {"{pgbouncer: {host: a, secret: c, user: d, databases: {a b: {}}}}", `outrigger.ambassadors.db: pgbouncer.databases.a b: "a b" is no name that pgbouncer's configuration can hold; give it one of letters, digits, _, . and -`},
		"that of one":   {`{pgbouncer: {host: a, secret: c, user: d, database: '{{ "a b" }}'}}`, `outrigger.ambassadors.db: pgbouncer.database: "a b" is no name`},
		"one by name":   {"{pgbouncer: {host: a, secret: c, user: d, databases: {pgbouncer: {}}}}", "outrigger.ambassadors.db: a database is named pgbouncer"},
		"a setting":     {"{pgbouncer: {host: a, database: b, secret: c, user: d, settings: {Pool Mode: 1}}}", `outrigger.ambassadors.db: pgbouncer.settings.Pool Mode is no setting's name; write it as pgbouncer does`},
		"two CAs":       {"{pgbouncer: {host: a, database: b, secret: c, user: d, tls: {ca: {secret: {name: e, key: f}, configMap: {name: e, key: f}}}}}", "pgbouncer.tls.ca has a secret and a configMap; leave one of them out"},
		"CA of nothing": {"{pgbouncer: {host: a, database: b, secret: c, user: d, tls: {ca: {}}}}", "pgbouncer.tls.ca"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Contains(t, harness.Consumer(t).RenderError(t, appPod+"outrigger: {ambassadors: {db: "+test.settings+"}}\n"), test.want)
		})
	}
}

func TestPgBouncerSaysWhichPoolIsLargerThanItsDatabasesConnections(t *testing.T) {
	t.Parallel()
	for sizes, want := range map[string]string{
		"defaultPoolSize: 21, maxDbConnections: 20":                     "pgbouncer.defaultPoolSize: 21 is more than maxDbConnections (20), which no pool goes beyond; lower it, or raise maxDbConnections",
		"reservePoolSize: 21, maxDbConnections: 20":                     "pgbouncer.reservePoolSize: 21 is more than maxDbConnections (20)",
		"defaultPoolSize: 16, reservePoolSize: 5, maxDbConnections: 20": "pgbouncer.defaultPoolSize: 16, with reservePoolSize (5), is more than maxDbConnections (20)",
		"databases: {reports: {poolSize: 21}}, maxDbConnections: 20":    "pgbouncer.databases.reports.poolSize: 21 is more than maxDbConnections (20)",
	} {
		message := harness.Consumer(t).RenderError(t, appPod+strings.Replace(pooled, "database: shop", "database: shop, "+sizes, 1))

		assert.Contains(t, message, "1 problem(s)", sizes)
		assert.Contains(t, message, "outrigger.ambassadors.db: "+want, sizes)
	}
	for _, sizes := range []string{
		"defaultPoolSize: 15, reservePoolSize: 5, maxDbConnections: 20", "defaultPoolSize: 100", "maxDbConnections: 10",
		"defaultPoolSize: 100, maxDbConnections: 0",
	} {
		renderAmbassador(t, strings.Replace(pooled, "database: shop", "database: shop, "+sizes, 1))
	}
}

func TestAnAmbassadorSaysWhatIsWrongWithItsRefresher(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ was, is, want string }{
		"another":    {"tokenRefresher: token", "tokenRefresher: tokens", "there is no tokenRefreshers.tokens; set one of token"},
		"off":        {"awsRds:", "enabled: false\n      awsRds:", "tokenRefreshers.token is off (enabled: false)"},
		"its format": {"format: pgbouncer", "format: pgpass", "the file of tokenRefreshers.token has the format pgpass; set its file.format to pgbouncer"},
		"users of its own": {"awsRds: {host: shop.rds.example, port: 5433, user: shop, region: eu-central-1}", "vault: {address: \"https://vault\", path: database/creds/shop}",
			"each credential of tokenRefreshers.token has a user of its own"},
		"elsewhere": {"awsRds:", "workloads: [other]\n      awsRds:", "tokenRefreshers.token is only in the workloads other; give this ambassador the same"},
		"late":      {"awsRds:", "order: 400\n      awsRds:", "tokenRefreshers.token would start after this ambassador"},
		"later":     {"awsRds:", "afterInit: true\n      awsRds:", "tokenRefreshers.token would start after this ambassador"},
		"a user":    {"database: shop", "database: shop, user: shop", "pgbouncer.user means nothing beside tokenRefresher"},
	} {
		t.Run(name, func(t *testing.T) {
			values := strings.Replace(refreshed, test.was, test.is, 1)
			assert.Contains(t, harness.Consumer(t).RenderError(t, appPod+values), test.want)
		})
	}
}

func TestARefresherKnowsItsAmbassadorsAlsoByATemplate(t *testing.T) {
	t.Parallel()
	db := renderAmbassador(t, strings.Replace(refreshed, "tokenRefresher: token", "tokenRefresher: '{{ printf `token` }}'", 1))

	assert.Equal(t, []string{"db"}, documentOf[document.Token](t, db.pod.InitContainers[1], "token").Provers)
}

func TestARefresherAndAnAmbassadorOfOneNameAreOneProblem(t *testing.T) {
	t.Parallel()
	message := harness.Consumer(t).RenderError(t, appPod+strings.NewReplacer("    token:", "    db:", "tokenRefresher: token", "tokenRefresher: db").Replace(refreshed))

	assert.Contains(t, message, `1 problem(s) in chart "shop":
- outrigger.tokenRefreshers.db and outrigger.ambassadors.db: both make a container "db"; rename one of them`)
}

func TestAnAmbassadorOfAPodWithoutAWorkloadSaysThatItsRefresherIsNotThere(t *testing.T) {
	t.Parallel()
	chart := harness.NewChart(t, map[string]string{"templates/pod.yaml": `
apiVersion: v1
kind: Pod
metadata: {name: web}
{{ include "outrigger.podTemplate" (dict "context" . "podTemplate" .Values.pod) }}`})

	message := chart.RenderError(t, appPod+strings.Replace(refreshed, "awsRds:", "workloads: [web]\n      awsRds:", 1))

	assert.Contains(t, message, "tokenRefreshers.token is only in the workloads web; give this ambassador the same, or change its")
}

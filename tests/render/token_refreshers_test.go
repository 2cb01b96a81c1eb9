package render

import (
	"regexp"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

const rdsHost = "shop.abc123.eu-west-1.rds.amazonaws.com"

// rdsToken is a refresher whose file the app itself reads.
const rdsToken = `
outrigger:
  tokenRefreshers:
    db:
      awsRds: {host: ` + rdsHost + `, user: shop, region: eu-west-1}
      file: {path: /tokens/pgpass, format: pgpass}
`

// anyToken is a refresher with a command, and further lines of its entry.
func anyToken(lines ...string) string {
	return `
outrigger:
  tokenRefreshers:
    db:
      ` + strings.Join(lines, "\n      ") + "\n"
}

const printed = `exec: {image: "tool:1", command: [print-token]}`

func TestATokenRefresherStartsTheAppWithACredentialAndIsReadyWhileItIsValid(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+rdsToken)

	refresher := container(t, pod, "db")
	assert.Equal(t, corev1.ContainerRestartPolicyAlways, *refresher.RestartPolicy)
	assert.Equal(t, []string{"/outrigger", "token"}, refresher.Command)
	assert.Equal(t, []string{"/outrigger-probe", "started"}, refresher.StartupProbe.Exec.Command)
	assert.Equal(t, []string{"/outrigger-probe", "ready"}, refresher.ReadinessProbe.Exec.Command)
	assert.True(t, *refresher.SecurityContext.ReadOnlyRootFilesystem)
	assert.Equal(t, testimages.OutriggerRef, refresher.Image)
	assert.Equal(t, document.Token{
		Name:   "db",
		File:   document.TokenFile{Path: "/tokens/pgpass", Format: "pgpass", Mode: "0600", User: "shop", Host: rdsHost, Port: "5432"},
		AWSRDS: &document.AWSRDS{Host: rdsHost, Port: 5432, User: "shop", Region: "eu-west-1"},
	}, documentOf[document.Token](t, refresher, "token"), "libpq reads no password file that others may")
	assert.Equal(t, []string{"db"}, containerNames(pod.Spec.InitContainers), "nothing is copied")
}

func TestAPodMayStayReadyWhenItsCredentialHasExpired(t *testing.T) {
	t.Parallel()
	refresher := container(t, renderPod(t, appPod+rdsToken+"      readinessProbe: {enabled: false}\n"), "db")

	assert.Nil(t, refresher.ReadinessProbe)
	assert.NotNil(t, refresher.StartupProbe)
}

func TestARefreshersMetricsAreServedWhereTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	refresher := container(t, renderPod(t, appPod+rdsToken+"      metrics: {port: 9402}\n"), "db")

	assert.Equal(t, &document.TokenMetrics{Port: 9402, Owner: "demo-shop"}, documentOf[document.Token](t, refresher, "token").Metrics)
	assert.Equal(t, []corev1.ContainerPort{{Name: "metrics-9402", ContainerPort: 9402}}, refresher.Ports)
}

func TestACredentialThatExpiresAlarmsAndSoDoesOneThatIsNotRenewed(t *testing.T) {
	t.Parallel()
	made := rule(t, rdsToken+"      metrics: {port: 9402, alerts: true, ruleLabels: {prometheus: ours}}\n  cluster: eu\n")

	assert.Equal(t, "ours", made.Labels["prometheus"])
	require.Len(t, made.Spec.Groups[0].Rules, 2)
	expires, fails := made.Spec.Groups[0].Rules[0], made.Spec.Groups[0].Rules[1]
	assert.Equal(t, "OutriggerCredentialExpires", expires.Alert)
	const of = `{namespace="default",owner="demo-shop",refresher="db"}`
	assert.Equal(t, "outrigger_credential_ready_until_timestamp_seconds"+of+" < timestamp(outrigger_credential_ready_until_timestamp_seconds"+of+")", expires.Expr.String())
	require.NotNil(t, expires.For)
	assert.Equal(t, monitoringv1.Duration("30s"), *expires.For, "the figure is a minute before the expiry, or less where it lives for less than ten")
	assert.Equal(t, map[string]string{"severity": "critical", "namespace": "default", "cluster": "eu"}, expires.Labels)
	assert.Contains(t, expires.Annotations["summary"], "db in the pod {{ $labels.pod }}")
	assert.Equal(t, "OutriggerCredentialNotRenewed", fails.Alert)
	assert.Equal(t, "outrigger_credential_consecutive_failures"+of+" > 0", fails.Expr.String())
	assert.Equal(t, monitoringv1.Duration("10m"), *fails.For)
	assert.Equal(t, map[string]string{"severity": "warning", "namespace": "default", "cluster": "eu"}, fails.Labels)
	assert.Contains(t, fails.Annotations["summary"], "db in the pod {{ $labels.pod }}")
}

func TestTwoReleasesOfANamespaceDoNotRaiseEachOthersAlarms(t *testing.T) {
	t.Parallel()
	values := appPod + rdsToken + "      metrics: {port: 9402, alerts: true}\n"
	owners := map[string]bool{}
	for _, release := range []string{"one", "two"} {
		text, err := yaml.Marshal(harness.Consumer(t).RenderMaps(t, values, harness.Settings{Release: release}))
		require.NoError(t, err)
		owner := regexp.MustCompile(`"owner": "([^"]+)"`).FindStringSubmatch(string(text))
		require.NotNil(t, owner, "the metrics say whose they are")
		assert.Equal(t, 3, strings.Count(string(text), `owner="`+owner[1]+`"`), "in each of the alarms' expressions")
		owners[owner[1]] = true
	}
	assert.Len(t, owners, 2)
}

func TestAuthoritiesOfTheValuesAreAFileThatIsTrustedBesides(t *testing.T) {
	t.Parallel()
	for source, of := range map[string]func(corev1.Volume) (string, []corev1.KeyToPath){
		"configMap": func(v corev1.Volume) (string, []corev1.KeyToPath) { return v.ConfigMap.Name, v.ConfigMap.Items },
		"secret":    func(v corev1.Volume) (string, []corev1.KeyToPath) { return v.Secret.SecretName, v.Secret.Items },
	} {
		t.Run(source, func(t *testing.T) {
			pod := renderPod(t, appPod+rdsToken+"      trust: {"+source+": {name: ours, key: root.pem}}\n")

			refresher := container(t, pod, "db")
			assert.Equal(t, "/outrigger-trust/ca.crt", documentOf[document.Token](t, refresher, "token").Trust)
			name, items := of(volumeOf(t, pod, folders(refresher)["/outrigger-trust"]))
			assert.Equal(t, "ours", name)
			assert.Equal(t, []corev1.KeyToPath{{Key: "root.pem", Path: "ca.crt"}}, items)
		})
	}
}

func TestTheAppReadsACredentialFromAVolumeInMemoryThatItCannotWrite(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+rdsToken)

	mount := corev1.VolumeMount{Name: "outrigger-db-token", MountPath: "/tokens", ReadOnly: true}
	assert.Contains(t, pod.Spec.Containers[0].VolumeMounts, mount)
	mount.ReadOnly = false
	assert.Contains(t, container(t, pod, "db").VolumeMounts, mount)
	for _, volume := range pod.Spec.Volumes {
		if strings.HasPrefix(volume.Name, "outrigger-db") {
			assert.Equal(t, corev1.StorageMediumMemory, volume.EmptyDir.Medium, volume.Name)
		}
	}
}

func TestWhatPgBouncerReadsTheAppDoesNotHaveUnlessItIsNamed(t *testing.T) {
	t.Parallel()
	file := func(more string) string {
		return anyToken(printed, "ttl: 15m", "file: {path: /tokens/users.txt, format: pgbouncer, user: shop"+more+"}")
	}

	without := renderPod(t, appPod+file(""))
	with := renderPod(t, appPod+file(", containers: [app]"))

	assert.NotContains(t, mountNames(without.Spec.Containers[0]), "outrigger-db-token")
	assert.Contains(t, mountNames(with.Spec.Containers[0]), "outrigger-db-token")
}

func mountNames(container corev1.Container) (names []string) {
	for _, mount := range container.VolumeMounts {
		names = append(names, mount.Name)
	}
	return names
}

func TestAFileInAVolumeOfTheAppsNeedsNoOther(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+anyToken(printed, "ttl: 15m", "file: {path: /shared/token, format: raw}")+`
  volumes:
    shared: {mountPath: /shared}
`)

	refresher := container(t, pod, "db")
	assert.Contains(t, refresher.VolumeMounts, corev1.VolumeMount{Name: "shared", MountPath: "/shared"})
	for _, volume := range pod.Spec.Volumes {
		assert.NotEqual(t, "outrigger-db-token", volume.Name)
	}
}

func TestACommandIsRunAsItIsWrittenAndWhatItPrintsIsReadAsTheValuesSay(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+anyToken(
		`exec: {image: "tool:1", command: [print-token, --format, "$(X)"], output: json, pointers: {password: /a/b, expiresAt: /c}, timeout: 1m}`,
		"file: {path: /tokens/t, format: template, template: \"x=${password:url} $$(X) $${\", mode: \"0400\"}",
		"retry: {delay: 2s, maxDelay: 5m}"))

	refresher := container(t, pod, "db")
	assert.Equal(t, "tool:1", refresher.Image)
	assert.Equal(t, []string{"/outrigger-program/outrigger", "token"}, refresher.Command)
	assert.Equal(t, []string{"/outrigger-program/outrigger-probe", "ready"}, refresher.ReadinessProbe.Exec.Command)
	assert.Equal(t, document.Token{
		Name:  "db",
		File:  document.TokenFile{Path: "/tokens/t", Format: "template", Mode: "0400", Template: "x=${password:url} $$(X) $${"},
		Retry: document.Retry{Delay: 2, MaxDelay: 300},
		Exec: &document.TokenExec{
			Command: []string{"print-token", "--format", "$(X)"}, Output: "json", Timeout: 60,
			Pointers: document.TokenPointers{Password: "/a/b", ExpiresAt: "/c"},
		},
	}, documentOf[document.Token](t, refresher, "token"))
}

func TestALineIsRunByTheImagesShellAndAListAsItIs(t *testing.T) {
	t.Parallel()
	does := func(command string) document.Token {
		return documentOf[document.Token](t, container(t, renderPod(t, appPod+anyToken(
			`exec: {image: "tool:1", command: [print-token], explain: `+command+`}`, "ttl: 15m", "file: {path: /tokens/t, format: raw}",
			"notify: {exec: {command: "+command+"}}")), "db"), "token")
	}

	line, list := does("say it"), does("[say, it]")

	assert.Equal(t, []string{"sh", "-c", "say it"}, line.Exec.Explain)
	assert.Equal(t, []string{"sh", "-c", "say it"}, line.Notify.Exec.Command)
	assert.Equal(t, []string{"say", "it"}, list.Exec.Explain)
	assert.Equal(t, []string{"say", "it"}, list.Notify.Exec.Command)
}

func TestACommandHasTheVariablesThatTheValuesGiveItWhateverTheirNames(t *testing.T) {
	t.Parallel()
	const given = `{HOST: here, PORT: "9000", FILE: a, FORMAT: b, MODE: c, OUTPUT: d, TTL: e, DATABASE: f, USERNAME: g, TOOLS: h}`

	pod := renderPod(t, appPod+anyToken(`exec: {image: "tool:1", command: [print-token]}`, "ttl: 5m", "env: "+given,
		"file: {path: /tokens/t, format: pgpass, user: shop, host: db, port: 5432, database: shop}"))

	refresher := container(t, pod, "db")
	env := variables(refresher)
	for name, value := range map[string]string{"HOST": "here", "PORT": "9000", "FILE": "a", "FORMAT": "b", "MODE": "c", "OUTPUT": "d", "TTL": "e"} {
		assert.Equal(t, value, env[name], name)
	}
	assert.Equal(t, "db", documentOf[document.Token](t, refresher, "token").File.Host)
}

func TestEachProviderIsAFewFields(t *testing.T) {
	t.Parallel()
	file := "file: {path: /tokens/t, format: json}"
	for name, provider := range map[string]struct {
		values string
		want   document.Token
	}{
		"Google": {"googleCloudSql: {user: shop@project.iam}", document.Token{GoogleCloudSQL: &document.GoogleCloudSQL{User: "shop@project.iam"}}},
		"Azure":  {"azureDatabase: {user: shop}", document.Token{AzureDatabase: &document.AzureDatabase{User: "shop"}}},
		"DSQL": {"awsDsql: {host: abc.dsql.eu-west-1.on.aws, user: admin, secret: keys}", document.Token{
			AWSDSQL: &document.AWSDSQL{Host: "abc.dsql.eu-west-1.on.aws", User: "admin", CredentialsDirectory: "/outrigger-credentials"}}},
		"Vault": {"vault: {address: \"https://vault:8200\", namespace: team, path: database/creds/shop, role: shop}", document.Token{
			Vault: &document.Vault{Address: "https://vault:8200", Namespace: "team", Path: "database/creds/shop",
				Kubernetes: &document.VaultKubernetes{Role: "shop", TokenFile: "/outrigger-vault/token"}}}},
		"Vault by an AppRole": {"vault: {address: \"https://vault:8200\", path: kv/data/shop, engine: kv, appRole: {secret: approle, authPath: ours}}\n      ttl: 15m", document.Token{
			TTL: 900,
			Vault: &document.Vault{Address: "https://vault:8200", Path: "kv/data/shop", Engine: "kv",
				AppRole: &document.VaultAppRole{RoleIDFile: "/outrigger-vault/role_id", SecretIDFile: "/outrigger-vault/secret_id", Mount: "ours"}}}},
		"Vault by a token": {"vault: {address: \"https://vault:8200\", path: database/creds/shop, tokenSecret: {name: vault, key: t}}", document.Token{
			Vault: &document.Vault{Address: "https://vault:8200", Path: "database/creds/shop", TokenFile: "/outrigger-vault/token"}}},
	} {
		t.Run(name, func(t *testing.T) {
			does := documentOf[document.Token](t, container(t, renderPod(t, appPod+anyToken(provider.values, file)), "db"), "token")

			does.Name, does.File = "", document.TokenFile{}
			assert.Equal(t, provider.want, does)
		})
	}
}

func TestVaultIsToldAServiceAccountsTokenWhateverThePodMounts(t *testing.T) {
	t.Parallel()
	closed := strings.Replace(appPod, "  spec:\n", "  spec:\n    automountServiceAccountToken: false\n", 1)
	pod := renderPod(t, closed+anyToken(`vault: {address: "https://vault:8200", path: database/creds/shop, role: shop}`, "file: {path: /tokens/t, format: json}"))

	refresher := container(t, pod, "db")
	token := volumeOf(t, pod, folders(refresher)["/outrigger-vault"]).Projected.Sources[0].ServiceAccountToken
	assert.Equal(t, "token", token.Path)
	assert.NotContains(t, folders(pod.Spec.Containers[0]), "/outrigger-vault", "it is the refresher's alone")
}

func TestAUserThatTheFileNamesStandsInPlaceOfTheCredentialsOwn(t *testing.T) {
	t.Parallel()
	file := func(file string) document.TokenFile {
		pod := renderPod(t, appPod+anyToken(`vault: {address: "https://vault:8200", path: database/creds/shop}`, "file: {path: /tokens/t, format: json"+file+"}"))
		return documentOf[document.Token](t, container(t, pod, "db"), "token").File
	}

	assert.Empty(t, file("").User)
	assert.Equal(t, "shop", file(", user: shop").User)
}

func TestSigningKeysComeFromASecretAsFilesSoThatChangedOnesAreUsed(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+strings.Replace(rdsToken, "region: eu-west-1", "region: eu-west-1, secret: aws-keys", 1))

	refresher := container(t, pod, "db")
	assert.Equal(t, "/outrigger-credentials", documentOf[document.Token](t, refresher, "token").AWSRDS.CredentialsDirectory)
	assert.Contains(t, refresher.VolumeMounts, corev1.VolumeMount{Name: "outrigger-db-aws", MountPath: "/outrigger-credentials", ReadOnly: true})
	assert.NotContains(t, mountNames(pod.Spec.Containers[0]), "outrigger-db-aws")
}

func TestWhatIsWrongWithATokenRefresherIsSaidWithItsMend(t *testing.T) {
	t.Parallel()
	file := "file: {path: /tokens/t, format: raw}"
	for name, wrong := range map[string]struct{ values, message string }{
		"no provider":           {anyToken(file), "needs one provider and has none; set one of awsDsql, awsRds, azureDatabase, exec, googleCloudSql, vault"},
		"two providers":         {anyToken(printed, "googleCloudSql: {user: a}", file), "needs one provider and has exec and googleCloudSql"},
		"no file":               {anyToken(printed, "ttl: 15m"), "file.path is missing"},
		"no format":             {anyToken(printed, "ttl: 15m", "file: {path: /tokens/t}"), "file.format is missing; set it to one of pgbouncer, pgpass, env, json, raw, template"},
		"a path with dots":      {anyToken(printed, "ttl: 15m", "file: {path: /tokens/../etc/t, format: raw}"), `file.path is "/tokens/../etc/t"; set it to an absolute path without . and ..`},
		"a file in the root":    {anyToken(printed, "ttl: 15m", "file: {path: \"/{{ `` }}/t\", format: raw}"), `file.path is "//t"`},
		"a folder":              {anyToken(printed, "ttl: 15m", "file: {path: /tokens/t/, format: raw}"), `file.path is "/tokens/t/"`},
		"no time":               {anyToken(printed, "ttl: 0s", file), "ttl is 0; set it to how long a credential lives"},
		"one file for two":      {anyToken(printed, "ttl: 15m", file) + second("/tokens/t"), "file.path is also that of tokenRefreshers.db; change one of them"},
		"one folder for two":    {anyToken(printed, "ttl: 15m", file) + second("/tokens/u"), "file.path is in /tokens, as is that of tokenRefreshers.db, and each would mount a volume of its own there; choose another folder, or add volumes.NAME.mountPath: /tokens for both"},
		"no lifetime":           {anyToken(printed, file), "ttl is missing: a credential that is printed alone does not say how long it lives"},
		"no image":              {anyToken("exec: {command: [a]}", "ttl: 15m", file), "exec.image is missing"},
		"no command":            {anyToken("exec: {image: a}", "ttl: 15m", file), "exec.command is missing"},
		"no user for pgbouncer": {anyToken(printed, "ttl: 15m", "file: {path: /tokens/t, format: pgbouncer}"), "file.user is missing, which the format pgbouncer needs"},
		"no template":           {anyToken(printed, "ttl: 15m", "file: {path: /tokens/t, format: template}"), "file.template is missing"},
		"a needless template":   {anyToken(printed, "ttl: 15m", "file: {path: /tokens/t, format: raw, template: a}"), "file.template means nothing beside format raw"},
		"pointers without JSON": {anyToken("exec: {image: a, command: [a], pointers: {password: /a}}", "ttl: 15m", file), "exec.pointers means nothing beside output: raw"},
		"a signal to nobody":    {anyToken(printed, "ttl: 15m", file, "notify: {signal: {process: nginx}}"), "set shareProcessNamespace: true"},
		"no host of RDS":        {anyToken("awsRds: {user: a}", file), "awsRds.host is missing"},
		"two regions":           {strings.Replace(rdsToken, "region: eu-west-1", "region: eu-west-2", 1), "awsRds.region is eu-west-2, but the host is in eu-west-1"},
		"no host of DSQL":       {anyToken("awsDsql: {user: a}", file), "awsDsql.host is missing"},
		"a command of nobody's": {anyToken("googleCloudSql: {user: a}", file, "notify: {exec: {command: [a]}}"), "notify.exec runs in the refresher's container, whose image has no other program"},
		"a key-value store":     {anyToken("vault: {address: \"http://v\", path: kv/data/a, engine: kv}", file), "ttl is missing: a key-value store does not say how long a secret lives"},
		"two logins to Vault":   {anyToken("vault: {address: \"http://v\", path: a/b, role: a, tokenSecret: b}", file), "vault logs in by one of role and tokenSecret; leave the others out"},
		"two authorities":       {anyToken(printed, "ttl: 15m", file, "trust: {secret: {name: a, key: b}, configMap: {name: a, key: b}}"), "trust has a secret and a configMap"},
		"no path in Vault":      {anyToken("vault: {address: \"http://v\"}", file), "vault.path is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			message := harness.Consumer(t).RenderError(t, appPod+wrong.values)

			assert.Contains(t, message, "outrigger.tokenRefreshers.db")
			assert.Contains(t, message, wrong.message)
		})
	}
}

// second is a second refresher, after anyToken's.
func second(path string) string {
	return "    db2:\n      " + printed + "\n      ttl: 15m\n      file: {path: " + path + ", format: raw}\n"
}

func TestTwoRefreshersMayWriteIntoOneSharedVolume(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+anyToken(printed, "ttl: 15m", "file: {path: /shared/t, format: raw}")+second("/shared/u")+"  volumes: {shared: {mountPath: /shared}}\n")

	assert.Contains(t, mountNames(container(t, pod, "db2")), "shared")
}

func TestATextOfARefreshersMayNameTheChartsOwnThings(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+strings.Replace(rdsToken, "user: shop", "user: '{{ .Release.Name }}'", 1))

	assert.Equal(t, "demo", documentOf[document.Token](t, container(t, pod, "db"), "token").AWSRDS.User)
}

func TestAGuaranteedPodStaysSoBesideATokenRefresher(t *testing.T) {
	t.Parallel()
	guaranteed := strings.Replace(appPod, "image: app:1", "image: app:1, resources: {limits: {cpu: 1, memory: 1Gi}}", 1)

	refresher := container(t, renderPod(t, guaranteed+rdsToken), "db")
	lowered := container(t, renderPod(t, guaranteed+rdsToken+"      resources: {requests: {cpu: 20m}}\n"), "db")

	assert.Equal(t, refresher.Resources.Limits, refresher.Resources.Requests)
	assert.Equal(t, "20m", lowered.Resources.Requests.Cpu().String(), "what the entry says counts")
}

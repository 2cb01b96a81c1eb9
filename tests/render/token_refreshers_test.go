package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"

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
	assert.Equal(t, []string{"/outrigger-tools/busybox", "sh", "/outrigger/refresh-token.sh", "started"}, refresher.StartupProbe.Exec.Command)
	assert.Equal(t, []string{"/outrigger-tools/busybox", "sh", "/outrigger/refresh-token.sh", "ready"}, refresher.ReadinessProbe.Exec.Command)
	assert.True(t, *refresher.SecurityContext.ReadOnlyRootFilesystem)
	assert.Contains(t, refresher.Image, "aws-cli")
	env := variables(refresher)
	assert.Equal(t, rdsHost, env["RDS_HOST"])
	assert.Equal(t, "5432", env["RDS_PORT"])
	assert.Equal(t, "eu-west-1", env["RDS_REGION"])
	assert.Equal(t, "shop", env["OUTRIGGER_USERNAME"])
	assert.Equal(t, "0600", env["OUTRIGGER_MODE"], "libpq reads no password file that others may")
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
		"file: {path: /tokens/t, format: template, template: \"x=${password:url}\", mode: \"0400\"}",
		"retry: {delay: 2s, maxDelay: 5m}"))

	refresher := container(t, pod, "db")
	assert.Equal(t, []string{"/outrigger-tools/busybox", "sh", "/outrigger/refresh-token.sh", "run", "--", "print-token", "--format", "$$(X)"}, refresher.Command)
	env := variables(refresher)
	for name, value := range map[string]string{
		"OUTRIGGER_OUTPUT": "json", "OUTRIGGER_POINTER_PASSWORD": "/a/b", "OUTRIGGER_POINTER_EXPIRES_AT": "/c", "OUTRIGGER_COMMAND_SECONDS": "60", "OUTRIGGER_MODE": "0400",
		"OUTRIGGER_TEMPLATE": "x=$${password:url}", "OUTRIGGER_RETRY_SECONDS": "2", "OUTRIGGER_RETRY_MAX_SECONDS": "300",
	} {
		assert.Equal(t, value, env[name], name)
	}
}

func TestACommandHasTheVariablesThatTheValuesGiveItWhateverTheirNames(t *testing.T) {
	t.Parallel()
	const given = `{HOST: here, PORT: "9000", FILE: a, FORMAT: b, MODE: c, OUTPUT: d, TTL: e, DATABASE: f, USERNAME: g, TOOLS: h}`

	pod := renderPod(t, appPod+anyToken(`exec: {image: "tool:1", command: [print-token]}`, "ttl: 5m", "env: "+given,
		"file: {path: /tokens/t, format: pgpass, user: shop, host: db, port: 5432, database: shop}"))

	env := variables(container(t, pod, "db"))
	for name, value := range map[string]string{"HOST": "here", "PORT": "9000", "FILE": "a", "FORMAT": "b", "MODE": "c", "OUTPUT": "d", "TTL": "e"} {
		assert.Equal(t, value, env[name], name)
	}
	assert.Equal(t, "db", env["OUTRIGGER_HOST"])
}

func TestEachProviderIsAFewFieldsOfACommand(t *testing.T) {
	t.Parallel()
	file := "file: {path: /tokens/t, format: json}"
	for name, provider := range map[string]struct{ values, command string }{
		"Google": {"googleCloudSql: {user: shop@project.iam}", "gcloud sql generate-login-token --quiet"},
		"Azure":  {"azureDatabase: {user: shop}", "/outrigger-tools/busybox sh /outrigger/token-azure.sh"},
		"Vault":  {"vault: {address: \"https://vault:8200\", path: database/creds/shop, role: shop}", "/outrigger-tools/busybox sh /outrigger/token-vault.sh"},
	} {
		t.Run(name, func(t *testing.T) {
			pod := renderPod(t, appPod+anyToken(provider.values, file))

			command := container(t, pod, "db").Command
			assert.Equal(t, provider.command, strings.Join(command[5:], " "))
		})
	}
}

func TestAUserThatTheFileNamesStandsInPlaceOfTheCredentialsOwn(t *testing.T) {
	t.Parallel()
	env := func(file string) map[string]string {
		pod := renderPod(t, appPod+anyToken(`vault: {address: "https://vault:8200", path: database/creds/shop}`, "file: {path: /tokens/t, format: json"+file+"}"))
		return variables(container(t, pod, "db"))
	}

	assert.Equal(t, "/secret/data/username", env("")["OUTRIGGER_POINTER_USERNAME"])
	assert.Empty(t, env(", user: shop")["OUTRIGGER_POINTER_USERNAME"])
	assert.Equal(t, "shop", env(", user: shop")["OUTRIGGER_USERNAME"])
}

func TestSigningKeysComeFromASecretAsFilesSoThatChangedOnesAreUsed(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+strings.Replace(rdsToken, "region: eu-west-1", "region: eu-west-1, secret: aws-keys", 1))

	refresher := container(t, pod, "db")
	assert.Equal(t, "/outrigger-credentials", variables(refresher)["CREDENTIALS_DIR"])
	assert.Contains(t, refresher.VolumeMounts, corev1.VolumeMount{Name: "outrigger-db-aws", MountPath: "/outrigger-credentials", ReadOnly: true})
	assert.NotContains(t, mountNames(pod.Spec.Containers[0]), "outrigger-db-aws")
}

func TestWhatIsWrongWithATokenRefresherIsSaidWithItsMend(t *testing.T) {
	t.Parallel()
	file := "file: {path: /tokens/t, format: raw}"
	for name, wrong := range map[string]struct{ values, message string }{
		"no provider":           {anyToken(file), "needs one provider and has none; set one of awsRds, azureDatabase, exec, googleCloudSql, vault"},
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

	assert.Equal(t, "demo", variables(container(t, pod, "db"))["RDS_USER"])
}

func TestAGuaranteedPodStaysSoBesideATokenRefresher(t *testing.T) {
	t.Parallel()
	guaranteed := strings.Replace(appPod, "image: app:1", "image: app:1, resources: {limits: {cpu: 1, memory: 1Gi}}", 1)

	refresher := container(t, renderPod(t, guaranteed+rdsToken), "db")
	lowered := container(t, renderPod(t, guaranteed+rdsToken+"      resources: {requests: {cpu: 20m}}\n"), "db")

	assert.Equal(t, refresher.Resources.Limits, refresher.Resources.Requests)
	assert.Equal(t, "20m", lowered.Resources.Requests.Cpu().String(), "what the entry says counts")
}

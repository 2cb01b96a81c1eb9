package render

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// task returns the container that does a CronJob's work.
func task(t *testing.T, cronJob *batchv1.CronJob) corev1.Container {
	t.Helper()
	require.NotNil(t, cronJob)
	return cronJob.Spec.JobTemplate.Spec.Template.Spec.Containers[0]
}

func TestAPruneHasASchedulesCronJobThatKnowsTheStoreAndNotTheDatabase(t *testing.T) {
	t.Parallel()
	found := cronJobs(t, nightly+`      prune: {schedule: "17 6 * * 0"}
      timeZone: Europe/Berlin
`)

	require.Len(t, found, 3)
	prune := found["demo-shop-nightly-prune"]
	container := task(t, prune)
	assert.Equal(t, "17 6 * * 0", prune.Spec.Schedule)
	assert.Equal(t, "Europe/Berlin", *prune.Spec.TimeZone, "the backup's where it is left out")
	assert.Equal(t, "backup.sh prune", strings.TrimPrefix(strings.Join(container.Command[2:], " "), "/outrigger/"))
	env := variables(container)
	assert.Equal(t, "restic/password", env["RESTIC_PASSWORD"])
	assert.NotContains(t, env, "PGHOST")
	assert.NotContains(t, env, "PGPASSWORD")
	assert.Equal(t, "yes", variables(task(t, found["demo-shop-nightly"]))["PRUNE_APART"], "the backup only forgets")
	assert.NotContains(t, variables(task(t, cronJobs(t, nightly)["demo-shop-nightly"])), "PRUNE_APART")
}

func TestASidecarsPruneIsACronJobToo(t *testing.T) {
	t.Parallel()
	found := cronJobs(t, nightly+"      as: sidecar\n      prune: {schedule: \"17 6 * * 0\", timeZone: UTC}\n")

	assert.Equal(t, "UTC", *found["demo-shop-nightly-prune"].Spec.TimeZone)
	pod := renderPod(t, appPod+nightly+"      as: sidecar\n      prune: {schedule: \"17 6 * * 0\"}\n")
	assert.Equal(t, "yes", variables(pod.Spec.InitContainers[len(pod.Spec.InitContainers)-1])["PRUNE_APART"])
}

// withRestic returns values whose restic repository has a further setting.
func withRestic(setting string) string {
	return strings.Replace(nightly, "secret: restic, ", "secret: restic, "+setting+", ", 1)
}

func TestTheTagsOfSnapshotsAreOneVariable(t *testing.T) {
	t.Parallel()
	env := variables(task(t, cronJobs(t, withRestic(`tags: [shop, "of the {{ .Release.Name }}", "$(x)"]`))["demo-shop-nightly"]))

	assert.Equal(t, "namespace=default,shop,of the demo,$$(x)", env["TAGS"])
}

func TestEachCompressionThatResticKnowsIsHandedToIt(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"auto", "off", "fastest", "better", "max"} {
		env := variables(task(t, cronJobs(t, withRestic("compression: "+mode))["demo-shop-nightly"]))

		assert.Equal(t, "--compression="+mode, env["RESTIC_OPTIONS"])
	}
	assert.Equal(t, "--compression=fastest", variables(task(t, cronJobs(t, nightly)["demo-shop-nightly"]))["RESTIC_OPTIONS"], "what costs least, for dumps")
}

func TestWhatDumpsInParallelIsRestoredAndDrilledSo(t *testing.T) {
	t.Parallel()
	found := cronJobs(t, strings.Replace(nightly, "database: shop", "database: shop, jobs: 4", 1)+`      drill: {schedule: "1 2 * * 0"}`+"\n")

	for _, name := range []string{"demo-shop-nightly", "demo-shop-nightly-restore", "demo-shop-nightly-drill"} {
		assert.Equal(t, "4", variables(task(t, found[name]))["JOBS"], name)
	}
	assert.NotContains(t, variables(task(t, cronJobs(t, nightly)["demo-shop-nightly"])), "JOBS")
}

// alarmed returns values of a backup that is told to a Pushgateway, and alarms.
func alarmed(maxAge string, more ...string) string {
	return nightly + "      metrics: {pushgateway: 'http://push:9091'}\n      maxAge: " + maxAge + "\n      " + strings.Join(more, "\n      ") + "\n"
}

// rule returns the only PrometheusRule that values render, decoded strictly by the operator's own types.
func rule(t *testing.T, values string) monitoringv1.PrometheusRule {
	t.Helper()
	var found []monitoringv1.PrometheusRule
	for _, object := range harness.Consumer(t).RenderMaps(t, appPod+values) {
		if object["kind"] == "PrometheusRule" {
			text, err := yaml.Marshal(object)
			require.NoError(t, err)
			found = append(found, monitoringv1.PrometheusRule{})
			require.NoError(t, yaml.UnmarshalStrict(text, &found[len(found)-1]))
		}
	}
	require.Len(t, found, 1)
	return found[0]
}

func TestABackupThatIsTooOldAlarmsAndSoDoesOneThatFailed(t *testing.T) {
	t.Parallel()
	found := rule(t, alarmed("1d2h", `drill: {schedule: "1 2 * * 0"}`, "ruleLabels: {release: prometheus}"))

	assert.Equal(t, "demo-shop-outrigger-backups-nightly", found.Name)
	assert.Equal(t, "prometheus", found.Labels["release"])
	assert.Equal(t, "demo", found.Labels["app.kubernetes.io/instance"])
	require.Len(t, found.Spec.Groups, 1)
	rules := map[string]string{}
	for _, alert := range found.Spec.Groups[0].Rules {
		rules[alert.Alert+" "+alert.Labels["task"]] = alert.Expr.String()
	}
	assert.Equal(t, map[string]string{
		"OutriggerBackupTooOld ":       `time() - max by (backup) (outrigger_backup_last_success_timestamp_seconds{backup="default/demo-shop-nightly"}) > 93600 or absent(outrigger_backup_last_success_timestamp_seconds{backup="default/demo-shop-nightly"})`,
		"OutriggerBackupFailed backup": `max by (backup) (outrigger_backup_last_run_success{backup="default/demo-shop-nightly"}) == 0`,
		"OutriggerBackupFailed drill":  `max by (backup) (outrigger_drill_last_run_success{backup="default/demo-shop-nightly"}) == 0`,
	}, rules)
}

func TestAnAgeIsADurationOfGosOrOfPrometheus(t *testing.T) {
	t.Parallel()
	for age, seconds := range map[string]string{"26h": "93600", "1h30m": "5400", "36h0m0s": "129600", "1w1d": "691200", "90m": "5400", "08h": "28800"} {
		assert.Contains(t, rule(t, alarmed(age)).Spec.Groups[0].Rules[0].Expr.String(), " > "+seconds+" or ", age)
	}
}

func TestThereIsNoRuleWhereNoneIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, object := range harness.Consumer(t).RenderMaps(t, appPod+nightly+"      metrics: {textfile: /metrics/backup.prom}\n") {
		assert.NotEqual(t, "PrometheusRule", object["kind"])
	}
}

func TestARunThatFailedIsAJobThatFailedAndItsPodSaysWhy(t *testing.T) {
	t.Parallel()
	for name, cronJob := range cronJobs(t, nightly+`      drill: {schedule: "1 2 * * 0"}`+"\n"+`      prune: {schedule: "17 6 * * 0"}`+"\n") {
		pod := cronJob.Spec.JobTemplate.Spec.Template.Spec

		assert.Equal(t, corev1.RestartPolicyNever, pod.RestartPolicy, "%s: a pod that failed stays, with its log and message", name)
		assert.Contains(t, []string{"", corev1.TerminationMessagePathDefault}, pod.Containers[0].TerminationMessagePath, "%s: where backup.sh writes it", name)
		if limit := cronJob.Spec.FailedJobsHistoryLimit; limit != nil {
			assert.NotZero(t, *limit, name)
		}
	}
}

func TestTheResourcesOfABackupAreMergedOverItsDefaults(t *testing.T) {
	t.Parallel()
	container := task(t, cronJobs(t, nightly+"      resources: {limits: {cpu: 500m}}\n")["demo-shop-nightly"])

	assert.Equal(t, "500m", container.Resources.Limits.Cpu().String())
	assert.Equal(t, "512Mi", container.Resources.Limits.Memory().String())
	assert.Equal(t, "50m", container.Resources.Requests.Cpu().String())
}

const plainStore = `files: {remote: ":s3:backups/plain", credentials: s3}`

// withPlainFiles returns values whose store is one of plain files.
func withPlainFiles(values string) string {
	return strings.Replace(values, `restic: {repository: "s3:http://s3/backups", secret: restic, credentials: s3}`, plainStore, 1)
}

func TestAnOptionThatABackupCannotHaveIsSaidWithTheMend(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ values, message string }{
		"a prune of plain files":   {withPlainFiles(nightly) + `      prune: {schedule: "17 6 * * 0"}` + "\n", `outrigger.backups.nightly: prune means nothing beside store.files, where keep removes whole files; leave it out`},
		"a prune without a clock":  {nightly + "      prune: {}\n", `outrigger.backups.nightly: prune.schedule is missing; set it to a cron expression`},
		"a tag that is two":        {withRestic(`tags: ["a,b"]`), `store/restic/tags/0`},
		"no process that dumps":    {strings.Replace(nightly, "database: shop", "database: shop, jobs: 0", 1), `postgres/jobs`},
		"an alarm without metrics": {nightly + "      maxAge: 26h\n", `outrigger.backups.nightly: maxAge alarms by a metric that is not written; set metrics.pushgateway or metrics.textfile`},
		"an alarm at once":         {alarmed("0h"), `outrigger.backups.nightly: maxAge is no time at all`},
		"an age that is no time":   {alarmed("26 hours"), `nightly/maxAge`},
		"an age without a unit":    {alarmed("'26'"), `nightly/maxAge`},
		"two makers":               {withRestic("init: true") + strings.Replace(another("hourly"), "secret: restic", "secret: restic, init: true", 1), `outrigger.backups.nightly: store.restic.init is true in "hourly", "nightly", and two that make a repository at once spoil it; leave it in one of them`},
		"a dump that is a text":    {strings.Replace(nightly, "database: shop", "database: shop, options: [--no-owner, --format=plain]", 1), `outrigger.backups.nightly: postgres.options: "--format=plain" changes what the dump is, or where it goes, and no restore would find it; leave it out`},
		"a dump that is elsewhere": {strings.Replace(nightly, "database: shop", "database: shop, options: [-f, /tmp/shop]", 1), `outrigger.backups.nightly: postgres.options: "-f" changes what the dump is`},
		"a dump that says where":   {strings.Replace(nightly, postgres, `mariadb: {image: "mariadb:11", host: db, secret: db, options: [--databases]}`, 1), `outrigger.backups.nightly: mariadb.options: "--databases" changes what the dump is`},
		"a dump without an end":    {strings.Replace(nightly, postgres, `mariadb: {image: "mariadb:11", host: db, secret: db, options: [--skip-comments]}`, 1), `outrigger.backups.nightly: mariadb.options: "--skip-comments" changes what the dump is`},
		"an unknown compression":   {withRestic(`compression: fast`), `store/restic/compression`},
		"a prune with another key": {nightly + `      prune: {schedule: "17 6 * * 0", keep: 1}` + "\n", `nightly/prune`},
	} {
		t.Run(name, func(t *testing.T) {
			message := harness.Consumer(t).RenderError(t, appPod+test.values)

			assert.Contains(t, message, test.message)
		})
	}
}

// another returns the entry of nightly once more under another name, in the same values.
func another(name string) string {
	return strings.NewReplacer("\noutrigger:\n  backups:\n", "", "nightly:", name+":").Replace(nightly)
}

// fetched returns the programs that a task's pod copies from other images.
func fetched(cronJob *batchv1.CronJob) (programs []string) {
	for _, container := range cronJob.Spec.JobTemplate.Spec.Template.Spec.InitContainers {
		if strings.Contains(strings.Join(container.Command, " "), "backup-tools.sh") {
			programs = append(programs, filepath.Base(container.Command[len(container.Command)-2]))
		}
	}
	return programs
}

func TestABackupHasRcloneToMakeARepositoryWhereTheStoreTellsWhoComesFirst(t *testing.T) {
	t.Parallel()
	for repository, programs := range map[string][]string{
		`"s3:http://s3/backups"`:               {"rclone", "restic"},
		`'{{ printf "s3:%s" "http://s3/a" }}'`: {"rclone", "restic"},
		`{name: restic, key: repository}`:      {"rclone", "restic"},
		`/repository`:                          {"restic"},
		`"gs:backups:/"`:                       {"restic"},
	} {
		found := cronJobs(t, strings.Replace(nightly, `"s3:http://s3/backups"`, repository, 1))

		assert.Equal(t, programs, fetched(found["demo-shop-nightly"]), repository)
		assert.Equal(t, []string{"restic"}, fetched(found["demo-shop-nightly-restore"]), repository)
	}
}

func TestOneBackupMayBeToldToMakeTheRepositoryAndTheOthersOfTheChartWaitForIt(t *testing.T) {
	t.Parallel()
	found := cronJobs(t, withRestic("init: true")+another("hourly")+strings.Replace(another("never"), "secret: restic", "secret: restic, init: false", 1)+
		strings.Replace(another("elsewhere"), "s3:http://s3/backups", "s3:http://s3/others", 1))

	for name, expected := range map[string]struct {
		init, maker any
		programs    []string
	}{
		"nightly":   {"yes", nil, []string{"restic"}},
		"hourly":    {nil, "backups.nightly", []string{"restic"}},
		"never":     {"no", nil, []string{"restic"}},
		"elsewhere": {nil, nil, []string{"rclone", "restic"}},
	} {
		cronJob := found["demo-shop-"+name]
		env := map[string]any{}
		for key, value := range variables(task(t, cronJob)) {
			env[key] = value
		}
		assert.Equal(t, expected.init, env["INIT"], name)
		assert.Equal(t, expected.maker, env["MAKER"], name)
		assert.Equal(t, expected.programs, fetched(cronJob), name)
	}
}

func TestASidecarHasRcloneToMakeARepositoryToo(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+nightly+"      as: sidecar\n")

	var names []string
	for _, container := range pod.Spec.InitContainers {
		names = append(names, container.Name)
	}
	assert.Contains(t, names, "nightly-rclone")
}

func TestCredentialsThatAreFilesAreMountedWhereAVariableNamesThem(t *testing.T) {
	t.Parallel()
	for _, store := range []string{withRestic("credentialFiles: gcs"), strings.Replace(nightly, `restic: {repository: "s3:http://s3/backups", secret: restic, credentials: s3}`, `files: {remote: ":gcs:backups", credentialFiles: gcs}`, 1)} {
		for _, name := range []string{"demo-shop-nightly", "demo-shop-nightly-restore"} {
			pod := cronJobs(t, store+"      env: {GOOGLE_APPLICATION_CREDENTIALS: /outrigger-credentials/key.json}\n")[name].Spec.JobTemplate.Spec.Template.Spec

			assert.Contains(t, pod.Containers[0].VolumeMounts, corev1.VolumeMount{Name: "outrigger-credentials", MountPath: "/outrigger-credentials", ReadOnly: true})
			assert.Equal(t, "/outrigger-credentials/key.json", variables(pod.Containers[0])["GOOGLE_APPLICATION_CREDENTIALS"])
			assert.True(t, slices.ContainsFunc(pod.Volumes, func(volume corev1.Volume) bool {
				return volume.Name == "outrigger-credentials" && volume.Secret != nil && volume.Secret.SecretName == "gcs"
			}))
		}
	}
}

func TestWhatATextPrintsAsATemplateStaysOneText(t *testing.T) {
	t.Parallel()
	for template, printed := range map[string]string{
		`{{ "{{" }} .Values }}`:       `{{ .Values }}`,
		`{{ print "a: b\n- c" }}`:     "a: b\n- c",
		`{{ print 1234567890123 }}`:   `1234567890123`,
		`{{ print "it's \"so\"\t" }}`: "it's \"so\"\t",
	} {
		values, err := yaml.Marshal(map[string]string{"user": template})
		require.NoError(t, err)

		found := cronJobs(t, strings.Replace(nightly, "host: db", "host: db, "+strings.TrimSpace(string(flow(t, values))), 1))

		assert.Equal(t, printed, variables(task(t, found["demo-shop-nightly"]))["PGUSER"], template)
	}
}

// flow returns a YAML map's one entry as it stands in braces.
func flow(t *testing.T, text []byte) []byte {
	t.Helper()
	object, err := yaml.YAMLToJSON(text)
	require.NoError(t, err)
	return object[1 : len(object)-1]
}

func TestASecretOrAVolumeOfABackupThatKubernetesRefusesIsRefusedHere(t *testing.T) {
	t.Parallel()
	render := func(old, new string) string {
		return harness.Consumer(t).RenderError(t, appPod+strings.Replace(nightly, old, new, 1))
	}

	assert.Contains(t, render("credentials: s3", `credentials: "$(A)"`), "/backups/nightly/store/restic/credentials")
	assert.Contains(t, render("credentials: s3", "volume: {persistentVolumeClaim: {claimName: a}, emptyDir: {}}"),
		"outrigger.backups.nightly: store.restic.volume has 2 sources, emptyDir and persistentVolumeClaim, and a volume has one; keep one of them")
	assert.Contains(t, render(postgres, "path: {paths: [/data], volume: {persistentVolumeClaim: {claimName: a}, nfs: {server: a, path: /}}}"),
		"outrigger.backups.nightly: path.volume has 2 sources, nfs and persistentVolumeClaim")
}

package render

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

const nightly = `
outrigger:
  backups:
    nightly:
      schedule: "17 3 * * *"
      postgres: {image: "postgres:15", host: db, secret: db, database: shop}
      store: {restic: {repository: "s3:http://s3/backups", secret: restic, credentials: s3}}
`

// postgres is the source of nightly.
const postgres = `postgres: {image: "postgres:15", host: db, secret: db, database: shop}`

// cronJobs returns the CronJobs that values render, by name.
func cronJobs(t *testing.T, values string, settings ...harness.Settings) map[string]*batchv1.CronJob {
	t.Helper()
	return cronJobsIn(harness.Consumer(t).Render(t, appPod+values, settings...))
}

// cronJobsIn returns the CronJobs among objects, by name.
func cronJobsIn(objects harness.Objects) map[string]*batchv1.CronJob {
	found := map[string]*batchv1.CronJob{}
	for _, object := range objects {
		if cronJob, is := object.(*batchv1.CronJob); is {
			found[cronJob.Name] = cronJob
		}
	}
	return found
}

// variables returns a container's environment: a variable of a Secret's as SECRET/KEY.
func variables(container corev1.Container) map[string]string {
	all := map[string]string{}
	for _, variable := range container.Env {
		all[variable.Name] = variable.Value
		if variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil {
			all[variable.Name] = variable.ValueFrom.SecretKeyRef.Name + "/" + variable.ValueFrom.SecretKeyRef.Key
		}
	}
	return all
}

func TestABackupIsACronJobWithOneForRestoresThatIsSuspended(t *testing.T) {
	t.Parallel()
	found := cronJobs(t, nightly)

	require.Len(t, found, 2)
	backup, restore := found["demo-shop-nightly"], found["demo-shop-nightly-restore"]
	assert.Equal(t, "17 3 * * *", backup.Spec.Schedule)
	assert.Equal(t, batchv1.ForbidConcurrent, backup.Spec.ConcurrencyPolicy)
	assert.Nil(t, backup.Spec.Suspend)
	assert.True(t, *restore.Spec.Suspend)
	assert.Zero(t, *restore.Spec.JobTemplate.Spec.BackoffLimit, "a restore that is refused is not tried again")
	pod := backup.Spec.JobTemplate.Spec.Template.Spec
	assert.Equal(t, "postgres:15", pod.Containers[0].Image, "the tools are those of the server's image")
	assert.False(t, *pod.AutomountServiceAccountToken)
	assert.True(t, *pod.Containers[0].SecurityContext.ReadOnlyRootFilesystem)
	assert.Equal(t, "s3", pod.Containers[0].EnvFrom[0].SecretRef.Name)
	env := variables(pod.Containers[0])
	assert.Equal(t, "db/password", env["PGPASSWORD"])
	assert.Equal(t, "restic/password", env["RESTIC_PASSWORD"])
	assert.Equal(t, "default/demo-shop-nightly", env["BACKUP"])
}

func TestABackupThatIsACronJobLeavesTheAppsPodAlone(t *testing.T) {
	t.Parallel()
	assert.Equal(t, renderPod(t, appPod), renderPod(t, appPod+nightly))
}

func TestABackupThatIsASidecarGatesNothingAndCancelsItsDumpWhenThePodIsToEnd(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+nightly+"      as: sidecar\n      replica: 0\n")
	found := cronJobs(t, nightly+"      as: sidecar\n")

	require.Len(t, found, 1, "restores are Jobs all the same")
	sidecar := pod.Spec.InitContainers[len(pod.Spec.InitContainers)-1]
	require.Equal(t, "nightly", sidecar.Name)
	assert.Nil(t, sidecar.StartupProbe)
	assert.Contains(t, strings.Join(sidecar.Lifecycle.PreStop.Exec.Command, " "), "backup.sh cancel")
	assert.Equal(t, "0", variables(sidecar)["REPLICA"], "0 is a replica")
	assert.Equal(t, "17 3 * * *", variables(sidecar)["SCHEDULE"])
}

func TestADrillHasAServerOfItsOwnThatOnlyItsPodReaches(t *testing.T) {
	t.Parallel()
	found := cronJobs(t, nightly+`      drill: {schedule: "1 2 * * 0", check: ["select 1", "select $(two)"]}`+"\n")

	pod := found["demo-shop-nightly-drill"].Spec.JobTemplate.Spec.Template.Spec
	server := pod.InitContainers[len(pod.InitContainers)-1]
	require.Equal(t, "database", server.Name)
	assert.Equal(t, corev1.ContainerRestartPolicyAlways, *server.RestartPolicy, "it ends with the drill")
	assert.Contains(t, server.Args, "listen_addresses=127.0.0.1")
	env := variables(pod.Containers[0])
	assert.Equal(t, "127.0.0.1", env["PGHOST"])
	assert.NotContains(t, env, "PGPASSWORD")
	assert.Equal(t, "select 1\nselect $$(two)", env["CHECKS"], "not a reference to a variable")
}

func TestWhatIsKeptNeverGoesBelowTheMinimum(t *testing.T) {
	t.Parallel()
	for keep, options := range map[string]string{
		"{daily: 7, yearly: 2}": "--keep-last 1 --keep-daily 7 --keep-yearly 2",
		"{last: 0, minimum: 3}": "--keep-last 3",
		"{last: 9, minimum: 3}": "--keep-last 9",
	} {
		found := cronJobs(t, nightly+"      keep: "+keep+"\n")

		assert.Equal(t, options, variables(found["demo-shop-nightly"].Spec.JobTemplate.Spec.Template.Spec.Containers[0])["KEEP"], keep)
	}
	assert.NotContains(t, variables(cronJobs(t, nightly)["demo-shop-nightly"].Spec.JobTemplate.Spec.Template.Spec.Containers[0]), "KEEP", "everything is kept")
}

func TestWhatABackupLacksIsSaidWithTheMend(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ old, new, message string }{
		"a schedule":       {`schedule: "17 3 * * *"`, `as: cronJob`, `outrigger.backups.nightly: schedule is missing; set it to a cron expression`},
		"a source":         {postgres, `as: cronJob`, `outrigger.backups.nightly: needs one source and has none; set one of exec, mariadb, mysql, path, postgres, redis, sqlite`},
		"a host":           {`host: db, `, ``, `outrigger.backups.nightly: postgres.host is missing; set it to the name of the server's Service`},
		"an image":         {`image: "postgres:15", `, ``, `outrigger.backups.nightly: postgres.image is missing; set it to the server's image`},
		"a store":          {`restic: {repository: "s3:http://s3/backups", secret: restic, credentials: s3}`, ``, `outrigger.backups.nightly: needs one store and has none; set one of restic, files`},
		"a repository":     {`repository: "s3:http://s3/backups", `, ``, `outrigger.backups.nightly: store.restic.repository is missing`},
		"its password":     {`secret: restic, `, ``, `outrigger.backups.nightly: store.restic.secret is missing`},
		"a drill's clock":  {`store:`, "drill: {check: [select 1]}\n      store:", `outrigger.backups.nightly: drill.schedule is missing`},
		"a volume":         {postgres, `path: {paths: [/data]}`, `outrigger.backups.nightly: path.volume is missing; set it to the volume that the paths lie in`},
		"a path of it":     {postgres, `sqlite: {image: sqlite, files: [/srv/a.db], volume: {emptyDir: {}}}`, `outrigger.backups.nightly: sqlite: "/srv/a.db" does not lie in sqlite.volume, which is mounted at /data; set sqlite.mountPath`},
		"an end of exec":   {postgres, "exec: {image: a, command: [a]}\n      drill: {schedule: '1 2 * * 0'}", `outrigger.backups.nightly: drill does not know what restores the output of exec`},
		"sqlite3":          {postgres, `sqlite: {files: [/data/a.db], volume: {emptyDir: {}}}`, `outrigger.backups.nightly: sqlite.image is missing; set it to one that has sqlite3`},
		"an unknown place": {`store:`, "as: job\n      store:", `as`},
	} {
		t.Run(name, func(t *testing.T) {
			message := harness.Consumer(t).RenderError(t, appPod+strings.Replace(nightly, test.old, test.new, 1))

			assert.Contains(t, message, test.message)
		})
	}
}

func TestTheCronJobsOfABackupHaveTheLabelsOfAnyOther(t *testing.T) {
	t.Parallel()
	users := jobsChart(t).Render(t, `outrigger: {cronJobs: {report: {labels: {team: a}, annotations: {note: b}}}}`)
	own := jobsChart(t).Render(t, `outrigger: {backups: {report-of: {schedule: "@daily", labels: {team: a}, annotations: {note: b}, `+postgres+`, store: {files: {remote: ":s3:bucket"}}}}}`)
	// of returns labels without what tells one entry's from another's.
	of := func(labels map[string]string) map[string]string {
		labels = maps.Clone(labels)
		for _, key := range []string{"name", "component"} {
			assert.Contains(t, labels, "app.kubernetes.io/"+key)
			delete(labels, "app.kubernetes.io/"+key)
		}
		return labels
	}

	report, backup, restore := cronJobsIn(users)["demo-shop-report"], cronJobsIn(own)["demo-shop-report-of"], cronJobsIn(own)["demo-shop-report-of-restore"]

	require.NotNil(t, report)
	require.NotNil(t, backup)
	require.NotNil(t, restore)
	assert.Equal(t, of(report.Labels), of(backup.Labels))
	assert.Equal(t, of(report.Labels), of(restore.Labels))
	assert.Equal(t, of(report.Spec.JobTemplate.Labels), of(backup.Spec.JobTemplate.Labels))
	assert.Equal(t, of(report.Spec.JobTemplate.Spec.Template.Labels), of(backup.Spec.JobTemplate.Spec.Template.Labels))
	assert.Equal(t, "a", backup.Labels["team"])
	assert.Equal(t, report.Annotations, backup.Annotations)
}

func TestABackupThatIsSuspendedIsSoWithAllItsCronJobsAndARestoreIsWhateverIsSaid(t *testing.T) {
	t.Parallel()
	const tasks = "      drill: {schedule: \"1 2 * * 0\"}\n      prune: {schedule: \"1 3 * * 0\"}\n"
	suspended := cronJobs(t, nightly+tasks+"      suspend: true\n")
	running := cronJobs(t, nightly+tasks+"      suspend: false\n      backoffLimit: 5\n")

	for name, cronJob := range suspended {
		assert.True(t, *cronJob.Spec.Suspend, name)
	}
	require.Len(t, running, 4)
	for name, cronJob := range running {
		isRestore := strings.HasSuffix(name, "-restore")
		assert.Equal(t, isRestore, *cronJob.Spec.Suspend, name)
		assert.Equal(t, isRestore, *cronJob.Spec.JobTemplate.Spec.BackoffLimit == 0, name)
	}
}

func TestRunsOfABackupNeverOverlapWhateverIsTheDefault(t *testing.T) {
	t.Parallel()

	made := cronJobs(t, nightly+"  defaults: {cronJob: {concurrencyPolicy: Allow}}\n")

	require.Len(t, made, 2)
	for name, cronJob := range made {
		assert.Equal(t, batchv1.ForbidConcurrent, cronJob.Spec.ConcurrencyPolicy, "%s: all runs have one hostname, by which one takes the locks of another for a killed one's", name)
	}
}

func TestWhatIsWrongWithABackupsPodIsToldByItsEntryWhereverItRuns(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ old, new, message string }{
		"an image without a tag": {`image: "postgres:15"`, `image: docker.io/library/postgres`, `outrigger.backups.nightly.postgres.image: "docker.io/library/postgres" has neither tag nor digest`},
		"one of its store":       {`secret: restic`, `secret: restic, image: r/restic`, `outrigger.backups.nightly.store.restic.image: "r/restic" has neither tag nor digest`},
		"a variable of its own":  {`store:`, "env: {PGPORT: \"1\"}\n      store:", `outrigger.backups.nightly.env: "PGPORT" is given twice; remove one`},
		"more than its limit":    {`store:`, "resources: {requests: {memory: 4Gi}}\n      store:", `outrigger.backups.nightly.resources.requests.memory: is 4Gi, more than the limit of 512Mi`},
	} {
		t.Run(name, func(t *testing.T) {
			values := appPod + strings.Replace(nightly, test.old, test.new, 1)
			podAlone := harness.Consumer(t).With(map[string]string{"templates/outrigger.yaml": ""})

			cronJob := harness.Consumer(t).RenderError(t, values)
			sidecar := podAlone.RenderError(t, values+"      as: sidecar\n")

			assert.Contains(t, cronJob, "- "+test.message)
			assert.NotContains(t, cronJob, "pod template", "there is none of an author's")
			assert.Contains(t, sidecar, "- "+test.message)
		})
	}
}

// saving returns values whose backup is what a command of etcdctl's prints.
func saving(command string) string {
	return strings.Replace(nightly, postgres, "exec: {image: etcd:3.6, command: "+command+"}", 1)
}

func TestASnapshotThatEtcdctlIsToSaveToItsOutputIsRefusedWithACommandThatWorks(t *testing.T) {
	t.Parallel()
	const mend = `[sh, -c, 'etcdctl snapshot save "$WORK/etcd.db" >&2 && cat "$WORK/etcd.db"']`
	for _, command := range []string{
		`[etcdctl, snapshot, save, /dev/stdout]`,
		`[/usr/local/bin/etcdctl, --endpoints, "http://etcd:2379", snapshot, save, --dial-timeout=5s, /dev/fd/1]`,
		`[etcdctl, snapshot, save, /proc/self/fd/1]`,
		`[sh, -c, "ETCDCTL_API=3 etcdctl snapshot  save '/dev/stdout' | gzip"]`,
		`[sh, -c, "set -e\netcdctl snapshot save /proc/$$/fd/1"]`,
		`[etcdctl, '{{ "snapshot" }}', save, /dev/stdout]`,
	} {
		message := harness.Consumer(t).RenderError(t, appPod+saving(command))

		assert.Contains(t, message, "outrigger.backups.nightly: exec.command: etcdctl cannot save a snapshot to its standard output; set it to "+mend, command)
	}
	for _, command := range []string{mend, `[sh, -c, "etcdctl snapshot save /tmp/a >/dev/stderr && cat /tmp/a >/dev/stdout"]`, `[sh, -c, "etcdctl snapshot save /dev/stdout.db && cat /dev/stdout.db"]`} {
		container := task(t, cronJobs(t, saving(command))["demo-shop-nightly"])

		assert.Contains(t, variables(container)["COMMAND"], "etcdctl snapshot save", command)
	}
	assert.Contains(t, harness.Consumer(t).RenderError(t, appPod+saving("[]")), "exec.command is missing; set it to the command whose output is backed up: "+mend)
}

func TestTheValuesOfABackupMayBeTemplates(t *testing.T) {
	t.Parallel()
	found := cronJobs(t, strings.Replace(nightly, "host: db", `host: '{{ .Release.Name }}-db'`, 1))

	assert.Equal(t, "demo-db", variables(found["demo-shop-nightly"].Spec.JobTemplate.Spec.Template.Spec.Containers[0])["PGHOST"])
}

func TestThePostgresAppBacksUpItsOwnServerWithItsOwnImage(t *testing.T) {
	t.Parallel()
	objects := harness.LoadChart(t, filepath.Join(harness.Root(), "charts/postgres-app")).Render(t, "image: {tag: '16.1'}")

	for _, object := range objects {
		if cronJob, is := object.(*batchv1.CronJob); is {
			container := cronJob.Spec.JobTemplate.Spec.Template.Spec.Containers[0]
			assert.Equal(t, "docker.io/library/postgres:16.1", container.Image, cronJob.Name)
			if !strings.HasSuffix(cronJob.Name, "-drill") {
				assert.Equal(t, "demo-postgres-app", variables(container)["PGHOST"], cronJob.Name)
			}
		}
	}
}

func TestAStoreOfPlainFilesIsRclones(t *testing.T) {
	t.Parallel()
	found := cronJobs(t, strings.Replace(nightly, `restic: {repository: "s3:http://s3/backups", secret: restic, credentials: s3}`, `files: {remote: ":s3:backups/plain", credentials: s3}`, 1))

	pod := found["demo-shop-nightly"].Spec.JobTemplate.Spec.Template.Spec
	assert.Contains(t, pod.InitContainers[len(pod.InitContainers)-1].Image, "rclone")
	env := variables(pod.Containers[0])
	assert.Equal(t, "files", env["STORE"])
	assert.Equal(t, ":s3:backups/plain", env["REMOTE"])
	assert.Equal(t, "s3", pod.Containers[0].EnvFrom[0].SecretRef.Name)
}

func TestEachSourceIsToldWhatItNeeds(t *testing.T) {
	t.Parallel()
	for source, test := range map[string]struct {
		values, image string
		env           map[string]string
	}{
		"MariaDB": {`mariadb: {image: "mariadb:11", host: db, secret: {name: db, key: root}, databases: [shop, books], options: ["--ignore-table=shop.log"], connectionOptions: [--ssl]}`, "mariadb:11",
			map[string]string{"SOURCE": "mysql", "DB_HOST": "db", "DB_PORT": "3306", "DB_USER": "root", "MYSQL_PWD": "db/root", "DATABASES": "shop\nbooks", "DUMP_OPTIONS": "--ignore-table=shop.log", "CONNECTION_OPTIONS": "--ssl"}},
		"MySQL": {`mysql: {image: "mysql:8", host: db, user: backup, secret: db, database: shop}`, "mysql:8",
			map[string]string{"SOURCE": "mysql", "DB_USER": "backup", "MYSQL_PWD": "db/password", "DATABASES": "shop"}},
		"Redis": {`redis: {image: "redis:7", host: cache, port: 6380, user: backup, secret: cache}`, "redis:7",
			map[string]string{"SOURCE": "redis", "REDIS_HOST": "cache", "REDIS_PORT": "6380", "REDIS_USER": "backup", "REDISCLI_AUTH": "cache/password"}},
		"SQLite": {`sqlite: {image: "sqlite:3", files: [/var/lib/a.db, /var/lib/b.db], mountPath: /var/lib, volume: {persistentVolumeClaim: {claimName: data}}}`, "sqlite:3",
			map[string]string{"SOURCE": "sqlite", "FILES": "/var/lib/a.db\n/var/lib/b.db"}},
		"paths": {`path: {paths: [/data/files], exclude: ["*.tmp"], volume: {persistentVolumeClaim: {claimName: data}}}`, "docker.io/library/busybox:1.37.0-musl",
			map[string]string{"SOURCE": "path", "PATHS": "/data/files", "EXCLUDE": "*.tmp"}},
		"a command": {`exec: {image: "etcd:3", command: [dump, "it's", $(HOME)], restore: [load]}`, "etcd:3",
			map[string]string{"SOURCE": "exec", "COMMAND": `'dump' 'it'\''s' '$$(HOME)'`, "RESTORE_COMMAND": "'load'"}},
	} {
		t.Run(source, func(t *testing.T) {
			found := cronJobs(t, strings.Replace(nightly, postgres, test.values, 1))

			container := found["demo-shop-nightly"].Spec.JobTemplate.Spec.Template.Spec.Containers[0]
			assert.Equal(t, test.image, container.Image)
			assert.Subset(t, variables(container), test.env)
			assert.Subset(t, variables(found["demo-shop-nightly-restore"].Spec.JobTemplate.Spec.Template.Spec.Containers[0]), test.env)
		})
	}
}

func TestTheScriptsOfABackupAreThoseOfItsSourceAndStore(t *testing.T) {
	t.Parallel()
	for values, script := range map[string]string{
		nightly: "backup-statements.awk",
		strings.Replace(nightly, postgres, `mysql: {image: "mysql:8", host: db}`, 1): "backup-grants.awk",
	} {
		var scripts []string
		for _, object := range harness.Consumer(t).Render(t, appPod+values) {
			if configMap, is := object.(*corev1.ConfigMap); is {
				scripts = append(scripts, slices.Collect(maps.Keys(configMap.Data))...)
			}
		}

		assert.Subset(t, scripts, []string{"backup.sh", script})
		for _, other := range []string{"backup-statements.awk", "backup-grants.awk"} {
			assert.Equal(t, script == other, slices.Contains(scripts, other))
		}
	}
}

func TestAVolumeThatIsBackedUpIsMountedByTheJobsOrFoundInTheAppsPod(t *testing.T) {
	t.Parallel()
	found := cronJobs(t, strings.Replace(nightly, postgres, `path: {paths: [/srv/files], mountPath: /srv, volume: {persistentVolumeClaim: {claimName: data}}}`, 1)+"      drill: {schedule: \"1 2 * * 0\"}\n")
	pod := renderPod(t, appPod+strings.Replace(nightly, postgres, `path: {paths: [/srv/files]}`, 1)+"      as: sidecar\n  volumes: {files: {mountPath: /srv}}\n")
	reader := renderPod(t, appPod+strings.Replace(nightly, postgres, `exec: {image: "a:1", command: [a], mountPath: /srv}`, 1)+"      as: sidecar\n  volumes: {files: {mountPath: /srv}}\n")

	mounted := func(container corev1.Container) (paths []string) {
		for _, mount := range container.VolumeMounts {
			if mount.Name == "outrigger-source" || mount.Name == "files" {
				paths = append(paths, mount.Name+" at "+mount.MountPath)
			}
		}
		return paths
	}
	for _, name := range []string{"demo-shop-nightly", "demo-shop-nightly-restore"} {
		assert.Equal(t, []string{"outrigger-source at /srv"}, mounted(found[name].Spec.JobTemplate.Spec.Template.Spec.Containers[0]), name)
	}
	assert.Empty(t, mounted(found["demo-shop-nightly-drill"].Spec.JobTemplate.Spec.Template.Spec.Containers[0]), "a drill leaves what there is alone")
	assert.Equal(t, []string{"files at /srv"}, mounted(pod.Spec.InitContainers[len(pod.Spec.InitContainers)-1]))
	assert.Equal(t, []string{"files at /srv"}, mounted(reader.Spec.InitContainers[len(reader.Spec.InitContainers)-1]), "a command's")
}

func TestTheServerOfADrillHasNoPasswordAndListensToItsPodAlone(t *testing.T) {
	t.Parallel()
	for source, argument := range map[string]string{
		`mariadb: {image: "mariadb:11", host: db, secret: db}`: "--bind-address=127.0.0.1",
		`redis: {image: "redis:7", host: db, secret: db}`:      "127.0.0.1",
	} {
		found := cronJobs(t, strings.Replace(nightly, postgres, source, 1)+"      drill: {schedule: \"1 2 * * 0\"}\n")

		pod := found["demo-shop-nightly-drill"].Spec.JobTemplate.Spec.Template.Spec
		server := pod.InitContainers[len(pod.InitContainers)-1]
		assert.Equal(t, "database", server.Name)
		assert.Contains(t, server.Args, argument)
		for _, value := range variables(pod.Containers[0]) {
			assert.NotEqual(t, "db/password", value)
		}
	}
}

func TestTheResourcesOfBackupsAreADefaultThatEntriesOverride(t *testing.T) {
	t.Parallel()
	const defaults = "  defaults: {backupResources: {limits: {memory: 1Gi}}}\n"
	memory := func(values, task string) string {
		pod := cronJobs(t, values)["demo-shop-nightly"+task].Spec.JobTemplate.Spec.Template.Spec
		if server := pod.InitContainers[len(pod.InitContainers)-1]; server.Name == "database" {
			return pod.Containers[0].Resources.Limits.Memory().String() + ", its server " + server.Resources.Limits.Memory().String()
		}
		return pod.Containers[0].Resources.Limits.Memory().String()
	}
	drill := nightly + "      drill: {schedule: \"1 2 * * 0\", memory: 3Gi}\n"

	assert.Equal(t, "512Mi", memory(nightly, ""))
	assert.Equal(t, "1Gi", memory(nightly+defaults, "-restore"))
	assert.Equal(t, "2Gi", memory(nightly+"      resources: {limits: {memory: 2Gi}}\n"+defaults, ""))
	assert.Equal(t, "1Gi, its server 3Gi", memory(drill+defaults, "-drill"))
}

func TestAPathThatASidecarBacksUpIsToldByItsPathInTheValues(t *testing.T) {
	t.Parallel()
	for source, key := range map[string]string{
		`sqlite: {image: "s:1", files: [/nowhere/app.db]}`:        "sqlite.files[0]",
		`path: {paths: [/nowhere]}`:                               "path.paths[0]",
		`exec: {image: "a:1", command: [a], mountPath: /nowhere}`: "exec.mountPath",
	} {
		message := harness.Consumer(t).RenderError(t, appPod+strings.Replace(nightly, postgres, source, 1)+"      as: sidecar\n")

		assert.Contains(t, message, "- outrigger.backups.nightly."+key+`: "/nowhere`)
	}
}

package render

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chartutil"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// jobsChart makes a Job `process`, a CronJob `report` and the objects; their pod template is the value `pod`.
func jobsChart(t testing.TB) harness.Chart {
	return harness.NewChart(t, map[string]string{
		"templates/job.yaml":     `{{ include "outrigger.job" (dict "context" . "podTemplate" .Values.pod "workload" "process") }}`,
		"templates/cronjob.yaml": `{{ include "outrigger.cronJob" (dict "context" . "podTemplate" .Values.pod "workload" "report") }}`,
		"templates/objects.yaml": `{{ include "outrigger.objects" . }}`,
		"values.yaml":            "pod: {spec: {containers: [{name: app, image: \"app:1\"}]}}\noutrigger: {cronJobs: {report: {schedule: \"0 * * * *\"}}}\n",
	})
}

func TestAJobHasSafeDefaults(t *testing.T) {
	t.Parallel()
	objects := jobsChart(t).Render(t, `outrigger: {containers: {helper: {image: "h:1"}}}`)

	job := harness.Find[*batchv1.Job](t, objects)
	assert.Regexp(t, "^demo-shop-process-[0-9a-f]{8}$", job.Name)
	assert.EqualValues(t, 3, *job.Spec.BackoffLimit)
	assert.Equal(t, corev1.RestartPolicyNever, job.Spec.Template.Spec.RestartPolicy)
	assert.Equal(t, []string{"helper"}, containerNames(job.Spec.Template.Spec.InitContainers))
}

func TestANumberOfAJobOrACronJobIsNotLessThanZero(t *testing.T) {
	t.Parallel()
	for at, values := range map[string]string{
		"/jobs/process/backoffLimit":                  `jobs: {process: {backoffLimit: -1}}`,
		"/cronJobs/report/successfulJobsHistoryLimit": `cronJobs: {report: {successfulJobsHistoryLimit: -1}}`,
		"/defaults/job/ttlSecondsAfterFinished":       `defaults: {job: {ttlSecondsAfterFinished: -1}}`,
		"/backups/nightly/backoffLimit":               `backups: {nightly: {backoffLimit: -1}}`,
	} {
		assert.Contains(t, jobsChart(t).RenderError(t, "outrigger: {"+values+"}"), fmt.Sprintf("at '%s': minimum: got -1, want 0", at))
	}
}

func TestAnUpgradeThatChangesAJobsSpecMakesAnotherJobAndOneThatDoesNotMakesNone(t *testing.T) {
	t.Parallel()
	name := func(values string) string { return harness.Find[*batchv1.Job](t, jobsChart(t).Render(t, values)).Name }

	first := name(``)

	assert.Equal(t, first, name(``))
	assert.Equal(t, first, name(`outrigger: {jobs: {process: {labels: {a: b}}}}`), "what can be changed in place")
	assert.NotEqual(t, first, name(`outrigger: {jobs: {process: {backoffLimit: 1}}}`))
	assert.NotEqual(t, first, name(`outrigger: {containers: {helper: {image: "h:1"}}}`))
}

func TestACronJobHasSafeDefaults(t *testing.T) {
	t.Parallel()
	objects := jobsChart(t).Render(t, `outrigger: {containers: {helper: {image: "h:1"}}}`)

	cronJob := harness.Find[*batchv1.CronJob](t, objects)
	assert.Equal(t, batchv1.ForbidConcurrent, cronJob.Spec.ConcurrencyPolicy)
	assert.EqualValues(t, 600, *cronJob.Spec.StartingDeadlineSeconds)
	assert.EqualValues(t, 3, *cronJob.Spec.SuccessfulJobsHistoryLimit)
	assert.EqualValues(t, 3, *cronJob.Spec.FailedJobsHistoryLimit)
	assert.EqualValues(t, 86400, *cronJob.Spec.JobTemplate.Spec.TTLSecondsAfterFinished, "in the Job's spec, where the API has it")
	assert.Equal(t, []string{"helper"}, containerNames(cronJob.Spec.JobTemplate.Spec.Template.Spec.InitContainers))
}

func TestEveryFieldOfAJobIsAValue(t *testing.T) {
	t.Parallel()
	objects := jobsChart(t).Render(t, `
outrigger:
  jobs:
    process:
      backoffLimit: 0
      ttlSecondsAfterFinished: 100
      activeDeadlineSeconds: 60
      completions: 4
      parallelism: 2
      completionMode: Indexed
      suspend: true
      podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {containerName: app, operator: In, values: [42]}}]}
      serviceAccountName: robot
      imagePullSecrets: [{name: pull}]
      tolerations: [{key: batch, operator: Exists}]
      nodeSelector: {disk: fast}
      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
      priorityClassName: low
      labels: {team: a}
      annotations: {note: b}
      podLabels: {team: c}
      podAnnotations: {note: d}
  cronJobs:
    report: {timeZone: Europe/Berlin, suspend: true, concurrencyPolicy: Replace, startingDeadlineSeconds: 5, successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: 1, backoffLimit: 7, restartPolicy: OnFailure}
`)

	job := harness.Find[*batchv1.Job](t, objects)
	assert.EqualValues(t, 0, *job.Spec.BackoffLimit)
	assert.EqualValues(t, 100, *job.Spec.TTLSecondsAfterFinished)
	assert.EqualValues(t, 60, *job.Spec.ActiveDeadlineSeconds)
	assert.EqualValues(t, 4, *job.Spec.Completions)
	assert.EqualValues(t, 2, *job.Spec.Parallelism)
	assert.Equal(t, batchv1.IndexedCompletion, *job.Spec.CompletionMode)
	assert.True(t, *job.Spec.Suspend)
	assert.Equal(t, "app", *job.Spec.PodFailurePolicy.Rules[0].OnExitCodes.ContainerName)
	pod := job.Spec.Template
	assert.Equal(t, "robot", pod.Spec.ServiceAccountName)
	assert.Equal(t, "pull", pod.Spec.ImagePullSecrets[0].Name)
	assert.Equal(t, "batch", pod.Spec.Tolerations[0].Key)
	assert.Equal(t, "fast", pod.Spec.NodeSelector["disk"])
	assert.NotNil(t, pod.Spec.Affinity.NodeAffinity)
	assert.Equal(t, "low", pod.Spec.PriorityClassName)
	assert.Equal(t, []string{"a", "b", "c", "d"}, []string{job.Labels["team"], job.Annotations["note"], pod.Labels["team"], pod.Annotations["note"]})

	cronJob := harness.Find[*batchv1.CronJob](t, objects)
	assert.Equal(t, "Europe/Berlin", *cronJob.Spec.TimeZone)
	assert.True(t, *cronJob.Spec.Suspend)
	assert.Nil(t, cronJob.Spec.JobTemplate.Spec.Suspend, "it is the CronJob that is suspended")
	assert.Equal(t, batchv1.ReplaceConcurrent, cronJob.Spec.ConcurrencyPolicy)
	assert.EqualValues(t, 5, *cronJob.Spec.StartingDeadlineSeconds)
	assert.EqualValues(t, 0, *cronJob.Spec.SuccessfulJobsHistoryLimit)
	assert.EqualValues(t, 1, *cronJob.Spec.FailedJobsHistoryLimit)
	assert.EqualValues(t, 7, *cronJob.Spec.JobTemplate.Spec.BackoffLimit)
	assert.Equal(t, corev1.RestartPolicyOnFailure, cronJob.Spec.JobTemplate.Spec.Template.Spec.RestartPolicy)
}

// helmCreate returns the chart that `helm create shop` makes, with the README's change to its pod template, Jobs of every form,
// and a Service that selects by a label of podLabels.
func helmCreate(t testing.TB) harness.Chart {
	t.Helper()
	folder, err := chartutil.Create("shop", t.TempDir())
	require.NoError(t, err)
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		return string(text)
	}
	deployment, pod, found := strings.Cut(read("templates/deployment.yaml"), "  template:\n")
	require.True(t, found)
	return harness.LoadChart(t, folder).With(map[string]string{
		"Chart.yaml": read("Chart.yaml") + "dependencies: [{name: outrigger, version: 0.x}]\n",
		"templates/deployment.yaml": deployment + "  template:\n    {{- define \"shop.pod\" }}\n" + pod + `    {{- end }}
    {{- include "outrigger.podTemplate" (dict "context" . "template" "shop.pod") | nindent 4 }}
`,
		"templates/jobs.yaml": `
{{ include "outrigger.job" (dict "context" . "template" "shop.pod" "workload" "process") }}
{{ include "outrigger.job" (dict "context" . "template" "shop.pod" "workload" "migrate" "hook" "pre-install") }}
{{ include "outrigger.cronJob" (dict "context" . "template" "shop.pod" "workload" "report") }}
{{ include "outrigger.objects" . }}
---
apiVersion: v1
kind: Service
metadata: {name: by-tier}
spec: {selector: {tier: web}, ports: [{port: 80}]}
`,
	})
}

// jobsOfEveryForm are values for helmCreate.
const jobsOfEveryForm = `
podLabels: {team: payments, tier: web}
outrigger:
  cronJobs: {report: {schedule: "0 * * * *"}}
  backups:
    nightly:
      schedule: "17 3 * * *"
      postgres: {image: "docker.io/library/postgres:15", host: db, secret: db, database: shop}
      store: {restic: {repository: /repository, secret: restic}}
      drill: {schedule: "17 5 * * 0"}
      prune: {schedule: "17 6 * * 0"}
`

// jobs returns the spec of each Job and of those of each CronJob, by the object's name.
func jobs(objects harness.Objects) map[string]batchv1.JobSpec {
	all := map[string]batchv1.JobSpec{}
	for _, object := range objects {
		switch object := object.(type) {
		case *batchv1.Job:
			all[object.Name] = object.Spec
		case *batchv1.CronJob:
			all[object.Name] = object.Spec.JobTemplate.Spec
		}
	}
	return all
}

func TestNoServiceOfTheChartSelectsThePodsOfItsJobs(t *testing.T) {
	t.Parallel()
	objects := helmCreate(t).Render(t, jobsOfEveryForm)

	pods := jobs(objects)
	require.Len(t, pods, 7, "process, migrate, report, and those of the backup: %v", slices.Sorted(maps.Keys(pods)))
	services := 0
	for _, object := range objects {
		service, is := object.(*corev1.Service)
		if !is {
			continue
		}
		services++
		selector := labels.SelectorFromSet(service.Spec.Selector)
		require.True(t, selector.Matches(labels.Set(harness.Find[*appsv1.Deployment](t, objects).Spec.Template.Labels)), "%s selects the app", service.Name)
		for name, job := range pods {
			assert.False(t, selector.Matches(labels.Set(job.Template.Labels)), "%s (%s) sends requests to %s: %v", service.Name, selector, name, job.Template.Labels)
		}
	}
	require.Equal(t, 2, services)
}

// selectable returns the labels of each object, of the Jobs that a CronJob makes, and of the pods that either makes, by kind and
// name; HASH stands for a checksum.
func selectable(t *testing.T, objects []map[string]any) map[string]labels.Set {
	t.Helper()
	found := map[string]labels.Set{}
	add := func(what string, object any) {
		set := labels.Set{}
		for label, value := range at(t, object, "metadata", "labels").(map[string]any) {
			set[label] = value.(string)
		}
		found[what] = set
	}
	for _, object := range objects {
		name := regexp.MustCompile(`-[0-9a-f]{8}$`).ReplaceAllString(at(t, object, "metadata", "name").(string), "-HASH")
		kind := object["kind"].(string)
		if object["metadata"].(map[string]any)["labels"] != nil {
			add(kind+" "+name, object)
		}
		switch kind {
		case "CronJob":
			add("Job of "+name, at(t, object, "spec", "jobTemplate"))
			add("Pod of "+name, at(t, object, "spec", "jobTemplate", "spec", "template"))
		case "Job", "Deployment":
			add("Pod of "+name, at(t, object, "spec", "template"))
		}
	}
	return found
}

func TestOneSelectorFindsAllThatIsMadeOfAnEntryAndNothingElse(t *testing.T) {
	t.Parallel()
	const more = `
{{ include "outrigger.job" (dict "context" . "template" "shop.pod" "workload" "nightly") }}
{{ include "outrigger.job" (dict "context" . "template" "shop.pod" "workload" "report") }}`
	all := selectable(t, helmCreate(t).With(map[string]string{"templates/more.yaml": more}).RenderMaps(t, objectsOfEveryKind))
	cronJob := func(name string) []string { return []string{"CronJob " + name, "Job of " + name, "Pod of " + name} }

	for entry, want := range map[string][]string{
		"cronJobs-report": cronJob("demo-shop-report"),
		"jobs-report":     {"Job demo-shop-report-HASH", "Pod of demo-shop-report-HASH"},
		"jobs-process":    {"Job demo-shop-process-HASH", "Pod of demo-shop-process-HASH"},
		"jobs-nightly":    {"Job demo-shop-nightly-HASH", "Pod of demo-shop-nightly-HASH"},
		"jobs-migrate":    {"Job demo-shop-migrate", "Pod of demo-shop-migrate", "ConfigMap demo-shop-outrigger-migrate"},
		"backups-nightly": slices.Concat(cronJob("demo-shop-nightly"), cronJob("demo-shop-nightly-restore"), cronJob("demo-shop-nightly-drill"),
			cronJob("demo-shop-nightly-prune"), []string{"PrometheusRule demo-shop-outrigger-backups-nightly"}),
		"logshippers-ship": {"PodMonitor demo-shop-outrigger-logshippers-ship"},
	} {
		selector, err := labels.Parse("app.kubernetes.io/instance=demo,app.kubernetes.io/name=shop-" + entry)
		require.NoError(t, err)
		var selected []string
		for what, set := range all {
			if selector.Matches(set) {
				selected = append(selected, what)
			}
		}
		assert.ElementsMatch(t, want, selected, entry)
	}
}

func TestAJobsPodsKeepTheLabelsOfTheTemplateThatAreNamed(t *testing.T) {
	t.Parallel()
	objects := helmCreate(t).Render(t, jobsOfEveryForm+`
  jobs:
    process: {keepLabels: [team], podLabels: {run: nightly}}
    migrate: {keepLabels: [tier, team], podLabels: {app.kubernetes.io/name: shop, tier: jobs}}
`)

	pods := jobs(objects)
	for name, want := range map[string]map[string]string{
		"demo-shop-report":  {"app.kubernetes.io/name": "shop-cronJobs-report", "app.kubernetes.io/instance": "demo", "app.kubernetes.io/component": "report"},
		"demo-shop-migrate": {"app.kubernetes.io/name": "shop", "app.kubernetes.io/instance": "demo", "app.kubernetes.io/component": "migrate", "team": "payments", "tier": "jobs"},
	} {
		assert.Equal(t, want, pods[name].Template.Labels, name)
	}
	process := slices.IndexFunc(slices.Sorted(maps.Keys(pods)), func(name string) bool { return strings.HasPrefix(name, "demo-shop-process-") })
	assert.Equal(t, map[string]string{
		"app.kubernetes.io/name": "shop-jobs-process", "app.kubernetes.io/instance": "demo", "app.kubernetes.io/component": "process", "team": "payments", "run": "nightly",
	}, pods[slices.Sorted(maps.Keys(pods))[process]].Template.Labels)
}

func TestALabelThatAJobsPodsCannotKeepIsAnError(t *testing.T) {
	t.Parallel()
	message := helmCreate(t).RenderError(t, jobsOfEveryForm+`
  jobs: {process: {keepLabels: [team, flavour, app.kubernetes.io/name]}}
`)

	assert.Contains(t, message, `outrigger.jobs.process.keepLabels[1]: the pod template has no label "flavour"; name one of "app.kubernetes.io/instance", `)
	assert.Contains(t, message, `outrigger.jobs.process.keepLabels[2]: "app.kubernetes.io/name" is one by which a Job's pods are told from the app's, and a Service may select; `+
		`leave it out, or set outrigger.jobs.process.podLabels to have it all the same`)
}

func TestAFinishedJobOfTheReleaseStaysAsTheNextUpgradeWouldRunItAgain(t *testing.T) {
	t.Parallel()
	byItself := jobs(helmCreate(t).Render(t, jobsOfEveryForm))
	byDefault := jobs(helmCreate(t).Render(t, jobsOfEveryForm+`  defaults: {job: {ttlSecondsAfterFinished: 5}}`))

	for name, job := range byItself {
		if strings.HasPrefix(name, "demo-shop-process-") {
			assert.Nil(t, job.TTLSecondsAfterFinished, name)
		} else if assert.NotNil(t, job.TTLSecondsAfterFinished, name) {
			assert.EqualValues(t, 86400, *job.TTLSecondsAfterFinished, name)
		}
	}
	require.Len(t, byDefault, len(byItself))
	for name, job := range byDefault {
		if assert.NotNil(t, job.TTLSecondsAfterFinished, name) {
			assert.EqualValues(t, 5, *job.TTLSecondsAfterFinished, "what the values say is for all: %s", name)
		}
	}
}

func TestALongReleaseNameLeavesRoomForWhatTheCronJobControllerAdds(t *testing.T) {
	t.Parallel()
	objects := jobsChart(t).Render(t, ``, harness.Settings{Release: strings.Repeat("r", 53)})

	assert.LessOrEqual(t, len(harness.Find[*batchv1.CronJob](t, objects).Name), 52)
	assert.LessOrEqual(t, len(harness.Find[*batchv1.Job](t, objects).Name), 63)
}

func TestAPodFailurePolicyThatASidecarWouldMatchIsAnError(t *testing.T) {
	t.Parallel()
	const policy = `podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [42]}}]}`
	const sidecar = `containers: {helper: {image: "h:1"}}`

	message := jobsChart(t).RenderError(t, `outrigger: {`+sidecar+`, jobs: {process: {`+policy+`}}}`)
	onFailure := jobsChart(t).RenderError(t, `outrigger: {jobs: {process: {restartPolicy: OnFailure, `+policy+`}}}`)

	assert.Contains(t, message, `outrigger.jobs.process.podFailurePolicy.rules[0].onExitCodes: has no containerName, so that the exit code of a sidecar ("helper") matches too; set it to "app"`)
	assert.Contains(t, onFailure, "outrigger.jobs.process.podFailurePolicy: needs restartPolicy Never")
	jobsChart(t).Render(t, `outrigger: {jobs: {process: {`+policy+`}}}`)
}

func TestAJobThatKubernetesWouldRefuseForWhatElseIsInItIsRefusedHere(t *testing.T) {
	t.Parallel()
	const rule = "podFailurePolicy: {rules: [{action: %s, onExitCodes: {operator: In, values: [%d]%s}}]}"
	for job, message := range map[string]string{
		"completionMode: Indexed":                                      `completions: is missing, and completionMode is Indexed; set it to the number of indexes`,
		"backoffLimitPerIndex: 0":                                      `backoffLimitPerIndex: means nothing without indexes; set completionMode to Indexed`,
		"completionMode: Indexed, completions: 3, maxFailedIndexes: 1": `maxFailedIndexes: needs backoffLimitPerIndex; set it`,
		"completionMode: Indexed, completions: 3, backoffLimitPerIndex: 1, maxFailedIndexes: 4": `maxFailedIndexes: is more than there are indexes, completions: 3; lower it`,
		"successPolicy: {rules: [{succeededCount: 1}]}":                                         `successPolicy: means nothing without indexes`,
		"podReplacementPolicy: TerminatingOrFailed, " + fmt.Sprintf(rule, "FailJob", 42, ""):    `podReplacementPolicy: has to be Failed beside a podFailurePolicy`,
		fmt.Sprintf(rule, "FailIndex", 42, ""):                                                  `podFailurePolicy.rules[0].action: is FailIndex, which needs backoffLimitPerIndex`,
		fmt.Sprintf(rule, "FailJob", 0, ""):                                                     `podFailurePolicy.rules[0].onExitCodes.values: has a 0, with which a container does not fail`,
		fmt.Sprintf(rule, "FailJob", 42, ", containerName: other"):                              `podFailurePolicy.rules[0].onExitCodes.containerName: is "other", and the pod's containers are "app"; choose one of them`,
	} {
		assert.Contains(t, jobsChart(t).RenderError(t, `outrigger: {jobs: {process: {`+job+`}}}`), "outrigger.jobs.process."+message, job)
	}
	jobsChart(t).Render(t, `outrigger: {jobs: {process: {completionMode: Indexed, completions: 3, backoffLimitPerIndex: 1, maxFailedIndexes: 3, `+fmt.Sprintf(rule, "FailIndex", 42, ", containerName: app")+`}}}`)
}

func TestLabelsAndNamesThatKubernetesRefusesAreRefusedWithTheirPath(t *testing.T) {
	t.Parallel()
	for field, place := range map[string]string{
		`podLabels: {team: two words}`: "/jobs/process/podLabels/team",
		`labels: {team: -shop}`:        "/jobs/process/labels/team",
		`podLabels: {a b: shop}`:       "/jobs/process/podLabels",
		`serviceAccountName: Shop!`:    "/jobs/process/serviceAccountName",
	} {
		assert.Contains(t, jobsChart(t).RenderError(t, `outrigger: {jobs: {process: {`+field+`}}}`), place, field)
	}
	jobsChart(t).Render(t, `outrigger: {jobs: {process: {podLabels: {example.com/team: "", a: A_b.c-9}, serviceAccountName: a.b-c}}}`)
}

func TestACronJobWithoutAScheduleIsAnErrorThatSaysSo(t *testing.T) {
	t.Parallel()
	without := jobsChart(t).With(map[string]string{"values.yaml": "pod: {spec: {containers: [{name: app, image: \"app:1\"}]}}"})

	message := without.RenderError(t, ``)

	assert.Contains(t, message, "outrigger.cronJobs.report: schedule is missing; set it to a cron expression")
}

func TestWhatAHooksPodMountsIsAHookOfLowerWeight(t *testing.T) {
	t.Parallel()
	values := `
pod: {spec: {restartPolicy: Never, containers: [{name: app, image: "app:1"}]}}
outrigger: {volumes: {logs: {mountPath: /logs}}, logshippers: {ship: {files: [/logs/a], to: {stdout: {}}}}}
`
	for name, templates := range map[string]map[string]string{
		"outrigger.job": {"templates/migrate.yaml": `{{ include "outrigger.job" (dict "context" . "podTemplate" .Values.pod "workload" "migrate" "hook" "pre-install,pre-upgrade" "hookWeight" 3) }}`},
		"outrigger.podTemplate and outrigger.objects": {"templates/migrate.yaml": `
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-weight: "3"}}
spec:
  template:
    {{- include "outrigger.podTemplate" (dict "context" . "podTemplate" .Values.pod "workload" "migrate" "hook" "pre-install,pre-upgrade") | nindent 4 }}
{{ include "outrigger.objects" (dict "context" . "workload" "migrate" "hook" "pre-install,pre-upgrade" "hookWeight" 3) }}`},
	} {
		t.Run(name, func(t *testing.T) {
			objects := harness.NewChart(t, templates).Render(t, values)

			files := harness.Find[*corev1.ConfigMap](t, objects)
			job := harness.Find[*batchv1.Job](t, objects)
			assert.Equal(t, "pre-install,pre-upgrade", job.Annotations["helm.sh/hook"])
			assert.Equal(t, "3", job.Annotations["helm.sh/hook-weight"])
			assert.Equal(t, "pre-install,pre-upgrade", files.Annotations["helm.sh/hook"])
			assert.Equal(t, "2", files.Annotations["helm.sh/hook-weight"])
			assert.Equal(t, "demo-shop-outrigger-migrate", files.Name, "not that of the release's own ConfigMap")
			var mounted []string
			for _, volume := range job.Spec.Template.Spec.Volumes {
				if volume.ConfigMap != nil {
					mounted = append(mounted, volume.ConfigMap.Name)
				}
			}
			assert.Equal(t, []string{files.Name}, mounted)
		})
	}
}

func TestTheFacetsAreWhatTheWholePodTemplateHas(t *testing.T) {
	t.Parallel()
	chart := harness.NewChart(t, map[string]string{"templates/facets.yaml": `
apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations:
    {{- include "outrigger.podAnnotations" (dict "context" . "workload" "web") | nindent 4 }}
spec:
  terminationGracePeriodSeconds: 42
  initContainers:
    {{- include "outrigger.initContainers" (dict "context" . "workload" "web") | nindent 4 }}
  containers:
    - name: app
      image: app:1
      env:
        {{- include "outrigger.env" (dict "context" . "workload" "web") | nindent 8 }}
      volumeMounts:
        {{- include "outrigger.volumeMounts" (dict "context" . "workload" "web") | nindent 8 }}
    {{- include "outrigger.containers" (dict "context" . "workload" "web") | nindent 4 }}
  volumes:
    {{- include "outrigger.volumes" (dict "context" . "workload" "web") | nindent 4 }}
`})
	const values = `
outrigger:
  env: {TZ: UTC}
  volumes: {logs: {mountPath: /logs}}
  logshippers: {ship: {files: [/logs/a], to: {stdout: {}}}}
  containers: {helper: {image: "h:1", volumeMounts: [{name: logs}]}}
`
	for _, version := range []string{"v1.36.0", "v1.28.0"} {
		settings := harness.Settings{KubeVersion: version}

		pod := harness.Find[*corev1.Pod](t, chart.Render(t, values, settings))

		whole := renderPod(t, appPod+values, settings)
		assert.Equal(t, whole.Spec, pod.Spec, version)
		assert.Equal(t, whole.Annotations, pod.Annotations, version)
	}
}

func TestTwoCronJobsOfOneNameAreRefusedWithThePathsOfBoth(t *testing.T) {
	t.Parallel()
	const backup = `{schedule: "17 3 * * *", ` + postgres + `, store: {files: {remote: ":s3:bucket"}}, drill: {schedule: "17 5 * * 0"}}`
	named := jobsChart(t).With(map[string]string{"templates/cronjob.yaml": `
{{ include "outrigger.cronJob" (dict "context" . "podTemplate" .Values.pod "workload" "report" "name" "demo-shop-nightly-drill") }}`})

	ofAJob := jobsChart(t).RenderError(t, `outrigger: {backups: {report: `+backup+`}}`)
	ofANamedJob := named.RenderError(t, `outrigger: {backups: {nightly: `+backup+`}}`)
	// Helm renders files from the last name to the first.
	before := jobsChart(t).With(map[string]string{"templates/cronjob.yaml": "", "templates/z.yaml": `{{ include "outrigger.cronJob" (dict "context" . "podTemplate" .Values.pod "workload" "report") }}`})
	ofAJobBefore := before.RenderError(t, `outrigger: {cronJobs: {report: {schedule: "@daily"}}, backups: {report: `+backup+`}}`)
	ofTwoBackups := jobsChart(t).RenderError(t, `outrigger: {backups: {nightly: `+backup+`, nightly-drill: `+backup+`}}`)

	assert.Contains(t, ofAJob, `outrigger.cronJobs.report and outrigger.backups.report: both make a CronJob "demo-shop-report"; rename one of them`)
	assert.Contains(t, ofAJobBefore, `outrigger.cronJobs.report and outrigger.backups.report: both make a CronJob "demo-shop-report"; rename one of them`)
	assert.Contains(t, ofANamedJob, `outrigger.cronJobs.report and outrigger.backups.nightly: both make a CronJob "demo-shop-nightly-drill"`)
	assert.Contains(t, ofTwoBackups, `outrigger.backups.nightly and outrigger.backups.nightly-drill: both make a CronJob "demo-shop-nightly-drill"`)
	named.Render(t, `outrigger: {backups: {report: `+backup+`}}`)
	jobsChart(t).Render(t, `outrigger: {backups: {report: {enabled: false}, nightly: `+backup+`}}`)
}

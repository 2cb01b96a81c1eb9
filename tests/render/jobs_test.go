package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

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
	objects := jobsChart(t).Render(t, `outrigger: {containers: {helper: {image: "h:1"}}}`)

	job := harness.Find[*batchv1.Job](t, objects)
	assert.Regexp(t, "^demo-shop-process-[0-9a-f]{8}$", job.Name)
	assert.EqualValues(t, 3, *job.Spec.BackoffLimit)
	assert.EqualValues(t, 86400, *job.Spec.TTLSecondsAfterFinished)
	assert.Equal(t, corev1.RestartPolicyNever, job.Spec.Template.Spec.RestartPolicy)
	assert.Equal(t, []string{"helper"}, containerNames(job.Spec.Template.Spec.InitContainers))
}

func TestAnUpgradeThatChangesAJobsSpecMakesAnotherJobAndOneThatDoesNotMakesNone(t *testing.T) {
	name := func(values string) string { return harness.Find[*batchv1.Job](t, jobsChart(t).Render(t, values)).Name }

	first := name(``)

	assert.Equal(t, first, name(``))
	assert.Equal(t, first, name(`outrigger: {jobs: {process: {labels: {a: b}}}}`), "what can be changed in place")
	assert.NotEqual(t, first, name(`outrigger: {jobs: {process: {backoffLimit: 1}}}`))
	assert.NotEqual(t, first, name(`outrigger: {containers: {helper: {image: "h:1"}}}`))
}

func TestACronJobHasSafeDefaults(t *testing.T) {
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

func TestTheLabelsOfAJobsPodsAreNoneThatTheChartSelects(t *testing.T) {
	objects := jobsChart(t).Render(t, ``)

	for _, labels := range []map[string]string{
		harness.Find[*batchv1.Job](t, objects).Spec.Template.Labels,
		harness.Find[*batchv1.CronJob](t, objects).Spec.JobTemplate.Spec.Template.Labels,
	} {
		assert.Equal(t, "demo", labels["app.kubernetes.io/instance"])
		assert.NotEqual(t, "shop", labels["app.kubernetes.io/name"], "as helm create selects by name and instance")
	}
}

func TestALongReleaseNameLeavesRoomForWhatTheCronJobControllerAdds(t *testing.T) {
	objects := jobsChart(t).Render(t, ``, harness.Settings{Release: strings.Repeat("r", 53)})

	assert.LessOrEqual(t, len(harness.Find[*batchv1.CronJob](t, objects).Name), 52)
	assert.LessOrEqual(t, len(harness.Find[*batchv1.Job](t, objects).Name), 63)
}

func TestAPodFailurePolicyThatASidecarWouldMatchIsAnError(t *testing.T) {
	const policy = `podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [42]}}]}`
	const sidecar = `containers: {helper: {image: "h:1"}}`

	message := jobsChart(t).RenderError(t, `outrigger: {`+sidecar+`, jobs: {process: {`+policy+`}}}`)
	onFailure := jobsChart(t).RenderError(t, `outrigger: {jobs: {process: {restartPolicy: OnFailure, `+policy+`}}}`)

	assert.Contains(t, message, `outrigger.jobs.process.podFailurePolicy.rules[0].onExitCodes: has no containerName, so that the exit code of a sidecar ("helper") matches too; set it to "app"`)
	assert.Contains(t, onFailure, "outrigger.jobs.process.podFailurePolicy: needs restartPolicy Never")
	jobsChart(t).Render(t, `outrigger: {jobs: {process: {`+policy+`}}}`)
}

func TestACronJobWithoutAScheduleIsAnErrorThatSaysSo(t *testing.T) {
	without := jobsChart(t).With(map[string]string{"values.yaml": "pod: {spec: {containers: [{name: app, image: \"app:1\"}]}}"})

	message := without.RenderError(t, ``)

	assert.Contains(t, message, "outrigger.cronJobs.report.schedule is missing; set it to a cron expression")
}

func TestWhatAHooksPodMountsIsAHookOfLowerWeight(t *testing.T) {
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
      volumeMounts:
        {{- include "outrigger.volumeMounts" (dict "context" . "workload" "web") | nindent 8 }}
    {{- include "outrigger.containers" (dict "context" . "workload" "web") | nindent 4 }}
  volumes:
    {{- include "outrigger.volumes" (dict "context" . "workload" "web") | nindent 4 }}
`})
	const values = `
outrigger:
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

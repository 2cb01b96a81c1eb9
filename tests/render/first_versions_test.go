package render

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/apis"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestAFieldThatTheClusterIsTooOldForIsToldWithTheVersionThatHasIt(t *testing.T) {
	t.Parallel()
	deployment := harness.Consumer(t)
	for name, entry := range map[string]struct {
		since        int
		path, values string
		chart        harness.Chart
	}{
		"a container": {34, "outrigger.containers.helper.restartPolicyRules", appPod + `
outrigger: {containers: {helper: {image: "h:1", restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [1]}}]}}}`, deployment},
		"deep in a container": {34, "outrigger.containers.helper.env.valueFrom.fileKeyRef", appPod + `
outrigger:
  containers:
    helper:
      image: h:1
      env: {TOKEN: {valueFrom: {fileKeyRef: {volumeName: keys, path: p, key: k}}}}
      volumes: {keys: {emptyDir: {}}}
`, deployment},
		"a variable of the app": {34, "outrigger.env.TOKEN.valueFrom.fileKeyRef", appPod + `
outrigger: {volumes: {keys: {mountPath: /keys}}, env: {TOKEN: {valueFrom: {fileKeyRef: {volumeName: keys, path: p, key: k}}}}}`, deployment},
		"a variable of one workload's app": {34, "outrigger.workloads.web.env.TOKEN.valueFrom.fileKeyRef", appPod + `
outrigger: {volumes: {keys: {mountPath: /keys}}, workloads: {web: {env: {TOKEN: {valueFrom: {fileKeyRef: {volumeName: keys, path: p, key: k}}}}}}}`, deployment},
		"a variable of all sidecars": {34, "outrigger.env.sidecars.TOKEN.valueFrom.fileKeyRef", appPod + `
outrigger:
  volumes: {keys: {mountPath: /keys}}
  containers: {helper: {image: "h:1"}, other: {image: "o:1"}}
  env: {sidecars: {TOKEN: {valueFrom: {fileKeyRef: {volumeName: keys, path: p, key: k}}}}}
`, deployment},
		"a variable that a custom pattern gives the app": {34, "outrigger.custom.greeter.hello.env.valueFrom.fileKeyRef", appPod + `
outrigger: {volumes: {keys: {mountPath: /keys}}, custom: {greeter: {hello: {}}}}`, deployment.With(map[string]string{"templates/_greeter.tpl": `
{{- define "outrigger.pattern.greeter" -}}
env: {TOKEN: {valueFrom: {fileKeyRef: {volumeName: keys, path: p, key: k}}}}
{{- end -}}`})},
		"another pattern's entry": {30, "outrigger.logshippers.ship.securityContext.appArmorProfile", appPod + `
outrigger:
  volumes: {logs: {mountPath: /logs}}
  logshippers: {ship: {files: [/logs/a], to: {stdout: {}}, securityContext: {appArmorProfile: {type: RuntimeDefault}}}}
`, deployment},
		"a volume": {31, "outrigger.volumes.weights.image", appPod + `
outrigger: {volumes: {weights: {mountPath: /weights, image: {reference: "w:1"}}}}`, deployment},
		"a source of a projected volume": {34, "outrigger.volumes.identity.projected.sources.podCertificate", appPod + `
outrigger:
  volumes:
    identity:
      mountPath: /identity
      projected: {sources: [{podCertificate: {signerName: example.com/s, keyType: ED25519, credentialBundlePath: c}}]}
`, deployment},
		"a volume of a container's own": {31, `outrigger.containers.helper (volume "weights").image`, appPod + `
outrigger: {containers: {helper: {image: "h:1", volumes: {weights: {image: {reference: "w:1"}}}, volumeMounts: {weights: /weights}}}}`, deployment},
		"a Job": {30, "outrigger.jobs.process.successPolicy", `
outrigger: {jobs: {process: {completionMode: Indexed, completions: 2, successPolicy: {rules: [{succeededCount: 1}]}}}}`, jobsChart(t)},
		"a Job's pod": {29, "outrigger.cronJobs.report.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.matchLabelKeys", `
outrigger:
  cronJobs:
    report:
      schedule: "@daily"
      affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, matchLabelKeys: [a], labelSelector: {}}]}}
`, jobsChart(t)},
	} {
		t.Run(name, func(t *testing.T) {
			before := fmt.Sprintf("v1.%d.9-eks-1234567", entry.since-1)

			message := entry.chart.RenderError(t, entry.values, harness.Settings{KubeVersion: before})

			assert.Contains(t, message, fmt.Sprintf("%s: Kubernetes knows this field from 1.%d on and this is rendered for %s; leave it out, or set outrigger.kubeVersion if that version is not the cluster's",
				entry.path, entry.since, before))
			assert.Contains(t, message, "1 problem(s)", "each is told once, where it is written")
			entry.chart.Render(t, entry.values, harness.Settings{KubeVersion: fmt.Sprintf("v1.%d.0", entry.since)})
		})
	}
}

func TestAnAuthorsOwnFieldsAreNotHeldToTheVersionOfTheCluster(t *testing.T) {
	t.Parallel()

	pod := renderPod(t, `
pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "app:1", env: [{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: p, key: k}}}]}], volumes: [{name: v, emptyDir: {}}]}}
outrigger: {containers: {helper: {image: "h:1"}}}
`, harness.Settings{KubeVersion: "v1.33.0"})

	assert.NotNil(t, container(t, pod, "app").Env[0].ValueFrom.FileKeyRef)
}

// Each field of files/first-versions.json is one that the version before does not know, and that version does.
func TestTheVersionsThatFieldsAreHeldToAreThoseOfTheAPIsHistory(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(harness.Root(), "library", "outrigger", "files", "first-versions.json"))
	require.NoError(t, err)
	var roots map[string]any
	require.NoError(t, json.Unmarshal(text, &roots))
	pod := func(spec map[string]any) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": "Pod", "spec": spec}
	}
	within := map[string]func(any) map[string]any{
		"Container": func(value any) map[string]any { return pod(map[string]any{"containers": []any{value}}) },
		"Volume":    func(value any) map[string]any { return pod(map[string]any{"volumes": []any{value}}) },
		"PodSpec":   func(value any) map[string]any { return pod(value.(map[string]any)) },
		"JobSpec": func(value any) map[string]any {
			return map[string]any{"apiVersion": "batch/v1", "kind": "Job", "spec": value}
		},
	}
	newest, err := apis.Of(fmt.Sprintf("1.%d", apis.Newest))
	require.NoError(t, err)
	checked := 0
	for root, object := range within {
		for field, since := range leaves("", roots[root].(map[string]any)) {
			value := object(holding(newest, root, strings.Split(field, ".")))

			assert.NotEmpty(t, apis.Check(fmt.Sprintf("1.%d", since-1), value), "%s.%s in 1.%d", root, field, since-1)
			assert.Empty(t, apis.Check(fmt.Sprintf("1.%d", since), value), "%s.%s in 1.%d", root, field, since)
			checked++
		}
	}
	assert.Greater(t, checked, 30)
}

// leaves returns the minor version of each field of a tree, by its path.
func leaves(path string, tree map[string]any) map[string]int {
	found := map[string]int{}
	for field, since := range tree {
		if below, is := since.(map[string]any); is {
			maps.Copy(found, leaves(path+field+".", below))
			continue
		}
		found[path+field] = int(since.(float64))
	}
	return found
}

// holding returns an object of a type that has nothing but one field, at the end of a path, which is null.
func holding(types apis.Types, name string, path []string) any {
	if len(path) == 0 {
		return nil
	}
	of := types.Types[name][path[0]]
	below := holding(types, strings.TrimPrefix(of, "[]"), path[1:])
	if strings.HasPrefix(of, "[]") && len(path) > 1 {
		below = []any{below}
	}
	return map[string]any{path[0]: below}
}

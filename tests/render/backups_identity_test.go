package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// place is where a release of nightly is.
type place struct{ cluster, namespace, release string }

// identities returns by what the backups of a release are told from others': the name, tags and lock's host of each CronJob, by
// its role, and the alarms' expressions and labels.
func (p place) identities(t *testing.T) (names, tags, hosts map[string]string, alarms []string) {
	t.Helper()
	names, tags, hosts = map[string]string{}, map[string]string{}, map[string]string{}
	values := alarmed("26h", `drill: {schedule: "1 2 * * 0"}`, `prune: {schedule: "17 6 * * 0"}`)
	if p.cluster != "" {
		values += "  cluster: " + p.cluster + "\n"
	}
	for _, object := range harness.Consumer(t).RenderMaps(t, appPod+values, harness.Settings{Namespace: p.namespace, Release: p.release}) {
		text, err := yaml.Marshal(object)
		require.NoError(t, err)
		switch object["kind"] {
		case "CronJob":
			var cronJob batchv1.CronJob
			require.NoError(t, yaml.Unmarshal(text, &cronJob))
			env := variables(task(t, &cronJob))
			role := strings.TrimPrefix(cronJob.Labels["app.kubernetes.io/component"], "nightly")
			names[role], tags[role], hosts[role] = env["BACKUP"], env["TAGS"], cronJob.Spec.JobTemplate.Spec.Template.Spec.Hostname
		case "PrometheusRule":
			for line := range strings.Lines(string(text)) {
				for _, key := range []string{"expr: ", "namespace: ", "cluster: "} {
					if strings.HasPrefix(strings.TrimLeft(line, " -"), key) {
						alarms = append(alarms, strings.TrimSpace(line))
					}
				}
			}
		}
	}
	return names, tags, hosts, alarms
}

// Each of them has a neighbour that a name joined by hyphens could not be told from.
func TestNoTwoReleasesOfDifferentNamespacesOrClustersShareAnIdentity(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 60)
	seenNames, seenHosts := map[string]place{}, map[string]place{}
	for _, where := range []place{
		{"", "prod", "demo"},
		{"", "staging", "demo"},
		{"eu", "prod", "demo"},
		{"us", "prod", "demo"},
		{"", "a", "b-c"},
		{"", "a-b", "c"},
		{"a", "b", "c"},
		{"a", "b-c", "demo"},
		{"a-b", "c", "demo"},
		{"a.b", "c", "demo"},
		{"", long + "-1", "demo"},
		{"", long + "-2", "demo"},
		{"", "prod", strings.Repeat("r", 50) + "-1"},
		{"", "prod", strings.Repeat("r", 50) + "-2"},
	} {
		names, _, hosts, alarms := where.identities(t)

		require.Len(t, hosts, 4, "the backup, its drill, its prune and its restore")
		for role, name := range names {
			assert.Equal(t, names[""], name, "%s is of the same backup", role)
		}
		if other, seen := seenNames[names[""]]; seen {
			assert.Fail(t, "one name for two backups", "%v and %v: %s", where, other, names[""])
		}
		seenNames[names[""]] = where
		for role, host := range hosts {
			assert.Empty(t, validation.IsDNS1123Label(host), "%v: %s", where, host)
			if other, seen := seenHosts[host]; seen {
				assert.Fail(t, "one host for two pods", "%v%s and %v: %s", where, role, other, host)
			}
			seenHosts[host] = where
		}
		assert.Contains(t, strings.Join(alarms, "\n"), `{backup="`+names[""]+`"}`)
	}
}

func TestABackupsIdentityIsItsClusterNamespaceAndName(t *testing.T) {
	t.Parallel()
	names, tags, _, alarms := place{"eu", "prod", "demo"}.identities(t)
	without, withoutTags, _, withoutAlarms := place{"", "prod", "demo"}.identities(t)

	assert.Equal(t, "eu/prod/demo-shop-nightly", names[""])
	assert.Equal(t, "cluster=eu,namespace=prod", tags[""])
	assert.Contains(t, alarms, `cluster: eu`)
	assert.Contains(t, alarms, `namespace: prod`)
	assert.Equal(t, "prod/demo-shop-nightly", without[""])
	assert.Equal(t, "namespace=prod", withoutTags[""])
	assert.NotContains(t, strings.Join(withoutAlarms, "\n"), "cluster:")
}

func TestASidecarHasTheIdentityOfItsCronJobs(t *testing.T) {
	t.Parallel()
	values := appPod + nightly + "      as: sidecar\n  cluster: eu\n"
	pod := renderPod(t, values)

	assert.Equal(t, "eu/default/demo-shop-nightly", variables(pod.Spec.InitContainers[len(pod.Spec.InitContainers)-1])["BACKUP"])
}

func TestAClustersNameThatCouldBeTakenForMoreIsRefused(t *testing.T) {
	t.Parallel()
	for _, cluster := range []string{"eu/prod", "'a,b'", "'a b'", "-eu", strings.Repeat("c", 64)} {
		assert.Contains(t, harness.Consumer(t).RenderError(t, appPod+nightly+"  cluster: "+cluster+"\n"), "/cluster", cluster)
	}
}

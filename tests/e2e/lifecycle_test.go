package e2e

import (
	"slices"
	"testing"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// upstream is a case of Kubernetes' own tests of sidecars, re-created with a pod that the library composed. Its name
// ends with that of the case, after what the case is about.
type upstream struct {
	name string
	test func(t *testing.T)
}

// What probes do is the kubelet's matter more than that of a composed pod: those cases run where OUTRIGGER_ALL_CASES is 1, as in the
// soak.
func TestKubernetesOwnSidecarCasesHoldForComposedPods(t *testing.T) {
	harness.Facts(t)
	cases := slices.Concat(slowCases, endCases, restartCases, startCases, hookCases, serviceCases)
	if harness.Number(t, "OUTRIGGER_ALL_CASES", 0) == 1 {
		cases = append(cases, probeCases...)
	}
	for _, each := range cases {
		t.Run(each.name, func(t *testing.T) {
			harness.Facts(t)
			each.test(t)
		})
	}
}

// policies are the restartPolicies of a pod.
var policies = []string{"Never", "OnFailure", "Always"}

// perPolicy returns a case for each restartPolicy.
func perPolicy(about, name string, test func(t *testing.T, policy string)) []upstream {
	var all []upstream
	for _, policy := range policies {
		all = append(all, upstream{about + "/restartPolicy=" + policy + "/" + name, func(t *testing.T) { test(t, policy) }})
	}
	return all
}

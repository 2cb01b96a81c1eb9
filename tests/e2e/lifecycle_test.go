package e2e

import (
	"slices"
	"sync"
	"testing"
)

// upstream is a case of Kubernetes' own tests of sidecars, re-created with a pod that the library composed. Its name
// ends with that of the case, after what the case is about.
type upstream struct {
	name string
	test func(t *testing.T)
}

// Not parallel: it runs its cases beside each other itself, many of them, as they mostly wait. So they do not disturb
// the tests that measure.
func TestKubernetesOwnSidecarCasesHoldForComposedPods(t *testing.T) {
	const atOnce = 12
	slots := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	for _, each := range slices.Concat(slowCases, endCases, restartCases, probeCases, startCases, hookCases, serviceCases) {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			t.Run(each.name, each.test)
		})
	}
	group.Wait()
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

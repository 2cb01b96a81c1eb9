package harness

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OpenShiftUser is the user of the pods of a namespace that AsOnOpenShift has changed: of no image, and of group 0.
const OpenShiftUser = 1000650000

// openShift does to pods what OpenShift's restricted-v2 does to users and groups: a pod gets the namespace's own, and one that
// asks for another is refused.
const openShift = `
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: %[1]s}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}]}
  reinvocationPolicy: Never
  failurePolicy: Fail
  matchConditions: [{name: says-none, expression: '!has(object.spec.securityContext) || !has(object.spec.securityContext.runAsUser) && !has(object.spec.securityContext.fsGroup)'}]
  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration:
        expression: 'Object{spec: Object.spec{securityContext: Object.spec.securityContext{runAsUser: %[2]d, fsGroup: %[2]d}}}'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: %[1]s}
spec: {policyName: %[1]s, matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: %[1]s}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}]}
  failurePolicy: Fail
  variables:
    - {name: contexts, expression: '(object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : [])).filter(c, has(c.securityContext)).map(c, c.securityContext)'}
  validations:
    - expression: 'object.spec.?securityContext.?runAsUser.orValue(0) == %[2]d && object.spec.?securityContext.?fsGroup.orValue(0) == %[2]d'
      message: the pod asks for a user or an fsGroup outside of the namespace's range
    - expression: 'variables.contexts.all(c, !has(c.runAsUser) || c.runAsUser == %[2]d)'
      message: a container asks for a user outside of the namespace's range
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: %[1]s}
spec: {policyName: %[1]s, validationActions: [Deny], matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}}}
`

// AsOnOpenShift makes the namespace one in which all pods are OpenShiftUser, and those that ask for a user are refused, as
// OpenShift's restricted-v2 has it.
func (n *Namespace) AsOnOpenShift() {
	n.t.Helper()
	n.Apply(fmt.Sprintf(openShift, n.Name, OpenShiftUser))
	n.t.Cleanup(func() {
		for _, kind := range []string{"mutatingadmissionpolicybinding", "mutatingadmissionpolicy", "validatingadmissionpolicybinding", "validatingadmissionpolicy"} {
			n.Kubectl("delete", kind, n.Name, "--ignore-not-found", "--wait=false")
		}
	})
	probe := func(user *int64) (*corev1.Pod, error) {
		no, yes := false, true
		return n.Client.CoreV1().Pods(n.Name).Create(context.Background(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "probe"},
			Spec: corev1.PodSpec{
				SecurityContext: &corev1.PodSecurityContext{RunAsUser: user, RunAsNonRoot: &yes, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
				Containers: []corev1.Container{{Name: "probe", Image: "probe:1", SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				}}},
			},
		}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	}
	// The API server takes up policies some time after it has stored them.
	n.Eventually(PodStart, "pods are the namespace's user, and no other is let in", func() bool {
		pod, err := probe(nil)
		if err != nil || pod.Spec.SecurityContext.RunAsUser == nil {
			return false
		}
		another := int64(1000)
		_, err = probe(&another)
		return apierrors.IsInvalid(err) || apierrors.IsForbidden(err)
	})
}

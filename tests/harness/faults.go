package harness

import (
	"context"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Kill ends all processes of a program at once by SIGKILL, in a pod whose containers share their processes, and waits until
// its container has started again. What is in the pod's volumes stays.
func (n *Namespace) Kill(pod, container, program string) {
	n.t.Helper()
	before := n.status(pod, container).RestartCount
	// The shell may go with its container, which is no error.
	_, _ = n.TryExec(context.Background(), pod, container, "sh", "-c", "kill -KILL $(grep -lx "+program+" /proc/[0-9]*/comm | cut -d / -f 3)")
	var status corev1.ContainerStatus
	n.Eventually(PodStart, container+" is killed, and runs again", func() bool {
		status = n.status(pod, container)
		return status.RestartCount > before && status.State.Running != nil
	})
	require.EqualValues(n.t, 137, status.LastTerminationState.Terminated.ExitCode, "%s was ended by SIGKILL", container)
}

func (n *Namespace) status(pod, container string) corev1.ContainerStatus {
	n.t.Helper()
	found, err := n.Client.CoreV1().Pods(n.Name).Get(context.Background(), pod, metav1.GetOptions{})
	require.NoError(n.t, err)
	return Status(n.t, *found, container)
}

// Output begins a command in a container, and returns what to call for all that it has printed, when it has ended: at the
// latest with the container.
func (n *Namespace) Output(pod, container string, command ...string) (wait func() string) {
	n.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	n.t.Cleanup(cancel)
	printed := make(chan string, 1)
	go func() {
		// That the container has ended is no error.
		output, _ := n.TryExec(ctx, pod, container, command...)
		printed <- output
	}()
	return func() string {
		n.t.Helper()
		select {
		case output := <-printed:
			return output
		case <-time.After(PodEnd):
			require.Fail(n.t, "a command has not ended", "%v in %s", command, pod)
			return ""
		}
	}
}

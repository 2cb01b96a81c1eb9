package harness

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gruntwork-io/terratest/modules/helm"
	"github.com/gruntwork-io/terratest/modules/k8s"
	"github.com/gruntwork-io/terratest/modules/logger"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/ci/testimages"
)

// How long tests wait. A wait ends as soon as its condition holds; these only bound it, on a machine that is busy.
const (
	PodStart = 3 * time.Minute
	PodEnd   = 2 * time.Minute
	LogLine  = 90 * time.Second
	pollTime = 100 * time.Millisecond
	// longestPoll is what pollTime grows to where something takes long: who looks again and again slows down what he waits for.
	longestPoll = 500 * time.Millisecond
)

// Number returns the number that a variable of the environment has, by which `make test-soak` makes a test longer, or what it
// is otherwise.
func Number(t testing.TB, variable string, otherwise int) int {
	t.Helper()
	given := os.Getenv(variable)
	if given == "" {
		return otherwise
	}
	number, err := strconv.Atoi(given)
	require.NoError(t, err, variable)
	return number
}

// Level is a Pod Security Standard that a namespace enforces.
type Level string

// The levels that the tests' namespaces have.
const (
	Restricted Level = "restricted"
	Baseline   Level = "baseline"
)

var cluster *rig.Cluster

// Main runs the tests of a package with a cluster, and with helm and kubectl as built here first on PATH. Call it from
// TestMain. Images are those that the package's pods run besides testimages.All.
func Main(m *testing.M, images ...testimages.Image) int {
	ctx := context.Background()
	tools, err := rig.Tools(ctx, os.Stderr)
	if err == nil {
		os.Setenv("PATH", tools+string(os.PathListSeparator)+os.Getenv("PATH"))
		cluster, err = rig.Ensure(ctx, os.Stderr, images...)
	}
	if err == nil {
		var client kubernetes.Interface
		if client, err = kube(); err == nil {
			err = removeLeftOver(ctx, client)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "no cluster:", err)
		return 1
	}
	defer suite.end()
	return m.Run()
}

// processLabel has the id of the process that a namespace of a test is of.
const processLabel = "outrigger-test"

// removeLeftOver deletes the namespaces of tests whose process was ended before it could: their pods would go on, and slow down what
// comes. Nobody waits for their end.
func removeLeftOver(ctx context.Context, client kubernetes.Interface) error {
	namespaces, err := client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: processLabel})
	if err != nil {
		return err
	}
	for _, namespace := range namespaces.Items {
		id, err := strconv.Atoi(namespace.Labels[processLabel])
		if err != nil || syscall.Kill(id, 0) == nil { // a namespace that is kept has no number
			continue
		}
		if err := client.CoreV1().Namespaces().Delete(ctx, namespace.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// Namespace is a namespace of one test's own.
type Namespace struct {
	Name   string
	Client kubernetes.Interface
	t      *tester
	store  *store // what S3 or OwnS3 has made
}

// NewNamespace creates a namespace that enforces a Pod Security Standard. When the test ends it is deleted, which nobody
// waits for; when the test has failed, everything that is needed to see why is printed first. OUTRIGGER_KEEP_NAMESPACES=1
// keeps those of failed tests.
func NewNamespace(t testing.TB, level Level) *Namespace {
	t.Helper()
	namespace := create(t, fmt.Sprintf("t-%d", time.Now().UnixNano()), level)
	t.Cleanup(func() {
		if t.Failed() {
			namespace.dump("the test")
			suite.dump(t)
			if os.Getenv("OUTRIGGER_KEEP_NAMESPACES") == "1" {
				namespace.Kubectl("label", "namespace", namespace.Name, processLabel+"=kept", "--overwrite")
				return
			}
		}
		_ = namespace.Client.CoreV1().Namespaces().Delete(context.Background(), namespace.Name, metav1.DeleteOptions{})
	})
	return namespace
}

// create creates a namespace and waits until pods are admitted.
func create(t testing.TB, name string, level Level) *Namespace {
	t.Helper()
	ctx := context.Background()
	namespace := existing(t, name)
	_, err := namespace.Client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: namespace.Name,
		Labels: map[string]string{
			"pod-security.kubernetes.io/enforce": string(level),
			processLabel:                         strconv.Itoa(os.Getpid()),
		},
		Annotations: map[string]string{"outrigger-test": t.Name()},
	}}, metav1.CreateOptions{})
	require.NoError(t, err)
	namespace.Eventually(PodStart, "the namespace has the service account without which no pod is admitted", func() bool {
		_, err := namespace.Client.CoreV1().ServiceAccounts(namespace.Name).Get(ctx, "default", metav1.GetOptions{})
		return err == nil
	})
	return namespace
}

// DefaultNamespace returns the namespace `default`, for what leaves nothing behind.
func DefaultNamespace(t testing.TB) *Namespace {
	t.Helper()
	return existing(t, "default")
}

// As returns the same namespace, as a subtest knows it.
func (n *Namespace) As(t testing.TB) *Namespace {
	return &Namespace{Name: n.Name, Client: n.Client, t: newTester(t), store: n.store}
}

func existing(t testing.TB, name string) *Namespace {
	t.Helper()
	client, err := kube()
	require.NoError(t, err)
	return &Namespace{Name: name, Client: client, t: newTester(t)}
}

func kubectlOptions(namespace string) *k8s.KubectlOptions {
	options := k8s.NewKubectlOptions(cluster.Context, cluster.Kubeconfig, namespace)
	options.Logger = logger.Discard
	return options
}

// Install installs a chart's folder with values given as YAML, over those of files in the folder. It does not wait for its
// pods.
func (n *Namespace) Install(release, folder, values string, files ...string) {
	n.t.Helper()
	options, err := n.helmOptions(values)
	require.NoError(n.t, err)
	for index, file := range files {
		files[index] = filepath.Join(folder, file)
	}
	options.ValuesFiles = append(files, options.ValuesFiles...)
	require.NoError(n.t, helm.InstallContextE(n.t, context.Background(), options, folder, release), "values:\n%s", values)
}

// Upgrade upgrades a release with a chart's folder and values given as YAML. It does not wait for its pods.
func (n *Namespace) Upgrade(release, folder, values string) {
	n.t.Helper()
	options, err := n.helmOptions(values)
	require.NoError(n.t, err)
	require.NoError(n.t, helm.UpgradeContextE(n.t, context.Background(), options, folder, release), "values:\n%s", values)
}

// InstallError installs a chart's folder with values given as YAML, which must fail, and returns helm's message.
func (n *Namespace) InstallError(release, folder, values string) string {
	n.t.Helper()
	options, err := n.helmOptions(values)
	require.NoError(n.t, err)
	err = helm.InstallContextE(n.t, context.Background(), options, folder, release)
	require.Error(n.t, err, "values:\n%s", values)
	return err.Error()
}

// Template renders a chart's folder with the helm command, and returns what it prints or its message.
func (n *Namespace) Template(folder, values string) (string, error) {
	n.t.Helper()
	options, err := n.helmOptions(values)
	require.NoError(n.t, err)
	return helm.RenderTemplateContextE(n.t, context.Background(), options, folder, "demo", nil, "--kube-version", KubeVersion)
}

func (n *Namespace) helmOptions(values string) (*helm.Options, error) {
	file := filepath.Join(n.t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(values), 0o644); err != nil {
		return nil, err
	}
	return &helm.Options{
		KubectlOptions: kubectlOptions(n.Name),
		ValuesFiles:    []string{file},
		Logger:         logger.Discard,
	}, nil
}

// Exec runs a command in a container, and returns what it prints, to its errors too, without the last newline. It fails the test
// where the command fails.
func (n *Namespace) Exec(pod, container string, command ...string) string {
	n.t.Helper()
	printed, err := n.TryExec(context.Background(), pod, container, command...)
	require.NoError(n.t, err, "%q in %s of %s:\n%s", command, container, pod, printed)
	return printed
}

// TryExec is Exec where that the command fails is no failure of the test.
func (n *Namespace) TryExec(ctx context.Context, pod, container string, command ...string) (string, error) {
	client, err := kube()
	if err != nil {
		return "", err
	}
	return client.exec(ctx, n.Name, pod, container, command)
}

// Kubectl runs kubectl in the namespace and returns its output. Exec, Logs and Follow do without the process.
func (n *Namespace) Kubectl(args ...string) string {
	n.t.Helper()
	output, err := k8s.RunKubectlAndGetOutputContextE(n.t, context.Background(), kubectlOptions(n.Name), args...)
	require.NoError(n.t, err, output)
	return output
}

// Pods returns the namespace's pods that a label selector selects.
func (n *Namespace) Pods(selector string) []corev1.Pod {
	n.t.Helper()
	pods, err := n.Client.CoreV1().Pods(n.Name).List(context.Background(), metav1.ListOptions{LabelSelector: selector})
	require.NoError(n.t, err)
	return pods.Items
}

// ReadyPods waits until a label selector selects as many pods, each Ready with every container, and returns them.
func (n *Namespace) ReadyPods(selector string, count int) []corev1.Pod {
	n.t.Helper()
	var pods []corev1.Pod
	n.Eventually(PodStart, fmt.Sprintf("%d pods %q are ready", count, selector), func() bool {
		pods = n.Pods(selector)
		ready := 0
		for _, pod := range pods {
			if isReady(pod) {
				ready++
			}
		}
		return ready == count && len(pods) == count
	})
	return pods
}

func isReady(pod corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
			return pod.DeletionTimestamp == nil
		}
	}
	return false
}

// Status returns the status of a pod's container, sidecars included.
func (n *Namespace) Status(pod corev1.Pod, container string) corev1.ContainerStatus {
	n.t.Helper()
	return Status(n.t, pod, container)
}

// Status is Namespace.Status for what is in no condition of Eventually.
func Status(t testing.TB, pod corev1.Pod, container string) corev1.ContainerStatus {
	t.Helper()
	for _, status := range append(pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses...) {
		if status.Name == container {
			return status
		}
	}
	require.Fail(t, "no status", "of container %s in pod %s", container, pod.Name)
	return corev1.ContainerStatus{}
}

// Logs returns what a container has written; of its previous instance where asked for.
func (n *Namespace) Logs(pod, container string, previous ...bool) string {
	n.t.Helper()
	options := &corev1.PodLogOptions{Container: container, Previous: len(previous) > 0 && previous[0]}
	text, err := n.Client.CoreV1().Pods(n.Name).GetLogs(pod, options).DoRaw(context.Background())
	require.NoError(n.t, err)
	return string(text)
}

// Watch returns the changes of the object that a field selector selects, from a version of it or of its kind's list on, until the
// context ends. Watching goes on where the connection breaks.
func (n *Namespace) Watch(ctx context.Context, kind func(context.Context, metav1.ListOptions) (watch.Interface, error), selector, version string) <-chan watch.Event {
	n.t.Helper()
	watcher, err := watchtools.NewRetryWatcherWithContext(ctx, version, &cache.ListWatch{
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = selector
			return kind(ctx, options)
		},
	})
	require.NoError(n.t, err)
	n.t.Cleanup(watcher.Stop)
	return watcher.ResultChan()
}

// Line is a line of a container's log and the time at which it arrived here.
type Line struct {
	Text    string
	Arrived time.Time
}

// Stream is a container's log as it arrives. It outlives the pod.
type Stream struct {
	mutex sync.Mutex
	lines []Line
	ended chan struct{}
}

// Follow begins to read a container's log from its start, and goes on where the connection breaks. With timestamps the
// container's lines are told from what the kubelet says in their midst, as that it no longer finds a container whose pod is
// deleted.
func (n *Namespace) Follow(pod, container string) *Stream {
	n.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	n.t.Cleanup(cancel)
	open := func(since time.Time) (io.ReadCloser, error) {
		options := &corev1.PodLogOptions{Container: container, Follow: true, Timestamps: true}
		if !since.IsZero() {
			options.SinceTime = &metav1.Time{Time: since}
		}
		return n.Client.CoreV1().Pods(n.Name).GetLogs(pod, options).Stream(ctx)
	}
	reader, err := open(time.Time{})
	require.NoError(n.t, err)
	stream := &Stream{ended: make(chan struct{})}
	go func() {
		defer close(stream.ended)
		for last := (written{}); err == nil; reader, err = open(last.at) {
			if broken := stream.read(reader, &last); !broken {
				return
			}
		}
	}()
	return stream
}

// written tells how far a log has been read: when its last line was written, and how many were at that time.
type written struct {
	at    time.Time
	lines int
}

// read reads lines to the end of a log, and tells whether it broke off instead. It leaves out those before last.
func (s *Stream) read(reader io.ReadCloser, last *written) (broken bool) {
	defer reader.Close()
	seen := *last
	scanner := bufio.NewScanner(reader)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		stamp, text, _ := strings.Cut(scanner.Text(), " ")
		at, err := time.Parse(time.RFC3339Nano, stamp)
		if err != nil || at.Before(seen.at) {
			continue
		}
		if at.Equal(seen.at) && seen.lines > 0 {
			seen.lines--
			continue
		}
		if !at.Equal(last.at) {
			*last = written{at: at}
		}
		last.lines++
		s.mutex.Lock()
		s.lines = append(s.lines, Line{text, time.Now()})
		s.mutex.Unlock()
	}
	return scanner.Err() != nil && !errors.Is(scanner.Err(), bufio.ErrTooLong)
}

// Lines returns the lines that have arrived so far.
func (s *Stream) Lines() []Line {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]Line(nil), s.lines...)
}

// Texts returns the texts of the lines that have arrived so far.
func (s *Stream) Texts() []string {
	var texts []string
	for _, line := range s.Lines() {
		texts = append(texts, line.Text)
	}
	return texts
}

// Find returns the first line with a text, if it has arrived.
func (s *Stream) Find(text string) (Line, bool) {
	for _, line := range s.Lines() {
		if line.Text == text {
			return line, true
		}
	}
	return Line{}, false
}

// WaitEnd waits until the container has ended and its whole log has arrived.
func (s *Stream) WaitEnd(t testing.TB, limit time.Duration) {
	t.Helper()
	select {
	case <-s.ended:
	case <-time.After(limit):
		require.Fail(t, "the log did not end", "within %s; it has %d lines", limit, len(s.Lines()))
	}
}

// dump prints the namespace's pods, events and logs, current and previous.
func (n *Namespace) dump(of string) {
	var report strings.Builder
	add := func(title string, args ...string) {
		output, err := k8s.RunKubectlAndGetOutputContextE(n.t, context.Background(), kubectlOptions(n.Name), args...)
		if err != nil && strings.Contains(output, "previous terminated container") {
			return
		}
		fmt.Fprintf(&report, "--- %s\n%s\n", title, shorten(output))
	}
	add("pods", "get", "pods", "-o", "wide")
	add("pods as YAML", "get", "pods", "-o", "yaml")
	add("events", "get", "events", "--sort-by=.lastTimestamp")
	pods, err := n.Client.CoreV1().Pods(n.Name).List(context.Background(), metav1.ListOptions{})
	if err == nil {
		for _, pod := range pods.Items {
			for _, container := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
				add(fmt.Sprintf("log of %s/%s", pod.Name, container.Name), "logs", pod.Name, "-c", container.Name)
				add(fmt.Sprintf("previous log of %s/%s", pod.Name, container.Name), "logs", pod.Name, "-c", container.Name, "--previous")
			}
		}
	}
	n.t.Logf("namespace %s of %s when the test failed:\n%s", n.Name, of, report.String())
}

// shorten keeps the ends of a long text.
func shorten(text string) string {
	const keep = 12_000
	if len(text) <= 2*keep {
		return text
	}
	return fmt.Sprintf("%s\n… %d characters left out …\n%s", text[:keep], len(text)-2*keep, text[len(text)-keep:])
}

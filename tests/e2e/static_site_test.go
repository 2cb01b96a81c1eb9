package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

const staticSite = "app.kubernetes.io/name=static-site"

// installStaticSite installs charts/static-site in a namespace of its own, and returns its pod when it answers by its Service.
func installStaticSite(t testing.TB, values string) (*harness.Namespace, corev1.Pod) {
	t.Helper()
	namespace := harness.NewNamespace(t, harness.Restricted)
	chart := harness.LoadChart(t, filepath.Join(harness.Root(), "charts/static-site")).Write(t)
	namespace.Install("demo", chart, "replicaCount: 1\n"+values)
	pod := namespace.ReadyPods(staticSite, 1)[0]
	namespace.Eventually(harness.PodStart, "the Service leads to the pod", func() bool { return !strings.HasSuffix(fetch(namespace, pod, "/", 1)[0], "failed\n") })
	return namespace, pod
}

// fetch requests a path over the Service, as often as asked, and returns the bodies. The requests come from the
// pod itself, by the Service's name.
func fetch(namespace *harness.Namespace, pod corev1.Pod, path string, times int) []string {
	const end = "-- end of a body --\n"
	script := fmt.Sprintf(`number=0; while [ $number -lt %d ]; do number=$((number + 1)); wget -q -O - http://demo-static-site%s || echo failed; echo '%s'; done`, times, path, strings.TrimSpace(end))
	output := namespace.Exec(pod.Name, "page-writer", "sh", "-c", script)
	return strings.Split(strings.TrimSuffix(output+"\n", end), end)
}

var sitePage = regexp.MustCompile(`(?s)\A<!DOCTYPE html>\n.*Page (\d+), written (\S+)\.</p>.*</html>\n\z`)

// readPage returns the number of a page, which must be whole, and when it was written.
func readPage(t testing.TB, page string) (number int, written time.Time) {
	t.Helper()
	match := sitePage.FindStringSubmatch(page)
	require.NotNil(t, match, "not a whole page: %q", page)
	number, err := strconv.Atoi(match[1])
	require.NoError(t, err)
	written, err = time.Parse(time.RFC3339, match[2])
	require.NoError(t, err)
	return number, written
}

func TestThePageOfTheSiteIsNeverMuchOlderThanFiveSeconds(t *testing.T) {
	harness.Seconds(t)
	namespace, pod := installStaticSite(t, "")

	// The date has no fractions of a second.
	harness.InTime(t, 7*time.Second, "the age of the oldest of four pages", func() time.Duration {
		var oldest time.Duration
		seen := map[int]bool{}
		namespace.Eventually(harness.PodEnd, "four pages", func() bool {
			asked := time.Now()
			number, written := readPage(namespace.T(), fetch(namespace, pod, "/", 1)[0])
			seen[number] = true
			oldest = max(oldest, asked.Sub(written))
			return len(seen) == 4
		})
		return oldest
	})
}

func TestThePageOfTheSiteIsNeverHalfWritten(t *testing.T) {
	harness.Facts(t)
	namespace, pod := installStaticSite(t, `outrigger: {containers: {page-writer: {env: {INTERVAL_SECONDS: "0"}}}}`)

	var read []string
	different := map[string]bool{}
	namespace.Eventually(harness.PodStart, "it is rewritten while it is read", func() bool {
		for _, page := range fetch(namespace, pod, "/", 150) {
			read = append(read, page)
			different[page] = true
		}
		return len(different) >= 75
	})

	t.Logf("%d requests, %d different pages", len(read), len(different))
	for _, page := range read {
		readPage(t, page)
	}
}

func TestTheDocumentsOfTheSiteAreThoseOfItsConfigMap(t *testing.T) {
	harness.Facts(t)
	namespace, pod := installStaticSite(t, "")

	assert.Contains(t, fetch(namespace, pod, "/docs/", 1)[0], "kept in step with their source")
	assert.Contains(t, fetch(namespace, pod, "/docs/about.html", 1)[0], "<title>About</title>")
}

func TestTheDocumentsOfTheSiteFollowTheirSource(t *testing.T) {
	harness.Facts(t)
	// A source that the test can write to, in the sidecar that copies it.
	namespace, pod := installStaticSite(t, `
documents: {source: {emptyDir: {}}}
outrigger:
  containers:
    synchroniser:
      env: {INTERVAL_SECONDS: "0.5"}
      volumeMounts: {documents-source: {readOnly: false}}
`)
	publish := func(script string) {
		namespace.Exec(pod.Name, "synchroniser", "sh", "-c", "cd /source && "+script)
	}
	served := func(path string) string { return fetch(namespace, pod, path, 1)[0] }

	for _, text := range []string{"first", "second"} {
		publish("echo " + text + " > page.html.new && mv page.html.new page.html")
		namespace.Eventually(harness.LogLine, text+" is served", func() bool { return served("/docs/page.html") == text+"\n" })
	}
	publish("mkdir deep && echo third > deep/page.html && rm page.html")

	namespace.Eventually(harness.LogLine, "a new page is served", func() bool { return served("/docs/deep/page.html") == "third\n" })
	namespace.Eventually(harness.LogLine, "a removed page is not", func() bool { return strings.HasSuffix(served("/docs/page.html"), "failed\n") })
	trees := strings.Fields(namespace.Exec(pod.Name, "synchroniser", "ls", "/srv/docs"))
	assert.LessOrEqual(t, len(trees), 4, "the link, its tree, the one before and perhaps one that is being made: %v", trees)
}

func TestAPodOfTheSiteIsSoonGone(t *testing.T) {
	harness.Seconds(t)
	namespace, _ := installStaticSite(t, "")

	harness.InTime(t, 10*time.Second, "from a pod's deletion to its end, of a grace period of 30 s", func() time.Duration {
		begin := time.Now()
		_, gone := deletePod(t, namespace, namespace.ReadyPods(staticSite, 1)[0], "nginx")
		return gone.Sub(begin)
	})
}

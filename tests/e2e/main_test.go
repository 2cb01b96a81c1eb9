// Package e2e deploys charts into the cluster and asserts what their pods do.
package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// web selects the pod of harness.Consumer's Deployment.
const web = "app=web"

// restrictedApp returns values for harness.Consumer: a pod that satisfies Pod Security `restricted`, whose container
// `app` runs a shell script on busybox, with a shared volume /logs and a logshipper `shipper` of /logs/app.log.
func restrictedApp(script string) string {
	return fmt.Sprintf(`
pod:
  metadata: {labels: {app: web}}
  spec:
    securityContext: {runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, seccompProfile: {type: RuntimeDefault}}
    containers:
      - name: app
        image: docker.io/library/busybox:1.37.0-musl
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        command:
          - sh
          - -c
          - |
            %s
outrigger:
  volumes: {logs: {mountPath: /logs}}
  logshippers:
    shipper: {files: [/logs/app.log], to: {stdout: {}}}
`, strings.ReplaceAll(strings.TrimSpace(script), "\n", "\n            "))
}

// serving is the end of an app's script: it waits for SIGTERM.
const serving = `
while true; do sleep 1 & wait $!; done
`

// missing returns how many of the numbers 1 to count no line "prefix number" has, and how many lines are repeated, with
// examples for a message.
func missing(lines []string, prefix string, count int) (lost, repeated int, report string) {
	seen := map[string]int{}
	for _, line := range lines {
		if strings.HasPrefix(line, prefix) {
			seen[line]++
		}
	}
	var examples []string
	for number := 1; number <= count; number++ {
		line := fmt.Sprintf("%s%d", prefix, number)
		switch times := seen[line]; {
		case times == 0:
			lost++
			examples = append(examples, "lost "+line)
		case times > 1:
			repeated += times - 1
			examples = append(examples, fmt.Sprintf("%d times %s", times, line))
		}
	}
	return lost, repeated, strings.Join(examples[:min(len(examples), 10)], ", ")
}

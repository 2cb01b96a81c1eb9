package render

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// rotating is a pod of containers that share /logs with a shipper that rotates, with further keys of its entry.
func rotating(podContext, containers, keys string) string {
	return fmt.Sprintf(`
pod:
  metadata: {labels: {app: web}}
  spec: {securityContext: {%s}, containers: [%s]}
outrigger:
  volumes: {logs: {mountPath: /logs}}
  logshippers: {ship: {files: [/logs/app.log], rotate: {maxSize: 1Mi}%s, to: {otlphttp: {endpoint: "http://a:1"}}}}
`, podContext, containers, keys)
}

func TestRotationIsRefusedWhereTheSidecarMayNotTruncateTheAppsFiles(t *testing.T) {
	t.Parallel()
	const app = `{name: app, image: "app:1"}`
	for name, test := range map[string]struct{ pod, containers, keys, message string }{
		"the image's user": {
			"", app, "",
			`outrigger.logshippers.ship.rotate: container "app" runs as the user of its image, which is not known here, and the sidecar as user 65532, which may not truncate the other's files; give both one user: securityContext.runAsUser of the pod, or of this entry`,
		},
		"root":                        {"runAsUser: 0", app, "", `container "app" runs as user 0, and the sidecar as user 65532`},
		"root by its container":       {"runAsUser: 1000", `{name: app, image: "app:1", securityContext: {runAsUser: 0}}`, "", `container "app" runs as user 0, and the sidecar as user 65532`},
		"another user of the entry's": {"runAsUser: 1000", app, ", securityContext: {runAsUser: 2000}", `container "app" runs as user 1000, and the sidecar as user 2000`},
		"two that write": {
			"", `{name: app, image: "app:1"}, {name: second, image: "app:1", securityContext: {runAsUser: 0}}`, "",
			`container "app" runs as the user of its image, which is not known here and container "second" runs as user 0, and the sidecar as user 65532`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Contains(t, harness.Consumer(t).RenderError(t, rotating(test.pod, test.containers, test.keys)), test.message)
		})
	}
}

func TestRotationIsTakenWhereTheSidecarIsTheAppsUserOrTheEntrySaysWhichItIs(t *testing.T) {
	t.Parallel()
	const app = `{name: app, image: "app:1"}`
	for name, test := range map[string]struct{ pod, containers, keys string }{
		"the pod's user":                        {"runAsUser: 1000", app, ""},
		"the container's user":                  {"", `{name: app, image: "app:1", securityContext: {runAsUser: 1000}}`, ""},
		"a user of seven digits":                {"runAsUser: 1000680000", app, ""},
		"root, and the entry too":               {"runAsUser: 0", app, ", securityContext: {runAsUser: 0}"},
		"the image's user, named by the entry":  {"", app, ", securityContext: {runAsUser: 999}"},
		"another user of a group that has both": {"runAsUser: 1000, fsGroup: 3000", app, ", securityContext: {runAsUser: 2000}"},
		"another user of the app's group":       {"runAsUser: 1000, runAsGroup: 3000", app, ", securityContext: {runAsUser: 2000}"},
		"a second container that only reads":    {"runAsUser: 1000", app + `, {name: second, image: "app:1", securityContext: {runAsUser: 0}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			pod := harness.Consumer(t).Render(t, rotating(test.pod, test.containers, test.keys))

			assert.NotEmpty(t, pod)
		})
	}
}

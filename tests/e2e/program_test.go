package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/library/sidecar/version"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// beside is an app that stays, with further lines of the library's values.
func beside(lines string) string {
	return restrictedApp(`trap 'exit 0' TERM`+serving) + lines
}

func TestThePodsRunTheVeryImageThatIsShipped(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	shipped, err := rig.Shipped(t.Context(), t.Output())
	require.NoError(t, err)
	digest, err := shipped.Digest()
	require.NoError(t, err)

	namespace.Install("demo", harness.Consumer(t).Write(t), beside(`
  containers:
    program: {kind: init, image: "`+testimages.OutriggerRef+`", command: [/outrigger, --version]}
`))
	pod := namespace.ReadyPods(web, 1)[0]

	id := harness.Status(t, pod, "program").ImageID
	assert.Contains(t, id, digest.String(), "the image's manifest, as it is pushed")
	assert.Equal(t, "outrigger version "+version.Version+"\n", namespace.Logs(pod.Name, "program"))
}

func TestTheProgramStartsInWhateverImageItIsBroughtTo(t *testing.T) {
	harness.Facts(t)
	for way, test := range map[string]struct{ tools, user string }{
		"by a copy": {"copy", "runAsUser: 1000, runAsGroup: 1000"}, "by an image volume": {"image", "runAsUser: 1000650000, runAsGroup: 0"},
	} {
		t.Run(way, func(t *testing.T) {
			harness.Facts(t)
			namespace := harness.NewNamespace(t, harness.Restricted)
			// musl and no libraries at all, a dynamic build of glibc's, Debian's with another user and entrypoint, and scratch.
			app := strings.NewReplacer("runAsUser: 1000, runAsGroup: 1000", test.user, "{logs: {mountPath: /logs}}", "{logs: {mountPath: /logs}, usr: {mountPath: /usr, seed: true}}")
			values := app.Replace(beside(`
  defaults: {tools: ` + test.tools + `}
  tokenRefreshers:
    musl: {ttl: 15m, file: {path: /tokens/a/f, format: raw}, exec: {image: "` + busybox + `", command: [echo, a]}}
    glibc: {ttl: 15m, file: {path: /tokens/b/f, format: raw, mode: "0644"}, exec: {image: "` + testimages.DynamicBusyBoxRef + `", command: [echo, b]}, securityContext: {runAsUser: 1000650000, runAsGroup: 0}}
    debian: {ttl: 15m, file: {path: /tokens/c/f, format: raw}, exec: {image: "` + testimages.PostgresRef + `", command: [echo, c]}}
    scratch: {ttl: 15m, file: {path: /tokens/d/f, format: raw}, exec: {image: "` + testimages.OutriggerRef + `", command: [/outrigger, --version]}}
`))
			namespace.Install("demo", harness.Consumer(t).Write(t), values)

			pod := namespace.ReadyPods(web, 1)[0]

			for folder, token := range map[string]string{"a": "a", "b": "b", "c": "c", "d": "outrigger version " + version.Version} {
				assert.Equal(t, token, strings.TrimSpace(namespace.Exec(pod.Name, "app", "cat", "/tokens/"+folder+"/f")))
			}
			assert.Equal(t, "../../bin/env", namespace.Exec(pod.Name, "app", "readlink", "/usr/bin/env"), "the app's volume is seeded")
			assert.Contains(t, test.user, "runAsUser: "+namespace.Exec(pod.Name, "app", "id", "-u")+",")
			status := namespace.Exec(pod.Name, "glibc", "/outrigger-program/outrigger", "status")
			assert.Contains(t, status, "glibc", "a person sees how it is, in an image of any kind")
			for _, container := range pod.Spec.InitContainers {
				assert.True(t, container.Name != "outrigger-install" || test.tools == "copy", "nothing is copied where the image is the volume")
			}
		})
	}
}

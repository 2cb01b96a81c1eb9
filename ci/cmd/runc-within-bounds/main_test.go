package main

import (
	"strings"
	"testing"
)

func TestCapabilitiesThatTheHostLacksAreTakenOut(t *testing.T) {
	bounds := map[string]bool{"CAP_CHOWN": true, "CAP_KILL": true}
	for name, spec := range map[string]string{
		"a container's": `{"linux":{"resources":{"memory":{"limit":9223372036854771712}}},"process":{"capabilities":{"bounding":["CAP_CHOWN","CAP_SYS_RESOURCE"],"effective":["CAP_SYS_RESOURCE"]},"cwd":"/"}}`,
		"a process's":   `{"capabilities":{"bounding":["CAP_CHOWN","CAP_SYS_RESOURCE"],"effective":["CAP_SYS_RESOURCE"]},"cwd":"/"}`,
	} {
		got, err := within([]byte(spec), bounds)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.NewReplacer(`,"CAP_SYS_RESOURCE"`, "", `"CAP_SYS_RESOURCE"`, "").Replace(spec)
		if string(got) != want {
			t.Errorf("%s specification:\ngot  %s\nwant %s", name, got, want)
		}
	}
}

func TestASpecificationWithoutCapabilitiesStays(t *testing.T) {
	for _, spec := range []string{`{}`, `{"process":{"args":["sh"]}}`} {
		if got, err := within([]byte(spec), nil); err != nil || string(got) != spec {
			t.Errorf("%s became %s, %v", spec, got, err)
		}
	}
}

func TestSpecification(t *testing.T) {
	for args, want := range map[string]string{
		"--root /r --log /l create --bundle /b --pid-file /p id":        "/b/config.json",
		"--root /r run --bundle=/b id":                                  "/b/config.json",
		"--log /l exec --process /tmp/p --detach --pid-file /p id":      "/tmp/p",
		"--root /run/runc --systemd-cgroup create -b /b id":             "/b/config.json",
		"--root /r delete --force id":                                   "",
		"--root /r kill --all id 9":                                     "",
		"--root /r --log-format json state id":                          "",
		"--root /r --log /l exec --process=/tmp/p --console-socket s i": "/tmp/p",
	} {
		if got := specification(strings.Fields(args)); got != want {
			t.Errorf("runc %s: %q, want %q", args, got, want)
		}
	}
}

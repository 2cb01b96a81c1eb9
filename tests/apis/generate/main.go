// Command generate writes the API types of each Kubernetes version that charts are checked against into
// tests/apis/testdata, from the Go types of k8s.io/api, which it downloads.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/outrigger-charts/outrigger/tests/apis"
)

// roots are the kinds that a chart with sidecars renders.
var roots = map[string][]string{
	"apps/v1":  {"DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"},
	"batch/v1": {"CronJob", "Job"},
	"core/v1":  {"ConfigMap", "PersistentVolumeClaim", "Pod", "PodTemplate", "Service", "ServiceAccount"},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return err
	}
	for minor := apis.Oldest; minor <= apis.Newest; minor++ {
		version, err := generate(minor)
		if err != nil {
			return fmt.Errorf("1.%d: %w", minor, err)
		}
		file := filepath.Join(strings.TrimSpace(string(root)), "tests", "apis", "testdata", fmt.Sprintf("v1.%d.json", minor))
		if err := os.WriteFile(file, print(version), 0o644); err != nil {
			return err
		}
		fmt.Println(file, version.Source)
	}
	return nil
}

func generate(minor int) (apis.Types, error) {
	api, err := download(fmt.Sprintf("k8s.io/api@v0.%d", minor)) // the latest patch that the proxy has
	if err != nil {
		return apis.Types{}, err
	}
	machinery, err := download("k8s.io/apimachinery@" + api.requires("k8s.io/apimachinery"))
	if err != nil {
		return apis.Types{}, err
	}
	r := &reader{
		modules:  map[string]string{api.Path: api.Dir, machinery.Path: machinery.Dir},
		packages: map[string]*source{},
		from:     map[string]string{},
		types:    map[string]map[string]string{},
	}
	kinds := map[string]string{}
	for group, names := range roots {
		for _, name := range names {
			kinds[strings.TrimPrefix(group, "core/")+" "+name] = name
			if _, err := r.named("k8s.io/api/"+group, name); err != nil {
				return apis.Types{}, err
			}
		}
	}
	return apis.Types{Source: []string{api.String(), machinery.String()}, Kinds: kinds, Types: r.types}, nil
}

// print is JSON with a line for each type.
func print(version apis.Types) []byte {
	var out bytes.Buffer
	line := func(value any) string {
		text, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		return string(text)
	}
	fmt.Fprintf(&out, "{\n\"source\": %s,\n\"kinds\": %s,\n\"types\": {", line(version.Source), line(version.Kinds))
	for i, name := range sortedKeys(version.Types) {
		if i > 0 {
			out.WriteString(",")
		}
		fmt.Fprintf(&out, "\n%s: %s", line(name), line(version.Types[name]))
	}
	out.WriteString("\n}\n}\n")
	return out.Bytes()
}

// module is a Go module in the local cache.
type module struct{ Path, Version, Dir, GoMod, Error string }

func (m module) String() string { return m.Path + "@" + m.Version }

// requires returns the version of another module that a module asks for.
func (m module) requires(path string) string {
	text, err := os.ReadFile(m.GoMod)
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(text))
	for i, field := range fields[:len(fields)-1] {
		if field == path && strings.HasPrefix(fields[i+1], "v") {
			return fields[i+1]
		}
	}
	return ""
}

// download brings a module into Go's cache, outside of this repository's go.mod.
func download(query string) (module, error) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return module{}, err
	}
	defer os.RemoveAll(dir)
	command := exec.Command("go", "mod", "download", "-json", query)
	command.Dir = dir
	out, runErr := command.Output()
	var m module
	if err := json.Unmarshal(out, &m); err != nil {
		return m, errors.Join(fmt.Errorf("go mod download %s", query), runErr, err)
	}
	if m.Error != "" {
		return m, errors.New(m.Error)
	}
	return m, runErr
}

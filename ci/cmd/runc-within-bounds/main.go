// Command runc-within-bounds is an OCI runtime: runc, asked for no more capabilities than the host
// can give.
//
// Where a machine's own capability bounding set is not full (a container, a micro VM), Docker still
// asks runc for every capability when a container is privileged, and runc refuses the whole. This
// takes the capabilities out of the specification that the host lacks, and then becomes runc.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/outrigger-charts/outrigger/ci/engine"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "runc-within-bounds:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	bounds, err := engine.OwnBounding()
	if err != nil {
		return err
	}
	if path := specification(args); path != "" {
		if err := rewrite(path, bounds); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	runc, err := exec.LookPath("runc")
	if err != nil {
		return err
	}
	return syscall.Exec(runc, append([]string{"runc"}, args...), os.Environ())
}

// specification returns the file in which runc's arguments say what to run: a bundle's config.json
// for create and run, the process file for exec, or "" where there is none.
func specification(args []string) string {
	value := func(names ...string) string {
		for i, arg := range args {
			for _, name := range names {
				if v, ok := strings.CutPrefix(arg, name+"="); ok {
					return v
				}
				if arg == name && i+1 < len(args) {
					return args[i+1]
				}
			}
		}
		return ""
	}
	for _, arg := range args {
		switch arg {
		case "create", "run":
			return filepath.Join(value("--bundle", "-b"), "config.json")
		case "exec":
			return value("--process", "-p")
		}
	}
	return ""
}

func rewrite(path string, bounds map[string]bool) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	bounded, err := within(old, bounds)
	if err != nil {
		return err
	}
	return os.WriteFile(path, bounded, 0o644)
}

// within returns the specification, of a container or of a process, without the capabilities that
// are not in bounds. All else stays as it was.
func within(spec []byte, bounds map[string]bool) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(spec))
	decoder.UseNumber() // sizes and ids would not survive float64
	var document map[string]any
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	process := document
	if p, ok := document["process"].(map[string]any); ok {
		process = p
	}
	sets, _ := process["capabilities"].(map[string]any)
	for name, set := range sets {
		capabilities, _ := set.([]any)
		kept := []any{}
		for _, c := range capabilities {
			if s, ok := c.(string); ok && bounds[s] {
				kept = append(kept, c)
			}
		}
		sets[name] = kept
	}
	return json.Marshal(document)
}

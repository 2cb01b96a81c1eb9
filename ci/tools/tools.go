// Package tools builds programs from Go modules of their own, below ci/modules: each at the exact
// version its go.mod says, whatever the machine has installed and the repository's own go.mod needs.
package tools

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/proc"
)

// Module is a module below ci/modules and what is built of it.
type Module struct {
	Name     string            // what it is called
	Folder   string            // the directory's name, where it is another
	Programs map[string]string // package path by the program's name
	LDFlags  []string          // linker flags beyond -s -w
	Tags     string            // build tags
	InAHurry bool              // compiled before others that wait: a cluster needs it
}

// Builder builds modules into a cache directory.
type Builder struct {
	Modules string // the directory ci/modules
	Cache   string // the cache directory
}

// Key is what a module's programs are made from. The sources of a program in a folder of the module's count for that program
// alone.
func (b Builder) Key(m Module) (*cache.Key, error) {
	key := new(cache.Key).Add(m.Name, runtime.Version(), runtime.GOARCH, strings.Join(m.LDFlags, " "), m.Tags)
	dir := b.folder(m)
	if err := key.AddFiles(filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum")); err != nil {
		return key, err
	}
	for _, program := range m.programs() {
		pkg := m.Programs[program]
		key.Add(program, pkg)
		if dir, isOwn := strings.CutPrefix(pkg, own); isOwn {
			if err := key.AddSources(os.DirFS(filepath.Join(b.Modules, dir))); err != nil {
				return key, err
			}
		}
	}
	return key, nil
}

func (b Builder) folder(m Module) string { return filepath.Join(b.Modules, cmp.Or(m.Folder, m.Name)) }

// Version returns the version that a module's go.mod requires of a dependency.
func (b Builder) Version(module, dependency string) (string, error) {
	return Required(filepath.Join(b.Modules, module, "go.mod"), dependency)
}

// Required returns the version that a go.mod file requires of a dependency.
func Required(goMod, dependency string) (string, error) {
	content, err := os.ReadFile(goMod)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && fields[0] == dependency && strings.HasPrefix(fields[1], "v") {
			return fields[1], nil
		}
	}
	return "", fmt.Errorf("%s does not require %s", goMod, dependency)
}

// Dir returns the directory that a module's programs are in once they are built.
func (b Builder) Dir(m Module) (string, error) {
	key, err := b.Key(m)
	return filepath.Join(b.Cache, "bin", m.Name+"-"+key.String()), err
}

// Build returns the directory that holds a module's programs, and whether they were there. Compiled
// packages go to the user's own Go build cache.
func (b Builder) Build(ctx context.Context, log io.Writer, m Module) (dir string, reused bool, err error) {
	dir, err = b.Dir(m)
	if err != nil {
		return "", false, err
	}
	reused, err = cache.Make(ctx, dir, func(tmp string) error { return b.compile(ctx, log, m, tmp) })
	cache.Prune(filepath.Dir(dir), m.Name+"-????????????", 3)
	return dir, reused, err
}

func (b Builder) compile(ctx context.Context, log io.Writer, m Module, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	args := []string{
		"go", "build", "-mod=readonly", "-tags", m.Tags,
		"-ldflags", strings.Join(append([]string{"-s", "-w"}, m.LDFlags...), " "),
		"-o", dir + string(filepath.Separator),
	}
	for _, program := range m.programs() {
		args = append(args, m.Programs[program])
	}
	cmd := proc.Cmd{
		Args: args, Dir: b.folder(m), Log: log, Env: append(GoEnv(), "GOWORK=off"),
	}
	if err := Compile(ctx, cmd, m.InAHurry); err != nil {
		return err
	}
	for program, pkg := range m.Programs {
		if err := os.Rename(filepath.Join(dir, defaultName(pkg)), filepath.Join(dir, program)); err != nil {
			return err
		}
	}
	return nil
}

func (m Module) programs() []string {
	names := make([]string, 0, len(m.Programs))
	for name := range m.Programs {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// majorVersion is a last element of a package path that 'go build' does not name a program by.
var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// defaultName is how 'go build' names the program of a package.
func defaultName(pkg string) string {
	if base := path.Base(pkg); !majorVersion.MatchString(base) {
		return base
	}
	return path.Base(path.Dir(pkg))
}

// goFlags are the flags of every go command that make starts, of the Makefile's own too.
const goFlags = "-trimpath -buildvcs=false"

// GoEnv is the environment of those commands. Go keeps a compiled package by the flags that it was compiled with: where
// all have the same, what tools, the node's programs, tests and linters have in common is compiled once.
func GoEnv() []string {
	flags := os.Getenv("GOFLAGS")
	if !strings.Contains(flags, goFlags) {
		flags = strings.TrimSpace(flags + " " + goFlags)
	}
	return []string{"CGO_ENABLED=0", "GOFLAGS=" + flags}
}

// BuildOwn builds a command of this repository to a path, with an environment added to. Root is the repository's.
func BuildOwn(ctx context.Context, log io.Writer, root, pkg, path string, env ...string) error {
	args := []string{"go", "build", "-ldflags", "-s -w", "-o", path, pkg}
	return Compile(ctx, proc.Cmd{Args: args, Dir: root, Log: log, Env: append(GoEnv(), env...)}, true)
}

// Compile runs a go command that compiles much, when it is its turn: one runs at a time.
func Compile(ctx context.Context, cmd proc.Cmd, inAHurry bool) error {
	done, err := compiling.take(ctx, inAHurry)
	if err != nil {
		return err
	}
	defer done()
	_, err = proc.Run(ctx, cmd)
	return err
}

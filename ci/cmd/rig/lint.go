package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/debian"
	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

// lint runs the linters: all of them, even when one finds something.
func lint(ctx context.Context, r *rig.Rig) error {
	r.Reporter.Plan(6)
	if err := r.Reporter.Step(ctx, "shellcheck and yamllint", func(ctx context.Context, s *progress.Step) error {
		s.Result("present")
		for _, program := range []string{"shellcheck", "yamllint"} {
			if err := debian.EnsureProgram(ctx, s.Log(), program, program); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	tools, err := r.Tools(ctx, "helm", "ct", "staticcheck")
	if err != nil {
		return err
	}
	l := linter{rig: r, tools: tools}
	found := 0
	for _, check := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"gofmt", l.gofmt},
		{"go vet", func(ctx context.Context) error { return l.inModules(ctx, "go", "vet", "./...") }},
		{"staticcheck", func(ctx context.Context) error { return l.inModules(ctx, "staticcheck", "./...") }},
		{"shellcheck", l.shellcheck},
		{"ct lint", l.chartTesting},
		{"helm lint --strict", l.helmLint},
	} {
		err := r.Reporter.Step(ctx, check.name, func(ctx context.Context, _ *progress.Step) error { return check.run(ctx) })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			found++
		}
	}
	if found > 0 {
		r.Reporter.Say("%d linters found something.", found)
		return errQuiet
	}
	return nil
}

type linter struct {
	rig   *rig.Rig
	tools string
}

// run runs a command in the repository with the tools first on PATH: ct calls helm and yamllint.
func (l linter) run(ctx context.Context, args ...string) error {
	return l.runIn(ctx, l.rig.Root, args...)
}

// inModules runs a command in each of the repository's Go modules.
func (l linter) inModules(ctx context.Context, args ...string) error {
	var found error
	for _, folder := range modules(l.rig) {
		found = errors.Join(found, l.runIn(ctx, folder, slices.Clone(args)...))
	}
	return found
}

// gofmt tells of Go files that are not formatted.
func (l linter) gofmt(ctx context.Context) error {
	list, err := proc.Run(ctx, proc.Cmd{Args: []string{"gofmt", "-l", "ci", "library", "tests"}, Dir: l.rig.Root})
	if err == nil && list != "" {
		err = fmt.Errorf("not formatted by gofmt: %s", strings.Join(strings.Fields(list), ", "))
	}
	return err
}

func (l linter) runIn(ctx context.Context, folder string, args ...string) error {
	if own := filepath.Join(l.tools, args[0]); exists(own) {
		args[0] = own
	}
	_, err := proc.Run(ctx, proc.Cmd{
		Args: args, Dir: folder, Log: l.rig.Reporter.Log(),
		Env: []string{"PATH=" + l.tools + string(os.PathListSeparator) + os.Getenv("PATH")},
	})
	return err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// shellcheck checks every shell script that git knows.
func (l linter) shellcheck(ctx context.Context) error {
	list, err := proc.Run(ctx, proc.Cmd{Args: []string{"git", "ls-files", "*.sh", ".ci/run"}, Dir: l.rig.Root})
	if err != nil {
		return err
	}
	return l.run(ctx, append([]string{"shellcheck"}, strings.Fields(list)...)...)
}

// chartTesting lints all charts, as nothing here tells which of them a change touches.
func (l linter) chartTesting(ctx context.Context) error {
	return l.run(ctx, "ct", "lint", "--config", "ct.yaml", "--all")
}

func (l linter) helmLint(ctx context.Context) error {
	files, err := filepath.Glob(filepath.Join(l.rig.Root, "*", "*", "Chart.yaml"))
	if err != nil {
		return err
	}
	for _, f := range files {
		chart := filepath.Dir(f)
		if err := l.run(ctx, "helm", "dependency", "update", "--skip-refresh", chart); err != nil {
			return err
		}
		if err := l.run(ctx, "helm", "lint", "--strict", chart); err != nil {
			return err
		}
	}
	return nil
}

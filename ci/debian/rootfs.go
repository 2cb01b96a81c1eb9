package debian

import (
	"context"
	"io"
	"os"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/proc"
)

// documentation is what Debian's own slim images leave out of every package.
var documentation = []string{
	"usr/share/doc", "usr/share/groff", "usr/share/info", "usr/share/linda", "usr/share/lintian", "usr/share/locale", "usr/share/man",
}

// RootFS writes the tar of a root file system to path: what Debian's slim image of a suite holds, and
// packages. mmdebstrap makes it, which is installed if it is missing.
func RootFS(ctx context.Context, log io.Writer, path, suite string, packages ...string) error {
	if err := EnsureProgram(ctx, log, "mmdebstrap", "mmdebstrap"); err != nil {
		return err
	}
	args := []string{
		"mmdebstrap", "--variant=minbase", "--format=tar", "--include=" + strings.Join(packages, ","),
		"--aptopt=Acquire::Languages \"none\"",
		// A mirror may lag behind, by weeks where it is frozen; what it signed is checked all the same.
		"--aptopt=Acquire::Check-Valid-Until \"false\"",
	}
	for _, dir := range documentation {
		args = append(args, "--dpkgopt=path-exclude=/"+dir+"/*")
	}
	// To standard output: mmdebstrap, when it isn't root, may write nowhere in a home directory.
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	args = append(args, suite, "-")
	if _, err := proc.Run(ctx, proc.Cmd{Args: args, Log: log, Stdout: f}); err != nil {
		return err
	}
	return f.Close()
}

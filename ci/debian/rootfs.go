package debian

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/proc"
)

// slim is what Debian's own slim images leave out of every package.
var slim = []string{
	"path-exclude=/usr/share/doc/*",
	"path-exclude=/usr/share/groff/*",
	"path-exclude=/usr/share/info/*",
	"path-exclude=/usr/share/linda/*",
	"path-exclude=/usr/share/lintian/*",
	"path-exclude=/usr/share/locale/*",
	"path-exclude=/usr/share/man/*",
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
	for _, option := range slim {
		args = append(args, "--dpkgopt="+option)
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

// Package unpacks packages of a suite into dir, without root, without installing them or what they depend
// on, and without a look at this machine's own package sources.
func Package(ctx context.Context, log io.Writer, dir, suite string, names ...string) error {
	const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
	if _, err := os.Stat(keyring); err != nil {
		return fmt.Errorf("no %s (package debian-archive-keyring), by which Debian's packages are verified", keyring)
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "outrigger-apt-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	source := fmt.Sprintf("deb [signed-by=%s] http://deb.debian.org/debian %s main\n", keyring, suite)
	config := fmt.Sprintf(`Dir::State "%[1]s/state";
Dir::State::status "/dev/null";
Dir::Cache "%[1]s/cache";
Dir::Etc::SourceList "%[1]s/sources.list";
Dir::Etc::SourceParts "-";
APT::Sandbox::User "";
Acquire::Languages "none";
`, tmp)
	files := map[string]string{"sources.list": source, "apt.conf": config}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(tmp, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	for _, d := range []string{"state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(tmp, d), 0o755); err != nil {
			return err
		}
	}
	for _, args := range [][]string{{"apt-get", "-q", "update"}, append([]string{"apt-get", "-q", "download"}, names...)} {
		env := []string{"APT_CONFIG=" + filepath.Join(tmp, "apt.conf")}
		if _, err := proc.Run(ctx, proc.Cmd{Args: args, Dir: tmp, Env: env, Log: log}); err != nil {
			return err
		}
	}
	debs, err := filepath.Glob(filepath.Join(tmp, "*.deb"))
	if err != nil || len(debs) != len(names) {
		return fmt.Errorf("apt-get download %s gave %d files: %w", strings.Join(names, " "), len(debs), err)
	}
	for _, deb := range debs {
		if _, err := proc.Run(ctx, proc.Cmd{Args: []string{"dpkg-deb", "-x", deb, dir}, Log: log}); err != nil {
			return err
		}
	}
	return nil
}

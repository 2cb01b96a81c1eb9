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

// Package unpacks packages of a suite into dir, without root, without installing them or what they depend
// on, and without a look at this machine's own package sources.
func Package(ctx context.Context, log io.Writer, dir, suite string, names ...string) error {
	return fetched(ctx, log, suite, func(a apt) error {
		if err := a.get("download", names...); err != nil {
			return err
		}
		debs, err := filepath.Glob(filepath.Join(a.dir, "*.deb"))
		if err != nil || len(debs) != len(names) {
			return fmt.Errorf("apt-get download %s gave %d files: %w", strings.Join(names, " "), len(debs), err)
		}
		for _, deb := range debs {
			if _, err := proc.Run(ctx, proc.Cmd{Args: []string{"dpkg-deb", "-x", deb, dir}, Log: log}); err != nil {
				return err
			}
		}
		return nil
	})
}

// statusFile and the names of tar files are how Packages leaves what it fetched.
const statusFile = "status"

// Packages leaves in dir, for Files, packages of a suite and all that they depend on, as Package does: nothing is
// installed, so that no root is needed, and it takes a tenth of the time.
func Packages(ctx context.Context, log io.Writer, dir, suite string, names ...string) error {
	return fetched(ctx, log, suite, func(a apt) error {
		if err := a.get("install", append([]string{"-y", "--no-install-recommends", "--download-only"}, names...)...); err != nil {
			return err
		}
		debs, err := filepath.Glob(filepath.Join(a.dir, "cache/archives/*.deb"))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		var status strings.Builder
		for _, deb := range debs {
			stanza, err := proc.Output(ctx, "dpkg-deb", "--field", deb, "Package", "Pre-Depends", "Depends", "Provides")
			if err != nil {
				return err
			}
			status.WriteString(stanza + "\n\n")
			name, _, _ := strings.Cut(filepath.Base(deb), "_")
			tar, err := os.Create(filepath.Join(dir, name+".tar"))
			if err != nil {
				return err
			}
			_, err = proc.Run(ctx, proc.Cmd{Args: []string{"dpkg-deb", "--fsys-tarfile", deb}, Stdout: tar})
			if closeErr := tar.Close(); err == nil {
				err = closeErr
			}
			if err != nil {
				return err
			}
		}
		return os.WriteFile(filepath.Join(dir, statusFile), []byte(status.String()), 0o644)
	})
}

// apt is apt-get with settings and directories of its own, where nothing is installed.
type apt struct {
	ctx context.Context
	log io.Writer
	dir string
}

// fetched calls use with an apt that knows a suite's packages.
func fetched(ctx context.Context, log io.Writer, suite string, use func(apt) error) error {
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
Acquire::Check-Valid-Until "false";
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
	a := apt{ctx, log, tmp}
	if err := a.get("update"); err != nil {
		return err
	}
	return use(a)
}

func (a apt) get(verb string, args ...string) error {
	_, err := proc.Run(a.ctx, proc.Cmd{
		Args: append([]string{"apt-get", "-q", verb}, args...), Dir: a.dir, Log: a.log,
		Env: []string{"APT_CONFIG=" + filepath.Join(a.dir, "apt.conf")},
	})
	return err
}

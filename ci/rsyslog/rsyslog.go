// Package rsyslog lays rsyslog out beside this machine's own programs, with the libraries that it was built with, so that
// neither root nor a change to the machine is needed to run it.
package rsyslog

import (
	"context"
	"io"
	"path/filepath"

	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/debian"
)

const suite = "trixie"

// packages are Debian's rsyslog and what rsyslogd and its modules for files and TCP load.
var packages = []string{
	"rsyslog", "libc6", "libgcc-s1", "libestr0", "libfastjson4", "zlib1g", "libuuid1", "libsystemd0", "libzstd1", "libcap2",
}

// Command returns the command that runs rsyslogd, to which its arguments are added: the dynamic linker of its own libc.
func Command(ctx context.Context, log io.Writer, cacheDir string) ([]string, error) {
	if _, err := cache.Make(ctx, folder(cacheDir), func(tmp string) error {
		return debian.Package(ctx, log, tmp, suite, packages...)
	}); err != nil {
		return nil, err
	}
	return Kept(cacheDir)
}

// Kept is Command where an earlier run has unpacked rsyslog; it fails elsewhere.
func Kept(cacheDir string) ([]string, error) {
	root := folder(cacheDir)
	command, err := debian.Command(root, "usr/sbin/rsyslogd")
	if err != nil {
		return nil, err
	}
	return append(command, "-M", filepath.Join(command[2], "rsyslog")), nil
}

func folder(cacheDir string) string {
	return filepath.Join(cacheDir, "rsyslog-"+new(cache.Key).Add(suite).Add(packages...).String())
}

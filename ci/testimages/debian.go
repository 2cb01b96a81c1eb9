package testimages

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/debian"
	"github.com/outrigger-charts/outrigger/ci/image"
)

// Debian's databases are taken from one root file system, as making one takes long.
const databaseSuite = "bookworm"

var databasePackages = []string{"libnss-wrapper", "mariadb-client", "mariadb-server-core", "postgresql-15", "redis-server", "sqlite3"}

// databaseKey is what the stand-ins are made of but for their entrypoints.
func databaseKey() []string {
	return append([]string{databaseSuite}, databasePackages...)
}

// debianTools are what the entrypoints and people in a container call, and upstream's images have from Debian's slim one.
var debianTools = []string{"bash", "coreutils", "dash", "findutils", "grep", "gzip", "libc-bin", "sed", "tar", "tzdata"}

// unneeded are packages that the databases depend on only to be installed, kept by a service manager, or for several
// versions side by side, and the compiler of PostgreSQL's queries, which runs without it.
var unneeded = []string{
	"adduser", "debconf", "dpkg", "init-system-helpers", "install-info", "libllvm14", "locales", "perl", "perl-base",
	"postgresql-client-common", "postgresql-common", "ssl-cert", "sysvinit-utils", "ucf",
}

// databaseRootFS returns the path of the tar that has the packages of all.
func databaseRootFS(ctx context.Context, e Env) (string, error) {
	tar := filepath.Join(e.Cache, "rootfs", "databases-"+new(cache.Key).Add(databaseKey()...).String()+".tar")
	_, err := cache.Make(tar, func(tmp string) error {
		return debian.RootFS(ctx, e.Log, tmp, databaseSuite, databasePackages...)
	})
	return tar, err
}

// databaseFiles returns what packages and all that they need at run time have installed.
func databaseFiles(ctx context.Context, e Env, packages ...string) (*image.Files, error) {
	tar, err := databaseRootFS(ctx, e)
	if err != nil {
		return nil, err
	}
	all := image.NewFiles()
	if err := all.AddTar(tar, func(string) bool { return true }); err != nil {
		return nil, err
	}
	if err := all.Edit("var/lib/dpkg/status", withoutUnneeded); err != nil {
		return nil, err
	}
	return debian.Subset(all, packages...)
}

// withoutUnneeded takes packages out of dpkg's status file, and with that what only they depend on out of a subset.
func withoutUnneeded(status string) string {
	stanzas := strings.Split(status, "\n\n")
	return strings.Join(slices.DeleteFunc(stanzas, func(stanza string) bool {
		return slices.Contains(unneeded, field(stanza, "Package"))
	}), "\n\n")
}

// field returns a field of a package in dpkg's status file.
func field(stanza, name string) string {
	for line := range strings.Lines(stanza) {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// server completes Debian's files to what runs a database as upstream's images do: the user of the number that they
// have there, its directories, and an entrypoint.
func server(f *image.Files, user, home, entrypoint string, dirs ...string) error {
	f.Symlink("usr/bin/sh", "dash") // the package's install script makes it
	f.Symlink("var/run", "/run")
	f.Dir("run", 0o755)
	f.Dir("tmp", anybody)
	f.Dir("root", 0o700)
	f.File("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")
	f.File("etc/group", 0o644, "root:x:0:\nnogroup:x:65534:\n")
	f.File("etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nhosts: files dns\n")
	f.File("usr/local/bin/docker-entrypoint.sh", 0o755, entrypoint)
	for _, dir := range dirs {
		f.Dir(dir, anybody)
		if err := f.Own(dir, 999, 999); err != nil {
			return err
		}
	}
	return account(f, user, "999", home, "/bin/sh")
}

// anybody is the mode of a directory that every user can write to, as upstream's are for who runs them as another.
const anybody = 0o777 | os.ModeSticky

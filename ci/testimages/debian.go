package testimages

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/debian"
	"github.com/outrigger-charts/outrigger/ci/image"
)

// packageSet is what several stand-ins are taken from: one root file system, as making one takes long.
type packageSet struct {
	name, suite string
	packages    []string
	// unneeded are packages that the others depend on only to be installed, kept by a service manager, or for several
	// versions side by side.
	unneeded []string
}

var databases = packageSet{
	name:     "databases",
	suite:    "bookworm",
	packages: []string{"libnss-wrapper", "mariadb-client", "mariadb-server-core", "postgresql-15", "redis-server", "sqlite3"},
	unneeded: []string{
		"adduser", "debconf", "dpkg", "init-system-helpers", "install-info", "locales", "perl", "perl-base",
		"postgresql-client-common", "postgresql-common", "ssl-cert", "sysvinit-utils", "ucf",
		"libllvm14", // the compiler of PostgreSQL's queries, which runs without it
	},
}

// apps are of a later suite than the databases: it has a pgbouncer of 1.25 or later, and aws-cli's version 2.
var apps = packageSet{
	name:     "apps",
	suite:    "forky",
	packages: []string{"awscli", "gunicorn", "pgbouncer", "python3-django", "python3-psycopg", "python3-psycopg-c"},
	unneeded: []string{
		"adduser", "debconf", "dpkg", "init-system-helpers", "install-info", "perl", "perl-base", "postgresql-client-common",
		"postgresql-common", "ssl-cert", "sysvinit-utils", "ucf",
		"groff-base", "lsb-release", "sgml-base", "xml-core", // of aws-cli's help
		"libc-gconv-modules-extra", // character sets
	},
}

// key is what the stand-ins are made of but for what they add themselves.
func (s packageSet) key() []string {
	return append([]string{s.suite}, s.packages...)
}

// databaseKey is what the stand-ins of databases are made of but for their entrypoints.
func databaseKey() []string { return databases.key() }

// appKey is what the stand-ins of apps are made of but for what they add themselves.
func appKey() []string { return apps.key() }

// debianTools are what the entrypoints and people in a container call, and upstream's images have from Debian's slim one.
var debianTools = []string{"bash", "coreutils", "dash", "findutils", "grep", "gzip", "libc-bin", "sed", "tar", "tzdata"}

// rootFS returns the path of the tar that has the packages of all.
func (s packageSet) rootFS(ctx context.Context, e Env) (string, error) {
	tar := filepath.Join(e.Cache, "rootfs", s.name+"-"+new(cache.Key).Add(s.key()...).String()+".tar")
	_, err := cache.Make(ctx, tar, func(tmp string) error {
		return debian.RootFS(ctx, e.Log, tmp, s.suite, s.packages...)
	})
	return tar, err
}

// files returns all of the root file system, and of it what packages and all that they need at run time have installed.
func (s packageSet) files(ctx context.Context, e Env, packages ...string) (all, subset *image.Files, err error) {
	tar, err := s.rootFS(ctx, e)
	if err != nil {
		return nil, nil, err
	}
	all = image.NewFiles()
	if err := all.AddTar(tar, func(string) bool { return true }); err != nil {
		return nil, nil, err
	}
	if err := all.Edit("var/lib/dpkg/status", s.withoutUnneeded); err != nil {
		return nil, nil, err
	}
	subset, err = debian.Subset(all, packages...)
	return all, subset, err
}

// databaseFiles returns what packages of databases and all that they need at run time have installed.
func databaseFiles(ctx context.Context, e Env, packages ...string) (*image.Files, error) {
	_, files, err := databases.files(ctx, e, packages...)
	return files, err
}

// appFiles returns what packages of apps and all that they need at run time have installed. Python's modules are there
// compiled, and only so: nobody compiles them on a read-only file system, and a module's source is newer than what
// was compiled of it, by the times that image.Files gives.
func appFiles(ctx context.Context, e Env, packages ...string) (*image.Files, error) {
	all, files, err := apps.files(ctx, e, packages...)
	if err != nil {
		return nil, err
	}
	sources := files.Select(func(name string) bool { return strings.HasSuffix(name, ".py") })
	for _, compiled := range all.Select(func(name string) bool { return strings.HasSuffix(name, ".pyc") }) {
		dir, name := path.Split(compiled)
		module, _, _ := strings.Cut(name, ".")
		source := path.Join(dir, "..", module+".py")
		if _, found := slices.BinarySearch(sources, source); found {
			files.Remove(source)
			files.Merge(all.Renamed(compiled, source+"c"))
		}
	}
	return files, nil
}

// withoutUnneeded takes packages out of dpkg's status file, and with that what only they depend on out of a subset.
func (s packageSet) withoutUnneeded(status string) string {
	stanzas := strings.Split(status, "\n\n")
	return strings.Join(slices.DeleteFunc(stanzas, func(stanza string) bool {
		return slices.Contains(s.unneeded, field(stanza, "Package"))
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

// system completes Debian's files to what every image has.
func system(f *image.Files) {
	f.Symlink("usr/bin/sh", "dash") // the package's install script makes it
	f.Symlink("var/run", "/run")
	f.Dir("run", 0o755)
	f.Dir("tmp", anybody)
	f.Dir("root", 0o700)
	f.File("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")
	f.File("etc/group", 0o644, "root:x:0:\nnogroup:x:65534:\n")
	f.File("etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nhosts: files dns\n")
}

// server completes Debian's files to what runs a database as upstream's images do: the user of the number that they
// have there, its directories, and an entrypoint.
func server(f *image.Files, user, home, entrypoint string, dirs ...string) error {
	system(f)
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

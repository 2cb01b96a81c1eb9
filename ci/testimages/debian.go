package testimages

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/debian"
	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/proc"
)

// packageSet is what several stand-ins are taken from, fetched at once.
type packageSet struct {
	name, suite string
	packages    []string
	// unneeded are packages that the others depend on only to be installed, kept by a service manager, or for several
	// versions side by side.
	unneeded []string
}

var bookworm = packageSet{
	name:  "bookworm",
	suite: "bookworm",
	packages: append([]string{
		"libnss-wrapper", "mariadb-client", "mariadb-server-core", "mawk", "nginx-light", "postgresql-15", "redis-server", "sqlite3",
	}, debianTools...),
	unneeded: []string{
		"adduser", "debconf", "dpkg", "init-system-helpers", "install-info", "locales", "perl", "perl-base",
		"postgresql-client-common", "postgresql-common", "ssl-cert", "sysvinit-utils", "ucf", "usrmerge",
		"libllvm14", // the compiler of PostgreSQL's queries, which runs without it
	},
}

// forky has a pgbouncer of 1.25 or later.
var forky = packageSet{
	name:  "forky",
	suite: "forky",
	packages: append([]string{
		"ca-certificates", "gunicorn", "pgbouncer", "python3-django", "python3-psycopg", "python3-psycopg-c",
	}, debianTools...),
	unneeded: []string{
		"adduser", "debconf", "dpkg", "init-system-helpers", "install-info", "perl", "perl-base", "postgresql-client-common",
		"postgresql-common", "ssl-cert", "sysvinit-utils", "ucf",
		"libc-gconv-modules-extra", // character sets
	},
}

// key is what the stand-ins are made of but for what they add themselves.
func (s packageSet) key() []string {
	return append([]string{s.suite}, s.packages...)
}

// debianTools are what the entrypoints and people in a container call, and upstream's images have from Debian's slim one.
var debianTools = []string{"bash", "coreutils", "dash", "findutils", "grep", "gzip", "libc-bin", "sed", "tar", "tzdata"}

// fetched returns the path of the folder that has the packages, for debian.Files.
func (s packageSet) fetched(ctx context.Context, e Env) (string, error) {
	dir := filepath.Join(e.Cache, "rootfs", s.name+"-"+new(cache.Key).Add(s.key()...).String())
	_, err := cache.Make(ctx, dir, func(tmp string) error {
		return debian.Packages(ctx, e.Log, tmp, s.suite, s.packages...)
	})
	return dir, err
}

// files returns what packages and all that they need at run time have.
func (s packageSet) files(ctx context.Context, e Env, packages ...string) (*image.Files, error) {
	dir, err := s.fetched(ctx, e)
	if err != nil {
		return nil, err
	}
	return debian.Files(dir, s.unneeded, packages...)
}

// python returns what packages written in Python and all that they need at run time have. Their modules are there compiled,
// and only so: nobody compiles them on a read-only file system, and a module's source is newer than what was compiled of
// it, by the times that image.Files gives.
func (s packageSet) python(ctx context.Context, e Env, packages ...string) (*image.Files, error) {
	files, err := s.files(ctx, e, packages...)
	if err != nil {
		return nil, err
	}
	compiled, err := s.compiledPython(ctx, e)
	if err != nil {
		return nil, err
	}
	for _, source := range files.Select(func(name string) bool { return strings.HasSuffix(name, ".py") }) {
		module := filepath.Join(compiled, source+"c")
		if _, err := os.Stat(module); err == nil {
			files.Remove(source)
			if err := files.Copy(source+"c", 0o644, module); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

// compiledPython returns the path of a folder with the modules of all packages, compiled by the Python that is one of them.
func (s packageSet) compiledPython(ctx context.Context, e Env) (string, error) {
	packages, err := s.fetched(ctx, e)
	if err != nil {
		return "", err
	}
	dir := packages + "-python"
	_, err = cache.Make(ctx, dir, func(tmp string) error {
		files, err := debian.Files(packages, s.unneeded, s.packages...)
		if err != nil {
			return err
		}
		if err := unpack(ctx, e, files, tmp); err != nil {
			return err
		}
		python, err := debian.Command(tmp, "usr/bin/python3")
		if err != nil {
			return err
		}
		libraries, err := filepath.Glob(filepath.Join(tmp, "usr/lib/python3*"))
		if err != nil {
			return err
		}
		_, err = proc.Run(ctx, proc.Cmd{
			Args: append(append(python, "-m", "compileall", "-q", "-b", "-s", tmp, "-p", "/"), libraries...),
			Env:  []string{"PYTHONHOME=" + filepath.Join(tmp, "usr")}, Log: e.Log,
		})
		return err
	})
	return dir, err
}

// unpack writes files into a folder, as this process' user.
func unpack(ctx context.Context, e Env, files *image.Files, dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return proc.Pipe(files.WriteTar, func(r io.Reader) error {
		_, err := proc.Run(ctx, proc.Cmd{Args: []string{"tar", "-x", "-o", "-C", dir}, Stdin: r, Log: e.Log})
		return err
	})
}

// system completes Debian's files to what every image has.
func system(f *image.Files) {
	f.Symlink("usr/bin/sh", "dash") // the package's install script makes it
	f.Symlink("var/run", "/run")
	f.Symlink("var/lock", "/run/lock")
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

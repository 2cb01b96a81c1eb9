package scripts

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/debian"
	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// databases returns the folder that has the servers and tools of databases, as their images have them.
var databases = sync.OnceValues(func() (string, error) {
	return rig.Databases(context.Background(), os.Stderr)
})

// programs returns a folder by which programs of databases are found, named by their paths in an image.
func programs(t *testing.T, paths ...string) string {
	t.Helper()
	root, err := databases()
	require.NoError(t, err)
	folder := t.TempDir()
	for _, path := range paths {
		command, err := debian.Command(root, path)
		require.NoError(t, err)
		script := fmt.Sprintf("#!/bin/sh\nexec '%s' \"$@\"\n", strings.Join(command, "' '"))
		require.NoError(t, os.WriteFile(filepath.Join(folder, filepath.Base(path)), []byte(script), 0o755))
	}
	return folder
}

// withPrograms lets a backup find the programs of a database.
func (i *instance) withPrograms(folder string) *instance {
	i.env = append(i.env, "PATH="+filepath.Join(i.dir, "tools")+":"+folder+":/usr/bin:/bin")
	return i
}

// backedUp makes the backup, and sees that it succeeds.
func (i *instance) backedUp() {
	i.t.Helper()
	reported, code := i.backUp(sixtyDays()[0])
	require.Zero(i.t, code, reported["message"])
}

// restore restores the newest snapshot, and returns what is said and the exit code.
func (i *instance) restore() (message string, code int) {
	i.t.Helper()
	reported, code := i.run("restore")
	return fmt.Sprint(reported["message"]), code
}

// serve runs a server until the test ends, and waits until it listens to its port.
func serve(t *testing.T, port, program string, arguments ...string) {
	t.Helper()
	serveUntil(t, syscall.SIGKILL, port, exec.Command(program, arguments...))
}

// serveUntil is serve of a server that a signal ends.
func serveUntil(t *testing.T, signal syscall.Signal, port string, server *exec.Cmd) {
	t.Helper()
	var output lockedBuffer
	server.Stdout, server.Stderr = &output, &output
	require.NoError(t, server.Start())
	ended := make(chan struct{})
	go func() { _ = server.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = server.Process.Signal(signal)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = server.Process.Kill()
			<-ended
		}
	})
	require.Eventually(t, func() bool {
		connection, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			return false
		}
		return connection.Close() == nil
	}, patience, 10*time.Millisecond, "%s", &output)
}

// serveMariaDB runs a server without a database of its own, whose root has no password.
func serveMariaDB(t *testing.T) (port, folder string) {
	t.Helper()
	root, err := databases()
	require.NoError(t, err)
	port, folder = strconv.Itoa(harness.FreePort(t)), programs(t, "usr/sbin/mariadbd", "usr/bin/mariadb", "usr/bin/mariadb-dump")
	share, dir := filepath.Join(root, "usr/share/mysql"), t.TempDir()
	options := []string{
		"--no-defaults", "--user=root", "--datadir=" + filepath.Join(dir, "data"), "--tmpdir=" + dir, "--lc-messages-dir=" + share, "--character-sets-dir=" + filepath.Join(share, "charsets"),
		"--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0", "--log-warnings=0",
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "data"), 0o700))
	var tables strings.Builder
	tables.WriteString("create database mysql;\nuse mysql;\nset @auth_root_socket=null;\n")
	for _, file := range []string{"mysql_system_tables.sql", "mysql_system_tables_data.sql"} {
		text, err := os.ReadFile(filepath.Join(share, file))
		require.NoError(t, err)
		tables.Write(text)
	}
	// Anybody is who the tests say.
	tables.WriteString("\ndelete from global_priv where user = '';\n")
	making := exec.Command(filepath.Join(folder, "mariadbd"), append(options, "--bootstrap")...)
	making.Stdin = strings.NewReader(tables.String())
	output, err := making.CombinedOutput()
	require.NoError(t, err, "%s", output)
	serve(t, port, filepath.Join(folder, "mariadbd"), append(options, "--bind-address=127.0.0.1", "--port="+port, "--socket="+filepath.Join(dir, "socket"), "--pid-file="+filepath.Join(dir, "pid"))...)
	return port, folder
}

// postgresPrograms returns the folder of PostgreSQL's programs, which look for each other and for their files from there.
var postgresPrograms = sync.OnceValues(func() (string, error) {
	root, err := databases()
	if err != nil {
		return "", err
	}
	const bin = "usr/lib/postgresql/15/bin"
	tree := filepath.Join(filepath.Dir(appletDir), "postgres")
	folder := filepath.Join(tree, bin)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	for _, files := range []string{"usr/share", "usr/lib/postgresql/15/lib"} {
		if err := os.Symlink(filepath.Join(root, files), filepath.Join(tree, files)); err != nil {
			return "", err
		}
	}
	for _, name := range []string{"initdb", "postgres", "psql", "pg_dump", "pg_dumpall", "pg_restore"} {
		command, err := debian.Command(root, filepath.Join(bin, name))
		if err != nil {
			return "", err
		}
		path := filepath.Join(folder, name)
		script := fmt.Sprintf("#!/bin/sh\nexec '%s' --argv0 '%s' '%s' \"$@\"\n", command[0], path, strings.Join(command[1:], "' '"))
		if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
			return "", err
		}
	}
	return folder, nil
})

// postgresData returns a data directory as initdb makes it: of a superuser postgres without a password.
var postgresData = sync.OnceValues(func() (string, error) {
	folder, err := postgresPrograms()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(filepath.Dir(appletDir), "postgres-data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	if err := os.Chown(dir, unprivileged, unprivileged); err != nil {
		return "", err
	}
	making := asUnprivileged(filepath.Join(folder, "initdb"), "--no-sync", "--username=postgres", "--auth=trust", "--locale=C.UTF-8", "--pgdata="+dir)
	if output, err := making.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	return dir, nil
})

// unprivileged is the number of who runs what refuses root, and asks for its user's name: of nobody.
var unprivileged = func() int {
	if os.Getuid() == 0 {
		return 65534
	}
	return os.Getuid()
}()

// asUnprivileged returns a command of somebody who is not root, but reads what root has downloaded.
func asUnprivileged(program string, arguments ...string) *exec.Cmd {
	command := exec.Command(program, arguments...)
	command.Dir = "/"
	if os.Getuid() == 0 {
		command.SysProcAttr = &syscall.SysProcAttr{
			Credential:  &syscall.Credential{Uid: uint32(unprivileged), Gid: uint32(unprivileged)},
			AmbientCaps: []uintptr{2}, // CAP_DAC_READ_SEARCH
		}
	}
	return command
}

// servePostgres runs a server of its own, whose superuser postgres has no password.
func servePostgres(t *testing.T) (port, folder string) {
	t.Helper()
	made, err := postgresData()
	require.NoError(t, err)
	folder, err = postgresPrograms()
	require.NoError(t, err)
	data := filepath.Join(t.TempDir(), "data")
	output, err := exec.Command("cp", "-a", made, data).CombinedOutput()
	require.NoError(t, err, "%s", output)
	for dir := filepath.Dir(data); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	port = strconv.Itoa(harness.FreePort(t))
	// Which ends at once, and leaves no shared memory.
	serveUntil(t, syscall.SIGQUIT, port, asUnprivileged(filepath.Join(folder, "postgres"), "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=16MB", "-c", "max_connections=30"))
	return port, folder
}

// serveRedis runs a server, by which replicas are served without a wait for others.
func serveRedis(t *testing.T, options ...string) (port, folder string) {
	t.Helper()
	port, folder = strconv.Itoa(harness.FreePort(t)), programs(t, "usr/bin/redis-server", "usr/bin/redis-cli", "usr/bin/redis-check-rdb")
	serve(t, port, filepath.Join(folder, "redis-server"), append([]string{"--bind", "127.0.0.1", "--port", port, "--cluster-port", strconv.Itoa(harness.FreePort(t)), "--dir", t.TempDir(), "--save", "", "--repl-diskless-sync-delay", "0"}, options...)...)
	return port, folder
}

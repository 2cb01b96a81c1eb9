package scripts

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// compressed returns what a program that compresses prints, as it is on this machine.
func compressed(t *testing.T, program, text string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("no %s here", program)
	}
	command := exec.Command(path, "-c")
	command.Stdin = strings.NewReader(text)
	output, err := command.Output()
	require.NoError(t, err)
	return string(output)
}

// dumped runs the dump of a file as a store does, with a dump program that prints a text, and returns what the store is given.
func dumped(t *testing.T, source, file, text string) (given, said string, code int) {
	t.Helper()
	b := newBackup(t, "SOURCE="+source, "DB_HOST=db", "DB_PORT=3306", "DB_USER=root", "COMMAND=cat \"$OUTPUT\"")
	output := filepath.Join(b.dir, "output")
	require.NoError(t, os.WriteFile(output, []byte(text), 0o644))
	b.env = append(b.env, "OUTPUT="+output)
	for _, program := range []string{"pg_dump", "pg_dumpall", "mariadb-dump"} {
		b.standIn(program, `case $* in *--version) echo "from 11.4.5-MariaDB"; exit ;; esac; cat "$OUTPUT"`)
	}
	b.standIn("mariadb", `case $* in *default_collation_name*"schema_name = 'shop'"*) echo CHARACTER SET latin1 COLLATE latin1_german1_ci ;; esac`)
	command := b.command("dump")
	command.Args = append(command.Args, file)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	_ = command.Run()
	return stdout.String(), strings.TrimSpace(stderr.String()), command.ProcessState.ExitCode()
}

func TestADumpThatBeginsAsOneReachesTheStoreByteByByte(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("\x00\xff\n row", 500_000)
	for name, test := range map[string]struct{ source, file, text string }{
		"PostgreSQL's":                 {"postgres", "shop.dump", "PGDMP" + large},
		"PostgreSQL's, of five bytes":  {"postgres", "shop.dump", "PGDMP"},
		"PostgreSQL's roles":           {"postgres", "globals.sql", "--\n-- PostgreSQL database cluster dump\n--\n\n" + large},
		"MariaDB's":                    {"mysql", "shop.sql", "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19-11.4.5-MariaDB, for linux\n" + large},
		"MySQL's":                      {"mysql", "shop.sql", "-- MySQL dump 10.13  Distrib 8.0.40, for Linux (x86_64)\n" + large},
		"a command's":                  {"exec", "output", large},
		"a command's, of one byte":     {"exec", "output", "0"},
		"a command's, of 512 bytes":    {"exec", "output", large[:512]},
		"a command's, gzip of little":  {"exec", "output", compressed(t, "gzip", "x")},
		"a command's, bzip2 of little": {"exec", "output", compressed(t, "bzip2", "x")},
		"a command's, xz of little":    {"exec", "output", compressed(t, "xz", "x")},
		"a command's, zstd of little":  {"exec", "output", "\x28\xb5\x2f\xfd\x04\x58\x09\x00\x00x\x6d\xb9\x4f\x3e"},
	} {
		t.Run(name, func(t *testing.T) {
			given, said, code := dumped(t, test.source, test.file, test.text)

			assert.Zero(t, code, said)
			described := regexp.MustCompile(`(?m)\A(/\*M!.*\n)?-- M.* dump .*\n`).ReplaceAllString(test.text, "${0}ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_german1_ci;\n")
			assert.True(t, given == described, "%d bytes of %d", len(given), len(described))
		})
	}
}

func TestADumpThatIsEmptyOrBeginsAsNoneFailsBeforeTheStoreHasIt(t *testing.T) {
	t.Parallel()
	const (
		notCustom = "what was dumped is not in the custom format; leave out of postgres.options what changes that"
		noDump    = "what was dumped does not begin as a dump; leave out of the options what changes that, as --compact, --xml and --result-file do"
		nothing   = "the dump is empty, and compressed"
		saved     = "Snapshot saved at /dev/stdout\n"
		ofEtcd    = `the dump is what etcdctl says of a snapshot, and not one; let it save to a file, and print that: [sh, -c, 'etcdctl snapshot save "$WORK/etcd.db" >&2 && cat "$WORK/etcd.db"']`
	)
	for name, test := range map[string]struct{ source, file, text, said string }{
		"nothing, of PostgreSQL":    {"postgres", "shop.dump", "", "the dump is empty"},
		"a text of PostgreSQL's":    {"postgres", "shop.dump", "--\n-- PostgreSQL database dump\n--\n", notCustom},
		"a tar of PostgreSQL's":     {"postgres", "shop.dump", "toc.dat\x00\x00\x00", notCustom},
		"roles without a beginning": {"postgres", "globals.sql", "CREATE ROLE app;\n", notCustom},
		"nothing, of MariaDB":       {"mysql", "shop.sql", "", "the dump is empty"},
		"XML of MySQL":              {"mysql", "shop.sql", "<?xml version=\"1.0\"?>\n", noDump},
		"a message of MySQL":        {"mysql", "shop.sql", "mysqldump: [Warning] Using a password\n", noDump},
		"nothing, of a command":     {"exec", "output", "", "the dump is empty"},
		"gzip of nothing":           {"exec", "output", compressed(t, "gzip", ""), nothing},
		"bzip2 of nothing":          {"exec", "output", compressed(t, "bzip2", ""), nothing},
		"xz of nothing":             {"exec", "output", compressed(t, "xz", ""), nothing},
		"zstd of nothing":           {"exec", "output", "\x28\xb5\x2f\xfd\x04\x58\x01\x00\x00\x99\xe9\xd8\x51", nothing},
		"what etcdctl says":         {"exec", "output", saved, ofEtcd},
		"what it logs too":          {"exec", "output", `{"level":"info","ts":"2026-11-21T03:17:09Z","caller":"snapshot/v3_snapshot.go:65","msg":"created temporary db file"}` + "\n" + strings.Repeat("x", 1000) + saved, ofEtcd},
		"gzip of what it says":      {"exec", "output", compressed(t, "gzip", saved), ofEtcd},
		"zstd of what it says":      {"exec", "output", "\x28\xb5\x2f\xfd\x04\x58\xf1\x00\x00" + saved + "\x6d\xb9\x4f\x3e", ofEtcd},
		"lz4 of nothing":            {"exec", "output", "\x04\x22\x4d\x18\x64\x40\xa7\x00\x00\x00\x00\x05\x5d\xcc\x02", nothing},
	} {
		t.Run(name, func(t *testing.T) {
			given, said, code := dumped(t, test.source, test.file, test.text)

			assert.Equal(t, 1, code)
			assert.Equal(t, test.said, said)
			assert.Empty(t, given)
		})
	}
}

func unix(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// command returns a backup of what a command prints, into the archive.
func (a *archive) command(env ...string) *instance {
	a.t.Helper()
	return a.instance("demo-app", append([]string{"SOURCE=exec", "COMMAND=echo whole"}, env...)...)
}

func TestARunWhoseDumpIsNoneLeavesNoSnapshotAndCostsNoGoodOne(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"restic", "files"} {
		archive := newArchive(t, kind)
		_, code := archive.command("KEEP=--keep-last 2").backUp(sixtyDays()[0])
		require.Zero(t, code)
		before := archive.snapshots()

		for _, command := range []string{"true", "sh -c 'mongodump-not-there | gzip'", "sh -c 'echo half; exit 3'"} {
			reported, code := archive.command("KEEP=--keep-last 2").backUp(sixtyDays()[1], "COMMAND="+command)

			assert.Equal(t, 1, code, "%s: %s", kind, command)
			assert.Equal(t, "failure", reported["result"])
			assert.Equal(t, before, archive.snapshots(), "%s: %s", kind, command)
		}
		_, code = archive.command("KEEP=--keep-last 2").backUp(sixtyDays()[2])
		assert.Zero(t, code)
		assert.Equal(t, map[string][]string{"demo-app output": {minute(sixtyDays()[0]), minute(sixtyDays()[2])}}, archive.snapshots(), kind)
	}
}

func TestWhatDoesNotPassVerifyLeavesNoSnapshotAndCostsNoGoodOne(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"restic", "files"} {
		archive := newArchive(t, kind)
		keeping := archive.command("KEEP=--keep-last 2", "VERIFY_COMMAND=grep -q whole")
		made, code := keeping.backUp(sixtyDays()[0])
		require.Zero(t, code)
		before := archive.snapshots()
		require.Equal(t, map[string][]string{"demo-app output": {minute(sixtyDays()[0])}}, before, kind)

		// More than a pipe holds, of which nothing is read.
		reported, code := keeping.backUp(sixtyDays()[1], "COMMAND=head -c 3000000 /dev/zero", "VERIFY_COMMAND=sh -c 'echo it is half >&2; false'")

		assert.NotZero(t, code, kind)
		assert.Contains(t, reported["message"], "it is half", kind)
		assert.Equal(t, before, archive.snapshots(), kind)
		if kind == "restic" {
			assert.Equal(t, 1, code)
			assert.Empty(t, archive.locks(), "nobody has to wait for a lock that is left")
		}

		again, code := keeping.backUp(sixtyDays()[2])
		assert.Zero(t, code)
		assert.Equal(t, map[string][]string{"demo-app output": {minute(sixtyDays()[0]), minute(sixtyDays()[2])}}, archive.snapshots(), kind)
		restoring := archive.command("RESTORE_COMMAND=cat >&2", "CLOCK=1", "SNAPSHOT="+again["snapshots"].([]any)[0].(string))
		_, code = restoring.run("restore")
		assert.Zero(t, code, "what a run reports is what a restore finds; the first was %v", made["snapshots"])
	}
}

func TestARunThatIsKilledWhileItVerifiesLeavesNothingThatCountsAndTheNextDaysRunRemovesIt(t *testing.T) {
	t.Parallel()
	archive := newArchive(t, "restic")
	keeping := archive.command("KEEP=--keep-last 1", "VERIFY_COMMAND=grep -q whole")
	first := sixtyDays()[0]
	_, code := keeping.backUp(first)
	require.Zero(t, code)
	killed := archive.command("CLOCK="+unix(first.Add(time.Hour)), "VERIFY_COMMAND=kill -KILL 0").backup.command("run")
	require.Error(t, killed.Run())
	require.Len(t, archive.snapshots()["demo-app/unverified output"], 1)
	for _, lock := range archive.locks() {
		require.NoError(t, os.Remove(lock)) // what a killed run leaves is another test's
	}

	restored, code := archive.command("RESTORE_COMMAND=cat >&2", "CLOCK="+unix(first.Add(2*time.Hour))).run("restore")
	require.Zero(t, code)
	require.Contains(t, restored["message"], " of output restored into")
	_, code = keeping.backUp(first.Add(26 * time.Hour))

	assert.Zero(t, code)
	assert.Equal(t, map[string][]string{"demo-app output": {minute(first.Add(26 * time.Hour))}}, archive.snapshots())
}

// A restic that could not read the dump, and has made a snapshot without it.
const halfRestic = `echo "$*" | sed 's/ --json.*//' >>"$CALLS"
case $1 in
backup) echo "$SUMMARY"; echo '{"message_type":"error","error":{"message":"no data read"},"during":"archival","item":"/shop.dump"}' >&2; exit 3 ;;
forget) exit "${FORGET_EXIT:-0}" ;;
esac`

func TestASnapshotThatResticMakesOfNothingIsForgottenAtOnceAndNothingElse(t *testing.T) {
	t.Parallel()
	const summary = `SUMMARY={"message_type":"summary","snapshot_id":"0123456789abcdef0123"}`
	for name, test := range map[string]struct {
		env   []string
		calls string
		said  string
	}{
		"it is removed":              {[]string{summary}, "backup, forget --quiet 0123456789abcdef0123", ""},
		"it cannot be removed":       {[]string{summary, "FORGET_EXIT=1"}, "backup, forget --quiet 0123456789abcdef0123", "remove it by restic forget 0123456789abcdef0123"},
		"there is no snapshot of it": {[]string{"SUMMARY="}, "backup", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackup(t, append(test.env, "KEEP=--keep-last 1")...)
			b.standIn("restic", halfRestic)
			command := b.command("run")

			output, err := command.CombinedOutput()

			require.Error(t, err)
			assert.Equal(t, 1, command.ProcessState.ExitCode(), "%s", output)
			assert.Contains(t, string(output), `"message":"shop.dump was not backed up: no data read"`)
			assert.Contains(t, string(output), test.said)
			assert.Equal(t, test.calls, b.calls())
		})
	}
}

func TestARepositorysPasswordIsReadFromASecretAsResticReadsItFromAFile(t *testing.T) {
	t.Parallel()
	archive := newArchive(t, "restic")
	for number, password := range []string{"password\n", "password\r\n", " password"} {
		_, code := archive.command("RESTIC_PASSWORD="+password, "RESTIC_REPOSITORY="+archive.folder+"\n").backUp(sixtyDays()[0])

		assert.Zero(t, code, "%q", password)
		assert.Len(t, archive.snapshots()["demo-app output"], number+1, "%q", password)
	}
}

func TestAServersPasswordThatEndsWithANewlineIsSaid(t *testing.T) {
	t.Parallel()
	reported, code := newBackup(t, "PGPASSWORD=password\n").run("run")

	assert.Equal(t, 2, code)
	assert.Equal(t, "the Secret's password ends with a newline, which no server takes for the password: make it anew without", reported["message"])
}

package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// slowShop is a shop with 160 MB that no compression makes small, and values by which they go into a store at 2 MiB a second,
// one request after the other: there is a middle of an upload in which things can happen.
type slowShop struct {
	*harness.Namespace
	t          *testing.T
	database   *harness.Postgres
	repository string
	kind       string
	before     string
}

// inEachStore runs a test with a slow shop for each kind of store, in which the S3 server has a volume.
func inEachStore(t *testing.T, volume string, test func(shop *slowShop)) {
	t.Parallel()
	for _, kind := range []string{"restic", "files"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			namespace := harness.NewNamespace(t, harness.Restricted)
			shop := &slowShop{Namespace: namespace, t: t, database: newShop(namespace), repository: namespace.S3(volume), kind: kind}
			shop.before = shop.database.Ask("shop", checksum)
			shop.database.Ask("shop", "create table noise as select encode(sha512(random()::text::bytea), 'base64') from generate_series(1, 1600000)")
			const env = `env: {PATIENCE: "10", RCLONE_BWLIMIT: 2M, RCLONE_S3_UPLOAD_CONCURRENCY: "1"}`
			values := plainFiles(namespace, env)
			if kind == "restic" {
				values = strings.Replace(backupValues(shop.repository, env), "credentials: s3}", "credentials: s3, limitUpload: 2048, options: {s3.connections: 1}}", 1)
			}
			namespace.Install("demo", harness.Consumer(t).Write(t), values)
			test(shop)
		})
	}
}

// snapshots returns the files of the store that make a snapshot, or would be taken for one.
func (s *slowShop) snapshots() []string {
	s.t.Helper()
	return strings.Fields(s.Kubectl("exec", "s3", "-c", "shell", "--", "find", "/data/backups", "-type", "f", "(", "-path", "*/repository/snapshots/*", "-o", "-path", "*/plain/*", ")"))
}

// awaitUpload waits until a part of the dump has arrived, of which most is still to come.
func (s *slowShop) awaitUpload() {
	s.t.Helper()
	s.Eventually(harness.PodStart, "a part of the dump is in the store", func() bool {
		parts := s.Kubectl("exec", "s3", "-c", "shell", "--", "find", "/data/backups", "-type", "f", "(", "-path", "*/repository/data/*", "-o", "-path", "*/multipart/*/1", ")")
		return parts != ""
	})
}

// requireFailure waits for the end of a run, and requires that it says why it failed in one line and leaves no snapshot.
func (s *slowShop) requireFailure(job string, code int32, why string) {
	s.t.Helper()
	failed, log, ended := endedTask(s.t, s.Namespace, job)
	require.Equal(s.t, code, ended, log)
	assert.Equal(s.t, "failure", failed.Result)
	assert.Contains(s.t, failed.Message, why)
	said := 0
	for line := range strings.Lines(log) {
		if strings.Contains(line, why) {
			said++
		}
	}
	assert.Equal(s.t, 2, said, "one line for people, and one of JSON:\n%s", log)
	assert.Empty(s.t, s.snapshots())
}

// requireWhole requires that the next run succeeds, and that the store is whole.
func (s *slowShop) requireWhole() {
	s.t.Helper()
	made, log, code := runTask(s.t, s.Namespace, "demo-shop-nightly", "next")
	require.Zero(s.t, code, log)
	assert.Len(s.t, made.Snapshots, 1)
	if s.kind == "restic" {
		assert.Contains(s.t, restic(s.t, s.Namespace, s.repository, "check", "--no-lock", "--read-data"), "no errors were found")
	}
	_, log, code = runTask(s.t, s.Namespace, "demo-shop-nightly-restore", "restore", "TARGET=shop_copy")
	require.Zero(s.t, code, log)
	assert.Equal(s.t, s.before, s.database.Ask("shop_copy", checksum))
}

func TestAServerThatIsKilledInMidDumpFailsTheRunAndTheNextOneSucceeds(t *testing.T) {
	inEachStore(t, "emptyDir: {}", func(shop *slowShop) {
		shop.StartTask("demo-shop-nightly", "killed")
		shop.awaitUpload()
		require.Equal(shop.t, "1", shop.database.Ask("shop", "select count(*) from pg_stat_activity where application_name = 'outrigger' and query ilike 'copy%noise%'"), "the dump is under way")

		shop.Kill("db", "db", "postgres")

		shop.requireFailure("killed", 1, "server closed the connection unexpectedly")
		shop.ReadyPods("app=db", 1)
		shop.database.Ask("shop", "drop table noise")
		shop.requireWhole()
	})
}

func TestAStoreThatIsFullSaysSoAndTheNextRunThatFitsSucceeds(t *testing.T) {
	inEachStore(t, "emptyDir: {medium: Memory, sizeLimit: 24Mi}", func(shop *slowShop) {
		shop.StartTask("demo-shop-nightly", "full")
		shop.requireFailure("full", 3, "No space left on device")

		shop.database.Ask("shop", "drop table noise")

		shop.requireWhole()
	})
}

func TestAStoreThatIsGoneInMidUploadEndsTheRunAndTheNextOneSucceeds(t *testing.T) {
	inEachStore(t, "emptyDir: {}", func(shop *slowShop) {
		shop.StartTask("demo-shop-nightly", "cut")
		shop.awaitUpload()

		// The Service leads nowhere, and the connections that there are end with the server.
		shop.Kubectl("patch", "service", "s3", "-p", `{"spec": {"selector": {"app": "nobody"}}}`)
		shop.Kill("s3", "s3", "versitygw")

		shop.requireFailure("cut", 3, "connection refused")
		shop.Kubectl("patch", "service", "s3", "-p", `{"spec": {"selector": {"app": "s3"}}}`)
		shop.ReadyPods("app=s3", 1)
		shop.database.Ask("shop", "drop table noise")
		shop.requireWhole()
	})
}

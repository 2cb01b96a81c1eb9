package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

func inPlainFiles(namespace *harness.Namespace) string {
	return `{files: {remote: ":s3,provider=Other,env_auth=true,endpoint='http://s3:7070':` + namespace.Bucket() + `/plain", credentials: s3}}`
}

// sourceValues returns values for harness.Consumer: the backup `nightly` of a source into a store.
func sourceValues(source, store string, more ...string) string {
	return fmt.Sprintf(`
outrigger:
  backups:
    nightly:
      schedule: %q
      %s
      store: %s
`, seldom, source, store) + indented(more)
}

func inRestic(repository string) string {
	return fmt.Sprintf(`{restic: {repository: %q, secret: restic, credentials: s3}}`, repository)
}

// serverOf applies a file of testdata, and waits for so many of its pods.
func serverOf(namespace *harness.Namespace, file, selector string) {
	text, err := os.ReadFile(filepath.Join(harness.Root(), "tests/e2e/testdata", file))
	require.NoError(namespace.T(), err)
	namespace.Apply(string(text))
	namespace.ReadyPods(selector, 1)
}

func TestMariaDBsDatabasesAreRestoredAsTheyWere(t *testing.T) {
	harness.Soak(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	repository := namespace.S3()
	serverOf(namespace, "mariadb.yaml", "app=mariadb")
	ask := func(sql string) string {
		return namespace.Exec("mariadb", "mariadb", "sh", "-c", `MYSQL_PWD=$MARIADB_ROOT_PASSWORD exec mariadb --user=root --protocol=tcp --host=127.0.0.1 --batch --skip-column-names --execute="$0"`, sql)
	}
	ask("create database shop; use shop; create table orders (number bigint primary key, customer varchar(100), picture blob); insert into orders select seq, md5(seq), unhex(sha2(seq, 512)) from seq_1_to_20000")
	ask("use shop; create procedure hello() select 'hello'; create trigger shouts before insert on orders for each row set new.customer = upper(new.customer)")
	ask("create database `o``dd name`; create table `o``dd name`.`t``able` (a int); insert into `o``dd name`.`t``able` values (1), (2)")
	namespace.Install("demo", harness.Consumer(t).Write(t), sourceValues(
		fmt.Sprintf("mariadb: {image: %q, host: mariadb, secret: mariadb, databases: [shop, 'o`dd name']}", testimages.MariaDBRef), inRestic(repository),
		`drill: {schedule: "1 2 3 4 *", check: ["select count(*) = 20000 from orders", "call hello()"]}`))
	sum := func(database string) string {
		return ask("select count(*), sum(crc32(concat(number, customer, hex(picture)))) from `" + database + "`.orders")
	}
	before := sum("shop")

	made, log, code := runTask(t, namespace, "demo-shop-nightly", "now")
	require.Zero(t, code, log)
	ask("delete from shop.orders where number > 10")
	_, refusal, refused := runTask(t, namespace, "demo-shop-nightly-restore", "refused")
	_, log, code = runTask(t, namespace, "demo-shop-nightly-restore", "copy", "TARGET=shop_copy")
	require.Zero(t, code, log)
	_, log, code = runTask(t, namespace, "demo-shop-nightly-restore", "odd", "FILE=o%60dd%20name.sql", "OVERWRITE=yes")
	require.Zero(t, code, log)
	drilled, log, code := runTask(t, namespace, "demo-shop-nightly-drill", "drill")
	require.Zero(t, code, log)

	assert.Len(t, made.Snapshots, 2, "one of each database")
	assert.EqualValues(t, 4, refused, refusal)
	assert.Contains(t, refusal, "the database shop is not empty; set OVERWRITE=yes")
	assert.Equal(t, before, sum("shop_copy"))
	assert.NotEqual(t, before, sum("shop"), "the database itself is as it was")
	assert.Equal(t, "hello", strings.TrimSpace(ask("call shop_copy.hello()")), "routines are restored")
	assert.Equal(t, "1", strings.TrimSpace(ask("select count(*) from information_schema.triggers where trigger_schema = 'shop_copy'")))
	assert.Contains(t, drilled.Message, "20002 rows", "of both databases")
}

func TestRedisIsRestoredKeyByKeyWithTheirTimesToLive(t *testing.T) {
	harness.Soak(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	namespace.S3()
	serverOf(namespace, "redis.yaml", "app=redis")
	namespace.ReadyPods("app=redis-copy", 1)
	ask := func(pod, commands string) string {
		return namespace.Exec(pod, "redis", "sh", "-c", `printf '%s\n' "$0" | REDISCLI_AUTH=$PASSWORD redis-cli`, commands)
	}
	// Every key with what it holds and when it ends, of two databases.
	content := func(pod string) string {
		const all = `EVAL "local out = {} for _, db in ipairs({0, 1}) do redis.call('SELECT', db) local keys = redis.call('KEYS', '*') table.sort(keys) for _, k in ipairs(keys) do table.insert(out, db .. redis.sha1hex(k) .. redis.sha1hex(redis.call('DUMP', k)) .. math.floor(redis.call('PEXPIRETIME', k) / 10000)) end end return out" 0`
		return ask(pod, all)
	}
	// In the middle of the ten seconds by which they are compared.
	ends := (time.Now().Unix()/10+8640)*10 + 5
	ask("redis", fmt.Sprintf(`SET greeting "hello\x00\xff"
SET "a\nkey with a line" 1
EVAL "for i = 1, 5000 do redis.call('SET', 'order:' .. i, string.rep(i, 20)) end" 0
HSET customer name Ann town Bern
ZADD ranks 1 one 2 two
SET token x EXAT %d
SELECT 1
RPUSH queue a b c`, ends))
	namespace.Install("demo", harness.Consumer(t).Write(t), sourceValues(
		fmt.Sprintf("redis: {image: %q, host: redis, secret: redis}", testimages.RedisRef), inPlainFiles(namespace),
		`drill: {schedule: "1 2 3 4 *", check: ["exists greeting", "hget customer town"]}`))
	before := content("redis")

	made, log, code := runTask(t, namespace, "demo-shop-nightly", "now")
	require.Zero(t, code, log)
	ask("redis", "DEL greeting")
	_, refusal, refused := runTask(t, namespace, "demo-shop-nightly-restore", "refused")
	_, log, code = runTask(t, namespace, "demo-shop-nightly-restore", "copy", "TARGET=redis-copy:6379")
	require.Zero(t, code, log)
	_, log, code = runTask(t, namespace, "demo-shop-nightly-restore", "back", "OVERWRITE=yes")
	require.Zero(t, code, log)
	drilled, log, code := runTask(t, namespace, "demo-shop-nightly-drill", "drill")
	require.Zero(t, code, log)

	assert.Len(t, made.Snapshots, 1)
	assert.Equal(t, 5006, strings.Count(strings.TrimSpace(before), "\n")+1, before[:200])
	assert.EqualValues(t, 4, refused, refusal)
	assert.Equal(t, before, content("redis-copy"))
	assert.Equal(t, before, content("redis"))
	assert.Contains(t, drilled.Message, "5006 rows")
}

// withData returns values for harness.Consumer: an app that runs a script, with a persistent volume at /data.
func withData(script string) string {
	return strings.Replace(restrictedApp(script), "volumes: {logs: {mountPath: /logs}}\n  logshippers:\n    shipper: {files: [/logs/app.log], to: {stdout: {}}}\n",
		"volumes: {data: {mountPath: /data, persistentVolumeClaim: {claimName: data}}}\n", 1)
}

const dataClaim = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 100Mi}}
`

func TestSQLiteIsBackedUpWhileItIsWrittenToAndRestoredWhole(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	namespace.S3()
	namespace.Apply(dataClaim)
	// One session, whose journal stays beside the database: a copy of the file alone would have none of it.
	script := `trap 'exit 0' TERM
{ echo "pragma journal_mode=wal; pragma wal_autocheckpoint=0; create table entries (number integer primary key, text text);"
while sleep 0.02; do echo "insert into entries (text) select hex(randomblob(50)) from (select 1 union select 2);"; done; } | sqlite3 -cmd '.timeout 10000' /data/app.db & wait $!`
	app := strings.Replace(withData(script), busybox, testimages.SQLiteRef, 1)
	namespace.Install("demo", harness.Consumer(t).Write(t), app+strings.TrimPrefix(sourceValues(
		fmt.Sprintf("sqlite: {image: %q, files: [/data/app.db], volume: {persistentVolumeClaim: {claimName: data}}}", testimages.SQLiteRef), inPlainFiles(namespace),
		"securityContext: {runAsUser: 1000, runAsGroup: 1000}",
		`drill: {schedule: "1 2 3 4 *", check: ["select count(*) > 10 from entries"]}`), "\noutrigger:\n"))
	pod := namespace.ReadyPods(web, 1)[0].Name
	ask := func(database, sql string) string {
		return strings.TrimSpace(namespace.Exec(pod, "app", "sqlite3", database, ".timeout 10000", sql))
	}
	namespace.Eventually(harness.LogLine, "the app has written", func() bool {
		return strings.HasSuffix(namespace.Exec(pod, "app", "sh", "-c", "sqlite3 -cmd '.timeout 10000' /data/app.db 'select count(*) > 20 from entries' || true"), "1")
	})
	atLeast := ask("/data/app.db", "select max(number) from entries")

	_, log, code := runTask(t, namespace, "demo-shop-nightly", "now")
	require.Zero(t, code, log)
	_, refusal, refused := runTask(t, namespace, "demo-shop-nightly-restore", "refused")
	_, log, code = runTask(t, namespace, "demo-shop-nightly-restore", "copy", "TARGET=/data/copy.db")
	require.Zero(t, code, log)
	_, log, code = runTask(t, namespace, "demo-shop-nightly-drill", "drill")
	require.Zero(t, code, log)

	assert.EqualValues(t, 4, refused, refusal)
	assert.Contains(t, refusal, "/data/app.db exists; end the app and set OVERWRITE=yes")
	assert.Equal(t, "ok", ask("/data/copy.db", "pragma integrity_check"))
	assert.Equal(t, "1", ask("/data/copy.db", "select max(number) >= "+atLeast+" and count(*) = max(number) from entries"), "all that was there, and no half of a transaction")
	assert.Equal(t, "0", ask("/data/copy.db", "select count(*) % 2 from entries"))
}

func TestFilesOfAVolumeAreRestoredWithTheirModesAndLinksByTheSidecarItself(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	repository := namespace.S3()
	namespace.Apply(dataClaim)
	app := withData("trap 'exit 0' TERM" + serving)
	namespace.Install("demo", harness.Consumer(t).Write(t), app+strings.TrimPrefix(sourceValues(
		`path: {paths: [/data], exclude: ["*.tmp"]}`, inRestic(repository), "as: sidecar", `before: "echo quiet >/data/state"`, `after: "echo loud >/data/state"`,
		`drill: {schedule: "1 2 3 4 *", check: ["cat greeting", "test -x script && echo yes"]}`), "\noutrigger:\n"))
	pod := namespace.ReadyPods(web, 1)[0].Name
	task := func(script string) string {
		return namespace.Exec(pod, "nightly", "/outrigger-tools/busybox", "sh", "-c", script)
	}
	const listing = `cd /data; find . -mindepth 1 ! -name state ! -name '*.tmp' -exec stat -c '%A %h %N' {} + | sort -k 3
find . -type f ! -name state ! -name '*.tmp' -exec stat -c '%n %Y' {} + -exec sha256sum {} + | sort`
	inApp := func(script string) string {
		return namespace.Exec(pod, "app", "sh", "-c", script)
	}
	inApp(`cd /data && mkdir -p "deep/er folder" empty && echo hello >greeting && echo 'echo hi' >script && chmod 750 script && chmod 600 greeting &&
ln -s greeting link && ln greeting "deep/er folder/hard" && dd if=/dev/urandom of=deep/noise bs=64k count=40 2>/dev/null && echo no >left.tmp && touch -d '2020-01-02 03:04:05' greeting`)
	before := task(listing)

	made := outcomes(t, task("sh /outrigger/backup.sh run"))
	require.Equal(t, "success", made[len(made)-1].Result)
	inApp("cd /data && rm -r deep greeting && echo new >later && echo changed >script")
	refusal := task("sh /outrigger/backup.sh restore 2>&1; echo exit code $?")
	task("OVERWRITE=yes /outrigger-tools/busybox sh /outrigger/backup.sh restore")
	_, log, code := runTask(t, namespace, "demo-shop-nightly-drill", "drill")

	require.Zero(t, code, log)
	assert.Contains(t, refusal, "/data is not empty; set OVERWRITE=yes")
	assert.Contains(t, refusal, "exit code 4")
	assert.Equal(t, before, task(listing))
	assert.Equal(t, "quiet", strings.TrimSpace(inApp("cat /data/state")), "as it was between before and after")
	assert.NotContains(t, inApp("ls /data"), "left.tmp")
	assert.NotContains(t, inApp("ls /data"), "later")
}

func TestTheOutputOfACommandIsBackedUpUnlessTheCommandFails(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	repository := namespace.S3()
	values := func(command string) string {
		return sourceValues(fmt.Sprintf(`exec: {image: %q, command: [sh, -c, %q, "it's $(quoted)"], verify: [grep, -q, the end], restore: [sh, -c, 'echo "restored to $TARGET:"; cat']}`, busybox, command), inRestic(repository))
	}
	chart := harness.Consumer(t).Write(t)
	namespace.Install("demo", chart, values(`echo "$0"; echo the end`))
	made, log, code := runTask(t, namespace, "demo-shop-nightly", "now")
	require.Zero(t, code, log)
	namespace.Upgrade("demo", chart, values(`echo half of it; echo out of luck >&2; exit 7`))

	failed, failure, ended := runTask(t, namespace, "demo-shop-nightly", "fails")
	_, log, code = runTask(t, namespace, "demo-shop-nightly-restore", "restore", "TARGET=there")

	require.Zero(t, code, log)
	assert.Len(t, made.Snapshots, 1)
	assert.EqualValues(t, 1, ended, failure)
	assert.Contains(t, failed.Message, "out of luck")
	assert.Contains(t, log, "restored to there:\nit's $(quoted)\nthe end\n")
}

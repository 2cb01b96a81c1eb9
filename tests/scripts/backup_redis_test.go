package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// redis is a server on this machine.
type redis struct {
	t              *testing.T
	port, programs string
}

func newRedis(t *testing.T, options ...string) *redis {
	t.Helper()
	r := &redis{t: t}
	r.port, r.programs = serveRedis(t, options...)
	return r
}

// newShop returns a server with keys in two databases, and an archive with its backup.
func newShop(t *testing.T) (*redis, *archive) {
	t.Helper()
	r, a := newRedis(t), newArchive(t, "files")
	r.ask("SET greeting hello", `EVAL "for i = 1, 2000 do redis.call('SET', 'order:' .. i, string.rep(i, 40)) end" 0`, "SET token x EX 86400", "SELECT 1", "RPUSH queue a b c")
	r.backup(a).backedUp()
	return r, a
}

// ask sends commands in one session, and returns the answers.
func (r *redis) ask(commands ...string) string {
	r.t.Helper()
	command := exec.Command(filepath.Join(r.programs, "redis-cli"), "-p", r.port)
	command.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
	output, err := command.CombinedOutput()
	require.NoError(r.t, err, "%s", output)
	return strings.TrimSpace(string(output))
}

// backup returns the server's backup in an archive.
func (r *redis) backup(a *archive, env ...string) *instance {
	r.t.Helper()
	i := a.instance("demo-app", append([]string{"SOURCE=redis", "REDIS_HOST=127.0.0.1", "REDIS_PORT=" + r.port, "CLOCK=" + unix(sixtyDays()[5])}, env...)...)
	return i.withPrograms(r.programs)
}

// restore restores the newest snapshot into the server, and returns what is said and the exit code. Of the server that is
// meant to have the dump nothing may be left.
func (r *redis) restore(a *archive, env ...string) (message string, code int) {
	r.t.Helper()
	restoring := r.backup(a, env...)
	message, code = restoring.restore()
	assert.NoFileExists(r.t, filepath.Join(restoring.dir, "work/loaded/dump.rdb"))
	for _, process := range processes(r.t) {
		assert.NotContains(r.t, process.arguments, restoring.dir, "a server that is left over")
	}
	return message, code
}

// content returns every key with what it holds, of all databases.
func (r *redis) content() string {
	r.t.Helper()
	return r.ask(`EVAL "local out = {} for db = 0, 15 do if not redis.pcall('SELECT', db).err then for _, key in ipairs(redis.call('KEYS', '*')) do table.insert(out, db .. ' ' .. key .. ' ' .. redis.sha1hex(redis.call('DUMP', key))) end end end table.sort(out) return out" 0`)
}

func TestASnapshotOfRedisTakesThePlaceOfAllThatThereIs(t *testing.T) {
	t.Parallel()
	shop, archive := newShop(t)
	whole := shop.content()
	for name, options := range map[string][]string{"with databases to spare": nil, "empty, and without any to spare": {"--databases", "2"}} {
		other := newRedis(t, options...)

		message, code := other.restore(archive)
		require.Zero(t, code, "%s: %s", name, message)
		assert.Equal(t, whole, other.content(), name)
	}
	shop.ask("DEL greeting", "SET order:1 changed", "SET mine 1", "SELECT 2", "SET later 1", "SELECT 15", "SET last 1")
	today := shop.content()
	message, code := shop.restore(archive)
	require.Equal(t, 4, code, message)
	require.Equal(t, today, shop.content())

	message, code = shop.restore(archive, "OVERWRITE=yes")

	assert.Zero(t, code, message)
	assert.Equal(t, whole, shop.content())
	assert.Regexp(t, `^[0-9]{5}$`, shop.ask("TTL token"))
}

func TestASnapshotWithoutKeysEmptiesTheServer(t *testing.T) {
	t.Parallel()
	empty, archive := newRedis(t), newArchive(t, "files")
	_, code := empty.backup(archive).backUp(sixtyDays()[0])
	require.Zero(t, code)
	empty.ask("SET a 1", "SELECT 3", "SET b 1")

	message, code := empty.restore(archive, "OVERWRITE=yes")

	assert.Zero(t, code, message)
	assert.Empty(t, empty.content())
}

func TestARestoreIntoRedisThatFailsCostsNoKey(t *testing.T) {
	t.Parallel()
	_, archive := newShop(t)
	const needs = "which is as it was: "
	for name, test := range map[string]struct {
		options []string
		but     string
		message string
		code    int
	}{
		"little memory":               {[]string{"--maxmemory", "1800kb"}, "", "bytes of memory, and needs ", 4},
		"little memory, which evicts": {[]string{"--maxmemory", "1800kb", "--maxmemory-policy", "allkeys-lru"}, "", "raise its maxmemory, or set TARGET to another", 4},
		"no database to spare":        {[]string{"--databases", "2"}, "", "has too few empty databases to hand the snapshot on into first; raise databases in its configuration, or set TARGET to an empty server", 4},
		"fewer databases":             {[]string{"--databases", "1"}, "", "has fewer databases than the snapshot; raise databases in its configuration", 4},
		"a user who may not swap":     {nil, "-swapdb", needs, 1},
		"a user who may not flush":    {nil, "-flushdb", needs, 1},
		"a user who may not script":   {nil, "-eval", "a user needs +info +eval +select +dbsize +flushdb +swapdb +restore ~*", 1},
		"a user who may not restore":  {nil, "-restore", "whose keys are as they were: ERR Target instance replied with error: NOPERM", 1},
		"a user of some keys":         {nil, "resetkeys ~order:*", "whose keys are as they were: ERR Target instance replied with error: NOPERM", 1},
		"a user who may not ask":      {nil, "-info", "does not answer INFO server: NOPERM this user has no permissions to run the 'info' command ; a user may by ACL SETUSER app +info", 1},
	} {
		server := newRedis(t, test.options...)
		server.ask("SET greeting today", `EVAL "for i = 1, 2000 do redis.call('SET', 'mine:' .. i, string.rep(i, 40)) end" 0`)
		server.ask("ACL SETUSER app on >secret ~* +@all " + test.but)
		before := server.content()

		message, code := server.restore(archive, "OVERWRITE=yes", "REDIS_USER=app", "REDISCLI_AUTH=secret")

		assert.Equal(t, test.code, code, name)
		assert.Contains(t, message, test.message, name)
		assert.Equal(t, before, server.content(), name)
	}
}

func TestTheUsersThatTheREADMEAsksForMayBackUpAndRestore(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../library/outrigger/README.md")
	require.NoError(t, err)
	row := regexp.MustCompile("(?m)^\\| `redis` \\| `(\\+.*?)`.* \\| `(.*?)` \\|$").FindSubmatch(page)
	require.NotEmpty(t, row)
	shop, archive := newShop(t)
	whole := shop.content()
	shop.ask("ACL SETUSER backing on >secret "+string(row[1]), "ACL SETUSER restoring on >secret "+string(row[2]))

	made, code := shop.backup(archive, "REDIS_USER=backing", "REDISCLI_AUTH=secret").backUp(sixtyDays()[1])
	assert.Zero(t, code, made["message"])
	shop.ask("DEL greeting")
	restored, code := shop.restore(archive, "REDIS_USER=restoring", "REDISCLI_AUTH=secret", "OVERWRITE=yes")

	assert.Zero(t, code, restored)
	assert.Equal(t, whole, shop.content())
}

func TestAUserWhoMayNotAskRedisIsNotToldThatItIsEmpty(t *testing.T) {
	t.Parallel()
	shop, archive := newShop(t)
	shop.ask("ACL SETUSER app on >secret ~* +@all -info", "SET greeting today")
	before := shop.content()
	const refusal = "the server 127.0.0.1 does not answer INFO server: NOPERM this user has no permissions to run the 'info' command ; a user may by ACL SETUSER app +info"

	restored, code := shop.restore(archive, "REDIS_USER=app", "REDISCLI_AUTH=secret")
	assert.Equal(t, 1, code)
	assert.Equal(t, refusal, restored)
	made, code := shop.backup(archive, "REDIS_USER=app", "REDISCLI_AUTH=secret").backUp(sixtyDays()[1])

	assert.Equal(t, 1, code)
	assert.Equal(t, refusal, made["message"])
	assert.Equal(t, before, shop.content())
}

func TestAServerOfARedisClusterIsNeitherBackedUpInPartNorRestoredInto(t *testing.T) {
	t.Parallel()
	_, archive := newShop(t)
	node := newRedis(t, "--cluster-enabled", "yes")
	const refusal = "the server 127.0.0.1 is of a Redis Cluster, of whose keys it has a part; leave redis out, and back up the volume of each master by path"
	before := archive.snapshots()

	made, code := node.backup(archive).backUp(sixtyDays()[1])
	assert.Equal(t, 2, code)
	assert.Equal(t, refusal, made["message"])
	message, code := node.restore(archive)
	assert.Equal(t, 2, code)
	assert.Equal(t, refusal, message)
	asValkey := node.backup(archive)
	asValkey.standIn("redis-cli", filepath.Join(node.programs, "redis-cli")+` "$@" | sed 's/^redis_mode/server_mode/'`)
	made, code = asValkey.backUp(sixtyDays()[1])

	assert.Equal(t, 2, code)
	assert.Equal(t, refusal, made["message"])
	assert.Equal(t, before, archive.snapshots())
}

func TestASnapshotOfAServerThatIsGoneIsRestoredIntoAnother(t *testing.T) {
	t.Parallel()
	shop, archive := newShop(t)
	whole := shop.content()
	other := newRedis(t)

	message, code := other.restore(archive, "REDIS_PORT=1", "TARGET=127.0.0.1:"+other.port)

	assert.Zero(t, code, message)
	assert.Equal(t, whole, other.content())
}

func TestADrillsCheckOfRedisHoldsOnAnAnswerAndNotOnAnError(t *testing.T) {
	t.Parallel()
	_, archive := newShop(t)
	for check, holds := range map[string]bool{
		"exists greeting":    true,
		"get greeting":       true,
		"mget nothing token": true,
		"exist greeting":     false,
		"lpop greeting":      false,
		"exists nothing":     false,
		"get nothing":        false,
		"keys nothing*":      false,
		"lrange nothing 0 1": false,
	} {
		reported, code := newRedis(t).backup(archive, "CHECKS="+check).run("drill")

		assert.Equal(t, holds, code == 0, "%s: %s", check, reported["message"])
	}
}

package scripts

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mariaDB is a server on this machine, with a database `shop` that has one of everything.
type mariaDB struct {
	t              *testing.T
	port, programs string
	archive        *archive
}

func newMariaDB(t *testing.T) *mariaDB {
	t.Helper()
	m := &mariaDB{t: t, archive: newArchive(t, "files")}
	m.port, m.programs = serveMariaDB(t)
	m.ask(`create database shop character set latin1 collate latin1_german1_ci; use shop;
		create table orders (number int primary key, customer varchar(20));
		insert into orders values (1, 'Ann'), (2, 'Bob');
		create view customers as select customer from orders;
		create trigger shouts before insert on orders for each row set new.customer = upper(new.customer);
		create procedure hello() select 'hello';
		create event sweeps on schedule every 1 day do delete from orders where number < 0`)
	return m
}

// ask runs SQL as the server's root, and returns the answer.
func (m *mariaDB) ask(sql string) string {
	m.t.Helper()
	output, err := exec.Command(filepath.Join(m.programs, "mariadb"), "--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--port="+m.port, "--user=root",
		"--batch", "--skip-column-names", "--execute="+sql).CombinedOutput()
	require.NoError(m.t, err, "%s: %s", sql, output)
	return strings.TrimSpace(string(output))
}

// backup returns the backup of the database shop, by root.
func (m *mariaDB) backup(env ...string) *instance {
	m.t.Helper()
	i := m.archive.instance("demo-app", append([]string{
		"SOURCE=mysql", "DATABASES=shop", "DB_HOST=127.0.0.1", "DB_PORT=" + m.port, "DB_USER=root", "CLOCK=" + unix(sixtyDays()[5]),
	}, env...)...)
	return i.withPrograms(m.programs)
}

// backedUp makes the backup, and sees that it succeeds.
func (m *mariaDB) backedUp(env ...string) {
	m.t.Helper()
	m.backup(env...).backedUp()
}

// restore restores with what else its environment is, and returns what is said and the exit code.
func (m *mariaDB) restore(env ...string) (message string, code int) {
	m.t.Helper()
	return m.backup(env...).restore()
}

// content returns what a database has of each kind.
func (m *mariaDB) content(database string) string {
	m.t.Helper()
	return m.ask(strings.ReplaceAll(`select concat('defaults ', default_character_set_name, ' ', default_collation_name) from information_schema.schemata where schema_name = 'DB';
		select concat(table_type, ' ', table_name) from information_schema.tables where table_schema = 'DB' order by 1;
		select concat('trigger ', trigger_name) from information_schema.triggers where trigger_schema = 'DB';
		select concat('routine ', routine_name) from information_schema.routines where routine_schema = 'DB';
		select concat('event ', event_name, ' ', status) from information_schema.events where event_schema = 'DB';
		select concat_ws(' ', number, customer) from DB.orders`, "DB", database))
}

// files returns the paths of the dumps of the database shop that a backup has made.
func (m *mariaDB) files(backup string) (dumps []string) {
	m.t.Helper()
	manifests, err := filepath.Glob(filepath.Join(m.archive.folder, backup, "shop.sql", "*.manifest.json"))
	require.NoError(m.t, err)
	require.NotEmpty(m.t, manifests)
	for _, manifest := range manifests {
		dumps = append(dumps, strings.TrimSuffix(manifest, ".manifest.json"))
	}
	return dumps
}

// dump returns the only dump that a backup has made, without its date.
func (m *mariaDB) dump(backup string) string {
	m.t.Helper()
	files := m.files(backup)
	require.Len(m.t, files, 1)
	text, err := os.ReadFile(files[0])
	require.NoError(m.t, err)
	return regexp.MustCompile(`Dump completed .*`).ReplaceAllString(string(text), "")
}

// replace puts a text in the place of each dump, as if it had been made so.
func (m *mariaDB) replace(change func(dump string) string) {
	m.t.Helper()
	for _, file := range m.files("demo-app") {
		text, err := os.ReadFile(file)
		require.NoError(m.t, err)
		text = []byte(change(string(text)))
		require.NoError(m.t, os.WriteFile(file, text, 0o644))
		manifest, err := os.ReadFile(file + ".manifest.json")
		require.NoError(m.t, err)
		manifest = regexp.MustCompile(`"sha256":"[^"]*"`).ReplaceAll(manifest, fmt.Appendf(nil, `"sha256":"%x"`, sha256.Sum256(text)))
		require.NoError(m.t, os.WriteFile(file+".manifest.json", manifest, 0o644))
	}
}

func (m *mariaDB) databases() string {
	m.t.Helper()
	return strings.Join(strings.Fields(m.ask("select schema_name from information_schema.schemata where schema_name not in ('information_schema', 'mysql', 'performance_schema', 'sys') order by 1")), " ")
}

var grants = regexp.MustCompile("GRANT [^;]* ON [^;]* TO `[^`]*`@`%`")

func TestAUserOfMySQLsWhoSeesAPartOfTheDataIsRefusedWithTheGrantsThatMendIt(t *testing.T) {
	t.Parallel()
	m := newMariaDB(t)
	m.ask("create database books; create user shop_owner@localhost; create definer = shop_owner@localhost function shop.two() returns int return 2")
	m.backedUp()
	whole := m.dump("demo-app")
	for name, test := range map[string]struct{ user, grant, databases, lacks string }{
		"nobody":                    {"nobody", "", "shop", "GRANT SELECT ON `mysql`.`proc` TO `nobody`@`%`; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `shop`.* TO `nobody`@`%`"},
		"nobody, all databases":     {"nobody2", "", "", "the user `nobody2`@`%` may not see all databases: GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON *.* TO `nobody2`@`%`; or set databases to those that are meant"},
		"one database of all":       {"one", "all on shop.*", "", "may not see all databases: GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON *.*"},
		"without triggers":          {"usual", "select, lock tables, show view, event on `sh%`.*", "shop", "may not see all that a dump has to have: GRANT SELECT ON `mysql`.`proc` TO `usual`@`%`; GRANT TRIGGER ON `sh%`.* TO `usual`@`%`"},
		"without routines":          {"tables", "select, show view, trigger, event on shop.*", "shop", ": GRANT SELECT ON `mysql`.`proc` TO `tables`@`%`"},
		"without others' routines":  {"app", "all on shop.*", "shop", ": GRANT SELECT ON `mysql`.`proc` TO `app`@`%`"},
		"some tables":               {"some", "select, trigger on shop.orders to some; grant show view, event, execute on shop.*", "shop", "GRANT SELECT, TRIGGER ON `shop`.* TO `some`@`%`"},
		"the most exact grant":      {"exact", "select, show view, event, trigger on `sh%`.* to exact; grant select on mysql.* to exact; grant select, show view, event on shop.*", "shop", ": GRANT TRIGGER ON `shop`.* TO `exact`@`%`"},
		"a role that is not his":    {"other", "backups", "shop", "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `shop`.* TO `other`@`%`"},
		"some of several databases": {"several", "select, show view, trigger, event on shop.* to several; grant select on mysql.proc", "shop\nbooks", ": GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `books`.* TO `several`@`%`"},
	} {
		m.ask("create role if not exists backups; grant all on *.* to backups; create user " + test.user)
		if test.grant != "" {
			m.ask("grant " + test.grant + " to " + test.user)
		}
		before := m.archive.snapshots()

		refused, code := m.backup("DB_USER="+test.user, "DATABASES="+test.databases).backUp(sixtyDays()[1])

		assert.Equal(t, 1, code, name)
		assert.Contains(t, refused["message"], test.lacks, name)
		assert.Equal(t, before, m.archive.snapshots(), name)
		m.ask(strings.Join(grants.FindAllString(refused["message"].(string), -1), ";"))
		made, code := m.backup("BACKUP="+test.user, "DB_USER="+test.user, "DATABASES="+test.databases).backUp(sixtyDays()[2])
		assert.Zero(t, code, "%s: %s", name, made["message"])
		assert.Equal(t, whole, m.dump(test.user), name)
	}
}

func TestAUserOfMySQLsWhoSeesAllThatIsAskedForBacksItUp(t *testing.T) {
	t.Parallel()
	m := newMariaDB(t)
	m.ask("create database `sh_op 2`; create role inner_role; create role backups; grant select, show view, trigger, event on *.* to inner_role; grant inner_role to backups")
	for name, test := range map[string]struct{ user, grant, databases, options string }{
		"by a role of his role":  {"by_role", "backups to by_role; set default role backups for by_role", "", ""},
		"by all databases":       {"everywhere", "select, show view, trigger, event on *.* to everywhere", "", ""},
		"by a pattern":           {"pattern", "select, show view, trigger, event on `sh\\_op%`.* to pattern; grant select on mysql.proc to pattern", "sh_op 2", ""},
		"by being everybody":     {"everybody", "select, show view, trigger, event on *.* to public", "", ""},
		"the routines are his":   {"author", "all on `sh_op 2`.* to author; create definer = author procedure `sh_op 2`.his() select 1", "sh_op 2", ""},
		"some are not asked for": {"modest", "select, show view on shop.* to modest", "shop", "--skip-triggers\n--events=0\n--skip-routines"},
	} {
		m.ask("create user " + test.user)
		m.ask("grant " + test.grant)

		made, code := m.backup("DB_USER="+test.user, "DATABASES="+test.databases, "DUMP_OPTIONS="+test.options).backUp(sixtyDays()[0])

		assert.Zero(t, code, "%s: %s", name, made["message"])
		if test.user == "everybody" {
			m.ask("revoke all on *.* from public")
		}
	}
}

func TestAServerWithoutDatabasesIsNoBackup(t *testing.T) {
	t.Parallel()
	m := newMariaDB(t)
	m.ask("drop database shop")

	reported, code := m.backup("DATABASES=").backUp(sixtyDays()[0])

	assert.Equal(t, 1, code)
	assert.Equal(t, "the server 127.0.0.1 has no database that could be backed up", reported["message"])
}

func TestADatabaseIsRestoredWithItsCharacterSetTriggersRoutinesAndEvents(t *testing.T) {
	t.Parallel()
	m := newMariaDB(t)
	m.ask("alter database shop collate latin1_general_cs") // otherwise than when the trigger was made, which its dump names
	m.backedUp()
	before := m.content("shop")
	m.ask("alter database shop character set utf8mb4; delete from shop.orders; create table shop.later (a int)")
	today := m.content("shop")

	message, code := m.restore("TARGET=copy")
	require.Zero(t, code, message)
	assert.Equal(t, before, m.content("copy"))
	assert.Equal(t, today, m.content("shop"), "which the copy's dump names")
	message, code = m.restore("OVERWRITE=yes")
	require.Zero(t, code, message)

	assert.Contains(t, before, "defaults latin1 latin1_general_cs")
	assert.Equal(t, before, m.content("shop"))
	assert.Equal(t, "copy shop", m.databases())
}

func TestADumpThatNamesItsDatabaseIsRestoredIntoNoOther(t *testing.T) {
	t.Parallel()
	m := newMariaDB(t)
	m.backedUp("DUMP_OPTIONS=--databases\n--add-drop-database")
	before := m.content("shop")
	m.ask("delete from shop.orders")
	today := m.content("shop")

	message, code := m.restore("TARGET=copy")
	require.Zero(t, code, message)
	assert.Equal(t, before, m.content("copy"))
	assert.Equal(t, today, m.content("shop"))
	message, code = m.restore("OVERWRITE=yes")

	require.Zero(t, code, message)
	assert.Equal(t, before, m.content("shop"))
	assert.Equal(t, "copy shop", m.databases())
}

func TestASnapshotWithoutACharacterSetKeepsThatOfTheTarget(t *testing.T) {
	t.Parallel()
	m := newMariaDB(t)
	m.backedUp()
	m.replace(func(dump string) string {
		return regexp.MustCompile(`(?m)^ALTER DATABASE CHARACTER SET .*\n`).ReplaceAllString(dump, "")
	})
	before := m.content("shop")

	message, code := m.restore("OVERWRITE=yes")

	require.Zero(t, code, message)
	assert.Equal(t, before, m.content("shop"))
}

func TestWhatCannotBeRestoredCostsTheTargetNothing(t *testing.T) {
	t.Parallel()
	m := newMariaDB(t)
	m.backedUp()
	m.ask("create user app; grant all on shop.* to app; grant all on fresh.* to app; grant all on gone.* to app; create database fresh collate latin1_german2_ci; update shop.orders set customer = 'of today'")
	before := m.content("shop")
	const definer = "shop.sql was not restored, and %s is as it was: ERROR 1227"

	refused, code := m.restore("DB_USER=app", "OVERWRITE=yes")
	assert.Equal(t, 1, code)
	assert.Contains(t, refused, "and shop is as it was: GRANT ALL ON `outrigger\\_restore\\_%`.* TO `app`@`%`: ERROR 1044")
	m.ask(grants.FindString(refused))
	for _, target := range []string{"shop", "fresh", "gone"} {
		message, code := m.restore("DB_USER=app", "OVERWRITE=yes", "TARGET="+target)

		assert.Equal(t, 1, code)
		assert.Contains(t, message, strings.ReplaceAll(definer, "%s", target))
	}
	assert.Equal(t, before, m.content("shop"))
	assert.Equal(t, "fresh shop", m.databases(), "nothing is left over")
	assert.Equal(t, "latin1_german2_ci 0", m.ask("select concat(default_collation_name, ' ', (select count(*) from information_schema.tables where table_schema = 'fresh')) from information_schema.schemata where schema_name = 'fresh'"))
}

func TestADatabaseThatHasOnlyRoutinesIsNotEmpty(t *testing.T) {
	t.Parallel()
	m := newMariaDB(t)
	m.backedUp()
	m.ask("create database other; create procedure other.later() select 1")

	message, code := m.restore("TARGET=other")

	assert.Equal(t, 4, code)
	assert.Contains(t, message, "the database other is not empty; set OVERWRITE=yes")
	assert.Equal(t, "1", m.ask("select count(*) from information_schema.routines where routine_schema = 'other'"))
}

func TestARestoreWhoseTargetCannotBeFilledLeavesAllOfTheSnapshotBesideIt(t *testing.T) {
	t.Parallel()
	m := newMariaDB(t)
	m.backedUp()
	restoring := m.backup("OVERWRITE=yes")
	restoring.standIn("mariadb", `case $* in *--database=shop*) echo 'ERROR 2013 (HY000): Lost connection' >&2; exit 1 ;; esac; exec `+filepath.Join(m.programs, "mariadb")+` "$@"`)

	reported, code := restoring.run("restore")

	assert.Equal(t, 1, code)
	staging := regexp.MustCompile(`outrigger_restore_\d+`).FindString(reported["message"].(string))
	assert.Contains(t, reported["message"], "shop was not made anew in whole, and the database "+staging+" has all of the snapshot: restore it again, and then drop "+staging+": ERROR 2013")
	assert.Equal(t, staging+" shop", m.databases())
	content := m.content(staging)
	assert.Contains(t, content, "trigger shouts")
	assert.Contains(t, content, "1 Ann\n2 Bob")
	assert.Contains(t, content, "event sweeps DISABLED", "it is not to run in two databases")
}

func TestARestoreIntoMySQLThatIsCancelledLeavesTheTargetAndNothingBesideIt(t *testing.T) {
	t.Parallel()
	m := newMariaDB(t)
	m.backedUp()
	m.ask("update shop.orders set customer = 'of today'")
	before := m.content("shop")
	restoring := m.backup("OVERWRITE=yes")
	restoring.standIn("mariadb", `case $* in *--database=outrigger_restore_*) echo loading >>"$CALLS"; exec sleep 600 ;; esac; exec `+filepath.Join(m.programs, "mariadb")+` "$@"`)
	command := restoring.command("restore")
	require.NoError(t, command.Start())
	require.Eventually(t, func() bool { return strings.Contains(restoring.calls(), "loading") }, patience, 10*time.Millisecond)

	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	_ = command.Wait()

	assert.Equal(t, 143, command.ProcessState.ExitCode())
	assert.Equal(t, before, m.content("shop"))
	assert.Equal(t, "shop", m.databases())
}

func TestASnapshotThatIsCutOffIsNotRestored(t *testing.T) {
	t.Parallel()
	m := newMariaDB(t)
	m.backedUp()
	before := m.content("shop")
	m.replace(func(dump string) string { return dump[:strings.LastIndex(dump, "-- Dump completed")] })

	message, code := m.restore("OVERWRITE=yes")

	assert.Equal(t, 1, code)
	assert.Contains(t, message, "shop.sql was not restored, and shop is as it was: the dump is not complete")
	assert.Equal(t, before, m.content("shop"))
	assert.Equal(t, "shop", m.databases())
}

// A dump of MySQL's, of a server that numbers its transactions.
const ofTransactions = `-- MySQL dump 10.13  Distrib 8.0.40, for Linux (x86_64)
SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;
SET @@SESSION.SQL_LOG_BIN= 0;

--
-- GTID state at the beginning of the backup 
--

SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,
4e11fa47-71ca-11e1-9e33-c80aa9429562:1-7';
CREATE TABLE orders (number int, customer text);
INSERT INTO orders VALUES (7,'it\'s;
');
SET @@SESSION.SQL_LOG_BIN = @MYSQLDUMP_TEMP_LOG_BIN;
-- Dump completed on 2026-11-21  3:17:09
`

func TestADumpThatWouldTellTheServerItsTransactionsIsRestoredWithoutThem(t *testing.T) {
	t.Parallel()
	m := newMariaDB(t)
	for _, state := range []string{ofTransactions, strings.Replace(ofTransactions, ",\n4e11fa47-71ca-11e1-9e33-c80aa9429562:1-7", "", 1)} {
		m.backedUp()
		m.replace(func(string) string { return state })

		message, code := m.restore("OVERWRITE=yes")

		require.Zero(t, code, message)
		assert.Equal(t, `7 it's;\n`, m.ask("select concat(number, ' ', customer) from shop.orders"))
	}
}

// mysql8 returns a backup of MySQL 8, by stand-ins for its tools that answer what a user may do.
func mysql8(t *testing.T, version, grants string, env ...string) *backup {
	t.Helper()
	b := newBackup(t, append([]string{"SOURCE=mysql", "DATABASES=shop", "DB_HOST=db", "DB_PORT=3306", "DB_USER=backup", "GRANTS=" + grants, "VERSION=" + version}, env...)...)
	b.standIn("mysqldump", `case $* in *--version*) echo "mysqldump  Ver $VERSION for Linux on x86_64 (MySQL Community Server - GPL)"; exit ;; esac
echo "dump $*" | sed 's/--no-defaults.*--no-tablespaces//' >>"$CALLS"; echo "-- MySQL dump 10.13  Distrib $VERSION, for Linux (x86_64)"; echo "-- Dump completed"`)
	b.standIn("mysql", `case $* in
*"select version()"*) echo "$VERSION" ;;
*@@lower_case_table_names*) echo "${FOLDED:-0}" ;;
*"select current_user()"*) echo backup@10.0.0.% ;;
*"current_role()"*) echo "${ROLES:-NONE}" ;;
*"show grants for current_user() using NONE"*) exit 1 ;;
*"show grants for current_user() using $ROLES"*) echo "$BY_ROLES" ;;
*"show grants"*) echo "$GRANTS" ;;
*schemata*) echo "CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci" ;;
*routine_definition*) echo "${HIDDEN_ROUTINES:-0}" ;;
*--unbuffered*) while read -r question; do case $question in '\q') exit ;; *lock*) echo 1 ;; esac; done ;;
esac`)
	return b
}

func TestWhatMySQLGrantsIsReadAsItPrintsIt(t *testing.T) {
	t.Parallel()
	const (
		everything = "GRANT SELECT, INSERT, UPDATE, DELETE, RELOAD, PROCESS, SHOW DATABASES, LOCK TABLES, EXECUTE, SHOW VIEW, EVENT, TRIGGER, CREATE ROLE ON *.* TO `backup`@`10.0.0.%` WITH GRANT OPTION\n"
		usage      = "GRANT USAGE ON *.* TO `backup`@`10.0.0.%`\n"
		tables     = usage + "GRANT SELECT, SHOW VIEW, EVENT, TRIGGER ON `shop`.* TO `backup`@`10.0.0.%`\n"
		to         = " TO `backup`@`10.0.0.%`"
	)
	for name, test := range map[string]struct {
		version, grants string
		env             []string
		lacks           string
	}{
		"all of it":                        {"8.0.40", everything + "GRANT APPLICATION_PASSWORD_ADMIN,SHOW_ROUTINE,XA_RECOVER_ADMIN ON *.* TO `backup`@`10.0.0.%`", nil, ""},
		"all of a server, a database less": {"8.0.40", everything + "REVOKE SELECT, TRIGGER ON `shop`.* FROM `backup`@`10.0.0.%`", nil, "GRANT SELECT, TRIGGER ON `shop`.*" + to},
		"of a role that he has taken on":   {"8.4.3", usage + "GRANT `backups`@`%`" + to, []string{"ROLES=`backups`@`%`", "BY_ROLES=" + tables + "GRANT SHOW_ROUTINE ON *.*" + to}, ""},
		"of a role that he has not":        {"8.4.3", usage + "GRANT `backups`@`%` TO `backup`@`10.0.0.%`", nil, "GRANT SHOW_ROUTINE ON *.*" + to + "; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `shop`.*" + to},
		"no routines":                      {"8.0.20", tables, nil, "GRANT SHOW_ROUTINE ON *.*" + to},
		"no routines, of an older one":     {"8.0.19", tables, nil, "GRANT SELECT ON *.*" + to},
		"no routines, of a very old one":   {"5.7.44", tables, nil, "GRANT SELECT ON `mysql`.`proc`" + to},
		"the routines' table":              {"5.7.44", tables + "GRANT SELECT ON `mysql`.`proc`" + to, nil, ""},
		"the routines' table that is none": {"8.0.40", tables + "GRANT SELECT ON `mysql`.*" + to, nil, "GRANT SHOW_ROUTINE ON *.*" + to},
		"others' routines, without bodies": {"8.0.40", tables + "GRANT EXECUTE ON `shop`.*" + to, []string{"HIDDEN_ROUTINES=1"}, "GRANT SHOW_ROUTINE ON *.*" + to},
		"all of the database":              {"8.0.40", usage + "GRANT ALL PRIVILEGES ON `shop`.*" + to, nil, ""},
		"MariaDB's, of routines":           {"11.4.5-MariaDB", tables, nil, "GRANT SHOW CREATE ROUTINE ON `shop`.*" + to},
		"MariaDB's, all of the database":   {"11.4.5-MariaDB", usage + "GRANT ALL PRIVILEGES ON `shop`.*" + to, []string{"HIDDEN_ROUTINES=1"}, ""},
		"a name in capitals":               {"8.0.40", usage + "GRANT ALL PRIVILEGES ON `shop`.*" + to, []string{"DATABASES=Shop", "FOLDED=1"}, ""},
		"a name in capitals, of another":   {"8.0.40", everything + "GRANT SHOW_ROUTINE ON *.*" + to + "\nREVOKE SELECT ON `Shop`.* FROM `backup`@`10.0.0.%`", nil, ""},
		"a name with signs":                {"8.0.40", strings.ReplaceAll(everything, "SELECT, ", "") + "GRANT SHOW_ROUTINE ON *.*" + to, []string{"DATABASES=sh_op`50%"}, "GRANT SELECT ON `sh\\_op``50\\%`.*" + to},
	} {
		t.Run(name, func(t *testing.T) {
			reported, code := mysql8(t, test.version, test.grants, test.env...).run("run")

			if test.lacks == "" {
				assert.Zero(t, code)
				return
			}
			assert.Equal(t, 1, code)
			assert.Equal(t, "the user `backup`@`10.0.0.%` may not see all that a dump has to have: "+test.lacks, reported["message"])
		})
	}
}

func TestADumpOfMySQLsDoesNotTellItsTransactions(t *testing.T) {
	t.Parallel()
	for version, options := range map[string]string{"8.0.40": " --set-gtid-purged=OFF", "11.4.5-MariaDB": ""} {
		b := mysql8(t, version, "GRANT ALL PRIVILEGES ON *.* TO `backup`@`%`", "DUMP_OPTIONS=--ignore-table=shop.log")

		_, code := b.run("run")

		assert.Zero(t, code)
		assert.Equal(t, "dump "+options+" --ignore-table=shop.log -- shop", b.calls(), version)
	}
}

func TestADrillsCheckOfMySQLThatIsAnsweredByNULLDoesNotHold(t *testing.T) {
	t.Parallel()
	m := newMariaDB(t)
	m.ask("create table shop.empty (a int)")
	m.backedUp()
	for check, holds := range map[string]bool{
		"select max(a) from empty":                                     false,
		"select max(a), min(a) from empty union all select null, null": false,
		"select max(number) from orders":                               true,
		"select null, 1":                                               true,
		"select * from nothing":                                        false,
	} {
		m.ask("drop database shop")

		reported, code := m.backup("CHECKS=" + check).run("drill")

		assert.Equal(t, holds, code == 0, "%s: %s", check, reported["message"])
	}
}

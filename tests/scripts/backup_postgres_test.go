package scripts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// postgres is a server on this machine, with a database `shop` that is the role app's and has something of its own of each kind.
type postgres struct {
	t              *testing.T
	port, programs string
	archive        *archive
}

// shopsOwn is what a database has beside what is in it, and the roles that it needs.
const (
	shopsRoles = `create role app login; create role "o'neil"; create role "a clerk"; create role heir; create role auditor; create role remote`
	shopsOwn   = `alter database shop set search_path to store, public; alter database shop set timezone to 'Europe/Stockholm';
		alter role app in database shop set statement_timeout to 7000; alter role "o'neil" in database shop set work_mem to '8MB';
		alter database shop connection limit 50; revoke connect, temporary on database shop from public; grant connect on database shop to "o'neil";
		comment on database shop is 'it''s; a
ALTER DATABASE shop'`
)

// newPostgres returns a server with what a script of SQL has made.
func newPostgres(t *testing.T, sql ...string) *postgres {
	t.Helper()
	p := &postgres{t: t, archive: newArchive(t, "files")}
	p.port, p.programs = servePostgres(t)
	require.Eventually(t, func() bool { return p.psql("postgres", "select 1").Run() == nil }, patience, 10*time.Millisecond, "the server answers")
	for _, statements := range sql {
		p.ask("postgres", statements)
	}
	return p
}

func newPostgresShop(t *testing.T) *postgres {
	t.Helper()
	p := newPostgres(t, shopsRoles, "create database shop template template0 owner app locale_provider icu icu_locale 'sv-SE' locale 'C'", shopsOwn)
	p.ask("shop", `create schema store authorization app; create table store.orders (number int primary key, customer text); alter table store.orders owner to app;
		insert into store.orders values (1, 'Ann'), (2, 'Bob');
		grant select on store.orders to "a clerk"; alter default privileges for role app in schema store grant select on tables to heir;
		create policy seen on store.orders as restrictive for select to "a clerk", auditor using (customer <> 'to;');
		create foreign data wrapper w; create server s foreign data wrapper w; create user mapping for remote server s`)
	return p
}

func (p *postgres) psql(database, sql string, options ...string) *exec.Cmd {
	command := exec.Command(filepath.Join(p.programs, "psql"), append([]string{"-XqAt", "-h", "127.0.0.1", "-p", p.port, "-U", "postgres", "-d", database}, options...)...)
	command.Stdin = strings.NewReader(sql)
	return command
}

// ask runs SQL as the superuser, each statement by itself, and returns the answers.
func (p *postgres) ask(database, sql string) string {
	p.t.Helper()
	output, err := p.psql(database, sql, "-v", "ON_ERROR_STOP=1").CombinedOutput()
	require.NoError(p.t, err, "%s: %s", sql, output)
	return strings.TrimSpace(string(output))
}

// backup returns the backup of the database shop, by the superuser.
func (p *postgres) backup(env ...string) *instance {
	p.t.Helper()
	i := p.archive.instance("demo-app", append([]string{"PGHOST=127.0.0.1", "PGPORT=" + p.port, "PGUSER=postgres", "CLOCK=" + unix(sixtyDays()[5])}, env...)...)
	for _, program := range []string{"psql", "pg_dump", "pg_restore"} {
		require.NoError(p.t, os.Remove(filepath.Join(i.dir, "tools", program)))
	}
	return i.withPrograms(p.programs)
}

func (p *postgres) backedUp(env ...string) {
	p.t.Helper()
	p.backup(env...).backedUp()
}

// restore restores with what else its environment is, and returns what is said and the exit code.
func (p *postgres) restore(env ...string) (message string, code int) {
	p.t.Helper()
	return p.backup(env...).restore()
}

// own returns what the server knows of a database itself.
func (p *postgres) own(database string) string {
	p.t.Helper()
	return p.ask(database, `select pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datlocprovider, daticulocale, datcollate, datctype, datconnlimit, datistemplate, datallowconn,
			(select array_agg(a::text order by a::text) from unnest(coalesce(datacl, acldefault('d', datdba))) a), shobj_description(oid, 'pg_database')
		from pg_database where datname = current_database();
		select setrole::regrole, setconfig from pg_db_role_setting where setdatabase = (select oid from pg_database where datname = current_database()) order by 1`)
}

func (p *postgres) databases() string {
	p.t.Helper()
	return strings.Join(strings.Fields(p.ask("postgres", "select datname from pg_database where not datistemplate order by 1")), " ")
}

func TestARestoreBringsBackAllThatIsADatabasesOwn(t *testing.T) {
	t.Parallel()
	for store, env := range map[string][]string{"files": nil, "restic": {"JOBS=2"}} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			p := newPostgresShop(t)
			p.archive = newArchive(t, store)
			own := p.own("shop")
			p.backedUp(env...)

			message, code := p.restore(append(env, "OVERWRITE=yes")...)
			require.Zero(t, code, message)
			assert.Equal(t, own, p.own("shop"), "in its own place")
			assert.Equal(t, "Ann Bob", p.ask("shop", "select string_agg(customer, ' ' order by number) from orders"))

			message, code = p.restore(append(env, "TARGET=a \"copy\"'s")...)
			require.Zero(t, code, message)
			assert.Equal(t, own, p.own(`dbname='a "copy"\'s'`), "by another name")

			p.ask("postgres", "drop database shop with (force)")
			p.ask("postgres", "create database shop")
			message, code = p.restore(env...)
			require.Zero(t, code, message)
			assert.Equal(t, own, p.own("shop"), "in the place of one that was made for it")
			assert.Equal(t, `a "copy"'s postgres shop`, p.databases())
		})
	}
}

func TestADatabaseThatIsAsANewOneIsRestoredAsOne(t *testing.T) {
	t.Parallel()
	p := newPostgres(t, "create database shop", "create role app login")
	own := p.own("shop")
	p.backedUp()

	message, code := p.restore("OVERWRITE=yes")

	require.Zero(t, code, message)
	assert.Equal(t, own, p.own("shop"))
}

func TestAContentsThatIsLongIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	p := newPostgresShop(t)
	p.ask("shop", "do $$ begin for i in 1..300 loop execute format('create function store.f%s() returns text language sql as %L', i, 'select ''' || repeat('x', 8000) || ''''); end loop; end $$")
	own := p.own("shop")
	p.backedUp()

	message, code := p.restore("OVERWRITE=yes")

	require.Zero(t, code, message)
	assert.Equal(t, own, p.own("shop"))
	assert.Equal(t, "300", p.ask("shop", "select count(*) from pg_proc where pronamespace = 'store'::regnamespace"))
}

func TestBytesOfNoEncodingAreRestoredAsTheyWere(t *testing.T) {
	t.Parallel()
	p := newPostgres(t, "create database shop template template0 encoding 'SQL_ASCII' locale 'C'")
	p.ask("shop", `create table orders (customer text); insert into orders values (E'Ren\xe9')`)
	p.backedUp()

	message, code := p.restore("OVERWRITE=yes")

	require.Zero(t, code, message)
	assert.Equal(t, "SQL_ASCII C", p.ask("shop", "select pg_encoding_to_char(encoding), datcollate from pg_database where datname = 'shop'\\g (fieldsep=' ')"))
	assert.Equal(t, "4 52656ee9", p.ask("shop", "select length(customer) || ' ' || encode(customer::bytea, 'hex') from orders"))
}

func TestAPartOfADatabaseIsRestoredIntoOneAsItWas(t *testing.T) {
	t.Parallel()
	p := newPostgres(t, "create database shop template template0 encoding 'SQL_ASCII' locale 'C'", "alter database shop connection limit 50")
	p.ask("shop", `create table orders (customer text); insert into orders values (E'Ren\xe9')`)
	own := p.own("shop")
	p.backedUp("DUMP_OPTIONS=--table=orders")

	message, code := p.restore("TARGET=copy")

	require.Zero(t, code, message)
	assert.Equal(t, own, p.own("copy"))
	assert.Equal(t, "52656ee9", p.ask("copy", "select encode(customer::bytea, 'hex') from orders"))
}

func TestANameThatIsNotWrittenInTheEncodingOfItsDatabaseIsKept(t *testing.T) {
	t.Parallel()
	const name = "bücher"
	p := newPostgres(t, "create database "+name+" template template0 encoding 'LATIN1' locale 'C'", "create role müller")
	p.ask(name, "comment on database "+name+" is 'über'; alter role müller in database "+name+" set work_mem to '8MB'; create table orders (customer text)")
	own := p.own(name)
	p.backedUp("DATABASES=" + name)

	message, code := p.restore("DATABASES="+name, "OVERWRITE=yes")

	require.Zero(t, code, message)
	assert.Equal(t, own, p.own(name))
	assert.Contains(t, own, "LATIN1")
	assert.Equal(t, name+" postgres", p.databases())
}

func TestASettingThatTheServerDoesNotKnowIsLeftOutAndSaid(t *testing.T) {
	t.Parallel()
	p := newPostgres(t, "create database shop", "alter database shop set work_mem to '8MB'")
	p.ask("postgres", "update pg_db_role_setting set setconfig = setconfig || '{work_memory=8MB}' where setdatabase <> 0")
	p.backedUp()

	output, err := p.backup("OVERWRITE=yes").command("restore").CombinedOutput()

	require.NoError(t, err, "%s", output)
	assert.Contains(t, string(output), `left out: unrecognized configuration parameter "work_memory": ALTER DATABASE shop SET work_memory TO '8MB';`)
	assert.Contains(t, p.own("shop"), "{work_mem=8MB}")
}

func TestARestoreIsRefusedWhereTheServerLacksARoleOrALocale(t *testing.T) {
	t.Parallel()
	p := newPostgresShop(t)
	p.backedUp()
	for name, test := range map[string]struct{ sql, said string }{
		"the owner":                    {"alter role app rename to old", `role "app" does not exist on this server: restore FILE=globals.sql first, or create it`},
		"who may connect":              {`alter role "o'neil" rename to old`, `role "o'neil" does not exist on this server`},
		"who may read a table":         {`alter role "a clerk" rename to old`, `role "a clerk" does not exist on this server`},
		"who may read what is to come": {`alter role heir rename to old`, `role "heir" does not exist on this server`},
		"whom a policy is for":         {`alter role auditor rename to old`, `role "auditor" does not exist on this server`},
		"who is somebody elsewhere":    {`alter role remote rename to old`, `role "remote" does not exist on this server`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := newPostgres(t, shopsRoles, "create database shop")
			target.archive = p.archive
			target.ask("shop", "create table precious ()")
			target.ask("postgres", test.sql)

			i := target.backup("OVERWRITE=yes")
			i.standIn("pg_restore", `case $* in *--dbname*) echo loads >>"$CALLS" ;; esac; exec `+filepath.Join(p.programs, "pg_restore")+` "$@"`)

			reported, code := i.run("restore")

			assert.Equal(t, 4, code)
			assert.Empty(t, i.calls(), "nothing is loaded")
			assert.NoFileExists(t, filepath.Join(i.dir, "work", "begun"), "the work volume is free again")
			assert.Contains(t, reported["message"], "shop.dump was not restored, and shop is as it was: "+test.said)
			assert.Equal(t, "precious", target.ask("shop", "select relname from pg_class where relnamespace = 'public'::regnamespace"))
			assert.Equal(t, "postgres shop", target.databases())
		})
	}
	t.Run("a locale", func(t *testing.T) {
		i := p.backup("OVERWRITE=yes")
		i.standIn("pg_restore", "exec "+filepath.Join(p.programs, "pg_restore")+` "$@" | sed "s/^CREATE DATABASE .*/CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE = 'xx_XX.utf8';/"`)

		reported, code := i.run("restore")

		assert.Equal(t, 4, code)
		assert.Equal(t, `shop.dump was not restored, and shop is as it was: the server cannot have a database as the snapshot's: ERROR: invalid locale name: "xx_XX.utf8" ; restore into one that has its locale and encoding`, reported["message"])
		assert.Equal(t, "Ann", p.ask("shop", "select customer from orders where number = 1"))
		assert.Equal(t, "postgres shop", p.databases())

		other := newPostgres(t)
		other.archive = p.archive
		drilled := other.backup("CHECKS=select count(*) = 2 from store.orders")
		drilled.standIn("pg_restore", "exec "+filepath.Join(p.programs, "pg_restore")+` "$@" | sed "s/^CREATE DATABASE .*/CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'LATIN1' LOCALE = 'xx_XX.utf8' TABLESPACE = fast;/"`)
		reported, code = drilled.run("drill")
		require.Zero(t, code, reported["message"])
		assert.Equal(t, "LATIN1", other.ask("shop", "show server_encoding"), "a drill does without the locale")
	})
}

func TestADatabaseWhoseTablespaceIsNotThereIsRestoredIntoTheDefaultOne(t *testing.T) {
	t.Parallel()
	p := newPostgres(t, "set allow_in_place_tablespaces = on; create tablespace fast location ''; create database shop tablespace fast")
	p.ask("shop", "create table orders ()")
	p.backedUp()
	other := newPostgres(t)
	other.archive = p.archive

	message, code := p.restore("TARGET=shop_copy")
	require.Zero(t, code, message)
	assert.Equal(t, "fast", p.ask("shop_copy", "select spcname from pg_tablespace t join pg_database d on t.oid = dattablespace where datname = current_database()"))
	message, code = other.restore()
	require.Zero(t, code, message)
	assert.Equal(t, "1", other.ask("shop", "select count(*) from pg_class where relname = 'orders'"))
}

func TestADrillNeedsNoRoles(t *testing.T) {
	t.Parallel()
	p := newPostgresShop(t)
	p.backedUp()
	other := newPostgres(t)
	other.archive = p.archive

	reported, code := other.backup("CHECKS=select count(*) = 2 from store.orders").run("drill")

	require.Zero(t, code, reported["message"])
	assert.Equal(t, "sv-SE", other.ask("postgres", "select daticulocale from pg_database where datname = 'shop'"))
}

func TestWhoIsNoSuperuserRestoresWhatHeMayAndIsToldTheRest(t *testing.T) {
	t.Parallel()
	p := newPostgres(t, shopsRoles, "create role manager login createdb", "create database shop owner manager", shopsOwn)
	p.ask("shop", "create table orders (number int); insert into orders values (7); alter table orders owner to manager")
	p.ask("postgres", "alter database shop owner to app")
	p.backedUp()
	p.ask("postgres", "alter database shop owner to manager")

	output, err := p.backup("PGUSER=manager", "OVERWRITE=yes").command("restore").CombinedOutput()

	require.NoError(t, err, "%s", output)
	assert.Contains(t, string(output), `left out: must be member of role "app": ALTER DATABASE shop OWNER TO app;`)
	assert.Contains(t, string(output), `left out: permission denied: ALTER ROLE app IN DATABASE shop SET statement_timeout TO '7000';`)
	assert.Equal(t, "7", p.ask("shop", "select number from public.orders"))
	p.ask("postgres", "alter role app rename to old")
	message, code := p.restore("PGUSER=manager", "OVERWRITE=yes")
	assert.Equal(t, 4, code)
	assert.Contains(t, message, `role "app" does not exist on this server`)
	assert.Regexp(t, `(?s)^manager\|UTF8.*\|50\|.*it's; a.*search_path`, p.own("shop"))
	assert.Equal(t, "postgres shop", p.databases())
}

func TestRolesAndTablespacesThatExistStayAsTheyAre(t *testing.T) {
	t.Parallel()
	p := newPostgres(t, `create role app login createdb password 'old'; create role "new; role" login connection limit 7 password 'kept'; create role team; grant team to app; grant team to "new; role"; set allow_in_place_tablespaces = on; create tablespace fast location ''; alter tablespace fast set (random_page_cost = 1);
		alter role app set work_mem to '1MB'; alter role "new; role" set work_mem to '3MB'; comment on role "new; role" is 'a -- comment'; create database shop`)
	p.backedUp("DATABASES=")
	hash := func(role string) string {
		return p.ask("postgres", "select rolpassword from pg_authid where rolname = '"+role+"'")
	}
	made := hash("new; role")
	p.ask("postgres", `alter tablespace fast set (random_page_cost = 2); alter role app nocreatedb password 'rotated'; alter role app set work_mem to '2MB'; revoke team from app; drop role "new; role"`)
	rotated := hash("app")

	message, code := p.restore("DATABASES=", "FILE=globals.sql")

	require.Zero(t, code, message)
	assert.Equal(t, rotated, hash("app"))
	assert.Equal(t, "f|{work_mem=2MB}", p.ask("postgres", "select rolcreatedb, rolconfig from pg_roles where rolname = 'app'"))
	assert.Equal(t, "{random_page_cost=2}", p.ask("postgres", "select spcoptions from pg_tablespace where spcname = 'fast'"))
	assert.Equal(t, made, hash("new; role"))
	assert.Equal(t, "7|{work_mem=3MB}|a -- comment", p.ask("postgres", "select rolconnlimit, rolconfig, shobj_description(oid, 'pg_authid') from pg_roles where rolname = 'new; role'"))
	assert.Equal(t, "false true", p.ask("postgres", "select pg_has_role('app', 'team', 'member') || ' ' || pg_has_role('new; role', 'team', 'member')"))
}

func TestADatabaseIsEmptyOnlyWhereNobodyHasMadeAnythingInIt(t *testing.T) {
	t.Parallel()
	p := newPostgres(t, "create database shop", "create database empty")
	p.backedUp()
	for name, sql := range map[string]string{
		"a table": "create table a ()", "a function": "create function f() returns int language sql as 'select 1'", "a large object": "select lo_create(0)",
		"a type": "create type state as enum ('new')", "a domain": "create domain positive as int", "a schema": "create schema store", "a sequence": "create sequence s",
		"an operator": "create operator |+| (function = int4pl, leftarg = int, rightarg = int)", "a collation": "create collation c from \"C\"", "an aggregate": "create aggregate a (int) (sfunc = int4pl, stype = int)",
		"a foreign data wrapper": "create foreign data wrapper w", "a publication": "create publication p", "a text search configuration": "create text search configuration s (copy = simple)",
		"a cast": "create cast (point as text) with inout", "default privileges": "alter default privileges grant select on tables to public",
	} {
		p.ask("postgres", "create database full_one")
		p.ask("full_one", sql)

		message, code := p.restore("TARGET=full_one")

		assert.Equal(t, 4, code, name)
		assert.Contains(t, message, "the database full_one is not empty; set OVERWRITE=yes", name)
		p.ask("postgres", "drop database full_one")
	}
	p.ask("empty", "drop schema public; create schema public; create temporary table t (a text)")
	message, code := p.restore("TARGET=empty")
	assert.Zero(t, code, message)
}

// inStaging replaces pg_restore by one that does something with the new database, whose connection string is $into, when all is in it.
func (i *instance) inStaging(p *postgres, script string) {
	i.t.Helper()
	i.standIn("pg_restore", `for option; do case ${previous-} in --dbname) into=$option ;; esac; previous=$option; done
`+filepath.Join(p.programs, "pg_restore")+` "$@" || exit
[ -z "${into-}" ] || { `+script+`; }`)
}

func TestSessionsInTheOldAndTheNewDatabaseDoNotKeepThemFromTheirNames(t *testing.T) {
	t.Parallel()
	p := newPostgresShop(t)
	p.backedUp()
	i := p.backup("OVERWRITE=yes")
	for range 3 {
		app := exec.Command("sh", "-c", `while :; do psql -X -d shop -c "select pg_sleep(3600)"; done`)
		app.Env, app.SysProcAttr = i.env, &syscall.SysProcAttr{Setpgid: true}
		require.NoError(t, app.Start())
		t.Cleanup(func() { _ = syscall.Kill(-app.Process.Pid, syscall.SIGKILL); _ = app.Wait() })
	}
	require.Eventually(t, func() bool {
		return p.ask("postgres", "select count(*) from pg_stat_activity where datname = 'shop'") == "3"
	}, patience, time.Millisecond, "the app's sessions, which begin anew when they end")
	i.inStaging(p, `PGAPPNAME=exporter psql -X -d "$into" -c "select pg_sleep(3600)" >/dev/null 2>&1 3>&- 9>&- &
until [ "$(psql -XqAt -d "$into" -c "select count(*) from pg_stat_activity where application_name = 'exporter'")" = 1 ]; do :; done`)

	reported, code := i.run("restore")

	require.Zero(t, code, reported["message"])
	assert.Equal(t, "postgres shop", p.databases())
	assert.Equal(t, "2", p.ask("shop", "select count(*) from orders"))
}

func TestADatabaseThatCannotTakeTheNameLeavesTheOldOneInItsPlace(t *testing.T) {
	t.Parallel()
	p := newPostgresShop(t)
	p.backedUp()
	i := p.backup("OVERWRITE=yes")
	// Somebody drops it at the last moment.
	i.inStaging(p, `name=${into#*"'"}; psql -X -d postgres -c "drop database ${name%"'"*} with (force)" >/dev/null`)

	reported, code := i.run("restore")

	assert.Equal(t, 1, code)
	assert.Contains(t, reported["message"], "shop.dump was not restored, and shop is as it was: ")
	assert.Equal(t, "postgres shop", p.databases())
	assert.Equal(t, "2", p.ask("shop", "select count(*) from orders"))
}

func TestARestoreThatIsCancelledLeavesNothing(t *testing.T) {
	t.Parallel()
	p := newPostgresShop(t)
	p.backedUp()
	for name, watched := range map[string]string{
		"while it loads":             "",
		"while the database is made": "psql",
	} {
		p.ask("shop", "truncate store.orders")
		i := p.backup("OVERWRITE=yes")
		i.inStaging(p, `: >"$CALLS.loaded"; exec sleep 600`)
		if watched != "" {
			i.standIn("psql", `case $* in *[Cc][Rr][Ee][Aa][Tt][Ee]' '[Dd][Aa][Tt][Aa][Bb][Aa][Ss][Ee]*) : >"$CALLS.loaded" ;; esac
exec `+filepath.Join(p.programs, "psql")+` "$@"`)
		}
		restoring := i.command("restore")
		require.NoError(t, restoring.Start())
		ended := make(chan error, 1)
		go func() { ended <- restoring.Wait() }()
		require.Eventually(t, func() bool { return exists(filepath.Join(i.dir, "calls.loaded")) }, patience, time.Millisecond, name)

		require.NoError(t, restoring.Process.Signal(syscall.SIGTERM))

		select {
		case <-ended:
		case <-time.After(patience):
			require.NoError(t, restoring.Process.Kill())
			<-ended
			t.Fatal("it goes on")
		}
		assert.Equal(t, 143, restoring.ProcessState.ExitCode(), name)
		assert.Equal(t, "postgres shop", p.databases(), name)
		assert.Equal(t, "0", p.ask("shop", "select count(*) from orders"), name)
	}
}

func TestTwoRestoresAtTheSameTimeAreBothWhole(t *testing.T) {
	t.Parallel()
	p := newPostgresShop(t)
	p.backedUp()
	restores := make([]*exec.Cmd, 2)
	for i := range restores {
		restores[i] = p.backup(fmt.Sprintf("TARGET=copy_%d", i)).command("restore")
		require.NoError(t, restores[i].Start())
	}

	for i, restore := range restores {
		require.NoError(t, restore.Wait())
		assert.Equal(t, "2", p.ask(fmt.Sprintf("copy_%d", i), "select count(*) from orders"))
	}
	assert.Equal(t, "copy_0 copy_1 postgres shop", p.databases())
}

func TestABackupOfAllDatabasesLeavesOutWhatARestoreHasLeft(t *testing.T) {
	t.Parallel()
	p := newPostgres(t, "create database shop", "create database outrigger_restore_1795791338_0a1b2c3d", "create database outrigger_replaced_1795791338_0a1b2c3d", "create database outrigger_restore_mine")

	reported, code := p.backup("DATABASES=").backUp(sixtyDays()[0])

	require.Zero(t, code, reported["message"])
	assert.Equal(t, "backed up globals.sql outrigger_restore_mine.dump postgres.dump shop.dump", reported["message"])
}

func TestADumpInAFormatThatCannotBeRestoredLeavesNoSnapshotAndCostsNoGoodOne(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"files", "restic"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			p := newPostgresShop(t)
			p.archive = newArchive(t, store)
			days := sixtyDays()
			keeping := p.backup("KEEP=--keep-last 1")
			reported, code := keeping.backUp(days[0])
			require.Zero(t, code, reported["message"])
			good := map[string][]string{"demo-app shop.dump": {minute(days[0])}}
			require.Equal(t, good, p.archive.snapshots())

			reported, code = p.backup("DUMP_OPTIONS=--format=plain", "KEEP=--keep-last 1").backUp(days[1])

			assert.Equal(t, 1, code)
			assert.Equal(t, "failure", reported["result"])
			assert.Contains(t, reported["message"], "shop.dump was not backed up: what was dumped is not in the custom format; leave out of postgres.options what changes that")
			assert.Equal(t, good, p.archive.snapshots())

			reported, code = keeping.backUp(days[2])
			require.Zero(t, code, reported["message"])
			assert.Equal(t, map[string][]string{"demo-app shop.dump": {minute(days[2])}}, p.archive.snapshots())
		})
	}
}

func TestADatabaseThatIsEmptyNoMoreWhenAllIsLoadedIsLeftAlone(t *testing.T) {
	t.Parallel()
	p := newPostgresShop(t)
	p.backedUp()
	p.ask("postgres", "create database fresh")
	i := p.backup("TARGET=fresh")
	i.inStaging(p, `psql -Xq -d fresh -c "create table precious ()"`)

	reported, code := i.run("restore")

	assert.Equal(t, 4, code)
	assert.Contains(t, reported["message"], "the database fresh is not empty; set OVERWRITE=yes")
	assert.Equal(t, "precious", p.ask("fresh", "select relname from pg_class where relnamespace = 'public'::regnamespace"))
	assert.Equal(t, "fresh postgres shop", p.databases())
}

func TestADumpThatIsCutOffCostsTheTargetNothing(t *testing.T) {
	t.Parallel()
	p := newPostgresShop(t)
	p.backedUp()
	dumps, err := filepath.Glob(filepath.Join(p.archive.folder, "demo-app/shop.dump/*Z-*"))
	require.NoError(t, err)
	dump := slices.DeleteFunc(dumps, func(name string) bool { return strings.HasSuffix(name, ".json") })[0]
	whole, err := os.ReadFile(dump)
	require.NoError(t, err)
	for _, part := range [][]byte{nil, whole[:100], whole[:len(whole)/2], whole[:len(whole)-1]} {
		require.NoError(t, os.WriteFile(dump, part, 0o644))

		message, code := p.restore("OVERWRITE=yes")

		assert.Equal(t, 1, code)
		assert.Regexp(t, "^shop.dump was not restored, and shop is as it was: .*is not that of its manifest", message)
		assert.Equal(t, "2", p.ask("shop", "select count(*) from orders"))
		assert.Equal(t, "postgres shop", p.databases())
	}
}

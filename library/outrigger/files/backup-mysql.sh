#!/bin/sh
# shellcheck shell=sh disable=SC2154,SC2034,SC3040,SC2016 # backticks are SQL's; busybox has pipefail; variables of backup.sh, which reads this file
#
# MariaDB or MySQL, by the tools of the server's own image.
#
#   DB_HOST, DB_PORT, DB_USER, MYSQL_PWD
#   CONNECTION_OPTIONS   further options of client and dump, one a line
#   DATABASES            the databases, one a line; all of the server but its own where it is empty
#   DUMP_OPTIONS         further options of the dump, one a line
#   CHECKS               a drill's questions, one a line: each must be answered, and not by 0
#
# Its files are DATABASE.sql, dumped in one transaction, with routines, triggers and events, and with the database's character
# set and collation. Users and their privileges are not in them.
FIRST=$(printf '%s\n' "${DATABASES-}" | busybox head -n 1)

# One or the other has lost the old names of its programs.
client() { connect "$(program mariadb mysql)" --batch --skip-column-names "$@"; }

dumper() { connect "$(program mariadb-dump mysqldump)" "$@"; }

connect() ( # program, arguments
  [ "$1" ] || exit 2
  called=$1
  shift
  IFS='
'
  # shellcheck disable=SC2086 # one option a line
  exec "$called" --no-defaults --protocol=tcp --host="$DB_HOST" --port="$DB_PORT" --user="$DB_USER" ${CONNECTION_OPTIONS-} "$@"
)

ask() ( # SQL, options
  sql=$1
  shift
  client --execute="$sql" "$@"
)

identifier() { printf '`%s`' "$(printf '%s' "$1" | busybox sed 's/`/``/g')"; }

literal() { printf "'%s'" "$(printf '%s' "$1" | busybox sed "s/[\\\\']/&&/g")"; }

# Prints a version as one number, from what a server or a program says of itself.
number() { busybox sed 's/.*\(Distrib\|from\|Ver\) //; s/^\([0-9]*\)\.\([0-9]*\).*/\1 \2/' | busybox awk '{print $1 * 1000 + $2}'; }

# A dump by older tools may lack what the server has.
source_check() {
  server=$(ask 'select version()' 2>"$WORK/errors") || fail 1 "the server $DB_HOST does not answer: $(errors)"
  tools=$(dumper --version) || exit
  [ "$(printf '%s' "$tools" | number)" -ge "$(printf '%s' "$server" | number)" ] ||
    fail 2 "the dump is by $tools and the server is $server; set image to the server's"
  [ "$task" != backup ] || may_dump
}

source_files() {
  names=${DATABASES-}
  [ "$FIRST" ] || names=$(ask "select schema_name from information_schema.schemata where schema_name not in ('information_schema', 'performance_schema', 'mysql', 'sys') order by 1" --raw 2>"$WORK/errors") ||
    fail 1 "the databases cannot be listed: $(errors)"
  [ "$names" ] || fail 1 "the server $DB_HOST has no database that could be backed up"
  printf '%s\n' "$names" | while read -r name; do [ -z "$name" ] || printf '%s.sql\n' "$(encoded "$name")"; done
}

source_restorable() {
  if [ "$FIRST" ]; then source_files; else busybox cat; fi
}

# ---- What the user may see: a dump leaves out the rest without a word

# Fails where a dump would be a part of the data, and names the GRANT that mends it.
may_dump() {
  { user=$(whoever) && folded=$(ask 'select @@lower_case_table_names') && ask "set session sql_mode = '', sql_quote_show_create = 1; show grants" --raw >"$WORK/grants"; } 2>"$WORK/errors" ||
    fail 1 "the user $DB_USER cannot be asked for his privileges: $(errors)"
  case $server in
    *MariaDB*) ask 'show grants for public' --raw ;;
    *) roles=$(ask 'select current_role()' --raw) && ask "set session sql_mode = '', sql_quote_show_create = 1; show grants for current_user() using $roles" --raw ;;
  esac >>"$WORK/grants" 2>/dev/null # which older servers do not know
  if [ ! "$FIRST" ]; then
    allowed '' # which a grant for every database matches
    may SELECT || may 'SHOW DATABASES' ||
      fail 1 "the user $user may not see all databases: GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON *.* TO $user; or set databases to those that are meant"
  fi
  mend=
  files=$(source_files) || exit
  for file in $files; do
    lacks "$(decoded "${file%.sql}")"
  done
  [ -z "$mend" ] || fail 1 "the user $user may not see all that a dump has to have: $mend"
}

# Prints who the server takes the user for, as a GRANT names him.
whoever() {
  account=$(ask 'select current_user()' --raw) || return
  printf '%s@%s' "$(identifier "${account%@*}")" "$(identifier "${account##*@}")"
}

# Sets allowed to what the user may do in a database, a line each.
allowed() { allowed=$(DATABASE=$1 busybox awk -v folded="$folded" -f "$SCRIPTS/backup-grants.awk" "$WORK/grants"); } # database

may() { printf '%s\n' "$allowed" | busybox grep -qx -e "$1" -e "ALL PRIVILEGES${1#"${1% everywhere}"}"; } # privilege, in which databases

# Tells whether a dump is to have something: its options may leave it out.
wanted() { ! printf '%s\n' "${DUMP_OPTIONS-}" | busybox grep -Eqix -e "--(skip-$1|$1=(0|false|off))"; }

# Adds to mend the GRANTs that a dump of a database lacks.
lacks() { # database
  allowed "$1"
  lacking=
  may SELECT || lacking=', SELECT'
  may 'SHOW VIEW' || lacking="$lacking, SHOW VIEW"
  ! wanted triggers || may TRIGGER || lacking="$lacking, TRIGGER"
  ! wanted events || may EVENT || lacking="$lacking, EVENT"
  scope=$(printf '%s\n' "$allowed" | busybox sed -n 's/^ON //p')
  [ "$scope" ] || scope="$(identifier "$(printf '%s' "$1" | busybox sed 's/[_%]/\\&/g')").*"
  if wanted routines && ! may_see_routines "$1"; then
    case $(routines) in
      table) grant 'SELECT ON `mysql`.`proc`' ;;
      routine) lacking="$lacking, SHOW CREATE ROUTINE" ;;
      dynamic) grant 'SHOW_ROUTINE ON *.*' ;;
      all) grant 'SELECT ON *.*' ;;
    esac
  fi
  [ -z "$lacking" ] || grant "${lacking#, } ON $scope"
}

grant() { # what
  case $mend in *"GRANT $1 TO "*) ;; *) mend="${mend:+$mend; }GRANT $1 TO $user" ;; esac
}

# Prints by what a user sees the routines of others: that differs from version to version.
routines() {
  case $server in
    *MariaDB*) if [ "$(printf '%s' "$server" | number)" -ge 11003 ]; then echo routine; else echo table; fi ;;
    [1-5].*) echo table ;;
    8.0.[0-9] | 8.0.[0-9][!0-9]* | 8.0.1[0-9]*) echo all ;;
    *) echo dynamic ;;
  esac
}

# Of a routine of somebody else's that the user may only run or change the body is NULL.
may_see_routines() { # database
  case $(routines) in
    table) printf '%s\n' "$allowed" | busybox grep -qx 'SELECT of mysql.proc' ;;
    routine) may 'SHOW CREATE ROUTINE' ;;
    dynamic) may 'SHOW_ROUTINE everywhere' ;;
    all) false ;;
  esac || may 'SELECT everywhere' || {
    { may EXECUTE || may 'ALTER ROUTINE' || may 'CREATE ROUTINE'; } &&
      [ "$(ask "select count(*) from information_schema.routines where routine_schema = $(literal "$1") and routine_definition is null")" = 0 ]
  }
}

# ---- Dumps

source_dump() { # file
  database=$(decoded "${1%.sql}")
  defaults=$(ask "$(defaults_of "$database")") || return
  # A restore may not, and need not, tell a server which transactions it has had.
  unlogged=
  case $(dumper --version) in *MariaDB*) ;; *) unlogged=--set-gtid-purged=OFF ;; esac
  IFS='
'
  # shellcheck disable=SC2086 # one option a line
  dumper --single-transaction --quick --routines --triggers --events --hex-blob --no-tablespaces $unlogged ${DUMP_OPTIONS-} -- "$database" |
    described "$defaults"
}

# Prints the question for a database's character set and collation.
defaults_of() { # database
  printf '%s' "select concat('CHARACTER SET ', default_character_set_name, ' COLLATE ', default_collation_name) from information_schema.schemata where schema_name = $(literal "$1")"
}

# Prints a dump, and after the line by which it is known for one the database's character set and collation, which it lacks.
described() { # they
  while IFS= read -r line; do
    printf '%s\n' "$line"
    case $line in
      '/*M!'*) line='' && continue ;;
      '-- MySQL dump '* | '-- MariaDB dump '*) [ -z "$1" ] || printf 'ALTER DATABASE %s;\n' "$1" ;;
    esac
    line='' && break
  done
  printf '%s' "$line"
  busybox cat
}

# A restore relies on the comments with which a dump begins and ends.
source_begins() { # file; reads the beginning of its dump
  busybox grep -Eq '^-- (MySQL|MariaDB) dump ' || { echo 'what was dumped does not begin as a dump; leave out of the options what changes that, as --compact, --xml and --result-file do' >&2; return 1; }
}

# Reads a dump to its end, which it says itself.
source_verify() { # file; reads the dump
  busybox tail -n 1 | busybox grep -q '^-- Dump completed' || { echo 'the dump is not complete' >&2; return 1; }
}

source_version() { dumper --version; }

source_answers() { ask 'select 1' >/dev/null; }

# A session of the server's, which reads SQL from its input, and what takes the lock of this backup in it: a name of
# at most 64 characters.
source_session() { client --unbuffered; }

source_lock() { printf 'select get_lock(%s, 0);\n' "$(literal "outrigger $(printf '%s' "$BACKUP" | busybox md5sum | busybox cut -c 1-32)")"; }

# ---- Restores

source_target() { decoded "${1%.sql}"; } # file

# A database cannot be renamed, and what is in one cannot be moved out of it where triggers, views or routines are. So the
# snapshot is loaded into another one first: what cannot be restored costs the target nothing.
source_restore() { # snapshot, file, target
  trap : TERM INT # which end what runs now, and what it has made is removed
  { defaults=$(ask "$(defaults_of "$3")") && content=$(ask "$(content_of "$3")"); } 2>"$WORK/errors" ||
    fail 1 "the server $DB_HOST cannot be asked: $(errors)"
  if [ "$content" = 0 ]; then
    [ "$defaults" ] || ask "create database $(identifier "$3")" 2>"$WORK/errors" || fail 1 "the database $3 cannot be made: $(errors)"
    load "$1" "$2" "$3" || {
      reason=$(why)
      code=$?
      if [ "$defaults" ]; then made_anew "$3"; else dropped "$3"; fi 2>/dev/null ||
        fail 1 "$2 was restored in part, empty the database $3 before it is restored again: $reason"
      fail "$code" "$2 was not restored, and $3 is as it was: $reason"
    }
    trap - TERM INT
    return
  fi
  [ "${OVERWRITE-}" = yes ] ||
    fail 4 "the database $3 is not empty; set OVERWRITE=yes to put the snapshot in its place, or TARGET to another"
  staging=outrigger_restore_$(now)
  ask "create database $(identifier "$staging")" 2>"$WORK/errors" ||
    fail 1 "the snapshot cannot be loaded into a database $staging first, and $3 is as it was: GRANT ALL ON \`outrigger\\_restore\\_%\`.* TO $(whoever): $(errors)"
  load "$1" "$2" "$staging" || {
    reason=$(why)
    code=$?
    dropped "$staging" 2>/dev/null || say "the database $staging is left over; drop it"
    fail "$code" "$2 was not restored, and $3 is as it was: $reason"
  }
  { made_anew "$3" 2>"$WORK/errors" && load "$1" "$2" "$3"; } ||
    fail 1 "$3 was not made anew in whole, and the database $staging has all of the snapshot: restore it again, and then drop $staging: $(why)"
  dropped "$staging" 2>"$WORK/errors" || say "the database $staging is left over; drop it: $(errors)"
  trap - TERM INT
}

# Prints the question for how much a database has.
content_of() { # database
  printf '%s' "select (select count(*) from information_schema.tables where table_schema = $(literal "$1"))
    + (select count(*) from information_schema.routines where routine_schema = $(literal "$1"))
    + (select count(*) from information_schema.events where event_schema = $(literal "$1"))"
}

dropped() { ask "set foreign_key_checks = 0; drop database $(identifier "$1")"; } # database

# Empties a database, to whose tables others' foreign keys may point, and sets it to its defaults.
made_anew() { ask "set foreign_key_checks = 0; drop database $(identifier "$1"); create database $(identifier "$1") $defaults"; } # database

# Loads a snapshot into a database.
load() { # snapshot, file, database
  busybox rm -f "$WORK/unread" "$WORK/last"
  ( set -o pipefail
    { store_read "$1" "$2" || { : >"$WORK/unread"; false; }; } | fitted "$3" | client --database="$3" 2>"$WORK/errors" ) || return
  source_verify "$2" <"$WORK/last" 2>"$WORK/errors"
}

# Prints a dump as it is loaded into whatever database, and leaves its last line in a file. It may name its own database, where it
# sets the collation or by an option, and tell the server which transactions it has had. Where it is loaded to see whether it can
# be, its events do not run.
fitted() { # database
  resting=
  [ "$1" != "${staging-}" ] || resting='/^\/\*!50106 CREATE\*\/ .* EVENT /s/ ON COMPLETION \(NOT PRESERVE\|PRESERVE\) ENABLE / ON COMPLETION \1 DISABLE /'
  busybox sed -e '/^SET @@GLOBAL\.GTID_PURGED=/{' -e ':more' -e '/;$/d' -e N -e 'b more' -e '}' -e '/^SET @@SESSION\.SQL_LOG_BIN *= /d' \
    -e '/^USE `.*`;$/d' -e '/^\/\*!40000 DROP DATABASE /d' -e '/^CREATE DATABASE \/\*!32312 /d' \
    -e 's/^ALTER DATABASE `.*` \(CHARACTER SET [a-z0-9_]* COLLATE [a-z0-9_]* ;\)/ALTER DATABASE \1/' -e "$resting" -e "\$w $WORK/last"
}

# Prints why a snapshot was not loaded, and returns the exit code of that: the server's reason or the store's.
why() {
  errors
  [ ! -e "$WORK/unread" ] || store_error
  [ ! -e "$WORK/unread" ] || [ -s "$WORK/errors" ] || return 3
  return 1
}

# ---- A drill

source_rows() { # database
  ask "select concat('select count(*) from \`', replace(table_schema, '\`', '\`\`'), '\`.\`', replace(table_name, '\`', '\`\`'), '\`;') from information_schema.tables where table_type = 'BASE TABLE' and table_schema = $(literal "$1")" |
    client --raw | busybox awk '{rows += $1} END {print rows + 0}'
}

# What is NULL is no answer.
source_ask() { # database, SQL
  answered=$(client --database="$1" --execute="$2") || return
  [ -z "$(printf '%s' "$answered" | busybox sed 's/NULL//g' | busybox tr -d '\t\n')" ] || printf '%s\n' "$answered"
}

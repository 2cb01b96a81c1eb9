#!/bin/sh
# shellcheck shell=sh disable=SC2154,SC2034,SC3040 # busybox has pipefail; variables of backup.sh, which reads this file
#
# PostgreSQL, by the tools of the server's own image.
#
#   PGHOST, PGPORT, PGUSER, PGPASSWORD, and what else libpq reads
#   DATABASES      the databases, one a line; all of the server where it is empty
#   DUMP_OPTIONS   further options of pg_dump, one a line
#   JOBS           how many of its processes dump at once, and restore
#   CHECKS         a drill's questions, one a line: each must be answered, and not by false
#
# Its files are DATABASE.dump, in PostgreSQL's custom format, which has what is the database's own too (owner, encoding, order
# of texts, settings, privileges), and globals.sql: roles and tablespaces, where all databases are backed up. The dump is not
# compressed, which the store does better. Where JOBS is more than 1, it is DATABASE.tar instead: a folder in PostgreSQL's
# directory format, which several processes can write and read, and which lies in WORK meanwhile.
export PGCONNECT_TIMEOUT="${PGCONNECT_TIMEOUT:-10}" PGAPPNAME=outrigger
FIRST=$(printf '%s\n' "${DATABASES-}" | busybox head -n 1)
MAINTENANCE=${FIRST:-postgres}
UNPACKED=$WORK/unpacked-${task:-dump}
if [ "${JOBS:-1}" -gt 1 ]; then SUFFIX=.tar OTHER=.dump; else SUFFIX=.dump OTHER=.tar; fi

client() { psql --no-psqlrc --no-password --quiet --no-align --tuples-only "$@"; }

ask() { client --set ON_ERROR_STOP=1 --dbname "$1" --command "$2"; } # database, SQL

identifier() { printf '"%s"' "$(printf '%s' "$1" | busybox sed 's/"/""/g')"; }

# A dump by an older pg_dump is refused by the server, or worse, is not.
source_check() {
  maintenance=$MAINTENANCE
  [ "$task" = backup ] || maintenance=postgres
  server=$(ask_in "$maintenance" 'show server_version_num' 2>"$WORK/errors") ||
    fail 1 "the server $PGHOST does not answer: $(errors)"
  server=$((server / 10000))
  dumper=$(pg_dump --version | busybox sed 's/^[^0-9]*\([0-9]*\).*/\1/')
  [ "$dumper" -ge "$server" ] || fail 2 "pg_dump is of version $dumper and the server of $server; set postgres.image to the server's image"
}

source_files() {
  if [ "$FIRST" ]; then
    names=$DATABASES
  else
    echo globals.sql
    names=$(ask postgres "select datname from pg_database where datallowconn and not datistemplate and datname !~ '^outrigger_(restore|replaced)_[0-9]+_[0-9a-f]{8}\$' order by 1" 2>"$WORK/errors") ||
      fail 1 "the databases cannot be listed: $(errors)"
  fi
  printf '%s\n' "$names" | while read -r name; do printf '%s%s\n' "$(encoded "$name")" "$SUFFIX"; done
}

# Of each database the dump as it is made now, or else one of the time when JOBS was another. The database postgres, which
# every server has, comes last.
source_restorable() {
  busybox grep '\.dump$\|\.tar$' >"$WORK/dumps"
  if [ "$FIRST" ]; then
    source_files | busybox sed 's/\.[a-z]*$//'
  else
    busybox sed 's/\.[a-z]*$//' "$WORK/dumps" | busybox sort -u | busybox awk '$0 == "postgres" {last = $0; next} {print} END {if (last) print last}'
  fi | while read -r name; do
    busybox grep -Fx -e "$name$SUFFIX" "$WORK/dumps" || busybox grep -Fx -e "$name$OTHER" "$WORK/dumps" || printf '%s%s\n' "$name" "$SUFFIX"
  done
}

# Prints a file's name without what its format adds.
stem() {
  case $1 in
    *.dump) printf '%s' "${1%.dump}" ;;
    *.tar) printf '%s' "${1%.tar}" ;;
    *) printf '%s' "$1" ;;
  esac
}

source_dump() { # file
  case $1 in *.sql) exec pg_dumpall --no-password --globals-only ;; esac
  IFS='
'
  database=$(connection "$(decoded "$(stem "$1")")")
  # shellcheck disable=SC2086 # one option a line
  case $1 in *.dump) exec pg_dump --no-password --format=custom --compress=0 ${DUMP_OPTIONS-} --dbname="$database" ;; esac
  busybox rm -rf "$UNPACKED"
  # shellcheck disable=SC2086 # one option a line
  pg_dump --no-password --format=directory --jobs="$JOBS" --compress=0 --file="$UNPACKED" ${DUMP_OPTIONS-} --dbname="$database" &&
    busybox tar -c -C "$UNPACKED" .
  dumped=$?
  busybox rm -rf "$UNPACKED"
  return "$dumped"
}

# Options may have changed what a dump is, or where it goes.
source_begins() { # file; reads the beginning of its dump
  case $1 in
    *.dump) [ "$(busybox head -c 5)" = PGDMP ] ;;
    *.sql) busybox grep -q '^-- PostgreSQL database cluster dump' ;;
  esac || { echo 'what was dumped is not in the custom format; leave out of postgres.options what changes that' >&2; return 1; }
}

# Makes the folder of a dump again from its tar, on standard input. pg_restore finds out which of its files are missing.
unpack() {
  busybox rm -rf "$UNPACKED"
  busybox mkdir "$UNPACKED" && busybox tar -x -o -C "$UNPACKED"
}

# Prints a database's name as a connection string: one with a = in it would be taken for one.
connection() { printf "dbname='%s'" "$(printf '%s' "$1" | busybox sed "s/[\\\\']/\\\\&/g")"; }

# Reads a dump to its end: the table of contents alone is whole in one that was cut off.
source_verify() { # file; reads the dump
  case $1 in
    *.dump) pg_restore --file=/dev/null ;;
    *.tar) unpack && pg_restore --file=/dev/null "$UNPACKED"
      ended=$?
      busybox rm -rf "$UNPACKED"
      return "$ended" ;;
    *) busybox tail -n 5 | busybox grep -q 'PostgreSQL database cluster dump complete' || { echo 'the dump of the roles is not complete' >&2; return 1; } ;;
  esac
}

source_version() { pg_dump --version; }

source_answers() { ask postgres 'select 1' >/dev/null; }

# A session of the server's, which reads SQL from its input, and what takes the lock of this backup in it.
source_session() { client --dbname "$(connection "$MAINTENANCE")"; }

source_lock() {
  printf "select pg_try_advisory_lock(hashtext('outrigger'), hashtext(%s));\n" "$(literal "$BACKUP")"
}

# ---- Restores

source_target() { decoded "$(stem "$1")"; } # file

# Restores into a new database, which takes the place of the target only when it is whole.
source_restore() { # snapshot, file, target
  case $2 in *.dump | *.tar) ;; *) restore_globals "$1" "$2"; return ;; esac
  # A session can drop or rename any database but its own.
  elsewhere=postgres
  [ "$3" != postgres ] || elsewhere=template1
  exists=$(ask postgres "select count(*) from pg_database where datname = $(literal "$3")" 2>"$WORK/errors") || fail 1 "the server cannot be asked: $(errors)"
  full "$3" && refuse "$3"
  # No other restore, begun at the same time, has the same name.
  unique=$(now)_$(busybox od -An -N4 -tx4 /dev/urandom | busybox tr -d ' ')
  staging=outrigger_restore_$unique replaced=outrigger_replaced_$unique
  : >"$WORK/refusal"
  # By then what ran has ended.
  trap 'abandon; exit 143' TERM INT
  ( set -o pipefail
    trap : TERM INT
    store_read "$1" "$2" | load "$2" ) || not_restored "$2" "$3"
  # What is begun now ends in a moment, and leaves a server whole.
  trap '' TERM INT
  busybox rm -rf "$UNPACKED" "$WORK/begun"
  full "$3" && abandon && refuse "$3" # by now
  { properties >"$WORK/properties" && in_staging <"$WORK/properties" && left_out && swap "$3"; } || not_restored "$2" "$3"
  [ "$exists" = 0 ] || ask "$elsewhere" "drop database $replaced with (force)" 2>"$WORK/errors" ||
    say "the database $replaced, whose place was taken, is left over; drop it: $(errors)"
  trap - TERM INT
}

# Tells whether a database has something that nobody has said may be lost.
full() { # target
  [ "$exists" = 1 ] && [ "${OVERWRITE-}" != yes ] && [ "$task" != drill ] || return
  content=$(ask_in "$1" "$CONTENT" 2>"$WORK/errors") || content="what cannot be looked at: $(errors)"
  [ "$content" != 0 ]
}

refuse() { # target
  case $content in *[!0-9]*) fail 1 "the database $1 has $content" ;; esac
  fail 4 "the database $1 is not empty; set OVERWRITE=yes to put the snapshot in its place, or TARGET to another"
}

# Counts all that somebody has made in a database.
CONTENT="with own as (select oid from pg_namespace where nspname not like 'pg\_%' and nspname <> 'information_schema')
  select (select count(*) from own where oid <> coalesce(to_regnamespace('public'), 0::oid))
    + (select count(*) from pg_class where relnamespace in (select oid from own))
    + (select count(*) from pg_type where typnamespace in (select oid from own))
    + (select count(*) from pg_proc where pronamespace in (select oid from own))
    + (select count(*) from pg_operator where oprnamespace in (select oid from own))
    + (select count(*) from pg_opfamily where opfnamespace in (select oid from own))
    + (select count(*) from pg_collation where collnamespace in (select oid from own))
    + (select count(*) from pg_conversion where connamespace in (select oid from own))
    + (select count(*) from pg_ts_config where cfgnamespace in (select oid from own))
    + (select count(*) from pg_ts_dict where dictnamespace in (select oid from own))
    + (select count(*) from pg_extension where extname <> 'plpgsql')
    + (select count(*) from pg_language where lanname not in ('internal', 'c', 'sql', 'plpgsql'))
    + (select count(*) from pg_cast where oid >= 16384) + (select count(*) from pg_am where oid >= 16384)
    + (select count(*) from pg_largeobject_metadata) + (select count(*) from pg_event_trigger) + (select count(*) from pg_default_acl)
    + (select count(*) from pg_foreign_data_wrapper) + (select count(*) from pg_publication)
    + (select count(*) from pg_subscription where subdbid = (select oid from pg_database where datname = current_database()))"

# Ends a restore that has failed.
not_restored() { # file, target
  abandon
  role=$(busybox sed -n 's/.*ERROR:  *\(role ".*" does not exist\).*/\1/p' "$WORK/errors" | busybox head -n 1)
  [ -z "$role" ] || printf '%s on this server: restore FILE=globals.sql first, or create it' "$role" >"$WORK/refusal"
  [ ! -s "$WORK/refusal" ] || fail 4 "$1 was not restored, and $2 is as it was: $(busybox cat "$WORK/refusal")"
  fail 1 "$1 was not restored, and $2 is as it was: $(why)"
}

# Prints why a restore failed: what the server's tool said, and what the store did.
why() {
  errors
  reason=$(store_error)
  case $reason in *' said nothing') ;; *) printf '%s' "$reason" ;; esac
}

# Removes what a restore has made.
abandon() {
  busybox rm -rf "$UNPACKED" "$WORK/begun"
  ask postgres "alter database $staging is_template false" >/dev/null 2>&1
  ask postgres "drop database if exists $staging with (force)" >/dev/null 2>&1 || say "the database $staging is left over; drop it"
}

# Loads a dump, on standard input, into a database of its own.
load() { # file; ends its shell
  trap 'exit 143' TERM INT
  # A drill's server has none of the owners and tablespaces.
  bare=
  [ "$task" != drill ] || bare='--no-owner --no-privileges --no-tablespaces'
  case $1 in
    *.tar) unpack && contents "$UNPACKED" ;;
    *) begins && contents "$WORK/begun" ;;
  esac && make_staging && rehearse || exit
  into=$(connection "$staging")
  # shellcheck disable=SC2086 # options
  case $1 in
    *.tar) pg_restore --no-password --exit-on-error $bare --jobs="${JOBS:-1}" --dbname "$into" "$UNPACKED" ;;
    *) { busybox cat "$WORK/begun" && busybox dd bs=65536 2>/dev/null; } | pg_restore --no-password --exit-on-error $bare --dbname "$into" ;;
  esac 2>"$WORK/errors"
  exit
}

# Reads a dump for as long as its table of contents goes on.
begins() {
  : >"$WORK/begun"
  part=1
  while :; do
    busybox dd bs=65536 count="$part" iflag=fullblock 2>/dev/null >"$WORK/part"
    busybox cat "$WORK/part" >>"$WORK/begun"
    ! pg_restore --list "$WORK/begun" >/dev/null 2>"$WORK/errors" || break
    [ -s "$WORK/part" ] && busybox grep -q 'end of file' "$WORK/errors" || return
    part=$((part * 2))
  done
  busybox rm -f "$WORK/part"
}

# Leaves the SQL of what is the database's own, and of what in it names roles beside its owners.
contents() { # dump
  : >"$WORK/naming-roles"
  # Nothing is in a schema without a name.
  pg_restore --create --schema-only --schema= --file=- "$1" >"$WORK/contents" 2>"$WORK/errors" &&
    pg_restore --list "$1" >"$WORK/list-of-dump" 2>"$WORK/errors" || return
  ! busybox grep -E '^[0-9]+; [0-9]+ [0-9]+ (ACL|DEFAULT ACL|POLICY|USER MAPPING) ' "$WORK/list-of-dump" >"$WORK/some" ||
    pg_restore --schema-only --use-list="$WORK/some" --file=- "$1" >"$WORK/naming-roles" 2>"$WORK/errors"
}

# Prints what backup-statements.awk makes of SQL for the new database.
statements() { PART=$1 NAME=$staging busybox awk -f "$SCRIPTS/backup-statements.awk" "$2"; } # part, file

# Makes the database as it was: its encoding and the order of its texts too. In a drill others have to do where its server lacks
# them, and everywhere a tablespace that is not there.
make_staging() {
  create=$(statements create "$WORK/contents" 2>"$WORK/errors") || return
  [ "$create" ] || { echo 'the dump does not say of which database it is' >"$WORK/errors"; return 1; }
  made "$create" && return
  if busybox grep -q 'tablespace ".*" does not exist' "$WORK/errors"; then
    say "the server has not the database's tablespace, and its default one is used: $(errors)"
    create="${create% TABLESPACE = *};"
    made "$create" && return
  fi
  if [ "$task" = drill ]; then
    say "the drill's server cannot order texts as the database does, and orders them by their bytes: $(errors)"
    encoding=$(printf '%s' "$create" | busybox sed -n "s/.* \(ENCODING = '[^']*'\).*/\1/p")
    made "create database $staging template template0 $encoding locale 'C'" && return
  fi
  ! busybox grep -Eiq 'locale|encoding|collat|ICU' "$WORK/errors" ||
    printf "the server cannot have a database as the snapshot's: %s; restore into one that has its locale and encoding" "$(errors)" >"$WORK/refusal"
  return 1
}

# What a server has begun to make is there only later: so it is not interrupted. Nobody else looks into what is half restored.
made() ( # SQL
  trap '' TERM INT
  ask postgres "$1" 2>"$WORK/errors" && ask postgres "revoke connect, temporary on database $staging from public" 2>"$WORK/errors"
)

# Prints the SQL that gives the new database what is its own.
properties() {
  # It is what a new database has, to which the dump's privileges are a change.
  printf 'grant connect, temporary on database %s to public;\n' "$staging"
  [ "$task" = drill ] || statements properties "$WORK/contents"
}

# Sees, before there is much to do, that the server takes it, and has all roles. In a drill they are made.
rehearse() {
  if [ "$task" = drill ]; then
    statements roles "$WORK/naming-roles"
  else
    echo 'begin;' && statements grantees "$WORK/naming-roles" && properties && echo 'rollback;'
  fi >"$WORK/properties" && in_staging <"$WORK/properties"
}

# Runs SQL in the new database: what servers know of a database is written in its own encoding.
in_staging() { client --set ON_ERROR_STOP=1 --dbname "$staging" >/dev/null 2>"$WORK/errors"; }

# Lets the new database take the place of the old one: at once, or not at all.
swap() { # target
  old=
  [ "$exists" = 0 ] || old="alter database $(identifier "$1") rename to $replaced; alter database $replaced is_template false;"
  ask "$elsewhere" "begin; $old alter database $staging rename to $(identifier "$1"); commit" 2>"$WORK/errors" &
  swapping=$!
  # A rename waits for the sessions that there are for five seconds, and lets no new ones begin.
  while busybox kill -0 "$swapping" 2>/dev/null; do
    ask "$elsewhere" "do \$\$ declare other int; begin
      for other in select pid from pg_stat_activity where datname in ($(literal "$1"), $(literal "$staging")) and pid <> pg_backend_pid() loop
        begin perform pg_terminate_backend(other); exception when insufficient_privilege then null; end;
      end loop; end \$\$" >/dev/null 2>&1
    busybox usleep 20000
  done
  wait "$swapping"
}

# Says what of it the server has refused: to who is no superuser, or as it knows no such setting.
left_out() {
  busybox sed -n 's/^.*WARNING:  */left out: /p' "$WORK/errors" | while IFS= read -r line; do say "$line"; done
}

literal() { printf "'%s'" "$(printf '%s' "$1" | busybox sed "s/'/''/g")"; }

ask_in() { ask "$(connection "$1")" "$2"; } # database, SQL

# Roles and tablespaces that exist stay as they are.
restore_globals() { # snapshot, file
  ask postgres "select 'role ' || rolname from pg_roles union all select 'tablespace ' || spcname from pg_tablespace" >"$WORK/kept" 2>"$WORK/errors" ||
    fail 1 "the server cannot be asked: $(errors)"
  : >"$WORK/kept.found"
  ( set -o pipefail
    store_read "$1" "$2" | PART=globals KEPT=$WORK/kept busybox awk -f "$SCRIPTS/backup-statements.awk" |
      client --dbname postgres >/dev/null 2>"$WORK/errors" ) ||
    fail 1 "$2 was not restored: $(why)"
  others=$(busybox grep 'ERROR' "$WORK/errors" | busybox grep -v 'already exists')
  [ -z "$others" ] || fail 1 "$2 was restored in part: $(printf '%s' "$others" | busybox tr '\n' ' ')"
  [ ! -s "$WORK/kept.found" ] || say "what exists stays as it is: $(busybox tr '\n' ' ' <"$WORK/kept.found")"
}

# ---- A drill

source_rows() { # database
  ask_in "$1" 'analyze'
  ask_in "$1" "select coalesce(sum(greatest(reltuples, 0)), 0)::bigint from pg_class where relkind = 'r' and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
}

source_ask() { ask_in "$1" "$2"; } # database, SQL

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
# Its files are DATABASE.dump, in PostgreSQL's custom format, and globals.sql: roles and tablespaces, where all
# databases are backed up. The dump is not compressed, which the store does better. Where JOBS is more than 1, it is
# DATABASE.tar instead: a folder in PostgreSQL's directory format, which several processes can write and read, and which
# lies in WORK meanwhile.
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
    names=$(ask postgres 'select datname from pg_database where datallowconn and not datistemplate order by 1' 2>"$WORK/errors") ||
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

# Runs pg_restore on a dump, on standard input.
restored() { # file, options of pg_restore
  case $1 in
    *.tar)
      shift
      unpack && pg_restore --jobs="${JOBS:-1}" "$@" "$UNPACKED"
      ended=$?
      busybox rm -rf "$UNPACKED"
      return "$ended"
      ;;
  esac
  shift
  pg_restore "$@"
}

# Prints a database's name as a connection string: one with a = in it would be taken for one.
connection() { printf "dbname='%s'" "$(printf '%s' "$1" | busybox sed "s/[\\\\']/\\\\&/g")"; }

# Reads a dump to its end: the table of contents alone is whole in one that was cut off.
source_verify() { # file; reads the dump
  case $1 in
    *.dump) pg_restore --file=/dev/null ;;
    *.tar) JOBS=1 restored "$1" --file=/dev/null ;;
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
  staging=$(printf '%.40s_outrigger_%s' "$3" "$(now)")
  exists=$(ask postgres "select count(*) from pg_database where datname = $(literal "$3")") || fail 1 'the server cannot be asked'
  if [ "$exists" = 1 ] && [ "${OVERWRITE-}" != yes ]; then
    tables=$(ask_in "$3" "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname not like 'pg\_%'") ||
      fail 1 "the database $3 cannot be looked at"
    [ "$tables" = 0 ] || fail 4 "the database $3 is not empty; set OVERWRITE=yes to put the snapshot in its place, or TARGET to another"
  fi
  ask postgres "create database $(identifier "$staging") template template0" || fail 1 "the database $staging cannot be created"
  trap 'drop_staging' EXIT
  # A drill's server has none of the roles.
  roles=
  [ "$task" != drill ] || roles='--no-owner --no-privileges'
  # shellcheck disable=SC2086 # two options
  ( set -o pipefail
    store_read "$1" "$2" | restored "$2" --no-password --exit-on-error $roles --dbname "$(connection "$staging")" 2>"$WORK/errors" ) ||
    fail 1 "$2 was not restored, and $3 is as it was: $(errors)$(store_error)"
  # A session can drop or rename any database but its own.
  elsewhere=postgres
  [ "$3" != postgres ] || elsewhere=template1
  [ "$exists" = 0 ] || ask "$elsewhere" "drop database $(identifier "$3") with (force)" || fail 1 "the database $3 cannot be dropped"
  trap - EXIT
  ask "$elsewhere" "alter database $(identifier "$staging") rename to $(identifier "$3")" ||
    fail 1 "the database $staging, which has all of the snapshot, cannot be renamed to $3; rename it"
}

drop_staging() { ask postgres "drop database if exists $(identifier "$staging") with (force)" >/dev/null 2>&1; }

literal() { printf "'%s'" "$(printf '%s' "$1" | busybox sed "s/'/''/g")"; }

ask_in() { ask "$(connection "$1")" "$2"; } # database, SQL

# Roles that exist stay as they are, which is no error.
restore_globals() { # snapshot, file
  ( set -o pipefail
    store_read "$1" "$2" | client --dbname postgres >/dev/null 2>"$WORK/errors" ) ||
    fail 1 "$2 was not restored: $(store_error)"
  others=$(busybox grep 'ERROR' "$WORK/errors" | busybox grep -v 'already exists')
  [ -z "$others" ] || fail 1 "$2 was restored in part: $(printf '%s' "$others" | busybox tr '\n' ' ')"
}

# ---- A drill

source_rows() { # database
  ask_in "$1" 'analyze'
  ask_in "$1" "select coalesce(sum(greatest(reltuples, 0)), 0)::bigint from pg_class where relkind = 'r' and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
}

source_ask() { ask_in "$1" "$2"; } # database, SQL

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
# Its files are DATABASE.sql, dumped in one transaction, with routines, triggers and events. Users and their
# privileges are not in them.
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

ask() { client --execute="$1"; } # SQL

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
}

source_files() {
  names=${DATABASES-}
  [ "$FIRST" ] || names=$(ask "select schema_name from information_schema.schemata where schema_name not in ('information_schema', 'performance_schema', 'mysql', 'sys') order by 1" 2>"$WORK/errors") ||
    fail 1 "the databases cannot be listed: $(errors)"
  printf '%s\n' "$names" | while read -r name; do [ -z "$name" ] || printf '%s.sql\n' "$(encoded "$name")"; done
}

source_restorable() {
  if [ "$FIRST" ]; then source_files; else busybox cat; fi
}

source_dump() { # file
  IFS='
'
  # shellcheck disable=SC2086 # one option a line
  dumper --single-transaction --quick --routines --triggers --events --hex-blob --no-tablespaces ${DUMP_OPTIONS-} -- "$(decoded "${1%.sql}")"
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

# A database cannot be renamed, so the snapshot is read to its end before the target is dropped.
source_restore() { # snapshot, file, target
  tables=$(ask "select count(*) from information_schema.tables where table_schema = $(literal "$3")" 2>"$WORK/errors") ||
    fail 1 "the server $DB_HOST cannot be asked: $(errors)"
  [ "$tables" = 0 ] || [ "${OVERWRITE-}" = yes ] ||
    fail 4 "the database $3 is not empty; set OVERWRITE=yes to put the snapshot in its place, or TARGET to another"
  ( set -o pipefail
    store_read "$1" "$2" | source_verify "$2" 2>"$WORK/errors" ) ||
    fail 3 "$2 cannot be read to its end, and $3 is as it was: $(errors)$(store_error)"
  ask "drop database if exists $(identifier "$3"); create database $(identifier "$3")" 2>"$WORK/errors" ||
    fail 1 "the database $3 cannot be made: $(errors)"
  ( set -o pipefail
    store_read "$1" "$2" | client --database="$3" 2>"$WORK/errors" ) ||
    fail 1 "$2 was restored in part, restore it again: $(errors)$(store_error)"
}

# ---- A drill

source_rows() { # database
  ask "select concat('select count(*) from \`', replace(table_schema, '\`', '\`\`'), '\`.\`', replace(table_name, '\`', '\`\`'), '\`;') from information_schema.tables where table_type = 'BASE TABLE' and table_schema = $(literal "$1")" |
    client --raw | busybox awk '{rows += $1} END {print rows + 0}'
}

source_ask() { client --database="$1" --execute="$2"; } # database, SQL

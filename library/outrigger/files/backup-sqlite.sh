#!/bin/sh
# shellcheck shell=sh disable=SC2154,SC2034 # variables of backup.sh, which reads this file
#
# SQLite's databases, by sqlite3 of the image.
#
#   FILES    the databases' paths, one a line
#   CHECKS   a drill's questions, one a line: each must be answered, and not by 0
#
# A file of it is a database's path: one consistent copy in one file, made while others write.
ask() { sqlite3 -batch -bail -noheader -cmd '.timeout 60000' "$1" "$2"; } # database, SQL

literal() { printf "'%s'" "$(printf '%s' "$1" | busybox sed "s/'/''/g")"; }

source_check() {
  command -v sqlite3 >/dev/null || fail 2 'the image has no sqlite3; set sqlite.image to one that has'
  [ "$task" = backup ] || return 0
  printf '%s\n' "$FILES" >"$WORK/databases"
  while read -r database; do
    ask "$database" 'select count(*) from sqlite_master' >"$WORK/errors" 2>&1 || fail 1 "$database cannot be read: $(errors)"
  done <"$WORK/databases"
}

source_files() { printf '%s\n' "$FILES" | while read -r name; do printf '%s\n' "$(encoded "$name")"; done; }

source_restorable() { source_files; }

# .backup would begin anew whenever somebody writes.
source_dump() { # file
  copy=$WORK/copy.sqlite
  busybox rm -f "$copy"
  ask "$(decoded "$1")" "vacuum into $(literal "$copy")" && whole "$copy" && busybox cat "$copy"
  ended=$?
  busybox rm -f "$copy"
  return "$ended"
}

source_begins() { [ "$(busybox head -c 15)" = 'SQLite format 3' ] || { echo 'the copy is no database' >&2; return 1; }; } # file; reads the beginning of its dump

whole() { # database
  answer=$(ask "$1" 'pragma integrity_check')
  [ "$answer" = ok ] || { echo "the integrity check says: $answer" >&2; return 1; }
}

source_verify() { # file; reads the dump
  busybox cat >"$WORK/verified.sqlite" && whole "$WORK/verified.sqlite"
  ended=$?
  busybox rm -f "$WORK/verified.sqlite"
  return "$ended"
}

source_version() { sqlite3 --version; }

source_answers() { :; }

# ---- Restores

source_target() { # file
  if [ "$task" = drill ]; then printf '%s' "$WORK/drill-$1"; else decoded "$1"; fi
}

# Beside the target first, whose place it takes when it is whole.
source_restore() { # snapshot, file, target
  [ ! -s "$3" ] || [ "${OVERWRITE-}" = yes ] ||
    fail 4 "$3 exists; end the app and set OVERWRITE=yes to put the snapshot in its place, or TARGET to another path"
  staging=$3.outrigger-new
  busybox rm -f "$staging"
  store_read "$1" "$2" >"$staging" || { busybox rm -f "$staging"; fail 3 "$2 cannot be read to its end, and $3 is as it was: $(store_error)"; }
  whole "$staging" 2>"$WORK/errors" || { busybox rm -f "$staging"; fail 3 "$2 is not whole, and $3 is as it was: $(errors)"; }
  # A journal is that of the database that was there.
  busybox rm -f "$3-wal" "$3-shm" "$3-journal"
  busybox mv "$staging" "$3" || fail 1 "$3 cannot be put in its place"
}

# ---- A drill

source_rows() { # database
  ask "$1" "select 'select count(*) from \"' || replace(name, '\"', '\"\"') || '\";' from sqlite_master where type = 'table' and name not like 'sqlite\_%' escape '\'" |
    sqlite3 -batch -bail "$1" | busybox awk '{rows += $1} END {print rows + 0}'
}

source_ask() { ask "$1" "$2"; } # database, SQL

#!/bin/sh
# shellcheck shell=sh disable=SC2154,SC2034,SC3040 # busybox has pipefail; variables of backup.sh, which reads this file
#
# Folders and files, as a tar of each.
#
#   PATHS     the paths, one a line
#   EXCLUDE   patterns of what is left out, one a line: names, or paths below the folder where they have a /
#   CHECKS    a drill's commands, one a line, run by sh in the restored folder: each must succeed and print something
#
# A file of it is a path. The modes and times of what is in it are kept, links too, and owners where root restores.
source_check() {
  [ "$task" = backup ] || return 0
  printf '%s\n' "$PATHS" >"$WORK/paths"
  while read -r path; do
    [ -r "$path" ] || fail 1 "$path is not there, or cannot be read"
  done <"$WORK/paths"
}

source_files() { printf '%s\n' "$PATHS" | while read -r name; do printf '%s\n' "$(encoded "$name")"; done; }

source_restorable() { source_files; }

# A folder's names begin at itself, so that it can be restored elsewhere.
source_dump() { # file
  path=$(decoded "$1")
  [ -d "$path" ] || exec "$TOOLS/busybox" tar -c -C "${path%/*}/" "${path##*/}"
  cd "$path" || exit
  archived
}

# Prints a tar of the folder that this is, in parts as long as a command's arguments may be, each without the two blocks of
# 512 bytes that end a tar. Not every busybox's tar takes names from a file, or leaves some out.
archived() {
  # What a new file system begins with, and only root reads.
  set -- -path ./lost+found -prune
  IFS='
'
  for pattern in ${EXCLUDE-}; do
    case $pattern in
      */*) set -- "$@" -o -path "./${pattern#./}" -prune ;;
      *) set -- "$@" -o -name "$pattern" -prune ;;
    esac
  done
  unset IFS
  ( set -o pipefail
    # shellcheck disable=SC2016 # the inner shell's
    busybox find . "$@" -o -print0 |
      busybox xargs -0 "$TOOLS/busybox" sh -c 'set -o pipefail; "$0" tar --no-recursion -c "$@" | "$0" head -c -1024' "$TOOLS/busybox" ) &&
    busybox head -c 1024 /dev/zero
}

source_verify() { busybox tar -t >/dev/null; } # file; reads the dump

source_version() { busybox | busybox head -n 1; }

source_answers() { :; }

# ---- Restores

source_target() { # file
  if [ "$task" = drill ]; then printf '%s' "$WORK/drill-$1"; else decoded "$1"; fi
}

# Into a folder of the target's own first: what is there is replaced when the snapshot has been read to its end.
source_restore() { # snapshot, file, target: the folder, or the file
  folder=$3
  [ ! -f "$3" ] || folder=${3%/*}
  busybox mkdir -p "$folder" || fail 1 "$folder cannot be made"
  if [ -f "$3" ] || [ "$folder" = "$3" ] && [ "$(content "$3")" ]; then
    [ "${OVERWRITE-}" = yes ] || fail 4 "$3 is not empty; set OVERWRITE=yes to put the snapshot in its place, or TARGET to another path"
  fi
  staging=$folder/.outrigger-new
  { busybox rm -rf "$staging" && busybox mkdir "$staging"; } || fail 1 "$folder cannot be written to"
  ( set -o pipefail
    umask 000 # what is in there has modes of its own
    store_read "$1" "$2" | busybox tar -x -C "$staging" 2>"$WORK/errors" ) ||
    { busybox rm -rf "$staging"; fail 3 "$2 cannot be read to its end, and $3 is as it was: $(errors)$(store_error)"; }
  [ "$folder" != "$3" ] || content "$folder" -exec "$TOOLS/busybox" rm -rf '{}' +
  busybox find "$staging" -mindepth 1 -maxdepth 1 -exec "$TOOLS/busybox" mv -f '{}' "$folder/" ';' || fail 1 "$3 was restored in part, restore it again"
  busybox rmdir "$staging"
}

# Finds what is in a folder, but for what belongs to the file system or to a restore.
content() { # folder, what to do with it
  within=$1
  shift
  busybox find "$within" -mindepth 1 -maxdepth 1 ! -name lost+found ! -name .outrigger-new "$@"
}

# ---- A drill

source_rows() { busybox find "$1" -type f | busybox wc -l; } # folder

source_ask() ( cd "$1" && busybox sh -c "$2" ) # folder, command

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
      *) set -- "$@" -o -name "$pattern" ! -path . -prune ;;
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

# Into a folder beside what is there first: it is replaced when the snapshot has been read to its end. Whether that is of a folder
# or of a file is known by then: the target tells only where there is one.
source_restore() { # snapshot, file, target: the folder, or the file
  target=${3%"${3##*[!/]}"} # without a slash at its end
  [ "$task" != drill ] || busybox mkdir -p "$target" # in which its commands run
  case $target in
    */*) place=${target%/*} ;;
    *) place=. ;;
  esac
  [ ! -d "${target:-/}" ] || place=$target
  if [ -f "$target" ] || { [ "$place" = "$target" ] && [ "$(content "$target/")" ]; }; then
    [ "${OVERWRITE-}" = yes ] || fail 4 "$3 is not empty; set OVERWRITE=yes to put the snapshot in its place, or TARGET to another path"
  fi
  busybox mkdir -p "$place/" || fail 1 "$place cannot be made"
  staging=$place/.outrigger-new
  { busybox rm -rf "$staging" && busybox mkdir "$staging"; } || fail 1 "$place cannot be written to"
  ( set -o pipefail
    umask 000 # what is in there has modes of its own
    store_read "$1" "$2" | noted | busybox tar -x -C "$staging" 2>"$WORK/errors" ) ||
    { busybox rm -rf "$staging"; fail 3 "$2 cannot be read to its end, and $3 is as it was: $(errors)$(store_error)"; }
  if of_folder; then restore_folder; else restore_file; fi || fail 1 "$3 was restored in part, restore it again"
}

# Keeps of a tar how it begins: a folder's begins with the folder itself.
noted() {
  busybox dd of="$WORK/header" bs=512 count=1 iflag=fullblock 2>/dev/null
  busybox cat "$WORK/header" -
}

of_folder() { [ "$(busybox head -c 100 "$WORK/header" | busybox tr '\0' '\n' | busybox head -n 1)" = ./ ]; }

restore_folder() {
  if [ "$place" = "$target" ]; then
    content "$target/" -exec "$TOOLS/busybox" rm -rf '{}' +
    move_to "$target/" && busybox rmdir "$staging"
  elif [ -e "$target" ]; then
    refuse "$target is a file, and the snapshot is of a folder; set TARGET to a folder"
  else
    busybox mv "$staging" "$target"
  fi
}

restore_file() {
  [ "$place" != "$target" ] || [ -z "$(content "$target/")" ] ||
    refuse "$target is a folder, and the snapshot is of a file; remove it, or set TARGET to the path of a file"
  if [ "$place" = "$target" ]; then move_to "$target/"; else move_to "$target"; fi && busybox rmdir "$staging"
}

move_to() { busybox find "$staging" -mindepth 1 -maxdepth 1 -exec "$TOOLS/busybox" mv -f '{}' "$1" ';'; } # path

refuse() { # why
  busybox rm -rf "$staging"
  fail 4 "$1"
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

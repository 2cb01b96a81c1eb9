# shellcheck shell=sh disable=SC2154 # variables are those of supervise.sh
# Rotates files for apps that do not: a part of supervise.sh, which has looked at the files before.
#
#   ROTATE_FILES   globs of the files that are rotated, one a line; none of those that rotation makes
#   ROTATE_BYTES   how long a file may become
#   ROTATE_KEEP    how many copies are kept: FILE.1 is the newest
#
# A file is copied and then truncated, so that an app which keeps it open goes on; it has to append (O_APPEND).
# What it writes in the moment between the last look and the truncation, about a millisecond, is lost.
# No copy is removed before the agent has read it: while it cannot send, the files grow.

rotate_files() {
  for file in $(files_that_match "$ROTATE_FILES"); do
    [ -f "$file" ] || continue
    size=$(busybox stat -c %s "$file" 2>/dev/null) || continue
    [ "$size" -lt "$ROTATE_BYTES" ] || rotate_file
  done
}

rotate_file() {
  case $NEWLINE$behind$closed in
    *" $file.$ROTATE_KEEP$NEWLINE"*) not_rotated "$file.$ROTATE_KEEP is not yet read"; return ;;
  esac
  if ! [ -w "$file" ] || ! [ -w "${file%/*}" ]; then
    not_rotated "uid $(busybox id -u) may not change it; run the sidecar as the app's user (securityContext.runAsUser)"
    return
  fi
  if ! busybox cp "$file" "$file.new"; then
    busybox rm -f "$file.new"
    not_rotated 'it cannot be copied'
    return
  fi
  kept=$ROTATE_KEEP
  while [ "$kept" -gt 1 ]; do
    [ ! -e "$file.$((kept - 1))" ] || busybox mv "$file.$((kept - 1))" "$file.$kept"
    kept=$((kept - 1))
  done
  busybox mv "$file.new" "$file.1"
  # What was written meanwhile is appended until there is nothing.
  while copied=$(busybox stat -c %s "$file.1") && size=$(busybox stat -c %s "$file") && [ "$size" -gt "$copied" ]; do
    busybox tail -c "+$((copied + 1))" "$file" >>"$file.1"
  done
  if ! busybox truncate -c -s 0 "$file"; then
    busybox rm -f "$file.1"
    not_rotated 'it cannot be truncated'
    return
  fi
  warn_again "$file rotate"
  busybox sed -i "/^$(busybox stat -c %d:%i "$file") /d" "$REMEMBERED"
  say "rotated $file at $copied bytes"
}

not_rotated() { warn_once "$file rotate" "$file is not rotated: $1"; }

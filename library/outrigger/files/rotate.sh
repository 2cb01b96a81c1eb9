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
    size=$(busybox stat -c %s "$file" 2>/dev/null) || continue
    [ "$size" -lt "$ROTATE_BYTES" ] || rotate_file
  done
}

rotate_file() {
  case $NEWLINE$behind$closed in
    *" $file.$ROTATE_KEEP$NEWLINE"*) warn_once "$file rotate" "$file is not rotated: $file.$ROTATE_KEEP is not yet read"; return ;;
  esac
  warn_again "$file rotate"
  kept=$ROTATE_KEEP
  while [ "$kept" -gt 1 ]; do
    [ ! -e "$file.$((kept - 1))" ] || busybox mv "$file.$((kept - 1))" "$file.$kept"
    kept=$((kept - 1))
  done
  if ! busybox cp "$file" "$file.new" || ! busybox mv "$file.new" "$file.1"; then
    warn_once "$file rotate" "$file is not rotated: it cannot be copied"
    return
  fi
  # What was written meanwhile is appended until there is nothing.
  while copied=$(busybox stat -c %s "$file.1") && size=$(busybox stat -c %s "$file") && [ "$size" -gt "$copied" ]; do
    busybox tail -c "+$((copied + 1))" "$file" >>"$file.1"
  done
  : >"$file"
  busybox sed -i "/^$(busybox stat -c %d:%i "$file") /d" "$REMEMBERED"
  say "rotated $file at $copied bytes"
}

#!/bin/sh
# shellcheck shell=sh disable=SC2154,SC2034,SC3040 # busybox has pipefail; variables of backup.sh
#
# The store of a backup is plain files in whatever rclone reaches: one object a dump, named by its time.
#
#   REMOTE   the folder, as rclone names it, and what its service needs as rclone or the service names it
#   KEEP     as backup-keep.awk takes it
#
# A dump is uploaded under a staging name, read back and checked in full, and only then gets its name; its
# manifest, with its size and checksum, is written last. Without one there is no snapshot: what is cut off
# has none.
ERRORS=$WORK/rclone-errors
FOLDER=$REMOTE/$BACKUP
# A stream goes in 10,000 parts at most: of this size 156 GiB.
export RCLONE_S3_CHUNK_SIZE="${RCLONE_S3_CHUNK_SIZE:-16Mi}" RCLONE_S3_UPLOAD_CONCURRENCY="${RCLONE_S3_UPLOAD_CONCURRENCY:-2}"
export RCLONE_CONFIG=/notfound RCLONE_CACHE_DIR="$WORK/cache" TMPDIR="$WORK"

called() { "$STORE_TOOLS/rclone" --retries 1 --low-level-retries 3 --contimeout 15s --s3-no-check-bucket "$@"; }

rclone() { called "$@" 2>"$ERRORS"; }

# Removes what came of an upload that failed, and keeps the reason.
forget() { called deletefile "$1" 2>/dev/null; } # object

# Prints why rclone failed, or the dump, which comes first. Who reads a file that was changed fails before its checksum
# is known.
store_error() {
  reason=
  if [ "$task" != backup ] && [ "${snapshot-}" ]; then
    store_read "$snapshot" "$file" >/dev/null
  fi
  [ ! -s "$WORK/dump-errors" ] || reason=$(gist <"$WORK/dump-errors")
  [ "$reason" ] || reason=$(busybox sed 's/^[0-9/]* [0-9:]* //; s/^[A-Z]* *: //; s/.*, api error //; s/.*, request send failed, //' "$ERRORS" 2>/dev/null | busybox grep -v '^Attempt' | busybox tail -n 1)
  printf '%s' "${reason:-rclone said nothing}"
}

# Copies standard input to output, and leaves its "CHECKSUM BYTES" in a file.
measured() { # file
  busybox rm -f "$1" "$1.sum" "$1.count"
  busybox mkfifo "$1.sum" "$1.count"
  busybox sha256sum <"$1.sum" >"$1.checksum" &
  summing=$!
  busybox wc -c <"$1.count" >"$1.bytes" &
  counting=$!
  busybox tee "$1.sum" "$1.count"
  teed=$?
  wait "$summing" "$counting"
  printf '%s %d\n' "$(busybox cut -d ' ' -f 1 "$1.checksum")" "$(busybox cat "$1.bytes")" >"$1"
  busybox rm -f "$1.sum" "$1.count"
  return "$teed"
}

store_save() { # file
  object=$1/$(TZ=UTC busybox date +%Y%m%dT%H%M%SZ)-$(busybox hostname | busybox sed 's/.*-//')
  staging=$FOLDER/.staging/$object
  : >"$WORK/dump-errors"
  (
    set -o pipefail
    "$TOOLS/busybox" sh "$SELF" dump "$1" 2>"$WORK/dump-errors" | measured "$WORK/uploaded" | rclone rcat "$staging"
  ) || { failed=1; [ -s "$WORK/dump-errors" ] || failed=3; forget "$staging"; return "$failed"; }
  : >"$WORK/dump-errors"
  (
    set -o pipefail
    rclone cat "$staging" | measured "$WORK/read-back" | source_verify "$1" 2>"$WORK/dump-errors"
  ) || { forget "$staging"; return 3; }
  busybox cmp -s "$WORK/uploaded" "$WORK/read-back" || {
    echo 'what was read back is not what was uploaded' >"$WORK/dump-errors"
    forget "$staging"
    return 3
  }
  read -r sum size <"$WORK/uploaded"
  rclone moveto "$staging" "$FOLDER/$object" || return 3
  printf '{"file":"%s","bytes":%s,"sha256":"%s","source":"%s","version":"%s"}\n' "$1" "$size" "$sum" "$SOURCE" "$(json_text "$(source_version)")" |
    rclone rcat "$FOLDER/$object.manifest.json" || return 3
  snapshots="${snapshots:+$snapshots,}\"${object##*/}\""
  bytes=$((bytes + size)) added=$((added + size))
}

# Prints "SECONDS SNAPSHOT FILE" of each snapshot of this backup, the oldest first.
store_list() {
  rclone lsf --recursive --files-only "$FOLDER" >"$WORK/objects" || {
    busybox grep -q 'directory not found' "$ERRORS" || fail 3 "the snapshots cannot be listed: $(store_error)"
  }
  TZ=UTC busybox awk '!/^\.staging\// && sub(/\.manifest\.json$/, "") {
    file = $0; sub(/\/[^\/]*$/, "", file); name = substr($0, length(file) + 2)
    time = substr(name, 1, 4) " " substr(name, 5, 2) " " substr(name, 7, 2) " " substr(name, 10, 2) " " substr(name, 12, 2) " " substr(name, 14, 2)
    print mktime(time), name, file }' "$WORK/objects" | busybox sort -n
}

# A manifest's checksum is compared when all has been read: the reader has to wait for it.
store_read() { # snapshot, file
  rclone cat "$FOLDER/$2/$1.manifest.json" >"$WORK/manifest" || return 1
  rclone cat "$FOLDER/$2/$1" | measured "$WORK/read" || return 1
  [ "$(busybox cut -d ' ' -f 1 "$WORK/read")" = "$(json_field sha256 <"$WORK/manifest")" ] || {
    echo "ERROR : the checksum of $2/$1 is not that of its manifest" >"$ERRORS"
    return 1
  }
}

# Removes what need not be kept, of each file by itself: the manifest first, so that what is left of a removal that
# was cut off is no snapshot.
store_keep() {
  [ "${KEEP-}" ] || return 0
  store_list >"$WORK/kept"
  busybox cut -d ' ' -f 3- "$WORK/kept" | busybox sort -u >"$WORK/files"
  while read -r file; do
    of_file "$file" <"$WORK/kept" |
      TZ=UTC busybox awk -v keep="$KEEP" -f "$SCRIPTS/backup-keep.awk" >"$WORK/forgotten"
    while read -r snapshot; do
      { rclone deletefile "$FOLDER/$file/$snapshot.manifest.json" && rclone deletefile "$FOLDER/$file/$snapshot"; } ||
        say "the snapshot $snapshot of $file was not removed, and will be after the next backup: $(store_error)"
    done <"$WORK/forgotten"
  done <"$WORK/files"
  # What a run or a removal that was cut off has left, a day ago or earlier: by now it is nobody's.
  TZ=UTC busybox awk -v limit="$(TZ=UTC busybox date -d "@$(($(now) - 86400))" +%Y%m%dT%H%M%SZ)" '{ listed[$0] } END { for (object in listed) {
    name = object; sub(/.*\//, "", name)
    if (name ~ /^[0-9]+T[0-9]+Z-/ && name < limit && object !~ /\.manifest\.json$/ && !((object ".manifest.json") in listed)) print object } }' "$WORK/objects" |
    while read -r object; do forget "$FOLDER/$object"; done
}

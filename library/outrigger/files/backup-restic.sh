#!/bin/sh
# shellcheck shell=sh disable=SC2154,SC2034 # variables of backup.sh, which reads this file
#
# The store of a backup is a restic repository: encrypted, compressed, deduplicated.
#
#   RESTIC_REPOSITORY, RESTIC_PASSWORD, and what the repository's service needs, as restic names them
#   RESTIC_OPTIONS   further options of restic's, one a line
#
# A snapshot is one file of the source, found by its host, which is the backup's name, and its whole path:
# so app is not taken for app_prod.
ERRORS=$WORK/restic-errors
export RESTIC_CACHE_DIR="$WORK/cache" TMPDIR="$WORK"

# What no waiting mends. restic tries these again for a quarter of an hour; and six times are enough for what else
# keeps it from opening the repository.
HOPELESS='bucket does not exist|NoSuchBucket|ContainerNotFound|Access Denied|AccessDenied|Forbidden|InvalidAccessKeyId|Access Key Id you provided|No user exists|signature we calculated|SignatureDoesNotMatch|RequestTimeTooSkewed|request time and the|InvalidBucketName|no such host'

hopeless() {
  busybox grep -Eq "$HOPELESS" "$ERRORS" || [ "$(busybox grep -c '^Stat(<config/>) returned error, retrying' "$ERRORS")" -ge 6 ]
}

# Runs restic. Who has the repository to himself is waited for, and who was killed has left his lock: it is nobody's
# where it was not renewed for half an hour. That its process is not seen says nothing, as a pod's containers share a name.
restic() {
  attempt "$@"
  result=$?
  [ "$result" = 11 ] || return "$result"
  ! busybox grep -Eq 'lock was created at .*\(([0-9]+h|[3-5][0-9]m).* ago\)' "$ERRORS" || attempt unlock >/dev/null
  attempt --retry-lock 5m "$@"
}

# Runs restic once, and ends it where its errors are hopeless. They are kept for store_error.
attempt() (
  export TZ=UTC
  IFS='
'
  : >"$ERRORS"
  # shellcheck disable=SC2086 # one option a line
  "$STORE_TOOLS/restic" ${RESTIC_OPTIONS-} "$@" 2>"$ERRORS" &
  running=$!
  (
    until hopeless; do busybox usleep 300000; done
    kill -TERM "$running"
  ) >/dev/null 2>&1 3>&- 9>&- &
  watching=$!
  wait "$running"
  ended=$?
  kill "$watching" 2>/dev/null
  exit "$ended"
)

# Prints why restic failed: what the dump wrote to its errors comes before what restic made of it.
store_error() {
  reason=$(busybox grep -E "$HOPELESS|retrying after" "$ERRORS" | busybox tail -n 1 | busybox sed 's/.*retrying after [^:]*: //')
  [ "$reason" ] || reason=$(busybox sed -n 's/^subprocess [^:]*: //p' "$ERRORS" | busybox tail -n 3 | busybox tr '\n' ' ')
  [ "$reason" ] || reason=$(json_field message <"$ERRORS" | busybox tail -n 1)
  [ "$reason" ] || reason=$(busybox grep -v '^$' "$ERRORS" | busybox tail -n 2 | busybox tr '\n' ' ')
  printf '%s' "${reason:-restic said nothing}"
}

# Says what is wrong where the repository cannot be opened; makes it on first use, but not the bucket that it lies in.
# Each call of restic derives the repository's key anew, which takes a second: so it is not asked before, but when
# something has failed.
store_diagnose() { # restic's exit code; returns 0 where it is worth another try
  ! hopeless || fail 3 "the repository cannot be reached: $(store_error)"
  case $1 in
    10) ;;
    12) fail 3 'the password of store.restic.secret is not that of the repository' ;;
    *) return 1 ;;
  esac
  [ "$task" = backup ] || fail 3 "there is no repository at store.restic.repository: $(store_error)"
  # Where another pod makes it at the same time, one of them finds it made.
  restic init >/dev/null || restic cat config >/dev/null || fail 3 "the repository cannot be made: $(store_error)"
  say 'a repository was made, on first use'
}

store_save() { # file
  save "$1" || { store_diagnose "$code" && save "$1"; } || case $code in 1 | 3 | 130) return 1 ;; *) return 3 ;; esac
  snapshots="${snapshots:+$snapshots,}\"$(json_field snapshot_id <"$WORK/saved" | busybox cut -c 1-8)\""
  bytes=$((bytes + $(json_field total_bytes_processed <"$WORK/saved")))
  added=$((added + $(json_field data_added_packed <"$WORK/saved")))
}

save() { # file; sets code
  restic backup --json --quiet --host "$BACKUP" --tag outrigger --stdin-filename "/$1" --stdin-from-command -- \
    "$TOOLS/busybox" sh "$SELF" dump "$1" >"$WORK/saved"
  code=$?
  return "$code"
}

# Prints "SECONDS SNAPSHOT FILE" of each snapshot of this backup, the oldest first.
store_list() {
  restic snapshots --json --host "$BACKUP" --tag outrigger >"$WORK/snapshots" || {
    code=$?
    # Nothing is there before the first backup.
    [ "$task" = backup ] && [ "$code" = 10 ] && return
    store_diagnose "$code"
    fail 3 "the snapshots cannot be listed: $(store_error)"
  }
  busybox sed 's/},{"time":/}\n{"time":/g' "$WORK/snapshots" | TZ=UTC busybox awk '
    match($0, /"time":"[^"]*"/) { time = substr($0, RSTART + 8, 19); gsub(/[-T:]/, " ", time)
      match($0, /"paths":\["[^"]*"/); file = substr($0, RSTART + 11, RLENGTH - 12)
      match($0, /"short_id":"[^"]*"/); print mktime(time), substr($0, RSTART + 12, RLENGTH - 13), file }' | busybox sort -n
}

store_read() { # snapshot, file
  restic dump "$1" "/$2"
}

# Removes what need not be kept, of each file by itself. What fails here does not make the backup fail.
store_keep() {
  [ "${KEEP-}" ] || return 0
  # shellcheck disable=SC2086 # options
  restic forget --quiet --prune --retry-lock 15s --host "$BACKUP" --tag outrigger --group-by host,paths $KEEP >/dev/null ||
    say "what need not be kept was not removed, and will be after the next backup: $(store_error)"
}

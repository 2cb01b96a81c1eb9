#!/bin/sh
# shellcheck shell=sh disable=SC2154,SC2034,SC2030,SC2031,SC3040 # variables of backup.sh, which reads this file; some are changed for a call alone; busybox has pipefail
#
# The store of a backup is a restic repository: encrypted, compressed, deduplicated.
#
#   RESTIC_REPOSITORY, RESTIC_PASSWORD, and what the repository's service needs, as restic names them
#   RESTIC_OPTIONS   further options of restic's, one a line
#   TAGS             further tags of the snapshots, separated by commas
#   INIT, MAKER      who makes it where there is none: see backup-repository.sh
#   OWN_HOST         yes: no other pod has this one's host name
#   PATIENCE         for how many seconds the store may give no answer before restic, which tries again, is ended
#
# A snapshot is one file of the source, found by its host, which is the backup's name, and its whole path:
# so app is not taken for app_prod.
#
# Where a command verifies what is stored (VERIFY_COMMAND), a snapshot has another host until that has succeeded: so it is
# neither restored nor counted by KEEP.
ERRORS=$WORK/restic-errors
export RESTIC_CACHE_DIR="$WORK/cache" TMPDIR="$WORK"
STORED_AS=$BACKUP${VERIFY_COMMAND:+/unverified}

# Without the white space around it, as restic itself reads a file: a Secret often ends with a newline.
trimmed() { # text
  text=${1#"${1%%[![:space:]]*}"}
  printf '%s' "${text%"${text##*[![:space:]]}"}"
}
RESTIC_PASSWORD=$(trimmed "${RESTIC_PASSWORD-}") RESTIC_REPOSITORY=$(trimmed "${RESTIC_REPOSITORY-}")
export RESTIC_PASSWORD RESTIC_REPOSITORY

# What no waiting mends. restic tries these again for a quarter of an hour; and six times are enough for what else
# keeps it from opening the repository.
HOPELESS='[Nn]o space left|quota exceeded|InsufficientStorage|QuotaExceeded|minimum free drive threshold|bucket does not exist|NoSuchBucket|ContainerNotFound|Access Denied|AccessDenied|Forbidden|InvalidAccessKeyId|Access Key Id you provided|No user exists|signature we calculated|SignatureDoesNotMatch|RequestTimeTooSkewed|request time and the|InvalidBucketName|no such host'

hopeless() {
  busybox grep -Eq "$HOPELESS" "$ERRORS" || [ "$(busybox grep -c '^Stat(<config/>) returned error, retrying' "$ERRORS")" -ge 6 ]
}

# Tells whether restic has tried in vain for long enough: what succeeds again is said too.
unanswered() {
  case $(busybox tail -n 1 "$ERRORS") in
    *'retrying after'*) vain=${vain:-$(now)} && [ $(($(now) - vain)) -ge "${PATIENCE:-900}" ] ;;
    *) vain= && return 1 ;;
  esac
}

# Tells whether it was the dump that failed, and not the store: then restic kills the dump.
dump_failed() {
  busybox grep -q 'command failed' "$ERRORS" && [ ! -e "$ERRORS.ended" ] && ! busybox grep -q '^[A-Z][a-z]*(<.*) failed: ' "$ERRORS"
}

# Runs restic. Who has the repository to himself, as a prune has, is waited for: an hour at most, and minutes to remove what
# need not be kept. Who was killed has left his lock.
restic() {
  attempt "$@"
  result=$? turns=120
  [ "$1" != forget ] || turns=10
  while { [ "$result" = 11 ] || crowded; } && [ "$turns" -gt 0 ]; do
    turns=$((turns - 1))
    if [ "$result" != 11 ]; then
      busybox usleep 500000
      attempt "$@"
    else
      ! left_behind || attempt unlock >/dev/null
      attempt --retry-lock=30s "$@"
    fi
    result=$?
  done
  return "$result"
}

# Tells whether restic gave up as each time that it read the others' locks one of them was gone, as among many runs at once.
crowded() { busybox grep -Eq 'unable to create lock in backend: .*(does not exist|no such file|not found)' "$ERRORS"; }

# Tells whether the lock is nobody's, and may be removed: it was not renewed for half an hour, or it is of this host, which
# nobody else has and of which one run at a time is sure to live.
left_behind() {
  [ "${OWN_HOST-}${locker:+, locked}" != 'yes, locked' ] || ! busybox grep -Fq " on $(busybox hostname) by " "$ERRORS" || return 0
  busybox grep -Eq 'lock was created at .*\(([0-9]+h|[3-5][0-9]m)[0-9].* ago\)' "$ERRORS" && ! namesake_lives
}

# Tells whether somebody of this host's name has a lock that he renews: another container of the pod, or a pod of another
# namespace. restic, which does not see his process, would take it for dead and remove his lock with the others.
namesake_lives() {
  attempt list locks --no-lock >"$WORK/locks" || return 0
  while read -r lock; do attempt cat lock "$lock" --no-lock; done <"$WORK/locks" | busybox tr -d ' \n' | busybox sed 's/}{/}\n{/g' |
    busybox grep -F "\"hostname\":\"$(busybox hostname)\"" | json_field time |
    busybox awk -v limit="$(TZ=UTC busybox date -d "@$(($(now) - 1800))" +%Y-%m-%dT%H:%M:%S)" '!/Z$/ || substr($0, 1, 19) > limit { lives = 1 } END { exit !lives }'
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
  busybox rm -f "$ERRORS.ended"
  (
    until hopeless || unanswered; do busybox usleep 300000; done
    : >"$ERRORS.ended"
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
  reason=
  ! dump_failed || reason=$(gist <"$WORK/dump-errors")
  [ "$reason" ] || reason=$(busybox grep -E "$HOPELESS|retrying after" "$ERRORS" | busybox grep -v '^Remove(<lock' | busybox tail -n 1 | busybox sed 's/.*retrying after [^:]*: //; s/^{.*"message":"\(.*\)"}$/\1/')
  [ "$reason" ] || reason=$(busybox grep -o 'repository is already locked[^(]*' "$ERRORS" | busybox tail -n 1)
  [ "$reason" ] || reason=$(json_field message <"$ERRORS" | busybox tail -n 1)
  [ "$reason" ] || reason=$(busybox grep -v '^$' "$ERRORS" | busybox tail -n 2 | busybox tr '\n' ' ')
  printf '%s' "${reason:-restic said nothing}"
}

# Says what is wrong where the repository cannot be opened; makes it on first use, but not the bucket that it lies in.
# Each call of restic derives the repository's key anew, which takes a second: so it is not asked before, but when
# something has failed.
store_diagnose() { # restic's exit code; returns 0 where it is worth another try
  ! hopeless || fail 3 "the repository cannot be used: $(store_error)"
  # shellcheck disable=SC1091
  . "$SCRIPTS/backup-repository.sh"
  case $1 in
    10) [ "$task" = backup ] || fail 3 "there is no repository at store.restic.repository: $(store_error)"
        make_repository ;;
    # It has no key either between the two steps in which it is made.
    12) find_kind
        { [ "$kind" != none ] && settle && restic cat config >/dev/null; } ||
          fail 3 'the password of store.restic.secret is not that of the repository' ;;
    *) return 1 ;;
  esac
}

store_save() { # file
  save "$1" || { store_diagnose "$code" && save "$1"; } || { { [ "$code" = 3 ] || dump_failed; } && return 1; return 3; }
  [ -z "${first_run-}" ] || sole_key
  snapshot=$(saved_snapshot)
  [ -z "${VERIFY_COMMAND-}" ] || verify "$1"
  snapshots="${snapshots:+$snapshots,}\"$(printf '%.8s' "$snapshot")\""
  bytes=$((bytes + $(json_field total_bytes_processed <"$WORK/saved")))
  added=$((added + $(json_field data_added_packed <"$WORK/saved")))
}

# Saves a dump. What the dump says goes into a file: restic, which would pass it on, may miss it where the dump ends with it.
save() { # file; sets code
  # shellcheck disable=SC2016 # for the inner shell
  restic backup --json --quiet --host "$STORED_AS" --tag "outrigger${TAGS:+,$TAGS}" --stdin-filename "/$1" --stdin-from-command -- \
    "$TOOLS/busybox" sh -c 'exec "$0" sh "$1" dump "$2" 2>"$3"' "$TOOLS/busybox" "$SELF" "$1" "$WORK/dump-errors" >"$WORK/saved"
  code=$?
  # restic keeps a snapshot without the file, where it could not read it.
  [ "$code" != 3 ] || discard "$(saved_snapshot)"
  return "$code"
}

saved_snapshot() { json_field snapshot_id <"$WORK/saved"; }

# Removes what a run has stored that failed, and keeps the errors. restic takes no name at all for the only snapshot that there is.
discard() ( # snapshot
  ERRORS=$WORK/discard-errors
  [ -z "$1" ] || restic forget --quiet "$1" >/dev/null || say "the snapshot $1 of a failed run was not removed; remove it by restic forget $1: $(store_error)"
)

# Lets the source verify a snapshot as it is stored, which then becomes the backup's.
verify() { # file
  ( set -o pipefail
    store_read "$snapshot" "$1" | source_verify "$1" 2>"$WORK/dump-errors" ) || {
    reason=$(gist <"$WORK/dump-errors")$(busybox tail -n 1 "$ERRORS")
    discard "$snapshot"
    fail 1 "$1 was not backed up: what was stored does not pass verify${reason:+: $reason}"
  }
  restic rewrite --new-host "$BACKUP" "$snapshot" >"$WORK/rewritten" || fail 3 "$1 was stored and verified, and cannot be named: $(store_error)"
  # What a run that was killed has left, too, when it is certain to be nobody's.
  others=$(BACKUP=$STORED_AS && store_list | busybox awk -v limit="$(($(now) - 86400))" -v own="$snapshot" '$1 < limit || index(own, $2) == 1 { print $2 }')
  # shellcheck disable=SC2086 # snapshots
  restic forget --quiet $others >/dev/null || say "what was verified is stored twice until the next backup removes it: $(store_error)"
  snapshot=$(busybox sed -n 's/^saved new snapshot //p' "$WORK/rewritten")
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
  prune=--prune
  [ "${PRUNE_APART-}" != yes ] || prune=
  # shellcheck disable=SC2086 # options
  restic forget --quiet $prune --host "$BACKUP" --tag outrigger --group-by host,paths $KEEP >/dev/null ||
    say "what need not be kept was not removed, and will be after the next backup: $(store_error)"
}

# Removes what no snapshot needs.
store_prune() {
  restic prune --quiet >/dev/null && return
  store_diagnose $?
  fail 3 "the repository was not pruned: $(store_error)"
}

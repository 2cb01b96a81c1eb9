#!/bin/sh
# shellcheck shell=sh disable=SC2317,SC1090,SC3040 # what a trap calls is reached; sources and stores are read by name; busybox has pipefail
#
# Backs up one source into one store, and restores it. It runs in the image of the database, whose own
# tools do the dump, on a static busybox.
#
#   backup.sh run            backs up once, now
#   backup.sh clock          backs up on SCHEDULE, for as long as the pod lives
#   backup.sh cancel         ends a backup that runs, and begins none: a preStop
#   backup.sh restore        restores SNAPSHOT, or the newest one not later than TIME, into TARGET
#   backup.sh drill          restores the newest one of each file into the server of a drill, and asks the first CHECKS
#   backup.sh prune          removes from the store what no snapshot needs; asks no source
#   backup.sh dump FILE      what the store runs: the dump of one file to standard output
#
#   BACKUP         the backup's name in the store, CLUSTER/NAMESPACE/NAME: nobody else's snapshots are looked at or removed
#   SOURCE, STORE  which backup-SOURCE.sh and backup-STORE.sh it is
#   SCHEDULE       a cron expression, in the zone ZONE
#   REPLICA        the only replica of a StatefulSet that backs up
#   KEEP           what is kept after a backup that succeeded, as options of the store's
#   PRUNE_APART    yes: the store is pruned by runs of their own, and not after a backup
#   BEFORE, AFTER  commands around it, run by sh
#   ON_SUCCESS, ON_FAILURE, PUSHGATEWAY, TEXTFILE   where the outcome is told
#
# A run ends with one line of JSON. Exit codes: 0 done, or another run does it; 1 the source failed; 2
# the configuration; 3 the store; 4 refused, nothing was changed; 143 cancelled.
#
# backup-SOURCE.sh defines, beside what it needs itself (their errors go to standard error or to fail):
#   source_check          fails where the source cannot be backed up, or restored: tools that are older than the server
#   source_files          prints the names of its files, one a line, each encoded
#   source_restorable     prints the files that a drill restores, of those on standard input; the first is restored where
#                         none is named
#   source_dump FILE      prints a file; its exit code counts
#   source_begins FILE    optional: reads the first 512 bytes of a dump, and fails where none begins so
#   source_verify FILE    reads what was stored, and fails where it is not whole
#   source_version        prints what made the file
#   source_target FILE    prints where a file is restored to where nobody says
#   source_restore SNAPSHOT FILE TARGET   restores by store_read, and refuses a target that is not empty without OVERWRITE
#   source_answers        succeeds when the server of a drill does
#   source_rows TARGET    prints how much was restored
#   source_ask TARGET QUESTION            answers a drill's question
#   source_session, source_lock           optional: a session that holds a lock, and what takes the lock in it
# and backup-STORE.sh:
#   store_save FILE       stores a source's file; sets snapshots, bytes and added
#   store_list            prints "SECONDS SNAPSHOT FILE", the oldest first
#   store_read SNAPSHOT FILE              prints a file
#   store_keep            removes what KEEP does not keep
#   store_prune           removes what no snapshot needs
#   store_error           prints why the last of them failed
set -uf
export LC_ALL=C
umask 077

TOOLS=${TOOLS:-/outrigger-tools}
STORE_TOOLS=${STORE_TOOLS:-/outrigger-backup}
SCRIPTS=${SCRIPTS:-/outrigger}
WORK=${WORK:-/run/outrigger}
MESSAGE_FILE=${MESSAGE_FILE:-/dev/termination-log}
SELF=$SCRIPTS/backup.sh
CANCELLED=$WORK/cancelled RUNNING=$WORK/running OUTCOME=$WORK/outcome
# What the image lacks of the tools that a line for sh says, busybox has.
PATH=$PATH:$TOOLS
export TOOLS STORE_TOOLS SCRIPTS WORK PATH
# The database's image may know no authorities.
[ ! -e "$STORE_TOOLS/ca-certificates.crt" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$STORE_TOOLS/ca-certificates.crt}"

exec 9>&1 # the line of JSON goes there, also from where the output is taken for something else

busybox() { "$TOOLS/busybox" "$@"; }
say() { printf 'outrigger: %s\n' "$*" >&2; }
now() { busybox date +%s; }
uptime() { busybox cut -d ' ' -f 1 /proc/uptime; }
utc() { TZ=UTC busybox date -d "@$1" +%Y-%m-%dT%H:%M:%SZ; } # seconds

# Ends the run. The message is the container's too, for `kubectl describe pod`.
fail() { # exit code, message
  [ -z "${after_is_due-}" ] || busybox sh -c "$after_is_due" 3>&- 9>&- || say "the command AFTER failed with exit code $?"
  say "$2"
  { printf '%s\n' "$2" >"$MESSAGE_FILE"; } 2>/dev/null
  [ ! -e "$OUTCOME.begun" ] || report failure "$2"
  exit "$1"
}

# Prints the path of the first of some programs that the image has.
program() { # names
  for name in "$@"; do command -v "$name" && return; done
  fail 2 "the image has none of: $*; set image to the server's"
}

json_text() { printf '%s' "$1" | busybox tr '\n\t' '  ' | busybox sed 's/[\\"]/\\&/g; s/[[:cntrl:]]//g'; }

# A file's name is that of what is in it, with all but letters, digits, _, - and . as %XX.
encoded() { # text
  printf '%s' "$1" | busybox od -An -v -tu1 | busybox awk '{ for (i = 1; i <= NF; i++) {
    c = sprintf("%c", $i + 0); printf "%s", $i < 128 && c ~ /[A-Za-z0-9_.-]/ ? c : sprintf("%%%02X", $i) } }'
}

decoded() { printf '%b' "$(printf '%s' "$1" | busybox sed 's/%\(..\)/\\x\1/g')"; }

json_field() { # name; prints the values of a field of the JSON on standard input, one a line
  busybox grep -o "\"$1\":\(\"[^\"]*\"\|[^,}]*\)" | busybox sed 's/^"[^"]*"://; s/^"//; s/"$//'
}

# Prints the outcome of a run as one line of JSON, and tells it to whom it concerns.
report() { # success, failure or skipped; message
  busybox rm -f "$OUTCOME.begun"
  ended=$(now)
  seconds=$(busybox awk -v from="$began" -v to="$(uptime)" 'BEGIN {printf "%.2f", to - from}')
  line=$(printf '{"time":"%s","backup":"%s","task":"%s","result":"%s","message":"%s","snapshots":[%s],"bytes":%s,"bytesAdded":%s,"seconds":%s}' \
    "$(utc "$ended")" "$BACKUP" "$task" "$1" "$(json_text "$2")" "${snapshots-}" "${bytes:-0}" "${added:-0}" "$seconds")
  printf '%s\n' "$line" >&9
  case $1 in
    success) tell "${ON_SUCCESS-}" "$line" ;;
    failure) tell "${ON_FAILURE-}" "$line" ;;
  esac
  [ "$1" = skipped ] || metrics "$1"
}

# Prints an option for wget: busybox asks a proxy of the environment for localhost too, and knows no no_proxy.
direct() { # URL
  case $1 in *://127.* | *://localhost | *://localhost[:/]* | *://'[::1]'*) echo -Yoff ;; esac
}

tell() { # URL, text
  [ "$1" ] || return 0
  # shellcheck disable=SC2046 # an option or none
  busybox wget $(direct "$1") -q -T 10 -O /dev/null --header 'Content-Type: application/json' --post-data "$2" "$1" ||
    say "$1 could not be told of the outcome"
}

metrics() { # result
  [ "${PUSHGATEWAY-}${TEXTFILE-}" ] || return 0
  good=0
  [ "$1" != success ] || good=1
  text=$(metric last_run_success "$good" && metric last_run_seconds "$seconds" && metric last_run_bytes "${bytes:-0}")
  [ "$good" = 0 ] || text="$text
$(metric last_success_timestamp_seconds "$ended")"
  if [ "${PUSHGATEWAY-}" ]; then
    # A POST replaces the metrics of these names only: the last success outlives a failure. A / would end a label in a URL.
    # shellcheck disable=SC2046 # an option or none
    busybox wget $(direct "$PUSHGATEWAY") -q -T 10 -O /dev/null --post-data "$text
" "$PUSHGATEWAY/metrics/job/outrigger/backup@base64/$(printf '%s' "$BACKUP" | busybox base64 -w 0 | busybox tr '+/' '-_')" || say "the Pushgateway $PUSHGATEWAY could not be told of the outcome"
  fi
  [ -z "${TEXTFILE-}" ] || { textfile "$text" && busybox chmod 0644 "$TEXTFILE.new" && busybox mv "$TEXTFILE.new" "$TEXTFILE"; } ||
    say "the metrics could not be written to $TEXTFILE"
}

# A Pushgateway adds the label from the URL, and a textfile has it from here.
metric() { printf 'outrigger_%s_%s{backup="%s"} %s\n' "$task" "$1" "$BACKUP" "$2"; } # name, value

# Writes the file anew, with what it has of other names: as in a Pushgateway, the last success outlives a failure.
textfile() { # text
  : >>"$TEXTFILE" &&
    printf '%s\n' "$1" | busybox awk '{ name = $1; sub(/[{].*/, "", name) }
      NR == FNR { given[name]; print; next }
      !(name in given)' - "$TEXTFILE" >"$TEXTFILE.new"
}

begin() { # task
  task=$1 began=$(uptime) snapshots='' bytes=0 added=0
  : >"$OUTCOME.begun"
  case ${PGPASSWORD-}${MYSQL_PWD-}${REDISCLI_AUTH-} in
    *"
") fail 2 "the Secret's password ends with a newline, which no server takes for the password: make it anew without" ;;
  esac
  # shellcheck disable=SC1091
  { [ "$1" = prune ] || . "$SCRIPTS/backup-$SOURCE.sh"; } && . "$SCRIPTS/backup-$STORE.sh"
}

# ---- A backup

# Backs up every file of the source. A run that is due is left to a replica that has already made it.
back_up() { # when it was due, or nothing
  begin backup
  source_check
  lock || { report skipped 'another run of this backup is under way'; exit 0; }
  files=$(source_files) || exit
  if [ "$1" ]; then
    if [ "$(newest)" -ge "$1" ]; then
      report skipped "another replica has made the backup of $(utc "$1")"
      exit 0
    fi
  fi
  hook BEFORE "${BEFORE-}"
  after_is_due=${AFTER-}
  IFS='
'
  for file in $files; do
    unset IFS
    store_save "$file" || fail "$?" "$file was not backed up: $(store_error)"
  done
  unset IFS after_is_due
  hook AFTER "${AFTER-}"
  store_keep
  unlock
  report success "backed up $(printf '%s' "$files" | busybox tr '\n' ' ')"
}

# Prints the dump of a file, for the store. What is empty, or begins as no dump does, fails before the store has it for one:
# a command's exit code may be that of the last of a pipe.
dump() ( # file
  set -o pipefail
  source_dump "$1" | begun_as_dump "$1"
)

begun_as_dump() { # file
  busybox dd of="$WORK/beginning" bs=512 count=1 iflag=fullblock 2>/dev/null
  [ -s "$WORK/beginning" ] || { echo 'the dump is empty' >&2; return 1; }
  ! command -v source_begins >/dev/null || source_begins "$1" <"$WORK/beginning" || return
  busybox cat "$WORK/beginning" -
}

# Prints "SECONDS SNAPSHOT" of those in a store's list, on standard input, that are of a file.
of_file() { # file
  busybox awk -v file="$1" '{name = $0; sub(/^[^ ]* [^ ]* /, "", name)} name == file {print $1, $2}'
}

# Prints when the newest snapshot was made, in seconds, or 0.
newest() { store_list | busybox awk 'END {print $1 + 0}'; }

hook() { # its name, its command
  [ "$2" ] || return 0
  busybox sh -c "$2" 3>&- 9>&- || fail 1 "the command $1 failed with exit code $?"
}

# Runs a task as a process group of its own, so that a signal reaches all of it, and returns its exit code.
supervised() { # arguments of this script
  "$TOOLS/busybox" setsid "$TOOLS/busybox" sh "$SELF" "$@" &
  child=$!
  printf '%s\n' "$child" >"$RUNNING"
  [ ! -e "$CANCELLED" ] || cancel # which found nothing that ran yet
  wait "$child"
  code=$?
  # A signal ends a wait. Else the child has ended, and its number may be another process's.
  while [ "$code" -gt 128 ] && busybox kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
  busybox rm -f "$RUNNING"
  [ ! -e "$CANCELLED" ] || { code=143 && say 'the pod ends: what ran was cancelled'; }
  return "$code"
}

# Ends what runs, and waits for its end.
cancel() {
  : >"$CANCELLED"
  read -r group 2>/dev/null <"$RUNNING" || return 0
  # The process itself too, which may not have its group yet.
  busybox kill -TERM "-$group" "$group" 2>/dev/null
  turns=0
  while busybox kill -0 "-$group" 2>/dev/null || busybox kill -0 "$group" 2>/dev/null; do
    turns=$((turns + 1))
    [ "$turns" -ne 20 ] || busybox kill -KILL "-$group" 2>/dev/null
    [ "$turns" -lt 40 ] || return 0
    busybox usleep 100000
  done
}

# ---- A server's session, in which a lock is held for as long as the run lives

# Takes the source's lock. Returns 1 where another run has it.
lock() {
  command -v source_session >/dev/null || return 0
  busybox rm -f "$WORK/lock.in" "$WORK/lock.out"
  { busybox mkfifo "$WORK/lock.in" && : >"$WORK/lock.out"; } || fail 2 "$WORK is not writable"
  source_session <"$WORK/lock.in" >"$WORK/lock.out" 2>"$WORK/errors" &
  locker=$!
  exec 3>"$WORK/lock.in"
  source_lock >&3
  while :; do
    case $(busybox cat "$WORK/lock.out") in
      t | 1) return 0 ;;
      f | 0) unlock; return 1 ;;
    esac
    busybox kill -0 "$locker" 2>/dev/null || fail 1 "the lock cannot be taken: $(errors)"
    busybox usleep 50000
  done
}

unlock() {
  [ "${locker-}" ] || return 0
  # Closing its input would do, but for a process of a hook's that may still have it.
  printf '%s\n' '\q' >&3
  exec 3>&-
  wait "$locker"
}

# Prints, in one line, what a client wrote to its errors: three lines from the first that names one, or the last three.
errors() { gist <"$WORK/errors"; }

gist() {
  busybox awk '{line[NR] = $0} !first && tolower($0) ~ /error|fatal/ {first = NR}
    END {if (!first) first = NR > 3 ? NR - 2 : 1; for (i = first; i < first + 3 && i <= NR; i++) print line[i]}' |
    busybox tr -s '\n\t ' ' '
}

# ---- The clock of a sidecar

clock() {
  trap 'cancel; exit 0' TERM INT
  case ${REPLICA-} in
    '' | "${POD_NAME##*-}") ;;
    *) say "only the replica $REPLICA backs up, and this is $POD_NAME"; idle ;;
  esac
  after=$(now)
  # A run that was missed while there was no pod is made up, once.
  last=$(begin backup; newest 9>&2)
  busybox rm -f "$OUTCOME.begun"
  [ "${last:-0}" = 0 ] || after=$last
  while :; do
    due=$(TZ=$(zone) busybox awk -v expression="$SCHEDULE" -v after="$after" -f "$SCRIPTS/schedule.awk") || exit 2
    say "the next backup is due at $(utc "$due")"
    sleep_until "$due"
    [ ! -e "$CANCELLED" ] || idle
    supervised back-up "$due"
    [ ! -e "$CANCELLED" ] || idle
    after=$(now)
  done
}

# Prints the zone as a file, which the image need not have.
zone() {
  if [ -e "$STORE_TOOLS/zoneinfo" ]; then echo ":$STORE_TOOLS/zoneinfo"; else echo "${ZONE:-UTC}"; fi
}

sleep_until() { # seconds; a clock that is set meanwhile is followed
  while left=$(($1 - $(now))); [ "$left" -gt 0 ]; do
    [ "$left" -lt 20 ] || left=20
    # The clock says whole seconds: the last one is waited for in tenths.
    if [ "$left" -gt 1 ]; then busybox sleep $((left - 1)) & else busybox usleep 100000 & fi
    wait $!
  done
}

idle() {
  while :; do
    busybox sleep 3600 &
    wait $!
  done
}

# ---- Restores

# Sets files to what is restored where nobody says.
look_up() {
  store_list >"$WORK/list"
  files=${FILE:-$(busybox cut -d ' ' -f 3- "$WORK/list" | busybox sort -u | source_restorable)}
  [ "$files" ] || fail 2 "the store has nothing of the backup $BACKUP"
}

# Sets snapshot to the one of a file that is to be restored.
choose() { # file
  of_file "$1" <"$WORK/list" >"$WORK/list-of-file"
  [ -s "$WORK/list-of-file" ] || fail 2 "the store has nothing of $1"
  if [ "${SNAPSHOT-}" ] && [ "$SNAPSHOT" != latest ]; then
    snapshot=$SNAPSHOT
    busybox grep -q " $snapshot\$" "$WORK/list-of-file" ||
      fail 2 "the store has no snapshot $snapshot of $1; its newest are $(busybox tail -n 5 "$WORK/list-of-file" | busybox cut -d ' ' -f 2 | busybox tr '\n' ' ')"
  else
    limit=$(now)
    [ -z "${TIME-}" ] || limit=$(TZ=UTC busybox date -d "$(printf '%s' "$TIME" | busybox sed 's/T/ /; s/Z$//')" +%s 2>/dev/null) ||
      fail 2 "TIME $TIME is no time; write it as 2026-01-31T12:00:00Z"
    snapshot=$(busybox awk -v limit="$limit" '$1 <= limit {found = $2} END {print found}' "$WORK/list-of-file")
    [ "$snapshot" ] || fail 2 "the store has no snapshot of $1 that is not later than ${TIME:-now}"
  fi
}

restore() {
  begin restore
  source_check
  look_up
  file=$(printf '%s\n' "$files" | busybox head -n 1)
  choose "$file"
  target=${TARGET:-$(source_target "$file")}
  source_restore "$snapshot" "$file" "$target"
  report success "snapshot $snapshot of $file restored into $target"
}

# Waits for the server of a drill, which starts beside it.
await() {
  turns=0
  until source_answers 2>/dev/null; do
    turns=$((turns + 1))
    [ "$turns" -lt 600 ] || fail 1 'the server of the drill does not answer'
    busybox usleep 200000
  done
}

# Asks the restored database each of CHECKS: it must be answered, and not by false.
check_answers() { # database
  printf '%s\n' "${CHECKS-}" >"$WORK/checks"
  while read -r check; do
    [ "$check" ] || continue
    answer=$(source_ask "$1" "$check" 2>"$WORK/errors") || fail 1 "the check failed: $check: $(errors)"
    case $answer in
      '' | f | 0) fail 1 "the check does not hold: $check: the answer is ${answer:-nothing}" ;;
    esac
    say "the check holds: $check: $answer"
  done <"$WORK/checks"
}

drill() {
  begin drill
  await
  source_check
  look_up
  restored='' rows=0
  for file in $files; do
    choose "$file"
    target=$(source_target "$file")
    source_restore "$snapshot" "$file" "$target"
    counted=$(source_rows "$target" 2>"$WORK/errors") || fail 1 "what was restored into $target cannot be counted: $(errors)"
    [ "$restored" ] || check_answers "$target"
    restored="${restored:+$restored, }snapshot $snapshot of $file" rows=$((rows + counted))
  done
  report success "$restored restored: $rows rows; the checks hold"
}

prune() {
  begin prune
  store_prune
  report success 'what no snapshot needs is removed'
}

case ${1-} in
  run)
    trap 'cancel' TERM INT
    busybox rm -f "$CANCELLED"
    supervised back-up ''
    ;;
  clock)
    busybox rm -f "$CANCELLED" "$RUNNING"
    clock
    ;;
  cancel) cancel ;;
  back-up) back_up "$2" ;;
  restore | drill | prune)
    trap 'cancel' TERM INT
    busybox rm -f "$CANCELLED"
    supervised "$1-now"
    ;;
  restore-now) restore ;;
  drill-now) drill ;;
  prune-now) prune ;;
  dump)
    fail() { say "$2"; exit "$1"; } # the run that asked for it reports
    . "$SCRIPTS/backup-$SOURCE.sh"
    dump "$2"
    ;;
  *)
    say "usage: backup.sh run | clock | cancel | restore | drill | prune"
    exit 2
    ;;
esac

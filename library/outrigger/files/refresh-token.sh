#!/bin/sh
# shellcheck shell=sh disable=SC2317,SC1091,SC2034,SC2154 # what a trap calls is reached; the parts are beside this script, and share its variables
#
# Keeps a short-lived credential in a file: obtains it by a command, writes it where the app or its proxy reads it, and
# renews it in time. It runs in the image that has the command, on a static busybox.
#
#   refresh-token.sh run -- COMMAND [ARGUMENT...]   refreshes for as long as the pod lives
#   refresh-token.sh started                        succeeds once FILE has a credential that has not expired
#   refresh-token.sh ready                          fails from MARGIN_SECONDS before the credential in use expires
#
# Its variables, each with OUTRIGGER_ before its name, as the command has an environment of its own:
#
#   REFRESHER       the refresher's name
#   FILE            an absolute path: what it was stays until the next credential is whole beside it
#   FORMAT, MODE    what is in it, as token-format.awk says, and its mode (0640; pgpass 0600)
#   TEMPLATE        the text of the format template
#   USERNAME, HOST, PORT, DATABASE   what formats have besides the password
#   OUTPUT          how the command's output is read, as token-obtain.sh says, which has the variables of that: raw or json
#   COMMAND_SECONDS a command that takes longer is ended (30)
#   RETRY_SECONDS, RETRY_MAX_SECONDS   how long to wait after a first failure (1), doubled with each further one up to (60)
#   MARGIN_SECONDS  for ready: a tenth of the credential's life, and 60 at most
#   LEAST_SECONDS   how long a credential is kept at least, however soon it expires (1)
#   LOOK_SECONDS    how often it looks, between refreshes, at the clock, at FILE and at what the provers say (30)
#   PROVERS         ambassadors that say whether the server takes the credential, as token-tell.sh says; a
#                   credential is in use only when all have accepted it
#   EXPLAIN         a command, run by sh, that prints one line about why a credential may have been refused
#   NOTIFY_...      whom to tell that the file was replaced, as token-tell.sh says
#   STATE_DIR       a writable directory in memory that outlives the container (/run/outrigger)
#
# A credential is renewed after 0.66 of its life, or 0.8 of what is left of the credentials that signed it if that is
# earlier, and up to 5 % before, as not all pods should ask at once. Where there is one at the start that is not due, it
# is taken on. Its text is in files of mode 0600 in STATE_DIR and in FILE, and nowhere else.
#
# Each event is a line of JSON on standard output. Exit codes: 0 ended by SIGTERM; 2 the configuration.
set -uf
umask 077

OUTRIGGER_TOOLS=${OUTRIGGER_TOOLS:-/outrigger-tools}
OUTRIGGER_SCRIPTS=${OUTRIGGER_SCRIPTS:-/outrigger}
OUTRIGGER_STATE_DIR=${OUTRIGGER_STATE_DIR:-/run/outrigger}
OUTRIGGER_WORK_DIR=$OUTRIGGER_STATE_DIR/$OUTRIGGER_REFRESHER
# What the image lacks of the tools that a line for sh says, busybox has.
PATH=$PATH:$OUTRIGGER_TOOLS
export OUTRIGGER_TOOLS OUTRIGGER_SCRIPTS OUTRIGGER_STATE_DIR OUTRIGGER_WORK_DIR PATH
# Each is one line, "SHA256 EXPIRES DUE READY_UNTIL": what FILE has, and what is known to work.
written=$OUTRIGGER_WORK_DIR/written in_use=$OUTRIGGER_WORK_DIR/in-use
OUTRIGGER_LOOK_SECONDS=${OUTRIGGER_LOOK_SECONDS:-30}

busybox() { LC_ALL=C "$OUTRIGGER_TOOLS/busybox" "$@"; }
now() { busybox date +%s; }
utc() { TZ=UTC busybox date -d "@$1" +%Y-%m-%dT%H:%M:%SZ; } # seconds

# Prints a text as token-bytes.awk reads it; one that is not named is empty.
bytes() { # name; the text is standard input
  printf '%s\n' "$1"
  busybox od -An -v -tu1
}

program() { busybox awk -f "$OUTRIGGER_SCRIPTS/token-bytes.awk" "$@"; }

log() { # level, message, [name, value in JSON]...
  line=$(printf '{"time":"%s","level":"%s","message":%s,"refresher":"%s"' "$(busybox date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" "$(json_text "$2")" "$OUTRIGGER_REFRESHER")
  shift 2
  while [ $# -gt 1 ]; do
    line=$line$(printf ',"%s":%s' "$1" "$2")
    shift 2
  done
  printf '%s}\n' "$line"
}

json_text() { printf '%s' "$1" | busybox tr -s '\n\t\r ' ' ' | bytes password | program -v format=message -f "$OUTRIGGER_SCRIPTS/token-format.awk"; }

bad_configuration() { # message
  log error "$1"
  exit 2
}

# Waits, so that a signal is heard at once, or, where it comes just before a read begins, within a second. It reads from
# where nothing is ever written: a sleep would be a second process.
# shellcheck disable=SC3045 # the busybox has read -t
pause() { # seconds
  slices=${1%.*}
  while [ "$slices" -gt 0 ]; do
    slices=$((slices - 1))
    read -r -t 1 _ <&8 || :
  done
  case $1 in *.*) read -r -t "0.${1#*.}" _ <&8 || : ;; esac
}

# Runs a command as a process group of its own, and ends all of it when the time is up. Its errors go to $WORK_DIR/errors.
bounded() { # seconds, file of its output, command, arguments...
  seconds=$1 output=$2
  shift 2
  "$OUTRIGGER_TOOLS/busybox" setsid "$OUTRIGGER_TOOLS/busybox" timeout -k 2 "$seconds" "$@" >"$output" 2>"$OUTRIGGER_WORK_DIR/errors" </dev/null 8<&- &
  waited_for=$!
  wait "$waited_for" 2>/dev/null # where the shell would say that it was killed
  code=$?
  busybox kill -KILL "-$waited_for" 2>/dev/null
  waited_for=''
  return "$code"
}

# Prints what a command said, in one line: the end of it, which says what is wrong in most.
errors() { # [file]
  busybox tail -c 70000 "${1-$OUTRIGGER_WORK_DIR/errors}" | hide | busybox tail -n 3 | busybox tail -c 1000 | busybox tr -s '\n\t ' ' '
}

# Copies standard input, with *** in place of the credential and of the one before, which a command may say by mistake.
hide() {
  {
    bytes password
    [ ! -e "$OUTRIGGER_WORK_DIR/obtained/password" ] || bytes present <"$OUTRIGGER_WORK_DIR/obtained/password"
    [ ! -e "$OUTRIGGER_WORK_DIR/before" ] || bytes before <"$OUTRIGGER_WORK_DIR/before"
  } | program -v format=hidden -f "$OUTRIGGER_SCRIPTS/token-format.awk"
}

stop() {
  if [ "${waited_for-}" ]; then
    # The process itself too, which may not have its group yet.
    busybox kill -TERM "-$waited_for" "$waited_for" 2>/dev/null
    turns=0
    while busybox kill -0 "-$waited_for" 2>/dev/null && [ "$turns" -lt 5 ]; do
      turns=$((turns + 1))
      busybox usleep 100000
    done
    busybox kill -KILL "-$waited_for" "$waited_for" 2>/dev/null
  fi
  exit 0
}

# Sets sum, expires, due and ready_until to what a line of state says.
read_state() { # file
  sum='' expires=0 due=0 ready_until=0
  [ -r "$1" ] && read -r sum expires due ready_until <"$1"
}

write_state() { # file
  printf '%s %s %s %s\n' "$sum" "$expires" "$due" "$ready_until" >"$1.new" && busybox mv "$1.new" "$1"
}

sum_of() { # file
  sum_of=$(busybox sha256sum "$1" 2>/dev/null) || return 1
  printf '%s' "${sum_of%% *}"
}

# ---- The loop

run() {
  trap stop TERM INT
  configure
  failures=0 reason=''
  if adopt; then
    log info 'the credential of before is taken on' expiresAt "\"$(utc "$expires")\"" refreshAt "\"$(utc "$due")\""
    { proved && keep; } || fail
  fi
  while :; do
    if obtain "$@" && write && proved; then
      [ "$failures" = 0 ] || log info "the credential was refreshed after $failures failures"
      failures=0
      keep || fail
    else
      fail
    fi
  done
}

configure() {
  case ${OUTRIGGER_FILE-} in /*[!/]) ;; *) bad_configuration 'OUTRIGGER_FILE is no absolute path of a file' ;; esac
  case ${OUTRIGGER_FORMAT-} in
    pgbouncer | env | json | raw | template) OUTRIGGER_MODE=${OUTRIGGER_MODE:-0640} ;;
    pgpass) OUTRIGGER_MODE=${OUTRIGGER_MODE:-0600} ;;
    *) bad_configuration "there is no OUTRIGGER_FORMAT ${OUTRIGGER_FORMAT:-of that name}: write pgbouncer, pgpass, env, json, raw or template" ;;
  esac
  case ${OUTRIGGER_OUTPUT:=raw} in raw | json) ;; *) bad_configuration "there is no OUTRIGGER_OUTPUT $OUTRIGGER_OUTPUT: write raw or json" ;; esac
  [ "$OUTRIGGER_OUTPUT${OUTRIGGER_TTL-}" != raw ] || bad_configuration 'an output that is raw has no expiry: set OUTRIGGER_TTL'
  case ${OUTRIGGER_NOTIFY_METHOD:=POST} in GET | POST) ;; *) bad_configuration "there is no OUTRIGGER_NOTIFY_METHOD $OUTRIGGER_NOTIFY_METHOD: write GET or POST" ;; esac
  directory=${OUTRIGGER_FILE%/*}
  busybox mkdir -p "$OUTRIGGER_WORK_DIR" || bad_configuration "$OUTRIGGER_WORK_DIR is not writable"
  busybox rm -f "$OUTRIGGER_WORK_DIR/never"
  busybox mkfifo "$OUTRIGGER_WORK_DIR/never" || bad_configuration "$OUTRIGGER_WORK_DIR is not writable"
  exec 8<>"$OUTRIGGER_WORK_DIR/never"
  first_delay=$(milliseconds "${OUTRIGGER_RETRY_SECONDS:-1}") last_delay=$(milliseconds "${OUTRIGGER_RETRY_MAX_SECONDS:-60}")
}

milliseconds() { busybox awk -v seconds="$1" 'BEGIN {printf "%.0f", seconds * 1000}'; } # seconds

# Takes on the credential that a container before this one has written.
adopt() {
  read_state "$written" && [ "$(sum_of "$OUTRIGGER_FILE")" = "$sum" ] && [ "$(now)" -lt "$due" ]
}

# Keeps the credential until it is due. Fails where it turns out to be refused.
keep() {
  seen=${obtained-0}
  while time=$(now) left=$((due - time)); [ "$left" -gt 0 ]; do
    # By a clock that was ahead, the credential may have been reckoned to live for longer than it does.
    [ "$time" -ge "$((seen - 5))" ] || { log info 'the clock was set back: the credential is obtained anew'; return 0; }
    seen=$time
    [ -s "$OUTRIGGER_FILE" ] || { log error "$OUTRIGGER_FILE is gone: the credential is obtained anew"; return 0; }
    answers
    [ "$answer" != refused ] || return 1
    look=$OUTRIGGER_LOOK_SECONDS
    [ -z "${untold-}" ] || tell
    [ "$left" -ge "$look" ] || look=$left
    pause "$look"
  done
}

# Tells of a failure, in one line, and waits before the next attempt.
fail() {
  failures=$((failures + 1))
  delay=$first_delay doubled=1
  while [ "$doubled" -lt "$failures" ] && [ "$delay" -lt "$last_delay" ]; do
    delay=$((delay * 2)) doubled=$((doubled + 1))
  done
  [ "$delay" -le "$last_delay" ] || delay=$last_delay
  # The less is left of the one in use, the sooner: a provider that is back in time should not be missed.
  if read_state "$in_use" && left=$((ready_until - $(now))) && [ "$left" -gt 0 ]; then
    [ "$delay" -le "$((left * 125))" ] || delay=$((left * 125))
    [ "$delay" -ge "$first_delay" ] || delay=$first_delay
  fi
  delay=$((delay - delay * $(random) / 400))
  delay=$(printf '%d.%03d' "$((delay / 1000))" "$((delay % 1000))")
  set -- failures "$failures" retryAfterSeconds "$delay"
  [ -z "${explanation-}" ] || set -- "$@" explanation "$(json_text "$explanation")"
  ! read_state "$in_use" || set -- "$@" inUseExpiresAt "\"$(utc "$expires")\""
  log error "$reason" "$@"
  explanation=''
  pause "$delay"
}

random() { # prints 0 to 99
  random=$(busybox od -An -N2 -tu2 /dev/urandom)
  printf '%s' "$((random * 100 / 65536))"
}

# ---- The probes

started() {
  read_state "$written" && [ "$(sum_of "$OUTRIGGER_FILE")" = "$sum" ] && [ "$(now)" -lt "$expires" ] && return
  echo 'no credential has been written yet' >&2
  return 1
}

ready() {
  read_state "$in_use" && [ "$(now)" -lt "$ready_until" ] && return
  if [ "$expires" = 0 ]; then echo 'no credential is in use yet' >&2; else echo "the credential in use expires at $(utc "$expires")" >&2; fi
  return 1
}

case ${1-}:${2-} in
  run:--)
    shift 2
    . "$OUTRIGGER_SCRIPTS/token-obtain.sh"
    . "$OUTRIGGER_SCRIPTS/token-tell.sh"
    run "$@"
    ;;
  started:) started ;;
  ready:) ready ;;
  *)
    echo 'usage: refresh-token.sh run -- COMMAND [ARGUMENT...] | started | ready' >&2
    exit 2
    ;;
esac

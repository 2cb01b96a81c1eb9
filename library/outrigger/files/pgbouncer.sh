#!/bin/sh
# shellcheck shell=sh disable=SC2317,SC3013,SC3045 # what a trap calls is reached; busybox has -ef and read -t
#
# Runs pgbouncer with a password that changes: each new one is proven by a login of its own at the server before the
# pgbouncer that the app uses gets it. A password that is refused takes the place of none that works.
#
#   pgbouncer.sh run       runs pgbouncer to its end
#   pgbouncer.sh started   succeeds once a query has gone through it
#   pgbouncer.sh ready     succeeds while it accepts connections
#
#   AMBASSADOR       its name
#   AUTH_FILE        the user and the password, as pgbouncer reads them: "user" "password"
#   PASSWORD_FILE, USERNAME   instead: a file with the password alone, and its user
#   DATABASE         the name, in pgbouncer's configuration, of the database at which a password is proven
#   LISTEN_PORT      pgbouncer's, on 127.0.0.1 (6432); the one that proves listens there on 127.0.0.2
#   CONFIG           pgbouncer's configuration, which ends in its section [pgbouncer] (/outrigger/AMBASSADOR.ini)
#   PROOF_SECONDS    how long the server may take for a proof (10)
#   RETRY_MAX_SECONDS  the longest wait before a password that was refused is tried again (15)
#   LINGER_SECONDS   0: at SIGTERM end. More: go on as long as clients come, at most so long
#   QUIET_SECONDS    how long there must be no client for that to end sooner (10)
#   STOP_SECONDS     how long clients may stay after that (5)
#   TOOLS            a folder with a static busybox; the image's own tools are not relied on
#   STATE_DIR        a small writable directory in memory (/run/outrigger)
#
# How a proof of AUTH_FILE ended stands beside it in .outrigger-AMBASSADOR: "SHA256 accepted", "SHA256 refused REASON", or
# "SHA256 unanswered REASON" where the server could not be asked.
# The file that was proven is the one that pgbouncer gets: it cannot be read in another way than it was.
set -uf
export LC_ALL=C
umask 077

LISTEN_PORT=${LISTEN_PORT:-6432}
CONFIG=${CONFIG:-/outrigger/$AMBASSADOR.ini}
PROOF_SECONDS=${PROOF_SECONDS:-10}
RETRY_MAX_SECONDS=${RETRY_MAX_SECONDS:-15}
LINGER_SECONDS=${LINGER_SECONDS:-0}
QUIET_SECONDS=${QUIET_SECONDS:-10}
STOP_SECONDS=${STOP_SECONDS:-5}
TOOLS=${TOOLS:-/outrigger-tools}
STATE_DIR=${STATE_DIR:-/run/outrigger}
SOURCE=${AUTH_FILE:-${PASSWORD_FILE:-}}
USERS=$STATE_DIR/users.txt CANDIDATE=$STATE_DIR/candidate.txt STARTED=$STATE_DIR/started PROOF_LOG=$STATE_DIR/proof.log
LOOK_SECONDS=0.2

busybox() { "$TOOLS/busybox" "$@"; }

say() { # level, message
  printf '{"time":"%s","level":"%s","message":"%s","ambassador":"%s"}\n' "$(busybox date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" \
    "$(printf '%s' "$2" | busybox tr '\000-\037' ' ' | busybox sed 's/[\\"]/\\&/g')" "$AMBASSADOR"
}

# Says an error, and what is the same as the last once a minute at most.
complain() { # message
  now
  repeats=$((repeats + 1))
  [ "$1" = "$complaint" ] || repeats=0
  [ "$repeats" = 0 ] || [ "$now" -ge "$complain_at" ] || return 0
  if [ "$repeats" = 0 ]; then say error "$1"; else say error "$1 ($repeats times more since this was said)"; fi
  complaint=$1 repeats=0 complain_at=$((now + 6000))
}

now() { # sets now, in hundredths of a second since the machine started
  IFS=' ' read -r uptime _ </proc/uptime
  now=${uptime%.*}${uptime#*.}
}

# Waits without a process of its own; a signal ends the wait.
pause() { # seconds
  IFS= read -r -t "$1" _ <&3
}

# A process that has ended stays in /proc until somebody waits for it.
runs() { # process
  IFS=' ' read -r _ _ state _ 2>/dev/null <"/proc/$1/stat" && [ "$state" != Z ]
}

# ---- pgbouncer

# pgbouncer without a password of the client's is for the pod alone: on loopback, and for the user of the file. CONFIG
# ends in the section [pgbouncer], which goes on here: a second one would begin with all of pgbouncer's defaults.
write_config() { # file, address, file of the user, further settings, one a line
  {
    printf '%s\n' "%include $CONFIG" "listen_addr = $2" "listen_port = $LISTEN_PORT" 'unix_socket_dir =' 'logfile =' 'pidfile =' \
      'auth_type = trust' "auth_file = $3"
    [ -z "${4-}" ] || printf '%s\n' "$4"
  } >"$1"
}

octal_bytes() { # number: prints the four bytes that PostgreSQL reads, as printf's escapes
  printf '\\%03o\\%03o\\%03o\\%03o' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255))
}

# What a client says that wants one row. It may not take its leave before it has the answer: pgbouncer would not wait.
request() { # file of the user
  user=$(busybox sed -n '1s/^"\(\([^"]\|""\)*\)".*/\1/p' "$1" | busybox sed 's/""/"/g')
  # The shell counts characters in some builds of busybox, whatever the locale.
  length=$(printf '%s%s' "$user" "$DATABASE" | busybox wc -c)
  # shellcheck disable=SC2059 # bytes that only a format can have
  printf "$(octal_bytes $((8 + 5 + length + 1 + 9 + 1 + 1)))\000\003\000\000user\000"
  printf '%s\000database\000%s\000\000Q\000\000\000\015SELECT 1\000' "$user" "$DATABASE"
}

# Prints "row", or "error" and the server's message, or nothing where neither has come yet.
read_answer() {
  # shellcheck disable=SC2016 # awk's own variables
  busybox hexdump -v -e '1/1 "%u\n"' "$STATE_DIR/answer" 2>/dev/null | busybox awk '
    { byte[NR] = $1 }
    END {
      for (at = 1; at + 4 <= NR; at = end + 1) {
        end = at + ((byte[at + 1] * 256 + byte[at + 2]) * 256 + byte[at + 3]) * 256 + byte[at + 4]
        if (end > NR) exit
        if (byte[at] == 68) { print "row"; exit } # D
        if (byte[at] != 69) continue # E
        field = 0; message = ""
        for (i = at + 5; i <= end; i++) {
          if (!field) { field = byte[i]; continue }
          if (!byte[i]) { if (field == 77) { print "error " message; exit } field = 0 } # M
          else if (field == 77) message = message sprintf("%c", byte[i])
        }
        print "error"; exit
      }
    }'
}

# Asks a pgbouncer for one row until it answers, and sets `answer` to what read_answer prints.
ask() { # its process, its address, file of the user
  answer=''
  now
  deadline=$((now + PROOF_SECONDS * 100))
  request "$3" >"$STATE_DIR/request"
  while runs "$1" && [ "$now" -lt "$deadline" ] && [ -z "$answer$hurried" ]; do
    busybox rm -f "$STATE_DIR/answer" "$STATE_DIR/asked"
    busybox mkfifo "$STATE_DIR/asked"
    # Its input stays open: pgbouncer takes the end of a client's for its leave.
    exec 4<>"$STATE_DIR/asked"
    busybox cat "$STATE_DIR/request" >&4
    "$TOOLS/busybox" nc "$2" "$LISTEN_PORT" <&4 >"$STATE_DIR/answer" 2>/dev/null 3<&- 5<&- &
    client=$!
    while [ "$now" -lt "$deadline" ] && [ -z "$answer$hurried" ]; do
      pause 0.05
      connected=yes
      runs "$client" || connected=''
      [ ! -s "$STATE_DIR/answer" ] || answer=$(read_answer)
      [ "$connected" ] || break
      now
    done
    kill "$client" 2>/dev/null
    wait "$client" 2>/dev/null
    exec 4<&-
    now
  done
}

# ---- A new password

# Whether SOURCE is another file than the one that was read last, which is held open so that its inode stays its own.
is_new() {
  [ -e "$SOURCE" ] && ! [ "$SOURCE" -ef /proc/self/fd/5 ]
}

read_source() {
  { command exec 5<"$SOURCE"; } 2>/dev/null || return 1
  if [ -n "${PASSWORD_FILE:-}" ]; then
    # The end of a line is the file's and not the password's.
    printf '"%s" "%s"\n' "$(printf '%s' "$USERNAME" | busybox sed 's/"/""/g')" "$(busybox sed 's/"/""/g' <&5)" >"$CANDIDATE"
  else
    busybox cat <&5 >"$CANDIDATE"
  fi || { exec 5<&-; return 1; }
  digest=$(busybox sha256sum <"$CANDIDATE")
  digest=${digest%% *}
}

# Says how the proof ended to who wrote AUTH_FILE: who may read that may read this.
report() { # accepted, or refused or unanswered and why
  [ -n "${AUTH_FILE:-}" ] || return 0
  beside=${AUTH_FILE%/*}/.outrigger-$AMBASSADOR
  { busybox rm -f "$beside.new" && printf '%s %s\n' "$digest" "$(printf '%s' "$1" | busybox tr '\000-\037' ' ')" >"$beside.new" &&
    busybox chmod "$(busybox stat -L -c %a /proc/self/fd/5)" "$beside.new" && busybox mv "$beside.new" "$beside"; } 2>/dev/null
}

# Prints how a proof failed: "refused", by the server or for what the file holds, or "unanswered", where the server could not
# say; and why: what pgbouncer said of the server tells more than what it tells a client.
failure() {
  # shellcheck disable=SC2016 # awk's own variables
  busybox awk -v silence="no answer within $PROOF_SECONDS seconds" '
    / bug in src/ { next } # a remark on the length of a message
    / server login failed: / { answered = 1; busy = /: FATAL (the database system is |sorry, too many clients|too many connections|remaining connection slots)/ }
    / (WARNING|ERROR|FATAL) / && !/ pooler error: / { sub(/.* (WARNING|ERROR|FATAL) (server login failed: )?/, ""); said = $0 }
    / S-.* closing because: / && !closed { closed = $0; sub(/^.*@/, "", closed); sub(/ closing because/, "", closed); sub(/ \(age=.*/, "", closed) }
    / C-.* pooler error: / { told = $0; sub(/.* pooler error: /, "", told) }
    END {
      why = said != "" ? said : closed != "" ? closed : told
      if (why == "") why = silence
      else refused = answered ? !busy : closed == ""
      print (refused ? "refused " : "unanswered ") why
    }' "$PROOF_LOG"
}

# Proves the candidate by a pgbouncer of its own, which has no connection that was made with another password.
prove() {
  write_config "$STATE_DIR/proof.ini" 127.0.0.2 "$CANDIDATE" "min_pool_size = 0
log_connections = 1
log_disconnections = 1
server_connect_timeout = $PROOF_SECONDS
query_wait_timeout = $PROOF_SECONDS
server_login_retry = 1"
  pgbouncer "$STATE_DIR/proof.ini" </dev/null >"$PROOF_LOG" 2>&1 3<&- 5<&- &
  prover=$!
  ask "$prover" 127.0.0.2 "$CANDIDATE"
  # Not QUIT, which it does not hear before it has begun.
  kill -KILL "$prover" 2>/dev/null
  wait "$prover" 2>/dev/null
  [ "$answer" = row ]
}

start() {
  write_config "$STATE_DIR/pgbouncer.ini" 127.0.0.1 "$USERS"
  pgbouncer "$STATE_DIR/pgbouncer.ini" </dev/null 3<&- 5<&- &
  live=$!
}

take_up() {
  busybox mv "$CANDIDATE" "$USERS"
  if [ "$live" ]; then kill -HUP "$live"; else start; fi
}

first_query() {
  ask "$live" 127.0.0.1 "$USERS"
  if [ "$answer" = row ]; then
    : >"$STARTED"
  elif [ -z "$hurried" ] && runs "$live"; then
    say error "no query goes through pgbouncer: ${answer#error }"
  fi
}

try_candidate() {
  if prove; then
    take_up
    candidate='' wait_seconds=1
    report accepted || say error "$unheard"
    say info 'the password is accepted by the server and in use'
    return
  fi
  [ -z "$hurried" ] || return 0
  failure=$(failure)
  report "$failure" || failure="$failure; $unheard"
  # A container that was started anew has the last password that was proven.
  [ "$live" ] || [ ! -e "$USERS" ] || start
  complain "the password is not taken up${live:+, and the one before stays in use}: ${failure#* }"
  now
  retry_at=$((now + wait_seconds * 100)) wait_seconds=$((wait_seconds * 2))
  [ "$wait_seconds" -le "$RETRY_MAX_SECONDS" ] || wait_seconds=$RETRY_MAX_SECONDS
}

# ---- The end

has_clients() {
  busybox grep -qE " (0100007F|7F000001):$(printf %04X "$LISTEN_PORT") [0-9A-F]+:[0-9A-F]+ 01 " /proc/net/tcp
}

# Beside an app that hears SIGTERM at the same time, pgbouncer goes on until the app has no connection any more.
may_linger() {
  [ -z "$hurried" ] || return 1
  now
  [ "$stop_at" ] || stop_at=$((now + LINGER_SECONDS * 100)) quiet_at=${quiet_at:-$((now + QUIET_SECONDS * 100))}
  ! has_clients || quiet_at=$((now + QUIET_SECONDS * 100))
  [ "$now" -lt "$stop_at" ] && [ "$now" -lt "$quiet_at" ]
}

finish() {
  trap '' TERM INT
  [ "$live" ] || exit 0
  kill -TERM "$live" 2>/dev/null
  now
  deadline=$((now + STOP_SECONDS * 100))
  while runs "$live" && [ "$now" -lt "$deadline" ]; do
    pause "$LOOK_SECONDS"
    now
  done
  kill -KILL "$live" 2>/dev/null
  wait "$live" 2>/dev/null
  exit 0
}

stop() {
  stopped=yes
  [ "$live" ] && [ "$LINGER_SECONDS" -gt 0 ] || hurried=yes
}

end_with_pgbouncer() {
  wait "$live"
  code=$?
  say error "pgbouncer ended with exit code $code"
  [ "$code" -ne 0 ] || code=1
  exit "$code"
}

run() {
  complaint='' repeats=0 unheard="the folder of $SOURCE cannot be written to, so that its writer does not hear of this"
  stopped='' hurried='' live='' candidate='' wait_seconds=1 retry_at=0 stop_at='' quiet_at=''
  busybox rm -f "$STARTED" "$STATE_DIR/clock"
  busybox mkfifo "$STATE_DIR/clock" || exit 1
  exec 3<>"$STATE_DIR/clock"
  trap stop TERM INT
  [ -e "$SOURCE" ] || say info "waiting for $SOURCE"
  while :; do
    if ! is_new; then
      :
    elif read_source; then
      candidate=yes wait_seconds=1 retry_at=0 complaint=''
    else
      complain "$SOURCE cannot be read by the user $(busybox id -u), or there is no room for it in $STATE_DIR"
    fi
    now
    [ -z "$candidate" ] || [ "$now" -lt "$retry_at" ] || try_candidate
    [ -z "$live" ] || runs "$live" || end_with_pgbouncer
    [ -z "$live" ] || [ -e "$STARTED" ] || first_query
    [ -z "$stopped" ] || may_linger || finish
    pause "$LOOK_SECONDS"
  done
}

# Not under timeout: the process that it leaves behind would be this container's first to bury, which looks for none. A
# probe has a time limit of its own.
accepts() {
  busybox nc -w 2 127.0.0.1 "$LISTEN_PORT" </dev/null >/dev/null 2>&1
}

case $1 in
  run) run ;;
  started) [ -e "$STARTED" ] && accepts ;;
  ready) accepts ;;
esac

#!/bin/sh
# shellcheck shell=sh disable=SC2154,SC2034 # variables of backup.sh, which reads this file
#
# Redis or Valkey, by the tools of the server's own image.
#
#   REDIS_HOST, REDIS_PORT, REDIS_USER, REDISCLI_AUTH
#   CHECKS   a drill's commands, one a line: each must be answered, and not by 0
#
# Its file is dump.rdb, as the server sends it to a replica: all databases. A restore loads it into a server of its
# own pod, which hands every key on, into databases of the target's that are empty, and which take the place of the others
# when all is there; functions and users are not handed on.
export REDIS_PORT="${REDIS_PORT:-6379}"

ask() { "$(program redis-cli valkey-cli)" --no-auth-warning -h "$REDIS_HOST" -p "$REDIS_PORT" ${REDIS_USER:+--user "$REDIS_USER"} "$@"; }

# Prints the version that a server or a program says of itself, as one number.
number() { busybox sed 's/.*\(redis_version:\|v=\)\([0-9]*\)\.\([0-9]*\).*/\2 \3/' | busybox awk '{print $1 * 1000 + $2}'; }

# A file of a newer server's cannot be read by older tools. The server that was backed up may be gone when another is the target.
source_check() {
  [ "$task" != restore ] || [ -z "${TARGET-}" ] || at "$TARGET"
  source_answers || fail 1 "the server $REDIS_HOST does not answer: $(errors)"
  info server
  whole_server
  [ "$("$(program redis-server valkey-server)" --version | number)" -ge "$(busybox grep '^redis_version:' "$WORK/info" | number)" ] ||
    fail 2 "the image's programs are older than the server; set image to the server's"
}

at() { REDIS_HOST=${1%:*} REDIS_PORT=${1##*:}; } # target as HOST:PORT

# Leaves in a file what the server says of itself. Who may not ask would take it for empty, or for any other.
info() { # section
  ask INFO "$1" 2>"$WORK/errors" | busybox tr -d '\r' >"$WORK/info"
  busybox head -n 1 "$WORK/info" | busybox grep -q '^# ' || {
    busybox cat "$WORK/info" >>"$WORK/errors"
    fail 1 "the server $REDIS_HOST does not answer INFO $1: $(errors); a user may by ACL SETUSER ${REDIS_USER:-default} +info"
  }
}

field() { busybox sed -n "s/^$1://p" "$WORK/info"; } # name; prints what info said

# A server of a cluster has its own keys, and sends who asks for another one elsewhere. Valkey has another name for it.
whole_server() {
  case $(field redis_mode)$(field server_mode) in
    cluster) fail 2 "the server $REDIS_HOST is of a Redis Cluster, of whose keys it has a part; leave redis out, and back up the volume of each master by path" ;;
    sentinel) fail 2 "the server $REDIS_HOST is a sentinel, which has no keys; set redis.host to the server's" ;;
  esac
}

source_answers() {
  ask PING >"$WORK/errors" 2>&1
  busybox grep -qx PONG "$WORK/errors"
}

source_files() { echo dump.rdb; }

source_restorable() { source_files; }

# Into a file first: a stream has the mark of its end left in it.
source_dump() { # file
  dumped=$WORK/dumped.rdb
  busybox rm -f "$dumped"
  ask --rdb "$dumped" >"$WORK/errors" 2>&1 && whole "$dumped" && busybox cat "$dumped"
  ended=$?
  [ "$ended" = 0 ] || errors >&2
  busybox rm -f "$dumped"
  return "$ended"
}

source_begins() { # file; reads the beginning of its dump
  case $(busybox head -c 6) in
    REDIS[0-9] | VALKEY) ;;
    *) echo 'what the server sent is no dump' >&2; return 1 ;;
  esac
}

whole() { "$(program redis-check-rdb valkey-check-rdb)" "$1" >"$WORK/errors" 2>&1; } # path

source_verify() { # file; reads the dump
  busybox cat >"$WORK/verified.rdb" && whole "$WORK/verified.rdb"
  ended=$?
  [ "$ended" = 0 ] || errors >&2
  busybox rm -f "$WORK/verified.rdb"
  return "$ended"
}

source_version() { "$(program redis-server valkey-server)" --version; }

# ---- Restores

source_target() { printf '%s:%s' "$REDIS_HOST" "$REDIS_PORT"; } # file

keys() { busybox awk -F '[=,]' '/^db[0-9]*:keys=/ {keys += $2} END {print keys + 0}' "$WORK/info"; }

databases() { busybox sed -n 's/^db\([0-9]*\):.*/\1/p'; } # reads INFO keyspace

source_restore() { # snapshot, file, target as HOST:PORT
  at "$3"
  source_answers || fail 1 "the server $3 does not answer: $(errors)"
  info server
  whole_server
  info keyspace
  [ "$(keys)" = 0 ] || [ "${OVERWRITE-}" = yes ] ||
    fail 4 "the server $3 is not empty; set OVERWRITE=yes to put the snapshot in place of all it has, or TARGET to another"
  taken=$(databases <"$WORK/info")
  busybox mkdir -p "$WORK/loaded"
  store_read "$1" "$2" >"$WORK/loaded/dump.rdb" || fail 3 "$2 cannot be read to its end, and $3 is as it was: $(store_error)"
  whole "$WORK/loaded/dump.rdb" || fail 3 "$2 is no whole dump, and $3 is as it was: $(errors)"
  trap : TERM INT # which end what runs now, and what it has made is removed
  trap unload EXIT
  load
  places
  room
  hand_on "$3"
  take_places
  unload
  trap - EXIT TERM INT
}

# Ends the server that has the dump.
unload() {
  [ -z "${loader-}" ] || { kill "$loader" && wait "$loader"; } 2>/dev/null
  loader=''
  busybox rm -rf "$WORK/loaded"
}

# Starts a server with the dump, which nobody else can reach.
load() {
  "$(program redis-server valkey-server)" --port 0 --unixsocket "$WORK/loaded/socket" --dir "$WORK/loaded" --dbfilename dump.rdb \
    --save '' --appendonly no >"$WORK/loaded/log" 2>&1 3>&- 9>&- &
  loader=$!
  until [ "$(loaded PING 2>/dev/null)" = PONG ]; do
    kill -0 "$loader" 2>/dev/null || fail 1 "the dump cannot be loaded: $(busybox tail -n 2 "$WORK/loaded/log" | busybox tr '\n' ' ')"
    busybox usleep 100000
  done
}

# The password is the target's, and this server has none.
loaded() ( unset REDISCLI_AUTH; "$(program redis-cli valkey-cli)" -s "$WORK/loaded/socket" "$@" )

# Prints a text as redis-cli reads it, whatever is in it.
quoted() { printf '"%s"' "$(printf '%s' "$1" | busybox od -An -v -tx1 | busybox tr -d '\n' | busybox sed 's/ /\\x/g')"; }

# Runs a script in the target: one command, which is done as a whole, or not begun.
run_there() { # script, numbers
  script=$(quoted "$1")
  shift
  printf 'EVAL %s 0 %s\n' "$script" "$*" | ask 2>&1
}

# Leaves in a file, as "DATABASE PLACE", where each database of the dump is handed on to: an empty one of the target's. Into an
# empty server that has too few of them they go at once.
places() {
  loaded INFO keyspace | databases >"$WORK/dumped"
  place=0 at_once=''
  occupied=$(printf '%s\n' "$taken" | busybox cat - "$WORK/dumped")
  : >"$WORK/places"
  while read -r database; do
    while printf '%s\n' "$occupied" | busybox grep -qx "$place"; do place=$((place + 1)); done
    printf '%s %s\n' "$database" "$place" >>"$WORK/places"
    place=$((place + 1))
  done <"$WORK/dumped"
  answer=$(rehearsed)
  if [ "$answer" = 'too few' ] && [ -z "$taken" ]; then
    at_once=yes
    busybox sed 's/ .*//; s/.*/& &/' "$WORK/places" >"$WORK/dumped" && busybox mv "$WORK/dumped" "$WORK/places"
    answer=$(rehearsed)
  fi
  case $answer in
    OK) ;;
    'too few') fail 4 "the server $REDIS_HOST:$REDIS_PORT has too few empty databases to hand the snapshot on into first; raise databases in its configuration, or set TARGET to an empty server" ;;
    fewer) fail 4 "the server $REDIS_HOST:$REDIS_PORT has fewer databases than the snapshot; raise databases in its configuration" ;;
    *) fail 1 "the snapshot cannot be handed on to $REDIS_HOST:$REDIS_PORT, which is as it was: $answer; a user needs +info +eval +select +dbsize +flushdb +swapdb +restore ~*" ;;
  esac
}

# Tries what will be done to the places: the user may not be allowed to, or there may be none of these numbers.
rehearsed() {
  # shellcheck disable=SC2046 # numbers
  run_there "local function out(n) local said = redis.pcall('SELECT', n) return said.err and (said.err:find('out of range') and 'too few' or said.err) end
    for i = 1, #ARGV do if i % 2 == 1 and out(ARGV[i]) == 'too few' then return 'fewer' end end
    for i = 2, #ARGV, 2 do
      local said = out(ARGV[i])
      if said then return said end
      if redis.call('DBSIZE') ~= 0 then return 'its database ' .. ARGV[i] .. ' is no longer empty' end
      redis.call('FLUSHDB', 'ASYNC') redis.call('SWAPDB', ARGV[i], ARGV[i])
    end return 'OK'" $(busybox cat "$WORK/places")
}

# Fails where the target may not use as much memory as it needs for the dump beside what it has: it would refuse, or evict keys.
room() {
  info stats
  evicted=$(field evicted_keys)
  needed=$(loaded INFO memory | busybox tr -d '\r' | busybox awk -F : '{ value[$1] = $2 } END { print value["used_memory"] - value["used_memory_startup"] }')
  info memory
  most=$(field maxmemory)
  [ "${most:-0}" = 0 ] || [ "$(field used_memory)" -le $((most - needed)) ] ||
    fail 4 "the server $REDIS_HOST:$REDIS_PORT may use $most bytes of memory, and needs $needed more than the $(field used_memory) it uses to take the snapshot; raise its maxmemory, or set TARGET to another"
}

# Sends every key of each database on. The target's password is in none of the arguments: they come by standard input.
hand_on() { # target
  script="local sent, cursor = 0, '0'
    repeat
      local page = redis.call('SCAN', cursor, 'COUNT', 100)
      cursor = page[1]
      if #page[2] > 0 then
        local command = {'MIGRATE', ARGV[1], ARGV[2], '', ARGV[3], 600000, 'COPY'}
        if ARGV[5] ~= '' and ARGV[4] ~= '' then for _, v in ipairs({'AUTH2', ARGV[4], ARGV[5]}) do table.insert(command, v) end
        elseif ARGV[5] ~= '' then for _, v in ipairs({'AUTH', ARGV[5]}) do table.insert(command, v) end end
        table.insert(command, 'KEYS')
        for _, key in ipairs(page[2]) do table.insert(command, key) end
        redis.call(unpack(command))
        sent = sent + #page[2]
      end
    until cursor == '0'
    return 'sent'"
  while read -r database place; do
    answer=$(printf 'EVAL %s 0 %s %s %s %s %s\n' "$(quoted "$script")" "$(quoted "${1%:*}")" "$(quoted "${1##*:}")" "$place" \
      "$(quoted "${REDIS_USER-}")" "$(quoted "${REDISCLI_AUTH-}")" | loaded -n "$database")
    [ "$answer" = sent ] || give_up "$answer"
  done <"$WORK/places"
  info stats
  [ "$(field evicted_keys)" = "$evicted" ] || give_up 'it evicted keys meanwhile; raise its maxmemory'
}

# Ends a restore whose keys did not all arrive.
give_up() { # why
  # shellcheck disable=SC2046 # numbers
  answer=$(run_there "for _, place in ipairs(ARGV) do redis.call('SELECT', place) redis.call('FLUSHDB', 'ASYNC') end return 'OK'" $(busybox cut -d ' ' -f 2 "$WORK/places"))
  [ "$answer" = OK ] || say "what was handed on is left over in the databases $(busybox cut -d ' ' -f 2 "$WORK/places" | busybox tr '\n' ' ')of $REDIS_HOST:$REDIS_PORT: $answer"
  fail 1 "the snapshot was not handed on to $REDIS_HOST:$REDIS_PORT, whose keys are as they were: $1"
}

# Puts what was handed on in the place of all that the target had, at once. redis-cli may send a command again whose answer it
# did not get.
take_places() {
  [ -z "$at_once" ] || return 0
  # shellcheck disable=SC2046 # numbers
  answer=$(run_there "local count, fresh = tonumber(ARGV[1]), ARGV[1] == '0'
    for i = 1, count do redis.call('SELECT', ARGV[2 * i + 1]) fresh = fresh or redis.call('DBSIZE') > 0 end
    if fresh then
      for i = 1, count do redis.call('SWAPDB', ARGV[2 * i], ARGV[2 * i + 1]) redis.call('SELECT', ARGV[2 * i + 1]) redis.call('FLUSHDB', 'ASYNC') end
      for i = 2 * count + 2, #ARGV do redis.call('SELECT', ARGV[i]) redis.call('FLUSHDB', 'ASYNC') end
    end return 'OK'" $(busybox wc -l <"$WORK/places") $(busybox cat "$WORK/places") $(printf '%s\n' "$taken" | busybox grep -vxF -e none -f "$WORK/dumped"))
  [ "$answer" = OK ] || fail 1 "all of the snapshot is in the databases $(busybox cut -d ' ' -f 2 "$WORK/places" | busybox tr '\n' ' ')of $REDIS_HOST:$REDIS_PORT, and may not have taken the place of the others: $answer"
}

# ---- A drill

source_rows() { info keyspace && keys; }

# An answer is told from an error, and from none, as redis-cli marks them for people.
source_ask() { # target, command
  answered=$(printf '%s\n' "$2" | ask --no-raw) || return
  case $answered in
    '(error)'* | *'
(error)'*) printf '%s\n' "$answered" >&2; return 1 ;;
  esac
  printf '%s\n' "$answered" | busybox sed 's/^(nil)$//; s/^(empty .*)$//; s/^(integer) //; s/^"\(.*\)"$/\1/'
}

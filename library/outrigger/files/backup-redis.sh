#!/bin/sh
# shellcheck shell=sh disable=SC2154,SC2034 # variables of backup.sh, which reads this file
#
# Redis or Valkey, by the tools of the server's own image.
#
#   REDIS_HOST, REDIS_PORT, REDIS_USER, REDISCLI_AUTH
#   CHECKS   a drill's commands, one a line: each must be answered, and not by 0
#
# Its file is dump.rdb, as the server sends it to a replica: all databases. A restore loads it into a server of its
# own pod, which hands every key on; functions and users are not handed on.
export REDIS_PORT="${REDIS_PORT:-6379}"

ask() { "$(program redis-cli valkey-cli)" --no-auth-warning -h "$REDIS_HOST" -p "$REDIS_PORT" ${REDIS_USER:+--user "$REDIS_USER"} "$@"; }

# Prints the version that a server or a program says of itself, as one number.
number() { busybox sed 's/.*\(redis_version:\|v=\)\([0-9]*\)\.\([0-9]*\).*/\2 \3/' | busybox awk '{print $1 * 1000 + $2}'; }

# A file of a newer server's cannot be read by older tools.
source_check() {
  source_answers || fail 1 "the server $REDIS_HOST does not answer: $(errors)"
  server=$(ask INFO server | busybox grep '^redis_version:' | number)
  [ "$("$(program redis-server valkey-server)" --version | number)" -ge "${server:-0}" ] ||
    fail 2 "the image's programs are older than the server; set image to the server's"
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

keys() { busybox awk -F '[=,]' '/^db[0-9]*:keys=/ {keys += $2} END {print keys + 0}'; } # reads INFO keyspace

source_restore() { # snapshot, file, target as HOST:PORT
  REDIS_HOST=${3%:*} REDIS_PORT=${3##*:}
  source_answers || fail 1 "the server $3 does not answer: $(errors)"
  [ "$(ask INFO keyspace | keys)" = 0 ] || [ "${OVERWRITE-}" = yes ] ||
    fail 4 "the server $3 is not empty; set OVERWRITE=yes to put the snapshot in place of all it has, or TARGET to another"
  busybox mkdir -p "$WORK/loaded"
  store_read "$1" "$2" >"$WORK/loaded/dump.rdb" || fail 3 "$2 cannot be read to its end, and $3 is as it was: $(store_error)"
  whole "$WORK/loaded/dump.rdb" || fail 3 "$2 is no whole dump, and $3 is as it was: $(errors)"
  load
  [ "${OVERWRITE-}" != yes ] || [ "$(ask FLUSHALL)" = OK ] || fail 1 "the server $3 cannot be emptied"
  hand_on "$3"
  kill "$loader"
  wait "$loader" 2>/dev/null
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
  for database in $(loaded INFO keyspace | busybox sed -n 's/^db\([0-9]*\):.*/\1/p'); do
    answer=$(printf 'EVAL %s 0 %s %s %s %s %s\n' "$(quoted "$script")" "$(quoted "${1%:*}")" "$(quoted "${1##*:}")" "$database" \
      "$(quoted "${REDIS_USER-}")" "$(quoted "${REDISCLI_AUTH-}")" | loaded -n "$database")
    [ "$answer" = sent ] || fail 1 "$1 was restored in part, restore it again: $answer"
  done
}

# ---- A drill

source_rows() { ask INFO keyspace | keys; }

source_ask() { printf '%s\n' "$2" | ask; } # target, command

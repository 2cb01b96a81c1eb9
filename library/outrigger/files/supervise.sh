#!/bin/sh
# shellcheck shell=sh disable=SC2317 # what a trap calls is reached
#
# Runs a log agent to its end: at SIGTERM, which a native sidecar gets only after the app has ended,
# it waits until the agent has read every file and sent what it holds, or the time is up; then it
# stops the agent and says what was not delivered.
#
#   supervise.sh AGENT [ARGUMENT...]
#
#   BUSYBOX          a static busybox; the agent's image has no shell
#   FILES            globs of the files that the agent ships, one a line; ** is any number of folders
#   EXCLUDE          globs of files that it leaves out
#   DRAIN_SECONDS    how long it may take from SIGTERM until the agent is stopped
#   QUIET_SECONDS    how long nothing must be left (1): as long as the agent holds back a last line
#   METRICS_URL      where the agent's metrics are, in the text format of Prometheus
#   LEFT_METRICS     those that count what it holds, one a line; their sum is 0 when it is done
#   LEFT_COMMAND     instead: a command that prints that number
#   IN_METRICS, OUT_METRICS  those whose difference is how many lines it holds
#   KEPT             where lines are that could not be sent: "kept on the volume data"
#   VOLUMES          "BYTES FOLDER", one a line: a warning when 80 % of them are used
#   MEMORY_BYTES     the container's memory limit; Go's collector is told to stay below it
#
# What has been read is known from /proc/PID/fdinfo: the agent has a file open, and has read it to its
# size. A file that is not open counts as unread, unless it has the contents of one that is.
set -uf
export LC_ALL=C
NEWLINE='
'
IFS=$NEWLINE # lists hold one item a line

BUSYBOX=${BUSYBOX:-/outrigger-tools/busybox}
QUIET_SECONDS=${QUIET_SECONDS:-1}
DRAIN_SECONDS=${DRAIN_SECONDS:-10}
LOOK_SECONDS=0.2 WATCH_SECONDS=15 SCRAPE_SECONDS=2

say() { printf 'outrigger: %s\n' "$*" >&2; }
busybox() { "$BUSYBOX" "$@"; }

now() { # sets now, in hundredths of a second since the machine started
  IFS=' ' read -r uptime _ </proc/uptime
  now=${uptime%.*}${uptime#*.}
}

# ---- The files and how far the agent has read them

# A glob as a regular expression of awk's: ** is any folders, * and ? stop at a slash.
files_that_match() { # globs: prints paths
  for glob in $1; do
    case $glob in
      *'**'*)
        folder=${glob%%[*?[]*}
        # shellcheck disable=SC2016 # awk's own variables
        busybox find "${folder%/*}/" -type f 2>/dev/null | GLOB=$glob busybox awk '
          BEGIN {
            glob = ENVIRON["GLOB"]; expression = "^"
            for (i = 1; i <= length(glob); i++) {
              c = substr(glob, i, 1)
              if (substr(glob, i, 3) == "**/") { expression = expression "(.*/)?"; i += 2 }
              else if (substr(glob, i, 2) == "**") { expression = expression ".*"; i++ }
              else if (c == "*") expression = expression "[^/]*"
              else if (c == "?") expression = expression "[^/]"
              else if (c == "[" || c == "]") expression = expression c
              else if (c ~ /[a-zA-Z0-9_\/-]/) expression = expression c
              else expression = expression "\\" c
            }
            expression = expression "$"
          }
          $0 ~ expression'
        ;;
      *)
        set +f
        for path in $glob; do
          [ ! -f "$path" ] || printf '%s\n' "$path"
        done
        set -f
        ;;
    esac
  done
}

shipped_files() { # prints the paths of the files that the agent ships, each once
  # shellcheck disable=SC2016 # awk's own variables
  { files_that_match "${EXCLUDE:-}" | busybox sed 's/^/-/'; files_that_match "${FILES:-}" | busybox sed 's/^/+/'; } |
    busybox awk '{ path = substr($0, 2) } /^-/ { no[path] = 1; next } !(path in no) { no[path] = 1; print path }'
}

positions() { # prints "DEVICE:INODE POSITION" of each regular file that the agent has open
  set +f
  # shellcheck disable=SC2016 # awk's own variables
  busybox stat -L -c '%d:%i %F %n' /proc/"$agent"/fd/* 2>/dev/null | busybox awk -v agent="$agent" '
    / regular (empty )?file \/proc/ {
      descriptor = $NF; sub(".*/", "", descriptor)
      info = "/proc/" agent "/fdinfo/" descriptor
      while ((getline line < info) > 0)
        if (line ~ /^pos:/) { split(line, field, /[ \t]+/); print $1, field[2]; break }
      close(info)
    }'
  set -f
}

# Sets listing, which changes when a file does, and unread: "BYTES POSITION PATH" of each file that is
# not read to its end.
look_at_files() {
  unread=''
  paths=$(shipped_files)
  [ "$paths" ] || { listing=''; return 0; }
  # shellcheck disable=SC2086 # one path a line
  listing=$(busybox stat -L -c '%d:%i %s %n' $paths 2>/dev/null)
  # shellcheck disable=SC2016 # awk's own variables
  states=$(printf '%s\n\n%s\n' "$(positions)" "$listing" | busybox awk '
    !second && !NF { second = 1; next }
    !second { if (!($1 in position) || position[$1] < $2) position[$1] = $2; next }
    !NF { next }
    {
      path = $0; sub(/^[^ ]* [^ ]* /, "", path)
      if ($1 in position) { at = position[$1] < $2 ? position[$1] : $2; print at == $2 ? "read" : "behind", $2 - at, at, path }
      else if ($2 > 0) print "closed", $2, 0, path
    }')
  whole=$(printf '%s\n' "$states" | busybox sed -n 's/^read [0-9]* [0-9]* //p')
  for state in $states; do
    case $state in
      behind*) unread=$unread${state#* }$NEWLINE ;;
      closed*) is_copy "${state#* }" || unread=$unread${state#* }$NEWLINE ;;
    esac
  done
}

# A file that is not open may be a copy of one that is: then it is read, and the agent leaves it out.
is_copy() { # "BYTES POSITION PATH"
  for other in $whole; do
    ! busybox cmp -s -n "${1%% *}" "${1#* * }" "$other" || return 0
  done
  return 1
}

# ---- What the agent holds

scrape() { # sets metrics; fails when the agent does not answer
  metrics=$(busybox wget -q -T "$SCRAPE_SECONDS" -O - "$METRICS_URL" 2>/dev/null)
}

# Prints the sum of metrics. Each is a NAME, or NAME{LABEL="VALUE" for those of one label.
sum() { # metrics, one a line
  # shellcheck disable=SC2016 # awk's own variables
  printf '%s\n' "$metrics" | NAMES=$1 busybox awk '
    BEGIN {
      count = split(ENVIRON["NAMES"], names, "\n")
      for (i = 1; i <= count; i++) { label[i] = names[i]; sub(/[{].*/, "", names[i]); sub(/^[^{]*[{]?/, "", label[i]) }
    }
    /^#/ || !NF { next }
    {
      name = $0; sub(/[{ ].*/, "", name)
      value = $0; sub(/.*} /, "", value); sub(/^[^ ]*[^0-9.eE+-][^ ]* /, "", value)
      for (i = 1; i <= count; i++) if (name == names[i] && (label[i] == "" || index($0, label[i]))) total += value
    }
    END { printf "%d\n", total }'
}

look_at_agent() { # sets held: what the agent still holds, or unknown
  held=unknown
  if [ "${LEFT_COMMAND:-}" ]; then
    held=$(eval "$LEFT_COMMAND" 2>/dev/null)
  elif [ "${METRICS_URL:-}" ]; then
    ! scrape || held=$(sum "$LEFT_METRICS")
  else
    held=0
  fi
  case $held in '' | *[!0-9]*) held=unknown ;; esac
}

# ---- The end

drain() { # waits until nothing is left; fails when the time is up, or the agent has ended
  now
  deadline=$((now + DRAIN_SECONDS * 100)) quiet_since=$now last_listing=''
  while kill -0 "$agent" 2>/dev/null; do
    look_at_files
    look_at_agent
    now
    if [ -z "$unread" ] && [ "$held" = 0 ] && [ "$listing" = "$last_listing" ]; then
      [ $((now - quiet_since)) -lt $((QUIET_SECONDS * 100)) ] || return 0
    else
      quiet_since=$now last_listing=$listing
    fi
    [ "$now" -lt "$deadline" ] || return 1
    busybox sleep "$LOOK_SECONDS"
  done
  look_at_files
  say 'the agent ended before everything was delivered'
  return 1
}

say_what_is_left() {
  lines=0
  for file in $unread; do
    bytes=${file%% *} path=${file#* * } at=${file#* }
    count=$(busybox tail -c "+$((${at%% *} + 1))" "$path" 2>/dev/null | busybox awk 'END { print NR }')
    lines=$((lines + count))
    say "not read: $bytes bytes, $count lines of $path"
  done
  case $held in
    0) ;;
    unknown) say 'not known: what the agent holds' ;;
    *)
      if [ "${IN_METRICS:-}" ]; then
        waiting=$(($(sum "$IN_METRICS") - $(sum "$OUT_METRICS")))
        [ "$waiting" -ge 0 ] || waiting=0
        lines=$((lines + waiting))
        say "not sent: $held bytes in the queue, $waiting lines of this run"
      else
        say "not sent: $held in the agent"
      fi
      ;;
  esac
  say "not delivered after $DRAIN_SECONDS s: $lines lines; they are ${KEPT:-lost with the pod}"
}

# Where files are unread the agent is killed, not asked to end: a collector whose queue is full, ending
# in mid-file, notes lines as read that it could not queue. Lines are rather sent twice than lost.
stop_agent() { # signal
  kill -"$1" "$agent" 2>/dev/null
  wait "$agent" 2>/dev/null
}

finish() {
  trap '' TERM INT
  [ -z "$watcher" ] || kill "$watcher" 2>/dev/null
  if drain; then
    stop_agent TERM
    say 'everything is delivered'
  else
    say_what_is_left
    if [ "$unread" ]; then stop_agent KILL; else stop_agent TERM; fi
  fi
  exit 0
}

# ---- Meanwhile

watch_volumes() { # warns, once until it is better, when a volume is nearly full
  warned=''
  while :; do
    for line in $VOLUMES; do
      folder=${line#* } limit=${line%% *}
      used=$(busybox du -sk "$folder" 2>/dev/null)
      used=${used%%[!0-9]*}
      used=$((${used:-0} * 1024))
      if [ $((used * 10)) -lt $((limit * 8)) ]; then
        case $warned in *"<$folder>"*) warned=${warned%%"<$folder>"*}${warned#*"<$folder>"} ;; esac
      else
        case $warned in
          *"<$folder>"*) ;;
          *)
            warned="$warned<$folder>"
            say "warning: $folder holds $used bytes of at most $limit; the kubelet evicts a pod that holds more"
            ;;
        esac
      fi
    done
    busybox sleep "$WATCH_SECONDS"
  done
}

[ -z "${MEMORY_BYTES:-}" ] || export GOMEMLIMIT="$((MEMORY_BYTES * 8 / 10))"
agent='' watcher='' unread='' held=0 metrics=''
trap finish TERM INT
"$@" &
agent=$!
if [ "${VOLUMES:-}" ]; then
  watch_volumes &
  watcher=$!
fi
wait "$agent"
code=$?
[ -z "$watcher" ] || kill "$watcher" 2>/dev/null
say "the agent ended with exit code $code"
exit "$code"

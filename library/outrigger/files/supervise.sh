#!/bin/sh
# shellcheck shell=sh disable=SC2317,SC2153 # what a trap calls is reached; the names are of the environment
#
# Runs a log agent to its end: at SIGTERM, which a native sidecar gets only after the app has ended,
# it waits until the agent has read every file and sent what it holds, or the time is up; then it
# stops the agent and says what was not delivered.
#
#   supervise.sh AGENT [ARGUMENT...]
#   supervise.sh --await-start    ends when READY_URL answers: one probe that waits costs less than many
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
#   LOST_METRICS     "NAME WHAT", one a line: those that count what nobody will send again, and what that is
#   KEPT             where lines are that could not be sent: "kept on the volume data"
#   READY_URL        answers when the agent has started; until then its state is kept as it was before
#   LEAVES_OUT       yes: the agent leaves out what the variable NOT_REGULAR is a glob of, without its first
#                    slash: matches that are no regular files. It is started again where one is new
#   VOLUMES          "BYTES FOLDER", one a line: a warning when 80 % of them are used
#   WATCH_SECONDS    how often that, and what the agent reads, is looked at (10)
#   STATE_DIR        a small writable directory that outlives the container (/run/outrigger)
#   MEMORY_BYTES     the container's memory limit; Go's collector is told to stay below it
#
# What has been read is known from /proc/PID/fdinfo: the agent has a file open, and has read it to its
# size. A file that it does not have open counts as unread from where it was when it last had.
set -uf
export LC_ALL=C
NEWLINE='
'
IFS=$NEWLINE # lists hold one item a line

BUSYBOX=${BUSYBOX:-/outrigger-tools/busybox}
QUIET_SECONDS=${QUIET_SECONDS:-1}
DRAIN_SECONDS=${DRAIN_SECONDS:-10}
WATCH_SECONDS=${WATCH_SECONDS:-10}
STATE_DIR=${STATE_DIR:-/run/outrigger}
REMEMBERED=$STATE_DIR/read-to REMEMBERED_NEW=$STATE_DIR/read-to.new BEFORE=$STATE_DIR/before-start
LOST=$STATE_DIR/lost POD=${K8S_POD_UID:-this} # on a persistent volume it outlives the pod
LOOK_SECONDS=0.2 SCRAPE_SECONDS=2 HEAD_BYTES=1000 MANY=50
INTERRUPTED=145 # by SIGCHLD, as `wait` says
NEVER_OPEN='the agent may not read it, or takes it for another file that begins with the same bytes'

say() { printf 'outrigger: %s\n' "$*" >&2; }
busybox() { "$BUSYBOX" "$@"; }

now() { # sets now, in hundredths of a second since the machine started
  IFS=' ' read -r uptime _ </proc/uptime
  now=${uptime%.*}${uptime#*.}
}

runs() { # process; not a zombie
  { IFS= read -r process_state <"/proc/$1/stat"; } 2>/dev/null || return
  case ${process_state##*') '} in Z*) false ;; esac
}

# ---- The files and how far the agent has read them

# Prints the fixed folders that globs begin with, each once.
folders_of() { # globs
  printf '%s\n' "$1" | busybox sed -n 's|[*?[{].*||; s|/[^/]*$|/|p' | busybox sort -u
}

# Prints the paths that match one of the globs and none of the others, as the collector's globs do: ** is
# any number of folders, [^a] and [!a] are negated, {a,b} are alternatives.
files_that_match() { # globs, globs of what is left out
  depth='' slashes=0
  for glob in $1; do
    case $glob in *'**'*) depth=any ;; esac
    parts=$(printf '%s' "$glob" | busybox tr -dc /)
    [ "${#parts}" -le "$slashes" ] || slashes=${#parts}
  done
  [ "$depth" ] || depth="-maxdepth$NEWLINE$slashes"
  # shellcheck disable=SC2046,SC2086,SC2016 # one folder a line; two words; awk's own variables
  busybox find $(folders_of "$1") ${depth#any} ! -type d 2>/dev/null | busybox sort |
    GLOBS=$1 OTHERS=${2:-} busybox awk '
      function expression(glob,  i, c, e, end) {
        e = "^"
        for (i = 1; i <= length(glob); i++) {
          c = substr(glob, i, 1)
          if (substr(glob, i, 3) == "**/") { e = e "(.*/)?"; i += 2 }
          else if (substr(glob, i, 2) == "**") { e = e ".*"; i++ }
          else if (c == "*") e = e "[^/]*"
          else if (c == "?") e = e "[^/]"
          else if (c == "[" && (end = index(substr(glob, i + 2), "]"))) {
            c = substr(glob, i + 1, end)
            sub(/^[!^]/, "^", c)
            e = e "[" c "]"
            i += end + 1
          }
          else if (c == "{") { e = e "("; inside++ }
          else if (c == "}" && inside) { e = e ")"; inside-- }
          else if (c == "," && inside) e = e "|"
          else if (c ~ /[a-zA-Z0-9_\/,-]/) e = e c
          else e = e "\\" c
        }
        return e "$"
      }
      BEGIN {
        wanted = split(ENVIRON["GLOBS"], globs, "\n"); for (g = 1; g <= wanted; g++) globs[g] = expression(globs[g])
        left = split(ENVIRON["OTHERS"], others, "\n"); for (g = 1; g <= left; g++) others[g] = expression(others[g])
      }
      {
        gsub(/\/\/+/, "/")
        for (g = 1; g <= left; g++) if ($0 ~ others[g]) next
        for (g = 1; g <= wanted; g++) if ($0 ~ globs[g] && !seen[$0]++) print
      }'
}

# Prints "DEVICE:INODE POSITION SIZE PATH" of each regular file that the agent has open to read only.
positions() {
  set +f
  # shellcheck disable=SC2016 # awk's own variables
  busybox stat -L -c '%d:%i %s %F %n' /proc/"$agent"/fd/* 2>/dev/null | busybox awk -v agent="$agent" '
    / regular (empty )?file \/proc/ {
      descriptor = $NF; sub(".*/", "", descriptor)
      info = "/proc/" agent "/fdinfo/" descriptor
      position = ""; reads = 0
      while ((getline line < info) > 0) {
        split(line, field, /[ \t]+/)
        if (field[1] == "pos:") position = field[2]
        if (field[1] == "flags:" && field[2] ~ /[048]$/) reads = 1
      }
      close(info)
      if (reads && position != "") print $1, position, $2, $NF
    }'
  set -f
}

# Sets listing, which changes when a file does, paths, and strange: what matches and is no regular file, such as a
# pipe or a link to /dev/stdout. Nobody may open that: it would wait for a writer.
list_files() {
  listing='' paths='' strange=''
  [ "${FILES:-}" ] || return 0
  paths=$(files_that_match "$FILES" "${EXCLUDE:-}")
  [ "$paths" ] || return 0
  # shellcheck disable=SC2086 # one path a line
  states=$(busybox stat -L -c '%d:%i %s %F %n' $paths 2>/dev/null)
  listing=$(printf '%s\n' "$states" | busybox sed -n 's/ regular \(empty \)\{0,1\}file / /p')
  paths=$(printf '%s\n' "$listing" | busybox sed 's/^[^ ]* [^ ]* //')
  strange=$(printf '%s\n' "$states" | busybox sed -n '/^[^ ]* [^ ]* \(regular\|directory\) /d; s|^[^/]* /|/|p')
}

# Sets, beside what list_files does, "BYTES POSITION PATH" of each file that is not read
# to its end: behind, of those that the agent has open, and closed, of those that it does not. How far
# a file was read when it was open is remembered, by its inode. A file that the agent has open and that
# no longer has a name that matches is read to its end too.
look_at_files() {
  behind='' closed=''
  list_files
  [ "${FILES:-}" ] || return 0
  # shellcheck disable=SC2016 # awk's own variables
  states=$({
    busybox cat "$REMEMBERED" 2>/dev/null
    printf '\n%s\n\n%s\n' "$(positions)" "$listing"
  } | busybox awk -v remembered="$REMEMBERED_NEW" '
    !NF { part++; next }
    part == 0 { before[$1] = $2; next }
    part == 1 { if (!($1 in at) || at[$1] < $2) { at[$1] = $2; size[$1] = $3; descriptor[$1] = $4 } next }
    {
      path = $0; sub(/^[^ ]* [^ ]* /, "", path)
      open = $1 in at
      listed[$1] = 1
      position = open ? at[$1] : $1 in before && before[$1] <= $2 ? before[$1] : 0
      if (position > $2) position = $2
      if ($1 in before && before[$1] > $2) print "truncated", path
      print $1, position > remembered
      if (position < $2) print open ? "behind" : "closed", $2 - position, position, path
    }
    END { for (inode in at) if (!(inode in listed) && at[inode] < size[inode]) print "unnamed", size[inode] - at[inode], at[inode], descriptor[inode] }') ||
    states=$(printf '%s\n' "$listing" | busybox awk 'NF { path = $0; sub(/^[^ ]* [^ ]* /, "", path); print "behind", $2, 0, path }')
  busybox mv "$REMEMBERED_NEW" "$REMEMBERED" 2>/dev/null
  for state in $states; do
    case $state in
      behind*) behind=$behind${state#* }$NEWLINE ;;
      closed*) closed=$closed${state#* }$NEWLINE ;;
      unnamed*) add_unnamed "${state#* }" ;;
      truncated*) say "${state#* } was truncated; what was written between a copy and that is lost" ;;
    esac
  done
}

add_unnamed() { # "BYTES POSITION DESCRIPTOR" of a file that the agent still reads, if it is one of the app's
  named=$(busybox readlink "${1##* }") || return 0
  for folder in $(folders_of "$FILES"); do
    case $named in "$folder"*) behind=$behind$1$NEWLINE; return ;; esac
  done
}

# Sets alike: the paths of files that begin with the same bytes as another, by which a collector knows a
# file: it takes them for one, and counts the one as read where it has read the other.
look_for_alike() {
  alike=''
  # shellcheck disable=SC2086 # one path a line
  set -- $paths
  [ $# -le "$MANY" ] || return 0
  alike=$(for path in $paths; do
    busybox head -c "$HEAD_BYTES" "$path" 2>/dev/null | busybox md5sum | busybox sed "s/ .*//"
    printf '%s\n' "$path"
  done | busybox awk -v empty=d41d8cd98f00b204e9800998ecf8427e '
    NR % 2 { head = $0; next }
    head == empty { next }
    head in first { print $0; next }
    { first[head] = $0 }')
}

# ---- What the agent holds

# busybox asks a proxy of the environment for localhost too, and knows no no_proxy.
ask() { busybox wget -Y off -q -T "$SCRAPE_SECONDS" -O "$2" "$1" 2>/dev/null; } # URL, file

scrape() { # sets metrics; fails, and leaves them as they were, when the agent does not answer
  answer=$(ask "$METRICS_URL" -) && metrics=$answer
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
    END { printf "%.0f\n", total }'
}

look_at_agent() { # sets held: what the agent still holds, or unknown
  held=unknown
  if [ "${LEFT_COMMAND:-}" ]; then
    held=$(PATH=$PATH:${BUSYBOX%/*} && eval "$LEFT_COMMAND" 2>/dev/null)
  elif [ "${METRICS_URL:-}" ]; then
    ! scrape || held=$(sum "$LEFT_METRICS")
  else
    held=0
  fi
  case $held in '' | *[!0-9]*) held=unknown ;; esac
}

# ---- What is lost for good

# Sets lost: "COUNT WHAT" of each of LOST_METRICS that is not 0, one a line. An agent that starts counts from 0, so there is
# remembered, as "POD NAME BEFORE NOW", what those counted that have ended, and this one.
count_lost() { # now: by its metrics; new: when it starts
  lost='' remembered=''
  for line in ${LOST_METRICS:-}; do
    name=${line%% *} before=0 count=0
    known=$(busybox sed -n "s/^$POD $name //p" "$LOST" 2>/dev/null)
    [ -z "$known" ] || before=${known% *} count=${known#* }
    if [ "$1" = new ]; then
      before=$((before + count)) count=0
    elif [ "$metrics" ]; then
      count=$(sum "$name")
    fi
    remembered="$remembered$POD $name $before $count$NEWLINE"
    [ $((before + count)) = 0 ] || lost="$lost$((before + count)) ${line#* }$NEWLINE"
  done
  [ -z "$remembered" ] || { printf '%s' "$remembered" >"$LOST.new" && busybox mv "$LOST.new" "$LOST"; } 2>/dev/null
}

look_at_lost() { [ -z "${LOST_METRICS:-}" ] || ! scrape || count_lost now; }

# ---- The end

drain() { # waits until nothing is left; fails when the time is up, nothing more happens, or the agent has ended
  now
  deadline=$((now + DRAIN_SECONDS * 100)) quiet_since=$now last_listing=''
  while runs "$agent"; do
    look_at_files
    if is_new_to_agent; then
      stop_for_good
      start_agent
    fi
    [ ! -d "$BEFORE" ] || ! ask "$READY_URL" /dev/null || drop_copy
    look_at_agent
    now
    if [ -z "$behind" ] && [ "$held" = 0 ] && [ "$listing" = "$last_listing" ]; then
      quiet=$((now - quiet_since))
      if [ -z "$closed" ]; then
        [ "$quiet" -lt $((QUIET_SECONDS * 100)) ] || return 0
      else # the agent looks for files several times a second
        [ "$quiet" -lt $(((QUIET_SECONDS + 2) * 100)) ] || return 1
      fi
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

count_lines() { # "BYTES POSITION PATH": sets bytes, path and count, of the lines from there on
  bytes=${1%% *} path=${1#* * } at=${1#* }
  count=$(busybox tail -c "+$((${at%% *} + 1))" "$path" 2>/dev/null | busybox awk 'END { print NR }')
}

say_alike() {
  look_for_alike
  for path in $alike; do
    count_lines "0 0 $path"
    say "in doubt: $count lines of $path, which begins with the same $HEAD_BYTES bytes as another file"
  done
}

say_unread() { # "BYTES POSITION PATH", what is said of it: counts its lines, of the first files only, as time is short
  unread_files=$((unread_files + 1))
  [ "$unread_files" -le "$MANY" ] || return 0
  count_lines "$1"
  lines=$((lines + count))
  case $path in /proc/*) path=$(busybox readlink "$path") ;; esac
  say "not read: $bytes bytes, $count lines of $path$2"
}

say_what_is_left() {
  lines=0 unread_files=0
  say_alike
  for file in $behind; do say_unread "$file" ''; done
  for file in $closed; do
    case $NEWLINE$alike$NEWLINE in
      *"$NEWLINE${file#* * }$NEWLINE"*) ;; # it is in doubt
      *) say_unread "$file" "; $NEVER_OPEN" ;;
    esac
  done
  [ "$unread_files" -le "$MANY" ] || say "not read, and not counted: $((unread_files - MANY)) files more"
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
  count_lost now
  for what in $lost; do say "lost: $what"; done
  say "not delivered: $lines lines${alike:+, and what is in doubt}; they are ${KEPT:-lost with the pod}"
}

# Where files are unread the agent is killed, not asked to end: a collector whose queue is full, ending
# in mid-file, notes lines as read that it could not queue. Lines are rather sent twice than lost.
stop_agent() { # signal
  kill -"$1" "$agent" 2>/dev/null
  wait "$agent" 2>/dev/null
}

finish() {
  trap '' TERM INT USR1
  trap - CHLD
  kill "$watcher" 2>/dev/null
  if drain; then
    stop_agent TERM
    say_alike
    count_lost now
    if [ "$lost" ]; then
      for what in $lost; do say "lost: $what"; done
      say "everything else is delivered${alike:+ but what is in doubt}"
    else
      say "everything is delivered${alike:+ but what is in doubt}"
    fi
  else
    say_what_is_left
    if [ "$behind" ]; then stop_agent KILL; else stop_agent TERM; fi
  fi
  exit 0
}

# ---- The start

# A collector that is killed while it starts loses what its last life had under way: it takes that out of
# the queue on disk before it puts it back. So its state is copied before it starts, the copy stays until
# it has started, and one that is still there takes the state's place.
keep_state() {
  [ "${READY_URL:-}" ] || return 0
  set +f
  busybox rm -f "$STATE_DIR"/tempdb* # of a compaction that was broken off
  # The first start of all has nothing that it could lose, and its copy nothing to restore.
  if busybox rmdir "$BEFORE" 2>/dev/null || [ ! -d "$BEFORE" ]; then
    copy_state || busybox rm -rf "$BEFORE.new"
  else
    say 'the last start was broken off; its state is restored, and some lines may be sent twice'
    busybox cp "$BEFORE"/* "$STATE_DIR/"
  fi
  set -f
}

copy_state() {
  busybox rm -rf "$BEFORE.new" && busybox mkdir "$BEFORE.new" || return
  for file in "$STATE_DIR"/*; do
    case $file in *.backup) continue ;; esac # which the collector has set aside, as it was broken
    [ ! -f "$file" ] || busybox cp "$file" "$BEFORE.new/" || return
  done
  busybox mv "$BEFORE.new" "$BEFORE"
}

await_start() {
  until ask "$READY_URL" /dev/null; do
    busybox sleep "$LOOK_SECONDS"
  done
}

forget_state() { # when the agent has started
  [ -d "$BEFORE" ] || return 0
  await_start
  drop_copy
}

drop_copy() { busybox mv "$BEFORE" "$BEFORE.new" && busybox rm -rf "$BEFORE.new"; }

# ---- What is no regular file

contains() { # list, item
  case $NEWLINE$1$NEWLINE in *"$NEWLINE$2$NEWLINE"*) ;; *) false ;; esac
}

warn_of_strange() {
  for path in $strange; do warn_once "$path strange" "$path is no regular file, and is not shipped"; done
}

# Whether the agent has to be started again, as it waits for the writer of what has come, or leaves out what has become
# a regular file.
is_new_to_agent() {
  [ "${LEAVES_OUT:-}" ] && [ "$strange" != "$left_out" ] || return
  for path in $strange; do contains "$left_out" "$path" || return 0; done
  for path in $left_out; do ! contains "$paths" "$path" || return 0; done
  return 1
}

start_agent() { # sets agent
  list_files
  warn_of_strange
  left_out=$strange
  # A glob for each: what is special in globs stands for any one character, what is not ASCII for any number.
  NOT_REGULAR=$(printf '%s\n' "$strange" | busybox sed 's|^/||; s/[^ -~][^ -~]*/*/g; s|[^A-Za-z0-9_.*/-]|?|g' | busybox tr '\n' ,)
  export NOT_REGULAR="{${NOT_REGULAR%,}}"
  keep_state
  metrics=''
  count_lost new
  (
    trap - TERM # which is ignored at the end
    eval "exec $command"
  ) &
  agent=$!
}

# An agent that waits for the writer of a pipe does not heed SIGTERM.
stop_for_good() {
  look_at_lost
  kill "$agent" 2>/dev/null
  now
  deadline_of_agent=$((now + 300))
  while runs "$agent" && now && [ "$now" -lt "$deadline_of_agent" ]; do busybox sleep "$LOOK_SECONDS"; done
  stop_agent KILL
}

# ---- Meanwhile

warn_once() { # key, message
  case $warned in *"<$1>"*) return ;; esac
  warned="$warned<$1>"
  say "warning: $2"
}

warn_again() { # key: what it warns of is over
  case $warned in *"<$1>"*) warned=${warned%%"<$1>"*}${warned#*"<$1>"} ;; esac
}

watch_volumes() {
  for line in ${VOLUMES:-}; do
    folder=${line#* } limit=${line%% *}
    used=$(busybox du -sk "$folder" 2>/dev/null)
    used=${used%%[!0-9]*}
    used=$((${used:-0} * 1024))
    if [ $((used * 10)) -lt $((limit * 8)) ]; then
      warn_again "$folder"
    else
      warn_once "$folder" "$folder holds $used bytes of at most $limit; the kubelet evicts a pod that holds more"
    fi
  done
}

watch_files() { # a file that is closed at two looks is one that the agent does not read
  before=$closed
  if [ -z "$behind$closed" ]; then # as long as nothing is new, all is read
    list_files
    [ "$listing" != "$looked_at" ] || return 0
  fi
  look_at_files
  looked_at=$listing
  for file in $closed; do
    case $NEWLINE$before in
      *" ${file#* * }$NEWLINE"*)
        count_lines "$file"
        warn_once "$path" "$count lines of $path are not read; $NEVER_OPEN"
        ;;
    esac
  done
}

watch_lost() {
  look_at_lost
  for what in $lost; do warn_once "${what#* }" "$what, as the agent says above"; done
}

# shellcheck source=/dev/null # ROTATE_FILES and the others are said there
[ -z "${ROTATE_BYTES:-}" ] || . "${0%/*}/rotate.sh"

watch_alike() { # only when a file is new
  files=$(printf '%s\n' "$listing" | busybox sed 's/ .*//')
  [ "$files" != "$known_files" ] || return 0
  known_files=$files
  look_for_alike
  for path in $alike; do
    warn_once "$path alike" "$path begins with the same $HEAD_BYTES bytes as another file: the agent may take them for one, and lose or repeat lines"
  done
}

watch() {
  behind='' closed='' known_files='' looked_at='' lost=''
  forget_state
  while busybox sleep "$WATCH_SECONDS"; do
    watch_files
    [ "${LEAVES_OUT:-}" ] || warn_of_strange # else it is said when the agent is started
    ! is_new_to_agent || kill -USR1 $$ # to be started again
    watch_alike
    watch_lost
    [ -z "${ROTATE_BYTES:-}" ] || rotate_files
    watch_volumes
  done
}

if [ "$1" = --await-start ]; then
  await_start
  exit 0
fi

[ -z "${MEMORY_BYTES:-}" ] || export GOMEMLIMIT="$((MEMORY_BYTES * 8 / 10))"
stopping='' again='' warned='' behind='' closed='' paths='' held=0 metrics=''
command=''
for word; do command="$command '$(printf '%s\n' "$word" | busybox sed "s/'/'\\\\''/g")'"; done

start() {
  trap 'stopping=yes' TERM INT # there is nothing to finish before the agent is known
  start_agent
  watch &
  watcher=$!
  trap finish TERM INT
  [ -z "$stopping" ] || finish
}

trap 'again=yes' USR1
trap : CHLD # so that the end of the watcher interrupts the waiting too
start
while :; do
  wait "$agent"
  code=$?
  if [ "$again" ]; then
    again=''
    kill "$watcher" 2>/dev/null
    say 'the agent is started again, to leave out what is no regular file'
    stop_for_good
    start
  elif [ "$code" != "$INTERRUPTED" ]; then
    break
  elif ! runs "$watcher"; then
    say 'warning: what watches the files and volumes has ended; it is started again'
    watch &
    watcher=$!
  fi
done
kill "$watcher" 2>/dev/null
say "the agent ended with exit code $code"
exit "$code"

#!/bin/sh
# shellcheck shell=sh disable=SC2015,SC2154,SC3045 # variables are set by `get`; ash has `ulimit -n`
#
# Writes the lines of log files to standard output. While it runs nothing is lost or repeated,
# whether files are renamed, copied and truncated, or deleted.
#
#   STATE_DIR=/state logshipper.sh '/var/log/shop/*.log' /opt/logs.txt
#
#   STATE_DIR        a small writable directory that outlives the container (an emptyDir)
#   POLL_SECONDS     the wait between two looks at the files (0.25)
#   LINGER_SECONDS   0: at SIGTERM ship what there is and end. More: go on until the files have
#   QUIET_SECONDS    been quiet for QUIET_SECONDS (2), at most LINGER_SECONDS
#
# The rotated files of a pattern P are P.1, P-20300131, P.old, P.bak and the like; compressed
# files are never shipped. Only whole lines are written; a line longer than 256 KiB is cut.
#
# What can be lost:
#  - what was written between the end of a copytruncate's copy and its truncation (it is nowhere);
#  - the unread end of a file that was truncated without a copy, or whose copy was compressed or
#    deleted before it was opened;
#  - the unread lines of a file that was deleted or compressed before it was ever opened, or
#    while the container was down;
#  - the first lines after a truncation if, at the next look, the file has outgrown its old
#    position and begins with the same 1024 bytes as before.
# What can be repeated: after a SIGKILL, the chunk (256 KiB at most) not yet noted as written; what
# the copy of a copytruncate holds if the script is started while the copy is being made.
set -uf
export LC_ALL=C

CHUNK_BYTES=262144 HEAD_BYTES=1024 FIRST_DESCRIPTOR=100 LOOKS_AT_MOST=20 POLLS_UNTIL_GONE=8
NEWLINE='
'
IFS=$NEWLINE # lists hold one item a line

say() { printf 'logshipper: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
say_once() { # key, message
  case $said in *"<$1>"*) return ;; esac
  said="$said<$1>"
  say "$2"
}

# Each tracked file is an open descriptor N, which keeps its inode from being used again, and
#   identity_N   device_inode, empty until a look has seen the descriptor
#   position_N   the bytes shipped
#   known_N      the length of its head that is kept to tell whether it is still the same
#   size_N, modified_N, links_N, name_N   as last seen; the name is empty when none was found
#   placed_N     whether the last look found a name
#   ordered_N    whether its place among the others is known
#   log_N        the name it was opened by, without what a rotation adds
#   role_N       new: not yet decided; copy: held back, its lines come from the original;
#                shipped: its lines are written
#   copy_N       the descriptor of its held copy
#   truncated_N  yes: it began anew; found: and its copy was found after that
#   finished_N   the size and time of modification up to which everything is done
#   polls_N      how many polls it has been deleted and quiet
get() { eval "$1=\$$2_$3"; } # variable, field, descriptor
put() { eval "$1_$2=\$3"; }  # field, descriptor, value

# ---- What is kept in STATE_DIR: the position and the first bytes of each file

head_file() { get identity identity "$1"; head_file=$STATE_DIR/$identity.head; }

save_position() { # descriptor, position
  put position "$1" "$2"
  get identity identity "$1"
  # One short write over the line before it: a SIGKILL leaves either the old line or the new.
  printf '%20d\n' "$2" 1<>"$STATE_DIR/$identity.position" || die "cannot write to $STATE_DIR"
}

restore_positions() {
  set +f
  for position_file in "$STATE_DIR"/*.position; do
    IFS=' ' read -r position 2>/dev/null <"$position_file" || continue
    identity=${position_file##*/}
    case $position in *[!0-9]*) ;; *) eval "saved_${identity%.position}=\$position" ;; esac
  done
  set -f
}

# A file that comes later may have the inode of one that is gone.
drop_unclaimed_positions() {
  set +f
  for file in "$STATE_DIR"/*.position "$STATE_DIR"/*.head; do
    identity=${file##*/}
    identity=${identity%.*}
    case $identity in *[!0-9_]*) continue ;; esac
    eval "descriptor=\${descriptor_of_$identity-}; saved_$identity=''"
    [ -n "$descriptor" ] || rm -f "$file"
  done
  set -f
}

# Keeps as much of the head as there is by now, if it still begins with what is kept already.
keep_head() { # descriptor
  head_file "$1"
  if ! dd if="/proc/self/fd/$1" of="$STATE_DIR/first" bs=$HEAD_BYTES count=1 2>/dev/null; then
    complain_of "$1"
    return
  fi
  get known known "$1"
  if [ "$known" -gt 0 ] && ! cmp -s -n "$known" "$head_file" "$STATE_DIR/first" 2>/dev/null; then
    note_truncation "$1"
    return
  fi
  mv "$STATE_DIR/first" "$head_file" || die "cannot write to $STATE_DIR"
  known=$(stat -c %s "$head_file")
  put known "$1" "${known:-0}"
  # Nothing is shipped of it before the next look: what is found then, and not like this head,
  # is older.
  get position position "$1"
  [ "$position" -gt 0 ] || again=yes
}

begins_with() { # descriptor, length, file; 1: no, 2: it cannot be read
  cmp -s -n "$2" "$3" "/proc/self/fd/$1" 2>/dev/null
}

# Whether the file no longer begins as it did.
began_anew() { # descriptor
  get known known "$1"
  head_file "$1"
  [ "$known" -gt 0 ] || return 1
  begins_with "$1" "$known" "$head_file"
  [ $? -eq 1 ]
}

# Its mode may have been changed since it was opened; it stays open and is tried again.
complain_of() { # descriptor
  pending=yes unopened=yes
  get name name "$1"
  [ -z "$name" ] || say_once "$name" "cannot read $name as uid $user, or write to $STATE_DIR: $mend"
}

# ---- Looking for files

# Sets `candidates` to the files that match, the oldest of each log first.
list_candidates() { # patterns
  dated='' one_digit='' two_digits='' three_digits='' current=''
  for pattern; do
    check_directory "$pattern"
    set +f
    # shellcheck disable=SC2086 # to be expanded
    set -- $pattern*
    set -f
    # A directory may allow a file to be opened and not to be listed.
    [ "$*" != "$pattern*" ] || set -- "$pattern"
    for path; do
      # shellcheck disable=SC2254 # $pattern is to be matched
      case $path in
        *"$NEWLINE"*) say_once newline 'files with a newline in their name are ignored' ;;
        *.gz | *.bz2 | *.xz | *.zst | *.lz4 | *.zip) ;;
        $pattern.[0-9]) add one_digit ;;
        $pattern.[0-9][0-9]) add two_digits ;;
        $pattern.[0-9][0-9][0-9]) add three_digits ;;
        $pattern.[0-9]* | $pattern-[0-9]* | $pattern.old | $pattern.bak | $pattern.backup | $pattern.prev) add dated ;;
        $pattern) add current ;;
      esac
    done
  done
  candidates=$dated$three_digits$two_digits$one_digit$current
}

add() { # list; the path in `path`
  if ! [ -f "$path" ]; then
    [ ! -e "$path" ] || [ -d "$path" ] || say_once "$path strange" "$path is no regular file, and is not shipped"
    # What was listed and is gone has been renamed.
    [ -e "$path" ] || [ -h "$path" ] || [ "$path" = "$pattern" ] || again=yes
    return
  fi
  case $1 in
    *digit*) eval "$1=\$path\$NEWLINE\$$1" ;; # the higher the number, the older
    *) eval "$1=\$$1\$path\$NEWLINE" ;;
  esac
}

check_directory() { # pattern
  set +f
  # shellcheck disable=SC2086 # to be expanded
  set -- ${1%/*}
  set -f
  for directory; do
    # One that does not exist yet will appear in the nearest one that does.
    until [ -e "${directory:-/}" ]; do directory=${directory%/*}; done
    directory=${directory:-/}
    [ -r "$directory" ] && [ -x "$directory" ] ||
      say_once "$directory" "cannot list $directory as uid $user: $mend"
  done
}

# Opens a file under the next free descriptor; which file that is, the next look will tell.
open_file() { # path
  # shellcheck disable=SC2086 # a list
  set -- "$1" $spare_descriptors
  descriptor=${2:-$next_descriptor}
  # Without `command` a failed redirection of exec would end the shell.
  if ! { eval "command exec $descriptor<\"\$1\""; } 2>/dev/null; then
    if [ -r "$1" ]; then
      say_once "$1" "cannot open $1: at most $(ulimit -n) files may be open"
    elif [ -e "$1" ]; then
      say_once "$1" "cannot read $1 as uid $user: $mend"
    fi
    return 1
  fi
  put name "$descriptor" "$1"
  put_log "$descriptor" "$1"
  put placed "$descriptor" yes
  if [ $# -gt 1 ]; then
    shift 2
    spare_descriptors="$*"
  else
    next_descriptor=$((descriptor + 1))
  fi
  for field in identity modified copy truncated finished ordered; do put $field "$descriptor" ''; done
  for field in position known size links polls; do put $field "$descriptor" 0; done
  put role "$descriptor" new
  undecided=yes
}

close_file() { # descriptor
  eval "exec $1<&-"
  spare_descriptors=$spare_descriptors$NEWLINE$1
  replace "$1"
}

# Looks once at all files. Fails when something was new: then only another look can tell that
# nothing older was missed while files were being renamed.
look() { # patterns
  again=''
  list_candidates "$@"
  set --
  for descriptor in $descriptors; do set -- "$@" "/proc/self/fd/$descriptor"; done
  # Rotated names come before current ones: a file that has its current name here had not been
  # renamed yet when the others were looked at.
  # shellcheck disable=SC2086 # a list
  set -- "$@" $candidates
  seen=''
  [ $# -eq 0 ] || seen=$(stat -L -c '%d_%i %s %h %y%n' "$@" 2>/dev/null)
  [ "$seen" != "$settled" ] || return 0
  settled='' named=$NEWLINE
  # shellcheck disable=SC2086 # a list
  set -- $candidates
  unseen=$#
  for line in $seen; do
    path=/${line#*/}
    line=${line%%/*}
    identity=${line%% *}
    line=${line#* }
    case $path in
      /proc/self/fd/*) update_file "${path##*/}" "${line%% *}" "${line#* }" ;;
      *) place_candidate ;;
    esac
  done
  unnamed=''
  for descriptor in $descriptors; do
    case $named in *"$NEWLINE$descriptor$NEWLINE"*) ;; *)
      unnamed=$unnamed$descriptor$NEWLINE
      # While files are renamed a listing may leave one out.
      get placed placed "$descriptor"
      get links links "$descriptor"
      [ -z "$placed" ] || [ "$links" -eq 0 ] || again=yes
      put placed "$descriptor" '' ;;
    esac
  done
  open_named
  [ -z "$again" ] && [ "$unseen" -eq 0 ] || return 1
  # Files without a name have been deleted and are older than the others.
  descriptors=$unnamed$by_name
  decide_roles
}

# Opens what `named` has that is not open, and sets `by_name` to the descriptors in the order of their
# names. Until a look finds nothing new, the known files keep their order: one without a name may just
# be being renamed.
open_named() {
  opened=$NEWLINE by_name=''
  set --
  for entry in $named; do
    path=/${entry#*/}
    case $entry in
      */*)
        if open_file "$path"; then
          put identity "$descriptor" "${entry%%/*}"
          again=yes opened=$opened$descriptor$NEWLINE by_name=$by_name$descriptor$NEWLINE
          set -- "$@" "/proc/self/fd/$descriptor"
        elif [ -e "$path" ]; then
          unopened=yes
        else
          again=yes
        fi ;;
      *) by_name=$by_name$entry$NEWLINE ;;
    esac
  done
  [ $# -eq 0 ] || verify_opened "$@"
  place_named
}

# Another file may have had the name by the time it was opened: its place is not known before a look
# has named it.
verify_opened() { # paths of descriptors
  for line in $(stat -L -c '%d_%i%n' "$@" 2>/dev/null); do
    descriptor=${line##*/}
    get identity identity "$descriptor"
    [ "$identity" != "${line%%/*}" ] || put ordered "$descriptor" yes
    put identity "$descriptor" ''
  done
}

place_named() {
  fresh='' later=''
  for descriptor in $by_name; do
    get ordered ordered "$descriptor"
    case $opened in
      *"$NEWLINE$descriptor$NEWLINE"*)
        if [ -n "$ordered" ]; then fresh=$fresh$descriptor$NEWLINE; else later=$later$descriptor$NEWLINE; fi ;;
      *)
        if [ -n "$ordered" ]; then
          [ -z "$fresh" ] || insert_fresh "$descriptor"
        else
          put ordered "$descriptor" yes
          replace "$descriptor"
          fresh=$fresh$descriptor$NEWLINE
        fi ;;
    esac
  done
  descriptors=$descriptors$fresh$later
}

# Puts those of `fresh` that are of the same log before a descriptor.
insert_fresh() { # descriptor
  get log log "$1"
  others='' older=''
  for other in $fresh; do
    get other_log log "$other"
    case $other_log in
      "$log") older=$older$other$NEWLINE ;;
      *) others=$others$other$NEWLINE ;;
    esac
  done
  fresh=$others
  replace "$1" "$older$1$NEWLINE"
}

# Puts other descriptors, or none, in the place of one.
replace() { # descriptor, list
  descriptors=$NEWLINE$descriptors
  descriptors=${descriptors%%"$NEWLINE$1$NEWLINE"*}$NEWLINE${2-}${descriptors#*"$NEWLINE$1$NEWLINE"}
  descriptors=${descriptors#"$NEWLINE"}
}

# The name without what a rotation added: which log a file is of.
put_log() { # descriptor, path
  case $2 in
    *.[0-9] | *.[0-9][0-9] | *.[0-9][0-9][0-9] | *.old | *.bak | *.backup | *.prev) put log "$1" "${2%.*}" ;;
    *[.-][0-9][0-9][0-9][0-9]*) put log "$1" "${2%%[.-][0-9][0-9][0-9][0-9]*}" ;;
    *) put log "$1" "$2" ;;
  esac
}

update_file() { # descriptor, size, "links modified"; the identity in `identity`
  get previous identity "$1"
  if [ -z "$previous" ]; then
    eval "previous=\${descriptor_of_$identity-}"
    if [ -n "$previous" ]; then
      close_file "$1" # it was renamed between the look and the opening, and is open already
      return
    fi
    put identity "$1" "$identity"
    eval "descriptor_of_$identity=\$1"
    restore_file "$1"
  fi
  put size "$1" "$2"
  put links "$1" "${3%% *}"
  put modified "$1" "${3#* }"
  # A new one that has been deleted already is judged by the name it had.
  get role role "$1"
  [ "$role" = new ] || put name "$1" ''
  get known known "$1"
  get position position "$1"
  get truncated truncated "$1"
  if [ -n "$truncated" ]; then
    return
  elif [ "$2" -lt "$position" ]; then
    note_truncation "$1"
  elif [ "$known" -lt $HEAD_BYTES ] && [ "$2" -gt 0 ] && [ "$2" -ge $((known * 2)) ]; then
    keep_head "$1"
  fi
}

# The copy that was made before a truncation may be there only at the next look.
note_truncation() { # descriptor
  get truncated truncated "$1"
  pending=yes hurry=yes
  [ -z "$truncated" ] || return 0
  put truncated "$1" yes
  again=yes
}

restore_file() { # descriptor
  eval "saved=\${saved_$identity-}; saved_$identity=''"
  [ -n "$saved" ] || return 0
  head_file "$1"
  known=$(stat -c %s "$head_file" 2>/dev/null)
  put known "$1" "${known:-0}"
  # A rotated file that begins otherwise is another one that was given the same inode. A current
  # one may have been truncated.
  if [ "${known:-0}" -eq 0 ] || { began_anew "$1" && ! is_current "$1"; }; then
    put known "$1" 0
  else
    put position "$1" "$saved"
    put role "$1" shipped
  fi
}

# Adds what is at `path` to `named`: its descriptor, or identity and path if it is not open yet.
place_candidate() {
  unseen=$((unseen - 1))
  eval "descriptor=\${descriptor_of_$identity-}"
  case $named in
    *"$NEWLINE$identity/"* | *"$NEWLINE${descriptor:-none}$NEWLINE"*) ;;
    *)
      named=$named${descriptor:-$identity$path}$NEWLINE
      [ -z "$descriptor" ] || put name "$descriptor" "$path"
      [ -z "$descriptor" ] || put placed "$descriptor" yes ;;
  esac
}

# Looks until nothing is new. While files keep appearing, those that are known are shipped.
scan() { # patterns
  looks=1 unopened='' unsettled=''
  until look "$@"; do
    looks=$((looks + 1))
    [ $looks -le $LOOKS_AT_MOST ] || { unsettled=yes; return; }
  done
  [ "$seen" != "$settled" ] || return 0
  for descriptor in $descriptors; do
    get truncated truncated "$descriptor"
    [ -z "$truncated" ] || begin_anew "$descriptor"
  done
  decide_roles
}

# ---- Copies made by copytruncate

# Fails when it noticed a truncation, which calls for another look.
decide_roles() {
  [ -n "$undecided" ] || return 0
  undecided=''
  for descriptor in $descriptors; do
    get role role "$descriptor"
    get identity identity "$descriptor"
    [ "$role" = new ] || continue
    [ -z "$identity" ] || decide_role "$descriptor"
    get role role "$descriptor"
    [ "$role" != new ] || undecided=yes
  done
  [ -z "$again" ]
}

# A new file beside a known one that still has its own name can only be a copy of that one if
# they begin alike. Until there is enough to compare, the file stays new.
decide_role() { # descriptor
  find_original "$1"
  if [ -z "$original" ]; then
    start_file "$1" 0
    return
  fi
  get known known "$original"
  get size size "$1"
  get truncated truncated "$original"
  head_file "$original"
  compared=$((size < known ? size : known))
  if [ "$known" -eq 0 ]; then
    start_file "$1" 0
  elif [ $compared -eq 0 ]; then
    : # the copying may have just begun
  elif begins_with "$1" $compared "$head_file"; then
    get position position "$original"
    if [ -z "$truncated" ] && [ "$known" -lt $HEAD_BYTES ] && [ "$size" -gt "$known" ] &&
      ! begins_with "$original" $((size < HEAD_BYTES ? size : HEAD_BYTES)) "/proc/self/fd/$1"; then
      # The little that was known of the original is in the copy and no longer in the original.
      note_truncation "$original"
    elif [ -n "$truncated" ] || [ $compared -eq "$known" ] || [ $compared -ge "$position" ]; then
      hold_copy "$1"
    fi # less than what was shipped of the original may be the beginning of anything
  elif [ -n "$truncated" ]; then
    : # it may be a copy of what the original holds now
  elif began_anew "$original"; then
    note_truncation "$original"
  else
    start_file "$1" 0
  fi
}

is_current() { # descriptor; sets `name`
  get name name "$1"
  case $NEWLINE$current in *"$NEWLINE$name$NEWLINE"*) ;; *) false ;; esac
}

find_original() { # descriptor
  original=''
  is_current "$1" && return
  for other in $descriptors; do
    get role role "$other"
    get other_name name "$other"
    [ "$role" = shipped ] && [ -n "$other_name" ] || continue
    case $name in
      "$other_name".[0-9]* | "$other_name"-[0-9]* | "$other_name".old | "$other_name".bak | "$other_name".backup | "$other_name".prev)
        original=$other ;;
    esac
  done
}

hold_copy() { # descriptor; what is known of it and its original is in the variables of decide_role
  if [ "$truncated" = found ]; then
    start_file "$1" 0 # the copy is known, so this is a copy of what came later
    return
  fi
  [ -z "$truncated" ] || [ "$size" -lt "$position" ] || put truncated "$original" found
  get copy copy "$original"
  [ -z "$copy" ] || pass_over "$copy"
  put copy "$original" "$1"
  put role "$1" copy
}

# From the copy only that is shipped which had not been read from the original.
begin_anew() { # descriptor
  get position position "$1"
  get copy copy "$1"
  if [ -n "$copy" ]; then
    get size size "$copy"
    start_file "$copy" "$((size < position ? size : position))"
  fi
  put copy "$1" ''
  put truncated "$1" ''
  put known "$1" 0
  start_file "$1" 0
}

pass_over() { # descriptor of a copy
  get size size "$1"
  start_file "$1" "$size"
}

start_file() { # descriptor, position
  put role "$1" shipped
  put finished "$1" ''
  save_position "$1" "$2"
}

# ---- Shipping

ship_all() {
  shipped='' hurry=$unsettled pending=$unopened$unsettled
  [ "$seen" != "$settled" ] || return 0
  for descriptor in $descriptors; do ship_file "$descriptor"; done
  # Nothing is to be done until something is seen to change.
  [ -n "$pending" ] || settled=$seen
}

ship_file() { # descriptor
  get role role "$1"
  get links links "$1"
  get size size "$1"
  get modified modified "$1"
  get finished finished "$1"
  get position position "$1"
  [ "$role" != new ] && [ "$links" -ne 0 ] || pending=yes
  if [ "$role" = shipped ] && [ "$finished" != "$size $modified" ]; then
    put polls "$1" 0
    get known known "$1"
    get truncated truncated "$1"
    if [ -n "$truncated" ] || { [ "$known" -eq 0 ] && [ "$size" -gt 0 ]; }; then
      pending=yes # it has just begun anew
      [ -n "$unopened" ] || hurry=yes
      return
    fi
    if [ "$size" -le "$position" ] && began_anew "$1"; then
      note_truncation "$1"
      return
    fi
    while [ "$position" -lt "$size" ]; do
      ship_chunk "$1"
      case $? in 1) break ;; 2) return ;; esac
    done
    put finished "$1" "$size $modified"
  elif [ "$links" -eq 0 ] && [ "$role" != new ]; then
    # Its writer may still have a last word.
    get polls polls "$1"
    put polls "$1" $((polls + 1))
    [ "$polls" -lt $POLLS_UNTIL_GONE ] || forget_file "$1"
  fi
}

# Ships one chunk. Returns 1 when only part of a line is left, 2 when it is to be tried again.
ship_chunk() { # descriptor, whether a last line without its newline is shipped too
  get position position "$1"
  get size size "$1"
  wanted=$((size - position))
  [ $wanted -lt $CHUNK_BYTES ] || wanted=$CHUNK_BYTES hurry=yes
  if ! dd if="/proc/self/fd/$1" of="$STATE_DIR/chunk" bs=$CHUNK_BYTES \
    skip="$position" count=$wanted iflag=skip_bytes,count_bytes 2>/dev/null; then
    complain_of "$1"
    return 2
  fi
  # Looked at after the reading, so that the chunk is of what is being shipped.
  if began_anew "$1"; then
    note_truncation "$1"
    return 2
  fi
  # The rest is the last line that is not whole, and the newline that is added here.
  echo >>"$STATE_DIR/chunk" && tail -n 1 "$STATE_DIR/chunk" >"$STATE_DIR/rest" ||
    die "cannot write to $STATE_DIR"
  sizes=$(stat -c %s "$STATE_DIR/chunk" "$STATE_DIR/rest")
  output=$((${sizes%"$NEWLINE"*} - ${sizes#*"$NEWLINE"}))
  advance=$output
  if [ $output -eq 0 ]; then
    output=${sizes%"$NEWLINE"*}
    advance=$((output - 1))
    [ $advance -eq $CHUNK_BYTES ] || { [ $advance -gt 0 ] && [ -n "${2-}" ]; } || return 1
  fi
  dd if="$STATE_DIR/chunk" bs=$((CHUNK_BYTES + 1)) count="$output" iflag=count_bytes 2>/dev/null ||
    die 'cannot write to standard output'
  position=$((position + advance))
  save_position "$1" $position
  shipped=yes
}

flush_file() { # descriptor
  get role role "$1"
  [ "$role" = shipped ] || return 0
  while get position position "$1" && get size size "$1" && [ "$position" -lt "$size" ]; do
    ship_chunk "$1" flush || return 0
  done
}

forget_file() { # descriptor
  flush_file "$1"
  get copy copy "$1"
  [ -z "$copy" ] || pass_over "$copy"
  for other in $descriptors; do
    get copy copy "$other"
    [ "$copy" != "$1" ] || put copy "$other" ''
  done
  get identity identity "$1"
  rm -f "$STATE_DIR/$identity.position" "$STATE_DIR/$identity.head"
  eval "descriptor_of_$identity=''"
  close_file "$1"
}

# ---- The program

# Sets `now`, in hundredths of a second.
read_clock() {
  IFS=' ' read -r now _ </proc/uptime
  now=${now%.*}${now#*.}
}

# Whether to go on after SIGTERM: its writers may have been told to stop at the same time.
lingers() {
  [ "$LINGER_SECONDS" -gt 0 ] || return 1
  read_clock
  : "${stopped_at:=$now}" "${quiet_since:=$now}"
  [ -z "$shipped" ] || quiet_since=$now
  [ $((now - stopped_at)) -lt $((LINGER_SECONDS * 100)) ] && [ $((now - quiet_since)) -lt $((QUIET_SECONDS * 100)) ]
}

main() { # patterns
  stopping=''
  trap 'stopping=yes' TERM INT
  : "${POLL_SECONDS:=0.25}" "${LINGER_SECONDS:=0}" "${QUIET_SECONDS:=2}"
  [ $# -gt 0 ] || die 'usage: STATE_DIR=directory logshipper.sh pattern...'
  for pattern; do
    case $pattern in /*) ;; *) die "the pattern $pattern does not begin with a slash" ;; esac
  done
  [ -d "${STATE_DIR:-}" ] && [ -w "$STATE_DIR" ] || die "STATE_DIR (${STATE_DIR:-unset}) is not a writable directory"
  user=$(id -u)
  mend="run the sidecar as the app's user (securityContext.runAsUser), or share a group with it (fsGroup)"
  ulimit -n "$(ulimit -H -n)" 2>/dev/null
  said='' descriptors='' spare_descriptors='' next_descriptor=$FIRST_DESCRIPTOR
  undecided='' settled='' shipped=''

  restore_positions
  scan "$@"
  drop_unclaimed_positions
  ship_all
  until [ -n "$stopping" ] && ! lingers; do
    [ -n "$hurry" ] || sleep "$POLL_SECONDS"
    scan "$@"
    ship_all
  done
  until scan "$@" && ship_all && [ -z "$shipped$hurry" ]; do :; done
  for descriptor in $descriptors; do flush_file "$descriptor"; done
}

main "$@"

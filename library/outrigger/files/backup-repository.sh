#!/bin/sh
# shellcheck shell=sh disable=SC2154,SC2034 # variables of backup.sh and backup-restic.sh, which read this file
#
# Makes a restic repository where there is none: once, however many runs find none at the same time, on whatever hosts,
# and whichever of them is killed or stands still meanwhile.
#
#   INIT    yes: this backup alone makes it, by restic init; no: nobody does; nothing: whoever comes first, where the store
#           can tell who that is
#   MAKER   the backup that makes it, where it is another one of the chart
#
# restic init looks whether there is a repository, and writes its key and its config a second later: two at once leave two
# keys and one config, which nobody can use any more. So a repository is made in WORK, and its config goes where no config
# is, as only the store itself can see to: S3 by If-None-Match, a file system by a link. The key lies beside by then, under
# a name by the config's checksum, and whoever finds that config puts the key in its place. So there is never a second key,
# and nobody has to wait for somebody who may be dead.
MADE=$WORK/repository

# Sets kind to how the store puts a file where none is (s3, folder, none), and place to where the repository is.
find_kind() {
  kind=none
  case $RESTIC_REPOSITORY in
    s3:*) [ ! -x "$STORE_TOOLS/rclone" ] || { kind=s3 && name_remote; } ;;
    /* | local:*) kind=folder place=${RESTIC_REPOSITORY#local:} ;;
  esac
}

# Sets place to the repository as rclone names it, which is told of the service by variables.
name_remote() {
  scheme=https://
  case $RESTIC_REPOSITORY in s3:http://*) scheme=http:// ;; esac
  place=${RESTIC_REPOSITORY#s3:}
  place=$(printf '%s' "${place#"$scheme"}" | busybox sed 's#//*#/#g; s#^/##; s#/$##')
  host=${place%%/*} place=store:${place#*/}
  region=$(option s3.region)
  region=${region:-${AWS_DEFAULT_REGION:-$(printf '%s' "$host" | busybox sed -n 's/^s3[.-]\([a-z0-9-]*\)\.amazonaws\..*/\1/p')}}
  export RCLONE_CONFIG=/notfound RCLONE_CONFIG_STORE_TYPE=s3 RCLONE_CONFIG_STORE_PROVIDER=Other RCLONE_CONFIG_STORE_ENV_AUTH=true \
    RCLONE_CONFIG_STORE_ENDPOINT="$scheme$host" RCLONE_CONFIG_STORE_REGION="$region" RCLONE_CONFIG_STORE_ROLE_ARN="${RESTIC_AWS_ASSUME_ROLE_ARN-}"
  case $host in *.amazonaws.*) RCLONE_CONFIG_STORE_PROVIDER=AWS ;; esac
  [ "$(option s3.bucket-lookup)" != dns ] || export RCLONE_CONFIG_STORE_FORCE_PATH_STYLE=false
  [ -z "${RESTIC_CACERT-}" ] || export RCLONE_CA_CERT="$RESTIC_CACERT"
}

# Prints one of restic's extended options.
option() { printf '%s\n' "${RESTIC_OPTIONS-}" | busybox sed -n "s/^--option=$1=//p"; } # name

rclone() { "$STORE_TOOLS/rclone" --retries 1 --low-level-retries 3 --contimeout 15s --s3-no-check-bucket "$@" 2>"$ERRORS"; }

# Puts standard input where no file is. Returns 2 where one is, and 1 where it cannot be put.
put() { # name
  if [ "$kind" = s3 ]; then
    rclone rcat --header-upload 'If-None-Match: *' "$place/$1" && return
    if busybox grep -Eq 'PreconditionFailed|StatusCode: 412' "$ERRORS"; then return 2; else return 1; fi
  fi
  new=$(busybox mktemp "$place/outrigger-XXXXXX" 2>"$ERRORS") && busybox cat >"$new" 2>"$ERRORS" && busybox ln "$new" "$place/$1" 2>"$ERRORS"
  linked=$?
  busybox rm -f "$new"
  [ "$linked" != 0 ] || return 0
  if [ -e "$place/$1" ]; then return 2; else return 1; fi
}

# Gets a file, which is never an empty one.
fetch() { # name, where to
  if [ "$kind" = s3 ]; then rclone cat "$place/$1"; else busybox cat "$place/$1" 2>"$ERRORS"; fi >"$2" && [ -s "$2" ]
}

remove() { # name
  if [ "$kind" = s3 ]; then rclone deletefile "$place/$1"; else busybox rm -f "$place/$1"; fi
}

keys() {
  if [ "$kind" = s3 ]; then rclone lsf "$place/keys"; else busybox ls "$place/keys" 2>"$ERRORS"; fi
}

checksum() { busybox sha256sum <"$1" | busybox cut -d ' ' -f 1; } # file

not_made() { # reason
  advice='; run restic init, or set store.restic.init to true in the one backup that is to make it'
  ! hopeless || advice=
  fail 3 "the repository cannot be made: $1$advice"
}

# Prints what went wrong last.
trouble() {
  reason=$(busybox sed 's/^[0-9/]* [0-9:]* //; s/^[A-Z]* *: //; s/.*, api error //; s/.*, request send failed, //' "$ERRORS" | busybox grep -v '^$\|^Attempt' | busybox tail -n 1)
  printf '%s' "${reason:-$(store_error)}"
}

# Makes the repository, or finds it made by somebody who came first.
make_repository() {
  find_kind
  if [ "${INIT-}" = yes ]; then
    restic init >/dev/null || restic cat config >/dev/null || fail 3 "the repository cannot be made: $(store_error)"
    sole_key
    say 'a repository was made, on first use'
  elif [ "${INIT-}" = no ]; then
    fail 3 'there is no repository at store.restic.repository, and store.restic.init is false: run restic init, or leave init out'
  elif [ "${MAKER-}" ]; then
    await_maker
    sole_key
  elif [ "$kind" = none ]; then
    not_made 'its store cannot tell who comes first'
  else
    offer
    settle || not_made "$(trouble)"
    sole_key
    if [ "$key" = "$own_key" ]; then say 'a repository was made, on first use'; else say "the repository was made on $maker, which came first"; fi
    busybox rm -rf "$MADE"
  fi
  first_run=yes
}

# Waits for the backup that makes the repository.
await_maker() {
  say "there is no repository yet: $MAKER makes it, and is waited for"
  begun=$(now)
  while restic cat config >/dev/null; code=$?; [ "$code" = 10 ]; do
    [ $(($(now) - begun)) -lt "${PATIENCE:-900}" ] || fail 3 "there is no repository after ${PATIENCE:-900} s: $MAKER has to make it; run that backup, or restic init"
    busybox sleep 5
  done
}

# Makes a repository in WORK, and puts its config where none is.
offer() {
  busybox rm -rf "$MADE"
  (RESTIC_REPOSITORY=$MADE && attempt init >/dev/null) || not_made "$(store_error)"
  own_key=$(busybox ls "$MADE/keys")
  own_name=key-of-$(checksum "$MADE/config")
  [ "$kind" = s3 ] || (cd "$MADE" && busybox find . -type d) | (busybox mkdir -p "$place" && cd "$place" && busybox xargs "$TOOLS/busybox" mkdir -p) 2>"$ERRORS" ||
    not_made "$(trouble)"
  packed_key | put "$own_name" || not_made "$(trouble)"
  # A store that does not know the condition takes the file again.
  packed_key | put "$own_name"
  case $? in
    0) remove "$own_name"; not_made 'its store does not know If-None-Match, and cannot tell who comes first' ;;
    1) not_made "$(trouble)" ;;
  esac
  # A store may refuse all of several that come at once.
  turns=0
  until put config <"$MADE/config" || fetch config "$WORK/config"; do
    turns=$((turns + 1))
    [ "$turns" -lt 5 ] || not_made "$(trouble)"
    busybox sleep 1
  done
}

# Prints the key, after its name.
packed_key() { printf '%s\n' "$own_key" && busybox cat "$MADE/keys/$own_key"; }

# Puts the key of the config that is there in its place, whoever made them. Sets key to its name, and maker to the host that it
# was made on.
settle() {
  fetch config "$WORK/config" || return 1
  name=key-of-$(checksum "$WORK/config")
  if fetch "$name" "$WORK/packed"; then
    read -r key <"$WORK/packed"
    busybox tail -n +2 "$WORK/packed" >"$WORK/key"
    [ "$(checksum "$WORK/key")" = "$key" ] || { echo "the file $name is damaged" >"$ERRORS"; return 1; }
    put "keys/$key" <"$WORK/key" || [ $? = 2 ] || return 1
    remove "$name"
  else
    # Somebody else has put it there.
    key=$(keys | busybox head -n 1)
    [ "$key" ] && fetch "keys/$key" "$WORK/key" || return 1
  fi
  maker=$(json_field hostname <"$WORK/key")
  [ "${own_name:-$name}" = "$name" ] || remove "$own_name"
}

# Reads the repository back. It has one key, unless somebody has made it otherwise at the same time: what is stored in it
# then may be lost.
sole_key() {
  reason=
  if restic list keys --no-lock >"$WORK/keys"; then
    count=$(busybox wc -l <"$WORK/keys")
    [ "$count" = 1 ] || reason="it has $count keys"
  else
    reason=$(store_error)
  fi
  [ -z "$reason" ] || fail 3 "the repository is spoiled just after it was made, as where somebody runs restic init at the same time: remove it, and run one backup first: $reason"
}

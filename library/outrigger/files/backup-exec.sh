#!/bin/sh
# shellcheck shell=sh disable=SC2154,SC2034,SC3040 # busybox has pipefail; variables of backup.sh, which reads this file
#
# Whatever a command writes to its standard output.
#
#   COMMAND           the command, quoted for sh
#   VERIFY_COMMAND    reads what was stored, and fails where it is not whole
#   RESTORE_COMMAND   reads what is restored; TARGET and OVERWRITE are in its environment
#
# Its file is output. Without a command that verifies, no more is known of it than the command's exit code, and that it is not
# empty.
source_check() {
  [ "$task" != restore ] || [ "${RESTORE_COMMAND-}" ] || fail 2 'exec.restore is missing; set it to the command that reads a backup and restores it'
}

source_files() { echo output; }

source_restorable() { source_files; }

source_dump() { # file
  (eval "exec $COMMAND") || { ended=$?; echo "the command ended with exit code $ended" >&2; return "$ended"; }
}

# A compressor prints a few bytes also where it was given nothing, as by a command that is not there. And etcdctl saves no
# snapshot to its standard output, but says there that it did.
source_begins() { # file; reads the beginning of its dump
  busybox cat >"$WORK/first"
  ! busybox head -n 1 "$WORK/first" | busybox grep -Eq '^Snapshot saved at |^[{]"level":.*"caller":"snapshot/' || { not_a_snapshot; return; }
  size=$(busybox wc -c <"$WORK/first")
  [ "$size" -lt 512 ] || return 0
  case $(busybox head -c 4 "$WORK/first" | busybox od -An -tx1 | busybox tr -d ' ') in
    1f8b*) unpacker=gunzip ;;
    425a68*) unpacker=bunzip2 ;;
    fd377a58) unpacker=unxz ;;
    28b52ffd) if [ "$size" -gt 13 ]; then unpacker='cat'; else unpacker='true'; fi ;; # zstd
    04224d18) if [ "$size" -gt 15 ]; then unpacker='cat'; else unpacker='true'; fi ;; # lz4
    *) return 0 ;;
  esac
  busybox "$unpacker" <"$WORK/first" >"$WORK/unpacked" 2>/dev/null
  [ -s "$WORK/unpacked" ] || { echo 'the dump is empty, and compressed' >&2; return 1; }
  ! busybox grep -q 'Snapshot saved at ' "$WORK/unpacked" || not_a_snapshot
}

not_a_snapshot() {
  echo "the dump is what etcdctl says of a snapshot, and not one; let it save to a file, and print that: [sh, -c, 'etcdctl snapshot save \"\$WORK/etcd.db\" >&2 && cat \"\$WORK/etcd.db\"']" >&2
  return 1
}

source_verify() { # file; reads the dump
  [ -z "${VERIFY_COMMAND-}" ] || eval "$VERIFY_COMMAND" >/dev/null
  verified=$?
  busybox cat >/dev/null # it need not read to the end; and a restic that is cut off leaves its lock
  return "$verified"
}

source_version() { printf '%s' "${COMMAND%% *}"; }

source_answers() { :; }

source_target() { printf '%s' "${TARGET-}"; } # file

# What refuses to overwrite is the command's own affair.
source_restore() { # snapshot, file, target
  export TARGET="$3" OVERWRITE="${OVERWRITE-}"
  ( set -o pipefail
    store_read "$1" "$2" | eval "$RESTORE_COMMAND" 2>"$WORK/errors" ) ||
    fail 1 "the command that restores failed: $(errors)$(store_error)"
}

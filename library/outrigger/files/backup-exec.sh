#!/bin/sh
# shellcheck shell=sh disable=SC2154,SC2034,SC3040 # busybox has pipefail; variables of backup.sh, which reads this file
#
# Whatever a command writes to its standard output.
#
#   COMMAND           the command, quoted for sh
#   VERIFY_COMMAND    reads what was stored, and fails where it is not whole
#   RESTORE_COMMAND   reads what is restored; TARGET and OVERWRITE are in its environment
#
# Its file is output. Without a command that verifies, only what the command's exit code tells is known of it.
source_check() {
  [ "$task" != restore ] || [ "${RESTORE_COMMAND-}" ] || fail 2 'exec.restore is missing; set it to the command that reads a backup and restores it'
}

source_files() { echo output; }

source_restorable() { source_files; }

source_dump() { eval "exec $COMMAND"; } # file

source_verify() { # file; reads the dump
  if [ "${VERIFY_COMMAND-}" ]; then eval "$VERIFY_COMMAND" >/dev/null; else busybox cat >/dev/null; fi
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

#!/bin/sh
# Copies what a directory of an image holds into a volume that will be mounted over it, once: modes and links stay, and
# the times of files. The volume's own contents are never touched.
#
#   seed.sh FROM TO
#
# The copy is made beside its place and moved there entry by entry, so that a copy that was cut short is taken up again.
set -eu
busybox=/outrigger-tools/busybox
[ -x "$busybox" ] || busybox=busybox

run() { "$busybox" "$@"; }
die() { echo "seed: $*" >&2; exit 1; }

[ $# -eq 2 ] || die 'usage: seed.sh FROM TO'
from=$1 to=$2 copy=$2/.outrigger-seed
[ -d "$from" ] || die "the image has no directory $from; set seed: false on the volume, or correct its mountPath"
[ -w "$to" ] || die "cannot write to the volume as uid $(run id -u): give the pod an fsGroup, or the app's user the volume"

if ! [ -e "$copy" ]; then
  for entry in $(run ls -A "$to"); do
    [ "$entry" = lost+found ] || { echo "seed: the volume has contents already"; exit 0; }
  done
  run mkdir "$copy"
fi
if ! [ -e "$copy/complete" ]; then
  run rm -rf "$copy/files"
  run mkdir "$copy/files"
  # An archive rather than cp -a: who is not root cannot give files away, and need not.
  { run tar -cf - -C "$from" . || echo failed >"$copy/failed"; } | run tar -xpf - -C "$copy/files"
  ! [ -e "$copy/failed" ] || { run rm -rf "$copy"; die "cannot read all of $from as uid $(run id -u)"; }
  : >"$copy/complete"
fi
run find "$copy/files" -mindepth 1 -maxdepth 1 -exec "$busybox" mv -f {} "$to/" \;
run rm -rf "$copy"

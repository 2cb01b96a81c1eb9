#!/bin/sh
# shellcheck shell=sh
#
# Copies what a backup needs beside the tools of the database's image: the program of its store, and from
# the same image the certificates of the public authorities and the time zone of the schedule.
#
#   backup-tools.sh PROGRAM FOLDER
#
#   ZONE   the time zone, or nothing
set -eu
umask 022
busybox() { /outrigger-tools/busybox "$@"; }

busybox cp "$1" "$2/${1##*/}"
for certificates in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
  [ ! -e "$certificates" ] || { busybox cp "$certificates" "$2/ca-certificates.crt" && break; }
done
[ "${ZONE-}" ] || exit 0
busybox cp "/usr/share/zoneinfo/$ZONE" "$2/zoneinfo" || {
  echo "outrigger: the store's image has no time zone $ZONE; give timeZone a name such as Europe/Berlin" >&2
  exit 2
}

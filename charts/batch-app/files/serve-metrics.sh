#!/bin/sh
# Serves the files of DIRECTORY over HTTP on PORT, on all addresses, until SIGTERM. A process 1 ignores a SIGTERM that it
# does not trap, and httpd does not, so that a pod would wait for the end of its grace period.
set -eu

httpd -f -p "$PORT" -h "$DIRECTORY" &
server=$!
trap 'kill "$server"; exit 0' TERM
wait "$server"

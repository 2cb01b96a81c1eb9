#!/bin/sh
# Writes PAGE anew every INTERVAL_SECONDS, with the date and a number that grows. A page is written beside it and renamed,
# so that a reader gets the old one or the new one and never a part.
set -eu

# A shell that is process 1 ignores SIGTERM unless it traps it.
trap 'kill "$child" 2>/dev/null; exit 0' TERM

child='' number=0
while true; do
  number=$((number + 1))
  {
    echo '<!DOCTYPE html>'
    echo '<html lang="en">'
    echo '<head><title>static-site</title></head>'
    echo "<body><p>Page $number, written $(date -u +%Y-%m-%dT%H:%M:%SZ).</p><p><a href=\"docs/\">Documents</a></p></body>"
    echo '</html>'
  } > "$PAGE.new"
  mv "$PAGE.new" "$PAGE"
  sleep "$INTERVAL_SECONDS" &
  child=$!
  wait "$child" || true
done

#!/bin/sh
# Keeps TARGET/current in step with the directory SOURCE, at which it looks every INTERVAL_SECONDS.
#
# TARGET/current is a symbolic link to a whole copy, TARGET/tree.<fingerprint>.<random>, and a new copy takes its place by
# a rename: who resolves the link once never sees a mixed or half-written tree. The copy that was replaced stays until
# the next one is, for those who still read it; others are renamed to gone.* before they are removed.
#
#  - A copy is what SOURCE was at one moment: it is not used if SOURCE changed while it was made. So a writer who
#    changes several files at once should put them in place by one rename, as the kubelet does with a ConfigMap; the
#    directory behind its ..data, and the one behind a SOURCE that is a symbolic link, is found once for each copy.
#  - SIGKILL at any point leaves nothing that the next run does not put right.
#  - While SOURCE is gone or cannot be read, the last copy stays.
#  - Nothing else may write to TARGET.
set -eu

COPIED=2 GONE=3 UNREADABLE=4 CHANGING=5 UNWRITABLE=6

say() { printf 'synchronise: %s\n' "$*" >&2; }

# A tar archive has names, types, modes, times, links and contents, and it is the same as long as nothing changes. It leaves
# out what cannot be read.
fingerprint() { # directory
  { tar -c -f - -C "$1" . 2>/dev/null || echo incomplete; } | sha256sum | cut -c 1-32
}

# Removes what a run that was killed has left, and all copies but one.
clean() { # the copy to keep
  rm -f "$TARGET/next" || exit $UNWRITABLE
  for path in "$TARGET"/tree.*; do
    [ ! -e "$path" ] || [ "${path##*/}" = "$1" ] || mv "$path" "$TARGET/gone.${path##*/}" || exit $UNWRITABLE
  done
  for path in "$TARGET"/new.* "$TARGET"/gone.*; do
    [ -e "$path" ] || continue
    chmod -R u+rwX "$path" # a half-made copy may have directories that nothing can be removed from
    rm -rf "$path" || exit $UNWRITABLE
  done
}

# Looks at the source once. Ends with 0 where there is nothing to do, or with one of the numbers above.
synchronise() {
  # What has been said need not be said at each look.
  case $last in "$UNREADABLE" | "$UNWRITABLE") exec 2>/dev/null ;; esac
  directory=$SOURCE
  [ ! -d "$directory/..data" ] || directory=$directory/..data
  directory=$(readlink -f "$directory") || exit $GONE
  # A ConfigMap's directory may have been replaced since.
  [ -d "$directory" ] || { [ -d "$SOURCE" ] && exit $CHANGING; } || exit $GONE
  current=$(readlink "$TARGET/current" || true)
  before=$(fingerprint "$directory")
  case $current in "tree.$before."*) [ ! -d "$TARGET/$current" ] || exit 0 ;; esac

  clean "$current"
  new=$(mktemp -d "$TARGET/new.XXXXXX") || exit $UNWRITABLE
  if ! cp -R "$directory/." "$new/"; then
    [ -d "$directory" ] || exit $CHANGING
    exit $UNREADABLE
  fi
  [ "$(fingerprint "$directory")" = "$before" ] || exit $CHANGING
  # For readers of other users, and so that it can be removed again.
  chmod -R u+rwX,go+rX "$new"

  tree=tree.$before.${new##*.}
  { mv "$new" "$TARGET/$tree" && ln -s "$tree" "$TARGET/next" && mv -T "$TARGET/next" "$TARGET/current"; } ||
    exit $UNWRITABLE
  exit $COPIED
}

# Says what has come of a look, when that is not the same as the last time.
explain() { # what it ended with
  case $1 in
    0) ;;
    "$COPIED") say "in step with $SOURCE" ;;
    "$last") ;;
    "$GONE") say "$SOURCE is no directory; the last copy stays" ;;
    "$UNREADABLE") say "cannot copy $SOURCE as uid $(id -u); the last copy stays" ;;
    "$CHANGING") say "$SOURCE changed while it was copied" ;;
    "$UNWRITABLE") say "cannot write to $TARGET as uid $(id -u)" ;;
    *) say "a look at $SOURCE ended with $1" ;;
  esac
  last=$1
}

# The shell does not wait for a command before it ends, but only for what runs in the background.
stop() {
  kill "$child" 2>/dev/null || true
  exit 0
}

child='' last=''
trap stop TERM
while true; do
  synchronise &
  child=$!
  outcome=0
  wait "$child" || outcome=$?
  explain "$outcome"
  sleep "$INTERVAL_SECONDS" &
  child=$!
  wait "$child" || true
done

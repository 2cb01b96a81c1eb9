#!/bin/sh
# Runs the server as a user of its own, and lets it talk to others without a password as upstream's does.
set -eu

case ${1:-} in
'' | -* | *.conf) set -- redis-server "$@" ;;
esac
[ "$1" = redis-server ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
	chown -R redis:redis .
	exec chroot --userspec=redis:redis --skip-chdir / "$0" "$@"
fi
case $* in
*.conf* | *--protected-mode*) ;;
*) set -- "$@" --protected-mode no ;;
esac
exec "$@"

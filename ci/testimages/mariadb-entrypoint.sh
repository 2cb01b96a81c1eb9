#!/bin/sh
# Makes the data directory on the first start, as upstream's entrypoint does, and runs the server.
set -eu

# value NAME: what the variable MARIADB_NAME or MYSQL_NAME has, or the file that MARIADB_NAME_FILE names.
value() {
	if file=$(printenv "MARIADB_${1}_FILE"); then cat "$file"; else printenv "MARIADB_$1" || printenv "MYSQL_$1" || true; fi
}

# say TEXT: unlike echo, it leaves backslashes alone.
say() { printf '%s\n' "$1"; }

# quoted NAME: the same as a string of SQL.
quoted() { printf "'%s'" "$(value "$1" | sed "s/[\\\\']/\\\\&/g")"; }

case ${1:-} in
'' | -*) set -- mariadbd "$@" ;;
esac
[ "$1" = mariadbd ] || exec "$@"

data=/var/lib/mysql
if [ "$(id -u)" = 0 ]; then
	chown -R mysql:mysql "$data" /run/mysqld
	exec chroot --userspec=mysql:mysql / "$0" "$@"
fi

if [ ! -d "$data/mysql" ]; then
	[ -n "$(value ROOT_PASSWORD)$(value ALLOW_EMPTY_PASSWORD)$(value ALLOW_EMPTY_ROOT_PASSWORD)" ] || {
		echo 'MARIADB_ROOT_PASSWORD is not set.' >&2
		exit 1
	}
	# By force: whether the name of its host can be looked up is nothing to it.
	mariadb-install-db --datadir="$data" --force --skip-test-db --auth-root-authentication-method=normal >/dev/null
	"$@" --skip-networking &
	server=$!
	tries=0
	until mariadb-admin --user=root --silent ping 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 120 ] && kill -0 "$server" || exit 1
		sleep 0.5
	done
	database=$(value DATABASE) user=$(value USER)
	{
		say "DELETE FROM mysql.global_priv WHERE User = '' OR Host <> 'localhost'; FLUSH PRIVILEGES;"
		say "CREATE USER root@'%' IDENTIFIED BY $(quoted ROOT_PASSWORD);"
		say "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;"
		[ -z "$database" ] || say "CREATE DATABASE IF NOT EXISTS \`$database\`;"
		[ -z "$user" ] || say "CREATE USER $(quoted USER)@'%' IDENTIFIED BY $(quoted PASSWORD);"
		[ -z "$user" ] || [ -z "$database" ] || say "GRANT ALL ON \`$database\`.* TO $(quoted USER)@'%';"
		say "ALTER USER root@localhost IDENTIFIED BY $(quoted ROOT_PASSWORD);"
	} | mariadb --user=root
	MYSQL_PWD=$(value ROOT_PASSWORD)
	export MYSQL_PWD
	for file in /docker-entrypoint-initdb.d/*; do
		case $file in
		*.sh) bash "$file" ;;
		*.sql) mariadb --user=root ${database:+"$database"} <"$file" ;;
		esac
	done
	mariadb-admin --user=root shutdown
	unset MYSQL_PWD
	wait "$server"
fi
exec "$@"

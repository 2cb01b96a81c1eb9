#!/bin/sh
# Makes the data directory on the first start, as upstream's entrypoint does, and runs the server.
set -eu

# value NAME: what the variable NAME has, or the file that NAME_FILE names.
value() {
	if file=$(printenv "${1}_FILE"); then cat "$file"; else printenv "$1" || true; fi
}

case ${1:-} in
'' | -*) set -- postgres "$@" ;;
esac
[ "$1" = postgres ] || exec "$@"

mkdir -p "$PGDATA"
if [ "$(id -u)" = 0 ]; then
	chown -R postgres:postgres "$PGDATA" /var/run/postgresql
	exec chroot --userspec=postgres:postgres / "$0" "$@"
fi
chmod 700 "$PGDATA" 2>/dev/null || true # Kubernetes lets a volume's group in, and the server refuses that

if [ ! -s "$PGDATA/PG_VERSION" ]; then
	POSTGRES_USER=$(value POSTGRES_USER)
	POSTGRES_DB=$(value POSTGRES_DB)
	export POSTGRES_USER="${POSTGRES_USER:-postgres}"
	export POSTGRES_DB="${POSTGRES_DB:-$POSTGRES_USER}"
	password=$(value POSTGRES_PASSWORD)
	method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
	[ -n "$password" ] || [ "$method" = trust ] || {
		echo 'POSTGRES_PASSWORD is not set, nor is POSTGRES_HOST_AUTH_METHOD trust.' >&2
		exit 1
	}
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	printf "%s\n" "${password:-none}" >"$tmp/password"
	(
		if ! id -un >/dev/null 2>&1; then # initdb refuses a user without a name
			echo "postgres:x:$(id -u):$(id -g)::$PGDATA:/bin/false" >"$tmp/passwd"
			echo "postgres:x:$(id -g):" >"$tmp/group"
			export LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD="$tmp/passwd" NSS_WRAPPER_GROUP="$tmp/group"
		fi
		# shellcheck disable=SC2086 # several arguments
		initdb --username="$POSTGRES_USER" --pwfile="$tmp/password" --auth-local=trust --auth-host="$method" ${POSTGRES_INITDB_ARGS:-}
	)
	echo "host all all all $method" >>"$PGDATA/pg_hba.conf"
	pg_ctl start -w -o "-c listen_addresses=''"
	[ "$POSTGRES_DB" = postgres ] || createdb --username="$POSTGRES_USER" --maintenance-db=postgres "$POSTGRES_DB"
	for file in /docker-entrypoint-initdb.d/*; do
		case $file in
		*.sh) bash "$file" ;;
		*.sql) psql -v ON_ERROR_STOP=1 --no-psqlrc --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" --file="$file" ;;
		esac
	done
	pg_ctl stop -w -m fast
	rm -rf "$tmp"
	trap - EXIT
fi
exec "$@"

#!/usr/bin/env bash
# A private PostgreSQL for tests and trials: on loopback, with all its files in DIR. It is not a service of the machine.
#
#   postgresql.sh start DIR           starts it on a free port, and creates it first if necessary. Returns when it answers
#   postgresql.sh stop DIR [SIGNAL]   INT: fast (the default), QUIT: immediate, TERM: smart, KILL: as in a power cut
#
# DIR/ports has its port, which accepts TLS too. DIR/ca.pem has signed the certificate, which is for localhost and
# 127.0.0.1. The superuser `postgres` needs no password, and every other user does. The socket is in DIR. It runs until it is
# stopped.
. "$(dirname "$(readlink -f "$0")")/common.sh"
in_release "$@"
orderly=INT

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort --version-sort | tail -1)
[ -x "$bin/initdb" ] || bin=$(dirname "$(command -v initdb || echo /nowhere/initdb)")
[ -x "$bin/initdb" ] || fail "PostgreSQL is not installed: make setup"

# It refuses to run as root.
as_server=()
[ "$(id -u)" != 0 ] || as_server=(setpriv --reuid=postgres --regid=postgres --init-groups)

prepare() {
  make_certificates
  chmod 600 server.key
  mkdir data
  [ ${#as_server[@]} = 0 ] || chown -R postgres .
  "${as_server[@]}" "$bin/initdb" --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync
  cat >> data/postgresql.conf <<CONF
listen_addresses = 'localhost'
unix_socket_directories = '$PWD'
max_connections = 200
shared_buffers = 128MB
ssl = on
ssl_cert_file = '$PWD/server.pem'
ssl_key_file = '$PWD/server.key'
CONF
  cat > data/pg_hba.conf <<HBA
local all postgres              trust
host  all postgres 127.0.0.1/32 trust
host  all postgres ::1/128      trust
local all all                   scram-sha-256
host  all all      127.0.0.1/32 scram-sha-256
host  all all      ::1/128      scram-sha-256
HBA
}

# Messages in other languages than English need a locale. localedef can make one in DIR/locale, for the next start.
configure() {
  [ ! -d locale ] || export LOCPATH=$PWD/locale
  command=("${as_server[@]}" "$bin/postgres" -D "$PWD/data" -p "$port")
}

answers() { "$bin/pg_isready" --quiet --host="$PWD" --port="$port"; }

# When it is killed, its locks stay, and prevent the next one from starting until its parent has noticed its end.
clean_up() { rm -f data/postmaster.pid .s.PGSQL.*.lock; }

main "$@"

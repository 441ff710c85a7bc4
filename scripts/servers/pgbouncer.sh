#!/usr/bin/env bash
# A private PgBouncer, in transaction mode, for tests and trials, in front of the PostgreSQL in the folder beside DIR; nobody's
# service.
#
#   pgbouncer.sh start DIR           starts it; made at the first start, on a free port. Returns when it answers
#   pgbouncer.sh stop DIR [SIGNAL]   in good order, or as by a power cut with KILL
#
# DIR/ports: its port, which takes TLS too; DIR/ca.pem has signed the certificate, which is for localhost and 127.0.0.1. It has
# every database and every user with a password of DIR/../postgresql, and Debian's defaults but for what is in
# DIR/pgbouncer.ini. A file DIR/mode names another mode, from the next start on. It stays until it is stopped.
. "$(dirname "$(readlink -f "$0")")/common.sh"
in_release "$@"
orderly=INT

program=$(command -v pgbouncer || ls /usr/sbin/pgbouncer 2>/dev/null || true)
[ -n "$program" ] || fail "PgBouncer is not installed: make setup"

# It refuses to run as root.
as_server=()
[ "$(id -u)" != 0 ] || as_server=(setpriv --reuid=postgres --regid=postgres --init-groups)

prepare() {
  make_certificates
  chmod 600 server.key
  echo '"postgres" ""' > users
  [ ${#as_server[@]} = 0 ] || chown -R postgres .
}

configure() {
  local server_port
  read -r server_port _ < ../postgresql/ports
  # Each transaction goes to another connection of the server's than the one before, where there are several: what relies on
  # a session shows.
  cat > pgbouncer.ini <<INI
[databases]
* = host=127.0.0.1 port=$server_port
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
pool_mode = $(cat mode 2>/dev/null || echo transaction)
server_round_robin = 1
server_idle_timeout = 30
max_client_conn = 500
auth_type = scram-sha-256
auth_file = $PWD/users
auth_user = postgres
client_tls_sslmode = allow
client_tls_ca_file = $PWD/ca.pem
client_tls_cert_file = $PWD/server.pem
client_tls_key_file = $PWD/server.key
INI
  command=("${as_server[@]}" "$program" "$PWD/pgbouncer.ini")
}

answers() { pg_isready --quiet --host=127.0.0.1 --port="$port"; }

main "$@"

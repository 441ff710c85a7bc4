#!/usr/bin/env bash
# A private PgBouncer, in transaction mode, for tests and trials, in front of the PostgreSQL in the folder beside DIR. It is
# not a service of the machine.
#
#   pgbouncer.sh start DIR           starts it on a free port, and creates it first if necessary. Returns when it answers
#   pgbouncer.sh stop DIR [SIGNAL]   stops it in good order, or with KILL as in a power cut
#
# DIR/ports has its port, which accepts TLS too. DIR/ca.pem has signed the certificate, which is for localhost and
# 127.0.0.1. It has every database, and every user with a password, of DIR/../postgresql, and Debian's defaults except for
# what is in DIR/pgbouncer.ini. A file DIR/mode names another mode, from the next start on. It runs until it is stopped.
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
  # If there are several connections of the server, each transaction uses another one than the transaction before. So code
  # that relies on a session is found.
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

#!/usr/bin/env bash
# A private MariaDB for tests and trials: on loopback, with all its files in DIR; nobody's service.
#
#   mariadb.sh start DIR           starts it; made at the first start, on a free port. Returns when it answers
#   mariadb.sh stop DIR [SIGNAL]   in good order, or as by a power cut with KILL
#
# DIR/ports: its port, which takes TLS too; DIR/ca.pem has signed the certificate, which is for localhost and 127.0.0.1. The
# user `root` needs no password, by TCP and on the socket DIR/socket; there is no other user and no database. Its clock shows
# another time than UTC, so that what mixes them up shows. It stays until it is stopped.
. "$(dirname "$(readlink -f "$0")")/common.sh"
in_release "$@"

server=$(command -v mariadbd || ls /usr/sbin/mariadbd 2>/dev/null || true)
[ -n "$server" ] || fail "MariaDB is not installed: make setup"

prepare() {
  make_certificates
  mkdir tmp
  mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$PWD/data" --tmpdir="$PWD/tmp" \
    --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve
}

configure() {
  command=(
    "$server" --no-defaults --user="$(id -un)" --datadir="$PWD/data" --tmpdir="$PWD/tmp" --socket="$PWD/socket"
    --bind-address=127.0.0.1 --port="$port" --skip-name-resolve --default-time-zone=+05:30
    --innodb-buffer-pool-size=64M --innodb-flush-log-at-trx-commit=0 --performance-schema=0 --userstat=1
    --ssl-ca="$PWD/ca.pem" --ssl-cert="$PWD/server.pem" --ssl-key="$PWD/server.key"
  )
}

answers() { mariadb --no-defaults --user=root --socket="$PWD/socket" --execute "SELECT 1" > /dev/null 2>&1; }

main "$@"

#!/usr/bin/env bash
# A private MariaDB for tests and trials: on loopback, with all its files in DIR. It is not a service of the machine.
#
#   mariadb.sh start DIR           starts it on a free port, and creates it first if necessary. Returns when it answers
#   mariadb.sh stop DIR [SIGNAL]   stops it in good order, or with KILL as in a power cut
#
# DIR/ports has its port, which accepts TLS too. DIR/ca.pem has signed the certificate, which is for localhost and
# 127.0.0.1. The user `root` needs no password, by TCP and on the socket DIR/socket. There is no other user and no database.
# Its time zone is not UTC, so that code which mixes them up is found. It runs until it is stopped.
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

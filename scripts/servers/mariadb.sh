#!/usr/bin/env bash
# A private MariaDB for tests and trials: its data lies in DIR, it listens on loopback alone, and it is nobody's service.
#
#   mariadb.sh start DIR PORT [OWNER]   starts it; made at the first start. It ends when the process OWNER does
#   mariadb.sh stop DIR [kill]          orderly, or by SIGKILL
#
# The user `root` needs no password, on the socket DIR/socket and by TCP; there is no other user and no database.
# TLS is on: DIR/ca.pem has signed the certificate, which is for localhost and 127.0.0.1.
set -euo pipefail

usage() { sed -n '2,/^set/{/^#/p}' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2; }
[ $# -ge 2 ] || usage
command=$1 dir=$2

make_certificates() {
  local days=30
  openssl req -x509 -newkey rsa:2048 -nodes -days $days -subj /CN=farm-test-ca -keyout "$dir/ca.key" -out "$dir/ca.pem"
  openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$dir/server.key" -out "$dir/server.csr"
  openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days $days \
    -extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1') -out "$dir/server.pem"
}

make_data() {
  rm -rf "$dir/data"
  mkdir -p "$dir/tmp"
  { make_certificates && mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$dir/data" --tmpdir="$dir/tmp" \
      --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve; } > "$dir/setup.log" 2>&1 \
    || { cat "$dir/setup.log" >&2; exit 1; }
  touch "$dir/made"
}

# Runs a command that outlives this script and holds nothing open that the script's caller waits for.
detached() {
  (
    for descriptor in /proc/self/fd/*; do
      descriptor=${descriptor##*/}
      if [ "$descriptor" -gt 2 ] && [ "$descriptor" -lt 255 ]; then eval "exec $descriptor>&-"; fi
    done
    exec setsid nohup "$@"
  ) < /dev/null &
}

answers() { mariadb --no-defaults --user=root --socket="$dir/socket" --execute "SELECT 1" > /dev/null 2>&1; }

case $command in
start)
  [ $# -ge 3 ] || usage
  port=$3 owner=${4:-}
  server=$(command -v mariadbd || ls /usr/sbin/mariadbd 2>/dev/null || true)
  [ -n "$server" ] || { echo "mariadb.sh: MariaDB is not installed: apt-get install mariadb-server" >&2; exit 1; }
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  [ -f "$dir/made" ] || make_data
  detached "$server" --no-defaults --user="$(id -un)" --datadir="$dir/data" --tmpdir="$dir/tmp" \
    --socket="$dir/socket" --pid-file="$dir/pid" --bind-address=127.0.0.1 --port="$port" --skip-name-resolve \
    --innodb-buffer-pool-size=64M --innodb-flush-log-at-trx-commit=0 --performance-schema=0 \
    --ssl-ca="$dir/ca.pem" --ssl-cert="$dir/server.pem" --ssl-key="$dir/server.key" >> "$dir/log" 2>&1
  process=$!
  for _ in $(seq 600); do
    if answers; then break; fi
    if ! kill -0 "$process" 2>/dev/null; then break; fi
    sleep 0.1
  done
  answers || { echo "mariadb.sh: it did not start on port $port; the end of $dir/log:" >&2; tail -20 "$dir/log" >&2; exit 1; }
  if [ -n "$owner" ] && [ "$(cat "$dir/owner" 2>/dev/null)" != "$owner" ]; then
    echo "$owner" > "$dir/owner"
    # Nothing is left behind when a test run is killed.
    detached bash -c 'tail --pid="$1" -f /dev/null; "$2" stop "$3" kill; rm -rf "$3"' - \
      "$owner" "$(readlink -f "$0")" "$dir" > /dev/null 2>&1
  fi
  echo "MariaDB on 127.0.0.1:$port, data in $dir"
  ;;
stop)
  [ -f "$dir/pid" ] || exit 0
  process=$(cat "$dir/pid")
  if [ "${3:-}" = kill ]; then kill -KILL "$process" 2>/dev/null || true; else kill -TERM "$process" 2>/dev/null || true; fi
  for _ in $(seq 600); do
    if ! kill -0 "$process" 2>/dev/null; then break; fi
    sleep 0.1
  done
  rm -f "$dir/pid"
  echo stopped
  ;;
*) usage ;;
esac

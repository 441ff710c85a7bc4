#!/usr/bin/env bash
# A private PostgreSQL for tests and trials: its data lies in DIR, it listens on loopback alone, and it is nobody's service.
#
#   postgres.sh start DIR PORT [OWNER]   starts it; made at the first start. It ends when the process OWNER does
#   postgres.sh stop DIR [MODE]          fast (the default), immediate, smart, or kill: SIGKILL to every process of it
#
# The superuser `postgres` needs no password, every other user does. TLS is on: DIR/ca.pem has signed the certificate, which
# is for localhost and 127.0.0.1. initdb refuses root: it then runs as the user `postgres`.
set -euo pipefail

usage() { sed -n '2,/^set/{/^#/p}' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2; }
[ $# -ge 2 ] || usage
command=$1 dir=$2

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort --version-sort | tail -1)
[ -x "$bin/pg_ctl" ] || bin=$(dirname "$(command -v pg_ctl || echo /nowhere/pg_ctl)")
[ -x "$bin/pg_ctl" ] || { echo "postgres.sh: PostgreSQL is not installed: apt-get install postgresql" >&2; exit 1; }

as_server() {
  if [ "$(id -u)" = 0 ]; then (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@"); else "$@"; fi
}

make_certificates() {
  local days=30
  openssl req -x509 -newkey rsa:2048 -nodes -days $days -subj /CN=farm-test-ca -keyout "$dir/ca.key" -out "$dir/ca.pem"
  openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$dir/server.key" -out "$dir/server.csr"
  openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days $days \
    -extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1') -out "$dir/server.pem"
  chmod 600 "$dir/server.key"
}

make_cluster() {
  mkdir -p "$dir/data"
  make_certificates > "$dir/setup.log" 2>&1 || { cat "$dir/setup.log" >&2; exit 1; }
  [ "$(id -u)" != 0 ] || chown -R postgres "$dir"
  as_server "$bin/initdb" --pgdata="$dir/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
    --no-sync >> "$dir/setup.log" 2>&1 || { cat "$dir/setup.log" >&2; exit 1; }
  cat >> "$dir/data/postgresql.conf" <<CONF
listen_addresses = 'localhost'
max_connections = 100
shared_buffers = 128MB
ssl = on
ssl_cert_file = '$dir/server.pem'
ssl_key_file = '$dir/server.key'
CONF
  cat > "$dir/data/pg_hba.conf" <<HBA
local all postgres              trust
host  all postgres 127.0.0.1/32 trust
host  all postgres ::1/128      trust
local all all                   scram-sha-256
host  all all      127.0.0.1/32 scram-sha-256
host  all all      ::1/128      scram-sha-256
HBA
}

# What the caller has open, such as a pipe that somebody reads to its end, is not the server's. (255 is bash's own.)
for descriptor in /proc/$$/fd/*; do
  descriptor=${descriptor##*/}
  [ "$descriptor" -le 2 ] || [ "$descriptor" = 255 ] || eval "exec $descriptor>&-"
done

case $command in
start)
  [ $# -ge 3 ] || usage
  port=$3 owner=${4:-}
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  [ -f "$dir/data/pg_hba.conf" ] || make_cluster
  as_server "$bin/pg_ctl" --pgdata="$dir/data" --options="-p $port -k '$dir'" --log="$dir/log" --wait --timeout=60 start \
    > "$dir/control.log" 2>&1 || { cat "$dir/control.log" "$dir/log" >&2; exit 1; }
  if [ -n "$owner" ]; then
    # Nothing is left behind when a test run is killed.
    setsid bash -c 'tail --pid="$1" -f /dev/null; "$2" stop "$3" immediate' - "$owner" "$(readlink -f "$0")" "$dir" \
      > /dev/null 2>&1 < /dev/null &
  fi
  echo "PostgreSQL on 127.0.0.1:$port, data in $dir"
  ;;
stop)
  mode=${3:-fast}
  [ -f "$dir/data/postmaster.pid" ] || exit 0
  dir=$(cd "$dir" && pwd)
  if [ "$mode" = kill ]; then
    server=$(head -1 "$dir/data/postmaster.pid")
    children=$(ps -o pid= --ppid "$server" || true)
    kill -KILL "$server" $children 2>/dev/null || true
    while kill -0 "$server" 2>/dev/null; do sleep 0.05; done
  else
    as_server "$bin/pg_ctl" --pgdata="$dir/data" --mode="$mode" --wait --timeout=60 stop > /dev/null
  fi
  echo stopped
  ;;
*) usage ;;
esac

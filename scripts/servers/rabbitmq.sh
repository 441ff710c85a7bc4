#!/usr/bin/env bash
# A private RabbitMQ node on loopback, with all its files in one folder: for tests and trials, no service of the machine.
#   rabbitmq.sh start DIR PORT [TLSPORT]   returns when it answers; run again after stop or kill it keeps its queues
#   rabbitmq.sh stop DIR                   orderly
#   rabbitmq.sh kill DIR                   as a power cut would
#   rabbitmq.sh ctl DIR ARGS...            rabbitmqctl
# User guest, password guest. With TLSPORT: DIR/ca.pem signs a certificate for the name localhost. It also takes the ports
# PORT + 10000 (epmd) and PORT + 20000 (Erlang), so PORT is below 45000. With FARM_SERVER_OWNER=PID in the environment it
# stops, and DIR is removed, as soon as that process has ended.
set -u
usage() { sed -n '2,9s/^# //p' "$0" >&2; exit 2; }
verb=${1:-}; dir=${2:-}
[ -n "$verb" ] && [ -n "$dir" ] || usage
program=$(ls -d /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin 2>/dev/null | tail -1)
[ -n "$program" ] || { echo "rabbitmq.sh: no rabbitmq-server: apt-get install rabbitmq-server" >&2; exit 1; }

certificates() {
  [ -f ca.pem ] && return
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=farm-ca" -keyout ca.key -out ca.pem 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout key.pem -out csr.pem 2>/dev/null
  printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' > ext.cnf
  openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile ext.cnf -out cert.pem 2>/dev/null
}

configure() {
  local port=$1 tls=$2
  mkdir -p mnesia log home
  if [ ! -f home/.erlang.cookie ]; then
    head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' > home/.erlang.cookie
    chmod 400 home/.erlang.cookie
  fi
  {
    echo "listeners.tcp.1 = 127.0.0.1:$port"
    echo "log.file.level = info"
    echo "disk_free_limit.absolute = 50MB"
    echo "vm_memory_high_watermark.absolute = 1GB"
    if [ -n "$tls" ]; then
      certificates
      echo "listeners.ssl.1 = 127.0.0.1:$tls"
      echo "ssl_options.cacertfile = $PWD/ca.pem"
      echo "ssl_options.certfile = $PWD/cert.pem"
      echo "ssl_options.keyfile = $PWD/key.pem"
      echo "ssl_options.verify = verify_none"
    fi
  } > rabbitmq.conf
  echo '[].' > enabled_plugins
  : > none
  cat > env <<EOF
export HOME='$PWD/home' LANG=C.UTF-8
export RABBITMQ_NODENAME='farm$port@localhost' RABBITMQ_NODE_IP_ADDRESS= RABBITMQ_NODE_PORT=
export RABBITMQ_DIST_PORT=$((port + 20000)) ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$((port + 10000))
export RABBITMQ_MNESIA_BASE='$PWD/mnesia' RABBITMQ_LOG_BASE='$PWD/log'
export RABBITMQ_CONFIG_FILE='$PWD/rabbitmq.conf' RABBITMQ_ADVANCED_CONFIG_FILE='$PWD/advanced.config'
export RABBITMQ_ENABLED_PLUGINS_FILE='$PWD/enabled_plugins' RABBITMQ_CONF_ENV_FILE='$PWD/none'
export RABBITMQ_PID_FILE='$PWD/pid'
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +S 2:2'
export RABBITMQ_CTL_ERL_ARGS='+sbwt none'
EOF
}

# Runs a command that outlives this script and holds nothing open that its caller waits for. The caller may have blocked
# signals (Swift's Process starts programs from a thread that has): a server that is to be stopped needs SIGTERM.
detached() {
  (
    for descriptor in /proc/self/fd/*; do
      descriptor=${descriptor##*/}
      if [ "$descriptor" -gt 2 ] && [ "$descriptor" -lt 255 ]; then eval "exec $descriptor>&-"; fi
    done
    exec setsid nohup perl -MPOSIX -e 'sigprocmask(SIG_SETMASK, POSIX::SigSet->new); exec @ARGV' "$@"
  ) < /dev/null &
}

# Ends the node and the private epmd with it.
end() {
  local pid
  pid=$(cat pid 2>/dev/null) || return 0
  kill "-$1" "$pid" 2>/dev/null
  for _ in $(seq 1 300); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null
  epmd -port "$ERL_EPMD_PORT" -kill >/dev/null 2>&1
  rm -f pid
}

start() {
  local node
  . ./env
  rm -f log/*.log pid
  detached "$program/rabbitmq-server" > log/stdout.log 2>&1
  node=$!
  for _ in $(seq 1 600); do
    if grep -qs "Server startup complete" log/*.log && (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
      echo "rabbitmq up on 127.0.0.1:$1"
      return 0
    fi
    kill -0 "$node" 2>/dev/null || break
    sleep 0.1
  done
  echo "rabbitmq.sh: the node on port $1 did not start; the end of $PWD/log/stdout.log:" >&2
  tail -20 log/stdout.log >&2
  end KILL
  return 1
}

case $verb in
  start)
    [ -n "${3:-}" ] || usage
    mkdir -p "$dir" && cd "$dir" || exit 1
    configure "$3" "${4:-}"
    start "$3" || exit 1
    if [ -n "${FARM_SERVER_OWNER:-}" ] && [ ! -f owner ]; then
      echo "$FARM_SERVER_OWNER" > owner
      self=$(cd "$OLDPWD" && realpath "$0")
      detached bash -c 'tail --pid="$1" -f /dev/null; "$2" kill "$3"; cd /; rm -rf "$3"' _ \
        "$FARM_SERVER_OWNER" "$self" "$PWD" > /dev/null 2>&1
    fi ;;
  stop | kill)
    cd "$dir" 2>/dev/null || exit 0
    . ./env
    if [ "$verb" = stop ]; then end TERM; else end KILL; fi ;;
  ctl)
    cd "$dir" || exit 1
    . ./env
    shift 2
    exec "$program/rabbitmqctl" "$@" ;;
  *) usage ;;
esac

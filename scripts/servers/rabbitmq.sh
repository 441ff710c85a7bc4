#!/usr/bin/env bash
# A private RabbitMQ node for tests and trials: on loopback, with all its files in DIR. It is not a service of the machine.
#
#   rabbitmq.sh start DIR           starts it on free ports, and creates it first if necessary. Returns when it answers
#   rabbitmq.sh stop DIR [SIGNAL]   stops it in good order, or with KILL as in a power cut. After a start it has its queues again
#   rabbitmq.sh ctl DIR ARGUMENT…   rabbitmqctl
#   rabbitmq.sh evaluate DIR TEXT   prints the value of an Erlang expression in the node; faster than ctl
#
# DIR/ports has its port and the one for TLS. DIR/ca.pem has signed the certificate, which is for localhost. User and
# password are guest. It runs until it is stopped.
. "$(dirname "$(readlink -f "$0")")/common.sh"
in_release "$@"
count=4 verbs="ctl evaluate"

program=$(ls -d /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin 2>/dev/null | sort --version-sort | tail -1)
[ -n "$program" ] || fail "RabbitMQ is not installed: make setup"

prepare() {
  make_certificates
  mkdir -p home
  head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' > home/.erlang.cookie
  chmod 400 home/.erlang.cookie
  # A name of its own: a node that met another one's epmd under the same name would be mistaken for it.
  echo "farm-$(head -c 6 /dev/urandom | od -An -tx1 | tr -d ' \n')@localhost" > nodename
  echo '[].' > enabled_plugins
  : > none
}

configure() {
  cat > rabbitmq.conf <<CONF
listeners.tcp.1 = 127.0.0.1:$port
listeners.ssl.1 = 127.0.0.1:$tls_port
ssl_options.cacertfile = $PWD/ca.pem
ssl_options.certfile = $PWD/server.pem
ssl_options.keyfile = $PWD/server.key
ssl_options.verify = verify_none
log.file = false
log.console = true
log.console.level = info
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.absolute = 1GB
CONF
  environment
  # Its own epmd: the one that Erlang would start would run for ever.
  detached epmd > epmd.log 2>&1
  echo $! > epmd.pid
  for _ in $(seq 100); do
    if epmd_listens; then break; fi
    lives "$(cat epmd.pid)" || break
    sleep 0.1
  done
  if ! epmd_listens; then
    echo "port $ERL_EPMD_PORT, for epmd, is in use" > log
    return 1
  fi
  command=("$program/rabbitmq-server")
}

# Whether the process that listens on epmd's port is the one that was started here.
epmd_listens() {
  local socket
  socket=$(awk -v port=":$(printf %04X "$ERL_EPMD_PORT")\$" '$2 ~ port && $4 == "0A" { print $10; exit }' /proc/net/tcp)
  [ -n "$socket" ] && find "/proc/$(cat epmd.pid)/fd" -lname "socket:\\[$socket\\]" 2> /dev/null | grep -q .
}

environment() {
  local epmd_port distribution_port
  read -r port tls_port epmd_port distribution_port < ports
  export HOME=$PWD/home LANG=C.UTF-8 ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$epmd_port
  RABBITMQ_NODENAME=$(cat nodename)
  export RABBITMQ_NODENAME RABBITMQ_DIST_PORT=$distribution_port
  export RABBITMQ_NODE_IP_ADDRESS= RABBITMQ_NODE_PORT=
  export RABBITMQ_MNESIA_BASE=$PWD/mnesia RABBITMQ_LOG_BASE=$PWD
  export RABBITMQ_CONFIG_FILE=$PWD/rabbitmq.conf RABBITMQ_ADVANCED_CONFIG_FILE=$PWD/advanced.config
  export RABBITMQ_ENABLED_PLUGINS_FILE=$PWD/enabled_plugins RABBITMQ_CONF_ENV_FILE=$PWD/none
  export RABBITMQ_PID_FILE=$PWD/node.pid
  # With the first option the program becomes the node instead of waiting for it, so that signals reach the node.
  export RABBITMQ_ALLOW_INPUT=1
  export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-noinput -kernel inet_dist_use_interface {127,0,0,1} +sbwt none +S 2:2'
  export RABBITMQ_CTL_ERL_ARGS='+sbwt none'
}

answers() { grep -q 'Server startup complete' log; }

clean_up() {
  local process
  process=$(cat epmd.pid)
  kill -KILL "$process" 2>/dev/null || true
}

ctl() {
  environment
  exec "$program/rabbitmqctl" "$@"
}

evaluate() {
  local answer
  environment
  # With a name of its own: the node talks to only one caller of each name at a time.
  answer=$(erl_call -h "call$$" -address "localhost:$RABBITMQ_DIST_PORT" -c "$(cat home/.erlang.cookie)" -e <<< "$1")
  case $answer in
  '{ok, '*) answer=${answer#'{ok, '} && echo "${answer%\}}" ;;
  *) fail "$answer in $1" ;;
  esac
}

main "$@"

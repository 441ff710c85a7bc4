# What the scripts of this folder share. They source it. The script of a server has a usage text at its top, and defines
# these functions, which run in the server's folder:
#   prepare     creates the data, once
#   configure   sets `command` to what starts the server on the ports `port`, `tls_port` and `more_ports`, at each start;
#               fails if a port is in use, and says so in `log`
#   answers     whether the server that was started is ready
#   clean_up    ends everything else when the server has ended
# It also sets the variables `count`, how many ports the server needs, and `orderly`, the signal that ends it in good order.
set -euo pipefail
scripts=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
count=1 orderly=TERM
clean_up() { :; }

# A server must not inherit what the caller has open, such as a pipe that somebody reads to its end. (255 is bash's own.)
for descriptor in /proc/$$/fd/*; do
  descriptor=${descriptor##*/}
  [ "$descriptor" -le 2 ] || [ "$descriptor" = 255 ] || eval "exec $descriptor>&-"
done

usage() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2; }

fail() { echo "${0##*/}: $*" >&2; exit 1; }

# Whether a process runs. One that only waits until its parent notices its end does not.
lives() { grep -qs '^State:[[:space:]][^ZX]' "/proc/$1/status"; }

# Starts a command that outlives this script. $! is its process.
detached() { setsid nohup "$@" < /dev/null & }

# Prints this many ports that are free now, below those that the kernel uses for outgoing connections.
free_ports() {
  perl -MIO::Socket::INET -e '
    my @held;
    for (1 .. 1000) {
      last if @held == $ARGV[0];
      my $port = 10000 + int rand 10000;
      push @held, IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $port, Proto => "tcp", Listen => 1) || ();
    }
    print join(" ", map { $_->sockport } @held), "\n"' "$1"
}

# Makes an authority, ca.pem, and what it has signed: server.pem and server.key, for localhost and 127.0.0.1.
make_certificates() {
  local key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
  openssl req -x509 "${key[@]}" -days 30 -subj /CN=farm-test-ca -keyout ca.key -out ca.pem
  openssl req "${key[@]}" -subj /CN=localhost -keyout server.key -out server.csr
  openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
    -extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1') -out server.pem
}

# The script of a server continues in the server's release of Debian: that of its first start, or else the one in SERVERS,
# or else this machine's.
in_release() {
  local release
  [ $# -ge 2 ] && [ -z "${FARM_RELEASE:-}" ] || return 0
  release=$(cat "$2/release" 2>/dev/null || echo "${SERVERS:-}")
  [ -z "$release" ] || FARM_RELEASE=$release exec "$scripts/debian.sh" "$release" "$0" "$@"
}

start() {
  local try
  # If it were started twice, the second would be mistaken for the first, and neither would be ended.
  if [ -f pid ] && lives "$(cat pid)"; then fail "runs already: process $(cat pid)"; fi
  if [ ! -f prepared ]; then
    echo "${0##*/}" > script
    echo "${FARM_RELEASE:-}" > release
    # In the background, because `set -e` has no effect inside a condition.
    prepare > prepare.log 2>&1 &
    wait $! || { cat prepare.log >&2; fail "could not make its data in $PWD"; }
    touch prepared
  fi
  if [ -f ports ]; then launch && return; else
    for try in 1 2 3 4 5; do
      free_ports "$count" > ports
      launch && return
      rm ports
      # Somebody has taken a port since it was found to be free.
      grep -qiE 'in use|eaddrinuse' log || break
    done
  fi
  tail -30 log >&2
  fail "did not start; above is the end of $PWD/log"
}

launch() {
  local process
  read -r port tls_port more_ports < ports || true
  configure || { clean_up; return 1; }
  detached "${command[@]}" > log 2>&1
  process=$!
  echo "$process" > pid
  for _ in $(seq 1200); do
    if answers; then return 0; fi
    lives "$process" || break
    sleep 0.1
  done
  stop KILL
  return 1
}

# Ends the server with a signal, and waits for its end. KILL is sent to its children too, as in a power cut.
stop() {
  local signal=$1 processes process
  [ -f pid ] || return 0
  processes=$(cat pid)
  [ "$signal" != KILL ] || processes+=" $(ps -o pid= --ppid "$processes" || true)"
  # shellcheck disable=SC2086
  kill "-$signal" $processes 2>/dev/null || true
  for process in $processes; do
    for _ in $(seq 1200); do
      lives "$process" || break
      sleep 0.05
    done
    if lives "$process"; then fail "process $process has not ended by SIG$signal after a minute; see $PWD/log"; fi
  done
  clean_up
  rm -f pid
}

# Kills every server in a folder, and removes it.
end_all() {
  local server
  for server in "$1"/*/; do
    [ ! -f "$server/script" ] || "$scripts/$(cat "$server/script")" stop "$server" KILL || true
  done
  rm -rf "$1"
}

# Does what the script's arguments say.
main() {
  [ $# -ge 2 ] || usage
  local verb=$1 dir=$2
  shift 2
  case $verb in
  start)
    mkdir -p "$dir"
    cd "$dir"
    start ;;
  stop)
    cd "$dir" 2>/dev/null || exit 0
    stop "${1:-$orderly}" ;;
  *)
    [[ " ${verbs:-} " = *" $verb "* ]] || usage
    cd "$dir"
    "$verb" "$@" ;;
  esac
}

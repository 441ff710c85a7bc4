#!/usr/bin/env bash
# Runs a command with a RabbitMQ, a PostgreSQL, a PgBouncer in front of it and a MariaDB for it alone, stops them when it ends,
# and ends as it did.
#
#   run.sh COMMAND [ARGUMENT…]      run.sh swift test --filter PortTests; run.sh bash, to look around
#   SERVERS=trixie run.sh COMMAND   with the servers of that release of Debian (debian.sh), not with this machine's
#
# FARM_TEST_SERVERS tells the command the folder that has theirs: rabbitmq, postgresql, pgbouncer and mariadb, each with the files ports,
# ca.pem and log. Servers that the command starts in that folder by the other scripts end with it, too.
. "$(dirname "$(readlink -f "$0")")/common.sh"
[ $# -gt 0 ] || usage

folder=$(mktemp -d /tmp/farm-servers.XXXXXX)
trap 'end_all "$folder"' EXIT
# PostgreSQL's is another user, when this one is root.
chmod 755 "$folder"
# When this script is killed its trap is not run.
detached bash -c '. "$1/common.sh"; tail --pid="$2" --follow /dev/null; end_all "$3"' _ "$scripts" $$ "$folder" > /dev/null 2>&1

declare -A starting
for server in rabbitmq postgresql mariadb; do
  "$scripts/$server.sh" start "$folder/$server" &
  starting[$server]=$!
done
for server in "${!starting[@]}"; do
  wait "${starting[$server]}" || failed+=("$server")
done
# It has to know where PostgreSQL is.
"$scripts/pgbouncer.sh" start "$folder/pgbouncer" || failed+=(pgbouncer)
[ -z "${failed:-}" ] || fail "no command without its servers; did not start: ${failed[*]}"

# A command in the background would not see Ctrl-C; one in the foreground would keep this script from its traps.
FARM_TEST_SERVERS=$folder env --default-signal=INT,QUIT "$@" <&0 &
command=$!
trap : INT QUIT
trap 'kill -TERM "$command"' TERM HUP
while
  wait "$command" && status=0 || status=$?
  lives "$command"
do :; done
exit "$status"

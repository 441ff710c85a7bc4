#!/usr/bin/env bash
# Installs what farm needs and what is missing: Debian packages (with sudo if you are not root), and Python environments
# inside this folder. Prints what it will install before it does so.
#
#   setup.sh demo    for building farm and running it with the example services: no server, nothing that starts by itself
#   setup.sh test    also what the tests need: RabbitMQ, PostgreSQL, PgBouncer, MariaDB and nginx, which the tests start on
#                    their own ports, Prometheus for its promtool, and Chromium. Servers that this script installs are
#                    disabled: none starts now or at the next boot
#   setup.sh bench   also what `make bench` needs
#
# docs/development.md says how to remove everything again.
set -euo pipefail
cd "$(dirname "$0")/.."

level=${1:-test}
case $level in demo | test | bench) ;; *) sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0" >&2 && exit 2 ;; esac

# docs/dependencies.md says what each is for.
packages=(
  build-essential pkg-config                                # building
  libcurl4-openssl-dev libexif-dev libmariadb-dev libpq-dev libssl-dev # linked
  librabbitmq-dev libsimdjson-dev libsqlite3-dev
  libjpeg-dev uuid-dev
  libvips42 fonts-dejavu-core                               # opened when a picture needs them
  python3 python3-venv libimage-exiftool-perl               # the example services
)
# prometheus: for its promtool, which checks metrics and alerts. The tests do not start its server.
servers=(mariadb-server nginx-light pgbouncer postgresql prometheus rabbitmq-server)
# The units that would start these servers at the next boot.
units=(epmd.socket epmd.service mariadb.service nginx.service pgbouncer.service postgresql.service prometheus.service rabbitmq-server.service)
[ "$level" = demo ] || packages+=(jq logrotate sqlite3 "${servers[@]}" locales openssl procps)
[ "$level" = demo ] || packages+=(chromium-headless-shell) # the browser tests
[ "$level" != bench ] || packages+=(libturbojpeg0-dev) # `make bench` holds farm against it
# For servers from another release of Debian, see scripts/servers/debian.sh.
[ -z "${SERVERS:-}" ] || packages+=(debootstrap)

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)

enabled() {
  local unit
  for unit in "${units[@]}"; do
    ! systemctl --root=/ --quiet is-enabled "$unit" 2>/dev/null || echo "$unit"
  done
}

missing=() new_servers=()
for package in "${packages[@]}"; do
  dpkg-query --show --showformat='${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' && continue
  missing+=("$package")
  [[ " ${servers[*]} " != *" $package "* ]] || new_servers+=("$package")
done

# Disables the servers that were installed, even if their installation fails or is interrupted: those that are configured
# by then would start at the next boot. It may run twice.
policy=/usr/sbin/policy-rc.d own_policy='' before=''
leave_disabled() {
  local unit
  trap '' INT TERM HUP
  if command -v systemctl > /dev/null; then
    for unit in $(enabled); do
      grep -qx "$unit" <<< "$before" || "${as_root[@]}" systemctl --root=/ --quiet disable "$unit" \
        || echo "setup: $unit is still enabled: it could not be disabled" >&2
    done
  fi
  [ -z "$own_policy" ] || "${as_root[@]}" rm -f "$policy"
  own_policy=''
}

if [ ${#missing[@]} -gt 0 ]; then
  echo "setup: installs Debian packages (${as_root[*]:-as root}): ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  if [ ${#new_servers[@]} -gt 0 ]; then
    before=$(enabled)
    trap leave_disabled EXIT
    # Not before apt-get has ended. Otherwise it would go on alone.
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    # No server of a package may start here and take its usual port.
    if [ ! -e "$policy" ]; then
      own_policy=yes
      printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" > /dev/null
      "${as_root[@]}" chmod 755 "$policy"
    fi
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  if [ ${#new_servers[@]} -gt 0 ]; then
    leave_disabled
    trap - EXIT INT TERM HUP
    ! command -v systemctl > /dev/null \
      || echo "setup: ${new_servers[*]} will not start at boot; the tests start their own"
  fi
fi
command -v swift >/dev/null || {
  echo "setup: no Swift toolchain on the PATH; install Swift 6.2 or newer from https://www.swift.org/install/linux/" >&2
  exit 1
}

examples/services/setup.sh

# environment FOLDER REQUIREMENTS WHOSE: a Python environment that has just these packages.
environment() {
  local wanted
  wanted=$(sha256sum "$2")
  [ "$(cat "$1/.stamp" 2>/dev/null)" != "$wanted" ] || return 0
  echo "setup: makes $1, $3"
  rm -rf "$1"
  /usr/bin/python3 -m venv "$1"
  # Without dependencies: ensemble-boxes names 300 MB that the one module in the comparison does not load.
  "$1/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$2"
  echo "$wanted" > "$1/.stamp"
}

# The tests compare farm with public implementations from PyPI, and `make bench` with other task queues.
[ "$level" = demo ] || environment .build-python Tests/requirements.txt "the tests' Python environment"
[ "$level" != bench ] || environment .build-others Benchmarks/Others/requirements.txt "other task queues'"
echo "setup: done"

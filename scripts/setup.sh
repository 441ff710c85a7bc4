#!/usr/bin/env bash
# Installs what building, trying and testing need: Debian packages (with sudo when not root) and two Python virtual
# environments inside this folder. Says what it will do; does nothing that is done already.
set -euo pipefail
cd "$(dirname "$0")/.."

# What each is for: docs/dependencies.md.
packages=(
  build-essential pkg-config                                # building
  libcurl4-openssl-dev libexif-dev libmariadb-dev libpq-dev # linked
  librabbitmq-dev libsimdjson-dev libsqlite3-dev
  libjpeg-dev uuid-dev
  libvips42 fonts-dejavu-core                               # opened when a picture needs them
  python3 python3-venv libimage-exiftool-perl               # the example services and the tests
  sqlite3
  libturbojpeg0-dev                                         # what `make bench` holds farm against
  mariadb-server postgresql rabbitmq-server openssl procps  # the tests' servers (scripts/servers)
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query --show --showformat='${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  echo "setup: installs Debian packages (${as_root[*]:-as root}): ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  # The tests start servers of their own: none that comes with a package shall start here and take its usual port.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    trap '"${as_root[@]}" rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy > /dev/null
    "${as_root[@]}" chmod 755 $policy
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
command -v swift >/dev/null || {
  echo "setup: no Swift toolchain on the PATH; install Swift 6.2 or newer from https://www.swift.org/install/linux/" >&2
  exit 1
}

services/setup.sh

# The tests hold farm against public implementations from PyPI.
wanted=$(sha256sum Tests/requirements.txt)
if [ "$(cat .build-python/.stamp 2>/dev/null)" != "$wanted" ]; then
  echo "setup: makes .build-python, the tests' Python environment"
  rm -rf .build-python
  /usr/bin/python3 -m venv .build-python
  # Without dependencies: ensemble-boxes names 300 MB that the one module held against does not load.
  .build-python/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement Tests/requirements.txt
  echo "$wanted" > .build-python/.stamp
fi
echo "setup: done"

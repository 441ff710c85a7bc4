#!/usr/bin/env bash
# Runs a command with another release of Debian instead of this one: with its /usr and /etc, and everything else as it is.
#
#   debian.sh RELEASE COMMAND [ARGUMENT…]   debian.sh trixie psql --version; debian.sh trixie bash, to look around
#
# The root of the release is .build-RELEASE, which contains the servers for the tests. If it is missing, debootstrap creates
# it from the Debian mirror that apt uses here, with packages that Debian has signed. This needs root. Only the command and
# what it starts see the release. Processes and ports are this machine's.
. "$(dirname "$(readlink -f "$0")")/common.sh"
[ $# -ge 2 ] || usage
[[ $1 =~ ^[a-z]+$ ]] || fail "no name of a release: $1"
[ "$(id -u)" = 0 ] || fail "needs root, to mount $1 for its processes alone"

root=$(readlink -m "$scripts/../../.build-$1") release=$1
shift
# The packages that the tests' servers and the scripts of this folder need.
packages="rabbitmq-server postgresql pgbouncer mariadb-server openssl procps"

# Another list of packages leads to another root.
is_made() { [ "$(cat "$root/packages" 2>/dev/null)" = "$packages" ]; }

# It is made under another name, and renamed when it is complete. An incomplete one is made again.
make_root() {
  local mirror
  command -v debootstrap > /dev/null || fail "needs debootstrap: apt-get install debootstrap"
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 'Origin: Debian' 'Label: Debian' | head -1)
  [ -n "$mirror" ] || fail "apt knows no mirror of Debian: apt-get update"
  echo "${0##*/}: makes $root of $mirror, which takes some minutes" >&2
  rm -rf "$root.new"
  # In a namespace, so that nothing stays mounted, however this ends.
  unshare --mount "$BASH" -euc '
    debootstrap --variant=minbase --force-check-gpg --keyring=/usr/share/keyrings/debian-archive-keyring.gpg "$1" "$2" "$3"
    # Installing a server must not start it.
    printf "#!/bin/sh\nexit 101\n" > "$2/usr/sbin/policy-rc.d"
    chmod 755 "$2/usr/sbin/policy-rc.d"
    mount -t proc proc "$2/proc"
    mount --rbind /dev "$2/dev"
    export DEBIAN_FRONTEND=noninteractive
    chroot "$2" apt-get install --yes --no-install-recommends $4
    chroot "$2" apt-get clean
  ' _ "$release" "$root.new" "$mirror" "$packages" > "$root.log" 2>&1 < /dev/null || {
    tail -20 "$root.log" >&2
    fail "could not make $root; above is the end of $root.log"
  }
  echo "$packages" > "$root.new/packages"
  rm -rf "$root"
  mv "$root.new" "$root"
}

if ! is_made; then
  (
    # Several processes may want it at once.
    flock 9
    is_made || make_root
  ) 9> "$root.lock"
fi
# Debian keeps all programs and libraries in these two. /bin, /lib and /sbin are links to /usr.
exec unshare --mount "$BASH" -c 'mount --bind "$1/usr" /usr && mount --bind "$1/etc" /etc && shift && exec "$@"' _ "$root" "$@"

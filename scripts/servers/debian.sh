#!/usr/bin/env bash
# Runs a command with another release of Debian in place of this one: its /usr and /etc, everything else as it is.
#
#   debian.sh RELEASE COMMAND [ARGUMENT…]   debian.sh trixie psql --version; debian.sh trixie bash, to look around
#
# The release's root is .build-RELEASE, with the servers of the tests in it. It is made when it is not there, by debootstrap,
# from the mirror of Debian that this machine's apt uses and of packages that Debian has signed. Needs root. Only the command and
# what it starts see the release; its processes and ports are this machine's.
. "$(dirname "$(readlink -f "$0")")/common.sh"
[ $# -ge 2 ] || usage
[[ $1 =~ ^[a-z]+$ ]] || fail "no name of a release: $1"
[ "$(id -u)" = 0 ] || fail "needs root, to mount $1 for its processes alone"

root=$(readlink -m "$scripts/../../.build-$1") release=$1
shift
# What the tests' servers and the scripts of this folder need.
packages="rabbitmq-server postgresql pgbouncer mariadb-server openssl procps"

# Another list of packages makes another root.
is_made() { [ "$(cat "$root/packages" 2>/dev/null)" = "$packages" ]; }

# In a folder of another name, which gets its own when it is whole: a half one is made anew.
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
    # No server is to start by its installation.
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
    # Several may want it at once.
    flock 9
    is_made || make_root
  ) 9> "$root.lock"
fi
# Debian has all programs and libraries in these two, and /bin, /lib and /sbin as links to /usr.
exec unshare --mount "$BASH" -c 'mount --bind "$1/usr" /usr && mount --bind "$1/etc" /etc && shift && exec "$@"' _ "$root" "$@"

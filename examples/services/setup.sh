#!/bin/sh
# Makes examples/services/.venv with what the example services need. Run again, it does nothing
# if requirements.txt is the same; interrupted, it begins anew.
set -eu
cd "$(dirname "$0")"

say() { echo "examples/services/setup.sh: $*" >&2; }

# One at a time: a second one waits and then finds the work done.
if command -v flock >/dev/null; then
    exec 9>.venv.lock
    flock 9
fi

stamp=.venv/requirements.sha256
wanted=$(sha256sum <requirements.txt)

is_done() {
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null
}

# The packages are built for these two.
is_usable() {
    "$1" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' \
        2>/dev/null
}

install_with() {
    rm -rf .venv
    "$1" -m venv .venv >&2 &&
        .venv/bin/pip install --quiet --disable-pip-version-check --no-deps \
            -r requirements.txt >&2
}

command -v exiftool >/dev/null ||
    say "exiftool is missing, metadata needs it: apt-get install libimage-exiftool-perl"

if is_done; then
    exit 0
fi

for python in ${PYTHON:-python3.11 python3.12 python3 /usr/bin/python3}; do
    is_usable "$python" || continue
    say "installing into examples/services/.venv with $("$python" --version):" \
        "0.3 GB to fetch, 0.7 GB on disk"
    if install_with "$python"; then
        echo "$wanted" >"$stamp"
        say "done: start with examples/services/.venv/bin/python examples/services/serve.py"
        exit 0
    fi
    say "that did not work with $python"
done
rm -rf .venv
say "no Python worked. Needed: Python 3.11 or 3.12 with venv" \
    "(apt-get install python3-venv), and access to PyPI"
exit 1

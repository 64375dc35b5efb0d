#!/bin/bash
# Makes .venv and fills it with exactly what requirements.lock names. Quick when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

lock=requirements.lock
mark=.venv/.lock-checksum
checksum=$(sha256sum "$lock" | cut -d' ' -f1)
[ -f "$mark" ] && [ "$(cat "$mark")" = "$checksum" ] && exit 0

# The system's own Python before others on the path: it is the one that was built with all optimisations.
find_python() {
    local name
    for name in "${PYTHON:-/usr/bin/python3}" python3.11 python3 python3.12 python3.13; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

make_venv() {
    local python
    python=$(find_python) || fail "Python 3.11 or newer is missing: apt-get install python3 (or set PYTHON)."
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        local package=python3-venv
        if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
            fail "$package is missing: sudo apt-get install $package"
        fi
        say "installing $package"
        { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install "$package"; } >/dev/null \
            || fail "$package cannot be installed: apt-get said why above."
    fi
    say "making .venv with $("$python" --version)"
    "$python" -m venv .venv
}

# The part of the lock that is about uv, with its hashes: the first package needs the old way to install.
only_uv() { awk '/^[a-z0-9]/ { take = /^uv==/ } take' "$lock"; }

[ -x .venv/bin/python ] || make_venv
if [ ! -x .venv/bin/uv ] && .venv/bin/python -c 'import pip' 2>/dev/null; then
    say "installing uv"
    .venv/bin/python -m pip install -q --require-hashes -r <(only_uv)
fi
uv=.venv/bin/uv
[ -x "$uv" ] || uv=$(command -v uv) || fail ".venv has no pip: remove it (rm -r .venv) and run make setup again."

# An organisation's own certificates count, as they do for pip.
export UV_SYSTEM_CERTS=1
say "installing the packages of $lock"
if ! "$uv" pip install -q -p .venv --require-hashes -r "$lock"; then
    # pip knows settings that uv does not read, such as pip.conf
    say "uv could not; trying pip"
    .venv/bin/python -m pip install -q --require-hashes -r "$lock"
fi
ln -sf ../../fikarum .venv/bin/fikarum
echo "$checksum" > "$mark"

# Sourced by the commands beside it: a virtual environment in .venv, and in it the package, built
# against the stub library. What is there and up to date is left alone.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

supported() {
    "$1" -c 'import sys; sys.exit(not (3, 9) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.10 python3.9}; do
        if supported "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "no Python 3.9 to 3.13 found; set PYTHON to one"
}

make_venv() {
    local python
    supported .venv/bin/python && return
    python=$(find_python)
    rm -rf .venv
    "$python" -m venv .venv || fail "$python can't make virtual environments; install its venv module"
}

# What the installed package is made of; its Python modules are used where they lie.
out_of_date() {
    [ ! -e "$1" ] || [ -n "$(find pyproject.toml setup.py src/confd_events_build include ci/stub \
        ci/make-sdk src/confd_events -newer "$1" -type f -regextype posix-extended \
        -regex '.*(\.(toml|pyx|pxi|pxd|h|c|map)|make-sdk|setup\.py|_catalog\.py|_build/.*\.py)' \
        -print -quit)" ]
}

install_package() {
    local stamp=.venv/installed
    out_of_date "$stamp" || return 0
    command -v ${CC:-cc} >/dev/null || fail "no C compiler found; install one or set CC"
    echo "Building into .venv ..."
    python -m pip install --quiet --disable-pip-version-check \
        'setuptools>=77' 'Cython>=3.1'
    CONFD_EVENTS_SDK=stub python -m pip install --quiet --disable-pip-version-check \
        --no-build-isolation --editable '.[dev]'
    touch "$stamp"
}

make_venv
export PATH="$PWD/.venv/bin:$PATH"
install_package

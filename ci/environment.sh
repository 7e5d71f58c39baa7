# Sourced by the commands beside it: a virtual environment in .venv, or where VENV says, and in it
# the package, built against the stub library. What is there and up to date is left alone.

source "$(dirname "${BASH_SOURCE[0]}")/pythons.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/.."

VENV=${VENV:-.venv}

make_venv() {
    local python
    version_of "$VENV/bin/python" >/dev/null && return
    python=$(find_python)
    rm -rf "$VENV"
    "$python" -m venv "$VENV" ||
        fail "$python can't make virtual environments; install its venv module"
}

# What the installed package is made of; its Python modules are used where they lie.
out_of_date() {
    [ ! -e "$1" ] || [ -n "$(find pyproject.toml setup.py src/confd_events_build include ci/stub \
        ci/make-sdk src/confd_events -newer "$1" -type f -regextype posix-extended \
        -regex '.*(\.(toml|pyx|pxi|pxd|h|c|map)|make-sdk|setup\.py|_catalog\.py|_build/.*\.py)' \
        -print -quit)" ]
}

install_package() {
    local stamp=$VENV/installed
    if ! out_of_date "$stamp" && python -c 'import confd_events' 2>/dev/null; then
        return
    fi
    command -v ${CC:-cc} >/dev/null || fail "no C compiler found; install one or set CC"
    echo "Building into $VENV ..."
    python -m pip install --quiet --disable-pip-version-check \
        'setuptools>=77' 'Cython>=3.1,<3.3'
    CONFD_EVENTS_SDK=stub python -m pip install --quiet --disable-pip-version-check \
        --no-build-isolation --editable '.[dev]'
    touch "$stamp"
}

make_venv
PATH="$(cd "$VENV" && pwd)/bin:$PATH"
export PATH
install_package

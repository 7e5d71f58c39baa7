# Sourced by the commands beside it: a virtual environment, and in it the package, built against a
# libconfd SDK. What is there and up to date is left alone.
#
# The commands' arguments --sdk DIR and --link shared|static|auto name the SDK, and so do the variables
# of the build (CONFD_EVENTS_SDK, NCS_DIR, CONFD_DIR; CONFD_EVENTS_LINK). Without any, or with
# --sdk stub, it is the stub library, and the environment is .venv, or where VENV says. Another SDK
# has one of its own, named after its release, such as .venv-ncs8.2.5.static.

source "$(dirname "${BASH_SOURCE[0]}")/pythons.sh"

# Takes --sdk and --link out of the arguments; the others are in the array "arguments" then.
take_sdk() {
    arguments=()
    while (($#)); do
        case $1 in
            --sdk | --link) (($# > 1)) || fail "$1 needs a value" ;;&
            --sdk) CONFD_EVENTS_SDK=$2 && shift ;;
            --link) CONFD_EVENTS_LINK=$2 && shift ;;
            --sdk=*) CONFD_EVENTS_SDK=${1#*=} ;;
            --link=*) CONFD_EVENTS_LINK=${1#*=} ;;
            *) arguments+=("$1") ;;
        esac
        shift
    done
    if [[ -z ${CONFD_EVENTS_SDK:-${NCS_DIR:-${CONFD_DIR:-}}} ]]; then
        CONFD_EVENTS_SDK=stub
    elif [[ -n ${CONFD_EVENTS_SDK:-} && $CONFD_EVENTS_SDK != stub ]]; then
        CONFD_EVENTS_SDK=$(realpath --canonicalize-missing "$CONFD_EVENTS_SDK")
    fi
    # The tests build against the stub library as shared, too, unless they say otherwise.
    [[ ${CONFD_EVENTS_SDK:-} != stub ]] || CONFD_EVENTS_LINK=${CONFD_EVENTS_LINK:-shared}
    export CONFD_EVENTS_SDK=${CONFD_EVENTS_SDK:-} CONFD_EVENTS_LINK=${CONFD_EVENTS_LINK:-}
}

# The release of the SDK, as wheels for it name it: ncs8.2.5, or ncs8.2.5.static.
release_of_sdk() {
    PYTHONPATH=src "$(find_python)" -c 'import os, shlex, sys
from confd_events_build import fit, sdk
try:
    print(fit.tag(sdk.find(os.environ), shlex.split(os.environ.get("CC", "cc"))))
except sdk.SdkError as error:
    sys.exit(f"confd-events: {error}")'
}

# A libconfd on LD_LIBRARY_PATH, where ncsrc puts its own, would replace the one built against.
drop_other_libraries() {
    local directory kept=() IFS=:
    for directory in ${LD_LIBRARY_PATH:-}; do
        [ -e "$directory/libconfd.so" ] || kept+=("$directory")
    done
    export LD_LIBRARY_PATH="${kept[*]}"
}

make_venv() {
    local python
    version_of "$VENV/bin/python" >/dev/null && return
    python=$(find_python)
    rm -rf "$VENV"
    "$python" -m venv "$VENV" ||
        fail "$python can't make virtual environments; install its venv module"
}

# What the installed package is made of. With the stub its Python modules are used where they lie.
out_of_date() {
    local made_of='\.(toml|pyx|pxi|pxd|h|c|map)|make-sdk|setup\.py|description/(catalog|shapes)\.py|_build/.*\.py'
    [ "$CONFD_EVENTS_SDK" = stub ] || made_of="$made_of|\.pyi?|\.typed"
    [ ! -e "$1" ] || [ "$(<"$1")" != "$built_for" ] ||
        [ -n "$(find pyproject.toml setup.py src/confd_events_build include ci/stub \
            ci/make-sdk src/confd_events -newer "$1" -type f -regextype posix-extended \
            -regex ".*($made_of)" -print -quit)" ]
}

install_package() {
    local stamp=$VENV/installed built_for build package=(--editable '.[dev]')
    built_for="${CONFD_EVENTS_SDK:-${NCS_DIR:-${CONFD_DIR:-}}} $CONFD_EVENTS_LINK"
    built_for+=" ${CONFD_EVENTS_STUB_LEVEL:-} ${CONFD_EVENTS_STUB_PRODUCT:-}"
    if ! out_of_date "$stamp" && python -c 'import confd_events' 2>/dev/null; then
        return
    fi
    command -v ${CC:-cc} >/dev/null || fail "no C compiler found; install one or set CC"
    echo "Building into $VENV ..."
    if [ "$CONFD_EVENTS_SDK" != stub ]; then
        # In the source tree lies the extension of .venv; nothing of this build may land there.
        build=$(cd "$VENV" && pwd)/build package=('.[dev]')
        rm -rf "$build"
        printf '[build]\nbuild_base = %s\n' "$build" >"$VENV/build.cfg"
        export DIST_EXTRA_CONFIG=$build.cfg
    fi
    python -m pip install --quiet --disable-pip-version-check \
        'setuptools>=77' 'Cython>=3.1,<3.3'
    python -m pip install --quiet --disable-pip-version-check \
        --no-build-isolation "${package[@]}"
    echo "$built_for" >"$stamp"
}

take_sdk "$@"
set -- "${arguments[@]}"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
VENV=${VENV:-.venv}
if [ "$CONFD_EVENTS_SDK" != stub ]; then
    release=$(release_of_sdk)
    VENV=$VENV-$release
fi
drop_other_libraries
make_venv
PATH="$(cd "$VENV" && pwd)/bin:$PATH"
export PATH
install_package

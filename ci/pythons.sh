# Sourced by the commands beside it: finds the Pythons that the package supports.

set -euo pipefail

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# The Python's version, such as 3.11; fails for one that is not supported or does not run.
version_of() {
    "$1" -c 'import sys
version = sys.version_info[:2]
(3, 9) <= version <= (3, 13) or sys.exit(1)
print("%d.%d" % version)' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.10 python3.9}; do
        if version_of "$candidate" >/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "no Python 3.9 to 3.13 found; set PYTHON to one"
}

# The first Python of each version on PATH or installed by pyenv, one a line.
find_pythons() {
    local version candidate installed=${PYENV_ROOT:-$HOME/.pyenv}/versions
    for version in 3.9 3.10 3.11 3.12 3.13; do
        for candidate in "python$version" "$installed/$version".*/bin/python; do
            if [[ $(version_of "$candidate") == "$version" ]]; then
                echo "$candidate"
                break
            fi
        done
    done
}

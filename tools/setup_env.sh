#!/usr/bin/env bash
# Prepare .venv with the known-good versions of requirements/lock*.txt; source it from a script in tools/:
#   source tools/setup_env.sh; setup_env run|tests [arguments of tools/setup_env.py]
# PYTHON chooses the interpreter, VENV another place than .venv.

die() { echo "error: $*" >&2; exit 1; }

setup_env() {
  local python=${PYTHON:-python3}
  export VENV=${VENV:-.venv}
  command -v "$python" >/dev/null || die "no $python found; install Python 3.10 or newer, or set PYTHON"
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    die "$("$python" --version) is too old; install Python 3.10 or newer, or set PYTHON"
  "$python" tools/setup_env.py "$@" || exit 1
}

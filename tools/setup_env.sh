#!/usr/bin/env bash
# Prepare .venv with the known-good versions of requirements/lock*.txt; source it from a script in tools/:
#   source tools/setup_env.sh; setup_env run|tests
# Safe to run again: an environment that already matches its lock files is left alone.
# PYTHON chooses the interpreter, VENV another place than .venv.

die() { echo "error: $*" >&2; exit 1; }

setup_env() {
  local profile=$1 python=${PYTHON:-python3}
  local locks=(requirements/lock.txt)
  [ "$profile" = tests ] && locks+=(requirements/lock-tests.txt)
  VENV=${VENV:-.venv}
  command -v "$python" >/dev/null || die "no $python found; install Python 3.10 or newer, or set PYTHON"
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    die "$("$python" --version) is too old; install Python 3.10 or newer, or set PYTHON"
  if [ ! -x "$VENV/bin/pip" ]; then
    echo "Creating $VENV ..."
    "$python" -m venv "$VENV" || die "cannot create $VENV; on Debian: apt-get install python3-venv"
  fi
  local stamp
  stamp="$VENV/.csbsr_mm-$profile-$(cat setup.py pyproject.toml "${locks[@]}" | sha256sum | cut -c 1-16)"
  if [ ! -e "$stamp" ]; then
    echo "Installing into $VENV (a minute or two; torch comes first) ..."
    # Without resolving: the locks are complete, and the resolver would bring in opencv-python, which
    # needs graphics libraries that a server lacks, next to the headless build.
    local torch
    torch=$(grep '^torch==' requirements/lock.txt)
    if "$VENV/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
      pip_install "$torch"
      local lock
      for lock in "${locks[@]}"; do pip_install --no-deps -r "$lock"; done
    else
      echo "Python 3.10: the newest versions that support it are taken, not the known-good ones."
      pip_install "$torch"
      pip_install -r requirements/base.txt -r requirements/mm.txt -r requirements/inspection.txt -r requirements/train.txt
      [ "$profile" = tests ] && pip_install -r requirements/tests.txt -r requirements/onnx.txt
      "$VENV/bin/pip" uninstall -q -y opencv-python opencv-python-headless
      pip_install --no-deps opencv-python-headless
    fi
    pip_install --no-deps --no-build-isolation -e .
    touch "$stamp"
  fi
  "$VENV/bin/python" -W ignore -c 'import csbsr_mm, sys; sys.exit(not csbsr_mm.has_mmseg)' >/dev/null ||
    die "the environment in $VENV is broken; delete it and run this again"
}

pip_install() {
  "$VENV/bin/pip" install -q --disable-pip-version-check "$@" ||
    die "pip could not install $*; see its message above (network? disk space?)"
}

# Sourced by the launch scripts: which Python runs, and what is checked before any process starts.
# PYTHON chooses the interpreter; by default the active environment, else the project's .venv.

die() { echo "error: $*" >&2; exit 1; }

need_file() {  # need_file WHAT PATH
  case "$2" in *://*) return ;; esac
  [ -f "$2" ] || die "$1 '$2' does not exist (looked from $PWD)"
}

need_count() {  # need_count WHAT NUMBER
  [[ "$2" =~ ^[1-9][0-9]*$ ]] || die "$1 must be a positive number, got '$2'"
}

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"
if [ -z "${PYTHON:-}" ]; then
  PYTHON=python
  if [ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && [ -x "$ROOT/.venv/bin/python" ]; then
    PYTHON="$ROOT/.venv/bin/python"
  fi
fi
command -v "$PYTHON" >/dev/null || die "no $PYTHON found; activate an environment or set PYTHON"

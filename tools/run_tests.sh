#!/usr/bin/env bash
# Install what the tests need into .venv, then check style, types and behaviour. Arguments go to pytest:
#   bash tools/run_tests.sh [--stack upstream] [-k boundary] [-m slow]
# --stack upstream tests with OpenMMLab's own last releases, in .venv-upstream.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/setup_env.sh
stack=maintained
if [ "${1:-}" = --stack ]; then
  [ $# -ge 2 ] || die "--stack needs a name: maintained or upstream"
  stack=$2
  shift 2
fi
[ "$stack" != upstream ] || VENV=${VENV:-.venv-upstream}
setup_env tests --stack "$stack"

"$VENV/bin/ruff" check .
"$VENV/bin/ruff" format --check .
"$VENV/bin/mypy"
# One thread a worker: the tests' images are small, and two processes share the cores better than threads.
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
"$VENV/bin/python" -m pytest -n 2 -q "$@"

#!/usr/bin/env bash
# Install what the tests need into .venv, then check style, types and behaviour. Arguments go to pytest:
#   bash tools/run_tests.sh [-k boundary] [-m slow]
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/setup_env.sh
setup_env tests

"$VENV/bin/ruff" check .
"$VENV/bin/ruff" format --check .
"$VENV/bin/mypy"
# One thread a worker: the tests' images are small, and two processes share the cores better than threads.
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
"$VENV/bin/python" -m pytest -n 2 -q "$@"

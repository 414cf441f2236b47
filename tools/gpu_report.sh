#!/usr/bin/env bash
# Measure everything that needs a GPU with the Python that is at hand, and write one folder:
#   bash tools/gpu_report.sh [--wheels DIR] [--minutes 25] [--out DIR] [--data-root PHOTOS] [--rehearse]
# --wheels DIR installs what is missing from a folder of wheels, without network. PYTHON chooses the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
if [ "${1:-}" = --wheels ]; then
  [ -d "${2:-}" ] || { echo "error: --wheels needs a folder of wheels, got '${2:-}'" >&2; exit 2; }
  # Without dependencies: torch, CUDA and OpenCV stay as they are.
  "$python" -m pip install -q --no-index --no-deps --find-links "$2" "$2"/*.whl
  shift 2
fi
exec "$python" tools/gpu_report.py "$@"

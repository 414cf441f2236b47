#!/usr/bin/env bash
# Test the claims of docs/installation.md: losses and metrics, installed from the wheel, with the oldest and the newest
# Python, torch and NumPy that can be installed here. Prints a Markdown table, which belongs into that page.
#   bash tools/test_matrix.sh [FOLDER]
# PYTHONS names interpreters (those of python3.10 ... python3.13 that are there), PAIRS the versions TORCH:NUMPY.
set -uo pipefail
cd "$(dirname "$0")/.."
folder=${1:-$(mktemp -d)}
pythons=${PYTHONS:-python3.10 python3.11 python3.12 python3.13}
pairs=${PAIRS:-2.0.1:1.24.4 2.1.2:1.26.4 2.13.0:1.26.4 2.13.0:2.4.6}

row() { printf '| %s | %s | %s | %s |\n' "$@"; }

mkdir -p "$folder"
row Python torch NumPy result
row --- --- --- ---
for python in $pythons; do
  version=$("$python" -c 'import platform; print(platform.python_version())' 2>/dev/null) || continue
  for pair in $pairs; do
    torch=${pair%:*} numpy=${pair#*:}
    venv=$folder/$version-$torch-$numpy
    log=$venv.log
    "$python" -m venv "$venv" >"$log" 2>&1
    if "$venv/bin/pip" install -q "torch==$torch" "numpy==$numpy" . pytest hypothesis surface-distance==0.1 >>"$log" 2>&1
    then
      # The script of pytest, unlike `python -m pytest`, leaves this folder out of the path: the wheel is tested.
      OMP_NUM_THREADS=1 "$venv/bin/pytest" -q -p no:cacheprovider --noconftest tests/functional >>"$log" 2>&1
      row "$version" "$torch" "$numpy" "$(tail -n 1 "$log" | tr -d '=')"
    else
      row "$version" "$torch" "$numpy" "cannot be installed together"
    fi
    rm -rf "$venv"
  done
done
echo "Logs: $folder" >&2

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
# What the tests compare with; this OpenCV has wheels for NumPy 1 and 2.
truths="pytest hypothesis surface-distance==0.1 opencv-python-headless==4.10.0.84 scikit-image"

row() { printf '| %s | %s | %s | %s |\n' "$@"; }

# One state of the sources for all rows.
mkdir -p "$folder"
python3 -m venv "$folder/build" && "$folder/build/bin/pip" -q wheel --no-deps -w "$folder" . >"$folder/build.log" 2>&1
wheel=$(ls "$folder"/csbsr_mm-*.whl) || { echo "error: no wheel, see $folder/build.log" >&2; exit 1; }
rm -rf "$folder/state" && mkdir "$folder/state" && cp -r tests pyproject.toml "$folder/state/"

row Python torch NumPy result
row --- --- --- ---
for python in $pythons; do
  version=$("$python" -c 'import platform; print(platform.python_version())' 2>/dev/null) || continue
  for pair in $pairs; do
    torch=${pair%:*} numpy=${pair#*:}
    venv=$folder/$version-$torch-$numpy
    log=$venv.log
    "$python" -m venv "$venv" >"$log" 2>&1
    if "$venv/bin/pip" install -q --prefer-binary "torch==$torch" "numpy==$numpy" "$wheel" $truths >>"$log" 2>&1; then
      (cd "$folder/state" && OMP_NUM_THREADS=1 "$venv/bin/pytest" -q -p no:cacheprovider --noconftest tests/functional) \
        >>"$log" 2>&1
      row "$version" "$torch" "$numpy" "$(tail -n 1 "$log" | tr -d '=')"
    else
      row "$version" "$torch" "$numpy" "cannot be installed together"
    fi
    rm -rf "$venv"
  done
done
echo "Logs: $folder" >&2

#!/usr/bin/env bash
# From nothing to a trained and tested CSBSR model on the CPU. Safe to run again: the environment and the
# rendered data are kept, and an interrupted training goes on where it stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/setup_env.sh
setup_env run

python="$VENV/bin/python"
export PYTHONWARNINGS=ignore

# Render, train, test: each run leaves its log beside its checkpoint.
render() { "$python" tools/dataset_converters/render_crack_demo.py data/crack_demo; }

train_and_test() {
  local config=configs/csbsr/$1.py out=work_dirs/$1
  "$python" tools/train.py "$config" --resume
  "$python" tools/test.py "$config" "$(cat "$out/last_checkpoint")" --work-dir "$out/test" --json "$out/metrics.json"
}

render
train_and_test quickstart_bicubic
train_and_test quickstart
checkpoint=$(cat work_dirs/quickstart/last_checkpoint)
"$python" tools/analysis_tools/draw_predictions.py configs/csbsr/quickstart.py "$checkpoint" \
  work_dirs/quickstart/report.png --count 4
"$python" tools/analysis_tools/metric_table.py --title "32 rendered test photos, degraded to 64x64" \
  "CSBSR=work_dirs/quickstart/metrics.json" "bicubic + same U-Net=work_dirs/quickstart_bicubic/metrics.json"

cat <<END

Picture:     work_dirs/quickstart/report.png
Checkpoint:  $checkpoint
Next, on real photos (docs/data.md says where to get them and how to lay them out):
  $python tools/train.py configs/csbsr/kbpn_pspnet_khanhha.py --cfg-options data_root=DATA
END

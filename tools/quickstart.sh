#!/usr/bin/env bash
# From nothing to cracks found on photos, and then to a trained and tested CSBSR model, on the CPU.
#
#   bash tools/quickstart.sh [--no-train]
#
# First the weights on board look at rendered photos, and at your own if there are any in photos/; --no-train stops
# there. Safe to run again: the environment and the rendered data are kept, and an interrupted training goes on
# where it stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/setup_env.sh
train=yes
case ${1:-} in
  '') ;;
  --no-train) train=no ;;
  *) die "unknown option $1; the only one is --no-train" ;;
esac
setup_env run

python="$VENV/bin/python"
export PYTHONWARNINGS=ignore

# Run a step with its output in a log file; of a training, show how far it is.
step() {  # step TITLE LOG COMMAND...
  local title=$1 log=$2
  shift 2
  mkdir -p "$(dirname "$log")"
  echo "$title"
  "$@" 2>&1 | tee "$log" | sed -un \
    's/.*Iter(train) *\(\[[^]]*\]\).*eta: \([0-9:]*\).* loss: \([0-9.]*\).*/  iteration \1  loss \3  time left \2/p' ||
    { tail -n 3 "$log" >&2; die "$title failed; the whole output is in $log"; }
}

train_and_test() {  # train_and_test CONFIG WHAT
  local config=configs/csbsr/$1.py out=work_dirs/$1
  step "Training $2" "$out/train.log" "$python" tools/train.py "$config" --work-dir "$out" --resume
  step "Testing $2" "$out/test.log" "$python" tools/test.py "$config" "$(cat "$out/last_checkpoint")" \
    --work-dir "$out/test" --json "$out/metrics.json"
}

# What the weights on board find on eight small, blurred photos, and on those of the user.
report_on_board() {
  local data=data/on_board out=work_dirs/on_board
  local photos=($data/test_blured/02_40/lr_images)
  [ ! -d photos ] || photos+=(photos)
  "$python" -m csbsr_mm render-demo $data --train 0 --test 8 --seed 1
  "$python" -m csbsr_mm convert-data degrade $data --padding reflect
  "$python" -m csbsr_mm predict "${photos[@]}" --out-dir $out --title "Found by the weights on board"
}

report_on_board
[ $train = yes ] || exit 0
"$python" tools/dataset_converters/render_crack_demo.py data/crack_demo
train_and_test quickstart_bicubic "a U-Net on bicubically enlarged photos, for comparison"
train_and_test quickstart "CSBSR: KBPN and the same U-Net"
checkpoint=$(cat work_dirs/quickstart/last_checkpoint)
step "Drawing" work_dirs/quickstart/draw.log "$python" tools/analysis_tools/draw_predictions.py \
  configs/csbsr/quickstart.py "$checkpoint" work_dirs/quickstart/report.png --count 4
"$python" tools/analysis_tools/metric_table.py --title "32 rendered test photos, degraded to 64x64" \
  "CSBSR=work_dirs/quickstart/metrics.json" "bicubic + U-Net=work_dirs/quickstart_bicubic/metrics.json"

cat <<END
Report:      work_dirs/on_board/index.html
Picture:     work_dirs/quickstart/report.png
Checkpoint:  $checkpoint
Next, on real photos (docs/data.md says where to get them and how to lay them out):
  $python tools/train.py configs/csbsr/kbpn_pspnet_khanhha.py --cfg-options data_root=DATA
END

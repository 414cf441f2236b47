#!/usr/bin/env bash
# Find cracks under Slurm, on one or more machines that see the same --out-dir:
#   [GPUS=4] [GPUS_PER_NODE=4] tools/slurm_predict.sh PARTITION JOB_NAME CONFIG CHECKPOINT PHOTOS --out-dir DIR [...]
# CPUS_PER_TASK and SRUN_ARGS as in MMSegmentation. If a process dies the others take its photo.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch_env.sh"
[ $# -ge 5 ] || die "usage: $0 PARTITION JOB_NAME CONFIG CHECKPOINT PHOTOS --out-dir DIR [arguments of tools/predict.py]"
need_file checkpoint "$4"
run_slurm "$1" "$2" 0 predict.py "$3" "$4" "$5" --launcher slurm "${@:6}"

#!/usr/bin/env bash
# Train under Slurm, on one or more machines:
#   [GPUS=6] [GPUS_PER_NODE=6] tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of tools/train.py]
# CPUS_PER_TASK and SRUN_ARGS as in MMSegmentation.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch_env.sh"
[ $# -ge 3 ] || die "usage: $0 PARTITION JOB_NAME CONFIG [arguments of tools/train.py]"
need_file config "$3"
run_slurm "$1" "$2" 1 train.py "$3" --launcher slurm "${@:4}"

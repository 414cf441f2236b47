#!/usr/bin/env bash
# Test under Slurm, on one or more machines:
#   [GPUS=4] [GPUS_PER_NODE=4] tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [arguments of tools/test.py]
# CPUS_PER_TASK and SRUN_ARGS as in MMSegmentation.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch_env.sh"
[ $# -ge 4 ] || die "usage: $0 PARTITION JOB_NAME CONFIG CHECKPOINT [arguments of tools/test.py]"
need_file config "$3"
need_file checkpoint "$4"
run_slurm "$1" "$2" 1 test.py "$3" "$4" --launcher slurm "${@:5}"

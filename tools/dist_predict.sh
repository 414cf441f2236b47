#!/usr/bin/env bash
# Find cracks on several GPUs (without a GPU: several CPU processes), which share the photos:
#   tools/dist_predict.sh CONFIG CHECKPOINT PHOTOS GPUS --out-dir DIR [arguments of tools/predict.py]
# Several machines, which see the same DIR: run it on each, with NNODES, NODE_RANK, MASTER_ADDR and PORT set.
# If a process dies torchrun ends the others: the same command with --resume goes on.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch_env.sh"
[ $# -ge 4 ] || die "usage: $0 CONFIG CHECKPOINT PHOTOS GPUS --out-dir DIR [arguments of tools/predict.py]"
need_file checkpoint "$2"
run_processes "$4" predict.py "$1" "$2" "$3" --launcher pytorch "${@:5}"

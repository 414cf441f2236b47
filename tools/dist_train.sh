#!/usr/bin/env bash
# Train on several GPUs (without a GPU: several CPU processes):
#   tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
# Several machines: run it on each, with NNODES, NODE_RANK, MASTER_ADDR and PORT set.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch_env.sh"
[ $# -ge 2 ] || die "usage: $0 CONFIG GPUS [arguments of tools/train.py]"
need_file config "$1"
run_processes "$2" train.py "$1" --launcher pytorch "${@:3}"

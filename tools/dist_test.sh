#!/usr/bin/env bash
# Test on several GPUs (without a GPU: several CPU processes):
#   tools/dist_test.sh CONFIG CHECKPOINT GPUS [arguments of tools/test.py]
# Several machines: run it on each, with NNODES, NODE_RANK, MASTER_ADDR and PORT set.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch_env.sh"
[ $# -ge 3 ] || die "usage: $0 CONFIG CHECKPOINT GPUS [arguments of tools/test.py]"
need_file config "$1"
need_file checkpoint "$2"
run_processes "$3" test.py "$1" "$2" --launcher pytorch "${@:4}"

#!/usr/bin/env bash
# Test on several GPUs (without a GPU: several CPU processes):
#   tools/dist_test.sh CONFIG CHECKPOINT GPUS [arguments of tools/test.py]
# Several machines: run it on each, with NNODES, NODE_RANK, MASTER_ADDR and PORT set.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch_env.sh"
[ $# -ge 3 ] || die "usage: $0 CONFIG CHECKPOINT GPUS [arguments of tools/test.py]"
need_file config "$1"
need_file checkpoint "$2"
need_count "number of GPUs" "$3"

exec "$PYTHON" -m torch.distributed.run \
  --nnodes="${NNODES:-1}" \
  --node_rank="${NODE_RANK:-0}" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" \
  --master_port="${PORT:-29500}" \
  --nproc_per_node="$3" \
  "$ROOT/tools/test.py" "$1" "$2" --launcher pytorch "${@:4}"

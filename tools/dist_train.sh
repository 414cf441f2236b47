#!/usr/bin/env bash
# Train on several GPUs (without a GPU: several CPU processes):
#   tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
# Several machines: run it on each, with NNODES, NODE_RANK, MASTER_ADDR and PORT set.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch_env.sh"
[ $# -ge 2 ] || die "usage: $0 CONFIG GPUS [arguments of tools/train.py]"
need_file config "$1"
need_count "number of GPUs" "$2"

exec "$PYTHON" -m torch.distributed.run \
  --nnodes="${NNODES:-1}" \
  --node_rank="${NODE_RANK:-0}" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" \
  --master_port="${PORT:-29500}" \
  --nproc_per_node="$2" \
  "$ROOT/tools/train.py" "$1" --launcher pytorch "${@:3}"

#!/usr/bin/env bash
# Train under Slurm, on one or more machines:
#   [GPUS=6] [GPUS_PER_NODE=6] tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of tools/train.py]
# CPUS_PER_TASK and SRUN_ARGS as in MMSegmentation.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch_env.sh"
[ $# -ge 3 ] || die "usage: $0 PARTITION JOB_NAME CONFIG [arguments of tools/train.py]"
need_file config "$3"
GPUS=${GPUS:-4}
GPUS_PER_NODE=${GPUS_PER_NODE:-$((GPUS < 4 ? GPUS : 4))}
need_count GPUS "$GPUS"
need_count GPUS_PER_NODE "$GPUS_PER_NODE"

# SRUN_ARGS holds several words on purpose.
# shellcheck disable=SC2086
exec srun -p "$1" --job-name="$2" \
  --gres="gpu:$GPUS_PER_NODE" --ntasks="$GPUS" --ntasks-per-node="$GPUS_PER_NODE" \
  --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
  "$PYTHON" -u "$ROOT/tools/train.py" "$3" --launcher slurm "${@:4}"

# Sourced by the launch scripts: which Python runs, what is checked before any process starts, and how they start.
# PYTHON chooses the interpreter; by default the active environment, else the project's .venv.

die() { echo "error: $*" >&2; exit 1; }

need_file() {  # need_file WHAT PATH
  case "$2" in *://*) return ;; esac
  [ -f "$2" ] || die "$1 '$2' does not exist (looked from $PWD)"
}

need_count() {  # need_count WHAT NUMBER
  [[ "$2" =~ ^[1-9][0-9]*$ ]] || die "$1 must be a positive number, got '$2'"
}

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"
if [ -z "${PYTHON:-}" ]; then
  PYTHON=python
  if [ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && [ -x "$ROOT/.venv/bin/python" ]; then
    PYTHON="$ROOT/.venv/bin/python"
  fi
fi
command -v "$PYTHON" >/dev/null || die "no $PYTHON found; activate an environment or set PYTHON"

run_processes() {  # run_processes PROCESSES SCRIPT ARGUMENT...: torchrun, on this machine as one of NNODES
  need_count "number of GPUs" "$1"
  exec "$PYTHON" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$1" \
    "$ROOT/tools/$2" "${@:3}"
}

run_slurm() {  # run_slurm PARTITION JOB_NAME KILL_ON_BAD_EXIT SCRIPT ARGUMENT...
  GPUS=${GPUS:-4}
  GPUS_PER_NODE=${GPUS_PER_NODE:-$((GPUS < 4 ? GPUS : 4))}
  need_count GPUS "$GPUS"
  need_count GPUS_PER_NODE "$GPUS_PER_NODE"
  # SRUN_ARGS holds several words on purpose.
  # shellcheck disable=SC2086
  exec srun -p "$1" --job-name="$2" \
    --gres="gpu:$GPUS_PER_NODE" --ntasks="$GPUS" --ntasks-per-node="$GPUS_PER_NODE" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit="$3" ${SRUN_ARGS:-} \
    "$PYTHON" -u "$ROOT/tools/$4" "${@:5}"
}

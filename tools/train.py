"""Train a model from a config; the command line is that of MMSegmentation's own train.py."""

import argparse
import os
import sys

from mmengine.config import DictAction
from mmengine.runner import Runner

import csbsr_mm  # noqa: F401  registers the components that configs name
from csbsr_mm.engine.checkpoint import TRUST_HELP, CheckpointError, use_reader
from csbsr_mm.engine.config import load_config, set_resume
from csbsr_mm.engine.runtime import enable_amp, prepare_runtime


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Train a model')
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='where logs and checkpoints go (default: work_dirs/CONFIG)')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='FILE',
        help='go on from the newest checkpoint of the work directory, or from FILE',
    )
    parser.add_argument('--trust-checkpoint', action='store_true', help=TRUST_HELP)
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='override config entries: key=value ...'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by launchers')
    args = parser.parse_args(_complete_resume(argv))
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def _complete_resume(argv: list[str]) -> list[str]:
    """Let a bare ``--resume`` stand before the config, as in MMSegmentation."""
    completed = []
    for word, following in zip(argv, [*argv[1:], ''], strict=True):
        completed.append(word)
        if word == '--resume' and following.endswith('.py'):
            completed.append('auto')
    return completed


def main() -> None:
    """Build the runner and train."""
    args = parse_args(sys.argv[1:])
    try:
        cfg = load_config(args.config, args.cfg_options, args.work_dir)
        set_resume(cfg, args.resume)
        if args.amp:
            enable_amp(cfg)
        prepare_runtime(cfg, args.launcher)
    except (FileNotFoundError, ValueError, RuntimeError) as error:
        sys.exit(f'error: {error}')
    use_reader(args.trust_checkpoint)
    try:
        runner = Runner.from_cfg(cfg)
        _ = runner.train_loop  # looks for the data
    except OSError as error:
        sys.exit(f'error: {error}')
    try:
        runner.train()
    except CheckpointError as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()

"""Test a checkpoint; the command line is that of MMSegmentation's own test.py, plus ``--json``."""

import argparse
import os
import sys

from mmengine.config import Config, DictAction
from mmengine.dist import is_main_process
from mmengine.runner import Runner

import csbsr_mm  # noqa: F401  registers the components that configs name
from csbsr_mm.engine.checkpoint import TRUST_HELP, check_for_testing, read_weights, use_reader
from csbsr_mm.engine.config import load_config
from csbsr_mm.engine.runtime import prepare_runtime
from csbsr_mm.engine.tta import enable_tta
from csbsr_mm.evaluation.report import print_metrics, write_metrics


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Test and evaluate a model')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--json', metavar='FILE', help='write the metrics, unrounded, to FILE')
    parser.add_argument('--out', metavar='DIR', help='save predicted masks as PNG files')
    parser.add_argument('--show', action='store_true', help='show predictions in a window')
    parser.add_argument('--show-dir', metavar='DIR', help='save painted predictions')
    parser.add_argument('--wait-time', type=float, default=2, help='seconds between shown predictions')
    parser.add_argument('--trust-checkpoint', action='store_true', help=TRUST_HELP)
    parser.add_argument('--tta', action='store_true', help='test-time augmentation')
    parser.add_argument('--work-dir', help='where logs go (default: work_dirs/CONFIG)')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='override config entries: key=value ...'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by launchers')
    args = parser.parse_args(argv)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def apply_args(cfg: Config, args: argparse.Namespace) -> None:
    """Put what the command line asks for into the config."""
    cfg.load_from, cfg.resume = args.checkpoint, False
    if args.show or args.show_dir:
        hook = cfg.get('default_hooks', {}).get('visualization')
        if hook is None:
            raise ValueError(
                '--show and --show-dir need a visualization hook: default_hooks = '
                "dict(visualization=dict(type='SegVisualizationHook'))"
            )
        # Upstream MMSegmentation would draw one photo in 50.
        hook.update(draw=True, interval=1, **(dict(show=True, wait_time=args.wait_time) if args.show else {}))
        if args.show_dir:
            cfg.visualizer.save_dir = args.show_dir
    if args.tta:
        enable_tta(cfg)
    if args.out:
        hook = dict(type='SavePredictionsHook', out_dir=args.out)
        cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), hook]


def main() -> None:
    """Build the runner, check the checkpoint, test, and report."""
    args = parse_args(sys.argv[1:])
    try:
        weights = read_weights(args.checkpoint, args.trust_checkpoint)
        use_reader(args.trust_checkpoint)
        cfg = load_config(args.config, args.cfg_options, args.work_dir)
        apply_args(cfg, args)
        prepare_runtime(cfg, args.launcher)
        runner = Runner.from_cfg(cfg)
        check_for_testing(runner.model, weights)
        _ = runner.test_loop  # looks for the data
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(f'error: {error}')
    metrics = runner.test()
    if is_main_process():
        print_metrics(metrics, f'{args.config}, {args.checkpoint}')
        if args.json:
            write_metrics(args.json, metrics, args.config, args.checkpoint)


if __name__ == '__main__':
    main()

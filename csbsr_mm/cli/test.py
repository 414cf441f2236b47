"""Test a checkpoint; the options are those of MMSegmentation's own test.py, plus --json."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from .arguments import add_config, add_config_options, add_launcher, add_trust


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    add_config(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--json', metavar='FILE', help='write the metrics, unrounded, to FILE')
    parser.add_argument(
        '--by-source',
        action='store_true',
        help="print the metrics by constituent too, told by the prefix of the photos' names",
    )
    parser.add_argument('--out', metavar='DIR', help='save predicted masks as PNG files')
    parser.add_argument('--show', action='store_true', help='show predictions in a window')
    parser.add_argument('--show-dir', metavar='DIR', help='save painted predictions')
    parser.add_argument('--wait-time', type=float, default=2, help='seconds between shown predictions')
    parser.add_argument('--tta', action='store_true', help='test-time augmentation')
    parser.add_argument(
        '--cut-border',
        action='store_true',
        help='cut the dark rim that a blur with zero padding leaves, and that real photos do not have',
    )
    parser.add_argument('--work-dir', help='where logs go (work_dirs/CONFIG)')
    add_config_options(parser)
    add_trust(parser)
    add_launcher(parser)


def run(args: argparse.Namespace) -> None:
    """Test, and report from the first process."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    from mmengine.dist import is_main_process

    from csbsr_mm.engine.runs import evaluate_model
    from csbsr_mm.evaluation.report import check_writable, print_metrics, write_metrics

    if args.json:
        check_writable(args.json)
    options, files = dict(args.cfg_options or {}), []
    if args.by_source:
        from csbsr_mm.engine.config import load_config
        from csbsr_mm.evaluation.by_source import per_image_options

        config = load_config(args.config, options, args.work_dir)
        written = per_image_options(config.test_evaluator, Path(config.work_dir) / 'per_image')
        options, files = {**options, **written}, list(written.values())
    metrics = evaluate_model(
        args.config,
        args.checkpoint,
        args.work_dir,
        options,
        args.launcher,
        out=args.out,
        show=args.show,
        show_dir=args.show_dir,
        wait_time=args.wait_time,
        tta=args.tta,
        cut_border=args.cut_border,
        trust=args.trust_checkpoint,
    )
    if is_main_process():
        print_metrics(metrics, f'{args.config}, {args.checkpoint}')
        if files:
            from csbsr_mm.datasets.image_files import source_of
            from csbsr_mm.evaluation.by_source import metrics_by_source, print_by_source

            print_by_source(metrics_by_source(files, source_of), 'by source')
        if args.json:
            write_metrics(args.json, metrics, args.config, args.checkpoint)

"""Find cracks in photos: from files and folders to masks, measurements and a report.

csbsr predict photos/ --out-dir report                       # with the weights on board
csbsr predict CONFIG CHECKPOINT photos/ --out-dir report     # with a model of your own

The exit status is 1 if photos failed (they are listed), 130 after an interruption (go on with --resume).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from csbsr_mm.config_library import find_config

from .arguments import (
    add_config_options,
    add_crack_rules,
    add_export,
    add_launcher,
    add_scales,
    add_trust,
    add_width_rules,
)

MODEL_SUFFIXES = ('.pth', '.pt', '.onnx', '.ckpt')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        'inputs',
        nargs='+',
        metavar='INPUT',
        help='photos, folders, quoted patterns or URLs (s3://...); before them, for a model of your own, its '
        'config (of any MMSegmentation segmentor, or a name of `csbsr configs`) and its checkpoint or ONNX '
        'file',
    )
    parser.add_argument(
        '--weights',
        help='weights that need no config: a name, a path or a URL (rendered); see `csbsr weights`',
    )
    parser.add_argument('--out-dir', required=True, help='folder for all results, or its URL')
    _add_prediction(parser.add_argument_group('prediction'))
    _add_results(parser.add_argument_group('results'))
    add_scales(parser.add_argument_group('scale', 'Size of a pixel on the wall, for millimetres.'))
    _add_processes(parser.add_argument_group('many photos'))


def _add_prediction(group: argparse._ArgumentGroup) -> None:
    group.add_argument('--tile', type=int, help='side of a tile in photo pixels (448 / scale)')
    group.add_argument('--overlap', type=int, help='pixels that tiles share (64 / scale)')
    group.add_argument('--batch-size', type=int, help='tiles at a time (1, or what an ONNX graph asks for)')
    group.add_argument('--threshold', type=float, help="probability of a crack pixel (the model's own)")
    group.add_argument('--device', help='cuda, cuda:1, cpu ... (the GPU if there is one)')
    group.add_argument(
        '--per-tile',
        action='store_true',
        help='estimate blur kernel and normalisation for each tile instead of once per photo',
    )
    group.add_argument('--crack-class', type=int, help='channel of the crack, for models with many classes')
    add_config_options(group)
    add_trust(group)


def _add_results(group: argparse._ArgumentGroup) -> None:
    group.add_argument('--no-sr', action='store_true', help='do not store SR images')
    group.add_argument('--resume', action='store_true', help='keep photos that are done already')
    add_crack_rules(group)
    add_width_rules(group)
    group.add_argument(
        '--blur-limit',
        type=float,
        help='spread of the blur, in SR pixels, from which on a photo cannot be judged (4)',
    )
    add_export(group, 'OUT_DIR/export')
    group.add_argument('--title', default='Crack inspection', help='heading of the report')


def _add_processes(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--processes',
        type=int,
        default=1,
        help='processes that share the photos, each with a model of its own; on GPUs, one for each (1)',
    )
    add_launcher(group, choices=('none', 'pytorch', 'slurm'))


def run(args: argparse.Namespace) -> int:
    """Predict, measure, report."""
    from csbsr_mm.inspection import need_report_packages

    need_report_packages('csbsr predict')
    from csbsr_mm.inspection.prediction.command import predict_photos

    args.config, args.checkpoint, args.inputs = split_model(args.inputs)
    if args.config and args.weights:
        raise ValueError(f'--weights and the config {args.config} are two models; give one of them')
    return predict_photos(args)


def split_model(words: list[str]) -> tuple[str | None, str | None, list[str]]:
    """Config, checkpoint and photos of a command line; no config and no checkpoint for weights on board.

    The first two words are a model if the first is a Python file or the second ends like a checkpoint; or if
    the first names a config, and no file or folder.

    Raises:
        ValueError: There is a model and nothing to predict.

    Example:
        >>> split_model(['mine.py', 'mine.pth', 'photos/'])
        ('mine.py', 'mine.pth', ['photos/'])
        >>> split_model(['photos/', 'more/'])
        (None, None, ['photos/', 'more/'])
    """
    if not _starts_with_model(words):
        return None, None, words
    if len(words) < 3:
        raise ValueError(f'{words[0]} is a config: after it come its checkpoint and the photos')
    return words[0], words[1], words[2:]


def _starts_with_model(words: list[str]) -> bool:
    if words[0].endswith('.py') or (len(words) > 1 and words[1].endswith(MODEL_SUFFIXES)):
        return True
    if Path(words[0]).exists():
        return False
    try:
        find_config(words[0])
    except (FileNotFoundError, ValueError):
        return False
    return True

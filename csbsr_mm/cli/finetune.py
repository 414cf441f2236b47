"""Fit weights to a few labelled photos of your own, and find out whether that helps.

Ten photos are enough to begin with. Each is judged by a model that did not see it; nothing is written unless
that is better than before. The exit status then is 1.

csbsr finetune photos/ masks/ --out mine.safetensors
csbsr predict more_photos/ --weights mine.safetensors --out-dir report
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('photos', help='folder of photos')
    parser.add_argument(
        'masks',
        help='folder of masks of the same names, white where there is a crack, as large as the photos or as '
        'the enlarged photos',
    )
    parser.add_argument('--out', type=Path, default=Path('finetuned.safetensors'), help='file to write')
    parser.add_argument('--weights', default='rendered', help='weights to begin with (rendered)')
    parser.add_argument('--folds', type=int, default=5, help='groups that are held out in turn (5)')
    parser.add_argument('--iterations', type=int, default=80, help='training steps (80)')
    parser.add_argument('--learning-rate', type=float, default=3e-4, help="Adam's, at the start (0.0003)")
    parser.add_argument('--window', type=int, help='photo pixels a side to look at, of larger photos (160)')
    parser.add_argument('--seed', type=int, default=0, help='seed of groups and crops (0)')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures of each photo to FILE')
    parser.add_argument('--device', help='cuda, cpu ... (the GPU if there is one)')


def run(args: argparse.Namespace) -> int:
    """Prepare, cross-validate, and fit to all photos if that helps; 1 if it does not."""
    from csbsr_mm.apis.finetuning_run import run_finetuning

    return run_finetuning(args)

"""The command line that the converters of crack data sets have in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .khanhha_layout import Pair, read_grey_mask, store_pairs


def converter_parser(description: str) -> argparse.ArgumentParser:
    """Parser with the arguments of every converter: source, target, ``--size``, ``--workers``."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument('source', type=Path, help='folder of the unpacked data set')
    parser.add_argument('target', type=Path, help='folder to write {train,test}/{images,masks} into')
    parser.add_argument('--size', type=int, help='resize to squares, 448 as in the Khanhha set')
    parser.add_argument('--workers', type=int, help='processes; None: as many as cores')
    return parser


def convert(
    args: argparse.Namespace,
    find_pairs: Callable[[], list[Pair]],
    read_mask: Callable[[Path], np.ndarray] = read_grey_mask,
) -> None:
    """Find the pairs of a data set and store them; a failure ends the program with one line."""
    try:
        pairs = find_pairs()
        written = store_pairs(pairs, args.target, args.size, read_mask, args.workers)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    counts = {split: sum(pair.split == split for pair in pairs) for split in ('train', 'test')}
    sys.stdout.write(
        f'{args.target}: {counts["train"]} training and {counts["test"]} test pairs, {written} written now\n'
    )

"""Compare masks or probability maps with the truth: IoU and Hausdorff distance, as the paper reports them.

PREDICTIONS and TRUTH are folders of images of the same names (their suffixes may differ). A prediction is a
picture of 8 or 16 bits, whose full range is the probability, or an array of probabilities (*.npy). A mask
of 0 and 255 has the same value at every threshold. A pixel of the truth is a crack above 127.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

SUFFIXES = ('.png', '.npy', '.tif', '.tiff', '.bmp', '.jpg', '.jpeg', '.webp')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('predictions', type=Path, help='folder of masks or probability maps')
    parser.add_argument('truth', type=Path, help='folder of true masks')
    parser.add_argument('--percentile', type=float, default=95, help='of the Hausdorff distance (95)')
    parser.add_argument(
        '--empty',
        default='image_width',
        help='distance if exactly one mask is empty: image_width, inf, nan or a number (image_width)',
    )
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the metrics, unrounded, to FILE')
    parser.add_argument('--csv', type=Path, metavar='FILE', help='write the values of each image to FILE')


def run(args: argparse.Namespace) -> None:
    """Measure, and print one metric a line."""
    from csbsr_mm.measure import CrackMetrics

    pairs = list(_pairs(args.predictions, args.truth))
    metrics = CrackMetrics(percentile=args.percentile, empty=_number(args.empty))
    for name, predicted, true in pairs:
        prob, mask = _read(predicted), _read(true) > 0.5
        if prob.shape != mask.shape:
            raise ValueError(f'{predicted} is {prob.shape} and {true} {mask.shape}; give them one size')
        metrics.update(prob, mask, name=name)
    found = metrics.compute()
    for name, value in found.items():
        sys.stdout.write(f'{name:<20} {value:.4f}\n')
    sys.stdout.write(f'{"images":<20} {len(pairs)}\n')
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(
            json.dumps({'metrics': found, 'images': len(pairs)}, indent=1) + '\n', encoding='utf-8'
        )
    if args.csv:
        _write_csv(args.csv, metrics.per_image())


def _number(text: str) -> str | float:
    try:
        return float(text) if text not in ('inf', 'nan') else text
    except ValueError:
        return text


def _pairs(predictions: Path, truth: Path) -> Iterator[tuple[str, Path, Path]]:
    """Predictions and their true masks, by name."""
    found, true = _files(predictions), _files(truth)
    missing = [name for name in true if name not in found]
    if missing:
        raise FileNotFoundError(
            f'{len(missing)} of {len(true)} masks of {truth} have no prediction in {predictions}: '
            f'{", ".join(missing[:3])}'
        )
    for name, path in true.items():
        yield name, found[name], path


def _files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise FileNotFoundError(f'there is no folder {folder}')
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            if path.stem in files:
                raise ValueError(f'{files[path.stem]} and {path} have one name; leave one of them')
            files[path.stem] = path
    if not files:
        raise FileNotFoundError(f'there are no images in {folder} (looked for {", ".join(SUFFIXES)})')
    return files


def _read(path: Path) -> np.ndarray:
    """(H, W) float32 in [0, 1]."""
    import numpy as np

    if path.suffix == '.npy':
        values = np.load(path, allow_pickle=False)
        if values.ndim != 2 or not (values.min() >= 0 and values.max() <= 1):
            raise ValueError(f'{path} must hold probabilities (H, W) in [0, 1], got shape {values.shape}')
        return values.astype(np.float32)
    from csbsr_mm._extras import need

    need('Reading pictures', 'PIL')
    from PIL import Image

    with Image.open(path) as image:
        values = np.asarray(image if image.mode.startswith('I') else image.convert('L'))
    return (values / (255 if values.dtype == np.uint8 else 65535)).astype(np.float32)


def _write_csv(path: Path, rows: dict[str, dict[str, float]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(['image', *next(iter(rows.values()))])
        writer.writerows([name, *values.values()] for name, values in rows.items())

"""The figures of a model card: weights and simple baselines on the same photos, thresholds chosen elsewhere.

Photos are blurred by Gaussians and reduced by 4 as in the paper, rounded to 8 bits, and lose the dark rim.

python tools/analysis_tools/model_card.py --choose chosen=data/val --on rendered=data/crack_varied \
    --on real=data/khanhha_mini --sources CFD CRACK500 DeepCrack --json card.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

import csbsr_mm  # noqa: F401  registers the components that configs name
from csbsr_mm.apis import CrackInferencer
from csbsr_mm.evaluation.baselines import frangi_cracks, otsu_cracks
from csbsr_mm.evaluation.photo_scores import PhotoScores

SCALE = 4
WIDTH = 200
BASELINES = {'Otsu': otsu_cracks, 'Frangi': frangi_cracks}
PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BinarizeMask', threshold=127),
    dict(type='BlindDegradation', scale=SCALE, cut_border=True, quantize=True),
    dict(type='PackBlindSRInputs'),
]
Method = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""From an LR photo (h, w, 3) RGB to crack probabilities (sh, sw)."""


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = dict(metavar='NAME=DATA', type=_named, help='data set with test/images and test/masks')
    parser.add_argument('--weights', default='rendered', help='name or file of the weights (rendered)')
    parser.add_argument(
        '--other',
        nargs=3,
        action='append',
        default=[],
        metavar=('NAME', 'CONFIG', 'CHECKPOINT'),
        help='another model',
    )
    parser.add_argument('--choose', required=True, **data)
    parser.add_argument('--on', action='append', required=True, **data)
    parser.add_argument('--sources', nargs='*', default=[], help='beginnings of file names to report apart')
    parser.add_argument(
        '--every', type=int, default=1, help='take every N-th photo of each data set (1: all)'
    )
    parser.add_argument(
        '--methods',
        nargs='+',
        default=['models', 'Otsu', 'Frangi'],
        help='what to measure (models Otsu Frangi)',
    )
    parser.add_argument('--json', type=Path, metavar='FILE', help='write all figures to FILE')
    parser.add_argument('--device', default='cpu', help='cuda, cpu ... (cpu)')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Measure, print, write; returns the exit status."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    try:
        methods = make_methods(args)
        chosen = score(methods, args.choose, args.every, console)
        thresholds = {name: scores.best_threshold() for name, scores in chosen.items()}
        card = {'thresholds': thresholds, 'data': {}}
        for data in args.on:
            card['data'] |= measure(
                score(methods, data, args.every, console), thresholds, data[0], args.sources
            )
    except (OSError, ValueError, RuntimeError) as error:
        console.print(f'error: {error}', style='red', markup=False, soft_wrap=True)
        return 2
    for name, figures in card['data'].items():
        console.print(_table(name, figures, thresholds))
    if args.json:
        args.json.write_text(json.dumps(card, indent=1) + '\n', encoding='utf-8')
    return 0


def make_methods(args: argparse.Namespace) -> dict[str, Method]:
    """The weights, other models and the baselines, by name."""
    unknown = set(args.methods) - {'models', *BASELINES}
    if unknown:
        raise ValueError(f'--methods knows models, {", ".join(BASELINES)}; got {", ".join(sorted(unknown))}')
    methods: dict[str, Method] = {}
    if 'models' in args.methods:
        infer = CrackInferencer.from_weights(args.weights, args.device)
        methods[Path(args.weights).stem] = _model_method(infer)
        for name, config, checkpoint in args.other:
            methods[name] = _model_method(CrackInferencer.from_config(config, checkpoint, args.device))
    return methods | {name: _on_enlarged(BASELINES[name]) for name in BASELINES if name in args.methods}


def score(
    methods: dict[str, Method], data: tuple[str, str], every: int, console: Console
) -> dict[str, PhotoScores]:
    """Scores of each method on the test photos of a data set."""
    scores = {name: PhotoScores() for name in methods}
    photos = list(lr_photos(data[1], every))
    for name, lr, target in track(photos, description=data[0], console=console, transient=True):
        for method, predict in methods.items():
            scores[method].add(name, predict(lr), target)
    return scores


def lr_photos(root: str, every: int) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.bool_]]]:
    """Name, LR photo (RGB) and true mask at HR of each test photo."""
    init_default_scope('mmseg')
    prefix = dict(img_path='test/images', seg_map_path='test/masks')
    dataset = DATASETS.build(
        dict(type='CrackDataset', data_root=root, data_prefix=prefix, test_mode=True, pipeline=PIPELINE)
    )
    for index in range(0, len(dataset), every):
        item = dataset[index]
        sample = item['data_samples']
        lr = np.ascontiguousarray(item['inputs'].numpy().transpose(1, 2, 0)[..., ::-1])
        yield Path(sample.metainfo['img_path']).name, lr, sample.gt_sem_seg.data[0].numpy() == 1


def measure(
    scores: dict[str, PhotoScores], thresholds: dict[str, float], name: str, sources: list[str]
) -> dict[str, dict]:
    """Figures of each method on all photos of a data set, and on those of each source."""
    names = next(iter(scores.values())).names
    groups = {name: ''} | {f'{name}, {s}': s for s in sources if any(n.startswith(s) for n in names)}
    return {
        group: {
            method: {'photos': len(found.subset(prefix).names)}
            | found.subset(prefix).figures(thresholds[method])
            for method, found in scores.items()
        }
        for group, prefix in groups.items()
    }


def _model_method(infer: CrackInferencer) -> Method:
    return lambda lr: infer(lr).probability


def _on_enlarged(baseline: Callable[[NDArray], NDArray[np.float32]]) -> Method:
    def predict(lr: NDArray[np.uint8]) -> NDArray[np.float32]:
        enlarged = cv2.resize(lr, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC)
        return baseline(enlarged / np.float32(255))

    return predict


def _table(name: str, figures: dict[str, dict], thresholds: dict[str, float]) -> Table:
    count = next(iter(figures.values()))['photos']
    table = Table(title=f'{name}: {count} photos, 95 % intervals')
    columns = [key for key in next(iter(figures.values())) if key != 'photos']
    for heading in ('', 'threshold', *columns):
        table.add_column(heading, justify='right' if heading else 'left')
    for method, found in figures.items():
        digits = {'HD95': 1}
        cells = [
            f'{value:.{digits.get(key, 3)}f} ({low:.{digits.get(key, 3)}f}-{high:.{digits.get(key, 3)}f})'
            for key, (value, low, high) in ((key, found[key]) for key in columns)
        ]
        table.add_row(method, f'{thresholds[method]:.2f}', *cells)
    return table


def _named(text: str) -> tuple[str, str]:
    name, found, path = text.partition('=')
    if not found:
        raise argparse.ArgumentTypeError(f'{text!r} is not NAME=DATA')
    return name, path


if __name__ == '__main__':
    sys.exit(main())

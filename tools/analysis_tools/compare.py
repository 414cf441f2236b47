"""Put LR | HR | truth | SR and masks of several runs side by side, with zoomed parts.

python tools/analysis_tools/compare.py compare.png \
    --run csbsr configs/csbsr/a.py a.pth --run bicubic configs/csbsr/b.py b.pth

Every run gets the images of its own config's test set: a run on HR photos segments HR photos. Without
--indices it looks through the test set and takes the images on which the runs differ most, and the
crack-free ones with the most false alarms; with --reference NAME only those that this run gets right
(Fig. 11 of the paper). --better NAME OTHER takes the images on which one run beats another by most:

python tools/analysis_tools/compare.py better_than_hr.png --better csbsr hr \
    --run csbsr configs/csbsr/a.py a.pth --run hr configs/csbsr/comparison/hr_pspnet_khanhha.py hr.pth
"""

from __future__ import annotations

import argparse
import sys

import matplotlib.image
import torch
from rich.progress import track

import csbsr_mm  # noqa: F401  registers the components that configs name
from csbsr_mm.apis.comparison import RunComparison, choose, choose_better
from csbsr_mm.visualization.comparison import ZOOM, draw_comparison


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('picture', help='PNG file to write')
    parser.add_argument(
        '--run',
        nargs=3,
        action='append',
        required=True,
        metavar=('NAME', 'CONFIG', 'CHECKPOINT'),
        dest='runs',
    )
    parser.add_argument(
        '--different', type=int, default=3, help='images on which runs differ most, or NAME beats OTHER (3)'
    )
    parser.add_argument('--clear', type=int, default=1, help='crack-free images with false alarms (1)')
    parser.add_argument('--reference', metavar='NAME', help='run that gets the crack-free images right')
    parser.add_argument(
        '--better', nargs=2, metavar=('NAME', 'OTHER'), help='images on which NAME beats OTHER (Fig. 10)'
    )
    parser.add_argument('--indices', type=int, nargs='+', help='these images of the test set instead')
    parser.add_argument('--first', type=int, help='look through so many images only')
    parser.add_argument(
        '--zoom', type=int, default=ZOOM, help=f'enlargement of the detail, 1 for none ({ZOOM})'
    )
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Choose images and draw them; returns the exit status."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    try:
        comparison = RunComparison.from_files(args.runs, args.device)
        indices = args.indices or _interesting(comparison, args)
        outside = [index for index in indices if not 0 <= index < len(comparison)]
        if outside:
            raise ValueError(f'the test set has images 0 to {len(comparison) - 1}, not {outside}')
        picture = draw_comparison([comparison.photo(index) for index in indices], args.zoom)
    except (FileNotFoundError, ValueError, RuntimeError) as error:
        sys.stderr.write(f'error: {error}\n')
        return 2
    matplotlib.image.imsave(args.picture, picture)
    return 0


def _interesting(comparison: RunComparison, args: argparse.Namespace) -> list[int]:
    names = [run.name for run in comparison.runs]
    asked = [*(args.better or []), *([args.reference] if args.reference else [])]
    unknown = [name for name in asked if name not in names]
    if unknown:
        raise ValueError(f'no run is called {", ".join(unknown)}; there are {", ".join(names)}')
    count = min(len(comparison), args.first or len(comparison))
    scores = [comparison.scores([index])[0] for index in track(range(count), 'Looking through the test set')]
    if args.better:
        found = choose_better(scores, *args.better, args.different)
        if not found:
            raise ValueError(f'{args.better[0]} beats {args.better[1]} on none of {count} images')
        return found
    return choose(scores, args.different, args.clear, args.reference)


if __name__ == '__main__':
    sys.exit(main())

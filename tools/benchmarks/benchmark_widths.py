"""Errors of crack widths on exact drawings, beside those of the medial axis, and what they cost.

python tools/benchmarks/benchmark_widths.py

Straight, curved and branching cracks, anti-aliased, at all angles. Columns: the width between pixels, the
width of the mask (more than half crack), and twice the distance of scikit-image's medial axis on the same
mask; mean error ± standard deviation over all places away from junctions, in pixels. Of a crack of less than
one pixel the mask shows pieces or nothing: '-' where it shows less than half of the length of every crack.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy import ndimage
from skimage.morphology import medial_axis

from csbsr_mm.inspection.measurement.exact_cracks import SHAPES
from csbsr_mm.inspection.measurement.skeleton import CentreLine, distance_to_border, trace
from csbsr_mm.inspection.measurement.smoothing import regularize
from csbsr_mm.inspection.measurement.topology import thin

WIDTHS = [0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0]
SHIFTS = (0.0, 0.3)
TARGET = (0.1, 0.15)
METHODS = ('between pixels', 'of the mask', '2 x medial axis')


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--widths', type=float, nargs='+', default=WIDTHS, help='in pixels')
    parser.add_argument('--angles', type=int, default=20, help='number of angles from 0 to 180 degrees')
    parser.add_argument('--side', type=int, default=128, help='of a drawing, in pixels')
    parser.add_argument('--blur', type=float, default=0.0, help='standard deviation of a blur, in pixels')
    parser.add_argument('--noise', type=float, default=0.0, help='standard deviation of noise, crack = 1')
    parser.add_argument('--skip-costs', action='store_true', help='errors alone')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Draw, measure, print; returns 0."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    table = Table(title='Measured minus true width, in pixels: mean ± standard deviation')
    for heading in ('shape', 'width', *METHODS):
        table.add_column(heading, justify='right')
    missed = 0
    for shape in SHAPES:
        for width in args.widths:
            errors = _errors(shape, width, args)
            table.add_row(shape, f'{width:g}', *(_shown(errors[method]) for method in METHODS))
            best = errors[METHODS[0]]
            missed += not (len(best) and abs(best.mean()) <= TARGET[0] and best.std() <= TARGET[1])
    console = Console()
    console.print(table)
    cells = len(SHAPES) * len(args.widths)
    console.print(
        f'between pixels: target (mean error {TARGET[0]}, standard deviation {TARGET[1]} pixels) '
        f'missed in {missed} of {cells} rows'
    )
    if not args.skip_costs:
        console.print(_costs())
    return 0


def _errors(shape: str, width: float, args: argparse.Namespace) -> dict[str, NDArray[np.float64]]:
    """Errors at all places of all drawings, for each method."""
    found: dict[str, list] = {method: [np.zeros(0)] for method in METHODS}
    rng = np.random.default_rng(0)
    for angle in np.linspace(0, 180, args.angles, endpoint=False):
        for shift in SHIFTS:
            drawing = SHAPES[shape](width, angle, args.side, shift)
            if args.blur:
                drawing = ndimage.gaussian_filter(drawing, args.blur)
            if args.noise:
                drawing = drawing + args.noise * rng.standard_normal(drawing.shape)
            # A third of what a thin crack fills of a pixel finds all of its line.
            line = trace(regularize(drawing > min(0.5, drawing.max() / 3)), profile=drawing)
            found[METHODS[0]].append(line.profile_width[np.isfinite(line.profile_width)] - width)
            mask = drawing > 0.5
            at_mask = trace(regularize(mask))
            if at_mask.length.sum() > args.side / 2:
                found[METHODS[1]].append(at_mask.width[~at_mask.at_junction] - width)
                found[METHODS[2]].append(_medial_axis(mask, at_mask) - width)
    return {method: np.concatenate(errors) for method, errors in found.items()}


def _medial_axis(mask: NDArray[np.bool_], line: CentreLine) -> NDArray[np.float64]:
    """Twice the distance to the border along the medial axis, away from the junctions of our line."""
    # The image's border is no border of the crack.
    frame = 16
    axis, distance = medial_axis(np.pad(mask, frame, mode='edge'), return_distance=True, rng=0)
    axis, distance = (part[frame:-frame, frame:-frame] for part in (axis, distance))
    junction = np.ones(mask.shape, bool)
    junction[tuple(line.owner[line.at_junction].T)] = False
    if line.at_junction.any():
        axis = axis & (ndimage.distance_transform_edt(junction) > 4)
    return 2 * distance[axis]


def _shown(errors: NDArray[np.float64]) -> str:
    return f'{errors.mean():+.3f} ± {errors.std():.3f}' if len(errors) else '-'


def _costs() -> str:
    """What widths between pixels cost beside thinning, on a mask of four megapixels."""
    side = 2048
    drawing = np.zeros((side, side))
    for width, angle, shift in ((3, 20, -300), (6, 75, 200), (9, 130, 0), (2, 50, 500)):
        drawing = np.maximum(drawing, SHAPES['curved'](width, angle, side, shift))
    drawing = drawing.astype(np.float32)
    mask = regularize(drawing > 0.5)
    trace(mask, profile=drawing)
    plain, full = _seconds(lambda: trace(mask)), _seconds(lambda: trace(mask, profile=drawing))
    distance = distance_to_border(mask.smooth)
    thinning = _seconds(lambda: thin(mask.smooth, distance))
    points = len(trace(mask).rows)
    return (
        f'on 4 megapixels with {points} points of centre lines, least of three: thinning {thinning:.2f} s, '
        f'lines with widths of the mask {plain:.2f} s, with widths between pixels {full:.2f} s'
    )


def _seconds(task: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == '__main__':
    sys.exit(main())

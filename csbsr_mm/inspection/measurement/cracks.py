"""Area, length, width and orientation of cracks, in pixels of the input photo."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from csbsr_mm.inspection.widths.classes import width_levels
from csbsr_mm.photos.raster import Box, split

from .selection import CRACK, FAINT, JOINT, MIN_AREA, SMALL, SelectionRules
from .skeleton import CentreLine, distance_to_border, trace
from .smoothing import EIGHT, RegularMask, regularize

LENGTHS = (
    'length', 'mean_width', 'width_95', 'max_width', 'subpixel_mean', 'subpixel_median', 'subpixel_max'
)  # fmt: skip
"""The measures that are lengths."""
BLOCK = 2048
HALO = 128
WIDTH_BIAS = (-0.15, 0.05)
"""Lowest and highest mean error of the width of rendered straight cracks 1.5 to 32 output pixels wide,
over all angles, in output pixels; ``tests/inspection/measurement/test_measurement.py`` measures it."""


@dataclass(frozen=True)
class CrackMeasures:
    """One crack, or all cracks of a photo; lengths in pixels of the input photo until converted.

    Attributes:
        area: Area, small holes included.
        length: Length of the centre line from end to end, branches included.
        mean_width: Area / length.
        width_95: Width that 95 % of the centre line away from junctions do not exceed.
        max_width: Largest width away from junctions, averaged over a stretch as long as the crack is wide.
        orientation: Mean direction in degrees, [0, 180): 0 horizontal, 90 vertical, 45 rising to the right;
            None without a centre line.
        box: Top, left, bottom, right (excluded) of the crack in pixels of the input photo.
        widest_at: Row and column of the largest width in pixels of the input photo.
        confidence: Mean crack probability over its pixels; None where only a mask is known.
        kind: 'crack', or 'joint?' for what runs straight from edge to edge of the photo.
        subpixel_mean: Mean of the width between pixels (:mod:`.profiles`) along the centre line, away from
            junctions and loose ends; None where only a mask is known, or where there is no such place.
        subpixel_median: Its median along the centre line.
        subpixel_max: The largest, each being averaged over a stretch as long as the crack is wide.
        subpixel_max_at: Row and column of the largest in pixels of the input photo.
        width_levels: Widths that the parts :data:`.width_classes.LEVELS` of the centre line do not exceed,
            away from junctions: widths between pixels where they are known, of the mask otherwise.
    """

    area: float
    length: float
    mean_width: float
    width_95: float
    max_width: float
    orientation: float | None
    box: tuple[float, float, float, float] | None = None
    widest_at: tuple[float, float] | None = None
    confidence: float | None = None
    kind: str = CRACK
    subpixel_mean: float | None = None
    subpixel_median: float | None = None
    subpixel_max: float | None = None
    subpixel_max_at: tuple[float, float] | None = None
    width_levels: tuple[float, ...] = ()

    def in_millimetres(self, mm_per_pixel: float) -> CrackMeasures:
        """The same in millimetres and square millimetres; places stay in pixels."""
        values = {name: getattr(self, name) for name in LENGTHS}
        lengths = {name: mm_per_pixel * value for name, value in values.items() if value is not None}
        levels = tuple(mm_per_pixel * width for width in self.width_levels)
        return replace(self, area=mm_per_pixel**2 * self.area, width_levels=levels, **lengths)


@dataclass(frozen=True)
class PhotoMeasures:
    """All cracks of a photo.

    Attributes:
        total: All cracks together.
        cracks: Each connected crack, the surest first, or the longest where only a mask is known.
        ignored: Number of pieces that are too small or too faint, which count nowhere.
        blobs: Number of pieces that are not long enough for their width, which count nowhere else.
    """

    total: CrackMeasures
    cracks: list[CrackMeasures] = field(default_factory=list)
    ignored: int = 0
    blobs: int = 0


def measure_cracks(
    mask: NDArray[np.bool_] | Callable[[Box], NDArray[np.bool_]],
    size: tuple[int, int] | None = None,
    scale: int = 1,
    min_area: float = MIN_AREA,
    block: int = BLOCK,
    halo: int = HALO,
    rules: SelectionRules | None = None,
    probability: Callable[[Box], NDArray[np.floating]] | None = None,
) -> PhotoMeasures:
    """Measure every connected crack of a mask.

    Large masks are measured in blocks that see ``halo`` pixels beyond their border, so memory does not
    grow with the mask. A crack that is connected by a corner is connected. The width carries a bias of
    :data:`WIDTH_BIAS` output pixels from the geometry alone; what the network makes wider or thinner
    comes on top (see docs/inspection.md).

    Args:
        mask: (H, W), True on cracks, or a function that gives parts of it.
        size: Height and width, if ``mask`` is a function.
        scale: Mask pixels per pixel of the input photo.
        min_area: Cracks below this area, in pixels of the input photo, are ignored.
        block: Side of a block in mask pixels.
        halo: Pixels around a block that thinning sees at least; where a crack is wider than half of that,
            it sees more, up to ``block``.
        rules: What counts as a crack; by default whatever has ``min_area``, which counts only without rules.
        probability: Gives the crack probability of a part of the mask, for the cracks' confidence and their
            widths between pixels.

    Returns:
        Measures in pixels of the input photo.

    Example:
        >>> mask = np.zeros((400, 400), bool)
        >>> mask[100:112, 40:360] = True
        >>> total = measure_cracks(mask, scale=4).total
        >>> total.area, round(total.length), round(total.mean_width, 2), round(total.orientation) % 180
        (240.0, 80, 3.0, 0)
    """
    if not callable(mask):
        array, size = mask, mask.shape
        mask = lambda box: array[box.top : box.bottom, box.left : box.right]  # noqa: E731
    collected = _Collector(size[1])
    for core in split(*size, block):
        seen, regular = _look(mask, core, size, halo, block)
        collected.add(regular, core, seen, None if probability is None else probability(seen))
    return collected.finish(scale, size, rules or SelectionRules(min_area), probability is not None)


def kernel_spread(blur_kernel: NDArray[np.floating]) -> float:
    """Standard deviation of a blur kernel in pixels, the mean of its two axes.

    Negative entries, which an estimate may have, count as zero.

    Args:
        blur_kernel: (K, K).

    Returns:
        sqrt of half the trace of the kernel's covariance; infinite for a kernel without weight.

    Example:
        >>> from csbsr_mm.functional.degradation import anisotropic_gaussian_kernel
        >>> round(kernel_spread(anisotropic_gaussian_kernel(2.0, 2.0, 0.0, 21)), 2)
        2.0
    """
    # Measuring masks needs no torch.
    from csbsr_mm.functional.kernel_shape import kernel_shape

    return float(kernel_shape(blur_kernel).size)


def _look(
    mask: Callable[[Box], NDArray[np.bool_]], core: Box, size: tuple[int, int], halo: int, most: int
) -> tuple[Box, RegularMask]:
    """A block of the mask with enough around it for the widest crack in it."""
    while True:
        seen = core.grown(halo, *size)
        regular = regularize(mask(seen), (seen.top, seen.left))
        if halo >= most or not regular.smooth.any():
            return seen, regular
        widest = 2 * distance_to_border(regular.smooth)[core.within(seen)].max()
        if 2 * widest <= halo or seen == Box(0, 0, *size):
            return seen, regular
        halo = min(2 * halo, most)


class _Collector:
    """Areas and centre lines of all blocks, under labels that are joined across borders."""

    def __init__(self, width: int) -> None:
        self._labels = 0
        self._joined: list[NDArray] = [np.zeros((0, 2), int)]
        self._parts: list[NDArray] = [np.zeros((0, 8))]
        self._lines: list[NDArray] = [np.zeros((0, 8))]
        self._top = 0
        self._above = np.zeros(width, int)
        self._bottom = np.zeros(width, int)
        self._left: NDArray | None = None

    def add(self, mask: RegularMask, core: Box, seen: Box, probability: NDArray | None) -> None:
        """Add a block; blocks come row by row. Mask and probability show ``seen``, around ``core``."""
        inside = core.within(seen)
        labels, count = ndimage.label(mask.filled[inside], EIGHT)
        if count == 0:
            self._join_neighbours(labels, core)
            return
        values = np.zeros(labels.shape) if probability is None else probability[inside]
        numbers = np.arange(1, count + 1)
        boxes = [
            Box(rows.start, columns.start, rows.stop, columns.stop).shifted(core.top, core.left)
            for rows, columns in ndimage.find_objects(labels)
        ]
        sums = [np.bincount(labels.ravel(), weights)[1:] for weights in (None, np.ravel(values))]
        peaks = ndimage.maximum(values, labels, numbers)
        self._parts.append(np.column_stack([self._labels + numbers - 1, *sums, peaks, boxes]))
        labels = np.where(labels > 0, labels + self._labels, 0)
        self._labels += count
        self._join_neighbours(labels, core)
        line = trace(mask, (seen.top, seen.left), probability)
        self._lines.append(_inside(line, labels, core, seen))

    def _join_neighbours(self, labels: NDArray[np.int64], core: Box) -> None:
        if core.top != self._top:
            self._top, self._above = core.top, self._bottom
            self._bottom = np.zeros_like(self._above)
        # One column more on either side: corners connect, too.
        above = np.pad(self._above, 1)[core.left : core.right + 2]
        self._join(above, labels[0])
        if core.left > 0:
            self._join(np.pad(self._left, 1), labels[:, 0])
        self._bottom[core.left : core.right], self._left = labels[-1], labels[:, -1]

    def _join(self, outside: NDArray, inside: NDArray) -> None:
        """Note which labels touch; ``outside`` starts one pixel before ``inside``."""
        for shift in range(3):
            pairs = np.column_stack([outside[shift : shift + len(inside)], inside])
            self._joined.append(np.unique(pairs[(pairs > 0).all(1)], axis=0))

    def finish(
        self, scale: int, size: tuple[int, int], rules: SelectionRules, has_probability: bool
    ) -> PhotoMeasures:
        """Join labels across blocks, sum up, and sort out what is no crack."""
        pairs = np.concatenate(self._joined) - 1
        graph = sparse.coo_matrix((np.ones(len(pairs)), tuple(pairs.T)), (self._labels, self._labels))
        count, crack_of = sparse.csgraph.connected_components(graph, directed=False)
        parts, line = np.concatenate(self._parts), np.concatenate(self._lines)
        parts[:, 0], line[:, 0] = crack_of[parts[:, 0].astype(int)], crack_of[line[:, 0].astype(int)]
        photo = (size[0] / scale, size[1] / scale)
        cracks, kinds = [], []
        for own_line, own_parts in zip(_groups(line, count), _groups(parts, count), strict=True):
            crack = _summary(own_line, own_parts[:, 1].sum(), scale, _union(own_parts[:, 4:]))
            confidence, peak = None, None
            if has_probability:
                confidence = float(own_parts[:, 2].sum() / own_parts[:, 1].sum())
                peak = float(own_parts[:, 3].max())
            kinds.append(rules.kind(crack.area, crack.length, crack.box, photo, peak))
            cracks.append(replace(crack, confidence=confidence, kind=kinds[-1]))
        kept = np.isin(np.array(kinds, str), (CRACK, JOINT))
        area = sum(crack.area for crack in cracks if crack.kind in (CRACK, JOINT))
        total = _summary(line[kept[line[:, 0].astype(int)]], area * scale**2, scale, None)
        return PhotoMeasures(
            total,
            sorted((crack for crack in cracks if crack.kind in (CRACK, JOINT)), key=_order),
            ignored=kinds.count(SMALL) + kinds.count(FAINT),
            blobs=len(kinds) - int(kept.sum()) - kinds.count(SMALL) - kinds.count(FAINT),
        )


def _order(crack: CrackMeasures) -> tuple:
    """The surest first, to two digits, then the longest."""
    return (-round(crack.confidence or 0, 2), -crack.length, -crack.area, crack.box)


def _inside(line: CentreLine, labels: NDArray, core: Box, seen: Box) -> NDArray:
    """The points in the core: crack, length, width, angle, at a junction, row, column, subpixel width."""
    rows, columns = (line.owner + np.subtract(seen[:2], core[:2])).T
    own = (rows >= 0) & (rows < labels.shape[0]) & (columns >= 0) & (columns < labels.shape[1])
    owner = labels[rows[own], columns[own]] - 1
    place = (line.rows[own] + seen.top, line.columns[own] + seen.left)
    kept = (line.length[own], line.width[own], line.angle[own], line.at_junction[own])
    found = np.column_stack([owner, *kept, *place, line.profile_width[own]])
    return found[owner >= 0]


def _groups(rows: NDArray, count: int) -> list[NDArray]:
    """Split rows by the number in their first column, 0 to ``count`` - 1."""
    rows = rows[np.argsort(rows[:, 0], kind='stable')]
    ends = np.searchsorted(rows[:, 0], np.arange(count + 1))
    return [rows[start:end] for start, end in pairwise(ends)]


def _summary(line: NDArray, area: float, scale: int, box: NDArray | None) -> CrackMeasures:
    """Measures in photo pixels of points of a centre line; see :func:`_inside`."""
    _, length, width, angle, at_junction, row, column, _ = line.T
    total = length.sum()
    orientation = widest_at = None
    # A crack that is all junction has no other width.
    free = at_junction == 0 if (at_junction == 0).any() else np.ones(len(line), bool)
    if len(line):
        widest = np.where(free, width, -1).argmax()
        widest_at = ((row[widest] + 0.5) / scale, (column[widest] + 0.5) / scale)
    if total > 0:
        double = (length * np.exp(2j * angle)).sum()
        # Rows count downwards, angles upwards.
        orientation = round(math.degrees(-np.angle(double) / 2) % 180, 1) % 180
    return CrackMeasures(
        area=float(area) / scale**2,
        length=float(total) / scale,
        mean_width=float(area / total) / scale if total > 0 else 0.0,
        width_95=_weighted_quantile(width[free], length[free], 0.95) / scale,
        max_width=float(width[widest]) / scale if len(line) else 0.0,
        orientation=orientation,
        box=None if box is None else tuple(float(side) / scale for side in box),
        widest_at=None if widest_at is None else tuple(float(place) for place in widest_at),
        width_levels=tuple(round(width / scale, 4) for width in _levels(line[free])),
        **_subpixel(line, scale),
    )


def _levels(line: NDArray) -> list[float]:
    """Distribution of the widths away from junctions."""
    between = np.isfinite(line[:, 7])
    if between.any():
        return width_levels(line[between, 7], line[between, 1])
    return width_levels(line[:, 2], line[:, 1])


def _subpixel(line: NDArray, scale: int) -> dict:
    """The measures of the widths between pixels."""
    line = line[np.isfinite(line[:, 7]) & (line[:, 1] > 0)]
    if not len(line):
        return {}
    length, row, column, width = line[:, 1], line[:, 5], line[:, 6], line[:, 7]
    widest = width.argmax()
    return dict(
        subpixel_mean=float(np.average(width, weights=length)) / scale,
        subpixel_median=_weighted_quantile(width, length, 0.5) / scale,
        subpixel_max=float(width[widest]) / scale,
        subpixel_max_at=(float(row[widest] + 0.5) / scale, float(column[widest] + 0.5) / scale),
    )


def _weighted_quantile(values: NDArray, weights: NDArray, level: float) -> float:
    """Smallest value that at least ``level`` of the weight does not exceed; 0 without values."""
    if not len(values):
        return 0.0
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order])
    index = np.searchsorted(cumulated, level * cumulated[-1] * (1 - 1e-12))
    return float(values[order][min(index, len(values) - 1)])


def _union(boxes: NDArray) -> NDArray:
    return np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])

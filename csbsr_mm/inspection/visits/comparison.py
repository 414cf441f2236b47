"""Compare two reports: ``csbsr compare``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.inspection.prediction.photo_output import OutputFolder

from .crack_changes import GONE, NEW, CrackChange, Tolerance, compare_cracks
from .pairing import Pairing, PhotoPair, pair_photos
from .visit import Visit

FAINT = 0.5
"""Share of the threshold that the crack probability of the other visit reaches where a change is in doubt."""
NEAR = 4.0
LITTLE_OVERLAP = 0.5
SCALE_DISAGREEMENT = 0.05


@dataclass
class PairComparison:
    """Two photos of one place, compared.

    Attributes:
        pair: The photos.
        changes: One entry for each crack, what changed first.
        mm_per_pixel: Size of a pixel of the new photo on the wall, or None.
        scale_source: Where that is known from.
        notes: What speaks against trusting the comparison.
    """

    pair: PhotoPair
    changes: list[CrackChange]
    mm_per_pixel: float | None = None
    scale_source: str = ''
    notes: list[str] = field(default_factory=list)

    def count(self, *kinds: str) -> int:
        """Number of cracks with any of these changes."""
        return sum(any(kind in kinds for kind in change.kinds) for change in self.changes)


@dataclass
class VisitComparison:
    """Two visits, compared.

    Attributes:
        old: The old report.
        new: The new one.
        pairing: Which photos belong together.
        pairs: The comparisons of those.
        tolerance: What was not counted as a change.
        settings: Settings that the reports do not share, with both values.
    """

    old: Visit
    new: Visit
    pairing: Pairing
    pairs: list[PairComparison]
    tolerance: Tolerance
    settings: dict[str, tuple[object, object]]

    def count(self, *kinds: str) -> int:
        """Number of cracks with any of these changes, in all photos."""
        return sum(pair.count(*kinds) for pair in self.pairs)


def compare_visits(
    old: str | Path,
    new: str | Path,
    out_dir: str | Path,
    tolerance: Tolerance | None = None,
    title: str = 'Two visits',
    progress: Callable[[str], None] | None = None,
) -> VisitComparison:
    """Compare two reports and write the comparison.

    Args:
        old: Output folder of ``csbsr predict`` of the first visit.
        new: That of the second.
        out_dir: Where ``index.html``, ``changes.csv`` and ``changes.json`` go.
        tolerance: What is not counted as a change.
        title: Heading of the page.
        progress: Called with what is done next.

    Returns:
        The comparison.

    Raises:
        FileNotFoundError: A folder holds no complete report; the message names what is missing.
        ValueError: A report has no measured photo, ``out_dir`` is one of the reports, or no photo of one
            visit shows the same place as one of the other.
    """
    from .files import write_comparison

    visits = Visit.read(old), Visit.read(new)
    for root in (old, new):
        if Path(out_dir).resolve() == Path(root).resolve():
            raise ValueError(
                f'{out_dir} holds a report, which the comparison would overwrite; name another folder'
            )
    pairing = pair_photos(*visits, progress)
    if not pairing.pairs:
        raise ValueError(
            f'no photo of {new} shows the same place as one of {old}, neither by name nor by its picture'
        )
    tolerance = tolerance or Tolerance()
    pairs = []
    for pair in pairing.pairs:
        if progress is not None:
            progress(f'comparing {pair.new}')
        pairs.append(compare_pair(*visits, pair, tolerance))
    settings = _different(*(visit.summary.get('settings') or {} for visit in visits))
    comparison = VisitComparison(*visits, pairing, pairs, tolerance, settings)
    write_comparison(comparison, OutputFolder(out_dir), title)
    return comparison


def compare_pair(old: Visit, new: Visit, pair: PhotoPair, tolerance: Tolerance) -> PairComparison:
    """Compare the cracks of two photos of one place.

    Args:
        old: The old report.
        new: The new one.
        pair: The photos, registered.
        tolerance: What is not counted as a change.

    Returns:
        The changes. A crack that is new or gone although the other visit has at least half of its
        threshold's probability along the line is 'new?' or 'gone?'.
    """
    shapes = old.cracks(pair.old), new.cracks(pair.new)
    errors = old.width_errors(), new.width_errors()
    changes = compare_cracks(*shapes, pair.registration, tolerance, None if None in errors else errors)
    _doubt([change for change in changes if change.kinds == [NEW]], old, pair.old, pair.registration.to_old)
    _doubt([change for change in changes if change.kinds == [GONE]], new, pair.new, lambda points: points)
    scale, source = _scale(old, new, pair)
    return PairComparison(pair, changes, scale, source, list(_notes(old, new, pair)))


def probability_along(
    probability: NDArray[np.uint16], scale: int, points: NDArray[np.float64], reach: float = NEAR
) -> float:
    """Mean over a line of the largest crack probability nearby.

    Args:
        probability: (H, W), 65535 is 1.
        scale: Its pixels per pixel of the photo.
        points: (N, 2) x and y in pixels of the photo; what lies outside does not count.
        reach: How far is nearby, in pixels of the photo.

    Returns:
        Probability in [0, 1]; 0 for a line outside.

    Example:
        >>> photo = np.zeros((20, 20), np.uint16)
        >>> photo[10] = 32768
        >>> line = np.column_stack([np.arange(2.0, 18), np.full(16, 8.0)])
        >>> round(probability_along(photo, 1, line), 2)
        0.5
    """
    steps = np.arange(-reach, reach + 0.25, 1 / scale if reach * scale <= 8 else reach / 8)
    around = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    around = around[np.hypot(*around.T) <= reach]
    height, width = probability.shape
    largest = np.zeros(len(points))
    known = np.isfinite(points).all(1)
    places = np.floor(points[known, None] * scale + around * scale).astype(int)
    within = (places >= 0).all(-1) & (places[..., 0] < width) & (places[..., 1] < height)
    columns, rows = np.clip(places[..., 0], 0, width - 1), np.clip(places[..., 1], 0, height - 1)
    largest[known] = np.where(within, probability[rows, columns], 0).max(1) / 65535
    seen = np.zeros(len(points), bool)
    seen[known] = within.any(1)
    return float(largest[seen].mean()) if seen.any() else 0.0


def _doubt(
    changes: Sequence[CrackChange],
    visit: Visit,
    name: str,
    place: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> None:
    """Look where cracks of one visit would lie in the other, and mark those that are faintly there."""
    if not changes:
        return
    record, probability = visit.records[name], visit.probability(name)
    for change in changes:
        points = place(np.concatenate([line.points for line in change.lines]))
        change.other_probability = probability_along(probability, record['scale'], points)
        if change.other_probability >= FAINT * record['threshold']:
            change.kinds = [f'{change.kinds[0]}?']


def _scale(old: Visit, new: Visit, pair: PhotoPair) -> tuple[float | None, str]:
    """Size of a pixel of the new photo, and where it is known from."""
    scale = new.scale_of(pair.new)
    if scale is not None:
        return scale.mm_per_pixel, f'new visit: {scale.source}'
    scale = old.scale_of(pair.old)
    if scale is not None:
        return scale.mm_per_pixel / pair.registration.magnification(), f'old visit: {scale.source}'
    return None, ''


def _notes(old: Visit, new: Visit, pair: PhotoPair) -> Iterator[str]:
    overlap = pair.registration.overlap()
    if overlap < LITTLE_OVERLAP:
        yield f'the old photo shows only {overlap:.0%} of the new one'
    for visit, name, word in ((old, pair.old, 'old'), (new, pair.new, 'new')):
        note = visit.note(name)
        if note:
            yield f'the {word} photo is {note}'
    scales = old.scale_of(pair.old), new.scale_of(pair.new)
    if any(scale is not None and scale.plane is not None for scale in scales):
        yield 'the wall is seen at an angle: millimetres are those of the middle of the photo'
    if None not in scales:
        ratio = scales[0].mm_per_pixel / (scales[1].mm_per_pixel * pair.registration.magnification())
        if abs(ratio - 1) > SCALE_DISAGREEMENT:
            yield f'the scales of both visits disagree by {abs(ratio - 1):.0%}; that of the new one is used'


def _different(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    """Settings that are not the same, in the order of the new report."""
    return {name: (old.get(name), new.get(name)) for name in {**new, **old} if old.get(name) != new.get(name)}

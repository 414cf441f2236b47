"""One page with both visits side by side."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .comparison import PairComparison, VisitComparison
from .crack_changes import GONE, LONGER, NEW, OUTSIDE, WIDER, CrackChange
from .files import LENGTHS

PICTURE_SIDES = ((30, 900), (100, 640), (math.inf, 420))
"""Largest number of photo pairs, and the side of their pictures in the page."""
LISTED = 100
SMOOTH = 0.4
NO_PICTURE = (128, 128, 128)


def comparison_page(comparison: VisitComparison, title: str) -> str:
    """The page, with everything it shows inside.

    Args:
        comparison: What was found.
        title: Heading.

    Returns:
        HTML.
    """
    import jinja2

    templates = Path(__file__).parents[1] / 'report' / 'templates'
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    side = next(side for limit, side in PICTURE_SIDES if len(comparison.pairs) <= limit)
    pairing = comparison.pairing
    return environment.get_template('visits.html.j2').render(
        title=title,
        created=datetime.now().strftime('%d %B %Y, %H:%M'),
        visits=[_heading(visit.summary) for visit in (comparison.old, comparison.new)],
        totals=dict(
            pairs=len(comparison.pairs),
            new=comparison.count(NEW, f'{NEW}?'),
            longer=comparison.count(LONGER),
            wider=comparison.count(WIDER),
            gone=comparison.count(GONE, f'{GONE}?'),
            alone=len(pairing.only_old) + len(pairing.only_new),
        ),
        pairs=(_section(comparison, pair, side) for pair in comparison.pairs),
        pairing=pairing,
        settings=comparison.settings,
        tolerance=comparison.tolerance,
    )


def _heading(summary: dict) -> str:
    return f'{summary.get("title", "Report")}, {str(summary.get("created", "")).replace("T", " ")[:16]}'


def _section(comparison: VisitComparison, pair: PairComparison, side: int) -> dict:
    """What the page needs of one pair of photos."""
    height, width = pair.pair.registration.new_size
    factor = min(side / max(height, width), 1.0)
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    unit, scale = ('px', 1.0) if pair.mm_per_pixel is None else ('mm', pair.mm_per_pixel)
    changed = [change for change in pair.changes if change.kinds and change.kinds != [OUTSIDE]]
    registration = pair.pair.registration
    return dict(
        old=pair.pair.old,
        new=pair.pair.new,
        changed=bool(changed),
        facts=_facts(comparison, pair),
        notes=pair.notes,
        height=height,
        width=width,
        unit=unit,
        pictures=[_data_uri(picture) for picture in _pictures(comparison, pair, size)],
        lines=[_line_paths(pair.changes, visit, 1 / factor) for visit in (0, 1)],
        changes=[_shown(change, scale) for change in changed[:LISTED]],
        more=max(len(changed) - LISTED, 0),
        unchanged=sum(not change.kinds for change in pair.changes),
        outside=pair.count(OUTSIDE),
        residual=registration.residual,
    )


def _facts(comparison: VisitComparison, pair: PairComparison) -> str:
    registration = pair.pair.registration
    taken = [
        (visit.records[name].get('taken') or '').replace('T', ' ')[:16]
        for visit, name in ((comparison.old, pair.pair.old), (comparison.new, pair.pair.new))
    ]
    parts = [
        f'{taken[0] or "?"} → {taken[1] or "?"}' if any(taken) else '',
        f'matched by {pair.pair.matched_by}',
    ]
    parts.append(f'{registration.inliers} points agree within {registration.residual:.1f} px')
    parts.append(f'{registration.overlap():.0%} in both')
    if pair.mm_per_pixel is not None:
        parts.append(f'{pair.mm_per_pixel:.4g} mm per pixel ({pair.scale_source})')
    return ' · '.join(filter(None, parts))


def _shown(change: CrackChange, scale: float) -> dict:
    """A row of the table."""
    values = {
        name: None if getattr(change, name) is None else scale * getattr(change, name) for name in LENGTHS
    }
    numbers = {name: ', '.join(map(str, getattr(change, name))) for name in ('old', 'new')}
    return dict(
        **values, kinds=change.kinds, confidence=change.confidence, box=change.box,
        other_probability=change.other_probability, old_cracks=numbers['old'], new_cracks=numbers['new'],
    )  # fmt: skip


def _pictures(
    comparison: VisitComparison, pair: PairComparison, size: tuple[int, int]
) -> Iterator[NDArray[np.uint8]]:
    """Both photos as the new camera sees them, RGB, ``size`` columns and rows."""
    registration = pair.pair.registration
    detail = min(max(registration.magnification(), 1.0), 3.0)
    picture = comparison.old.picture(pair.pair.old, round(detail * max(size)))
    shrink = np.diag(
        [picture.shape[1] / registration.old_size[1], picture.shape[0] / registration.old_size[0], 1]
    )
    grow = np.diag([size[0] / registration.new_size[1], size[1] / registration.new_size[0], 1])
    # OpenCV counts from the middle of the first pixel.
    middle = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    matrix = np.linalg.inv(middle) @ grow @ registration.matrix @ np.linalg.inv(shrink) @ middle
    yield cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_LINEAR, borderValue=NO_PICTURE)
    picture = comparison.new.picture(pair.pair.new, max(size))
    yield cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _line_paths(changes: Sequence[CrackChange], visit: int, pixel: float) -> dict[str, str]:
    """SVG paths by kind of line: of the old visit (0) or the new one (1), simplified below a pixel."""
    paths: dict[str, list[str]] = {}
    for change in changes:
        for owner, kind, points in change.lines:
            if owner != visit:
                continue
            line = cv2.approxPolyDP(points.astype(np.float32)[:, None], SMOOTH * pixel, False)[:, 0]
            paths.setdefault(kind, []).append('M' + ' '.join(f'{x:.1f},{y:.1f}' for x, y in line))
    return {kind: ''.join(parts) for kind, parts in paths.items()}


def _data_uri(picture: NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, 'WEBP', quality=78)
    return 'data:image/webp;base64,' + base64.b64encode(buffer.getvalue()).decode('ascii')

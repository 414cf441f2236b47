"""Write a comparison of two visits: the page, a table of changes, and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields
from datetime import datetime

from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.report.spreadsheet import write_table

from .comparison import PairComparison, VisitComparison
from .crack_changes import CrackChange
from .visit import Visit

LENGTHS = ('old_length', 'new_length', 'grown', 'lost', 'length_tolerance')
LENGTHS += ('old_width', 'new_width', 'width_change', 'width_tolerance')
"""What of a change is a length: pixels of the new photo, or millimetres."""
DRAWING = 'lines'


def write_comparison(comparison: VisitComparison, folder: OutputFolder, title: str) -> None:
    """Write ``changes.csv``, ``changes.json`` and ``index.html``.

    Args:
        comparison: What was found.
        folder: Where to.
        title: Heading of the page.
    """
    from .page import comparison_page

    with folder.replacing('changes.csv') as path:
        write_table(path, _columns(comparison), _rows(comparison))
    folder.write_json(_content(comparison, title), 'changes.json')
    with folder.replacing('index.html') as path:
        path.write_text(comparison_page(comparison, title), encoding='utf-8')


def _units(comparison: VisitComparison) -> list[str]:
    return ['px', 'mm'] if any(pair.mm_per_pixel is not None for pair in comparison.pairs) else ['px']


def _columns(comparison: VisitComparison) -> list[str]:
    measures = [f'{name}_{unit}' for unit in _units(comparison) for name in LENGTHS]
    places = ['top_px', 'left_px', 'bottom_px', 'right_px']
    heads = ['old_photo', 'new_photo', 'change', 'old_cracks', 'new_cracks']
    return [*heads, *measures, 'confidence', 'other_probability', *places, 'notes']


def _rows(comparison: VisitComparison) -> Iterator[dict]:
    """One row for each crack, in pixels of the new photo and in millimetres where the scale is known."""
    for pair in comparison.pairs:
        for change in pair.changes:
            row = dict(
                old_photo=pair.pair.old,
                new_photo=pair.pair.new,
                change=' and '.join(change.kinds) or 'none',
                old_cracks=' '.join(map(str, change.old)),
                new_cracks=' '.join(map(str, change.new)),
                notes='; '.join(pair.notes),
            )
            for unit, scale in (('px', 1.0), ('mm', pair.mm_per_pixel)):
                for name in LENGTHS:
                    value = getattr(change, name)
                    if value is not None and scale is not None:
                        row[f'{name}_{unit}'] = f'{scale * value:.3f}'
            for name in ('confidence', 'other_probability'):
                if getattr(change, name) is not None:
                    row[name] = f'{getattr(change, name):.3f}'
            sides = zip(('top', 'left', 'bottom', 'right'), change.box or (), strict=False)
            yield row | {f'{side}_px': f'{value:.1f}' for side, value in sides}


def _content(comparison: VisitComparison, title: str) -> dict:
    """Everything, as JSON values; lengths in pixels of the new photos."""
    return dict(
        created=datetime.now().astimezone().isoformat(timespec='seconds'),
        title=title,
        old=_source(comparison.old),
        new=_source(comparison.new),
        tolerance=asdict(comparison.tolerance),
        different_settings={name: list(values) for name, values in comparison.settings.items()},
        only_old=comparison.pairing.only_old,
        only_new=comparison.pairing.only_new,
        same_name_other_place=comparison.pairing.same_name,
        pairs=[_pair_content(pair) for pair in comparison.pairs],
    )


def _source(visit: Visit) -> dict:
    summary = visit.summary
    return dict(folder=str(visit.folder.root), title=summary.get('title'), created=summary.get('created'))


def _pair_content(pair: PairComparison) -> dict:
    registration = pair.pair.registration
    return dict(
        old=pair.pair.old,
        new=pair.pair.new,
        matched_by=pair.pair.matched_by,
        homography=registration.matrix.tolist(),
        inliers=registration.inliers,
        residual=registration.residual,
        overlap=registration.overlap(),
        mm_per_pixel=pair.mm_per_pixel,
        scale_source=pair.scale_source,
        notes=pair.notes,
        changes=[_numbers(change) for change in pair.changes],
    )


def _numbers(change: CrackChange) -> dict:
    """A change without its drawing."""
    names = (field.name for field in fields(change) if field.name != DRAWING)
    return {name: getattr(change, name) for name in names}

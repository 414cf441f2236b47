"""Sum up a folder of results: a table, JSON, and one HTML page to look through."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from PIL import Image

from csbsr_mm.inspection.measurement.cracks import WIDTH_BIAS
from csbsr_mm.inspection.places.gps_map import draw_map, map_points
from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.prediction.run import Record
from csbsr_mm.inspection.scale.millimetres import LENGTHS, in_millimetres, total_in_millimetres
from csbsr_mm.inspection.scale.scales import PhotoScale, ScaleTable
from csbsr_mm.inspection.widths.classes import WidthClasses
from csbsr_mm.inspection.widths.estimates import Estimator
from csbsr_mm.inspection.widths.options import WidthOptions

from .decisions import REJECT
from .spreadsheet import write_table

BLUR_LIMIT = 4.0
"""Spread of the blur kernel in SR pixels from which on a photo counts as too blurred to judge: the largest
one that models are trained on."""

CRACK_FACTS = ('orientation', 'box', 'widest_at', 'confidence', 'kind')
THUMBNAIL_SIDE = 168
# Largest number of photos, and the side of their pictures in the page.
PREVIEW_SIDES = ((60, 960), (200, 720), (math.inf, 480))


class Report:
    """What is written about a finished run.

    Args:
        folder: The run's output folder.
        records: Records of all photos.
        mm_per_pixel: Size of a pixel of the input photos on the wall; None leaves pixels.
        scales: Sizes of the pixels of single photos, which win; see :mod:`.scales`.
        without_scale: Why other photos have none, by path; beside photos with a scale they have no mm.
        blur_limit: See :data:`BLUR_LIMIT`.
        settings: What to say about how the results came about, as names and values.
        title: Heading of the page.
        widths: Errors of the model and limits of width; by default neither is known.
        timing: Where the time went; see :meth:`.RunTimer.summary`.

    Raises:
        ValueError: ``mm_per_pixel`` or ``blur_limit`` is not positive.
    """

    def __init__(
        self,
        folder: OutputFolder,
        records: Sequence[Record],
        mm_per_pixel: float | None = None,
        blur_limit: float = BLUR_LIMIT,
        settings: dict | None = None,
        title: str = 'Crack inspection',
        scales: Mapping[str, PhotoScale] | None = None,
        without_scale: Mapping[str, str] | None = None,
        widths: WidthOptions | None = None,
        timing: dict | None = None,
    ) -> None:
        for name, value in (('mm_per_pixel', mm_per_pixel), ('blur_limit', blur_limit)):
            if value is not None and not value > 0:
                raise ValueError(f'{name} must be positive, got {value}')
        self.folder, self.records = folder, list(records)
        self.mm_per_pixel, self.blur_limit = mm_per_pixel, blur_limit
        self.settings, self.title, self.timing = dict(settings or {}), title, timing
        self.scales = ScaleTable(scales or {}, None if mm_per_pixel is None else PhotoScale(mm_per_pixel))
        self.without_scale = dict(without_scale or {})
        self.has_mm = mm_per_pixel is not None or bool(scales)
        self.widths = widths or WidthOptions()
        self.estimator = Estimator(
            self.scales, self.widths.errors, self.widths.classes if self.has_mm else None
        )
        self._estimates: dict[tuple[str, int | None], dict] = {}

    def write(self) -> None:
        """Write ``summary.csv``, ``cracks.csv``, ``summary.json`` and ``index.html``."""
        self._write_csv()
        self._write_cracks()
        content = dict(
            created=datetime.now().astimezone().isoformat(timespec='seconds'),
            title=self.title,
            settings=self.settings,
            mm_per_pixel=self.mm_per_pixel,
            scales={name: asdict(scale) for name, scale in self.scales.scales.items()},
            without_scale=self.without_scale,
            blur_limit=self.blur_limit,
            width_bias_in_output_pixels=WIDTH_BIAS,
            **self.widths.stored(),
            timing=self.timing,
            photos=[self._with_units(record) for record in self.records],
        )
        self.folder.write_json(content, 'summary.json')
        with self.folder.replacing('index.html') as path:
            path.write_text(self.html(), encoding='utf-8')

    def note(self, record: Record) -> str:
        """What to say about a photo's sharpness."""
        spread = record.get('blur_spread')
        return 'too blurred to judge' if spread is not None and spread >= self.blur_limit else ''

    def html(self) -> str:
        """The page, with everything it shows inside."""
        import jinja2

        templates = jinja2.FileSystemLoader(Path(__file__).parent / 'templates')
        options = dict(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        environment = jinja2.Environment(loader=templates, autoescape=True, **options)
        rows = [self._row(record) for record in self.records]
        return environment.get_template('report.html.j2').render(
            title=self.title,
            created=datetime.now().strftime('%d %B %Y, %H:%M'),
            rows=rows,
            totals=self._totals(rows),
            unit='mm' if self.has_mm else 'px',
            has_mm=self.has_mm,
            own_scales=bool(self.scales.scales),
            mm_per_pixel=self.mm_per_pixel,
            blur_limit=self.blur_limit,
            width_bias=WIDTH_BIAS,
            errors=self.estimator.errors,
            classes=self.estimator.classes,
            class_colors=_class_colors(self.estimator.classes),
            settings=self.settings,
            pictures=self._pictures(),
            gps_map=draw_map(map_points(self.records)),
            report_id=self._id(),
            decisions=[decision for record in self.records for decision in record.get('decisions', ())],
        )

    def _id(self) -> str:
        """What tells this report from others in a browser; measuring again does not change it."""
        photos = [[record['name'], record.get('fingerprint')] for record in self.records]
        return hashlib.sha256(json.dumps(photos).encode()).hexdigest()[:16]

    def _with_units(self, record: Record) -> Record:
        """The record with the sharpness note and, if the scale is known, with millimetres."""
        if record['status'] != 'ok':
            return record
        record = {**record, 'note': self.note(record), 'total_estimates': self._estimate(record)}
        record['cracks_estimates'] = [self._estimate(record, i) for i in range(len(record['cracks']))]
        scale = self.scales.of(record['source'])
        if scale is not None:
            record['scale_of_photo'] = asdict(scale)
            record['total_mm'] = total_in_millimetres(record['total'], record['cracks'], scale)
            record['cracks_mm'] = [in_millimetres(crack, scale) for crack in record['cracks']]
        return record

    def _in_unit(self, record: Record, index: int | None = None) -> dict:
        """What the page shows of a crack, or of all: corrected, in millimetres if the scale is known."""
        scale, cracks = self.scales.of(record['source']), record['cracks']
        values = record['total'] if index is None else cracks[index]
        if scale is not None and index is None:
            values = total_in_millimetres(values, cracks, scale)
        elif scale is not None:
            values = in_millimetres(values, scale)
        estimates = self._estimate(record, index)
        found = estimates['values']
        corrected = {
            name: found[name]['corrected'] if name in found else round(values[name], 4) for name in LENGTHS
        }
        return {'area': round(values['area'], 4), **corrected, **_shown_estimates(estimates, index is None)}

    def _scale_text(self, record: Record) -> str:
        scale = self.scales.of(record['source'])
        if scale is not None:
            return str(scale)
        reason = self.without_scale.get(record['source'])
        return f'no scale: {reason}' if self.has_mm and reason else 'no scale' if self.has_mm else ''

    def _row(self, record: Record) -> dict:
        """What the page needs of one photo."""
        row = {name: record.get(name) for name in ('name', 'status', 'error', 'taken', 'files')}
        row['source'] = Path(record['source']).name
        if record['status'] != 'ok':
            return row
        fields = ('height', 'width', 'latitude', 'longitude', 'altitude', 'blur_spread', 'ignored')
        row.update({name: record[name] for name in fields})
        own = self._in_unit(record)
        row['unit'] = 'px' if self.scales.of(record['source']) is None else 'mm'
        # What the page compares is in one unit; a photo by itself may be in another.
        comparable = row['unit'] == 'mm' or not self.has_mm
        row |= own if comparable else {**own, **dict.fromkeys(('area', *LENGTHS))}
        row['own'], row['scale'] = own, self._scale_text(record)
        row['orientation'] = record['total']['orientation']
        row['widest_at'] = record['total'].get('widest_at')
        row['too_blurred'] = bool(self.note(record))
        row['reading'] = self._reading(record)
        row['cracks'] = [
            {
                **self._in_unit(record, index),
                **{name: crack.get(name) for name in CRACK_FACTS},
            }
            for index, crack in enumerate(record['cracks'][:100])
        ]
        row['crack_count'] = len(record['cracks'])
        row['blobs'] = record.get('blobs', 0)
        row['rejected'] = _count_rejected(record)
        return row

    @staticmethod
    def _reading(record: Record) -> str:
        """What was done to the values of the photo, and what part of it shows nothing."""
        empty = record.get('without_data', 0)
        return '; '.join(filter(None, [record.get('reading'), f'{empty:.0%} without data' if empty else '']))

    @staticmethod
    def _totals(rows: Sequence[dict]) -> dict:
        done = [row for row in rows if row['status'] == 'ok']
        return dict(
            photos=len(rows),
            cracked=sum(row['crack_count'] > 0 for row in done),
            max_width=max((row['max_width'] or 0 for row in done), default=0),
            length=sum(row['length'] or 0 for row in done),
            too_blurred=sum(row['too_blurred'] for row in done),
            rejected=sum(row['rejected'] for row in done),
            failed=len(rows) - len(done),
        )

    def _pictures(self) -> dict[str, dict[str, str]]:
        """Data URIs of each photo's thumbnail, photo and result."""
        side = next(side for limit, side in PREVIEW_SIDES if len(self.records) <= limit)
        pictures = {}
        for record in self.records:
            if record['status'] == 'ok':
                before, after = (self.folder.path(record['files'][kind]) for kind in ('before', 'after'))
                pictures[record['name']] = dict(
                    thumbnail=_data_uri(after, THUMBNAIL_SIDE),
                    before=_data_uri(before, side),
                    after=_data_uri(after, side),
                )
        return pictures

    def _write_csv(self) -> None:
        units = self._units()
        measures = [
            f'{name}_{unit}2' if name == 'area' else f'{name}_{unit}'
            for unit, _ in units
            for name in ('area', *LENGTHS)
        ]
        columns = ['photo', 'status', 'taken', 'latitude', 'longitude', 'altitude', 'height', 'width']
        columns += [
            'cracks',
            'rejected',
            *measures,
            *self.estimator.columns(units[-1][0]),
            'orientation_deg',
            'blur_spread_output_px',
            'note',
            'reading',
            'without_data_percent',
            'mm_per_pixel',
            'mm_per_pixel_std',
            'scale_source',
            'seam_rms_probability',
            'error',
            'source',
        ]
        rows = [self._csv_row(record, units) for record in self.records]
        self._write_table('summary.csv', columns, rows)

    def _units(self) -> list[tuple[str, bool]]:
        """Units and whether values are converted to them."""
        return [('px', False), ('mm', True)] if self.has_mm else [('px', False)]

    def _write_table(self, name: str, columns: list[str], rows: list[dict]) -> None:
        with self.folder.replacing(name) as path:
            write_table(path, columns, rows)

    def _write_cracks(self) -> None:
        """One row for each crack."""
        rows = []
        for record in self.records:
            decided = decisions_by_box(record)
            for number, crack in enumerate(record.get('cracks', ()), 1):
                row = dict(photo=record['name'], crack=number, kind=crack.get('kind', 'crack'))
                for unit, converted in self._units():
                    scale = self.scales.of(record['source'])
                    if converted and scale is None:
                        continue
                    values = in_millimetres(crack, scale) if converted and scale else crack
                    row |= {f'{name}_{unit}': f'{values[name]:.3f}' for name in LENGTHS}
                    row[f'area_{unit}2'] = f'{values["area"]:.2f}'
                row |= self._estimate_cells(record, number - 1)
                confidence, orientation = crack.get('confidence'), crack['orientation']
                row['confidence'] = '' if confidence is None else f'{confidence:.3f}'
                row['orientation_deg'] = '' if orientation is None else orientation
                sides = zip(('top', 'left', 'bottom', 'right'), crack['box'], strict=True)
                row |= {f'{side}_px': f'{place:.1f}' for side, place in sides}
                if crack.get('widest_at'):
                    row['widest_row_px'], row['widest_column_px'] = (f'{at:.1f}' for at in crack['widest_at'])
                decision = decided.get(tuple(crack['box']), {})
                row |= {name: decision.get(name, '') for name in ('decision', 'comment')}
                rows.append(row)
        measures = [f'{name}_{unit}' for unit, _ in self._units() for name in LENGTHS]
        areas = [f'area_{unit}2' for unit, _ in self._units()]
        places = ['top_px', 'left_px', 'bottom_px', 'right_px', 'widest_row_px', 'widest_column_px']
        columns = ['photo', 'crack', 'kind', 'confidence', *measures, *areas]
        columns += [*self.estimator.columns(self._units()[-1][0]), 'orientation_deg', *places]
        columns += ['decision', 'comment']
        self._write_table('cracks.csv', columns, rows)

    def _estimate(self, record: Record, index: int | None = None) -> dict:
        """Of a crack or of a photo, made once for all that is written."""
        key = (record['name'], index)
        if key not in self._estimates:
            self._estimates[key] = self.estimator.of(record, index)
        return self._estimates[key]

    def _estimate_cells(self, record: Record, index: int | None = None) -> dict:
        """Nothing for a photo without a scale among others: its columns are in another unit."""
        if self.has_mm and self.scales.of(record['source']) is None:
            return {}
        return self.estimator.cells(self._estimate(record, index))

    def _csv_row(self, record: Record, units: list[tuple[str, bool]]) -> dict:
        row = dict(photo=record['name'], status=record['status'], source=record['source'])
        if record['status'] != 'ok':
            return {**row, 'error': record['error']}
        for name in ('taken', 'latitude', 'longitude', 'altitude', 'height', 'width'):
            row[name] = '' if record[name] is None else record[name]
        scale = self.scales.of(record['source'])
        row['mm_per_pixel'] = '' if scale is None else f'{scale.mm_per_pixel:g}'
        row['mm_per_pixel_std'] = '' if scale is None or scale.std is None else f'{scale.std:.3g}'
        row['scale_source'] = self._scale_text(record) if scale is None else scale.source
        for unit, converted in units:
            if converted and scale is None:
                continue
            values = record['total']
            if converted and scale is not None:
                values = total_in_millimetres(values, record['cracks'], scale)
            row[f'area_{unit}2'] = f'{values["area"]:.2f}'
            row.update({f'{name}_{unit}': f'{values[name]:.3f}' for name in LENGTHS})
        row |= self._estimate_cells(record)
        orientation, spread = record['total']['orientation'], record['blur_spread']
        row['cracks'], row['rejected'] = len(record['cracks']), _count_rejected(record)
        row['orientation_deg'] = '' if orientation is None else orientation
        row['blur_spread_output_px'] = '' if spread is None else f'{spread:.2f}'
        row['note'] = self.note(record)
        row['reading'] = record.get('reading', '')
        row['without_data_percent'] = f'{100 * record.get("without_data", 0):.1f}'
        row['seam_rms_probability'] = f'{record["seam_rms"].get("probability", 0):.4f}'
        return row


def _class_colors(classes: WidthClasses | None) -> list[tuple[str, str]]:
    """Names of the classes and their colours in CSS."""
    if classes is None:
        return []
    colors = ('#{:02x}{:02x}{:02x}'.format(*color) for color in classes.colors.tolist())
    return list(zip(classes.names, colors, strict=True))


def _shown_estimates(estimates: dict, of_photo: bool) -> dict:
    """Intervals, chances and lengths per class; of a crack no more than its line in the page shows."""
    found = estimates['values']
    shown: dict = dict(
        intervals={
            name: [found[name]['low'], found[name]['high']]
            for name in (LENGTHS if of_photo else ('max_width',))
            if name in found
        }
    )
    if 'above' in estimates:
        shown['above'] = [[limit, chances['max_width']] for limit, chances in estimates['above'].items()]
    if of_photo and 'length_per_class' in estimates:
        shown['class_lengths'] = list(estimates['length_per_class'].values())
    return shown


def decisions_by_box(record: Record) -> dict[tuple[float, ...], dict]:
    """What was decided about a photo's cracks, by their boxes; see :class:`.decisions.Decision`."""
    return {tuple(decision['box']): decision for decision in record.get('decisions', ())}


def _count_rejected(record: Record) -> int:
    return sum(
        decision['decision'] == REJECT and decision['in_effect'] for decision in record.get('decisions', ())
    )


def _data_uri(path: Path, side: int) -> str:
    with Image.open(path) as image:
        image = image.convert('RGB')
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, 'WEBP', quality=78)
    return 'data:image/webp;base64,' + base64.b64encode(buffer.getvalue()).decode('ascii')

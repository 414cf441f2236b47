"""Measure a finished run again: another threshold or other rules, from the stored probability."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from csbsr_mm.apis.result import CrackResult
from csbsr_mm.inspection.exports.crack_lines import CrackShape, shapes_of_mask
from csbsr_mm.inspection.measurement.selection import SelectionRules, rules_from
from csbsr_mm.inspection.prediction.photo_output import OutputFolder, PhotoWriter
from csbsr_mm.inspection.prediction.run import Record, measure_result
from csbsr_mm.inspection.scale.scales import PhotoScale
from csbsr_mm.inspection.scale.sources import FoundScales, photo_of, sources_from
from csbsr_mm.inspection.widths.options import width_options
from csbsr_mm.photos.raster import Raster
from csbsr_mm.photos.reader import Photo, PhotoError, read_photo

from .decisions import REJECT, Decision, best_fit, decision_from, read_decisions
from .pages import BLUR_LIMIT, Report
from .rejection import strike_out

SCALE_OPTIONS = ('scales', 'wall_distance', 'sensor_width', 'marker_size', 'scale_order')


def remeasure_report(args: argparse.Namespace) -> list[Record]:
    """Measure all photos of a report again and rewrite it.

    Args:
        args: As :mod:`csbsr_mm.cli.report` reads them; None keeps what the report has.

    Returns:
        The new records.

    Raises:
        FileNotFoundError: The folder holds no report.
        ValueError: A setting is out of range, or the decisions are about other photos.
    """
    folder = OutputFolder(args.folder) if Path(args.folder).is_dir() else None
    if folder is None or not (folder.root / 'summary.json').is_file():
        raise FileNotFoundError(f'{args.folder} holds no summary.json; name the --out-dir of csbsr predict')
    summary = json.loads(folder.path('summary.json').read_text(encoding='utf-8'))
    names = [photo['name'] for photo in summary['photos']]
    records = list(_remeasured(folder, names, args, _given_decisions(args, names)))
    done = next((record for record in records if record['status'] == 'ok'), None)
    settings = summary['settings']
    args.mm_per_pixel = summary['mm_per_pixel'] if args.mm_per_pixel is None else args.mm_per_pixel
    found = _scales(args, summary, records)
    if done is not None:
        settings |= {'Threshold': done['threshold'], **SelectionRules(**done['rules']).described()}
    widths = width_options(args, summary)
    report = Report(
        folder,
        records,
        args.mm_per_pixel,
        summary.get('blur_limit', BLUR_LIMIT) if args.blur_limit is None else args.blur_limit,
        settings,
        args.title or summary.get('title', 'Crack inspection'),
        found.scales,
        found.missing,
        widths,
    )
    if widths.colored or summary.get('width_colors'):
        # The overlays need what is measured, and this module.
        from csbsr_mm.inspection.widths.overlay import color_overlays

        color_overlays(folder, records, report.estimator)
    report.write()
    return records


def _scales(args: argparse.Namespace, summary: dict, records: list[Record]) -> FoundScales:
    """The scales that the options give; those of the report where at most the one number is given."""
    sources = sources_from(args)
    if any(getattr(args, name) is not None for name in SCALE_OPTIONS):
        return sources.all_of(photo_of(record) for record in records if record['status'] == 'ok')
    stored = {name: PhotoScale.from_json(scale) for name, scale in summary.get('scales', {}).items()}
    missing = {} if sources.number is not None else summary.get('without_scale', {})
    return FoundScales(stored, missing)


def _given_decisions(args: argparse.Namespace, names: list[str]) -> list[Decision] | None:
    """The decisions of the command line; None keeps those that the records have."""
    if args.no_decisions:
        return []
    if args.decisions is None:
        return None
    decisions = read_decisions(args.decisions)
    unknown = sorted({decision.photo for decision in decisions} - set(names))
    if unknown:
        raise ValueError(
            f'{args.decisions} is about {unknown[0]}, which {args.folder} does not have; '
            f'give the decisions of this report'
        )
    return decisions


def _remeasured(
    folder: OutputFolder, names: list[str], args: argparse.Namespace, decisions: list[Decision] | None
) -> Iterator[Record]:
    for name in names:
        path = folder.path('records', f'{name}.json')
        record = json.loads(path.read_text(encoding='utf-8'))
        if record['status'] == 'ok':
            own = stored_decisions(record)
            if decisions is not None:
                own = [decision for decision in decisions if decision.photo == name]
            record = remeasure(folder, record, args, own)
            folder.write_json(record, 'records', path.name)
        yield record


def remeasure(
    folder: OutputFolder, record: Record, args: argparse.Namespace, decisions: Sequence[Decision] = ()
) -> Record:
    """Measure one photo again, without the cracks that were rejected.

    Mask, overlay and previews are rewritten if another threshold is asked for or other cracks are rejected.

    Args:
        folder: The report.
        record: The photo's record.
        args: As :mod:`csbsr_mm.cli.report` reads them; None keeps what the record has.
        decisions: About cracks of this photo.

    Returns:
        The new record.
    """
    rules = rules_from(args, SelectionRules(**record['rules']))
    threshold = record['threshold'] if args.threshold is None else args.threshold
    if not 0 <= threshold < 1:
        raise ValueError(f'threshold must be a probability in [0, 1), got {threshold}')
    before = {decision.box for decision in stored_decisions(record) if _is_out(decision)}
    rejected = [decision for decision in decisions if decision.decision == REJECT]
    result = stored_result(folder, {**record, 'decisions': []}, threshold)
    struck = strike_out(result, [decision.box for decision in rejected])
    record = {**record, **measure_result(result, rules)}
    others = [decision for decision in decisions if decision.decision != REJECT]
    cracks = [crack['box'] for crack in record['cracks']]
    kept = [best_fit(decision.box, cracks) for decision in others]
    fits = [*struck, *(None if index is None else cracks[index] for index in kept)]
    decided = [_fitted(*pair) for pair in zip([*rejected, *others], fits, strict=True)]
    record['decisions'] = [asdict(decision) for decision in decided]
    if args.threshold is not None or before != {decision.box for decision in decided if _is_out(decision)}:
        record['files'] = {**record['files'], **PhotoWriter(folder).write_mask(result, record['name'])}
    result.close()
    return record


def stored_decisions(record: Record) -> list[Decision]:
    """The decisions about a photo's cracks that its record holds."""
    return [decision_from(entry) for entry in record.get('decisions', ())]


def _is_out(decision: Decision) -> bool:
    """Whether it took a crack out of the report."""
    return decision.decision == REJECT and decision.in_effect


def _fitted(decision: Decision, box: tuple | None) -> Decision:
    """The decision with the box that its crack has now."""
    return replace(decision, box=decision.box if box is None else box, in_effect=box is not None)


def stored_result(folder: OutputFolder, record: Record, threshold: float) -> CrackResult:
    """What the model said about a photo, from the files of a report.

    Args:
        folder: The report.
        record: The photo's record.
        threshold: Probability above which a pixel is crack.

    Returns:
        The result, without blur kernel and without the cracks that were rejected. The picture is the stored
        one, or the photo where none was stored.

    Raises:
        FileNotFoundError: The probability is gone.
    """
    files = record['files']
    probability = _raster(_read(folder.path(files['probability'])))
    restored = _raster(_read(folder.path(files['sr']))) if 'sr' in files else None
    try:
        photo = read_photo(record['source'])
        if (photo.height, photo.width) != (record['height'], record['width']):
            raise PhotoError(f'{record["source"]} is not the photo that was measured')
    except PhotoError:
        # The photo is elsewhere by now: its preview stands in for it.
        photo = _from_preview(folder, record)
    result = CrackResult(photo, probability, restored, None, threshold, record['scale'])
    strike_out(result, [decision.box for decision in stored_decisions(record) if _is_out(decision)])
    return result


def stored_shapes(folder: OutputFolder, record: Record) -> list[CrackShape]:
    """Lines and outlines of the cracks that a report lists; errors as of :func:`stored_result`."""
    result = stored_result(folder, record, record['threshold'])
    mask = result.mask
    result.close()
    return list(shapes_of_mask(mask, record['scale'], record['cracks']))


def _read(path: Path) -> NDArray:
    if path.suffix == '.tif':
        return tifffile.imread(path)
    with Image.open(path) as image:
        return np.asarray(image)


def _raster(image: NDArray) -> Raster:
    image = image if image.ndim == 3 else image[..., None]
    dtype = np.uint8 if image.dtype == np.uint8 else np.uint16
    raster = Raster(*image.shape, dtype)
    raster.write(raster.box, image.astype(dtype))
    return raster


def _from_preview(folder: OutputFolder, record: Record) -> Photo:
    with Image.open(folder.path(record['files']['before'])) as image:
        pixels = np.asarray(image.convert('RGB').resize((record['width'], record['height'])))
    return Photo(Path(record['source']), _raster(pixels))

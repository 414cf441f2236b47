"""Measure a finished run again: another threshold or other rules, from the stored probability."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from csbsr_mm.apis.result import CrackResult
from csbsr_mm.photos.raster import Raster
from csbsr_mm.photos.reader import Photo, PhotoError, read_photo

from .photo_output import OutputFolder, PhotoWriter
from .prediction_run import Record, measure_result
from .report import BLUR_LIMIT, Report
from .scale_sources import FoundScales, photo_of, sources_from
from .scales import PhotoScale
from .selection import SelectionRules, rules_from

SCALE_OPTIONS = ('scales', 'wall_distance', 'sensor_width', 'marker_size', 'scale_order')


def remeasure_report(args: argparse.Namespace) -> list[Record]:
    """Measure all photos of a report again and rewrite it.

    Args:
        args: As :mod:`csbsr_mm.cli.report` reads them; None keeps what the report has.

    Returns:
        The new records.

    Raises:
        FileNotFoundError: The folder holds no report.
        ValueError: A setting is out of range.
    """
    folder = OutputFolder(args.folder) if Path(args.folder).is_dir() else None
    if folder is None or not (folder.root / 'summary.json').is_file():
        raise FileNotFoundError(f'{args.folder} holds no summary.json; name the --out-dir of csbsr predict')
    summary = json.loads(folder.path('summary.json').read_text(encoding='utf-8'))
    records = list(_remeasured(folder, [photo['name'] for photo in summary['photos']], args))
    done = next((record for record in records if record['status'] == 'ok'), None)
    settings = summary['settings']
    args.mm_per_pixel = summary['mm_per_pixel'] if args.mm_per_pixel is None else args.mm_per_pixel
    found = _scales(args, summary, records)
    if done is not None:
        settings |= {'Threshold': done['threshold'], **SelectionRules(**done['rules']).described()}
    Report(
        folder,
        records,
        args.mm_per_pixel,
        summary.get('blur_limit', BLUR_LIMIT) if args.blur_limit is None else args.blur_limit,
        settings,
        args.title or summary.get('title', 'Crack inspection'),
        found.scales,
        found.missing,
    ).write()
    return records


def _scales(args: argparse.Namespace, summary: dict, records: list[Record]) -> FoundScales:
    """The scales that the options give; those of the report where at most the one number is given."""
    sources = sources_from(args)
    if any(getattr(args, name) is not None for name in SCALE_OPTIONS):
        return sources.all_of(photo_of(record) for record in records if record['status'] == 'ok')
    stored = {name: PhotoScale.from_json(scale) for name, scale in summary.get('scales', {}).items()}
    missing = {} if sources.number is not None else summary.get('without_scale', {})
    return FoundScales(stored, missing)


def _remeasured(folder: OutputFolder, names: list[str], args: argparse.Namespace) -> Iterator[Record]:
    for name in names:
        path = folder.path('records', f'{name}.json')
        record = json.loads(path.read_text(encoding='utf-8'))
        if record['status'] == 'ok':
            record = remeasure(folder, record, args)
            folder.write_json(record, 'records', path.name)
        yield record


def remeasure(folder: OutputFolder, record: Record, args: argparse.Namespace) -> Record:
    """Measure one photo again; mask, overlay and previews are rewritten if the threshold is another one."""
    rules = rules_from(args, SelectionRules(**record['rules']))
    threshold = record['threshold'] if args.threshold is None else args.threshold
    if not 0 <= threshold < 1:
        raise ValueError(f'threshold must be a probability in [0, 1), got {threshold}')
    result = stored_result(folder, record, threshold)
    record = {**record, **measure_result(result, rules)}
    if args.threshold is not None:
        record['files'] = {**record['files'], **PhotoWriter(folder).write_mask(result, record['name'])}
    result.close()
    return record


def stored_result(folder: OutputFolder, record: Record, threshold: float) -> CrackResult:
    """What the model said about a photo, from the files of a report.

    Args:
        folder: The report.
        record: The photo's record.
        threshold: Probability above which a pixel is crack.

    Returns:
        The result, without blur kernel. The picture is the stored one, or the photo where none was stored.

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
    return CrackResult(photo, probability, restored, None, threshold, record['scale'])


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

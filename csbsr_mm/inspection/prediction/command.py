"""From photos to masks, measurements and a report, with progress on the terminal: ``csbsr predict``."""

from __future__ import annotations

import argparse

from rich.console import Console

from csbsr_mm.inspection.exports import chosen_formats
from csbsr_mm.inspection.exports.command import export_report
from csbsr_mm.inspection.measurement.selection import rules_from
from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.prediction.remote import OnRecord, has_urls, predict_remotely
from csbsr_mm.inspection.prediction.run import Record
from csbsr_mm.inspection.prediction.setup import make_run, model_config, shown_settings
from csbsr_mm.inspection.prediction.terminal import PhotoProgress, conclude
from csbsr_mm.inspection.prediction.together import (
    Outcome,
    predict_as_launched,
    predict_in_processes,
    remove_leftovers,
    scratch_folder,
)
from csbsr_mm.inspection.report.pages import BLUR_LIMIT, Report
from csbsr_mm.inspection.scale.sources import FoundScales, PhotoOfRun, ScaleSources, photo_of, sources_from
from csbsr_mm.inspection.widths.options import width_options
from csbsr_mm.inspection.widths.overlay import color_overlays
from csbsr_mm.photos.input_files import SourcePhoto, find_photos
from csbsr_mm.photos.reader import photo_size, read_camera
from csbsr_mm.utils.allocator import keep_freed_memory


def predict_photos(args: argparse.Namespace) -> int:
    """Predict, measure, report: ``csbsr predict``.

    Args:
        args: As :mod:`csbsr_mm.cli.predict` reads them.

    Returns:
        0; 1 if photos failed, which are listed; 130 if the user interrupted.

    Raises:
        FileNotFoundError: There is no such config, checkpoint or photo.
        ValueError: An option is out of range, or the checkpoint does not fit.
    """
    keep_freed_memory()
    if has_urls(args):
        return predict_remotely(args, _predict_and_report)
    return _predict_and_report(args)


def _predict_and_report(args: argparse.Namespace, on_record: OnRecord | None = None) -> int:
    """Predict local photos into a local folder; ``on_record`` is called when a photo's results are there."""
    rules_from(args)
    exports = chosen_formats(args.export)
    args.blur_limit = BLUR_LIMIT if args.blur_limit is None else args.blur_limit
    _check_numbers(args)
    sources = sources_from(args)
    console = Console()
    model_config(args)
    widths = width_options(args)
    folder = OutputFolder(args.out_dir)
    photos = find_photos(args.inputs, exclude=args.out_dir)
    if not photos:
        raise ValueError(f'no photos in {", ".join(args.inputs)}')
    _check_scales(sources, photos)
    outcome = _predict(args, folder, photos, console, on_record)
    if outcome is None:
        return 0
    records, shown = outcome.records, outcome.settings
    if records:
        found = _find_scales(sources, records, console)
        report = Report(
            folder,
            records,
            sources.number,
            args.blur_limit,
            shown,
            args.title,
            found.scales,
            found.missing,
            widths,
            outcome.timing,
        )
        if widths.colored:
            color_overlays(folder, records, report.estimator)
        report.write()
        export_report(args.out_dir, exports)
    return conclude(records, len(photos), outcome.interrupted, folder, console)


def _predict(
    args: argparse.Namespace,
    folder: OutputFolder,
    photos: list[SourcePhoto],
    console: Console,
    on_record: OnRecord | None,
) -> Outcome | None:
    """Predict all photos; None if another process has the last word."""
    if args.launcher != 'none':
        return predict_as_launched(args, folder, photos, console)
    remove_leftovers(folder)
    progress = PhotoProgress(photos, console, on_record)
    if args.processes > 1:
        return predict_in_processes(args, folder, photos, progress)
    return _predict_alone(args, folder, photos, progress)


def _predict_alone(
    args: argparse.Namespace, folder: OutputFolder, photos: list[SourcePhoto], progress: PhotoProgress
) -> Outcome:
    records: list[Record] = []
    interrupted = False
    with scratch_folder(folder.root) as scratch, progress:
        run = make_run(args, folder, scratch)
        try:
            for record in run.run(photos, progress.on_tile):
                records.append(record)
                progress.on_photo(record)
        except KeyboardInterrupt:
            interrupted = True
    return Outcome(records, shown_settings(args, run), run.timing.summary(), interrupted)


def _check_numbers(args: argparse.Namespace) -> None:
    if not args.blur_limit > 0:
        raise ValueError(f'--blur-limit must be positive, got {args.blur_limit}')
    if args.processes < 1:
        raise ValueError(f'--processes must be at least 1, got {args.processes}')
    if args.launcher != 'none' and args.processes > 1:
        raise ValueError('--launcher and --processes both start processes; give one of them')


def _check_scales(sources: ScaleSources, photos: list[SourcePhoto]) -> None:
    """Refuse a table that leaves out photos before hours of work, where nothing else can give their scale."""
    if not sources.table.scales or sources.marker is not None:
        return
    for photo in photos:
        size = photo_size(photo.path)
        try:
            if size is not None:
                sources.of(PhotoOfRun(str(photo.path), size, read_camera(photo.path)))
        except ValueError as error:
            raise ValueError(
                f'no scale for {photo.path}: {error}; add its line to the table of scales, or give '
                f'one for all by --mm-per-pixel'
            ) from error


def _find_scales(sources: ScaleSources, records: list[Record], console: Console) -> FoundScales:
    """The scales of the photos that are done; what is missing is said."""
    found = sources.all_of(photo_of(record) for record in records if record['status'] == 'ok')
    if sources.asked:
        for path, reason in found.missing.items():
            console.print(f'no scale for {path}: {reason}', style='yellow', markup=False, soft_wrap=True)
    unused = sources.unused(record['source'] for record in records)
    if unused:
        console.print(
            f'lines of the table of scales without a photo: {", ".join(unused)}',
            style='yellow',
            markup=False,
            soft_wrap=True,
        )
    return found

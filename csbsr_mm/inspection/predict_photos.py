"""From photos to masks, measurements and a report, with progress on the terminal: ``csbsr predict``."""

from __future__ import annotations

import argparse
import shutil
import tempfile

from mmengine.config import Config
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.engine.config import load_config
from csbsr_mm.inspection.photo_output import OutputFolder
from csbsr_mm.inspection.prediction_run import PredictionRun, Record, describe_checkpoint
from csbsr_mm.inspection.report import BLUR_LIMIT, Report
from csbsr_mm.inspection.scale_sources import FoundScales, PhotoOfRun, ScaleSources, photo_of, sources_from
from csbsr_mm.inspection.selection import rules_from
from csbsr_mm.photos.input_files import SourcePhoto, find_photos
from csbsr_mm.photos.reader import photo_size, read_camera
from csbsr_mm.weights import open_weights
from csbsr_mm.weights.library import DEFAULT

FAILED_PHOTOS, INTERRUPTED = 1, 130
SCRATCH = '.scratch-'


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
    rules = rules_from(args)
    args.blur_limit = BLUR_LIMIT if args.blur_limit is None else args.blur_limit
    _check_numbers(args)
    sources = sources_from(args)
    console = Console()
    config = _config(args)
    folder = OutputFolder(args.out_dir)
    photos = find_photos(args.inputs, exclude=args.out_dir)
    if not photos:
        raise ValueError(f'no photos in {", ".join(args.inputs)}')
    _check_scales(sources, photos)
    for leftover in folder.root.glob(f'{SCRATCH}*'):
        shutil.rmtree(leftover)
    # Where results go there is room; the system's temporary folder may be small or in memory.
    with tempfile.TemporaryDirectory(dir=folder.root, prefix=SCRATCH) as scratch:
        run = PredictionRun(
            _build_inferencer(args, config, scratch),
            folder,
            with_sr=not args.no_sr,
            rules=rules,
            resume=args.resume,
            settings=_settings(args, config),
        )
        records, interrupted = _predict(run, photos, console)
    if records:
        shown = _shown_settings(args, run)
        found = _find_scales(sources, records, console)
        Report(
            folder,
            records,
            sources.number,
            args.blur_limit,
            shown,
            args.title,
            found.scales,
            found.missing,
        ).write()
    return _conclude(records, len(photos), interrupted, folder, console)


def _config(args: argparse.Namespace) -> Config | None:
    """The config of the model; None for a model file, which brings its own."""
    if args.config is not None:
        return load_config(args.config, args.cfg_options)
    if args.cfg_options:
        raise ValueError('--cfg-options changes a config, and none is given')
    args.weights = args.weights or DEFAULT
    return None


def _check_numbers(args: argparse.Namespace) -> None:
    if not args.blur_limit > 0:
        raise ValueError(f'--blur-limit must be positive, got {args.blur_limit}')


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


def _build_inferencer(args: argparse.Namespace, config: Config | None, scratch: str) -> CrackInferencer:
    options = dict(
        tile=args.tile,
        overlap=args.overlap,
        batch_size=args.batch_size,
        threshold=args.threshold,
        per_tile=args.per_tile,
        crack_class=args.crack_class,
        scratch_dir=scratch,
    )
    if config is None:
        return CrackInferencer.from_weights(args.weights, args.device, **options)
    if str(args.checkpoint).endswith('.onnx'):
        return CrackInferencer.from_onnx(args.checkpoint, args.device, **options)
    return CrackInferencer.from_config(config, args.checkpoint, args.device, args.trust_checkpoint, **options)


def _settings(args: argparse.Namespace, config: Config | None) -> dict:
    """What results depend on beside the inferencer's own settings."""
    if config is None:
        file = open_weights(args.weights)
        return dict(model=file.model, checkpoint=file.metadata['sha256'], crack_class=args.crack_class)
    return dict(
        model=config.model.to_dict(),
        checkpoint=describe_checkpoint(args.checkpoint),
        crack_class=args.crack_class,
    )


def _shown_settings(args: argparse.Namespace, run: PredictionRun) -> dict:
    inferencer = run.inferencer
    model = {'Weights': args.weights}
    if args.config is not None:
        model = {'Config': args.config, 'Checkpoint': args.checkpoint}
    estimate = 'once per photo' if inferencer.backend.shares and not inferencer.per_tile else 'for each tile'
    return {
        **model,
        'Threshold': inferencer.threshold,
        'Tile': f'{inferencer.tile} photo pixels, overlap {inferencer.overlap}',
        'Blur and normalisation': f'estimated {estimate}',
        'Enlargement': f'{inferencer.backend.scale} times',
        **run.rules.described(),
    }


def _predict(run: PredictionRun, photos: list[SourcePhoto], console: Console) -> tuple[list[Record], bool]:
    """Run all photos under a progress bar that counts pixels, so that the time left is that of the work."""
    pixels = {photo.path: _pixels(photo) for photo in photos}
    records: list[Record] = []
    progress = Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        TextColumn('{task.fields[done]} of {task.fields[photos]} photos,'),
        TimeRemainingColumn(),
        TextColumn('left'),
        console=console,
        speed_estimate_period=600,
    )
    with progress:
        total, finished = sum(pixels.values()), 0
        task = progress.add_task('', total=total, done=0, photos=len(photos))
        worked_on = set()

        def on_tile(photo: SourcePhoto, done: int, steps: int) -> None:
            worked_on.add(photo)
            part = pixels[photo.path] * done / steps
            progress.update(task, description=photo.name, completed=finished + part)

        try:
            for photo, record in zip(photos, run.run(photos, on_tile), strict=True):
                records.append(record)
                if photo in worked_on:
                    finished += pixels[photo.path]
                else:
                    # Done before, or unreadable: it says nothing about speed.
                    total -= pixels[photo.path]
                progress.update(task, completed=finished, total=total, done=len(records))
                if not console.is_terminal:
                    console.print(_line(record), markup=False, highlight=False, soft_wrap=True)
        except KeyboardInterrupt:
            return records, True
    return records, False


def _pixels(photo: SourcePhoto) -> int:
    size = photo_size(photo.path)
    return size[0] * size[1] if size else 1


def _line(record: Record) -> str:
    if record['status'] != 'ok':
        return f'{record["name"]}: failed'
    total = record['total']
    return f'{record["name"]}: {len(record["cracks"])} cracks, widest {total["max_width"]:.2f} px'


def _conclude(
    records: list[Record], count: int, interrupted: bool, folder: OutputFolder, console: Console
) -> int:
    failed = [record for record in records if record['status'] != 'ok']
    for record in failed:
        console.print(f'failed: {record["error"]}', style='yellow', markup=False, soft_wrap=True)
    done = len(records) - len(failed)
    text = f'{done} of {count} photos done, {len(failed)} failed; open {folder.root / "index.html"}'
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    if interrupted:
        console.print('interrupted; the same command with --resume goes on from here')
        return INTERRUPTED
    return FAILED_PHOTOS if failed else 0

"""Find cracks in photos: from files and folders to masks, measurements and a report."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile

from mmengine.config import Config, DictAction
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

import csbsr_mm  # noqa: F401  registers the components that configs name
from csbsr_mm.apis import CrackInferencer
from csbsr_mm.engine.config import load_config
from csbsr_mm.inspection.measurement import MIN_AREA
from csbsr_mm.inspection.photo_output import OutputFolder
from csbsr_mm.inspection.prediction_run import PredictionRun, Record, describe_checkpoint
from csbsr_mm.inspection.report import BLUR_LIMIT, Report
from csbsr_mm.photos.input_files import SourcePhoto, find_photos
from csbsr_mm.photos.reader import photo_size

EXIT_FAILED_PHOTOS = 1
EXIT_INTERRUPTED = 130
SCRATCH = '.scratch-'


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='Exit status: 0 all photos done, 1 some photos failed (they are listed), 2 wrong usage, '
        '130 interrupted (go on with --resume).',
    )
    parser.add_argument('config', help='config file of any MMSegmentation segmentor')
    parser.add_argument('checkpoint', help='its checkpoint, or a model exported by export_onnx.py (*.onnx)')
    parser.add_argument('inputs', nargs='+', metavar='INPUT', help='photos, folders or quoted patterns')
    parser.add_argument('--out-dir', required=True, help='folder for all results')
    model = parser.add_argument_group('prediction')
    model.add_argument('--tile', type=int, help='side of a tile in photo pixels (448 / scale)')
    model.add_argument('--overlap', type=int, help='pixels that tiles share (64 / scale)')
    model.add_argument('--batch-size', type=int, help='tiles at a time (1, or what an ONNX graph asks for)')
    model.add_argument('--threshold', type=float, help="probability of a crack pixel (the model's own)")
    model.add_argument('--device', help='cuda, cuda:1, cpu ... (the GPU if there is one)')
    model.add_argument(
        '--per-tile',
        action='store_true',
        help='estimate blur kernel and normalisation for each tile instead of once per photo',
    )
    model.add_argument('--crack-class', type=int, help='channel of the crack, for models with many classes')
    model.add_argument('--cfg-options', nargs='+', action=DictAction, help='override config: key=value ...')
    model.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='also load a checkpoint that could run code; only for files from people you trust',
    )
    output = parser.add_argument_group('results')
    output.add_argument('--no-sr', action='store_true', help='do not store SR images')
    output.add_argument('--resume', action='store_true', help='keep photos that are done already')
    output.add_argument('--mm-per-pixel', type=float, help='millimetres per photo pixel on the wall')
    output.add_argument(
        '--min-area', type=float, default=MIN_AREA, help=f'least area of a crack, photo pixels ({MIN_AREA:g})'
    )
    output.add_argument(
        '--blur-limit',
        type=float,
        default=BLUR_LIMIT,
        help=f'spread of the blur, in SR pixels, from which on a photo cannot be judged ({BLUR_LIMIT:g})',
    )
    output.add_argument('--title', default='Crack inspection', help='heading of the report')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Predict, measure, report; returns the exit status."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    console = Console()
    try:
        _check_numbers(args)
        config = load_config(args.config, args.cfg_options)
        folder = OutputFolder(args.out_dir)
        photos = find_photos(args.inputs, exclude=args.out_dir)
        if not photos:
            raise ValueError(f'no photos in {", ".join(args.inputs)}')
        for leftover in folder.root.glob(f'{SCRATCH}*'):
            shutil.rmtree(leftover)
        # Where results go there is room; the system's temporary folder may be small or in memory.
        with tempfile.TemporaryDirectory(dir=folder.root, prefix=SCRATCH) as scratch:
            run = PredictionRun(
                _build_inferencer(args, config, scratch),
                folder,
                with_sr=not args.no_sr,
                min_area=args.min_area,
                resume=args.resume,
                settings=_settings(args, config),
            )
            records, interrupted = _predict(run, photos, console)
    except (OSError, ImportError, ValueError, RuntimeError) as error:
        console.print(f'error: {error}', style='red', markup=False, highlight=False, soft_wrap=True)
        return 2
    if records:
        shown = _shown_settings(args, run)
        Report(folder, records, args.mm_per_pixel, args.blur_limit, shown, args.title).write()
    return _conclude(records, len(photos), interrupted, folder, console)


def _check_numbers(args: argparse.Namespace) -> None:
    for name in ('mm_per_pixel', 'blur_limit'):
        value = getattr(args, name)
        if value is not None and not value > 0:
            raise ValueError(f'--{name.replace("_", "-")} must be positive, got {value}')
    if args.min_area < 0:
        raise ValueError(f'--min-area must not be negative, got {args.min_area}')


def _build_inferencer(args: argparse.Namespace, config: Config, scratch: str) -> CrackInferencer:
    options = dict(
        tile=args.tile,
        overlap=args.overlap,
        batch_size=args.batch_size,
        threshold=args.threshold,
        per_tile=args.per_tile,
        crack_class=args.crack_class,
        scratch_dir=scratch,
    )
    if str(args.checkpoint).endswith('.onnx'):
        return CrackInferencer.from_onnx(args.checkpoint, args.device, **options)
    return CrackInferencer.from_config(config, args.checkpoint, args.device, args.trust_checkpoint, **options)


def _settings(args: argparse.Namespace, config: Config) -> dict:
    """What results depend on beside the inferencer's own settings."""
    return dict(
        model=config.model.to_dict(),
        checkpoint=describe_checkpoint(args.checkpoint),
        crack_class=args.crack_class,
    )


def _shown_settings(args: argparse.Namespace, run: PredictionRun) -> dict:
    inferencer = run.inferencer
    estimate = 'once per photo' if inferencer.backend.shares and not inferencer.per_tile else 'for each tile'
    return {
        'Config': args.config,
        'Checkpoint': args.checkpoint,
        'Threshold': inferencer.threshold,
        'Tile': f'{inferencer.tile} photo pixels, overlap {inferencer.overlap}',
        'Blur and normalisation': f'estimated {estimate}',
        'Enlargement': f'{inferencer.backend.scale} times',
        'Least crack area': f'{args.min_area:g} photo pixels',
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
        return EXIT_INTERRUPTED
    return EXIT_FAILED_PHOTOS if failed else 0


if __name__ == '__main__':
    sys.exit(main())

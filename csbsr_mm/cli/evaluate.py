"""Score masks or probability maps against the truth, whichever model made them.

Predictions and true masks are pictures of 8 or 16 bits or .npy arrays with the same names in two folders;
true masks are of 0 and 1 or 0 and 255. Predictions may be masks too: then every threshold gives one value.
With --against, further folders of predictions of the same images are compared with the first one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from csbsr_mm.metrics import CrackMetrics
    from csbsr_mm.scoring import Pair


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('predictions', type=Path, help='folder of masks or probability maps')
    parser.add_argument('truth', type=Path, help='folder of true masks')
    parser.add_argument(
        '--protocol',
        default='paper',
        help='what to report, separated by commas: paper, deepcrack, pooled, topology, alarms, calibration, '
        'all (paper)',
    )
    parser.add_argument(
        '--against', type=Path, nargs='+', default=[], metavar='FOLDER', help='of other models'
    )
    parser.add_argument('--names', nargs='+', metavar='NAME', help='of the models; their folders by default')
    parser.add_argument(
        '--threshold', type=float, action='append', help='report this one too; may be repeated'
    )
    parser.add_argument(
        '--validation',
        type=Path,
        nargs=2,
        metavar=('PREDICTIONS', 'MASKS'),
        help='choose a threshold by IoU on these images of the first model, and report it',
    )
    parser.add_argument('--percentile', type=float, default=95, help='of the Hausdorff distance (95)')
    parser.add_argument(
        '--empty',
        default='image_width',
        help='distance if exactly one mask is empty: image_width, inf, nan or a number (image_width)',
    )
    parser.add_argument(
        '--ignore-value', type=int, help='value of pixels of the true masks that do not count'
    )
    parser.add_argument(
        '--sources',
        metavar='FILE|prefix',
        help='report by source: a CSV with the columns image and source, or "prefix" for what comes before '
        'the first _, - or digit of a name',
    )
    parser.add_argument('--photos', type=Path, metavar='FOLDER', help='photos to show in the report')
    parser.add_argument(
        '--out', type=Path, metavar='FOLDER', help='write a report; a run cut off goes on there'
    )
    parser.add_argument(
        '--panels', type=int, default=500, help='images to draw in the report, worst first (500)'
    )
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the metrics, unrounded, to FILE')
    parser.add_argument('--csv', type=Path, metavar='FILE', help='write the values of each image to FILE')
    parser.add_argument('--workers', type=int, default=2, help='threads (2)')


def run(args: argparse.Namespace) -> None:
    """Measure, and print one metric a line, or a table for several models."""
    from csbsr_mm.scoring import match
    from csbsr_mm.scoring.comparison import differences
    from csbsr_mm.scoring.report import text_table, write_images, write_json

    names = _names(args)
    pairs = {
        name: match(folder, args.truth)
        for name, folder in zip(names, (args.predictions, *args.against), strict=True)
    }
    at, notes = _thresholds(args)
    models = {name: _score(args, files, at, name) for name, files in pairs.items()}
    figures = {name: metrics.compute() for name, metrics in models.items()}
    rows = {name: metrics.per_image() for name, metrics in models.items()}
    changes = {name: differences(rows[names[0]], rows[name]) for name in names[1:]}
    sources = _by_source(args, models)
    _print(figures, changes, len(pairs[names[0]]), sources, notes)
    content = {
        'protocol': args.protocol,
        'metrics': figures[names[0]] if len(names) == 1 else figures,
        'differences': changes or None,
        'sources': sources,
        'images': len(pairs[names[0]]),
        'thresholds': notes,
        'settings': models[names[0]].settings(),
    }
    if args.json:
        write_json(args.json, content)
    if args.csv:
        write_images(args.csv, models)
    if args.out:
        _report(args, pairs, models, content, text_table(figures, changes), at)


def _names(args: argparse.Namespace) -> list[str]:
    """Names of the models, each its own."""
    folders = [args.predictions, *args.against]
    names = args.names or [folder.name or str(folder) for folder in folders]
    if len(names) != len(folders) or len(set(names)) != len(names):
        raise ValueError(
            f'{len(folders)} models need a name each, none twice: give --names; got {", ".join(names)}'
        )
    return names


def _thresholds(args: argparse.Namespace) -> tuple[list[float], list[str]]:
    """Thresholds to report beside the best one, and a sentence on each kind."""
    at = list(args.threshold or [0.5])
    for threshold in at:
        if not 0 <= threshold < 1:
            raise ValueError(f'--threshold must be in [0, 1), got {threshold}')
    notes = ['max and min are at the threshold that is best on these images: nobody knows it beforehand.']
    notes.append(f'at_{", at_".join(f"{threshold:g}" for threshold in at)}: fixed.')
    if args.validation:
        from csbsr_mm.metrics import CrackMetrics
        from csbsr_mm.scoring import match, score_files

        metrics = CrackMetrics(measures=['overlap'])
        pairs = match(*args.validation)
        score_files(pairs, metrics, args.workers, args.ignore_value)
        chosen = metrics.compute()['IoU_max_threshold']
        at = list(dict.fromkeys([*at, chosen]))
        notes.append(f'at_{chosen:g}: best IoU on the {len(pairs)} images of {args.validation[0]}.')
    return at, notes


def _score(args: argparse.Namespace, pairs: list[Pair], at: list[float], name: str) -> CrackMetrics:
    """Measure one model."""
    from csbsr_mm.metrics import CrackMetrics
    from csbsr_mm.scoring import measures_of, score_files

    metrics = CrackMetrics(
        at=at,
        measures=measures_of(args.protocol.split(',')),
        percentile=args.percentile,
        empty=_number(args.empty),
    )
    cache = None if args.out is None else args.out / 'measured' / name
    score_files(pairs, metrics, args.workers, args.ignore_value, cache, _progress(name))
    return metrics


def _progress(name: str) -> Any:
    """A line that counts images, on a terminal only."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, number: int) -> None:
        sys.stderr.write(f'\r{name}: {done} of {number}' + ('\n' if done == number else ''))

    return show


def _by_source(args: argparse.Namespace, models: dict[str, CrackMetrics]) -> dict[str, Any] | None:
    """Means of each model by source."""
    if not args.sources:
        return None
    from csbsr_mm.scoring.comparison import by_source
    from csbsr_mm.scoring.sources import sources_of

    return {
        name: by_source(metrics, sources_of(metrics.names, args.sources)) for name, metrics in models.items()
    }


def _print(
    figures: dict[str, Any],
    changes: dict[str, Any],
    images: int,
    sources: dict[str, Any] | None,
    notes: list[str],
) -> None:
    from csbsr_mm.scoring.report import shown, text_table

    if len(figures) == 1:
        for name, value in next(iter(figures.values())).items():
            sys.stdout.write(f'{name:<20} {shown(value)}\n')
        sys.stdout.write(f'{"images":<20} {images}\n')
    else:
        sys.stdout.write(text_table(figures, changes) + f'\n{images} images\n')
        sys.stdout.write('\n'.join(notes) + '\n')
    for model, found in (sources or {}).items():
        sys.stdout.write(f'\nby source, {model}\n{text_table(found, {})}\n')


def _report(
    args: argparse.Namespace,
    pairs: dict[str, list[Pair]],
    models: dict[str, CrackMetrics],
    content: dict[str, Any],
    text: str,
    at: list[float],
) -> None:
    """Write the folder of the report."""
    from csbsr_mm._extras import need
    from csbsr_mm.scoring.page import worst_first, write_page, write_panel
    from csbsr_mm.scoring.report import write_curves, write_images, write_json

    need('The pictures of the report', 'PIL')
    write_json(args.out / 'metrics.json', content)
    write_images(args.out / 'images.csv', models)
    write_curves(args.out / 'curves.csv', models)
    photos = {} if args.photos is None else _photos(args.photos)
    panels = {}
    for index in worst_first(next(iter(models.values())))[: args.panels]:
        own = [files[index] for files in pairs.values()]
        target = args.out / 'panels' / f'{own[0].name}.png'
        write_panel(target, own, at[-1], args.ignore_value, photos.get(own[0].name))
        panels[own[0].name] = f'panels/{own[0].name}.png'
    notes = [*content['thresholds'], f'Pictures: photo, truth, then prediction and errors at {at[-1]:g}.']
    write_page(args.out / 'index.html', f'Evaluation on {args.truth}', models, text, notes, panels)
    sys.stdout.write(f'report: {args.out / "index.html"}\n')


def _photos(folder: Path) -> dict[str, Path]:
    from csbsr_mm.scoring.files import files_by_name

    return files_by_name(folder)


def _number(text: str) -> str | float:
    try:
        return float(text) if text not in ('inf', 'nan') else text
    except ValueError:
        return text

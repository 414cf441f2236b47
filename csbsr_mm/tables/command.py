"""Carry out a table of the paper and print it beside the paper's: what ``csbsr table`` does."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from csbsr_mm.visualization.threshold_curves import draw_threshold_curves, mean_curves, read_curves

from .paper import TABLES, Row, Run, published
from .report import Figures, as_markdown, paired_lines, result_lines, show
from .runner import RunFailed, TableRunner


def run_table(args: argparse.Namespace) -> int:
    """Run what is missing of a table and print it: ``csbsr table``.

    Args:
        args: As :mod:`csbsr_mm.cli.table` reads them.

    Returns:
        0, 1 if a run failed, 130 if the user interrupted.

    Raises:
        ValueError: There is no such table, row, run or checkpoint.
    """
    if args.table not in TABLES:
        raise ValueError(f'there is no table {args.table!r}; there are {", ".join(TABLES)}')
    rows = chosen_rows(args.table, args.scale, args.rows, args.against)
    variants = [*(['as_released'] if args.as_released else [])]
    variants += [args.class_weight] if args.class_weight != 'released' else []
    rows = [row.varied(variants) for row in rows]
    if args.list:
        sys.stdout.write(listing(rows, args.scale))
        return 0
    given = given_checkpoints(args.given, rows, args.scale)
    figures = paper_figures(args.table, args.scale, args.as_released)
    runner = TableRunner(args.work_dir / args.scale, args.gpus, args.data_root, given, args.trust_checkpoint)
    status = 0
    if not args.collect:
        with _ending_the_training():
            status = carry_out(runner, [row.run(args.scale) for row in rows], args.seeds)
    report(runner, args, rows, figures)
    return status


def paper_figures(table: str, scale: str, released: bool) -> Figures:
    """What the paper reports and can be compared with: figures of its own scale only.

    The released code measures the Hausdorff distance at 50 % where the paper says 95 %; beside rows run
    as released, the paper's distances stand in the columns of 50 %.
    """
    if scale != 'full':
        return {}
    figures = published(table)
    if not released:
        return figures
    at_50 = {'HD95_min': 'HD50_min', 'AHD95': 'AHD50'}
    return {key: {at_50.get(name, name): cell for name, cell in row.items()} for key, row in figures.items()}


@contextmanager
def _ending_the_training() -> Iterator[None]:
    """Ended from outside, end the training too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def chosen_rows(table: str, scale: str, keys: list[str] | None, against: str | None) -> list[Row]:
    """Rows of a table that the scale has, or those that were named."""
    there = {row.key: row for row in TABLES[table].rows if row.run(scale) is not None}
    for key in [*(keys or []), *([against] if against else [])]:
        if key not in there:
            raise ValueError(f'{table} has no row {key!r} at the {scale} scale; it has {", ".join(there)}')
    return [row for row in there.values() if keys is None or row.key in (*keys, against)]


def given_checkpoints(pairs: list[str], rows: list[Row], scale: str) -> dict[str, Path]:
    """Checkpoints of ``--given`` by the name of the run that they stand for."""
    starts = {run.name for run in with_starts([row.run(scale) for row in rows])} - {
        row.run(scale).name for row in rows
    }
    given = {}
    for pair in pairs:
        name, _, file = pair.partition('=')
        if name not in starts:
            raise ValueError(f'--given {pair}: no row starts from {name!r}; they start from {sorted(starts)}')
        if not Path(file).is_file():
            raise ValueError(f'--given {pair}: checkpoint {file!r} does not exist')
        given[name] = Path(file)
    return given


def with_starts(runs: list[Run]) -> list[Run]:
    """Runs and what they start from, each once, in an order in which they can be trained."""
    ordered: dict[str, Run] = {}
    for run in runs:
        for needed in [*with_starts([run.start] if run.start else []), run]:
            ordered.setdefault(needed.name, needed)
    return list(ordered.values())


def carry_out(runner: TableRunner, runs: list[Run], seeds: list[int]) -> int:
    """Train and test runs, seed by seed; returns the exit status."""
    tested = {run.name for run in runs}
    work = [(run, seed) for seed in seeds for run in with_starts(runs)]
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        try:
            for number, (run, seed) in enumerate(work, 1):
                task = progress.add_task(f'{number} of {len(work)}: {run.name}, seed {seed}', total=None)

                def advance(done: int, total: int, task=task) -> None:
                    progress.update(task, completed=done, total=total)

                runner.train(run, seed, advance)
                if run.name in tested:
                    runner.test(run, seed, advance)
                progress.update(task, completed=1, total=1)
        except KeyboardInterrupt:
            sys.stderr.write('interrupted; the same command goes on here\n')
            return 130
        except (RunFailed, FileNotFoundError, ValueError) as error:
            sys.stderr.write(f'error: {error}\n')
            return 1
    return 0


def report(runner: TableRunner, args: argparse.Namespace, rows: list[Row], figures: Figures) -> None:
    """Print what is finished, and write it beside the runs."""
    finished = {
        row.key: [seed for seed in args.seeds if runner.is_tested(row.run(args.scale), seed)] for row in rows
    }
    table = TABLES[args.table]
    results = {
        row.key: [runner.metrics(row.run(args.scale), seed) for seed in finished[row.key]] for row in rows
    }
    if not any(results.values()):
        sys.stderr.write(f'nothing of {args.table} is finished in {runner.root}\n')
        return
    tables = {table.title: result_lines(table, results, figures)}
    if args.against and finished[args.against]:
        folders = {
            row.key: {seed: runner.folder(row.run(args.scale), seed) for seed in finished[row.key]}
            for row in rows
        }
        label = next(row.label for row in rows if row.key == args.against)
        tables[f'Difference to: {label}'] = paired_lines(rows, folders, args.against)
    for title, lines in tables.items():
        show(lines, title)
    suffix = ''.join(f'+{name}' for name in rows[0].run(args.scale).variants)
    target = runner.root / f'{args.table}{suffix}'
    labels = {
        row.label: [runner.folder(row.run(args.scale), seed) for seed in finished[row.key]] for row in rows
    }
    draw_curves(labels, target.with_name(f'{target.name}_curves.png'))
    text = '\n\n'.join(f'{title}\n\n{as_markdown(lines)}' for title, lines in tables.items())
    target.with_name(f'{target.name}.md').write_text(text + '\n', encoding='utf-8')
    by_seed = {
        key: dict(zip(finished[key], metrics, strict=True)) for key, metrics in results.items() if metrics
    }
    target.with_name(f'{target.name}.json').write_text(json.dumps(by_seed, indent=1) + '\n', encoding='utf-8')


def draw_curves(folders: dict[str, list[Path]], picture: Path) -> None:
    """Draw the rows' curves over thresholds, the mean over seeds, as in Figs. 6, 7, 12 and 13.

    Args:
        folders: Folders of each row's seeds, by the row's label.
        picture: File to write; nothing is written if no row has curves.
    """
    runs = {}
    for label, seeds in folders.items():
        curves = [read_curves(folder / 'curves') for folder in seeds if (folder / 'curves').is_dir()]
        if any(curves):
            runs[label] = mean_curves([found for found in curves if found])
    if runs:
        shown = [name for name in ('IoU', 'HD95') if any(name in curves for curves in runs.values())]
        draw_threshold_curves(runs, shown).savefig(picture, dpi=150)
        sys.stdout.write(f'{picture}\n')


def listing(rows: list[Row], scale: str) -> str:
    """What each row trains, as arguments of ``csbsr train``."""
    lines = []
    for row in rows:
        run = row.run(scale)
        options = [f'{key}={value}' for key, value in run.options.items()]
        options += [f'load_from=<{run.start.name}>'] if run.start else []
        variants = f' ({", ".join(run.variants)})' if run.variants else ''
        lines += [f'{row.key}: {row.label}', f'    configs/csbsr/{run.config}{variants}']
        lines += [f'    --cfg-options {" ".join(options)}'] if options else []
    return '\n'.join(lines) + '\n'

"""Run a table of the paper: train and test its rows, and print the result beside the paper's.

python tools/analysis_tools/run_table.py table4 --scale mini --seeds 0 1 2
python tools/analysis_tools/run_table.py table2 --gpus 6 --given pretrain-kbpn_div2k_flickr2k=kbpn.pth
python tools/analysis_tools/run_table.py table3 --list

Stop it whenever you like: the same command goes on where it was, and repeats nothing that is finished.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from paper_tables import PUBLISHED, TABLES, Row, Run, published
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from table_report import Figures, as_markdown, paired_lines, result_lines, show
from table_runner import RunFailed, TableRunner

from csbsr_mm.engine.checkpoint import TRUST_HELP

SCALES = ('full', 'mini')


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('table', choices=TABLES)
    parser.add_argument(
        '--scale', choices=SCALES, default='full', help="the paper's (full), or minutes on a CPU"
    )
    parser.add_argument('--rows', nargs='+', metavar='KEY', help='these rows only; --list shows their keys')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0], help='repeat every row with these seeds')
    parser.add_argument('--against', metavar='KEY', help='compare with this row, image by image')
    parser.add_argument('--gpus', type=int, default=1, help='GPUs of a training (1)')
    parser.add_argument('--data-root', metavar='DIR', help="crack photos, in place of the configs' data_root")
    parser.add_argument(
        '--given',
        nargs='+',
        default=[],
        metavar='RUN=FILE',
        help='take this checkpoint in place of a run that others start from',
    )
    parser.add_argument('--trust-checkpoint', action='store_true', help=TRUST_HELP)
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/tables'), help='folder of all runs')
    parser.add_argument('--list', action='store_true', help='show the rows and what each runs; run nothing')
    parser.add_argument('--collect', action='store_true', help='print what is finished; run nothing')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run what is missing and print the table; returns the exit status."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    try:
        rows = chosen_rows(args.table, args.scale, args.rows, args.against)
        if args.list:
            sys.stdout.write(listing(rows, args.scale))
            return 0
        given = given_checkpoints(args.given, rows, args.scale)
        figures = published(args.table)
        runner = TableRunner(
            args.work_dir / args.scale, args.gpus, args.data_root, given, args.trust_checkpoint
        )
    except ValueError as error:
        sys.stderr.write(f'error: {error}\n')
        return 2
    status = 0
    if not args.collect:
        status = carry_out(runner, [row.run(args.scale) for row in rows], args.seeds)
    report(runner, args, rows, figures)
    return status


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
    if not figures:
        Console().print(f"The paper's figures are not filled in: {PUBLISHED / args.table}.csv", style='dim')
    target = runner.root / args.table
    text = '\n\n'.join(f'{title}\n\n{as_markdown(lines)}' for title, lines in tables.items())
    target.with_suffix('.md').write_text(text + '\n')
    by_seed = {
        key: dict(zip(finished[key], metrics, strict=True)) for key, metrics in results.items() if metrics
    }
    target.with_suffix('.json').write_text(json.dumps(by_seed, indent=1) + '\n')


def listing(rows: list[Row], scale: str) -> str:
    """What each row trains, as arguments of tools/train.py."""
    lines = []
    for row in rows:
        run = row.run(scale)
        options = [f'{key}={value}' for key, value in run.options.items()]
        options += [f'load_from=<{run.start.name}>'] if run.start else []
        lines += [f'{row.key}: {row.label}', f'    configs/csbsr/{run.config}']
        lines += [f'    --cfg-options {" ".join(options)}'] if options else []
    return '\n'.join(lines) + '\n'


if __name__ == '__main__':
    # Ended from outside, end the training too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())

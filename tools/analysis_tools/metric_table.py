"""Print the metrics of several runs side by side, from the JSON files that ``tools/test.py --json`` wrote.

python tools/analysis_tools/metric_table.py csbsr=work_dirs/a/metrics.json bicubic=work_dirs/b/metrics.json
"""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

import csbsr_mm  # noqa: F401
from csbsr_mm.evaluation.report import METRICS


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('runs', nargs='+', metavar='[NAME=]FILE', help='JSON of tools/test.py')
    parser.add_argument('--title', default='', help='heading of the table')
    parser.add_argument('--markdown', action='store_true', help='print a Markdown table')
    return parser.parse_args()


def read_run(argument: str) -> tuple[str, dict[str, float]]:
    """Name and metrics of one ``NAME=FILE``; without a name, that of the file's folder."""
    name, separator, path = argument.rpartition('=')
    file = Path(path)
    try:
        metrics = json.loads(file.read_text(encoding='utf-8'))['metrics']
    except (OSError, json.JSONDecodeError, KeyError) as error:
        sys.exit(f'error: {file} is no JSON file of tools/test.py --json ({type(error).__name__}: {error})')
    return (name if separator else file.parent.name), metrics


def rows(runs: dict[str, dict[str, float]]) -> list[list[str]]:
    """One row per metric that some run has: name with its direction, then a value per run."""
    table = []
    for metric, (mark, _) in METRICS.items():
        values = [metrics.get(metric) for metrics in runs.values()]
        if any(value is not None for value in values):
            table.append([f'{metric} {mark}', *map(_show, values)])
    return table


def _show(value: float | str | None) -> str:
    if value is None:
        return '-'
    return f'{value:.4f}' if isinstance(value, float) else str(value)


def main() -> None:
    """Print the table."""
    args = parse_args()
    runs = dict(read_run(argument) for argument in args.runs)
    header = ['', *runs]
    if args.markdown:
        lines = [header, ['---', *['---:'] * len(runs)], *rows(runs)]
        Console(soft_wrap=True).print('\n'.join('| ' + ' | '.join(line) + ' |' for line in lines))
        return
    table = Table(title=args.title or None)
    table.add_column(header[0])
    for name in header[1:]:
        table.add_column(name, justify='right')
    for row in rows(runs):
        table.add_row(*row)
    Console().print(table)


if __name__ == '__main__':
    main()

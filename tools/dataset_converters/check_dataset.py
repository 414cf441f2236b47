"""Health report of a crack data set: DATA/{train,test}/{images,masks}.

Reads every file. Exits with 1 if a photo cannot be used or stands in both splits.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from csbsr_mm.datasets.preparation.health import SplitHealth, copies, inspect_split
from csbsr_mm.datasets.transforms import BinarizeMask

SHOWN = 20


def summary_table(splits: list[SplitHealth]) -> Table:
    """Numbers of each split side by side."""
    table = Table('', *[split.name for split in splits], title='Crack data set')
    shares = [split.crack_shares() for split in splits]
    cracked = [share[share > 0] for share in shares]
    rows = {
        'photos': [str(len(split.pairs)) for split in splits],
        'cannot be used': [str(len(split.problems)) for split in splits],
        'without a crack': [f'{(share == 0).sum()} ({_mean(share == 0):.1%})' for share in shares],
        'crack pixels': [f'{_mean(share):.2%}' for share in shares],
        '... where cracked, 5 % to 95 %': [_range(share) for share in cracked],
        'sizes (height x width)': [_counts(split.sizes(), '{0[0]}x{0[1]}') for split in splits],
        'by name': [_counts(split.sources(), '{0}') for split in splits],
    }
    for title, cells in rows.items():
        table.add_row(title, *cells)
    return table


def _mean(values) -> float:
    return float(values.mean()) if len(values) else 0.0


def _range(shares) -> str:
    if not len(shares):
        return '-'
    low, high = sorted(shares)[int(0.05 * len(shares))], sorted(shares)[int(0.95 * (len(shares) - 1))]
    return f'{low:.2%} .. {high:.2%}'


def _counts(counter, form: str) -> str:
    most = [f'{form.format(key)}: {count}' for key, count in counter.most_common(SHOWN)]
    return '\n'.join(most + (['...'] if len(counter) > SHOWN else []))


def main(argv: list[str]) -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument('data_root', type=Path)
    parser.add_argument('--splits', nargs='+', default=['train', 'test'])
    parser.add_argument('--threshold', type=int, default=127, help='grey value above which a pixel is crack')
    parser.add_argument('--workers', type=int, help='processes; None: as many as cores')
    args = parser.parse_args(argv)
    try:
        binarize = BinarizeMask(threshold=args.threshold)
        splits = [inspect_split(args.data_root, name, binarize, args.workers) for name in args.splits]
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    console = Console()
    console.print(summary_table(splits))
    problems = [f'{split.name}/{p.name}: {p.problem}' for split in splits for p in split.problems]
    groups = [' = '.join(names) for names in copies(splits)]
    leaks = [names for names in copies(splits) if len({name.split('/')[0] for name in names}) > 1]
    for title, lines in (('Problems', problems), ('Equal files', groups)):
        if lines:
            console.print(f'{title} ({len(lines)}):', *lines[:SHOWN], sep='\n  ', markup=False)
    console.print('Healthy.' if not problems and not leaks else 'Not healthy: see above.')
    sys.exit(1 if problems or leaks else 0)


if __name__ == '__main__':
    main(sys.argv[1:])

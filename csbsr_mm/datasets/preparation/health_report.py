"""Print the health of a crack data set: its content, unusable files and duplicates."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from csbsr_mm.datasets.image_files import source_of
from csbsr_mm.datasets.transforms import BinarizeMask

from .health import SplitHealth, copies, inspect_split, listing_problems, look_alikes

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


def source_table(splits: Sequence[SplitHealth]) -> Table:
    """What each constituent of a collected set, told by the file name's prefix, is like."""
    table = Table('source', title='By constituent')
    for title in ('photos', 'cannot be used', 'without a crack', 'crack pixels where cracked'):
        table.add_column(title, justify='right')
    pairs = [pair for split in splits for pair in split.pairs]
    for source, _ in Counter(source_of(pair.name) for pair in pairs).most_common():
        own = [pair for pair in pairs if source_of(pair.name) == source]
        shares = np.array([pair.crack_share for pair in own if not pair.problem])
        cells = [len(own), sum(pair.problem is not None for pair in own), int((shares == 0).sum())]
        table.add_row(source, *map(str, cells), f'{_mean(shares[shares > 0]):.2%}')
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


def report_health(
    data_root: Path, splits: Sequence[str], threshold: int = 127, workers: int | None = None
) -> bool:
    """Read a whole data set and print what is in it.

    Args:
        data_root: Folder of the data set.
        splits: Its parts, such as ``['train', 'test']``.
        threshold: Grey value of a mask above which a pixel is crack.
        workers: Processes; as many as cores if None.

    Returns:
        Whether every photo can be used, no photo is in two splits (under any name), and every mask and every
        entry of a list belongs to one photo.

    Raises:
        OSError: A folder is missing.
        ValueError: ``threshold`` is out of range.
    """
    binarize = BinarizeMask(threshold=threshold)
    inspected = [inspect_split(data_root, name, binarize, workers) for name in splits]
    console = Console()
    console.print(summary_table(inspected))
    console.print(source_table(inspected))
    problems = [f'{split.name}/{p.name}: {p.problem}' for split in inspected for p in split.problems]
    problems += [
        f'{split.name}/{mask}: mask without a photo' for split in inspected for mask in split.lone_masks
    ]
    problems += listing_problems(data_root)
    same = look_alikes(inspected)
    groups = [' = '.join(names) for names in copies(inspected)]
    leaks = [names for names in copies(inspected) if len({name.split('/')[0] for name in names}) > 1]
    leaks += [names for names in same if len({name.split('/')[0] for name in names}) > 1]
    similar = [' ~ '.join(names) for names in same]
    for title, lines in (
        ('Problems', problems),
        ('Equal files', groups),
        ('Photos that look the same', similar),
    ):
        if lines:
            console.print(f'{title} ({len(lines)}):', *lines[:SHOWN], sep='\n  ', markup=False)
    healthy = not problems and not leaks
    console.print('Healthy.' if healthy else 'Not healthy: see above.')
    return healthy

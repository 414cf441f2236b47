"""Which source an image comes from."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path


def sources_of(names: Sequence[str], rule: str) -> list[str]:
    """Source of each image.

    Args:
        names: Names of the images without the suffix.
        rule: ``'prefix'`` for what comes before the first ``_``, ``-`` or digit of a name, or a CSV file with
            the columns ``image`` (with or without suffix) and ``source``.

    Raises:
        ValueError: The file lacks a column or an image.

    Example:
        >>> sources_of(['CFD_001', 'DeepCrack-7', 'noncrack12'], 'prefix')
        ['CFD', 'DeepCrack', 'noncrack']
    """
    if rule == 'prefix':
        return [re.split(r'[_\-\d]', name, maxsplit=1)[0] or name for name in names]
    with Path(rule).open(newline='', encoding='utf-8') as file:
        reader = csv.DictReader(file)
        if not {'image', 'source'} <= set(reader.fieldnames or ()):
            raise ValueError(f'{rule} needs the columns image and source, it has {reader.fieldnames}')
        known = {}
        for row in reader:
            known[row['image']] = known[Path(row['image']).stem] = row['source']
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(f'{rule} lacks {len(missing)} of {len(names)} images: {", ".join(missing[:3])}')
    return [known[name] for name in names]

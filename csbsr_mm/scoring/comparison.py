"""Several models on the same images: figures, differences with intervals, sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from csbsr_mm.metrics import Accumulator
from csbsr_mm.metrics.paired_difference import PairedDifference, paired_difference


def differences(
    first: Sequence[Mapping[str, float]], other: Sequence[Mapping[str, float]], confidence: float = 0.95
) -> dict[str, PairedDifference]:
    """Paired differences of what two models measure on the same images.

    Images in which either has no value, such as false alarms where there is a crack, do not count.

    Args:
        first: Values of each image by name, from :meth:`csbsr_mm.metrics.Accumulator.per_image`.
        other: The same of the other model, on the same images in the same order.
        confidence: Of the interval, in (0, 1).

    Returns:
        By name, for each value that both have in two images at least.

    Raises:
        ValueError: The numbers of images differ.

    Example:
        >>> first = [{'IoU': v} for v in (0.4, 0.5, 0.6, 0.9)]
        >>> other = [{'IoU': v} for v in (0.3, 0.5, 0.4, 0.5)]
        >>> found = differences(first, other)['IoU']
        >>> round(found.mean, 3), found.low < 0.175 < found.high
        (0.175, True)
    """
    if len(first) != len(other):
        raise ValueError(f'both models need the same images, got {len(first)} and {len(other)}')
    found = {}
    for name in first[0] if first else ():
        pairs = [(a[name], b[name]) for a, b in zip(first, other, strict=True) if name in b]
        known = np.array([pair for pair in pairs if np.isfinite(pair).all()])
        if len(known) >= 2:
            found[name] = paired_difference(*known.T, confidence=confidence)
    return found


def by_source(metrics: Accumulator, sources: Sequence[str]) -> dict[str, dict[str, float]]:
    """Means over the images of each source, at the thresholds of the whole set.

    Args:
        metrics: Filled accumulator.
        sources: Source of each image, in their order.

    Returns:
        ``{source: {'images': count, name: mean}}``, the source with most images first.
    """
    rows = metrics.per_image()
    found = {}
    for source in sorted(set(sources), key=lambda name: (-sources.count(name), name)):
        chosen = [row for row, own in zip(rows, sources, strict=True) if own == source]
        means: dict[str, float] = {'images': len(chosen)}
        for name in chosen[0]:
            known = [row[name] for row in chosen if np.isfinite(row[name])]
            means[name] = float(np.mean(known)) if known else np.nan
        found[source] = means
    return found

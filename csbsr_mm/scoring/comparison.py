"""Several models on the same images: figures, differences with intervals, sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from csbsr_mm.metrics import Accumulator

RESAMPLES = 9999


class Difference(NamedTuple):
    """How a figure that is a mean over images differs between two models.

    Attributes:
        mean: First model minus the other.
        low: Lower end of the interval; NaN if no interval can be had.
        high: Its upper end.
        images: Number of images in which both have a value.
    """

    mean: float
    low: float
    high: float
    images: int


def differences(
    first: Sequence[Mapping[str, float]], other: Sequence[Mapping[str, float]], confidence: float = 0.95
) -> dict[str, Difference]:
    """Paired differences of what two models measure on the same images.

    The interval is the bootstrap over images, bias-corrected and accelerated: what other images of the same
    kind would change, not what another training would.

    Args:
        first: Values of each image by name, from :meth:`csbsr_mm.metrics.Accumulator.per_image`.
        other: The same of the other model, on the same images in the same order.
        confidence: Of the interval, in (0, 1).

    Returns:
        By name, for each value that both have.

    Raises:
        ValueError: The numbers of images differ.

    Example:
        >>> first = [{'IoU': v} for v in (0.4, 0.5, 0.6, 0.9)]
        >>> other = [{'IoU': v} for v in (0.3, 0.5, 0.4, 0.5)]
        >>> found = differences(first, other)['IoU']
        >>> round(found.mean, 3), found.low < 0.175 < found.high, found.images
        (0.175, True, 4)
    """
    if len(first) != len(other):
        raise ValueError(f'both models need the same images, got {len(first)} and {len(other)}')
    names = [name for name in (first[0] if first else {}) if name in other[0]]
    return {
        name: _difference(np.array([a[name] - b[name] for a, b in zip(first, other, strict=True)]), confidence)
        for name in names
    }


def _difference(values: np.ndarray, confidence: float) -> Difference:
    from scipy.stats import bootstrap

    known = values[np.isfinite(values)]
    if not len(known):
        return Difference(np.nan, np.nan, np.nan, 0)
    mean = float(known.mean())
    if len(known) < 2:
        return Difference(mean, np.nan, np.nan, len(known))
    if np.ptp(known) == 0:
        return Difference(mean, mean, mean, len(known))
    interval = bootstrap(
        (known,), np.mean, confidence_level=confidence, n_resamples=RESAMPLES, batch=500,
        method='BCa', rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    return Difference(mean, float(interval.low), float(interval.high), len(known))


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

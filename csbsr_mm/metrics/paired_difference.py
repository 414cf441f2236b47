"""Two runs on the same images, compared image by image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class PairedDifference(NamedTuple):
    """How a quantity differs between two runs on the same images.

    Attributes:
        mean: Mean difference over images and seeds.
        low: Lower end of the mean's confidence interval.
        high: Its upper end.
        larger: Share of the images on which the first run has the larger value; ties count half.
        by_seed: Mean difference of each seed.
    """

    mean: float
    low: float
    high: float
    larger: float
    by_seed: tuple[float, ...]


def paired_difference(
    values: ArrayLike, reference: ArrayLike, confidence: float = 0.95, resamples: int = 9999
) -> PairedDifference:
    """Compare two runs, or two groups of runs with the same seeds, on the same images.

    The interval is the percentile bootstrap over images: it says what other photos of the same kind would
    change. What another training would change is seen in ``by_seed``.

    Args:
        values: (S, N) values of N images in S seeds, or (N,).
        reference: The same of what to compare with.
        confidence: Of the interval, in (0, 1).
        resamples: Bootstrap samples of the N images; they are the same in every call.

    Raises:
        ValueError: If the shapes differ, there are fewer than two images, or a value is not finite.

    Example:
        >>> difference = paired_difference([0.4, 0.5, 0.6, 0.9], [0.3, 0.5, 0.4, 0.5])
        >>> round(difference.mean, 3), difference.larger
        (0.175, 0.875)
        >>> difference.low < 0.175 < difference.high
        True
    """
    ours, theirs = np.atleast_2d(np.asarray(values, float)), np.atleast_2d(np.asarray(reference, float))
    if ours.shape != theirs.shape or ours.ndim != 2 or ours.shape[1] < 2:
        raise ValueError(
            f'values and reference must both be (seeds, images) with at least two images, got '
            f'{ours.shape} and {theirs.shape}'
        )
    difference = ours - theirs
    if not np.isfinite(difference).all():
        image = int(np.argwhere(~np.isfinite(difference))[0, 1])
        raise ValueError(f'the difference is not finite in image {image}; leave such images out of both')
    of_image = difference.mean(0)
    low, high = np.quantile(
        _bootstrap_means(of_image, resamples), [0.5 - confidence / 2, 0.5 + confidence / 2]
    )
    return PairedDifference(
        mean=float(of_image.mean()),
        low=float(low),
        high=float(high),
        larger=float(np.mean((of_image > 0) + 0.5 * (of_image == 0))),
        by_seed=tuple(float(mean) for mean in difference.mean(1)),
    )


def _bootstrap_means(values: NDArray, resamples: int) -> NDArray:
    """Means of samples drawn from the values with replacement, one sample after another for little memory."""
    rng = np.random.default_rng(0)
    return np.array([values[rng.integers(len(values), size=len(values))].mean() for _ in range(resamples)])

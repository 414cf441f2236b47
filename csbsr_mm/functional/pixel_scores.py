"""Pixels of a binary segmentation as a classification: counts at a threshold, area under the ROC curve.

Accuracy, sensitivity and specificity follow from the four counts. The ROC curve needs the order of all
probabilities; it is kept as histograms over the log-odds, fine enough that images can be added up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINS = 8192
# Log-odds beyond which probabilities share a bin: 1e-9 from 0 and from 1.
LARGEST = 20.0


def confusion(
    prob: NDArray, target: NDArray, threshold: float = 0.5, ignore: NDArray | None = None
) -> NDArray[np.int64]:
    """True positives, false positives, false negatives and true negatives.

    Args:
        prob: (H, W) foreground probability.
        target: (H, W) bool, true on foreground.
        threshold: Probability above which a pixel is foreground.
        ignore: (H, W) bool, true on pixels that do not count, or None.

    Example:
        >>> confusion(np.array([0.2, 0.7, 0.9]), np.array([True, False, True])).tolist()
        [1, 1, 1, 0]
    """
    found, target = _known(prob, target, ignore)
    found = found > threshold
    pairs = ((found & target), (found & ~target), (~found & target), (~found & ~target))
    return np.array([pair.sum() for pair in pairs], np.int64)


def score_histograms(prob: NDArray, target: NDArray, ignore: NDArray | None = None) -> NDArray[np.int64]:
    """How many background and foreground pixels have which probability.

    Args:
        prob: (H, W) foreground probability in [0, 1].
        target: (H, W) bool, true on foreground.
        ignore: (H, W) bool, true on pixels that do not count, or None.

    Returns:
        (2, BINS): counts of background and of foreground pixels over the log-odds.
    """
    found, target = _known(prob, target, ignore)
    found = found.astype(np.float64)
    with np.errstate(divide='ignore'):
        odds = np.clip(np.log(found) - np.log1p(-found), -LARGEST, LARGEST)
    bins = np.minimum(((odds + LARGEST) / (2 * LARGEST) * BINS).astype(np.int64), BINS - 1)
    return np.stack([np.bincount(bins[~target], minlength=BINS), np.bincount(bins[target], minlength=BINS)])


def area_under_curve(histograms: NDArray[np.int64]) -> float:
    """Area under the ROC curve.

    It is the probability that a foreground pixel scores higher than a background pixel; pixels of one bin
    count half.

    Args:
        histograms: (2, BINS) of :func:`score_histograms`, or the sum of several.

    Returns:
        The area; NaN without foreground or without background.

    Example:
        >>> prob, target = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
        >>> area_under_curve(score_histograms(prob, target))
        0.75
    """
    background, foreground = (counts.astype(np.float64) for counts in histograms)
    pairs = background.sum() * foreground.sum()
    if not pairs:
        return float('nan')
    below = np.cumsum(background) - background
    return float((foreground * (below + background / 2)).sum() / pairs)


def _known(prob: NDArray, target: NDArray, ignore: NDArray | None) -> tuple[NDArray, NDArray]:
    if prob.shape != target.shape:
        raise ValueError(f'prob and target must have one shape, got {prob.shape} and {target.shape}')
    target = np.asarray(target, bool)
    if ignore is None:
        return prob.ravel(), target.ravel()
    return prob[~ignore], target[~ignore]

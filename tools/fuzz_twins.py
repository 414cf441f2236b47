"""The measures by brute force, for ``fuzz.py``: one threshold at a time, all pairs of pixels, no bounds.

Nothing of csbsr_mm is used, so that a mistake there is not repeated here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SLACK = 1e-9  # a length may be a sum in another order


def least_distances(points: NDArray, others: NDArray) -> NDArray[np.float64]:
    """(N,) distance of each point (N, 2) to the nearest of the others (M, 2); infinite without any."""
    if not len(others):
        return np.full(len(points), np.inf)
    return np.sqrt(((points[:, None] - others[None]) ** 2).sum(-1)).min(1)


def count_near(mask: NDArray[np.bool_], other: NDArray[np.bool_], tolerance: float) -> int:
    """Pixels of a mask that have a pixel of the other within a tolerance."""
    return int((least_distances(np.argwhere(mask), np.argwhere(other)) <= tolerance + SLACK).sum())


def contour(mask: NDArray[np.bool_]) -> tuple[NDArray, NDArray[np.float64]]:
    """Places (N, 2) where 2x2 pixels meet that are not all alike, and the lengths of contour (N,) there."""
    padded = np.pad(mask, 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2, 2))
    set_pixels = windows.sum((2, 3))
    length = np.select([set_pixels == 2, (set_pixels == 1) | (set_pixels == 3)], [1.0, np.sqrt(0.5)], 0.0)
    diagonal = (set_pixels == 2) & (windows[..., 0, 0] == windows[..., 1, 1])
    length[diagonal] = np.sqrt(2)
    places = np.argwhere(length > 0)
    return places, length[tuple(places.T)]


def percentile_range(distance: NDArray, length: NDArray, percent: float) -> tuple[float, float]:
    """Least distance within which a share of the length lies, and the one after where sums may be rounded."""
    order = np.argsort(distance)
    within = np.cumsum(length[order]) / length.sum()
    first, last = (int(np.searchsorted(within, percent / 100 + slack)) for slack in (-SLACK, SLACK))
    return tuple(distance[order[min(number, len(order) - 1)]] for number in (first, last))


def hausdorff_range(pred: NDArray[np.bool_], true: NDArray[np.bool_], percent: float) -> tuple[float, float]:
    """Bounds of the robust Hausdorff distance; the image's width if one mask is empty, 0 if both are."""
    if pred.any() != true.any():
        return pred.shape[1], pred.shape[1]
    if not pred.any():
        return 0, 0
    (places, length), (others, other_length) = contour(pred), contour(true)
    one = percentile_range(least_distances(places, others), length, percent)
    two = percentile_range(least_distances(others, places), other_length, percent)
    return max(one[0], two[0]), max(one[1], two[1])


def surface_lengths(
    pred: NDArray[np.bool_], true: NDArray[np.bool_], tolerance: float
) -> tuple[float, float, float, float]:
    """Length of the predicted contour and what of it is near, and the same of the true one."""
    (places, length), (others, other_length) = contour(pred), contour(true)
    near = least_distances(places, others) <= tolerance + SLACK
    other_near = least_distances(others, places) <= tolerance + SLACK
    return length.sum(), length[near].sum(), other_length.sum(), other_length[other_near].sum()


def calibration(prob: NDArray, true: NDArray[np.bool_], bins: int) -> tuple[float, float]:
    """Expected calibration error and Brier score of (N,) probabilities, N > 0."""
    prob = prob.astype(float)
    error = 0.0
    for number in range(bins):
        inside = np.minimum(np.floor(prob * bins), bins - 1) == number
        if inside.any():
            error += inside.mean() * abs(prob[inside].mean() - true[inside].mean())
    return error, float(((prob - true) ** 2).mean())


def f1(correct: float, predicted: float, found: float, true: float) -> float:
    """F1 of one image or set at one threshold."""
    if predicted == true == 0:
        return 1.0
    precision, recall = correct / predicted if predicted else 0.0, found / true if true else 0.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def aggregated(counts: list[list[tuple[float, float, float, float]]]) -> dict[str, float]:
    """The four F1 figures of images (outer) at thresholds (inner)."""
    thresholds = range(len(counts[0]))
    scores = [[f1(*image[t]) for t in thresholds] for image in counts]
    best = [max(thresholds, key=image.__getitem__) for image in scores]
    at_best = [image[t] for image, t in zip(counts, best, strict=True)]
    return {
        'ods_per_image_mean': max(sum(image[t] for image in scores) / len(counts) for t in thresholds),
        'ois_per_image_mean': sum(map(max, scores)) / len(counts),
        'ods_pooled': max(
            f1(*map(sum, zip(*(image[t] for image in counts), strict=True))) for t in thresholds
        ),
        'ois_pooled': f1(*map(sum, zip(*at_best, strict=True))),
    }

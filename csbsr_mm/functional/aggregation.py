"""From the counts of many images to one figure of a set: each aggregation under its own name.

Of image i at threshold t, let c be the predicted pixels that are right among p, and f the true pixels that
are found among n (``tolerance_sweep`` counts them; without tolerance c = f), and::

    F(c, p, f, n) = 2 P R / (P + R),   P = c / p,   R = f / n;   1 if p = n = 0, 0 if only one of them is 0

    ods_per_image_mean = max over t of mean over i of F(c_it, p_it, f_it, n_i)
    ois_per_image_mean = mean over i of max over t of F(c_it, p_it, f_it, n_i)
    ods_pooled         = max over t of F(sum of c_it, sum of p_it, sum of f_it, sum of n_i)
    ois_pooled         = F of the sums of each image's counts at the threshold t_i that is best for it
    ap_pooled          = sum over falling thresholds of (R_k - R_k-1) P_k, of the pooled precision and recall

BSDS, from which the names ODS (optimal dataset scale) and OIS (optimal image scale) come, pools; much of the
crack literature averages over images. On images with few crack pixels the two differ by many points.

Reference:
    Arbelaez et al., Contour detection and hierarchical image segmentation, 2011 (ODS, OIS, AP).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class MatchedPixels(NamedTuple):
    """Counts of N images at T thresholds.

    Attributes:
        correct: (N, T) predicted pixels that are right.
        predicted: (N, T) predicted pixels.
        found: (N, T) true pixels that are found.
        true: (N, 1) true pixels.
    """

    correct: NDArray[np.float64]
    predicted: NDArray[np.float64]
    found: NDArray[np.float64]
    true: NDArray[np.float64]

    def pooled(self) -> MatchedPixels:
        """The sums over images, as one image."""
        return MatchedPixels(*(values.sum(0, keepdims=True) for values in self))


def f1_score(
    correct: ArrayLike, predicted: ArrayLike, found: ArrayLike, true: ArrayLike
) -> NDArray[np.float64]:
    """Harmonic mean of precision and recall.

    Args:
        correct: Predicted pixels that are right.
        predicted: Predicted pixels.
        found: True pixels that are found.
        true: True pixels.

    Returns:
        In [0, 1], in the common shape: 1 where nothing is predicted and nothing true, 0 where one of them is.

    Example:
        >>> f1_score([8, 0, 0], [10, 0, 4], [6, 0, 0], [12, 0, 0]).round(3)
        array([0.615, 1.   , 0.   ])
    """
    counts = [np.asarray(values, float) for values in (correct, predicted, found, true)]
    precision, recall = _ratio(counts[0], counts[1]), _ratio(counts[2], counts[3])
    f1 = _ratio(2 * precision * recall, precision + recall)
    return np.where((counts[1] == 0) & (counts[3] == 0), 1.0, f1)


def f1_per_image_mean(images: MatchedPixels) -> NDArray[np.float64]:
    """(T,) mean over images of the F1 at each threshold."""
    return f1_score(*images).mean(0)


def f1_pooled(images: MatchedPixels) -> NDArray[np.float64]:
    """(T,) F1 of all images' pixels together at each threshold."""
    return f1_score(*images.pooled())[0]


def ods_per_image_mean(images: MatchedPixels) -> float:
    """Mean F1 of the images at the threshold that is best for the set.

    Example:
        >>> images = MatchedPixels(*np.array([[[9, 5.]], [[10, 5]], [[9, 5]], [[10, 10]]]))
        >>> images = images._replace(true=np.array([[10.0]]))
        >>> round(ods_per_image_mean(images), 6)
        0.9
    """
    return float(f1_per_image_mean(images).max())


def ois_per_image_mean(images: MatchedPixels) -> float:
    """Mean F1 of the images, each at the threshold that is best for it."""
    return float(f1_score(*images).max(1).mean())


def ods_pooled(images: MatchedPixels) -> float:
    """F1 of all pixels together at the threshold that is best for the set; BSDS's ODS."""
    return float(f1_pooled(images).max())


def ois_pooled(images: MatchedPixels) -> float:
    """F1 of all pixels together, each image at the threshold that is best for it; BSDS's OIS."""
    best = f1_score(*images).argmax(1)[:, None]
    correct, predicted, found = (np.take_along_axis(values, best, 1) for values in images[:3])
    return float(f1_score(*MatchedPixels(correct, predicted, found, images.true).pooled())[0, 0])


def ap_pooled(images: MatchedPixels) -> float:
    """Average precision of all pixels together: area under the steps of precision over recall.

    Between thresholds nothing is interpolated, as in scikit-learn. Pixels below the lowest threshold are
    never predicted, so that recall may end below 1.

    Returns:
        In [0, 1]; NaN if no pixel is true.
    """
    pooled = images.pooled()
    if not pooled.true.any():
        return float('nan')
    order = np.argsort(pooled.predicted[0], kind='stable')
    precision = _ratio(pooled.correct, pooled.predicted)[0, order]
    recall = (pooled.found / pooled.true)[0, order]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quotient, 0 for 0 / 0."""
    return np.divide(
        part, whole, out=np.zeros(np.broadcast_shapes(part.shape, whole.shape)), where=whole != 0
    )

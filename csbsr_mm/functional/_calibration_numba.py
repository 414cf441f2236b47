"""Compiled sums of probabilities and labels in bins."""

# Numba infers the types of its kernels.
# mypy: disallow-untyped-defs=False

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def bin_sums(prob, target, bins):
    """Pixels, cracks and sum of probabilities of each bin, and the sum of squared errors.

    Neighbouring pixels use different lanes of counters: adding to a counter just written would stall.

    Args:
        prob: (H, W) float32 in [0, 1].
        target: (H, W) bool.
        bins: Number of bins.
    """
    height, width = prob.shape
    lanes = np.zeros((4, 3, bins))
    error = 0.0
    for y in range(height):
        row_error = 0.0
        for x in range(width):
            p, label = np.float64(prob[y, x]), np.float64(target[y, x])
            place = min(np.int64(p * bins), bins - 1)
            sums = lanes[x & 3]
            sums[0, place] += 1
            sums[1, place] += label
            sums[2, place] += p
            row_error += (p - label) ** 2
        error += row_error
    total = lanes.sum(0)
    return total[0], total[1], total[2], error

"""Compiled threshold levels: how many thresholds each pixel's probability exceeds, in one pass.

With level q(x) = #{j : p(x) > t_j}, the binary prediction at threshold t_j is {q > j}. Everything
that is asked for at all thresholds is then a question about one map of small integers.
"""

# Numba infers the types of its kernels.
# mypy: disallow-untyped-defs=False

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def nearest_levels(prob, thresholds, scale, margin, levels):
    """Levels by a guess and one comparison, for (almost) equidistant thresholds.

    The guess rounds to the nearest threshold, so that a single comparison with it settles the
    level: half a step of error is allowed. :func:`guess_settles` tells whether that holds for
    given thresholds.

    Args:
        prob: (H, W) float32; NaN counts as below all thresholds.
        thresholds: (T,) float32, ascending.
        scale: Levels a unit of probability.
        margin: Width of a frame of ``levels`` that is left alone.
        levels: (H + 2 margin, W + 2 margin) uint8, written.
    """
    height, width = prob.shape
    lowest, highest = thresholds[0], thresholds[-1]
    half = np.float32(0.5)
    guess = np.empty(width, np.int32)
    threshold = np.empty(width, np.float32)
    for y in range(height):
        for x in range(width):
            p = prob[y, x] if prob[y, x] > lowest else lowest
            p = p if p < highest else highest
            guess[x] = np.int32((p - lowest) * scale + half)
        for x in range(width):
            threshold[x] = thresholds[guess[x]]
        row = levels[y + margin, margin : margin + width]
        for x in range(width):
            row[x] = np.uint8(guess[x] + np.int32(prob[y, x] > threshold[x]))


@njit(cache=True, nogil=True)
def guess_settles(thresholds, scale):
    """Whether one comparison with the guessed threshold gives the level of every probability.

    Guess and level grow with the probability, so that it is enough to look on both sides of each
    threshold.
    """
    lowest, highest = thresholds[0], thresholds[-1]
    half = np.float32(0.5)
    last = thresholds.shape[0] - 1
    if np.int32((highest - lowest) * scale + half) != last:
        return False
    for level in range(last):
        at = thresholds[level]
        beyond = np.nextafter(at, highest)
        guess = np.int32((at - lowest) * scale + half)
        guess_beyond = np.int32((beyond - lowest) * scale + half)
        if guess + (at > thresholds[guess]) != level:
            return False
        if guess_beyond + (beyond > thresholds[guess_beyond]) != level + 1:
            return False
    return True


@njit(cache=True, nogil=True)
def count_levels(levels, target):
    """Count pixels by target value and level.

    Neighbouring pixels use different lanes of counters: adding to a counter just written would stall.

    Args:
        levels: (H, W) uint8.
        target: (H, W) uint8; pixels of value 2 or more are left out.

    Returns:
        (2, 256) int64: number of pixels of each level, off and on the target.
    """
    height, width = levels.shape
    lanes = np.zeros((4, 3, 256), np.int64)
    for y in range(height):
        for x in range(width):
            lanes[x & 3, min(target[y, x], np.uint8(2)), levels[y, x]] += 1
    counts = np.zeros((2, 256), np.int64)
    for lane in range(4):
        counts += lanes[lane, :2]
    return counts

"""Crack masks with probability maps such as networks give them, for benchmarks and tests.

A map is made from its mask: shifted a little, blurred, partly missed, joined by false positives, and taken
through a logistic curve with correlated noise. Four regimes differ in what they make hard:

- ``soft``: wide calibrated edges; every threshold gives another mask.
- ``sharp``: a saturated network; most thresholds give almost the same mask.
- ``noisy``: weak noise over most of the image; low thresholds give very long contours.
- ``nocrack``: images without a crack, with or without false alarms.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray


class Regime(NamedTuple):
    """How a probability map departs from its mask.

    Attributes:
        shift: Standard deviation of the local displacement, in pixels.
        blur: Standard deviation of the blur, in pixels.
        offset: Blurred value at which the probability is one half.
        steepness: Slope of the logistic curve.
        noises: Amplitude and correlation length of each noise on the logits.
        crack: Whether there is a crack.
    """

    shift: float
    blur: float
    offset: float
    steepness: float
    noises: tuple[tuple[float, float], ...]
    crack: bool = True


REGIMES = {
    'soft': Regime(1.5, 2.5, 0.44, 13, ((0.5, 3.0),)),
    'sharp': Regime(1.0, 1.2, 0.40, 22, ((0.5, 2.0),)),
    'noisy': Regime(2.0, 2.5, 0.45, 9, ((0.8, 1.5), (0.4, 12.0))),
    'nocrack': Regime(0.0, 2.0, 0.44, 13, ((0.5, 3.0),), crack=False),
}


def realistic_map(
    rng: np.random.Generator, regime: str, size: int = 448
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """One probability map and its mask, (size, size) each."""
    settings = REGIMES[regime]
    mask = _crack_mask(rng, size) if settings.crack else np.zeros((size, size), bool)
    response = np.maximum(_detected(rng, mask, settings), _false_positives(rng, size))
    logits = settings.steepness * (response - settings.offset)
    for amplitude, length in settings.noises:
        logits += amplitude * _noise(rng, size, length)
    return (1 / (1 + np.exp(-logits))).astype(np.float32), mask


def _crack_mask(rng: np.random.Generator, size: int) -> NDArray[np.bool_]:
    """A mask with one to four wandering cracks that cover 0.8% to 7% of the image."""
    while True:
        canvas = np.zeros((size, size), np.uint8)
        for _ in range(rng.integers(1, 5)):
            _draw_crack(rng, canvas)
        if 0.008 < canvas.mean() < 0.07:
            return canvas.astype(bool)


def _draw_crack(rng: np.random.Generator, canvas: NDArray[np.uint8]) -> None:
    """Draw a random walk whose direction and width drift."""
    scale = len(canvas) / 448
    point = rng.uniform(0.05, 0.95, 2) * len(canvas)
    angle, width = rng.uniform(0, 2 * np.pi), rng.uniform(1, 8)
    for _ in range(rng.integers(25, 90)):
        angle += rng.normal(0, 0.35)
        width = np.clip(width + rng.normal(0, 0.4), 1, 8)
        end = point + scale * rng.uniform(4, 12) * np.array([np.cos(angle), np.sin(angle)])
        line = [tuple(np.round(p).astype(int).tolist()) for p in (point, end)]
        cv2.line(canvas, *line, 1, max(1, round(width * scale)))
        point = end


def _detected(rng: np.random.Generator, mask: NDArray[np.bool_], regime: Regime) -> NDArray[np.float32]:
    """What a network sees of the mask: displaced, blurred, and fading out in places."""
    size = len(mask)
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    displaced = cv2.remap(
        mask.astype(np.float32),
        columns + regime.shift * _noise(rng, size, 20),
        rows + regime.shift * _noise(rng, size, 20),
        cv2.INTER_LINEAR,
    )
    seen = 1 / (1 + np.exp(-4 * (_noise(rng, size, 25) + 1.3)))
    return cv2.GaussianBlur(displaced, (0, 0), regime.blur) * seen


def _false_positives(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Up to six blobs and short strokes of any strength."""
    canvas = np.zeros((size, size), np.float32)
    for _ in range(rng.integers(0, 7)):
        start = rng.integers(0, size, 2)
        strength = float(rng.uniform(0.3, 1))
        if rng.random() < 0.5:
            cv2.circle(canvas, start.tolist(), int(rng.integers(2, 9)), strength, -1)
        else:
            end = start + rng.integers(-40, 41, 2)
            cv2.line(canvas, start.tolist(), end.tolist(), strength, int(rng.integers(1, 4)))
    return cv2.GaussianBlur(canvas, (0, 0), 1.5)


def _noise(rng: np.random.Generator, size: int, length: float) -> NDArray[np.float32]:
    """Noise of unit variance with a correlation length in pixels."""
    noise = cv2.GaussianBlur(rng.standard_normal((size, size), np.float32), (0, 0), length)
    return noise / noise.std()

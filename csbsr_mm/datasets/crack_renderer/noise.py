"""Random fields that textures, lines and light are made of."""

from __future__ import annotations

import cv2
import numpy as np

Rng = np.random.Generator


def smooth_noise(rng: Rng, size: int, cell: float | tuple[float, float]) -> np.ndarray:
    """Smooth field of unit variance whose bumps are about ``cell`` pixels (rows, columns) wide.

    Args:
        rng: Source of randomness.
        size: Side length in pixels.
        cell: Width of a bump, or one per axis.

    Returns:
        float32 (size, size).
    """
    cells = np.broadcast_to(cell, 2)
    if cells.min() >= 16 and size % 4 == 0:
        coarse = smooth_noise(rng, size // 4, tuple(cells / 4))
        return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    grid = [int(np.ceil(size / side)) + 4 for side in cells]
    knots = rng.standard_normal(grid).astype(np.float32)
    target = [int(np.ceil(n * side)) for n, side in zip(grid, cells, strict=True)]
    fine = cv2.resize(knots, target[::-1], interpolation=cv2.INTER_CUBIC)
    top, left = (int(side * 1.5) for side in cells)
    # Cubic interpolation of unit noise has a variance of about 0.55.
    return fine[top : top + size, left : left + size] * np.float32(1.35)


def fractal_noise(rng: Rng, size: int, cell: float, octaves: int = 4, gain: float = 0.5) -> np.ndarray:
    """Sum of smooth noise at halving widths, each octave ``gain`` times as strong; unit variance."""
    field = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        field += gain**octave * smooth_noise(rng, size, max(cell / 2**octave, 1.0))
    return field / np.float32(np.sqrt(sum(gain ** (2 * o) for o in range(octaves))))


def grain(rng: Rng, size: int, sigma: float) -> np.ndarray:
    """White noise blurred by a Gaussian of ``sigma`` pixels, unit variance."""
    field = rng.standard_normal((size, size), dtype=np.float32)
    if sigma > 0:
        field = cv2.GaussianBlur(field, (0, 0), sigma)
        field /= field.std()
    return field


def walk(rng: Rng, count: int, period: float) -> np.ndarray:
    """One-dimensional smooth noise of unit variance with bumps about ``period`` samples long."""
    knots = rng.standard_normal(int(np.ceil(count / period)) + 3)
    positions = np.arange(count) / period + rng.random()
    return np.interp(positions, np.arange(len(knots)), knots) * 1.2


def smoothstep(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, and a smooth rise between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)

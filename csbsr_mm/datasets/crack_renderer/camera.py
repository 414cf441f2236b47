"""Light and camera: what turns colour and relief into a photograph."""

from __future__ import annotations

import cv2
import numpy as np

from .noise import Rng, smooth_noise


def shade(rng: Rng, relief: np.ndarray) -> np.ndarray:
    """Brightness (S, S) of a relief under slanting light, around 1."""
    angle = rng.uniform(0, 2 * np.pi)
    slope_x, slope_y = cv2.Sobel(relief, cv2.CV_32F, 1, 0), cv2.Sobel(relief, cv2.CV_32F, 0, 1)
    slope = (slope_x * np.cos(angle) + slope_y * np.sin(angle)) / 8
    return 1 + 0.8 * np.tanh(rng.uniform(0.25, 0.75) * slope)


def illuminate(rng: Rng, image: np.ndarray) -> None:
    """Uneven light over the scene: a gradient, soft patches, darker corners; in place."""
    size = len(image)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(0, 0.22) * (x * np.cos(angle) + y * np.sin(angle))
    light += rng.uniform(0, 0.06) * smooth_noise(rng, size, size / 2)
    light *= 1 - rng.uniform(0, 0.18) * (x * x + y * y) / 2
    image *= np.maximum(light, 0.2)[..., None]


def photograph(rng: Rng, image: np.ndarray, size: int) -> np.ndarray:
    """Lens, sensor and processing of a small camera.

    Args:
        rng: Source of randomness.
        image: Scene (S, S, 3), BGR, about 0..1, S a multiple of ``size``.
        size: Side length of the photo.

    Returns:
        uint8 (size, size, 3), BGR.
    """
    photo = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    photo = cv2.GaussianBlur(photo, (0, 0), rng.uniform(0.25, 0.75))
    balance = 1 + rng.normal(0, 0.015, 3)
    exposure = rng.uniform(0.88, 1.12)
    photo = np.clip(photo * (balance * exposure), 0, None)
    shot, read = rng.uniform(0.004, 0.012), rng.uniform(0.003, 0.01)
    photo += np.sqrt(shot**2 * photo + read**2) * rng.standard_normal(photo.shape)
    if rng.random() < 0.5:
        photo += rng.uniform(0.1, 0.4) * (photo - cv2.GaussianBlur(photo, (0, 0), 1.0))
    shoulder = np.where(photo > 0.85, 0.85 + 0.15 * np.tanh((photo - 0.85) / 0.15), photo)
    return np.clip(np.rint(255 * shoulder), 0, 255).astype(np.uint8)

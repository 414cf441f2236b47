"""One rendered photograph of a surface, cracked or not, and the exact mask of its cracks."""

from __future__ import annotations

import cv2
import numpy as np

from . import distractors
from .camera import illuminate, photograph, shade
from .cracks import coverage, draw_cracks
from .noise import Rng, fractal_noise, smoothstep
from .surfaces import Surface, draw_surface

OVERSAMPLING = 2
"""Scene pixels per photo pixel along each axis."""
LARGEST_WIDTH = 8.0
"""Width of the widest crack, in photo pixels."""

SURFACE_DISTRACTORS = {
    'asphalt': {'add_stain': 0.25, 'add_paint': 0.12, 'add_joint': 0.1, 'add_scratch': 0.05},
    'concrete': {'add_stain': 0.4, 'add_joint': 0.2, 'add_scratch': 0.15, 'add_paint': 0.04},
    'plaster': {'add_stain': 0.4, 'add_scratch': 0.15, 'add_joint': 0.1},
    'masonry': {'add_stain': 0.3, 'add_paint': 0.05},
}
"""Probability of each distractor that is part of the surface; cracks run through them."""


def render_varied_photo(rng: Rng, size: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Render a photograph from near or far, with open or faint cracks: a wider range than the demo set.

    Args:
        rng: Source of randomness.
        size: Side length in pixels.

    Returns:
        Photo and mask, as of :func:`render_crack_photo`.
    """
    zoom = 2.0 ** float(rng.uniform(0.0, 2.2)) if rng.random() < 0.65 else 1.0
    faintness = rng.uniform(0.0, 0.75) if rng.random() < 0.4 else 0.0
    return render_crack_photo(rng, size, zoom=zoom, faintness=faintness)


def render_crack_photo(
    rng: Rng,
    size: int = 256,
    cracked: bool | None = None,
    zoom: float = 1.0,
    faintness: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Render a photograph and its crack mask.

    Args:
        rng: Source of randomness; the same generator state gives the same photo.
        size: Side length in pixels.
        cracked: With cracks or without; drawn at random (one in eight without) if None.
        zoom: How much larger cracks and stones are, at least 1; 1 shows cracks up to 8 pixels wide.
        faintness: How far the inside of a crack keeps the colour of the surface, in [0, 1).

    Returns:
        Photo uint8 (size, size, 3), BGR, and mask uint8 (size, size): 255 where cracks cover at
        least half of a pixel and nothing hides them, else 0.

    Example:
        >>> photo, mask = render_crack_photo(np.random.default_rng(1), size=64, cracked=True)
        >>> photo.shape, mask.shape, sorted(set(mask.ravel().tolist()))
        ((64, 64, 3), (64, 64), [0, 255])
    """
    scene_size = size * OVERSAMPLING
    surface = draw_surface(rng, scene_size, zoom)
    for name, probability in SURFACE_DISTRACTORS[surface.kind].items():
        if rng.random() < probability:
            getattr(distractors, name)(rng, surface)
    crack = np.zeros((scene_size, scene_size), np.float32)
    if rng.random() < 0.875 if cracked is None else cracked:
        crack = coverage(rng, draw_cracks(rng, surface, LARGEST_WIDTH * OVERSAMPLING * zoom), scene_size)
        if surface.kind == 'asphalt':
            crack = _crumble(rng, crack)
        _break(rng, surface, crack)
    image = surface.albedo * shade(rng, surface.relief)[..., None]
    _open(rng, image, surface, crack, faintness)
    hidden = _foreground(rng, image)
    illuminate(rng, image)
    visible = cv2.resize(crack * (1 - hidden), (size, size), interpolation=cv2.INTER_AREA)
    return photograph(rng, image, size), np.where(visible >= 0.5, 255, 0).astype(np.uint8)


def _crumble(rng: Rng, crack: np.ndarray) -> np.ndarray:
    """Loosened grains leave the crack's edge ragged and fill it here and there."""
    raggedness = rng.uniform(0.05, 0.3) * fractal_noise(rng, len(crack), rng.uniform(5, 12), 3, 0.7)
    return smoothstep(cv2.GaussianBlur(crack, (0, 0), 1.2) + raggedness * (crack > 0), 0.35, 0.65)


def _break(rng: Rng, surface: Surface, crack: np.ndarray) -> None:
    """What a crack does to the surface around it: a sunken rim, chips, dirt; in place."""
    size = len(crack)
    near = cv2.GaussianBlur(crack, (0, 0), 3)
    surface.relief -= rng.uniform(1, 4) * cv2.GaussianBlur(crack, (0, 0), 1.2) + near
    if rng.random() < 0.5:
        chips = smoothstep(near + 0.12 * fractal_noise(rng, size, 10, 3), 0.3, 0.42)
        surface.albedo *= 1 + rng.uniform(-0.18, 0.16) * chips[..., None]
        surface.relief -= 1.5 * chips
    dirt = cv2.GaussianBlur(crack, (0, 0), rng.uniform(4, 10))
    surface.albedo *= 1 - rng.uniform(0, 0.5) * dirt[..., None]


def _open(rng: Rng, image: np.ndarray, surface: Surface, crack: np.ndarray, faintness: float = 0.0) -> None:
    """The dark inside of the crack, partly filled with dust; in place."""
    at = np.nonzero(crack)
    own = surface.albedo[at]
    deep = cv2.GaussianBlur(crack, (0, 0), 2.0)[at] ** 1.2
    darkest, shallow = rng.uniform(0.1, 0.45), rng.uniform(0.35, 0.65)
    dust = fractal_noise(rng, len(crack), 24, 4)[at]
    dust = rng.uniform(0.1, 0.5) * smoothstep(dust, rng.uniform(0.2, 1.8), 2.2)
    inside = own * (shallow + (darkest - shallow) * deep + dust)[:, None]
    inside *= 1 + 0.12 * rng.standard_normal((len(own), 1), dtype=np.float32)
    image[at] += ((1 - faintness) * crack[at])[:, None] * (inside - image[at])


def _foreground(rng: Rng, image: np.ndarray) -> np.ndarray:
    """Things in front of the surface, in place; what they hide, 0..1."""
    hidden = np.zeros(image.shape[:2], np.float32)
    if rng.random() < 0.2:
        distractors.add_shadow(rng, image)
    if rng.random() < 0.1:
        hidden = np.maximum(hidden, distractors.add_wire(rng, image))
    if rng.random() < 0.12:
        hidden = np.maximum(hidden, distractors.add_leaves(rng, image))
    return hidden

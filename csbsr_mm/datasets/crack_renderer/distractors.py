"""Distractors, which look like a crack or hide one: joints, stains, paint, wires, leaves, shadows."""

from __future__ import annotations

import cv2
import numpy as np

from .cracks import rough_path
from .noise import Rng, fractal_noise, grain, smoothstep, walk
from .surfaces import Surface


def add_joint(rng: Rng, surface: Surface) -> None:
    """Straight sawn or formwork joint across the image."""
    size = len(surface.relief)
    line = _line(size, *_chord(rng, size), thickness=rng.uniform(2.5, 9))
    depth = rng.uniform(0.35, 0.8)
    worn = 1 - 0.25 * smoothstep(fractal_noise(rng, size, 30, 3), 0.2, 1.2)
    surface.albedo *= 1 - (depth * line * worn)[..., None]
    surface.relief -= 4 * cv2.GaussianBlur(line, (0, 0), 1.2)


def add_stain(rng: Rng, surface: Surface) -> None:
    """Damp, oily or rusty patch with a ragged rim, sometimes running down."""
    size = len(surface.relief)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    cx, cy = rng.uniform(0, size, 2)
    spread = size * rng.uniform(0.08, 0.3, 2) * (1, rng.choice([1, 2.5]))
    distance = np.hypot((x - cx) / spread[0], (y - cy) / spread[1]) + 0.3 * fractal_noise(
        rng, size, 60, 5, 0.6
    )
    patch = 1 - smoothstep(distance, 0.7, rng.uniform(0.9, 1.5))
    colours = [(0.75, 0.75, 0.75), (0.6, 0.62, 0.66), (0.6, 0.75, 0.95), (1.12, 1.12, 1.1)]
    colour = np.float32(colours[rng.integers(len(colours))])
    surface.albedo *= 1 + (rng.uniform(0.4, 0.9) * patch)[..., None] * (colour - 1)


def add_paint(rng: Rng, surface: Surface) -> None:
    """Worn road marking or a painted stripe."""
    size = len(surface.relief)
    stripe = _line(size, *_chord(rng, size), thickness=size * rng.uniform(0.06, 0.2))
    relief = surface.relief - cv2.GaussianBlur(surface.relief, (0, 0), 8)
    worn = smoothstep(relief / (relief.std() + 1e-6) + 1.5 * fractal_noise(rng, size, 50, 4), -1.6, -0.2)
    colour = np.float32([(0.86, 0.88, 0.88), (0.25, 0.7, 0.85), (0.9, 0.9, 0.9)][rng.integers(3)])
    cover = (stripe * worn * rng.uniform(0.6, 0.95))[..., None]
    surface.albedo += cover * (colour * (0.92 + 0.03 * grain(rng, size, 1.0)[..., None]) - surface.albedo)


def add_scratch(rng: Rng, surface: Surface) -> None:
    """Light scratches from something dragged over the surface."""
    size = len(surface.relief)
    start, end = _chord(rng, size)
    for _ in range(rng.integers(1, 5)):
        offset = rng.normal(0, 12, 2)
        line = _line(size, start + offset, end + offset, thickness=rng.uniform(0.8, 2.0))
        broken = smoothstep(fractal_noise(rng, size, 26, 3), -0.2, 0.8)
        surface.albedo *= 1 + (rng.uniform(0.15, 0.4) * line * broken)[..., None]


def add_wire(rng: Rng, image: np.ndarray) -> np.ndarray:
    """Cable in front of the surface, with a highlight and a shadow; returns what it hides."""
    size = len(image)
    start, end = _chord(rng, size)
    t = np.linspace(0, 1, 60)[:, None]
    normal = (end - start)[::-1] * (1, -1)
    path = start + t * (end - start) + normal * (rng.normal(0, 0.12) * np.sin(np.pi * t))
    path = path + normal * (0.015 * walk(rng, 60, 14))[:, None]
    thickness = rng.uniform(4, 10)
    shadow = cv2.GaussianBlur(_polyline(size, path + rng.uniform(4, 12, 2), thickness), (0, 0), 3)
    image *= 1 - 0.45 * shadow[..., None]
    cover = _polyline(size, path, thickness)
    tone = rng.choice([0.08, 0.16, 0.6])
    colour = tone * rng.uniform(0.92, 1.08, 3).astype(np.float32)
    image += cover[..., None] * (colour - image)
    shine = _polyline(size, path - thickness * 0.16, thickness * 0.28)
    image += 0.25 * cv2.GaussianBlur(shine, (0, 0), 1)[..., None]
    return cover


def add_leaves(rng: Rng, image: np.ndarray) -> np.ndarray:
    """Fallen leaves and twigs with their shadows; returns what they hide."""
    size = len(image)
    hidden = np.zeros((size, size), np.float32)
    for _ in range(rng.integers(1, 4)):
        leaf = rng.random() < 0.7
        cover, vein = (_leaf if leaf else _twig)(rng, size)
        shadow = cv2.GaussianBlur(np.roll(cover, (5, 4), (0, 1)), (0, 0), 3)
        image *= 1 - 0.4 * shadow[..., None]
        colours = [(0.12, 0.35, 0.5), (0.1, 0.45, 0.65), (0.15, 0.38, 0.3), (0.2, 0.27, 0.36)]
        colour = np.float32(colours[rng.integers(len(colours))]) * rng.uniform(0.7, 1.2)
        texture = 1 + 0.12 * fractal_noise(rng, size, 20, 4)[..., None] + 0.25 * vein[..., None]
        image += cover[..., None] * (colour * texture - image)
        hidden = np.maximum(hidden, cover)
    return hidden


def add_shadow(rng: Rng, image: np.ndarray) -> None:
    """Shadow of a pole, of branches, or of an edge, softened by distance."""
    size = len(image)
    shade = np.zeros((size, size), np.float32)
    kind = rng.integers(3)
    if kind == 0:
        shade = _line(size, *_chord(rng, size), thickness=size * rng.uniform(0.03, 0.14))
    elif kind == 1:
        for _ in range(rng.integers(2, 6)):
            path = rough_path(rng, *_chord(rng, size), roughness=0.06)
            shade = np.maximum(shade, _polyline(size, path, rng.uniform(3, 14)))
    else:
        y, x = np.mgrid[:size, :size]
        angle = rng.uniform(0, 2 * np.pi)
        side = (x - size * rng.uniform(0.3, 0.7)) * np.cos(angle) + (y - size / 2) * np.sin(angle)
        shade = (side + 12 * fractal_noise(rng, size, 90, 2) > 0).astype(np.float32)
    shade = cv2.GaussianBlur(shade, (0, 0), rng.uniform(1.5, 9))
    shadow_tint = np.float32([0.92, 1.0, 1.05])
    image *= 1 - rng.uniform(0.2, 0.5) * shade[..., None] * shadow_tint


def _leaf(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A pointed leaf: what it covers, and its veins."""
    length, slim = size * rng.uniform(0.06, 0.16), rng.uniform(0.25, 0.5)
    t = np.linspace(0, 1, 40)
    half = slim * length * np.sin(np.pi * t**0.8) ** 1.2 * (1 + 0.08 * walk(rng, 40, 3))
    outline = np.concatenate([np.stack([t * length, half], 1), np.stack([t * length, -half], 1)[::-1]])
    centre, angle = rng.uniform(0, size, 2), rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    cover = np.zeros((size, size), np.float32)
    cv2.fillPoly(cover, [np.rint((outline @ turn.T + centre) * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    midrib = np.array([[-0.15 * length, 0], [length, 0]]) @ turn.T + centre
    vein = _polyline(size, midrib, 1.5)
    for side in (-1, 1):
        for at in np.linspace(0.2, 0.75, 5):
            rib = np.array([[at, 0], [at + 0.18, side * slim * 0.7 * np.sin(np.pi * at)]]) * length
            vein = np.maximum(vein, 0.6 * _polyline(size, rib @ turn.T + centre, 1.0))
    return np.maximum(cover, _polyline(size, midrib, 1.8)), vein


def _twig(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A thin twig: what it covers, and a lighter side."""
    start = rng.uniform(0, size, 2)
    heading = rng.uniform(0, 2 * np.pi)
    end = start + size * rng.uniform(0.15, 0.4) * np.array([np.cos(heading), np.sin(heading)])
    path = rough_path(rng, start, end, 0.04)
    return _polyline(size, path, rng.uniform(2, 5)), _polyline(size, path - 0.8, 1.0)


def _chord(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Two points outside the image whose connection passes through it."""
    middle, heading = rng.uniform(0.15, 0.85, 2) * size, rng.uniform(0, np.pi)
    reach = 1.5 * size * np.array([np.cos(heading), np.sin(heading)])
    return middle - reach, middle + reach


def _line(size: int, start: np.ndarray, end: np.ndarray, thickness: float) -> np.ndarray:
    return _polyline(size, np.stack([start, end]), thickness)


def _polyline(size: int, path: np.ndarray, thickness: float) -> np.ndarray:
    """Coverage 0..1 of a line of any thickness, antialiased."""
    canvas = np.zeros((size, size), np.float32)
    points = [np.rint(path * 16).astype(np.int32)]
    strength = min(thickness, 1.0)
    cv2.polylines(canvas, points, False, strength, max(round(thickness), 1), cv2.LINE_AA, 4)
    return canvas

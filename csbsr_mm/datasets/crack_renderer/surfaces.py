"""Uncracked surfaces: asphalt, concrete, plaster and masonry, as colour and relief."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .noise import Rng, fractal_noise, grain, smooth_noise, smoothstep


@dataclass
class Surface:
    """A patch of surface.

    Attributes:
        kind: Name of the material.
        albedo: Colour (S, S, 3), BGR, about 0..1.
        relief: Height (S, S) in pixels.
        courses: Brick lattice of masonry, else None.
    """

    kind: str
    albedo: np.ndarray
    relief: np.ndarray
    courses: Courses | None = None

    def __post_init__(self) -> None:
        self.albedo = self.albedo.astype(np.float32)
        self.relief = self.relief.astype(np.float32)


@dataclass(frozen=True)
class Courses:
    """Running bond: every other course of bricks is shifted by half a brick.

    Attributes:
        width: Length of a brick and its joint in pixels.
        height: Height of a course in pixels.
        angle: Turn of the wall in the image, radians.
        origin: Wall coordinates (along, across the courses) of the image's upper left corner.
    """

    width: float
    height: float
    angle: float
    origin: tuple[float, float]

    def to_wall(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Wall coordinates of image points."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        return x * c + y * s + self.origin[0], y * c - x * s + self.origin[1]

    def to_image(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Image points of wall coordinates."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        u, v = u - self.origin[0], v - self.origin[1]
        return u * c - v * s, u * s + v * c

    def bricks(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Position in units of bricks and courses; integers are joints."""
        across = v / self.height
        return u / self.width + 0.5 * (np.floor(across) % 2), across

    def upright_joint(self, u: float, course: int) -> float:
        """Where the upright joint of a course next to ``u`` lies along the wall."""
        shift = 0.5 * (course % 2)
        return (np.round(u / self.width + shift) - shift) * self.width


def asphalt(rng: Rng, size: int, zoom: float = 1.0) -> Surface:
    """Stones of two sizes in dark binder, more or less worn."""
    coarse = rng.random() < 0.6
    stone = 7 + 16 * rng.beta(1.2, 2.2) if coarse else rng.uniform(4.5, 7)
    stone = float(stone * zoom)
    contrast = rng.uniform(0.5, 0.95) if coarse else rng.uniform(0.25, 0.6)
    base = rng.uniform(0.42, 0.64) * _tint(rng, 0.02)
    stones, stone_relief = _stones(rng, size, stone, contrast, exposed=rng.uniform(0.75, 1.0))
    fine, fine_relief = _stones(rng, size, 4.5 * float(zoom) ** 0.5, contrast * 0.5, exposed=0.8)
    worn = smoothstep(stone_relief, 0.02, 0.25)[..., None]
    albedo = base * (1 + stones * worn + (fine - 0.25 * contrast) * (1 - worn))
    albedo *= _mottling(rng, size, 0.05)
    albedo *= 1 + 0.07 * grain(rng, size, 0.7)[..., None]
    relief = 1.6 * contrast * stone_relief * np.sqrt(stone / 12) + 0.6 * fine_relief
    return Surface('asphalt', albedo, relief + 0.25 * grain(rng, size, 1.0))


def concrete(rng: Rng, size: int) -> Surface:
    """Cast concrete: mottled, sandy, with trowel marks and pores."""
    base = rng.uniform(0.45, 0.78) * _tint(rng, 0.03, warm=0.04)
    albedo = base * _mottling(rng, size, rng.uniform(0.04, 0.09))
    albedo *= 1 + rng.uniform(0.015, 0.05) * fractal_noise(rng, size, 14, 3, 0.8)[..., None]
    albedo *= 1 + rng.uniform(0.02, 0.06) * grain(rng, size, 0.8)[..., None]
    relief = 0.3 * grain(rng, size, 1.2) + 0.8 * fractal_noise(rng, size, 40, 3)
    if rng.random() < 0.35:
        marks = _turned(rng, smooth_noise(rng, int(size * 1.5), (rng.uniform(4, 12), 120)), size)
        patchy = smoothstep(fractal_noise(rng, size, 120, 2), -0.5, 1.5)
        relief += rng.uniform(0.1, 0.5) * marks * patchy
        albedo *= 1 + rng.uniform(0.0, 0.03) * (marks * patchy)[..., None]
    pores = _spots(rng, size, count=rng.integers(0, 90), radius=(0.8, 3.6))
    albedo *= 1 - 0.45 * pores[..., None]
    return Surface('concrete', albedo, relief - 3 * pores)


def plaster(rng: Rng, size: int) -> Surface:
    """Painted or rendered wall: even colour, orange-peel or brushed relief."""
    colours = [(0.7, 0.82, 0.86), (0.8, 0.82, 0.84), (0.68, 0.76, 0.82), (0.76, 0.77, 0.74), (0.6, 0.66, 0.7)]
    base = np.float32(colours[rng.integers(len(colours))]) * rng.uniform(0.75, 1.02)
    albedo = base * _mottling(rng, size, rng.uniform(0.02, 0.05))
    albedo *= 1 + 0.015 * grain(rng, size, 0.8)[..., None]
    relief = rng.uniform(0.3, 1.0) * grain(rng, size, rng.uniform(1.2, 3.2))
    if rng.random() < 0.5:
        strokes = smooth_noise(rng, int(size * 1.5), (rng.uniform(3, 7), 60))
        relief = relief + rng.uniform(0.3, 0.8) * _turned(rng, strokes, size)
    weathering = smoothstep(fractal_noise(rng, size, 90, 5, 0.6), 0.7, 1.6)
    albedo *= 1 - rng.uniform(0, 0.25) * weathering[..., None]
    return Surface('plaster', albedo, relief)


def masonry(rng: Rng, size: int) -> Surface:
    """Bricks or blocks in running bond with recessed mortar."""
    height = rng.uniform(50, 90)
    origin = tuple(4 * size + rng.uniform(0, 4 * height, 2))
    courses = Courses(height * rng.uniform(2.0, 3.2), height, rng.normal(0, 0.04), origin)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    sway = [1.5 * smooth_noise(rng, size, 60) + 0.8 * smooth_noise(rng, size, 9) for _ in range(2)]
    along, across = courses.bricks(*courses.to_wall(x + sway[0], y + sway[1]))
    to_upright = np.minimum(along % 1, 1 - along % 1) * courses.width
    to_bed = np.minimum(across % 1, 1 - across % 1) * courses.height
    mortar = rng.uniform(2.5, 5.0)
    brick = smoothstep(np.minimum(to_upright, to_bed), mortar - 1.2, mortar + 1.8).astype(np.float32)
    colours = [(0.3, 0.36, 0.52), (0.36, 0.43, 0.58), (0.52, 0.54, 0.56), (0.5, 0.58, 0.64)]
    spread = 1 + rng.normal(0, 0.08, (97, 89, 1)) + rng.normal(0, 0.015, (97, 89, 3))
    column, row = np.floor(along).astype(int) % 89, np.floor(across).astype(int) % 97
    bricks = np.float32(colours[rng.integers(len(colours))]) * spread[row, column].astype(np.float32)
    bricks *= 1 + 0.08 * fractal_noise(rng, size, 18, 4, 0.7)[..., None]
    bricks *= 1 - 0.35 * _spots(rng, size, count=150, radius=(0.6, 2.4))[..., None]
    joints = rng.uniform(0.48, 0.7) * _tint(rng, 0.03) * (1 + 0.06 * grain(rng, size, 1.0)[..., None])
    albedo = bricks * brick[..., None] + joints * (1 - brick[..., None])
    relief = 2.5 * brick + 0.4 * grain(rng, size, 1.1) + 0.5 * fractal_noise(rng, size, 16, 3)
    return Surface('masonry', albedo * _mottling(rng, size, 0.05), relief, courses)


MATERIALS = {asphalt: 0.4, concrete: 0.28, plaster: 0.17, masonry: 0.15}
"""How often each material is drawn; asphalt most, as in the public crack sets."""


def draw_surface(rng: Rng, size: int, zoom: float = 1.0) -> Surface:
    """A random surface of ``size`` x ``size`` pixels; stones are ``zoom`` times as large."""
    makers, weights = list(MATERIALS), list(MATERIALS.values())
    maker = makers[rng.choice(len(makers), p=weights)]
    return maker(rng, size, zoom) if maker is asphalt else maker(rng, size)


def _stones(
    rng: Rng, size: int, spacing: float, contrast: float, exposed: float
) -> tuple[np.ndarray, np.ndarray]:
    """Angular stones as cells around jittered seeds: colour deviation (S, S, 3) and relief 0..1."""
    steps = np.arange(-spacing, size + spacing, spacing)
    seeds = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    seeds = seeds + rng.uniform(-0.7, 0.7, seeds.shape) * spacing
    cells = np.full((size, size), 255, np.uint8)
    inside = seeds[((seeds >= 0) & (seeds < size - 0.5)).all(1)].astype(int)
    cells[inside[:, 1], inside[:, 0]] = 0
    _, label = cv2.distanceTransformWithLabels(
        cells, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    bend = [0.1 * spacing * smooth_noise(rng, size, 1.1 * spacing) for _ in range(2)]
    y, x = np.mgrid[:size, :size].astype(np.float32)
    label = cv2.remap(label.astype(np.float32), x + bend[0], y + bend[1], cv2.INTER_NEAREST).astype(int)
    edges = np.zeros((size, size), bool)
    edges[1:] = label[1:] != label[:-1]
    edges[:, 1:] |= label[:, 1:] != label[:, :-1]
    to_edge = cv2.distanceTransform((~edges).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    count = label.max() + 1
    tone = contrast * (0.14 + 0.27 * rng.standard_normal((count, 1)) + 0.04 * rng.standard_normal((count, 3)))
    tone += contrast * (0.6 * (rng.random((count, 1)) < 0.05) - 0.25 * (rng.random((count, 1)) < 0.1))
    shown = (rng.random(count) < exposed) * rng.uniform(0.65, 1.0, count)
    gap = rng.uniform(0.04, 0.16) * spacing
    cover = smoothstep(to_edge, gap * 0.5, gap + 1.2) * shown[label].astype(np.float32)
    colour = tone.astype(np.float32)[label] * cover[..., None] - 0.35 * contrast * (1 - cover[..., None])
    return colour, cover * np.minimum(to_edge / (0.3 * spacing), 1)


def _spots(rng: Rng, size: int, count: int, radius: tuple[float, float]) -> np.ndarray:
    """Small soft ellipses, more of the small ones, as coverage 0..1."""
    spots = np.zeros((size, size), np.float32)
    for _ in range(count):
        r = radius[0] + (radius[1] - radius[0]) * rng.random() ** 3
        axes = tuple(int(16 * r * f) for f in rng.uniform(0.7, 1.2, 2))
        centre = tuple(int(16 * c) for c in rng.uniform(0, size, 2))
        cv2.ellipse(spots, centre, axes, rng.uniform(0, 180), 0, 360, 1.0, -1, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(spots, (0, 0), 0.7)


def _mottling(rng: Rng, size: int, strength: float) -> np.ndarray:
    """Large soft patches of brightness and a little hue, as a factor (S, S, 3)."""
    grey = strength * fractal_noise(rng, size, size / 2.5, 5, 0.6)
    hue = 0.25 * strength * fractal_noise(rng, size, size / 3, 3)
    return 1 + np.stack([grey - hue, grey, grey + hue], -1)


def _tint(rng: Rng, strength: float, warm: float = 0.0) -> np.ndarray:
    """Near-grey colour, BGR, around 1; ``warm`` moves it towards yellow."""
    temperature, green = rng.normal(warm, strength), rng.normal(0, strength / 4)
    return np.float32([1 - temperature, 1 + green, 1 + temperature])


def _turned(rng: Rng, field: np.ndarray, size: int) -> np.ndarray:
    """A square field turned by a random angle and cut to ``size``."""
    side = len(field)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(0, 180), 1.0)
    field = cv2.warpAffine(field, turn, (side, side), borderMode=cv2.BORDER_REFLECT)
    start = (side - size) // 2
    return field[start : start + size, start : start + size]

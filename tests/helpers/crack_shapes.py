"""Drawings of cracks whose geometry is known."""

import math

import numpy as np

SIZE = 160


def straight_crack(width, degrees, shift=0.0, length=120.0, size=SIZE):
    """A crack of exact width, at an angle that counts upwards, drawn by 4x4 samples per pixel."""
    samples = 4
    rows, columns = (np.mgrid[: size * samples, : size * samples] + 0.5) / samples - size / 2
    angle = math.radians(degrees)
    across = math.sin(angle) * columns + math.cos(angle) * rows - shift
    along = math.cos(angle) * columns - math.sin(angle) * rows
    inside = (np.abs(across) < width / 2) & (np.abs(along) < length / 2)
    return inside.reshape(size, samples, size, samples).mean((1, 3)) > 0.5

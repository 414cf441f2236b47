"""GeoJSON in pixels of the photos, y upwards, whatever is known about their places."""

from __future__ import annotations

from pathlib import Path

from . import geojson
from .data import CrackData


def write(data: CrackData, target: Path) -> int:
    """Write the file; returns the number of cracks."""
    return geojson.write(data, target, in_pixels=True)

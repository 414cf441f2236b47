"""DXF for CAD: centre lines as wide as the cracks are, outlines and labels; one file for each photo.

The unit is that of the photo's world file; without one millimetres, where the scale is known, or pixels. y
runs upwards from the photo's upper edge.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from csbsr_mm.utils.atomic_file import replacing

from ..selection import JOINT
from .data import CrackData, PhotoShapes
from .world import PIXELS, World, in_world, pixel_side, read_world_file

LAYERS = {'CRACKS': 1, 'JOINTS': 5, 'OUTLINES': 8, 'LABELS': 7}
"""Layers and the numbers of their colours."""
MILLIMETRES, NO_UNIT = 4, 0
LABEL_HEIGHT = 0.015
"""Height of labels, in sides of the photo."""


def write(data: CrackData, target: Path) -> int:
    """Write the files into a folder; returns the number of cracks."""
    count = 0
    for photo in data.photos():
        count += len(photo.cracks)
        with replacing(target / f'{photo.name}.dxf') as path:
            _drawing(photo).saveas(path)
    return count


def _drawing(photo: PhotoShapes) -> Any:
    import ezdxf

    world, unit = _coordinates(photo)
    document = ezdxf.new('R2010', units=unit)
    for name, colour in LAYERS.items():
        document.layers.add(name, color=colour)
    space = document.modelspace()
    side = pixel_side(world)
    for crack in photo.cracks:
        layer = 'JOINTS' if crack.measures['kind'] == JOINT else 'CRACKS'
        for line in crack.lines:
            # Width at the start and at the end of the segment that begins at each point.
            width = side * line[:, 2]
            points = np.column_stack([in_world(line, world), width, np.append(width[1:], width[-1])])
            space.add_lwpolyline(points.tolist(), format='xyse', dxfattribs={'layer': layer})
        for ring in crack.rings:
            space.add_lwpolyline(
                in_world(ring, world).tolist(), format='xy', close=True, dxfattribs={'layer': 'OUTLINES'}
            )
        label = space.add_text(
            _label(photo, crack.number, crack.measures),
            height=side * LABEL_HEIGHT * max(photo.width, photo.height),
            dxfattribs={'layer': 'LABELS'},
        )
        label.set_placement(_place(crack.measures, world))
    return document


def _coordinates(photo: PhotoShapes) -> tuple[World, int]:
    """The world of a photo, and AutoCAD's number of its unit."""
    world = read_world_file(photo.source)
    if world is not None:
        return world, NO_UNIT
    if photo.mm_per_pixel is None:
        return PIXELS, NO_UNIT
    return tuple(photo.mm_per_pixel * number for number in PIXELS), MILLIMETRES


def _label(photo: PhotoShapes, number: int, measures: Any) -> str:
    if photo.in_mm is None:
        return f'{number}: {measures["max_width"]:.2f} px'
    return f'{number}: {photo.in_mm[number - 1]["max_width"]:.2f} mm'


def _place(measures: Any, world: World) -> tuple[float, float]:
    """The widest place of a crack, or the middle of its box."""
    top, left, bottom, right = measures['box']
    row, column = measures['widest_at'] or ((top + bottom) / 2, (left + right) / 2)
    (place,) = in_world(np.array([[column, row]]), world).tolist()
    return place[0], place[1]

"""DXF for CAD: centre lines as wide as the cracks are, outlines and labels; one file for each photo.

The unit is that of the photo's world file; without one millimetres, where the scale is known, or pixels. y
runs upwards. Where it is known how the camera looks at the wall, the drawing is that of the wall.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.inspection.measurement.selection import JOINT
from csbsr_mm.utils.atomic_file import replacing

from .crack_lines import CrackShape
from .data import CrackData, PhotoShapes
from .world import PIXELS, in_world, on_wall, pixel_side, read_world_file

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


class _Sheet:
    """From pixels of a photo to the coordinates of its drawing.

    Attributes:
        unit: AutoCAD's number of their unit.
    """

    def __init__(self, photo: PhotoShapes) -> None:
        self.world = read_world_file(photo.source)
        self.plane, self.unit = None, NO_UNIT
        if self.world is None:
            self.plane = photo.plane
            self.world = PIXELS
            if photo.mm_per_pixel is not None:
                self.world, self.unit = tuple(photo.mm_per_pixel * value for value in PIXELS), MILLIMETRES

    def places(self, points: NDArray[np.float64]) -> list[tuple[float, float]]:
        """Coordinates of points (N, 2 or more), x and y first."""
        if self.plane is not None:
            found = on_wall(points[:, :2], self.plane)
        else:
            found = in_world(points, self.world)
        return [(x, y) for x, y in found.tolist()]

    def sides(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Side of a pixel at each point."""
        if self.plane is None:
            return np.full(len(points), pixel_side(self.world))
        return np.array([self.plane.at(y, x).along for x, y in points[:, :2].tolist()])


def _drawing(photo: PhotoShapes) -> Any:
    import ezdxf

    sheet = _Sheet(photo)
    document = ezdxf.new('R2010', units=sheet.unit)
    for name, colour in LAYERS.items():
        document.layers.add(name, color=colour)
    space = document.modelspace()
    for crack in photo.cracks:
        layer = 'JOINTS' if crack.measures['kind'] == JOINT else 'CRACKS'
        for line in crack.lines:
            # Width at the start and at the end of the segment that begins at each point.
            width = sheet.sides(line) * line[:, 2]
            points = np.column_stack([sheet.places(line), width, np.append(width[1:], width[-1])])
            space.add_lwpolyline(points.tolist(), format='xyse', dxfattribs={'layer': layer})
        for ring in crack.rings:
            outline = {'layer': 'OUTLINES'}
            space.add_lwpolyline(sheet.places(ring), format='xy', close=True, dxfattribs=outline)
        widest = _widest(crack.measures)
        height = LABEL_HEIGHT * max(photo.width, photo.height) * float(sheet.sides(widest)[0])
        label = space.add_text(_label(photo, crack), height=height, dxfattribs={'layer': 'LABELS'})
        label.set_placement(sheet.places(widest)[0])
    return document


def _label(photo: PhotoShapes, crack: CrackShape) -> str:
    if photo.in_mm is None:
        return f'{crack.number}: {crack.measures["max_width"]:.2f} px'
    return f'{crack.number}: {photo.in_mm[crack.number - 1]["max_width"]:.2f} mm'


def _widest(measures: Mapping) -> NDArray[np.float64]:
    """(1, 2) x and y of the widest place of a crack, or of the middle of its box."""
    top, left, bottom, right = measures['box']
    row, column = measures['widest_at'] or ((top + bottom) / 2, (left + right) / 2)
    return np.array([[column, row]], float)

"""CVAT for images 1.1: the cracks as polygons, to be uploaded into a task and corrected there."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

from .data import CrackData
from .files import write_text


def write(data: CrackData, target: Path) -> int:
    """Write the file; returns the number of cracks.

    A polygon of CVAT has no holes: cuts of no width lead to them, see :func:`..outlines.join_rings`.
    """
    root = Xml.Element('annotations')
    Xml.SubElement(root, 'version').text = '1.1'
    count = 0
    for number, photo in enumerate(data.photos()):
        size = {'width': str(photo.width), 'height': str(photo.height)}
        image = Xml.SubElement(root, 'image', {'id': str(number), 'name': photo.source.name, **size})
        count += len(photo.cracks)
        for crack in photo.cracks:
            points = ';'.join(f'{x:.4f},{y:.4f}' for x, y in crack.outline)
            shape = {'label': 'crack', 'source': 'auto', 'occluded': '0', 'points': points, 'z_order': '0'}
            Xml.SubElement(image, 'polygon', shape)
    Xml.indent(root)
    write_text(target, '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(root, 'unicode') + '\n')
    return count

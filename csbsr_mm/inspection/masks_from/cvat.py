"""CVAT for images 1.1: polygons and masks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np

from .common import file_name, wanted_labels
from .run_lengths import cvat_mask
from .shapes import AnnotatedPhoto, Bitmap, Polygon


def read(path: Path, label: str) -> Iterator[AnnotatedPhoto]:
    """Yield the photos of a CVAT file; those without shapes have no cracks."""
    try:
        root = Xml.parse(path).getroot()
    except Xml.ParseError as error:
        raise ValueError(f'{path} is no XML ({error}); export as "CVAT for images 1.1"') from error
    images = root.findall('image')
    if root.tag != 'annotations' or not images:
        raise ValueError(f'{path} has no images of CVAT; export as "CVAT for images 1.1"')
    used = {shape.get('label', '') for image in images for shape in image if shape.get('label')}
    labels = wanted_labels(path, label, used)
    for image in images:
        size = (int(image.get('height', 0)), int(image.get('width', 0)))
        photo = AnnotatedPhoto(file_name(image.get('name', '')), size)
        for shape in image:
            if shape.get('label') in labels:
                _add(photo, shape)
        yield photo


def _add(photo: AnnotatedPhoto, shape: Xml.Element) -> None:
    if shape.tag == 'polygon':
        points = [point.split(',') for point in shape.get('points', '').split(';')]
        photo.shapes.append(Polygon(np.array(points, float)))
    elif shape.tag == 'mask':
        left, top, width, height = (
            int(float(shape.get(side, 0))) for side in ('left', 'top', 'width', 'height')
        )
        photo.shapes.append(Bitmap(cvat_mask(shape.get('rle', ''), (height, width)), top, left))
    else:
        photo.left_out[shape.tag] += 1

"""COCO annotations: polygons, and masks as run lengths."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .common import file_name, load_json, wanted_labels
from .run_lengths import coco_mask
from .shapes import AnnotatedPhoto, Bitmap, Polygon


def read(path: Path, label: str) -> Iterator[AnnotatedPhoto]:
    """Yield the photos of a COCO file; those without annotations have no cracks."""
    content = load_json(path)
    if not isinstance(content, dict) or not {'images', 'annotations'} <= set(content):
        raise ValueError(f'{path} is no COCO file: it has no images and annotations')
    names = {category['id']: category['name'] for category in content.get('categories', ())}
    used = {names.get(annotation['category_id'], '') for annotation in content['annotations']}
    labels = wanted_labels(path, label, used)
    found = defaultdict(list)
    for annotation in content['annotations']:
        if names.get(annotation['category_id'], '') in labels:
            found[annotation['image_id']].append(annotation.get('segmentation'))
    for image in content['images']:
        photo = AnnotatedPhoto(file_name(image['file_name']), (image['height'], image['width']))
        for segmentation in found[image['id']]:
            _add(photo, segmentation)
        yield photo


def _add(photo: AnnotatedPhoto, segmentation: list | dict | None) -> None:
    if not segmentation:
        photo.left_out['box'] += 1
    elif isinstance(segmentation, dict):
        photo.shapes.append(Bitmap(coco_mask(segmentation)))
    else:
        photo.shapes += [Polygon(np.asarray(ring, float).reshape(-1, 2)) for ring in segmentation]

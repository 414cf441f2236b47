"""COCO: one annotation for each crack, its outline a polygon."""

from __future__ import annotations

from pathlib import Path

from .data import CrackData
from .files import write_json

CATEGORY = {'id': 1, 'name': 'crack', 'supercategory': 'damage'}


def write(data: CrackData, target: Path) -> int:
    """Write the file; returns the number of cracks.

    A polygon of COCO has no holes: cuts of no width lead to them, see :func:`..outlines.join_rings`.
    """
    images, annotations = [], []
    for number, photo in enumerate(data.photos(), 1):
        size = {'width': photo.width, 'height': photo.height}
        images.append({'id': number, 'file_name': photo.source.name, **size})
        for crack in photo.cracks:
            top, left, bottom, right = crack.measures['box']
            confidence = crack.measures['confidence']
            annotations.append(
                {
                    'id': len(annotations) + 1,
                    'image_id': number,
                    'category_id': CATEGORY['id'],
                    'iscrowd': 0,
                    'area': crack.measures['area'],
                    'bbox': [left, top, right - left, bottom - top],
                    'segmentation': [crack.outline.ravel().round(4).tolist()],
                    **({} if confidence is None else {'score': confidence}),
                }
            )
    write_json(target, {'images': images, 'annotations': annotations, 'categories': [CATEGORY]})
    return len(annotations)

"""Label Studio: tasks with the cracks as predictions, which people correct there."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import numpy as np

from .data import CrackData, PhotoShapes
from .files import write_json

CONFIG = """<View>
  <Image name="image" value="$image" zoom="true"/>
  <PolygonLabels name="polygon" toName="image"><Label value="crack" background="#e61e1e"/></PolygonLabels>
  <BrushLabels name="brush" toName="image"><Label value="crack" background="#e61e1e"/></BrushLabels>
</View>
"""
"""The labelling interface that the tasks are made for."""
LOCAL_FILES = '/data/local-files/?d='
"""Where Label Studio finds a file of its local storage, below the storage's root."""


def write(data: CrackData, target: Path) -> int:
    """Write the file; returns the number of cracks."""
    tasks, count = [], 0
    for photo in data.photos():
        count += len(photo.cracks)
        tasks.append(
            {'data': {'image': LOCAL_FILES + quote(photo.source.name)}, 'predictions': [_prediction(photo)]}
        )
    write_json(target, tasks)
    return count


def _prediction(photo: PhotoShapes) -> dict:
    size = np.array([photo.width, photo.height])
    results = []
    for crack in photo.cracks:
        confidence = crack.measures['confidence']
        results.append(
            {
                'id': f'crack-{crack.number}',
                'type': 'polygonlabels',
                'from_name': 'polygon',
                'to_name': 'image',
                'original_width': photo.width,
                'original_height': photo.height,
                'image_rotation': 0,
                'value': {
                    # Percent of the sides.
                    'points': (100 * crack.outline / size).round(7).tolist(),
                    'closed': True,
                    'polygonlabels': ['crack'],
                },
                **({} if confidence is None else {'score': confidence}),
            }
        )
    scores = [result['score'] for result in results if 'score' in result]
    return {'model_version': 'csbsr', 'result': results, **({'score': min(scores)} if scores else {})}

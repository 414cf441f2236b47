"""Label Studio's JSON export: polygons and brushes of finished annotations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .common import file_name, load_json, wanted_labels
from .run_lengths import label_studio_mask
from .shapes import AnnotatedPhoto, Bitmap, Polygon

LABEL_KEYS = ('polygonlabels', 'brushlabels', 'labels', 'rectanglelabels', 'keypointlabels', 'ellipselabels')


def read(path: Path, label: str) -> Iterator[AnnotatedPhoto]:
    """Yield the photos whose tasks have an annotation; of several the one that was changed last counts."""
    tasks = load_json(path)
    if not isinstance(tasks, list) or not all(isinstance(task, dict) and 'data' in task for task in tasks):
        raise ValueError(f'{path} is no export of Label Studio; export as JSON (not as JSON-MIN)')
    done = [(task, annotation) for task in tasks if (annotation := _last_annotation(task)) is not None]
    if not done:
        raise ValueError(
            f'no task of {path} has an annotation; predictions alone are not taken: submit the tasks that '
            'were checked'
        )
    used = {name for _, annotation in done for result in annotation['result'] for name in _labels(result)}
    labels = wanted_labels(path, label, used)
    for task, annotation in done:
        photo = AnnotatedPhoto(_photo(task), None)
        for result in annotation['result']:
            if 'original_width' in result:
                photo.size = (result['original_height'], result['original_width'])
            if labels & set(_labels(result)):
                _add(photo, result)
        yield photo


def _last_annotation(task: dict) -> dict | None:
    finished = [one for one in task.get('annotations', ()) if not one.get('was_cancelled')]
    return max(finished, key=lambda one: one.get('updated_at') or '', default=None)


def _labels(result: dict) -> list[str]:
    value = result.get('value', {})
    return [name for key in LABEL_KEYS for name in value.get(key, ())]


def _photo(task: dict) -> str:
    """File of a task's photo: the entry ``image`` of its data, or the only one there is."""
    data = task['data']
    address = data.get('image') or (next(iter(data.values())) if len(data) == 1 else None)
    if not isinstance(address, str):
        raise ValueError(f'the data of task {task.get("id")} have no entry "image"')
    return file_name(address)


def _add(photo: AnnotatedPhoto, result: dict) -> None:
    value, kind = result['value'], result['type']
    if result.get('image_rotation'):
        raise ValueError(f'{photo.name} was turned in Label Studio; turn it back')
    if kind == 'polygonlabels':
        height, width = photo.size or (0, 0)
        # Percent of the sides.
        photo.shapes.append(Polygon(np.asarray(value['points'], float) * (width / 100, height / 100)))
    elif kind == 'brushlabels' and value.get('format') == 'rle':
        photo.shapes.append(Bitmap(label_studio_mask(value['rle'], photo.size or (0, 0))))
    else:
        photo.left_out[kind.removesuffix('labels')] += 1

"""Write the cracks of a report in formats that other tools load: GeoJSON, COCO, SVG."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from .crack_lines import CrackShape, crack_shapes
from .photo_output import OutputFolder
from .prediction_run import Record

WORLD_FILES = {'.jpg': '.jgw', '.jpeg': '.jgw', '.png': '.pgw', '.tif': '.tfw', '.tiff': '.tfw'}
PIXELS = (1.0, 0.0, 0.0, -1.0, 0.5, -0.5)
"""Columns to the right, rows downwards: the world of a photo without a world file."""

Shapes = Iterable[tuple[Record, list[CrackShape]]]


def write_annotations(folder: str | Path, kind: str, target: str | Path) -> int:
    """Write all cracks of a report.

    Args:
        folder: Output folder of ``csbsr predict``.
        kind: 'geojson' (centre lines with the width at each point), 'coco' (outlines), or 'svg' (centre lines
            over the photos, one file each).
        target: File to write; a folder for 'svg'.

    Returns:
        Number of cracks written.

    Raises:
        FileNotFoundError: The folder holds no report.
        ValueError: There is no such kind.
    """
    if kind not in WRITERS:
        raise ValueError(f'no format {kind!r}; there are {", ".join(WRITERS)}')
    summary = Path(folder) / 'summary.json'
    if not summary.is_file():
        raise FileNotFoundError(f'{folder} holds no summary.json; name the --out-dir of csbsr predict')
    output = OutputFolder(folder)
    names = [photo['name'] for photo in json.loads(summary.read_text(encoding='utf-8'))['photos']]
    records = [
        json.loads(output.path('records', f'{name}.json').read_text(encoding='utf-8')) for name in names
    ]
    done = [record for record in records if record['status'] == 'ok']
    return WRITERS[kind](((record, list(crack_shapes(output, record))) for record in done), Path(target))


def read_world_file(photo: str | Path) -> tuple[float, ...]:
    """The six numbers of a photo's world file, or those of its pixels if it has none.

    Raises:
        ValueError: The file does not hold six numbers.
    """
    path = Path(photo)
    for suffix in (WORLD_FILES.get(path.suffix.lower(), '.wld'), '.wld'):
        world = path.with_suffix(suffix)
        if world.is_file():
            numbers = tuple(float(word) for word in world.read_text(encoding='utf-8').split())
            if len(numbers) != 6:
                raise ValueError(f'{world} must hold six numbers, got {len(numbers)}')
            return numbers
    return PIXELS


def _write_geojson(shapes: Shapes, target: Path) -> int:
    """One line for each branch. The world's unit is that of the world file, or pixels with y upwards."""
    features, count = [], 0
    for record, cracks in shapes:
        world = read_world_file(record['source'])
        count += len(cracks)
        for crack in cracks:
            facts = _facts(record, crack)
            for branch, line in enumerate(crack.lines, 1):
                features.append(
                    {
                        'type': 'Feature',
                        'geometry': {'type': 'LineString', 'coordinates': _in_world(line, world)},
                        'properties': {**facts, 'branch': branch, 'widths_px': _rounded(line[:, 2])},
                    }
                )
    _write_json(target, {'type': 'FeatureCollection', 'features': features})
    return count


def _write_coco(shapes: Shapes, target: Path) -> int:
    """One annotation for each crack, with the outer borders of its mask."""
    images, annotations = [], []
    for number, (record, cracks) in enumerate(shapes, 1):
        size = {'width': record['width'], 'height': record['height']}
        images.append({'id': number, 'file_name': Path(record['source']).name, **size})
        for crack in cracks:
            top, left, bottom, right = crack.measures['box']
            annotations.append(
                {
                    'id': len(annotations) + 1,
                    'image_id': number,
                    'category_id': 1,
                    'iscrowd': 0,
                    'area': crack.measures['area'],
                    'bbox': [left, top, right - left, bottom - top],
                    'segmentation': [_rounded(outline.ravel()) for outline in crack.outlines],
                    **(
                        {}
                        if crack.measures['confidence'] is None
                        else {'score': crack.measures['confidence']}
                    ),
                }
            )
    categories = [{'id': 1, 'name': 'crack'}]
    _write_json(target, {'images': images, 'annotations': annotations, 'categories': categories})
    return len(annotations)


def _write_svg(shapes: Shapes, target: Path) -> int:
    """Centre lines as wide as the cracks are, over a link to the photo."""
    target.mkdir(parents=True, exist_ok=True)
    count = 0
    for record, cracks in shapes:
        count += len(cracks)
        width, height = record['width'], record['height']
        photo = quoteattr(Path(record['source']).resolve().as_uri())
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
            f'<image href={photo} width="{width}" height="{height}"/>',
            '<g fill="none" stroke="#e61e1e" stroke-linecap="round" stroke-linejoin="round">',
        ]
        for crack in cracks:
            title = f'{crack.number}: widest {crack.measures["max_width"]:.2f} px'
            lines.append(f'<g stroke-width="{crack.measures["mean_width"]:.2f}"><title>{title}</title>')
            for line in crack.lines:
                points = ' '.join(f'{x:.2f},{y:.2f}' for x, y, _ in line)
                lines.append(f'<polyline points="{points}"/>')
            lines.append('</g>')
        (target / f'{record["name"]}.svg').write_text(
            '\n'.join([*lines, '</g>', '</svg>', '']), encoding='utf-8'
        )
    return count


def _facts(record: Record, crack: CrackShape) -> dict:
    measures = crack.measures
    lengths = ('length', 'mean_width', 'width_95', 'max_width')
    return {
        'photo': Path(record['source']).name,
        'crack': crack.number,
        'kind': measures['kind'],
        'confidence': measures['confidence'],
        **{f'{name}_px': round(measures[name], 3) for name in lengths},
    }


def _in_world(line: NDArray[np.float64], world: tuple[float, ...]) -> list[list[float]]:
    """World coordinates of points; a world file speaks of the middles of pixels."""
    across, down, across_row, down_row, left, top = world
    column, row = line[:, 0] - 0.5, line[:, 1] - 0.5
    x = across * column + across_row * row + left
    y = down * column + down_row * row + top
    return np.column_stack([x, y]).round(6).tolist()


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return values.round(3).tolist()


def _write_json(target: Path, content: dict) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(content, ensure_ascii=False, allow_nan=False) + '\n', encoding='utf-8')


WRITERS: dict[str, Callable[[Shapes, Path], int]] = {
    'geojson': _write_geojson,
    'coco': _write_coco,
    'svg': _write_svg,
}

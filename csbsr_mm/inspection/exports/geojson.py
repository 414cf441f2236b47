"""GeoJSON (RFC 7946): one line for each branch, with the width at each point.

Coordinates are those of a photo's GeoTIFF tags, of its world file, or longitude, latitude and height by GPS,
heading and scale; the first that there is. Where no photo has any, they are pixels with y upwards. A photo
without a place among others with one has features without geometry.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.inspection.places.georeference import WGS_84, Georeference, georeference_tiff

from .data import CrackData, PhotoShapes
from .files import write_json
from .world import PIXELS, in_world, read_world_file

DECIMALS = {WGS_84: 10}
"""Of coordinates: a tenth of a millimetre and less; six in all other systems."""


def write(data: CrackData, target: Path, in_pixels: bool = False) -> int:
    """Write the file.

    Args:
        data: The cracks.
        target: The file.
        in_pixels: Whether coordinates are pixels, whatever is known about places.

    Returns:
        Number of cracks.

    Raises:
        ValueError: Photos are in different reference systems.
    """
    features, count = [], 0
    systems: dict[tuple[str, int | None], str] = {}
    for photo in data.photos():
        place = None if in_pixels else place_of(photo)
        if place is not None:
            # A camera's place and a GeoTIFF in WGS 84 go together; world files do not name their system.
            systems.setdefault(('' if place.epsg else place.source, place.epsg), photo.source.name)
        count += len(photo.cracks)
        for crack in photo.cracks:
            facts = photo.facts(crack) | {'coordinates': 'pixels' if place is None else place.source}
            for branch, line in enumerate(crack.lines, 1):
                features.append((line, place, {**facts, 'branch': branch}))
    if len(systems) > 1:
        names = ', '.join(f'{name}: {source or f"EPSG:{epsg}"}' for (source, epsg), name in systems.items())
        raise ValueError(
            f'the photos are in different reference systems ({names}); export geojson-pixels, or reports of '
            f'their own'
        )
    collection = {
        'type': 'FeatureCollection',
        'features': [_feature(*one, bool(systems)) for one in features],
    }
    epsg = next(iter(systems), ('', None))[1]
    if epsg not in (None, WGS_84):
        # Not in RFC 7946, which knows WGS 84 alone; GDAL and QGIS read it.
        collection['crs'] = {'type': 'name', 'properties': {'name': f'urn:ogc:def:crs:EPSG::{epsg}'}}
    write_json(target, collection)
    return count


def place_of(photo: PhotoShapes) -> Georeference | None:
    """Where a photo's pixels are, in the order in which GDAL asks: tags, world file; then GPS and heading."""
    place = georeference_tiff(photo.source)
    if place is not None:
        return place
    world = read_world_file(photo.source)
    return photo.view if world is None else Georeference(lambda points: in_world(points, world), 'world file')


def _feature(
    line: NDArray[np.float64], place: Georeference | None, facts: dict[str, object], others_have_one: bool
) -> dict[str, object]:
    geometry = None
    if place is not None or not others_have_one:
        points = in_world(line, PIXELS) if place is None else place.to_world(line[:, :2])
        decimals = DECIMALS.get(place.epsg or 0, 6) if place is not None else 6
        geometry = {'type': 'LineString', 'coordinates': points.round(decimals).tolist()}
    else:
        facts = {**facts, 'coordinates': 'unknown'}
    properties = {**facts, 'widths_px': line[:, 2].round(3).tolist()}
    return {'type': 'Feature', 'geometry': geometry, 'properties': properties}

"""GeoJSON (RFC 7946): one line for each branch, with the width at each point.

The unit is that of the world file, or pixels with y upwards.
"""

from __future__ import annotations

from pathlib import Path

from .data import CrackData
from .files import write_json
from .world import in_world, world_of


def write(data: CrackData, target: Path) -> int:
    """Write the file; returns the number of cracks."""
    features, count = [], 0
    for photo in data.photos():
        world = world_of(photo.source)
        count += len(photo.cracks)
        for crack in photo.cracks:
            facts = photo.facts(crack)
            for branch, line in enumerate(crack.lines, 1):
                features.append(
                    {
                        'type': 'Feature',
                        'geometry': {
                            'type': 'LineString',
                            'coordinates': in_world(line, world).round(6).tolist(),
                        },
                        'properties': {**facts, 'branch': branch, 'widths_px': line[:, 2].round(3).tolist()},
                    }
                )
    write_json(target, {'type': 'FeatureCollection', 'features': features})
    return count

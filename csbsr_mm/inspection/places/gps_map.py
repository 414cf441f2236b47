"""A map of where photos were taken, drawn without any map service: points, directions, a scale bar."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple
from urllib.parse import quote

EARTH_RADIUS = 6_371_000.0
WIDTH, MARGIN, LEAST_HEIGHT, MOST_HEIGHT = 1000, 40, 240, 640
LEAST_SPAN = 5.0
"""Metres that the map shows at least: finer differences are the receiver's noise."""

RADIUS, RAY = 7, 20
BAR = 200
"""Longest scale bar, in units of the picture."""


class MapPoint(NamedTuple):
    """A photo on the map.

    Attributes:
        name: Name of its results.
        latitude: Degrees, north positive.
        longitude: Degrees, east positive.
        heading: Direction of view in degrees clockwise from north, or None.
        cracks: Number of cracks.
        link: Path of a picture, below the page's folder.
        label: What to say about it.
    """

    name: str
    latitude: float
    longitude: float
    heading: float | None
    cracks: int
    link: str
    label: str


def map_points(records: Sequence[Mapping[str, Any]]) -> list[MapPoint]:
    """The photos of a report that say where they were taken."""
    points = []
    for record in records:
        if record['status'] != 'ok' or record['latitude'] is None or record['longitude'] is None:
            continue
        count = len(record['cracks'])
        points.append(
            MapPoint(
                record['name'],
                record['latitude'],
                record['longitude'],
                (record.get('camera') or {}).get('heading'),
                count,
                record['files'].get('overlay', record['files'].get('after', '')),
                f'{record["name"]}: {count} crack{"" if count == 1 else "s"}',
            )
        )
    return points


def draw_map(points: Sequence[MapPoint]) -> str:
    """Draw a map, north up, as an SVG element to put into a page.

    Args:
        points: Photos. Those with cracks are drawn last, over the others.

    Returns:
        The element, or nothing without points. Each photo is a link with the attribute ``data-photo``.

    Example:
        >>> draw_map([MapPoint('a', 35.0, 139.0, 90.0, 2, 'overlay/a.jpg', 'a: 2 cracks')]).count('<circle')
        1
    """
    if not points:
        return ''
    places, metres_per_unit, height = _project(points)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="group" '
        f'aria-label="Map of {len(points)} photos, north up">'
    ]
    order = sorted(range(len(points)), key=lambda index: points[index].cracks > 0)
    lines += [_draw(points[index], *places[index]) for index in order]
    lines += [_scale_bar(metres_per_unit, height), _north()]
    return '\n'.join([*lines, '</svg>'])


def local_metres(points: Sequence[MapPoint]) -> list[tuple[float, float]]:
    """Metres to the east and north of the first point, on a plane that touches the earth there."""
    first = points[0]
    radius = EARTH_RADIUS * math.cos(math.radians(first.latitude))
    places = []
    for point in points:
        # The shorter way around, also across 180 degrees.
        east = (point.longitude - first.longitude + 180) % 360 - 180
        north = point.latitude - first.latitude
        places.append((radius * math.radians(east), EARTH_RADIUS * math.radians(north)))
    return places


def _project(points: Sequence[MapPoint]) -> tuple[list[tuple[float, float]], float, int]:
    """Places in the picture, metres per unit of it, and its height."""
    metres = local_metres(points)
    (west, east), (south, north) = ((min(values), max(values)) for values in zip(*metres, strict=True))
    across, up = max(east - west, LEAST_SPAN), max(north - south, LEAST_SPAN)
    scale = max(across / (WIDTH - 2 * MARGIN), up / (MOST_HEIGHT - 2 * MARGIN))
    height = max(round(up / scale) + 2 * MARGIN, LEAST_HEIGHT)
    middle = ((west + east) / 2, (south + north) / 2)
    places = [(WIDTH / 2 + (x - middle[0]) / scale, height / 2 - (y - middle[1]) / scale) for x, y in metres]
    return places, scale, height


def _draw(point: MapPoint, x: float, y: float) -> str:
    kind = 'cracked' if point.cracks else 'clear'
    ray = ''
    if point.heading is not None:
        angle = math.radians(point.heading)
        end = x + RAY * math.sin(angle), y - RAY * math.cos(angle)
        ray = f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"/>'
    return (
        f'<a href="{quote(point.link)}" data-photo="{escape(point.name)}" class="{kind}">'
        f'<title>{escape(point.label)}</title>{ray}<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}"/></a>'
    )


def _scale_bar(metres_per_unit: float, height: int) -> str:
    """The largest of 1, 2, 5, 10, ... metres that fits."""
    limit = BAR * metres_per_unit
    power = 10.0 ** math.floor(math.log10(limit))
    length = max(step * power for step in (1, 2, 5) if step * power <= limit)
    text = f'{length / 1000:g} km' if length >= 1000 else f'{length:g} m'
    y = height - 14
    end = 14 + length / metres_per_unit
    return (
        f'<g class="bar"><path d="M14 {y - 5}V{y}H{end:.1f}V{y - 5}"/>'
        f'<text x="{end + 8:.1f}" y="{y}">{text}</text></g>'
    )


def _north() -> str:
    x = WIDTH - 22
    return (
        f'<g class="bar"><path d="M{x} 34V12M{x - 5} 19L{x} 12L{x + 5} 19"/>'
        f'<text x="{x - 5}" y="48">N</text></g>'
    )

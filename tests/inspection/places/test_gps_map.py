"""The map read back as XML: distances and directions on it are those on the ground."""

import math
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from csbsr_mm.inspection.places.gps_map import MapPoint, draw_map, map_points

SVG = '{http://www.w3.org/2000/svg}'


def point(name, latitude, longitude, heading=None, cracks=0):
    return MapPoint(name, latitude, longitude, heading, cracks, f'overlay/{name}.jpg', f'{name} & more')


def read(points):
    root = ElementTree.fromstring(draw_map(points))
    places = {}
    for link in root.iter(f'{SVG}a'):
        circle = link.find(f'{SVG}circle')
        places[link.get('data-photo')] = (float(circle.get('cx')), float(circle.get('cy')))
    width, height = map(float, root.get('viewBox').split()[2:])
    assert all(0 < x < width and 0 < y < height for x, y in places.values())
    return root, places


def metres_of_bar(root):
    path = next(root.iter(f'{SVG}path')).get('d')
    length = float(path.split('H')[1].split('V')[0]) - 14
    number, unit = next(root.iter(f'{SVG}text')).text.split()
    return float(number) * dict(m=1, km=1000)[unit] / length


@pytest.mark.parametrize('latitude', [0.0, 35.0, -60.0])
def test_distances_are_those_of_the_scale_bar(latitude):
    """By the haversine formula."""
    pairs = [(latitude, 139.0), (latitude + 0.001, 139.0), (latitude, 139.002)]
    root, places = read([point(str(index), *pair) for index, pair in enumerate(pairs)])
    unit = metres_of_bar(root)
    for index in (1, 2):
        one, other = (math.radians(value) for value in (latitude, pairs[index][0]))
        turn = math.radians(pairs[index][1] - 139.0)
        sine = math.sin((other - one) / 2) ** 2 + math.cos(one) * math.cos(other) * math.sin(turn / 2) ** 2
        expected = 2 * 6_371_000 * math.asin(math.sqrt(sine))
        drawn = math.dist(places['0'], places[str(index)]) * unit
        assert drawn == pytest.approx(expected, rel=0.005)
    assert places['1'][1] < places['0'][1]
    assert places['2'][0] > places['0'][0]


def test_across_the_date_line():
    root, places = read([point('west', 10.0, 179.9999), point('east', 10.0, -179.9999)])
    assert places['east'][0] > places['west'][0]
    assert metres_of_bar(root) < 1


def test_headings_links_and_names():
    root, places = read([point('a "<b>', 35.0, 139.0, 90.0, 1), point('c d', 35.0, 139.0)])
    first, second = root.iter(f'{SVG}a')
    assert [first.get('class'), second.get('class')] == ['clear', 'cracked']
    assert unquote(second.get('href')) == 'overlay/a "<b>.jpg'
    assert second.find(f'{SVG}title').text == 'a "<b> & more'
    assert first.find(f'{SVG}line') is None
    ray = second.find(f'{SVG}line')
    x, y = places['a "<b>']
    assert (float(ray.get('x1')), float(ray.get('y1')), float(ray.get('y2'))) == (x, y, y)
    assert float(ray.get('x2')) > x


def test_photos_without_a_place_are_left_out():
    record = dict(
        name='a', status='ok', latitude=35.0, longitude=139.0, cracks=[{}], camera=dict(heading=10.0)
    )
    record['files'] = dict(overlay='overlay/a.jpg')
    records = [record, {**record, 'latitude': None}, dict(status='failed'), {**record, 'camera': None}]
    first, second = map_points(records)
    assert (first.heading, first.cracks, first.link, first.label) == (10.0, 1, 'overlay/a.jpg', 'a: 1 crack')
    assert second.heading is None
    assert draw_map([]) == ''

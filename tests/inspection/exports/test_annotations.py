"""Exports read back by other means: geometry that was drawn, outlines rasterized by Pillow."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from helpers.dark_backend import DarkBackend
from PIL import Image, ImageDraw

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.cli import main
from csbsr_mm.inspection.exports import write_export
from csbsr_mm.inspection.exports.command import write_annotations
from csbsr_mm.inspection.exports.crack_lines import CrackShape
from csbsr_mm.inspection.exports.data import CrackData, PhotoShapes
from csbsr_mm.inspection.places.georeference import Georeference
from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.prediction.run import PredictionRun
from csbsr_mm.inspection.report.pages import Report
from csbsr_mm.photos.input_files import find_photos

SCALE = 2


@pytest.fixture
def report(tmp_path):
    """A cross and a straight crack."""
    image = np.full((120, 160, 3), 180, np.uint8)
    image[30:34, 10:100] = 10
    image[10:60, 50:54] = 10
    image[90:96, 20:140] = 30
    Image.fromarray(image).save(tmp_path / 'a.png')
    folder = OutputFolder(tmp_path / 'report')
    run = PredictionRun(CrackInferencer(DarkBackend(SCALE)), folder)
    records = list(run.run(find_photos([tmp_path / 'a.png'])))
    Report(folder, records).write()
    return tmp_path / 'report'


def test_geojson(report, tmp_path):
    assert write_annotations(report, 'geojson', tmp_path / 'a.geojson') == 2
    features = json.loads((tmp_path / 'a.geojson').read_text())['features']
    lines = {}
    for feature in features:
        lines.setdefault(feature['properties']['crack'], []).append(feature)
    cross, straight = sorted(lines.values(), key=len, reverse=True)
    assert (len(cross), len(straight)) == (4, 1)
    x, y = np.array(straight[0]['geometry']['coordinates']).T
    assert np.allclose(y, -93, atol=0.1)
    assert (min(x[0], x[-1]), max(x[0], x[-1])) == (pytest.approx(20, abs=0.5), pytest.approx(140, abs=0.5))
    assert np.allclose(straight[0]['properties']['widths_px'], 6, atol=0.1)
    # The four arms meet in one point.
    ends = [tuple(arm['geometry']['coordinates'][k]) for arm in cross for k in (0, -1)]
    assert max(ends.count(end) for end in ends) == 4


def test_geojson_in_the_coordinates_of_a_world_file(report, tmp_path):
    (tmp_path / 'a.pgw').write_text('0.01\n0\n0\n-0.01\n500000.005\n3999999.995\n')
    write_annotations(report, 'geojson', tmp_path / 'a.geojson')
    features = json.loads((tmp_path / 'a.geojson').read_text())['features']
    y = [point[1] for feature in features for point in feature['geometry']['coordinates']]
    assert min(y) == pytest.approx(4e6 - 0.93, abs=0.002)
    (tmp_path / 'a.pgw').write_text('1 2 3')
    with pytest.raises(ValueError, match='must hold six numbers, got 3'):
        write_annotations(report, 'geojson', tmp_path / 'a.geojson')


def place(report, **changes):
    """Say where the photos of a report were taken."""
    summary = json.loads((report / 'summary.json').read_text())
    for photo in summary['photos']:
        photo |= changes
    (report / 'summary.json').write_text(json.dumps(summary))


def test_geojson_by_gps_heading_and_scale(report, tmp_path):
    """A wall 4 m to the north, 5 mm per pixel: right is east, below is down."""
    camera = dict(heading=0.0, focal_pixels=800.0)
    scale = dict(mm_per_pixel=5.0)
    place(report, latitude=35.0, longitude=139.0, altitude=20.0, camera=camera, scale_of_photo=scale)
    assert write_annotations(report, 'geojson', tmp_path / 'a.geojson') == 2
    content = json.loads((tmp_path / 'a.geojson').read_text())
    assert 'crs' not in content
    straight = next(one for one in content['features'] if one['properties']['crack'] == 2)
    assert straight['properties']['coordinates'] == 'GPS, heading and scale'
    longitude, latitude, height = np.array(straight['geometry']['coordinates']).T
    # 120 pixels of 5 mm on a circle of latitude whose radius is that of the sphere, to a third of a per cent.
    length = np.radians(np.ptp(longitude)) * 6_371_000 * np.cos(np.radians(35))
    assert length == pytest.approx(0.6, rel=0.006)
    assert np.radians(latitude.mean() - 35) * 6_371_000 == pytest.approx(4, rel=0.004)
    assert np.allclose(height, 20 - (93 - 60) * 0.005, atol=1e-3)
    write_annotations(report, 'geojson-pixels', tmp_path / 'b.geojson')
    pixels = json.loads((tmp_path / 'b.geojson').read_text())['features']
    assert min(y for one in pixels for _, y in one['geometry']['coordinates']) == pytest.approx(-93, abs=0.1)


def test_geojson_in_the_system_of_a_geotiff(report, tmp_path):
    tags = [
        (33550, 'd', 3, (0.01, 0.01, 0.0), True),
        (33922, 'd', 6, (0.0, 0.0, 0.0, 5e5, 4e6, 0.0), True),
        (34735, 'H', 12, (1, 1, 0, 2, 1025, 0, 1, 1, 3072, 0, 1, 32654), True),
    ]
    tifffile.imwrite(tmp_path / 'a.tif', np.zeros((120, 160), np.uint8), extratags=tags)
    place(report, source=str(tmp_path / 'a.tif'))
    write_annotations(report, 'geojson', tmp_path / 'a.geojson')
    content = json.loads((tmp_path / 'a.geojson').read_text())
    assert content['crs']['properties']['name'] == 'urn:ogc:def:crs:EPSG::32654'
    points = [point for one in content['features'] for point in one['geometry']['coordinates']]
    assert min(y for _, y in points) == pytest.approx(4e6 - 0.93, abs=2e-3)


def test_geojson_of_photos_with_and_without_a_place(tmp_path):
    def photo(name, view):
        line = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 3.0]])
        measures = dict(kind='crack', confidence=1.0, orientation=0.0, box=(0, 0, 1, 1), area=1.0)
        measures |= dict.fromkeys(('length', 'mean_width', 'width_95', 'max_width'), 1.0)
        return PhotoShapes(name, tmp_path / name, 10, 10, [CrackShape(1, measures, [line])], view=view)

    def write(*views):
        shapes = [photo(f'{number}.jpg', view) for number, view in enumerate(views)]
        write_export(CrackData(lambda: iter(shapes), dict), 'geojson', tmp_path / 'a.geojson')
        return json.loads((tmp_path / 'a.geojson').read_text())['features']

    def at(source, epsg):
        return Georeference(lambda points: points + 100, source, epsg)

    first, second = write(at('GPS', 4326), None)
    assert first['geometry']['coordinates'] == [[101, 102], [104, 105]]
    assert (second['geometry'], second['properties']['coordinates']) == (None, 'unknown')
    assert write(at('GPS', 4326), at('GeoTIFF', 4326))[1]['geometry'] is not None
    assert write(None)[0]['geometry']['coordinates'] == [[1, -2], [4, -5]]
    for other in (at('GeoTIFF', 32654), at('world file', None)):
        with pytest.raises(
            ValueError, match=r'different reference systems \(0\.jpg: EPSG:4326, 1\.jpg: .*pixels'
        ):
            write(at('GPS', 4326), other)


def test_coco(report, tmp_path):
    assert write_annotations(report, 'coco', tmp_path / 'a.json') == 2
    content = json.loads((tmp_path / 'a.json').read_text())
    (image,) = content['images']
    assert (image['width'], image['height'], image['file_name']) == (160, 120, 'a.png')
    drawn = Image.new('1', (160 * 8, 120 * 8))
    for annotation in content['annotations']:
        for polygon in annotation['segmentation']:
            ImageDraw.Draw(drawn).polygon([8 * value for value in polygon], fill=1)
    mask = np.asarray(Image.open(report / 'mask/a.png')) > 0
    rasterized = np.asarray(drawn.resize((160 * SCALE, 120 * SCALE)))
    assert (mask & rasterized).sum() / (mask | rasterized).sum() > 0.9
    wide = next(one for one in content['annotations'] if one['bbox'][1] == 90)
    assert wide['bbox'] == [20, 90, 120, 6]
    assert (wide['area'], wide['score']) == (720, pytest.approx(1 - 30 / 255, abs=1e-4))


def test_svg(report, tmp_path):
    assert write_annotations(report, 'svg', tmp_path / 'lines') == 2
    root = ElementTree.parse(tmp_path / 'lines/a.svg').getroot()
    assert root.get('viewBox') == '0 0 160 120'
    assert len(root.findall('.//{*}polyline')) == 5
    assert root.find('{*}image').get('href') == (tmp_path / 'a.png').as_uri()


def test_wrong_requests(report, tmp_path):
    with pytest.raises(
        ValueError,
        match="no format 'dwg'; there are geojson, geojson-pixels, gpkg, dxf, svg, xlsx, coco, label",
    ):
        write_annotations(report, 'dwg', tmp_path / 'a')
    with pytest.raises(FileNotFoundError, match=r'holds no summary\.json'):
        write_annotations(tmp_path, 'coco', tmp_path / 'a')


def test_a_report_is_exported_again_with_other_settings(report, tmp_path, capsys):
    openpyxl = pytest.importorskip('openpyxl')
    assert main(['report', str(report), '--export', 'coco,xlsx', '--mm-per-pixel', '0.5']) == 0
    assert len(json.loads((report / 'export/coco.json').read_text())['annotations']) == 2
    sheet = openpyxl.load_workbook(report / 'export/cracks.xlsx')['Cracks']
    header, *rows = sheet.iter_rows(values_only=True)
    first = dict(zip(header, rows[0], strict=True))
    assert (first['photo'], first['crack'], first['kind']) == ('a', 1, 'crack')
    assert first['length_mm'] == pytest.approx(first['length_px'] / 2, abs=1e-3)
    assert main(['report', str(report), '--min-length', '125']) == 0
    assert len(json.loads((report / 'export/coco.json').read_text())['annotations']) == 1
    assert openpyxl.load_workbook(report / 'export/cracks.xlsx')['Cracks'].max_row == 2
    assert not (report / 'export/cracks.geojson').exists()
    assert main(['report', str(report), '--export', 'dwg']) == 2

"""Exports read back by other people's readers, and by the definitions of the formats."""

import json
import sqlite3
import struct
from contextlib import closing
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, ImageDraw

from csbsr_mm.cli import main
from csbsr_mm.inspection.exports import FORMATS, write_export
from csbsr_mm.inspection.exports.crack_lines import CrackShape
from csbsr_mm.inspection.exports.data import CrackData, PhotoShapes
from csbsr_mm.inspection.scale.wall_plane import WallPlane

MM = 0.5
SCALE = 2


@pytest.fixture
def masks(tmp_path):
    """Of a photo of 80x60 pixels: a frame of known size, a straight crack, and a crack of another photo."""
    mask = np.zeros((120, 160), np.uint8)
    mask[20:80, 20:100] = 255
    mask[24:76, 24:96] = 0
    mask[100:106, 10:150] = 255
    (tmp_path / 'masks').mkdir()
    (tmp_path / 'photos').mkdir()
    Image.fromarray(mask).save(tmp_path / 'masks/=1+1.png')
    Image.fromarray(np.roll(mask, 4, 0) * (np.arange(120) > 90)[:, None].astype(np.uint8)).save(
        tmp_path / 'masks/007.png'
    )
    for name in ('=1+1', '007'):
        Image.new('RGB', (80, 60)).save(tmp_path / f'photos/{name}.jpg')
    return tmp_path


def export(folder, *names):
    words = ['measure', str(folder / 'masks'), '--scale', str(SCALE), '--mm-per-pixel', str(MM)]
    words += ['--export', ','.join(names), '--out-dir', str(folder / 'out')]
    assert main([*words, '--photos', str(folder / 'photos')]) == 0
    return [folder / 'out' / FORMATS[name].file for name in names]


def test_dxf(masks):
    ezdxf = pytest.importorskip('ezdxf')
    (folder,) = export(masks, 'dxf')
    assert sorted(path.name for path in folder.iterdir()) == ['007.dxf', '_1_1.dxf']
    document = ezdxf.readfile(folder / '_1_1.dxf')
    assert not document.audit().errors
    assert document.units == ezdxf.units.MM
    space = document.modelspace()
    lines = space.query('LWPOLYLINE[layer=="CRACKS"]')
    straight = max(lines, key=lambda line: -line[0][1])
    x, y, start, end = np.array(straight.get_points('xyse')).T
    # Rows 100 to 106 of the mask are 3 photo pixels, 1.5 mm.
    assert np.allclose(y, -MM * 103 / SCALE, atol=0.05)
    assert sorted((x[0], x[-1])) == pytest.approx([MM * 10 / SCALE, MM * 150 / SCALE], abs=0.3)
    assert np.allclose([start, end], MM * 6 / SCALE, atol=0.03)
    assert np.array_equal(start[1:], end[:-1])
    outlines = space.query('LWPOLYLINE[layer=="OUTLINES"]')
    assert len(outlines) == 3
    assert all(outline.closed for outline in outlines)
    labels = sorted(text.dxf.text for text in space.query('TEXT'))
    # Across the corners the frame of 1 mm is wider.
    assert 1 < float(labels[0].split()[1]) < 1.42
    assert labels[1] == '2: 1.51 mm'


def test_dxf_of_a_world_file(masks):
    ezdxf = pytest.importorskip('ezdxf')
    (masks / 'photos/007.jgw').write_text('0.01\n0\n0\n-0.01\n500\n4000\n')
    (folder,) = export(masks, 'dxf')
    document = ezdxf.readfile(folder / '007.dxf')
    assert document.units == 0
    (line,) = document.modelspace().query('LWPOLYLINE[layer=="CRACKS"]')
    x, y, start = np.array(line.get_points('xys')).T
    assert np.allclose(y, 4000 - 0.01 * (107 / SCALE - 0.5), atol=0.001)
    assert np.allclose(start, 0.03, atol=0.001)
    assert (x > 500).all()


@pytest.mark.parametrize('mirrored', [False, True])
def test_dxf_of_a_wall_that_is_seen_at_an_angle(tmp_path, mirrored):
    """As OpenCV maps the points, with y upwards; the wall's own axes do not mirror it."""
    ezdxf, cv2 = pytest.importorskip('ezdxf'), pytest.importorskip('cv2')
    homography = np.array([[0.5, 0.1, 3.0], [0.02, 0.6, 1.0], [0.0005, 0.001, 1.0]])
    own = np.diag([1.0, -1.0, 1.0]) @ homography if mirrored else homography
    plane = WallPlane(tuple(map(tuple, own.tolist())), (200, 300), ((0.01,) * 5,) * 5, 30.0)
    line = np.column_stack([np.linspace(20, 280, 30), np.linspace(30, 170, 30), np.full(30, 4.0)])
    measures = dict(
        kind='crack', confidence=None, box=(30, 20, 170, 280), widest_at=(100, 150), max_width=4.0
    )
    photo = PhotoShapes('a', tmp_path / 'a.jpg', 300, 200, [CrackShape(1, measures, [line])], 0.5, plane)
    assert write_export(CrackData(lambda: iter([photo]), dict), 'dxf', tmp_path / 'dxf') == 1
    document = ezdxf.readfile(tmp_path / 'dxf/a.dxf')
    assert document.units == ezdxf.units.MM
    (drawn,) = document.modelspace().query('LWPOLYLINE')
    expected = cv2.perspectiveTransform(line[None, :, :2], homography)[0] * (1, -1)
    assert np.allclose(drawn.get_points('xy'), expected)
    # The width by two points one pixel apart, along the row and along the column.
    steps = [
        cv2.perspectiveTransform(line[None, :1, :2] + step, homography)[0, 0] for step in np.eye(3)[:, :2]
    ]
    across, down = steps[0] - steps[2], steps[1] - steps[2]
    side = abs(across[0] * down[1] - across[1] * down[0]) ** 0.5
    assert drawn.get_points('s')[0][0] == pytest.approx(4 * side, rel=2e-3)


def test_xlsx(masks):
    openpyxl = pytest.importorskip('openpyxl')
    (file,) = export(masks, 'xlsx')
    book = openpyxl.load_workbook(file)
    assert book.sheetnames == ['Photos', 'Cracks']
    header, *rows = book['Cracks'].iter_rows(values_only=True)
    rows = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row['photo'] for row in rows] == ['007.jpg', '=1+1.jpg', '=1+1.jpg']
    assert [row['crack'] for row in rows] == [1, 1, 2]
    assert rows[0]['length_px'] == pytest.approx(70, abs=0.5)
    assert rows[0]['length_mm'] == pytest.approx(MM * rows[0]['length_px'], abs=1e-3)
    assert rows[0]['area_mm2'] == MM**2 * 140 * 6 / SCALE**2
    cells = {cell.value: cell.data_type for cell in next(book['Cracks'].iter_cols(1, 1))}
    assert cells['=1+1.jpg'] == 's'
    assert book['Cracks'].auto_filter.ref == book['Cracks'].dimensions


def geometry(blob):
    """Type and rings or lines of a GeoPackage geometry, by its standard."""
    magic, version, flags, srs, *envelope = struct.unpack_from('<2sBBi4d', blob)
    assert (magic, version, flags, srs) == (b'GP', 0, 3, -1)
    _, kind, count = struct.unpack_from('<BII', blob, 40)
    place, parts = 49, []
    for _ in range(count):
        place += 5 if kind == 5 else 0
        (points,) = struct.unpack_from('<I', blob, place)
        parts.append(np.frombuffer(blob, '<f8', 2 * points, place + 4).reshape(-1, 2))
        place += 4 + 16 * points
    assert place == len(blob)
    x, y = np.concatenate(parts).T
    assert envelope == [x.min(), x.max(), y.min(), y.max()]
    return kind, parts


def test_geopackage(masks):
    (file,) = export(masks, 'gpkg')
    with closing(sqlite3.connect(file)) as base:
        assert base.execute('PRAGMA application_id').fetchone() == (0x47504B47,)
        assert base.execute('PRAGMA integrity_check').fetchone() == ('ok',)
        assert base.execute('PRAGMA foreign_key_check').fetchall() == []
        assert {row[0] for row in base.execute('SELECT srs_id FROM gpkg_spatial_ref_sys')} == {4326, -1, 0}
        contents = base.execute('SELECT table_name, min_x, min_y, max_x, max_y FROM gpkg_contents').fetchall()
        assert contents[1] == ('outlines', 5, -55, 75, -10)
        rows = base.execute('SELECT photo, crack, geom, area_mm2, length_px FROM outlines').fetchall()
        assert [row[:2] for row in rows] == [('007.jpg', 1), ('=1+1.jpg', 1), ('=1+1.jpg', 2)]
        kinds, shapes = zip(*(geometry(row[2]) for row in rows), strict=True)
        assert set(kinds) == {3}
        # The frame has a hole; rings are closed.
        assert sorted(map(len, shapes)) == [1, 1, 2]
        assert all(np.array_equal(ring[0], ring[-1]) for rings in shapes for ring in rings)
        lines = [geometry(row[0]) for row in base.execute('SELECT geom FROM centre_lines')]
        assert {kind for kind, _ in lines} == {5}
        lengths = [sum(np.hypot(*np.diff(part, axis=0).T).sum() for part in parts) for _, parts in lines]
        assert lengths == pytest.approx([row[4] for row in rows], rel=0.02)


def test_geopackage_in_a_gis(masks):
    pyogrio = pytest.importorskip('pyogrio')
    (file,) = export(masks, 'gpkg')
    layers = dict(pyogrio.list_layers(file).tolist())
    assert layers == {'centre_lines': 'MultiLineString', 'outlines': 'Polygon'}
    assert pyogrio.read_info(file, layer='outlines')['features'] == 3


def test_coco_in_pycocotools(masks):
    """At the scale of the photo: the frame and its inside have borders on whole pixels there."""
    coco = pytest.importorskip('pycocotools.coco')
    (file,) = export(masks, 'coco')
    data = coco.COCO(str(file))
    (image,) = (one for one in data.loadImgs(data.getImgIds()) if one['file_name'] == '=1+1.jpg')
    drawn = sum(data.annToMask(one) for one in data.loadAnns(data.getAnnIds(image['id'])))
    expected = np.asarray(Image.open(masks / 'masks/=1+1.png'))[::SCALE, ::SCALE] > 0
    assert np.array_equal(drawn > 0, expected)


def test_geojson_in_geopandas(masks):
    geopandas = pytest.importorskip('geopandas')
    (file,) = export(masks, 'geojson')
    lines = geopandas.read_file(file, engine='pyogrio')
    assert lines.geometry.is_valid.all()
    lengths = lines.geometry.length.groupby([lines['photo'], lines['crack']]).sum()
    listed = lines.groupby(['photo', 'crack'])['length_px'].first()
    assert np.allclose(lengths, listed, rtol=0.02)


def draw(polygons, size, factor):
    """Polygons as Pillow fills them, at ``factor`` pixels per unit."""
    drawn = Image.new('1', (factor * size[0], factor * size[1]))
    for polygon in polygons:
        ImageDraw.Draw(drawn).polygon([tuple(factor * point) for point in polygon], fill=1)
    return np.asarray(drawn)


def test_label_studio(masks):
    (file,) = export(masks, 'label-studio')
    tasks = json.loads(file.read_text())
    assert [task['data']['image'] for task in tasks] == [
        '/data/local-files/?d=007.jpg',
        '/data/local-files/?d=%3D1%2B1.jpg',
    ]
    (prediction,) = tasks[1]['predictions']
    for result in prediction['result']:
        assert (result['type'], result['from_name'], result['to_name']) == (
            'polygonlabels',
            'polygon',
            'image',
        )
        assert (result['original_width'], result['original_height']) == (80, 60)
    polygons = [np.array(result['value']['points']) * (0.8, 0.6) for result in prediction['result']]
    expected = np.asarray(Image.open(masks / 'masks/=1+1.png')) > 0
    assert np.array_equal(draw(polygons, (80, 60), 20)[5::10, 5::10], expected)


def test_cvat(masks):
    (file,) = export(masks, 'cvat')
    root = ElementTree.parse(file).getroot()
    assert (root.tag, root.findtext('version')) == ('annotations', '1.1')
    images = root.findall('image')
    assert [(image.get('id'), image.get('name')) for image in images] == [('0', '007.jpg'), ('1', '=1+1.jpg')]
    assert (images[1].get('width'), images[1].get('height')) == ('80', '60')
    polygons = [
        np.array([point.split(',') for point in shape.get('points').split(';')], float)
        for shape in images[1].findall('polygon')
    ]
    assert len(polygons) == 2
    expected = np.asarray(Image.open(masks / 'masks/=1+1.png')) > 0
    assert np.array_equal(draw(polygons, (80, 60), 20)[5::10, 5::10], expected)


def test_wrong_requests(masks, capsys, monkeypatch):
    words = ['measure', str(masks / 'masks'), '--out-dir', str(masks / 'out')]
    assert main([*words, '--export', 'dwg']) == 2
    assert "no format 'dwg'; there are geojson, geojson-pixels, gpkg, dxf" in capsys.readouterr().err
    assert main(['measure', str(masks / 'masks'), '--export', 'coco']) == 2
    assert '--export needs --out-dir' in capsys.readouterr().err
    (masks / 'photos/007.jpg').unlink()
    assert main([*words, '--export', 'coco', '--photos', str(masks / 'photos')]) == 2
    assert '007.png: photos have the names of their masks' in capsys.readouterr().err
    monkeypatch.setattr('csbsr_mm._extras.importlib.util.find_spec', lambda name: None)
    assert main([*words, '--export', 'dxf']) == 2
    assert "needs ezdxf, which is not installed: pip install 'csbsr_mm[dxf]'" in capsys.readouterr().err

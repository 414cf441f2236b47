"""The page's routes: what they do, and what they refuse."""

import csv
import io
import json
import threading
import time
import zipfile
import zlib

import numpy as np
import pytest
from helpers.dark_backend import DarkBackend
from helpers.wsgi import ask
from PIL import Image

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.inspection.serve.app import App
from csbsr_mm.inspection.serve.limits import Limits
from csbsr_mm.inspection.serve.session import Session

EVIL = '../../<img src=x onerror=alert(1)>"\n.png'


def picture(size=(120, 160), kind='PNG', **options):
    """A dark crack and a fainter one."""
    pixels = np.full((*size, 3), 200, np.uint8)
    pixels[30:34, 10:140] = 10
    pixels[80:83, 10:140] = 90
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def start(tmp_path):
    """Starts applications, and stops them in the end."""
    sessions = []

    def make(load=None, **limits):
        load = load or (lambda: CrackInferencer(DarkBackend(2), threshold=0.5))
        sessions.append(Session(tmp_path / f'root{len(sessions)}', load, Limits(**limits)))
        return App(sessions[-1], 'secret')

    yield make
    for session in sessions:
        session.close()


def finished(app, number=1):
    for _ in range(300):
        photo = next(photo for photo in ask(app, '/secret/photos').json if photo['number'] == number)
        if photo['state'] in ('done', 'failed'):
            return photo
        time.sleep(0.05)
    raise AssertionError(photo)


def send(app, body, name='wall.png', **options):
    return ask(app, '/secret/photos', 'POST', body, x_file_name=name, **options)


@pytest.fixture
def app(start):
    app = start()
    assert send(app, picture()).status == 202
    assert finished(app)['state'] == 'done'
    return app


def measure(app, **asked):
    return ask(app, '/secret/photos/1/measure', 'POST', json.dumps(asked).encode())


def test_photo_is_measured(app):
    photo = finished(app)
    assert (photo['title'], photo['height'], photo['width'], photo['scale']) == ('wall.png', 120, 160, 2)
    assert photo['crack_count'] == 2
    assert sorted(round(crack['max_width']) for crack in photo['cracks']) == [3, 4]
    assert photo['images'] == ['before', 'levels', 'mask', 'overlay', 'probability']


def test_another_threshold(app):
    found = measure(app, threshold=0.8)
    assert found.status == 200
    assert (found.json['threshold'], found.json['crack_count']) == (0.8, 1)
    assert measure(app, threshold=0.5).json['crack_count'] == 2
    assert measure(app, min_length=200).json['crack_count'] == 0
    mask = Image.open(io.BytesIO(ask(app, '/secret/photos/1/image/mask').body))
    assert mask.size == (320, 240)


def test_levels_give_the_mask_of_any_threshold(app):
    levels = np.asarray(Image.open(io.BytesIO(ask(app, '/secret/photos/1/image/levels').body)))
    for threshold in (0.5, 0.8):
        measure(app, threshold=threshold)
        mask = np.asarray(Image.open(io.BytesIO(ask(app, '/secret/photos/1/image/mask').body)))
        assert np.array_equal(levels > 255 * threshold, mask > 0)


def test_exports(app):
    def export(name, query=''):
        reply = ask(app, f'/secret/photos/1/export/{name}', query=query)
        assert reply.status == 200
        assert reply.headers['Content-Disposition'] == f'attachment; filename="{name}"'
        return reply.body.decode('utf-8-sig') if name != 'results.zip' else reply.body

    rows = list(csv.DictReader(io.StringIO(export('cracks.csv', 'mm_per_pixel=0.5'))))
    assert [row['photo'] for row in rows] == ['wall.png'] * 2
    assert float(rows[0]['length_mm']) == pytest.approx(65, abs=0.5)
    assert 'length_mm' not in export('summary.csv')
    features = json.loads(export('cracks.geojson'))['features']
    assert {feature['properties']['photo'] for feature in features} == {'wall.png'}
    assert json.loads(export('coco.json'))['images'][0]['file_name'] == 'wall.png'
    assert '<title>wall.png</title>' in export('report.html')
    with zipfile.ZipFile(io.BytesIO(export('results.zip'))) as archive:
        assert {'index.html', 'cracks.csv', 'mask/photo.png'} <= set(archive.namelist())
        assert archive.testzip() is None


def test_exports_do_not_tell_where_files_lie(app, tmp_path):
    for name in ('cracks.csv', 'summary.csv', 'report.html', 'cracks.geojson', 'coco.json', 'results.zip'):
        assert str(tmp_path).encode() not in ask(app, f'/secret/photos/1/export/{name}').body


def test_names_stay_text(start, tmp_path):
    app = start()
    send(app, picture(), EVIL.replace('\n', '%0A'))
    photo = finished(app)
    assert photo['title'] == '<img src=x onerror=alert(1)>".png'.rpartition('/')[2]
    report = ask(app, '/secret/photos/1/export/report.html').body.decode()
    assert '<img src=x' not in report
    ask(app, '/secret/photos/1/export/coco.json')
    ask(app, '/secret/photos/1/export/results.zip')
    files = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob('*')]
    assert not any('img' in file or 'alert' in file for file in files)
    assert all(file.startswith('root0') for file in files)


@pytest.mark.parametrize(
    'path', ['/', '/wrong/', '/secret2/photos', '/wrong/photos', '//photos', '/sécret/', '/secret\x00/photos']
)
def test_nothing_without_the_secret(start, path):
    reply = ask(start(), path)
    assert reply.status == 403
    assert 'link' in reply.json['error']


def test_address_without_a_slash(start):
    reply = ask(start(), '/secret')
    assert (reply.status, reply.headers['Location']) == (308, '/secret/')


@pytest.mark.parametrize(
    ('method', 'path', 'status'),
    [
        ('GET', 'nothing', 404),
        ('GET', 'photos/1/image/../../../etc/passwd', 404),
        ('GET', 'photos/1/image/kernel', 404),
        ('GET', 'photos/1/export/summary.json', 404),
        ('GET', 'photos/1/export/%2e%2e', 404),
        ('GET', 'photos/2/image/mask', 404),
        ('GET', 'photos/99999999999', 404),
        ('GET', 'report.html.j2', 404),
        ('GET', 'report.js', 404),
        ('DELETE', 'photos', 405),
        ('PUT', 'photos', 405),
        ('GET', 'photos/1/measure', 405),
    ],
)
def test_what_does_not_exist(app, method, path, status):
    assert ask(app, f'/secret/{path}', method).status == status


def test_page_and_its_headers(start):
    app = start(upload_bytes=5_000_000)
    for file, kind in (('', 'text/html'), ('serve.js', 'text/javascript'), ('report.css', 'text/css')):
        reply = ask(app, f'/secret/{file}')
        assert reply.status == 200
        assert reply.headers['Content-Type'].startswith(kind)
        assert "default-src 'none'" in reply.headers['Content-Security-Policy']
        assert 'unsafe' not in reply.headers['Content-Security-Policy']
        assert reply.headers['X-Content-Type-Options'] == 'nosniff'
        assert reply.headers['Referrer-Policy'] == 'no-referrer'
    assert ask(app, '/secret/limits').json['upload_bytes'] == 5_000_000


@pytest.mark.parametrize(
    ('length', 'status', 'says'),
    [
        (None, 411, 'missing'),
        ('', 411, 'missing'),
        ('-5', 400, 'no number'),
        ('१२', 400, 'no number'),
        ('1e3', 400, 'no number'),
        ('0', 400, 'empty'),
        ('1001', 413, '0.001 MB'),
        ('9' * 5000, 413, 'larger'),
    ],
)
def test_length_of_uploads(start, length, status, says):
    reply = send(start(upload_bytes=1000), b'x' * 900, length=length)
    assert reply.status == status
    assert says in reply.json['error']


def test_upload_that_breaks_off(start, tmp_path):
    app = start()
    assert send(app, picture()[:-20], length=str(len(picture()))).status == 400
    assert ask(app, '/secret/photos').json == []
    assert not list(tmp_path.rglob('upload'))


@pytest.mark.parametrize(
    'body',
    [
        b'no photo at all',
        b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n',
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b'%PDF-1.4',
        b'\x89PNG\r\n\x1a\n',
    ],
)
def test_no_photos(start, tmp_path, body):
    reply = send(start(), body)
    assert reply.status == 415
    assert 'JPEG' in reply.json['error']
    assert not list(tmp_path.rglob('upload'))


def test_too_many_pixels(start):
    app = start(pixels=10_000)
    assert send(app, picture((100, 100))).status == 202
    reply = send(app, picture((101, 100)))
    assert reply.status == 413
    assert 'more than 0.01 megapixels' in reply.json['error']


@pytest.mark.parametrize('side', [6_000, 50_000])
def test_decompression_bomb(start, side):
    """A small file that would become gigabytes, if it were decoded."""

    def chunk(kind, content):
        return (
            len(content).to_bytes(4, 'big') + kind + content + zlib.crc32(kind + content).to_bytes(4, 'big')
        )

    header = side.to_bytes(4, 'big') * 2 + bytes([8, 2, 0, 0, 0])
    body = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(bytes(1000)))
    reply = send(start(), body)
    assert (reply.status, 'more than 25 megapixels' in reply.json['error']) == (413, True)


def test_damaged_photo_fails_and_the_next_one_does_not(start):
    app = start()
    whole = picture(kind='JPEG')
    send(app, whole[: 2 * len(whole) // 3], 'broken.png')
    send(app, picture())
    first, second = finished(app, 1), finished(app, 2)
    assert first['state'] == 'failed'
    assert first['error'].startswith('broken.png')
    assert '/' not in first['error'].split(':')[0]
    assert second['state'] == 'done'
    assert ask(app, '/secret/photos/1/export/cracks.csv').status == 409


def test_too_many_photos(start):
    app = start(photos=2)
    assert [send(app, picture((40, 40))).status for _ in range(3)] == [202, 202, 429]
    assert ask(app, '/secret/photos/1', 'DELETE').status == 200
    assert send(app, picture((40, 40))).status == 202


def test_photos_wait_for_the_model(start):
    """One at a time, in the order in which they came."""
    free, running, most, order = threading.Event(), [0], [0], []

    class Slow(DarkBackend):
        def run(self, tiles):
            running[0] += 1
            most[0] = max(most[0], running[0])
            assert free.wait(20)
            order.append(tiles.shape[1])
            running[0] -= 1
            return super().run(tiles)

    app = start(lambda: CrackInferencer(Slow(), tile=64))
    senders = [threading.Thread(target=send, args=(app, picture((40, 40)))) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    states = [photo['state'] for photo in ask(app, '/secret/photos').json]
    assert sorted(states) in (['running', 'waiting', 'waiting', 'waiting'], ['waiting'] * 4)
    assert measure(app, threshold=0.5).status == 409
    free.set()
    assert [finished(app, number)['state'] for number in (1, 2, 3, 4)] == ['done'] * 4
    assert most == [1]


def test_removing_stops_the_model(start, tmp_path):
    begun, free = threading.Event(), threading.Event()

    class Slow(DarkBackend):
        def run(self, tiles):
            begun.set()
            assert free.wait(20)
            return super().run(tiles)

    app = start(lambda: CrackInferencer(Slow(), tile=32, overlap=0))
    send(app, picture())
    assert begun.wait(20)
    assert ask(app, '/secret/photos/1', 'DELETE').status == 200
    free.set()
    send(app, picture((40, 40)))
    assert finished(app, 2)['state'] == 'done'
    assert not list(tmp_path.glob('root0/000001'))
    assert ask(app, '/secret/photos/1', 'DELETE').status == 404


def test_model_that_cannot_be_loaded(start, capsys):
    def load():
        raise ValueError('private words')

    app = start(load)
    send(app, picture())
    photo = finished(app)
    assert photo['state'] == 'failed'
    assert 'private' not in photo['error']
    assert 'private words' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('body', 'status'),
    [
        (b'{', 400),
        (b'[1]', 400),
        (b'{"threshold": 1.5}', 400),
        (b'{"threshold": NaN}', 400),
        (b'{"threshold": null}', 400),
        (b'{"threshold": "x"}', 400),
        (b'{"min_length": -1}', 400),
        (b'{"min_length": ' + b'9' * 400 + b'}', 400),
        (b'{"folder": "/etc"}', 400),
        (b'[' * 3000, 400),
        (b' ' * 5000, 413),
    ],
)
def test_impossible_questions(app, body, status):
    reply = ask(app, '/secret/photos/1/measure', 'POST', body)
    assert reply.status == status
    assert reply.json['error']
    assert finished(app)['threshold'] == 0.5


@pytest.mark.parametrize('value', ['0', '-1', 'nan', 'inf', 'x', '1e999'])
def test_impossible_scales(app, value):
    reply = ask(app, '/secret/photos/1/export/cracks.csv', query=f'mm_per_pixel={value}')
    assert (reply.status, 'mm_per_pixel must be' in reply.json['error']) == (400, True)


def test_impossible_limits():
    with pytest.raises(ValueError, match='limit on photos must be positive, got 0'):
        Limits(photos=0)

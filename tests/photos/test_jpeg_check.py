"""Damage that is made on purpose, and whole files of several encoders and kinds."""

import io
import os
import tempfile

import cv2
import numpy as np
import pytest
from PIL import Image

from csbsr_mm.photos import PhotoError, read_photo
from csbsr_mm.photos.jpeg_check import jpeg_damage

RNG = np.random.default_rng(0)


@pytest.fixture(scope='module')
def wall():
    """Neither side is a multiple of 16."""
    coarse = RNG.integers(0, 256, (23, 31, 3), np.uint8)
    smooth = cv2.resize(coarse, (301, 203), interpolation=cv2.INTER_CUBIC)
    return Image.fromarray((smooth + RNG.normal(0, 6, smooth.shape)).clip(0, 255).astype(np.uint8))


def encode(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, 'JPEG', **options)
    return buffer.getvalue()


@pytest.mark.parametrize('quality', [20, 75, 100])
@pytest.mark.parametrize('subsampling', [0, 1, 2])
@pytest.mark.parametrize('options', [{}, dict(optimize=True), dict(progressive=True)])
def test_whole_files(wall, quality, subsampling, options):
    assert jpeg_damage(encode(wall, quality=quality, subsampling=subsampling, **options)) == ''


def test_whole_files_of_other_kinds(wall):
    restarts = [cv2.IMWRITE_JPEG_RST_INTERVAL, 5]
    _, by_opencv = cv2.imencode('.jpg', np.asarray(wall), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, *restarts])
    for data in (
        by_opencv.tobytes(),
        encode(wall.convert('L')),
        encode(wall.convert('L'), progressive=True),
        encode(wall.convert('CMYK')),
        encode(wall, restart_marker_blocks=7),
        encode(wall, restart_marker_rows=1, progressive=True),
        encode(wall) + b'what some cameras append',
        encode(wall)[:-2] + b'\xff\xff\xff\xd9',
    ):
        assert jpeg_damage(data) == ''


def libjpeg_warns(data):
    """Whether the library says so on the standard error stream of this process, through OpenCV."""
    saved = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        finally:
            os.dup2(saved, 2)
            os.close(saved)
        file.seek(0)
        text = file.read()
    return b'Corrupt JPEG data' in text or b'Premature end' in text


@pytest.mark.parametrize('progressive', [False, True])
def test_flipped_bits(wall, progressive):
    """All that libjpeg warns of is found, and nearly all that shows in more than 2 % of the pixels."""
    data = encode(wall, quality=90, progressive=progressive)
    whole = np.asarray(Image.open(io.BytesIO(data))).astype(int)
    start, warned, shows, found = data.index(b'\xff\xda') + 14, 0, 0, 0
    for _ in range(60):
        damaged = bytearray(data)
        damaged[RNG.integers(start, len(data) - 2)] ^= 1 << RNG.integers(8)
        damage = jpeg_damage(bytes(damaged))
        if libjpeg_warns(bytes(damaged)):
            warned += 1
            assert damage
        try:
            picture = np.asarray(Image.open(io.BytesIO(bytes(damaged)))).astype(int)
        except OSError:
            continue  # Pillow says so itself.
        if (np.abs(picture - whole).max(-1) > 24).mean() > 0.02:
            shows += 1
            found += bool(damage)
    assert warned > 5
    assert found >= 0.9 * shows > 5


def test_a_lost_sector_is_named_with_its_place(wall, tmp_path):
    data = bytearray(encode(wall, quality=95))
    start = data.index(b'\xff\xda')
    middle = (start + len(data)) // 2
    data[middle : middle + 512] = bytes(512)
    (tmp_path / 'rot.jpg').write_bytes(data)
    with pytest.raises(
        PhotoError, match=r'rot\.jpg is damaged \(.*, at about row \d+ of 203\); copy it anew'
    ):
        read_photo(tmp_path / 'rot.jpg')
    Image.open(tmp_path / 'rot.jpg').load()  # Pillow alone says nothing.


def test_headers_that_lie_do_no_harm(wall):
    """Whatever the numbers in them, the answer comes, and memory beyond the arrays is left alone."""
    for progressive in (False, True):
        data = encode(wall, quality=75, progressive=progressive)
        scan = data.rindex(b'\xff\xda')
        for _ in range(150):
            damaged = bytearray(data)
            for place in (*RNG.integers(2, 650, 3), scan + RNG.integers(2, 14)):
                damaged[place] = RNG.integers(256)
            # A picture as large as the format allows would take minutes.
            size = data.index(b'\xff\xc2' if progressive else b'\xff\xc0')
            damaged[size : size + 9] = data[size : size + 9]
            assert isinstance(jpeg_damage(bytes(damaged)), str)


def test_frames_without_codes_are_not_judged(wall):
    data = encode(wall, quality=75)
    while (start := data.find(b'\xff\xc4')) >= 0:
        data = data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], 'big') :]
    assert jpeg_damage(data) == ''


def test_other_files():
    assert jpeg_damage(b'') == jpeg_damage(b'\x89PNG\r\n') == jpeg_damage(b'\xff\xd8') == ''

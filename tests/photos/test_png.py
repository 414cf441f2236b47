"""Our reader of PNG files against Pillow's writer and reader."""

import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from csbsr_mm.photos import mask_files
from csbsr_mm.photos.png import read_png

MODES = ('1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'I;16')


def picture(mode, height, width, seed):
    rng = np.random.default_rng(seed)
    # Smooth with steps, so that Pillow chooses each of the filters.
    values = np.add.outer(np.arange(height) * 3, np.arange(width) * 5) + rng.integers(0, 9, (height, width))
    if mode == 'I;16':
        return Image.fromarray((values * 97 % 65536).astype(np.uint16))
    return Image.fromarray(np.dstack([values, 2 * values, 255 - values]).astype(np.uint8)).convert(mode)


@given(
    st.sampled_from(MODES),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 99),
    st.sampled_from((None, 1, 2, 4)),
)
@settings(max_examples=60, deadline=None)
def test_as_pillow(tmp_path_factory, mode, height, width, seed, bits):
    path = tmp_path_factory.mktemp('png') / 'a.png'
    image = picture(mode, height, width, seed)
    image.save(path, **(dict(bits=bits) if bits and mode == 'P' else {}))
    with Image.open(path) as stored:
        convert = {'P': 'RGB', '1': 'L'}.get(stored.mode)
        expected = np.asarray(stored.convert(convert) if convert else stored)
    assert np.array_equal(read_png(path), expected)


@pytest.mark.parametrize('kind', range(5))
def test_each_filter(tmp_path, kind):
    """Rows filtered here by the definition of the standard, which Pillow reads too."""
    image = np.random.default_rng(kind).integers(0, 256, (7, 5, 3)).astype(np.int64)
    rows = image.reshape(7, 15)
    left = np.pad(rows, ((0, 0), (3, 0)))[:, :-3]
    above = np.pad(rows, ((1, 0), (0, 0)))[:-1]
    corner = np.pad(rows, ((1, 0), (3, 0)))[:-1, :-3]
    candidates = np.stack([left, above, corner])
    nearest = np.abs(left + above - corner - candidates).argmin(0)
    paeth = np.take_along_axis(candidates, nearest[None], 0)[0]
    guess = (np.zeros_like(rows), left, above, (left + above) // 2, paeth)[kind]
    filtered = ((rows - guess) % 256).astype(np.uint8)
    raw = b''.join(bytes([kind]) + row.tobytes() for row in filtered)
    path = tmp_path / 'a.png'
    Image.fromarray(image.astype(np.uint8)).save(path)
    content = path.read_bytes()
    start = content.index(b'IDAT') - 4
    packed = zlib.compress(raw)
    chunk = len(packed).to_bytes(4, 'big') + b'IDAT' + packed
    chunk += zlib.crc32(chunk[4:]).to_bytes(4, 'big')
    path.write_bytes(content[:start] + chunk + content[content.index(b'IEND') - 4 :])
    assert np.array_equal(np.asarray(Image.open(path)), image)
    assert np.array_equal(read_png(path), image)


def test_damage_is_an_error(tmp_path):
    path = tmp_path / 'a.png'
    buffer = io.BytesIO()
    picture('L', 30, 30, 0).save(buffer, 'PNG')
    good = buffer.getvalue()
    for end in range(0, len(good), 7):
        path.write_bytes(good[:end])
        with pytest.raises(ValueError, match=r'a\.png is (damaged|no PNG file)'):
            read_png(path)
    rng = np.random.default_rng(0)
    for place in rng.integers(8, len(good) - 12, 40):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x55]) + good[place + 1 :])
        with pytest.raises(ValueError, match=r'a\.png is damaged'):
            read_png(path)


@pytest.mark.parametrize('mode', MODES)
def test_masks_are_the_same_without_pillow(tmp_path, monkeypatch, mode):
    path = tmp_path / 'a.png'
    picture(mode, 50, 60, 1).save(path)
    expected = mask_files.read_mask(path)
    assert 0 < expected.mean() < 1
    monkeypatch.setattr(mask_files.importlib.util, 'find_spec', lambda name: None)
    # Colours are rounded to grey differently where they are one half to the digit.
    assert (mask_files.read_mask(path) != expected).mean() <= 0.01


@pytest.mark.parametrize(
    ('values', 'expected'),
    [
        (np.array([[False, True]]), [[False, True]]),
        (np.array([[0, 1]]).astype(np.uint8), [[False, True]]),
        (np.array([[127, 128]]).astype(np.uint8), [[False, True]]),
        (np.array([[0.5, 0.51]]), [[False, True]]),
        (np.array([[32767, 32768]]).astype(np.uint16), [[False, True]]),
    ],
)
def test_arrays(tmp_path, values, expected):
    np.save(tmp_path / 'a.npy', values)
    assert mask_files.read_mask(tmp_path / 'a.npy').tolist() == expected
    np.save(tmp_path / 'a.npy', values[0])
    with pytest.raises(ValueError, match=r'a\.npy must hold one mask \(H, W\)'):
        mask_files.read_mask(tmp_path / 'a.npy')

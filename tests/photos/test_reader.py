"""Every kind of photo file that an inspection brings home, written by several libraries."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import IFDRational

from csbsr_mm.apis import PhotoError, read_photo
from csbsr_mm.photos import reader as photo_reader
from csbsr_mm.photos.reader import photo_from_array, photo_size

RNG = np.random.default_rng(0)
RGB8 = RNG.integers(0, 256, (23, 31, 3), np.uint8)
RGB16 = RNG.integers(0, 65536, (23, 31, 3), np.uint16)
GREY8, GREY16 = RGB8[..., 0], RGB16[..., 0]
ALPHA8, ALPHA16 = RGB8[..., :1], RGB16[..., :1]


def pixels(path, **kwargs):
    photo = read_photo(path, **kwargs)
    values = photo.pixels.read(photo.pixels.box)
    photo.close()
    return values


def grey(image):
    return np.repeat(image[..., None], 3, 2)


def pillow(array, **options):
    return lambda path: Image.fromarray(array).save(path, **options)


def opencv(array):
    return lambda path: cv2.imwrite(str(path), array)


def tiff(array, **options):
    return lambda path: tifffile.imwrite(path, array, **options)


COLOUR = dict(photometric='rgb')
COARSE = GREY8 // 64 * 80
LOSSLESS = {
    'rgb8.png': (pillow(RGB8), RGB8),
    'rgba8.png': (pillow(np.dstack([RGB8, ALPHA8])), RGB8),
    'grey8.png': (pillow(GREY8), grey(GREY8)),
    'grey_alpha8.png': (lambda path: Image.merge('LA', [Image.fromarray(GREY8)] * 2).save(path), grey(GREY8)),
    'palette.png': (lambda path: Image.fromarray(COARSE).convert('P').save(path), grey(COARSE)),
    'grey16.png': (pillow(GREY16), grey(GREY16)),
    'rgb16.png': (opencv(RGB16[..., ::-1]), RGB16),
    'rgba16.png': (opencv(np.dstack([RGB16[..., ::-1], ALPHA16])), RGB16),
    'rgb8.tif': (tiff(RGB8, **COLOUR), RGB8),
    'tiled8.tif': (tiff(RGB8, tile=(16, 16), **COLOUR), RGB8),
    'deflate8.tiff': (tiff(RGB8, compression='zlib', **COLOUR), RGB8),
    'lzw8.tif': (pillow(RGB8, compression='tiff_lzw'), RGB8),
    'grey16.tif': (tiff(GREY16), grey(GREY16)),
    'bigendian16.tif': (tiff(GREY16, byteorder='>'), grey(GREY16)),
    'rgb16.tif': (tiff(RGB16, **COLOUR), RGB16),
    'bigendian_rgb16.tif': (tiff(RGB16, byteorder='>', **COLOUR), RGB16),
    'planar16.tif': (tiff(RGB16.transpose(2, 0, 1).copy(), planarconfig='separate', **COLOUR), RGB16),
    'lzw16.tif': (opencv(RGB16[..., ::-1]), RGB16),
    'pages.tif': (tiff(np.stack([RGB8, 255 - RGB8]), **COLOUR), RGB8),
    'pages16.tif': (tiff(np.stack([RGB16, RGB16 // 2]), **COLOUR), RGB16),
    'rgb8.bmp': (pillow(RGB8), RGB8),
    'rgb8.webp': (pillow(RGB8, lossless=True), RGB8),
}


@pytest.mark.parametrize('name', LOSSLESS)
@pytest.mark.parametrize('on_disk', [False, True])
def test_lossless_formats_keep_every_bit(name, on_disk, tmp_path, monkeypatch):
    monkeypatch.setattr(photo_reader, 'IN_MEMORY_PIXELS', 0 if on_disk else 10**9)
    write, expected = LOSSLESS[name]
    write(tmp_path / name)
    found = pixels(tmp_path / name, folder=tmp_path)
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)
    assert photo_size(tmp_path / name) == (23, 31)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_cmyk_jpeg(tmp_path):
    """Colours of a CMYK photo come out as those it was made from."""
    smooth = cv2.resize(RGB8[:3, :4], (64, 48), interpolation=cv2.INTER_LINEAR)
    Image.fromarray(smooth).convert('CMYK').save(tmp_path / 'a.jpg', quality=100, subsampling=0)
    assert np.abs(pixels(tmp_path / 'a.jpg').astype(int) - smooth).mean() < 3


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('kind', ['rgb8.png', 'rgb16.tif'])
def test_exif_orientation(orientation, kind, tmp_path):
    """Pillow turns the photo upright; the 16-bit path must do the same."""
    exif = Image.Exif()
    exif[photo_reader.ORIENTATION] = orientation
    path = tmp_path / kind
    if kind == 'rgb8.png':
        Image.fromarray(RGB8).save(path, exif=exif)
        expected = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    else:
        tag = (photo_reader.ORIENTATION, 'H', 1, orientation, True)
        tifffile.imwrite(path, RGB16, photometric='rgb', extratags=[tag])
        planes = []
        for channel in range(3):
            plane = Image.fromarray(RGB16[..., channel])
            plane.getexif()[photo_reader.ORIENTATION] = orientation
            planes.append(np.asarray(ImageOps.exif_transpose(plane)))
        expected = np.dstack(planes)
    found = pixels(path)
    assert np.array_equal(found, expected)
    assert found.shape[:2] == ((31, 23) if orientation > 4 else (23, 31))


def test_time_and_place(tmp_path):
    exif = Image.Exif()
    exif[photo_reader.DATE_TIME] = '2024:05:02 00:00:00'
    exif[photo_reader.EXIF_IFD] = {
        photo_reader.DATE_TIME_ORIGINAL: '2024:05:01 10:20:30',
        photo_reader.OFFSET_TIME_ORIGINAL: '+09:00',
    }
    exif[photo_reader.GPS_IFD] = {
        1: 'S', 2: (34.0, 39.0, 18.0), 3: 'E', 4: (135.0, 30.0, 0.0), 5: b'\x01', 6: 12.5,
    }  # fmt: skip
    Image.fromarray(RGB8).save(tmp_path / 'a.jpg', exif=exif)
    photo = read_photo(tmp_path / 'a.jpg')
    assert photo.taken == '2024-05-01T10:20:30+09:00'
    assert (photo.latitude, photo.longitude, photo.altitude) == (pytest.approx(-34.655), 135.5, -12.5)

    Image.fromarray(RGB8).save(tmp_path / 'copy.jpg', exif=photo.exif)
    copy = read_photo(tmp_path / 'copy.jpg')
    fields = ('taken', 'latitude', 'longitude', 'altitude')
    assert all(getattr(copy, name) == getattr(photo, name) for name in fields)


@pytest.mark.parametrize(
    'gps',
    [
        {},
        {1: 'N', 2: (34.0, 39.0, 18.0)},
        {1: 'N', 2: (94.0, 39.0, 18.0), 3: 'E', 4: (135.0, 30.0, 0.0)},
        {1: 'X', 2: (34.0, 39.0, 18.0), 3: 'E', 4: (135.0, 30.0, 0.0)},
        {1: 'N', 2: (34.0, 39.0), 3: 'E', 4: (135.0, 30.0, 0.0)},
        {1: 'N', 2: (IFDRational(0, 0), 0.0, 0.0), 3: 'E', 4: (135.0, 30.0, 0.0)},
    ],
)
def test_malformed_exif_is_absent(gps, tmp_path):
    exif = Image.Exif()
    exif[photo_reader.DATE_TIME] = 'yesterday'
    exif[photo_reader.GPS_IFD] = gps
    Image.fromarray(RGB8).save(tmp_path / 'a.jpg', exif=exif)
    photo = read_photo(tmp_path / 'a.jpg')
    assert photo.taken is photo.latitude is photo.longitude is None


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / 'text.jpg').write_text('not a photo')
    with pytest.raises(PhotoError, match=r'text\.jpg is no image'):
        read_photo(tmp_path / 'text.jpg')
    Image.fromarray(RGB8).save(tmp_path / 'whole.jpg')
    (tmp_path / 'half.jpg').write_bytes((tmp_path / 'whole.jpg').read_bytes()[:900])
    with pytest.raises(PhotoError, match=r'half\.jpg is damaged \(data that end too early'):
        read_photo(tmp_path / 'half.jpg')
    (tmp_path / 'empty.png').touch()
    with pytest.raises(PhotoError, match=r'empty\.png'):
        read_photo(tmp_path / 'empty.png')
    for name, help in (('a.heic', r"pip install 'csbsr_mm\[heic\]'"), ('a.nef', 'export it as TIFF or JPEG')):
        (tmp_path / name).write_bytes(b'no such thing')
        with pytest.raises(PhotoError, match=help):
            read_photo(tmp_path / name)
    with pytest.raises(PhotoError, match=r'missing\.png'):
        read_photo(tmp_path / 'missing.png')
    assert photo_size(tmp_path / 'text.jpg') is None


@pytest.mark.parametrize('bits', [10, 12, 14])
def test_few_bits_in_16_are_stretched(bits, tmp_path):
    image = RGB16 >> (16 - bits)
    image[0, 0] = 2**bits - 1
    tifffile.imwrite(tmp_path / 'a.tif', image, photometric='rgb')
    photo = read_photo(tmp_path / 'a.tif')
    assert photo.note == f'{bits}-bit values stretched to 16 bits'
    found = photo.pixels.read(photo.pixels.box)
    assert found.max() == 65535
    assert np.abs(found / 65535 - image / (2**bits - 1)).max() < 1e-4


def test_floats_and_many_bands(tmp_path):
    tifffile.imwrite(tmp_path / 'float.tif', np.linspace(0, 1, 600, dtype=np.float32).reshape(20, 30))
    assert pixels(tmp_path / 'float.tif')[-1, -1].tolist() == [65535] * 3
    tifffile.imwrite(tmp_path / 'range.tif', np.float32([[-5, 15], [np.nan, 5]]))
    assert pixels(tmp_path / 'range.tif')[..., 0].tolist() == [[0, 65535], [16384, 32768]]
    bands = RNG.integers(0, 60000, (20, 30, 5), np.uint16)
    tifffile.imwrite(tmp_path / 'five.tif', bands, photometric='minisblack', planarconfig='contig')
    assert np.array_equal(pixels(tmp_path / 'five.tif'), bands[..., :3])
    assert 'bands 1 to 3 of 5' in read_photo(tmp_path / 'five.tif').note


def test_pages_are_told(tmp_path):
    tifffile.imwrite(tmp_path / 'a.tif', np.stack([RGB8, RGB8]), photometric='rgb')
    assert read_photo(tmp_path / 'a.tif').note == 'page 2 of 2 skipped: save them as files of their own'
    Image.fromarray(RGB8).save(tmp_path / 'a.gif', save_all=True, append_images=[Image.fromarray(255 - RGB8)])
    assert read_photo(tmp_path / 'a.gif').skipped == 'the first of 2 pictures in the file'


def test_smaller_copies_are_no_pages(tmp_path):
    with tifffile.TiffWriter(tmp_path / 'a.tif') as file:
        file.write(RGB8, photometric='rgb')
        file.write(RGB8[::2, ::2], photometric='rgb', subfiletype=1)
        file.write(255 - RGB8, photometric='rgb')
    assert read_photo(tmp_path / 'a.tif').skipped.startswith('page 3 of 3 skipped')
    assert np.array_equal(pixels(tmp_path / 'a.tif'), RGB8)
    with tifffile.TiffWriter(tmp_path / 'b.tif') as file:
        file.write(RGB8, photometric='rgb')
        file.write(RGB8[::2, ::2], photometric='rgb', subfiletype=1)
    assert read_photo(tmp_path / 'b.tif').note == ''


def test_heic(tmp_path):
    pillow_heif = pytest.importorskip('pillow_heif')
    smooth = cv2.resize(RGB8[:3, :4], (64, 48), interpolation=cv2.INTER_LINEAR)
    pillow_heif.from_pillow(Image.fromarray(smooth)).save(tmp_path / 'a.heic', quality=95)
    assert np.abs(pixels(tmp_path / 'a.heic').astype(int) - smooth).mean() < 4


def test_more_pixels_than_allowed(tmp_path, monkeypatch):
    monkeypatch.setattr(photo_reader, 'MAX_PIXELS', 100)
    Image.fromarray(RGB8).save(tmp_path / 'a.png')
    with pytest.raises(PhotoError, match='has 713 pixels, more than 100; cut it into parts'):
        read_photo(tmp_path / 'a.png')


@pytest.mark.parametrize(
    'array', [np.zeros((4, 5, 4), np.uint8), np.zeros((4, 5), np.float32), np.zeros((0, 5), np.uint8)]
)
def test_arrays_that_are_no_photo(array):
    with pytest.raises(PhotoError, match=r'must be .* of uint8 or uint16'):
        photo_from_array(array)

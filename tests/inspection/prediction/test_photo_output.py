"""Files that results are stored in, small and large."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from csbsr_mm.apis import read_photo
from csbsr_mm.apis.result import CrackResult
from csbsr_mm.inspection.prediction import photo_output
from csbsr_mm.inspection.prediction.photo_output import OutputFolder, PhotoWriter, paint, previews
from csbsr_mm.photos.raster import Raster
from csbsr_mm.photos.reader import photo_from_array

SIZE = (30, 45)
OUTPUT = (120, 180)


@pytest.fixture
def result():
    rng = np.random.default_rng(0)
    photo = photo_from_array(rng.integers(0, 256, (*SIZE, 3), np.uint8))
    probability, sr_image = Raster(*OUTPUT, 1, np.float32), Raster(*OUTPUT, 3, np.float32)
    probability.write(probability.box, rng.random((*OUTPUT, 1)))
    sr_image.write(sr_image.box, rng.random((*OUTPUT, 3)))
    kernel = np.outer(np.hanning(9), np.hanning(9)).astype(np.float32)
    return CrackResult(photo, probability, sr_image, kernel / kernel.sum(), threshold=0.7, scale=4)


@pytest.mark.parametrize('large', [False, True])
def test_images_hold_what_was_found(result, large, tmp_path, monkeypatch):
    monkeypatch.setattr(photo_output, 'STREAM_PIXELS', 100 if large else 10**9)
    monkeypatch.setattr(photo_output, 'CHUNK', 64)
    files = PhotoWriter(OutputFolder(tmp_path)).write(result, 'wall')

    def read(kind):
        path = tmp_path / files[kind]
        assert path.name == ('wall.tif' if large else path.name)
        return tifffile.imread(path) if large else np.asarray(Image.open(path))

    assert np.array_equal(read('mask'), np.where(result.probability > 0.7, 255, 0))
    probability = read('probability')
    assert probability.dtype == np.uint16
    assert np.abs(probability / 65535 - result.probability).max() <= 0.5 / 65535 + 1e-7
    assert np.abs(read('sr') / 255 - result.sr_image).max() <= 0.5 / 255 + 1e-7
    overlay = read('overlay').astype(int)
    assert overlay[result.mask, 0].mean() > overlay[result.mask, 1].mean() + 50
    if large:
        assert np.array_equal(overlay, paint(result.picture(result.box), result.mask))
    kernel = np.asarray(Image.open(tmp_path / files['kernel'])).astype(float)
    assert np.allclose(kernel / kernel.sum(), result.blur_kernel, atol=1e-5)
    assert not [path for path in tmp_path.rglob('*') if '.partial' in path.name]


def test_without_sr_image(result, tmp_path):
    assert 'sr' not in PhotoWriter(OutputFolder(tmp_path), with_sr=False).write(result, 'wall')
    assert not (tmp_path / 'sr').exists()


def test_time_and_place_travel_along(result, tmp_path):
    exif = Image.Exif()
    exif[0x0132] = '2024:05:01 10:20:30'
    exif[0x8825] = {1: 'N', 2: (34.0, 30.0, 0.0), 3: 'E', 4: (135.0, 30.0, 0.0)}
    result.photo.exif = exif.tobytes()
    files = PhotoWriter(OutputFolder(tmp_path)).write(result, 'wall')
    for kind in ('overlay', 'sr', 'mask', 'probability'):
        photo = read_photo(tmp_path / files[kind])
        assert (photo.taken, photo.latitude) == ('2024-05-01T10:20:30', 34.5)


@pytest.mark.parametrize('side', [40, 60, 1000])
def test_previews_keep_thin_cracks(result, side):
    """A preview pixel is red if and only if one of its pixels is crack."""
    result.probability_raster.write(result.box, np.zeros((*OUTPUT, 1)))
    line = np.zeros(OUTPUT, bool)
    line[57, 10:170] = True
    result.probability_raster.write(result.box, line[..., None])
    before, after = previews(result, side)
    factor = max(-(-OUTPUT[1] // side), 1)
    assert before.shape == after.shape == (*(-(-edge // factor) for edge in OUTPUT), 3)
    padded = np.pad(line, [(0, -edge % factor) for edge in OUTPUT])
    expected = padded.reshape(before.shape[0], factor, before.shape[1], factor).any((1, 3))
    result.probability_raster.write(result.box, np.zeros((*OUTPUT, 1)))
    _, clean = previews(result, side)
    assert np.array_equal((after != clean).any(-1), expected)
    photo = result.photo.pixels.read(result.photo.pixels.box)
    enlarged = cv2.resize(photo, OUTPUT[::-1], interpolation=cv2.INTER_CUBIC)
    if factor == 1:
        assert np.abs(before.astype(int) - enlarged).max() <= 1


class TestOutputFolder:
    def test_nothing_is_written_outside(self, tmp_path):
        folder = OutputFolder(tmp_path / 'out')
        for name in ('../evil', '/etc/evil', 'a/../../evil'):
            with pytest.raises(ValueError, match='is outside'):
                folder.path('mask', *([name] if name[0] == '/' else ['..', name]))

    def test_symbolic_links_are_followed_before_writing(self, tmp_path):
        outside = tmp_path / 'outside'
        outside.mkdir()
        folder = OutputFolder(tmp_path / 'out')
        (tmp_path / 'out' / 'mask').symlink_to(outside)
        with pytest.raises(ValueError, match='is outside'):
            folder.path('mask', 'a.png')

    def test_a_file_in_the_way(self, tmp_path):
        (tmp_path / 'out').touch()
        with pytest.raises(ValueError, match='is a file; name a folder'):
            OutputFolder(tmp_path / 'out')

    def test_failed_writing_leaves_the_old_file(self, tmp_path):
        folder = OutputFolder(tmp_path)
        folder.write_json({'a': 1}, 'x.json')
        with pytest.raises(ValueError, match='JSON compliant'):
            folder.write_json({'a': float('nan')}, 'x.json')
        assert [path.name for path in tmp_path.iterdir()] == ['x.json']
        assert '"a": 1' in (tmp_path / 'x.json').read_text()

"""Areas that show nothing: they hold no cracks and do not count in the statistics."""

import numpy as np
from helpers.dark_backend import DarkBackend

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.photos.nodata import find_nodata
from csbsr_mm.photos.raster import Box, Raster


def raster(image):
    made = Raster(*image.shape, image.dtype)
    made.write(made.box, image)
    return made


def wall(height=400, width=600):
    return np.random.default_rng(0).integers(100, 200, (height, width, 3), np.uint8)


def test_frame_of_an_orthomosaic():
    image = wall()
    image[:120] = 0
    image[-3:, -3:] = 0
    nodata = find_nodata(raster(image))
    assert nodata.part == 120 / 400
    found = nodata.read(Box(0, 0, 800, 1200), scale=2)
    assert found[:240].all()
    assert not found[2 * 136 :].any()


def test_cracks_gleams_and_specks_are_data():
    image = wall()
    image[200:206] = 0
    image[50:70, 300:320] = 255
    image[100:112, :12] = 0
    assert find_nodata(raster(image)) is None
    assert find_nodata(raster(wall(5, 4))) is None


def test_white_photo_has_no_cracks():
    white = np.full((100, 130, 3), 255, np.uint16) * 257
    assert find_nodata(raster(white)).part == 1
    assert find_nodata(raster(white[:3, :3])).part == 1


def test_cracks_beside_nodata_keep_their_place():
    image = wall()
    image[:, 400:] = 0
    image[200:204, :400] = 20
    result = CrackInferencer(DarkBackend(), tile=112, threshold=0.8)(image)
    assert result.mask[200:204, :390].all()
    assert not result.mask[:, 400:].any()
    assert result.mask.sum() <= 4 * 400

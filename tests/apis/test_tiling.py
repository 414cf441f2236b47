"""Tiles, their weights, and images kept on disk."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csbsr_mm.apis.tiling import TileBlender, TileGrid
from csbsr_mm.photos.raster import Box, Raster

SIDES = st.integers(1, 60)


def cover(grid):
    """Number of tiles with weight, and total weight, at each pixel."""
    count, total = np.zeros((grid.height, grid.width), int), np.zeros((grid.height, grid.width))
    for index, box in enumerate(grid):
        rows, columns = grid.weights(index)
        weight = rows[:, None] * columns
        inside = box.within(Box(0, 0, grid.height, grid.width))
        assert np.allclose(grid.previous_weight(index), total[inside])
        total[inside] += weight
        count[inside] += weight > 0
    return count, total


@given(SIDES, SIDES, st.integers(1, 30), st.data(), st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_weights_add_up_to_one_and_tiles_stay_inside(height, width, tile, data, factor):
    grid = TileGrid(height, width, tile, data.draw(st.integers(0, tile - 1))).scaled(factor)
    assert {box.size for box in grid} == {grid.tile_size}
    assert all(b.top >= 0 and b.bottom <= factor * height and b.right <= factor * width for b in grid)
    count, total = cover(grid)
    assert np.allclose(total, 1)
    assert grid.shared_pixels == (count > 1).sum()


def test_pixels_near_an_inner_edge_have_no_weight():
    grid = TileGrid(40, 100, tile=40, overlap=16)
    for index, box in enumerate(grid):
        rows, columns = grid.weights(index)
        assert (rows == 1).all()
        assert (columns[:4] == 0).all() == (box.left > 0)
        assert (columns[-4:] == 0).all() == (box.right < 100)


@pytest.mark.parametrize(('tile', 'overlap'), [(0, 0), (8, 8), (8, 9), (8, -1)])
def test_impossible_tiles(tile, overlap):
    with pytest.raises(ValueError, match=f'got tile={tile} and overlap={overlap}'):
        TileGrid(10, 10, tile, overlap)


def test_seam_is_the_weighted_deviation_of_the_tiles():
    """Against the definition, from all tiles kept in memory."""
    rng = np.random.default_rng(0)
    grid = TileGrid(37, 53, tile=17, overlap=8)
    tiles = [rng.random((*grid.tile_size, 2)) for _ in grid]
    target = Raster(37, 53, 2, np.float32)
    blender = TileBlender(grid, target)
    layers, weights = np.zeros((len(grid), 37, 53, 2)), np.zeros((len(grid), 37, 53, 1))
    for index, (box, tile) in enumerate(zip(grid, tiles, strict=True)):
        blender.add(index, tile)
        inside = box.within(target.box)
        rows, columns = grid.weights(index)
        layers[index][inside], weights[index][inside] = tile, (rows[:, None] * columns)[..., None]
    blend = (weights * layers).sum(0)
    shared = (weights > 0).sum(0)[..., 0] > 1
    expected = (weights * (layers - blend) ** 2).sum(0).mean(-1)[shared].mean() ** 0.5
    assert np.allclose(target.read(target.box), blend, atol=1e-6)
    assert blender.seam_rms == pytest.approx(expected, rel=1e-4)


def test_equal_tiles_have_no_seam():
    grid = TileGrid(37, 53, tile=17, overlap=8)
    image = np.random.default_rng(0).random((37, 53, 1))
    target = Raster(37, 53, 1, np.float32)
    blender = TileBlender(grid, target)
    for index, box in enumerate(grid):
        blender.add(index, image[box.within(target.box)])
    assert blender.seam_rms < 1e-6
    assert np.allclose(target.read(target.box), image, atol=1e-6)


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_disk_and_memory_hold_the_same(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp('raster')
    on_disk, in_memory = (Raster(700, 1100, 3, np.uint16, place) for place in (folder, None))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    for _ in range(3):
        top, left = data.draw(st.integers(0, 690)), data.draw(st.integers(0, 1090))
        box = Box(top, left, data.draw(st.integers(top, 700)), data.draw(st.integers(left, 1100)))
        values = rng.random((*box.size, 3))
        for raster in (on_disk, in_memory):
            raster.add_unit(box, values)
    assert on_disk.on_disk
    assert not in_memory.on_disk
    assert np.array_equal(on_disk.read(on_disk.box), in_memory.read(in_memory.box))
    assert np.array_equal(on_disk.read(on_disk.box)[30:600, 5:1000], on_disk.read(Box(30, 5, 600, 1000)))
    on_disk.close()
    assert not list(folder.iterdir())


def test_blocks_cover_the_image_once():
    raster = Raster(70, 110, 1, np.uint8)
    for box in raster.blocks(32):
        raster.write(box, raster.read(box) + 1)
    assert (raster.read(raster.box) == 1).all()


def test_regions_outside():
    with pytest.raises(ValueError, match='not inside an image of 7x9'):
        Raster(7, 9, 1, np.uint8).read(Box(0, 0, 8, 9))

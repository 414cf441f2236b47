"""Stored degraded sets: the authors' names and encodings, and reading them in a pipeline."""

import cv2
import numpy as np
import pytest
from helpers.crack_files import write_set
from mmengine.registry import init_default_scope

from csbsr_mm.datasets import CrackDataset
from csbsr_mm.datasets.degraded_store import DegradedStore, decode_kernel, encode_kernel, stored_name
from csbsr_mm.datasets.transforms import BlindDegradation, LoadDegradedPair
from csbsr_mm.functional.degradation import anisotropic_gaussian_kernel

rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')


def test_names_as_in_the_authors_set():
    names = ['CFD_001.jpg', 'noncrack_1.jpg.jpg', 'x.PNG', 'a.b.tiff', 'jpg.jpeg']
    assert [stored_name(n) for n in names] == [
        'CFD_001.png', 'noncrack_1.png.png', 'x.png', 'a.b.png', 'jpg.png',
    ]  # fmt: skip


def test_kernel_picture_is_max_normalised_and_read_by_its_sum():
    for sigma in (0.3, 1.2, 4.0):
        kernel = anisotropic_gaussian_kernel(sigma, 2 * sigma, 0.7)
        picture = encode_kernel(kernel)
        assert picture.max() == 255
        read = decode_kernel(picture)
        assert abs(read.sum() - 1) < 1e-6
        assert np.abs(read - kernel).max() < kernel.max() * 0.03


def test_written_set_comes_back(tmp_path):
    store = DegradedStore(tmp_path / 'set')
    lr = (rng.random((8, 12, 3)) * 300 - 20).astype(np.float32)
    kernel = anisotropic_gaussian_kernel(2.0, 1.0, 0.3).astype(np.float32)
    store.write('a.jpg', lr, kernel)
    read, read_kernel = store.read('a.jpg')
    assert read.dtype == np.uint8
    assert np.abs(read - np.clip(lr, 0, 255)).max() <= 0.5
    assert np.abs(read_kernel - kernel).max() < 0.002
    precise, precise_kernel = store.read('a.jpg', precise=True)
    assert np.array_equal(precise, lr)
    assert np.array_equal(precise_kernel, kernel)
    assert (tmp_path / 'set' / 'lr_images' / 'a.png').is_file()


@pytest.mark.parametrize('precise', [False, True])
def test_pipeline_reads_what_the_degradation_made(tmp_path, precise):
    write_set(tmp_path, ('a.png', 'b.png'), size=(66, 97))
    prefix = dict(img_path='train/images', seg_map_path='train/masks')
    load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]

    def samples(step):
        dataset = CrackDataset(data_root=str(tmp_path), data_prefix=prefix, pipeline=[*load, step])
        return list(dataset)

    made = samples(BlindDegradation())
    for sample in made:
        store = LoadDegradedPair('set').store(sample['img_path'])
        store.write(sample['img_path'].rsplit('/', 1)[1], sample['img'], sample['gt_blur_kernel'])
    for sample, read in zip(made, samples(LoadDegradedPair('set', precise=precise)), strict=True):
        assert np.array_equal(read['hr_img'], sample['hr_img'])
        assert np.array_equal(read['gt_seg_map'], sample['gt_seg_map'])
        assert read['ori_shape'] == (16, 24)
        tolerance = 0 if precise else 0.5
        assert np.abs(read['img'] - np.clip(sample['img'], 0, 255)).max() <= (1 if precise else tolerance)
        assert not precise or np.array_equal(read['img'], sample['img'])
    elsewhere = LoadDegradedPair(root=str(tmp_path / 'test_blured' / 'set'))
    assert elsewhere.store('any/where.jpg').root.name == 'set'


def test_errors_name_the_file(tmp_path):
    sample = dict(
        img=np.zeros((64, 64, 3), np.uint8), img_path=str(tmp_path / 'test/images/a.jpg'), sample_idx=0
    )
    load = LoadDegradedPair('set')
    with pytest.raises(FileNotFoundError, match=r'lr_images/a.png is missing; write the set with'):
        load.transform(dict(sample))
    store = load.store(sample['img_path'])
    store.write('a.jpg', np.zeros((10, 16, 3), np.float32), np.ones((3, 3), np.float32) / 9)
    with pytest.raises(ValueError, match=r'a.png of 10x16 is no downsampled .*a.jpg of 64x64'):
        load.transform(dict(sample))
    store.lr_path('a.jpg').write_bytes(b'no picture')
    with pytest.raises(OSError, match='cannot be decoded'):
        load.transform(dict(sample))
    store.write('a.jpg', np.zeros((16, 16, 3), np.float32), np.ones((3, 3), np.float32) / 9)
    cv2.imwrite(str(store.kernel_path('a.jpg')), np.zeros((3, 3), np.uint8))
    with pytest.raises(ValueError, match='is black'):
        load.transform(dict(sample))

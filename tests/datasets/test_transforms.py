"""Transforms: joint, keyed by draw, and the degradation of Eq. 1 on MMSegmentation's arrays."""

import cv2
import numpy as np
import pytest
import torch
from helpers.crack_files import write_set
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from csbsr_mm.datasets import CrackDataset, KeyedInfiniteSampler
from csbsr_mm.datasets.transforms import (
    BinarizeMask,
    BlindDegradation,
    KeyedRandomCrop,
    KeyedRandomFlip,
    PackBlindSRInputs,
)

rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')


def a_sample(size=(64, 96), **extra):
    """Mask = first channel, so that joint transforms can be told from separate ones."""
    image = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
    mask = (image[..., 0] > 127).astype(np.uint8)
    base = dict(img=image, gt_seg_map=mask, seg_fields=['gt_seg_map'], img_path='d/a.jpg', sample_idx=0)
    return base | extra


def is_joint(results):
    return np.array_equal(results['gt_seg_map'], results['img'][..., 0] > 127)


@pytest.mark.parametrize(
    'transform', [KeyedRandomCrop((16, 32)), KeyedRandomCrop(32, crack_probability=1), KeyedRandomFlip()]
)
def test_image_and_mask_move_together_and_by_the_draw(transform):
    sample = a_sample()
    outcomes = []
    for draw in range(30):
        first = transform.transform(sample | dict(draw=draw, draw_seed=1))
        again = transform.transform(sample | dict(draw=draw, draw_seed=1, img_path='other.jpg'))
        assert is_joint(first)
        assert np.array_equal(first['img'], again['img'])
        assert first['img'].flags.c_contiguous
        outcomes.append(first['img'].tobytes())
    assert len(set(outcomes)) >= 4
    by_name = [transform.transform(sample | dict(img_path=f'{i}.jpg'))['img'].tobytes() for i in range(20)]
    assert len(set(by_name)) >= 4


def test_flip_directions_are_independent():
    counts = {}
    for draw in range(400):
        results = KeyedRandomFlip(horizontal=0.5, vertical=0.25).transform(a_sample((4, 4), draw=draw))
        counts[results['flip_direction']] = counts.get(results['flip_direction'], 0) + 1
    expected = {None: 150, 'horizontal': 150, 'vertical': 50, 'diagonal': 50}
    assert all(abs(counts[key] - value) < 40 for key, value in expected.items())
    image = a_sample()['img']
    both = KeyedRandomFlip(1.0, 1.0).transform(dict(img=image))
    assert np.array_equal(both['img'], image[::-1, ::-1])
    assert both['flip'] is True
    with pytest.raises(ValueError, match='flip probabilities must be within'):
        KeyedRandomFlip(1.5)


def test_crops_reach_every_place_and_cracks_on_demand():
    mask = np.zeros((40, 60), np.uint8)
    mask[37, 55] = 1
    corners, hits = set(), 0
    position = np.stack(np.mgrid[:40, :60], -1).astype(np.uint8)
    for draw in range(300):
        sample = dict(img=position, gt_seg_map=mask, seg_fields=['gt_seg_map'], draw=draw)
        plain = KeyedRandomCrop((38, 54)).transform(dict(sample))
        corners.add(tuple(plain['img'][0, 0]))
        biased = KeyedRandomCrop(10, crack_probability=0.5).transform(dict(sample))
        hits += biased['gt_seg_map'].sum()
    assert corners == {(i, j) for i in range(3) for j in range(7)}
    assert 120 < hits < 190
    empty = dict(img=position, gt_seg_map=mask * 0, seg_fields=['gt_seg_map'])
    assert KeyedRandomCrop(10, crack_probability=1.0).transform(empty)['img'].shape == (10, 10, 2)
    with pytest.raises(ValueError, match=r'41x41 does not fit into a.jpg of 40x60'):
        KeyedRandomCrop(41).transform(dict(img=position, img_path='a.jpg'))
    with pytest.raises(ValueError, match='crack_probability must be within'):
        KeyedRandomCrop(8, crack_probability=2)


@pytest.mark.parametrize('transform', [KeyedRandomFlip(), KeyedRandomCrop(8)])
def test_geometry_stands_before_degradation(transform):
    with pytest.raises(ValueError, match='must stand before BlindDegradation'):
        transform.transform(BlindDegradation().transform(a_sample()))


@pytest.mark.parametrize(
    ('values', 'path', 'expected'),
    [
        ([0, 5, 9, 246, 255], 'a.jpg', [0, 0, 0, 1, 1]),
        ([0, 0, 0, 0], 'a.jpg', [0, 0, 0, 0]),
        ([0, 3, 1, 2], 'a.jpg.jpg', [0, 0, 0, 0]),
        ([255, 255], 'a.png', [1, 1]),
        ([0, 255], 'a.png', [0, 1]),
        ([0, 1, 1], 'a.png', [0, 1, 1]),
        ([0, 1, 255], 'a.png', [0, 1, 255]),
        ([0] * 150 + [120, 140] + [255] * 150, 'a.png', [0] * 150 + [0, 1] + [1] * 150),
    ],
)
def test_masks_that_are_accepted(values, path, expected):
    mask = BinarizeMask().binarize(np.array([values], np.uint8), path)
    assert mask.dtype == np.uint8
    assert mask.tolist() == [expected]


@pytest.mark.parametrize(
    ('values', 'path', 'message'),
    [
        ([0, 1, 2, 3], 'x/a.png', r'got 0\.\.3 in x/a.png; map its classes'),
        ([0, 128, 255], 'a.jpg', r'got 0\.\.255 \(33% of the pixels in between\) in a.jpg'),
        (list(range(256)), 'a.png', r'BinarizeMask\(threshold'),
    ],
)
def test_masks_that_are_refused(values, path, message):
    with pytest.raises(ValueError, match=message):
        BinarizeMask().binarize(np.array([values], np.uint8), path)
    with pytest.raises(ValueError, match='one channel'):
        BinarizeMask().binarize(np.zeros((2, 2, 3), np.uint8), path)


def test_thresholding_whatever_comes():
    grey = np.arange(256, dtype=np.uint8)[None]
    assert BinarizeMask(threshold=50, max_undecided=1.0).binarize(grey, 'a.jpg').sum() == 205
    assert 'gt_seg_map' not in BinarizeMask().transform(dict(img=grey))
    with pytest.raises(ValueError, match='threshold must be'):
        BinarizeMask(threshold=300)


@pytest.mark.parametrize('padding', ['zeros', 'reflect'])
def test_degradation_equals_opencv(padding):
    sample = a_sample()
    hr = sample['img'].copy()
    results = BlindDegradation(padding=padding).transform(sample)
    kernel = results['gt_blur_kernel']
    assert kernel.dtype == np.float32
    assert abs(kernel.sum() - 1) < 1e-6
    border = {'zeros': cv2.BORDER_CONSTANT, 'reflect': cv2.BORDER_REFLECT_101}[padding]
    blurred = cv2.filter2D(hr.astype(np.float32), -1, kernel, borderType=border)
    expected = cv2.resize(blurred, (24, 16), interpolation=cv2.INTER_CUBIC)
    assert results['img'].dtype == np.float32
    assert np.abs(results['img'] - expected).max() < 255e-4
    assert np.array_equal(results['hr_img'], hr)
    assert results['img_shape'] == results['ori_shape'] == (16, 24)
    assert results['gt_seg_map'].shape == (64, 96)


def test_degradation_draws_what_it_says():
    kinds = dict(gaussian=1, motion=1, defocus=1, mixture=1)
    transform = BlindDegradation(kinds=kinds, sigma=(0.5, 2.0))
    records = [transform.draw_kernel(np.random.default_rng(i)) for i in range(200)]
    for kernel, _ in records:
        assert kernel.shape == (21, 21)
        assert kernel.min() >= 0
        assert abs(kernel.sum() - 1) < 1e-12
    counts = {kind: sum(r['kind'] == kind for _, r in records) for kind in kinds}
    assert min(counts.values()) > 25
    sigmas = [r['sigma_x'] for _, r in records if r['kind'] == 'gaussian']
    assert 0.5 <= min(sigmas) < 0.8
    assert 1.7 < max(sigmas) <= 2.0
    only = BlindDegradation(sigma=(0.5, 4.0), sigma_is_variance=True)
    drawn = [only.draw_kernel(np.random.default_rng(i))[1] for i in range(100)]
    assert {r['kind'] for r in drawn} == {'gaussian'}
    assert 1.9 < max(r['sigma_y'] for r in drawn) <= 2.0
    assert max(r['theta'] for r in drawn) < np.pi


def test_degradation_is_fixed_by_file_name_in_testing(tmp_path):
    first = BlindDegradation().transform(a_sample(img_path='one/x.jpg'))['gt_blur_kernel']
    moved = BlindDegradation().transform(a_sample(img_path='two/x.jpg'))['gt_blur_kernel']
    other = BlindDegradation().transform(a_sample(img_path='one/y.jpg'))['gt_blur_kernel']
    assert np.array_equal(first, moved)
    assert not np.array_equal(first, other)
    reseeded = BlindDegradation(seed=1).transform(a_sample(img_path='one/x.jpg'))
    assert not np.array_equal(first, reseeded['gt_blur_kernel'])


def test_degradation_crops_to_a_multiple():
    results = BlindDegradation(scale=4).transform(a_sample((67, 97)))
    assert results['hr_img'].shape == (64, 96, 3)
    assert np.array_equal(results['gt_seg_map'], results['hr_img'][..., 0] > 127)
    assert results['img'].shape == (16, 24, 3)
    with pytest.raises(ValueError, match=r'a.jpg of \(3, 9\) pixels is too small'):
        BlindDegradation().transform(a_sample((3, 9)))


def test_quantized_lr_is_what_a_png_holds():
    exact = BlindDegradation().transform(a_sample(img=np.full((32, 32, 3), 250, np.uint8)))['img']
    results = BlindDegradation(quantize=True).transform(a_sample(img=np.full((32, 32, 3), 250, np.uint8)))
    assert results['img'].dtype == np.uint8
    assert np.abs(results['img'] - np.clip(exact, 0, 255)).max() <= 0.5


def test_photos_of_inferencers_pass_unchanged():
    pipeline = Compose(
        [
            dict(type='BinarizeMask'),
            dict(type='BlindDegradation', only_dataset_images=True),
            dict(type='LoadDegradedPair'),
            dict(type='PackBlindSRInputs'),
        ]
    )
    photo = a_sample()['img']
    packed = pipeline(dict(img=photo, img_shape=(64, 96), ori_shape=(64, 96)))
    assert torch.equal(packed['inputs'], torch.from_numpy(photo).permute(2, 0, 1))
    assert 'gt_hr_img' not in packed['data_samples']
    assert packed['data_samples'].ori_shape == (64, 96)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(scale=3), r'one of 1, 2, 4, 8, got 3'),
        (dict(kernel_size=20), 'must be odd, got 20'),
        (dict(padding='wrap'), "got 'wrap'"),
        (dict(kinds=dict(box=1)), r"got {'box': 1}"),
        (dict(sigma=(0, 2)), 'range of positive numbers'),
    ],
)
def test_degradation_refuses(settings, message):
    with pytest.raises(ValueError, match=message):
        BlindDegradation(**settings)


def test_packing():
    degraded = BlindDegradation().transform(a_sample(ori_shape=(64, 96)))
    packed = PackBlindSRInputs().transform(dict(degraded))
    sample = packed['data_samples']
    assert packed['inputs'].shape == (3, 16, 24)
    assert torch.equal(sample.gt_hr_img.data, torch.from_numpy(degraded['hr_img']).permute(2, 0, 1))
    assert sample.gt_hr_img.data.dtype == torch.uint8
    assert sample.gt_blur_kernel.data.shape == (1, 21, 21)
    assert sample.gt_sem_seg.data.shape == (1, 64, 96)
    assert sample.gt_sem_seg.data.dtype == torch.int64
    assert sample.ori_shape == sample.img_shape == (16, 24)


@pytest.mark.parametrize('workers', [1, 2])
def test_training_data_do_not_depend_on_workers(tmp_path, workers):
    cv2.setNumThreads(0)  # as MMEngine's runner does before it forks workers
    write_set(tmp_path, [f'{i}.png' for i in range(5)])
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations'),
        dict(type='KeyedRandomCrop', crop_size=32),
        dict(type='KeyedRandomFlip'),
        dict(type='BlindDegradation'),
        dict(type='PackBlindSRInputs'),
    ]
    prefix = dict(img_path='train/images', seg_map_path='train/masks')

    def samples(num_workers, start):
        dataset = CrackDataset(data_root=str(tmp_path), data_prefix=prefix, pipeline=pipeline)
        sampler = KeyedInfiniteSampler(dataset, seed=3)
        sampler.set_position(start)
        loader = DataLoader(dataset, sampler=sampler, num_workers=num_workers, collate_fn=list)
        return [batch[0] for batch, _ in zip(loader, range(12 - start), strict=False)]

    for plain, parallel in zip(samples(0, 0)[4:], samples(workers, 4), strict=True):
        assert torch.equal(plain['inputs'], parallel['inputs'])
        for field in ('gt_sem_seg', 'gt_hr_img', 'gt_blur_kernel'):
            assert torch.equal(
                plain['data_samples'].get(field).data, parallel['data_samples'].get(field).data
            )


def test_transforms_of_one_sample_draw_from_streams_of_their_own():
    """Were the streams one, the side of the flip would tell where the crop lies."""
    draws = {}
    for transform in (KeyedRandomFlip(), KeyedRandomCrop(8), BlindDegradation(scale=4)):
        numbers = [transform.generator(dict(draw=draw, draw_seed=3)).random() for draw in range(400)]
        draws[type(transform).__name__] = numbers
    table = np.corrcoef(list(draws.values()))
    assert np.abs(table - np.eye(3)).max() < 0.2
    again = KeyedRandomFlip().generator(dict(draw=7, draw_seed=3)).random()
    assert again == draws['KeyedRandomFlip'][7]

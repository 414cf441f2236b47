"""Degradation without the rim that gives the blur away, and what a camera adds."""

import cv2
import numpy as np
import pytest

from csbsr_mm.datasets.transforms import BlindDegradation


def sample(size=(96, 112), value=None):
    rng = np.random.default_rng(0)
    image = (
        rng.integers(0, 256, (*size, 3), np.uint8) if value is None else np.full((*size, 3), value, np.uint8)
    )
    mask = rng.integers(0, 2, size, np.uint8)
    return dict(img=image, gt_seg_map=mask, seg_fields=['gt_seg_map'], img_path='a.jpg', sample_idx=0)


def test_is_the_inside_of_the_uncut_images():
    whole = BlindDegradation(seed=3).transform(sample())
    cut = BlindDegradation(seed=3, cut_border=True).transform(sample())
    assert cut['img'].shape == (24 - 6, 28 - 6, 3)
    assert cut['img_shape'] == cut['ori_shape'] == (18, 22)
    np.testing.assert_array_equal(cut['img'], whole['img'][3:-3, 3:-3])
    np.testing.assert_array_equal(cut['hr_img'], whole['hr_img'][12:-12, 12:-12])
    np.testing.assert_array_equal(cut['gt_seg_map'], whole['gt_seg_map'][12:-12, 12:-12])


def test_an_even_wall_stays_even():
    options = dict(sigma=(3.9, 4.0), seed=1)
    assert np.ptp(BlindDegradation(**options).transform(sample(value=200))['img']) > 20
    assert np.ptp(BlindDegradation(**options, cut_border=True).transform(sample(value=200))['img']) < 0.01


def test_too_small_images_are_named():
    with pytest.raises(ValueError, match=r'a\.jpg is 6x28 after downsampling, too small to cut 3 pixels'):
        BlindDegradation(cut_border=True).transform(sample((24, 112)))


def test_noise_has_its_standard_deviation():
    clean = BlindDegradation(seed=2).transform(sample((400, 400)))['img']
    noisy = BlindDegradation(seed=2, noise=(3.0, 3.0)).transform(sample((400, 400)))['img']
    assert (noisy - clean).std() == pytest.approx(3, rel=0.03)


def test_jpeg_is_that_of_the_library():
    options = dict(seed=4, quantize=True)
    plain = BlindDegradation(**options).transform(sample())['img']
    found = BlindDegradation(**options, jpeg_quality=(70, 70)).transform(sample())['img']
    content = cv2.imencode('.jpg', plain, [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
    np.testing.assert_array_equal(found, cv2.imdecode(content, cv2.IMREAD_UNCHANGED))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(noise=(2, 1)), 'noise must be a range of standard deviations'),
        (dict(jpeg_quality=(0, 50)), r'jpeg_quality must be a range within 1\.\.100'),
    ],
)
def test_bad_ranges_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        BlindDegradation(**options)

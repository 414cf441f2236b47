"""Masks four times as large as their photo, drawn by the visualizer that MMSegmentation's tools use."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from mmseg.visualization import SegLocalVisualizer

from csbsr_mm.visualization import BlindSRLocalVisualizer

RED = np.array([220, 20, 20])


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)


@pytest.fixture
def mask():
    return torch.from_numpy(np.random.default_rng(1).integers(0, 2, (1, 28, 36)))


def draw(photo, sample, **kwargs):
    visualizer = BlindSRLocalVisualizer(**kwargs)
    visualizer.add_datasample('name', photo, sample)
    return visualizer.get_image()


def test_mmsegmentation_refuses_what_is_drawn_here(photo, mask):
    with pytest.raises((IndexError, ValueError)):
        SegLocalVisualizer(classes=['a', 'b'], palette=[[0, 0, 0], [1, 1, 1]]).add_datasample(
            'name', photo, SegDataSample(pred_sem_seg=PixelData(data=mask))
        )


def test_background_is_the_photo_and_cracks_are_red(photo, mask):
    drawn = draw(photo, SegDataSample(pred_sem_seg=PixelData(data=mask)), alpha=0.25)
    enlarged = cv2.resize(photo, (36, 28), interpolation=cv2.INTER_CUBIC)
    crack = mask[0].numpy() == 1
    assert np.array_equal(drawn[~crack], enlarged[~crack])
    assert np.abs(drawn[crack] - (0.75 * enlarged[crack] + 0.25 * RED)).max() <= 0.5


def test_ground_truth_and_prediction_of_different_size_stand_side_by_side(photo, mask, tmp_path):
    small = torch.ones(1, 7, 9, dtype=torch.long)
    sample = SegDataSample(gt_sem_seg=PixelData(data=mask), pred_sem_seg=PixelData(data=small))
    BlindSRLocalVisualizer(alpha=1.0).add_datasample('name', photo, sample, out_file=str(tmp_path / 'a.png'))
    drawn = cv2.imread(str(tmp_path / 'a.png'))[..., ::-1]
    assert drawn.shape == (28, 72, 3)
    assert (drawn[:, 36:] == RED).all()
    assert np.array_equal((drawn[:, :36] == RED).all(-1), mask[0].numpy() == 1)
    assert sample.pred_sem_seg.shape == (7, 9)


def test_sr_image_as_background(photo, mask):
    sr_image = torch.rand(3, 28, 36)
    empty = torch.zeros_like(mask)
    sample = SegDataSample(pred_sem_seg=PixelData(data=empty), sr_img=PixelData(data=sr_image))
    drawn = draw(photo, sample, draw_on='sr')
    assert np.abs(drawn / 255 - sr_image.permute(1, 2, 0).numpy()).max() <= 0.5 / 255 + 1e-6


def test_ignored_pixels_are_not_painted(photo):
    ignored = torch.full((1, 28, 36), 255)
    drawn = draw(photo, SegDataSample(gt_sem_seg=PixelData(data=ignored)))
    assert np.array_equal(drawn, cv2.resize(photo, (36, 28), interpolation=cv2.INTER_CUBIC))


def test_more_classes_are_drawn_as_mmsegmentation_does():
    photo = np.zeros((28, 36, 3), np.uint8)
    labels = torch.arange(28 * 36).view(1, 28, 36) % 3
    classes, palette = ['a', 'b', 'c'], [[1, 2, 3], [40, 50, 60], [70, 80, 90]]
    pictures = []
    for kind in (BlindSRLocalVisualizer, SegLocalVisualizer):
        visualizer = kind(alpha=0.8)
        visualizer.set_dataset_meta(classes, palette)
        visualizer.add_datasample('name', photo, SegDataSample(pred_sem_seg=PixelData(data=labels)))
        pictures.append(visualizer.get_image())
    assert np.array_equal(*pictures)


def test_without_masks_the_photo_stays(photo, tmp_path):
    visualizer = BlindSRLocalVisualizer()
    visualizer.add_datasample('name', photo, SegDataSample(), out_file=str(tmp_path / 'a.png'))
    assert np.array_equal(cv2.imread(str(tmp_path / 'a.png'))[..., ::-1], photo)


def test_unknown_background():
    with pytest.raises(ValueError, match="draw_on must be 'photo' or 'sr', got 'hr'"):
        BlindSRLocalVisualizer(draw_on='hr')

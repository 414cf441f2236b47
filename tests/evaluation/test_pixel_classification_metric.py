"""The scores of all pixels of a set, whatever the batches."""

import numpy as np
import pytest
import torch

from csbsr_mm.evaluation import PixelClassificationMetric


def samples(count=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for number in range(count):
        label = (torch.rand(1, 12, 15, generator=generator) > 0.7).long()
        prob = (0.5 * label + 0.6 * torch.rand(1, 12, 15, generator=generator)).clamp(0, 1)
        label[:, 0] = 255
        yield dict(seg_prob=dict(data=prob), gt_sem_seg=dict(data=label), img_path=f'{number}.png')


def test_scores_of_all_pixels_together():
    batch = list(samples())
    metric = PixelClassificationMetric(threshold=0.4)
    metric.process({}, batch[:1])
    metric.process({}, batch[1:])
    found = metric.evaluate(size=3)
    prob = np.concatenate([sample['seg_prob']['data'].numpy().ravel() for sample in batch])
    label = np.concatenate([sample['gt_sem_seg']['data'].numpy().ravel() for sample in batch])
    prob, label = prob[label != 255], label[label != 255] == 1
    predicted = prob > 0.4
    assert found['accuracy'] == pytest.approx((predicted == label).mean())
    assert found['sensitivity'] == pytest.approx(predicted[label].mean())
    assert found['specificity'] == pytest.approx((~predicted[~label]).mean())
    difference = prob[label][:, None] - prob[~label][None]
    assert found['AUC'] == pytest.approx((difference > 0).mean(), abs=1e-3)


def test_a_set_without_foreground():
    sample = next(samples(1))
    sample['gt_sem_seg']['data'] = torch.zeros(1, 12, 15, dtype=torch.long)
    metric = PixelClassificationMetric()
    metric.process({}, [sample])
    found = metric.evaluate(size=1)
    assert np.isnan(found['sensitivity'])
    assert np.isnan(found['AUC'])
    assert 0 <= found['specificity'] <= 1


def test_refused_threshold():
    with pytest.raises(ValueError, match=r'got 1\.5'):
        PixelClassificationMetric(threshold=1.5)

"""What other models call ``seg_logits``: measured as what it is, or refused."""

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.models.segmentors import SegTTAModel
from mmseg.structures import SegDataSample
from torch import nn

from csbsr_mm.evaluation import AIUMetric, HD95Metric
from csbsr_mm.models.segmentors import BlindSRTTAModel

LABEL = torch.zeros(1, 6, 8, dtype=torch.long)
LABEL[0, 2:4, 1:7] = 1


def evaluate(metric, *samples):
    metric.process({}, [sample.to_dict() for sample in samples])
    return metric.evaluate(len(samples))


def prediction(logits, **meta):
    sample = SegDataSample(metainfo=dict(img_path='a.png', ori_shape=(6, 8), img_shape=(6, 8), **meta))
    sample.gt_sem_seg = PixelData(data=LABEL)
    sample.seg_logits = PixelData(data=logits)
    sample.pred_sem_seg = PixelData(data=logits.argmax(0, keepdim=True))
    return sample


def views():
    """Three versions of a photo; only their mean finds the crack, the last one alone finds nothing."""
    crack = LABEL.float() * 2 - 1
    maps = [4 * crack, 2 * crack, torch.full_like(crack, -1)]
    return [prediction(torch.cat([torch.zeros_like(z), z])) for z in maps]


class Stock(nn.Module):
    out_channels, threshold, test_step = 2, 0.5, None


def test_merged_prediction_is_measured():
    merged = BlindSRTTAModel(Stock()).merge_preds([views()])
    assert evaluate(AIUMetric(), *merged)['IoU_at_0.5'] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize('metric', [AIUMetric, HD95Metric])
def test_last_version_of_many_is_refused(metric):
    """Of SegTTAModel, which merges the prediction and leaves the last version's logits."""
    merged = SegTTAModel(Stock()).merge_preds([views()])
    with pytest.raises(ValueError, match=r"seg_logits of a\.png are not those .*type='BlindSRTTAModel'"):
        evaluate(metric(), *merged)


def test_one_channel_that_is_not_its_prediction_is_refused():
    probability = LABEL * 0.6 + 0.2
    sample = prediction(probability)
    sample.pred_sem_seg = PixelData(data=(probability > 0.3).long())
    assert evaluate(AIUMetric(), sample)['IoU_at_0.5'] == pytest.approx(1)
    sample.pred_sem_seg = PixelData(data=LABEL.flip(2).roll(1, 2))
    with pytest.raises(ValueError, match='SegTTAModel'):
        evaluate(AIUMetric(), sample)


def test_flipped_version_is_refused_though_it_agrees():
    crack = 4.0 * LABEL - 2
    sample = prediction(torch.cat([-crack, crack]), flip=True)
    with pytest.raises(ValueError, match='SegTTAModel'):
        evaluate(AIUMetric(), sample)


def test_mask_scores_are_refused_until_named():
    """A perfect score map, as MaskFormer and Mask2Former would give it: no softmax is due."""
    perfect = prediction(torch.cat([1.0 - LABEL, LABEL.float()]))
    with pytest.raises(ValueError, match=r"a\.png have no negative value: MaskFormer .* scores='mask'"):
        evaluate(AIUMetric(), perfect)
    assert evaluate(AIUMetric(scores='mask'), perfect)['IoU_at_0.5'] == pytest.approx(1)
    half = prediction(torch.cat([0.6 - 0.3 * LABEL, 0.1 + 0.2 * LABEL]))
    shares = evaluate(AIUMetric(scores='mask', thresholds=[0.45, 0.55], at=()), half)
    assert shares['IoU_max_threshold'] == 0.45  # 0.3 of 0.6, and 0.1 of 0.7.
    assert evaluate(AIUMetric(scores='logits', at=(0.4,)), half)['IoU_at_0.4'] == pytest.approx(1)
    with pytest.raises(ValueError, match='scores must be one of'):
        AIUMetric(scores='maskformer')


def test_result_names_the_class_where_there_are_many():
    metric = AIUMetric(foreground_class=1)
    metric.dataset_meta = dict(classes=('road', 'side walk', 'building'))
    sample = prediction(torch.cat([-4.0 * LABEL, 8.0 * LABEL - 4, torch.full(LABEL.shape, -9.0)]))
    results = evaluate(metric, sample)
    assert results['AIU_side_walk'] > 0.9
    assert all(name.endswith('_side_walk') for name in results)


def test_a_network_that_finds_nothing_has_no_best_distance():
    """Nine missed cracks and a clean image: the clean one alone would make a perfect mean."""
    nothing = dict(seg_prob=dict(data=torch.zeros(1, 6, 8)))
    crack = nothing | dict(gt_sem_seg=dict(data=LABEL), img_path='crack.png')
    clean = nothing | dict(gt_sem_seg=dict(data=torch.zeros_like(LABEL)), img_path='clean.png')
    metric = HD95Metric(empty='nan')
    metric.process({}, [crack] * 9 + [clean])
    results = metric.evaluate(10)
    assert np.isnan([results['HD95_min'], results['AHD95'], results['HD95_min_threshold']]).all()
    assert results['HD95_one_empty'] == 9


def test_minimum_is_over_thresholds_at_which_every_image_counts():
    weak = LABEL * 0.4
    weak[0, 0, 0] = 0.4
    samples = [
        dict(seg_prob=dict(data=prob.float()), gt_sem_seg=dict(data=LABEL), img_path=name)
        for name, prob in (('weak.png', weak), ('strong.png', LABEL * 0.9))
    ]
    metric = HD95Metric(empty='nan', thresholds=[0.3, 0.6], at=())
    metric.process({}, samples)
    results = metric.evaluate(2)
    assert results['HD95_min_threshold'] == 0.3  # At 0.6 only the strong one is left, with distance 0.
    assert results['HD95_min'] == results['AHD95'] > 0

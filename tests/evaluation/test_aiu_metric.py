"""AIUMetric against published figures, through MMEngine's evaluator."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.curve_samples import GOLDEN, evaluate, golden_samples, rows, sample
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS

from csbsr_mm.evaluation import AIUMetric

CURVE = GOLDEN['iou'].mean(0)


@pytest.mark.parametrize('form', ['seg_prob', 'one channel', 'two probabilities'])
@pytest.mark.parametrize('workers', [0, 2])
def test_golden_figures(form, workers):
    metrics = evaluate(AIUMetric(workers=workers), golden_samples(form))
    assert metrics['IoU_max'] == pytest.approx(CURVE.max(), abs=1e-12)
    assert metrics['AIU'] == pytest.approx(CURVE.mean(), abs=1e-12)
    assert metrics['IoU_max_threshold'] == pytest.approx(GOLDEN['thresholds'][CURVE.argmax()])
    assert metrics['IoU_at_0.5'] == pytest.approx(CURVE[49], abs=1e-12)


def test_two_logits():
    """The softmax moves values that sit on a threshold, so that the agreement is less than exact."""
    metrics = evaluate(AIUMetric(), golden_samples('two logits'))
    assert metrics['AIU'] == pytest.approx(CURVE.mean(), abs=2e-3)


def test_a_class_of_several():
    """One class against the rest, whatever the other channels are."""
    scores = torch.randn(5, 20, 30, generator=torch.manual_seed(0))
    label = torch.randint(0, 5, (20, 30), generator=torch.manual_seed(1))
    metrics = evaluate(AIUMetric(foreground_class=3, at=(0.25,)), [sample('a', label, seg_logits=scores)])
    pred, target = (scores.softmax(0)[3] > 0.25).numpy(), (label == 3).numpy()
    assert metrics['IoU_at_0.25'] == pytest.approx((pred & target).sum() / (pred | target).sum(), abs=1e-6)


def test_pooled_iou_is_mmsegmentations():
    samples = golden_samples()
    metrics = evaluate(AIUMetric(aggregation='dataset', smooth=0), samples)
    theirs = IoUMetric()
    theirs.dataset_meta = dict(classes=('background', 'crack'))
    for data_sample in samples:
        prediction = (data_sample.seg_prob.data > 0.5).long()
        data = dict(pred_sem_seg=dict(data=prediction), gt_sem_seg=dict(data=data_sample.gt_sem_seg.data))
        theirs.process({}, [data])
    areas = np.sum([[area[1].item() for area in result[:2]] for result in theirs.results], 0)
    assert metrics['IoU_at_0.5'] == pytest.approx(areas[0] / areas[1], abs=1e-12)


def test_ignored_pixels_change_nothing():
    samples, rng = golden_samples(), np.random.default_rng(0)
    expected = {}
    for fill in (0.0, 1.0):
        for data_sample in samples:
            hidden = torch.zeros(72, 100, dtype=torch.bool)
            hidden[10:50, 30:70] = True
            data_sample.gt_sem_seg.data[0, hidden] = 255
            data_sample.seg_prob.data[0, hidden] = fill * float(rng.random())
        metrics = evaluate(AIUMetric(), samples)
        expected = expected or metrics
        assert metrics == expected


def test_writes_its_curve_and_its_images(tmp_path):
    files = {name: str(tmp_path / 'out' / name) for name in ('images.csv', 'curve.csv', 'curve.png')}
    metric = AIUMetric(
        per_image_csv=files['images.csv'], curve_csv=files['curve.csv'], curve_png=files['curve.png']
    )
    metrics = evaluate(metric, golden_samples())
    images = rows(files['images.csv'])
    assert [row['image'] for row in images] == [f'{i}.png' for i in range(8)]
    assert np.mean([float(row['AIU']) for row in images]) == pytest.approx(metrics['AIU'])
    assert np.mean([float(row['IoU_max']) for row in images]) == pytest.approx(metrics['IoU_max'])
    assert float(images[4]['IoU_at_0.5']) == pytest.approx(GOLDEN['iou'][4, 49])
    curve = rows(files['curve.csv'])
    assert [row['threshold'] for row in curve[:2]] == ['0.01', '0.02']
    np.testing.assert_allclose([float(row['IoU']) for row in curve], CURVE, atol=1e-12)
    assert Path(files['curve.png']).read_bytes()[:4] == b'\x89PNG'


def test_thresholds_of_choice():
    metrics = evaluate(AIUMetric(thresholds=[0.7, 0.3], at=(0.33, 0.5)), golden_samples())
    assert metrics['AIU'] == pytest.approx(CURVE[[69, 29]].mean(), abs=1e-12)
    assert metrics['IoU_at_0.33'] == pytest.approx(CURVE[32], abs=1e-12)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="aggregation must be 'image' or 'dataset', got 'mean'"):
        METRICS.build(dict(type='AIUMetric', aggregation='mean'))
    label, prob = np.zeros((4, 5)), torch.rand(1, 4, 5)
    with pytest.raises(ValueError, match=r'prediction \(4, 5\) and label \(5, 4\) of a.png differ'):
        evaluate(AIUMetric(), [sample('a', label.T, seg_prob=prob)])
    with pytest.raises(ValueError, match=r'seg_logits of a.png ranges from .* expected probabilities'):
        evaluate(AIUMetric(), [sample('a', label, seg_logits=prob * 9 - 4)])
    with pytest.raises(ValueError, match=r'seg_logits of a.png ranges from nan .* has diverged'):
        evaluate(AIUMetric(), [sample('a', label, seg_logits=prob.repeat(2, 1, 1) * torch.nan)])
    with pytest.raises(ValueError, match='foreground_class is 7, but seg_logits of a'):
        evaluate(AIUMetric(foreground_class=7), [sample('a', label, seg_logits=prob.repeat(2, 1, 1))])
    with pytest.raises(KeyError, match='neither seg_prob nor seg_logits'):
        evaluate(AIUMetric(), [sample('a', label)])

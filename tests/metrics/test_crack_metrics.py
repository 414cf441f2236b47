"""The accumulator against loops over images, against itself in parts, and on bad input."""

import re

import numpy as np
import pytest
import torch

from csbsr_mm.functional.surface import robust_hausdorff
from csbsr_mm.metrics import MEASURES, CrackMetrics

THRESHOLDS = np.array([0.2, 0.4, 0.6, 0.8], np.float32)
QUICK = dict(thresholds=THRESHOLDS, at=(0.5,))


def pairs(count=5, seed=0):
    """Random maps with their masks; the second has no crack."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        target = np.zeros((30, 34), bool)
        if number != 1:
            row = rng.integers(5, 20)
            target[row : row + 4, 3:30] = True
        yield np.clip(0.5 * target + rng.random((30, 34)) * 0.45, 0, 1).astype(np.float32), target


def filled(images, **options):
    metrics = CrackMetrics(**(QUICK | options))
    for number, (prob, target) in enumerate(images):
        metrics.update(prob, target, name=f'{number}.png')
    return metrics


def test_figures_equal_loops_over_images_and_thresholds():
    images = list(pairs())
    found = filled(images).compute()
    distances = np.array([[robust_hausdorff(p > t, g) for t in THRESHOLDS] for p, g in images]).mean(0)
    assert found['HD95_min'] == pytest.approx(distances.min(), abs=1e-12)
    assert found['AHD95'] == pytest.approx(distances.mean(), abs=1e-12)
    brier = np.mean([(p.astype(float) - g) ** 2 for p, g in images])
    assert found['Brier'] == pytest.approx(brier, abs=1e-12)
    clean = images[1][0]
    assert found['false_alarm_images_at_0.5'] == float((clean > 0.5).any())
    assert found['false_alarm_area_at_0.5'] == pytest.approx((clean > 0.5).mean(), abs=1e-12)


def test_iou_equals_a_loop():
    images = [pair for number, pair in enumerate(pairs()) if number != 1]
    found = filled(images, measures=['overlap'], smooth=0.0).compute()
    iou = np.array([[((p > t) & g).sum() / ((p > t) | g).sum() for t in THRESHOLDS] for p, g in images]).mean(
        0
    )
    assert found['IoU_max'] == pytest.approx(iou.max(), abs=1e-12)
    assert found['AIU'] == pytest.approx(iou.mean(), abs=1e-12)
    assert found['IoU_max_threshold'] == pytest.approx(THRESHOLDS[iou.argmax()], abs=1e-6)


def test_merged_parts_and_a_restored_state_give_the_same_figures():
    images = list(pairs())
    whole, first, second = filled(images), filled(images[:2]), filled(images[2:])
    first.merge(second)
    assert first.compute() == whole.compute()
    again = CrackMetrics(**QUICK)
    again.load_state_dict(whole.state_dict())
    assert again.compute() == whole.compute()
    assert again.names == whole.names
    again.update(*images[0])
    assert len(again) == len(whole) + 1


def test_tensors_give_the_figures_of_arrays():
    images = list(pairs(2))
    tensors = [(torch.from_numpy(prob), torch.from_numpy(target)) for prob, target in images]
    assert filled(tensors).compute() == filled(images).compute()


def test_other_arguments_do_not_merge():
    with pytest.raises(ValueError, match='measures differ'):
        filled(pairs()).merge(CrackMetrics(**QUICK, smooth=0.0))
    with pytest.raises(ValueError, match='thresholds differ'):
        filled(pairs()).load_state_dict(CrackMetrics(measures=['overlap']).state_dict())


def test_per_image_values_average_to_the_figures():
    metrics = filled(pairs())
    found, rows = metrics.compute(), metrics.per_image()
    assert len(rows) == 5
    for name in ('IoU_max', 'HD95_min', 'clDice_max', 'NSD_2px_at_0.5'):
        assert np.mean([row[name] for row in rows]) == pytest.approx(found[name], abs=1e-12)


def test_reset_and_nothing_measured():
    metrics = filled(pairs(2))
    metrics.reset()
    assert len(metrics) == 0
    with pytest.raises(ValueError, match='no image was measured'):
        metrics.compute()


def test_without_a_clean_image_false_alarms_are_unknown():
    found = filled(list(pairs())[2:], measures=['false_alarms']).compute()
    assert np.isnan(found['false_alarm_images_at_0.5'])


def test_one_pixel_and_empty_masks_have_figures():
    for label, value in ((0, 1.0), (1, 0.0)):
        found = filled([(np.zeros((1, 1)), np.full((1, 1), label))]).compute()
        assert found['F1_0px_max'] == found['clDice_max'] == found['NSD_2px_max'] == value


def test_ignored_pixels_may_hold_anything():
    prob, target = next(pairs())
    ignore = np.zeros_like(target)
    ignore[:4] = True
    broken = np.where(ignore, np.float32(np.nan), prob)
    metrics, cut = (
        CrackMetrics(**QUICK, measures=['calibration']),
        CrackMetrics(**QUICK, measures=['calibration']),
    )
    metrics.update(broken, target, ignore)
    cut.update(prob[4:], target[4:])
    for name, value in metrics.compute().items():
        assert value == pytest.approx(cut.compute()[name], abs=1e-12)


@pytest.mark.parametrize(
    ('prob', 'target', 'message'),
    [
        (np.zeros((2, 3)), np.zeros((2, 4)), r'a.png: prob is \(2, 3\) and target \(2, 4\)'),
        (np.zeros((1, 2, 3)), np.zeros((1, 2, 3)), 'give both one size'),
        (np.zeros((0, 3)), np.zeros((0, 3)), 'give both one size'),
        (0.5, 1, r'prob is \(\) and prob \(\)'),
        (np.zeros((2, 3), np.uint8), np.zeros((2, 3)), 'a.png: prob is of uint8'),
        (np.zeros((2, 3), bool), np.zeros((2, 3)), 'a.png: prob is of bool'),
        (np.zeros((2, 3), complex), np.zeros((2, 3)), 'a.png: prob is of complex128'),
        (np.full((2, 3), 1.5), np.zeros((2, 3)), r'ranges from 1.5 to 1.5'),
        (np.full((2, 3), -0.1), np.zeros((2, 3)), r'ranges from -0.1 to -0.1'),
        (np.full((2, 3), np.nan), np.zeros((2, 3)), 'NaN means that the network has diverged'),
        (np.full((2, 3), np.inf), np.zeros((2, 3)), 'ranges from inf to inf'),
        (np.zeros((1, 3)), [[0, 128, 255]], 'a.png: target holds the values 0, 128, 255; a mask is of 0 and'),
        (np.zeros((1, 3)), np.array([[0, 0.3, 1]]), 'target holds the values 0, 0.3, 1; a mask'),
        (np.zeros((1, 3)), np.array([[0, np.nan, 1]]), 'target holds the values 0, 1, nan; a mask'),
        (np.zeros((1, 3)), np.array([[0, 1, -1]]), 'target holds the values -1, 0, 1; a mask'),
        (np.zeros((1, 99)), np.arange(99)[None], 'target holds the values 0, 1, 2, 3, 4, 5, ..., 98; a mask'),
        (
            np.zeros((1, 2)),
            np.array([['0', '1']]),
            'target is of <U1; give a mask of 0 and 1, or of 0 and 255',
        ),
        (np.zeros((1, 1)), np.array([[None]]), 'target is of object; give a mask'),
    ],
)
@pytest.mark.parametrize('kind', ['array', 'tensor'])
def test_bad_images_are_named(prob, target, message, kind):
    if kind == 'tensor':
        try:
            prob, target = torch.as_tensor(prob), torch.as_tensor(np.asarray(target))
        except TypeError:
            pytest.skip('no tensor holds this')
        message = re.sub(r'of (\w+\d|bool)$', r'of torch.\1', message)
    with pytest.raises(ValueError, match=message):
        CrackMetrics(**QUICK).update(prob, target, name='a.png')


@pytest.mark.parametrize('crack', [1, 255, 1.0, True, np.uint8(255)])
@pytest.mark.parametrize('kind', [np.asarray, torch.as_tensor])
def test_a_crack_may_have_any_value_but_0(crack, kind):
    prob, target = next(pairs())
    values = np.where(target, crack, type(crack)(0))
    metrics = CrackMetrics(**QUICK, measures=['overlap', 'hausdorff'])
    metrics.update(kind(prob), kind(values))
    assert metrics.compute() == filled([(prob, target)], measures=['overlap', 'hausdorff']).compute()


def test_values_of_ignored_pixels_are_not_looked_at():
    prob, target = next(pairs())
    grey = np.where(target, 255, 0)
    ignore = np.zeros_like(target)
    grey[:4], ignore[:4] = 128, True
    metrics = CrackMetrics(**QUICK, measures=['overlap'])
    metrics.update(prob, grey, ignore)
    with pytest.raises(ValueError, match='holds the values 0, 128, 255'):
        metrics.update(prob, grey)
    assert len(metrics) == 1


def test_lists_are_arrays():
    metrics = filled([([[0.9, 0.2]], [[1, 0]])], measures=['overlap'], smooth=0.0)
    assert metrics.compute()['IoU_at_0.5'] == 1


@pytest.mark.filterwarnings('error')
def test_a_set_without_cracks_and_predictions_has_documented_figures():
    found = filled([(np.zeros((5, 7)), np.zeros((5, 7), bool))] * 2).compute()
    perfect = (
        'IoU_max',
        'AIU',
        'F1_0px_max',
        'F1_2px_ods_pooled',
        'clDice_max',
        'clIoU_4px_max',
        'NSD_2px_max',
    )
    assert [found[name] for name in perfect] == [1] * len(perfect)
    assert [found[name] for name in ('HD95_min', 'AHD95', 'ECE', 'Brier')] == [0] * 4
    assert found['false_alarm_images_at_0.5'] == found['false_length_2px_at_0.5'] == 0
    assert np.isnan([found['AP_2px_pooled'], found['length_recall_2px_at_0.5']]).all()


@pytest.mark.filterwarnings('error')
def test_a_set_of_ignored_pixels_alone_is_measured():
    metrics = CrackMetrics(**QUICK)
    metrics.update(np.full((4, 4), np.nan), np.ones((4, 4)), np.ones((4, 4), bool))
    found = metrics.compute()
    assert (found['IoU_max'], found['HD95_min'], found['F1_2px_max']) == (1, 0, 1)
    assert np.isnan([found['ECE'], found['Brier'], found['AP_2px_pooled']]).all()


@pytest.mark.parametrize('measures', [[], ['IoU']])
def test_unknown_measures(measures):
    with pytest.raises(ValueError, match='measures must be of overlap'):
        CrackMetrics(measures=measures)


def test_every_measure_reports_something():
    for name in MEASURES:
        assert filled(pairs(2), measures=[name]).compute()

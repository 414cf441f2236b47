"""Scores of photos: figures against plain loops, intervals against the bootstrap's definition."""

import numpy as np
import pytest

from csbsr_mm.evaluation.photo_scores import THRESHOLDS, PhotoScores
from csbsr_mm.functional.centerline import skeletonize
from csbsr_mm.functional.surface import robust_hausdorff


def collected(count=6, clear=2, seed=0):
    """Scores, and what they were made from."""
    rng = np.random.default_rng(seed)
    scores, pairs = PhotoScores(), []
    for number in range(count):
        target = np.zeros((24, 32), bool)
        if number >= clear:
            target[8:12] = True
        probability = np.clip(0.5 * target + rng.uniform(0, 0.6, target.shape), 0, 1).astype(np.float32)
        scores.add(f'{"wall" if number % 2 else "road"}_{number}.png', probability, target)
        pairs.append((probability, target))
    return scores, pairs


def line_dice(mask, target):
    lines = skeletonize(mask), skeletonize(target)
    if not mask.any() or not target.any():
        return float(mask.any() == target.any())
    precision, recall = target[lines[0]].mean(), mask[lines[1]].mean()
    return 2 * precision * recall / (precision + recall)


def calibration_error(pairs, bins=15):
    """Of all pixels together: mean distance of probability and frequency over bins of equal width."""
    probability, target = (np.concatenate([pair[part].ravel() for pair in pairs]) for part in (0, 1))
    place = np.minimum((probability.astype(float) * bins).astype(int), bins - 1)
    gaps = [abs((probability[place == k] - target[place == k]).sum(dtype=float)) for k in range(bins)]
    return sum(gaps) / probability.size


def test_figures_are_those_of_a_loop():
    scores, pairs = collected()
    figures = scores.figures(0.55)
    masks = [(probability > np.float32(0.55), target) for probability, target in pairs]
    iou = [((m & t).sum() + 1e-5) / ((m | t).sum() + 1e-5) for m, t in masks]
    assert figures['IoU'][0] == pytest.approx(np.mean(iou))
    distances = [robust_hausdorff(m, t, 95) for m, t in masks]
    assert figures['HD95'][0] == pytest.approx(np.mean(np.minimum(distances, 32)))
    alarms = [m.mean() for m, t in masks if not t.any()]
    assert figures['alarms'][0] == pytest.approx(np.mean(alarms))
    assert figures['IoU_max'][0] == pytest.approx(max(np.mean(scores.iou, 0)))
    assert figures['IoU_max'][0] == scores.figures(scores.best_threshold())['IoU'][0]
    assert figures['AIU'][0] == pytest.approx(np.mean(scores.iou))
    assert figures['ECE'][0] == pytest.approx(calibration_error(pairs))
    assert figures['clDice'][0] == pytest.approx(np.mean([line_dice(m, t) for m, t in masks]))


def test_intervals_hold_the_value_and_shrink():
    few, many = (collected(count, clear=0)[0].figures(0.5) for count in (5, 80))
    for name in ('IoU', 'AIU', 'IoU_max', 'clDice', 'ECE'):
        for value, low, high in (few[name], many[name]):
            assert low <= value <= high
        assert many[name][2] - many[name][1] < few[name][2] - few[name][1]
    value, low, high = many['AIU']
    means = np.array(collected(80, clear=0)[0].iou).mean(1)
    assert (high - low) / 2 == pytest.approx(1.96 * means.std() / np.sqrt(80), rel=0.15)


def test_photos_of_one_source():
    scores, _ = collected()
    roads = scores.subset('road')
    assert roads.names == ['road_0.png', 'road_2.png', 'road_4.png']
    assert np.array_equal(roads.iou[1], scores.iou[2])
    assert 'alarms' not in scores.subset('road_4').figures(0.5)


def test_the_best_threshold():
    scores = PhotoScores()
    target = np.zeros((8, 8), bool)
    target[2:4] = True
    scores.add('a', np.where(target, 0.635, 0.615).astype(np.float32), target)
    assert scores.best_threshold() == 0.62
    assert THRESHOLDS[61] == 0.62

"""Counts and the area under the ROC curve, against all pairs of pixels."""

import numpy as np
import pytest

from csbsr_mm.functional.pixel_scores import BINS, area_under_curve, confusion, score_histograms


def by_pairs(prob, target):
    """Share of pairs of a foreground and a background pixel in which the foreground scores higher."""
    difference = prob[target][:, None] - prob[~target][None]
    return (difference > 0).mean() + (difference == 0).mean() / 2


@pytest.mark.parametrize('seed', range(3))
def test_area_is_the_share_of_pairs_in_order(seed):
    rng = np.random.default_rng(seed)
    target = rng.random((30, 40)) > 0.8
    odds = rng.normal(size=target.shape) + 1.5 * target
    prob = np.round(1 / (1 + np.exp(-odds)), 2 + seed)  # with ties
    histograms = score_histograms(prob, target)
    assert histograms.sum(1).tolist() == [(~target).sum(), target.sum()]
    assert area_under_curve(histograms) == pytest.approx(by_pairs(prob, target), abs=2e-4)


def test_certain_probabilities_keep_their_order():
    prob = np.array([0.0, 1e-8, 1e-6, 1 - 1e-6, 1 - 1e-8, 1.0])
    target = np.array([False, True, False, True, False, True])
    assert area_under_curve(score_histograms(prob, target)) == pytest.approx(by_pairs(prob, target))
    assert score_histograms(prob, target).shape == (2, BINS)


def test_images_add_up():
    rng = np.random.default_rng(0)
    prob, target = rng.random((2, 20, 20)), rng.random((2, 20, 20)) > 0.5
    parts = [score_histograms(p, t) for p, t in zip(prob, target, strict=True)]
    assert np.array_equal(sum(parts), score_histograms(prob, target))


def test_ignored_pixels_and_missing_classes():
    prob, target = np.array([0.9, 0.1, 0.6]), np.array([True, False, False])
    ignore = np.array([False, False, True])
    assert confusion(prob, target).tolist() == [1, 1, 0, 1]
    assert confusion(prob, target, ignore=ignore).tolist() == [1, 0, 0, 1]
    assert score_histograms(prob, target, ignore).sum() == 2
    assert np.isnan(area_under_curve(score_histograms(prob, np.zeros(3, bool))))
    with pytest.raises(ValueError, match='one shape'):
        confusion(prob, target[:2])


def test_counts_by_hand():
    prob = np.array([[0.5, 0.51], [0.2, 0.8]])
    target = np.array([[True, True], [True, False]])
    assert confusion(prob, target).tolist() == [1, 1, 2, 0]  # 0.5 itself is background
    assert confusion(prob, target, threshold=0.1).tolist() == [3, 1, 0, 0]

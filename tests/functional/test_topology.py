"""Terms of centre lines against literal twins, finite differences and what they must prefer."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from csbsr_mm.functional import centerline_dice_loss, skeleton_recall_loss, soft_skeleton
from csbsr_mm.losses import BoundaryComboLoss, CenterlineDiceLoss

CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)


def skeleton_twin(image, iterations):
    """Algorithm 1 with SciPy's grey morphology; nothing lies beyond the border."""

    def eroded(x):
        return ndimage.grey_erosion(x, footprint=CROSS, mode='constant', cval=np.inf)

    def opened(x):
        return ndimage.grey_dilation(eroded(x), size=(3, 3), mode='constant', cval=-np.inf)

    skeleton = np.maximum(image - opened(image), 0)
    for _ in range(iterations):
        image = eroded(image)
        rest = np.maximum(image - opened(image), 0)
        skeleton = skeleton + np.maximum(rest - skeleton * rest, 0)
    return skeleton


@given(st.integers(0, 10**6), st.integers(1, 20), st.integers(1, 20), st.integers(1, 6))
@settings(max_examples=50, deadline=None)
def test_soft_skeleton_is_algorithm_1(seed, height, width, iterations):
    image = np.random.default_rng(seed).random((height, width))
    found = soft_skeleton(torch.from_numpy(image)[None, None], iterations)[0, 0]
    np.testing.assert_allclose(found, skeleton_twin(image, iterations), atol=1e-12)


def test_centerline_dice_by_hand():
    rng = np.random.default_rng(0)
    logits, label = rng.normal(size=(2, 1, 12, 15)), rng.integers(0, 2, (2, 12, 15))
    expected = []
    for score, truth in zip(logits[:, 0], label.astype(float), strict=True):
        prob = 1 / (1 + np.exp(-score))
        lines, true_lines = skeleton_twin(prob, 4), skeleton_twin(truth, 4)
        precision = ((lines * truth).sum() + 1) / (lines.sum() + 1)
        recall = ((true_lines * prob).sum() + 1) / (true_lines.sum() + 1)
        expected.append(1 - 2 * precision * recall / (precision + recall))
    found = centerline_dice_loss(torch.from_numpy(logits), torch.from_numpy(label), iterations=4)
    assert float(found) == pytest.approx(np.mean(expected), abs=1e-12)


def test_gradients_are_those_of_finite_differences():
    torch.manual_seed(0)
    logits = torch.randn(1, 2, 7, 8, dtype=torch.float64, requires_grad=True)
    label = torch.randint(2, (1, 7, 8))
    label[0, 0, :2] = 255
    tubes = (label[:, None] == 1).double()
    assert torch.autograd.gradcheck(lambda x: centerline_dice_loss(x, label, 3), logits)
    assert torch.autograd.gradcheck(lambda x: skeleton_recall_loss(x, label, tubes), logits)


def test_ignored_pixels_change_nothing():
    torch.manual_seed(1)
    logits, label = torch.randn(1, 1, 16, 16), torch.randint(2, (1, 16, 16))
    label[..., 8:] = 255
    other = logits.clone()
    other[..., 8:] = torch.randn(1, 1, 16, 8)
    tubes = torch.ones(1, 1, 16, 16)
    assert torch.equal(centerline_dice_loss(logits, label), centerline_dice_loss(other, label))
    assert torch.equal(skeleton_recall_loss(logits, label, tubes), skeleton_recall_loss(other, label, tubes))


def test_a_gap_costs_more_than_a_thin_edge():
    """Dice cannot tell which of two masks with equally many missing pixels is interrupted."""
    label = torch.zeros(1, 32, 64, dtype=torch.long)
    label[:, 14:19] = 1
    gap, thin = 40.0 * label[:, None] - 20, 40.0 * label[:, None] - 20
    gap[..., 28:36] = -20
    thin[:, :, 14, 4:44] = -20
    assert (gap > 0).sum() == (thin > 0).sum()
    loss = CenterlineDiceLoss(iterations=4)
    assert loss(gap, label) > 2 * loss(thin, label)
    combo, plain = (
        BoundaryComboLoss(alpha=0, gamma=0, topology='centerline_dice'),
        BoundaryComboLoss(alpha=0, gamma=0),
    )
    assert torch.allclose(plain(gap, label), plain(thin, label))
    assert combo(gap, label) > combo(thin, label)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_and_classes(dtype):
    torch.manual_seed(2)
    logits, label = torch.randn(2, 4, 12, 12).to(dtype), torch.randint(4, (2, 12, 12))
    loss = CenterlineDiceLoss(iterations=2, reduction='image')
    per_image = loss(logits, label)
    assert per_image.shape == (2,)
    assert per_image.dtype == torch.float32
    alone = [loss(logits[i : i + 1], label[i : i + 1])[0] for i in range(2)]
    torch.testing.assert_close(per_image, torch.stack(alone))
    assert loss(logits, label, reduction_override='mean').item() == pytest.approx(per_image.mean().item())


def test_empty_masks_and_bad_values():
    label = torch.zeros(1, 9, 9, dtype=torch.long)
    assert centerline_dice_loss(torch.full((1, 1, 9, 9), -40.0), label).item() == pytest.approx(0, abs=1e-6)
    with pytest.raises(ValueError, match='iterations must be at least 1, got 0'):
        CenterlineDiceLoss(iterations=0)
    with pytest.raises(ValueError, match="topology must be one of 'centerline_dice', got 'betti'"):
        BoundaryComboLoss(topology='betti')
    with pytest.raises(ValueError, match=r'skeleton must be \(1, 1, 9, 9\)'):
        skeleton_recall_loss(torch.zeros(1, 1, 9, 9), label, torch.zeros(1, 2, 9, 9))

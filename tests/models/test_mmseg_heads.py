"""Every decode head of MMSegmentation, tried with the boundary combo loss and behind BlindSRSegmentor."""

import inspect
import re
from pathlib import Path

import pytest
import torch
from helpers.mmseg_heads import HEADS, SIDES, losses_of, segmentor
from helpers.models import batch
from mmengine.registry import init_default_scope
from mmseg.models import decode_heads
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS

import csbsr_mm  # noqa: F401

PAGE = (Path(__file__).parents[2] / 'docs' / 'heads.md').read_text(encoding='utf-8')
ROWS = {
    name: tuple(cell == 'yes' for cell in cells)
    for name, *cells in re.findall(r'^\| `(\w+)` \| (yes|no) \| (yes|no) \| (yes|no) \|', PAGE, re.M)
}


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')


def is_buildable(name):
    try:
        MODELS.build(segmentor(name))
    except RuntimeError as error:
        if 'Please install' not in str(error):
            raise
        return False
    return True


def sr_segmentor(name, *weights, **options):
    return MODELS.build(
        dict(
            type='BlindSRSegmentor',
            sr=dict(type='BicubicUpsampler', scale=4),
            segmentor=segmentor(name),
            sr_loss=dict(type='BlindSRLoss', hr_weight=1.0),
            sr_loss_weights=[dict(type=weight) for weight in weights],
            **options,
        )
    )


@pytest.mark.parametrize('name', HEADS)
def test_head_does_what_the_page_says(name):
    if not is_buildable(name):
        pytest.skip(f'{name} needs the compiled mmcv')
    torch.manual_seed(0)
    alone, behind, weighted = ROWS[name]
    side = SIDES.get(name, 64)
    config = segmentor(name)
    config.data_preprocessor = dict(type='SegDataPreProcessor', size=(side, side))
    model = MODELS.build(config)
    losses = losses_of(model, batch(2, size=(side, side), scale=1))
    assert alone
    assert any('acc_seg' in key for key in losses)
    assert any(p.grad is not None and p.grad.any() for p in model.backbone.parameters())
    if weighted:
        model = sr_segmentor(name, 'FailOrientedWeight')
    else:
        with pytest.raises(
            TypeError, match=r'has no per-pixel classifier .* CrackOrientedWeight, work with every'
        ):
            sr_segmentor(name, 'FailOrientedWeight')
        model = sr_segmentor(name, 'CrackOrientedWeight')
    losses = losses_of(model, batch(2, size=(side // 4, side // 4)))
    assert behind
    assert 'raw_loss_hr' in losses or any('hr' in key for key in losses)
    result = model.eval().test_step(batch(1, size=(side // 4, side // 4)))[0]
    assert result.seg_logits.shape == (side, side)


def test_the_page_names_every_head():
    heads = {
        name
        for name, value in vars(decode_heads).items()
        if inspect.isclass(value) and (issubclass(value, BaseDecodeHead) or name.endswith('FormerHead'))
    }
    assert heads - {'BaseDecodeHead'} <= set(re.findall(r'`(\w+)`', PAGE))
    assert set(ROWS) <= set(HEADS)


@pytest.mark.parametrize(
    ('name', 'classifier', 'message'),
    [
        (
            'SegmenterMaskTransformerHead',
            'mask_norm',
            r'mask_norm gives \(2, 16, 2\) and no logits of pixels, \(B, 2',
        ),
        ('FCNHead', 'convs', r'FCNHead.convs gives \(2, 8, 4, 4\) and no logits of pixels, \(B, 2, h, w\)'),
        ('IterativeDecodeHead', 'kernel_update_head.0', 'gives tuple and no logits of pixels'),
        ('DAHead', 'pam_conv_seg.nothing', "no per-pixel classifier 'pam_conv_seg.nothing'"),
    ],
)
def test_what_is_no_classifier_is_named(name, classifier, message):
    with pytest.raises(TypeError, match=message):
        losses_of(sr_segmentor(name, 'FailOrientedWeight', classifier=classifier), batch(2, size=(16, 16)))


def test_a_head_without_a_loss_of_its_own_is_named():
    """K-Net keeps the loss in its first stage."""
    model = sr_segmentor('IterativeDecodeHead', 'SegLossWeight', classifier='kernel_generate_head.conv_seg')
    with pytest.raises(TypeError, match=r'pixel_loss.*, the decode head has none; use BoundaryComboLoss'):
        losses_of(model, batch(2, size=(16, 16)))

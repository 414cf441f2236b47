"""Every decode head of MMSegmentation, as small as it can be built, behind features of four sizes."""

from __future__ import annotations

import torch
from mmengine.config import ConfigDict
from mmengine.model import BaseModule
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from torch import Tensor, nn

CHANNELS = (4, 8, 8, 16)
BC_LOSS = dict(type='BoundaryComboLoss', alpha=0.3)


@MODELS.register_module()
class TinyPyramid(BaseModule):
    """Features of four sizes: strides 2, 4, 8 and 16.

    Args:
        levels: Which of them to give; None: all. While evaluating, ``single`` alone, as a tensor.
        tokens: Add the class token that a vision transformer gives to each.
    """

    def __init__(self, levels=None, single=None, tokens=False):
        super().__init__()
        sides = zip((3, *CHANNELS), CHANNELS, strict=False)
        self.steps = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in sides)
        self.levels, self.single, self.tokens = levels, single, tokens

    def forward(self, x: Tensor):
        features = []
        for step in self.steps:
            x = step(x).relu()
            features.append(x)
        if self.single is not None and not self.training:
            return features[self.single]
        if self.levels is not None:
            features = [features[level] for level in self.levels]
        if self.tokens:
            features = [(x, x.mean((2, 3))) for x in features]
        return tuple(features)


def head(name: str, **options) -> dict:
    """A head on the last of the four sizes."""
    common = dict(
        in_channels=16, in_index=3, channels=8, num_classes=2, dropout_ratio=0.1, norm_cfg=dict(type='BN')
    )
    return {'type': name, **common, 'loss_decode': BC_LOSS, **options}


def on_all(name: str, **options) -> dict:
    """A head on all four sizes."""
    return head(name, in_channels=list(CHANNELS), in_index=[0, 1, 2, 3], **options)


def kernel_update_head() -> dict:
    """One stage of K-Net."""
    return dict(
        type='KernelUpdateHead',
        num_classes=2,
        num_heads=2,
        feedforward_channels=8,
        in_channels=8,
        out_channels=8,
        kernel_updator_cfg=dict(
            type='KernelUpdator',
            in_channels=8,
            feat_channels=8,
            out_channels=8,
            act_cfg=dict(type='ReLU'),
            norm_cfg=dict(type='LN'),
        ),
    )


FCN = head('FCNHead', num_convs=1, concat_input=False)
HEADS = {
    'ANNHead': head(
        'ANNHead',
        in_channels=[8, 16],
        in_index=[2, 3],
        project_channels=4,
        query_scales=(1,),
        key_pool_scales=(1, 2),
    ),
    'APCHead': head('APCHead', pool_scales=(1, 2), fusion=True),
    'ASPPHead': head('ASPPHead', dilations=(1, 2)),
    'CCHead': head('CCHead', recurrence=1),
    'DAHead': head('DAHead', pam_channels=4),
    'DDRHead': head('DDRHead', loss_decode=[BC_LOSS, BC_LOSS]),
    'DMHead': head('DMHead', filter_sizes=(1, 3), fusion=True),
    'DNLHead': head('DNLHead', reduction=2, use_scale=True, mode='embedded_gaussian'),
    'DPTHead': dict(
        head('DPTHead', in_channels=[16] * 4, in_index=[0, 1, 2, 3], input_transform='multiple_select'),
        embed_dims=16,
        post_process_channels=[8, 8, 8, 8],
        patch_size=4,
    ),
    'DepthwiseSeparableASPPHead': head(
        'DepthwiseSeparableASPPHead', dilations=(1, 2), c1_in_channels=4, c1_channels=4
    ),
    'DepthwiseSeparableFCNHead': head('DepthwiseSeparableFCNHead', dw_act_cfg=None, concat_input=False),
    'EMAHead': head('EMAHead', ema_channels=8, num_bases=4, num_stages=2, momentum=0.1),
    'EncHead': head(
        'EncHead',
        in_channels=[8, 8, 16],
        in_index=[1, 2, 3],
        num_codes=4,
        use_se_loss=True,
        add_lateral=False,
        loss_se_decode=dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=0.2),
    ),
    'FCNHead': FCN,
    'FPNHead': head(
        'FPNHead',
        in_channels=list(CHANNELS),
        in_index=[0, 1, 2, 3],
        feature_strides=[2, 4, 8, 16],
    ),
    'GCHead': head('GCHead', ratio=0.5, pooling_type='att', fusion_types=('channel_add',)),
    'ISAHead': head('ISAHead', isa_channels=4, down_factor=(2, 2)),
    'IterativeDecodeHead': dict(
        type='IterativeDecodeHead',
        num_stages=2,
        kernel_update_head=[kernel_update_head(), kernel_update_head()],
        kernel_generate_head=FCN,
    ),
    'LRASPPHead': dict(
        head('LRASPPHead', in_channels=(4, 4, 4), in_index=(0, 1, 2), input_transform='multiple_select'),
        branch_channels=(4, 4),
    ),
    'LightHamHead': head(
        'LightHamHead',
        in_channels=[8, 8, 16],
        in_index=[1, 2, 3],
        ham_channels=8,
        norm_cfg=dict(type='GN', num_groups=2),
        ham_kwargs=dict(MD_R=2),
    ),
    'NLHead': head('NLHead', reduction=2, use_scale=True, mode='embedded_gaussian'),
    'OCRHead': [FCN, head('OCRHead', ocr_channels=4)],
    'PIDHead': head('PIDHead', loss_decode=[BC_LOSS, BC_LOSS, dict(type='BoundaryLoss'), BC_LOSS]),
    'PSAHead': head('PSAHead', mask_size=(4, 4)),
    'PSPHead': head('PSPHead', pool_scales=(1, 2)),
    'PointHead': [
        FCN,
        head('PointHead', in_channels=[4], in_index=[0], num_fcs=1, norm_cfg=None),
    ],
    'SETRMLAHead': head(
        'SETRMLAHead', channels=16, in_channels=[16] * 4, in_index=[0, 1, 2, 3], mla_channels=4, up_scale=2
    ),
    'SETRUPHead': head('SETRUPHead', num_convs=1, up_scale=2, kernel_size=3),
    'STDCHead': head('STDCHead', num_convs=1, concat_input=False, loss_decode=[BC_LOSS, BC_LOSS]),
    'SegformerHead': on_all('SegformerHead'),
    'SegmenterMaskTransformerHead': head(
        'SegmenterMaskTransformerHead',
        channels=8,
        norm_cfg=dict(type='LN'),
        embed_dims=8,
        num_heads=2,
        num_layers=1,
    ),
    'UPerHead': on_all('UPerHead', pool_scales=(1, 2)),
}
BACKBONES = {
    'DDRHead': dict(levels=(2, 3), single=3),
    'PIDHead': dict(levels=(2, 3, 2), single=3),
    'DPTHead': dict(levels=(3, 3, 3, 3), tokens=True),
    'LRASPPHead': dict(levels=(0, 0, 0)),
    'SETRMLAHead': dict(levels=(3, 3, 3, 3)),
}
SIDES = {'LRASPPHead': 112}  # it averages over 49 x 49


def segmentor(name: str) -> dict:
    """Config of an encoder-decoder with a decode head of MMSegmentation."""
    decode_head = HEADS[name]
    cascade = isinstance(decode_head, list)
    return ConfigDict(
        type='CascadeEncoderDecoder' if cascade else 'EncoderDecoder',
        backbone=dict(type='TinyPyramid', **BACKBONES.get(name, {})),
        decode_head=decode_head,
        **(dict(num_stages=2) if cascade else {}),
        train_cfg=dict(num_points=8, oversample_ratio=2, importance_sample_ratio=0.75),
        test_cfg=dict(mode='whole', subdivision_steps=1, subdivision_num_points=8, scale_factor=2),
    )


def losses_of(model: nn.Module, data: dict) -> dict[str, Tensor]:
    """Losses of one training step, and their gradients in the model."""
    model.train()
    for sample in data['data_samples']:
        sample.gt_edge_map = PixelData(data=sample.gt_sem_seg.data)  # PIDNet's GenerateEdge
    batch = model.data_preprocessor(data, True)
    losses = model.loss(batch['inputs'], batch['data_samples'])
    total, _ = model.parse_losses(losses)
    assert torch.isfinite(total)
    total.backward()
    return losses

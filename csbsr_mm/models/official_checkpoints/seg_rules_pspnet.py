"""Renaming rules of the PSPNet on a dilated ResNet-34."""

from __future__ import annotations

from .rules import BATCH_NORM, Rule, fold_into

RULES: list[Rule] = [
    (r'feats\.(.+)', r'backbone.\1'),
    (r'psp\.stages\.(\d)\.1\.weight', r'decode_head.pyramid.\1.1.conv.weight'),
    (r'psp\.bottleneck\.(weight|bias)', r'decode_head.bottleneck.conv.\1'),
    (r'final\.0\.(weight|bias)', r'decode_head.conv_seg.\1'),
    (r'aux\.0\.weight', r'auxiliary_head.convs.0.conv.weight'),
    (rf'aux\.1\.{BATCH_NORM}', r'auxiliary_head.convs.0.bn.\1'),
    (r'aux\.4\.(weight|bias)', r'auxiliary_head.conv_seg.\1'),
]
for _index in range(3):
    _published, _ours = rf'up_{_index + 1}\.conv\.', f'decode_head.up_steps.{_index}.'
    RULES += [
        (_published + r'0\.weight', _ours + 'conv.weight'),
        (_published + r'0\.bias', fold_into(_ours + 'bn')),
        (_published + rf'1\.{BATCH_NORM}', _ours + r'bn.\1'),
        (_published + r'2\.weight', _ours + 'activate.weight'),
    ]

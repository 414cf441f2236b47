"""Renaming rules of OCR on HRNet-W48."""

from __future__ import annotations

from .rules import BATCH_NORM, Rule, fold_into

_CONTEXT = r'ocr_distri_head\.object_context_block\.'
_BLOCK = 'decode_head.1.object_context_block.'

# Published convolution, published batch norm, our ConvModule.
_CONV_MODULES = [
    (r'aux_head\.0', r'aux_head\.1\.0', 'decode_head.0.convs.0'),
    (r'conv3x3\.0', r'conv3x3\.1\.0', 'decode_head.1.bottleneck'),
    (
        r'ocr_distri_head\.conv_bn_dropout\.0',
        r'ocr_distri_head\.conv_bn_dropout\.1\.0',
        _BLOCK + 'bottleneck',
    ),
    (_CONTEXT + r'f_down\.0', _CONTEXT + r'f_down\.1\.0', _BLOCK + 'value_project'),
    (_CONTEXT + r'f_up\.0', _CONTEXT + r'f_up\.1\.0', _BLOCK + 'out_project'),
]
_CONV_MODULES += [
    (rf'{_CONTEXT}{name}\.{2 * index}', rf'{_CONTEXT}{name}\.{2 * index + 1}\.0', f'{_BLOCK}{ours}.{index}')
    for name, ours in (('f_pixel', 'query_project'), ('f_object', 'key_project'))
    for index in (0, 1)
]

RULES: list[Rule] = [
    (r'backbone\.(.+)', r'backbone.\1'),
    (r'aux_head\.2\.(weight|bias)', r'decode_head.0.conv_seg.\1'),
    (r'cls_head\.(weight|bias)', r'decode_head.1.conv_seg.\1'),
]
for _conv, _norm, _module in _CONV_MODULES:
    RULES += [
        (_conv + r'\.weight', _module + '.conv.weight'),
        (_conv + r'\.bias', fold_into(_module + '.bn')),
        (rf'{_norm}\.{BATCH_NORM}', rf'{_module}.bn.\1'),
    ]

"""Renaming rules of OCR on HRNet-W48."""

from __future__ import annotations

from .rules import BATCH_NORM, Rule, fold_into

_CONTEXT = r'ocr_distri_head\.object_context_block\.'
_BLOCK = 'decode_head.1.object_context_block.'

# Published sequence, index of a convolution in it (its batch norm follows), our ConvModule.
_CONV_MODULES = [
    ('aux_head', 0, 'decode_head.0.convs.0'),
    ('conv3x3', 0, 'decode_head.1.bottleneck'),
    (r'ocr_distri_head\.conv_bn_dropout', 0, _BLOCK + 'bottleneck'),
    (_CONTEXT + 'f_down', 0, _BLOCK + 'value_project'),
    (_CONTEXT + 'f_up', 0, _BLOCK + 'out_project'),
    (_CONTEXT + 'f_pixel', 0, _BLOCK + 'query_project.0'),
    (_CONTEXT + 'f_pixel', 2, _BLOCK + 'query_project.1'),
    (_CONTEXT + 'f_object', 0, _BLOCK + 'key_project.0'),
    (_CONTEXT + 'f_object', 2, _BLOCK + 'key_project.1'),
]

RULES: list[Rule] = [
    (r'backbone\.(.+)', r'backbone.\1'),
    (r'aux_head\.2\.(weight|bias)', r'decode_head.0.conv_seg.\1'),
    (r'cls_head\.(weight|bias)', r'decode_head.1.conv_seg.\1'),
]
for _sequence, _index, _module in _CONV_MODULES:
    RULES += [
        (rf'{_sequence}\.{_index}\.weight', _module + '.conv.weight'),
        (rf'{_sequence}\.{_index}\.bias', fold_into(_module + '.bn')),
        (rf'{_sequence}\.{_index + 1}\.0\.{BATCH_NORM}', rf'{_module}.bn.\1'),
    ]

"""Renaming rules of the U-Net on VGG-16 that enlarges by pixel shuffle."""

from __future__ import annotations

from .rules import Rule

# Every encoder tensor is stored twice: once under VGG's own numbers, once by block, starting from 0 in each.
# The numbers are those of the first layer of each block.
_BLOCK_STARTS = (0, 5, 10, 17, 24)

RULES: list[Rule] = [(r'encoder\.(\d+)\.(weight|bias)', r'backbone.features.\1.\2')]
RULES += [
    (rf'conv{_block}\.{_layer}\.(weight|bias)', rf'backbone.features.{_start + _layer}.\1')
    for _block, _start in enumerate(_BLOCK_STARTS, start=1)
    for _layer in (0, 2, 4)
]
RULES += [
    (rf'{_name}\.block\.0\.conv\.(weight|bias)', rf'decode_head.up_blocks.{_index}.layers.0.upsample_conv.\1')
    for _index, _name in enumerate(('center', 'dec4', 'dec3', 'dec2'))
]
RULES += [
    (r'dec1\.conv\.(weight|bias)', r'decode_head.last_conv.conv.\1'),
    (r'final\.(weight|bias)', r'decode_head.conv_seg.\1'),
]

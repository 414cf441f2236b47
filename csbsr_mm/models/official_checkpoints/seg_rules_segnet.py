"""Renaming rules of the SegNet behind SrcNet."""

from __future__ import annotations

from .rules import BATCH_NORM, Rule

# Units of each stage of the encoder; the decoder mirrors them and counts its units down.
_UNITS = (2, 2, 3, 3, 3)

# The last convolution of the decoder has a batch norm in the checkpoint that is never used.
RULES: list[Rule] = [
    (r'ConvDe11\.(weight|bias)', r'decode_head.conv_seg.\1'),
    (r'BNDe11\..*', None),
]


def _encoder_and_decoder() -> list[Rule]:
    rules: list[Rule] = []
    layer = 0  # number inside torchvision's `features`: convolution, norm, ReLU, and a pooling between stages
    for stage, units in enumerate(_UNITS, start=1):
        layer += stage > 1
        for unit in range(1, units + 1):
            rules += [
                (rf'ConvEn{stage}{unit}\.(weight|bias)', rf'backbone.features.{layer}.\1'),
                (rf'BNEn{stage}{unit}\.{BATCH_NORM}', rf'backbone.features.{layer + 1}.\1'),
            ]
            layer += 3
            block = f'backbone.decoder.{len(_UNITS) - stage}.{units - unit}.'
            rules += [
                (rf'ConvDe{stage}{unit}\.(weight|bias)', block + r'conv.\1'),
                (rf'BNDe{stage}{unit}\.{BATCH_NORM}', block + r'bn.\1'),
            ]
    return rules


RULES += _encoder_and_decoder()

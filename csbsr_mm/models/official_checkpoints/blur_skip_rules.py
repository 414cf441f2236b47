"""Renaming rules of the blur skip, below ``segmentation_model.blur_skip.``."""

from __future__ import annotations

from .rules import BATCH_NORM, Rule

RULES: list[Rule] = []
# Publication numbers transform, block, transform, block through.
for _index in (0, 1):
    _branch = rf'{2 * _index}\.conv_(scale|shift)\.'
    RULES += [
        (_branch + r'0\.layer\.(weight|bias)', rf'transforms.{_index}.\1.first.\2'),
        (_branch + r'0\.act\.weight', rf'transforms.{_index}.\1.act.weight'),
        (_branch + r'1\.layer\.(weight|bias)', rf'transforms.{_index}.\1.second.\2'),
        (rf'{2 * _index + 1}\.layer\.weight', rf'blocks.{_index}.conv.weight'),
        (rf'{2 * _index + 1}\.norm\.{BATCH_NORM}', rf'blocks.{_index}.bn.\1'),
    ]

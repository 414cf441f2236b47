"""Renaming rules of DSRL, below ``parallel_model.``."""

from __future__ import annotations

from .rules import BATCH_NORM, Rule

_PARAMETER = r'(weight|bias)'
_BRANCHES = (('decoder', 'decode_head'), ('sr_decoder', 'sr_head'))


def dsrl_rules(first_step: int) -> list[Rule]:
    """Rules of the variant whose first upsampling step is called ``up_sr_{first_step}``."""
    rules: list[Rule] = [
        (r'backbone\.(.+)', r'backbone.\1'),
        (r'aspp\.global_avg_pool\.1\.weight', 'decode_head.aspp.pooled.conv.weight'),
        (rf'aspp\.global_avg_pool\.2\.{BATCH_NORM}', r'decode_head.aspp.pooled.bn.\1'),
        (r'aspp\.conv1\.weight', 'decode_head.aspp.project.conv.weight'),
        (rf'aspp\.bn1\.{BATCH_NORM}', r'decode_head.aspp.project.bn.\1'),
        (rf'decoder\.last_conv\.8\.{_PARAMETER}', r'decode_head.conv_seg.\1'),
        (rf'sr_decoder\.last_conv\.8\.{_PARAMETER}', r'sr_head.project.\1'),
        (rf'pointwise\.0\.{_PARAMETER}', r'affinity_features.0.\1'),
        (rf'pointwise\.1\.{BATCH_NORM}', r'affinity_features.1.\1'),
        (rf'up_conv_last\.{_PARAMETER}', r'sr_head.reconstruct.\1'),
    ]
    for number in range(4):
        branch = rf'aspp\.aspp{number + 1}\.'
        rules += [
            (branch + r'atrous_conv\.weight', f'decode_head.aspp.branches.{number}.conv.weight'),
            (branch + rf'bn\.{BATCH_NORM}', rf'decode_head.aspp.branches.{number}.bn.\1'),
        ]
    for theirs, ours in _BRANCHES:
        rules += [
            (rf'{theirs}\.conv1\.weight', f'{ours}.decoder.reduce.conv.weight'),
            (rf'{theirs}\.bn1\.{BATCH_NORM}', rf'{ours}.decoder.reduce.bn.\1'),
        ]
        for convolution, index in ((0, 0), (4, 2)):
            rules += [
                (rf'{theirs}\.last_conv\.{convolution}\.weight', f'{ours}.decoder.fuse.{index}.conv.weight'),
                (
                    rf'{theirs}\.last_conv\.{convolution + 1}\.{BATCH_NORM}',
                    rf'{ours}.decoder.fuse.{index}.bn.\1',
                ),
            ]
    for step in range(4 - first_step):
        number, ours = first_step + step, f'sr_head.steps.{step}.'
        rules += [
            (rf'up_sr_{number}\.{_PARAMETER}', ours + r'enlarge.\1'),
            (rf'up_edsr_{number}\.conv\.(\d)\.{_PARAMETER}', ours + r'layers.\1.\2'),
            (rf'up_edsr_{number}\.residual_upsampler\.0\.weight', ours + 'shortcut.weight'),
        ]
    return rules

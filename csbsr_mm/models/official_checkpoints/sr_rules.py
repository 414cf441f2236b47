"""Renaming rules of the super-resolution networks, KBPN, DBPN and SrcNet."""

from __future__ import annotations

from .rules import Rule

_PARAMETER = r'(weight|bias)'
_STAGE = r'back_projection_stages\.(\d+)\.'

# Publication numbers the projections of a unit by their order in the data flow, not in the file.
_PROJECTIONS = ((1, 'project'), (2, 'project_back'), (3, 'project_error'))


def _kbpn_rules() -> list[Rule]:
    update = _STAGE + r'kb\.kernel_predictor\.'
    rules: list[Rule] = [
        (rf'feat\.(\d)\.{_PARAMETER}', r'features.\1.\2'),
        (r'predictor\.feat_ext\.(\d)\.layer\.weight', r'kernel_predictor.layers.\1.conv.weight'),
        (r'predictor\.feat_ext\.(\d)\.act\.weight', r'kernel_predictor.layers.\1.act.weight'),
        (_STAGE + r'kb\.sr_reconst\.layer\.weight', r'stages.\1.reconstruct.weight'),
        (update + r'fe_SR\.(\d)\.layer\.weight', r'stages.\1.kernel_update.image_convs.\2.weight'),
        (update + r'fe_kernel\.(\d)\.layer\.weight', r'stages.\1.kernel_update.kernel_convs.\2.weight'),
        (update + r'fe_cat\.(\d)\.layer\.weight', r'stages.\1.kernel_update.joint_convs.\2.weight'),
        (_STAGE + rf'sft\.SFT_(scale|shift)_conv0\.{_PARAMETER}', r'stages.\1.sft.\2.first.\3'),
        (_STAGE + rf'sft\.SFT_(scale|shift)_conv1\.{_PARAMETER}', r'stages.\1.sft.\2.second.\3'),
        (r'output_conv\.layer\.weight', r'reconstruct.weight'),
    ]
    for theirs, ours in (('layer', 'conv'), ('act', 'act')):
        tail = rf'{theirs}\.{_PARAMETER}'
        rules += [
            (_STAGE + rf'kb\.up_conv1\.{tail}', rf'stages.\1.project_error.{ours}.\2'),
            (_STAGE + rf'(up|down)\.conv\.{tail}', rf'stages.\1.\2.compress.{ours}.\3'),
        ]
        rules += [
            (_STAGE + rf'(up|down)\.(?:up|down)_conv{number}\.{tail}', rf'stages.\1.\2.{name}.{ours}.\3')
            for number, name in _PROJECTIONS
        ]
    return rules


def _dbpn_rules(num_stages: int = 10) -> list[Rule]:
    rules: list[Rule] = [(rf'output_conv\.conv\.{_PARAMETER}', r'reconstruct.\1')]
    for theirs, ours in ((r'(?:de)?conv', 'conv'), ('act', 'act')):
        tail = rf'{theirs}\.{_PARAMETER}'
        rules.append((rf'feat([01])\.{tail}', rf'features.\1.{ours}.\2'))
        for index in range(num_stages):
            unit = rf'(up|down){index + 1}\.'
            rules.append((unit + rf'conv\.{tail}', rf'\1.{index}.compress.{ours}.\2'))
            rules += [
                (unit + rf'(?:up|down)_conv{number}\.{tail}', rf'\1.{index}.{name}.{ours}.\2')
                for number, name in _PROJECTIONS
            ]
    return rules


def _srcnet_rules() -> list[Rule]:
    group, block = r'rir\.res_groups\.(\d+)\.', r'res_blocks\.(\d+)\.'
    return [
        (rf'sconv1\.{_PARAMETER}', r'head.\1'),
        (group + block + rf'fe1\.(\d)\.{_PARAMETER}', r'body.\1.blocks.\2.layers.\3.\4'),
        (group + block + rf'attention\.(\d)\.{_PARAMETER}', r'body.\1.blocks.\2.gate.\3.\4'),
        (group + rf'conv\.{_PARAMETER}', r'body.\1.conv.\2'),
        (rf'rir\.conv\.{_PARAMETER}', r'body.10.\1'),
        (rf'upscaling\.{_PARAMETER}', r'upscale.\1'),
        (rf'sconv2\.{_PARAMETER}', r'tail.\1'),
    ]


KBPN_RULES = _kbpn_rules()
DBPN_RULES = _dbpn_rules()
SRCNET_RULES = _srcnet_rules()

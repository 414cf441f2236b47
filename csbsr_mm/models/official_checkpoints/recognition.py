"""Which published model a checkpoint holds, told from the names and shapes of its parameters."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from . import blur_skip_rules, dsrl_rules, sr_rules
from .rules import Rule

SR = 'sr_model.'
DSRL = 'parallel_model.'
SEGMENTATION = 'segmentation_model.'
BLUR_SKIP = 'segmentation_model.blur_skip.'

# A name that only this segmentation network has -> module of its rules, part of its config's name.
_SEGMENTATION_NETWORKS = {
    'psp.bottleneck.weight': ('seg_rules_pspnet', 'pspnet'),
    'center.block.0.conv.weight': ('seg_rules_unet', 'unet'),
    'ocr_distri_head.object_context_block.f_down.0.weight': ('seg_rules_hrnet_ocr', 'ocr'),
    'LABlock_1.W_1.0.weight': ('seg_rules_crackformer', 'crackformer'),
    'ConvEn11.weight': ('seg_rules_segnet', 'segnet'),
}
# Configs of other networks than the paper's own lie in a folder of their own.
_COMPARISON = ('srcnet',)


@dataclass(frozen=True)
class OfficialModel:
    """A recognised published model.

    Attributes:
        description: For people.
        config: Config that matches, relative to the repository.
        overrides: What has to change in that config, by dotted path.
        rules: Renaming rules by the published prefix that they apply below and the prefix here.
    """

    description: str
    config: str
    overrides: dict[str, int]
    rules: dict[tuple[str, str], list[Rule]]


def clean_names(checkpoint: Mapping) -> dict[str, Tensor]:
    """The parameters of a checkpoint, whatever they are nested in, without ``module.`` in their names.

    Args:
        checkpoint: A state dict, or dictionaries around one.

    Raises:
        ValueError: Nothing in it looks like one of the published models.
    """
    state = _find_state(checkpoint)
    if state is None:
        raise ValueError(
            f'no state dict with {SR}... or {DSRL}... in the checkpoint (top-level keys: '
            f'{list(checkpoint)[:5]}); this converter reads the checkpoints that the authors of CSBSR publish'
        )
    # DataParallel puts its prefix in front of whatever it wrapped, the whole model or one network.
    return {re.sub(r'(^|\.)module\.', r'\1', name): value for name, value in state.items()}


def _find_state(node: object) -> dict[str, Tensor] | None:
    """First dictionary, depth first, with a tensor below the name of an SR network or of DSRL."""
    if not isinstance(node, Mapping):
        return None
    if any(
        isinstance(value, Tensor) and (SR in str(name) or DSRL in str(name)) for name, value in node.items()
    ):
        return {name: value for name, value in node.items() if isinstance(value, Tensor)}
    found = (_find_state(child) for child in node.values())
    return next((state for state in found if state is not None), None)


def recognise(state: Mapping[str, Tensor]) -> OfficialModel:
    """Tell which published model ``state`` holds.

    Args:
        state: Parameters by their published names; see :func:`clean_names`.

    Raises:
        ValueError: The SR or the segmentation network is none of the published ones.
    """
    if any(name.startswith(DSRL) for name in state):
        return _recognise_dsrl(state)
    sr_name, sr_rules_, overrides = _recognise_sr(state)
    module, network = _recognise_segmentation(state)
    rules = {(SR, 'sr.'): sr_rules_}
    has_blur_skip = any(name.startswith(BLUR_SKIP) for name in state)
    if has_blur_skip:
        rules[BLUR_SKIP, 'blur_skip.'] = blur_skip_rules.RULES
    rules[SEGMENTATION, 'segmentor.'] = importlib.import_module(f'.{module}', __package__).RULES
    family = sr_name.split()[0].lower()
    suffix = '_blurskip' if has_blur_skip else ''
    folder = 'comparison/' if family in _COMPARISON else ''
    return OfficialModel(
        description=f'{sr_name} + {network}{" with blur skip" if has_blur_skip else ""}',
        config=f'configs/csbsr/{folder}{family}_{network}{suffix}_khanhha.py',
        overrides=overrides,
        rules=rules,
    )


def _recognise_dsrl(state: Mapping[str, Tensor]) -> OfficialModel:
    four_steps = f'{DSRL}up_sr_0.weight' in state
    return OfficialModel(
        description=f'DSRL (branches end at {4 if four_steps else 2} times the LR image)',
        config=f'configs/csbsr/comparison/dsrl{"_x4" if four_steps else ""}_khanhha.py',
        overrides={},
        rules={(DSRL, ''): dsrl_rules.dsrl_rules(first_step=0 if four_steps else 1)},
    )


def _recognise_segmentation(state: Mapping[str, Tensor]) -> tuple[str, str]:
    """Module of the rules and name of the segmentation network."""
    for mark, found in _SEGMENTATION_NETWORKS.items():
        if SEGMENTATION + mark in state:
            return found
    some = [name for name in state if name.startswith(SEGMENTATION)][:5]
    known = [network for _, network in _SEGMENTATION_NETWORKS.values()]
    raise ValueError(f'unknown segmentation network (parameters such as {some}); known are {known}')


def _recognise_sr(state: Mapping[str, Tensor]) -> tuple[str, list[Rule], dict[str, int]]:
    """Description, rules and config overrides of the SR network."""
    estimate = state.get(f'{SR}predictor.feat_ext.2.layer.weight')
    if estimate is not None:
        side = round(estimate.shape[0] ** 0.5)
        overrides = {} if side == 7 else {'model.sr.estimated_kernel_size': side}
        return f'KBPN (kernel estimated at {side}x{side})', sr_rules.KBPN_RULES, overrides
    if f'{SR}up1.up_conv1.deconv.weight' in state:
        stages = sum(
            re.fullmatch(rf'{SR}up\d+\.up_conv1\.deconv\.weight', name) is not None for name in state
        )
        overrides = {} if stages == 4 else {'model.sr.num_stages': stages}
        return f'DBPN ({stages} stages)', sr_rules.DBPN_RULES, overrides
    if f'{SR}rir.res_groups.0.conv.weight' in state:
        return 'SrcNet', sr_rules.SRCNET_RULES, {}
    some = [name for name in state if name.startswith(SR)][:5]
    raise ValueError(f'unknown SR network (parameters such as {some}); known are KBPN, DBPN and SrcNet')

"""Convert a checkpoint file that the authors of CSBSR publish into one that runs here.

The model is recognised from its parameters; every one of them is renamed, none is left out silently. The
result loads strictly in the config that is named at the end.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS, MODELS

import csbsr_mm
from csbsr_mm.config_library import find_config
from csbsr_mm.engine.checkpoint import read_checkpoint
from csbsr_mm.models.official_checkpoints import OfficialModel, clean_names, convert, recognise
from csbsr_mm.utils.atomic_file import replacing


def convert_file(
    source: Path, target: Path, config: Path | None = None, trust: bool = False
) -> OfficialModel:
    """Convert ``source`` into ``target``.

    Args:
        source: Published checkpoint.
        target: File to write, ``{'meta': ..., 'state_dict': ...}``.
        config: Config of the model; None takes the one that belongs to the recognised model.
        trust: Allow the file to hold Python objects, which may run code when read.

    Returns:
        What the checkpoint was recognised as.

    Raises:
        ValueError: The file cannot be read, needs trust, or holds none of the published models.
        FileNotFoundError: There is no such file, or no config for this combination.
        KeyError: Parameters are missing, unexpected or of another shape; all of them by name.
    """
    state = clean_names(read_checkpoint(source, trust))
    official = recognise(state)
    print_log(f'{source}: {official.description}, {len(state)} parameters')
    cfg = _config(config, official)
    converted = convert(state, official, MODELS.build(cfg.model))
    origin = dict(
        file=source.name,
        sha256=hashlib.sha256(source.read_bytes()).hexdigest(),
        model=official.description,
        config=official.config,
        config_overrides=official.overrides,
        folded_biases=converted.folded,
        unused_parameters=converted.unused,
        converter=f'csbsr_mm {csbsr_mm.__version__}',
    )
    meta = dict(origin=origin, dataset_meta=dict(DATASETS.get('CrackDataset').METAINFO))
    with replacing(target) as temporary:
        torch.save(dict(meta=meta, state_dict=converted.state), temporary)
    _report(target, official, converted)
    return official


def _config(path: Path | None, official: OfficialModel) -> Config:
    try:
        path = find_config(path or official.config)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'{error} (for {official.description}); write one and name it with --config'
        ) from error
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(official.overrides)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    return cfg


def _report(target: Path, official: OfficialModel, converted) -> None:
    if converted.folded:
        print_log(f'folded {len(converted.folded)} biases into the batch norms behind them')
    if converted.unused:
        print_log(f'left out {len(converted.unused)} parameters that the network never uses')
    options = ' '.join(f'{path}={value}' for path, value in official.overrides.items())
    print_log(f'wrote {target}; it belongs to {official.config}' + (options and f' --cfg-options {options}'))

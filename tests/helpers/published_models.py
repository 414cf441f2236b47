"""Checkpoints of the published models, made on the spot, and what the authors' code gives for them.

The weights follow from each parameter's published name by a rule, so that a checkpoint of any size costs
no file. tests/data/official_models.npz holds the inputs and outputs, official_models.json.gz the names,
official_baselines.npz the figures of SrcNet with SegNet and of DSRL.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from hashlib import sha256
from math import prod
from pathlib import Path

import numpy as np
import torch

DATA = Path(__file__).parents[1] / 'data'
MODELS = (
    'kbpn7_pspnet',
    'kbpn7_pspnet_blurskip',
    'kbpn7_unet16',
    'kbpn7_hrnet_ocr',
    'kbpn7_crackformer',
    'kbpn21_pspnet',
    'dbpn_pspnet',
    'srcnet_segnet',
    'dsrl',
    'dsrl_x4',
)


@cache
def published_parameters(model: str) -> list[tuple[str, list[int]]]:
    """Name and shape of every parameter of a published model, in the order of its checkpoint."""
    with gzip.open(DATA / 'official_models.json.gz') as file:
        return [(name, shape) for name, shape in json.load(file)[model]]


def published_state(
    model: str, prefix: str = '', seed: int = 0, live: bool = False
) -> dict[str, torch.Tensor]:
    """A checkpoint with the names and shapes of ``model``; only what begins with ``prefix``."""
    return {
        name: torch.from_numpy(parameter(name, shape, seed, live))
        for name, shape in published_parameters(model)
        if name.startswith(prefix)
    }


def parameter(name: str, shape: list[int], seed: int = 0, live: bool = False) -> np.ndarray:
    """The value that the rule gives to a parameter, rounded as a checkpoint holds it.

    ``live`` keeps the signal through SrcNet's blocks alive, so that every parameter shows in the output.
    """
    if name.endswith('.num_batches_tracked'):
        return np.zeros(shape, np.int64)
    digest = sha256(f'{seed}:{name}'.encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], 'little'))
    if name.endswith('.running_var'):
        value = rng.uniform(0.5, 1.5, shape)
    elif name.endswith('.running_mean'):
        value = rng.standard_normal(shape) * 0.1
    elif len(shape) >= 2:
        value = rng.standard_normal(shape) / np.sqrt(prod(shape[1:]))
        if 'predictor.feat_ext.2.' in name:
            value = np.abs(value)
        elif 'kernel_predictor.fe_cat.2.' in name:
            value *= 0.02
    elif name.endswith('.bias'):
        value = rng.standard_normal(shape) * 0.05
    elif list(shape) == [1]:
        value = rng.uniform(0.05, 0.3, shape)
    else:
        value = rng.uniform(0.5, 1.5, shape)
    if live:
        value = enlivened(name, value)
    return np.asarray(value, np.float32)


def enlivened(name: str, value: np.ndarray) -> np.ndarray:
    """What the live rule does to a parameter of SrcNet or SegNet before it is rounded."""
    if name.endswith('.attention.3.bias'):
        return value + 1
    if name == 'sr_model.sconv2.bias':
        return value + 0.5
    if name.endswith('.fe1.2.weight'):
        return value * 1.25
    if '.res_groups.' in name and name.endswith('.conv.weight'):
        return value * 0.5
    if name.startswith('segmentation_model.Conv') and name.endswith('.weight'):
        return value * 1.4
    return value


@cache
def figures() -> dict[str, np.ndarray]:
    """All arrays of official_models.npz: ``lr``, ``sr_S``, ``kernel_S``, ``crack_MODEL``; float64."""
    with np.load(DATA / 'official_models.npz') as file:
        return {name: file[name].astype(np.float64) for name in file.files}


@cache
def baselines() -> dict[str, np.ndarray]:
    """All arrays of official_baselines.npz; float32 figures as float64."""
    with np.load(DATA / 'official_baselines.npz') as file:
        return {
            name: file[name].astype(np.float64) if file[name].dtype.kind == 'f' else file[name]
            for name in file.files
        }


def lr_images() -> torch.Tensor:
    """The input of every figure: (2, 3, 16, 24), float64, RGB in [0, 1]."""
    return torch.from_numpy(figures()['lr'])


def sr_images(model: str) -> np.ndarray:
    """SR images of ``model``, (2, 3, 64, 96), clipped to [0, 1]."""
    return figures()[f'sr_{model.split("_")[0]}']


def blur_kernels(model: str) -> np.ndarray | None:
    """Estimated kernels of ``model``, (2, 1, 21, 21), or None if it estimates none."""
    return figures().get(f'kernel_{model.split("_")[0]}')


def crack_probabilities(model: str) -> np.ndarray:
    """Crack probabilities of ``model``, (2, 1, 64, 96)."""
    return figures()[f'crack_{model}']

"""Make a model file from a training run."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor

from csbsr_mm.apis import load_model
from csbsr_mm.engine.checkpoint import read_checkpoint, weights_of
from csbsr_mm.version import __version__

from .library import FORMAT, ModelFile, checksum, open_weights
from .tensor_file import SUFFIX, write_tensors


def export_weights(
    config: Config,
    checkpoint: str | Path,
    path: str | Path,
    threshold: float | None = None,
    card: dict[str, Any] | None = None,
    half: bool = True,
    trust_checkpoint: bool = False,
) -> ModelFile:
    """Write the weights of a checkpoint, with everything that is needed to build and to judge the model.

    The file's metadata are ``format``, ``name``, ``model`` (the model's config), ``dataset_meta``, ``card``,
    ``lineage`` (the run's whole config, seed, iterations and versions), and ``sha256`` of the
    weights; all but ``format``, ``name`` and ``sha256`` are JSON.

    Args:
        config: The run's config.
        checkpoint: The run's checkpoint; it must hold the whole model.
        path: File to write, ``NAME.safetensors``.
        threshold: Probability above which a pixel is crack, to be stored as the model's own; None keeps it.
        card: What a user should know: data, licence, figures.
        half: Store filters in half precision (2 bytes each); vectors keep single precision.
        trust_checkpoint: As of :func:`~csbsr_mm.engine.checkpoint.read_checkpoint`.

    Returns:
        The file that was written.

    Raises:
        RuntimeError: The checkpoint does not fit the config.
        ValueError: The path has another suffix, or the threshold is no probability.
    """
    if threshold is not None and not 0 <= threshold < 1:
        raise ValueError(f'threshold must be a probability in [0, 1), got {threshold}')
    model = load_model(config, checkpoint, 'cpu', trust_checkpoint)  # Refuses weights that do not fit.
    if threshold is not None and not hasattr(model, 'threshold'):
        raise ValueError(f'{type(model).__name__} takes its threshold from its head; set it in the config')
    content = read_checkpoint(checkpoint, trust_checkpoint)
    meta = content.get('meta') or {}
    return write_model_file(
        path,
        _inference_config(config, threshold),
        weights_of(content, checkpoint),
        meta.get('dataset_meta') or {},
        card or {},
        {
            'config': config.pretty_text,
            'seed': meta.get('seed'),
            'iterations': meta.get('iter'),
            'trained': meta.get('time'),
            'mmengine': meta.get('mmengine_version'),
        },
        half,
    )


def write_model_file(
    path: str | Path,
    model: dict[str, Any],
    weights: Mapping[str, Tensor],
    dataset_meta: dict[str, Any],
    card: dict[str, Any],
    lineage: dict[str, Any],
    half: bool = True,
) -> ModelFile:
    """Write a model file from its parts.

    Args:
        path: File to write, ``NAME.safetensors``; its folder is made.
        model: The model's config.
        weights: Its state dict; scalars, which steer training, are left out.
        dataset_meta: Names and colours of the classes.
        card: What a user should know.
        lineage: How the weights came about; the versions of what runs now are added.
        half: As of :func:`export_weights`.

    Raises:
        ValueError: The path has another suffix.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        raise ValueError(f'a model file is called NAME{SUFFIX}, got {path}')
    stored = {name: _stored(value, half) for name, value in weights.items() if value.ndim}
    metadata = dict(
        format=FORMAT,
        name=path.stem,
        model=json.dumps(model),
        dataset_meta=json.dumps(dataset_meta),
        card=json.dumps(card),
        lineage=json.dumps({**lineage, 'versions': _versions()}),
        sha256=checksum(stored),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_tensors(path, stored, metadata)
    return open_weights(path)


def _stored(value: Tensor, half: bool) -> Tensor:
    """Filters in half precision; biases, slopes and batch-norm statistics as they are."""
    return value.half() if half and value.ndim > 1 and value.dtype == torch.float32 else value


def _inference_config(config: Config, threshold: float | None) -> dict:
    """The model's config without what only training reads."""
    model = config.model.to_dict()
    if threshold is not None:
        model['threshold'] = threshold
    for name in ('sr_loss', 'sr_loss_weights', 'pretrained', 'init_cfg'):
        model.pop(name, None)
    return model


def _versions() -> dict[str, str]:
    return dict(
        csbsr_mm=__version__,
        torch=torch.__version__,
        numpy=np.__version__,
        python=platform.python_version(),
    )

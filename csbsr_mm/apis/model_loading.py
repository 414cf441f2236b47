"""Build a model for inference and load its checkpoint without running code that the file may hold."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch import Tensor, nn

from csbsr_mm.engine.checkpoint import check_for_testing, read_checkpoint, weights_of
from csbsr_mm.weights import open_weights
from csbsr_mm.weights.library import DEFAULT


def load_model(
    config: str | Path | Config,
    checkpoint: str | Path | None,
    device: str | torch.device = 'cpu',
    trust_checkpoint: bool = False,
) -> nn.Module:
    """Build the model of a config, load all of its weights, and set it to evaluation.

    Args:
        config: Config file, or the config.
        checkpoint: File of a training run or of a converter; None leaves the weights as built.
        device: Where the model goes.
        trust_checkpoint: See :func:`load_checkpoint`.

    Returns:
        The model, with ``dataset_meta`` from the checkpoint and ``cfg``.

    Raises:
        FileNotFoundError: A file does not exist.
        RuntimeError: The checkpoint belongs to another architecture.
        ValueError: The config has no model, or torch cannot use the device; see also
            :func:`load_checkpoint`.
    """
    _check_device(device)
    if not isinstance(config, Config):
        if not Path(config).is_file():
            raise FileNotFoundError(f'config {config} does not exist')
        config = Config.fromfile(config)
    if config.get('model') is None:
        raise ValueError(f'config {config.filename} has no model; give the config that was trained with')
    content = dict(state_dict=None) if checkpoint is None else load_checkpoint(checkpoint, trust_checkpoint)
    weights = None if checkpoint is None else weights_of(content, checkpoint)
    dataset_meta = content.get('meta', {}).get('dataset_meta') or {}
    return _build(config, weights, checkpoint, dataset_meta, device)


def load_weights(source: str | Path = DEFAULT, device: str | torch.device = 'cpu') -> nn.Module:
    """Build a model from a model file alone, which holds its config, and set it to evaluation.

    Args:
        source: Name of weights on board, path or URL; see :func:`csbsr_mm.weights.open_weights`.
        device: Where the model goes.

    Returns:
        The model, with ``dataset_meta`` and ``cfg``.

    Raises:
        FileNotFoundError: There are no such weights.
        ValueError: The file is damaged or no model file, or torch cannot use the device.
    """
    _check_device(device)
    file = open_weights(source)
    config = Config(dict(model=file.model, default_scope='mmseg'))
    return _build(config, file.read(), file.path, file.dataset_meta, device)


def load_checkpoint(path: str | Path, trust: bool = False) -> dict:
    """Read a checkpoint of a model; see :func:`csbsr_mm.engine.checkpoint.read_checkpoint`.

    Args:
        path: Checkpoint file.
        trust: Read a file that needs unpickling of arbitrary objects as well. Such a file can run any
            program while it is read; allow it only for files from people you trust.

    Returns:
        The checkpoint, a dict with ``state_dict``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file needs trust, is damaged, or is no checkpoint.
    """
    content = read_checkpoint(path, trust)
    weights_of(content, path)
    return content if 'state_dict' in content else dict(state_dict=content)


def _check_device(device: str | torch.device) -> None:
    try:
        torch.empty(0, device=device)
    except (AssertionError, RuntimeError) as error:
        reason = str(error).split('\n')[0]
        raise ValueError(f'torch cannot use device {device} here ({reason}); cpu always works') from error


def _build(
    config: Config,
    weights: dict[str, Tensor] | None,
    path: str | Path | None,
    dataset_meta: dict,
    device: str | torch.device,
) -> nn.Module:
    """The model of a config with the weights that ``path`` holds, or as it is built."""
    init_default_scope(config.get('default_scope', 'mmseg'))
    model = MODELS.build(config.model)
    if weights is not None:
        _load_state(model, weights, path)
    model.dataset_meta, model.cfg = dataset_meta, config
    if torch.device(device).type == 'cpu':
        model = revert_sync_batchnorm(model)
    return model.to(device).eval()


def _load_state(model: nn.Module, weights: dict[str, Tensor], path: str | Path | None) -> None:
    """Load the whole model; MMEngine's loaders only warn about weights that are missing."""
    try:
        check_for_testing(model, weights)
        model.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise RuntimeError(f'{path} does not fit the config: {error}') from error

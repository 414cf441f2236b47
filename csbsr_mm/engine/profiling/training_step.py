"""One training step of a config, taken out of the training loop to be timed."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.model import BaseModel
from mmengine.optim import build_optim_wrapper
from mmseg.registry import MODELS

from csbsr_mm.engine.hooks import AccelerationHook

from .saved_tensors import BYTES_PER_MEBIBYTE, SavedTensors


def check_device(device: str) -> None:
    """Refuse a device that a config prepared on this machine cannot train on.

    Raises:
        ValueError: There is no GPU, or there is one and the CPU is asked for.
    """
    if device.startswith('cuda') and not torch.cuda.is_available():
        raise ValueError(f'device {device}, but torch finds no GPU here')
    if device == 'cpu' and torch.cuda.is_available():
        raise ValueError('to measure the CPU of a machine with a GPU, hide the GPU: CUDA_VISIBLE_DEVICES=-1')


class TrainingStep:
    """Forward pass, backward pass and update of a config's model, as the training loop calls them.

    The model has random weights (no checkpoint is loaded) and learns as a whole: with the ``task_weight``
    of its config, whatever its schedule begins with, and boundary losses in the middle of their rise.

    Args:
        cfg: Config with ``model`` and ``optim_wrapper``, after
            :func:`~csbsr_mm.engine.runtime.prepare_runtime`; not changed.
        device: Where to train.
        channels_last: As of :class:`AccelerationHook`.
        compile_parts: Likewise.

    Raises:
        ValueError: The config has no model or no optimizer.
    """

    def __init__(
        self, cfg: Config, device: str = 'cpu', channels_last: bool = False, compile_parts: Sequence[str] = ()
    ) -> None:
        missing = [name for name in ('model', 'optim_wrapper') if cfg.get(name) is None]
        if missing:
            raise ValueError(
                f'{cfg.filename or "the config"} has no {" and no ".join(missing)} to train with'
            )
        torch.manual_seed(0)
        torch.backends.cudnn.benchmark = cfg.get('env_cfg', {}).get('cudnn_benchmark', False)
        self.device = torch.device(device)
        self.model: BaseModel = MODELS.build(cfg.model).to(self.device).train()
        for module in self.model.modules():
            if hasattr(module, 'set_alpha'):
                module.set_alpha(0.5)
        settings = copy.deepcopy(cfg.optim_wrapper)
        # Of the training loop, which calls the model once for each of them.
        settings.pop('accumulative_counts', None)
        self.optim_wrapper = build_optim_wrapper(self.model, settings)
        if channels_last or compile_parts:
            hook = AccelerationHook(compile_parts, channels_last=channels_last)
            hook.before_train(SimpleNamespace(model=self.model))

    def __call__(self, batch: dict) -> None:
        """Take a step; the batch, which preprocessing would change, is copied."""
        self._step(copy.deepcopy(batch))

    def seconds(self, batch: dict, clock: Callable[[], float] = time.perf_counter) -> float:
        """Time of a step on a batch in main memory, the GPU's work included, by ``clock``."""
        batch = copy.deepcopy(batch)
        self._wait()
        start = clock()
        self._step(batch)
        self._wait()
        return clock() - start

    def peak_memory(self, batch: dict) -> float | None:
        """Most memory, in MiB, that tensors took on the GPU during a step; None on a CPU.

        Weights, gradients and what the optimizer keeps count; take a step before, so that they exist.
        """
        if self.device.type != 'cuda':
            return None
        torch.cuda.reset_peak_memory_stats(self.device)
        self(batch)
        return torch.cuda.max_memory_allocated(self.device) / BYTES_PER_MEBIBYTE

    def saved_tensor_memory(self, batch: dict) -> float:
        """MiB that a forward pass keeps for the backward pass, on any device; parameters do not count.

        Of stages that are checkpointed, their tensor arguments count, those within tuples do not.
        """
        kept = SavedTensors(self.model)
        saved = torch.autograd.graph.saved_tensors_hooks(kept, lambda tensor: tensor)
        with saved, self.optim_wrapper.optim_context(self.model):
            data = self.model.get_submodule('data_preprocessor')(copy.deepcopy(batch), True)
            self.model(**data, mode='loss')
        return kept.mebibytes()

    def _step(self, batch: dict) -> None:
        self.model.train_step(batch, optim_wrapper=self.optim_wrapper)

    def _wait(self) -> None:
        """Wait for the GPU, which works asynchronously."""
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)


def synthetic_batch(cfg: Config, batch_size: int, size: int) -> dict[str, Any]:
    """A batch of noise with a mask of stripes, from the config's own training pipeline.

    Transforms that load, crop or resize are left out: the photos have the size that is asked for.

    Args:
        cfg: Config with ``train_dataloader``.
        batch_size: Photos.
        size: Height and width of the photos before degradation, in pixels.

    Returns:
        What the data loader would give.

    Raises:
        ValueError: The config has no training pipeline.
    """
    pipeline = cfg.get('train_dataloader', {}).get('dataset', {}).get('pipeline')
    if not pipeline:
        raise ValueError(f'{cfg.filename or "the config"} has no train_dataloader.dataset.pipeline')
    passed_over = ('Load', 'Crop', 'Resize')
    transforms = Compose([step for step in pipeline if not any(word in step['type'] for word in passed_over)])
    rng = np.random.default_rng(0)
    mask = np.zeros((size, size), np.uint8)
    mask[:: max(size // 8, 1)] = 1
    photos = [
        dict(
            img=rng.integers(0, 256, (size, size, 3), np.uint8),
            gt_seg_map=mask.copy(),
            seg_fields=['gt_seg_map'],
            img_path=f'{number}.png',
            seg_map_path=f'{number}.png',
            img_shape=(size, size),
            ori_shape=(size, size),
            draw=number,
            sample_idx=number,
            reduce_zero_label=False,
        )
        for number in range(batch_size)
    ]
    return pseudo_collate([transforms(photo) for photo in photos])

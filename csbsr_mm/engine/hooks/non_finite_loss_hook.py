"""Stop before a NaN reaches the parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

import torch
from mmengine.dist import all_gather_object, all_reduce, barrier, is_main_process
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import Tensor

from .scheduled_model import unwrap


class NonFiniteLossError(RuntimeError):
    """The loss or its gradient is NaN or infinite."""


@HOOKS.register_module()
class NonFiniteLossHook(Hook):
    """Stop training when the loss or its gradient is NaN or infinite, before parameters change.

    The error names the iteration, every loss term, and the batch's files on every rank; the state
    before the update is saved as ``non_finite_iter_N.pth`` (``last_checkpoint`` stays as it is). All
    ranks stop together. Works for any model that trains through MMEngine's ``train_step``. With AMP's
    dynamic loss scaling, where overflowing gradients are expected and skipped, only losses are checked.

    Args:
        check_gradients: Whether gradients are checked, too.
    """

    def __init__(self, check_gradients: bool = True) -> None:
        self.check_gradients = check_gradients
        self._guarded: list[tuple[object, str, Callable | None]] = []
        self._terms: dict[str, Tensor] = {}
        self._batch: Any = None

    def before_train(self, runner: Runner) -> None:
        """Put a guard before backward pass and update."""
        model, wrapper = unwrap(runner.model), runner.optim_wrapper
        self._train_step = self._guard(runner.model, 'train_step', self._remember_batch)
        self._parse_losses = self._guard(model, 'parse_losses', self._remember_terms)
        self._update_params = self._guard(wrapper, 'update_params', partial(self._check_loss, runner))
        if self.check_gradients and not hasattr(wrapper, 'loss_scaler'):
            self._step = self._guard(wrapper, 'step', partial(self._check_gradients, runner))

    def after_train(self, runner: Runner) -> None:
        """Take the guards away."""
        for owner, name, own in reversed(self._guarded):
            vars(owner).pop(name)
            if own is not None:
                vars(owner)[name] = own
        self._guarded.clear()

    def _guard(self, owner: object, name: str, guard: Callable) -> Callable:
        """Replace a method of one object; returns the method."""
        method = getattr(owner, name)
        self._guarded.append((owner, name, vars(owner).get(name)))
        # MMEngine's schedulers look for their mark on `step`.
        vars(owner)[name] = update_wrapper(partial(guard), method)
        return method

    def _remember_batch(self, data: Any, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        self._batch = data
        return self._train_step(data, optim_wrapper=optim_wrapper)

    def _remember_terms(self, losses: dict) -> tuple[Tensor, dict[str, Tensor]]:
        total, self._terms = self._parse_losses(losses)
        return total, self._terms

    def _check_loss(self, runner: Runner, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        if _any_rank(~torch.isfinite(loss.detach()).all()):
            self._stop(runner, 'the loss is not finite')
        self._update_params(loss, *args, **kwargs)

    def _check_gradients(self, runner: Runner, **kwargs: Any) -> None:
        gradients = {n: p.grad for n, p in unwrap(runner.model).named_parameters() if p.grad is not None}
        norms = torch.stack(torch._foreach_norm(list(gradients.values()))) if gradients else torch.zeros(1)
        if _any_rank(~torch.isfinite(norms).all()):
            bad = [name for name, norm in zip(gradients, norms, strict=True) if not math.isfinite(norm)]
            self._stop(
                runner, f'the gradient of {len(bad)} parameter tensors ({", ".join(bad[:3])}) is not finite'
            )
        self._step(**kwargs)

    def _stop(self, runner: Runner, reason: str) -> None:
        """Save, and raise the same error on all ranks."""
        iteration = runner.iter + 1
        name = f'non_finite_iter_{iteration}.pth'
        terms = ', '.join(f'{key}={torch.as_tensor(value).item():g}' for key, value in self._terms.items())
        reports = all_gather_object(f'{terms}; files: {", ".join(_files(self._batch)) or "unknown"}')
        runner.save_checkpoint(
            runner.work_dir,
            name,
            meta=dict(epoch=runner.epoch, iter=runner.iter),
            by_epoch=False,
            backend_args=dict(backend='atomic'),
        )
        barrier()  # a rank that ends earlier would have the launcher kill the one that is writing
        lines = [f'rank {rank}: {report}' for rank, report in enumerate(reports)]
        message = (
            f'iteration {iteration}: {reason}; stopped before the update. '
            f'{" | ".join(lines) if len(lines) > 1 else reports[0]}. State saved to '
            f'{runner.work_dir}/{name}. Look at those files, lower optim_wrapper.optimizer.lr, or set '
            f'optim_wrapper.clip_grad; --resume goes on from the last regular checkpoint'
        )
        if is_main_process():
            runner.logger.error(message)
        raise NonFiniteLossError(message)


def _any_rank(flag: Tensor) -> bool:
    """Whether the flag is set on any rank, equal on all."""
    flag = flag.to(torch.float32)
    all_reduce(flag, op='max')
    return bool(flag)


def _files(data: Any) -> list[str]:
    """Paths of a batch's images."""
    samples = data.get('data_samples', ()) if isinstance(data, dict) else ()
    return [str(path) for sample in samples if (path := getattr(sample, 'img_path', None))]

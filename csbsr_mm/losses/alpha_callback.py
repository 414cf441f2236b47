"""The schedule of α as a callback of Lightning."""

from __future__ import annotations

import importlib.util
import math
import sys
from typing import Any

from torch import nn

from csbsr_mm._extras import need

from .alpha_schedule import AlphaSchedule, check_alpha_range

# The same Lightning under its two names, whose classes do not know each other.
LIGHTNING = ('lightning.pytorch', 'pytorch_lightning')


def callback_class() -> Any:
    """``Callback`` of the Lightning in use: the one that is imported already, or the first that is installed.

    Raises:
        ImportError: None is installed.
    """
    names = [name for name in LIGHTNING if name in sys.modules]
    names = names or [name for name in LIGHTNING if importlib.util.find_spec(name.split('.')[0])]
    if not names:
        need('AlphaCallback', 'lightning')
    return importlib.import_module(names[0]).Callback


Callback: Any = callback_class()


class AlphaCallback(Callback):
    """Raise the weight α of every boundary loss of a LightningModule during training.

    The schedule is that of ``BoundaryRebalanceHook``: by default α starts at 0 and gains 0.01 in every epoch,
    up to 0.99. An iteration is one of Lightning's ``global_step``, a step of the optimizer, so that
    accumulated batches count once. α follows from ``global_step`` alone: a resumed training needs nothing
    else. It stands as ``alpha`` in the log. Losses whose ``alpha`` is fixed stay as they are.

    Args:
        start: α before the first step, in [0, 1].
        end: Largest α, in [start, 1].
        increment: What each step adds, > 0.
        epoch_iters: Iterations between two steps. None: those of an epoch.
        fraction: Instead of a step an epoch: steps at equal distances, so that α reaches ``end`` after this
            share of the training, in (0, 1].
        begin: Iterations before α starts to rise.

    Raises:
        ImportError: Lightning is not installed: ``pip install 'csbsr_mm[lightning]'``.
        ValueError: A value is outside its range, or both ``epoch_iters`` and ``fraction`` are given.

    Example:
        >>> callback = AlphaCallback(fraction=0.9)
        >>> # lightning.Trainer(max_epochs=50, callbacks=[callback]).fit(module, loader)
        >>> callback.fraction
        0.9
    """

    def __init__(
        self,
        start: float = 0.0,
        end: float = 0.99,
        increment: float = 0.01,
        epoch_iters: int | None = None,
        fraction: float | None = None,
        begin: int = 0,
    ) -> None:
        super().__init__()
        check_alpha_range(start, end, increment, begin)
        if fraction is not None and not 0 < fraction <= 1:
            raise ValueError(f'fraction must be in (0, 1], got {fraction}')
        if fraction is not None and epoch_iters is not None:
            raise ValueError('give epoch_iters or fraction, not both: each says when alpha rises')
        if epoch_iters is not None and epoch_iters < 1:
            raise ValueError(f'epoch_iters must be >= 1, got {epoch_iters}')
        self.start, self.end, self.increment, self.begin = start, end, increment, begin
        self.epoch_iters, self.fraction = epoch_iters, fraction
        self.schedule: AlphaSchedule | None = None

    def on_train_start(self, trainer: Any, pl_module: nn.Module) -> None:
        """Find the losses and how long the training or an epoch is.

        Raises:
            TypeError: The module has no loss with ``set_alpha``.
            ValueError: The length of an epoch, or of the training, is not known.
        """
        losses = [m for m in pl_module.modules() if callable(getattr(m, 'set_alpha', None))]
        if not losses:
            raise TypeError(
                f'{type(pl_module).__name__} has no boundary loss; make it a module of it, such as '
                f'self.loss = BoundaryComboLoss(), or take AlphaCallback out of the callbacks'
            )
        self.schedule = AlphaSchedule(
            *losses,
            **self._pace(trainer),
            start=self.start,
            end=self.end,
            increment=self.increment,
            begin=self.begin,
        )

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Set α of this iteration."""
        assert self.schedule is not None
        self.schedule.load_state_dict({'iteration': trainer.global_step})
        pl_module.log('alpha', self.schedule.alpha)

    def _pace(self, trainer: Any) -> dict[str, Any]:
        """When α rises, as :class:`AlphaSchedule` takes it."""
        if self.fraction is not None:
            steps = trainer.estimated_stepping_batches
            if not 0 < steps < math.inf:
                raise ValueError(
                    'how long the training lasts is not known; give the Trainer max_steps, or AlphaCallback '
                    'epoch_iters in place of fraction'
                )
            return {'total_iters': max(1.0, self.fraction * max(1, steps - self.begin))}
        if self.epoch_iters is not None:
            return {'epoch_iters': self.epoch_iters}
        batches = trainer.num_training_batches
        if not batches < math.inf:
            raise ValueError(
                'the data loader does not say how long an epoch is; give AlphaCallback epoch_iters, or '
                'fraction and the Trainer max_steps'
            )
        return {'epoch_iters': math.ceil(batches / trainer.accumulate_grad_batches)}

"""The schedule of α, the weight of the boundary term."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from torch import nn


class AlphaSchedule:
    """Raise the weight α of the boundary term step by step during training.

    The boundary term leads to precise outlines, but only from a segmentation that is roughly right, so Dice
    and cross entropy come first. α starts at ``start`` and gains ``increment`` at equal distances in time, up
    to ``end``. Call :meth:`step` once after each iteration.

    Args:
        *losses: Losses with ``set_alpha``, such as :class:`BoundaryComboLoss`; those whose ``alpha`` is fixed
            stay as they are. Without losses, use :meth:`alpha_at`.
        epoch_iters: Iterations between two steps. The paper has a step an epoch.
        total_iters: Instead of that, iterations within which α rises from ``start`` to ``end``.
        start: α before the first step, in [0, 1].
        end: Largest α, in [start, 1].
        increment: What each step adds, > 0.
        begin: Number of iterations that are done before α starts to rise.

    Raises:
        ValueError: A value is outside its range, or not exactly one of ``epoch_iters`` and ``total_iters`` is
            given.

    Reference:
        Kondo and Ukita, IEEE TIM 2024, Eq. 3; Kervadec et al., Boundary loss for highly unbalanced
        segmentation, 2019 ("rebalance" strategy).

    Example:
        >>> schedule = AlphaSchedule(epoch_iters=1601, begin=30000)
        >>> [schedule.alpha_at(i) for i in (0, 30000, 31600, 31601, 10**6)]
        [0.0, 0.0, 0.0, 0.01, 0.99]
        >>> schedule = AlphaSchedule(total_iters=500)
        >>> [schedule.alpha_at(i) for i in (0, 250, 500, 1000)]
        [0.0, 0.49, 0.99, 0.99]
    """

    def __init__(
        self,
        *losses: nn.Module,
        epoch_iters: int | None = None,
        total_iters: float | None = None,
        start: float = 0.0,
        end: float = 0.99,
        increment: float = 0.01,
        begin: int = 0,
    ) -> None:
        check_alpha_range(start, end, increment, begin)
        if (epoch_iters is None) == (total_iters is None):
            raise ValueError('give epoch_iters or total_iters, and not both: they say when alpha rises')
        for name, value in (('epoch_iters', epoch_iters), ('total_iters', total_iters)):
            if value is not None and not value >= 1:
                raise ValueError(f'{name} must be >= 1, got {value}')
        self.start, self.end, self.increment, self.begin = start, end, increment, begin
        self.epoch_iters, self.total_iters = epoch_iters, total_iters
        self.losses: list[Any] = [loss for loss in losses if getattr(loss, 'fixed_alpha', None) is None]
        self.iteration = 0
        self._apply()

    @property
    def alpha(self) -> float:
        """α of the coming iteration."""
        return self.alpha_at(self.iteration)

    def alpha_at(self, iteration: int) -> float:
        """α when ``iteration`` iterations are done, that is, α of the next one."""
        since_begin = max(0, iteration - self.begin)
        if self.epoch_iters is not None:
            steps = since_begin // self.epoch_iters
        else:
            assert self.total_iters is not None
            count = math.ceil((self.end - self.start) / self.increment)
            steps = math.floor(since_begin / self.total_iters * count + 1e-9)
        return round(min(self.end, self.start + steps * self.increment), 9)

    def step(self) -> float:
        """Count an iteration and set α of the next one; returns it."""
        self.iteration += 1
        return self._apply()

    def state_dict(self) -> dict[str, int]:
        """State for a checkpoint."""
        return {'iteration': self.iteration}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state of a checkpoint."""
        self.iteration = int(state['iteration'])
        self._apply()

    def _apply(self) -> float:
        for loss in self.losses:
            loss.set_alpha(self.alpha)
        return self.alpha


def check_alpha_range(start: float, end: float, increment: float, begin: int) -> None:
    """Refuse values outside the range of α.

    Raises:
        ValueError: A value is outside its range.
    """
    if not 0 <= start <= end <= 1:
        raise ValueError(f'alpha must rise within [0, 1], got start={start}, end={end}')
    if not increment > 0:
        raise ValueError(
            f'step must be > 0, got {increment}; a constant alpha is BoundaryComboLoss(alpha=...)'
        )
    if begin < 0:
        raise ValueError(f'begin must be >= 0, got {begin}')
